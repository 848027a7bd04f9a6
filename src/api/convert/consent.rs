//! Consents.

use super::{moment, timestamp};
use crate::api::proto::v1;
use crate::domain::name::ConsentRef;
use crate::domain::name::ProfileRef;
use crate::domain::profile::{ConsentDraft, ConsentState, RecordedConsent};
use crate::domain::record::Record;
use crate::domain::restriction::Restriction;

/// From the message, unchecked.
pub fn draft(message: v1::Consent) -> ConsentDraft {
    ConsentDraft {
        purpose: message.purpose,
        text_version: message.text_version,
        language: message.language,
        give_time: message.give_time.as_ref().and_then(moment),
        withdraw_time: message.withdraw_time.as_ref().and_then(moment),
    }
}

/// To the message, from a draft: what a client sends.
pub fn message_of_draft(draft: ConsentDraft) -> v1::Consent {
    v1::Consent {
        purpose: draft.purpose,
        text_version: draft.text_version,
        language: draft.language,
        give_time: draft.give_time.map(timestamp),
        withdraw_time: draft.withdraw_time.map(timestamp),
        ..v1::Consent::default()
    }
}

/// A consent on record to the message.
pub fn message(profile: &ProfileRef, recorded: &RecordedConsent) -> v1::Consent {
    let RecordedConsent { consent, state, given, withdrawn } = recorded;
    let state = match state {
        ConsentState::Live => v1::ConsentState::Live,
        ConsentState::Replaced => v1::ConsentState::Replaced,
        ConsentState::Withdrawn => v1::ConsentState::Withdrawn,
    };
    v1::Consent {
        purpose: consent.purpose as i32,
        text_version: consent.text_version.clone(),
        language: consent.language.clone(),
        give_time: Some(timestamp(consent.give_time)),
        withdraw_time: consent.withdraw_time.map(timestamp),
        name: ConsentRef { profile: profile.clone(), id: consent.id() }.name(),
        state: state.into(),
        given: Some(record(given)),
        withdrawn: withdrawn.as_ref().map(record),
    }
}

/// A restriction of a person to the message.
pub fn restriction(profile: &ProfileRef, restriction: &Restriction) -> v1::Restriction {
    let Restriction { reason, restricted, lifted } = restriction;
    v1::Restriction {
        profile: profile.name(),
        reason: *reason as i32,
        restricted: Some(record(restricted)),
        lifted: lifted.as_ref().map(record),
    }
}

fn record(record: &Record) -> v1::ConsentRecord {
    v1::ConsentRecord {
        recorder: format!("principals/{}", record.recorder),
        record_time: Some(timestamp(record.time)),
    }
}
