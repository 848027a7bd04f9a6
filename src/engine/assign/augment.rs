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

use super::context::SolveContext;
use super::direction::Direction;
use super::labels::NodeLabels;
use super::price_integer::PriceInteger;
use super::primal_dual_state::PrimalDualState;
use super::search::{SearchResult, ShortestPathSearch};
use super::tuning::BatchLimits;

/// Searches per task.
const SEARCHES_PER_TASK: usize = 16;
/// Searches made one by one after too many of a group were void.
const SINGLE_SEARCHES: usize = 256;

/// Finds paths and puts them into effect.
#[derive(Debug)]
pub(super) struct AugmentingPaths<W> {
    search: ShortestPathSearch<W>,
    /// What was found last by a search made alone.
    single: SearchResult<W>,
    batch: Option<Batch<W>>,
}

impl<W: PriceInteger> AugmentingPaths<W> {
    /// A workspace for a state's nodes.
    pub(super) fn new(state: &PrimalDualState<W>, limits: BatchLimits) -> Self {
        let nodes = state.mentors() + state.mentees();
        let batch = (nodes >= limits.min_people).then(|| Batch::new(limits));
        Self { search: ShortestPathSearch::dense(nodes), single: SearchResult::default(), batch }
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
        context: &mut SolveContext<'_>,
    ) -> Result<u64, Stopped> {
        let last = context.counters.arcs.saturating_add(budget);
        waiting.retain(|&bidder| direction.unserved(bidder as usize) > 0);
        let (mut left, mut paths) = (Vec::new(), 0);
        let mut rest = waiting.as_slice();
        while !rest.is_empty() && context.counters.arcs <= last {
            let (group, later) =
                rest.split_at(self.batch.as_ref().map_or(1, |all| all.next_size(rest.len())));
            rest = later;
            let mut batch = self.batch.as_mut().filter(|_| group.len() > 1);
            if let Some(batch) = &mut batch {
                batch.find(direction, group, reach, context)?;
            }
            for (at, &bidder) in group.iter().enumerate() {
                let mut is_found = batch.as_mut().is_some_and(|batch| batch.is_valid(at));
                while direction.unserved(bidder as usize) > 0 {
                    let found = match &batch {
                        Some(batch) if std::mem::take(&mut is_found) => &batch.found[at],
                        _ if context.counters.arcs > last => {
                            left.push(bidder);
                            break;
                        }
                        _ => {
                            let limits = (reach, usize::MAX);
                            self.search.find(
                                direction,
                                bidder,
                                limits,
                                &mut self.single,
                                &mut context.poll,
                            )?;
                            context.counters.arcs += self.single.edges as u64;
                            context.counters.scans += self.single.scans() as u64;
                            if let Some(batch) = &mut batch {
                                mark(&mut batch.changed, &self.single);
                            }
                            &self.single
                        }
                    };
                    paths += 1;
                    if !found.apply(direction, bidder) {
                        left.push(bidder);
                        break;
                    }
                }
            }
            if let Some(batch) = &mut self.batch {
                batch.adapt_size(group.len());
            }
        }
        left.extend_from_slice(rest);
        *waiting = left;
        Ok(paths)
    }
}

/// What searches that are made together need.
#[derive(Debug)]
struct Batch<W> {
    limits: BatchLimits,
    /// One for every thread.
    searches: Gatherings<ShortestPathSearch<W>>,
    /// What was found for the present group.
    found: Vec<SearchResult<W>>,
    /// Nodes that have changed since.
    changed: NodeLabels<()>,
    /// Searches of the present group that were void.
    invalid: usize,
    /// How many to make together next; none if that is fewer than the fewest.
    size: usize,
    /// How many were made one by one since too many were void.
    single: usize,
}

impl<W: PriceInteger> Batch<W> {
    fn new(limits: BatchLimits) -> Self {
        Self {
            limits,
            searches: Gatherings::default(),
            found: Vec::new(),
            changed: NodeLabels::sparse(),
            invalid: 0,
            size: limits.max_searches / 2,
            single: 0,
        }
    }

    /// How many searches to make next, where so many are left.
    fn next_size(&self, left: usize) -> usize {
        let size = self.size.min(left);
        if size < self.limits.min_searches { 1 } else { size }
    }

    /// Finds a path for each of some bidders at the present prices.
    fn find<D: Direction<W>>(
        &mut self,
        direction: &D,
        bidders: &[u32],
        reach: W,
        context: &mut SolveContext<'_>,
    ) -> Result<(), Stopped> {
        self.changed.clear();
        self.found.resize_with(bidders.len().max(self.found.len()), SearchResult::default);
        let (found, limits) = (&mut self.found[..bidders.len()], (reach, self.limits.max_edges));
        let (searches, poll) = (&self.searches, context.poll);
        bidders.par_chunks(SEARCHES_PER_TASK).zip(found.par_chunks_mut(SEARCHES_PER_TASK)).try_for_each(
            |(bidders, found)| {
                let (mut poll, mut outcome) = (poll, Ok(()));
                searches.add(ShortestPathSearch::sparse, |search| {
                    let find = |(&bidder, found)| search.find(direction, bidder, limits, found, &mut poll);
                    outcome = bidders.iter().zip(found).try_for_each(find);
                });
                outcome
            },
        )?;
        let edges = found.iter().map(|found| found.edges).sum();
        context.counters.arcs += edges as u64;
        context.counters.scans += found.iter().map(|found| found.scans() as u64).sum::<u64>();
        context.poll.count(edges)
    }

    /// Whether what was found for one of the group can still be put into effect; if so, it is about to be.
    fn is_valid(&mut self, at: usize) -> bool {
        let Self { found, changed, .. } = self;
        let is_valid = found[at].is_complete && found[at].nodes().all(|node| changed.get(node).is_none());
        if is_valid {
            mark(changed, &found[at]);
        } else {
            self.invalid += 1;
        }
        is_valid
    }

    /// Learns from the searches just made, so many, how many to make together next.
    fn adapt_size(&mut self, made: usize) {
        let invalid = std::mem::take(&mut self.invalid);
        if self.size < self.limits.min_searches {
            self.single += made;
            if self.single >= SINGLE_SEARCHES {
                (self.size, self.single) = (self.limits.min_searches, 0);
            }
        } else if made < self.limits.min_searches {
            // Those left over say nothing.
        } else if 8 * invalid < made {
            self.size = (2 * self.size).min(self.limits.max_searches);
        } else if 8 * invalid > 3 * made {
            self.size /= 2;
        }
    }
}

/// Marks what changes once something found is put into effect.
fn mark<W: PriceInteger>(changed: &mut NodeLabels<()>, found: &SearchResult<W>) {
    found.nodes().for_each(|node| _ = changed.reach(node));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_grow_while_few_meet_and_are_given_up_for_a_while_where_many_do() {
        let limits = BatchLimits { min_people: 0, min_searches: 32, max_searches: 256, max_edges: 9 };
        let mut batch = Batch::<i64>::new(limits);
        let mut after = |made, invalid| {
            batch.invalid = invalid;
            batch.adapt_size(made);
            batch.next_size(1000)
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
        assert!((1..SINGLE_SEARCHES).all(|_| after(1, 0) == 1));
        assert_eq!(after(1, 0), 32);
        assert_eq!(batch.next_size(31), 1);
    }
}
