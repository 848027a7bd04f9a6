//! The best mentees of every mentor, selected in the same pass over all pairs as the best mentors of every mentee.
//!
//! If seats are scarce, mentors bid. A core with only the best mentors of every mentee would then lack the pairs that
//! mentors bid for. Pricing would find these pairs one round later, after prices have moved too far.

use rayon::prelude::*;

use crate::engine::cpu::Cpu;
use crate::engine::observer::Stopped;
use crate::engine::pair_scores::{Edge, FORBIDDEN, PairScores};
use crate::engine::pool::Workspaces;
use crate::engine::problem::{Problem, Seats};

use super::super::best_k::{BestK, RankedPair};
use super::super::context::StopPoll;
use super::super::tiles::{LANE, LaneFloors, ScoreCell};
use super::index;

/// Mentees that a mentor keeps for each seat, beside `breadth`.
const PER_SEAT: usize = 2;
/// The floor of a mentor without seats. No other floor is so high.
const CLOSED: i16 = i16::MAX;

/// Selects the best mentees of every mentor.
pub(super) struct MentorScreening<'a> {
    problem: &'a Problem<'a>,
    breadth: usize,
    cpu: Cpu,
    found: Workspaces<BestMentees>,
}

/// The best mentees of every mentor among the pairs that one thread has read: 80 bytes per mentor, and 32 bytes per
/// mentee kept.
struct BestMentees {
    best: Vec<BestK<i32>>,
    /// The score that a mentee must reach to be kept, in both widths.
    wide: Vec<i32>,
    narrow: Vec<i16>,
    /// One bit for each score of a row.
    found: Vec<u64>,
}

impl<'a> MentorScreening<'a> {
    /// A selection without any pair.
    pub(super) fn new(problem: &'a Problem<'a>, breadth: usize) -> Self {
        Self { problem, breadth, cpu: Cpu::best(), found: Workspaces::default() }
    }

    /// Reads some scores of a mentee.
    pub(super) fn read<C: ScoreCell>(&self, mentee: usize, first: usize, scores: &[C]) {
        let new = || BestMentees::new(self.problem.mentors, self.breadth);
        self.found.add(new, |gathering| gathering.read(self.problem.scores, self.cpu, mentee, first, scores));
    }

    /// The selected pairs, by mentee, in the order of the mentors; and for each mentor an upper bound on the scores
    /// of the other pairs.
    pub(super) fn by_mentee(self, poll: &mut StopPoll<'_>) -> Result<(Vec<Vec<Edge>>, Vec<i32>), Stopped> {
        let mut gathered = self.found.into_all().into_iter().map(|gathering| gathering.best);
        let mut best = gathered.next().unwrap_or_default();
        for more in gathered {
            best.par_iter_mut().zip(more).for_each(|(all, more)| {
                more.into_best().into_iter().for_each(|entry| _ = all.offer(entry));
            });
        }
        poll.observer().check()?;
        let columns: Vec<(usize, Vec<RankedPair<i32>>)> =
            best.into_par_iter().map(|top| (top.keep(), top.into_sorted())).collect();
        let mut found = vec![Vec::new(); self.problem.mentees.len()];
        let mut best_excluded = Vec::with_capacity(columns.len());
        for (mentor, (keep, column)) in columns.into_iter().enumerate() {
            poll.count(column.len())?;
            best_excluded.push(match column.last() {
                Some(lowest) if column.len() == keep => lowest.score,
                _ => FORBIDDEN,
            });
            for entry in column {
                found[entry.to as usize].push(Edge { to: index(mentor), score: entry.score });
            }
        }
        Ok((found, best_excluded))
    }
}

impl BestMentees {
    fn new(mentors: &[Seats], breadth: usize) -> Self {
        // A mentor without seats keeps no mentee.
        let (wide, narrow) = mentors
            .iter()
            .map(|seats| if seats.max == 0 { (i32::MAX, CLOSED) } else { (FORBIDDEN + 1, 0) })
            .unzip();
        let best = |seats: &Seats| BestK::within(breadth + PER_SEAT * seats.max as usize, 2);
        Self { best: mentors.iter().map(best).collect(), wide, narrow, found: Vec::new() }
    }

    fn read<C: ScoreCell>(
        &mut self,
        scores: &dyn PairScores,
        cpu: Cpu,
        mentee: usize,
        first: usize,
        row: &[C],
    ) {
        let (lanes, rest) = row.as_chunks::<LANE>();
        let mut found = std::mem::take(&mut self.found);
        found.resize(lanes.len(), 0);
        let columns = first..first + row.len();
        let floors = LaneFloors {
            wide: self.wide[columns.clone()].as_chunks().0,
            narrow: self.narrow[columns].as_chunks().0,
        };
        C::find_at_floors(cpu, lanes, floors, &mut found);
        for ((lane, found), from) in lanes.iter().zip(&found).zip((first..).step_by(LANE)) {
            self.pick(scores, mentee, from, lane, *found);
        }
        self.found = found;
        self.pick(scores, mentee, first + row.len() - rest.len(), rest, u64::MAX);
    }

    /// Offers the cells whose bits are set, from the lowest.
    fn pick<C: ScoreCell>(
        &mut self,
        scores: &dyn PairScores,
        mentee: usize,
        from: usize,
        cells: &[C],
        mut found: u64,
    ) {
        while found != 0 {
            let at = found.trailing_zeros() as usize;
            found &= found - 1;
            let Some(cell) = cells.get(at) else { break };
            let mentor = from + at;
            let Some(score) = cell.score().filter(|score| *score >= self.wide[mentor]) else { continue };
            if self.narrow[mentor] == CLOSED {
                continue;
            }
            let entry = RankedPair {
                key: score,
                tie_break: scores.tie_break(mentee, mentor),
                to: index(mentee),
                score,
            };
            let best = &mut self.best[mentor];
            if best.offer(entry) {
                let floor = best.floor().unwrap_or(FORBIDDEN + 1);
                self.wide[mentor] = floor;
                self.narrow[mentor] = i16::try_from(floor.max(0)).unwrap_or(CLOSED).min(CLOSED - 1);
            }
        }
    }
}
