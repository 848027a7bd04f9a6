//! `wim-match what-if`: the cost of forcing a pair for the whole assignment, and the alternates of a person.

use clap::Args;
use serde_json::json;

use super::cost;
use super::failure::Failure;
use super::global::Global;
use super::problem::{self, Solved, Source};
use super::verify::{NOT_ITS_PROOF, unproved};
use crate::client::output::{align_right, data, show, titled};
use crate::domain::message::Message;
use crate::domain::vocabulary::Lang;
use crate::engine::constrained::Question;
use crate::engine::what_if::{Alternate, WhatIfError};
use crate::instance::{Instance, Names};
use crate::{message, wording};

#[derive(Debug, Args)]
#[command(
    override_usage = "wim-match what-if [OPTIONS] <--instance FILE | --mentees FILE --mentors FILE --scores FILE> --pairs FILE \
                            --certificate FILE <--pair MENTEE MENTOR | --alternates-of-mentee MENTEE | \
                            --alternates-of-mentor MENTOR>..."
)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    solved: Solved,
    #[command(flatten)]
    questions: Questions,
    /// List at most N alternates of each person.
    #[arg(long, value_name = "N", default_value_t = 5)]
    most: u16,
}

/// The questions: at least one, and each kind may be repeated.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Questions {
    /// Compute the cost of forcing this pair; may be repeated.
    #[arg(long, num_args = 2, value_names = ["MENTEE", "MENTOR"], action = clap::ArgAction::Append)]
    pair: Vec<String>,
    /// List the alternates of this mentee (other mentors), the cheapest first; may be repeated.
    #[arg(long, value_name = "MENTEE")]
    alternates_of_mentee: Vec<String>,
    /// List the alternates of this mentor (other mentees), the cheapest first; may be repeated.
    #[arg(long, value_name = "MENTOR")]
    alternates_of_mentor: Vec<String>,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<(), Failure> {
    let (instance, aim) = options.source.read(global.lang)?;
    let constrained = problem::constrained_alone("what-if", &instance, aim)?;
    let (pairs, evidence) = options.solved.read(&instance, aim, global.lang)?;
    let asked = options.questions.read(&instance)?;
    let most = usize::from(options.most);
    let answers = options.source.work(global.lang, |observer| {
        let check = constrained.check(&pairs, &evidence, observer).map_err(problem::stopped)?;
        if let Some(told) = unproved(&check, &evidence, &instance.names) {
            return Err(Failure::input(told, NOT_ITS_PROOF));
        }
        constrained.ask(&pairs, &evidence, (&asked, most), observer).map_err(|error| match error {
            WhatIfError::NotProved => Failure::input(
                message!(
                    "the certificate does not prove the assignment; expected the proof of this problem, without quotas"
                ),
                NOT_ITS_PROOF,
            ),
            WhatIfError::Stopped(stopped) => problem::stopped(stopped),
        })
    });
    let (answers, _) = answers?;
    let report = Report { instance: &instance, asked: &asked, answers: &answers };
    if global.json { report.json() } else { report.print(global.lang) }
}

impl Questions {
    fn read(&self, instance: &Instance) -> Result<Vec<Question>, Failure> {
        let finder = instance.names.finder();
        let mut unknown = Vec::new();
        let mut known = |side: &str, name: &str, found: Option<u32>, people: usize| {
            let found = found.filter(|at| (*at as usize) < people);
            if found.is_none() {
                unknown.push(message!("the problem has no {side} `{name}`", side = side, name = name));
            }
            found
        };
        let mut mentee = |name: &String| known("mentee", name, finder.mentee(name), instance.mentees.len());
        let mut asked: Vec<Option<Question>> = Vec::new();
        let mentees_of_pairs: Vec<_> = self.pair.chunks(2).map(|pair| mentee(&pair[0])).collect();
        let of_mentees: Vec<_> = self.alternates_of_mentee.iter().map(mentee).collect();
        let mut mentor = |name: &String| known("mentor", name, finder.mentor(name), instance.mentors.len());
        for (mentee, pair) in mentees_of_pairs.into_iter().zip(self.pair.chunks(2)) {
            let mentor = mentor(&pair[1]);
            asked.push(mentee.zip(mentor).map(|(mentee, mentor)| Question::Pair(mentee, mentor)));
        }
        asked.extend(of_mentees.into_iter().map(|mentee| mentee.map(Question::OfMentee)));
        asked.extend(self.alternates_of_mentor.iter().map(|name| mentor(name).map(Question::OfMentor)));
        if let Some(asked) = asked.into_iter().collect() {
            return Ok(asked);
        }
        let mut unknown = unknown.into_iter();
        let first = unknown.next().unwrap_or_default();
        let hint = message!("use the names in the files of the problem");
        Err(Failure::input(first, hint).with_details(unknown.collect()))
    }
}

/// The answers with what their output needs.
struct Report<'a> {
    instance: &'a Instance,
    asked: &'a [Question],
    answers: &'a [Vec<Alternate>],
}

