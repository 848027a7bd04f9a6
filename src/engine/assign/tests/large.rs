//! A problem whose proof does not fit 64 bits.

use std::ops::Range;

use super::assert_proved;
use crate::engine::assign::assign;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::PairScores;
use crate::engine::problem::{Demand, Problem, Seats};

/// The most extreme scores, of either sign by mentee.
struct Extreme;

impl PairScores for Extreme {
    fn tile(&self, rows: Range<usize>, _: Range<usize>, out: &mut [i32]) {
        for (mentee, cell) in rows.zip(out) {
            *cell = if mentee % 2 == 0 { i32::MAX } else { i32::MIN + 1 };
        }
    }
}

#[test]
fn a_million_extreme_scores_in_all_tiers_are_solved_and_proved_in_128_bits() {
    let mentees: Vec<Demand> =
        (0..=u8::MAX).cycle().take(1_100_000).map(|tier| Demand { tier, wanted: 1, pinned: 0 }).collect();
    let mentors = [Seats { min: 5, max: 1_100_000 }];
    let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &Extreme, coverage_first: true };
    let solved = assign(&problem, &Unobserved).unwrap();
    assert_eq!(solved.pairs.len(), mentees.len());
    assert!(solved.certificate.tiers[0].weight > i128::from(i64::MAX >> 4));
    assert!(assert_proved(&problem, &solved).primal > i128::from(i64::MAX));
}
