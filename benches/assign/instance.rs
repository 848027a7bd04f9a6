//! Instances for benches and tests, drawn from a counter-based SplitMix64 stream. Every machine gets the same instances.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "every number drawn is below a million million"
)]

#[path = "people.rs"]
mod people;

pub(crate) use self::people::{below, random};

use self::people::{people, profile_score};
use super::pair_scores::{DenseScores, FORBIDDEN};
use super::problem::{Demand, Problem, Seats};

/// A problem with dense scores.
pub(crate) struct Instance {
    /// Demands of the mentees.
    pub(crate) mentees: Vec<Demand>,
    /// Seats of the mentors.
    pub(crate) mentors: Vec<Seats>,
    /// Scores of all pairs.
    pub(crate) scores: DenseScores,
}

impl Instance {
    /// The assignment problem.
    pub(crate) fn problem(&self) -> Problem<'_> {
        Problem { mentees: &self.mentees, mentors: &self.mentors, scores: &self.scores, coverage_first: true }
    }

    /// An instance whose mentees want one mentor each. `seats` gives the seats of a mentor, `score` the score of a pair.
    pub(crate) fn new(
        mentees: usize,
        mentors: usize,
        seats: impl Fn(usize) -> u32,
        score: impl Fn(usize, usize) -> i32,
    ) -> Self {
        let mut cells = Vec::with_capacity(mentees * mentors);
        for mentee in 0..mentees {
            cells.extend((0..mentors).map(|mentor| score(mentee, mentor)));
        }
        Self {
            mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; mentees],
            mentors: (0..mentors).map(|mentor| Seats { min: 0, max: seats(mentor) }).collect(),
            scores: DenseScores::new(mentors, cells).unwrap(),
        }
    }

    /// People with skills, languages, regions, time zones and seniority. About a third of the pairs are candidates, and there
    /// are only a few hundred distinct scores.
    pub(crate) fn profile(mentees: usize, mentors: usize, most_seats: u64, seed: u64) -> Self {
        let requesting = people(mentees, seed * 4 + 1, false);
        let offering = people(mentors, seed * 4 + 2, true);
        let seats = |mentor: usize| 1 + below(random(seed + 9, mentor as u64, 3), most_seats) as u32;
        Self::new(mentees, mentors, seats, |mentee, mentor| {
            profile_score(&requesting[mentee], &offering[mentor]).unwrap_or(FORBIDDEN)
        })
    }

    /// Uniform random scores of nine digits. Ties are rare.
    pub(crate) fn uniform(n: usize, seed: u64) -> Self {
        Self::new(n, n, |_| 1, |i, j| below(random(seed, i as u64, j as u64), 1_000_000_000) as i32)
    }

    /// Uniform random scores from 1 to 100.
    pub(crate) fn int100(n: usize, seed: u64) -> Self {
        Self::new(n, n, |_| 1, |i, j| 1 + below(random(seed + 100, i as u64, j as u64), 100) as i32)
    }

    /// Geometric instance: a score falls with the distance between two random points of the plane.
    pub(crate) fn geom(n: usize, seed: u64) -> Self {
        let point = |seed, at: usize| [1, 2].map(|axis| below(random(seed, at as u64, axis), 1 << 20) as i64);
        Self::new(
            n,
            n,
            |_| 1,
            |i, j| {
                let ([ax, ay], [bx, by]) = (point(seed, i), point(seed + 1, j));
                (1 << 21) - ((ax - bx).pow(2) + (ay - by).pow(2)).isqrt() as i32
            },
        )
    }
}
