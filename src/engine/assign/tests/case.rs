//! Small cases to solve, their value without weights, and the best value by brute force.

use std::ops::Range;

use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;

use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{DenseScores, Edge, FORBIDDEN, PairScores, SparseScores};
use crate::engine::problem::{Demand, Problem, Seats};

#[derive(Debug, Clone)]
pub(in crate::engine) struct Case {
    pub(in crate::engine) mentees: Vec<Demand>,
    pub(in crate::engine) mentors: Vec<Seats>,
    pub(in crate::engine) scores: Vec<i32>,
    pub(in crate::engine) coverage_first: bool,
}

impl PairScores for Case {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        for (row, out) in rows.zip(out.chunks_exact_mut(cols.len())) {
            let start = row * self.mentors.len();
            out.copy_from_slice(&self.scores[start + cols.start..start + cols.end]);
        }
    }
}

impl Case {
    pub(in crate::engine) fn problem(&self) -> Problem<'_> {
        Problem {
            mentees: &self.mentees,
            mentors: &self.mentors,
            scores: self,
            coverage_first: self.coverage_first,
        }
    }

    /// The scores as a matrix: in 16 bits where all of them fit.
    pub(in crate::engine) fn matrix(&self) -> DenseScores {
        DenseScores::new(self.mentors.len(), self.scores.clone()).unwrap()
    }

    pub(in crate::engine) fn score(&self, mentee: usize, mentor: usize) -> i32 {
        self.scores[mentee * self.mentors.len() + mentor]
    }

    /// The candidates as a list.
    pub(in crate::engine) fn sparse_scores(&self) -> SparseScores {
        let (mut starts, mut arcs) = (vec![0], Vec::new());
        for i in 0..self.mentees.len() {
            let row = (0..self.mentors.len()).filter(|&j| self.score(i, j) != FORBIDDEN);
            arcs.extend(row.map(|j| Edge { to: at(j), score: self.score(i, j) }));
            starts.push(arcs.len());
        }
        SparseScores::new(starts, arcs, &Unobserved).unwrap()
    }

    /// The lexicographic value of an assignment, level by level and without weights: mentees served per tier, minimum
    /// seats, second mentors, score.
    pub(in crate::engine) fn value(&self, pairs: &[(u32, u32)]) -> Vec<i64> {
        let mut tiers: Vec<u8> = self.mentees.iter().map(|demand| demand.tier).collect();
        tiers.sort_unstable();
        tiers.dedup();
        let has = |mentee: usize| pairs.iter().filter(|pair| pair.0 as usize == mentee).count();
        let load = |mentor: usize| pairs.iter().filter(|pair| pair.1 as usize == mentor).count();
        if !self.coverage_first {
            tiers.clear();
        }
        let mut value: Vec<i64> = tiers
            .iter()
            .map(|&tier| {
                let served = (0..self.mentees.len()).filter(|&i| self.mentees[i].tier == tier && has(i) > 0);
                count(served.count())
            })
            .collect();
        value.push((0..self.mentors.len()).map(|j| count(load(j).min(self.mentors[j].min as usize))).sum());
        if self.coverage_first {
            value.push(count((0..self.mentees.len()).filter(|&i| has(i) > 1).count()));
        }
        value.push(pairs.iter().map(|&(i, j)| i64::from(self.score(i as usize, j as usize))).sum());
        value
    }

    /// The best value by trying everything.
    pub(in crate::engine) fn brute_force(&self) -> Vec<i64> {
        self.best_of_all(|pairs| self.value(pairs))
    }

    /// The greatest value of any assignment, by trying all.
    pub(in crate::engine) fn best_of_all<V: Ord>(&self, value: impl Fn(&[(u32, u32)]) -> V) -> V {
        let mut best = value(&[]);
        self.each(|pairs| {
            let value = value(pairs);
            if value > best {
                best = value;
            }
        });
        best
    }

    /// Shows every assignment.
    pub(in crate::engine) fn each(&self, mut show: impl FnMut(&[(u32, u32)])) {
        self.try_from(0, &mut Vec::new(), &mut show);
    }

    fn try_from(&self, mentee: usize, pairs: &mut Vec<(u32, u32)>, show: &mut impl FnMut(&[(u32, u32)])) {
        if mentee == self.mentees.len() {
            show(pairs);
            return;
        }
        self.try_from(mentee + 1, pairs, show);
        let mentors = self.mentors.len();
        let free = |pairs: &[(u32, u32)], j: usize| {
            self.score(mentee, j) != FORBIDDEN
                && pairs.iter().filter(|pair| pair.1 as usize == j).count() < self.mentors[j].max as usize
        };
        for one in 0..mentors {
            if self.mentees[mentee].wanted == 0 || !free(pairs, one) {
                continue;
            }
            pairs.push((at(mentee), at(one)));
            self.try_from(mentee + 1, pairs, show);
            for other in one + 1..mentors {
                if self.mentees[mentee].wanted == 2 && free(pairs, other) {
                    pairs.push((at(mentee), at(other)));
                    self.try_from(mentee + 1, pairs, show);
                    pairs.pop();
                }
            }
            pairs.pop();
        }
    }
}

pub(in crate::engine) fn case(
    mentees: impl Into<SizeRange>,
    mentors: impl Into<SizeRange>,
    score: impl Strategy<Value = i32> + Clone + 'static,
) -> impl Strategy<Value = Case> {
    let demand = (0..3_u8, prop_oneof![1 => Just(0_u8), 8 => Just(1), 6 => Just(2)]);
    let demand = demand.prop_map(|(tier, wanted)| Demand { tier, wanted, pinned: 0 });
    let seats = (0..3_u32, 0..4_u32).prop_map(|(min, max)| Seats { min, max });
    let people = (vec(demand, mentees), vec(seats, mentors));
    people.prop_flat_map(move |(mentees, mentors)| {
        let cell = prop_oneof![1 => Just(FORBIDDEN), 2 => score.clone()];
        let rest = (vec(cell, mentees.len() * mentors.len()), prop::bool::weighted(0.7));
        rest.prop_map(move |(scores, coverage_first)| Case {
            mentees: mentees.clone(),
            mentors: mentors.clone(),
            scores,
            coverage_first,
        })
    })
}

pub(in crate::engine) fn score() -> impl Strategy<Value = i32> + Clone {
    prop_oneof![
        4 => -3..4_i32,
        4 => 0..10_000_i32,
        1 => Just(7),
        1 => Just(i32::from(i16::MAX)),
        1 => prop_oneof![Just(i32::MAX), Just(i32::MIN + 1), Just(i32::MAX - 1)],
    ]
}

fn at(position: usize) -> u32 {
    u32::try_from(position).unwrap()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}
