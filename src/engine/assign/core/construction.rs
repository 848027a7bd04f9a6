//! Core construction: one pass over all pairs selects the best mentors of every mentee (k-best sparsification).
//!
//! If seats are scarce, half of the core comes from the mentors' side: the best mentees of every mentor. Vector
//! instructions compare the 64 scores of a lane with the present floor of the row, and only survivors are inserted
//! (*screening*). Output: the core, the range of scores, and for each person an upper bound on the scores outside the
//! core. Time: O(P) comparisons for P pairs. If the candidates are listed, the list is the core.

use std::borrow::Cow;
use std::cmp::Reverse;

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::cpu::{Cpu, PARTS};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN, SparseScores};
use crate::engine::problem::Problem;

use super::super::best_k::{BestK, RankedPair};
use super::super::context::StopPoll;
use super::super::tiles::{LANE, RowVisitor, ScoreCell, walk};
use super::best_of_mentors::MentorScreening;
use super::{Core, index};

/// Rows of a list per task at least.
const MIN_ROWS_PER_TASK: usize = 4096;
/// Lanes that are screened together.
const LANES_PER_STEP: usize = 256;
/// The row is divided into about this many sets of mentors for each of the `K` pairs kept. The `K`-th highest set maximum
/// is a lower bound on the `K`-th best score, and few more than `K` pairs reach it.
const SETS_PER_KEPT: usize = 4;

/// The first core and the range of scores.
#[derive(Debug)]
pub(in crate::engine::assign) struct ConstructedCore<'a> {
    /// The best mentors of every mentee and, if seats are scarce, the best mentees of every mentor.
    pub(in crate::engine::assign) core: Core<'a>,
    /// Lowest score of a candidate; `i32::MAX` without candidates.
    pub(in crate::engine::assign) lowest: i32,
    /// Highest score of a candidate; [`FORBIDDEN`] without candidates.
    pub(in crate::engine::assign) highest: i32,
}

/// Selects the core in one pass over all pairs, or takes the list of candidates.
pub(in crate::engine::assign) fn construct<'a>(
    problem: &Problem<'a>,
    breadth: usize,
    observer: &dyn Observer,
) -> Result<ConstructedCore<'a>, Stopped> {
    if let Some(list) = problem.scores.sparse() {
        let ends = |mentee: usize| {
            let row = list.row(mentee);
            Some((row.last()?.score, row.first()?.score))
        };
        let ends =
            (0..problem.mentees.len()).into_par_iter().with_min_len(MIN_ROWS_PER_TASK).filter_map(ends);
        let (lowest, highest) = ends.reduce(
            || (i32::MAX, FORBIDDEN),
            |(lowest, highest), (last, first)| (lowest.min(last), highest.max(first)),
        );
        let core = Core::new(Cow::Borrowed(list), problem.mentors.len());
        return Ok(ConstructedCore { core, lowest, highest });
    }
    let scarce = seats_are_scarce(problem);
    // Each side contributes half of the core.
    let breadth = if scarce { breadth.div_ceil(2) } else { breadth };
    let mentor_screening = scarce.then(|| MentorScreening::new(problem, breadth));
    let found = best_of_all(problem, breadth, mentor_screening.as_ref(), TieRule::Last, observer)?;
    let mut starts = vec![0];
    let mut edges = Vec::with_capacity(found.len() * breadth);
    let mut best_excluded = Vec::with_capacity(found.len());
    let (mut lowest, mut highest) = (i32::MAX, FORBIDDEN);
    for row in found {
        best_excluded.push(if row.edges.len() < breadth { FORBIDDEN } else { row.lowest_kept() });
        edges.extend(row.edges);
        starts.push(edges.len());
        lowest = lowest.min(row.lowest);
        highest = highest.max(row.highest);
    }
    let mut core =
        Core::with_limits(SparseScores::sorted(starts, edges), problem.mentors.len(), best_excluded);
    if let Some(mentor_screening) = mentor_screening {
        let (mut wanted, best_excluded) = mentor_screening.by_mentee(&mut StopPoll::new(observer))?;
        wanted.par_iter_mut().enumerate().for_each(|(mentee, wanted)| {
            let row = core.row(mentee);
            wanted.retain(|edge| {
                edge.score <= core.best_excluded(mentee) && row.iter().all(|has| has.to != edge.to)
            });
        });
        core.extend(problem.scores, &wanted);
        core.set_best_excluded_of_mentors(best_excluded);
    }
    Ok(ConstructedCore { core, lowest, highest })
}

/// Whether mentors offer fewer seats than mentees want places.
pub(in crate::engine::assign) fn seats_are_scarce(problem: &Problem<'_>) -> bool {
    let wanted: u64 = problem.mentees.iter().map(|demand| u64::from(demand.wanted.min(2))).sum();
    let offered: u64 = problem.mentors.iter().map(|seats| u64::from(seats.max)).sum();
    offered < wanted
}

