//! MentorshipService.

use tonic::{Request, Response, Status, Streaming};

use super::auth::caller_of;
use super::check_in;
use super::convert::mentorship::{
    check_in as check_in_message, check_in_draft, decline_reason, due, end_reason, end_side, message, side,
    state,
};
use super::convert::{outcome, participant};
use super::incoming::Incoming;
use super::page;
use super::proto::v1;
use super::proto::v1::mentorship_service_server::MentorshipService;
use super::streams::{Answers, Streams};
use crate::domain::caller::Caller;
use crate::service::{Action, Change, Named, PageRequest, Service};

/// Serves mentorships.
#[derive(Debug, Clone)]
pub struct MentorshipApi {
    /// The use cases.
    pub service: Service,
    /// The streams of the server.
    pub streams: Streams,
    /// Largest message that is accepted, which the error about a larger one reports.
    pub max_message_bytes: usize,
}

impl MentorshipApi {
    async fn pause_or_resume(
        &self,
        caller: &Caller,
        pauses: bool,
        (name, etag): (&str, &str),
        how: Change<'_>,
    ) -> Result<(Option<v1::Mentorship>, Vec<v1::FieldViolation>), Status> {
        let named = Named { name, etag };
        let done = Box::pin(self.service.pause_or_resume(caller, pauses, named, how)).await;
        let (done, violations) = outcome(how.validate_only, done)?;
        Ok((done.map(|one| message(&one, self.service.today())), violations))
    }
}

#[tonic::async_trait]
impl MentorshipService for MentorshipApi {
    type ImportCheckInsStream = Answers<v1::ImportCheckInsResponse>;
    type ExportCheckInsStream = Answers<v1::ExportCheckInsResponse>;

    async fn import_check_ins(
        &self,
        request: Request<Streaming<v1::ImportCheckInsRequest>>,
    ) -> Result<Response<Self::ImportCheckInsStream>, Status> {
        let caller = caller_of(&request)?;
        Action::ImportCheckIns.permit(&caller)?;
        let mut asked = Incoming::new(request.into_inner(), self.max_message_bytes);
        let spec = check_in::header(&mut asked).await?;
        let import = self.service.begin_check_in_import(&caller, spec).await?;
        Ok(self.streams.answer(check_in::ANSWERS_AHEAD, async move |answers| {
            Box::pin(check_in::receive(import, asked, &answers)).await
        }))
    }

    async fn export_check_ins(
        &self,
        request: Request<v1::ExportCheckInsRequest>,
    ) -> Result<Response<Self::ExportCheckInsStream>, Status> {
        let caller = caller_of(&request)?;
        let v1::ExportCheckInsRequest { parent, round } = request.into_inner();
        let export = Box::pin(self.service.export_check_ins(&caller, (&parent, &round))).await?;
        Ok(self
            .streams
            .answer(check_in::PARTS_AHEAD, async move |answers| check_in::send_all(export, &answers).await))
    }

