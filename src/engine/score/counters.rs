//! Bit-sliced counters: 64 small numbers side by side in a few words, plane `p` holding bit `p` of each. Adding one bit to
//! every number is a handful of word operations, so counting what many mentors have in common with one mentee costs a
//! fraction of an operation per pair (the carry-save adders of Harley and Seal; Warren, *Hacker's Delight*, 2nd edition
//! 2012, section 5-1).

/// Words that are counted together.
pub(super) const WORDS: usize = 16;
/// Numbers that are counted together.
pub(super) const LANES: usize = WORDS * 64;
/// Bits of a number: enough for all half hours of four weeks.
const PLANES: usize = 11;

/// One bit for every number.
pub(super) type Lanes = [u64; WORDS];

/// [`LANES`] numbers below 2^11, all zero at first.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    planes: [Lanes; PLANES],
    /// Planes that may hold a one.
    used: usize,
}

impl Counters {
    /// Numbers that never exceed `most`.
    pub(super) fn below(most: usize) -> Self {
        let bits = usize::try_from(usize::BITS - most.leading_zeros()).unwrap_or(PLANES);
        Self { planes: [[0; WORDS]; PLANES], used: bits.min(PLANES) }
    }

    /// Adds the bits of all `rows`.
    pub(super) fn add<'a>(&mut self, mut rows: impl Iterator<Item = &'a [u64]>) {
        while let Some(a) = rows.next() {
            let (b, c, d) = (rows.next(), rows.next(), rows.next());
            let [a, b, c, d] = [Some(a), b, c, d].map(lanes);
            let first = full_add(&mut self.planes[0], &a, &b);
            let second = full_add(&mut self.planes[0], &c, &d);
            let mut carry = full_add(&mut self.planes[1], &first, &second);
            for plane in &mut self.planes[2..self.used.max(2)] {
                for (plane, carry) in plane.iter_mut().zip(&mut carry) {
                    (*plane, *carry) = (*plane ^ *carry, *plane & *carry);
                }
            }
        }
    }

    /// Keeps the lesser of each two numbers.
    pub(super) fn keep_least(&mut self, other: &Self) {
        let mut less = [0_u64; WORDS];
        for (mine, theirs) in self.planes.iter().zip(&other.planes) {
            for ((less, mine), theirs) in less.iter_mut().zip(mine).zip(theirs) {
                // From the lowest bit up, the highest that differs decides.
                *less = (*less & !(mine ^ theirs)) | (mine & !theirs);
            }
        }
        for (mine, theirs) in self.planes.iter_mut().zip(&other.planes) {
            for ((mine, theirs), less) in mine.iter_mut().zip(theirs).zip(&less) {
                *mine = (*mine & !less) | (theirs & less);
            }
        }
        self.used = self.used.max(other.used);
    }

    /// The numbers of one word, in order.
    pub(super) fn word(&self, word: usize) -> [u16; 64] {
        let mut numbers = [0; 64];
        for (byte, eight) in numbers.chunks_exact_mut(8).enumerate() {
            let spread =
                |plane: usize| SPREAD[self.planes[plane][word].to_le_bytes()[byte] as usize] << (plane % 8);
            let low = (0..self.used.min(8)).map(spread).fold(0, |sum, bits| sum | bits).to_le_bytes();
            for (number, low) in eight.iter_mut().zip(low) {
                *number = u16::from(low);
            }
            if self.used > 8 {
                let high = (8..self.used).map(spread).fold(0, |sum, bits| sum | bits).to_le_bytes();
                for (number, high) in eight.iter_mut().zip(high) {
                    *number |= u16::from(high) << 8;
                }
            }
        }
        numbers
    }
}

/// The eight bits of a byte as eight bytes, the lowest first.
const SPREAD: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            table[byte] |= ((byte as u64 >> bit) & 1) << (8 * bit);
            bit += 1;
        }
        byte += 1;
    }
    table
};

/// A row of at most [`WORDS`] words, the rest zero.
fn lanes(row: Option<&[u64]>) -> Lanes {
    let mut lanes = [0; WORDS];
    if let Some(row) = row {
        let len = row.len().min(WORDS);
        lanes[..len].copy_from_slice(&row[..len]);
    }
    lanes
}

/// Adds two bits to each number's bit in `plane`, and returns the carries.
fn full_add(plane: &mut Lanes, a: &Lanes, b: &Lanes) -> Lanes {
    let mut carry = [0; WORDS];
    for (((plane, a), b), carry) in plane.iter_mut().zip(a).zip(b).zip(&mut carry) {
        let half = *plane ^ a;
        *carry = (*plane & a) | (half & b);
        *plane = half ^ b;
    }
    carry
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counting_side_by_side_is_counting_one_by_one(
            first in proptest::collection::vec(proptest::collection::vec(any::<u64>(), 1..=WORDS), 0..300),
            second in proptest::collection::vec(proptest::collection::vec(any::<u64>(), 1..=WORDS), 0..30),
        ) {
            let slow = |rows: &[Vec<u64>], lane: usize| {
                rows.iter().filter(|row| row.get(lane / 64).is_some_and(|word| word >> (lane % 64) & 1 == 1)).count()
            };
            let mut counters = Counters::below(first.len());
            counters.add(first.iter().map(Vec::as_slice));
            let mut others = Counters::below(second.len());
            others.add(second.iter().map(Vec::as_slice));
            let mut least = counters.clone();
            least.keep_least(&others);
            for lane in 0..LANES {
                let (a, b) = (slow(&first, lane), slow(&second, lane));
                prop_assert_eq!(usize::from(counters.word(lane / 64)[lane % 64]), a);
                prop_assert_eq!(usize::from(least.word(lane / 64)[lane % 64]), a.min(b));
            }
        }
    }
}
