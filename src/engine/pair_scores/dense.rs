//! Scores of all pairs, stored as a matrix.

use std::collections::TryReserveError;
use std::ops::Range;

use super::{FORBIDDEN, NarrowScores, PairScores};

/// Scores of all pairs in a matrix, row by row. 2 bytes per pair, or 4 where a score is not within `0..=i16::MAX`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DenseScores {
    width: usize,
    cells: Cells,
}

/// Scores in sequence, in 16 bits as long as all of them fit.
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
    /// Adds a score; [`FORBIDDEN`] for a pair that is not a candidate. The first score that needs 32 bits widens all
    /// others: meanwhile a pair takes 6 bytes.
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

    /// Reserves memory for `scores` further scores.
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

    /// Whether there is no score.
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

impl DenseScores {
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

impl PairScores for DenseScores {
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

impl NarrowScores for DenseScores {
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
