//! The core: the few pairs worth looking at. Everything outside it is ruled out by pricing, not by assumption
//! (Volgenant 1996; Lee and Orlin 1993).

use std::borrow::Cow;
use std::cmp::Reverse;

use rayon::prelude::*;

use crate::domain::run::Stage;
pub(super) use crate::engine::problem::Arc;
use crate::engine::problem::{FORBIDDEN, Observer, PairScores, Problem, Stopped};

use crate::engine::brought::Listed;

use super::counters::Pulse;
use super::tiles::{RowVisitor, walk};
use super::top::{Ranked, Top};

/// Scores tested at a time before any is looked at singly.
const LANE: usize = 64;

/// Arcs counted between two looks at the observer.
const STRETCH: usize = 1 << 20;
/// Units of work to sort an arc.
const SORTING: usize = 8;

/// Pairs worth looking at, by mentee and, when asked for, by mentor.
#[derive(Debug)]
pub(super) struct Core<'a> {
    rows: Cow<'a, Listed>,
    /// The same pairs by mentor, with [`Arc::to`] the mentee.
    columns: Option<Listed>,
    mentors: usize,
}

impl<'a> Core<'a> {
    /// The core that consists of these rows.
    pub(super) fn new(rows: Cow<'a, Listed>, mentors: usize) -> Self {
        Self { rows, columns: None, mentors }
    }

    /// The pairs of a mentee, best score first.
    pub(super) fn row(&self, mentee: usize) -> &[Arc] {
        self.rows.row(mentee)
    }

    /// Pairs in all.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The pairs of a mentor, best score first; [`Core::index_columns`] must have been called since the last change.
    pub(super) fn column(&self, mentor: usize) -> &[Arc] {
        self.columns.as_ref().map_or(&[], |columns| columns.row(mentor))
    }

    /// Makes [`Core::column`] available.
    pub(in crate::engine) fn index_columns(&mut self, pulse: &mut Pulse<'_>) -> Result<(), Stopped> {
        if self.columns.is_some() {
            return Ok(());
        }
        let mut starts = vec![0; self.mentors + 1];
        for arcs in self.rows.arcs().chunks(STRETCH) {
            pulse.check()?;
            for arc in arcs {
                starts[arc.to as usize + 1] += 1;
            }
        }
        for at in 0..self.mentors {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut arcs = vec![Arc { to: 0, score: 0 }; self.len()];
        for (mentee, ends) in (0_u32..).zip(self.rows.starts().windows(2)) {
            let row = &self.rows.arcs()[ends[0]..ends[1]];
            pulse.beat(row.len())?;
            for arc in row {
                let slot = &mut next[arc.to as usize];
                arcs[*slot] = Arc { to: mentee, score: arc.score };
                *slot += 1;
            }
        }
        let mut columns = Vec::with_capacity(self.mentors);
        let mut rest = arcs.as_mut_slice();
        for ends in starts.windows(2) {
            let (column, after) = rest.split_at_mut(ends[1] - ends[0]);
            columns.push(column);
            rest = after;
        }
        let pulse = *pulse;
        columns.into_par_iter().enumerate().with_min_len(64).try_for_each_init(
            || pulse,
            |pulse, (mentor, column)| {
                // Equals in an order that differs from column to column, or all mentors would court the same mentees.
                let lot = |mentee: u32| {
                    (mentee ^ index(mentor).wrapping_mul(0x9E37_79B1)).wrapping_mul(0x85EB_CA6B)
                };
                column.sort_unstable_by_key(|arc| (Reverse(arc.score), lot(arc.to)));
                pulse.beat(SORTING * column.len())
            },
        )?;
        self.columns = Some(Listed::sorted(starts, arcs));
        Ok(())
    }

    /// Adds pairs that are not in the core yet, given per mentee.
    pub(super) fn extend(&mut self, scores: &dyn PairScores, added: &[Vec<Arc>]) {
        let more: usize = added.iter().map(Vec::len).sum();
        let mut starts = vec![0];
        let mut arcs = Vec::with_capacity(self.len() + more);
        for (mentee, extra) in added.iter().enumerate() {
            let from = arcs.len();
            arcs.extend_from_slice(self.row(mentee));
            if !extra.is_empty() {
                arcs.extend_from_slice(extra);
                sort(scores, mentee, &mut arcs[from..]);
            }
            starts.push(arcs.len());
        }
        self.rows = Cow::Owned(Listed::sorted(starts, arcs));
        self.columns = None;
    }
}

fn sort(scores: &dyn PairScores, mentee: usize, arcs: &mut [Arc]) {
    arcs.sort_unstable_by_key(|arc| (Reverse(arc.score), scores.lot(mentee, arc.to as usize), arc.to));
}

/// What the first look at all pairs gives.
#[derive(Debug)]
pub(super) struct Survey<'a> {
    /// The first core: every mentee's best mentors.
    pub(super) core: Core<'a>,
    /// Lowest score of a candidate; `i32::MAX` without candidates.
    pub(super) lowest: i32,
    /// Highest score of a candidate; [`FORBIDDEN`] without candidates.
    pub(super) highest: i32,
}

