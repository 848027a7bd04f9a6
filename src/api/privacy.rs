//! PrivacyService.

use jiff::Timestamp;
use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::consent::{draft, message, restriction};
use super::convert::{count, erasure, lang, moment, outcome, personal_data};
use super::page;
use super::proto::v1;
use super::proto::v1::privacy_service_server::PrivacyService;
use crate::domain::name::ProfileRef;
use crate::domain::profile::RecordedConsent;
use crate::error::Error;
use crate::service::{Change, PageRequest, Service};
use crate::wording;

/// Serves the rights of people.
#[derive(Debug, Clone)]
pub struct PrivacyApi {
    /// The use cases.
    pub service: Service,
}

#[tonic::async_trait]
impl PrivacyService for PrivacyApi {
    async fn record_consent(
        &self,
        request: Request<v1::RecordConsentRequest>,
    ) -> Result<Response<v1::RecordConsentResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::RecordConsentRequest { parent, consent, replaces_live, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let draft = draft(consent.unwrap_or_default());
        let done = self.service.record_consent(&caller, &parent, draft, (replaces_live, &etag), how);
        let (recorded, violations) = outcome(validate_only, Box::pin(done).await)?;
        let consent = recorded.map(|recorded| shown(&parent, &recorded)).transpose()?;
        Ok(Response::new(v1::RecordConsentResponse { consent, violations }))
    }

    async fn withdraw_consent(
        &self,
        request: Request<v1::WithdrawConsentRequest>,
    ) -> Result<Response<v1::WithdrawConsentResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::WithdrawConsentRequest { name, withdraw_time, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let time = known("withdraw_time", withdraw_time)?;
        let done = self.service.withdraw_consent(&caller, &name, (time, &etag), how);
        let (done, violations) = outcome(validate_only, Box::pin(done).await)?;
        let (recorded, withdrawn_enrolments) = done.unzip();
        let profile = name.split("/consents/").next().unwrap_or_default();
        let consent = recorded.map(|recorded| shown(profile, &recorded)).transpose()?;
        let withdrawn_enrolments = withdrawn_enrolments.unwrap_or_default();
        Ok(Response::new(v1::WithdrawConsentResponse { consent, withdrawn_enrolments, violations }))
    }

    async fn restrict_profile(
        &self,
        request: Request<v1::RestrictProfileRequest>,
    ) -> Result<Response<v1::RestrictProfileResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::RestrictProfileRequest { name, reason, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.restrict_profile(&caller, &name, reason, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let (found, withdrawn_enrolments) = done.unzip();
        let restriction =
            found.map(|found| Ok::<_, Error>(restriction(&profile(&name)?, &found))).transpose()?;
        let withdrawn_enrolments = withdrawn_enrolments.unwrap_or_default();
        Ok(Response::new(v1::RestrictProfileResponse { restriction, withdrawn_enrolments, violations }))
    }

    async fn lift_restriction(
        &self,
        request: Request<v1::LiftRestrictionRequest>,
    ) -> Result<Response<v1::LiftRestrictionResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::LiftRestrictionRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = self.service.lift_restriction(&caller, &name, how).await;
        let (found, violations) = outcome(validate_only, done)?;
        let found = found.flatten();
        let restriction =
            found.map(|found| Ok::<_, Error>(restriction(&profile(&name)?, &found))).transpose()?;
        Ok(Response::new(v1::LiftRestrictionResponse { restriction, violations }))
    }

