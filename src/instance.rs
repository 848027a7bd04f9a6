//! Problems from outside: demands, seats, scores of any origin, decisions and groups.
//!
//! Input: CSV files ([`csv`]), the binary format of the assignment benches ([`mm`]), or items one by one ([`builder`]).
//! Output: an [`Instance`], and results and proofs ([`proof`]) by the names of the input.
//! Invariant: an instance that was read is valid. All violations of an input are reported at once.

pub mod builder;
pub mod csv;
mod decimals;
pub mod mm;
pub mod names;
pub mod proof;

pub use self::names::Names;

use crate::domain::explanation::Reason;
use crate::domain::policy::Objective;
use crate::domain::violation::Violations;
use crate::engine::constrained::{Constrained, ConstraintError, Constraints, Impossible};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{DenseScores, PairScores, SparseScores};
use crate::engine::problem::{Demand, Problem, Seats};
use crate::engine::quota::explanation::reasons;

pub use self::decimals::Decimals;

use self::names::GroupNaming;

/// A problem from outside, with the names of its people and groups.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Demands of the mentees.
    pub mentees: Vec<Demand>,
    /// Seats of the mentors.
    pub mentors: Vec<Seats>,
    /// Scores of the candidates.
    pub scores: InstanceScores,
    /// Pins, vetoes and groups.
    pub constraints: Constraints,
    /// Names of the people and groups.
    pub names: Names,
    /// Whether the number of matched people comes before the total score.
    pub coverage_first: bool,
    /// Decimals of the scores: a score of the problem is a number of units of the last decimal.
    pub decimals: Decimals,
}

/// Scores of an instance.
#[derive(Debug, Clone)]
pub enum InstanceScores {
    /// A score for every pair.
    Dense(DenseScores),
    /// Scores of the candidates only.
    Sparse(SparseScores),
}

impl Instance {
    /// The problem, without the names.
    pub fn problem(&self) -> Problem<'_> {
        let scores: &dyn PairScores = match &self.scores {
            InstanceScores::Dense(matrix) => matrix,
            InstanceScores::Sparse(listed) => listed,
        };
        Problem {
            mentees: &self.mentees,
            mentors: &self.mentors,
            scores,
            coverage_first: self.coverage_first,
        }
    }

    /// The problem with its pins, vetoes and groups, for an objective.
    pub fn constrained(
        &self,
        objective: Objective,
        observer: &dyn Observer,
    ) -> Result<Constrained<'_>, InstanceError> {
        Constrained::new(self.problem(), &self.constraints, objective, observer).map_err(
            |error| match error {
                ConstraintError::Conflicts(conflicts) => {
                    InstanceError::Refused(self.names.conflicts(&conflicts))
                }
                ConstraintError::Stopped(stopped) => InstanceError::Stopped(stopped),
            },
        )
    }

    /// Checks that the objective allows the decisions and groups of the instance.
    pub fn check_objective(&self, objective: Objective) -> Result<(), Violations> {
        self.names.conflicts(&self.constraints.conflicts_with_objective(objective)).finish(())
    }

    /// The names of the mentees and of the mentors without a pair in `pairs`.
    pub fn unmatched(&self, pairs: &[(u32, u32)]) -> (Vec<String>, Vec<String>) {
        let mut mentees = vec![false; self.mentees.len()];
        let mut mentors = vec![false; self.mentors.len()];
        for &(mentee, mentor) in pairs {
            mentees[mentee as usize] = true;
            mentors[mentor as usize] = true;
        }
        let without = |matched: Vec<bool>, name: &dyn Fn(usize) -> String| {
            matched.into_iter().enumerate().filter(|(_, matched)| !matched).map(|(at, _)| name(at)).collect()
        };
        (without(mentees, &|at| self.names.mentee(at)), without(mentors, &|at| self.names.mentor(at)))
    }

    /// Reasons why no assignment meets all floors.
    pub fn reasons(&self, constrained: &Constrained<'_>, impossible: &Impossible) -> Vec<Reason> {
        let naming = GroupNaming { names: &self.names, quotas: constrained.quotas() };
        let Impossible { cut, shortage } = impossible;
        reasons(&constrained.rest(), cut, shortage, &naming)
    }
}

/// Reason why no constrained problem exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceError {
    /// The constraints conflict with the problem or with the objective.
    Refused(Violations),
    /// The observer stopped the operation.
    Stopped(Stopped),
}
