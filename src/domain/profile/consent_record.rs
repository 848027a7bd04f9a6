//! Consents with who recorded them, read from the versions of a profile.
//!
//! - Inputs: the consents of each version, oldest first, with who stored the version and when. Output: each consent of the
//!   newest version once, with the version that first said it and the version that first said its withdrawal.
//! - The record only grows, so what the output says of a consent never changes afterwards, except its state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::consents::{Consent, in_force, is_same};
use crate::domain::name::ConsentId;
use crate::domain::record::Record;

/// A version of a profile, as far as consents go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentVersion {
    /// Consents on record from this version on.
    pub consents: Vec<Consent>,
    /// Id of the principal who stored the version.
    pub recorder: String,
    /// When the version was stored.
    pub record_time: Timestamp,
}

/// A consent on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedConsent {
    /// The consent. Of several withdrawals of it, it has the first.
    pub consent: Consent,
    /// What became of it.
    pub state: ConsentState,
    /// Who recorded that it was given, and when.
    pub given: Record,
    /// Who recorded its withdrawal, and when.
    pub withdrawn: Option<Record>,
}

/// What became of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// It is in force.
    Live,
    /// A newer consent for the same purpose took its place.
    Replaced,
    /// A withdrawal has ended it.
    Withdrawn,
}

impl ConsentState {
    /// The state as messages for people have it.
    pub fn as_str(self) -> &'static str {
        ["live", "replaced", "withdrawn"][self as usize]
    }
}

impl Consent {
    /// Id of the consent within its profile: its purpose and a hash of what was given. It does not depend on the order in
    /// which files said the consents of a person.
    pub fn id(&self) -> ConsentId {
        let Self { purpose, give_time, text_version, language, .. } = self;
        let said = format!("{} {} {language} {text_version}", purpose.code(), give_time.as_microsecond());
        ConsentId::new(purpose.code(), &hex::encode(&Sha256::digest(said)[..6]))
    }
}

/// The consents of a person with who recorded them, by purpose and time.
pub fn record_of(versions: &[ConsentVersion]) -> Vec<RecordedConsent> {
    let Some(newest) = versions.last() else { return Vec::new() };
    let all = &newest.consents;
    let first = |says: &dyn Fn(&Consent) -> bool| {
        let version = versions.iter().find(|version| version.consents.iter().any(says));
        version.map(|version| Record { recorder: version.recorder.clone(), time: version.record_time })
    };
    let mut record: Vec<RecordedConsent> = Vec::with_capacity(all.len());
    for consent in all {
        // A consent with several withdrawals has an entry for each, the earliest first.
        if record.last().is_some_and(|last| is_same(&last.consent, consent)) {
            continue;
        }
        let Some(given) = first(&|other| is_same(other, consent)) else { continue };
        let withdrawn = consent
            .withdraw_time
            .and_then(|_| first(&|other| is_same(other, consent) && other.withdraw_time.is_some()));
        record.push(RecordedConsent {
            consent: consent.clone(),
            state: state(all, consent),
            given,
            withdrawn,
        });
    }
    record
}

/// What became of a consent on record.
fn state(all: &[Consent], consent: &Consent) -> ConsentState {
    let withdrawn = |other: &Consent| {
        other.purpose == consent.purpose && other.withdraw_time.is_some_and(|at| at >= consent.give_time)
    };
    if all.iter().any(withdrawn) {
        ConsentState::Withdrawn
    } else if in_force(all, consent.purpose).is_some_and(|live| is_same(live, consent)) {
        ConsentState::Live
    } else {
        ConsentState::Replaced
    }
}

#[cfg(test)]
mod tests {
    use super::super::consents::merged;
    use super::super::consents::tests::{at, consent};
    use super::*;

    /// The record after these files, each by another principal at its own time.
    fn record(files: &[Vec<Consent>]) -> Vec<RecordedConsent> {
        let mut versions: Vec<ConsentVersion> = Vec::new();
        for (file, number) in files.iter().zip(1..) {
            let before = versions.last().map_or(&[][..], |last| &last.consents);
            versions.push(ConsentVersion {
                consents: merged(before, file),
                recorder: format!("p{number}"),
                record_time: at(100 * number),
            });
        }
        record_of(&versions)
    }

    #[test]
    fn each_consent_names_who_recorded_it_and_who_recorded_its_withdrawal() {
        let files = [
            vec![consent(1, None)],
            vec![consent(1, Some(5))],
            vec![consent(7, None)],
            vec![consent(9, None)],
        ];
        let found = record(&files);
        let told: Vec<_> = found
            .iter()
            .map(|one| {
                let withdrawn = one.withdrawn.as_ref().map(|record| record.recorder.as_str());
                (one.state, one.given.recorder.as_str(), withdrawn)
            })
            .collect();
        let expected = [
            (ConsentState::Withdrawn, "p1", Some("p2")),
            (ConsentState::Replaced, "p3", None),
            (ConsentState::Live, "p4", None),
        ];
        assert_eq!(told, expected);
        assert_eq!(found[0].withdrawn.as_ref().map(|record| record.time), Some(at(200)));
    }

    #[test]
    fn ids_do_not_depend_on_the_order_of_files_and_each_consent_has_its_own() {
        let files = [vec![consent(1, None)], vec![consent(3, Some(4))], vec![consent(9, None)]];
        let mut reversed = files.clone();
        reversed.reverse();
        let ids = |files: &[Vec<Consent>]| -> Vec<ConsentId> {
            record(files).iter().map(|one| one.consent.id()).collect()
        };
        assert_eq!(ids(&files), ids(&reversed));
        let mut different = ids(&files);
        different.dedup();
        assert_eq!(different.len(), 3);
        assert_eq!(consent(3, None).id(), consent(3, Some(4)).id(), "a withdrawal does not rename a consent");
        for id in different {
            assert_eq!(id.as_str().parse::<ConsentId>().expect("a good id"), id);
            assert!(id.as_str().starts_with("matching-"), "{id}");
        }
    }

    #[test]
    fn a_consent_with_two_withdrawals_is_told_once() {
        let found = record(&[vec![consent(1, None)], vec![consent(1, Some(9))], vec![consent(1, Some(5))]]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].consent.withdraw_time, Some(at(5)));
        assert_eq!(found[0].withdrawn.as_ref().map(|record| record.recorder.as_str()), Some("p2"));
    }
}
