//! Shortest alternating paths, from whoever waits to the nearest end: from a mentee with an unserved place to the cheapest
//! way of serving it (or of doing without), or from a mentor's vacancy back to the cheapest replacement (or to giving the seat up).
//! Each is found by a [`search`](super::search), and as a rule put into effect before the next.
//!
//! In large problems searches are made by groups: all of a group see the same prices, in parallel, and what they have found
//! is then put into effect one after the other, as far as they do not meet. By a search, prices of those bid for only rise
//! and prices of bidders only fall. So the way out of what one search has settled costs no less after another search; and
//! where it costs more, to end there costs less by no more than that, so that no end comes nearer. What the first has found
//! still holds, unless both have settled, or end at, the same node: then the later one is made again. How many are made
//! together follows from how many met, and never from the number of threads.

use rayon::prelude::*;

use crate::engine::observer::Stopped;
use crate::engine::pool::Gatherings;

use super::counters::Work;
use super::direction::Direction;
use super::price_integer::PriceInteger;
use super::primal_dual_state::PrimalDualState;
use super::reached::Reached;
use super::search::{Found, Search};
use super::tuning::Groups;

/// Searches per task.
const CHUNK: usize = 16;
/// Searches made one by one after too many of a group were void.
const ALONE: usize = 256;

/// Finds paths and puts them into effect.
#[derive(Debug)]
pub(super) struct Paths<W> {
    search: Search<W>,
    /// What was found last by a search made alone.
    alone: Found<W>,
    together: Option<Together<W>>,
}

impl<W: PriceInteger> Paths<W> {
    /// A workspace for a state's nodes.
    pub(super) fn new(state: &PrimalDualState<W>, groups: Groups) -> Self {
        let nodes = state.mentors() + state.mentees();
        let together = (nodes >= groups.people).then(|| Together::new(groups));
        Self { search: Search::of_all(nodes), alone: Found::default(), together }
    }

