//! How often calls may begin: a bucket for each caller, for each organisation and for all callers together, by class of
//! method. The buckets are those of the generic cell rate algorithm (ITU-T I.371): one moment for each of them, exact, and
//! nothing that refills in the background.
//!
//! A call is taken from all of its buckets or from none. A refusal says after which time the same call finds room.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use prost_types::method_options::IdempotencyLevel;

use crate::api::proto;
use crate::clock::Stopwatch;

/// Buckets that are kept before the full ones are forgotten.
const MOST_FULL: usize = 4_096;

/// What a method costs the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// It reads.
    Read,
    /// It changes something.
    Write,
    /// It occupies the solver, or the certifier.
    Solve,
}

impl Class {
    /// The class as an error names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Solve => "solve",
        }
    }
}

/// The service whose methods occupy the solver, and the methods of runs that occupy the solver, the certifier or whole
/// snapshots.
const SOLVING: [&str; 4] = [
    "/wim.mentorship.v1.SolverService/",
    "/wim.mentorship.v1.RunService/VerifyRun",
    "/wim.mentorship.v1.RunService/ReplayRun",
    "/wim.mentorship.v1.RunService/CompareRuns",
];

/// The classes of all methods by path. What the contract does not declare free of side effects changes something.
#[derive(Debug)]
pub(super) struct Classes(HashMap<String, Class>);

impl Classes {
    /// The classes of the methods of the contract.
    pub(super) fn of_the_contract() -> Self {
        let files = FileDescriptorSet::decode(proto::DESCRIPTORS).map(|set| set.file).unwrap_or_default();
        let mut classes = HashMap::new();
        for file in &files {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    let level = method.options.as_ref().map(prost_types::MethodOptions::idempotency_level);
                    let class = if SOLVING.iter().any(|solving| path.starts_with(solving)) {
                        Class::Solve
                    } else if level == Some(IdempotencyLevel::NoSideEffects) {
                        Class::Read
                    } else {
                        Class::Write
                    };
                    classes.insert(path, class);
                }
            }
        }
        Self(classes)
    }

    /// The class of a path. A path of no method costs as little as a read.
    pub(super) fn of(&self, path: &str) -> Class {
        self.0.get(path).copied().unwrap_or(Class::Read)
    }
}

/// The rates of a server.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    /// Calls of one caller that read, in a second; 0 for no bound.
    pub reads_per_second: u32,
    /// Calls of one caller that change something, in a second; 0 for no bound.
    pub writes_per_second: u32,
    /// Calls of one caller that occupy the solver, in a minute; 0 for no bound.
    pub solves_per_minute: u32,
    /// How many times as much an organisation may call as one caller.
    pub organisation: u32,
    /// How many times as much all callers together may call as one.
    pub all: u32,
    /// The calls of this time may come at once.
    pub burst: Duration,
}

impl Rates {
    /// The mean time between two calls of one caller; `None` without a bound.
    fn interval(&self, class: Class) -> Option<Duration> {
        let (calls, time) = match class {
            Class::Read => (self.reads_per_second, Duration::from_secs(1)),
            Class::Write => (self.writes_per_second, Duration::from_secs(1)),
            Class::Solve => (self.solves_per_minute, Duration::from_mins(1)),
        };
        (calls > 0).then(|| time / calls)
    }
}

/// Whose calls a bucket counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Caller(String),
    Organisation(String),
    All,
}

/// A bucket without room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRoom {
    /// Whose bucket: `caller`, `organisation` or `service`.
    pub(super) subject: &'static str,
    /// The time after which the bucket has room for the same call.
    pub(super) wait: Duration,
}

/// All buckets. Each holds the moment at which it is full again, since the start.
#[derive(Debug)]
pub(super) struct Buckets {
    rates: Rates,
    since: Stopwatch,
    full_at: Mutex<HashMap<(Class, Owner), Duration>>,
}

impl Buckets {
    pub(super) fn new(rates: Rates) -> Self {
        Self { rates, since: Stopwatch::start(), full_at: Mutex::default() }
    }

