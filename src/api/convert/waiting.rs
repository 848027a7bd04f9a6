//! The waiting list.

use super::timestamp;
use crate::api::proto::v1;
use crate::domain::waiting::{WaitingCause, WaitingMentee, WaitingPriority};

/// To the message.
pub fn message(mentee: &WaitingMentee, priority: Option<&WaitingPriority>) -> v1::WaitingMentee {
    let WaitingMentee { profile, since, cause: why, rounds, run, reason, told_since: _ } = mentee;
    v1::WaitingMentee {
        name: profile.waiting_name(),
        profile: profile.name(),
        since: Some(timestamp(*since)),
        cause: cause(*why).into(),
        rounds: *rounds,
        run: run.name(),
        reason: reason.map_or(0, |reason| reason as i32),
        priority: priority.map(|priority| v1::WaitingPriority {
            waited_days: i32::try_from(priority.waited_days).unwrap_or(i32::MAX),
            first_tier: priority.is_first,
            score: priority.score().into(),
        }),
    }
}

/// The cause as the contract has it.
pub fn cause(cause: WaitingCause) -> v1::WaitingCause {
    match cause {
        WaitingCause::EarlyEnd => v1::WaitingCause::EarlyEnd,
        WaitingCause::LostMatch => v1::WaitingCause::LostMatch,
        WaitingCause::NoMatch => v1::WaitingCause::NoMatch,
        WaitingCause::NoShow => v1::WaitingCause::NoShow,
    }
}
