//! The decisions of a frozen round and the pairs of the run that it follows, by position; and what is wrong with them.
//!
//! Input: the encoded round. Output: [`Wishes`], and every conflict of the decisions in the names of the round.
//! Invariants: a decision or a pair that names a person who does not take part in that role has no effect. A conflict names
//! rules on open answers only.

use std::collections::HashMap;

use super::decisions::{BadDecision, sorted};
use super::encode::{Person, Round};
use super::observer::{Observer, Stopped};
use super::pinned_problem::{PinError, PinnedProblem, Wishes};
use super::problem::Problem;
use super::score::Scores;
use crate::domain::decision_conflict::{ConflictCause, DecisionConflict};
use crate::domain::name::ProfileRef;
use crate::domain::policy::Objective;
use crate::domain::review::DecisionKind;
use crate::domain::snapshot::FrozenDecision;

/// Positions of people by their names.
pub(super) struct Positions<'r>(HashMap<&'r ProfileRef, (Option<u32>, Option<u32>)>);

impl<'r> Positions<'r> {
    /// The positions of everyone who takes part.
    pub(super) fn of(round: &'r Round<'_>) -> Self {
        let position = |person: &'r Person<'_>| (person.profile, (person.mentee, person.mentor));
        Self(round.people.iter().map(position).collect())
    }

    /// The positions of a pair; `None` if one of the two does not take part in that role.
    pub(super) fn pair(&self, mentee: &ProfileRef, mentor: &ProfileRef) -> Option<(u32, u32)> {
        self.0.get(mentee)?.0.zip(self.0.get(mentor)?.1)
    }
}

/// The pins and the followed pairs of a round.
pub(super) fn wishes(round: &Round<'_>) -> Wishes {
    let snapshot = round.snapshot;
    if snapshot.decisions.is_empty() && snapshot.follows.is_none() {
        return Wishes::default();
    }
    let positions = Positions::of(round);
    let pins: Vec<(u32, u32)> =
        snapshot.pins().filter_map(|(mentee, mentor)| positions.pair(mentee, mentor)).collect();
    let followed = snapshot.follows.iter().flat_map(|followed| &followed.pairs);
    let followed: Vec<(u32, u32)> =
        followed.filter_map(|(mentee, mentor)| positions.pair(mentee, mentor)).collect();
    Wishes { pins: sorted(&pins), followed: sorted(&followed), stability: snapshot.policy.stability }
}

/// Every conflict of the decisions of a round, whose `problem` has the vetoes as a hard rule. Empty if all can be kept.
pub(super) fn conflicts(
    round: &Round<'_>,
    problem: &Problem<'_>,
    wishes: &Wishes,
    observer: &dyn Observer,
) -> Result<Vec<DecisionConflict>, Stopped> {
    if wishes.pins.is_empty() {
        return Ok(Vec::new());
    }
    let positions = Positions::of(round);
    let placed: Vec<((u32, u32), &FrozenDecision)> = (round.snapshot.decisions.iter())
        .filter_map(|decision| Some((positions.pair(&decision.mentee, &decision.mentor)?, decision)))
        .collect();
    let of = |wanted: &dyn Fn((u32, u32), DecisionKind) -> bool| -> Vec<FrozenDecision> {
        let wanted = placed.iter().filter(|(pair, decision)| wanted(*pair, decision.kind));
        wanted.map(|(_, decision)| (*decision).clone()).collect()
    };
    let pins =
        |wanted: &dyn Fn((u32, u32)) -> bool| of(&|pair, kind| kind == DecisionKind::Pin && wanted(pair));
    let mut conflicts = Vec::new();
    if round.snapshot.policy.objective == Objective::Stable {
        conflicts.push(DecisionConflict { cause: ConflictCause::Objective, decisions: pins(&|_| true) });
    }
    let bad = match PinnedProblem::new(problem, wishes, observer) {
        Ok(_) => return Ok(conflicts),
        Err(PinError::Refused(bad)) => bad,
        Err(PinError::Stopped(stopped)) => return Err(stopped),
    };
    let open = round.open(observer)?;
    let open_scores = Scores::new(&open, observer)?;
    for one in bad {
        let (cause, decisions) = match one {
            BadDecision::Unknown { .. } | BadDecision::PinnedAndVetoed { .. } => continue,
            BadDecision::NotACandidate { mentee, mentor } => {
                let both = of(&|pair, _| pair == (mentee, mentor));
                let is_vetoed = both.iter().any(|decision| decision.kind == DecisionKind::Veto);
                let (_, story) = open_scores.explain(mentee as usize, mentor as usize);
                let rules = story.broken.into_iter().map(|(rule, _)| rule).collect();
                let cause = if is_vetoed {
                    ConflictCause::PinnedAndVetoed
                } else {
                    ConflictCause::NotPossible { rules }
                };
                (cause, both)
            }
            BadDecision::BothDirections { mentee, mentor } => {
                let opposite = problem.scores.opposites().and_then(|all| all.of((mentee, mentor)));
                let decisions = pins(&|pair| pair == (mentee, mentor) || Some(pair) == opposite);
                (ConflictCause::BothDirections, decisions)
            }
            BadDecision::TooManyMentors { mentee, wanted, .. } => {
                (ConflictCause::TooManyMentors { wanted }, pins(&|pair| pair.0 == mentee))
            }
            BadDecision::TooManyMentees { mentor, seats, .. } => {
                (ConflictCause::TooManyMentees { places: seats }, pins(&|pair| pair.1 == mentor))
            }
        };
        conflicts.push(DecisionConflict { cause, decisions });
    }
    conflicts.sort_by(|a, b| (&a.cause, &a.decisions).cmp(&(&b.cause, &b.decisions)));
    Ok(conflicts)
}
