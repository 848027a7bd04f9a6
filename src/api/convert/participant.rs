//! Where a person is.

use jiff::civil::Date;

use super::mentorship::number;
use super::{enrolment, mentorship, round, waiting};
use crate::api::proto::v1;
use crate::domain::name::MatchRef;
use crate::domain::participant::{ParticipantStatus, Participation, Stage};

/// To the message, as of a day.
pub fn message(status: &ParticipantStatus, today: Date) -> v1::ParticipantStatus {
    v1::ParticipantStatus {
        profile: status.profile.name(),
        restricted: status.is_restricted,
        lacking_consents: status.lacking.iter().map(|purpose| *purpose as i32).collect(),
        rounds: status.rounds.iter().map(|one| participation(one, today)).collect(),
        waiting: status.waiting.as_ref().map(|mentee| waiting::message(mentee, None)),
        due: status.due.iter().map(|(of, due)| mentorship::due(of, due)).collect(),
    }
}

fn participation(one: &Participation, today: Date) -> v1::Participation {
    v1::Participation {
        round: one.round.name(),
        round_state: round::state(one.state).into(),
        start_date: one.days.0.to_string(),
        end_date: one.days.1.to_string(),
        enrolment: Some(enrolment::message(&one.enrolment, true)),
        stage: number(Stage::ALL, one.stage()),
        proposed_matches: one.proposed.iter().map(MatchRef::name).collect(),
        mentorships: one.mentorships.iter().map(|of| mentorship::message(of, today)).collect(),
        unmatched_reason: one.unmatched.map_or(0, |reason| reason as i32),
    }
}
