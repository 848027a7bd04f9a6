//! The terms of all mentors, eight to a byte, for counting what they have in common with one mentee.

use std::ops::Range;

use crate::engine::cpu::Cpu;

/// Terms of every mentor: up to 64 bits each, laid out byte by byte.
#[derive(Debug, Default)]
pub(super) struct TermBytes {
    /// The `n`-th byte of every mentor's terms, as many as anybody has.
    bytes: Vec<Vec<u8>>,
    /// How many terms every mentor has.
    sizes: Vec<u8>,
}

impl TermBytes {
    /// Lays out the terms of all mentors.
    pub(super) fn new(mentors: &[u64]) -> Self {
        let any = mentors.iter().fold(0, |any, terms| any | terms);
        let used = (u64::BITS - any.leading_zeros()).div_ceil(8) as usize;
        let bytes = (0..used).map(|byte| mentors.iter().map(|terms| terms.to_le_bytes()[byte]).collect());
        let size = |terms: &u64| u8::try_from(terms.count_ones()).unwrap_or_default();
        Self { bytes: bytes.collect(), sizes: mentors.iter().map(size).collect() }
    }

    /// How many terms a range of mentors have.
    pub(super) fn sizes(&self, mentors: Range<usize>) -> &[u8] {
        &self.sizes[mentors]
    }

    /// Most terms of any mentor.
    pub(super) fn most(&self) -> u32 {
        self.sizes.iter().copied().max().map_or(0, u32::from)
    }

    /// Adds to every count how many terms of `mine` a mentor of the range has.
    pub(super) fn count_common(&self, mine: u64, mentors: Range<usize>, cpu: Cpu, counts: &mut [u8]) {
        for (bytes, mine) in self.bytes.iter().zip(mine.to_le_bytes()).filter(|(_, mine)| *mine != 0) {
            cpu.count_common(&bytes[mentors.clone()], mine, counts);
        }
    }
}
