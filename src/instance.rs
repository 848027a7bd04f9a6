//! Problems that somebody brings from outside: who wants how many, who offers how many, and scores of any origin. Read
//! from CSV or from the binary format of the assignment benches, and written back by name.

pub mod builder;
pub mod csv;
pub mod mm;
pub mod proof;

use std::fmt;

use crate::engine::brought::{Listed, Matrix};
use crate::engine::certify::Infeasible;
use crate::engine::problem::{Demand, PairScores, Problem, Seats};

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
    /// What the people are called.
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

/// What people are called outside.
#[derive(Debug, Clone)]
pub enum Names {
    /// By their positions, from 0.
    Positions,
    /// By names: of the mentees, and of the mentors.
    Given(Vec<String>, Vec<String>),
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
}

impl Names {
    /// What a mentee is called.
    pub fn mentee(&self, at: usize) -> String {
        match self {
            Self::Positions => at.to_string(),
            Self::Given(mentees, _) => mentees.get(at).cloned().unwrap_or_default(),
        }
    }

    /// What a mentor is called.
    pub fn mentor(&self, at: usize) -> String {
        match self {
            Self::Positions => at.to_string(),
            Self::Given(_, mentors) => mentors.get(at).cloned().unwrap_or_default(),
        }
    }
}

impl Names {
    /// A broken rule in the names that people have outside.
    pub fn told(&self, broken: &Infeasible) -> String {
        let pair = |mentee: u32, mentor: u32| {
            format!("pair ({}, {})", self.mentee(mentee as usize), self.mentor(mentor as usize))
        };
        match *broken {
            Infeasible::NotACandidate { mentee, mentor } => {
                format!("{} is not a candidate", pair(mentee, mentor))
            }
            Infeasible::UsedTwice { mentee, mentor } => {
                format!("{} occurs more than once", pair(mentee, mentor))
            }
            Infeasible::TooManyMentors { mentee, has, wanted } => {
                format!("mentee {} has {has} mentors and wants {wanted}", self.mentee(mentee as usize))
            }
            Infeasible::TooManyMentees { mentor, has, places } => {
                format!("mentor {} has {has} mentees and {places} places", self.mentor(mentor as usize))
            }
            other => other.to_string(),
        }
    }
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
