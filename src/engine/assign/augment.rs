//! Augmenting paths: the shortest alternating path of every waiting bidder, found and augmented.
//!
//! In the forward direction a path leads from a mentee with an unserved place to the cheapest seat, or to the
//! cheapest retreat from a place. In the reverse direction it leads from the vacancy of a mentor to the cheapest
//! replacement, or to the retreat from the seat. One [`search`](super::search) finds one path; it is augmented before
//! the next search.
//!
//! In large problems a batch of searches runs in parallel at the same prices, and the results are applied one after
//! the other. A result is valid if no earlier result of the batch has settled or ended at a node that this search
//! settled, or at its end. Then the costs of all arcs between these nodes are unchanged. The cost of no arc that leaves
//! them has fallen, because a search only raises prices of objects and only lowers prices of bidders. Each such arc leads
//! to a distance of at least the length of the path, so the path is still the shortest one. An invalid result is
//! discarded and searched again. The size of a batch depends on the number of invalid results, never on the number of
//! threads.

use rayon::prelude::*;

use crate::engine::observer::Stopped;
use crate::engine::pool::Workspaces;
use crate::engine::price_integer::PriceInteger;

use super::context::SolveContext;
use super::direction::Direction;
use super::labels::NodeLabels;
use super::primal_dual_state::PrimalDualState;
use super::search::{SearchResult, ShortestPathSearch};
use super::tuning::BatchLimits;

/// Searches per task.
const SEARCHES_PER_TASK: usize = 16;
/// Single searches after too many results of a batch were invalid, before the next batch.
const SINGLE_SEARCHES: usize = 256;

/// Workspace that finds and augments paths.
#[derive(Debug)]
pub(super) struct AugmentingPaths<W> {
    search: ShortestPathSearch<W>,
    /// Result of the latest single search.
    single: SearchResult<W>,
    batch: Option<Batch<W>>,
}

impl<W: PriceInteger> AugmentingPaths<W> {
    /// Workspace for the nodes of a state.
    pub(super) fn new(state: &PrimalDualState<W>, limits: BatchLimits) -> Self {
        let nodes = state.mentors() + state.mentees();
        let batch = (nodes >= limits.min_people).then(|| Batch::new(limits));
        Self { search: ShortestPathSearch::dense(nodes), single: SearchResult::default(), batch }
    }

    /// Serves the waiting bidders, each listed once, one after the other, until `budget` edges have been read.
    /// Bidders that are not served stay in `waiting`. A bidder whose nearest end is farther than `reach` keeps
    /// waiting; its price has then fallen by `reach`. Returns the number of searches, those without a path included.
    pub(super) fn serve<D: Direction<W>>(
        &mut self,
        direction: &mut D,
        waiting: &mut Vec<u32>,
        reach: W,
        budget: u64,
        context: &mut SolveContext<'_>,
    ) -> Result<u64, Stopped> {
        let last = context.counters.arcs.saturating_add(budget);
        // An auction may list a served bidder, and another path may have filled a vacancy.
        waiting.retain(|&bidder| direction.unserved(bidder as usize) > 0);
        let (mut left, mut searches) = (Vec::new(), 0);
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
                    searches += 1;
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
        Ok(searches)
    }
}

/// Workspace for batches of searches.
#[derive(Debug)]
struct Batch<W> {
    limits: BatchLimits,
    /// One workspace per thread.
    searches: Workspaces<ShortestPathSearch<W>>,
    /// Results of the present batch.
    found: Vec<SearchResult<W>>,
    /// Nodes that have changed since the batch was searched.
    changed: NodeLabels<()>,
    /// Invalid results of the present batch.
    invalid: usize,
    /// Size of the next batch; below the minimum, searches run singly.
    size: usize,
    /// Single searches since too many results of a batch were invalid.
    single: usize,
}

impl<W: PriceInteger> Batch<W> {
    fn new(limits: BatchLimits) -> Self {
        Self {
            limits,
            searches: Workspaces::default(),
            found: Vec::new(),
            changed: NodeLabels::sparse(),
            invalid: 0,
            size: limits.max_searches / 2,
            single: 0,
        }
    }

    /// Number of searches to run next if `left` bidders are left.
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

    /// Whether a result can still be applied. If so, it marks the nodes of the result as changed: the caller applies
    /// the result.
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

    /// Adapts the size of the next batch to the results of the `made` searches before.
    fn adapt_size(&mut self, made: usize) {
        let invalid = std::mem::take(&mut self.invalid);
        if self.size < self.limits.min_searches {
            self.single += made;
            if self.single >= SINGLE_SEARCHES {
                (self.size, self.single) = (self.limits.min_searches, 0);
            }
        } else if made < self.limits.min_searches {
            // A batch cut off at the end of the list does not change the size.
        } else if 8 * invalid < made {
            self.size = (2 * self.size).min(self.limits.max_searches);
        } else if 8 * invalid > 3 * made {
            self.size /= 2;
        }
    }
}

/// Marks the nodes that change when a result is applied.
fn mark<W: PriceInteger>(changed: &mut NodeLabels<()>, found: &SearchResult<W>) {
    found.nodes().for_each(|node| _ = changed.label_mut(node));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_while_few_results_are_invalid_and_pause_while_many_are() {
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
        // The last bidders are served singly, which does not change the size.
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