/// The first `breadth` entries of every mentee's row: the best mentors with seats, best first. Of pairs with equal scores
/// the first in row order are kept.
pub fn row_prefixes(
    problem: &Problem<'_>,
    breadth: usize,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Edge>>, Stopped> {
    let found = best_of_all(problem, breadth, None, TieRule::First, observer)?;
    Ok(found.into_iter().map(|row| row.edges).collect())
}

/// The rule that chooses among the pairs of a row that share the lowest score kept.
#[derive(Debug, Clone, Copy)]
enum TieRule {
    /// The first in the order of a row.
    First,
    /// The last in the order of a row.
    Last,
}

impl TieRule {
    /// Maps a tie-break or a position to a number that is greater for a pair that the rule prefers. The map is its own
    /// inverse.
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
    mentor_screening: Option<&MentorScreening<'_>>,
    ties: TieRule,
    observer: &dyn Observer,
) -> Result<Vec<BestOfMentee>, Stopped> {
    let open: Vec<bool> =
        problem.mentors.chunks(LANE).map(|lane| lane.iter().all(|mentor| mentor.max > 0)).collect();
    let cpu = Cpu::best();
    let best =
        |_| MenteeScreening { mentor_screening, ties, ..MenteeScreening::new(problem, &open, breadth, cpu) };
    walk(problem, observer, Stage::Score, best)
}

struct MenteeScreening<'a> {
    problem: &'a Problem<'a>,
    mentor_screening: Option<&'a MentorScreening<'a>>,
    ties: TieRule,
    /// Whether all mentors of a lane have seats.
    open: &'a [bool],
    breadth: usize,
    best: BestK<i32>,
    floor: i32,
    lowest: i32,
    highest: i32,
    cpu: Cpu,
}

struct BestOfMentee {
    edges: Vec<Edge>,
    lowest: i32,
    highest: i32,
}

impl BestOfMentee {
    fn lowest_kept(&self) -> i32 {
        self.edges.last().map_or(FORBIDDEN, |edge| edge.score)
    }
}

impl RowVisitor for MenteeScreening<'_> {
    type Found = BestOfMentee;

    fn read<C: ScoreCell>(&mut self, mentee: usize, first: usize, scores: &[C]) {
        let (lanes, rest) = scores.as_chunks::<LANE>();
        for (lanes, from) in lanes.chunks(LANES_PER_STEP).zip((first..).step_by(LANES_PER_STEP * LANE)) {
            self.read_lanes(mentee, from, lanes);
        }
        self.widen(rest);
        self.pick(mentee, first + scores.len() - rest.len(), rest, u64::MAX);
        if let Some(mentor_screening) = self.mentor_screening {
            mentor_screening.read(mentee, first, scores);
        }
    }

    fn finish(self, _mentee: usize) -> BestOfMentee {
        let mut found = self.best.into_best();
        for entry in &mut found {
            (entry.tie_break, entry.to) = (self.ties.turned(entry.tie_break), self.ties.turned(entry.to));
        }
        // The order of a row, as in [`super::sort`].
        found.sort_unstable_by_key(|entry| (Reverse(entry.key), entry.tie_break, entry.to));
        let edges = found.iter().map(|entry| Edge { to: entry.to, score: entry.key }).collect();
        BestOfMentee { edges, lowest: self.lowest, highest: self.highest }
    }
}

impl<'a> MenteeScreening<'a> {
    fn new(problem: &'a Problem<'a>, open: &'a [bool], breadth: usize, cpu: Cpu) -> Self {
        Self {
            problem,
            mentor_screening: None,
            ties: TieRule::Last,
            open,
            breadth,
            best: BestK::new(breadth),
            floor: FORBIDDEN + 1,
            lowest: i32::MAX,
            highest: FORBIDDEN,
            cpu,
        }
    }

    fn read_lanes<C: ScoreCell>(&mut self, mentee: usize, first: usize, lanes: &[[C; LANE]]) {
        let mut parts = [[C::default(); PARTS]; LANES_PER_STEP];
        let parts = &mut parts[..lanes.len()];
        let ends = C::extremes(self.cpu, lanes, parts);
        self.widen(&ends);
        self.raise_floor(first / LANE, parts);
        let mut found = [0; LANES_PER_STEP];
        C::find_at_least(self.cpu, lanes, self.floor, &mut found[..lanes.len()]);
        for ((lane, found), from) in lanes.iter().zip(found).zip((first..).step_by(LANE)) {
            self.pick(mentee, from, lane, found);
        }
    }

