//! Counts the blocking pairs of an assignment: who would both rather be with each other.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{FORBIDDEN, Fill, NarrowScores, PairScores, SparseScores};
use crate::engine::problem::Problem;

/// Mentees looked at together.
const ROWS: usize = 32;
/// Mentors looked at together in 16 bits; fewer in 32.
const COLUMNS: usize = 16_384;
/// Pairs counted together.
const LANE: usize = 64;
/// Mentors whom a mentee would rather have up to which they are asked one by one.
const FEW: u64 = 64;

/// What a look at all pairs finds beside an assignment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stability {
    /// Candidates seen.
    pub candidates: u64,
    /// Candidates that are not matched with each other although both would gain.
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

/// Counts candidates, and those that are not matched with each other although both would gain: each has a place left, or likes
/// the other strictly better than the worst she has. Both sides rank by their own scores; equal scores block nothing. For any
/// assignment that keeps the rules, stable or not.
pub fn stability(
    problem: &Problem<'_>,
    mentees_view: &dyn PairScores,
    mentors_view: Option<&dyn PairScores>,
    pairs: &[(u32, u32)],
    observer: &dyn Observer,
) -> Result<Stability, Stopped> {
    let (bars, mates) = Bars::of(problem, mentees_view, mentors_view, pairs, observer)?;
    let all = if let Some(listed) = mentees_view.sparse() {
        bars.look_at_list(listed, mentors_view, observer)?
    } else if let Some(narrow) = mentees_view.narrow() {
        let look = Look::<i16>::new(&bars, COLUMNS, mentors_view);
        look.at_all(&narrow, mentors_view.and_then(PairScores::narrow).as_ref(), observer)?
    } else {
        let look = Look::<i32>::new(&bars, COLUMNS / 4, mentors_view);
        look.at_all(&mentees_view, mentors_view.as_ref(), observer)?
    };
    Ok(Stability { blocking_pairs: all.blocking_pairs - mates, ..all })
}

/// What everybody must be offered more than: with a place left, any candidate will do.
struct Bars {
    mentees: Vec<i32>,
    mentors: Vec<i32>,
}

impl Bars {
    /// The bars under an assignment, and how many of its own pairs are above both.
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
            let hers = score(mentees_view);
            Ok((hers, mentors_view.map_or(hers, score)))
        };
        let scores = pairs.par_iter().map(of_pair).collect::<Result<Vec<(i32, i32)>, Stopped>>()?;
        let mut bars = Self {
            mentees: vec![i32::MAX; problem.mentees.len()],
            mentors: vec![i32::MAX; problem.mentors.len()],
        };
        let mut mentors_of = vec![0_u32; problem.mentees.len()];
        let mut load = vec![0_u32; problem.mentors.len()];
        for (&(mentee, mentor), &(hers, theirs)) in pairs.iter().zip(&scores) {
            let (at, to) = (mentee as usize, mentor as usize);
            mentors_of[at] += 1;
            load[to] += 1;
            bars.mentees[at] = bars.mentees[at].min(hers);
            bars.mentors[to] = bars.mentors[to].min(theirs);
        }
        for ((bar, demand), has) in bars.mentees.iter_mut().zip(problem.mentees).zip(&mentors_of) {
            if *has < u32::from(demand.wanted.min(2)) {
                *bar = FORBIDDEN;
            }
        }
        for ((bar, seats), load) in bars.mentors.iter_mut().zip(problem.mentors).zip(&load) {
            if *load < seats.max {
                *bar = FORBIDDEN;
            }
        }
        let above = pairs.iter().zip(scores).filter(|&(&(mentee, mentor), (hers, theirs))| {
            hers > bars.mentees[mentee as usize] && theirs > bars.mentors[mentor as usize]
        });
        let above = above.count() as u64;
        Ok((bars, above))
    }

    fn look_at_list(
        &self,
        listed: &SparseScores,
        mentors_view: Option<&dyn PairScores>,
        observer: &dyn Observer,
    ) -> Result<Stability, Stopped> {
        let of_row = |(mentee, &bar): (usize, &i32)| {
            observer.check()?;
            let row = listed.row(mentee);
            let better = row.iter().take_while(|arc| arc.score > bar);
            let blocking = better.filter(|arc| {
                let to = arc.to as usize;
                let theirs = mentors_view.map_or(Some(arc.score), |view| view.score(mentee, to));
                theirs.is_some_and(|theirs| theirs > self.mentors[to])
            });
            Ok(Stability { candidates: row.len() as u64, blocking_pairs: blocking.count() as u64 })
        };
        let rows = self.mentees.par_iter().enumerate().with_min_len(ROWS).map(of_row);
        rows.try_reduce(Stability::default, |one, other| Ok(one.and(other)))
    }
}

/// A score as a tile holds it.
trait RankCell: Copy + Default + Ord + Send + Sync {
    /// What a cell must exceed to be above a bar. Above that for [`FORBIDDEN`] is every candidate, and nothing else.
    fn above(bar: i32) -> Self;
}

impl RankCell for i16 {
    fn above(bar: i32) -> Self {
        // A pair that is no candidate is below 0, and so above no bar.
        Self::try_from(bar.max(-1)).unwrap_or(Self::MAX)
    }
}

impl RankCell for i32 {
    fn above(bar: i32) -> Self {
        bar
    }
}

