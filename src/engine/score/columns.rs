//! Columns of the dense pass: one byte per mentor.

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
