//! Calls of the methods about the rights of people.

use tonic::Status;
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
        "PrivacyService/GetErasure" => {
            let request = v1::GetErasureRequest { name: t.principal.replace("principals/", "erasures/") };
            privacy.get_erasure(request).await.map(drop)
        }
        unknown => panic!("{unknown} has no call in `call::privacy`"),
    }
}
