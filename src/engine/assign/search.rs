//! One search for the best use of a unit that nobody serves: the shortest path from its bidder to the cheapest way of serving
//! it or of doing without.
//!
//! Dijkstra's method on reduced costs (Edmonds and Karp 1972; Jonker and Volgenant 1987), stopped at the first end, with
//! three savings: ends are looked at as soon as a node is reached, the [queue](super::queue) knows ties, and rows are left as
//! soon as no edge can beat the best end. Mentors are not split into seats: a mentor leads to all whom she serves.

use crate::engine::observer::Stopped;

use super::context::StopPoll;
use super::core::index;
use super::direction::{Direction, augment};
use super::labels::NodeLabels;
use super::price_integer::PriceInteger;
use super::queue::Queue;

/// What a search has found.
#[derive(Debug, Default)]
pub(super) struct SearchResult<W> {
    /// Whether it came to its end.
    pub(super) is_complete: bool,
    /// Whether it found a use for the unit; if not, the unit waits on, at prices that have moved as far as was asked for.
    serves: bool,
    /// Nodes whose prices move, and how far.
    settled: Vec<(u32, W)>,
    /// The path, from its end back to its source: every node with the one before it, and the score of the pair between.
    path: Vec<(u32, u32, i32)>,
    /// Arcs looked at.
    pub(super) edges: usize,
}

impl<W: PriceInteger> SearchResult<W> {
    /// Nodes settled.
    pub(super) fn scans(&self) -> usize {
        self.settled.len()
    }

    /// All nodes of which anything changes once this is put into effect; some come twice.
    pub(super) fn nodes(&self) -> impl Iterator<Item = u32> {
        let settled = self.settled.iter().map(|&(node, _)| node);
        settled.chain(self.path.first().map(|&(end, ..)| end))
    }

    /// Moves prices, and serves the unit if there is a use for it: says whether there is.
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
            let step = |node| steps.next().map_or((index(node), 0), |&(_, from, score)| (from, score));
            augment(direction, end as usize, objects + bidder as usize, step);
        }
        self.serves
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct PathLabel<W> {
    distance: W,
    /// The node from which it was reached.
    from: u32,
    /// Score of the pair along which it was reached.
    score: i32,
}

/// Workspace of a search. Nodes are those who are bid for, then the bidders.
#[derive(Debug)]
pub(super) struct ShortestPathSearch<W> {
    labels: NodeLabels<PathLabel<W>>,
    queue: Queue<W>,
    best: W,
    end: u32,
}

impl<W: PriceInteger> ShortestPathSearch<W> {
    /// A workspace for a search that may reach all of so many nodes.
    pub(super) fn dense(nodes: usize) -> Self {
        Self::new(NodeLabels::dense(nodes))
    }

    /// A workspace for searches that reach few nodes of many.
    pub(super) fn sparse() -> Self {
        Self::new(NodeLabels::sparse())
    }

    fn new(labels: NodeLabels<PathLabel<W>>) -> Self {
        Self { labels, queue: Queue::new(), best: W::INFINITE, end: 0 }
    }

    /// Finds the best use for a unit of `bidder` that nobody serves: room of somebody she wants, or the retreat of herself or of
    /// another who can be spared more easily. If all of these are farther than `reach`, there is none, and prices move that
    /// far. The search is given up where it has looked at more edges than `most`.
    pub(super) fn find<D: Direction<W>>(
        &mut self,
        direction: &D,
        bidder: u32,
        (reach, most): (W, usize),
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
            if found.edges > most {
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
        *self.labels.reach(source).1 = PathLabel { distance: W::default(), from: source, score: 0 };
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

    /// Reaches a node; `exit` is what it costs to end there.
    fn reach(&mut self, node: usize, distance: W, from: usize, score: i32, exit: W) {
        if distance >= self.best {
            return;
        }
        let node = index(node);
        let (is_new, label) = self.labels.reach(node);
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

    /// Gives the number of edges looked at.
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
                self.reach(object, distance, from, edge.score, direction.exit_cost(object));
            }
        }
        row.len()
    }

    /// Gives the number of holders looked at.
    fn relax_holders<D: Direction<W>>(&mut self, direction: &D, object: usize) -> usize {
        let base = self.queue.now() - direction.price(object);
        let mut looked_at = 0;
        for (bidder, score) in direction.holders(object) {
            looked_at += 1;
            let distance = base + W::from(score) - direction.bidder_price(bidder);
            self.reach(direction.objects() + bidder, distance, object, score, direction.retreat_cost(bidder));
        }
        looked_at
    }
}
