//! The result of a consultation: numbers of organisations.
//!
//! They are numbers about organisations and not about people, so that the gate of `suppression` does not apply. By region no
//! organisation is picked out: a number is about 3 organisations or more. A region in which fewer have answered is counted among the
//! others, and the smallest shown regions join them while the others are fewer than 3. The shown groups add up to the total, so that
//! no group follows from the others by subtraction. If fewer than 3 organisations have answered at all, there are no numbers.
//! A group that agrees in everything still says what each of it has answered, as every count of votes does.

use std::collections::BTreeMap;

use super::{ConsultationAnswer, ConsultationContent, Question};
use crate::domain::vocabulary::Region;

/// Fewest organisations of a number by region.
const FEWEST: usize = 3;

/// The result of a consultation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Organisations that have answered.
    pub answered: usize,
    /// The numbers of each question; none if they would pick an organisation out.
    pub questions: Vec<QuestionResult>,
}

/// The numbers of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionResult {
    /// All organisations.
    pub total: Counts,
    /// The same by region, the regions without a number of their own last.
    pub regions: Vec<Counts>,
    /// Comments without their organisations, by their texts.
    pub comments: Vec<String>,
}

/// Numbers of organisations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Their region; `None` for all, or for the other regions.
    pub region: Option<Region>,
    /// Organisations that have answered the consultation.
    pub organisations: usize,
    /// Those that have left the question out.
    pub unanswered: usize,
    /// Those that have chosen each option, in the order of the options.
    pub options: Vec<usize>,
}

impl Tally {
    /// The numbers of all answers, of which every organisation reads who gave them.
    pub fn by_organisation(content: &ConsultationContent, answers: &[ConsultationAnswer]) -> Self {
        let all: Vec<&ConsultationAnswer> = answers.iter().collect();
        let questions = content.questions.iter().map(|question| QuestionResult {
            total: Counts::of(None, question, &all),
            regions: Vec::new(),
            comments: Vec::new(),
        });
        Self { answered: answers.len(), questions: questions.collect() }
    }

    /// The numbers by region.
    pub fn by_region(content: &ConsultationContent, answers: &[ConsultationAnswer]) -> Self {
        let groups = groups(answers);
        if groups.is_empty() {
            return Self { answered: answers.len(), questions: Vec::new() };
        }
        let all: Vec<&ConsultationAnswer> = answers.iter().collect();
        let questions = content.questions.iter().map(|question| QuestionResult {
            total: Counts::of(None, question, &all),
            regions: groups.iter().map(|(region, of)| Counts::of(*region, question, of)).collect(),
            comments: comments(question, answers),
        });
        Self { answered: answers.len(), questions: questions.collect() }
    }

    /// The same without the comments.
    #[must_use]
    pub fn without_comments(mut self) -> Self {
        for question in &mut self.questions {
            question.comments.clear();
        }
        self
    }
}

impl Counts {
    fn of(region: Option<Region>, question: &Question, answers: &[&ConsultationAnswer]) -> Self {
        let mut counts = Self {
            region,
            organisations: answers.len(),
            unanswered: 0,
            options: vec![0; question.options.len()],
        };
        for answer in answers {
            let Some(given) = answer.answers.iter().find(|one| one.question == question.id) else {
                counts.unanswered += 1;
                continue;
            };
            for (count, option) in counts.options.iter_mut().zip(&question.options) {
                *count += usize::from(given.options.contains(&option.id));
            }
        }
        counts
    }
}

/// The answers by region, of 3 organisations or more each; empty if there are fewer in all.
fn groups(answers: &[ConsultationAnswer]) -> Vec<(Option<Region>, Vec<&ConsultationAnswer>)> {
    if answers.len() < FEWEST {
        return Vec::new();
    }
    let mut by_region: BTreeMap<&str, Vec<&ConsultationAnswer>> = BTreeMap::new();
    for answer in answers {
        by_region.entry(answer.region.code()).or_default().push(answer);
    }
    // The smallest last, so that they join the others first.
    let mut shown: Vec<Vec<&ConsultationAnswer>> = by_region.into_values().collect();
    shown.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let mut others = Vec::new();
    while let Some(smallest) = shown.last() {
        if smallest.len() >= FEWEST && (others.is_empty() || others.len() >= FEWEST) {
            break;
        }
        others.extend(shown.pop().unwrap_or_default());
    }
    shown.sort_by_key(|group| group[0].region.code());
    let mut groups: Vec<_> = shown.into_iter().map(|group| (Some(group[0].region), group)).collect();
    if !others.is_empty() {
        groups.push((None, others));
    }
    groups
}

