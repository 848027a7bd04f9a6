//! Auction with similar objects: a nearly complete assignment with valid prices.
//!
//! The side with fewer units bids: mentees bid for seats, or mentors bid for mentees if there are fewer seats than
//! places wanted ([`super::direction`]). Each waiting bidder bids for its best objects, one per unserved unit. A bid
//! leaves the bidder exactly the value of the next-best object, or its outside value if that is greater. A full object
//! keeps its highest bids. Its price is the lowest bid that it keeps, at most the price at which its next unit opens
//! (Bertsekas and Castañon 1989). With increments of zero this is the augmenting row reduction of Jonker and Volgenant
//! 1987.
//!
//! Invariant: the conditions of [`PrimalDualState`](super::primal_dual_state::PrimalDualState) hold for each bidder from
//! its own first bid on, because prices of objects only rise and no increment is added. In the first auction the
//! conditions do not hold for a bidder before its first bid. That every bidder bids at least once is therefore a
//! condition of correctness. Some bidders remain unserved; [`super::augment`] serves them. Without increments the number
//! of bids has no useful bound, so [`Patience`] ends the auction.
//!
//! Bids are computed in batches. All bidders of a batch see the same prices, in parallel, and the bids are then
//! applied one after the other. A bid that was computed before a price rose is still valid: at the bidder's new price,
//! no other object offers more, because prices have only risen. If the bid is below the present price, the object
//! rejects the bid. A rejected or displaced bidder bids again in the next pass.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::hint::black_box;

use rayon::prelude::*;

use crate::engine::observer::Stopped;
use crate::engine::pair_scores::Edge;
use crate::engine::price_integer::PriceInteger;

use super::context::{SolveContext, StopPoll};
use super::core::index;
use super::direction::Direction;

/// A batch is one part in this many of the first list of waiting bidders, between [`MIN_BATCH`] and [`MAX_BATCH`]
/// bidders.
const BATCH_SHARE: usize = 64;
const MIN_BATCH: usize = 16;
const MAX_BATCH: usize = 1 << 13;
/// Bidders per task.
const BIDDERS_PER_TASK: usize = 128;
/// If a batch has at most this many bidders, one thread computes the bids faster than other threads wake up.
const MIN_PARALLEL_BIDDERS: usize = 1 << 10;
/// Edges in a cache line.
const EDGES_PER_CACHE_LINE: usize = 8;

/// Bids of some bidders of a batch.
struct BatchBids<W> {
    bidders: Vec<BidderBids<W>>,
    /// The pairs that are bid for, one bidder after the other.
    targets: Vec<Edge>,
    edges: u64,
}

/// Bids of one bidder.
struct BidderBids<W> {
    bidder: u32,
    /// Units that the bidder takes out of use.
    retreats: u32,
    /// Number of bids.
    bids: u32,
    /// Value that each bid leaves to the bidder.
    value: W,
}

/// When the auction ends: it continues while at most `bidders_per_served` bidders bid for each bidder that is served,
/// counted over the latest `passes` passes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Greatest number of bidders that bid, per bidder that is served.
    pub(super) bidders_per_served: usize,
    /// Passes over which bidders are counted. If prices have to rise first, a single pass may serve no bidder.
    pub(super) passes: usize,
}

/// Runs the auction for the waiting bidders, each listed once, until `patience` ends it. Every bidder with an unserved
/// unit bids at least once. Returns the bidders that may still wait, each listed once: the list also contains bidders
/// that were displaced and served again in the last pass.
pub(super) fn run<W: PriceInteger, D: Direction<W>>(
    direction: &mut D,
    mut waiting: Vec<u32>,
    patience: Patience,
    context: &mut SolveContext<'_>,
) -> Result<Vec<u32>, Stopped> {
    let batch = (waiting.len() / BATCH_SHARE).clamp(MIN_BATCH, MAX_BATCH);
    let mut later = Vec::new();
    let mut bidders_per_pass = VecDeque::from([waiting.len()]);
    while !waiting.is_empty() {
        for batch in waiting.chunks(batch) {
            for bids in compute_bids(direction, batch, context.poll)? {
                context.counters.arcs += bids.edges;
                context.counters.bids += bids.targets.len() as u64;
                context.poll.count(bids.targets.len())?;
                apply_bids(direction, &bids, &mut later);
            }
        }
        later.par_sort_unstable();
        later.dedup();
        context.progress(later.len());
        waiting.clear();
        std::mem::swap(&mut waiting, &mut later);
        if bidders_per_pass.len() == patience.passes {
            let served = bidders_per_pass[0].saturating_sub(waiting.len());
            if served * patience.bidders_per_served < bidders_per_pass.iter().sum() {
                break;
            }
            bidders_per_pass.pop_front();
        }
        bidders_per_pass.push_back(waiting.len());
    }
    Ok(waiting)
}

