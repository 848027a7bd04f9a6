//! Labels of the nodes that a search has reached.
//!
//! A dense table has one slot per node. A search that reaches a few hundred of a million nodes uses a small hash
//! table with open addressing (Knuth, *The Art of Computer Programming* 3, section 6.4), which stays in the nearest
//! cache. Both tables forget all labels in constant time: a slot of an earlier epoch is empty.

/// Initial slots of a hash table.
const INITIAL_SLOTS: usize = 1 << 9;
/// A hash table with more slots is freed when it is cleared.
const MAX_KEPT_SLOTS: usize = 1 << 15;

/// Labels by node.
#[derive(Debug)]
pub(super) struct NodeLabels<T> {
    slots: Vec<Slot<T>>,
    /// Whether the table has one slot per node.
    is_dense: bool,
    /// The present epoch. Slots of another epoch are empty.
    epoch: u32,
    /// Number of labels.
    len: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot<T> {
    node: u32,
    /// Twice the epoch in which the node was reached, plus 1 if the node is settled.
    stamp: u32,
    label: T,
}

impl<T: Copy + Default> NodeLabels<T> {
    /// Dense table with one slot for each of `nodes` nodes.
    pub(super) fn dense(nodes: usize) -> Self {
        Self { slots: vec![Slot::default(); nodes], is_dense: true, epoch: 1, len: 0 }
    }

    /// Hash table for few of many nodes.
    pub(super) fn sparse() -> Self {
        Self { slots: vec![Slot::default(); INITIAL_SLOTS], is_dense: false, epoch: 1, len: 0 }
    }

    /// Forgets all labels.
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

    /// The label of a node, if the node was reached.
    pub(super) fn get(&self, node: u32) -> Option<&T> {
        let slot = &self.slots[self.slot_of(node)];
        (slot.stamp >= 2 * self.epoch).then_some(&slot.label)
    }

    /// The label of a node, to change it, and whether this call created the label. A new label has the default value.
    pub(super) fn label_mut(&mut self, node: u32) -> (bool, &mut T) {
        let mut slot_index = self.slot_of(node);
        let is_new = self.slots[slot_index].stamp < 2 * self.epoch;
        if is_new {
            if !self.is_dense && 2 * self.len >= self.slots.len() {
                self.grow();
                slot_index = self.slot_of(node);
            }
            self.len += 1;
            self.slots[slot_index] = Slot { node, stamp: 2 * self.epoch, label: T::default() };
        }
        (is_new, &mut self.slots[slot_index].label)
    }

    /// Settles a reached node. Returns whether the node was not yet settled.
    pub(super) fn settle(&mut self, node: u32) -> bool {
        let slot_index = self.slot_of(node);
        let slot = &mut self.slots[slot_index];
        let settles = slot.stamp == 2 * self.epoch;
        slot.stamp += u32::from(settles);
        settles
    }

    /// The slot of a node, or the slot that it would take.
    fn slot_of(&self, node: u32) -> usize {
        if self.is_dense {
            return node as usize;
        }
        let last = self.slots.len() - 1;
        let hash = u64::from(node).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut slot_index = hash as usize & last;
        while self.slots[slot_index].stamp >= 2 * self.epoch && self.slots[slot_index].node != node {
            slot_index = (slot_index + 1) & last;
        }
        slot_index
    }

    fn grow(&mut self) {
        let more = vec![Slot::default(); 2 * self.slots.len()];
        for slot in std::mem::replace(&mut self.slots, more) {
            if slot.stamp >= 2 * self.epoch {
                let slot_index = self.slot_of(slot.node);
                self.slots[slot_index] = slot;
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
        fn the_label_of_a_node_is_the_label_set_last(
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
                    let (is_new, slot) = reached.label_mut(node);
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
