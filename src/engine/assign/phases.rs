//! Phases: one shortest-path computation serves many waiting bidders.
//!
//! If many bidders wait, single searches cross the same nodes again and again. A phase computes the distance of
//! *every* node to its nearest end (Dijkstra's algorithm from all ends, against the arcs) and shifts all prices by
//! the distances. Then every waiting bidder that was reached has a path of cost 0. Sweeps augment disjoint paths of cost
//! 0, and repeat until no waiting bidder has one (Hopcroft and Karp 1973; Gabow and Tarjan 1989; for the assignment
//! problem Balas, Miller, Pekny and Toth 1991). An auction at the new prices follows.
//!
//! Time: O(m log C) for the distances and O(m) for each sweep, with `m` pairs and the range `C` of distances. Memory:
//! about 40 bytes per node. For few bidders [`super::augment`] is cheaper.

use crate::engine::graph::RadixHeap;
use crate::engine::observer::Stopped;
use crate::engine::price_integer::PriceInteger;

use super::auction::{self, Patience};
use super::context::SolveContext;
use super::core::index;
use super::direction::{Direction, apply_path};
use super::primal_dual_state::NONE;

/// Patience of the auction after a phase: the auction ends early, because the next phase serves the rest.
pub(super) const PHASE_PATIENCE: Patience = Patience { bidders_per_served: 5, passes: 1 };

/// Mark of a waiting bidder in [`Visit::sweep`]; no sweep has this number.
const WAITING: u32 = u32::MAX;

/// The share of the waiting bidders that a phase need not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreached {
    /// No bidder.
    None,
    /// Half of the bidders: the farthest.
    Half,
}

impl Unreached {
    fn of(self, all: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Half => all / 2,
        }
    }
}

/// The latest visit of a node by a sweep.
#[derive(Debug, Clone, Copy)]
struct Visit {
    /// The predecessor on the path.
    from: u32,
    /// Score of the pair between the predecessor and this node.
    score: i32,
    /// The sweep of the visit. While distances are computed, [`WAITING`] marks the waiting bidders.
    sweep: u32,
}

/// Workspace of the phases. Nodes are the objects, then the bidders.
#[derive(Debug)]
pub(super) struct Phases<W> {
    /// Distance of every node to its nearest end.
    distance: Vec<W>,
    settled: Vec<bool>,
    queue: RadixHeap<W>,
    visits: Vec<Visit>,
    sweep: u32,
    stack: Vec<u32>,
}

impl<W: PriceInteger> Phases<W> {
    /// Workspace that allocates its memory in the first phase.
    pub(super) fn new() -> Self {
        Self {
            distance: Vec::new(),
            settled: Vec::new(),
            queue: RadixHeap::new(),
            visits: Vec::new(),
            sweep: 0,
            stack: Vec::new(),
        }
    }

    /// Runs one phase for the waiting bidders, each listed once, and an auction at the new prices. Bidders that are
    /// not served stay in `waiting`. The largest shift of a price is subtracted from `reach`. The farthest bidders, a
    /// share `unreached` of all, may be left to the next phase. The columns of the core must be indexed. Returns the
    /// number of augmented paths.
    pub(super) fn serve<D: Direction<W>>(
        &mut self,
        direction: &mut D,
        waiting: &mut Vec<u32>,
        reach: &mut W,
        unreached: Unreached,
        context: &mut SolveContext<'_>,
    ) -> Result<u64, Stopped> {
        context.counters.phases += 1;
        let nodes = direction.objects() + direction.bidders();
        self.distance.resize(nodes, W::default());
        self.settled.resize(nodes, false);
        self.visits.resize(nodes, Visit { from: NONE, score: 0, sweep: 0 });
        // A forward path or bid may have filled a vacancy. The auction may list a bidder that was displaced and served
        // again in the same pass.
        waiting.retain(|&bidder| direction.unserved(bidder as usize) > 0);
        *reach -= self.compute_and_shift(direction, waiting, *reach, unreached, context)?;
        let mut served = 0;
        loop {
            let by_sweep = self.sweep(direction, waiting, context)?;
            served += by_sweep;
            if by_sweep == 0 || waiting.is_empty() {
                break;
            }
        }
        *waiting = auction::run(direction, std::mem::take(waiting), PHASE_PATIENCE, context)?;
        Ok(served)
    }

