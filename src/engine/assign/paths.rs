//! Shortest alternating paths: from a mentee with an unserved place to the cheapest way of serving it (or of doing
//! without), and from a hole back to the cheapest heir (or to giving the seat up).
//!
//! Dijkstra's method on reduced costs (Edmonds and Karp 1972; Jonker and Volgenant 1987), stopped at the first end, with
//! three savings: ends are looked at as soon as a node is reached, the [queue](super::queue) knows ties, and rows are left as
//! soon as no arc can beat the best end. Mentors are not split into seats: a mentor leads to all whom she serves.

use crate::engine::problem::Stopped;

use super::core::{Core, index};
use super::counters::Work;
use super::market::{ForSeats, serve_along};
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

/// Workspace of the searches. Nodes are the mentors, then the mentees.
#[derive(Debug)]
pub(super) struct Paths<W> {
    labels: Vec<Label<W>>,
    queue: Queue<W>,
    settled: Vec<u32>,
    search: u32,
    best: W,
    end: usize,
    mentors: usize,
}

impl<W: Weight> Paths<W> {
    /// A workspace for a state's nodes.
    pub(super) fn new(state: &State<W>) -> Self {
        let mentors = state.mentors();
        Self {
            labels: vec![Label::default(); mentors + state.mentees()],
            queue: Queue::new(),
            settled: Vec::new(),
            search: 0,
            best: W::FAR,
            end: 0,
            mentors,
        }
    }

    /// Serves the unserved places of the given mentees one by one, until `budget` arcs have been looked at, and gives those
    /// who still wait.
    pub(super) fn serve_each(
        &mut self,
        state: &mut State<W>,
        core: &Core<'_>,
        waiting: &[u32],
        reach: W,
        budget: u64,
        work: &mut Work<'_>,
    ) -> Result<Vec<u32>, Stopped> {
        let mut still_waiting = Vec::new();
        let last = work.counters.arcs.saturating_add(budget);
        for &mentee in waiting {
            while state.unserved(mentee as usize) > 0 {
                if work.counters.arcs > last || !self.serve(state, core, mentee as usize, reach, work)? {
                    still_waiting.push(mentee);
                    break;
                }
            }
        }
        Ok(still_waiting)
    }

    /// Finds the best use for an unserved place of `mentee` and puts it into effect: a seat, or the retreat of the mentee
    /// herself or of another who can be spared more easily. If all of these are farther than `reach`, prices move that far,
    /// the place still waits, and the answer is no.
    fn serve(
        &mut self,
        state: &mut State<W>,
        core: &Core<'_>,
        mentee: usize,
        reach: W,
        work: &mut Work<'_>,
    ) -> Result<bool, Stopped> {
        work.counters.searches += 1;
        let source = self.mentors + mentee;
        let leave = state.leave_cost(mentee);
        self.begin(source, leave.min(reach));
        while let Some(node) = self.next() {
            if node < self.mentors {
                self.relax_holders(state, node, work)?;
            } else {
                let looked_at = self.relax_row(state, core, node - self.mentors);
                work.counters.arcs += looked_at as u64;
                work.pulse.beat(looked_at)?;
            }
        }
        work.counters.scans += self.settled.len() as u64;
        for &node in &self.settled {
            let node = node as usize;
            let change = self.best - self.labels[node].distance;
            if node < self.mentors {
                state.set_price(node, state.price(node) + change);
            } else {
                state.u[node - self.mentors] -= change;
            }
        }
        let found = self.end != source || leave <= reach;
        if found {
            let labels = &self.labels;
            let market = &mut ForSeats { state, core };
            serve_along(market, self.end, source, |node| (labels[node].from, labels[node].score));
        }
        Ok(found)
    }

    /// Finds the best use for all holes of the given mentors one by one, until `budget` arcs have been looked at, and gives
    /// those who still have holes. The core's columns must be indexed.
    pub(super) fn fill_each(
        &mut self,
        state: &mut State<W>,
        core: &Core<'_>,
        holes: &[u32],
        budget: u64,
        work: &mut Work<'_>,
    ) -> Result<Vec<u32>, Stopped> {
        let last = work.counters.arcs.saturating_add(budget);
        let mut left = Vec::new();
        for &mentor in holes {
            while state.holes(mentor as usize) > 0 {
                if work.counters.arcs > last {
                    left.push(mentor);
                    break;
                }
                self.fill_one(state, core, mentor as usize, work)?;
            }
        }
        Ok(left)
    }

