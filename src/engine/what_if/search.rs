//! Shortest paths in the residual network from one person or to one person (Dijkstra 1959), stopped as soon as enough is
//! known.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::engine::assign::StopPoll;
use crate::engine::observer::{Observer, Stopped};

use super::residual::Residual;

/// Units of work to settle a node.
const SETTLING: usize = 64;
/// Units of work to reach one.
const REACHING: usize = 8;

/// Which way arcs are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Paths from the source.
    Forward,
    /// Paths to the source.
    Backward,
}

/// Somebody whose distance is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    /// Her node.
    pub(super) node: usize,
    /// Length of the arc that is forced between her and the source.
    pub(super) forced: i128,
}

#[derive(Debug, Clone, Copy)]
struct Label {
    distance: i128,
    /// The neighbour on the way to the source.
    next: u32,
    settled: bool,
}

const UNREACHED: Label = Label { distance: i128::MAX, next: u32::MAX, settled: false };

/// A search.
pub(super) struct Search<'a> {
    residual: &'a Residual<'a>,
    poll: StopPoll<'a>,
    source: usize,
    way: Way,
    labels: Vec<Label>,
    heap: BinaryHeap<Reverse<(i128, u32)>>,
    /// Nodes at this distance or farther are of no use.
    limit: i128,
}

impl<'a> Search<'a> {
    /// A search from or to a node.
    pub(super) fn new(
        residual: &'a Residual<'a>,
        source: usize,
        way: Way,
        observer: &'a dyn Observer,
    ) -> Self {
        let (labels, poll) = (vec![UNREACHED; residual.nodes()], StopPoll::new(observer));
        Self { residual, poll, source, way, labels, heap: BinaryHeap::new(), limit: i128::MAX }
    }

    /// The nodes of the `most` targets that are nearest when the arcs forced to them are counted, nearest first. Targets
    /// that cannot be reached are left out, though there are none where the root can be reached.
    pub(super) fn nearest(&mut self, mut targets: Vec<Target>, most: usize) -> Result<Vec<usize>, Stopped> {
        targets.sort_unstable_by_key(|target| (target.forced, target.node));
        let lone = targets.first().filter(|_| targets.len() == 1).map(|target| target.node);
        let mut forced: Vec<Option<i128>> = vec![None; self.labels.len()];
        for target in &targets {
            forced[target.node] = Some(target.forced);
        }
        // The best found, as a heap whose top is the worst of them.
        let mut best: BinaryHeap<(i128, usize)> = BinaryHeap::new();
        let mut open = targets.iter();
        let mut nearest_open = open.next();
        self.reach(self.source, 0, self.source);
        while most > 0
            && let Some(Reverse((distance, node))) = self.heap.pop()
        {
            let node = node as usize;
            if self.labels[node].settled {
                continue;
            }
            self.poll.count(SETTLING)?;
            while nearest_open.is_some_and(|target| self.labels[target.node].settled) {
                nearest_open = open.next();
            }
            let Some(target) = nearest_open else { break };
            if best.len() == most {
                self.limit = best.peek().map_or(i128::MAX, |worst| worst.0 - target.forced);
            }
            if distance >= self.limit {
                break;
            }
            self.labels[node].settled = true;
            if let Some(forced) = forced[node] {
                best.push((distance + forced, node));
                if best.len() > most {
                    best.pop();
                }
                if lone.is_some() {
                    break;
                }
            }
            self.expand(node, distance)?;
            if let Some(lone) = lone {
                self.limit = self.limit.min(self.labels[lone].distance.saturating_add(1));
            }
        }
        Ok(best.into_sorted_vec().into_iter().map(|(_, node)| node).collect())
    }

    /// The nodes of a shortest path in the direction of its arcs, the source and the node given being its ends.
    pub(super) fn path(&self, node: usize) -> Vec<usize> {
        let mut path = vec![node];
        let mut at = node;
        while at != self.source {
            at = self.labels[at].next as usize;
            path.push(at);
        }
        if self.way == Way::Forward {
            path.reverse();
        }
        path
    }

    fn expand(&mut self, node: usize, distance: i128) -> Result<(), Stopped> {
        let residual = self.residual;
        let forward = self.way == Way::Forward;
        if node == residual.root() {
            for person in 0..residual.root() {
                self.poll.count(REACHING)?;
                let arc = if forward { residual.root_to(person) } else { residual.to_root(person) };
                if let Some(length) = arc {
                    self.reach(person, distance + length, node);
                }
            }
            return Ok(());
        }
        let arc = if forward { residual.to_root(node) } else { residual.root_to(node) };
        if let Some(length) = arc {
            self.reach(residual.root(), distance + length, node);
        }
        let mut poll = self.poll;
        let reach = |to: usize, length: i128| self.reach(to, distance + length, node);
        // Flow goes from a mentee along pairs to be made, and from a mentor along pairs to be ended.
        match (residual.is_mentor(node), forward) {
            (true, true) | (false, false) => residual.matches(node, reach),
            (true, false) => residual.column(node, &mut poll, reach)?,
            (false, true) => residual.row(node, &mut poll, reach)?,
        }
        self.poll = poll;
        Ok(())
    }

    fn reach(&mut self, node: usize, distance: i128, next: usize) {
        let label = &mut self.labels[node];
        if distance < label.distance && distance < self.limit {
            let index = |node| u32::try_from(node).unwrap_or(u32::MAX);
            *label = Label { distance, next: index(next), settled: false };
            self.heap.push(Reverse((distance, index(node))));
        }
    }
}
