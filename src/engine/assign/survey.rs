//! The survey: the first look at all pairs, which keeps every mentee's best mentors, and every mentor's best mentees where
//! seats are scarce.

mod columns;

use std::borrow::Cow;
use std::cmp::Reverse;

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::brought::Listed;
use crate::engine::problem::{Arc, FORBIDDEN, Observer, Problem, Stopped};

use self::columns::Columns;
use super::core::{Core, index};
use super::counters::Pulse;
use super::tiles::{Cell, LANE, RowVisitor, walk};
use super::top::{Ranked, Top};

/// Lanes for each mentor kept, from which on their highest scores alone give a good floor.
const MANY_LANES: usize = 8;

/// What the first look at all pairs gives.
#[derive(Debug)]
pub(super) struct Survey<'a> {
    /// The first core: every mentee's best mentors, and every mentor's best mentees where seats are scarce.
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
    let scarce = seats_are_scarce(problem);
    // Half of the core from either side.
    let breadth = if scarce { breadth.div_ceil(2) } else { breadth };
    let columns = scarce.then(|| Columns::new(problem, breadth));
    let found = best_of_all(problem, breadth, columns.as_ref(), Equals::Last, observer)?;
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
        let (mut wanted, outside) = columns.by_mentee(&mut Pulse::new(observer))?;
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
    let found = best_of_all(problem, breadth, None, Equals::Last, observer)?;
    Ok(found.into_iter().map(|row| row.arcs).collect())
}

