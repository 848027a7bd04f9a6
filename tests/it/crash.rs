//! Kills: processes end at any moment while every mutation of the contract is under way, and nothing that was acknowledged is lost.
//!
//! - [`story`] is a script of all mutations, of which several are under way at a time, each with people and rounds of its own.
//! - [`ledger`] is what was acknowledged, kept outside of the service, and the check of it: every call is sent again with its request
//!   id and gives the first answer; rows are counted; the audit is whole; runs give the same bytes again; a round is published once.
//! - [`cluster`] is one to three real processes over SQLite or over a PostgreSQL that syncs, with faults on order.
//!
//! Faults follow from a seed. `WIM_MATCH_CRASH_SEED` and `WIM_MATCH_CRASH_FAULTS` set the seed and the number of faults of the long
//! tests, which run by `cargo test --test it crash:: -- --ignored`.

mod cluster;
mod ledger;
mod proxy;
mod story;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use self::cluster::{Cluster, Fault};
use self::ledger::Ledger;
use crate::call::methods;

/// Numbers that follow from a seed (SplitMix64; Steele, Lea and Flood 2014).
#[derive(Debug)]
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What a set of kills consists of.
#[derive(Debug, Clone, Copy)]
struct Set {
    seed: u64,
    faults: u64,
    /// Stories under way at the same time.
    stories: usize,
}

impl Set {
    /// Few faults, for every build.
    fn short(seed: u64) -> Self {
        Self { seed, faults: 5, stories: 2 }
    }

    /// Many faults, by command.
    fn long() -> Self {
        let number =
            |name: &str, other| std::env::var(name).map_or(other, |text| text.parse().expect("a number"));
        Self {
            seed: number("WIM_MATCH_CRASH_SEED", 1),
            faults: number("WIM_MATCH_CRASH_FAULTS", 200),
            stories: 4,
        }
    }
}

/// Runs stories over a cluster while faults happen, and checks what was acknowledged. Stories go on until all faults have happened.
async fn kills(cluster: Cluster, set: Set) -> (Cluster, Ledger) {
    let (cluster, ledger) = (Arc::new(cluster), Arc::new(Ledger::default()));
    let (ended, mut stories) = (Arc::new(tokio::sync::Notify::new()), JoinSet::new());
    let over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    for first in 0..set.stories {
        let (cluster, ledger, over) = (Arc::clone(&cluster), Arc::clone(&ledger), Arc::clone(&over));
        let stories_at_a_time = set.stories;
        stories.spawn(async move {
            let mut number = first;
            loop {
                Box::pin(story::play(&cluster, &ledger, number)).await;
                number += stories_at_a_time;
                if over.load(std::sync::atomic::Ordering::SeqCst) {
                    return;
                }
            }
        });
    }
    let mut draw = Draw(set.seed);
    let mut told = Vec::new();
    for _ in 0..set.faults {
        tokio::time::sleep(Duration::from_millis(200 + draw.below(1_800))).await;
        let fault = Fault::drawn(&mut draw, &cluster);
        told.push(format!("{fault:?}"));
        cluster.suffer(fault).await;
    }
    over.store(true, std::sync::atomic::Ordering::SeqCst);
    ended.notify_waiters();
    let all = async { while stories.join_next().await.transpose().expect("a story ends well").is_some() {} };
    let all = tokio::time::timeout(Duration::from_mins(5), all).await;
    assert!(all.is_ok(), "the stories do not end after seed {}: {told:?}", set.seed);
    let cluster = Arc::into_inner(cluster).expect("no story holds it");
    let ledger = Arc::into_inner(ledger).expect("no story holds it");
    assert!(ledger.len() > 100, "seed {}: only {} calls were acknowledged: {told:?}", set.seed, ledger.len());
    (cluster, ledger)
}

/// The same, with the check at the end.
async fn nothing_is_lost(cluster: Cluster, set: Set) {
    let (mut cluster, ledger) = Box::pin(kills(cluster, set)).await;
    let losses = Box::pin(ledger.check(&mut cluster)).await;
    assert!(losses.is_empty(), "seed {}: {losses:#?}", set.seed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_on_sqlite() {
    Box::pin(nothing_is_lost(Cluster::sqlite().await, Set::short(1))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_and_their_killed_postgresql_lose_nothing() {
    if let Some(cluster) = Cluster::postgresql(2).await {
        Box::pin(nothing_is_lost(cluster, Set::short(2))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes an hour; 200 faults by default"]
async fn many_kills_lose_nothing_on_sqlite() {
    Box::pin(nothing_is_lost(Cluster::sqlite().await, Set::long())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes an hour; 200 faults by default"]
async fn many_kills_of_three_processes_and_postgresql_lose_nothing() {
    if let Some(cluster) = Cluster::postgresql(3).await {
        Box::pin(nothing_is_lost(cluster, Set::long())).await;
    }
}

/// The harness sees what it is there for: rows that are taken out past the service are losses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_lost_on_purpose_is_seen() {
    let set = Set { seed: 3, faults: 1, stories: 1 };
    let (mut cluster, ledger) = Box::pin(kills(Cluster::sqlite().await, set)).await;
    cluster.lose("DELETE FROM check_in WHERE (round_id, mentorship_id, side, point) IN (SELECT round_id, mentorship_id, side, point FROM check_in LIMIT 1)").await;
    let losses = Box::pin(ledger.check(&mut cluster)).await;
    assert!(losses.iter().any(|loss| loss.contains("check_in")), "{losses:#?}");
}

/// The contract's mutations are those whose request, or its header, takes a request id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_makes_every_mutation_of_the_contract() {
    let (cluster, ledger) = (Cluster::sqlite().await, Ledger::default());
    Box::pin(story::play(&cluster, &ledger, 0)).await;
    let made = ledger.methods();
    let missing: Vec<String> =
        methods().into_iter().filter(|method| story::changes(method) && !made.contains(method)).collect();
    assert!(missing.is_empty(), "a new mutation needs a step in tests/it/crash/story.rs: {missing:?}");
    let mut cluster = cluster;
    assert_eq!(Box::pin(ledger.check(&mut cluster)).await, Vec::<String>::new());
}
