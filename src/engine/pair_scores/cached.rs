//! Score cache: scores of all pairs, computed once per round. To read a score is about ten times faster than to compute it,
//! and a solver reads all pairs several times.
//!
//! 2 bytes per pair, if there is room for them. The certifier does not read the cache: it computes scores from the
//! profiles.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::MmapMut;
use rayon::prelude::*;

use super::{FORBIDDEN, NarrowScores, Opposites, PairScores};
use crate::domain::run::Stage;
use crate::engine::observer::{Observer, Stopped};

/// Mentees whose scores are computed together.
const ROWS: usize = 32;

/// The scores of another source, read from a cache.
pub(in crate::engine) struct CachedScores<'a> {
    scores: &'a dyn PairScores,
    mentors: usize,
    cache: ScoreCache,
}

/// Scores of all pairs in 16 bits, row by row, below 0 for a pair that is not a candidate.
#[derive(Debug)]
pub(in crate::engine) struct ScoreCache(MmapMut);

impl ScoreCache {
    /// Computes the scores of all pairs, row by row. Returns nothing if they would take more than `most_bytes`, or if a
    /// score does not fit in 16 bits.
    pub(in crate::engine) fn compute(
        scores: &dyn PairScores,
        mentees: usize,
        mentors: usize,
        most_bytes: usize,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, Stopped> {
        let fit = |pairs: &usize| (1..=most_bytes / size_of::<i16>()).contains(pairs);
        let pairs = mentees.checked_mul(mentors).filter(fit);
        let Some((narrow, mut cache)) = scores.narrow().zip(pairs.and_then(Self::zeros)) else {
            return Ok(None);
        };
        let done = AtomicU64::new(0);
        cache.all_mut().par_chunks_mut(ROWS * mentors).enumerate().try_for_each(|(block, cells)| {
            observer.check()?;
            let rows = cells.len() / mentors;
            narrow.tile(block * ROWS..block * ROWS + rows, 0..mentors, cells);
            let before = done.fetch_add(rows as u64, Ordering::Relaxed);
            observer.progress(Stage::Score, before + rows as u64, mentees as u64);
            Ok(())
        })?;
        Ok(Some(cache))
    }

    /// Zeros; `None` if the system refuses the memory.
    fn zeros(pairs: usize) -> Option<Self> {
        let memory = MmapMut::map_anon(pairs * size_of::<i16>()).ok()?;
        in_large_pages(&memory);
        Some(Self(memory))
    }

    /// Size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The scores of a mentee with some mentors, of `all` mentors.
    pub(super) fn cells(&self, mentee: usize, all: usize, mentors: Range<usize>) -> &[i16] {
        let first = mentee * all;
        &self.all()[first + mentors.start..first + mentors.end]
    }

    fn all(&self) -> &[i16] {
        bytemuck::cast_slice(&self.0)
    }

    fn all_mut(&mut self) -> &mut [i16] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// Requests large pages, where the system has them: 2 MiB instead of 4 KiB.
#[cfg(target_os = "linux")]
fn in_large_pages(memory: &MmapMut) {
    // Without large pages the cache is slower; nothing else changes.
    _ = memory.advise(memmap2::Advice::HugePage);
}

#[cfg(not(target_os = "linux"))]
fn in_large_pages(_: &MmapMut) {}

impl<'a> CachedScores<'a> {
    /// The scores of `scores`, from which `cache` was computed.
    pub(in crate::engine) fn new(scores: &'a dyn PairScores, mentors: usize, cache: ScoreCache) -> Self {
        Self { scores, mentors, cache }
    }

    fn cells(&self, mentee: usize, mentors: Range<usize>) -> &[i16] {
        self.cache.cells(mentee, self.mentors, mentors)
    }
}

impl PairScores for CachedScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        for (mentee, out) in rows.zip(out.chunks_exact_mut(cols.len().max(1))) {
            for (out, &cell) in out.iter_mut().zip(self.cells(mentee, cols.clone())) {
                *out = if cell < 0 { FORBIDDEN } else { cell.into() };
            }
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        let cell = self.cache.all()[mentee * self.mentors + mentor];
        (cell >= 0).then_some(cell.into())
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.tie_break(mentee, mentor)
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        Some(self)
    }

    fn opposites(&self) -> Option<&Opposites> {
        self.scores.opposites()
    }
}

impl NarrowScores for CachedScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        for (mentee, out) in rows.zip(out.chunks_exact_mut(cols.len().max(1))) {
            out.copy_from_slice(self.cells(mentee, cols.clone()));
        }
    }

    fn row(&self, mentee: usize) -> Option<&[i16]> {
        Some(self.cells(mentee, 0..self.mentors))
    }
}
