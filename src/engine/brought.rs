//! Scores that a caller brings: written out as a whole matrix, or as a list of the candidates.

use std::collections::TryReserveError;
use std::convert::Infallible;
use std::ops::Range;

use rayon::prelude::*;

use super::problem::{Arc, FORBIDDEN, NarrowScores, Observer, PairScores, Stopped, lot};

/// Rows of a list that are sorted or written as one piece of work.
const ROWS: usize = 1 << 10;
/// Entries of a new list that are filled at a time.
const FILLED: usize = 1 << 17;

/// A matrix of scores, row by row. 2 bytes per pair, or 4 where a score is not within `0..=i16::MAX`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matrix {
    width: usize,
    cells: Cells,
}

/// Scores of pairs one after the other, in 16 bits as long as all of them fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cells {
    /// Scores within `0..=i16::MAX`; a pair that is not a candidate is below 0.
    Narrow(Vec<i16>),
    /// Any scores; [`FORBIDDEN`] for a pair that is not a candidate.
    Wide(Vec<i32>),
}

impl Default for Cells {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl Cells {
    /// Adds a score; [`FORBIDDEN`] for a pair that is not a candidate. The first that needs 32 bits moves all: while that
    /// lasts, a pair takes 6 bytes.
    pub fn push(&mut self, score: i32) -> Result<(), TryReserveError> {
        match (&mut *self, to_narrow(score)) {
            (Self::Narrow(cells), Some(score)) => cells.push(score),
            (Self::Wide(cells), _) => cells.push(score),
            (Self::Narrow(cells), None) => {
                let mut wide: Vec<i32> = Vec::new();
                wide.try_reserve_exact(cells.capacity().max(cells.len() + 1))?;
                wide.extend(cells.iter().map(|cell| of_narrow(*cell).unwrap_or(FORBIDDEN)));
                wide.push(score);
                *self = Self::Wide(wide);
            }
        }
        Ok(())
    }

    /// Makes room for so many scores more.
    pub fn reserve(&mut self, scores: usize) -> Result<(), TryReserveError> {
        match self {
            Self::Narrow(cells) => cells.try_reserve_exact(scores),
            Self::Wide(cells) => cells.try_reserve_exact(scores),
        }
    }

    /// Number of scores.
    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(cells) => cells.len(),
            Self::Wide(cells) => cells.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<i32>> for Cells {
    fn from(scores: Vec<i32>) -> Self {
        let narrow: Option<Vec<i16>> = scores.iter().map(|score| to_narrow(*score)).collect();
        narrow.map_or(Self::Wide(scores), Self::Narrow)
    }
}

/// A score in 16 bits, below 0 for a pair that is not a candidate; `None` if it does not fit.
fn to_narrow(score: i32) -> Option<i16> {
    if score == FORBIDDEN { Some(i16::MIN) } else { i16::try_from(score).ok().filter(|score| *score >= 0) }
}

/// The score that 16 bits stand for; `None` for a pair that is not a candidate.
fn of_narrow(cell: i16) -> Option<i32> {
    (cell >= 0).then_some(cell.into())
}

impl Matrix {
    /// A matrix with `width` columns, one per mentor; `None` if the cells do not fill whole rows.
    pub fn new(width: usize, cells: impl Into<Cells>) -> Option<Self> {
        let cells = cells.into();
        let whole = if width == 0 { cells.is_empty() } else { cells.len().is_multiple_of(width) };
        whole.then_some(Self { width, cells })
    }

