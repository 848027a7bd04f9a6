//! The worker: claims a run by lease, solves it off the async threads, renews the lease, and saves the result in one
//! transaction. The worker takes no input; the next claim restarts an interrupted run.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::clock::Stopwatch;
use crate::domain::run::{Digests, Stage};
use crate::engine::observer::{Observer as _, Stopped};
use crate::engine::{self, ENGINE_VERSION, Outcome};
use crate::error::{Error, Reason, Result, chain};
use crate::service::{LiveRun, Service, Stop};
use crate::store::{ClaimedRun, RunOutcome, Scope, Store};

/// Lifetime of a lease without a heartbeat.
const LEASE: Duration = Duration::from_secs(10);
/// Time between two heartbeats, which also report cancellations by other processes.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Time between two claims of an idle worker, for runs that other processes queued or lost.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Most attempts of a run before it fails.
const MAX_ATTEMPTS: i32 = 3;

/// Executes runs, one at a time, because the engine uses all cores.
#[derive(Debug)]
pub struct Worker {
    service: Service,
    owner: String,
    options: engine::Options,
}

impl Worker {
    /// A worker over the use cases. `threads` of 0 means one per core; `kept_scores_mib` limits the score cache of a
    /// run.
    pub fn new(service: Service, threads: usize, kept_scores_mib: usize) -> Self {
        let owner = service.clock().new_id().to_string();
        let threads = (threads > 0).then_some(threads);
        let options = engine::Options { threads, most_kept: kept_scores_mib << 20 };
        Self { service, owner, options }
    }

    /// Executes runs until `stop`, which returns a running run to the queue.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let now = self.service.clock().now();
            match self.store().claim_run(&Scope::System, &self.owner, now, LEASE).await {
                Ok(Some(claim)) => {
                    let span = tracing::info_span!("run", run = %claim.run.name, attempt = claim.run.attempt);
                    self.execute(claim, &stop).instrument(span).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error.type = error.reason().code(), "no run could be claimed; the worker tries again")
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.service.live_runs().until_queued() => {}
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
        }
    }

    fn store(&self) -> &Store {
        self.service.store()
    }

    /// Executes a claimed run and stores its end. If the end cannot be stored, the next claim repeats the run after the
    /// lease has expired.
    async fn execute(&self, claim: ClaimedRun, stop: &CancellationToken) {
        let stopwatch = Stopwatch::start();
        let live = self.service.live_runs().begin(&claim.run.name);
        let ended = if claim.cancel_requested {
            live.stop(Stop::Cancelled);
            self.end_stopped(&claim, &live).await
        } else if claim.run.attempt > MAX_ATTEMPTS {
            let message = format!(
                "the run was interrupted {MAX_ATTEMPTS} times; report it to operations, then start a new run"
            );
            self.fail(&claim, Reason::RunInterrupted, &message).await
        } else {
            match self.solve(&claim, &live, stop).await {
                Ok(Some(outcome)) if live.stopped().is_none() => {
                    let span = tracing::info_span!("stage", stage = Stage::Save.as_str());
                    self.save(&claim, &outcome).instrument(span).await
                }
                Ok(_) => self.end_stopped(&claim, &live).await,
                // The lease expires, and the next claim repeats the run.
                Err(error @ Error::StoreUnavailable(_)) => Err(error),
                Err(error) => {
                    tracing::error!(error.type = error.reason().code(), error = chain(&error), "run failed");
                    self.fail(
                        &claim,
                        error.reason(),
                        "the service has a defect; report the run to operations",
                    )
                    .await
                }
            }
        };
        self.service.live_runs().end(&claim.run.name);
        match ended {
            Ok(end) => tracing::info!(end, duration.micros = stopwatch.micros(), "run ended"),
            Err(error) => {
                tracing::warn!(error.type = error.reason().code(), error = chain(&error), "the end of the run could not be stored")
            }
        }
    }

    /// Solves the run's snapshot on a blocking thread; `None` if the run was stopped.
    async fn solve(
        &self,
        claim: &ClaimedRun,
        live: &Arc<LiveRun>,
        stop: &CancellationToken,
    ) -> Result<Option<RunOutcome>> {
        let snapshot = self.store().load_snapshot(&Scope::System, &claim.run.name).await?;
        let (observer, options) = (Arc::clone(live), self.options);
        let (expected, span) = (claim.run.input_digest.clone(), tracing::Span::current());
        let mut solving = tokio::task::spawn_blocking(move || {
            let _entered = span.enter();
            if snapshot.digest() != expected {
                return Err(Error::internal("the snapshot is not the one that was frozen"));
            }
            match engine::solve(&snapshot, &options, &*observer) {
                Ok(outcome) if outcome.summary.proof.proved => {
                    observer.progress(Stage::Save, 0, 1);
                    to_be_saved(outcome, snapshot.open_digest()).map(Some)
                }
                Ok(_) => Err(Error::internal("the result could not be proved")),
                Err(Stopped) => Ok(None),
            }
        });
        let mut ticks = tokio::time::interval(HEARTBEAT);
        loop {
            tokio::select! {
                solved = &mut solving => {
                    return solved.map_err(|error| Error::Internal("the engine panicked".into(), Some(error.into())))?;
                }
                _ = ticks.tick() => self.renew_lease(claim, live).await,
                () = stop.cancelled(), if live.stopped().is_none() => live.stop(Stop::Shutdown),
            }
        }
    }

    /// Renews the lease, stores the progress, and reads whether to stop.
    async fn renew_lease(&self, claim: &ClaimedRun, live: &LiveRun) {
        let now = self.service.clock().now();
        match self.store().heartbeat(claim, now, LEASE, live.latest()).await {
            Ok(run) if run.cancel_requested => live.stop(Stop::Cancelled),
            Ok(_) => {}
            Err(Error::RunState { .. }) => live.stop(Stop::Lost),
            Err(error) => {
                tracing::warn!(error.type = error.reason().code(), "the lease could not be renewed")
            }
        }
    }

    async fn save(&self, claim: &ClaimedRun, outcome: &RunOutcome) -> Result<&'static str> {
        self.store().complete_run(claim, self.service.clock().now(), outcome).await?;
        Ok("succeeded")
    }

    async fn end_stopped(&self, claim: &ClaimedRun, live: &LiveRun) -> Result<&'static str> {
        match live.stopped() {
            Some(Stop::Cancelled) => {
                self.store().cancel_claimed_run(claim, self.service.clock().now()).await?;
                Ok("cancelled")
            }
            Some(Stop::Shutdown) => {
                self.store().release_run(claim).await?;
                Ok("released")
            }
            Some(Stop::Lost) | None => Ok("lost"),
        }
    }

    async fn fail(&self, claim: &ClaimedRun, reason: Reason, message: &str) -> Result<&'static str> {
        self.store().fail_run(claim, self.service.clock().now(), reason, message).await?;
        Ok("failed")
    }
}

/// The engine's outcome in the form that the store saves.
fn to_be_saved(outcome: Outcome, open_input: String) -> Result<RunOutcome> {
    let certificate = serde_json::to_vec(&outcome.certificate)
        .map_err(|error| Error::Internal("the certificate does not serialise".into(), Some(error.into())))?;
    Ok(RunOutcome {
        engine_version: ENGINE_VERSION.to_owned(),
        digests: Digests { open_input, open_result: outcome.open_digest(), whole_result: outcome.digest() },
        summary: outcome.summary,
        summaries: outcome.summaries,
        matches: outcome.matches,
        unmatched: outcome.unmatched,
        unmatched_for_managers: outcome.unmatched_for_managers,
        certificate,
    })
}
