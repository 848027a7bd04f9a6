//! Questions about a run that succeeded: what other decisions would change, and what other partners of a person would cost.
//!
//! A run is prepared at its first question, from its stored result and proof, and kept for the next ones. Questions, checks and
//! problems of callers take turns; runs wait for none of them.

use std::sync::Arc;

use super::kept_rounds::KeptRounds;
use super::profile::parse_profile;
use super::run::parse_run;
use super::solver::Work;
use super::{Action, Permit, Service, taken};
use crate::domain::caller::Caller;
use crate::domain::decision_conflict::ToldConflicts;
use crate::domain::name::{DecisionRef, ProfileRef, RoundId, RunRef};
use crate::domain::review::{DecisionCost, DecisionKind, Pair};
use crate::domain::run::{RunState, Side};
use crate::domain::snapshot::FrozenDecision;
use crate::domain::violation::Violations;
use crate::engine::observer::Observer;
use crate::engine::solved_round::{Effect, RoundAlternate, SolvedRound, WhatIfAnswer};
use crate::engine::{Options, RunCertificate};
use crate::error::{Error, Result};
use crate::store::{LoadedSnapshot, SavedResult};

/// Decisions of one question.
const MOST_DECISIONS: usize = 100;
/// Alternates of one answer.
const MOST_ALTERNATES: usize = 50;

/// A decision that a caller asks about.
#[derive(Debug, Clone)]
pub struct AskedDecision {
    /// What would be decided; `None` if the caller has named no kind.
    pub kind: Option<DecisionKind>,
    /// Resource name of the mentee's profile.
    pub mentee: String,
    /// Resource name of the mentor's profile.
    pub mentor: String,
}

/// Either a round that is kept, or what it is prepared from.
enum Prepared {
    Kept(Arc<SolvedRound>),
    Stored(Box<(SavedResult, LoadedSnapshot)>),
}