    /// Takes a call of a caller who acts for these organisations.
    pub(super) fn take<'a>(
        &self,
        class: Class,
        caller: &str,
        organisations: impl Iterator<Item = &'a str>,
    ) -> Result<(), NoRoom> {
        self.take_at(self.since.elapsed(), class, caller, organisations)
    }

    fn take_at<'a>(
        &self,
        now: Duration,
        class: Class,
        caller: &str,
        organisations: impl Iterator<Item = &'a str>,
    ) -> Result<(), NoRoom> {
        let Some(interval) = self.rates.interval(class) else { return Ok(()) };
        let caller = ("caller", Owner::Caller(caller.to_owned()), interval);
        let of_organisation = interval / self.rates.organisation.max(1);
        let organisations =
            organisations.map(|own| ("organisation", Owner::Organisation(own.to_owned()), of_organisation));
        let all = ("service", Owner::All, interval / self.rates.all.max(1));
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::with_capacity(3);
        let mut none: Option<NoRoom> = None;
        for (subject, owner, interval) in std::iter::once(caller).chain(organisations).chain([all]) {
            let key = (class, owner);
            let full = full_at.get(&key).copied().unwrap_or_default().max(now);
            // One call finds room in a full bucket, however short the burst.
            let ahead = self.rates.burst.saturating_sub(interval);
            let wait = full.saturating_sub(now).saturating_sub(ahead);
            if !wait.is_zero() && none.is_none_or(|none| none.wait < wait) {
                none = Some(NoRoom { subject, wait });
            }
            taken.push((key, full + interval));
        }
        if let Some(none) = none {
            return Err(none);
        }
        if full_at.len() >= MOST_FULL {
            full_at.retain(|_, full| *full > now);
        }
        full_at.extend(taken);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: [&str; 0] = [];

    fn buckets() -> Buckets {
        Buckets::new(Rates {
            reads_per_second: 10,
            writes_per_second: 2,
            solves_per_minute: 6,
            organisation: 2,
            all: 3,
            burst: Duration::from_secs(2),
        })
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn every_method_has_the_class_of_what_it_costs() {
        let classes = Classes::of_the_contract();
        let of = |method: &str| classes.of(&format!("/wim.mentorship.v1.{method}"));
        assert_eq!(of("RoundService/GetRound"), Class::Read);
        assert_eq!(of("RunService/WatchRun"), Class::Read);
        assert_eq!(of("RoundService/CreateRound"), Class::Write);
        assert_eq!(of("ProfileService/ImportProfiles"), Class::Write);
        assert_eq!(of("RunService/StartRun"), Class::Write);
        assert_eq!(of("RunService/VerifyRun"), Class::Solve);
        assert_eq!(of("SolverService/SolveStream"), Class::Solve);
        assert_eq!(of("RoundService/Absent"), Class::Read);
        let used = |class| classes.0.values().filter(|used| **used == class).count();
        assert!(used(Class::Solve) >= 7 && used(Class::Read) > 7 && used(Class::Write) >= 5);
    }

    #[test]
    fn a_burst_comes_at_once_and_then_one_call_for_each_interval() {
        let buckets = buckets();
        let take = |now, class| buckets.take_at(at(now), class, "a", NOBODY.into_iter());
        let burst = (0..100).take_while(|_| take(0, Class::Read).is_ok()).count();
        assert_eq!(burst, 20, "ten in a second, for two seconds");
        assert_eq!(take(0, Class::Read), Err(NoRoom { subject: "caller", wait: at(100) }));
        assert_eq!(take(99, Class::Read), Err(NoRoom { subject: "caller", wait: at(1) }));
        assert_eq!(take(100, Class::Read), Ok(()), "the refusals have cost nothing");
        assert_eq!(take(100, Class::Read), Err(NoRoom { subject: "caller", wait: at(100) }));
        assert_eq!(take(100, Class::Write), Ok(()), "another class has a bucket of its own");
        let long = (0..1_000).filter(|step| take(100 + step * 10, Class::Read).is_ok()).count();
        assert_eq!(long, 99, "ten in a second for 9.99 seconds");
    }

    #[test]
    fn one_call_finds_room_in_a_full_bucket_even_if_the_burst_is_shorter() {
        let buckets = buckets();
        let take = |now| buckets.take_at(at(now), Class::Solve, "a", NOBODY.into_iter());
        assert_eq!(take(0), Ok(()));
        assert_eq!(take(1), Err(NoRoom { subject: "caller", wait: at(9_999) }));
        assert_eq!(take(10_000), Ok(()));
    }

    #[test]
    fn callers_of_an_organisation_share_its_bucket_and_all_share_the_last() {
        let buckets = buckets();
        let take = |caller: &str, own: &'static str| {
            (0..100)
                .take_while(|_| buckets.take_at(at(0), Class::Write, caller, [own].into_iter()).is_ok())
                .count()
        };
        assert_eq!([take("a", "x"), take("b", "x"), take("c", "x")], [4, 4, 0]);
        let refused = buckets.take_at(at(0), Class::Write, "c", ["x"].into_iter());
        assert_eq!(refused, Err(NoRoom { subject: "organisation", wait: at(250) }));
        assert_eq!([take("d", "y"), take("e", "z")], [4, 0]);
        let refused = buckets.take_at(at(0), Class::Write, "e", ["z"].into_iter());
        assert_eq!(refused.expect_err("is refused").subject, "service");
        assert_eq!(buckets.take_at(at(0), Class::Read, "e", ["z"].into_iter()), Ok(()));
    }

    #[test]
    fn full_buckets_are_forgotten_and_without_a_rate_there_are_none() {
        let buckets = Buckets::new(Rates { reads_per_second: 10, all: 1_000_000, ..buckets().rates });
        for caller in 0..20_000_u64 {
            let taken = buckets.take_at(at(caller), Class::Read, &caller.to_string(), NOBODY.into_iter());
            assert_eq!(taken, Ok(()));
        }
        assert!(buckets.full_at.lock().expect("no panic").len() <= MOST_FULL + 1);
        let free = Buckets::new(Rates::default());
        assert!((0..10_000).all(|_| free.take_at(at(0), Class::Write, "a", NOBODY.into_iter()).is_ok()));
        assert!(free.full_at.lock().expect("no panic").is_empty());
    }
}
