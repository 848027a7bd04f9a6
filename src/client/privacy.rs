//! The rights of people: consents and restrictions.

use jiff::Timestamp;

use super::connection::{Client, request_id};
use super::error::Error;
use super::page::{PAGE_SIZE, pages};
use crate::api::convert::consent::message_of_draft;
use crate::api::convert::timestamp;
use crate::api::proto::v1;
use crate::domain::profile::ConsentDraft;

impl Client {
    /// All consents of a person with who recorded them, by purpose and time.
    pub async fn all_consents(&self, profile: &str) -> Result<Vec<v1::Consent>, Error> {
        pages(|page_token| {
            let (mut privacy, parent) = (self.privacy.clone(), profile.to_owned());
            async move {
                let request = v1::ListConsentsRequest { parent, page_size: PAGE_SIZE, page_token };
                let page = privacy.list_consents(request).await?.into_inner();
                Ok((page.consents, page.next_page_token))
            }
        })
        .await
    }

    /// All restrictions of an organisation's people, lifted ones too, by person and time.
    pub async fn all_restrictions(&self, organisation: &str) -> Result<Vec<v1::Restriction>, Error> {
        pages(|page_token| {
            let (mut privacy, parent) = (self.privacy.clone(), organisation.to_owned());
            async move {
                let request = v1::ListRestrictionsRequest { parent, page_size: PAGE_SIZE, page_token };
                let page = privacy.list_restrictions(request).await?.into_inner();
                Ok((page.restrictions, page.next_page_token))
            }
        })
        .await
    }

    /// Records a consent that a person gave, and returns it as it is on record.
    pub async fn record_consent(
        &self,
        profile: &str,
        consent: ConsentDraft,
        replaces_live: bool,
    ) -> Result<v1::Consent, Error> {
        let request = v1::RecordConsentRequest {
            parent: profile.to_owned(),
            consent: Some(message_of_draft(consent)),
            replaces_live,
            request_id: request_id(),
            ..v1::RecordConsentRequest::default()
        };
        let recorded = self.privacy.clone().record_consent(request).await?.into_inner();
        Ok(recorded.consent.unwrap_or_default())
    }

    /// Withdraws a consent.
    pub async fn withdraw_consent(&self, consent: &str) -> Result<v1::WithdrawConsentResponse, Error> {
        let request = v1::WithdrawConsentRequest {
            name: consent.to_owned(),
            request_id: request_id(),
            ..v1::WithdrawConsentRequest::default()
        };
        Ok(self.privacy.clone().withdraw_consent(request).await?.into_inner())
    }

    /// Restricts the use of a person's data.
    pub async fn restrict_profile(
        &self,
        profile: &str,
        reason: v1::RestrictionReason,
    ) -> Result<v1::RestrictProfileResponse, Error> {
        let request = v1::RestrictProfileRequest {
            name: profile.to_owned(),
            reason: reason.into(),
            request_id: request_id(),
            ..v1::RestrictProfileRequest::default()
        };
        Ok(self.privacy.clone().restrict_profile(request).await?.into_inner())
    }

    /// The notice for the participants of a round under one of its policies, or under the newest one.
    pub async fn participant_notice(
        &self,
        round: &str,
        policy: Option<i64>,
        language: &str,
    ) -> Result<v1::GetParticipantNoticeResponse, Error> {
        let version = if let Some(version) = policy {
            version
        } else {
            let request = v1::GetRoundRequest { name: round.to_owned() };
            let found = self.rounds.clone().get_round(request).await?.into_inner().round;
            found.and_then(|round| round.policy).map_or(1, |policy| policy.version)
        };
        let request = v1::GetParticipantNoticeRequest {
            policy: format!("{round}/policies/{version}"),
            language_code: language.to_owned(),
        };
        Ok(self.privacy.clone().get_participant_notice(request).await?.into_inner())
    }

    /// Resource names of all people of an organisation whose data was stored or changed in a time.
    pub async fn all_affected(
        &self,
        organisation: &str,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<String>, Error> {
        pages(|page_token| {
            let (mut privacy, parent) = (self.privacy.clone(), organisation.to_owned());
            async move {
                let request = v1::ListAffectedPeopleRequest {
                    parent,
                    from_time: from.map(timestamp),
                    until_time: until.map(timestamp),
                    page_size: PAGE_SIZE,
                    page_token,
                };
                let page = privacy.list_affected_people(request).await?.into_inner();
                Ok((page.profiles, page.next_page_token))
            }
        })
        .await
    }

    /// The extract for the record of processing activities of an organisation.
    pub async fn processing_record(
        &self,
        organisation: &str,
        language: &str,
    ) -> Result<v1::GetProcessingRecordResponse, Error> {
        let request = v1::GetProcessingRecordRequest {
            parent: organisation.to_owned(),
            language_code: language.to_owned(),
        };
        Ok(self.privacy.clone().get_processing_record(request).await?.into_inner())
    }

    /// Erases the people of an organisation whose time has ended, or counts what that would destroy.
    pub async fn purge_expired(
        &self,
        organisation: &str,
        validate_only: bool,
    ) -> Result<v1::PurgeReport, Error> {
        let request = v1::PurgeExpiredRequest {
            parent: organisation.to_owned(),
            request_id: if validate_only { String::new() } else { request_id() },
            validate_only,
        };
        let answer = self.privacy.clone().purge_expired(request).await?.into_inner();
        Ok(answer.report.unwrap_or_default())
    }

    /// Lifts the restriction of a person.
    pub async fn lift_restriction(&self, profile: &str) -> Result<v1::LiftRestrictionResponse, Error> {
        let request = v1::LiftRestrictionRequest {
            name: profile.to_owned(),
            request_id: request_id(),
            ..v1::LiftRestrictionRequest::default()
        };
        Ok(self.privacy.clone().lift_restriction(request).await?.into_inner())
    }
}
