//! The diagnosis of a round before it is run, and the dry run of another policy. Nothing is stored.

use super::round::parse_round;
use super::solver::Work;
use super::{Action, Service};
use crate::domain::caller::Caller;
use crate::domain::decision_conflict::conflicts_in_words;
use crate::domain::diagnosis::RoundDiagnosis;
use crate::domain::policy::{Policy, PolicyDraft};
use crate::domain::run::RunSummary;
use crate::engine::observer::Stopped;
use crate::engine::{self, NoOutcome, Options};
use crate::error::{Error, Result};
use crate::store::Scope;

/// The diagnosis of a round as it is now.
#[derive(Debug, Clone)]
pub struct DiagnosedRound {
    /// What stands in the way.
    pub diagnosis: RoundDiagnosis,
    /// Numbers of the run that would follow now, if they were asked for.
    pub dry_run: Option<RunSummary>,
}

impl Service {
    /// Starts to diagnose a round as it is now, under its own policy or under another one. With `dry_run` the round is
    /// solved too: its numbers are those that a run would show to the same caller.
    ///
    /// Runs wait for no diagnosis; diagnoses, checks and problems of callers take turns.
    pub async fn diagnose_round(
        &self,
        caller: &Caller,
        name: &str,
        policy: Option<&PolicyDraft>,
        dry_run: bool,
    ) -> Result<Work<DiagnosedRound>> {
        let permit = Action::DiagnoseRound.permit(caller)?;
        let id = parse_round("name", name)?;
        let policy = policy.map(Policy::parse).transpose();
        let policy = policy.map_err(|wrong| Error::InvalidFields(wrong.within("policy")))?;
        // A caller for whom the round does not exist learns so before anything is read in the name of the service.
        self.store.round(&permit.scope, &id).await?;
        let mut snapshot = self.store.present_snapshot(&Scope::System, &id, self.clock.now()).await?;
        if let Some(policy) = policy {
            snapshot.policy = policy;
        }
        Ok(Work::start(self, caller, move |observer| {
            let options = Options::default();
            let stopped = |Stopped: Stopped| Error::Cancelled;
            let diagnosis = engine::diagnose_round(&snapshot, &options, observer).map_err(stopped)?;
            let solved = dry_run.then(|| engine::solve(&snapshot, &options, observer)).transpose();
            let dry_run = solved.map_err(refused)?.map(|outcome| outcome.summary);
            Ok(DiagnosedRound { diagnosis, dry_run })
        }))
    }
}

/// Why a dry run has no numbers.
fn refused(unsolved: NoOutcome) -> Error {
    match unsolved {
        NoOutcome::Stopped => Error::Cancelled,
        // A run has no budget.
        NoOutcome::Budget(_) => Error::internal("a dry run was refused for a budget"),
        NoOutcome::Quotas(reasons) => Error::QuotasUnmet(reasons),
        NoOutcome::Decisions(conflicts) => Error::DecisionsConflict(conflicts_in_words(&conflicts)),
    }
}
