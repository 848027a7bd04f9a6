//! Sums of calls for the audit: reads of personal data, and refusals, by caller, method and minute; and the last uses of
//! credentials.
//!
//! A call adds to a number in memory. The server writes the sums of the minutes that have ended, many at a time, so that
//! neither a reader nor a stranger can turn a call into a write to the disk. Memory is bounded: calls beyond
//! [`MOST_SUMS`] sums are added up without their callers and minutes. A crash loses the sums of the last minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::domain::caller::Caller;
use crate::domain::grant::Role;
use crate::domain::name::OrganisationId;
use crate::store::CallSum;

/// Sums that are held at a time, each with a caller.
const MOST_SUMS: usize = 10_000;
/// The actor of calls without a valid credential.
const STRANGER: &str = "stranger";
/// The actor of the calls of callers who have no sum of their own.
const OTHERS: &str = "others";
/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

/// How a call has ended, as far as the audit has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditedEnd {
    /// It may have read personal data.
    Read,
    /// It was refused with this code.
    Refused(&'static str),
}

/// What is added up together. The minute comes first, so that those that have ended are the first ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Number of the minute; `None` for the callers who have no sum of their own.
    minute: Option<i64>,
    actor: String,
    organisation: Option<OrganisationId>,
    method: String,
}

#[derive(Debug, Clone, Default)]
struct Sum {
    reads: u64,
    refused: BTreeMap<&'static str, u64>,
}

/// The sums that were not written yet.
#[derive(Debug, Default)]
pub(super) struct CallSums {
    sums: Mutex<BTreeMap<Key, Sum>>,
    /// Minutes of the last uses of credentials, by id.
    uses: Mutex<BTreeMap<String, i64>>,
}

impl CallSums {
    /// Adds a call that ended at `now`. `None` is a stranger.
    pub(super) fn call_ended(&self, caller: Option<&Caller>, method: &str, end: AuditedEnd, now: Timestamp) {
        let actor = caller.map_or(STRANGER, |caller| caller.principal.as_str()).to_owned();
        let organisation = caller.and_then(only_organisation).cloned();
        let mut sum = Sum::default();
        match end {
            AuditedEnd::Read => sum.reads = 1,
            AuditedEnd::Refused(code) => sum.refused = BTreeMap::from([(code, 1)]),
        }
        self.add(Key { minute: Some(minute_of(now)), actor, organisation, method: method.to_owned() }, sum);
    }

    /// Takes out the sums of the minutes that have ended before `now`; all without a moment.
    pub(super) fn take_ended(&self, now: Option<Timestamp>) -> Vec<CallSum> {
        self.take(now.map_or(i64::MAX, minute_of))
    }

    /// Puts back sums that could not be written.
    pub(super) fn put_back(&self, sums: Vec<CallSum>) {
        for CallSum { actor, organisation, method, minute, reads, refused } in sums {
            let key = Key { minute: minute.map(minute_of), actor, organisation, method };
            self.add(key, Sum { reads, refused });
        }
    }

    /// Notes that a credential was used.
    pub(super) fn note_use(&self, credential: &str, at: Timestamp) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minute_of(at);
        if let Some(last) = uses.get_mut(credential) {
            *last = minute.max(*last);
        } else if uses.len() < MOST_SUMS {
            uses.insert(credential.to_owned(), minute);
        }
    }

    /// Takes out the last uses of credentials in the minutes that have ended before `now`; all without a moment.
    pub(super) fn take_uses(&self, now: Option<Timestamp>) -> Vec<(String, Timestamp)> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = now.map_or(i64::MAX, minute_of);
        let (ended, rest): (BTreeMap<_, _>, _) =
            std::mem::take(&mut *uses).into_iter().partition(|(_, minute)| *minute < limit);
        *uses = rest;
        drop(uses);
        let time = |minute: i64| Timestamp::from_microsecond(minute * MINUTE).ok();
        ended.into_iter().filter_map(|(id, minute)| Some((id, time(minute)?))).collect()
    }

    fn add(&self, key: Key, added: Sum) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if sums.len() < MOST_SUMS || sums.contains_key(&key) {
            key
        } else {
            Key { minute: None, actor: OTHERS.to_owned(), organisation: None, ..key }
        };
        let sum = sums.entry(key).or_default();
        sum.reads += added.reads;
        for (code, calls) in added.refused {
            *sum.refused.entry(code).or_default() += calls;
        }
    }

    /// Takes out the sums of minutes before `minute`.
    fn take(&self, minute: i64) -> Vec<CallSum> {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let now =
            Key { minute: Some(minute), actor: String::new(), organisation: None, method: String::new() };
        let rest = sums.split_off(&now);
        let ended = std::mem::replace(&mut *sums, rest);
        drop(sums);
        ended.into_iter().map(|(key, sum)| key.with(sum)).collect()
    }
}

impl Key {
    fn with(self, sum: Sum) -> CallSum {
        let minute = self.minute.and_then(|minute| Timestamp::from_microsecond(minute * MINUTE).ok());
        let Self { actor, organisation, method, .. } = self;
        CallSum { actor, organisation, method, minute, reads: sum.reads, refused: sum.refused }
    }
}

/// Number of the minute of a moment.
fn minute_of(at: Timestamp) -> i64 {
    at.as_microsecond().div_euclid(MINUTE)
}

/// The organisation of all roles of a caller, if it is one alone.
fn only_organisation(caller: &Caller) -> Option<&OrganisationId> {
    let first = caller.roles.first().and_then(Role::organisation)?;
    caller.roles.iter().all(|role| role.organisation() == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(minute: i64, actor: &str) -> Key {
        Key { minute: Some(minute), actor: actor.to_owned(), organisation: None, method: "S/M".to_owned() }
    }

    fn read() -> Sum {
        Sum { reads: 1, ..Sum::default() }
    }

    #[test]
    fn only_minutes_that_have_ended_are_taken_and_each_once() {
        let sums = CallSums::default();
        for minute in [7, 7, 8, 9] {
            sums.add(key(minute, "ana"), read());
        }
        sums.add(key(7, "ana"), Sum { refused: BTreeMap::from([("NOT_FOUND", 1)]), ..Sum::default() });
        let taken = sums.take(9);
        let reads: Vec<u64> = taken.iter().map(|sum| sum.reads).collect();
        assert_eq!((reads, &taken[0].refused), (vec![2, 1], &BTreeMap::from([("NOT_FOUND", 1)])));
        assert!(sums.take(9).is_empty());
        assert_eq!(sums.take(i64::MAX).len(), 1);
    }

    #[test]
    fn callers_beyond_the_bound_are_added_up_and_none_is_lost() {
        let sums = CallSums::default();
        let calls = MOST_SUMS + 500;
        for caller in 0..calls {
            sums.add(key(1, &caller.to_string()), read());
        }
        sums.add(key(1, "7"), read());
        let taken = sums.take(2);
        assert_eq!(taken.len(), MOST_SUMS + 1);
        assert_eq!(taken.iter().map(|sum| sum.reads).sum::<u64>(), calls as u64 + 1);
        let others = taken.iter().find(|sum| sum.actor == OTHERS).expect("the others");
        assert_eq!((others.reads, others.minute), (500, None));
    }
}
