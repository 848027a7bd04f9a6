//! The worker: claims a run by lease, renews the lease until the run ends, solves the run off the async threads, and saves
//! the result, which one transaction makes visible. The worker takes no input; the next claim restarts an interrupted run.

mod quality;
mod stages;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::clock::Stopwatch;
use crate::domain::decision_conflict::ToldConflicts;
use crate::domain::explanation::stored_reasons;
use crate::domain::leaf::Seals;
use crate::domain::run::{Stage, Standing};
use crate::domain::snapshot::Snapshot;
use crate::engine::observer::Observer as _;
use crate::engine::{self, ENGINE_VERSION, NoOutcome, Outcome};
use crate::error::{Error, Reason, Result, chain};
use crate::service::{LiveRun, Service, Stop};
use crate::store::{ClaimedRun, LoadedSnapshot, RunOutcome, Scope, Store};
use crate::telemetry::trace;
use quality::LastRun;
use stages::Stages;

/// Lifetime of a lease without a heartbeat.
const LEASE: Duration = Duration::from_secs(10);
/// Time between two heartbeats, which also report cancellations by other processes.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Time between two claims of an idle worker, for runs that other processes queued or lost.
const POLL_EVERY: Duration = Duration::from_secs(2);
/// Most attempts of a run before it fails.
const MAX_ATTEMPTS: i32 = 3;

/// Executes runs, one at a time, because the engine uses all cores.
#[derive(Debug)]
pub struct Worker {
    service: Service,
    owner: String,
    options: engine::Options,
    last: Arc<LastRun>,
}

impl Worker {
    /// A worker over the use cases. `threads` of 0 means one per core; `kept_scores_mib` limits the score cache of a
    /// run.
    pub fn new(service: Service, threads: usize, kept_scores_mib: usize) -> Self {
        let owner = service.clock().new_id().to_string();
        let threads = (threads > 0).then_some(threads);
        let options = engine::Options { threads, most_kept: kept_scores_mib << 20 };
        let last = LastRun::shown_by(service.metrics());
        Self { service, owner, options, last }
    }

