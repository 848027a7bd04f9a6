//! The nodes that a search has reached, with what it knows of each.
//!
//! Where a search may go anywhere every node has its own slot. One that may not go far reaches a few hundred nodes of a
//! million: they stand in a small table with open addressing (Knuth, *The Art of Computer Programming* 3, section 6.4), which
//! stays in the nearest cache where a slot for everybody would be memory that nobody has at hand. Either way all are forgotten
//! at once.

/// Slots of a small table in the beginning.
const INITIAL_SLOTS: usize = 1 << 9;
/// Slots of a small table that are given back.
const MAX_KEPT_SLOTS: usize = 1 << 15;

/// Nodes with something known of each.
#[derive(Debug)]
pub(super) struct NodeLabels<T> {
    slots: Vec<Slot<T>>,
    /// Whether every node has its own slot.
    is_dense: bool,
    /// Slots of another time are empty.
    epoch: u32,
    /// Nodes reached.
    len: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot<T> {
    node: u32,
    /// Twice the time at which the node was reached, one more once it is settled.
    stamp: u32,
    label: T,
}

impl<T: Copy + Default> NodeLabels<T> {
    /// Room for all of so many nodes.
    pub(super) fn dense(nodes: usize) -> Self {
        Self { slots: vec![Slot::default(); nodes], is_dense: true, epoch: 1, len: 0 }
    }

    /// Room for few nodes of many.
    pub(super) fn sparse() -> Self {
        Self { slots: vec![Slot::default(); INITIAL_SLOTS], is_dense: false, epoch: 1, len: 0 }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        if !self.is_dense && self.slots.len() > MAX_KEPT_SLOTS {
            *self = Self::sparse();
        }
        self.len = 0;
        self.epoch += 1;
        if self.epoch > u32::MAX / 2 {
            self.slots.fill(Slot::default());
            self.epoch = 1;
        }
    }

    /// What is known of a node.
    pub(super) fn get(&self, node: u32) -> Option<&T> {
        let slot = &self.slots[self.slot_of(node)];
        (slot.stamp >= 2 * self.epoch).then_some(&slot.label)
    }

    /// What is known of a node, and whether it is reached for the first time: then nothing is.
    pub(super) fn reach(&mut self, node: u32) -> (bool, &mut T) {
        let mut place = self.slot_of(node);
        let is_new = self.slots[place].stamp < 2 * self.epoch;
        if is_new {
            if !self.is_dense && 2 * self.len >= self.slots.len() {
                self.grow();
                place = self.slot_of(node);
            }
            self.len += 1;
            self.slots[place] = Slot { node, stamp: 2 * self.epoch, label: T::default() };
        }
        (is_new, &mut self.slots[place].label)
    }

    /// Settles a node that was reached; says whether it was not settled yet.
    pub(super) fn settle(&mut self, node: u32) -> bool {
        let place = self.slot_of(node);
        let slot = &mut self.slots[place];
        let settles = slot.stamp == 2 * self.epoch;
        slot.stamp += u32::from(settles);
        settles
    }

    /// Where a node stands, or would.
    fn slot_of(&self, node: u32) -> usize {
        if self.is_dense {
            return node as usize;
        }
        let last = self.slots.len() - 1;
        let hash = u64::from(node).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut place = hash as usize & last;
        while self.slots[place].stamp >= 2 * self.epoch && self.slots[place].node != node {
            place = (place + 1) & last;
        }
        place
    }

    fn grow(&mut self) {
        let more = vec![Slot::default(); 2 * self.slots.len()];
        for slot in std::mem::replace(&mut self.slots, more) {
            if slot.stamp >= 2 * self.epoch {
                let place = self.slot_of(slot.node);
                self.slots[place] = slot;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const NODES: u32 = 3_000;

    proptest! {
        #[test]
        fn what_is_known_of_a_node_is_what_was_last_said(
            all in any::<bool>(),
            epoch in prop_oneof![Just(1), u32::MAX / 2 - 2..=u32::MAX / 2],
            times in vec(vec((0..NODES, 0..9_u8, any::<bool>()), 0..2_000), 1..4),
        ) {
            let mut reached = if all { NodeLabels::<u8>::dense(NODES as usize) } else { NodeLabels::sparse() };
            reached.epoch = epoch;
            for said in times {
                reached.clear();
                let mut known = HashMap::new();
                for (node, what, settles) in said {
                    let before = known.get(&node).copied();
                    let (is_new, slot) = reached.reach(node);
                    let (was, was_settled): (u8, bool) = before.unwrap_or_default();
                    prop_assert_eq!((is_new, *slot), (before.is_none(), was));
                    *slot = what;
                    if settles {
                        prop_assert_eq!(reached.settle(node), !was_settled);
                    }
                    known.insert(node, (what, was_settled || settles));
                }
                for node in 0..NODES {
                    prop_assert_eq!(reached.get(node), known.get(&node).map(|(what, _)| what));
                }
            }
        }
    }
}
