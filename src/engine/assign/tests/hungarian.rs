//! An independent oracle: the Hungarian algorithm of the crate `pathfinding` on the matrix with one column per seat.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use proptest::collection::vec;
use proptest::prelude::*;

use super::case::{Case, score};
use crate::engine::pair_scores::FORBIDDEN;
use crate::engine::problem::{Demand, Seats};

/// Cases that the oracle can solve: every mentee wants one mentor.
pub(super) fn case() -> impl Strategy<Value = Case> {
    (2..40_usize, 2..25_usize).prop_flat_map(|(mentees, mentors)| {
        let demand = (0..3_u8).prop_map(|tier| Demand { tier, wanted: 1, pinned: 0 });
        let seats = (0..2_u32, 0..3_u32).prop_map(|(min, max)| Seats { min, max });
        let cell = prop_oneof![2 => Just(FORBIDDEN), 1 => score()];
        (vec(demand, mentees), vec(seats, mentors), vec(cell, mentees * mentors))
            .prop_map(|(mentees, mentors, scores)| Case { mentees, mentors, scores, coverage_first: true })
    })
}

/// A best assignment, with weights that multiply from aim to aim.
pub(super) fn solve(case: &Case) -> Vec<(u32, u32)> {
    let mentees = case.mentees.len();
    let base = 1 + (mentees as i128) * (1 << 33);
    let place = |tier: u8| base * (mentees as i128 + 1).pow(4 - u32::from(tier));
    let mut seats = Vec::new();
    for (mentor, offer) in case.mentors.iter().enumerate() {
        seats.extend((0..offer.max).map(|seat| (mentor, if seat < offer.min { base } else { 0 })));
    }
    let columns = seats.len() + mentees;
    let worst = -place(0) * 1000;
    let weights = Matrix::from_fn(mentees, columns, |(mentee, column)| match seats.get(column) {
        None => 0,
        Some(&(mentor, bonus)) => match case.score(mentee, mentor) {
            FORBIDDEN => worst,
            score => place(case.mentees[mentee].tier) + bonus + i128::from(score),
        },
    });
    let (_, chosen) = kuhn_munkres(&weights);
    let pairs = chosen.iter().enumerate().filter_map(|(mentee, &column)| {
        let (mentor, _) = seats.get(column)?;
        Some((u32::try_from(mentee).unwrap(), u32::try_from(*mentor).unwrap()))
    });
    pairs.collect()
}