    /// Computes the distance of every node to its nearest end and shifts all prices, so that every waiting bidder has a
    /// path of cost 0 to an end. Exceptions are bidders whose end is farther than `reach`, and the farthest bidders that
    /// `unreached` leaves out. Returns the largest shift.
    fn compute_and_shift<D: Direction<W>>(
        &mut self,
        direction: &mut D,
        waiting: &[u32],
        reach: W,
        unreached: Unreached,
        context: &mut SolveContext<'_>,
    ) -> Result<W, Stopped> {
        let objects = direction.objects();
        let farthest = waiting.iter().map(|&bidder| direction.retreat_cost(bidder as usize)).max();
        let farthest = farthest.unwrap_or_default().min(reach);
        self.queue.clear();
        self.settled.fill(false);
        for node in 0..self.distance.len() {
            let end = if node < objects {
                direction.exit_cost(node)
            } else {
                direction.retreat_cost(node - objects)
            };
            self.distance[node] = end;
            if end <= farthest {
                self.queue.push(end, index(node));
            }
        }

        let mut left = waiting.len();
        let unreached = unreached.of(left);
        let mut now = W::default();
        for &bidder in waiting {
            self.visits[objects + bidder as usize].sweep = WAITING;
        }
        while left > unreached {
            let Some(node) = self.queue.pop() else {
                now = reach;
                break;
            };
            let node = node as usize;
            if std::mem::replace(&mut self.settled[node], true) {
                continue;
            }
            now = self.queue.now();
            context.counters.scans += 1;
            if node < objects {
                let column = direction.column(node);
                context.counters.arcs += column.len() as u64;
                context.poll.count(column.len())?;
                for edge in column {
                    let bidder = edge.to as usize;
                    let distance = now + direction.cost(bidder, node, edge.score);
                    self.relax(objects + bidder, distance, farthest, || {
                        direction.retreat_cost(bidder) < W::INFINITE
                            && !direction.are_mates(bidder, index(node))
                    });
                }
            } else {
                if self.visits[node].sweep == WAITING {
                    left -= 1;
                }
                let bidder = node - objects;
                for (object, score) in direction.mates(bidder) {
                    context.poll.count(1)?;
                    let distance = now - direction.cost(bidder, object, score);
                    self.relax(object, distance, farthest, || true);
                }
            }
        }
        for &bidder in waiting {
            self.visits[objects + bidder as usize].sweep = 0;
        }
        for node in 0..self.distance.len() {
            let change = self.distance[node].min(now);
            if node >= objects {
                if direction.retreat_cost(node - objects) < W::INFINITE {
                    direction.lower_bidder_price(node - objects, change);
                }
            } else if direction.has_capacity(node) {
                direction.raise_price(node, change);
            }
        }
        Ok(now)
    }

    /// Relaxes a node.
    fn relax(&mut self, node: usize, distance: W, farthest: W, usable: impl FnOnce() -> bool) {
        if distance <= farthest && distance < self.distance[node] && usable() {
            self.distance[node] = distance;
            self.queue.push(distance, index(node));
        }
    }

    /// Augments disjoint paths of cost 0 and returns their number. The set need not be maximal: the search of a bidder
    /// marks the neighbours of a node when it expands the node, also neighbours that are not expanded later.
    fn sweep<D: Direction<W>>(
        &mut self,
        direction: &mut D,
        waiting: &mut Vec<u32>,
        context: &mut SolveContext<'_>,
    ) -> Result<u64, Stopped> {
        if self.sweep == WAITING - 1 {
            self.visits.iter_mut().for_each(|visit| visit.sweep = 0);
            self.sweep = 0;
        }
        self.sweep += 1;
        let mut served = 0;
        for &bidder in waiting.iter() {
            let root = direction.objects() + bidder as usize;
            if let Some(end) = self.find_path(direction, root, context)? {
                served += 1;
                let visits = &self.visits;
                apply_path(direction, end, root, |node| (visits[node].from, visits[node].score));
            }
        }
        waiting.retain(|&bidder| direction.unserved(bidder as usize) > 0);
        Ok(served)
    }

    /// Searches depth-first along edges of cost 0 from a waiting bidder to an end, without the nodes that this sweep
    /// has visited.
    fn find_path<D: Direction<W>>(
        &mut self,
        direction: &D,
        root: usize,
        context: &mut SolveContext<'_>,
    ) -> Result<Option<usize>, Stopped> {
        let nothing = W::default();
        let objects = direction.objects();
        if self.visits[root].sweep == self.sweep {
            return Ok(None);
        }
        self.visits[root] = Visit { from: index(root), score: 0, sweep: self.sweep };
        if direction.retreat_cost(root - objects) == nothing {
            return Ok(Some(root));
        }
        self.stack.clear();
        self.stack.push(index(root));
        while let Some(from) = self.stack.pop() {
            let bidder = from as usize - objects;
            let row = direction.row(bidder);
            context.counters.arcs += row.len() as u64;
            context.poll.count(row.len())?;
            for edge in row {
                let object = edge.to as usize;
                if direction.cost(bidder, object, edge.score) != nothing
                    || self.visits[object].sweep == self.sweep
                    || direction.are_mates(bidder, edge.to)
                {
                    continue;
                }
                self.visits[object] = Visit { from, score: edge.score, sweep: self.sweep };
                if direction.is_open(object) {
                    return Ok(Some(object));
                }
                for (holder, score) in direction.holders(object) {
                    context.poll.count(1)?;
                    let node = objects + holder;
                    if self.visits[node].sweep == self.sweep
                        || direction.cost(holder, object, score) != nothing
                    {
                        continue;
                    }
                    self.visits[node] = Visit { from: edge.to, score, sweep: self.sweep };
                    if direction.retreat_cost(holder) == nothing {
                        return Ok(Some(node));
                    }
                    self.stack.push(index(node));
                }
            }
        }
        Ok(None)
    }
}
