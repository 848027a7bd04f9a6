//! Lanes: the numbers that are counted side by side, and the rows of bits that are counted.

/// Words that are counted together: one register of 512 bits.
pub(in crate::engine) const WORDS: usize = 8;
/// Numbers that are counted together.
pub(in crate::engine) const LANES: usize = WORDS * 64;
/// One bit for every number, as they are kept: no row lies in two lines of a cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(in crate::engine) struct Lanes(pub(in crate::engine) [u64; WORDS]);

/// Rows that are counted together.
pub(super) const EIGHT: usize = 8;

/// Rows that are counted, season after season, of each season a multiple of [`EIGHT`].
#[derive(Debug)]
pub(in crate::engine) struct Seasons {
    rows: Vec<u32>,
    /// Where each season ends among `rows`.
    ends: Vec<usize>,
    /// A row without any bit, to fill up with.
    blank: u32,
}

impl Seasons {
    /// No seasons, with room for some rows in all.
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

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let mut from = 0;
        self.ends.iter().map(move |end| &self.rows[std::mem::replace(&mut from, *end)..*end])
    }
}
