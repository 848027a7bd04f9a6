//! Runs side by side.

use super::count;
use super::run;
use crate::api::proto::v1;
use crate::domain::comparison::{ComparedRun, PairDifference};
use crate::domain::run::Coverage;

/// A run in a comparison, to the message.
pub fn compared_message(compared: &ComparedRun) -> v1::ComparedRun {
    let ComparedRun { run, languages, gone, new, policy_differences } = compared;
    v1::ComparedRun {
        run: Some(run::message(run)),
        languages: languages
            .iter()
            .map(|(language, coverage)| language_message(language, coverage))
            .collect(),
        pairs_gone: count(*gone),
        pairs_new: count(*new),
        policy_differences: policy_differences.clone(),
    }
}

/// A pair that differs, to the message.
pub fn difference_message(difference: &PairDifference) -> v1::PairDifference {
    let PairDifference { place: _, run, mentee, mentor, is_new, score, cause } = difference;
    v1::PairDifference {
        run: run.name(),
        mentee: mentee.name(),
        mentor: mentor.name(),
        is_new: *is_new,
        score: (*score).into(),
        cause: *cause as i32,
    }
}

fn language_message(language: &str, coverage: &Coverage) -> v1::LanguageCoverage {
    let Coverage { mentees, matched_mentees, mentors, matched_mentors } = *coverage;
    v1::LanguageCoverage {
        language: language.to_owned(),
        mentees: count(mentees),
        matched_mentees: count(matched_mentees),
        mentors: count(mentors),
        matched_mentors: count(matched_mentors),
    }
}
