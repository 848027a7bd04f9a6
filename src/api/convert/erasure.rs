//! Erasures.

use super::{count, timestamp};
use crate::api::proto::v1;
use crate::domain::erasure::{Erasure, ErasureCounts, PurgeReport};
use crate::domain::name::ProfileRef;
use crate::service::ErasureAnswer;

/// To the message: an erasure, or what one would destroy.
pub fn message(answer: &ErasureAnswer) -> v1::Erasure {
    match answer {
        ErasureAnswer::Begun(erasure) => message_of(erasure),
        ErasureAnswer::Would(counts) => {
            v1::Erasure { counts: Some(counts_message(counts)), ..v1::Erasure::default() }
        }
    }
}

/// To the message.
pub fn message_of(erasure: &Erasure) -> v1::Erasure {
    let Erasure { name, organisation, surrogate, create_time, end_time, counts } = erasure;
    let surrogate = ProfileRef { organisation: organisation.clone(), id: surrogate.clone() };
    v1::Erasure {
        name: name.name(),
        organisation: organisation.name(),
        surrogate: surrogate.name(),
        done: end_time.is_some(),
        counts: Some(counts_message(counts)),
        create_time: Some(timestamp(*create_time)),
        end_time: end_time.map(timestamp),
    }
}

/// What a purge has erased, to the message.
pub fn report(report: &PurgeReport) -> v1::PurgeReport {
    let PurgeReport { profiles, versions, enrolments, profiles_left, idle_before } = *report;
    v1::PurgeReport {
        profiles: count(profiles),
        versions: count(versions),
        enrolments: count(enrolments),
        profiles_left: count(profiles_left),
        idle_before_time: idle_before.map(timestamp),
    }
}

fn counts_message(counts: &ErasureCounts) -> v1::ErasureCounts {
    let ErasureCounts { versions, enrolments, runs, matches, unmatched, lists, answers, .. } = *counts;
    let ErasureCounts { decisions, comments, mentorships, check_ins, .. } = *counts;
    v1::ErasureCounts {
        versions: count(versions),
        enrolments: count(enrolments),
        runs: count(runs),
        matches: count(matches),
        unmatched: count(unmatched),
        lists: count(lists),
        answers: count(answers),
        decisions: count(decisions),
        comments: count(comments),
        mentorships: count(mentorships),
        check_ins: count(check_ins),
    }
}
