//! Positional population counts: how often each bit is set in a stream of 16-bit words, per lane of the stream.
//!
//! Algorithm: bit-sliced counters with the carry-save adders of Harley and Seal (Klarqvist, Mula and Lemire, *Efficient
//! computation of positional population counts using SIMD instructions*, 2021).

/// Bits of a word.
pub(super) const BITS: usize = 16;
/// Number of lanes. Each lane has counts of its own.
pub(super) const LANES: usize = 64;
/// Rows that one step adds.
const ROWS_PER_ADD: usize = 8;
/// Bits of a counter. The counters are flushed before a further step could overflow them.
const PLANES: usize = 8;

type Words = [u16; LANES];

/// Number of times that each bit was set, per lane.
#[derive(Debug, Clone)]
pub(super) struct BitCounts {
    rows: [Words; ROWS_PER_ADD],
    /// Rows that are not yet added.
    waiting: usize,
    /// Bit-sliced counters: plane `p` holds bit `p` of the counts of all bits of all lanes.
    planes: [Words; PLANES],
    /// Rows that the planes contain.
    added: usize,
    /// Counts flushed from the planes.
    by_bit: Box<[[u32; LANES]; BITS]>,
}

impl Default for BitCounts {
    fn default() -> Self {
        Self {
            rows: [[0; LANES]; ROWS_PER_ADD],
            waiting: 0,
            planes: [[0; LANES]; PLANES],
            added: 0,
            by_bit: Box::new([[0; LANES]; BITS]),
        }
    }
}

impl BitCounts {
    /// Adds words to consecutive lanes. After the last lane, the next word goes to the first lane.
    pub(super) fn add(&mut self, words: impl ExactSizeIterator<Item = u16>) {
        let mut words = words;
        while words.len() > 0 {
            let row = &mut self.rows[self.waiting];
            let filled = words.len().min(LANES);
            for (slot, word) in row.iter_mut().zip(words.by_ref().take(filled)) {
                *slot = word;
            }
            row[filled..].fill(0);
            self.waiting += 1;
            if self.waiting == ROWS_PER_ADD {
                self.carry();
            }
        }
    }

    /// Adds the words of numbers as [`Self::add`] does. Whole rows are of fixed length, which the compiler turns into vector
    /// code.
    pub(super) fn add_all(&mut self, numbers: &[i16], word: impl Fn(i16) -> u16) {
        let (rows, rest) = numbers.as_chunks::<LANES>();
        for numbers in rows {
            for (slot, number) in self.rows[self.waiting].iter_mut().zip(numbers) {
                *slot = word(*number);
            }
            self.waiting += 1;
            if self.waiting == ROWS_PER_ADD {
                self.carry();
            }
        }
        self.add(rest.iter().map(|number| word(*number)));
    }

    /// Number of times that each bit was set, for each lane.
    pub(super) fn by_lane(&mut self) -> Vec<[u64; BITS]> {
        self.settle();
        (0..LANES).map(|lane| std::array::from_fn(|bit| u64::from(self.by_bit[bit][lane]))).collect()
    }

    /// Number of times that each bit was set in all lanes.
    pub(super) fn total(&mut self) -> [u64; BITS] {
        self.settle();
        std::array::from_fn(|bit| self.by_bit[bit].iter().map(|count| u64::from(*count)).sum())
    }

    fn carry(&mut self) {
        let rows = &self.rows;
        let [ones, twos, fours, higher @ ..] = &mut self.planes;
        let pairs = [0, 2, 4, 6].map(|at| full_add(ones, &rows[at], &rows[at + 1]));
        let quads = [0, 2].map(|at| full_add(twos, &pairs[at], &pairs[at + 1]));
        let mut carry = full_add(fours, &quads[0], &quads[1]);
        for plane in higher {
            for (plane, carry) in plane.iter_mut().zip(&mut carry) {
                (*plane, *carry) = (*plane ^ *carry, *plane & *carry);
            }
        }
        self.waiting = 0;
        self.added += ROWS_PER_ADD;
        if self.added + ROWS_PER_ADD >= 1 << PLANES {
            self.flush();
        }
    }

    fn settle(&mut self) {
        self.rows[self.waiting..].fill([0; LANES]);
        self.carry();
        self.flush();
    }

    fn flush(&mut self) {
        for (bit, counts) in self.by_bit.iter_mut().enumerate() {
            for (weight, plane) in self.planes.iter().enumerate() {
                for (count, word) in counts.iter_mut().zip(plane) {
                    *count += u32::from(*word >> bit & 1) << weight;
                }
            }
        }
        self.planes = [[0; LANES]; PLANES];
        self.added = 0;
    }
}

/// Full adder: adds two bits to each bit of `plane`, and returns the carries.
fn full_add(plane: &mut Words, a: &Words, b: &Words) -> Words {
    let mut carry = [0; LANES];
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
            rows in proptest::collection::vec(proptest::collection::vec(any::<u16>(), 1..=LANES), 0..600),
            long in proptest::collection::vec(any::<i16>(), 0..3_000),
        ) {
            let (mut at_once, mut one_by_one) = (BitCounts::default(), BitCounts::default());
            at_once.add_all(&long, i16::cast_unsigned);
            one_by_one.add(long.iter().map(|number| number.cast_unsigned()));
            prop_assert_eq!(at_once.by_lane(), one_by_one.by_lane());
            let mut sums = BitCounts::default();
            for row in &rows {
                sums.add(row.iter().copied());
            }
            let expected: Vec<[u64; BITS]> = (0..LANES)
                .map(|lane| {
                    let words = rows.iter().filter_map(|row| row.get(lane));
                    std::array::from_fn(|bit| words.clone().map(|word| u64::from(word >> bit & 1)).sum())
                })
                .collect();
            prop_assert_eq!(sums.by_lane(), expected.clone());
            let total: [u64; BITS] = std::array::from_fn(|bit| expected.iter().map(|lane| lane[bit]).sum());
            prop_assert_eq!(sums.total(), total);
        }
    }
}
