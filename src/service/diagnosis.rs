//! The diagnosis of a round before it is run, and the dry run of another policy. Nothing is stored.

use std::collections::BTreeSet;

use super::round::parse_round;
use super::solver::Work;
use super::{Action, Service};
use crate::domain::caller::Caller;
use crate::domain::decision_conflict::ToldConflicts;
use crate::domain::diagnosis::RoundDiagnosis;
use crate::domain::enrolment::EnrolmentFilter;
use crate::domain::name::{OrganisationId, OwnId, RoundId};
use crate::domain::policy::{Policy, PolicyDraft};
use crate::domain::run::RunSummary;
use crate::domain::warning::{Warning, WarningCode};
use crate::engine::observer::Stopped;
use crate::engine::{self, NoOutcome, Options};
use crate::error::{Error, Result};
use crate::store::{EnrolmentKey, Scope};

/// People whose lists are read at a time.
const PEOPLE_AT_A_TIME: u32 = 1_000;
/// Most warnings of an answer.
const MOST_WARNINGS: usize = 1_000;

/// The diagnosis of a round as it is now.
#[derive(Debug, Clone)]
pub struct DiagnosedRound {
    /// What stands in the way.
    pub diagnosis: RoundDiagnosis,
    /// Numbers of the run that would follow now, if they were asked for.
    pub dry_run: Option<RunSummary>,
}

/// A diagnosis for a coordinator, or for the manager of an organisation.
#[derive(Debug)]
pub enum Diagnosing {
    /// The round as coordinators read it.
    Round(Work<DiagnosedRound>),
    /// Ids in the lists of her own enrolled members that her organisation does not have, by profile: they have no effect.
    Members(Vec<(String, Warning)>),
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
    ) -> Result<Diagnosing> {
        let permit = Action::DiagnoseRound.permit(caller)?;
        let id = parse_round("name", name)?;
        let policy = policy.map(Policy::parse).transpose();
        let policy = policy.map_err(|wrong| Error::InvalidFields(wrong.within("policy")))?;
        // A caller for whom the round does not exist learns so before anything is read in the name of the service.
        self.store.round(&permit.scope, &id).await?;
        if let Some(own) = permit.scope.organisations() {
            let asked =
                [("policy", policy.is_some()), ("dry_run", dry_run)].into_iter().find(|(_, asked)| *asked);
            if let Some((field, _)) = asked {
                let what = "is for coordinators; without it a manager reads what is wrong in the lists of her members";
                return Err(Error::invalid_field(field, "", what));
            }
            return Ok(Diagnosing::Members(self.unknown_ids(&permit.scope, &id, own).await?));
        }
        let mut snapshot = self.store.present_snapshot(&Scope::System, &id, self.clock.now()).await?;
        if let Some(policy) = policy {
            snapshot.policy = policy;
        }
        Ok(Diagnosing::Round(Work::start(self, caller, move |observer| {
            let options = Options::default();
            let stopped = |Stopped: Stopped| Error::Cancelled;
            let diagnosis = engine::diagnose_round(&snapshot, &options, observer).map_err(stopped)?;
            let solved = dry_run.then(|| engine::solve(&snapshot, &options, observer)).transpose();
            let dry_run = solved.map_err(refused)?.map(|outcome| outcome.summary);
            Ok(DiagnosedRound { diagnosis, dry_run })
        })))
    }

    /// Ids that the private lists of enrolled members name and their own organisation does not have. Private lists are for the
    /// organisation of the person alone.
    async fn unknown_ids(
        &self,
        scope: &Scope,
        round: &RoundId,
        own: &BTreeSet<OrganisationId>,
    ) -> Result<Vec<(String, Warning)>> {
        let mut found = Vec::new();
        'organisations: for organisation in own {
            let filter = EnrolmentFilter { organisation: Some(organisation.clone()), is_live: Some(true) };
            let mut after: Option<EnrolmentKey> = None;
            loop {
                let page = self
                    .store
                    .list_enrolments(scope, round, &filter, after.as_ref(), PEOPLE_AT_A_TIME)
                    .await?;
                let Some((_, last)) = page.last() else { break };
                after = Some(last.clone());
                let ids: Vec<OwnId> = page.into_iter().map(|(one, _)| one.profile.id).collect();
                // One session at a time: who keeps a connection and waits for a second one may wait for ever.
                let mut check = self.store.check_enrolment(scope, self.clock.now()).await?;
                let profiles = check.named_profiles_to_enrol(organisation, &ids).await?;
                let mentioned: BTreeSet<OwnId> = { &profiles }
                    .iter()
                    .flat_map(|profile| profile.content.mentions(organisation).map(|(_, id)| id.clone()))
                    .collect();
                let known = check.people_of(organisation, &mentioned).await?;
                check.end().await?;
                for profile in &profiles {
                    let unknown =
                        profile.content.mentions(organisation).filter(|(_, id)| !known.contains(*id));
                    found.extend(unknown.map(|(field, id)| {
                        (profile.name.name(), Warning::new(field, id.as_str(), WarningCode::UnknownId))
                    }));
                }
                if found.len() >= MOST_WARNINGS {
                    found.truncate(MOST_WARNINGS);
                    break 'organisations;
                }
            }
        }
        Ok(found)
    }
}

/// Why a dry run has no numbers.
fn refused(unsolved: NoOutcome) -> Error {
    match unsolved {
        NoOutcome::Stopped => Error::Cancelled,
        // A run has no budget.
        NoOutcome::Budget(_) => Error::internal("a dry run was refused for a budget"),
        NoOutcome::Quotas(reasons) => Error::QuotasUnmet(reasons),
        NoOutcome::Decisions(conflicts) => Error::DecisionsConflict(ToldConflicts::of(&conflicts)),
    }
}
