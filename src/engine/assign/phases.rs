//! Serves many waiting mentees at once, in phases.
//!
//! A search for each mentee crosses the same ground again and again, and in the endgame that ground is nearly everything.
//! A phase crosses it once: it finds the distance of *every* node to the nearest end (Dijkstra's method from all ends,
//! against the arcs), and shifts all prices by it. Then a shortest path from every waiting mentee costs nothing, and as
//! many of these paths as do not meet are put into effect (Hopcroft and Karp 1973; Gabow and Tarjan 1989; for the
//! assignment problem Balas, Miller, Pekny and Toth 1991). Phases end when few mentees are left: for these
//! [`super::paths`] is cheaper.

use crate::engine::problem::Stopped;

use super::auction;
use super::core::{Core, index};
use super::counters::Work;
use super::market::ForSeats;
use super::paths::serve_along;
use super::queue::Queue;
use super::state::{NONE, State};
use super::weight::Weight;

/// Bids of a pass for each mentee that it serves for good, from which on the next phase serves more.
const PATIENCE: usize = 5;

#[derive(Debug, Clone, Copy)]
struct Step {
    /// The node from which a path came here.
    from: u32,
    /// Score of the pair along which it came.
    score: i32,
    /// The sweep in which it came.
    sweep: u32,
}

/// Workspace of the phases. Nodes are the mentors, then the mentees.
#[derive(Debug)]
pub(super) struct Phases<W> {
    /// Distance of every node to the nearest end.
    distance: Vec<W>,
    settled: Vec<bool>,
    queue: Queue<W>,
    steps: Vec<Step>,
    sweep: u32,
    stack: Vec<u32>,
    mentors: usize,
}

impl<W: Weight> Phases<W> {
    /// A workspace for a state's nodes.
    pub(super) fn new(state: &State<W>) -> Self {
        let nodes = state.mentors() + state.mentees();
        Self {
            distance: vec![W::default(); nodes],
            settled: vec![false; nodes],
            queue: Queue::new(),
            steps: vec![Step { from: NONE, score: 0, sweep: 0 }; nodes],
            sweep: 0,
            stack: Vec::new(),
            mentors: state.mentors(),
        }
    }

    /// Runs one phase, and lets those who wait bid once more at the new prices. The mentees left stay in `waiting`, which must
    /// not name anybody twice; what prices were shifted by is taken from `reach`. The core's columns must be indexed.
    pub(super) fn serve(
        &mut self,
        state: &mut State<W>,
        core: &Core<'_>,
        waiting: &mut Vec<u32>,
        reach: &mut W,
        work: &mut Work<'_>,
    ) -> Result<(), Stopped> {
        work.counters.phases += 1;
        // A search for another may have made one of them do without.
        waiting.retain(|&mentee| state.unserved(mentee as usize) > 0);
        *reach -= self.shift(state, core, waiting, *reach, work)?;
        while self.sweep(state, core, waiting, work)? {}
        state.begin_auction();
        *waiting = auction::run(&mut ForSeats { state, core }, std::mem::take(waiting), PATIENCE, work)?;
        Ok(())
    }