/// Looks at all pairs once, or takes the list of them.
pub(super) fn survey<'a>(
    problem: &Problem<'a>,
    breadth: usize,
    observer: &dyn Observer,
) -> Result<Survey<'a>, Stopped> {
    if let Some(list) = problem.scores.listed() {
        let rows = (0..problem.mentees.len()).map(|mentee| list.row(mentee));
        let ends = |row: &[Arc]| Some((row.last()?.score, row.first()?.score));
        let ends = rows.filter_map(ends);
        let (lowest, highest) = ends.fold((i32::MAX, FORBIDDEN), |(lowest, highest), (last, first)| {
            (lowest.min(last), highest.max(first))
        });
        let core = Core::new(Cow::Borrowed(list), problem.mentors.len());
        return Ok(Survey { core, lowest, highest });
    }
    let found = walk(problem, observer, Some(Stage::Score), |_| Best::new(problem, breadth))?;
    let mut starts = vec![0];
    let mut arcs = Vec::with_capacity(found.len() * breadth);
    let (mut lowest, mut highest) = (i32::MAX, FORBIDDEN);
    for (mentee, row) in found.into_iter().enumerate() {
        let from = arcs.len();
        arcs.extend_from_slice(&row.arcs);
        sort(problem.scores, mentee, &mut arcs[from..]);
        starts.push(arcs.len());
        lowest = lowest.min(row.lowest);
        highest = highest.max(row.highest);
    }
    let core = Core::new(Cow::Owned(Listed::sorted(starts, arcs)), problem.mentors.len());
    Ok(Survey { core, lowest, highest })
}

struct Best<'a> {
    problem: &'a Problem<'a>,
    top: Top<i32>,
    floor: i32,
    lowest: i32,
    highest: i32,
}

struct BestOfRow {
    arcs: Vec<Arc>,
    lowest: i32,
    highest: i32,
}

impl RowVisitor for Best<'_> {
    type Found = BestOfRow;

    fn read(&mut self, mentee: usize, first: usize, scores: &[i32]) {
        let (lanes, rest) = scores.as_chunks::<LANE>();
        for (lane, from) in lanes.iter().zip((first..).step_by(LANE)) {
            let highest = lane.iter().fold(FORBIDDEN, |most, &score| most.max(score));
            // One less, so that a forbidden pair wraps round to the very top.
            let lowest = lane.iter().fold(i32::MAX, |least, &score| least.min(score.wrapping_sub(1)));
            let lowest = lowest.saturating_add(1);
            self.note(mentee, from, lane, lowest, highest);
        }
        let lowest = rest.iter().copied().filter(|&score| score != FORBIDDEN).min().unwrap_or(i32::MAX);
        let highest = rest.iter().copied().max().unwrap_or(FORBIDDEN);
        self.note(mentee, first + scores.len() - rest.len(), rest, lowest, highest);
    }

    fn finish(self, _: usize) -> BestOfRow {
        let arcs =
            self.top.into_sorted().iter().map(|entry| Arc { to: entry.mentor, score: entry.key }).collect();
        BestOfRow { arcs, lowest: self.lowest, highest: self.highest }
    }
}

impl<'a> Best<'a> {
    fn new(problem: &'a Problem<'a>, breadth: usize) -> Self {
        let top = Top::new(breadth);
        Self { problem, top, floor: FORBIDDEN + 1, lowest: i32::MAX, highest: FORBIDDEN }
    }

    fn note(&mut self, mentee: usize, from: usize, lane: &[i32], lowest: i32, highest: i32) {
        self.lowest = self.lowest.min(lowest);
        self.highest = self.highest.max(highest);
        if highest >= self.floor {
            self.pick(mentee, from, lane);
        }
    }

    fn pick(&mut self, mentee: usize, from: usize, lane: &[i32]) {
        for (&score, at) in lane.iter().zip(from..) {
            if score >= self.floor && self.problem.mentors[at].max > 0 {
                let entry =
                    Ranked { key: score, lot: self.problem.scores.lot(mentee, at), mentor: index(at), score };
                if self.top.offer(entry) {
                    self.floor = self.top.floor().unwrap_or(self.floor);
                }
            }
        }
    }
}

/// A position as it is kept in the core. There are never more people than 32 bits count.
pub(in crate::engine) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
