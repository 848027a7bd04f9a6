//! Rounds.

use super::{etag, policy, timestamp};
use crate::api::proto::v1;
use crate::domain::name::OrganisationId;
use crate::domain::round::{Round, RoundDraft, RoundPatch, RoundState};
use crate::service::Masked;

/// From the message, unchecked.
pub fn draft(message: v1::Round) -> RoundDraft {
    RoundDraft {
        display_name: message.display_name,
        start_date: message.start_date,
        end_date: message.end_date,
        policy: message.policy.map(policy::draft),
        agreement: message.agreement,
        organisations: message.organisations,
        all_members: message.all_members,
    }
}

/// The fields of a round that a mask names.
pub fn patch(message: &v1::Round, paths: &[String]) -> Masked<RoundPatch> {
    let all = ["display_name", "start_date", "end_date", "agreement", "organisations", "all_members"];
    Masked::read(paths, &all, |patch: &mut RoundPatch, path| {
        let (field, value) = match path {
            "display_name" => (&mut patch.display_name, &message.display_name),
            "start_date" => (&mut patch.start_date, &message.start_date),
            "end_date" => (&mut patch.end_date, &message.end_date),
            "agreement" => (&mut patch.agreement, &message.agreement),
            "organisations" => {
                patch.organisations = Some(message.organisations.clone());
                return true;
            }
            "all_members" => {
                patch.all_members = Some(message.all_members);
                return true;
            }
            _ => return false,
        };
        *field = Some(value.clone());
        true
    })
}

/// The request that changes the invitations of a round and no other field.
pub fn invitations_of(round: v1::Round) -> v1::UpdateRoundRequest {
    let paths = ["organisations", "all_members"].map(str::to_owned).to_vec();
    let update_mask = Some(prost_types::FieldMask { paths });
    v1::UpdateRoundRequest { round: Some(round), update_mask, ..v1::UpdateRoundRequest::default() }
}

/// The state as the contract has it.
pub fn state(state: RoundState) -> v1::RoundState {
    match state {
        RoundState::Draft => v1::RoundState::Draft,
        RoundState::Enrolling => v1::RoundState::Enrolling,
        RoundState::Review => v1::RoundState::Review,
        RoundState::Submitted => v1::RoundState::Submitted,
        RoundState::Approved => v1::RoundState::Approved,
        RoundState::Published => v1::RoundState::Published,
        RoundState::Closed => v1::RoundState::Closed,
        RoundState::Cancelled => v1::RoundState::Cancelled,
    }
}

/// To the message.
pub fn message(round: &Round) -> v1::Round {
    let invitations = &round.content.invitations;
    let listed = invitations.organisations.iter().filter(|_| !invitations.all_members);
    v1::Round {
        name: round.id.name(),
        display_name: round.content.display_name.clone(),
        state: state(round.state).into(),
        start_date: round.content.start_date.to_string(),
        end_date: round.content.end_date.to_string(),
        policy: Some(policy::of_round(&round.id, &round.content.policy)),
        enrolment: Some(v1::EnrolmentCounts {
            profiles: round.enrolment.profiles,
            mentors: round.enrolment.mentors,
            mentees: round.enrolment.mentees,
        }),
        etag: etag(round.version),
        create_time: Some(timestamp(round.create_time)),
        update_time: Some(timestamp(round.update_time)),
        organisations: listed.map(OrganisationId::name).collect(),
        all_members: invitations.all_members,
        agreement: round.content.agreement.clone(),
        calls_for_repair: round.calls_for_repair,
    }
}
