//! Sizes of stable assignments: how they are compared, and what is known of them.

use serde::{Deserialize, Serialize};

use crate::engine::problem::{Demand, Problem};

/// Size of an assignment. The greater size has more mentees with a mentor; with equal numbers, more pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Size {
    /// Mentees with a mentor.
    pub mentees: u64,
    /// Pairs.
    pub pairs: u64,
}

/// What is known of the size of a stable assignment against the largest stable assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StableSize {
    /// No stable assignment is larger than this.
    pub at_most: Size,
    /// How close the assignment is.
    pub guarantee: SizeGuarantee,
}

/// How close the size of a stable assignment is to the largest possible size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeGuarantee {
    /// No stable assignment is larger.
    Largest,
    /// At least two thirds of the pairs of a largest stable assignment.
    TwoThirds,
    /// At least half of the pairs of a largest stable assignment.
    Half,
}

impl SizeGuarantee {
    /// The guarantee after promotion and after the search of every part, complete or not.
    pub(super) fn of_search(complete: bool, problem: &Problem<'_>) -> Self {
        if complete {
            Self::Largest
        } else if problem.mentees.iter().all(|demand| demand.wanted <= 1) {
            Self::TwoThirds
        } else {
            Self::Half
        }
    }
}

impl Size {
    /// The size of an assignment whose pairs are sorted.
    pub fn of(pairs: &[(u32, u32)]) -> Self {
        let mentees = pairs.chunk_by(|one, other| one.0 == other.0).count() as u64;
        Self { mentees, pairs: pairs.len() as u64 }
    }

    /// Adds the pairs of one mentee.
    pub(super) fn add(&mut self, of_mentee: &[(u32, u32)]) {
        self.mentees += 1;
        self.pairs += of_mentee.len() as u64;
    }
}

/// A bound on every assignment: the places that mentees want and that mentors offer.
pub(super) fn most_places(problem: &Problem<'_>) -> Size {
    let mentors = problem.mentors.iter().filter(|seats| seats.max > 0).count() as u64;
    let wanted = |demand: &Demand| u64::from(demand.wanted.min(2)).min(mentors);
    let seeking = problem.mentees.iter().filter(|demand| wanted(demand) > 0).count() as u64;
    let seats: u64 = problem.mentors.iter().map(|seats| u64::from(seats.max)).sum();
    let pairs = problem.mentees.iter().map(wanted).sum::<u64>().min(seats);
    Size { mentees: seeking.min(seats), pairs }
}
