//! Profiles with their consents, restrictions and erasures; and a consultation.

use bytes::Bytes;
use prost::Message as _;
use wim_match::api::convert::profile::message_of_draft;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::import_profiles_request::Content as Ask;
use wim_match::client::request_id;
use wim_match::domain::profile::ProfileDraft;

use super::{Caller, Cast, mask};
use crate::call::privacy::old_consent;
use crate::world::{consultation_message, import_of, mentee, mentor};

/// Profiles, consents, restrictions and erasures.
pub(super) async fn people(cast: &Cast<'_>) {
    let (manager, mentees) = &cast.mentees;
    let gone = vec![mentee("m-1"), mentee("m-2"), mentee("gone")];
    import(manager, mentees, gone).await;
    import(&cast.mentors.0, &cast.mentors.1, vec![mentor("t-1", 1), mentor("t-2", 1)]).await;
    let request = v1::CreateProfileRequest {
        parent: mentees.clone(),
        profile_id: "m-3".to_owned(),
        profile: Some(message_of_draft(mentee("m-3"))),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::CreateProfileResponse = manager.change("ProfileService/CreateProfile", &request).await;
    let profile = format!("{mentees}/profiles/m-3");
    let request = v1::UpdateProfileRequest {
        profile: Some(v1::Profile {
            name: profile.clone(),
            working_styles: vec!["structured".to_owned()],
            ..v1::Profile::default()
        }),
        update_mask: Some(mask("working_styles")),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::UpdateProfileResponse = manager.change("ProfileService/UpdateProfile", &request).await;
    let consent = consent(manager, &profile, old_consent()).await;
    let request = v1::WithdrawConsentRequest {
        name: consent,
        request_id: request_id(),
        ..v1::WithdrawConsentRequest::default()
    };
    let _: v1::WithdrawConsentResponse = manager.change("PrivacyService/WithdrawConsent", &request).await;
    let request = v1::RestrictProfileRequest {
        name: profile.clone(),
        reason: v1::RestrictionReason::Objection.into(),
        request_id: request_id(),
        ..v1::RestrictProfileRequest::default()
    };
    let _: v1::RestrictProfileResponse = manager.change("PrivacyService/RestrictProfile", &request).await;
    let request = v1::LiftRestrictionRequest {
        name: profile,
        request_id: request_id(),
        ..v1::LiftRestrictionRequest::default()
    };
    let _: v1::LiftRestrictionResponse = manager.change("PrivacyService/LiftRestriction", &request).await;
    let request = v1::PurgeExpiredRequest {
        parent: mentees.clone(),
        request_id: request_id(),
        ..v1::PurgeExpiredRequest::default()
    };
    let _: v1::PurgeExpiredResponse = manager.change("PrivacyService/PurgeExpired", &request).await;
    let name = format!("{mentees}/profiles/gone");
    manager.ledger.forget(&name);
    let request = v1::EraseProfileRequest { name, request_id: request_id(), validate_only: false };
    let _: v1::EraseProfileResponse = manager.change("PrivacyService/EraseProfile", &request).await;
}

pub(super) async fn import(manager: &Caller<'_>, organisation: &str, people: Vec<ProfileDraft>) {
    let id = organisation.trim_start_matches("organisations/").parse().expect("an id");
    let mut messages = import_of(&id, people);
    if let Some(Ask::Header(header)) = &mut messages[0].content {
        header.request_id = request_id();
    }
    let messages: Vec<Bytes> = messages.iter().map(|message| Bytes::from(message.encode_to_vec())).collect();
    let _: v1::ImportProfilesResponse = manager.changes("ProfileService/ImportProfiles", &messages).await;
}

pub(super) async fn consent(manager: &Caller<'_>, profile: &str, consent: v1::Consent) -> String {
    let request = v1::RecordConsentRequest {
        parent: profile.to_owned(),
        consent: Some(consent),
        request_id: request_id(),
        ..v1::RecordConsentRequest::default()
    };
    let recorded: v1::RecordConsentResponse = manager.change("PrivacyService/RecordConsent", &request).await;
    recorded.consent.expect("a consent").name
}

/// A consultation that is answered, extended and cancelled.
pub(super) async fn consultation(cast: &Cast<'_>) {
    let request = v1::CreateConsultationRequest {
        consultation_id: format!("of-{}", cast.number),
        consultation: Some(consultation_message()),
        request_id: request_id(),
        ..v1::CreateConsultationRequest::default()
    };
    let created: v1::CreateConsultationResponse =
        cast.secretariat.change("OrganisationService/CreateConsultation", &request).await;
    let created = created.consultation.expect("a consultation");
    let answer = |question: &str, option: &str| v1::QuestionAnswer {
        question_id: question.to_owned(),
        option_ids: vec![option.to_owned()],
        comment: String::new(),
    };
    let request = v1::AnswerConsultationRequest {
        name: created.name.clone(),
        organisation: cast.mentors.1.clone(),
        answers: vec![answer("fee", "yes")],
        request_id: request_id(),
        ..v1::AnswerConsultationRequest::default()
    };
    let _: v1::AnswerConsultationResponse =
        cast.mentors.0.change("OrganisationService/AnswerConsultation", &request).await;
    let later = created
        .deadline
        .map(|deadline| prost_types::Timestamp { seconds: deadline.seconds + 86_400, ..deadline });
    let request = v1::UpdateConsultationRequest {
        consultation: Some(v1::Consultation {
            name: created.name.clone(),
            deadline: later,
            ..v1::Consultation::default()
        }),
        update_mask: Some(mask("deadline")),
        request_id: request_id(),
        ..v1::UpdateConsultationRequest::default()
    };
    let _: v1::UpdateConsultationResponse =
        cast.secretariat.change("OrganisationService/UpdateConsultation", &request).await;
    let request = v1::CancelConsultationRequest {
        name: created.name,
        reason: "superseded".to_owned(),
        request_id: request_id(),
        ..v1::CancelConsultationRequest::default()
    };
    let _: v1::CancelConsultationResponse =
        cast.secretariat.change("OrganisationService/CancelConsultation", &request).await;
}
