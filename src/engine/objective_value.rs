//! The value of an assignment at the objective BEST_TOTAL, aim by aim.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::problem::{Problem, Seats};

/// Pairs that one task sums up.
const CHUNK: usize = 1 << 10;

/// The value of an assignment, aim by aim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectiveValue {
    /// Counts that have precedence over the scores.
    pub people: PeopleServed,
    /// Number of pairs.
    pub pairs: u64,
    /// Sum of the scores of the pairs.
    pub score: i64,
    /// Score of the worst pair, if there is a pair.
    pub worst: Option<i32>,
}

/// Counts of served people and filled minimum places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleServed {
    /// Every tier that occurs, ascending, with the number of its mentees who have a mentor.
    pub tiers: Vec<(u8, u64)>,
    /// Number of filled minimum places of mentors.
    pub minimum_places: u64,
    /// Number of mentees who have a second mentor.
    pub second_mentors: u64,
}

/// A mentor with fewer mentees than her minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BelowMinimum {
    /// The mentor.
    pub mentor: u32,
    /// The minimum, at most the number of places.
    pub minimum: u32,
    /// Number of mentees.
    pub matched: u32,
}

/// All mentors with fewer pairs than their minimum, also those without any pair, ascending.
pub fn below_minimum(problem: &Problem<'_>, pairs: &[(u32, u32)]) -> Vec<BelowMinimum> {
    let mut load = vec![0_u32; problem.mentors.len()];
    for &(_, mentor) in pairs {
        load[mentor as usize] += 1;
    }
    let of = |((mentor, seats), matched): ((u32, &Seats), u32)| {
        let minimum = seats.min.min(seats.max);
        (matched < minimum).then_some(BelowMinimum { mentor, minimum, matched })
    };
    (0..).zip(problem.mentors).zip(load).filter_map(of).collect()
}

impl ObjectiveValue {
    /// Whether this value is greater than `other` in the lexicographic order of BEST_TOTAL for `problem`.
    pub fn is_better(&self, other: &Self, problem: &Problem<'_>) -> bool {
        let rank = |value: &Self| {
            let PeopleServed { tiers, minimum_places, second_mentors } = &value.people;
            let counts = |count: &u64| if problem.coverage_first { *count } else { 0 };
            let served: Vec<u64> = tiers.iter().map(|(_, served)| counts(served)).collect();
            (served, *minimum_places, counts(second_mentors), value.score)
        };
        rank(self) > rank(other)
    }

    /// The value of `pairs`, all of which must be candidates.
    pub fn of(problem: &Problem<'_>, pairs: &[(u32, u32)]) -> Self {
        let mut mentors_of = vec![0_u32; problem.mentees.len()];
        let mut load = vec![0_u32; problem.mentors.len()];
        for &(mentee, mentor) in pairs {
            mentors_of[mentee as usize] += 1;
            load[mentor as usize] += 1;
        }
        let scores = pairs.par_iter().with_min_len(CHUNK);
        let scores =
            scores.filter_map(|&(mentee, mentor)| problem.scores.score(mentee as usize, mentor as usize));
        let (score, worst) = scores.map(|score| (i64::from(score), Some(score))).reduce(
            || (0, None),
            |(sum, worst), (score, other)| {
                (
                    sum + score,
                    worst.map_or(other, |worst| Some(other.map_or(worst, |other| other.min(worst)))),
                )
            },
        );
        let mut served = [None; 256];
        let mut second_mentors = 0;
        for (demand, &has) in problem.mentees.iter().zip(&mentors_of) {
            // If a mentor is pinned, a further mentor is a second mentor.
            let first = u32::from(has > 0 && demand.pinned == 0);
            *served[usize::from(demand.tier)].get_or_insert(0) += u64::from(first);
            second_mentors += u64::from(has - first);
        }
        let tiers = (0..=u8::MAX).zip(served).filter_map(|(tier, served)| Some((tier, served?))).collect();
        let filled = problem.mentors.iter().zip(&load).map(|(seats, &load)| u64::from(load.min(seats.min)));
        let people = PeopleServed { tiers, minimum_places: filled.sum(), second_mentors };
        Self { people, pairs: pairs.len() as u64, score, worst }
    }
}

/// The value of an assignment in the weights of a certificate.
pub(super) fn weighted_value(problem: &Problem<'_>, weights: &Certificate, pairs: &[(u32, u32)]) -> i128 {
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
