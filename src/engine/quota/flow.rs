//! Minimum-cost flow on a sparse network, from a flow that satisfies complementary slackness and is unbalanced.
//!
//! Every node `v` has a price `pi(v)`. Invariant: each arc from `v` to `w` with residual capacity has a reduced cost
//! `cost + pi(v) - pi(w) >= 0`. What is missing is balance: a node may have an excess or a deficit. A round of the
//! primal-dual algorithm (Ahuja, Magnanti and Orlin, *Network Flows*, 1993, sections 9.7 and 9.8) finds the shortest
//! distance from an excess to a deficit (Dijkstra), lowers the prices of the nearer nodes so that shortest paths have
//! reduced cost 0, and augments along arcs of reduced cost 0 by depth-first search. When all nodes are balanced, the
//! flow is optimal.
//!
//! A round takes O(arcs + nodes log(range of distances)). Every path reduces an excess, so the number of paths is at
//! most the imbalance at the start plus the imbalance that admitted pairs add.

use crate::engine::assign::{SolveContext, StopPoll, index};
use crate::engine::graph::{Csr, Labels, RadixHeap};
use crate::engine::observer::Stopped;
use crate::engine::price_integer::PriceInteger;

/// No arc.
const NONE: u32 = u32::MAX;

/// One direction of an arc. The two directions of an arc are neighbours in memory. A direction with residual capacity
/// (`room`) is in the list of its tail.
#[derive(Debug, Clone, Copy)]
struct HalfArc<W> {
    to: u32,
    room: u32,
    next: u32,
    before: u32,
    cost: W,
}

/// Why a solve fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlowError {
    /// The observer stopped the operation.
    Stopped,
    /// A price exceeds the range of the integer type.
    TooNarrow,
}

impl From<Stopped> for FlowError {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

/// A network with a flow and prices.
#[derive(Debug)]
pub(super) struct Flow<W> {
    /// Head of each node's list of directions with residual capacity.
    first: Vec<u32>,
    halves: Vec<HalfArc<W>>,
    /// Prices of nodes.
    pub(super) pi: Vec<W>,
    excess: Vec<i64>,
    search: FlowSearch<W>,
}

/// Workspace of the searches.
#[derive(Debug)]
struct FlowSearch<W> {
    labels: Labels<W>,
    queue: RadixHeap<W>,
    /// Smallest tentative distance of a node with a deficit. Nodes farther away are ignored.
    nearest: W,
    next: Vec<u32>,
    on_path: Vec<bool>,
    path: Vec<u32>,
}

/// How [`Flow::balance`] ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FlowStatus {
    /// Every node is balanced.
    Balanced,
    /// No node with a deficit is reachable from a node with an excess.
    Stuck,
}

impl<W: PriceInteger> Flow<W> {
    /// A network without arcs, whose nodes have these prices.
    pub(super) fn new(pi: Vec<W>) -> Self {
        let nodes = pi.len();
        Self {
            first: vec![NONE; nodes],
            halves: Vec::new(),
            pi,
            excess: vec![0; nodes],
            search: FlowSearch {
                labels: Labels::new(nodes),
                queue: RadixHeap::new(),
                nearest: W::INFINITE,
                next: vec![NONE; nodes],
                on_path: vec![false; nodes],
                path: Vec::new(),
            },
        }
    }

    /// Adds an arc whose flow may grow by `more` and shrink by `less`, and returns its number.
    pub(super) fn add(&mut self, ends: (u32, u32), cost: W, more: u32, less: u32) -> usize {
        let (from, to) = ends;
        let half = self.halves.len();
        self.halves.push(HalfArc { to, room: 0, next: NONE, before: NONE, cost });
        self.halves.push(HalfArc { to: from, room: 0, next: NONE, before: NONE, cost: -cost });
        self.widen(index(half), more);
        self.widen(index(half + 1), less);
        half / 2
    }

    /// Amount by which the flow of an arc may shrink.
    pub(super) fn used(&self, arc: usize) -> u32 {
        self.halves[2 * arc + 1].room
    }

    /// Adds `amount` to the balance of the node `excess` and subtracts it from the balance of the node `deficit`.
    pub(super) fn shift_balance(&mut self, excess: u32, deficit: u32, amount: u32) {
        self.excess[excess as usize] += i64::from(amount);
        self.excess[deficit as usize] -= i64::from(amount);
    }

    /// Raises the price of a node, and saturates those of its `arcs` whose reduced cost becomes negative.
    pub(super) fn raise(&mut self, node: u32, by: W, arcs: &[usize]) {
        self.pi[node as usize] += by;
        for half in arcs.iter().flat_map(|&arc| [index(2 * arc), index(2 * arc + 1)]) {
            let (HalfArc { to, room, .. }, from) = (self.halves[half as usize], self.tail(half));
            if room > 0 && to == node && self.reduced(from, half) < W::default() {
                self.push(half, room);
                self.shift_balance(node, from, room);
            }
        }
    }