    /// Serves the bidders who wait, each listed once, one after the other, until `budget` edges have been looked at; those left
    /// stay in `waiting`. One whose end is farther than `reach` waits on, at prices that have moved that far. Gives the number
    /// of paths.
    pub(super) fn serve<D: Direction<W>>(
        &mut self,
        direction: &mut D,
        waiting: &mut Vec<u32>,
        reach: W,
        budget: u64,
        work: &mut Work<'_>,
    ) -> Result<u64, Stopped> {
        let last = work.counters.arcs.saturating_add(budget);
        waiting.retain(|&bidder| direction.unserved(bidder as usize) > 0);
        let (mut left, mut paths) = (Vec::new(), 0);
        let mut rest = waiting.as_slice();
        while !rest.is_empty() && work.counters.arcs <= last {
            let (group, later) = rest.split_at(self.together.as_ref().map_or(1, |all| all.next(rest.len())));
            rest = later;
            let mut together = self.together.as_mut().filter(|_| group.len() > 1);
            if let Some(together) = &mut together {
                together.find(direction, group, reach, work)?;
            }
            for (at, &bidder) in group.iter().enumerate() {
                let mut is_found = together.as_mut().is_some_and(|together| together.holds(at));
                while direction.unserved(bidder as usize) > 0 {
                    let found = match &together {
                        Some(together) if std::mem::take(&mut is_found) => &together.found[at],
                        _ if work.counters.arcs > last => {
                            left.push(bidder);
                            break;
                        }
                        _ => {
                            let limits = (reach, usize::MAX);
                            self.search.find(direction, bidder, limits, &mut self.alone, &mut work.pulse)?;
                            work.counters.arcs += self.alone.edges as u64;
                            work.counters.scans += self.alone.scans() as u64;
                            if let Some(together) = &mut together {
                                mark(&mut together.changed, &self.alone);
                            }
                            &self.alone
                        }
                    };
                    paths += 1;
                    if !found.put_into_effect(direction, bidder) {
                        left.push(bidder);
                        break;
                    }
                }
            }
            if let Some(together) = &mut self.together {
                together.learn(group.len());
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
    groups: Groups,
    /// One for every thread.
    searches: Gatherings<Search<W>>,
    /// What was found for the present group.
    found: Vec<Found<W>>,
    /// Nodes that have changed since.
    changed: Reached<()>,
    /// Searches of the present group that were void.
    void: usize,
    /// How many to make together next; none if that is fewer than the fewest.
    size: usize,
    /// How many were made one by one since too many were void.
    alone: usize,
}

impl<W: PriceInteger> Together<W> {
    fn new(groups: Groups) -> Self {
        Self {
            groups,
            searches: Gatherings::default(),
            found: Vec::new(),
            changed: Reached::few(),
            void: 0,
            size: groups.most / 2,
            alone: 0,
        }
    }

    /// How many searches to make next, where so many are left.
    fn next(&self, left: usize) -> usize {
        let size = self.size.min(left);
        if size < self.groups.least { 1 } else { size }
    }

    /// Finds a path for each of some bidders at the present prices.
    fn find<D: Direction<W>>(
        &mut self,
        direction: &D,
        bidders: &[u32],
        reach: W,
        work: &mut Work<'_>,
    ) -> Result<(), Stopped> {
        self.changed.clear();
        self.found.resize_with(bidders.len().max(self.found.len()), Found::default);
        let (found, limits) = (&mut self.found[..bidders.len()], (reach, self.groups.farthest));
        let (searches, pulse) = (&self.searches, work.pulse);
        bidders.par_chunks(CHUNK).zip(found.par_chunks_mut(CHUNK)).try_for_each(|(bidders, found)| {
            let (mut pulse, mut outcome) = (pulse, Ok(()));
            searches.add(Search::of_few, |search| {
                let find = |(&bidder, found)| search.find(direction, bidder, limits, found, &mut pulse);
                outcome = bidders.iter().zip(found).try_for_each(find);
            });
            outcome
        })?;
        let edges = found.iter().map(|found| found.edges).sum();
        work.counters.arcs += edges as u64;
        work.counters.scans += found.iter().map(|found| found.scans() as u64).sum::<u64>();
        work.pulse.beat(edges)
    }

    /// Whether what was found for one of the group can still be put into effect; if so, it is about to be.
    fn holds(&mut self, at: usize) -> bool {
        let Self { found, changed, .. } = self;
        let holds = found[at].ends && found[at].nodes().all(|node| changed.get(node).is_none());
        if holds {
            mark(changed, &found[at]);
        } else {
            self.void += 1;
        }
        holds
    }

    /// Learns from the searches just made, so many, how many to make together next.
    fn learn(&mut self, made: usize) {
        let void = std::mem::take(&mut self.void);
        if self.size < self.groups.least {
            self.alone += made;
            if self.alone >= ALONE {
                (self.size, self.alone) = (self.groups.least, 0);
            }
        } else if made < self.groups.least {
            // Those left over say nothing.
        } else if 8 * void < made {
            self.size = (2 * self.size).min(self.groups.most);
        } else if 8 * void > 3 * made {
            self.size /= 2;
        }
    }
}

/// Marks what changes once something found is put into effect.
fn mark<W: PriceInteger>(changed: &mut Reached<()>, found: &Found<W>) {
    found.nodes().for_each(|node| _ = changed.reach(node));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_grow_while_few_meet_and_are_given_up_for_a_while_where_many_do() {
        let groups = Groups { people: 0, least: 32, most: 256, farthest: 9 };
        let mut together = Together::<i64>::new(groups);
        let mut after = |made, void| {
            together.void = void;
            together.learn(made);
            together.next(1000)
        };
        assert_eq!(after(128, 15), 256);
        assert_eq!(after(256, 0), 256);
        assert_eq!(after(256, 32), 256);
        // The last who are left are served one by one, and say nothing.
        assert_eq!(after(1, 0), 256);
        assert_eq!(after(256, 200), 128);
        assert_eq!(after(128, 100), 64);
        assert_eq!(after(64, 50), 32);
        assert_eq!(after(32, 20), 1);
        assert!((1..ALONE).all(|_| after(1, 0) == 1));
        assert_eq!(after(1, 0), 32);
        assert_eq!(together.next(31), 1);
    }
}
