//! Counts the blocking pairs of an assignment: pairs of two people who both prefer each other to a partner they have.
//!
//! Input: the scores of both sides and the pairs. Algorithm: an acceptance threshold per person, then one pass over all
//! pairs in vector code. Time O(all pairs). The mentors' scores are read only for pairs that the mentee prefers.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{FORBIDDEN, Fill, NarrowScores, PairScores, SparseScores};
use crate::engine::problem::Problem;

/// Mentees per tile.
const ROWS: usize = 32;
/// Mentors per tile of 16-bit scores; a quarter of this number for 32-bit scores.
const COLUMNS: usize = 16_384;
/// Pairs that are counted together.
const LANE: usize = 64;
/// Up to this number of preferred mentors, the mentors' scores are read one by one.
const FEW: u64 = 64;

/// Result of a pass over all pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stability {
    /// Number of candidates.
    pub candidates: u64,
    /// Number of candidates that are not matched with each other although both people would gain.
    pub blocking_pairs: u64,
}

impl Stability {
    fn and(self, other: Self) -> Self {
        Self {
            candidates: self.candidates + other.candidates,
            blocking_pairs: self.blocking_pairs + other.blocking_pairs,
        }
    }
}

/// Counts candidates and blocking pairs. A candidate blocks if its two people are not matched with each other, and each
/// of them has a free place or scores the other strictly higher than its worst partner. Each side ranks by its own
/// scores. The assignment must keep all rules; it need not be stable.
pub fn stability(
    problem: &Problem<'_>,
    mentees_view: &dyn PairScores,
    mentors_view: Option<&dyn PairScores>,
    pairs: &[(u32, u32)],
    observer: &dyn Observer,
) -> Result<Stability, Stopped> {
    let (thresholds, matched) =
        AcceptanceThresholds::of(problem, mentees_view, mentors_view, pairs, observer)?;
    let all = if let Some(sparse) = mentees_view.sparse() {
        thresholds.scan_sparse(sparse, mentors_view, observer)?
    } else if let Some(narrow) = mentees_view.narrow() {
        let scan = BlockingPairScan::<i16>::new(&thresholds, COLUMNS, mentors_view);
        scan.scan(&narrow, mentors_view.and_then(PairScores::narrow).as_ref(), observer)?
    } else {
        let scan = BlockingPairScan::<i32>::new(&thresholds, COLUMNS / 4, mentors_view);
        scan.scan(&mentees_view, mentors_view.as_ref(), observer)?
    };
    Ok(Stability { blocking_pairs: all.blocking_pairs - matched, ..all })
}

/// The score that a new partner must exceed, per person. A person with a free place accepts every candidate: [`FORBIDDEN`].
struct AcceptanceThresholds {
    mentees: Vec<i32>,
    mentors: Vec<i32>,
}

impl AcceptanceThresholds {
    /// The thresholds of an assignment, and the number of its own pairs that exceed both thresholds.
    fn of(
        problem: &Problem<'_>,
        mentees_view: &dyn PairScores,
        mentors_view: Option<&dyn PairScores>,
        pairs: &[(u32, u32)],
        observer: &dyn Observer,
    ) -> Result<(Self, u64), Stopped> {
        let of_pair = |&(mentee, mentor): &(u32, u32)| {
            observer.check()?;
            let score =
                |view: &dyn PairScores| view.score(mentee as usize, mentor as usize).unwrap_or(FORBIDDEN);
            let by_mentee = score(mentees_view);
            Ok((by_mentee, mentors_view.map_or(by_mentee, score)))
        };
        let scores = pairs.par_iter().map(of_pair).collect::<Result<Vec<(i32, i32)>, Stopped>>()?;
        let mut thresholds = Self {
            mentees: vec![i32::MAX; problem.mentees.len()],
            mentors: vec![i32::MAX; problem.mentors.len()],
        };
        let mut mentors_of = vec![0_u32; problem.mentees.len()];
        let mut load = vec![0_u32; problem.mentors.len()];
        for (&(mentee, mentor), &(by_mentee, by_mentor)) in pairs.iter().zip(&scores) {
            let (at, to) = (mentee as usize, mentor as usize);
            mentors_of[at] += 1;
            load[to] += 1;
            thresholds.mentees[at] = thresholds.mentees[at].min(by_mentee);
            thresholds.mentors[to] = thresholds.mentors[to].min(by_mentor);
        }
        for ((threshold, demand), has) in thresholds.mentees.iter_mut().zip(problem.mentees).zip(&mentors_of)
        {
            if *has < u32::from(demand.wanted.min(2)) {
                *threshold = FORBIDDEN;
            }
        }
        for ((threshold, seats), load) in thresholds.mentors.iter_mut().zip(problem.mentors).zip(&load) {
            if *load < seats.max {
                *threshold = FORBIDDEN;
            }
        }
        let above = pairs.iter().zip(scores).filter(|&(&(mentee, mentor), (by_mentee, by_mentor))| {
            by_mentee > thresholds.mentees[mentee as usize] && by_mentor > thresholds.mentors[mentor as usize]
        });
        let above = above.count() as u64;
        Ok((thresholds, above))
    }

