//! Problems that somebody brings from outside: who wants how many, who offers how many, scores of any origin, and what
//! people have decided about it. Read from CSV or from the binary format of the assignment benches, and written back by
//! name.

pub mod builder;
pub mod csv;
pub mod mm;
pub mod names;
pub mod proof;

use std::fmt;

pub use self::names::Names;

use crate::domain::explanation::Reason;
use crate::domain::policy::Objective;
use crate::engine::constrained::{Constrained, ConstraintError, Constraints, Impossible};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{DenseScores, PairScores, SparseScores};
use crate::engine::problem::{Demand, Problem, Seats};
use crate::engine::quota::explanation::reasons;

use self::names::ByGroup;

/// Violations that are listed at most; the others are counted.
pub const MAX_VIOLATIONS: usize = 100;

/// A problem from outside, with the names under which its people are known there.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What the mentees want.
    pub mentees: Vec<Demand>,
    /// What the mentors offer.
    pub mentors: Vec<Seats>,
    /// Scores of the candidates.
    pub scores: BroughtScores,
    /// What people have decided about it.
    pub constraints: Constraints,
    /// What people and groups are called.
    pub names: Names,
    /// Whether the one who brings it asks that as many as possible are matched before any score counts.
    pub coverage_first: bool,
}

/// Scores as they were brought.
#[derive(Debug, Clone)]
pub enum BroughtScores {
    /// For every pair.
    Dense(DenseScores),
    /// For the candidates only.
    Sparse(SparseScores),
}

impl Instance {
    /// The problem, without the names.
    pub fn problem(&self) -> Problem<'_> {
        let scores: &dyn PairScores = match &self.scores {
            BroughtScores::Dense(matrix) => matrix,
            BroughtScores::Sparse(listed) => listed,
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

    /// Whether what people have decided goes with an objective at all.
    pub fn goes_with(&self, objective: Objective) -> Result<(), Violations> {
        self.names.conflicts(&self.constraints.conflicts_with_objective(objective)).none()
    }

    /// The names of the mentees and of the mentors whom pairs leave out.
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

    /// Why no assignment meets all floors.
    pub fn reasons(&self, constrained: &Constrained<'_>, impossible: &Impossible) -> Vec<Reason> {
        let naming = ByGroup { names: &self.names, quotas: constrained.quotas() };
        let Impossible { cut, shortage } = impossible;
        reasons(&constrained.rest(), constrained.quotas(), cut, *shortage, &naming)
    }
}

/// Why an instance cannot be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceError {
    /// The constraints conflict with the problem or with the objective.
    Refused(Violations),
    /// The observer stopped the operation.
    Stopped(Stopped),
}

/// Something wrong in a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// File, and line or field in it.
    pub place: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// All that is wrong with what was brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    /// The first [`MAX_VIOLATIONS`].
    pub listed: Vec<Violation>,
    /// Those beyond.
    pub more: u64,
}

impl Violations {
    /// Adds one.
    pub fn add(&mut self, place: impl Into<String>, what: impl Into<String>) {
        if self.listed.len() < MAX_VIOLATIONS {
            self.listed.push(Violation { place: place.into(), what: what.into() });
        } else {
            self.more += 1;
        }
    }

    /// Adds all of others.
    pub fn extend(&mut self, others: Self) {
        for violation in others.listed {
            self.add(violation.place, violation.what);
        }
        self.more += others.more;
    }

    /// The same at places inside of another.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        for violation in &mut self.listed {
            violation.place = [outer, ".", &violation.place].concat();
        }
        self
    }

    /// `Ok` if there is none.
    pub fn none(self) -> Result<(), Self> {
        if self.listed.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self { listed: vec![violation], more: 0 }
    }
}
