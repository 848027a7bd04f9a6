//! The record of a person's consents, which only grows.
//!
//! - Inputs: the consents that are stored and those that an import says. Output: the union, ordered and without repeats.
//! - The union is commutative, associative and idempotent, so the order of imports does not change the record.
//! - An entry without a withdrawal says less than the same entry with one, and is left out. Two different withdrawals of
//!   one consent stay as two entries.
//! - A consent for a purpose is live when the newest consent given is newer than the newest withdrawal. So a withdrawal
//!   ends every consent given before it or at the same time, and an old file revives nothing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Most consents of one person on record, withdrawn ones included.
pub const MAX_CONSENTS: usize = 50;

/// A consent for one purpose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Consent {
    /// Purpose.
    pub purpose: ConsentPurpose,
    /// When the person gave the consent.
    pub give_time: Timestamp,
    /// Version of the consent text.
    pub text_version: String,
    /// Tag of the language of the text.
    pub language: String,
    /// When the person withdrew the consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdraw_time: Option<Timestamp>,
}

/// Purpose of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentPurpose {
    /// Participation in matching rounds.
    Matching = 1,
    /// Use of identity answers in matching.
    Identity = 2,
}

/// The record after `given` was added to `stored`.
pub fn merged(stored: &[Consent], given: &[Consent]) -> Vec<Consent> {
    let mut all: Vec<Consent> = stored.iter().chain(given).cloned().collect();
    // The withdrawal is the last field of the order, and none comes before any.
    all.sort_unstable();
    all.dedup();
    let mut kept: Vec<Consent> = Vec::with_capacity(all.len());
    for consent in all {
        if let Some(last) = kept.last_mut()
            && last.withdraw_time.is_none()
            && is_same(last, &consent)
        {
            *last = consent;
        } else {
            kept.push(consent);
        }
    }
    kept
}

/// Whether two entries are the same consent, withdrawn or not.
fn is_same(one: &Consent, other: &Consent) -> bool {
    let identity = |consent: &Consent| (consent.purpose, consent.give_time);
    identity(one) == identity(other)
        && (one.text_version.as_str(), one.language.as_str())
            == (other.text_version.as_str(), other.language.as_str())
}

/// Whether a consent for `purpose` is live at `now`.
pub fn is_live(consents: &[Consent], purpose: ConsentPurpose, now: Timestamp) -> bool {
    let of_purpose = || consents.iter().filter(|consent| consent.purpose == purpose);
    let given = of_purpose().map(|consent| consent.give_time).filter(|at| *at <= now).max();
    given.is_some() && given > newest_withdrawal(consents, purpose, now)
}

/// Whether the newest consent for `purpose` is not newer than the newest withdrawal. Unlike a consent that is not live, one
/// that a fast clock gave in the future is not withdrawn.
pub fn is_withdrawn(consents: &[Consent], purpose: ConsentPurpose, now: Timestamp) -> bool {
    let given =
        consents.iter().filter(|consent| consent.purpose == purpose).map(|consent| consent.give_time).max();
    given <= newest_withdrawal(consents, purpose, now)
}

/// The newest withdrawal of a purpose up to `now`.
fn newest_withdrawal(consents: &[Consent], purpose: ConsentPurpose, now: Timestamp) -> Option<Timestamp> {
    let withdrawn = consents.iter().filter(|consent| consent.purpose == purpose);
    withdrawn.filter_map(|consent| consent.withdraw_time).filter(|at| *at <= now).max()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn consent(give: i64, withdraw: Option<i64>) -> Consent {
        Consent {
            purpose: ConsentPurpose::Matching,
            give_time: at(give),
            text_version: "1".to_owned(),
            language: "es".to_owned(),
            withdraw_time: withdraw.map(at),
        }
    }

    #[test]
    fn an_old_file_revives_nothing_and_a_newer_consent_does() {
        let now = at(100);
        let live = |record: &[Consent]| is_live(record, ConsentPurpose::Matching, now);
        let withdrawn = merged(&[consent(1, None)], &[consent(1, Some(5))]);
        assert_eq!(withdrawn, [consent(1, Some(5))]);
        assert!(!live(&withdrawn));
        for old in [vec![], vec![consent(1, None)], vec![consent(3, None)], vec![consent(5, None)]] {
            let after = merged(&withdrawn, &old);
            assert!(!live(&after), "{old:?}");
            assert!(after.contains(&withdrawn[0]));
        }
        let other_text = Consent { text_version: "2".to_owned(), ..consent(1, None) };
        assert!(!live(&merged(&withdrawn, &[other_text])), "another text of the same moment");
        let renewed = merged(&withdrawn, &[consent(6, None)]);
        assert!(live(&renewed));
        assert!(
            !live(&merged(&renewed, &[consent(1, Some(7))])),
            "a later withdrawal ends the newer consent too"
        );
        assert!(!is_live(&renewed, ConsentPurpose::Identity, now), "each purpose is of its own");
        assert!(!is_live(&renewed, ConsentPurpose::Matching, at(0)), "not given yet");
        assert!(is_live(&renewed, ConsentPurpose::Matching, at(4)), "not withdrawn yet");
    }

    fn some_consent() -> impl Strategy<Value = Consent> {
        (any::<bool>(), 0..6_i64, 0..2_u8, proptest::option::of(0..6_i64)).prop_map(
            |(identity, give, text, withdraw)| Consent {
                purpose: if identity { ConsentPurpose::Identity } else { ConsentPurpose::Matching },
                text_version: text.to_string(),
                ..consent(give, withdraw.map(|after| give + after))
            },
        )
    }

    proptest! {
        /// For any sequence of imports, in any order.
        #[test]
        fn consents_and_withdrawals_only_grow(files in vec(vec(some_consent(), 0..4), 1..6), now in 0..14_i64) {
            let now = at(now);
            let told = |record: &[Consent]| -> (BTreeSet<_>, BTreeSet<_>) {
                (
                    record.iter().map(|c| (c.purpose, c.give_time, c.text_version.clone())).collect(),
                    record.iter().filter_map(|c| Some((c.purpose, c.give_time, c.withdraw_time?))).collect(),
                )
            };
            let mut record = Vec::new();
            for file in &files {
                let next = merged(&record, file);
                let (before, after, said) = (told(&record), told(&next), told(file));
                prop_assert!(before.0.union(&said.0).eq(&after.0));
                prop_assert!(before.1.union(&said.1).eq(&after.1));
                prop_assert_eq!(&merged(&next, file), &next, "the same file again adds nothing");
                prop_assert_eq!(&merged(file, &record), &next, "the order does not count");
                record = next;
            }
            for purpose in [ConsentPurpose::Matching, ConsentPurpose::Identity] {
                let all = || files.iter().flatten().filter(|c| c.purpose == purpose);
                let given = all().map(|c| c.give_time).filter(|at| *at <= now).max();
                let withdrawn = all().filter_map(|c| c.withdraw_time).filter(|at| *at <= now).max();
                let live = given.is_some_and(|given| withdrawn.is_none_or(|withdrawn| given > withdrawn));
                prop_assert_eq!(is_live(&record, purpose, now), live);
            }
        }
    }
}
