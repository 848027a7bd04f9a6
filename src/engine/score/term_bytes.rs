//! The terms of all mentors, eight to a byte, for counting the terms that each has in common with one mentee.

use super::columns::MentorColumns;

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
