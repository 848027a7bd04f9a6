//! Whom to recruit: the kinds of mentor who would serve most of the mentees without a match, and the topics that matched
//! mentees do not get.
//!
//! Input: people without a match with their reasons. Output: kinds of mentor, each a language at a level within a range of
//! career stages, with the mentees whom such a mentor could take. Everything follows from the reasons, so that a reader
//! learns nothing about people whom she does not see.
//! Algorithm: greedy set cover (Chvátal 1979). Each step takes the language and stage that serve most of the mentees who
//! are left. Ties go to mentees without a candidate, then to the language and stage that come first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::explanation::{Reason, ReasonCode};
use super::name::ProfileRef;
use super::run::{Match, Side, Unmatched, UnmatchedReason};
use super::vocabulary::{Kind as _, Stage};

/// A kind of mentor, and the mentees whom she could take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recruit {
    /// The mentor: a language, a level and career stages.
    pub mentor: Reason,
    /// The mentees, by profile; at least one.
    pub mentees: Vec<ProfileRef>,
}

/// What one mentee needs.
struct Needed<'a> {
    mentee: &'a ProfileRef,
    has_candidates: bool,
    languages: BTreeSet<&'a str>,
    level: &'a str,
    /// Positions of the first and of the last career stage.
    stages: (u8, u8),
}

/// The kinds of mentor that serve most of the mentees, the most useful first. Each mentee is in one of them at most.
pub fn recruits(unmatched: &[Unmatched]) -> Vec<Recruit> {
    let mut left: Vec<Needed<'_>> = unmatched.iter().filter_map(Needed::of).collect();
    left.sort_by_key(|needed| needed.mentee);
    let mut found = Vec::new();
    while let Some((language, stage)) = best(&left) {
        let (served, rest): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|needed| needed.accepts(language, stage));
        left = rest;
        found.extend(recruit(language, &served));
    }
    found
}

impl<'a> Needed<'a> {
    fn of(unmatched: &'a Unmatched) -> Option<Self> {
        let wanted = unmatched.details.iter().find(|reason| reason.code == ReasonCode::MentorWanted)?;
        let value = |name: &str| wanted.parameters.get(name);
        let stage = |name: &str| Stage::vocabulary().position(value(name)?);
        (unmatched.side == Some(Side::Mentee)).then_some(())?;
        Some(Self {
            mentee: &unmatched.profile,
            has_candidates: unmatched.reason == UnmatchedReason::Outcompeted,
            languages: value("any_language")?.split(',').collect(),
            level: value("level")?,
            stages: (stage("from")?, stage("to")?),
        })
    }

    fn accepts(&self, language: &str, stage: u8) -> bool {
        self.languages.contains(language) && (self.stages.0..=self.stages.1).contains(&stage)
    }
}

/// The language and the career stage that serve most mentees; `None` if nobody is left.
fn best<'a>(left: &[Needed<'a>]) -> Option<(&'a str, u8)> {
    let mut served: BTreeMap<(&str, u8), (u64, u64)> = BTreeMap::new();
    for needed in left {
        for language in &needed.languages {
            for stage in needed.stages.0..=needed.stages.1 {
                let (all, without) = served.entry((language, stage)).or_default();
                *all += 1;
                *without += u64::from(!needed.has_candidates);
            }
        }
    }
    let most = served.into_iter().min_by_key(|(kind, (all, without))| (Reverse((*all, *without)), *kind));
    most.map(|(kind, _)| kind)
}

