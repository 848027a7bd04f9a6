//! Columns of the dense pass: one byte per mentor. Sets of terms take several columns, eight terms to a byte.

use crate::engine::cpu::{Column, LANES};

/// Columns of bytes, in blocks of [`LANES`] mentors: all columns of the first block, then all columns of the second block,
/// and so on. Bytes beyond the last mentor are 0.
#[derive(Debug)]
pub(in crate::engine) struct MentorColumns {
    blocks: Vec<Vec<Column>>,
}

impl MentorColumns {
    /// The column of zeros, which always exists.
    pub(in crate::engine) const ZERO: usize = 0;

    /// The column of zeros of some mentors.
    pub(in crate::engine) fn new(mentors: usize) -> Self {
        Self { blocks: vec![vec![Column::ZERO]; mentors.div_ceil(LANES)] }
    }

    /// Adds a column with the bytes of all mentors, and returns its number.
    pub(in crate::engine) fn add(&mut self, bytes: impl IntoIterator<Item = u8>) -> usize {
        let mut bytes = bytes.into_iter();
        let mut number = Self::ZERO;
        for block in &mut self.blocks {
            let mut column = Column::ZERO;
            for (slot, byte) in column.0.iter_mut().zip(&mut bytes) {
                *slot = byte;
            }
            number = block.len();
            block.push(column);
        }
        number
    }

    /// All columns of a block.
    pub(in crate::engine) fn block(&self, at: usize) -> &[Column] {
        &self.blocks[at]
    }
}

/// Terms of every mentor: up to 64 bits each, laid out byte by byte.
#[derive(Debug, Default)]
pub(super) struct TermBytes {
    /// The columns of the first, second, ... byte of the terms, up to the last byte that is not 0 for all mentors.
    columns: Vec<usize>,
}

impl TermBytes {
    /// Lays out the terms of all mentors.
    pub(super) fn new(mentors: &[u64], columns: &mut MentorColumns) -> Self {
        let any = mentors.iter().fold(0, |any, terms| any | terms);
        let used = (u64::BITS - any.leading_zeros()).div_ceil(8) as usize;
        let mut add = |byte: usize| columns.add(mentors.iter().map(|terms| terms.to_le_bytes()[byte]));
        Self { columns: (0..used).map(&mut add).collect() }
    }

    /// The columns that hold terms of `mine`, with the bits of these terms.
    pub(super) fn masks(&self, mine: u64) -> Vec<(usize, u8)> {
        self.columns.iter().copied().zip(mine.to_le_bytes()).filter(|(_, bits)| *bits != 0).collect()
    }
}

/// Largest number of terms of any person.
pub(super) fn most_terms(all: &[u64]) -> u32 {
    all.iter().map(|terms| terms.count_ones()).max().unwrap_or_default()
}