    async fn list_restrictions(
        &self,
        request: Request<v1::ListRestrictionsRequest>,
    ) -> Result<Response<v1::ListRestrictionsResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListRestrictionsRequest { parent, page_size, page_token } = request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let page = self.service.list_restrictions(&caller, &parent, &page).await?;
        let (restrictions, next_page_token) =
            page::messages(&page, |one| restriction(&one.profile, &one.restriction));
        Ok(Response::new(v1::ListRestrictionsResponse { restrictions, next_page_token }))
    }

    async fn get_participant_notice(
        &self,
        request: Request<v1::GetParticipantNoticeRequest>,
    ) -> Result<Response<v1::GetParticipantNoticeResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::GetParticipantNoticeRequest { policy, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let (round, policy) = self.service.get_participant_notice(&caller, &policy).await?;
        let text = wording::notice(&round, &policy, lang);
        Ok(Response::new(v1::GetParticipantNoticeResponse { text, language_code: lang.tag().to_owned() }))
    }

    async fn list_affected_people(
        &self,
        request: Request<v1::ListAffectedPeopleRequest>,
    ) -> Result<Response<v1::ListAffectedPeopleResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListAffectedPeopleRequest { parent, from_time, until_time, page_size, page_token } =
            request.into_inner();
        let time = (known("from_time", from_time)?, known("until_time", until_time)?);
        let page = PageRequest { size: page_size, token: page_token };
        let page = self.service.list_affected_people(&caller, &parent, time, &page).await?;
        let named = |person: &ProfileRef| person.name();
        let (profiles, next_page_token) = page.within(MOST_BYTES, named, String::len);
        Ok(Response::new(v1::ListAffectedPeopleResponse { profiles, next_page_token }))
    }

    async fn get_processing_record(
        &self,
        request: Request<v1::GetProcessingRecordRequest>,
    ) -> Result<Response<v1::GetProcessingRecordResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::GetProcessingRecordRequest { parent, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let (record, terms) = self.service.get_processing_record(&caller, &parent).await?;
        Ok(Response::new(v1::GetProcessingRecordResponse {
            text: wording::processing_record(&record, &terms, lang),
            language_code: lang.tag().to_owned(),
            controller: record.controller.id.name(),
            people: count(record.people),
            consenting: count(record.consenting),
            restricted: count(record.restricted),
        }))
    }

    async fn list_consents(
        &self,
        request: Request<v1::ListConsentsRequest>,
    ) -> Result<Response<v1::ListConsentsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_consents(&caller, &request.parent, &page).await?;
        let profile = profile(&request.parent)?;
        let (consents, next_page_token) = page::messages(&page, |one| message(&profile, one));
        Ok(Response::new(v1::ListConsentsResponse { consents, next_page_token }))
    }

    async fn erase_profile(
        &self,
        request: Request<v1::EraseProfileRequest>,
    ) -> Result<Response<v1::EraseProfileResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::EraseProfileRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.erase_profile(&caller, &name, how)).await;
        let (answer, violations) = outcome(validate_only, done)?;
        let erasure = answer.as_ref().map(erasure::message);
        Ok(Response::new(v1::EraseProfileResponse { erasure, violations }))
    }

    async fn purge_expired(
        &self,
        request: Request<v1::PurgeExpiredRequest>,
    ) -> Result<Response<v1::PurgeExpiredResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::PurgeExpiredRequest { parent, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.purge_expired(&caller, &parent, how)).await;
        let (report, violations) = outcome(validate_only, done)?;
        let report = report.as_ref().map(erasure::report);
        Ok(Response::new(v1::PurgeExpiredResponse { report, violations }))
    }

    async fn export_personal_data(
        &self,
        request: Request<v1::ExportPersonalDataRequest>,
    ) -> Result<Response<v1::ExportPersonalDataResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ExportPersonalDataRequest { name, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let data = Box::pin(self.service.export_personal_data(&caller, &name)).await?;
        let data = Some(personal_data::message(&data, lang));
        Ok(Response::new(v1::ExportPersonalDataResponse { data }))
    }

    async fn get_erasure(
        &self,
        request: Request<v1::GetErasureRequest>,
    ) -> Result<Response<v1::GetErasureResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.get_erasure(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetErasureResponse { erasure: Some(erasure::message_of(&found)) }))
    }
}

/// Bytes of the names on one page, at most.
const MOST_BYTES: usize = 1 << 20;

/// An optional time of a request.
fn known(field: &str, time: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, Error> {
    let wrong = "is not a time of the years that the service knows";
    time.map(|time| moment(&time).ok_or_else(|| Error::invalid_field(field, "", wrong))).transpose()
}

/// The name of the profile of a request that was answered.
fn profile(parent: &str) -> Result<ProfileRef, Error> {
    ProfileRef::from_name(parent).map_err(|_| Error::internal("a request without a profile was answered"))
}

fn shown(parent: &str, recorded: &RecordedConsent) -> Result<v1::Consent, Error> {
    Ok(message(&profile(parent)?, recorded))
}
