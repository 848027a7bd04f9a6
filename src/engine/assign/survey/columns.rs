//! Every mentor's best mentees, found in the same look at all pairs as every mentee's best mentors.
//!
//! Where seats are scarce it is the mentors who bid, and a core of nothing but mentees' favourites would lack those whom
//! mentors want: pricing would find them one round later, and upset nearly everybody.

use rayon::prelude::*;

use crate::engine::pool::Gatherings;
use crate::engine::problem::{FORBIDDEN, PairScores, Problem, Seats, Stopped};

use super::super::core::{Arc, index};
use super::super::counters::Pulse;
use super::super::tiles::{Cell, Floors, LANE};
use super::super::top::{Ranked, Top};

/// Mentees that a mentor keeps beside `breadth`, for each of her seats.
const PER_SEAT: usize = 2;
/// The floor of a mentor who offers nothing: no other is so high.
const CLOSED: i16 = i16::MAX;
/// Cells looked at together where a lane has something.
const FEW: usize = 8;

/// The best mentees of every mentor.
pub(super) struct Columns<'a> {
    problem: &'a Problem<'a>,
    breadth: usize,
    found: Gatherings<Gathering>,
}

/// For every thread 80 bytes per mentor, and 32 for each mentee whom she keeps.
struct Gathering {
    best: Vec<Top<i32>>,
    /// What a mentee must score to be kept, in both widths.
    wide: Vec<i32>,
    narrow: Vec<i16>,
}

impl<'a> Columns<'a> {
    /// Nobody is found yet.
    pub(super) fn new(problem: &'a Problem<'a>, breadth: usize) -> Self {
        Self { problem, breadth, found: Gatherings::default() }
    }

    /// Reads some of a mentee's scores.
    pub(super) fn read<C: Cell>(&self, mentee: usize, first: usize, scores: &[C]) {
        let new = || Gathering::new(self.problem.mentors, self.breadth);
        self.found.add(new, |gathering| gathering.read(self.problem.scores, mentee, first, scores));
    }

    /// What was found, by mentee, in the order of the mentors; and the highest score that each mentor may have beside it.
    pub(super) fn by_mentee(self, pulse: &mut Pulse<'_>) -> Result<(Vec<Vec<Arc>>, Vec<i32>), Stopped> {
        let mut gathered = self.found.into_all().into_iter().map(|gathering| gathering.best);
        let mut best = gathered.next().unwrap_or_default();
        for more in gathered {
            best.par_iter_mut().zip(more).for_each(|(all, more)| {
                more.into_best().into_iter().for_each(|entry| _ = all.offer(entry));
            });
        }
        pulse.check()?;
        let columns: Vec<(usize, Vec<Ranked<i32>>)> =
            best.into_par_iter().map(|top| (top.keep(), top.into_sorted())).collect();
        let mut found = vec![Vec::new(); self.problem.mentees.len()];
        let mut outside = Vec::with_capacity(columns.len());
        for (mentor, (keep, column)) in columns.into_iter().enumerate() {
            pulse.beat(column.len())?;
            outside.push(match column.last() {
                Some(worst) if column.len() == keep => worst.score,
                _ => FORBIDDEN,
            });
            for entry in column {
                found[entry.to as usize].push(Arc { to: index(mentor), score: entry.score });
            }
        }
        Ok((found, outside))
    }
}

impl Gathering {
    fn new(mentors: &[Seats], breadth: usize) -> Self {
        // Nobody who offers nothing is asked for anything.
        let (wide, narrow) = mentors
            .iter()
            .map(|seats| if seats.max == 0 { (i32::MAX, CLOSED) } else { (FORBIDDEN + 1, 0) })
            .unzip();
        let best = |seats: &Seats| Top::within(breadth + PER_SEAT * seats.max as usize, 2);
        Self { best: mentors.iter().map(best).collect(), wide, narrow }
    }

    fn read<C: Cell>(&mut self, scores: &dyn PairScores, mentee: usize, first: usize, row: &[C]) {
        let (lanes, rest) = row.as_chunks::<LANE>();
        for (lane, from) in lanes.iter().zip((first..).step_by(LANE)) {
            if !reaches(lane, &self.wide, &self.narrow, from) {
                continue;
            }
            for (few, from) in lane.as_chunks::<FEW>().0.iter().zip((from..).step_by(FEW)) {
                if reaches(few, &self.wide, &self.narrow, from) {
                    self.pick(scores, mentee, from, few);
                }
            }
        }
        self.pick(scores, mentee, first + row.len() - rest.len(), rest);
    }

    fn pick<C: Cell>(&mut self, scores: &dyn PairScores, mentee: usize, from: usize, cells: &[C]) {
        for (cell, mentor) in cells.iter().zip(from..) {
            let Some(score) = cell.score().filter(|score| *score >= self.wide[mentor]) else { continue };
            if self.narrow[mentor] == CLOSED {
                continue;
            }
            let entry = Ranked { key: score, lot: scores.lot(mentee, mentor), to: index(mentee), score };
            let best = &mut self.best[mentor];
            if best.offer(entry) {
                let floor = best.floor().unwrap_or(FORBIDDEN + 1);
                self.wide[mentor] = floor;
                self.narrow[mentor] = i16::try_from(floor.max(0)).unwrap_or(CLOSED).min(CLOSED - 1);
            }
        }
    }
}

fn reaches<C: Cell, const N: usize>(cells: &[C; N], wide: &[i32], narrow: &[i16], from: usize) -> bool {
    let lane = wide[from..].first_chunk().zip(narrow[from..].first_chunk());
    lane.is_some_and(|(wide, narrow)| C::any_reaches(cells, &Floors { wide, narrow }))
}