    fn scan_sparse(
        &self,
        sparse: &SparseScores,
        mentors_view: Option<&dyn PairScores>,
        observer: &dyn Observer,
    ) -> Result<Stability, Stopped> {
        let of_row = |(mentee, &threshold): (usize, &i32)| {
            observer.check()?;
            let row = sparse.row(mentee);
            let better = row.iter().take_while(|edge| edge.score > threshold);
            let blocking = better.filter(|edge| {
                let to = edge.to as usize;
                let by_mentor = mentors_view.map_or(Some(edge.score), |view| view.score(mentee, to));
                by_mentor.is_some_and(|by_mentor| by_mentor > self.mentors[to])
            });
            Ok(Stability { candidates: row.len() as u64, blocking_pairs: blocking.count() as u64 })
        };
        let rows = self.mentees.par_iter().enumerate().with_min_len(ROWS).map(of_row);
        rows.try_reduce(Stability::default, |one, other| Ok(one.and(other)))
    }
}

/// A score as a tile holds it.
trait RankCell: Copy + Default + Ord + Send + Sync {
    /// The threshold in the type of the cells. Every candidate exceeds the threshold [`FORBIDDEN`], and no other pair does.
    fn above(threshold: i32) -> Self;
}

impl RankCell for i16 {
    fn above(threshold: i32) -> Self {
        // A pair that is not a candidate is less than 0 and exceeds no threshold.
        Self::try_from(threshold.max(-1)).unwrap_or(Self::MAX)
    }
}

impl RankCell for i32 {
    fn above(threshold: i32) -> Self {
        threshold
    }
}

/// A source of tiles.
trait RankTiles<C>: Sync {
    fn fill(&self, rows: Range<usize>, columns: Range<usize>, tile: &mut [C]);

    /// Fills tiles of the same rows in sequence.
    fn tiles(&self, rows: Range<usize>) -> Fill<'_, C>;

    /// A whole row, if the source stores it.
    fn row(&self, mentee: usize) -> Option<&[C]>;
}

impl RankTiles<i16> for &dyn NarrowScores {
    fn fill(&self, rows: Range<usize>, columns: Range<usize>, tile: &mut [i16]) {
        self.tile(rows, columns, tile);
    }

    fn tiles(&self, rows: Range<usize>) -> Fill<'_, i16> {
        NarrowScores::tiles(*self, rows)
    }

    fn row(&self, mentee: usize) -> Option<&[i16]> {
        NarrowScores::row(*self, mentee)
    }
}

impl RankTiles<i32> for &dyn PairScores {
    fn fill(&self, rows: Range<usize>, columns: Range<usize>, tile: &mut [i32]) {
        self.tile(rows, columns, tile);
    }

    fn tiles(&self, rows: Range<usize>) -> Fill<'_, i32> {
        Box::new(move |columns, tile| self.tile(rows.clone(), columns, tile))
    }

    fn row(&self, mentee: usize) -> Option<&[i32]> {
        PairScores::row(*self, mentee)
    }
}

/// A pass over all pairs, tile by tile.
struct BlockingPairScan<'a, C> {
    thresholds: &'a AcceptanceThresholds,
    mentees: Vec<C>,
    mentors: Vec<C>,
    most_columns: usize,
    mentors_view: Option<&'a dyn PairScores>,
}

impl<'a, C: RankCell> BlockingPairScan<'a, C> {
    fn new(
        thresholds: &'a AcceptanceThresholds,
        most_columns: usize,
        mentors_view: Option<&'a dyn PairScores>,
    ) -> Self {
        let cut = |thresholds: &[i32]| thresholds.iter().map(|threshold| C::above(*threshold)).collect();
        Self {
            thresholds,
            mentees: cut(&thresholds.mentees),
            mentors: cut(&thresholds.mentors),
            most_columns,
            mentors_view,
        }
    }

