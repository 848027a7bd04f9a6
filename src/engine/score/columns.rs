//! What the dense pass reads of the mentors: columns of one byte for each.

use crate::engine::cpu::{Column, LANES};

/// MentorColumns of bytes, [`LANES`] mentors at a time: all columns of the first block, then those of the second. Beyond the last
/// mentor they are 0.
#[derive(Debug)]
pub(in crate::engine) struct MentorColumns {
    blocks: Vec<Vec<Column>>,
}

impl MentorColumns {
    /// The column of zeros, which is always there.
    pub(in crate::engine) const ZERO: usize = 0;

    /// MentorColumns of some mentors.
    pub(in crate::engine) fn new(mentors: usize) -> Self {
        Self { blocks: vec![vec![Column::ZERO]; mentors.div_ceil(LANES)] }
    }

    /// Adds a column with the bytes of all mentors, and gives its number.
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