fn comments(question: &Question, answers: &[ConsultationAnswer]) -> Vec<String> {
    let given = answers.iter().flat_map(|answer| &answer.answers);
    let mut comments: Vec<String> = given
        .filter(|one| one.question == question.id && !one.comment.is_empty())
        .map(|one| one.comment.clone())
        .collect();
    comments.sort();
    comments
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::super::{Choice, QuestionAnswer};
    use super::*;
    use crate::domain::vocabulary::Country;

    fn content() -> ConsultationContent {
        let option = |id: &str| Choice { id: id.parse().expect("an id"), texts: Vec::new() };
        let question = Question {
            id: "q".parse().expect("an id"),
            is_multiple: true,
            texts: Vec::new(),
            options: vec![option("a"), option("b")],
        };
        ConsultationContent { texts: Vec::new(), questions: vec![question], attachment: None }
    }

    fn answer(at: usize, country: &str, chosen: u8) -> ConsultationAnswer {
        let options = ["a", "b"].iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0);
        let options: Vec<_> = options.map(|(_, id)| id.parse().expect("an id")).collect();
        let question = "q".parse().expect("an id");
        let given = QuestionAnswer { question, options, comment: String::new() };
        ConsultationAnswer {
            organisation: format!("o-{at}").parse().expect("an id"),
            region: Country::from_code(country).expect("a country").region(),
            answers: if chosen == 0 { Vec::new() } else { vec![given] },
            actor: String::new(),
            version: 1,
            create_time: Timestamp::UNIX_EPOCH,
            update_time: Timestamp::UNIX_EPOCH,
        }
    }

    proptest! {
        /// Whoever answers: a shown group has 3 organisations or more, and the groups add up.
        #[test]
        fn no_number_by_region_is_about_fewer_than_3_organisations(
            given in prop::collection::vec((0_usize..6, 0_u8..4), 0..30)
        ) {
            let countries = ["PE", "CL", "GH", "KE", "FR", "AU"];
            let answers: Vec<_> = (given.iter().enumerate())
                .map(|(at, (country, chosen))| answer(at, countries[*country], *chosen))
                .collect();
            let tally = Tally::by_region(&content(), &answers);
            prop_assert_eq!(tally.answered, answers.len());
            prop_assert_eq!(tally.questions.is_empty(), answers.len() < 3);
            for question in &tally.questions {
                prop_assert!(question.regions.iter().all(|group| group.organisations >= 3));
                prop_assert!(question.regions.iter().filter(|group| group.region.is_none()).count() <= 1);
                let sum = |of: fn(&Counts) -> usize| question.regions.iter().map(of).sum::<usize>();
                prop_assert_eq!(sum(|one| one.organisations), question.total.organisations);
                prop_assert_eq!(sum(|one| one.unanswered), question.total.unanswered);
                prop_assert_eq!(sum(|one| one.options[1]), question.total.options[1]);
                for group in question.regions.iter().filter(|group| group.region.is_some()) {
                    let of = answers.iter().filter(|one| Some(one.region) == group.region);
                    prop_assert_eq!(of.count(), group.organisations);
                }
            }
        }
    }

    #[test]
    fn a_question_that_is_left_out_counts_for_no_option() {
        let answers: Vec<_> =
            [0, 1, 3].into_iter().zip(0..).map(|(chosen, at)| answer(at, "PE", chosen)).collect();
        let tally = Tally::by_organisation(&content(), &answers);
        let total = &tally.questions[0].total;
        assert_eq!((total.organisations, total.unanswered, &total.options[..]), (3, 1, &[2, 1][..]));
    }

    #[test]
    fn the_smallest_region_joins_the_others_while_they_are_few() {
        let countries = ["PE", "PE", "PE", "PE", "GH", "GH", "GH", "KE"];
        let answers: Vec<_> =
            (countries.iter().enumerate()).map(|(at, country)| answer(at, country, 1)).collect();
        let sizes = |answers: &[ConsultationAnswer]| {
            groups(answers).iter().map(|(region, of)| (region.is_some(), of.len())).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&answers), [(true, 4), (false, 4)], "Kenya's and Ghana's together");
        assert_eq!(sizes(&answers[..7]).len(), 2);
        assert_eq!(sizes(&answers[..2]), []);
    }
}
