//! A flow of least cost on a sparse network, from any flow whose prices hold but which does not balance.
//!
//! Every node has a price `pi`; an arc from `v` to `w` with room left has a reduced cost `cost + pi(v) - pi(w) >= 0`. That is
//! complementary slackness, and it holds at all times. What is missing is balance: nodes may have an excess, or owe. A round
//! of the primal-dual algorithm (Ahuja, Magnanti and Orlin, *Network Flows*, 1993, sections 9.7 and 9.8) finds the nodes
//! within the shortest distance from an excess to a node that owes (Dijkstra), lowers their prices so that shortest paths
//! cost nothing, and sends along them as much as a depth-first search finds. When all nodes balance, the flow is a best one.

use crate::engine::assign::price_integer::PriceInteger;
use crate::engine::assign::queue::Queue;
use crate::engine::assign::{SolveContext, StopPoll, index};
use crate::engine::observer::Stopped;

/// No arc.
const NONE: u32 = u32::MAX;

/// One direction of an arc. The two directions are neighbours in memory. While it has room, it is in its node's list.
#[derive(Debug, Clone, Copy)]
struct Half<W> {
    to: u32,
    room: u32,
    next: u32,
    before: u32,
    cost: W,
}

/// Why a solver gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The observer asked it to stop.
    Stopped,
    /// Prices leave the integers in which it counts.
    TooNarrow,
}

impl From<Stopped> for Failure {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

/// A network with a flow and prices.
#[derive(Debug)]
pub(super) struct Flow<W> {
    /// The first in a node's list of halves that have room.
    first: Vec<u32>,
    halves: Vec<Half<W>>,
    /// Prices of nodes.
    pub(super) pi: Vec<W>,
    excess: Vec<i64>,
    search: Search<W>,
}

/// What searches remember of nodes.
#[derive(Debug)]
struct Search<W> {
    distance: Vec<W>,
    settled: Vec<bool>,
    /// Nodes with a distance.
    touched: Vec<u32>,
    queue: Queue<W>,
    /// Distance of the nearest node that owes, as far as is known: nobody farther matters.
    nearest: W,
    next: Vec<u32>,
    on_path: Vec<bool>,
    path: Vec<u32>,
}

/// How a round of serving ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Served {
    /// Every node balances.
    All,
    /// From the nodes with an excess no node that owes can be reached.
    Stuck,
}

impl<W: PriceInteger> Flow<W> {
    /// A network of nodes with these prices, and without arcs.
    pub(super) fn new(pi: Vec<W>) -> Self {
        let nodes = pi.len();
        Self {
            first: vec![NONE; nodes],
            halves: Vec::new(),
            pi,
            excess: vec![0; nodes],
            search: Search {
                distance: vec![W::INFINITE; nodes],
                settled: vec![false; nodes],
                touched: Vec::new(),
                queue: Queue::new(),
                nearest: W::INFINITE,
                next: vec![NONE; nodes],
                on_path: vec![false; nodes],
                path: Vec::new(),
            },
        }
    }

    /// Adds an arc whose flow may still grow by `more` and shrink by `less`, and returns its number.
    pub(super) fn add(&mut self, ends: (u32, u32), cost: W, more: u32, less: u32) -> usize {
        let (from, to) = ends;
        let half = self.halves.len();
        self.halves.push(Half { to, room: 0, next: NONE, before: NONE, cost });
        self.halves.push(Half { to: from, room: 0, next: NONE, before: NONE, cost: -cost });
        self.widen(index(half), more);
        self.widen(index(half + 1), less);
        half / 2
    }

    /// By how much the flow of an arc may shrink.
    pub(super) fn less(&self, arc: usize) -> u32 {
        self.halves[2 * arc + 1].room
    }

    /// Makes `amount` appear at one node and be owed by another.
    pub(super) fn owe(&mut self, excess: u32, owing: u32, amount: u32) {
        self.excess[excess as usize] += i64::from(amount);
        self.excess[owing as usize] -= i64::from(amount);
    }

