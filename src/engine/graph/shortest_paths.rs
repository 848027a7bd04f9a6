//! Labels of a shortest-path search (Dijkstra 1959): the tentative distance of every node, and whether the node is settled.
//!
//! Lengths must not be negative, so the distance of a settled node is final. Memory: a distance and a byte per node, and 4
//! bytes per node that the last search reached. To clear the labels takes time in proportion to the reached nodes alone.
//!
//! Four places of the engine compute shortest paths. [`quota`](crate::engine::quota) and
//! [`what_if`](crate::engine::what_if) use these labels. The other two keep their own, because these labels would cost
//! time: a search of [`assign`](crate::engine::assign) reaches a few hundred nodes of a million and needs a sparse map,
//! and a phase starts from every node at once and never clears its distances. All but `what_if` use the [radix
//! heap](super::RadixHeap). `what_if` settles nodes of equal distance in the order of their positions, so that its
//! answer does not depend on the order of insertion; a radix heap has no such order.

use crate::engine::price_integer::PriceInteger;

/// Distances from the source of a search.
#[derive(Debug)]
pub(in crate::engine) struct Labels<W> {
    distance: Vec<W>,
    settled: Vec<bool>,
    /// Nodes with a distance.
    reached: Vec<u32>,
}

impl<W: PriceInteger> Labels<W> {
    /// Labels of `nodes` nodes, none of which is reached.
    pub(in crate::engine) fn new(nodes: usize) -> Self {
        Self { distance: vec![W::INFINITE; nodes], settled: vec![false; nodes], reached: Vec::new() }
    }

    /// Makes all nodes unreached again.
    pub(in crate::engine) fn clear(&mut self) {
        for node in self.reached.drain(..) {
            self.distance[node as usize] = W::INFINITE;
            self.settled[node as usize] = false;
        }
    }

    /// Stores a distance if it is shorter than the present one, and returns whether it is.
    pub(in crate::engine) fn improve(&mut self, node: u32, distance: W) -> bool {
        let present = &mut self.distance[node as usize];
        if distance >= *present {
            return false;
        }
        if *present == W::INFINITE {
            self.reached.push(node);
        }
        *present = distance;
        true
    }

    /// Settles a node, and returns whether it was not settled before.
    pub(in crate::engine) fn settle(&mut self, node: u32) -> bool {
        !std::mem::replace(&mut self.settled[node as usize], true)
    }

    /// Whether a node is settled.
    pub(in crate::engine) fn is_settled(&self, node: u32) -> bool {
        self.settled[node as usize]
    }

    /// The tentative distance of a node; [`PriceInteger::INFINITE`] if the search has not reached the node.
    pub(in crate::engine) fn distance(&self, node: u32) -> W {
        self.distance[node as usize]
    }

    /// The nodes that the search has reached.
    pub(in crate::engine) fn reached(&self) -> &[u32] {
        &self.reached
    }
}
