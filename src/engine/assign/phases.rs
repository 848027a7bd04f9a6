//! Serves many at once who wait, in phases: mentees with unserved places, or mentors with vacancies.
//!
//! A search for each of them crosses the same ground again and again, and in the endgame that ground is nearly everything.
//! A phase crosses it once: it finds the distance of *every* node to the nearest end (Dijkstra's method from all ends,
//! against the edges), and shifts all prices by it. Then a shortest path from everyone who waits costs nothing, and as
//! many of these paths as do not meet are put into effect (Hopcroft and Karp 1973; Gabow and Tarjan 1989; for the
//! assignment problem Balas, Miller, Pekny and Toth 1991). Phases end when few are left: for these [`super::augment`] is
//! cheaper.

use crate::engine::observer::Stopped;

use super::auction::{self, Patience};
use super::context::SolveContext;
use super::core::index;
use super::direction::{Direction, augment};
use super::price_integer::PriceInteger;
use super::primal_dual_state::NONE;
use super::queue::Queue;

/// When more than passes of the auction is called for: from more bids on for each one that a pass serves for good.
pub(super) const PATIENCE: Patience = Patience { bids: 5, passes: 1 };

/// A share of those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Nobody.
    None,
    /// Every other one.
    Half,
}

impl Share {
    fn of(self, all: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Half => all / 2,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Step {
    /// The node from which a path came here.
    from: u32,
    /// Score of the pair along which it came.
    score: i32,
    /// The sweep in which it came.
    sweep: u32,
}

/// Workspace of the phases. Nodes are those who are bid for, then the bidders.
#[derive(Debug)]
pub(super) struct Phases<W> {
    /// Distance of every node to the nearest end.
    distance: Vec<W>,
    settled: Vec<bool>,
    queue: Queue<W>,
    steps: Vec<Step>,
    sweep: u32,
    stack: Vec<u32>,
}

impl<W: PriceInteger> Phases<W> {
    /// A workspace that takes its room with the first phase.
    pub(super) fn new() -> Self {
        Self {
            distance: Vec::new(),
            settled: Vec::new(),
            queue: Queue::new(),
            steps: Vec::new(),
            sweep: 0,
            stack: Vec::new(),
        }
    }

    /// Runs one phase for the bidders who wait, and lets them bid once more at the new prices. Those left stay in `waiting`,
    /// which must not name anybody twice; what prices were shifted by is taken from `reach`. A share `unreached` of them, the
    /// farthest, may be left to the next phase. The core's columns must be indexed. Gives the number of paths put into effect.
    pub(super) fn serve<D: Direction<W>>(
        &mut self,
        direction: &mut D,
        waiting: &mut Vec<u32>,
        reach: &mut W,
        unreached: Share,
        context: &mut SolveContext<'_>,
    ) -> Result<u64, Stopped> {
        context.counters.phases += 1;
        let nodes = direction.objects() + direction.bidders();
        self.distance.resize(nodes, W::default());
        self.settled.resize(nodes, false);
        self.steps.resize(nodes, Step { from: NONE, score: 0, sweep: 0 });
        // A search for another may have made one of them do without.
        waiting.retain(|&bidder| direction.unserved(bidder as usize) > 0);
        *reach -= self.shift(direction, waiting, *reach, unreached, context)?;
        let mut served = 0;
        loop {
            let by_sweep = self.sweep(direction, waiting, context)?;
            served += by_sweep;
            if by_sweep == 0 || waiting.is_empty() {
                break;
            }
        }
        *waiting = auction::run(direction, std::mem::take(waiting), PATIENCE, context)?;
        Ok(served)
    }

    /// Shifts all prices so that everyone who waits has a path of no cost to an end, unless her end is farther than
    /// `reach`, or she is one of the farthest who are left out. Gives the distance by which prices were shifted at most.
    fn shift<D: Direction<W>>(
        &mut self,
        direction: &mut D,
        waiting: &[u32],
        reach: W,
        unreached: Share,
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
            self.steps[objects + bidder as usize].sweep = u32::MAX;
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
                    self.reach(objects + bidder, distance, farthest, || {
                        direction.retreat_cost(bidder) < W::INFINITE
                            && !direction.are_mates(bidder, index(node))
                    });
                }
            } else {
                if self.steps[node].sweep == u32::MAX {
                    left -= 1;
                }
                let bidder = node - objects;
                for (object, score) in direction.mates(bidder) {
                    context.poll.count(1)?;
                    let distance = now - direction.cost(bidder, object, score);
                    self.reach(object, distance, farthest, || true);
                }
            }
        }
        for &bidder in waiting {
            self.steps[objects + bidder as usize].sweep = 0;
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

    fn reach(&mut self, node: usize, distance: W, farthest: W, usable: impl FnOnce() -> bool) {
        if distance <= farthest && distance < self.distance[node] && usable() {
            self.distance[node] = distance;
            self.queue.push(distance, index(node));
        }
    }

    /// Puts paths of no cost into effect that do not meet, one for each bidder who waits if possible, and gives their
    /// number.
    fn sweep<D: Direction<W>>(
        &mut self,
        direction: &mut D,
        waiting: &mut Vec<u32>,
        context: &mut SolveContext<'_>,
    ) -> Result<u64, Stopped> {
        if self.sweep == u32::MAX - 1 {
            self.steps.iter_mut().for_each(|step| step.sweep = 0);
            self.sweep = 0;
        }
        self.sweep += 1;
        let mut served = 0;
        for &bidder in waiting.iter() {
            let root = direction.objects() + bidder as usize;
            if let Some(end) = self.find_path(direction, root, context)? {
                served += 1;
                let steps = &self.steps;
                augment(direction, end, root, |node| (steps[node].from, steps[node].score));
            }
        }
        waiting.retain(|&bidder| direction.unserved(bidder as usize) > 0);
        Ok(served)
    }

    /// Follows edges of no cost from a bidder who waits to an end, past all that this sweep has seen.
    fn find_path<D: Direction<W>>(
        &mut self,
        direction: &D,
        root: usize,
        context: &mut SolveContext<'_>,
    ) -> Result<Option<usize>, Stopped> {
        let nothing = W::default();
        let objects = direction.objects();
        if self.steps[root].sweep == self.sweep {
            return Ok(None);
        }
        self.steps[root] = Step { from: index(root), score: 0, sweep: self.sweep };
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
                    || self.steps[object].sweep == self.sweep
                    || direction.are_mates(bidder, edge.to)
                {
                    continue;
                }
                self.steps[object] = Step { from, score: edge.score, sweep: self.sweep };
                if direction.is_open(object) {
                    return Ok(Some(object));
                }
                for (holder, score) in direction.holders(object) {
                    context.poll.count(1)?;
                    let node = objects + holder;
                    if self.steps[node].sweep == self.sweep
                        || direction.cost(holder, object, score) != nothing
                    {
                        continue;
                    }
                    self.steps[node] = Step { from: edge.to, score, sweep: self.sweep };
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
