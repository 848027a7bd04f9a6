use super::*;
use crate::engine::certify::certify;
use crate::engine::problem::{Demand, FORBIDDEN, PairScores, Seats, Unobserved};
use proptest::prelude::*;
use std::ops::Range;

#[derive(Debug, Clone)]
struct Case {
    mentees: Vec<Demand>,
    mentors: Vec<Seats>,
    scores: Vec<i32>,
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
    fn problem(&self) -> Problem<'_> {
        Problem { mentees: &self.mentees, mentors: &self.mentors, scores: self }
    }

    fn score(&self, mentee: usize, mentor: usize) -> i32 {
        self.scores[mentee * self.mentors.len() + mentor]
    }

    /// The lexicographic value of an assignment, level by level and without weights: mentees served per tier, minimum
    /// places, second mentors, score.
    fn value(&self, pairs: &[(u32, u32)]) -> Vec<i64> {
        let mut tiers: Vec<u8> = self.mentees.iter().map(|demand| demand.tier).collect();
        tiers.sort_unstable();
        tiers.dedup();
        let has = |mentee: usize| pairs.iter().filter(|pair| pair.0 as usize == mentee).count();
        let load = |mentor: usize| pairs.iter().filter(|pair| pair.1 as usize == mentor).count();
        let mut value: Vec<i64> = tiers
            .iter()
            .map(|&tier| {
                let served = (0..self.mentees.len()).filter(|&i| self.mentees[i].tier == tier && has(i) > 0);
                served.count() as i64
            })
            .collect();
        value.push((0..self.mentors.len()).map(|j| load(j).min(self.mentors[j].min as usize) as i64).sum());
        value.push((0..self.mentees.len()).filter(|&i| has(i) > 1).count() as i64);
        value.push(pairs.iter().map(|&(i, j)| i64::from(self.score(i as usize, j as usize))).sum());
        value
    }

    /// The best value by trying everything.
    fn brute_force(&self) -> Vec<i64> {
        let mut best = self.value(&[]);
        self.try_from(0, &mut Vec::new(), &mut best);
        best
    }

    fn try_from(&self, mentee: usize, pairs: &mut Vec<(u32, u32)>, best: &mut Vec<i64>) {
        if mentee == self.mentees.len() {
            let value = self.value(pairs);
            if value > *best {
                *best = value;
            }
            return;
        }
        self.try_from(mentee + 1, pairs, best);
        let mentors = self.mentors.len();
        let free = |pairs: &[(u32, u32)], j: usize| {
            self.score(mentee, j) != FORBIDDEN
                && pairs.iter().filter(|pair| pair.1 as usize == j).count() < self.mentors[j].max as usize
        };
        for one in 0..mentors {
            if self.mentees[mentee].wanted == 0 || !free(pairs, one) {
                continue;
            }
            pairs.push((index(mentee), index(one)));
            self.try_from(mentee + 1, pairs, best);
            for other in one + 1..mentors {
                if self.mentees[mentee].wanted == 2 && free(pairs, other) {
                    pairs.push((index(mentee), index(other)));
                    self.try_from(mentee + 1, pairs, best);
                    pairs.pop();
                }
            }
            pairs.pop();
        }
    }
}

fn case(
    mentees: impl Into<proptest::collection::SizeRange>,
    mentors: impl Into<proptest::collection::SizeRange>,
    score: impl Strategy<Value = i32> + Clone + 'static,
) -> impl Strategy<Value = Case> {
    let demand = (0..3_u8, prop_oneof![1 => Just(0_u8), 8 => Just(1), 6 => Just(2)]);
    let demand = demand.prop_map(|(tier, wanted)| Demand { tier, wanted });
    let seats = (0..3_u32, 0..4_u32).prop_map(|(min, max)| Seats { min, max });
    let people = (proptest::collection::vec(demand, mentees), proptest::collection::vec(seats, mentors));
    people.prop_flat_map(move |(mentees, mentors)| {
        let cell = prop_oneof![1 => Just(FORBIDDEN), 2 => score.clone()];
        let scores = proptest::collection::vec(cell, mentees.len() * mentors.len());
        scores.prop_map(move |scores| Case { mentees: mentees.clone(), mentors: mentors.clone(), scores })
    })
}

fn score() -> impl Strategy<Value = i32> + Clone {
    prop_oneof![
        4 => -3..4_i32,
        4 => 0..10_000_i32,
        1 => Just(7),
        1 => prop_oneof![Just(i32::MAX), Just(i32::MIN + 1), Just(i32::MAX - 1)],
    ]
}

/// Solves and certifies, with knobs of its own for every case so that all parts of the solver have work.
fn check(case: &Case, tuning: &Tuning) -> Assignment {
    let problem = case.problem();
    let solved = assign_tuned(&problem, tuning, &Unobserved).unwrap();
    let verdict = certify(&problem, &solved.pairs, &solved.certificate, &Unobserved).unwrap();
    assert!(verdict.proved(), "{verdict:?} {solved:?}");
    solved
}

fn tuning() -> impl Strategy<Value = Tuning> {
    let narrow = (1..3_usize, 1..3_usize, 0..3_usize);
    let narrow = narrow.prop_map(|(breadth, worst, passes)| Tuning { breadth, worst, passes });
    prop_oneof![3 => narrow, 1 => Just(Tuning::default())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn nothing_beats_the_assignment_when_everything_is_tried(case in case(0..6, 0..5, score()), tuning in tuning()) {
        let solved = check(&case, &tuning);
        prop_assert_eq!(case.value(&solved.pairs), case.brute_force());
    }

    #[test]
    fn larger_cases_are_proved_best(case in case(0..25, 0..20, score()), tuning in tuning()) {
        check(&case, &tuning);
    }
}
