//! One shortest-path search: from a bidder with an unserved unit to the nearest end.
//!
//! An end is a free unit of an object, or the retreat of a bidder from a unit. The algorithm is Dijkstra's on reduced
//! costs, stopped at the nearest end (Edmonds and Karp 1972; Jonker and Volgenant 1987). Four points save work:
//!
//! - An end is examined when a node is *reached*, not when the node is settled.
//! - The queue is a [`RadixHeap`], which is fast if many distances are equal. It has no decrease-key: a node is pushed
//!   again when its distance falls.
//! - A row is left as soon as no later edge can beat the best end.
//! - Mentors are not split into seats: a mentor node leads to all of its holders.
//!
//! Time: O(m log C) for `m` pairs and the range `C` of distances, because a pair may push its end node once.
//!
//! Output: the path, and the change of price of every settled node, which keeps all conditions of
//! [`PrimalDualState`](super::primal_dual_state::PrimalDualState).

use crate::engine::graph::RadixHeap;
use crate::engine::observer::Stopped;
use crate::engine::price_integer::PriceInteger;

use super::context::StopPoll;
use super::core::index;
use super::direction::{Direction, apply_path};
use super::labels::NodeLabels;

/// Result of a search.
#[derive(Debug, Default)]
pub(super) struct SearchResult<W> {
    /// Whether the search ended before it had read too many edges.
    pub(super) is_complete: bool,
    /// Whether there is a path. Otherwise the unit keeps waiting, and the price of each settled node moves by
    /// `reach - distance`.
    serves: bool,
    /// Settled nodes, with the amounts by which their prices move.
    settled: Vec<(u32, W)>,
    /// The path from its end back to its source: node, predecessor, score of the pair between them.
    path: Vec<(u32, u32, i32)>,
    /// Edges read.
    pub(super) edges: usize,
}

impl<W: PriceInteger> SearchResult<W> {
    /// Number of settled nodes.
    pub(super) fn scans(&self) -> usize {
        self.settled.len()
    }

    /// All nodes that change when this result is applied; some occur twice.
    pub(super) fn nodes(&self) -> impl Iterator<Item = u32> {
        let settled = self.settled.iter().map(|&(node, _)| node);
        settled.chain(self.path.first().map(|&(end, ..)| end))
    }

    /// Moves the prices and augments along the path. Returns whether there is a path.
    pub(super) fn apply<D: Direction<W>>(&self, direction: &mut D, bidder: u32) -> bool {
        let objects = direction.objects();
        for &(node, change) in &self.settled {
            let node = node as usize;
            match node.checked_sub(objects) {
                Some(bidder) => direction.lower_bidder_price(bidder, change),
                None => direction.raise_price(node, change),
            }
        }
        if let Some(&(end, ..)) = self.path.first().filter(|_| self.serves) {
            let mut steps = self.path.iter();
            let predecessor = |node| steps.next().map_or((index(node), 0), |&(_, from, score)| (from, score));
            apply_path(direction, end as usize, objects + bidder as usize, predecessor);
        }
        self.serves
    }
}

/// Label of a reached node.
#[derive(Debug, Clone, Copy, Default)]
struct PathLabel<W> {
    distance: W,
    /// The predecessor.
    from: u32,
    /// Score of the pair between the predecessor and this node.
    score: i32,
}

/// Workspace of a search. Nodes are the objects, then the bidders.
#[derive(Debug)]
pub(super) struct ShortestPathSearch<W> {
    labels: NodeLabels<PathLabel<W>>,
    queue: RadixHeap<W>,
    best: W,
    end: u32,
}

impl<W: PriceInteger> ShortestPathSearch<W> {
    /// Workspace for searches that may reach every node.
    pub(super) fn dense(nodes: usize) -> Self {
        Self::new(NodeLabels::dense(nodes))
    }

    /// Workspace for searches that reach few of many nodes.
    pub(super) fn sparse() -> Self {
        Self::new(NodeLabels::sparse())
    }

    fn new(labels: NodeLabels<PathLabel<W>>) -> Self {
        Self { labels, queue: RadixHeap::new(), best: W::INFINITE, end: 0 }
    }