    fn at(&self, row: usize, cols: Range<usize>) -> Range<usize> {
        row * self.width + cols.start..row * self.width + cols.end
    }
}

impl PairScores for Matrix {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        for (row, out) in rows.zip(out.chunks_exact_mut(cols.len().max(1))) {
            let at = self.at(row, cols.clone());
            match &self.cells {
                Cells::Narrow(cells) => {
                    for (out, cell) in out.iter_mut().zip(&cells[at]) {
                        *out = of_narrow(*cell).unwrap_or(FORBIDDEN);
                    }
                }
                Cells::Wide(cells) => out.copy_from_slice(&cells[at]),
            }
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        let at = mentee * self.width + mentor;
        match &self.cells {
            Cells::Narrow(cells) => of_narrow(cells[at]),
            Cells::Wide(cells) => Some(cells[at]).filter(|score| *score != FORBIDDEN),
        }
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        match self.cells {
            Cells::Narrow(_) => Some(self),
            Cells::Wide(_) => None,
        }
    }

    fn row(&self, mentee: usize) -> Option<&[i32]> {
        match &self.cells {
            Cells::Narrow(_) => None,
            Cells::Wide(cells) => Some(&cells[self.at(mentee, 0..self.width)]),
        }
    }
}

impl NarrowScores for Matrix {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        if let Cells::Narrow(cells) = &self.cells {
            for (row, out) in rows.zip(out.chunks_exact_mut(cols.len().max(1))) {
                out.copy_from_slice(&cells[self.at(row, cols.clone())]);
            }
        }
    }

    fn row(&self, mentee: usize) -> Option<&[i16]> {
        match &self.cells {
            Cells::Narrow(cells) => Some(&cells[self.at(mentee, 0..self.width)]),
            Cells::Wide(_) => None,
        }
    }
}

/// Candidates written out by mentee, each row best score first, equals in a fixed order. 8 bytes per candidate and per
/// mentee.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    starts: Vec<usize>,
    arcs: Vec<Arc>,
}

/// A candidate that occurs twice in a list, or that is listed and forbidden at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the pair of mentee {mentee} and mentor {mentor} is listed twice or has the score that stands for no candidate"
)]
pub struct BadList {
    /// The pair's mentee.
    pub mentee: usize,
    /// The pair's mentor.
    pub mentor: u32,
}

impl Listed {
    /// The list of `arcs`, of which `starts[i]..starts[i + 1]` are those of mentee `i`, in any order within a row.
    ///
    /// # Panics
    ///
    /// If `starts` does not ascend from 0 to the number of arcs: who reads a list from outside checks that first.
    pub fn new(starts: Vec<usize>, arcs: Vec<Arc>) -> Result<Self, BadList> {
        let Ok(listed) = Self::sort(starts, arcs, || Ok::<(), Infallible>(()));
        listed
    }

    /// The same, unless `observer` asks to stop.
    ///
    /// # Panics
    ///
    /// As [`Listed::new`].
    pub fn observed(
        starts: Vec<usize>,
        arcs: Vec<Arc>,
        observer: &dyn Observer,
    ) -> Result<Result<Self, BadList>, Stopped> {
        Self::sort(starts, arcs, || if observer.is_cancelled() { Err(Stopped) } else { Ok(()) })
    }

    fn sort<E: Send>(
        starts: Vec<usize>,
        mut arcs: Vec<Arc>,
        pause: impl Fn() -> Result<(), E> + Sync,
    ) -> Result<Result<Self, BadList>, E> {
        let sort = |keys: &mut Vec<(u64, Arc)>, block: (usize, &mut [Arc])| {
            let mut sorted = Ok(());
            for (mentee, row) in rows(&starts, block) {
                pause()?;
                sorted = sorted.and_then(|()| sort_row(mentee, row, keys));
            }
            Ok(sorted)
        };
        let sorted = blocks(&starts, &mut arcs).into_par_iter().map_init(Vec::new, sort);
        let sorted = sorted.try_reduce(|| Ok(()), |one, other| Ok(one.and(other)))?;
        Ok(sorted.map(|()| Self { starts, arcs }))
    }

    /// A list whose rows are known to be sorted and free of repetitions.
    pub(super) fn sorted(starts: Vec<usize>, arcs: Vec<Arc>) -> Self {
        Self { starts, arcs }
    }