/// Computes the bids of a batch at the present prices.
fn compute_bids<W: PriceInteger, D: Direction<W>>(
    direction: &D,
    batch: &[u32],
    poll: StopPoll<'_>,
) -> Result<Vec<BatchBids<W>>, Stopped> {
    if batch.len() <= MIN_PARALLEL_BIDDERS {
        return Ok(vec![compute_chunk(direction, batch, poll)?]);
    }
    batch.par_chunks(BIDDERS_PER_TASK).map(|chunk| compute_chunk(direction, chunk, poll)).collect()
}

fn compute_chunk<W: PriceInteger, D: Direction<W>>(
    direction: &D,
    chunk: &[u32],
    mut poll: StopPoll<'_>,
) -> Result<BatchBids<W>, Stopped> {
    let mut made = BatchBids { bidders: Vec::with_capacity(chunk.len()), targets: Vec::new(), edges: 0 };
    // Rows are read ahead for all bidders of the task, so that the cache misses overlap.
    let heads = chunk
        .iter()
        .flat_map(|&bidder| direction.row(bidder as usize).iter().step_by(EDGES_PER_CACHE_LINE).take(2));
    black_box(heads.fold(0, |seen, edge| seen ^ edge.to));
    for &bidder in chunk {
        let row = direction.row(bidder as usize);
        poll.count(row.len())?;
        match direction.unserved(bidder as usize) {
            0 => {}
            1 => bid_for_one(direction, bidder, row, &mut made),
            unserved => bid_for_many(direction, bidder, row, unserved, &mut made),
        }
    }
    Ok(made)
}

/// Computes the bid of a bidder that lacks one unit.
fn bid_for_one<W: PriceInteger, D: Direction<W>>(
    direction: &D,
    bidder: u32,
    row: &[Edge],
    made: &mut BatchBids<W>,
) {
    let at = bidder as usize;
    let outside_value = direction.outside_value(at, 0);
    let cheapest = direction.lowest_price();
    let mut best: Option<(W, Edge)> = None;
    let mut second = outside_value;
    for edge in row {
        let score = W::from(edge.score);
        if score - cheapest <= second {
            break;
        }
        made.edges += 1;
        let value = score - direction.price(edge.to as usize);
        if value < second || direction.are_mates(at, edge.to) {
            continue;
        }
        match &mut best {
            None if value <= outside_value => {}
            Some((most, _)) if value < *most => second = value,
            Some((most, chosen)) if value == *most => {
                second = value;
                if direction.is_open(edge.to as usize) && !direction.is_open(chosen.to as usize) {
                    *chosen = *edge;
                }
            }
            _ => {
                second = best.map_or(second, |(most, _)| most);
                best = Some((value, *edge));
            }
        }
    }
    made.targets.extend(best.map(|(_, edge)| edge));
    let bids = u32::from(best.is_some());
    made.bidders.push(BidderBids { bidder, retreats: 1 - bids, bids, value: second });
}

/// An offer to a bidder that lacks several units: its value, whether the object is open, and its position in the row.
type Offer<W> = (W, bool, Reverse<usize>);