    fn tail(&self, half: u32) -> u32 {
        self.halves[(half ^ 1) as usize].to
    }

    fn reduced(&self, from: u32, half: u32) -> W {
        let HalfArc { to, cost, .. } = self.halves[half as usize];
        cost + self.pi[from as usize] - self.pi[to as usize]
    }

    fn push(&mut self, half: u32, amount: u32) {
        self.narrow(half, amount);
        self.widen(half ^ 1, amount);
    }

    fn widen(&mut self, half: u32, by: u32) {
        let from = self.tail(half) as usize;
        let room = self.halves[half as usize].room;
        self.halves[half as usize].room = room + by;
        if room == 0 && by > 0 {
            let next = std::mem::replace(&mut self.first[from], half);
            if next != NONE {
                self.halves[next as usize].before = half;
            }
            self.halves[half as usize].next = next;
            self.halves[half as usize].before = NONE;
        }
    }

    fn narrow(&mut self, half: u32, by: u32) {
        let HalfArc { room, next, before, .. } = self.halves[half as usize];
        self.halves[half as usize].room = room - by;
        if room == by && by > 0 {
            if next != NONE {
                self.halves[next as usize].before = before;
            }
            if before == NONE {
                let from = self.tail(half) as usize;
                self.first[from] = next;
            } else {
                self.halves[before as usize].next = next;
            }
        }
    }

    /// Sends excesses to deficits until all nodes are balanced or no deficit is reachable.
    pub(super) fn balance(&mut self, context: &mut SolveContext<'_>) -> Result<FlowStatus, FlowError> {
        for source in self.sources() {
            while self.excess[source as usize] > 0 {
                context.counters.phases += 1;
                let Some(distance) = self.shortest_distance(&[source], context)? else { break };
                self.lower_prices(distance)?;
                self.augment(source, context)?;
            }
        }
        let stuck = self.sources();
        if stuck.is_empty() {
            return Ok(FlowStatus::Balanced);
        }
        self.shortest_distance(&stuck, context)?;
        Ok(FlowStatus::Stuck)
    }

    fn sources(&self) -> Vec<u32> {
        (0_u32..).zip(&self.excess).filter(|(_, excess)| **excess > 0).map(|(node, _)| node).collect()
    }

    /// The arcs with residual capacity, by tail, or by head if `backwards`.
    pub(super) fn residual_graph(
        &self,
        backwards: bool,
        poll: &mut StopPoll<'_>,
    ) -> Result<ResidualGraph, Stopped> {
        let mut arcs = Vec::new();
        for half in 0..index(self.halves.len()) {
            poll.count(1)?;
            arcs.extend(self.ends(half, backwards));
        }
        let parts = std::iter::once(((), arcs.as_slice()));
        let place = |(), &(here, there): &(u32, u32)| (here as usize, there);
        Ok(ResidualGraph(Csr::group(self.first.len(), 0, parts, place, poll.observer())?))
    }

    /// Tail and head of a direction with residual capacity; exchanged if `backwards`.
    fn ends(&self, half: u32, backwards: bool) -> Option<(u32, u32)> {
        let HalfArc { to, room, .. } = self.halves[half as usize];
        let from = self.tail(half);
        (room > 0).then_some(if backwards { (to, from) } else { (from, to) })
    }

    /// Whether every node is balanced.
    pub(super) fn is_balanced(&self) -> bool {
        self.excess.iter().all(|&excess| excess == 0)
    }

    /// Whether the last search settled a node.
    pub(super) fn was_settled(&self, node: u32) -> bool {
        self.search.labels.is_settled(node)
    }

    /// The nodes with an excess, and the nodes with a deficit.
    pub(super) fn unbalanced(&self) -> (Vec<u32>, Vec<u32>) {
        let nodes = || (0_u32..).zip(self.excess.iter().copied());
        (
            nodes().filter(|(_, excess)| *excess > 0).map(|(node, _)| node).collect(),
            nodes().filter(|(_, excess)| *excess < 0).map(|(node, _)| node).collect(),
        )
    }