    async fn get_mentorship(
        &self,
        request: Request<v1::GetMentorshipRequest>,
    ) -> Result<Response<v1::GetMentorshipResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.get_mentorship(&caller, &request.into_inner().name).await?;
        let mentorship = Some(message(&found, self.service.today()));
        Ok(Response::new(v1::GetMentorshipResponse { mentorship }))
    }

    async fn list_mentorships(
        &self,
        request: Request<v1::ListMentorshipsRequest>,
    ) -> Result<Response<v1::ListMentorshipsResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListMentorshipsRequest {
            parent,
            page_size,
            page_token,
            state: wanted,
            overdue,
            organisation,
        } = request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let of = (parent.as_str(), organisation.as_str());
        let page = self.service.list_mentorships(&caller, of, (state(wanted)?, overdue), &page).await?;
        let today = self.service.today();
        let (mentorships, next_page_token) = page::messages(&page, |one| message(one, today));
        Ok(Response::new(v1::ListMentorshipsResponse { mentorships, next_page_token }))
    }

    async fn respond_to_mentorship(
        &self,
        request: Request<v1::RespondToMentorshipRequest>,
    ) -> Result<Response<v1::RespondToMentorshipResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::RespondToMentorshipRequest {
            name,
            side: of,
            decline_reason: reason,
            etag,
            request_id,
            validate_only,
        } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let named = Named { name: &name, etag: &etag };
        let answer = (side(of), decline_reason(reason)?);
        let done = Box::pin(self.service.respond_to_mentorship(&caller, named, answer, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let mentorship = done.map(|one| message(&one, self.service.today()));
        Ok(Response::new(v1::RespondToMentorshipResponse { mentorship, violations }))
    }

    async fn record_first_meeting(
        &self,
        request: Request<v1::RecordFirstMeetingRequest>,
    ) -> Result<Response<v1::RecordFirstMeetingResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::RecordFirstMeetingRequest { name, date, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let named = Named { name: &name, etag: &etag };
        let done = Box::pin(self.service.record_first_meeting(&caller, named, &date, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let mentorship = done.map(|one| message(&one, self.service.today()));
        Ok(Response::new(v1::RecordFirstMeetingResponse { mentorship, violations }))
    }

    async fn pause_mentorship(
        &self,
        request: Request<v1::PauseMentorshipRequest>,
    ) -> Result<Response<v1::PauseMentorshipResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::PauseMentorshipRequest { name, etag, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let (mentorship, violations) = self.pause_or_resume(&caller, true, (&name, &etag), how).await?;
        Ok(Response::new(v1::PauseMentorshipResponse { mentorship, violations }))
    }

    async fn resume_mentorship(
        &self,
        request: Request<v1::ResumeMentorshipRequest>,
    ) -> Result<Response<v1::ResumeMentorshipResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ResumeMentorshipRequest { name, etag, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let (mentorship, violations) = self.pause_or_resume(&caller, false, (&name, &etag), how).await?;
        Ok(Response::new(v1::ResumeMentorshipResponse { mentorship, violations }))
    }

    async fn close_mentorship(
        &self,
        request: Request<v1::CloseMentorshipRequest>,
    ) -> Result<Response<v1::CloseMentorshipResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CloseMentorshipRequest { name, side: of, reason, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let named = Named { name: &name, etag: &etag };
        let end = (end_side(of), end_reason(reason)?);
        let done = Box::pin(self.service.close_mentorship(&caller, named, end, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let mentorship = done.map(|one| message(&one, self.service.today()));
        Ok(Response::new(v1::CloseMentorshipResponse { mentorship, violations }))
    }

    async fn record_check_in(
        &self,
        request: Request<v1::RecordCheckInRequest>,
    ) -> Result<Response<v1::RecordCheckInResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::RecordCheckInRequest { parent, check_in: given, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let draft = check_in_draft(given.unwrap_or_default());
        let done = Box::pin(self.service.record_check_in(&caller, &parent, &draft, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        Ok(Response::new(v1::RecordCheckInResponse {
            check_in: done.as_ref().map(check_in_message),
            violations,
        }))
    }

    async fn list_check_ins(
        &self,
        request: Request<v1::ListCheckInsRequest>,
    ) -> Result<Response<v1::ListCheckInsResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.list_check_ins(&caller, &request.into_inner().parent).await?;
        let check_ins = found.iter().map(check_in_message).collect();
        Ok(Response::new(v1::ListCheckInsResponse { check_ins }))
    }

    async fn list_due(
        &self,
        request: Request<v1::ListDueRequest>,
    ) -> Result<Response<v1::ListDueResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListDueRequest { organisation, page_size, page_token, days } = request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let page = self.service.list_due(&caller, &organisation, days, &page).await?;
        let (due, next_page_token) = page::messages(&page, |one| due(&one.mentorship, &one.due));
        Ok(Response::new(v1::ListDueResponse { due, next_page_token }))
    }

    async fn get_participant_status(
        &self,
        request: Request<v1::GetParticipantStatusRequest>,
    ) -> Result<Response<v1::GetParticipantStatusResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.participant_status(&caller, &request.into_inner().profile).await?;
        let status = Some(participant::message(&found, self.service.today()));
        Ok(Response::new(v1::GetParticipantStatusResponse { status }))
    }
}