    /// Raises a node's price, and sends what then pays at once along its `arcs`.
    pub(super) fn raise(&mut self, node: u32, by: W, arcs: &[usize]) {
        self.pi[node as usize] += by;
        for half in arcs.iter().flat_map(|&arc| [index(2 * arc), index(2 * arc + 1)]) {
            let (Half { to, room, .. }, from) = (self.halves[half as usize], self.tail(half));
            if room > 0 && to == node && self.reduced(from, half) < W::default() {
                self.push(half, room);
                self.owe(node, from, room);
            }
        }
    }

    fn tail(&self, half: u32) -> u32 {
        self.halves[(half ^ 1) as usize].to
    }

    fn reduced(&self, from: u32, half: u32) -> W {
        let Half { to, cost, .. } = self.halves[half as usize];
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
        let Half { room, next, before, .. } = self.halves[half as usize];
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

    /// Sends excesses to nodes that owe until all balance or none can be reached.
    pub(super) fn serve(&mut self, context: &mut SolveContext<'_>) -> Result<Served, Failure> {
        for source in self.sources() {
            while self.excess[source as usize] > 0 {
                context.counters.phases += 1;
                let Some(distance) = self.nearest(&[source], context)? else { break };
                self.lower(distance)?;
                self.send(source, context)?;
            }
        }
        let stuck = self.sources();
        if stuck.is_empty() {
            return Ok(Served::All);
        }
        self.nearest(&stuck, context)?;
        Ok(Served::Stuck)
    }

    fn sources(&self) -> Vec<u32> {
        (0_u32..).zip(&self.excess).filter(|(_, excess)| **excess > 0).map(|(node, _)| node).collect()
    }

    /// Where room leads from every node, or, backwards, from where it leads there.
    pub(super) fn ways(&self, backwards: bool, poll: &mut StopPoll<'_>) -> Result<Ways, Stopped> {
        let nodes = self.first.len();
        let mut starts = vec![0; nodes + 1];
        for half in 0..index(self.halves.len()) {
            poll.count(1)?;
            if let Some((here, _)) = self.way(half, backwards) {
                starts[here as usize + 1] += 1;
            }
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut ends = vec![0; starts[nodes]];
        for half in 0..index(self.halves.len()) {
            poll.count(1)?;
            if let Some((here, there)) = self.way(half, backwards) {
                ends[next[here as usize]] = there;
                next[here as usize] += 1;
            }
        }
        Ok(Ways { starts, ends })
    }

    /// The nodes between which a half leads, if it has room.
    fn way(&self, half: u32, backwards: bool) -> Option<(u32, u32)> {
        let Half { to, room, .. } = self.halves[half as usize];
        let from = self.tail(half);
        (room > 0).then_some(if backwards { (to, from) } else { (from, to) })
    }

    /// Whether every node balances.
    pub(super) fn is_balanced(&self) -> bool {
        self.excess.iter().all(|&excess| excess == 0)
    }

    /// Whether the last search came to a node before it found none that owes.
    pub(super) fn was_reached(&self, node: u32) -> bool {
        self.search.settled[node as usize]
    }

    /// Nodes that do not balance: with an excess, and owing.
    pub(super) fn unbalanced(&self) -> (Vec<u32>, Vec<u32>) {
        let nodes = || (0_u32..).zip(self.excess.iter().copied());
        (
            nodes().filter(|(_, excess)| *excess > 0).map(|(node, _)| node).collect(),
            nodes().filter(|(_, excess)| *excess < 0).map(|(node, _)| node).collect(),
        )
    }

    /// Dijkstra's algorithm from all sources at once, up to the nearest node that owes. Returns its distance.
    fn nearest(&mut self, sources: &[u32], context: &mut SolveContext<'_>) -> Result<Option<W>, Failure> {
        let mut search = std::mem::replace(&mut self.search, Search::nothing());
        search.clear();
        for &source in sources {
            search.see(source, W::default());
        }
        let mut found = None;
        while let Some(node) = search.queue.pop() {
            if std::mem::replace(&mut search.settled[node as usize], true) {
                continue;
            }
            let distance = search.queue.now();
            if self.excess[node as usize] < 0 {
                found = Some(distance);
                break;
            }
            let mut at = self.first[node as usize];
            let price = self.pi[node as usize];
            let mut looked = 0;
            while at != NONE {
                let Half { to, next, cost, .. } = self.halves[at as usize];
                looked += 1;
                if !search.settled[to as usize] {
                    let distance = distance + cost + price - self.pi[to as usize];
                    if self.excess[to as usize] < 0 {
                        search.nearest = search.nearest.min(distance);
                    }
                    search.see(to, distance);
                }
                at = next;
            }
            context.count_scan(looked)?;
        }
        self.search = search;
        Ok(found)
    }

    /// Lowers the prices of all nodes nearer than `distance`, so that what leads on to it costs nothing.
    fn lower(&mut self, distance: W) -> Result<(), Failure> {
        let Search { distance: distances, settled, touched, .. } = &self.search;
        for &node in touched {
            if settled[node as usize] {
                let price = &mut self.pi[node as usize];
                *price += distances[node as usize] - distance;
                if *price < -W::MAX_PRICE {
                    return Err(Failure::TooNarrow);
                }
            }
        }
        Ok(())
    }

    /// Sends what it can along arcs that cost nothing, among the nodes that the search has settled.
    fn send(&mut self, source: u32, context: &mut SolveContext<'_>) -> Result<(), Failure> {
        let mut search = std::mem::replace(&mut self.search, Search::nothing());
        for &node in &search.touched {
            search.next[node as usize] = self.first[node as usize];
        }
        while self.excess[source as usize] > 0 && self.find_path(source, &mut search, context)? {}
        self.search = search;
        Ok(())
    }

    /// Finds one path to a node that owes and sends along it what it holds. A node that was left without finding one is not
    /// entered again.
    fn find_path(
        &mut self,
        source: u32,
        search: &mut Search<W>,
        context: &mut SolveContext<'_>,
    ) -> Result<bool, Failure> {
        let Search { next, on_path, path, settled, .. } = search;
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
                // A dead end: back to the node before.
                on_path[node as usize] = false;
                let Some(last) = path.pop() else { return Ok(false) };
                node = self.tail(last);
                next[node as usize] = self.halves[last as usize].next;
                continue;
            }
            let Half { to, next: after, room, .. } = self.halves[at as usize];
            if room > 0
                && settled[to as usize]
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
        let holds = path.iter().map(|&half| self.halves[half as usize].room).min().unwrap_or(0);
        let amount = u32::try_from(ends).unwrap_or(u32::MAX).min(holds);
        on_path[source as usize] = false;
        for &half in &*path {
            on_path[self.halves[half as usize].to as usize] = false;
            self.push(half, amount);
        }
        self.owe(node, source, amount);
        Ok(true)
    }
}

/// Where room leads, node by node.
pub(super) struct Ways {
    starts: Vec<usize>,
    ends: Vec<u32>,
}

impl Ways {
    /// The nodes that can be reached from one of them.
    pub(super) fn reach(&self, start: u32, poll: &mut StopPoll<'_>) -> Result<Vec<bool>, Stopped> {
        let mut reached = vec![false; self.starts.len() - 1];
        let mut stack = vec![start];
        reached[start as usize] = true;
        while let Some(node) = stack.pop() {
            let ends = &self.ends[self.starts[node as usize]..self.starts[node as usize + 1]];
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

impl<W: PriceInteger> Search<W> {
    /// Stands in while the real one is in use.
    fn nothing() -> Self {
        Self {
            distance: Vec::new(),
            settled: Vec::new(),
            touched: Vec::new(),
            queue: Queue::new(),
            nearest: W::INFINITE,
            next: Vec::new(),
            on_path: Vec::new(),
            path: Vec::new(),
        }
    }

    fn clear(&mut self) {
        for node in self.touched.drain(..) {
            self.distance[node as usize] = W::INFINITE;
            self.settled[node as usize] = false;
        }
        self.queue.clear();
        self.nearest = W::INFINITE;
    }

    fn see(&mut self, node: u32, distance: W) {
        let known = &mut self.distance[node as usize];
        if distance < *known && distance <= self.nearest {
            if *known == W::INFINITE {
                self.touched.push(node);
            }
            *known = distance;
            self.queue.push(distance, node);
        }
    }
}
