//! The worker: claims a run by lease, solves it off the async threads, keeps the lease alive, saves the result in one
//! transaction. Idempotent: it takes no input, and whatever is interrupted is taken up again by the next claim.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::clock::Stopwatch;
use crate::domain::run::Stage;
use crate::engine::observer::{Observer as _, Stopped};
use crate::engine::{self, ENGINE_VERSION, Outcome};
use crate::error::{Error, Result, chain};
use crate::service::{LiveRun, Service, Stop};
use crate::store::{ClaimedRun, RunOutcome, Store};

/// How long a claim holds without a sign of life.
const LEASE: Duration = Duration::from_secs(10);
/// How often a working worker gives a sign of life, and hears of cancellations asked for elsewhere.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How often an idle worker looks for runs that other processes have queued or lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Times a run is begun before it is given up.
const MAX_ATTEMPTS: i32 = 3;

/// Executes runs, one at a time: the engine uses all cores by itself.
#[derive(Debug)]
pub struct Worker {
    service: Service,
    owner: String,
    options: engine::Options,
}

impl Worker {
    /// A worker over the use cases. `threads` of 0 means one per core; scores of a run are kept in up to so many MiB.
    pub fn new(service: Service, threads: usize, kept_scores_mib: usize) -> Self {
        let owner = service.clock().new_id().to_string();
        let threads = (threads > 0).then_some(threads);
        let options = engine::Options { threads, most_kept: kept_scores_mib << 20 };
        Self { service, owner, options }
    }

    /// Works until told to stop. A run under way then goes back to the queue.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let now = self.service.clock().now();
            match self.store().claim_run(&self.owner, now, LEASE).await {
                Ok(Some(claim)) => {
                    let span = tracing::info_span!("run", run = %claim.run.name, attempt = claim.run.attempt);
                    self.execute(claim, &stop).instrument(span).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error.type = error.reason(), "no run could be claimed; trying again")
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.service.board().until_queued() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn store(&self) -> &Store {
        self.service.store()
    }

    /// Brings a claimed run to an end of some kind. An error that keeps even the end from being written leaves the run
    /// to the next claim, when the lease has run out.
    async fn execute(&self, claim: ClaimedRun, stop: &CancellationToken) {
        let stopwatch = Stopwatch::start();
        let live = self.service.board().begin(&claim.run.name);
        let ended = if claim.cancel_requested {
            live.stop(Stop::Cancelled);
            self.end_stopped(&claim, &live).await
        } else if claim.run.attempt > MAX_ATTEMPTS {
            let message = format!("interrupted {MAX_ATTEMPTS} times; start a new run, and tell operations");
            self.fail(&claim, "RUN_INTERRUPTED", &message).await
        } else {
            match self.solve(&claim, &live, stop).await {
                Ok(Some(outcome)) if live.stopped().is_none() => {
                    let span = tracing::info_span!("stage", stage = Stage::Save.as_str());
                    self.save(&claim, &outcome).instrument(span).await
                }
                Ok(_) => self.end_stopped(&claim, &live).await,
                // The lease runs out, and the next claim tries again.
                Err(error @ Error::StoreUnavailable(_)) => Err(error),
                Err(error) => {
                    tracing::error!(error.type = error.reason(), error = chain(&error), "run failed");
                    self.fail(
                        &claim,
                        error.reason(),
                        "a defect of the service; operations can see it in the log",
                    )
                    .await
                }
            }
        };
        self.service.board().end(&claim.run.name);
        match ended {
            Ok(end) => tracing::info!(end, duration.micros = stopwatch.micros(), "run ended"),
            Err(error) => {
                tracing::warn!(error.type = error.reason(), error = chain(&error), "the run's end could not be written")
            }
        }
    }

    /// Solves the run's snapshot on a thread of its own; `None` if it was stopped.
    async fn solve(
        &self,
        claim: &ClaimedRun,
        live: &Arc<LiveRun>,
        stop: &CancellationToken,
    ) -> Result<Option<RunOutcome>> {
        let snapshot = self.store().load_snapshot(&claim.run.name).await?;
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
                    to_be_saved(outcome).map(Some)
                }
                Ok(_) => Err(Error::internal("the result could not be proved")),
                Err(Stopped) => Ok(None),
            }
        });
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        loop {
            tokio::select! {
                solved = &mut solving => {
                    return solved.map_err(|error| Error::Internal("the engine panicked".into(), Some(error.into())))?;
                }
                _ = heartbeat.tick() => self.sign_of_life(claim, live).await,
                () = stop.cancelled(), if live.stopped().is_none() => live.stop(Stop::Shutdown),
            }
        }
    }

    /// Renews the lease, writes the progress, and hears whether to stop.
    async fn sign_of_life(&self, claim: &ClaimedRun, live: &LiveRun) {
        let now = self.service.clock().now();
        match self.store().heartbeat(claim, now, LEASE, live.told()).await {
            Ok(heard) if heard.cancel_requested => live.stop(Stop::Cancelled),
            Ok(_) => {}
            Err(Error::RunState { .. }) => live.stop(Stop::Lost),
            Err(error) => tracing::warn!(error.type = error.reason(), "a sign of life could not be written"),
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

    async fn fail(&self, claim: &ClaimedRun, reason: &str, message: &str) -> Result<&'static str> {
        self.store().fail_run(claim, self.service.clock().now(), reason, message).await?;
        Ok("failed")
    }
}

/// The engine's outcome as the store keeps it.
fn to_be_saved(outcome: Outcome) -> Result<RunOutcome> {
    let certificate = serde_json::to_vec(&outcome.evidence)
        .map_err(|error| Error::Internal("the certificate does not serialise".into(), Some(error.into())))?;
    Ok(RunOutcome {
        engine_version: ENGINE_VERSION.to_owned(),
        result_digest: outcome.digest(),
        summary: outcome.summary,
        matches: outcome.matches,
        unmatched: outcome.unmatched,
        certificate,
    })
}
