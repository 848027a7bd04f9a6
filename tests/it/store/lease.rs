//! Leases of real workers: a slow database and clocks that differ do not let a second worker take a run.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wim_match::domain::name::RunRef;
use wim_match::domain::run::{Run, RunState};
use wim_match::service::Service;
use wim_match::store::Scope;
use wim_match::worker::Worker;

use super::fixture::{Fixture, LEASE, Raw, at};
use crate::fixed_clock::FixedClock;

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// Workers over one database, each with a clock of its own.
struct Workers {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Workers {
    fn start(f: &Fixture, clocks: [i64; 2]) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for seconds in clocks {
            let service = Service::new(f.store.clone(), Arc::new(FixedClock::at(at(seconds))));
            tasks.spawn(Worker::new(service, 1, 16).run(stop.clone()));
        }
        Self { stop, tasks }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn until(f: &Fixture, run: &RunRef, is_it: impl Fn(&Run) -> bool) -> Run {
    let found = async {
        loop {
            let run = f.store.run(&Scope::Alliance, run).await.expect("exists");
            if is_it(&run) {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("it happens")
}

/// Waits until the lease of the only run was renewed twice: the second renewal began after the call.
async fn until_renewed(raw: &mut Raw) {
    const END: &str = "SELECT lease_until_micros FROM run WHERE state = 'running'";
    let renewed = async {
        for _ in 0..2 {
            let before = raw.number(END).await;
            while raw.number(END).await == before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, renewed).await.expect("the lease is renewed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_database_lets_no_second_worker_take_a_run() {
    // SQLite has no lock that stops a reader.
    let Some(f) = Fixture::postgresql().await else { return };
    let (_, _, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    let (mut lock, mut raw) = (f.raw().await, f.raw().await);
    lock.execute("BEGIN; LOCK TABLE profile_version IN ACCESS EXCLUSIVE MODE").await;
    let workers = Workers::start(&f, [11, 56]);
    until(&f, &run, |run| run.state == RunState::Running).await;
    until_renewed(&mut raw).await;
    assert_eq!(f.store.claim_run(&Scope::System, "w-3", at(99), LEASE).await.expect("asks"), None);
    lock.execute("COMMIT; BEGIN; LOCK TABLE run_match, run_unmatched IN ACCESS EXCLUSIVE MODE").await;
    // The result waits for the tables now, and the run is still this worker's.
    assert_eq!(f.store.claim_run(&Scope::System, "w-3", at(99), LEASE).await.expect("asks"), None);
    lock.execute("COMMIT").await;
    let ended = until(&f, &run, |run| run.state.is_final()).await;
    assert_eq!((ended.state, ended.attempt), (RunState::Succeeded, 1));
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_whose_clocks_differ_execute_a_run_once() {
    let f = Fixture::sqlite().await;
    let (_, _, round) = f.enrolled_round().await;
    let workers = Workers::start(&f, [11, 56]);
    for seconds in 20..25 {
        let run = f.start_run(&round, at(seconds)).await.name;
        let ended = until(&f, &run, |run| run.state.is_final()).await;
        assert_eq!((ended.state, ended.attempt), (RunState::Succeeded, 1));
    }
    workers.stop().await;
}
