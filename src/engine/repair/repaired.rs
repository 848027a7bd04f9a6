//! A repaired assignment: its value, its bound and the proof of the bound; and the published pairs that can be kept.

use rayon::prelude::*;

use crate::engine::assign::assign;
use crate::engine::certificate::Certificate;
use crate::engine::decisions::Decisions;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, SparseError, SparseScores};
use crate::engine::problem::{Demand, Problem, Seats};

/// A repaired assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The pairs, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Largest number of published pairs that can still be kept together.
    pub possible: usize,
    /// Number of published pairs that are kept.
    pub kept: usize,
    /// Value in the weights of `certificate`.
    pub value: i128,
    /// Upper bound on the value of every assignment that keeps enough published pairs.
    pub bound: i128,
    /// The kind of proof of the bound.
    pub proof: Proof,
    /// Weights, and the prices to which `proof` refers.
    pub certificate: Certificate,
}

impl Repaired {
    /// Whether the value equals the solver's bound, so that no assignment within the budget is better. For all proofs but
    /// [`Proof::Branches`], the certifier checks the bound; see [`check`](super::check).
    pub fn proved(&self) -> bool {
        self.value == self.bound
    }
}

/// The kind of proof of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The certificate belongs to the whole problem.
    Whole,
    /// The certificate belongs to the problem in which all still possible published pairs are pins.
    Pinned,
    /// The certificate belongs to the problem in which each still possible published pair scores `bonus` more. The
    /// bound is the bound of that problem minus `bonus` for each pair that must be kept.
    Bonus(i32),
    /// The bound comes from many such problems, each with decisions on some published pairs.
    Branches,
}

/// Number of `pairs` that are in `still`, which is sorted.
pub(super) fn kept(still: &[(u32, u32)], pairs: &[(u32, u32)]) -> usize {
    pairs.par_iter().filter(|pair| still.binary_search(pair).is_ok()).count()
}

/// The published pairs that are candidates, sorted.
pub(super) fn possible_pairs(problem: &Problem<'_>, published: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut published: Vec<(u32, u32)> = published.to_vec();
    published.par_sort_unstable();
    published.dedup();
    let is_possible = |&(mentee, mentor): &(u32, u32)| {
        let (at, to) = (mentee as usize, mentor as usize);
        at < problem.mentees.len()
            && to < problem.mentors.len()
            && problem.mentees[at].wanted > 0
            && problem.mentors[to].max > 0
            && problem.scores.score(at, to).is_some()
    };
    published.into_par_iter().filter(is_possible).collect()
}

/// A largest set of these pairs that can be kept together: a best assignment among these pairs alone, each with a score
/// of 1.
pub(super) fn most_together(
    problem: &Problem<'_>,
    still_possible: &[(u32, u32)],
    observer: &dyn Observer,
) -> Result<Vec<(u32, u32)>, Stopped> {
    let decisions = Decisions { pins: still_possible.to_vec(), vetoes: Vec::new() };
    if decisions.conflicts(problem, observer)?.is_empty() {
        return Ok(still_possible.to_vec());
    }
    let mentees: Vec<Demand> = problem.mentees.iter().map(|demand| Demand { tier: 0, ..*demand }).collect();
    let mentors: Vec<Seats> = problem.mentors.iter().map(|seats| Seats { min: 0, ..*seats }).collect();
    let ends =
        (0..=mentees.len()).map(|mentee| still_possible.partition_point(|pair| (pair.0 as usize) < mentee));
    let edges = still_possible.iter().map(|&(_, to)| Edge { to, score: 1 }).collect();
    let scores = match SparseScores::new(ends.collect(), edges, observer) {
        Ok(scores) => scores,
        Err(SparseError::Pair { .. }) => return Ok(Vec::new()),
        Err(SparseError::Stopped(stopped)) => return Err(stopped),
    };
    let alone = Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: false };
    Ok(assign(&alone, observer)?.pairs)
}
