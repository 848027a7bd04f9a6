//! Shortest alternating paths, from whoever waits to the nearest end: from a mentee with an unserved place to the cheapest
//! way of serving it (or of doing without), or from a mentor's hole back to the cheapest heir (or to giving the seat up).
//!
//! Dijkstra's method on reduced costs (Edmonds and Karp 1972; Jonker and Volgenant 1987), stopped at the first end, with
//! three savings: ends are looked at as soon as a node is reached, the [queue](super::queue) knows ties, and rows are left as
//! soon as no arc can beat the best end. Mentors are not split into seats: a mentor leads to all whom she serves.

use crate::engine::problem::Stopped;

use super::core::index;
use super::counters::Work;
use super::market::{Market, serve_along};
use super::queue::Queue;
use super::state::State;
use super::weight::Weight;

#[derive(Debug, Clone, Copy, Default)]
struct Label<W> {
    distance: W,
    /// Twice the number of the search that reached the node, one more once it is settled.
    stamp: u32,
    /// The node from which it was reached.
    from: u32,
    /// Score of the pair along which it was reached.
    score: i32,
}

/// Workspace of the searches. Nodes are those who are bid for, then the bidders.
#[derive(Debug)]
pub(super) struct Paths<W> {
    labels: Vec<Label<W>>,
    queue: Queue<W>,
    settled: Vec<u32>,
    search: u32,
    best: W,
    end: usize,
}

impl<W: Weight> Paths<W> {
    /// A workspace for a state's nodes.
    pub(super) fn new(state: &State<W>) -> Self {
        Self {
            labels: vec![Label::default(); state.mentors() + state.mentees()],
            queue: Queue::new(),
            settled: Vec::new(),
            search: 0,
            best: W::FAR,
            end: 0,
        }
    }

    /// Serves the bidders who wait one by one, until `budget` arcs have been looked at; those left stay in `waiting`. One
    /// whose end is farther than `reach` waits on, at prices that have moved that far. Gives the number of searches.
    pub(super) fn serve<M: Market<W>>(
        &mut self,
        market: &mut M,
        waiting: &mut Vec<u32>,
        reach: W,
        budget: u64,
        work: &mut Work<'_>,
    ) -> Result<u64, Stopped> {
        let last = work.counters.arcs.saturating_add(budget);
        let mut still_waiting = Vec::new();
        let mut searches = 0;
        for &bidder in waiting.iter() {
            while market.missing(bidder as usize) > 0 {
                if work.counters.arcs > last {
                    still_waiting.push(bidder);
                    break;
                }
                searches += 1;
                if !self.serve_one(market, bidder as usize, reach, work)? {
                    still_waiting.push(bidder);
                    break;
                }
            }
        }
        *waiting = still_waiting;
        Ok(searches)
    }

    /// Finds the best use for a unit of `bidder` that nobody serves and puts it into effect: room of somebody she wants, or
    /// the retreat of herself or of another who can be spared more easily. If all of these are farther than `reach`, prices
    /// move that far, the unit still waits, and the answer is no.
    fn serve_one<M: Market<W>>(
        &mut self,
        market: &mut M,
        bidder: usize,
        reach: W,
        work: &mut Work<'_>,
    ) -> Result<bool, Stopped> {
        let items = market.items();
        let source = items + bidder;
        let leave = market.leave_cost(bidder);
        self.begin(source, leave.min(reach));
        while let Some(node) = self.next() {
            let looked_at = match node.checked_sub(items) {
                Some(bidder) => self.relax_row(market, bidder),
                None => self.relax_holders(market, node),
            };
            work.counters.arcs += looked_at as u64;
            work.pulse.beat(looked_at)?;
        }
        work.counters.scans += self.settled.len() as u64;
        for &node in &self.settled {
            let node = node as usize;
            let change = self.best - self.labels[node].distance;
            match node.checked_sub(items) {
                Some(bidder) => market.lower(bidder, change),
                None => market.raise(node, change),
            }
        }
        let found = self.end != source || leave <= reach;
        if found {
            let labels = &self.labels;
            serve_along(market, self.end, source, |node| (labels[node].from, labels[node].score));
        }
        Ok(found)
    }

    fn begin(&mut self, source: usize, end_here: W) {
        if self.search >= u32::MAX / 2 - 1 {
            self.labels.fill(Label::default());
            self.search = 0;
        }
        self.search += 1;
        self.queue.clear();
        self.settled.clear();
        self.best = end_here;
        self.end = source;
        self.labels[source] =
            Label { distance: W::default(), stamp: 2 * self.search, from: index(source), score: 0 };
        self.queue.push(W::default(), index(source));
    }

    /// Settles the nearest node that is nearer than the best end.
    fn next(&mut self) -> Option<usize> {
        while self.queue.now() < self.best {
            let node = self.queue.pop()?;
            let label = &mut self.labels[node as usize];
            if label.stamp == 2 * self.search && self.queue.now() < self.best {
                label.stamp += 1;
                self.settled.push(node);
                return Some(node as usize);
            }
        }
        None
    }

    /// Reaches a node; `exit` is what it costs to end there.
    fn reach(&mut self, node: usize, distance: W, from: usize, score: i32, exit: W) {
        let label = &mut self.labels[node];
        if distance >= self.best || (label.stamp >= 2 * self.search && label.distance <= distance) {
            return;
        }
        *label = Label { distance, stamp: 2 * self.search, from: index(from), score };
        if distance + exit < self.best {
            self.best = distance + exit;
            self.end = node;
        }
        if distance < self.best {
            self.queue.push(distance, index(node));
        }
    }

    /// Gives the number of arcs looked at.
    fn relax_row<M: Market<W>>(&mut self, market: &M, bidder: usize) -> usize {
        let from = market.items() + bidder;
        let base = self.queue.now() + market.value(bidder);
        let cheapest = base + market.lowest_price();
        let row = market.row(bidder);
        for (looked_at, arc) in row.iter().enumerate() {
            let score = W::from(arc.score);
            if cheapest - score >= self.best {
                return looked_at;
            }
            let item = arc.to as usize;
            let distance = base - score + market.price(item);
            if distance < self.best && !market.are_mates(bidder, arc.to) {
                self.reach(item, distance, from, arc.score, market.exit(item));
            }
        }
        row.len()
    }

    /// Gives the number of holders looked at.
    fn relax_holders<M: Market<W>>(&mut self, market: &M, item: usize) -> usize {
        let base = self.queue.now() - market.price(item);
        let mut looked_at = 0;
        for (bidder, score) in market.holders(item) {
            looked_at += 1;
            let distance = base + W::from(score) - market.value(bidder);
            self.reach(market.items() + bidder, distance, item, score, market.leave_cost(bidder));
        }
        looked_at
    }
}
