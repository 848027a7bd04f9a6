//! Shortest paths in the residual network from one person or to one person (Dijkstra 1959), up to the last target needed.
//!
//! Nodes of equal distance are settled in the order of their positions, so the answer does not depend on the order in
//! which arcs are read. Therefore this search uses a binary heap and not the [radix
//! heap](crate::engine::graph::RadixHeap), which has no order among equal distances. A search for a question is not
//! critical for speed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::engine::assign::{StopPoll, index};
use crate::engine::graph::Labels;
use crate::engine::observer::{Observer, Stopped};

use super::near_arcs::NearArcs;
use super::residual::Residual;

/// Units of work to settle a node.
const SETTLING: usize = 64;
/// Units of work to reach a node.
const REACHING: usize = 8;

/// The direction in which arcs are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchDirection {
    /// Paths from the source.
    Forward,
    /// Paths to the source.
    Backward,
}

/// A node whose distance is needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    /// The node.
    pub(super) node: usize,
    /// Length of the forced arc between the node and the source.
    pub(super) forced: i128,
}

/// A search with its labels.
pub(super) struct ResidualSearch<'a> {
    residual: &'a Residual<'a>,
    /// The nearest arcs of every person, if they are kept.
    near: Option<&'a NearArcs>,
    poll: StopPoll<'a>,
    source: usize,
    direction: SearchDirection,
    labels: Labels<i128>,
    /// The neighbour of every reached node on the way to the source.
    next: Vec<u32>,
    heap: BinaryHeap<Reverse<(i128, u32)>>,
    /// Nodes at this distance or farther cannot change the answer.
    limit: i128,
}

impl<'a> ResidualSearch<'a> {
    /// A search from the node `source`, or to it.
    pub(super) fn new(
        residual: &'a Residual<'a>,
        near: Option<&'a NearArcs>,
        source: usize,
        direction: SearchDirection,
        observer: &'a dyn Observer,
    ) -> Self {
        let (labels, next) = (Labels::new(residual.nodes()), vec![u32::MAX; residual.nodes()]);
        let (poll, heap) = (StopPoll::new(observer), BinaryHeap::new());
        Self { residual, near, poll, source, direction, labels, next, heap, limit: i128::MAX }
    }

    /// Returns the nodes of the `most` nearest targets, nearest first. The distance of a target includes its forced arc.
    /// Unreachable targets are left out; every target is reachable if the root is.
    pub(super) fn nearest(&mut self, mut targets: Vec<Target>, most: usize) -> Result<Vec<usize>, Stopped> {
        targets.sort_unstable_by_key(|target| (target.forced, target.node));
        let lone = targets.first().filter(|_| targets.len() == 1).map(|target| target.node);
        let mut forced: Vec<Option<i128>> = vec![None; self.residual.nodes()];
        for target in &targets {
            forced[target.node] = Some(target.forced);
        }
        // The nearest targets so far, as a heap whose top is the farthest of them.
        let mut best: BinaryHeap<(i128, usize)> = BinaryHeap::new();
        let mut open = targets.iter();
        let mut nearest_open = open.next();
        self.reach(self.source, 0, self.source);
        while most > 0
            && let Some(Reverse((distance, node))) = self.heap.pop()
        {
            if self.labels.is_settled(node) {
                continue;
            }
            self.poll.count(SETTLING)?;
            while nearest_open.is_some_and(|target| self.labels.is_settled(index(target.node))) {
                nearest_open = open.next();
            }
            let Some(target) = nearest_open else { break };
            if best.len() == most {
                self.limit = best.peek().map_or(i128::MAX, |worst| worst.0 - target.forced);
            }
            if distance >= self.limit {
                break;
            }
            self.labels.settle(node);
            let node = node as usize;
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
                self.limit = self.limit.min(self.labels.distance(index(lone)) + 1);
            }
        }
        Ok(best.into_sorted_vec().into_iter().map(|(_, node)| node).collect())
    }

    /// The nodes of a shortest path between the source and `node`, in the direction of its arcs.
    pub(super) fn path(&self, node: usize) -> Vec<usize> {
        let mut path = vec![node];
        let mut at = node;
        while at != self.source {
            at = self.next[at] as usize;
            path.push(at);
        }
        if self.direction == SearchDirection::Forward {
            path.reverse();
        }
        path
    }

    fn expand(&mut self, node: usize, distance: i128) -> Result<(), Stopped> {
        let residual = self.residual;
        let forward = self.direction == SearchDirection::Forward;
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
        let within = self.limit.saturating_sub(distance);
        let near = self.near;
        let mut reach = |to: usize, length: i128| self.reach(to, distance + length, node);
        // An arc that starts a pair leaves a mentee; an arc that ends a pair leaves a mentor.
        match (residual.is_mentor(node), forward) {
            (true, true) | (false, false) => residual.matches(node, reach),
            (is_mentor, _) => {
                let is_listed = near.is_some_and(|near| near.of_node(node).within(within, &mut reach));
                match is_mentor {
                    _ if is_listed => poll.count(REACHING)?,
                    true => residual.column(node, &mut poll, reach)?,
                    false => residual.row(node, &mut poll, reach)?,
                }
            }
        }
        self.poll = poll;
        Ok(())
    }

    fn reach(&mut self, node: usize, distance: i128, next: usize) {
        if distance < self.limit && self.labels.improve(index(node), distance) {
            self.next[node] = index(next);
            self.heap.push(Reverse((distance, index(node))));
        }
    }
}
