//! Shortest alternating paths, from whoever waits to the nearest end: from a mentee with an unserved place to the cheapest
//! way of serving it (or of doing without), or from a mentor's hole back to the cheapest heir (or to giving the seat up).
//! Each is found by a [`search`](super::search) and put into effect before the next.
//!
//! In large problems searches are made by groups: all of a group see the same prices, in parallel, and what they have found
//! is then put into effect one after the other, as far as they do not meet. By a search, prices of those bid for only rise
//! and prices of bidders only fall. So a path that leaves what one search has settled costs no less after another search,
//! and what the first has found still holds, unless both have settled, or end at, the same node: then the later one is made
//! again. How many are made together follows from how many met, and never from the number of threads.

use rayon::prelude::*;

use crate::engine::pool::Gatherings;
use crate::engine::problem::Stopped;

use super::counters::Work;
use super::market::Market;
use super::reached::Reached;
use super::search::{Found, Search};
use super::state::State;
use super::weight::Weight;

/// Most searches made together, and the number from which on they are.
const MOST: usize = 256;
const LEAST: usize = 32;
/// Searches per task.
const CHUNK: usize = 16;
/// Arcs that a search may look at together with others: one that goes farther would meet them, and takes room until then.
const FARTHEST: usize = 1 << 14;

/// Finds paths and puts them into effect.
#[derive(Debug)]
pub(super) struct Paths<W> {
    search: Search<W>,
    /// What was found for the present group.
    found: Vec<Found<W>>,
    together: Option<Together<W>>,
}

impl<W: Weight> Paths<W> {
    /// A workspace for a state's nodes; if these are as many as `large`, searches are made together.
    pub(super) fn new(state: &State<W>, large: usize) -> Self {
        let nodes = state.mentors() + state.mentees();
        let together = (nodes >= large).then(Together::new);
        Self { search: Search::of_all(nodes), found: Vec::new(), together }
    }

    /// Serves the bidders who wait, each listed once, one after the other, until `budget` arcs have been looked at; those left
    /// stay in `waiting`. One whose end is farther than `reach` waits on, at prices that have moved that far. Gives the number
    /// of paths.
    pub(super) fn serve<M: Market<W>>(
        &mut self,
        market: &mut M,
        waiting: &mut Vec<u32>,
        reach: W,
        budget: u64,
        work: &mut Work<'_>,
    ) -> Result<u64, Stopped> {
        let last = work.counters.arcs.saturating_add(budget);
        let (mut left, mut paths) = (Vec::new(), 0);
        let mut rest = waiting.as_slice();
        while !rest.is_empty() && work.counters.arcs <= last {
            let group = self.together.as_ref().map_or(1, Together::size).min(rest.len());
            let (group, later) = rest.split_at(group);
            rest = later;
            self.found.resize_with(group.len().max(self.found.len()), Found::default);
            let mut together = self.together.as_mut().filter(|_| group.len() > 1);
            if let Some(together) = &mut together {
                together.find(market, group, reach, &mut self.found, work)?;
            }
            for (&bidder, found) in group.iter().zip(&mut self.found) {
                let mut is_found = together.as_mut().is_some_and(|together| together.holds(found));
                while market.missing(bidder as usize) > 0 {
                    if work.counters.arcs > last {
                        left.push(bidder);
                        break;
                    }
                    if !std::mem::take(&mut is_found) {
                        self.search.find(market, bidder, (reach, usize::MAX), found, &mut work.pulse)?;
                        work.counters.arcs += found.arcs as u64;
                    }
                    paths += 1;
                    work.counters.scans += found.scans() as u64;
                    if let Some(together) = &mut together {
                        together.mark(found);
                    }
                    if !found.put_into_effect(market, bidder) {
                        left.push(bidder);
                        break;
                    }
                }
            }
            if let Some(together) = &mut self.together {
                together.adapt(group.len());
            }
        }
        left.extend_from_slice(rest);
        *waiting = left;
        Ok(paths)
    }
}

/// What searches that are made together need.
#[derive(Debug)]
struct Together<W> {
    /// One for every thread.
    searches: Gatherings<Search<W>>,
    /// Nodes that have changed since the present group was looked for.
    changed: Reached<()>,
    /// Searches of the present group that were void.
    void: usize,
    /// How many to make together next.
    size: usize,
    /// How many were made one by one since too many were void.
    alone: usize,
}

impl<W: Weight> Together<W> {
    fn new() -> Self {
        Self { searches: Gatherings::default(), changed: Reached::few(), void: 0, size: MOST / 2, alone: 0 }
    }

    /// How many searches are to be made next.
    fn size(&self) -> usize {
        if self.size < LEAST { 1 } else { self.size }
    }

    /// Finds a path for each of some bidders at the present prices.
    fn find<M: Market<W>>(
        &mut self,
        market: &M,
        bidders: &[u32],
        reach: W,
        found: &mut [Found<W>],
        work: &mut Work<'_>,
    ) -> Result<(), Stopped> {
        self.changed.clear();
        let (found, pulse) = (&mut found[..bidders.len()], work.pulse);
        bidders.par_chunks(CHUNK).zip(found.par_chunks_mut(CHUNK)).try_for_each(|(bidders, found)| {
            let (mut pulse, mut outcome) = (pulse, Ok(()));
            self.searches.add(Search::of_few, |search| {
                outcome = bidders.iter().zip(found).try_for_each(|(&bidder, found)| {
                    search.find(market, bidder, (reach, FARTHEST), found, &mut pulse)
                });
            });
            outcome
        })?;
        let arcs = found.iter().map(|found| found.arcs).sum();
        work.counters.arcs += arcs as u64;
        work.pulse.beat(arcs)
    }

    /// Whether what was found can still be put into effect.
    fn holds(&mut self, found: &Found<W>) -> bool {
        let holds = found.ends && found.nodes().all(|node| self.changed.get(node).is_none());
        self.void += usize::from(!holds);
        holds
    }

    /// Marks what putting a path into effect changes.
    fn mark(&mut self, found: &Found<W>) {
        found.nodes().for_each(|node| _ = self.changed.reach(node));
    }

    /// Learns from a group of so many how many to make together next.
    fn adapt(&mut self, group: usize) {
        let void = std::mem::take(&mut self.void);
        if group == 1 {
            self.alone += 1;
            if self.alone == MOST {
                (self.size, self.alone) = (LEAST, 0);
            }
        } else if 8 * void < group {
            self.size = (2 * self.size).min(MOST);
        } else if 8 * void > 3 * group {
            self.size /= 2;
        }
    }
}
