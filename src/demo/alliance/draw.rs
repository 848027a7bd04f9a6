//! Pseudo-random draws, each a function of a seed, a person and a question.
//!
//! Any person can therefore be generated without the others, and a new question changes no other answer.

/// The golden ratio as a fraction of 2^64: the increment of SplitMix64.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of draws: SplitMix64 (Steele, Lea & Flood 2014), whose `n`-th value is a function of its key and `n`.
#[derive(Debug, Clone)]
pub(in crate::demo) struct Draw(u64);

impl Draw {
    /// The stream for one question to one person.
    pub(in crate::demo) fn new(seed: u64, person: u64, question: &str) -> Self {
        let named = question.bytes().fold(seed, |key, byte| mix(key ^ u64::from(byte)).wrapping_add(GOLDEN));
        Self(mix(named ^ mix(person.wrapping_add(GOLDEN))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number from 0 to `bound - 1`; 0 if the bound is 0. The bias is below 2^-32 for every bound used here.
    pub(in crate::demo) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// `below` as an index.
    pub(in crate::demo) fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(u64::try_from(bound).unwrap_or(u64::MAX))).unwrap_or_default()
    }

    /// A number from `low` to `high`.
    pub(in crate::demo) fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = u64::from(high.abs_diff(low)) + 1;
        low + i32::try_from(self.below(span)).unwrap_or_default()
    }

    /// `true` with this probability in percent.
    pub(in crate::demo) fn percent(&mut self, cases: u64) -> bool {
        self.below(100) < cases
    }

    /// One of the items; `None` if there are none.
    pub(in crate::demo) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.index(items.len()))
    }

    /// One of the items, by weight.
    pub(in crate::demo) fn weighted<'a, T>(&mut self, items: &'a [(T, u64)]) -> Option<&'a T> {
        let mut left = self.below(items.iter().map(|(_, weight)| weight).sum());
        for (item, weight) in items {
            if left < *weight {
                return Some(item);
            }
            left -= weight;
        }
        None
    }

    /// So many different items in their order; all of them if there are fewer.
    pub(in crate::demo) fn some<T: Copy>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut wanted = count.min(items.len());
        let mut chosen = Vec::with_capacity(wanted);
        // Selection sampling (Knuth, TAOCP vol. 2, algorithm S).
        for (at, item) in items.iter().enumerate() {
            if self.index(items.len() - at) < wanted {
                chosen.push(*item);
                wanted -= 1;
            }
        }
        chosen
    }
}

/// The finaliser of SplitMix64.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // First outputs for the state 0, as published with the algorithm's reference code.
        let mut draw = Draw(0);
        assert_eq!([draw.next(), draw.next()], [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4]);
    }

    #[test]
    fn draws_are_spread_evenly_and_some_items_are_different_ones() {
        let mut counts = [0_u32; 10];
        for person in 0..10_000 {
            counts[Draw::new(1, person, "q").index(10)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
        let chosen = Draw::new(1, 1, "q").some(&[1, 2, 3, 4, 5], 3);
        assert!(chosen.len() == 3 && chosen.is_sorted_by(|a, b| a < b), "{chosen:?}");
    }
}
