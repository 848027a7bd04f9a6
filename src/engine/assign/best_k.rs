//! Selection of the best k entries of a sequence.
//!
//! Entries are appended to a buffer of a few times k entries. A full buffer is reduced to its best k by quickselect,
//! so an entry costs O(1) amortised time. The result depends on the set of entries, not on their order.

/// A pair of a row with its rank: entries with the greater key come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct RankedPair<K> {
    /// The greater the key, the better the pair.
    pub(in crate::engine) key: K,
    /// Decides between equal keys: a hash of the pair.
    pub(in crate::engine) tie_break: u32,
    /// The mentor, or the mentee in a row of a mentor.
    pub(in crate::engine) to: u32,
    /// Score of the pair.
    pub(in crate::engine) score: i32,
}

/// The best entries so far.
#[derive(Debug)]
pub(in crate::engine) struct BestK<K> {
    keep: usize,
    room: usize,
    entries: Vec<RankedPair<K>>,
    lowest: Option<RankedPair<K>>,
}

impl<K: Copy + Ord> BestK<K> {
    /// Keeps the best `keep` entries.
    pub(in crate::engine) fn new(keep: usize) -> Self {
        Self::within(keep, 4)
    }

    /// Keeps the best `keep` entries in a buffer of `times * keep` entries. A smaller buffer takes more time.
    pub(in crate::engine) fn within(keep: usize, times: usize) -> Self {
        let keep = keep.max(1);
        Self { keep, room: times * keep, entries: Vec::new(), lowest: None }
    }

    /// The number of entries to keep.
    pub(in crate::engine) fn keep(&self) -> usize {
        self.keep
    }

    /// The key below which an entry is rejected.
    pub(in crate::engine) fn floor(&self) -> Option<K> {
        self.lowest.map(|lowest| lowest.key)
    }

    /// Adds an entry unless it is too low. Returns whether the floor may have risen.
    pub(in crate::engine) fn offer(&mut self, entry: RankedPair<K>) -> bool {
        if self.lowest.is_some_and(|lowest| entry <= lowest) {
            return false;
        }
        if self.entries.is_empty() {
            self.entries.reserve_exact(self.room);
        }
        self.entries.push(entry);
        let full = self.entries.len() >= self.room;
        if full {
            self.shrink();
        }
        full
    }

    fn shrink(&mut self) {
        if self.entries.len() > self.keep {
            self.entries.select_nth_unstable_by(self.keep - 1, |a, b| b.cmp(a));
            self.entries.truncate(self.keep);
            self.lowest = self.entries.last().copied();
        }
    }

    /// The best entries, in no particular order.
    pub(in crate::engine) fn into_best(mut self) -> Vec<RankedPair<K>> {
        self.shrink();
        self.entries
    }

    /// The best entries, best first.
    pub(in crate::engine) fn into_sorted(self) -> Vec<RankedPair<K>> {
        let mut entries = self.into_best();
        entries.sort_unstable_by(|a, b| b.cmp(a));
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pair_scores::tie_break;

    #[test]
    fn the_best_are_kept_in_whatever_order_they_come() {
        let entries: Vec<RankedPair<i32>> = (0..1000)
            .map(|at: u64| RankedPair {
                key: i32::try_from(tie_break(0, at) % 50).unwrap(),
                tie_break: tie_break(1, at),
                to: 7,
                score: 0,
            })
            .collect();
        let best_of = |order: Vec<RankedPair<i32>>| {
            let mut top = BestK::new(20);
            for entry in order {
                top.offer(entry);
            }
            top.into_sorted()
        };
        let mut sorted = entries.clone();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        sorted.truncate(20);
        assert_eq!(best_of(entries.clone()), sorted);
        assert_eq!(best_of(entries.into_iter().rev().collect()), sorted);
    }
}