    /// Finds the shortest path from an unserved unit of `bidder` to an end. If every end is farther than `reach`, there
    /// is no path, and the price of each settled node moves by `reach - distance`. The search stops without a result
    /// after it has read more than `max_edges` edges.
    pub(super) fn find<D: Direction<W>>(
        &mut self,
        direction: &D,
        bidder: u32,
        (reach, max_edges): (W, usize),
        found: &mut SearchResult<W>,
        poll: &mut StopPoll<'_>,
    ) -> Result<(), Stopped> {
        let objects = direction.objects();
        let source = index(objects) + bidder;
        let leave = direction.retreat_cost(bidder as usize);
        self.begin(source, leave.min(reach));
        found.settled.clear();
        found.path.clear();
        found.edges = 0;
        found.is_complete = true;
        while let Some(node) = self.next() {
            if found.edges > max_edges {
                found.is_complete = false;
                break;
            }
            found.settled.push((node, self.queue.now()));
            let node = node as usize;
            let looked_at = match node.checked_sub(objects) {
                Some(bidder) => self.relax_row(direction, bidder),
                None => self.relax_holders(direction, node),
            };
            found.edges += looked_at;
            poll.count(looked_at)?;
        }
        found.serves = self.end != source || leave <= reach;
        for (_, distance) in &mut found.settled {
            *distance = self.best - *distance;
        }
        let mut node = self.end;
        while let Some(label) = self.labels.get(node) {
            found.path.push((node, label.from, label.score));
            if node == source {
                break;
            }
            node = label.from;
        }
        Ok(())
    }

    fn begin(&mut self, source: u32, end_here: W) {
        self.labels.clear();
        self.queue.clear();
        self.best = end_here;
        self.end = source;
        *self.labels.label_mut(source).1 = PathLabel { distance: W::default(), from: source, score: 0 };
        self.queue.push(W::default(), source);
    }

    /// Settles the nearest node that is nearer than the best end.
    fn next(&mut self) -> Option<u32> {
        while self.queue.now() < self.best {
            let node = self.queue.pop()?;
            if self.queue.now() < self.best && self.labels.settle(node) {
                return Some(node);
            }
        }
        None
    }

    /// Relaxes a node; `exit` is the cost of an end at this node.
    fn relax(&mut self, node: usize, distance: W, from: usize, score: i32, exit: W) {
        if distance >= self.best {
            return;
        }
        let node = index(node);
        let (is_new, label) = self.labels.label_mut(node);
        if !is_new && label.distance <= distance {
            return;
        }
        *label = PathLabel { distance, from: index(from), score };
        if distance + exit < self.best {
            self.best = distance + exit;
            self.end = node;
        }
        if distance < self.best {
            self.queue.push(distance, node);
        }
    }

    /// Relaxes the edges of a bidder and returns their number.
    fn relax_row<D: Direction<W>>(&mut self, direction: &D, bidder: usize) -> usize {
        let from = direction.objects() + bidder;
        let base = self.queue.now() + direction.bidder_price(bidder);
        let cheapest = base + direction.lowest_price();
        let row = direction.row(bidder);
        for (looked_at, edge) in row.iter().enumerate() {
            let score = W::from(edge.score);
            if cheapest - score >= self.best {
                return looked_at;
            }
            let object = edge.to as usize;
            let distance = base - score + direction.price(object);
            if distance < self.best && !direction.are_mates(bidder, edge.to) {
                self.relax(object, distance, from, edge.score, direction.exit_cost(object));
            }
        }
        row.len()
    }

    /// Relaxes the holders of an object and returns their number.
    fn relax_holders<D: Direction<W>>(&mut self, direction: &D, object: usize) -> usize {
        let base = self.queue.now() - direction.price(object);
        let mut looked_at = 0;
        for (bidder, score) in direction.holders(object) {
            looked_at += 1;
            let distance = base + W::from(score) - direction.bidder_price(bidder);
            self.relax(direction.objects() + bidder, distance, object, score, direction.retreat_cost(bidder));
        }
        looked_at
    }
}
