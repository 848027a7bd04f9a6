//! Any bytes are a problem. Whatever it is, every objective must be solved and proved, as a matrix and as a list alike, and a
//! small one must be as good as trying everything.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wim_match::domain::policy::Objective;
use wim_match::engine::brought::{Listed, Matrix};
use wim_match::engine::objective::{check, solve};
use wim_match::engine::problem::{Arc, Demand, FORBIDDEN, PairScores, Problem, Seats, Unobserved};
use wim_match::engine::totals::Totals;

/// Reads bytes as numbers; zeros when they are used up.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, most: u8) -> u8 {
        self.next() % most
    }

    fn score(&mut self) -> i32 {
        match self.next() {
            0..96 => FORBIDDEN,
            96..128 => i32::from(self.next()),
            128..160 => i32::from(self.below(3)),
            160..176 => i32::MAX - i32::from(self.below(3)),
            176..192 => FORBIDDEN + 1 + i32::from(self.below(3)),
            192..224 => -i32::from(self.next()),
            _ => i32::from_le_bytes([self.next(), self.next(), self.next(), self.next()]),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let wide = bytes.below(8) == 0;
    let (rows, columns) = if wide { (bytes.below(12), bytes.below(80)) } else { (bytes.below(7), bytes.below(6)) };
    let (rows, columns) = (usize::from(rows), usize::from(columns));
    let coverage_first = bytes.below(3) > 0;
    let mentees: Vec<Demand> = (0..rows)
        .map(|_| Demand { tier: bytes.below(3), wanted: bytes.below(3), ..Demand::default() })
        .collect();
    let mentors: Vec<Seats> = (0..columns)
        .map(|_| {
            let max = u32::from(bytes.below(4));
            Seats { min: u32::from(bytes.below(3)).min(max), max }
        })
        .collect();
    let cells: Vec<i32> = (0..rows * columns).map(|_| bytes.score()).collect();

    let (mut starts, mut arcs) = (vec![0], Vec::new());
    for row in 0..rows {
        let cells = (0..).zip(&cells[row * columns..(row + 1) * columns]);
        arcs.extend(cells.filter(|(_, score)| **score != FORBIDDEN).map(|(to, &score)| Arc { to, score }));
        starts.push(arcs.len());
    }
    let listed = Listed::new(starts, arcs).expect("no candidate comes twice");
    let matrix = Matrix::new(columns, cells).expect("whole rows");

    for objective in Objective::ALL {
        let mut found: Vec<Totals> = Vec::new();
        for scores in [&matrix as &dyn PairScores, &listed] {
            let problem = Problem { mentees: &mentees, mentors: &mentors, scores, coverage_first };
            let solution = solve(&problem, objective, None, &Unobserved).expect("nobody stops it");
            let checked = check(&problem, &solution.pairs, &solution.evidence, None, &Unobserved);
            let checked = checked.expect("nobody stops it");
            assert!(checked.proved, "{objective:?} {checked:?}");
            found.push(solution.totals(&problem));
        }
        if objective == Objective::BestTotal {
            // Equally good ones may differ in what the aims do not count.
            let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &matrix, coverage_first };
            let better = |one: usize, other: usize| found[one].is_better(&found[other], &problem);
            assert!(!better(0, 1) && !better(1, 0), "{found:?}");
        } else {
            assert_eq!(found[0], found[1], "{objective:?}");
        }
    }
});