    /// Shifts all prices so that every waiting mentee has a path of no cost to an end, unless her end is farther than
    /// `reach`. Gives the distance by which prices were shifted at most.
    fn shift(
        &mut self,
        state: &mut State<W>,
        core: &Core<'_>,
        waiting: &[u32],
        reach: W,
        work: &mut Work<'_>,
    ) -> Result<W, Stopped> {
        let farthest = waiting.iter().map(|&mentee| state.leave_cost(mentee as usize)).max();
        let farthest = farthest.unwrap_or_default().min(reach);
        self.queue.clear();
        self.settled.fill(false);
        for node in 0..self.distance.len() {
            let end =
                if node < self.mentors { state.exit(node) } else { state.leave_cost(node - self.mentors) };
            self.distance[node] = end;
            if end <= farthest {
                self.queue.push(end, index(node));
            }
        }

        let mut left = waiting.len();
        let mut now = W::default();
        for &mentee in waiting {
            self.steps[self.mentors + mentee as usize].sweep = u32::MAX;
        }
        while left > 0 {
            let Some(node) = self.queue.pop() else {
                now = reach;
                break;
            };
            let node = node as usize;
            if std::mem::replace(&mut self.settled[node], true) {
                continue;
            }
            now = self.queue.now();
            work.counters.scans += 1;
            if node < self.mentors {
                let column = core.column(node);
                work.counters.arcs += column.len() as u64;
                work.pulse.beat(column.len())?;
                let base = now + state.price(node);
                for arc in column {
                    let mentee = arc.to as usize;
                    let distance = base + state.u[mentee] - W::from(arc.score);
                    self.reach(self.mentors + mentee, distance, farthest, || {
                        state.is_eager(mentee, index(node))
                    });
                }
            } else {
                if self.steps[node].sweep == u32::MAX {
                    left -= 1;
                }
                let mentee = node - self.mentors;
                for place in state.mates(mentee) {
                    let mentor = place.mentor as usize;
                    let distance = now - state.cost(mentee, mentor, place.score);
                    self.reach(mentor, distance, farthest, || true);
                }
            }
        }
        for &mentee in waiting {
            self.steps[self.mentors + mentee as usize].sweep = 0;
        }
        for node in 0..self.distance.len() {
            let change = self.distance[node].min(now);
            if node >= self.mentors {
                if state.leave_cost(node - self.mentors) < W::FAR {
                    state.u[node - self.mentors] -= change;
                }
            } else if state.has_seats(node) {
                state.set_price(node, state.price(node) + change);
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

    /// Puts paths of no cost into effect that do not meet, one for each waiting mentee if possible, and says whether there
    /// was any.
    fn sweep(
        &mut self,
        state: &mut State<W>,
        core: &Core<'_>,
        waiting: &mut Vec<u32>,
        work: &mut Work<'_>,
    ) -> Result<bool, Stopped> {
        if self.sweep == u32::MAX - 1 {
            self.steps.iter_mut().for_each(|step| step.sweep = 0);
            self.sweep = 0;
        }
        self.sweep += 1;
        let before = work.counters.searches;
        for &mentee in waiting.iter() {
            let root = self.mentors + mentee as usize;
            if let Some(end) = self.follow(state, core, root, work)? {
                work.counters.searches += 1;
                let steps = &self.steps;
                serve_along(state, end, root, |node| (steps[node].from, steps[node].score));
            }
        }
        waiting.retain(|&mentee| state.unserved(mentee as usize) > 0);
        Ok(work.counters.searches > before && !waiting.is_empty())
    }

    /// Follows arcs of no cost from a waiting mentee to an end, past all that this sweep has seen.
    fn follow(
        &mut self,
        state: &State<W>,
        core: &Core<'_>,
        root: usize,
        work: &mut Work<'_>,
    ) -> Result<Option<usize>, Stopped> {
        let nothing = W::default();
        if self.steps[root].sweep == self.sweep {
            return Ok(None);
        }
        self.steps[root] = Step { from: index(root), score: 0, sweep: self.sweep };
        if state.leave_cost(root - self.mentors) == nothing {
            return Ok(Some(root));
        }
        self.stack.clear();
        self.stack.push(index(root));
        while let Some(from) = self.stack.pop() {
            let mentee = from as usize - self.mentors;
            let row = core.row(mentee);
            work.counters.arcs += row.len() as u64;
            work.pulse.beat(row.len())?;
            for arc in row {
                let mentor = arc.to as usize;
                if state.cost(mentee, mentor, arc.score) != nothing
                    || self.steps[mentor].sweep == self.sweep
                    || state.are_mates(mentee, arc.to)
                {
                    continue;
                }
                self.steps[mentor] = Step { from, score: arc.score, sweep: self.sweep };
                if state.is_open(mentor) {
                    return Ok(Some(mentor));
                }
                for (holder, score) in state.holders(mentor) {
                    work.pulse.beat(1)?;
                    let node = self.mentors + holder;
                    if self.steps[node].sweep == self.sweep || state.cost(holder, mentor, score) != nothing {
                        continue;
                    }
                    self.steps[node] = Step { from: arc.to, score, sweep: self.sweep };
                    if state.leave_cost(holder) == nothing {
                        return Ok(Some(node));
                    }
                    self.stack.push(index(node));
                }
            }
        }
        Ok(None)
    }
}
