//! Problems that callers bring: solved and checked off the async threads, one at a time, since the engine uses all cores by
//! itself. Nothing of them is kept.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Action, Service};
use crate::domain::caller::Caller;
use crate::domain::explanation::Reason;
use crate::domain::policy::Objective;
use crate::domain::run::Stage;
use crate::domain::violation;
use crate::engine::constrained::{Constrained, Impossible, Proved, Unsolved};
use crate::engine::objective::{Check, Evidence};
use crate::engine::pool::on_threads;
use crate::engine::problem::{Observer, Stopped};
use crate::error::{Error, Result};
use crate::instance::{Instance, Violations};

/// A solved problem.
#[derive(Debug)]
pub struct Solved {
    /// The problem, with the names of its people.
    pub instance: Instance,
    /// What came out.
    pub outcome: Result<Proved, Unmet>,
}

/// Why no assignment meets the floors of all groups.
#[derive(Debug)]
pub struct Unmet {
    /// What proves it.
    pub impossible: Impossible,
    /// The same as reasons.
    pub reasons: Vec<Reason>,
}

/// How far the work on a problem is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headway {
    /// What is being done; `None` while other callers' problems are solved first.
    pub stage: Option<Stage>,
    /// Units that are done.
    pub done: u64,
    /// Units in all; 0 if unknown.
    pub total: u64,
}

/// Tells of the work on a problem, and ends it when the other half is gone.
#[derive(Debug)]
struct Watched {
    headway: watch::Sender<Headway>,
    stop: CancellationToken,
}

impl Observer for Watched {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        self.headway.send_replace(Headway { stage: Some(stage), done, total });
    }

    fn is_cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}

/// Work on a problem. Dropping it stops the work.
#[derive(Debug)]
pub struct Work<T> {
    /// One task, which ends with the work.
    task: JoinSet<Result<T>>,
    headway: watch::Receiver<Headway>,
    _stop: DropGuard,
}

impl<T: Send + 'static> Work<T> {
    /// The next news: how far the work is, or `None` when it is done.
    pub async fn news(&mut self) -> Option<Headway> {
        self.headway.changed().await.ok()?;
        Some(*self.headway.borrow_and_update())
    }

    /// The end of the work.
    pub async fn end(mut self) -> Result<T> {
        let ended = self.task.join_next().await.ok_or(Error::Cancelled)?;
        ended.map_err(|error| Error::Internal("the solver panicked".into(), Some(error.into())))?
    }

    fn start(
        service: &Service,
        work: impl FnOnce(&dyn Observer) -> Result<T> + Send + 'static,
    ) -> Self {
        let (tell, mut headway) = watch::channel(Headway::default());
        // That the work waits for its turn is news, too.
        headway.mark_changed();
        let stop = CancellationToken::new();
        let (turn, threads) = (Arc::clone(&service.solver_turn), service.solver_threads);
        let watched = Watched { headway: tell, stop: stop.clone() };
        let span = tracing::Span::current();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let turn = tokio::select! {
                turn = turn.acquire_owned() => turn.map_err(|_| Error::ShuttingDown)?,
                () = watched.stop.cancelled() => return Err(Error::Cancelled),
            };
            let working = tokio::task::spawn_blocking(move || {
                let (_turn, _entered) = (turn, span.enter());
                on_threads(threads, || work(&watched))
            });
            match working.await {
                Ok(done) => done,
                Err(panic) => Err(Error::Internal("the solver panicked".into(), Some(panic.into()))),
            }
        });
        Self { task, headway, _stop: stop.drop_guard() }
    }
}

impl Service {
    /// Solves a problem that the caller brings, and proves the result.
    pub fn solve(
        &self,
        caller: &Caller,
        instance: Result<Instance, Violations>,
        objective: Objective,
    ) -> Result<Work<Solved>> {
        Action::Solve.permit(caller)?;
        let instance = ready(instance, objective)?;
        Ok(Work::start(self, move |observer| {
            let outcome = {
                let constrained = constrained(&instance, objective)?;
                match constrained.solve(None, observer).map_err(stopped)? {
                    Ok(proved) => Ok(proved),
                    Err(Unsolved::Impossible(impossible)) if impossible.shortage.proved() => {
                        let reasons = instance.reasons(&constrained, &impossible);
                        Err(Unmet { impossible, reasons })
                    }
                    Err(Unsolved::Impossible(_)) => return Err(Error::internal("a cut proves nothing")),
                    Err(Unsolved::TooManyTiers) => {
                        let told = "with so many tiers need numbers beyond what a proof holds";
                        return Err(Error::invalid_field("problem.groups", "", told));
                    }
                }
            };
            Ok(Solved { instance, outcome })
        }))
    }

    /// Whether a problem that a caller has brought is being worked on.
    pub fn is_solving(&self) -> bool {
        self.solver_turn.available_permits() == 0
    }

    /// Checks pairs and their proof from scratch.
    pub fn verify(
        &self,
        caller: &Caller,
        instance: Instance,
        pairs: Vec<(u32, u32)>,
        evidence: Evidence,
    ) -> Result<Work<Check>> {
        Action::Verify.permit(caller)?;
        let objective = evidence.objective();
        let instance = ready(Ok(instance), objective)?;
        Ok(Work::start(self, move |observer| {
            constrained(&instance, objective)?.check(&pairs, &evidence, observer).map_err(stopped)
        }))
    }
}

/// A problem whose constraints go with the objective: what does not is refused before any work waits for its turn.
fn ready(instance: Result<Instance, Violations>, objective: Objective) -> Result<Instance> {
    let instance = instance.map_err(refused)?;
    instance.goes_with(objective).map_err(|wrong| refused(wrong.within("problem")))?;
    Ok(instance)
}

fn constrained(instance: &Instance, objective: Objective) -> Result<Constrained<'_>> {
    instance.constrained(objective).map_err(|wrong| refused(wrong.within("problem")))
}

fn stopped(Stopped: Stopped) -> Error {
    Error::Cancelled
}

/// The error that tells what is wrong with a problem.
pub fn refused(wrong: Violations) -> Error {
    let mut told = violation::Violations::default();
    if wrong.more > 0 {
        told.push("problem", "", format!("{} more violations are not listed", wrong.more), "");
    }
    for one in wrong.listed {
        told.push(one.place, "", one.what, "");
    }
    Error::InvalidFields(told.into_inner())
}