    /// Finds the best use for a hole of `mentor` and puts it into effect: an heir, or the loss of a seat here or at
    /// another mentor who can spare one more easily.
    fn fill_one(
        &mut self,
        state: &mut State<W>,
        core: &Core<'_>,
        mentor: usize,
        work: &mut Work<'_>,
    ) -> Result<(), Stopped> {
        work.counters.reverse_searches += 1;
        self.begin(mentor, state.vacate_cost(mentor));
        while let Some(node) = self.next() {
            if node < self.mentors {
                let column = core.column(node);
                work.counters.arcs += column.len() as u64;
                work.pulse.beat(column.len())?;
                self.relax_column(state, core, node);
            } else {
                self.relax_mates(state, node - self.mentors);
            }
        }
        work.counters.scans += self.settled.len() as u64;
        for &node in &self.settled {
            let node = node as usize;
            let change = self.best - self.labels[node].distance;
            if node < self.mentors {
                state.set_price(node, state.price(node) - change);
            } else {
                state.u[node - self.mentors] += change;
            }
        }
        self.fill_along(state, mentor);
        Ok(())
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
    fn relax_row(&mut self, state: &State<W>, core: &Core<'_>, mentee: usize) -> usize {
        let base = self.queue.now() + state.u[mentee];
        let cheapest = base + state.lowest_price();
        let row = core.row(mentee);
        for (looked_at, arc) in row.iter().enumerate() {
            let score = W::from(arc.score);
            if cheapest - score >= self.best {
                return looked_at;
            }
            let mentor = arc.to as usize;
            let distance = base - score + state.price(mentor);
            if distance < self.best && !state.are_mates(mentee, arc.to) {
                self.reach(mentor, distance, self.mentors + mentee, arc.score, state.exit(mentor));
            }
        }
        row.len()
    }

    fn relax_holders(&mut self, state: &State<W>, mentor: usize, work: &mut Work<'_>) -> Result<(), Stopped> {
        let base = self.queue.now() - state.price(mentor);
        for (mentee, score) in state.holders(mentor) {
            work.pulse.beat(1)?;
            let distance = base + W::from(score) - state.u[mentee];
            self.reach(self.mentors + mentee, distance, mentor, score, state.leave_cost(mentee));
        }
        Ok(())
    }

    fn relax_column(&mut self, state: &State<W>, core: &Core<'_>, mentor: usize) {
        let base = self.queue.now() + state.price(mentor);
        for arc in core.column(mentor) {
            let mentee = arc.to as usize;
            let distance = base + state.u[mentee] - W::from(arc.score);
            if distance < self.best && !state.are_mates(mentee, index(mentor)) {
                self.reach(self.mentors + mentee, distance, mentor, arc.score, state.enter_cost(mentee));
            }
        }
    }

    fn relax_mates(&mut self, state: &State<W>, mentee: usize) {
        let base = self.queue.now() - state.u[mentee];
        for place in state.mates(mentee) {
            let mentor = place.mentor as usize;
            let distance = base + W::from(place.score) - state.price(mentor);
            self.reach(mentor, distance, self.mentors + mentee, place.score, state.vacate_cost(mentor));
        }
    }

    /// Passes the mentees along the path that was found, from its end to the mentor whose hole began it.
    fn fill_along(&self, state: &mut State<W>, source: usize) {
        let mut node = self.end;
        if node < self.mentors {
            state.vacate(node);
        } else {
            state.enter(node - self.mentors);
        }
        let mut lost = None;
        while node != source {
            let Label { from, score, .. } = self.labels[node];
            if node < self.mentors {
                lost = Some(node);
            } else {
                let mentee = node - self.mentors;
                if let Some(mentor) = lost {
                    state.detach(mentee, mentor);
                }
                state.attach(mentee, from as usize, score);
            }
            node = from as usize;
        }
        state.fill_hole(source);
    }
}
