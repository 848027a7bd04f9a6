//! A problem with constraints: pins and vetoes ([`super::decisions`]), floors and ceilings of groups ([`super::quota`]).
//!
//! Every combination of constraints and objective is accepted or rejected before the solver runs:
//!
//! | | BEST_TOTAL | FAIREST | STABLE |
//! |---|---|---|---|
//! | vetoes | yes | yes | yes |
//! | pins | yes | yes: the worst of the pairs that are not pinned is as good as possible | no: a pinned pair can be blocked |
//! | quotas | yes | no | no |
//!
//! Pins are removed from the problem and from the quotas, the rest is solved and proved, and the pins are added to the
//! result. The check covers the whole problem first: the assignment contains all pins and no veto, every pair is a
//! candidate, nobody exceeds the number of places, and every group is within its bounds.

mod questions;
#[cfg(test)]
mod tests;

pub use self::questions::{Diagnosis, DiagnosisError, Mended, Plan, Question};

use std::time::Duration;

use super::assign::{Start, assign_from};
use super::certificate::GroupSide;
use super::certify::{self, CutTerms, Infeasible, check_cut};
use super::decisions::{BadDecision, Decisions, ReducedProblem, ReductionError, sorted};
use super::groups::{Cut, Quotas};
use super::objective::{self, Check};
use super::objective_value::{BelowMinimum, ObjectiveValue, below_minimum};
use super::observer::{Observer, Stopped};
use super::problem::Problem;
use super::quota::{self, assign_within};
use super::solution::{Evidence, Solution};
use crate::clock::Stopwatch;
use crate::domain::policy::Objective;

/// Decisions and quotas of a problem.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Pins and vetoes.
    pub decisions: Decisions,
    /// Floors and ceilings of groups.
    pub quotas: Quotas,
}

/// Why constraints cannot be kept, or are not available with an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// A decision cannot be kept.
    #[error(transparent)]
    Decision(#[from] BadDecision),
    /// A group has more pins than its ceiling.
    #[error("group {group} of {side} has {pins} pins; expected at most {ceiling}, its ceiling")]
    PinsAboveCeiling {
        /// Side of the group.
        side: GroupSide,
        /// The group.
        group: u32,
        /// Number of pins in the group.
        pins: u64,
        /// Largest number of pairs.
        ceiling: u32,
    },
    /// A pinned pair could be blocked, so the objective does not support pins.
    #[error("pins are not available with {}", .0.as_str())]
    Pins(Objective),
    /// The objective does not support quotas.
    #[error("quotas are not available with {}; use BEST_TOTAL", .0.as_str())]
    Quotas(Objective),
}

impl Constraints {
    /// Whether there is no constraint.
    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty() && self.quotas.is_empty()
    }

    /// Returns every conflict with a problem that does not depend on the objective.
    pub fn conflicts(
        &self,
        problem: &Problem<'_>,
        observer: &dyn Observer,
    ) -> Result<Vec<Conflict>, Stopped> {
        let conflicts = self.decisions.conflicts(problem, observer)?;
        let mut conflicts: Vec<Conflict> = conflicts.into_iter().map(Conflict::Decision).collect();
        conflicts.extend(self.above_ceilings());
        Ok(conflicts)
    }

    /// Groups with more pins than their ceiling.
    fn above_ceilings(&self) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let Quotas { mentees, mentors } = &self.quotas;
        let counts = self.quotas.count(&sorted(&self.decisions.pins));
        let sides = [(GroupSide::Mentees, mentees), (GroupSide::Mentors, mentors)];
        for ((side, forest), counts) in sides.into_iter().zip(counts) {
            for ((at, group), pins) in (0_u32..).zip(forest.groups()).zip(counts) {
                if pins > u64::from(group.ceiling) {
                    let ceiling = group.ceiling;
                    conflicts.push(Conflict::PinsAboveCeiling { side, group: at, pins, ceiling });
                }
            }
        }
        conflicts
    }

    /// Returns every conflict with an objective that does not depend on the problem.
    pub fn conflicts_with_objective(&self, objective: Objective) -> Vec<Conflict> {
        let pins = !self.decisions.pins.is_empty() && objective == Objective::Stable;
        let quotas = !self.quotas.is_empty() && objective != Objective::BestTotal;
        let pins = pins.then_some(Conflict::Pins(objective));
        pins.into_iter().chain(quotas.then_some(Conflict::Quotas(objective))).collect()
    }
}

