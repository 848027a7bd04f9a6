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
use crate::engine::assign::Start;
use crate::engine::constrained::{
    Constrained, Diagnosis, DiagnosisError, Impossible, Mended, Proved, Question, Unsolved,
};
use crate::engine::objective::{Check, Evidence};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pool::on_threads;
use crate::engine::what_if::{Alternate, WhatIfError};
use crate::error::{Error, Result};
use crate::instance::{Instance, InstanceError, Violations};

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

/// A diagnosed problem.
#[derive(Debug)]
pub struct Diagnosed {
    /// The problem, with the names of its people.
    pub instance: Instance,
    /// What was found.
    pub diagnosis: Diagnosis,
    /// Why no assignment meets the floors of all groups; empty if one does.
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

    fn start(service: &Service, work: impl FnOnce(&dyn Observer) -> Result<T> + Send + 'static) -> Self {
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
                let constrained = constrained(&instance, objective, observer)?;
                match constrained.solve(None, observer) {
                    Ok(proved) => Ok(proved),
                    Err(Unsolved::Impossible(impossible)) if impossible.shortage.proved() => {
                        let reasons = instance.reasons(&constrained, &impossible);
                        Err(Unmet { impossible, reasons })
                    }
                    Err(Unsolved::Impossible(_)) => return Err(Error::internal("a cut proves nothing")),
                    Err(Unsolved::TooManyTiers) => return Err(too_many_tiers()),
                    Err(Unsolved::Stopped(stopped)) => return Err(self::stopped(stopped)),
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
            constrained(&instance, objective, observer)?.check(&pairs, &evidence, observer).map_err(stopped)
        }))
    }
}

impl Service {
    /// Answers questions about a proved result.
    pub fn what_if(
        &self,
        caller: &Caller,
        instance: Instance,
        (pairs, evidence): (Vec<(u32, u32)>, Evidence),
        (questions, most): (Vec<Question>, usize),
    ) -> Result<Work<(Instance, Vec<Vec<Alternate>>)>> {
        Action::WhatIf.permit(caller)?;
        let objective = evidence.objective();
        let instance = priced(Ok(instance), objective)?;
        Ok(Work::start(self, move |observer| {
            let answers = {
                let constrained = constrained(&instance, objective, observer)?;
                let check = constrained.check(&pairs, &evidence, observer).map_err(stopped)?;
                let not_proved = || {
                    let broken =
                        check.feasible.as_ref().err().map(|broken| instance.names.infeasibility(broken));
                    let told = broken.unwrap_or_else(|| format!("the gap is {}", check.gap));
                    Error::invalid_field("proof", "", format!("does not prove the pairs: {told}"))
                };
                if !check.proved {
                    return Err(not_proved());
                }
                let answers = constrained.ask(&pairs, &evidence, (&questions, most), observer);
                answers.map_err(|error| match error {
                    WhatIfError::NotProved => not_proved(),
                    WhatIfError::Stopped(stopped) => self::stopped(stopped),
                })?
            };
            Ok((instance, answers))
        }))
    }

    /// Repairs published pairs for a problem as it is now.
    pub fn repair(
        &self,
        caller: &Caller,
        instance: Result<Instance, Violations>,
        objective: Objective,
        (published, budget): (Vec<(u32, u32)>, Option<usize>),
    ) -> Result<Work<(Instance, Mended)>> {
        Action::Repair.permit(caller)?;
        let instance = priced(instance, objective)?;
        Ok(Work::start(self, move |observer| {
            let start = Start { pairs: published.clone(), ..Start::default() };
            let mended =
                constrained(&instance, objective, observer)?.repair(&published, &start, budget, observer);
            let mended = mended.map_err(stopped)?;
            if mended.checked == Some(false) {
                return Err(Error::internal("the proof of repaired pairs does not hold"));
            }
            Ok((instance, mended))
        }))
    }

    /// Says who cannot be served in a problem, and with `recruits` whom to find.
    pub fn diagnose(
        &self,
        caller: &Caller,
        instance: Result<Instance, Violations>,
        objective: Objective,
        recruits: usize,
    ) -> Result<Work<Diagnosed>> {
        Action::Diagnose.permit(caller)?;
        let instance = if recruits > 0 { priced(instance, objective) } else { ready(instance, objective) }?;
        Ok(Work::start(self, move |observer| {
            let (diagnosis, reasons) = {
                let constrained = constrained(&instance, objective, observer)?;
                let diagnosis = constrained.diagnose(recruits, observer).map_err(|error| match error {
                    DiagnosisError::TooManyTiers => too_many_tiers(),
                    DiagnosisError::Stopped(stopped) => self::stopped(stopped),
                })?;
                let unmet = diagnosis.unmet.iter();
                let reasons = unmet.flat_map(|unmet| instance.reasons(&constrained, unmet)).collect();
                (diagnosis, reasons)
            };
            Ok(Diagnosed { instance, diagnosis, reasons })
        }))
    }
}

/// A problem in which prices of people tell what a change costs.
fn priced(instance: Result<Instance, Violations>, objective: Objective) -> Result<Instance> {
    let instance = ready(instance, objective)?;
    if objective == Objective::BestTotal && instance.constraints.quotas.is_empty() {
        return Ok(instance);
    }
    let told = "goes with OBJECTIVE_BEST_TOTAL and without groups only";
    Err(Error::invalid_field("problem", "", told))
}

/// A problem whose constraints go with the objective: what does not is refused before any work waits for its turn.
fn ready(instance: Result<Instance, Violations>, objective: Objective) -> Result<Instance> {
    let instance = instance.map_err(refused)?;
    instance.check_objective(objective).map_err(|wrong| refused(wrong.within("problem")))?;
    Ok(instance)
}

fn constrained<'a>(
    instance: &'a Instance,
    objective: Objective,
    observer: &dyn Observer,
) -> Result<Constrained<'a>> {
    instance.constrained(objective, observer).map_err(|error| match error {
        InstanceError::Refused(wrong) => refused(wrong.within("problem")),
        InstanceError::Stopped(stopped) => self::stopped(stopped),
    })
}

fn too_many_tiers() -> Error {
    let told = "with so many tiers need numbers beyond what a proof holds";
    Error::invalid_field("problem.groups", "", told)
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
