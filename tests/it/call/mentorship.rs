//! The calls of MentorshipService. Nothing is published in the round of all calls: a mentorship that is named is not there.

use tonic::Status;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::import_check_ins_request::Content as Ask;
use wim_match::client::{Client, request_id};

use super::{STALE_ETAG, Target, drain};

/// Calls a method with a good request about `target`.
pub(super) async fn call(method: &str, client: Client, t: Target) -> Result<(), Status> {
    let mut mentorships = client.mentorships.clone();
    let name = format!("{}/mentorships/{}", t.round, "0".repeat(32));
    let (request_id, validate_only, etag) = (request_id(), false, STALE_ETAG.to_owned());
    match method {
        "MentorshipService/GetMentorship" => {
            mentorships.get_mentorship(v1::GetMentorshipRequest { name }).await.map(drop)
        }
        "MentorshipService/ListMentorships" => {
            let request = v1::ListMentorshipsRequest { parent: t.round, ..Default::default() };
            mentorships.list_mentorships(request).await.map(drop)
        }
        "MentorshipService/RespondToMentorship" => {
            let side = v1::Side::Mentor.into();
            let decline_reason = v1::DeclineReason::Unspecified.into();
            let request = v1::RespondToMentorshipRequest {
                name,
                side,
                decline_reason,
                etag,
                request_id,
                validate_only,
            };
            mentorships.respond_to_mentorship(request).await.map(drop)
        }
        "MentorshipService/RecordFirstMeeting" => {
            let date = "2027-03-01".to_owned();
            let request = v1::RecordFirstMeetingRequest { name, date, etag, request_id, validate_only };
            mentorships.record_first_meeting(request).await.map(drop)
        }
        "MentorshipService/PauseMentorship" => {
            let request = v1::PauseMentorshipRequest { name, etag, request_id, validate_only };
            mentorships.pause_mentorship(request).await.map(drop)
        }
        "MentorshipService/ResumeMentorship" => {
            let request = v1::ResumeMentorshipRequest { name, etag, request_id, validate_only };
            mentorships.resume_mentorship(request).await.map(drop)
        }
        "MentorshipService/CloseMentorship" => {
            let side = v1::MentorshipEndSide::Organisation.into();
            let reason = v1::MentorshipEndReason::Unspecified.into();
            let request = v1::CloseMentorshipRequest { name, side, reason, etag, request_id, validate_only };
            mentorships.close_mentorship(request).await.map(drop)
        }
        "MentorshipService/RecordCheckIn" => {
            let answers = v1::CheckInAnswers { meetings: Some(3), ..Default::default() };
            let check_in = v1::CheckIn {
                side: v1::Side::Mentor.into(),
                point: v1::CheckInPoint::Middle.into(),
                date: "2027-05-31".to_owned(),
                answers: Some(answers),
                ..Default::default()
            };
            let request = v1::RecordCheckInRequest {
                parent: name,
                check_in: Some(check_in),
                request_id,
                validate_only,
            };
            mentorships.record_check_in(request).await.map(drop)
        }
        "MentorshipService/ListCheckIns" => {
            mentorships.list_check_ins(v1::ListCheckInsRequest { parent: name }).await.map(drop)
        }
        "MentorshipService/ListDue" => {
            let request = v1::ListDueRequest { organisation: t.organisation, ..Default::default() };
            mentorships.list_due(request).await.map(drop)
        }
        "MentorshipService/ImportCheckIns" => {
            let header = v1::ImportCheckInsHeader { parent: t.organisation, ..Default::default() };
            let messages = [Ask::Header(header), Ask::End(v1::ImportEnd { rows: 0 })];
            let messages = messages.map(|content| v1::ImportCheckInsRequest { content: Some(content) });
            drain(mentorships.import_check_ins(tokio_stream::iter(messages)).await?.into_inner()).await
        }
        "MentorshipService/ExportCheckIns" => {
            let request = v1::ExportCheckInsRequest { parent: t.organisation, ..Default::default() };
            drain(mentorships.export_check_ins(request).await?.into_inner()).await
        }
        "MentorshipService/GetParticipantStatus" => {
            let request = v1::GetParticipantStatusRequest { profile: t.profile };
            mentorships.get_participant_status(request).await.map(drop)
        }
        other => panic!("{other} has no call"),
    }
}