    /// Dijkstra's algorithm from all sources at once, up to the nearest node with a deficit. Returns the distance of that node.
    fn shortest_distance(
        &mut self,
        sources: &[u32],
        context: &mut SolveContext<'_>,
    ) -> Result<Option<W>, FlowError> {
        let mut search = std::mem::replace(&mut self.search, FlowSearch::empty());
        search.clear();
        for &source in sources {
            search.reach(source, W::default());
        }
        let mut found = None;
        while let Some(node) = search.queue.pop() {
            if !search.labels.settle(node) {
                continue;
            }
            let distance = search.queue.now();
            if self.excess[node as usize] < 0 {
                found = Some(distance);
                break;
            }
            let mut at = self.first[node as usize];
            let price = self.pi[node as usize];
            let mut scanned = 0;
            while at != NONE {
                let HalfArc { to, next, cost, .. } = self.halves[at as usize];
                scanned += 1;
                if !search.labels.is_settled(to) {
                    let distance = distance + cost + price - self.pi[to as usize];
                    if self.excess[to as usize] < 0 {
                        search.nearest = search.nearest.min(distance);
                    }
                    search.reach(to, distance);
                }
                at = next;
            }
            context.count_scan(scanned)?;
        }
        self.search = search;
        Ok(found)
    }

    /// Lowers the prices of all settled nodes so that shortest paths of length `distance` have reduced cost 0.
    fn lower_prices(&mut self, distance: W) -> Result<(), FlowError> {
        let labels = &self.search.labels;
        for &node in labels.reached().iter().filter(|node| labels.is_settled(**node)) {
            let price = &mut self.pi[node as usize];
            *price += labels.distance(node) - distance;
            if *price < -W::MAX_PRICE {
                return Err(FlowError::TooNarrow);
            }
        }
        Ok(())
    }

    /// Augments from a source along arcs of reduced cost 0 between settled nodes, until no path is left.
    fn augment(&mut self, source: u32, context: &mut SolveContext<'_>) -> Result<(), FlowError> {
        let mut search = std::mem::replace(&mut self.search, FlowSearch::empty());
        for &node in search.labels.reached() {
            search.next[node as usize] = self.first[node as usize];
        }
        while self.excess[source as usize] > 0 && self.augment_once(source, &mut search, context)? {}
        self.search = search;
        Ok(())
    }

    /// Finds one path to a node with a deficit by depth-first search, and saturates the path. The search does not visit
    /// a node again from which it found no path.
    fn augment_once(
        &mut self,
        source: u32,
        search: &mut FlowSearch<W>,
        context: &mut SolveContext<'_>,
    ) -> Result<bool, FlowError> {
        let FlowSearch { labels, next, on_path, path, .. } = search;
        path.clear();
        let mut node = source;
        on_path[node as usize] = true;
        context.counters.scans += 1;
        loop {
            if self.excess[node as usize] < 0 {
                break;
            }
            let at = next[node as usize];
            context.counters.arcs += 1;
            context.poll.count(1)?;
            if at == NONE {
                // No path from here: return to the previous node.
                on_path[node as usize] = false;
                let Some(last) = path.pop() else { return Ok(false) };
                node = self.tail(last);
                next[node as usize] = self.halves[last as usize].next;
                continue;
            }
            let HalfArc { to, next: after, room, .. } = self.halves[at as usize];
            if room > 0
                && labels.is_settled(to)
                && !on_path[to as usize]
                && self.reduced(node, at) == W::default()
            {
                path.push(at);
                on_path[to as usize] = true;
                node = to;
            } else {
                next[node as usize] = after;
            }
        }
        let ends = self.excess[source as usize].min(-self.excess[node as usize]);
        let capacity = path.iter().map(|&half| self.halves[half as usize].room).min().unwrap_or(0);
        let amount = u32::try_from(ends).unwrap_or(u32::MAX).min(capacity);
        on_path[source as usize] = false;
        for &half in &*path {
            on_path[self.halves[half as usize].to as usize] = false;
            self.push(half, amount);
        }
        self.shift_balance(node, source, amount);
        Ok(true)
    }
}

/// The arcs with residual capacity, by node.
pub(super) struct ResidualGraph(Csr<u32>);

impl ResidualGraph {
    /// Marks the nodes that are reachable from a node.
    pub(super) fn reach(&self, start: u32, poll: &mut StopPoll<'_>) -> Result<Vec<bool>, Stopped> {
        let mut reached = vec![false; self.0.len()];
        let mut stack = vec![start];
        reached[start as usize] = true;
        while let Some(node) = stack.pop() {
            let ends = self.0.row(node as usize);
            poll.count(ends.len())?;
            for &to in ends {
                if !std::mem::replace(&mut reached[to as usize], true) {
                    stack.push(to);
                }
            }
        }
        Ok(reached)
    }
}

impl<W: PriceInteger> FlowSearch<W> {
    /// A placeholder while the workspace is borrowed.
    fn empty() -> Self {
        Self {
            labels: Labels::new(0),
            queue: RadixHeap::new(),
            nearest: W::INFINITE,
            next: Vec::new(),
            on_path: Vec::new(),
            path: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.labels.clear();
        self.queue.clear();
        self.nearest = W::INFINITE;
    }

    fn reach(&mut self, node: u32, distance: W) {
        if distance <= self.nearest && self.labels.improve(node, distance) {
            self.queue.push(distance, node);
        }
    }
}