/// The beginning of every mentee's row: the same, but of equals the first are kept.
pub(in crate::engine) fn beginnings(
    problem: &Problem<'_>,
    breadth: usize,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Arc>>, Stopped> {
    let found = best_of_all(problem, breadth, None, Equals::First, observer)?;
    Ok(found.into_iter().map(|row| row.arcs).collect())
}

/// Which of equal pairs at the end of a row's best are among them.
#[derive(Debug, Clone, Copy)]
enum Equals {
    /// The first in the order of a row.
    First,
    /// The last.
    Last,
}

impl Equals {
    /// A lot or a position such that those to be kept have the higher one; turned round twice it is what it was.
    fn turned(self, number: u32) -> u32 {
        match self {
            Self::First => !number,
            Self::Last => number,
        }
    }
}

fn best_of_all(
    problem: &Problem<'_>,
    breadth: usize,
    columns: Option<&Columns<'_>>,
    equals: Equals,
    observer: &dyn Observer,
) -> Result<Vec<BestOfRow>, Stopped> {
    let open: Vec<bool> =
        problem.mentors.chunks(LANE).map(|lane| lane.iter().all(|mentor| mentor.max > 0)).collect();
    let best = |_| Best { columns, equals, ..Best::new(problem, &open, breadth) };
    walk(problem, observer, Some(Stage::Score), best)
}

struct Best<'a> {
    problem: &'a Problem<'a>,
    columns: Option<&'a Columns<'a>>,
    equals: Equals,
    /// Lanes of mentors who all have places.
    open: &'a [bool],
    breadth: usize,
    top: Top<i32>,
    floor: i32,
    lowest: i32,
    highest: i32,
    /// The highest score of every lane that is being read.
    highs: Vec<i32>,
    room: Vec<i32>,
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
        self.highs.clear();
        for lane in lanes {
            let (lowest, highest) = C::ends(lane);
            self.lowest = self.lowest.min(lowest);
            self.highest = self.highest.max(highest);
            self.highs.push(highest);
        }
        self.raise_floor(first / LANE, lanes);
        for (at, lane) in lanes.iter().enumerate() {
            if self.highs[at] >= self.floor {
                for (eight, from) in lane.as_chunks::<8>().0.iter().zip((first + at * LANE..).step_by(8)) {
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

    fn finish(self, _mentee: usize) -> BestOfRow {
        let mut found = self.top.into_best();
        for entry in &mut found {
            (entry.lot, entry.to) = (self.equals.turned(entry.lot), self.equals.turned(entry.to));
        }
        // The order of a row: see [`super::core::sort`].
        found.sort_unstable_by_key(|entry| (Reverse(entry.key), entry.lot, entry.to));
        let arcs = found.iter().map(|entry| Arc { to: entry.to, score: entry.key }).collect();
        BestOfRow { arcs, lowest: self.lowest, highest: self.highest }
    }
}

impl<'a> Best<'a> {
    fn new(problem: &'a Problem<'a>, open: &'a [bool], breadth: usize) -> Self {
        Self {
            problem,
            columns: None,
            equals: Equals::Last,
            open,
            breadth,
            top: Top::new(breadth),
            floor: FORBIDDEN + 1,
            lowest: i32::MAX,
            highest: FORBIDDEN,
            highs: Vec::new(),
            room: Vec::new(),
        }
    }

    /// Raises the floor to the highest score that enough lanes, or parts of lanes where there are few, reach: each has a pair
    /// that scores as much, so that nothing below can be among the best.
    fn raise_floor<C: Cell>(&mut self, first: usize, lanes: &[[C; LANE]]) {
        let open = self.open[first..].iter();
        self.room.clear();
        if lanes.len() < MANY_LANES * self.breadth {
            let parts = lanes.iter().zip(open).filter(|(_, is_open)| **is_open);
            self.room.extend(parts.flat_map(|(lane, _)| lane.as_chunks().0.iter().map(C::highest)));
        } else {
            let highs = self.highs.iter().zip(open).filter(|(_, is_open)| **is_open);
            self.room.extend(highs.map(|(high, _)| *high));
        }
        if self.room.len() >= self.breadth {
            let (_, enough, _) = self.room.select_nth_unstable_by(self.breadth - 1, |a, b| b.cmp(a));
            self.floor = self.floor.max(*enough);
        }
    }

    fn pick<C: Cell>(&mut self, mentee: usize, from: usize, cells: &[C]) {
        for (cell, at) in cells.iter().zip(from..) {
            let Some(score) = cell.score().filter(|score| *score >= self.floor) else { continue };
            if self.problem.mentors[at].max > 0 {
                let lot = self.equals.turned(self.problem.scores.lot(mentee, at));
                let to = self.equals.turned(index(at));
                if self.top.offer(Ranked { key: score, lot, to, score }) {
                    self.floor = self.top.floor().map_or(self.floor, |floor| floor.max(self.floor));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::engine::problem::{Demand, PairScores, Seats, Unobserved};

    /// Scores that look random, many of them equal, and those of mentors without a place far above.
    struct Random;

    /// All but every third hundred.
    fn has_place(mentor: usize) -> bool {
        !(mentor / 100).is_multiple_of(3)
    }

    impl PairScores for Random {
        fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
            let pairs = rows.flat_map(|mentee| cols.clone().map(move |mentor| (mentee, mentor)));
            for (out, (mentee, mentor)) in out.iter_mut().zip(pairs) {
                *out = self.score(mentee, mentor).unwrap_or(FORBIDDEN);
            }
        }

        fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
            let score = i32::try_from(self.lot(mentee, mentor) % 90).expect("small");
            (score > 20).then_some(if has_place(mentor) { score } else { score * 10 })
        }
    }

    #[test]
    fn the_shortlist_holds_the_best_of_those_who_have_places() {
        // Whoever scores highest has no place, so that lanes with one of them say nothing of what is enough.
        let seats = |mentor: usize| Seats { min: 0, max: u32::from(has_place(mentor)) };
        for mentors in [5, 64, 700, 9_001] {
            let seats: Vec<Seats> = (0..mentors).map(seats).collect();
            let mentees = vec![Demand { wanted: 1, ..Demand::default() }; 3];
            let problem =
                Problem { mentees: &mentees, mentors: &seats, scores: &Random, coverage_first: true };
            for breadth in [1, 8, 32] {
                let found = shortlist(&problem, breadth, &Unobserved).unwrap();
                let beginnings = beginnings(&problem, breadth, &Unobserved).unwrap();
                for (mentee, (found, beginning)) in found.iter().zip(&beginnings).enumerate() {
                    let open = (0..mentors).filter(|at| seats[*at].max > 0);
                    let mut all: Vec<Ranked<i32>> = open
                        .filter_map(|at| {
                            let score = Random.score(mentee, at)?;
                            Some(Ranked { key: score, lot: Random.lot(mentee, at), to: index(at), score })
                        })
                        .collect();
                    let row = |mut all: Vec<Ranked<i32>>| -> Vec<Arc> {
                        all.sort_unstable_by_key(|entry| (Reverse(entry.key), entry.lot, entry.to));
                        all.iter().map(|entry| Arc { to: entry.to, score: entry.key }).collect()
                    };
                    let whole = row(all.clone());
                    assert_eq!(*beginning, whole[..breadth.min(whole.len())], "{mentee} of {mentors}");
                    all.sort_unstable_by(|a, b| b.cmp(a));
                    all.truncate(breadth);
                    assert_eq!(*found, row(all), "{mentee} of {mentors}, the best {breadth}");
                }
            }
        }
    }
}
