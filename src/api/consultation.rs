//! The methods of OrganisationService about consultations.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::consultation::{answers_draft, draft, message, own_answer, patch, read, result};
use super::convert::outcome;
use super::page;
use super::proto::v1;
use crate::service::{Change, PageRequest, Service};

pub(super) async fn create(
    service: &Service,
    request: Request<v1::CreateConsultationRequest>,
) -> Result<Response<v1::CreateConsultationResponse>, Status> {
    let caller = caller_of(&request)?;
    let v1::CreateConsultationRequest { consultation_id, consultation, request_id, validate_only } =
        request.into_inner();
    let how = Change { request_id: &request_id, validate_only };
    let draft = draft(consultation.unwrap_or_default());
    let done = service.create_consultation(&caller, &consultation_id, &draft, how).await;
    let (created, violations) = outcome(validate_only, done)?;
    let consultation = created.as_ref().map(message);
    Ok(Response::new(v1::CreateConsultationResponse { consultation, violations }))
}

pub(super) async fn get(
    service: &Service,
    request: Request<v1::GetConsultationRequest>,
) -> Result<Response<v1::GetConsultationResponse>, Status> {
    let caller = caller_of(&request)?;
    let found = service.get_consultation(&caller, &request.into_inner().name).await?;
    Ok(Response::new(v1::GetConsultationResponse { consultation: Some(read(&found)) }))
}

pub(super) async fn list(
    service: &Service,
    request: Request<v1::ListConsultationsRequest>,
) -> Result<Response<v1::ListConsultationsResponse>, Status> {
    let caller = caller_of(&request)?;
    let request = request.into_inner();
    let page = PageRequest { size: request.page_size, token: request.page_token };
    let page = service.list_consultations(&caller, &page).await?;
    let (consultations, next_page_token) = page::messages(&page, message);
    Ok(Response::new(v1::ListConsultationsResponse { consultations, next_page_token }))
}

pub(super) async fn update(
    service: &Service,
    request: Request<v1::UpdateConsultationRequest>,
) -> Result<Response<v1::UpdateConsultationResponse>, Status> {
    let caller = caller_of(&request)?;
    let v1::UpdateConsultationRequest { consultation, update_mask, request_id, validate_only } =
        request.into_inner();
    let how = Change { request_id: &request_id, validate_only };
    let given = consultation.unwrap_or_default();
    let patch = patch(&given, &update_mask.unwrap_or_default().paths);
    let done = service.update_consultation(&caller, &given.name, &given.etag, patch, how).await;
    let (changed, violations) = outcome(validate_only, done)?;
    let consultation = changed.as_ref().map(message);
    Ok(Response::new(v1::UpdateConsultationResponse { consultation, violations }))
}

pub(super) async fn cancel(
    service: &Service,
    request: Request<v1::CancelConsultationRequest>,
) -> Result<Response<v1::CancelConsultationResponse>, Status> {
    let caller = caller_of(&request)?;
    let v1::CancelConsultationRequest { name, reason, etag, request_id, validate_only } =
        request.into_inner();
    let how = Change { request_id: &request_id, validate_only };
    let done = service.cancel_consultation(&caller, &name, &etag, &reason, how).await;
    let (cancelled, violations) = outcome(validate_only, done)?;
    let consultation = cancelled.as_ref().map(message);
    Ok(Response::new(v1::CancelConsultationResponse { consultation, violations }))
}

pub(super) async fn answer(
    service: &Service,
    request: Request<v1::AnswerConsultationRequest>,
) -> Result<Response<v1::AnswerConsultationResponse>, Status> {
    let caller = caller_of(&request)?;
    let v1::AnswerConsultationRequest { name, organisation, answers, etag, request_id, validate_only } =
        request.into_inner();
    let how = Change { request_id: &request_id, validate_only };
    let answers = answers_draft(answers);
    let done = service.answer_consultation(&caller, &name, &organisation, (&answers, &etag), how).await;
    let (given, violations) = outcome(validate_only, done)?;
    let answer = given.as_ref().map(own_answer);
    Ok(Response::new(v1::AnswerConsultationResponse { answer, violations }))
}

pub(super) async fn get_result(
    service: &Service,
    request: Request<v1::GetConsultationResultRequest>,
) -> Result<Response<v1::GetConsultationResultResponse>, Status> {
    let caller = caller_of(&request)?;
    let found = service.get_consultation_result(&caller, &request.into_inner().name).await?;
    Ok(Response::new(v1::GetConsultationResultResponse { result: Some(result(&found)) }))
}
