//! Calls of the methods about the rights of people.

use jiff::Timestamp;
use tonic::Status;
use wim_match::api::convert::timestamp;
use wim_match::api::proto::v1;
use wim_match::client::Client;

use super::Target;

/// A consent to statistics, given long ago: every caller of a test may record it, and the second time nothing changes.
pub(crate) fn old_consent() -> v1::Consent {
    v1::Consent {
        purpose: v1::ConsentPurpose::Statistics.into(),
        text_version: "2026-1".to_owned(),
        language: "es".to_owned(),
        give_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        ..v1::Consent::default()
    }
}

pub(crate) fn at(time: &str) -> prost_types::Timestamp {
    timestamp(time.parse::<Timestamp>().expect("a moment"))
}

pub(crate) fn matching(give_time: &str) -> v1::Consent {
    v1::Consent {
        purpose: v1::ConsentPurpose::Matching.into(),
        text_version: "2027-1".to_owned(),
        language: "es".to_owned(),
        give_time: Some(at(give_time)),
        ..v1::Consent::default()
    }
}

pub(crate) fn record(parent: String, consent: v1::Consent) -> v1::RecordConsentRequest {
    v1::RecordConsentRequest { parent, consent: Some(consent), ..Default::default() }
}

pub(crate) async fn consents(client: &Client, parent: &str) -> Vec<v1::Consent> {
    let request = v1::ListConsentsRequest { parent: parent.to_owned(), ..Default::default() };
    client.privacy.clone().list_consents(request).await.expect("lists").into_inner().consents
}

/// Calls a method of PrivacyService with a good request about `t`.
pub(super) async fn call(method: &str, client: Client, t: Target) -> Result<(), Status> {
    let Client { mut privacy, .. } = client;
    match method {
        "PrivacyService/RecordConsent" => {
            let request = v1::RecordConsentRequest {
                parent: t.profile,
                consent: Some(old_consent()),
                ..Default::default()
            };
            privacy.record_consent(request).await.map(drop)
        }
        // A consent that nobody gave.
        "PrivacyService/WithdrawConsent" => {
            let list = v1::ListConsentsRequest { parent: t.profile.clone(), ..Default::default() };
            let given = privacy.list_consents(list).await.map(|listed| listed.into_inner().consents);
            let first = given.unwrap_or_default().into_iter().next().map(|consent| consent.name);
            // Another call reads whom this one would take out of her rounds.
            let validate_only = first.is_some();
            let name = first.unwrap_or(format!("{}/consents/matching-000000000000", t.profile));
            let request = v1::WithdrawConsentRequest { name, validate_only, ..Default::default() };
            privacy.withdraw_consent(request).await.map(drop)
        }
        "PrivacyService/RestrictProfile" => {
            let reason = v1::RestrictionReason::Objection.into();
            let request = v1::RestrictProfileRequest { name: t.profile, reason, ..Default::default() };
            privacy.restrict_profile(request).await.map(drop)
        }
        "PrivacyService/LiftRestriction" => {
            let request = v1::LiftRestrictionRequest { name: t.profile, ..Default::default() };
            privacy.lift_restriction(request).await.map(drop)
        }
        "PrivacyService/ListRestrictions" => {
            let request = v1::ListRestrictionsRequest { parent: t.organisation, ..Default::default() };
            privacy.list_restrictions(request).await.map(drop)
        }
        "PrivacyService/ListAffectedPeople" => {
            let request = v1::ListAffectedPeopleRequest { parent: t.organisation, ..Default::default() };
            privacy.list_affected_people(request).await.map(drop)
        }
        "PrivacyService/GetProcessingRecord" => {
            let request = v1::GetProcessingRecordRequest { parent: t.organisation, ..Default::default() };
            privacy.get_processing_record(request).await.map(drop)
        }
        "PrivacyService/GetParticipantNotice" => {
            let policy = format!("{}/policies/1", t.round);
            let request = v1::GetParticipantNoticeRequest { policy, ..Default::default() };
            privacy.get_participant_notice(request).await.map(drop)
        }
        "PrivacyService/ListConsents" => {
            let request = v1::ListConsentsRequest { parent: t.profile, ..Default::default() };
            privacy.list_consents(request).await.map(drop)
        }
        "PrivacyService/EraseProfile" => {
            let request =
                v1::EraseProfileRequest { name: t.profile, validate_only: true, ..Default::default() };
            let checked = privacy.erase_profile(request.clone()).await?.into_inner();
            // A check reports wrong fields in its answer, and the erasure itself by an error.
            if checked.violations.is_empty() {
                return Ok(());
            }
            privacy.erase_profile(v1::EraseProfileRequest { validate_only: false, ..request }).await.map(drop)
        }
        // An organisation that has set no time: nobody is erased.
        "PrivacyService/PurgeExpired" => {
            let request = v1::PurgeExpiredRequest { parent: t.organisation, ..Default::default() };
            privacy.purge_expired(request).await.map(drop)
        }
        "PrivacyService/ExportPersonalData" => {
            let request = v1::ExportPersonalDataRequest { name: t.profile, ..Default::default() };
            privacy.export_personal_data(request).await.map(drop)
        }
        "PrivacyService/GetErasure" => {
            let absent = t.principal.replace("principals/", "erasures/");
            let name = if t.erasure.is_empty() { absent } else { t.erasure };
            let request = v1::GetErasureRequest { name };
            privacy.get_erasure(request).await.map(drop)
        }
        unknown => panic!("{unknown} has no call in `call::privacy`"),
    }
}
