//! A repaired assignment: its value, and how its bound is proved.

use rayon::prelude::*;

use crate::engine::certificate::Certificate;
use crate::engine::problem::Problem;

/// A repaired assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Its pairs, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Most published pairs that can still be kept together.
    pub possible: usize,
    /// Published pairs that are kept.
    pub kept: usize,
    /// Value in the weights of `certificate`.
    pub value: i128,
    /// No assignment that keeps so many published pairs has a greater value.
    pub bound: i128,
    /// What proves the bound, as far as one certificate can.
    pub proof: Proof,
    /// Weights, and the prices that [`Proof`] is about.
    pub certificate: Certificate,
}

impl Repaired {
    /// Whether the solver's bound leaves no room for a better one within the budget. For all but [`Proof::Branches`],
    /// [`crate::engine::certify::certify`] checks that bound from the certificate; for branches there is the solver's word alone.
    pub fn proved(&self) -> bool {
        self.value == self.bound
    }
}

/// How a bound is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The certificate is that of the whole problem.
    Whole,
    /// The certificate is that of the problem in which all still possible published pairs are pins.
    Pinned,
    /// The certificate is that of the problem in which each still possible published pair scores `bonus` more. Its bound,
    /// less `bonus` for each pair that must be kept, is the bound.
    Bonus(i32),
    /// The bound comes from many such problems, with decisions on some of the published pairs in each.
    Branches,
}

/// How many of the pairs in `still`, which is sorted, are among `pairs`.
pub(super) fn kept(still: &[(u32, u32)], pairs: &[(u32, u32)]) -> usize {
    pairs.par_iter().filter(|pair| still.binary_search(pair).is_ok()).count()
}

/// Value of an assignment in the weights of a certificate.
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