    /// Executes runs until `stop`, which returns a running run to the queue.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let now = self.service.clock().now();
            match self.store().claim_run(&Scope::System, &self.owner, now, LEASE).await {
                Ok(Some(claim)) => {
                    let span = trace::of_run(claim.trace_parent.as_deref(), || {
                        tracing::info_span!(
                            "run",
                            otel.kind = "consumer",
                            otel.status_code = tracing::field::Empty,
                            run = %claim.run.name,
                            attempt = claim.run.attempt,
                            outcome = tracing::field::Empty,
                        )
                    });
                    Box::pin(self.execute(claim, &stop).instrument(span)).await;
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
    /// lease has expired. The lease is renewed from the claim to the end, beside loading, solving and saving.
    async fn execute(&self, claim: ClaimedRun, stop: &CancellationToken) {
        let stopwatch = Stopwatch::start();
        let live = self.service.live_runs().begin(&claim.run.name);
        let done = CancellationToken::new();
        let work = async {
            let ended = self.work(&claim, &live).await;
            done.cancel();
            ended
        };
        let shutdown = async {
            tokio::select! {
                () = done.cancelled() => {}
                () = stop.cancelled() => live.stop(Stop::Shutdown),
            }
        };
        let (ended, (), ()) = tokio::join!(work, self.hold_lease(&claim, &live, &done), shutdown);
        self.service.live_runs().end(&claim.run.name);
        let time = stopwatch.elapsed();
        let end = match &ended {
            Ok((end, _)) => end,
            Err(Error::RunState { .. }) => "lost",
            Err(_) => "interrupted",
        };
        let metrics = self.service.metrics();
        metrics.run_ended(end, time);
        tracing::Span::current().record("outcome", end);
        if ["failed", "lost", "interrupted"].contains(&end) {
            tracing::Span::current().record("otel.status_code", "ERROR");
        }
        match ended {
            Ok((end, outcome)) => {
                tracing::info!(end, duration.micros = stopwatch.micros(), "run ended");
                // A large result takes a while to be read and freed: not before the end is announced, and not on an async thread.
                let (last, metrics) = (Arc::clone(&self.last), metrics.clone());
                let shown = move || outcome.iter().for_each(|outcome| last.show(outcome, &metrics));
                let _ = tokio::task::spawn_blocking(shown).await;
            }
            Err(error) => {
                tracing::warn!(error.type = error.reason().code(), error = chain(&error), "the end of the run could not be stored")
            }
        }
    }

    /// Loads, solves and saves a run. Returns its end, and the result if it was saved.
    async fn work(
        &self,
        claim: &ClaimedRun,
        live: &Arc<LiveRun>,
    ) -> Result<(&'static str, Option<RunOutcome>)> {
        if claim.cancel_requested {
            live.stop(Stop::Cancelled);
            return Ok((self.end_stopped(claim, live).await?, None));
        }
        if claim.run.attempt > MAX_ATTEMPTS {
            let message = format!(
                "the run was interrupted {MAX_ATTEMPTS} times; report it to operations, then start a new run"
            );
            return Ok((self.fail(claim, Reason::RunInterrupted, &message).await?, None));
        }
        match self.solve(claim, live).await {
            Ok(Some(outcome)) if live.stopped().is_none() => {
                let stages = Stages::new(live, self.service.metrics());
                let span = stages.enter(Stage::Save);
                Ok((self.save(claim, &outcome).instrument(span).await?, Some(outcome)))
            }
            Ok(_) => Ok((self.end_stopped(claim, live).await?, None)),
            // The lease expires, and the next claim repeats the run; or another worker has claimed the run.
            Err(error @ (Error::StoreUnavailable(_) | Error::RunState { .. })) => Err(error),
            Err(Error::DecisionsConflict(told)) => {
                Ok((self.fail(claim, Reason::DecisionsConflict, &told.stored()).await?, None))
            }
            Err(Error::RepairBudget(Some(needed))) => {
                Ok((self.fail(claim, Reason::RepairBudget, &needed.to_string()).await?, None))
            }
            Err(Error::QuotasUnmet(reasons)) => {
                let reasons = stored_reasons(&reasons);
                Ok((self.fail(claim, Reason::QuotasUnmet, &reasons).await?, None))
            }
            Err(error) => {
                tracing::error!(error.type = error.reason().code(), error = chain(&error), "run failed");
                let message = "the service has a defect; report the run to operations";
                Ok((self.fail(claim, error.reason(), message).await?, None))
            }
        }
    }

    /// Solves the run's snapshot on a blocking thread; `None` if the run was stopped.
    async fn solve(&self, claim: &ClaimedRun, live: &Arc<LiveRun>) -> Result<Option<RunOutcome>> {
        let (snapshot, seals) = tokio::select! {
            loaded = self.load(claim) => loaded?,
            () = live.until_stopped() => return Ok(None),
        };
        let (live, options, span) = (Arc::clone(live), self.options, tracing::Span::current());
        let metrics = self.service.metrics().clone();
        // Only a repair has a budget.
        let most_changes = claim.run.most_changes.map(u64::from);
        let solving = tokio::task::spawn_blocking(move || {
            let _entered = span.enter();
            let stages = Stages::new(&live, &metrics);
            let solved = engine::repair_round(&snapshot, most_changes, &options, &stages);
            drop(stages);
            match solved {
                Ok(outcome) if outcome.summary.proof.standing() != Standing::Unproved => {
                    live.progress(Stage::Save, 0, 1);
                    Ok(Some(to_be_saved(outcome, &snapshot, &seals)))
                }
                Ok(_) => Err(Error::internal("the result could not be proved")),
                Err(NoOutcome::Stopped) => Ok(None),
                Err(NoOutcome::Budget(needed)) => Err(Error::RepairBudget(Some(needed))),
                Err(NoOutcome::Quotas(reasons)) => Err(Error::QuotasUnmet(reasons)),
                Err(NoOutcome::Decisions(conflicts)) => {
                    Err(Error::DecisionsConflict(ToldConflicts::of(&conflicts)))
                }
            }
        });
        // The message of a panic may quote a value: its place is in the log.
        solving.await.map_err(|_| Error::internal("the engine panicked"))?
    }

    /// Loads the snapshot of a run. The first load stores the digest, and a later one checks it.
    async fn load(&self, claim: &ClaimedRun) -> Result<(Snapshot, Seals)> {
        let LoadedSnapshot { snapshot, seals, digest, .. } =
            self.store().load_snapshot(&Scope::System, &claim.run.name).await?;
        if claim.run.input_digest.is_empty() {
            self.store().seal_run(claim, &digest).await?;
        } else if claim.run.input_digest != digest {
            return Err(Error::internal("the snapshot is not the one that was frozen"));
        }
        Ok((snapshot, seals))
    }

    /// Renews the lease until the run is done. The claim itself counts as the first renewal.
    async fn hold_lease(&self, claim: &ClaimedRun, live: &LiveRun, done: &CancellationToken) {
        loop {
            tokio::select! {
                () = done.cancelled() => return,
                () = tokio::time::sleep(HEARTBEAT) => self.renew_lease(claim, live).await,
            }
        }
    }

    /// Renews the lease, stores the progress, and reads whether to stop.
    async fn renew_lease(&self, claim: &ClaimedRun, live: &LiveRun) {
        match self.store().heartbeat(claim, LEASE, live.latest()).await {
            Ok(run) if run.cancel_requested => live.stop(Stop::Cancelled),
            Ok(_) => {}
            Err(Error::RunState { .. }) => live.stop(Stop::Lost),
            Err(error) => {
                tracing::warn!(error.type = error.reason().code(), "the lease could not be renewed")
            }
        }
    }

    async fn save(&self, claim: &ClaimedRun, outcome: &RunOutcome) -> Result<&'static str> {
        self.store().complete_run(claim, || self.service.clock().now(), outcome).await?;
        Ok("succeeded")
    }

    async fn end_stopped(&self, claim: &ClaimedRun, live: &LiveRun) -> Result<&'static str> {
        match live.stopped() {
            Some(Stop::Cancelled) => {
                self.store().cancel_claimed_run(claim, || self.service.clock().now()).await?;
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
        self.store().fail_run(claim, || self.service.clock().now(), reason, message).await?;
        Ok("failed")
    }
}

/// The engine's outcome in the form that the store saves.
fn to_be_saved(outcome: Outcome, snapshot: &Snapshot, seals: &Seals) -> RunOutcome {
    RunOutcome {
        engine_version: ENGINE_VERSION.to_owned(),
        digests: outcome.digests(snapshot, seals),
        summary: outcome.summary,
        summaries: outcome.summaries,
        matches: outcome.matches,
        unmatched: outcome.unmatched,
        unmatched_for_managers: outcome.unmatched_for_managers,
        certificate: outcome.certificate.to_bytes(),
        first_days: outcome.first_days,
    }
}
