//! A repaired assignment: its value, its bound and the proof of the bound.

use rayon::prelude::*;

use crate::engine::certificate::Certificate;
use crate::engine::problem::Problem;

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

/// The value of an assignment in the weights of a certificate.
pub(super) fn value(problem: &Problem<'_>, weights: &Certificate, pairs: &[(u32, u32)]) -> i128 {
    let score = |&(mentee, mentor): &(u32, u32)| {
        i128::from(problem.scores.score(mentee as usize, mentor as usize).unwrap_or_default())
    };
    let mut value: i128 = pairs.par_iter().map(score).sum();
    let mut has = vec![0_usize; problem.mentees.len()];
    let mut load = vec![0_u32; problem.mentors.len()];
    for &(mentee, mentor) in pairs {
        has[mentee as usize] += 1;
        load[mentor as usize] += 1;
    }
    for (demand, &has) in problem.mentees.iter().zip(&has).filter(|&(_, &has)| has > 0) {
        let first = weights.tiers.iter().find(|entry| entry.tier == demand.tier && demand.pinned == 0);
        value += first.map_or(weights.second, |entry| entry.weight) + weights.second * (has as i128 - 1);
    }
    for (seats, &load) in problem.mentors.iter().zip(&load) {
        value += weights.minimum * i128::from(load.min(seats.min));
    }
    value
}
