//! Scores of all pairs, computed once and kept while a round is solved: reading a pair is some ten times quicker than
//! computing it, and a solver looks at all pairs several times.
//!
//! 2 bytes per pair, if there is room for them. Who proves the result does not read what is kept here, but the profiles.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::MmapMut;
use rayon::prelude::*;

use super::problem::{FORBIDDEN, NarrowScores, Observer, PairScores, Stopped};
use crate::domain::run::Stage;

/// Mentees whose scores are computed together.
const ROWS: usize = 32;

/// The scores of another source, written out row by row.
pub(super) struct Kept<'a> {
    scores: &'a dyn PairScores,
    mentors: usize,
    cells: Cells,
}

/// Scores of pairs in 16 bits, row by row, below 0 for a pair that is not a candidate.
#[derive(Debug)]
pub(super) struct Cells(MmapMut);

impl Cells {
    /// Zeros; nothing if the system refuses so much memory at once.
    fn new(pairs: usize) -> Option<Self> {
        let memory = MmapMut::map_anon(pairs * size_of::<i16>()).ok()?;
        in_large_pages(&memory);
        Some(Self(memory))
    }

    fn all(&self) -> &[i16] {
        bytemuck::cast_slice(&self.0)
    }

    fn all_mut(&mut self) -> &mut [i16] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// Asks for gigabytes in a five-hundredth of the pieces, where the system has large ones.
#[cfg(target_os = "linux")]
fn in_large_pages(memory: &MmapMut) {
    // A system without them is slower, and that is all.
    _ = memory.advise(memmap2::Advice::HugePage);
}

#[cfg(not(target_os = "linux"))]
fn in_large_pages(_: &MmapMut) {}

/// Computes the scores of all pairs, row by row; nothing if they would take more than `most` bytes, or do not fit in 16 bits
/// each.
pub(super) fn compute(
    scores: &dyn PairScores,
    mentees: usize,
    mentors: usize,
    most: usize,
    observer: &dyn Observer,
) -> Result<Option<Cells>, Stopped> {
    let fit = |pairs: &usize| (1..=most / size_of::<i16>()).contains(pairs);
    let pairs = mentees.checked_mul(mentors).filter(fit);
    let Some((narrow, mut cells)) = scores.narrow().zip(pairs.and_then(Cells::new)) else { return Ok(None) };
    let done = AtomicU64::new(0);
    cells.all_mut().par_chunks_mut(ROWS * mentors).enumerate().try_for_each(|(block, cells)| {
        if observer.is_cancelled() {
            return Err(Stopped);
        }
        let rows = cells.len() / mentors;
        narrow.tile(block * ROWS..block * ROWS + rows, 0..mentors, cells);
        let before = done.fetch_add(rows as u64, Ordering::Relaxed);
        observer.progress(Stage::Score, before + rows as u64, mentees as u64);
        Ok(())
    })?;
    Ok(Some(cells))
}

impl<'a> Kept<'a> {
    /// Scores that were computed of `scores`.
    pub(super) fn new(scores: &'a dyn PairScores, mentors: usize, cells: Cells) -> Self {
        Self { scores, mentors, cells }
    }

    fn cells(&self, mentee: usize, mentors: Range<usize>) -> &[i16] {
        let first = mentee * self.mentors;
        &self.cells.all()[first + mentors.start..first + mentors.end]
    }
}

impl PairScores for Kept<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        for (mentee, out) in rows.zip(out.chunks_exact_mut(cols.len().max(1))) {
            for (out, &cell) in out.iter_mut().zip(self.cells(mentee, cols.clone())) {
                *out = if cell < 0 { FORBIDDEN } else { cell.into() };
            }
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        let cell = self.cells.all()[mentee * self.mentors + mentor];
        (cell >= 0).then_some(cell.into())
    }

    fn lot(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.lot(mentee, mentor)
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        Some(self)
    }
}

impl NarrowScores for Kept<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        for (mentee, out) in rows.zip(out.chunks_exact_mut(cols.len().max(1))) {
            out.copy_from_slice(self.cells(mentee, cols.clone()));
        }
    }

    fn row(&self, mentee: usize) -> Option<&[i16]> {
        Some(self.cells(mentee, 0..self.mentors))
    }
}
