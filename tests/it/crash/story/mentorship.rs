//! The waiting list, and a mentorship from the answers to its end.

use bytes::Bytes;
use jiff::SignedDuration;
use prost::Message as _;
use wim_match::api::convert::timestamp;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::import_check_ins_request::Content as Ask;
use wim_match::client::request_id;
use wim_match::clock::{Clock as _, SystemClock};

use super::people::consent;
use super::{Caller, Cast};
use crate::call::privacy::old_consent;

/// The waiting list, and a mentorship from the answers to its end.
pub(super) async fn mentorship(cast: &Cast<'_>, round: &str) {
    let (rosa, manager) = (&cast.coordinators[0], &cast.mentees.0);
    let request = v1::ListWaitingMenteesRequest {
        parent: cast.mentees.1.clone(),
        ..v1::ListWaitingMenteesRequest::default()
    };
    let waiting: v1::ListWaitingMenteesResponse =
        manager.read("RoundService/ListWaitingMentees", &request).await;
    let request = v1::LeaveWaitingListRequest {
        name: waiting.waiting_mentees.first().expect("three mentees and two places").name.clone(),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::LeaveWaitingListResponse = manager.change("RoundService/LeaveWaitingList", &request).await;
    let request = v1::ListMentorshipsRequest {
        parent: round.to_owned(),
        state: v1::MentorshipState::Proposed.into(),
        ..v1::ListMentorshipsRequest::default()
    };
    let listed: v1::ListMentorshipsResponse =
        manager.read("MentorshipService/ListMentorships", &request).await;
    let one = listed.mentorships.first().expect("a mentorship").clone();
    let sides = [(v1::Side::Mentor, &cast.mentors.0), (v1::Side::Mentee, manager)];
    for (side, manager) in sides {
        let request = v1::RespondToMentorshipRequest {
            name: one.name.clone(),
            side: side.into(),
            request_id: request_id(),
            ..v1::RespondToMentorshipRequest::default()
        };
        let _: v1::RespondToMentorshipResponse =
            manager.change("MentorshipService/RespondToMentorship", &request).await;
    }
    let today = SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let request = v1::RecordFirstMeetingRequest {
        name: one.name.clone(),
        date: today.clone(),
        request_id: request_id(),
        ..v1::RecordFirstMeetingRequest::default()
    };
    let _: v1::RecordFirstMeetingResponse =
        manager.change("MentorshipService/RecordFirstMeeting", &request).await;
    let follow_up = v1::Consent {
        purpose: v1::ConsentPurpose::FollowUp.into(),
        give_time: Some(timestamp(SystemClock.now() - SignedDuration::from_secs(60))),
        ..old_consent()
    };
    consent(manager, &one.mentee, follow_up).await;
    let request = v1::PauseMentorshipRequest {
        name: one.name.clone(),
        request_id: request_id(),
        ..v1::PauseMentorshipRequest::default()
    };
    let _: v1::PauseMentorshipResponse = manager.change("MentorshipService/PauseMentorship", &request).await;
    let request = v1::ResumeMentorshipRequest {
        name: one.name.clone(),
        request_id: request_id(),
        ..v1::ResumeMentorshipRequest::default()
    };
    let _: v1::ResumeMentorshipResponse =
        manager.change("MentorshipService/ResumeMentorship", &request).await;
    let check_in = v1::CheckIn {
        side: v1::Side::Mentee.into(),
        point: v1::CheckInPoint::Week6.into(),
        date: today,
        answers: Some(v1::CheckInAnswers { satisfaction: Some(4), ..v1::CheckInAnswers::default() }),
        ..v1::CheckIn::default()
    };
    let request = v1::RecordCheckInRequest {
        parent: one.name.clone(),
        check_in: Some(check_in),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::RecordCheckInResponse = manager.change("MentorshipService/RecordCheckIn", &request).await;
    import(manager, &cast.mentees.1, &one).await;
    let request = v1::CloseMentorshipRequest {
        name: one.name,
        side: v1::MentorshipEndSide::Both.into(),
        request_id: request_id(),
        ..v1::CloseMentorshipRequest::default()
    };
    let _: v1::CloseMentorshipResponse = manager.change("MentorshipService/CloseMentorship", &request).await;
    let request = v1::CloseRoundRequest {
        name: round.to_owned(),
        request_id: request_id(),
        ..v1::CloseRoundRequest::default()
    };
    let _: v1::CloseRoundResponse = rosa.change("RoundService/CloseRound", &request).await;
}

/// The check-in of the middle, from a survey tool.
async fn import(manager: &Caller<'_>, organisation: &str, of: &v1::Mentorship) {
    let header = v1::ImportCheckInsHeader {
        parent: organisation.to_owned(),
        request_id: request_id(),
        ..v1::ImportCheckInsHeader::default()
    };
    let check_in = v1::CheckIn {
        side: v1::Side::Mentee.into(),
        point: v1::CheckInPoint::Middle.into(),
        date: SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
        answers: Some(v1::CheckInAnswers { meetings: Some(3), ..v1::CheckInAnswers::default() }),
        ..v1::CheckIn::default()
    };
    let row = v1::ImportCheckInsRow {
        row: 2,
        mentorship: of.name.clone(),
        profile: of.mentee.clone(),
        check_in: Some(check_in),
        ..v1::ImportCheckInsRow::default()
    };
    let rows = v1::ImportCheckInsRows { rows: vec![row] };
    let contents = [Ask::Header(header), Ask::Rows(rows), Ask::End(v1::ImportEnd { rows: 1 })];
    let messages = contents
        .map(|content| v1::ImportCheckInsRequest { content: Some(content) })
        .map(|message| Bytes::from(message.encode_to_vec()));
    let _: v1::ImportCheckInsResponse = manager.changes("MentorshipService/ImportCheckIns", &messages).await;
}