/// What fills tiles.
trait Tiles<C>: Sync {
    fn fill(&self, rows: Range<usize>, columns: Range<usize>, tile: &mut [C]);

    /// Fills tiles of the same rows, one after the other.
    fn tiles(&self, rows: Range<usize>) -> Fill<'_, C>;

    /// A whole row, if it is there already.
    fn row(&self, mentee: usize) -> Option<&[C]>;
}

impl Tiles<i16> for &dyn NarrowScores {
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

impl Tiles<i32> for &dyn PairScores {
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

/// A look at all pairs, tile by tile.
struct Look<'a, C> {
    bars: &'a Bars,
    mentees: Vec<C>,
    mentors: Vec<C>,
    most_columns: usize,
    mentors_view: Option<&'a dyn PairScores>,
}

impl<'a, C: RankCell> Look<'a, C> {
    fn new(bars: &'a Bars, most_columns: usize, mentors_view: Option<&'a dyn PairScores>) -> Self {
        let cut = |bars: &[i32]| bars.iter().map(|bar| C::above(*bar)).collect();
        Self { bars, mentees: cut(&bars.mentees), mentors: cut(&bars.mentors), most_columns, mentors_view }
    }

    /// Looks at what mentees think of all pairs, and where they would rather have others, at what these think.
    fn at_all<T: Tiles<C>>(
        &self,
        hers: &T,
        theirs: Option<&T>,
        observer: &dyn Observer,
    ) -> Result<Stability, Stopped> {
        let done = AtomicU64::new(0);
        let of_block = |(tile, room): &mut (Vec<C>, Vec<C>), block: usize| {
            let rows = block * ROWS..self.mentees.len().min((block + 1) * ROWS);
            let mut seen = Stability::default();
            let mut fill = hers.tiles(rows.clone());
            let step = if hers.row(rows.start).is_some() { usize::MAX } else { self.most_columns };
            for first in (0..self.mentors.len()).step_by(step) {
                observer.check()?;
                let columns = first..self.mentors.len().min(first.saturating_add(step));
                if step == usize::MAX {
                    for mentee in rows.clone() {
                        let row = hers.row(mentee).unwrap_or_default();
                        seen = seen.and(self.at_row(mentee, &columns, row, theirs, room));
                    }
                    continue;
                }
                tile.resize(rows.len() * columns.len(), C::default());
                fill(columns.clone(), tile);
                for (mentee, row) in rows.clone().zip(tile.chunks_exact(columns.len())) {
                    seen = seen.and(self.at_row(mentee, &columns, row, theirs, room));
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

    /// Looks at some of a mentee's pairs.
    fn at_row<T: Tiles<C>>(
        &self,
        mentee: usize,
        columns: &Range<usize>,
        hers: &[C],
        theirs: Option<&T>,
        room: &mut Vec<C>,
    ) -> Stability {
        let candidates = count(hers, C::above(FORBIDDEN));
        let (bar, bars) = (self.mentees[mentee], &self.mentors[columns.clone()]);
        let Some(view) = self.mentors_view else {
            return Stability { candidates, blocking_pairs: count_both(hers, bar, hers, bars) };
        };
        let liked = count(hers, bar);
        let blocking_pairs = match theirs {
            _ if liked == 0 => 0,
            Some(theirs) if liked > FEW => {
                room.resize(hers.len(), C::default());
                theirs.fill(mentee..mentee + 1, columns.clone(), room);
                count_both(hers, bar, room, bars)
            }
            _ => {
                let liked = hers.iter().zip(columns.clone()).filter(|(score, _)| **score > bar);
                let welcome = liked.filter(|&(_, mentor)| {
                    view.score(mentee, mentor).is_some_and(|score| score > self.bars.mentors[mentor])
                });
                welcome.count() as u64
            }
        };
        Stability { candidates, blocking_pairs }
    }
}

// Plain loops of known length without a branch: that is what becomes vector code.

/// How many are above a bar.
fn count<C: RankCell>(cells: &[C], bar: C) -> u64 {
    let (lanes, rest) = cells.as_chunks::<LANE>();
    let of = |cells: &[C]| cells.iter().fold(0_u16, |sum, cell| sum + u16::from(*cell > bar));
    lanes.iter().map(|lane| u64::from(of(lane))).sum::<u64>() + u64::from(of(rest))
}

/// How many pairs are above the mentee's bar and the mentor's.
fn count_both<C: RankCell>(hers: &[C], bar: C, theirs: &[C], bars: &[C]) -> u64 {
    let of = |hers: &[C], theirs: &[C], bars: &[C]| {
        let both = hers.iter().zip(theirs.iter().zip(bars));
        both.fold(0_u16, |sum, (a, (b, to))| sum + (u16::from(*a > bar) & u16::from(b > to)))
    };
    let (hers, last_of_hers) = hers.as_chunks::<LANE>();
    let (theirs, last_of_theirs) = theirs.as_chunks::<LANE>();
    let (bars, last_bars) = bars.as_chunks::<LANE>();
    let lanes = hers.iter().zip(theirs.iter().zip(bars));
    let whole: u64 = lanes.map(|(hers, (theirs, bars))| u64::from(of(hers, theirs, bars))).sum();
    whole + u64::from(of(last_of_hers, last_of_theirs, last_bars))
}