/// Why a problem with constraints is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// The constraints conflict with the problem, with each other or with the objective. The list holds every conflict.
    #[error("{} constraints cannot be kept", .0.len())]
    Conflicts(Vec<Conflict>),
    /// The observer stopped the operation.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Why a problem with constraints has no best assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a problem has one outcome, which is read at once")]
pub enum Unsolved {
    /// No assignment meets all floors.
    Impossible(Impossible),
    /// The weights that keep the tiers in order exceed the numbers that a certificate holds.
    TooManyTiers,
    /// The observer stopped the operation.
    Stopped(Stopped),
}

impl From<Stopped> for Unsolved {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

/// Why no assignment meets all floors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible {
    /// The people and groups across which the floors require too many pairs.
    pub cut: Cut,
    /// The bounds across the cut, without the pins, counted from the problem alone.
    pub shortage: CutTerms,
}

/// A solution of the whole problem, checked and measured.
#[derive(Debug, Clone)]
pub struct Proved {
    /// The assignment and its proof.
    pub solution: Solution,
    /// What checking it found.
    pub check: Check,
    /// The assignment in plain numbers.
    pub objective_value: ObjectiveValue,
    /// Mentors with fewer mentees than their minimum.
    pub below_minimum: Vec<BelowMinimum>,
    /// Candidates who would both rather be with each other.
    pub blocking_pairs: u64,
    /// How long solving took.
    pub solve: Duration,
    /// How long checking took.
    pub prove: Duration,
}

/// A problem with constraints that conflict neither with each other nor with the objective.
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct Constrained<'a> {
    whole: Problem<'a>,
    constraints: &'a Constraints,
    objective: Objective,
    /// `None` without decisions: then the scores need no mask.
    reduced: Option<ReducedProblem<'a>>,
    /// The quotas minus the pins.
    quotas: Quotas,
}

impl<'a> Constrained<'a> {
    /// Combines a problem with constraints, or returns every conflict.
    pub fn new(
        whole: Problem<'a>,
        constraints: &'a Constraints,
        objective: Objective,
        observer: &dyn Observer,
    ) -> Result<Self, ConstraintError> {
        let Constraints { decisions, quotas } = constraints;
        let mut conflicts: Vec<Conflict> = Vec::new();
        let reduced = if decisions.is_empty() {
            None
        } else {
            match ReducedProblem::new(&whole, decisions, observer) {
                Ok(reduced) => Some(reduced),
                Err(ReductionError::Refused(bad)) => {
                    conflicts.extend(bad.into_iter().map(Conflict::Decision));
                    None
                }
                Err(ReductionError::Stopped(stopped)) => return Err(stopped.into()),
            }
        };
        conflicts.extend(constraints.above_ceilings());
        conflicts.extend(constraints.conflicts_with_objective(objective));
        if !conflicts.is_empty() {
            return Err(ConstraintError::Conflicts(conflicts));
        }
        let [of_mentees, of_mentors] = quotas.count(&sorted(&decisions.pins));
        let quotas = Quotas {
            mentees: quotas.mentees.reduced_by(&of_mentees),
            mentors: quotas.mentors.reduced_by(&of_mentors),
        };
        Ok(Self { whole, constraints, objective, reduced, quotas })
    }