/// Computes the bids of a bidder that lacks several units.
fn bid_for_many<W: PriceInteger, D: Direction<W>>(
    direction: &D,
    bidder: u32,
    row: &[Edge],
    unserved: usize,
    made: &mut BatchBids<W>,
) {
    let at = bidder as usize;
    let cheapest = direction.lowest_price();
    let mut best: BinaryHeap<Reverse<Offer<W>>> = BinaryHeap::with_capacity(unserved + 2);
    for (position, edge) in row.iter().enumerate() {
        let full = best.len() > unserved;
        let score = W::from(edge.score);
        if full && best.peek().is_some_and(|Reverse(lowest)| score - cheapest <= lowest.0) {
            break;
        }
        made.edges += 1;
        let object = edge.to as usize;
        let offer = (score - direction.price(object), direction.is_open(object), Reverse(position));
        if full && best.peek().is_some_and(|Reverse(lowest)| offer < *lowest)
            || direction.are_mates(at, edge.to)
        {
            continue;
        }
        best.push(Reverse(offer));
        if full {
            best.pop();
        }
    }
    let offers = best.into_sorted_vec();
    let value = |rank: usize| offers.get(rank).map(|Reverse(offer)| offer.0);
    let worth = |&bids: &usize| {
        value(bids - 1).is_some_and(|value| value > direction.outside_value(at, unserved - bids))
    };
    let bids = (1..=unserved).rev().find(worth).unwrap_or(0);
    let outside_value = direction.outside_value(at, (unserved - bids).min(unserved - 1));
    let value = value(bids).map_or(outside_value, |next| next.max(outside_value));
    made.targets.extend(offers[..bids].iter().map(|Reverse((_, _, Reverse(position)))| row[*position]));
    made.bidders.push(BidderBids { bidder, retreats: index(unserved - bids), bids: index(bids), value });
}

/// Applies the bids of a batch one after the other, and adds the bidders that still wait to `later`.
fn apply_bids<W: PriceInteger, D: Direction<W>>(
    direction: &mut D,
    bids: &BatchBids<W>,
    later: &mut Vec<u32>,
) {
    // The cache misses overlap, as in `compute_chunk`.
    black_box(bids.targets.iter().fold(0, |seen, edge| seen ^ direction.prefetch(edge.to as usize)));
    let mut targets = bids.targets.iter();
    for &BidderBids { bidder, retreats, bids, value } in &bids.bidders {
        if direction.unserved(bidder as usize) != (retreats + bids) as usize {
            // The bidder was displaced after its bids were computed, so these bids are not valid.
            targets.by_ref().take(bids as usize).for_each(drop);
            later.push(bidder);
            continue;
        }
        (0..retreats).for_each(|_| direction.retreat(bidder as usize));
        direction.set_bidder_price(bidder as usize, value);
        let mut rejected = false;
        for edge in targets.by_ref().take(bids as usize) {
            match place_bid(direction, bidder as usize, *edge, W::from(edge.score) - value) {
                BidOutcome::Rejected => rejected = true,
                BidOutcome::Displaced(other) => later.push(index(other)),
                BidOutcome::Accepted => {}
            }
        }
        if rejected {
            later.push(bidder);
        }
    }
}

/// Outcome of a bid.
enum BidOutcome {
    /// The object had one more unit.
    Accepted,
    /// The bid displaced this bidder.
    Displaced(usize),
    /// The bid was below the price.
    Rejected,
}

fn place_bid<W: PriceInteger, D: Direction<W>>(
    direction: &mut D,
    bidder: usize,
    edge: Edge,
    bid: W,
) -> BidOutcome {
    let object = edge.to as usize;
    let mut displaced = None;
    if direction.is_open(object) {
        if bid < direction.price(object) {
            return BidOutcome::Rejected;
        }
        direction.occupy(object);
    } else {
        raise_to_lowest_bid(direction, object);
        if bid < direction.price(object) {
            return BidOutcome::Rejected;
        }
        if direction.is_open(object) {
            direction.occupy(object);
        } else {
            displaced = direction.displace_lowest(object);
        }
    }
    direction.attach(bidder, object, edge.score);
    if !direction.is_open(object) {
        raise_to_lowest_bid(direction, object);
    }
    displaced.map_or(BidOutcome::Accepted, BidOutcome::Displaced)
}

/// Raises the price of an object to the lowest bid that it keeps, or to the price at which its next unit opens if
/// that is lower.
fn raise_to_lowest_bid<W: PriceInteger, D: Direction<W>>(direction: &mut D, object: usize) {
    let Some(lowest) = direction.lowest_bid(object) else { return };
    let price = direction.opening_price(object).map_or(lowest, |opening| opening.min(lowest));
    direction.set_price(object, price);
}
