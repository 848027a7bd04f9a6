//! The record of a person's consents, which only grows.
//!
//! - Inputs: the consents that are stored and those that an import says. Output: the union, ordered and without repeats.
//! - The union is commutative, associative and idempotent, so the order of imports does not change the record.
//! - An entry without a withdrawal says less than the same entry with one, and is left out. Two different withdrawals of
//!   one consent stay as two entries.
//! - A consent for a purpose is live when the newest consent given is newer than the newest withdrawal. So a withdrawal
//!   ends every consent given before it or at the same time, and an old file revives nothing.
//! - A withdrawal counts from the moment at which it is on record, whatever the clock says: a clock that jumps back revives
//!   nothing either.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::field_rule;
use crate::domain::violation::Violations;
use crate::message;

/// Most consents of one person on record, withdrawn ones included.
pub const MAX_CONSENTS: usize = field_rule::PROFILE_CONSENTS.max_items;

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
    /// Matches with people of another country.
    CrossBorder = 3,
    /// Records of how a mentorship goes on.
    FollowUp = 4,
    /// Numbers in statistics and reports.
    Statistics = 5,
}

impl ConsentPurpose {
    /// All purposes.
    pub const ALL: [Self; 5] =
        [Self::Matching, Self::Identity, Self::CrossBorder, Self::FollowUp, Self::Statistics];

    /// The purpose as names and files spell it.
    pub fn code(self) -> &'static str {
        ["matching", "identity", "cross-border", "follow-up", "statistics"][self as usize - 1]
    }

    /// Reads a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.code() == code)
    }

    /// The purpose with a number of the contract.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| *purpose as i32 == number)
    }
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
pub fn is_same(one: &Consent, other: &Consent) -> bool {
    let identity = |consent: &Consent| (consent.purpose, consent.give_time);
    identity(one) == identity(other)
        && (one.text_version.as_str(), one.language.as_str())
            == (other.text_version.as_str(), other.language.as_str())
}

/// Whether a consent for `purpose` is live at `now`.
pub fn is_live(consents: &[Consent], purpose: ConsentPurpose, now: Timestamp) -> bool {
    let given = of_purpose(consents, purpose).map(|consent| consent.give_time);
    let given = given.filter(|at| *at <= now).max();
    given.is_some() && given > newest_withdrawal(consents, purpose)
}

/// Whether the newest consent for `purpose` is not newer than the newest withdrawal. Unlike a consent that is not live, one
/// that a fast clock gave in the future is not withdrawn.
pub fn is_withdrawn(consents: &[Consent], purpose: ConsentPurpose) -> bool {
    let given = of_purpose(consents, purpose).map(|consent| consent.give_time).max();
    given <= newest_withdrawal(consents, purpose)
}

/// The consent for `purpose` that counts: the newest one, if no withdrawal has ended it.
pub fn in_force(consents: &[Consent], purpose: ConsentPurpose) -> Option<&Consent> {
    let newest = of_purpose(consents, purpose).max_by_key(|consent| consent.give_time)?;
    (Some(newest.give_time) > newest_withdrawal(consents, purpose)).then_some(newest)
}

/// Two consents for one purpose that were given at one moment, are not withdrawn and say different things.
pub fn contradiction(consents: &[Consent]) -> Option<&Consent> {
    // The record is ordered by purpose and time.
    let open = |consent: &&Consent| {
        consent.withdraw_time.is_none()
            && Some(consent.give_time) > newest_withdrawal(consents, consent.purpose)
    };
    let open: Vec<&Consent> = consents.iter().filter(open).collect();
    let twice = open.windows(2).find(|pair| {
        (pair[0].purpose, pair[0].give_time) == (pair[1].purpose, pair[1].give_time)
            && !is_same(pair[0], pair[1])
    });
    twice.map(|pair| pair[1])
}

/// Adds the violation of two consents for one purpose that were given at one moment.
pub fn check_contradiction(consents: &[Consent], violations: &mut Violations) {
    if let Some(second) = contradiction(consents) {
        violations.push(
            "consents",
            second.purpose.code(),
            message!("has two live consents of {time}", time = second.give_time.to_string()),
            "keep the one to which she agreed",
        );
    }
}

/// The record after a person has given a consent, or why she cannot give it.
///
/// A consent that is in force ends with the newer one only if `replaces` is true: otherwise a person would have two.
pub fn given(stored: &[Consent], consent: &Consent, replaces: bool) -> Result<Vec<Consent>, Violations> {
    let mut violations = Violations::default();
    let purpose = consent.purpose;
    let same = stored.iter().any(|known| is_same(known, consent));
    if let Some(ended) = newest_withdrawal(stored, purpose).filter(|ended| *ended >= consent.give_time) {
        violations.push(
            "give_time",
            consent.give_time,
            message!("is not after the withdrawal at {time}, which is final", time = ended.to_string()),
            "give the time at which the person agreed anew, after her withdrawal",
        );
    } else if let Some(live) = in_force(stored, purpose).filter(|_| !same) {
        if !replaces {
            violations.push(
                "purpose",
                purpose.code(),
                "has a live consent already",
                "withdraw that consent first, or say that the new one replaces it",
            );
        } else if live.give_time >= consent.give_time {
            violations.push(
                "give_time",
                consent.give_time,
                message!("is not after the live consent of {time}", time = live.give_time.to_string()),
                "give the time at which the person agreed to the new text",
            );
        }
    }
    let record = merged(stored, std::slice::from_ref(consent));
    if record.len() > MAX_CONSENTS {
        violations.push(
            "purpose",
            purpose.code(),
            message!("would be one of more than {most} consents of one person", most = MAX_CONSENTS as u64),
            "the record of this person is full",
        );
    }
    violations.finish(record)
}

fn of_purpose(consents: &[Consent], purpose: ConsentPurpose) -> impl Iterator<Item = &Consent> {
    consents.iter().filter(move |consent| consent.purpose == purpose)
}

/// The newest withdrawal of a purpose.
fn newest_withdrawal(consents: &[Consent], purpose: ConsentPurpose) -> Option<Timestamp> {
    of_purpose(consents, purpose).filter_map(|consent| consent.withdraw_time).max()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A moment of a test.
    pub(in super::super) fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    /// A consent to matching.
    pub(in super::super) fn consent(give: i64, withdraw: Option<i64>) -> Consent {
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
        let ended = [consent(1, Some(5))];
        assert!(!is_live(&ended, ConsentPurpose::Matching, at(4)), "a clock that jumps back revives nothing");
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
                let withdrawn = all().filter_map(|c| c.withdraw_time).max();
                let live = given.is_some_and(|given| withdrawn.is_none_or(|withdrawn| given > withdrawn));
                prop_assert_eq!(is_live(&record, purpose, now), live);
            }
        }
    }
}
