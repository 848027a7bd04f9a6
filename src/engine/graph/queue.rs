//! Radix heap of tentative distances (Ahuja, Mehlhorn, Orlin and Tarjan 1990): a monotone priority queue.
//!
//! Distances leave the heap in ascending order, so the heap compares an entry only with the last distance that left. An
//! entry is in the bucket of the highest bit in which the two differ, and moves to a lower bucket when the last
//! distance approaches. Bucket 0 holds the entries at the last distance and is a stack; with many ties, most entries
//! are there. Amortised time per entry: O(bits of the range of distances). The order of entries of equal distance is
//! unspecified.

use crate::engine::price_integer::PriceInteger;

/// Nodes by distance.
#[derive(Debug)]
pub(in crate::engine) struct RadixHeap<W> {
    buckets: Vec<Vec<(W, u32)>>,
    /// Bit set of the buckets that are not empty.
    full: [u64; 3],
    now: W,
}

impl<W: PriceInteger> RadixHeap<W> {
    /// An empty queue.
    pub(in crate::engine) fn new() -> Self {
        Self { buckets: vec![Vec::new(); 129], full: [0; 3], now: W::default() }
    }

    /// Removes all entries and starts at distance 0.
    pub(in crate::engine) fn clear(&mut self) {
        while let Some(bucket) = self.first() {
            self.buckets[bucket].clear();
            self.full[bucket / 64] &= !(1 << (bucket % 64));
        }
        self.now = W::default();
    }

    /// The distance of the last node that left the heap.
    pub(in crate::engine) fn now(&self) -> W {
        self.now
    }

    /// Adds a node whose distance is at least [`Self::now`].
    pub(in crate::engine) fn push(&mut self, distance: W, node: u32) {
        let bucket = distance.highest_difference(self.now);
        self.buckets[bucket].push((distance, node));
        self.full[bucket / 64] |= 1 << (bucket % 64);
    }

    /// Removes the nearest node, and advances [`Self::now`] to its distance.
    pub(in crate::engine) fn pop(&mut self) -> Option<u32> {
        if let Some((_, node)) = self.buckets[0].pop() {
            return Some(node);
        }
        self.full[0] &= !1;
        let bucket = self.first()?;
        self.full[bucket / 64] &= !(1 << (bucket % 64));
        let mut entries = std::mem::take(&mut self.buckets[bucket]);
        self.now = entries.iter().map(|entry| entry.0).min().unwrap_or(self.now);
        for &(distance, node) in &entries {
            self.push(distance, node);
        }
        entries.clear();
        self.buckets[bucket] = entries;
        self.buckets[0].pop().map(|(_, node)| node)
    }

    fn first(&self) -> Option<usize> {
        let word = self.full.iter().position(|&word| word != 0)?;
        Some(64 * word + self.full[word].trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nodes_come_out_in_the_order_of_their_distances(
            steps in vec((0..3_usize, vec(prop_oneof![0..5_i64, 0..1_000_000_i64, 0..i64::MAX / 4], 0..6)), 0..40),
        ) {
            let mut queue = RadixHeap::<i64>::new();
            queue.push(7, 0);
            queue.clear();
            let mut held: Vec<(i64, u32)> = Vec::new();
            let mut next = 0;
            for (pops, more) in steps {
                for distance in more {
                    let distance = distance.saturating_add(queue.now()).min(i64::MAX / 2).max(queue.now());
                    queue.push(distance, next);
                    held.push((distance, next));
                    next += 1;
                }
                for _ in 0..pops {
                    let least = held.iter().map(|entry| entry.0).min();
                    let popped = queue.pop();
                    prop_assert_eq!(popped.is_some(), least.is_some());
                    if let (Some(node), Some(least)) = (popped, least) {
                        let at = held.iter().position(|entry| entry.1 == node).unwrap();
                        prop_assert_eq!(held.swap_remove(at).0, least);
                        prop_assert_eq!(queue.now(), least);
                    }
                }
            }
        }
    }
}