impl Report<'_> {
    fn json(&self) -> Result<(), Failure> {
        let names = &self.instance.names;
        let by_name = |pairs: &[(u32, u32)]| -> Vec<[String; 2]> {
            pairs.iter().map(|pair| [names.mentee(pair.0 as usize), names.mentor(pair.1 as usize)]).collect()
        };
        let problem = self.instance.problem();
        let alternate = |alternate: &Alternate| {
            let (mentee, mentor) = (alternate.mentee as usize, alternate.mentor as usize);
            json!({
                "mentee": names.mentee(mentee),
                "mentor": names.mentor(mentor),
                "score": problem.scores.score(mentee, mentor),
                "cost": cost::in_json(&alternate.cost),
                "added": by_name(&alternate.added),
                "removed": by_name(&alternate.removed),
                "unlisted_changes": alternate.unlisted,
            })
        };
        let told = self.asked.iter().zip(self.answers).map(|(asked, answers)| {
            let answers: Vec<_> = answers.iter().map(alternate).collect();
            match *asked {
                Question::Pair(mentee, mentor) => {
                    let pair = by_name(&[(mentee, mentor)]);
                    json!({ "pair": pair[0], "possible": !answers.is_empty(), "alternates": answers })
                }
                Question::OfMentee(mentee) => {
                    json!({ "alternates_of_mentee": names.mentee(mentee as usize), "alternates": answers })
                }
                Question::OfMentor(mentor) => {
                    json!({ "alternates_of_mentor": names.mentor(mentor as usize), "alternates": answers })
                }
            }
        });
        Ok(data(&json!({ "answers": told.collect::<Vec<_>>() }).to_string())?)
    }

    fn print(&self, lang: Lang) -> Result<(), Failure> {
        let names = &self.instance.names;
        for (asked, answers) in self.asked.iter().zip(self.answers) {
            match *asked {
                Question::Pair(mentee, mentor) => self.print_pair((mentee, mentor), answers.first(), lang)?,
                Question::OfMentee(mentee) => {
                    let name = names.mentee(mentee as usize);
                    let whose = message!("alternates of the mentee {name}", name = name);
                    let side = message!("mentor");
                    self.print_alternates(
                        whose,
                        side,
                        answers,
                        |one| names.mentor(one.mentor as usize),
                        lang,
                    )?;
                }
                Question::OfMentor(mentor) => {
                    let name = names.mentor(mentor as usize);
                    let whose = message!("alternates of the mentor {name}", name = name);
                    let side = message!("mentee");
                    self.print_alternates(
                        whose,
                        side,
                        answers,
                        |one| names.mentee(one.mentee as usize),
                        lang,
                    )?;
                }
            }
        }
        Ok(())
    }

    fn print_pair(&self, pair: (u32, u32), found: Option<&Alternate>, lang: Lang) -> Result<(), Failure> {
        let names = &self.instance.names;
        let shown = names.pair(pair.0, pair.1);
        match found {
            None => {
                let told = message!(
                    "the pair {pair} is impossible: {cause}",
                    pair = shown,
                    cause = self.cause(pair)
                );
                show(&told, lang)?;
            }
            Some(found) if found.added.is_empty() => {
                show(&message!("the pair {pair} is in the result already", pair = shown), lang)?;
            }
            Some(Alternate { cost, added, removed, .. }) => {
                let change = cost::in_words(cost, self.instance.decimals, lang);
                show(&message!("with the pair {pair}: {change}", pair = shown, change = change), lang)?;
                let others: Vec<(u32, u32)> = added.iter().copied().filter(|one| *one != pair).collect();
                let removed_pairs = listed(names, removed);
                let other_pairs = listed(names, &others);
                for (told, pairs) in [
                    (message!("removed pairs: {pairs}", pairs = removed_pairs), removed),
                    (message!("other added pairs: {pairs}", pairs = other_pairs), &others),
                ] {
                    if !pairs.is_empty() {
                        data(&format!("  {}", wording::message(&told, lang)))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Why no assignment can contain a pair.
    fn cause(&self, (mentee, mentor): (u32, u32)) -> Message {
        let (at, to) = (mentee as usize, mentor as usize);
        if self.instance.problem().scores.score(at, to).is_none() {
            message!("it is not a candidate")
        } else if self.instance.constraints.decisions.vetoes.contains(&(mentee, mentor)) {
            message!("it is vetoed")
        } else if self.instance.mentees[at].wanted == 0 {
            message!("the mentee wants no mentor")
        } else if self.instance.mentors[to].max == 0 {
            message!("the mentor has no place")
        } else {
            message!("pins take all mentors that the mentee wants, or all places of the mentor")
        }
    }

    fn print_alternates(
        &self,
        whose: Message,
        side: Message,
        answers: &[Alternate],
        other: impl Fn(&Alternate) -> String,
        lang: Lang,
    ) -> Result<(), Failure> {
        if answers.is_empty() {
            return Ok(show(&message!("{whose}: none", whose = whose), lang)?);
        }
        let problem = self.instance.problem();
        let header = [side, message!("score"), message!("change of the result"), message!("removed pairs")];
        let mut rows = titled(&header, lang);
        for one in answers {
            let score = problem.scores.score(one.mentee as usize, one.mentor as usize);
            let score = score.map(|score| self.instance.decimals.value(score.into()));
            let score = score.map_or_else(Message::default, |score| message!("{number}", number = score));
            let going = listed(&self.instance.names, &one.removed);
            let change = cost::in_words(&one.cost, self.instance.decimals, lang);
            let [score, going] = [score, going].map(|text| wording::message(&text, lang));
            rows.add_row([other(one), score, change, going]);
        }
        align_right(&mut rows, &[1]);
        show(&message!("{whose}:", whose = whose), lang)?;
        Ok(data(&rows.to_string())?)
    }
}

fn listed(names: &Names, pairs: &[(u32, u32)]) -> Message {
    let pairs: Vec<String> = pairs.iter().map(|pair| names.pair(pair.0, pair.1)).collect();
    problem::some(&pairs)
}