    /// The reduced problem: without vetoed pairs, pins, and the places and seats of pins.
    pub fn rest(&self) -> Problem<'_> {
        self.reduced.as_ref().map_or(self.whole, ReducedProblem::problem)
    }

    /// The quotas of the reduced problem: bounds minus the pins.
    pub fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// Whether a pair is pinned.
    pub fn is_pinned(&self, mentee: u32, mentor: u32) -> bool {
        self.constraints.decisions.pins.contains(&(mentee, mentor))
    }

    /// The assignment of the whole problem that consists of `pairs` and the pins. Sorted.
    pub fn with_pins(&self, pairs: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
        match &self.reduced {
            Some(reduced) => reduced.with_pins(&pairs),
            None => pairs,
        }
    }

    /// An assignment without the pins.
    pub fn without_pins(&self, pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
        match &self.reduced {
            Some(reduced) => reduced.without_pins(pairs),
            None => pairs.to_vec(),
        }
    }

    /// Solves the problem and proves the result. `start`, an earlier result, saves time if
    /// [`starts_warm`](Self::starts_warm) returns true; otherwise it is ignored.
    pub fn solve(&self, start: Option<&Start>, observer: &dyn Observer) -> Result<Proved, Unsolved> {
        let watch = Stopwatch::start();
        let solution = self.whole_of(self.best(start.filter(|_| self.starts_warm()), observer)?);
        let solve = watch.elapsed();
        let watch = Stopwatch::start();
        let check = self.check(&solution.pairs, &solution.evidence, observer)?;
        let prove = watch.elapsed();
        let blocking_pairs = match solution.evidence {
            Evidence::Stable => check.blocking_pairs,
            _ => self.blocking_pairs(&solution.pairs, observer)?,
        };
        let objective_value = solution.objective_value(&self.whole);
        let below_minimum = below_minimum(&self.whole, &solution.pairs);
        Ok(Proved { solution, check, objective_value, below_minimum, blocking_pairs, solve, prove })
    }

    /// Whether a warm start is possible: the objective is BEST_TOTAL, and there are no quotas.
    pub fn starts_warm(&self) -> bool {
        self.quotas.is_empty() && self.objective == Objective::BestTotal
    }

    /// Solves the reduced problem.
    fn best(&self, start: Option<&Start>, observer: &dyn Observer) -> Result<Solution, Unsolved> {
        let rest = self.rest();
        if let Some(start) = start {
            return Ok(assign_from(&rest, start, observer)?.into());
        }
        if self.quotas.is_empty() {
            return Ok(objective::solve(&rest, self.objective, None, observer)?);
        }
        match assign_within(&rest, &self.quotas, observer)? {
            quota::Answer::Best(found) => Ok(found.into()),
            quota::Answer::Impossible(cut) => {
                let shortage = check_cut(&rest, &self.quotas, &cut, observer)?;
                Err(Unsolved::Impossible(Impossible { cut, shortage }))
            }
            quota::Answer::TooManyTiers => Err(Unsolved::TooManyTiers),
        }
    }

    /// The solution of the whole problem from a solution of the reduced problem.
    fn whole_of(&self, mut solution: Solution) -> Solution {
        let score = |pin: &(u32, u32)| self.whole.scores.score(pin.0 as usize, pin.1 as usize);
        let pins = sorted(&self.constraints.decisions.pins);
        let pinned: i64 = pins.iter().filter_map(score).map(i64::from).sum();
        for step in &mut solution.frontier {
            step.total += pinned;
        }
        solution.pairs = self.with_pins(solution.pairs);
        solution
    }

    /// Checks an assignment of the whole problem over all pairs.
    pub fn check(
        &self,
        pairs: &[(u32, u32)],
        evidence: &Evidence,
        observer: &dyn Observer,
    ) -> Result<Check, Stopped> {
        let broken = self.first_broken(pairs, observer)?;
        let rest = self.without_pins(pairs);
        let check = objective::check_within(&self.rest(), &self.quotas, &rest, evidence, None, observer)?;
        let proved = check.proved && broken.is_none() && evidence.objective() == self.objective;
        Ok(Check { feasible: broken.map_or(check.feasible, Err), proved, ..check })
    }

    /// Returns the first rule of the whole problem that an assignment breaks, or else the first constraint.
    fn first_broken(
        &self,
        pairs: &[(u32, u32)],
        observer: &dyn Observer,
    ) -> Result<Option<Infeasible>, Stopped> {
        let Constraints { decisions, quotas } = self.constraints;
        if self.constraints.is_empty() {
            return Ok(None);
        }
        let kept = certify::keeps_decisions(&decisions.pins, &decisions.vetoes, pairs);
        let kept = kept.and_then(|()| certify::keeps_quotas(quotas, pairs));
        Ok(certify::broken_rule(&self.whole, pairs, observer)?.or(kept.err()))
    }

    /// Number of blocking pairs of an assignment. A vetoed pair does not block.
    pub fn blocking_pairs(&self, pairs: &[(u32, u32)], observer: &dyn Observer) -> Result<u64, Stopped> {
        let vetoes = Decisions { pins: Vec::new(), vetoes: self.constraints.decisions.vetoes.clone() };
        let open = if vetoes.is_empty() {
            None
        } else {
            ReducedProblem::if_possible(&self.whole, &vetoes, observer)?
        };
        let problem = open.as_ref().map_or(self.whole, ReducedProblem::problem);
        objective::blocking_pairs(&problem, pairs, None, observer)
    }
}
