//! The holders of every mentor's seats: one short list per mentor, all lists in one vector.
//!
//! Invariant: during an auction a list is a binary heap by bid, because only the lowest bidder is removed. The path
//! searches remove any holder and do not use the order. A list that outgrows its room moves to the end of the vector
//! with twice the room. A list takes at most four times the most holders that it has ever had, old rooms included, plus
//! [`INITIAL_ROOM`] slots.

use std::ops::Range;

use super::core::index;

/// Initial room of a list, unless the mentor has fewer seats.
const INITIAL_ROOM: u32 = 6;

/// A mentee who holds a seat.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Holder<W> {
    /// A lower bound on the bid of the mentee for the seat, valid within an auction. The auction corrects the lowest bid
    /// of a list when it needs that bid.
    pub(super) bid: W,
    /// The mentee.
    pub(super) mentee: u32,
    /// Score of the pair.
    pub(super) score: i32,
}

/// Where the holders of one mentor are.
#[derive(Debug, Clone, Copy)]
pub(super) struct HolderList {
    start: u32,
    len: u32,
    room: u32,
    /// The auction in which the bids were updated last.
    auction: u32,
}

impl HolderList {
    fn range(self) -> Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// The holders of all mentors.
#[derive(Debug, Default)]
pub(super) struct Holders<W> {
    slots: Vec<Holder<W>>,
}

impl<W: Copy + Default + Ord> Holders<W> {
    /// Creates the list of one more mentor, who has `seats` seats.
    pub(super) fn open(&mut self, seats: u32) -> HolderList {
        let (start, room) = (index(self.slots.len()), seats.min(INITIAL_ROOM));
        self.slots.resize(self.slots.len() + room as usize, Holder::default());
        HolderList { start, len: 0, room, auction: 0 }
    }

    /// Makes room for `holders` holders in an empty list.
    pub(super) fn reserve(&mut self, list: &mut HolderList, holders: u32) {
        if holders > list.room {
            (list.start, list.room) = (index(self.slots.len()), holders);
            self.slots.resize(self.slots.len() + holders as usize, Holder::default());
        }
    }

    /// Puts holders into empty lists that have room for all of them, in any order.
    pub(super) fn fill(
        &mut self,
        lists: Vec<&mut HolderList>,
        holders: impl Iterator<Item = (u32, Holder<W>)>,
    ) {
        // The ends are stored close together because this loop reads them again and again.
        let mut ends: Vec<u32> = lists.iter().map(|list| list.start).collect();
        for (at, holder) in holders {
            let end = &mut ends[at as usize];
            self.slots[*end as usize] = holder;
            *end += 1;
        }
        for (list, end) in lists.into_iter().zip(ends) {
            list.len = end - list.start;
        }
    }

    /// The holders in a list. The first one has the lowest bid while the list is a heap.
    pub(super) fn of(&self, list: HolderList) -> &[Holder<W>] {
        &self.slots[list.range()]
    }

    /// The mentee in the first slot of a list, whether or not the slot is in use. The read brings the slot into the
    /// cache.
    pub(super) fn prefetch(&self, list: HolderList) -> u32 {
        self.slots.get(list.start as usize).map_or(0, |holder| holder.mentee)
    }

    /// Adds a holder and keeps the heap order.
    pub(super) fn push(&mut self, list: &mut HolderList, holder: Holder<W>) {
        let HolderList { len, room, auction, .. } = *list;
        if len == room {
            let (start, room) = (index(self.slots.len()), 2 * len.max(1));
            self.slots.extend_from_within(list.range());
            self.slots.resize((start + room) as usize, Holder::default());
            *list = HolderList { start, len, room, auction };
        }
        list.len += 1;
        let heap = &mut self.slots[list.range()];
        let mut at = len as usize;
        while at > 0 && holder.bid < heap[(at - 1) / 2].bid {
            heap[at] = heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        heap[at] = holder;
    }

    /// Updates the bids of a list and restores the heap order, at the first use of the list in an auction.
    pub(super) fn refresh(&mut self, list: &mut HolderList, auction: u32, bid: impl Fn(&Holder<W>) -> W) {
        if list.auction == auction {
            return;
        }
        list.auction = auction;
        let heap = &mut self.slots[list.range()];
        for holder in heap.iter_mut() {
            holder.bid = bid(holder);
        }
        // A sorted list is a heap.
        heap.sort_unstable_by_key(|holder| (holder.bid, holder.mentee));
    }

    /// Changes the bid of the lowest bidder and keeps the heap order.
    pub(super) fn correct_lowest(&mut self, list: HolderList, bid: W) {
        let heap = &mut self.slots[list.range()];
        let Some(&first) = heap.first() else { return };
        sift_down(heap, Holder { bid, ..first });
    }

    /// Removes the lowest bidder and keeps the heap order.
    pub(super) fn pop_lowest(&mut self, list: &mut HolderList) {
        if let Some((&mut last, heap)) = self.slots[list.range()].split_last_mut() {
            sift_down(heap, last);
            list.len -= 1;
        }
    }

    /// Removes a holder and does not keep the heap order.
    pub(super) fn remove(&mut self, list: &mut HolderList, mentee: u32) {
        let held = &mut self.slots[list.range()];
        let Some(at) = held.iter().position(|holder| holder.mentee == mentee) else {
            debug_assert!(false, "a pair in use has a seat");
            return;
        };
        held.swap(at, list.len as usize - 1);
        list.len -= 1;
    }
}

/// Replaces the first entry of a heap.
fn sift_down<W: Copy + Ord>(heap: &mut [Holder<W>], entry: Holder<W>) {
    let mut at = 0;
    loop {
        let left = 2 * at + 1;
        let right = left + 1;
        let least = if right < heap.len() && heap[right].bid < heap[left].bid { right } else { left };
        match heap.get(least) {
            Some(&below) if below.bid < entry.bid => heap[at] = below,
            _ => break,
        }
        at = least;
    }
    if let Some(slot) = heap.get_mut(at) {
        *slot = entry;
    }
}