    /// Where rows begin, and the end of the last.
    pub(super) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// All candidates, row after row.
    pub(super) fn arcs(&self) -> &[Arc] {
        &self.arcs
    }

    /// The candidates of a mentee, best first.
    pub fn row(&self, mentee: usize) -> &[Arc] {
        &self.arcs[self.starts[mentee]..self.starts[mentee + 1]]
    }

    /// The list with other scores; without the candidates to whom `change` gives none. Scores must keep their order, and who
    /// is left out must score less than who is not.
    pub(super) fn map(
        &self,
        change: impl Fn(i32) -> Option<i32> + Sync,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let kept = |mentee| self.row(mentee).partition_point(|arc| change(arc.score).is_some());
        let write = |mentee, row: &mut [Arc]| {
            for (out, arc) in row.iter_mut().zip(self.row(mentee)) {
                *out = Arc { score: change(arc.score).unwrap_or(arc.score), ..*arc };
            }
        };
        self.rewritten(kept, write, || if observer.is_cancelled() { Err(Stopped) } else { Ok(()) })
    }

    /// The list without some candidates, given by mentee and mentor in ascending order, unless `pause` asks to stop.
    pub(super) fn without<E: Send>(
        &self,
        pairs: &[(u32, u32)],
        pause: impl Fn() -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let kept = |mentee: usize| {
            let banned = of_mentee(pairs, mentee);
            let is_kept = move |arc: &&Arc| banned.binary_search_by_key(&arc.to, |pair| pair.1).is_err();
            self.row(mentee).iter().filter(is_kept)
        };
        let len = |mentee| {
            if of_mentee(pairs, mentee).is_empty() { self.row(mentee).len() } else { kept(mentee).count() }
        };
        let write = |mentee, row: &mut [Arc]| {
            for (out, arc) in row.iter_mut().zip(kept(mentee)) {
                *out = *arc;
            }
        };
        self.rewritten(len, write, pause)
    }

    /// The list with `bonus` more for some candidates, given by mentee and mentor in ascending order; it must not be less than
    /// nothing.
    pub(super) fn favouring(
        &self,
        pairs: &[(u32, u32)],
        bonus: i32,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let len = |mentee| self.row(mentee).len();
        let write = |mentee, row: &mut [Arc]| {
            row.copy_from_slice(self.row(mentee));
            for &(_, mentor) in of_mentee(pairs, mentee) {
                if let Some(at) = row.iter().position(|arc| arc.to == mentor) {
                    row[at].score = row[at].score.saturating_add(bonus);
                    let to = row[..at].partition_point(|arc| arc.score >= row[at].score);
                    row[to..=at].rotate_right(1);
                }
            }
        };
        self.rewritten(len, write, || if observer.is_cancelled() { Err(Stopped) } else { Ok(()) })
    }

    /// A list of as many mentees, with rows of the given lengths that are written in parallel.
    fn rewritten<E: Send>(
        &self,
        len: impl Fn(usize) -> usize + Sync,
        write: impl Fn(usize, &mut [Arc]) + Sync,
        pause: impl Fn() -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let mentees = self.starts.len().saturating_sub(1);
        let mut starts: Vec<usize> = vec![0; self.starts.len()];
        if let Some((_, ends)) = starts.split_first_mut() {
            ends.par_chunks_mut(ROWS).enumerate().try_for_each(|(block, ends)| {
                pause()?;
                (block * ROWS..).zip(ends).for_each(|(mentee, end)| *end = len(mentee));
                Ok(())
            })?;
        }
        for mentee in 0..mentees {
            starts[mentee + 1] += starts[mentee];
        }
        let mut arcs = blank(starts.last().copied().unwrap_or_default(), &pause)?;
        blocks(&starts, &mut arcs).into_par_iter().try_for_each(|block| {
            pause()?;
            rows(&starts, block).for_each(|(mentee, row)| write(mentee, row));
            Ok(())
        })?;
        Ok(Self { starts, arcs })
    }