/// The mentor in words: the stages that suit every one of the mentees.
fn recruit(language: &str, served: &[Needed<'_>]) -> Option<Recruit> {
    let terms = Stage::vocabulary().terms();
    let code = |position: u8| terms.get(usize::from(position)).map(|term| term.code);
    let from = served.iter().map(|needed| needed.stages.0).max()?;
    let to = served.iter().map(|needed| needed.stages.1).min()?;
    let mentor = Reason::new(ReasonCode::MentorWanted)
        .with("any_language", language)
        .with("level", served.first()?.level)
        .with("from", code(from)?)
        .with("to", code(to)?);
    Some(Recruit { mentor, mentees: served.iter().map(|needed| needed.mentee.clone()).collect() })
}

/// The topics that mentees seek and that none of their mentors offers, by code, with the number of these mentees; the
/// most wanted first. The matches are all those of each mentee.
pub fn topics_without_mentor<'a>(matches: impl Iterator<Item = &'a Match>) -> Vec<(&'a str, u64)> {
    let mut missing: BTreeMap<&ProfileRef, BTreeSet<&str>> = BTreeMap::new();
    for one in matches {
        let topics = one.contributions.iter().find_map(|given| match given.reason.code {
            ReasonCode::TopicsCovered => given.reason.parameters.get("missing"),
            ReasonCode::TopicsNone => given.reason.parameters.get("topics"),
            _ => None,
        });
        let topics: BTreeSet<&str> =
            topics.into_iter().flat_map(|codes| codes.split(',')).filter(|code| !code.is_empty()).collect();
        let of_mentee = missing.entry(&one.mentee).or_insert_with(|| topics.clone());
        of_mentee.retain(|topic| topics.contains(topic));
    }
    let mut mentees: BTreeMap<&str, u64> = BTreeMap::new();
    for topic in missing.values().flatten().copied() {
        *mentees.entry(topic).or_default() += 1;
    }
    let mut wanted: Vec<(&str, u64)> = mentees.into_iter().collect();
    wanted.sort_by_key(|(topic, mentees)| (Reverse(*mentees), *topic));
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::Contribution;
    use crate::domain::suppression::PeopleCount;
    use crate::domain::vocabulary::Lang;
    use crate::wording;

    fn needs(id: &str, languages: &str, from: &str, to: &str, reason: UnmatchedReason) -> Unmatched {
        let mentor = Reason::new(ReasonCode::MentorWanted)
            .with("any_language", languages)
            .with("level", "B2")
            .with("from", from)
            .with("to", to);
        Unmatched {
            profile: ProfileRef {
                organisation: "wim-central-asia".parse().unwrap(),
                id: id.parse().unwrap(),
            },
            side: Some(Side::Mentee),
            reason,
            counterparts: PeopleCount::Exact(9),
            candidates: PeopleCount::Exact(0),
            exclusions: BTreeMap::new(),
            details: vec![Reason::new(ReasonCode::NoCandidateUncounted), mentor],
        }
    }

    fn told(unmatched: &[Unmatched]) -> Vec<String> {
        let line = |recruit: &Recruit| {
            let ids: Vec<&str> = recruit.mentees.iter().map(|mentee| mentee.id.as_str()).collect();
            format!("{}: {}", wording::render(&recruit.mentor, Lang::En), ids.join(", "))
        };
        recruits(unmatched).iter().map(line).collect()
    }

    #[test]
    fn one_mentor_who_speaks_the_common_language_serves_both_mentees() {
        use UnmatchedReason::NoCandidate;
        let mut people = vec![
            needs("KZ-003", "ru", "professional", "executive", NoCandidate),
            needs("KZ-002", "en", "student", "executive", NoCandidate),
            needs("KZ-001", "kk,ru", "manager", "executive", NoCandidate),
        ];
        let expected = [
            "a mentor who speaks Russian at level B2 or better (career stage: manager or above): KZ-001, KZ-003",
            "a mentor who speaks English at level B2 or better: KZ-002",
        ];
        assert_eq!(told(&people), expected);
        people.reverse();
        assert_eq!(told(&people), expected, "the order of the people changes nothing");
    }

    #[test]
    fn mentees_whom_no_career_stage_suits_together_need_two_mentors() {
        use UnmatchedReason::NoCandidate;
        let people = [
            needs("A", "es", "student", "professional", NoCandidate),
            needs("B", "es", "executive", "executive", NoCandidate),
        ];
        assert_eq!(told(&people).len(), 2);
    }

    #[test]
    fn a_topic_is_wanted_if_no_mentor_of_the_mentee_offers_it() {
        let profile =
            |id: &str| ProfileRef { organisation: "wim-a".parse().unwrap(), id: id.parse().unwrap() };
        let pair = |mentee: &str, mentor: &str, reason: Reason| Match {
            mentee: profile(mentee),
            mentor: profile(mentor),
            score: 0,
            contributions: vec![Contribution { criterion: None, points: 0, max_points: 0, reason }],
            pinned: false,
        };
        let some = |missing: &str| {
            Reason::new(ReasonCode::TopicsCovered).with("topics", "safety").with("missing", missing)
        };
        let none = |topics: &str| Reason::new(ReasonCode::TopicsNone).with("topics", topics);
        let matches = [
            pair("A", "X", none("leadership,negotiation")),
            pair("A", "Y", some("leadership")),
            pair("B", "X", some("leadership,visibility")),
            pair("C", "X", some("")),
        ];
        assert_eq!(topics_without_mentor(matches.iter()), [("leadership", 2), ("visibility", 1)]);
    }

    #[test]
    fn among_equals_the_mentee_without_any_candidate_comes_first_and_others_need_nobody() {
        let mut people = vec![
            needs("A", "en", "student", "executive", UnmatchedReason::Outcompeted),
            needs("B", "ru", "student", "executive", UnmatchedReason::NoCandidate),
        ];
        let first = told(&people);
        assert!(first[0].ends_with('B') && first[1].ends_with('A'), "{first:?}");
        for one in &mut people {
            one.side = Some(Side::Mentor);
        }
        assert!(told(&people).is_empty());
        assert!(told(&[]).is_empty());
    }
}
