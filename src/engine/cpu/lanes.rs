//! Lanes: the pairs of one mentee that the loops compute side by side.
//!
//! - A [`Column`] holds one byte per lane.
//! - A row ([`Lanes`]) holds one bit per lane: for each mentor of a chunk, whether she is free in one half hour.
//! - [`Seasons`] lists the rows to count, season by season: the half hours of one mentee.

/// Words of one row of bits: a register of 512 bits.
pub(in crate::engine) const WORDS: usize = 8;
/// Numbers that are counted side by side.
pub(in crate::engine) const LANES: usize = WORDS * 64;
/// One byte for each lane.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(in crate::engine) struct Column(pub(in crate::engine) [u8; LANES]);

impl Column {
    /// Zeros.
    pub(in crate::engine) const ZERO: Self = Self([0; LANES]);
}

/// One bit for every number, aligned so that no row lies in two cache lines.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(in crate::engine) struct Lanes(pub(in crate::engine) [u64; WORDS]);

/// Rows that are added in one step.
pub(super) const EIGHT: usize = 8;

/// Rows to count, season by season. The number of rows of each season is a multiple of [`EIGHT`].
#[derive(Debug)]
pub(in crate::engine) struct Seasons {
    rows: Vec<u32>,
    /// Where each season ends among `rows`.
    ends: Vec<usize>,
    /// A row without any bit, which fills up a season.
    blank: u32,
}

impl Seasons {
    /// No seasons, with room for `rows` rows in all.
    pub(in crate::engine) fn with_room(rows: usize, blank: u32) -> Self {
        Self { rows: Vec::with_capacity(rows), ends: Vec::new(), blank }
    }

    /// Adds rows to the season that is being written.
    pub(in crate::engine) fn extend(&mut self, rows: impl Iterator<Item = u32>) {
        self.rows.extend(rows);
    }

    /// Ends the season that is being written.
    pub(in crate::engine) fn end_season(&mut self) {
        self.rows.resize(self.rows.len().next_multiple_of(EIGHT), self.blank);
        self.ends.push(self.rows.len());
    }

    /// The rows of each season.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let mut from = 0;
        self.ends.iter().map(move |end| &self.rows[std::mem::replace(&mut from, *end)..*end])
    }
}