    fn widen<C: ScoreCell>(&mut self, cells: &[C]) {
        for score in cells.iter().filter_map(|cell| cell.score()) {
            self.lowest = self.lowest.min(score);
            self.highest = self.highest.max(score);
        }
    }

    /// Raises the floor to the highest score that `breadth` sets of mentors reach. Each of these sets has a pair of at
    /// least this score, so no lower pair can be among the best. A set is a part of one lane or of several lanes.
    fn raise_floor<C: ScoreCell>(&mut self, first: usize, parts: &mut [[C; PARTS]]) {
        let mut open = 0;
        for at in (0..parts.len()).filter(|at| self.open[first + at]) {
            parts[open] = parts[at];
            open += 1;
        }
        let lanes = (open * PARTS / (SETS_PER_KEPT * self.breadth)).max(1);
        let sets = open.div_ceil(lanes);
        for set in 0..sets {
            let mut highest = parts[set * lanes];
            for of_lane in &parts[set * lanes + 1..open.min((set + 1) * lanes)] {
                for (highest, part) in highest.iter_mut().zip(of_lane) {
                    *highest = (*highest).max(*part);
                }
            }
            parts[set] = highest;
        }
        let highest = parts[..sets].as_flattened_mut();
        if highest.len() >= self.breadth {
            let (_, enough, _) = highest.select_nth_unstable_by(self.breadth - 1, |a, b| b.cmp(a));
            self.floor = self.floor.max(enough.score().unwrap_or(FORBIDDEN));
        }
    }

    /// Offers the cells whose bits are set, from the lowest.
    fn pick<C: ScoreCell>(&mut self, mentee: usize, first: usize, cells: &[C], mut found: u64) {
        while found != 0 {
            let at = found.trailing_zeros() as usize;
            found &= found - 1;
            let Some(cell) = cells.get(at) else { break };
            let Some(score) = cell.score().filter(|score| *score >= self.floor) else { continue };
            let mentor = first + at;
            if self.problem.mentors[mentor].max > 0 {
                let tie_break = self.ties.turned(self.problem.scores.tie_break(mentee, mentor));
                let to = self.ties.turned(index(mentor));
                if self.best.offer(RankedPair { key: score, tie_break, to, score }) {
                    self.floor = self.best.floor().map_or(self.floor, |floor| floor.max(self.floor));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::engine::observer::Unobserved;
    use crate::engine::pair_scores::PairScores;
    use crate::engine::problem::{Demand, Seats};

    /// Pseudo-random scores, many of them equal; scores with mentors without seats are far higher.
    struct Random;

    /// Mentors without seats come in every third block of a hundred.
    fn has_seats(mentor: usize) -> bool {
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
            let score = i32::try_from(self.tie_break(mentee, mentor) % 90).expect("small");
            (score > 20).then_some(if has_seats(mentor) { score } else { score * 10 })
        }
    }

    #[test]
    fn row_prefixes_hold_the_best_mentors_with_seats() {
        // The highest scores belong to mentors without seats, so lanes with such a mentor must not raise the floor.
        let seats = |mentor: usize| Seats { min: 0, max: u32::from(has_seats(mentor)) };
        for mentors in [5, 64, 700, 9_001] {
            let seats: Vec<Seats> = (0..mentors).map(seats).collect();
            let mentees = vec![Demand { wanted: 1, ..Demand::default() }; 3];
            let problem =
                Problem { mentees: &mentees, mentors: &seats, scores: &Random, coverage_first: true };
            for breadth in [1, 8, 32] {
                let prefixes = row_prefixes(&problem, breadth, &Unobserved).unwrap();
                let last = best_of_all(&problem, breadth, None, TieRule::Last, &Unobserved).unwrap();
                for (mentee, (last, prefix)) in last.iter().zip(&prefixes).enumerate() {
                    let open = (0..mentors).filter(|at| seats[*at].max > 0);
                    let mut all: Vec<RankedPair<i32>> = open
                        .filter_map(|at| {
                            let score = Random.score(mentee, at)?;
                            Some(RankedPair {
                                key: score,
                                tie_break: Random.tie_break(mentee, at),
                                to: index(at),
                                score,
                            })
                        })
                        .collect();
                    let row = |mut all: Vec<RankedPair<i32>>| -> Vec<Edge> {
                        all.sort_unstable_by_key(|entry| (Reverse(entry.key), entry.tie_break, entry.to));
                        all.iter().map(|entry| Edge { to: entry.to, score: entry.key }).collect()
                    };
                    let whole = row(all.clone());
                    assert_eq!(*prefix, whole[..breadth.min(whole.len())], "{mentee} of {mentors}");
                    all.sort_unstable_by(|a, b| b.cmp(a));
                    all.truncate(breadth);
                    assert_eq!(last.edges, row(all), "{mentee} of {mentors}, the best {breadth}");
                }
            }
        }
    }
}