    /// Candidates in all.
    pub fn len(&self) -> usize {
        self.arcs.len()
    }

    /// Whether there is no candidate.
    pub fn is_empty(&self) -> bool {
        self.arcs.is_empty()
    }
}

/// So many arcs to be overwritten, unless `pause` asks to stop: new memory takes its time.
pub(super) fn blank<E>(arcs: usize, pause: impl Fn() -> Result<(), E>) -> Result<Vec<Arc>, E> {
    let mut blank = Vec::with_capacity(arcs);
    while blank.len() < arcs {
        pause()?;
        blank.resize(arcs.min(blank.len() + FILLED), Arc { to: 0, score: 0 });
    }
    Ok(blank)
}

/// The rows of a list by blocks of [`ROWS`], each with its first mentee.
fn blocks<'a>(starts: &[usize], mut arcs: &'a mut [Arc]) -> Vec<(usize, &'a mut [Arc])> {
    let mut blocks = Vec::with_capacity(starts.len() / ROWS + 1);
    for first in (0..starts.len().saturating_sub(1)).step_by(ROWS) {
        let end = starts.len().min(first + ROWS + 1) - 1;
        let (block, rest) = arcs.split_at_mut(starts[end] - starts[first]);
        blocks.push((first, block));
        arcs = rest;
    }
    blocks
}

/// The rows of a block.
fn rows<'a>(
    starts: &'a [usize],
    (first, mut block): (usize, &'a mut [Arc]),
) -> impl Iterator<Item = (usize, &'a mut [Arc])> {
    let ends = &starts[first..starts.len().min(first + ROWS + 1)];
    (first..).zip(ends.windows(2)).map(move |(mentee, ends)| {
        let (row, rest) = std::mem::take(&mut block).split_at_mut(ends[1] - ends[0]);
        block = rest;
        (mentee, row)
    })
}

/// The pairs of a mentee among some in ascending order.
fn of_mentee(pairs: &[(u32, u32)], mentee: usize) -> &[(u32, u32)] {
    let from = pairs.partition_point(|pair| (pair.0 as usize) < mentee);
    let count = pairs[from..].partition_point(|pair| pair.0 as usize == mentee);
    &pairs[from..from + count]
}

/// Brings a row into its order, by way of keys that are quick to compare, or finds what is wrong with it.
fn sort_row(mentee: usize, row: &mut [Arc], keys: &mut Vec<(u64, Arc)>) -> Result<(), BadList> {
    if !row.is_sorted_by_key(|arc| arc.to) {
        row.sort_unstable_by_key(|arc| arc.to);
    }
    let twice = row.windows(2).find(|two| two[0].to == two[1].to).map(|two| two[0].to);
    let forbidden = row.iter().find(|arc| arc.score == FORBIDDEN).map(|arc| arc.to);
    if let Some(mentor) = twice.or(forbidden) {
        return Err(BadList { mentee, mentor });
    }
    keys.clear();
    keys.extend(row.iter().map(|&arc| {
        let descending = u64::from(!(arc.score.cast_unsigned() ^ 1 << 31));
        (descending << 32 | u64::from(lot(mentee as u64, u64::from(arc.to))), arc)
    }));
    keys.sort_unstable_by_key(|&(key, arc)| (key, arc.to));
    for (arc, &(_, sorted)) in row.iter_mut().zip(&*keys) {
        *arc = sorted;
    }
    Ok(())
}

impl PairScores for Listed {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        out.fill(FORBIDDEN);
        for (row, out) in rows.zip(out.chunks_mut(cols.len().max(1))) {
            for arc in self.row(row) {
                if let Some(cell) = (arc.to as usize).checked_sub(cols.start).and_then(|at| out.get_mut(at)) {
                    *cell = arc.score;
                }
            }
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        self.row(mentee).iter().find(|arc| arc.to as usize == mentor).map(|arc| arc.score)
    }

    fn listed(&self) -> Option<&Listed> {
        Some(self)
    }
}