impl Service {
    /// Computes what a run with other decisions would change. Nothing is stored.
    pub async fn what_if_decisions(
        &self,
        caller: &Caller,
        name: &str,
        (add, release): (&[AskedDecision], &[String]),
    ) -> Result<Work<Effect>> {
        let permit = Action::WhatIfDecisions.permit(caller)?;
        let mut violations = Violations::of_request();
        let run = taken(parse_run("name", name), &mut violations)?;
        let add = asked(add, &mut violations)?;
        let released = named(release, run.as_ref(), &mut violations);
        let (Some(run), true) = (run, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let mut pairs = Vec::with_capacity(released.len());
        for name in &released {
            let Pair { mentee, mentor } = self.store.decision(&permit.scope, name).await?.pair;
            pairs.push((mentee, mentor));
        }
        let prepared = self.prepared(&permit, &run).await?;
        let kept = Arc::clone(&self.kept_rounds);
        Ok(Work::start(self, caller, move |observer| {
            let solved = prepared.solved(&kept, run, observer)?;
            match solved.what_if(&add, &pairs, observer).map_err(|_| Error::Cancelled)? {
                WhatIfAnswer::Effect(effect) => Ok(effect),
                WhatIfAnswer::Conflicts(conflicts) => {
                    Err(Error::DecisionsConflict(ToldConflicts::of(&conflicts)))
                }
            }
        }))
    }

    /// Other partners of a person, with what each would cost the whole round, the cheapest first.
    pub async fn list_alternates(
        &self,
        caller: &Caller,
        name: &str,
        (person, side, limit): (&str, Side, i32),
    ) -> Result<Work<Vec<RoundAlternate>>> {
        let permit = Action::ListAlternates.permit(caller)?;
        let mut violations = Violations::of_request();
        let run = taken(parse_run("name", name), &mut violations)?;
        let person = taken(parse_profile("person", person), &mut violations)?;
        let limit = match usize::try_from(limit) {
            Ok(0) => 10,
            Ok(limit) => limit.min(MOST_ALTERNATES),
            Err(_) => {
                violations.push("limit", limit, "is negative", "use a number, or 0 for 10");
                0
            }
        };
        let (Some(run), Some(person), true) = (run, person, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let prepared = self.prepared(&permit, &run).await?;
        let kept = Arc::clone(&self.kept_rounds);
        Ok(Work::start(self, caller, move |observer| {
            let solved = prepared.solved(&kept, run, observer)?;
            let found = solved.alternates(&person, side, limit, observer).map_err(|_| Error::Cancelled)?;
            found.ok_or_else(|| Error::NotFound(person.name()))
        }))
    }

    /// What a decision that is made or released changes in the newest run that succeeded: the numbers that
    /// [`Self::what_if_decisions`] answers. `None` if the round has no such run, if somebody of the run was erased, or if the
    /// decision contradicts others of the run.
    ///
    /// The answer waits for its turn as those of questions do. If too many wait, the decision has no cost.
    pub(super) async fn cost_of(
        &self,
        (caller, permit): (&Caller, &Permit),
        round: &RoundId,
        (add, release): (Option<FrozenDecision>, Option<&Pair>),
    ) -> Result<Option<DecisionCost>> {
        let Some(number) = self.store.newest_result(&permit.scope, round).await? else { return Ok(None) };
        let run = RunRef { round: round.clone(), number };
        let prepared = match self.prepared(permit, &run).await {
            Err(Error::InputErased(_) | Error::NotFound(_)) => return Ok(None),
            prepared => prepared?,
        };
        let kept = Arc::clone(&self.kept_rounds);
        let add: Vec<FrozenDecision> = add.into_iter().collect();
        let release: Vec<_> = release.iter().map(|pair| (pair.mentee.clone(), pair.mentor.clone())).collect();
        let asking = Work::start(self, caller, move |observer| {
            let solved = prepared.solved(&kept, run, observer)?;
            solved.what_if(&add, &release, observer).map_err(|_| Error::Cancelled)
        });
        let answer = match asking.finish().await {
            Err(Error::InputErased(_) | Error::Overloaded(_)) => return Ok(None),
            answer => answer?,
        };
        let WhatIfAnswer::Effect(Effect { before, after, moves, is_exact }) = answer else { return Ok(None) };
        Ok(Some(DecisionCost { run: number, before, after, moved: moves.len() as u64, is_exact }))
    }

    /// A run that succeeded, ready for questions. A run of which somebody was erased answers none.
    async fn prepared(&self, permit: &Permit, run: &RunRef) -> Result<Prepared> {
        let answers = self.store.answers_questions(&permit.scope, run).await;
        if !matches!(answers, Ok(true)) {
            self.kept_rounds.forget(run);
        }
        if !answers? {
            let state = self.store.run(&permit.scope, run).await?.state;
            if state != RunState::Succeeded {
                return Err(self.not_succeeded(&permit.scope, run).await?);
            }
            return Err(Error::InputErased(run.name()));
        }
        if let Some(solved) = self.kept_rounds.get(run) {
            return Ok(Prepared::Kept(solved));
        }
        Ok(Prepared::Stored(Box::new(self.saved_run(&permit.scope, run).await?)))
    }
}

impl Prepared {
    fn solved(self, kept: &KeptRounds, run: RunRef, observer: &dyn Observer) -> Result<Arc<SolvedRound>> {
        let (saved, loaded) = match self {
            Self::Kept(solved) => return Ok(solved),
            Self::Stored(stored) => *stored,
        };
        let certificate: RunCertificate = serde_json::from_slice(&saved.certificate)
            .map_err(|_| Error::internal("the stored certificate of a run cannot be read"))?;
        let snapshot = Arc::new(loaded.snapshot);
        let solved = SolvedRound::new(snapshot, &saved.matches, &certificate, &Options::default(), observer);
        let solved = solved.map_err(|_| Error::Cancelled)?;
        let solved = Arc::new(solved.ok_or_else(|| Error::InputErased(run.name()))?);
        kept.keep(run, &solved);
        Ok(solved)
    }
}

/// The decisions of a question. They have no name yet, so that a refusal names their place in the request.
fn asked(add: &[AskedDecision], violations: &mut Violations) -> Result<Vec<FrozenDecision>> {
    if add.len() > MOST_DECISIONS {
        let what = format!("has {} decisions; at most {MOST_DECISIONS} are allowed", add.len());
        violations.push("add", "", what, "ask about fewer decisions at a time");
        return Ok(Vec::new());
    }
    let mut parsed = Vec::with_capacity(add.len());
    for (at, AskedDecision { kind, mentee, mentor }) in add.iter().enumerate() {
        let mentee: Option<ProfileRef> =
            taken(parse_profile(&format!("add[{at}].mentee"), mentee), violations)?;
        let mentor = taken(parse_profile(&format!("add[{at}].mentor"), mentor), violations)?;
        if kind.is_none() {
            violations.push(format!("add[{at}].kind"), "", "is not a kind of decision", "use PIN or VETO");
        }
        if let (Some(kind), Some(mentee), Some(mentor)) = (*kind, mentee, mentor) {
            parsed.push(FrozenDecision { mentee, mentor, kind, name: format!("add[{at}]") });
        }
    }
    Ok(parsed)
}

/// The names of the decisions that a question releases.
fn named(release: &[String], run: Option<&RunRef>, violations: &mut Violations) -> Vec<DecisionRef> {
    if release.len() > MOST_DECISIONS {
        let what = format!("has {} decisions; at most {MOST_DECISIONS} are allowed", release.len());
        violations.push("release", "", what, "ask about fewer decisions at a time");
        return Vec::new();
    }
    let mut parsed = Vec::with_capacity(release.len());
    for (at, name) in release.iter().enumerate() {
        match DecisionRef::from_name(name) {
            Err(error) => violations.push(format!("release[{at}]"), name, error.to_string(), ""),
            Ok(decision) if run.is_some_and(|run| run.round != decision.round) => {
                let hint = "name a decision of the round of the run";
                violations.push(format!("release[{at}]"), name, "is a decision of another round", hint);
            }
            Ok(decision) => parsed.push(decision),
        }
    }
    parsed
}