    /// Reads the mentees' scores of all pairs, and the mentors' scores of the pairs that a mentee prefers.
    fn scan<T: RankTiles<C>>(
        &self,
        by_mentee: &T,
        by_mentor: Option<&T>,
        observer: &dyn Observer,
    ) -> Result<Stability, Stopped> {
        let done = AtomicU64::new(0);
        let of_block = |(tile, buffer): &mut (Vec<C>, Vec<C>), block: usize| {
            let rows = block * ROWS..self.mentees.len().min((block + 1) * ROWS);
            let mut seen = Stability::default();
            let mut fill = by_mentee.tiles(rows.clone());
            let step = if by_mentee.row(rows.start).is_some() { usize::MAX } else { self.most_columns };
            for first in (0..self.mentors.len()).step_by(step) {
                observer.check()?;
                let columns = first..self.mentors.len().min(first.saturating_add(step));
                if step == usize::MAX {
                    for mentee in rows.clone() {
                        let row = by_mentee.row(mentee).unwrap_or_default();
                        seen = seen.and(self.scan_row(mentee, &columns, row, by_mentor, buffer));
                    }
                    continue;
                }
                tile.resize(rows.len() * columns.len(), C::default());
                fill(columns.clone(), tile);
                for (mentee, row) in rows.clone().zip(tile.chunks_exact(columns.len())) {
                    seen = seen.and(self.scan_row(mentee, &columns, row, by_mentor, buffer));
                }
            }
            let before = done.fetch_add(rows.len() as u64, Ordering::Relaxed);
            observer.progress(Stage::Certify, before + rows.len() as u64, self.mentees.len() as u64);
            Ok(seen)
        };
        let blocks = (0..self.mentees.len().div_ceil(ROWS)).into_par_iter();
        let seen = blocks.map_init(Default::default, of_block);
        seen.try_reduce(Stability::default, |one, other| Ok(one.and(other)))
    }

    /// Counts in some pairs of one mentee.
    fn scan_row<T: RankTiles<C>>(
        &self,
        mentee: usize,
        columns: &Range<usize>,
        by_mentee: &[C],
        by_mentor: Option<&T>,
        buffer: &mut Vec<C>,
    ) -> Stability {
        let candidates = count(by_mentee, C::above(FORBIDDEN));
        let (threshold, thresholds) = (self.mentees[mentee], &self.mentors[columns.clone()]);
        let Some(view) = self.mentors_view else {
            return Stability {
                candidates,
                blocking_pairs: count_both(by_mentee, threshold, by_mentee, thresholds),
            };
        };
        let preferred = count(by_mentee, threshold);
        let blocking_pairs = match by_mentor {
            _ if preferred == 0 => 0,
            Some(by_mentor) if preferred > FEW => {
                buffer.resize(by_mentee.len(), C::default());
                by_mentor.fill(mentee..mentee + 1, columns.clone(), buffer);
                count_both(by_mentee, threshold, buffer, thresholds)
            }
            _ => {
                let preferred =
                    by_mentee.iter().zip(columns.clone()).filter(|(score, _)| **score > threshold);
                let blocking = preferred.filter(|&(_, mentor)| {
                    view.score(mentee, mentor).is_some_and(|score| score > self.thresholds.mentors[mentor])
                });
                blocking.count() as u64
            }
        };
        Stability { candidates, blocking_pairs }
    }
}

// Loops of fixed length without a branch: the compiler turns such loops into vector code.

/// Number of cells that exceed a threshold.
fn count<C: RankCell>(cells: &[C], threshold: C) -> u64 {
    let (lanes, rest) = cells.as_chunks::<LANE>();
    let of = |cells: &[C]| cells.iter().fold(0_u16, |sum, cell| sum + u16::from(*cell > threshold));
    lanes.iter().map(|lane| u64::from(of(lane))).sum::<u64>() + u64::from(of(rest))
}

/// Number of pairs that exceed the thresholds of both people.
fn count_both<C: RankCell>(by_mentee: &[C], threshold: C, by_mentor: &[C], thresholds: &[C]) -> u64 {
    let of = |by_mentee: &[C], by_mentor: &[C], thresholds: &[C]| {
        let both = by_mentee.iter().zip(by_mentor.iter().zip(thresholds));
        both.fold(0_u16, |sum, (a, (b, to))| sum + (u16::from(*a > threshold) & u16::from(b > to)))
    };
    let (by_mentee, rest_by_mentee) = by_mentee.as_chunks::<LANE>();
    let (by_mentor, rest_by_mentor) = by_mentor.as_chunks::<LANE>();
    let (thresholds, rest_thresholds) = thresholds.as_chunks::<LANE>();
    let lanes = by_mentee.iter().zip(by_mentor.iter().zip(thresholds));
    let whole: u64 = lanes
        .map(|(by_mentee, (by_mentor, thresholds))| u64::from(of(by_mentee, by_mentor, thresholds)))
        .sum();
    whole + u64::from(of(rest_by_mentee, rest_by_mentor, rest_thresholds))
}
