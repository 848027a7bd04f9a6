//! The survey: the first look at all pairs, which keeps every mentee's best mentors, and every mentor's best mentees where
//! seats are scarce.

mod columns;

use std::borrow::Cow;

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::brought::Listed;
use crate::engine::problem::{Arc, FORBIDDEN, Observer, Problem, Stopped};

use self::columns::Columns;
use super::core::{Core, index, sort};
use super::tiles::{Cell, LANE, RowVisitor, walk};
use super::top::{Ranked, Top};

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
    let columns = seats_are_scarce(problem).then(|| Columns::new(problem, breadth));
    let visitor = |_| Best { columns: columns.as_ref(), ..Best::new(problem, breadth) };
    let found = walk(problem, observer, Some(Stage::Score), visitor)?;
    let mut starts = vec![0];
    let mut arcs = Vec::with_capacity(found.len() * breadth);
    let mut outside = Vec::with_capacity(found.len());
    let (mut lowest, mut highest) = (i32::MAX, FORBIDDEN);
    for row in found {
        outside.push(if row.arcs.len() < breadth { FORBIDDEN } else { row.worst() });
        arcs.extend(row.arcs);
        starts.push(arcs.len());
        lowest = lowest.min(row.lowest);
        highest = highest.max(row.highest);
    }
    let mut core = Core::among_others(Listed::sorted(starts, arcs), problem.mentors.len(), outside);
    if let Some(columns) = columns {
        let (mut wanted, outside) = columns.by_mentee();
        wanted.par_iter_mut().enumerate().for_each(|(mentee, wanted)| {
            let row = core.row(mentee);
            wanted.retain(|arc| arc.score <= core.outside(mentee) && row.iter().all(|has| has.to != arc.to));
        });
        core.extend(problem.scores, &wanted);
        core.limit_mentors(outside);
    }
    Ok(Survey { core, lowest, highest })
}

/// Whether mentors offer fewer seats than mentees want places.
pub(super) fn seats_are_scarce(problem: &Problem<'_>) -> bool {
    let wanted: u64 = problem.mentees.iter().map(|demand| u64::from(demand.wanted.min(2))).sum();
    let offered: u64 = problem.mentors.iter().map(|seats| u64::from(seats.max)).sum();
    offered < wanted
}

/// Every mentee's best mentors among those who have places, at most `breadth`, best first: the first step of
/// [`super::assign`] by itself.
pub fn shortlist(
    problem: &Problem<'_>,
    breadth: usize,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Arc>>, Stopped> {
    let found = walk(problem, observer, Some(Stage::Score), |_| Best::new(problem, breadth))?;
    Ok(found.into_iter().map(|row| row.arcs).collect())
}

struct Best<'a> {
    problem: &'a Problem<'a>,
    columns: Option<&'a Columns<'a>>,
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

impl BestOfRow {
    fn worst(&self) -> i32 {
        self.arcs.last().map_or(FORBIDDEN, |arc| arc.score)
    }
}

impl RowVisitor for Best<'_> {
    type Found = BestOfRow;

    fn read<C: Cell>(&mut self, mentee: usize, first: usize, scores: &[C]) {
        let (lanes, rest) = scores.as_chunks::<LANE>();
        for (lane, from) in lanes.iter().zip((first..).step_by(LANE)) {
            let (lowest, highest) = C::ends(lane);
            self.lowest = self.lowest.min(lowest);
            self.highest = self.highest.max(highest);
            if highest >= self.floor {
                for (eight, from) in lane.as_chunks::<8>().0.iter().zip((from..).step_by(8)) {
                    if C::any_at_least(eight, self.floor) {
                        self.pick(mentee, from, eight);
                    }
                }
            }
        }
        for score in rest.iter().filter_map(|cell| cell.score()) {
            self.lowest = self.lowest.min(score);
            self.highest = self.highest.max(score);
        }
        self.pick(mentee, first + scores.len() - rest.len(), rest);
        if let Some(columns) = self.columns {
            columns.read(mentee, first, scores);
        }
    }

    fn finish(self, mentee: usize) -> BestOfRow {
        let found = self.top.into_sorted();
        let mut arcs: Vec<Arc> = found.iter().map(|entry| Arc { to: entry.to, score: entry.key }).collect();
        sort(self.problem.scores, mentee, &mut arcs);
        BestOfRow { arcs, lowest: self.lowest, highest: self.highest }
    }
}

impl<'a> Best<'a> {
    fn new(problem: &'a Problem<'a>, breadth: usize) -> Self {
        let top = Top::new(breadth);
        Self { problem, columns: None, top, floor: FORBIDDEN + 1, lowest: i32::MAX, highest: FORBIDDEN }
    }

    fn pick<C: Cell>(&mut self, mentee: usize, from: usize, cells: &[C]) {
        for (cell, at) in cells.iter().zip(from..) {
            let Some(score) = cell.score().filter(|score| *score >= self.floor) else { continue };
            if self.problem.mentors[at].max > 0 {
                let lot = self.problem.scores.lot(mentee, at);
                if self.top.offer(Ranked { key: score, lot, to: index(at), score }) {
                    self.floor = self.top.floor().unwrap_or(self.floor);
                }
            }
        }
    }
}
