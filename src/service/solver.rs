//! Problems that callers bring. The engine uses all cores, so one problem is solved at a time, off the async threads.
//! Nothing of a problem is stored.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Action, Service};
use crate::domain::caller::Caller;
use crate::domain::explanation::Reason;
use crate::domain::policy::Objective;
use crate::domain::run::Stage;
use crate::domain::violation::Violations;
use crate::engine::assign::Start;
use crate::engine::constrained::{
    Constrained, Diagnosis, DiagnosisError, Impossible, Mended, Proved, Question, Unsolved,
};
use crate::engine::objective::Check;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pool::on_threads;
use crate::engine::solution::Evidence;
use crate::engine::what_if::{Alternate, WhatIfError};
use crate::error::{Error, Result};
use crate::instance::{Instance, InstanceError};
use crate::message;

/// A solved problem.
#[derive(Debug)]
pub struct Solved {
    /// The problem, with the names of its people.
    pub instance: Instance,
    /// The proved result, or the proof that there is none.
    pub outcome: Result<Proved, Unmet>,
}

/// Proof that no assignment meets all floors.
#[derive(Debug)]
pub struct Unmet {
    /// The set of people and groups that proves it.
    pub impossible: Impossible,
    /// The same proof as reasons.
    pub reasons: Vec<Reason>,
}

/// A diagnosed problem.
#[derive(Debug)]
pub struct Diagnosed {
    /// The problem, with the names of its people.
    pub instance: Instance,
    /// The diagnosis.
    pub diagnosis: Diagnosis,
    /// Reasons why no assignment meets all floors; empty if one does.
    pub reasons: Vec<Reason>,
}

/// Progress of the work on a problem.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkProgress {
    /// The present stage; `None` while the problems of other callers are solved.
    pub stage: Option<Stage>,
    /// Finished units of the stage.
    pub done: u64,
    /// All units of the stage; 0 if unknown.
    pub total: u64,
}

/// Observer of the work on a problem: sends its progress, and stops it when the [`Work`] is dropped.
#[derive(Debug)]
struct Watched {
    progress: watch::Sender<WorkProgress>,
    stop: CancellationToken,
}

impl Observer for Watched {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        self.progress.send_replace(WorkProgress { stage: Some(stage), done, total });
    }

    fn is_cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}

/// Work on a problem. Dropping it stops the work.
#[derive(Debug)]
pub struct Work<T> {
    /// The task of the work; dropping the set aborts the task.
    task: JoinSet<Result<T>>,
    progress: watch::Receiver<WorkProgress>,
    _stop: DropGuard,
}

impl<T: Send + 'static> Work<T> {
    /// The next progress, or `None` at the end of the work.
    pub async fn next_progress(&mut self) -> Option<WorkProgress> {
        self.progress.changed().await.ok()?;
        Some(*self.progress.borrow_and_update())
    }

    /// Waits for the end of the work and returns its result.
    pub async fn finish(mut self) -> Result<T> {
        let ended = self.task.join_next().await.ok_or(Error::Cancelled)?;
        ended.map_err(|_| Error::internal("the solver panicked"))?
    }

    /// Starts work of which one runs at a time, off the async threads; the callers take turns.
    pub(super) fn start(
        service: &Service,
        caller: &Caller,
        work: impl FnOnce(&dyn Observer) -> Result<T> + Send + 'static,
    ) -> Self {
        let (sender, mut progress) = watch::channel(WorkProgress::default());
        // The first progress reports that the work waits for its turn.
        progress.mark_changed();
        let stop = CancellationToken::new();
        let (turns, threads) = (Arc::clone(&service.solver_turns), service.solver_threads);
        let caller = caller.principal.clone();
        let watched = Watched { progress: sender, stop: stop.clone() };
        let span = tracing::Span::current();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let turn = tokio::select! {
                turn = turns.take(&caller) => turn?,
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
        Self { task, progress, _stop: stop.drop_guard() }
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
        Ok(Work::start(self, caller, move |observer| {
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

    /// Checks pairs and their proof with code that shares nothing with the solver.
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
        Ok(Work::start(self, caller, move |observer| {
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
        Ok(Work::start(self, caller, move |observer| {
            let answers = {
                let constrained = constrained(&instance, objective, observer)?;
                let check = constrained.check(&pairs, &evidence, observer).map_err(stopped)?;
                let not_proved = || {
                    let broken =
                        check.feasible.as_ref().err().map(|broken| instance.names.infeasibility(broken));
                    let cause = broken.unwrap_or_else(|| message!("the gap is {gap}", gap = check.gap));
                    let what = message!("does not prove the pairs: {cause}", cause = cause);
                    Error::invalid_field("proof", "", what)
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

    /// Repairs published pairs for the present problem.
    pub fn repair(
        &self,
        caller: &Caller,
        instance: Result<Instance, Violations>,
        objective: Objective,
        (published, budget): (Vec<(u32, u32)>, Option<usize>),
    ) -> Result<Work<(Instance, Mended)>> {
        Action::Repair.permit(caller)?;
        let instance = priced(instance, objective)?;
        Ok(Work::start(self, caller, move |observer| {
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

    /// Reports shortages of a problem, and at most `recruits` mentors to recruit.
    pub fn diagnose(
        &self,
        caller: &Caller,
        instance: Result<Instance, Violations>,
        objective: Objective,
        recruits: usize,
    ) -> Result<Work<Diagnosed>> {
        Action::Diagnose.permit(caller)?;
        let instance = if recruits > 0 { priced(instance, objective) } else { ready(instance, objective) }?;
        Ok(Work::start(self, caller, move |observer| {
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

/// A parsed problem with prices of people, from which costs of changes can be computed.
fn priced(instance: Result<Instance, Violations>, objective: Objective) -> Result<Instance> {
    let instance = ready(instance, objective)?;
    if objective == Objective::BestTotal && instance.constraints.quotas.is_empty() {
        return Ok(instance);
    }
    let wrong = "has another objective or groups; this method needs OBJECTIVE_BEST_TOTAL without groups";
    Err(Error::invalid_field("problem", "", wrong))
}

/// A parsed problem whose objective allows its constraints. Others are refused before they wait for their turn.
fn ready(instance: Result<Instance, Violations>, objective: Objective) -> Result<Instance> {
    let instance = instance.map_err(Error::InvalidFields)?;
    instance.check_objective(objective).map_err(|wrong| Error::InvalidFields(wrong.within("problem")))?;
    Ok(instance)
}

fn constrained<'a>(
    instance: &'a Instance,
    objective: Objective,
    observer: &dyn Observer,
) -> Result<Constrained<'a>> {
    instance.constrained(objective, observer).map_err(|error| match error {
        InstanceError::Refused(wrong) => Error::InvalidFields(wrong.within("problem")),
        InstanceError::Stopped(stopped) => self::stopped(stopped),
    })
}

fn too_many_tiers() -> Error {
    let wrong =
        "have too many priority tiers beside them for an exact proof in 128-bit integers; use fewer tiers";
    Error::invalid_field("problem.groups", "", wrong)
}

fn stopped(Stopped: Stopped) -> Error {
    Error::Cancelled
}
