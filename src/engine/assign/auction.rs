//! The auction: a quick, nearly complete assignment with valid prices.
//!
//! One side of the direction bids for the other, the side that has less to give: mentees for seats, or mentors for mentees
//! where there are fewer seats than places wanted ([`super::direction`]). Whoever waits bids for those who offer most, as many
//! as she lacks: as much as leaves her what the next best offers. One who is bid for keeps the highest bids, and her price
//! is the lowest bid that she keeps ("similar objects", Bertsekas and Castanon 1989; with increments of zero it is the
//! augmenting row reduction of Jonker and Volgenant 1987). Prices only rise and no increment is added, so the conditions
//! of [`PrimalDualState`](super::primal_dual_state::PrimalDualState) hold throughout, except that some still wait: these are for [`super::augment`].
//!
//! Bids are made by batches: all of a batch see the same prices, in parallel, and are then heard one after the other. A bid
//! made at prices that have risen meanwhile leaves the bidder more than she can get elsewhere, which is still valid; if it
//! is too low by now, she bids again in the next pass, like those who are outbid.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::hint::black_box;

use rayon::prelude::*;

use crate::engine::observer::Stopped;
use crate::engine::pair_scores::Edge;

use super::context::{SolveContext, StopPoll};
use super::core::index;
use super::direction::Direction;
use super::price_integer::PriceInteger;

/// Bidders per batch: one for so many of all, within limits.
const BATCH_SHARE: usize = 64;
const MIN_BATCH: usize = 16;
const MAX_BATCH: usize = 1 << 13;
/// Bidders per task.
const BIDDERS_PER_TASK: usize = 128;
/// Fewer bidders than this decide sooner alone than threads are woken.
const MIN_PARALLEL_BIDDERS: usize = 1 << 10;
/// Arcs in a line of the cache.
const EDGES_PER_CACHE_LINE: usize = 8;

/// What a batch of bidders decide.
struct BatchBids<W> {
    bidders: Vec<BidderBids<W>>,
    /// For whom they bid, one bidder after the other.
    targets: Vec<Edge>,
    edges: u64,
}

struct BidderBids<W> {
    bidder: u32,
    /// Units that the bidder gives up.
    given_up: u32,
    /// Number of bids.
    bids: u32,
    /// What each bid leaves to the bidder.
    value: W,
}

/// How long bidding is kept up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Most bids for each bidder who finds what she wants, ...
    pub(super) bids: usize,
    /// ... over so many passes: where prices have to rise first, one alone may serve nobody.
    pub(super) passes: usize,
}

/// Runs the auction for the bidders that wait, each listed once, and gives those who still wait. Everybody bids at least
/// once. Passes end when `patience` does.
pub(super) fn run<W: PriceInteger, D: Direction<W>>(
    direction: &mut D,
    mut waiting: Vec<u32>,
    patience: Patience,
    context: &mut SolveContext<'_>,
) -> Result<Vec<u32>, Stopped> {
    let batch = (waiting.len() / BATCH_SHARE).clamp(MIN_BATCH, MAX_BATCH);
    let mut later = Vec::new();
    let mut bids = VecDeque::from([waiting.len()]);
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
        if bids.len() == patience.passes {
            let served = bids[0].saturating_sub(waiting.len());
            if served * patience.bids < bids.iter().sum() {
                break;
            }
            bids.pop_front();
        }
        bids.push_back(waiting.len());
    }
    Ok(waiting)
}

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
    // One after the other, bidders would wait for memory again and again; all at once they wait together.
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

/// The bid of one who lacks one unit.
fn bid_for_one<W: PriceInteger, D: Direction<W>>(
    direction: &D,
    bidder: u32,
    row: &[Edge],
    made: &mut BatchBids<W>,
) {
    let at = bidder as usize;
    let outside = direction.outside_value(at, 0);
    let cheapest = direction.lowest_price();
    let mut best: Option<(W, Edge)> = None;
    let mut second = outside;
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
            None if value <= outside => {}
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
    made.bidders.push(BidderBids { bidder, given_up: 1 - bids, bids, value: second });
}

/// An offer to one who lacks many units: its value, whether there is room, and where it stands in the row.
type Offer<W> = (W, bool, Reverse<usize>);

/// The bids of one who lacks many units.
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
    for (place, edge) in row.iter().enumerate() {
        let full = best.len() > unserved;
        let score = W::from(edge.score);
        if full && best.peek().is_some_and(|Reverse(worst)| score - cheapest <= worst.0) {
            break;
        }
        made.edges += 1;
        let object = edge.to as usize;
        let offer = (score - direction.price(object), direction.is_open(object), Reverse(place));
        if full && best.peek().is_some_and(|Reverse(worst)| offer < *worst)
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
    let outside = direction.outside_value(at, (unserved - bids).min(unserved - 1));
    let value = value(bids).map_or(outside, |next| next.max(outside));
    made.targets.extend(offers[..bids].iter().map(|Reverse((_, _, Reverse(place)))| row[*place]));
    made.bidders.push(BidderBids { bidder, given_up: index(unserved - bids), bids: index(bids), value });
}

/// Hears the bids of a batch.
fn apply_bids<W: PriceInteger, D: Direction<W>>(
    direction: &mut D,
    bids: &BatchBids<W>,
    later: &mut Vec<u32>,
) {
    // As in `compute_chunk`.
    black_box(bids.targets.iter().fold(0, |seen, edge| seen ^ direction.prefetch(edge.to as usize)));
    let mut targets = bids.targets.iter();
    for &BidderBids { bidder, given_up, bids, value } in &bids.bidders {
        if direction.unserved(bidder as usize) != (given_up + bids) as usize {
            // She lost one whom she had while she decided: what she decided is void.
            targets.by_ref().take(bids as usize).for_each(drop);
            later.push(bidder);
            continue;
        }
        (0..given_up).for_each(|_| direction.retreat(bidder as usize));
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

/// What became of a bid.
enum BidOutcome {
    /// There was room.
    Accepted,
    /// Somebody else had to go.
    Displaced(usize),
    /// It was too low.
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

/// Raises a price to the lowest bid that is kept, or until there is room.
fn raise_to_lowest_bid<W: PriceInteger, D: Direction<W>>(direction: &mut D, object: usize) {
    let Some(lowest) = direction.lowest_bid(object) else { return };
    let price = direction.opening_price(object).map_or(lowest, |opening| opening.min(lowest));
    direction.set_price(object, price);
}
