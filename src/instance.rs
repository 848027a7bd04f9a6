//! Problems that somebody brings from outside: who wants how many, who offers how many, scores of any origin, and what
//! people have decided about it. Read from CSV or from the binary format of the assignment benches, and written back by
//! name.

pub mod builder;
pub mod csv;
pub mod mm;
pub mod names;
pub mod proof;

pub use self::names::Names;

use crate::domain::explanation::Reason;
use crate::domain::policy::Objective;
use crate::domain::violation::Violations;
use crate::engine::brought::{Listed, Matrix};
use crate::engine::constrained::{Constrained, Constraints, Impossible};
use crate::engine::problem::{Demand, Observer, PairScores, Problem, Seats, Stopped};
use crate::engine::quota::words::reasons;

use self::names::ByGroup;

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
    Matrix(Matrix),
    /// For the candidates only.
    Listed(Listed),
}

impl Instance {
    /// The problem, without the names.
    pub fn problem(&self) -> Problem<'_> {
        let scores: &dyn PairScores = match &self.scores {
            BroughtScores::Matrix(matrix) => matrix,
            BroughtScores::Listed(listed) => listed,
        };
        Problem {
            mentees: &self.mentees,
            mentors: &self.mentors,
            scores,
            coverage_first: self.coverage_first,
        }
    }

    /// The problem with what people have decided about it, or all for which that does not go with the objective; unless
    /// `observer` asks to stop.
    pub fn constrained(
        &self,
        objective: Objective,
        observer: &dyn Observer,
    ) -> Result<Result<Constrained<'_>, Violations>, Stopped> {
        let constrained = Constrained::new(self.problem(), &self.constraints, objective, observer)?;
        Ok(constrained.map_err(|conflicts| self.names.conflicts(&conflicts)))
    }

    /// Whether what people have decided goes with an objective at all.
    pub fn goes_with(&self, objective: Objective) -> Result<(), Violations> {
        self.names.conflicts(&self.constraints.unfit(objective)).finish(())
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
