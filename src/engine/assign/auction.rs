//! The auction: a quick, nearly complete assignment with valid prices.
//!
//! One side of the market bids for the other, the side that has less to give: mentees for seats, or mentors for mentees
//! where there are fewer seats than places wanted ([`super::market`]). Whoever waits bids for those who offer most, as many
//! as she lacks: as much as leaves her what the next best offers. One who is bid for keeps the highest bids, and her price
//! is the lowest bid that she keeps ("similar objects", Bertsekas and Castanon 1989; with increments of zero it is the
//! augmenting row reduction of Jonker and Volgenant 1987). Prices only rise and no increment is added, so the conditions
//! of [`PrimalDualState`](super::primal_dual_state::PrimalDualState) hold throughout, except that some still wait: these are for [`super::paths`].
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

use super::core::index;
use super::counters::{Pulse, Work};
use super::market::Market;
use super::price_integer::PriceInteger;

/// Bidders per batch: one for so many of all, within limits.
const BATCH_SHARE: usize = 64;
const BATCH_LEAST: usize = 16;
const BATCH_MOST: usize = 1 << 13;
/// Bidders per task.
const CHUNK: usize = 128;
/// Fewer bidders than this decide sooner alone than threads are woken.
const ALONE: usize = 1 << 10;
/// Arcs in a line of the cache.
const LINE: usize = 8;

/// What a batch of bidders decide.
struct Decisions<W> {
    bidders: Vec<Decision<W>>,
    /// For whom they bid, one bidder after the other.
    targets: Vec<Edge>,
    arcs: u64,
}

struct Decision<W> {
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
pub(super) fn run<W: PriceInteger, M: Market<W>>(
    market: &mut M,
    mut waiting: Vec<u32>,
    patience: Patience,
    work: &mut Work<'_>,
) -> Result<Vec<u32>, Stopped> {
    let batch = (waiting.len() / BATCH_SHARE).clamp(BATCH_LEAST, BATCH_MOST);
    let mut later = Vec::new();
    let mut bids = VecDeque::from([waiting.len()]);
    while !waiting.is_empty() {
        for batch in waiting.chunks(batch) {
            for decisions in decide_all(market, batch, work.pulse)? {
                work.counters.arcs += decisions.arcs;
                work.counters.bids += decisions.targets.len() as u64;
                work.pulse.beat(decisions.targets.len())?;
                hear(market, &decisions, &mut later);
            }
        }
        later.par_sort_unstable();
        later.dedup();
        work.progress(later.len());
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

fn decide_all<W: PriceInteger, M: Market<W>>(
    market: &M,
    batch: &[u32],
    pulse: Pulse<'_>,
) -> Result<Vec<Decisions<W>>, Stopped> {
    if batch.len() <= ALONE {
        return Ok(vec![decide_chunk(market, batch, pulse)?]);
    }
    batch.par_chunks(CHUNK).map(|chunk| decide_chunk(market, chunk, pulse)).collect()
}

fn decide_chunk<W: PriceInteger, M: Market<W>>(
    market: &M,
    chunk: &[u32],
    mut pulse: Pulse<'_>,
) -> Result<Decisions<W>, Stopped> {
    let mut made = Decisions { bidders: Vec::with_capacity(chunk.len()), targets: Vec::new(), arcs: 0 };
    // One after the other, bidders would wait for memory again and again; all at once they wait together.
    let heads = chunk.iter().flat_map(|&bidder| market.row(bidder as usize).iter().step_by(LINE).take(2));
    black_box(heads.fold(0, |seen, arc| seen ^ arc.to));
    for &bidder in chunk {
        let row = market.row(bidder as usize);
        pulse.beat(row.len())?;
        match market.missing(bidder as usize) {
            0 => {}
            1 => decide_one(market, bidder, row, &mut made),
            missing => decide_many(market, bidder, row, missing, &mut made),
        }
    }
    Ok(made)
}

/// The bid of one who lacks one unit.
fn decide_one<W: PriceInteger, M: Market<W>>(market: &M, bidder: u32, row: &[Edge], made: &mut Decisions<W>) {
    let at = bidder as usize;
    let outside = market.outside(at, 0);
    let cheapest = market.lowest_price();
    let mut best: Option<(W, Edge)> = None;
    let mut second = outside;
    for arc in row {
        let score = W::from(arc.score);
        if score - cheapest <= second {
            break;
        }
        made.arcs += 1;
        let value = score - market.price(arc.to as usize);
        if value < second || market.are_mates(at, arc.to) {
            continue;
        }
        match &mut best {
            None if value <= outside => {}
            Some((most, _)) if value < *most => second = value,
            Some((most, chosen)) if value == *most => {
                second = value;
                if market.is_open(arc.to as usize) && !market.is_open(chosen.to as usize) {
                    *chosen = *arc;
                }
            }
            _ => {
                second = best.map_or(second, |(most, _)| most);
                best = Some((value, *arc));
            }
        }
    }
    made.targets.extend(best.map(|(_, arc)| arc));
    let bids = u32::from(best.is_some());
    made.bidders.push(Decision { bidder, given_up: 1 - bids, bids, value: second });
}

/// An offer to one who lacks many units: its value, whether there is room, and where it stands in the row.
type Offer<W> = (W, bool, Reverse<usize>);

/// The bids of one who lacks many units.
fn decide_many<W: PriceInteger, M: Market<W>>(
    market: &M,
    bidder: u32,
    row: &[Edge],
    missing: usize,
    made: &mut Decisions<W>,
) {
    let at = bidder as usize;
    let cheapest = market.lowest_price();
    let mut best: BinaryHeap<Reverse<Offer<W>>> = BinaryHeap::with_capacity(missing + 2);
    for (place, arc) in row.iter().enumerate() {
        let full = best.len() > missing;
        let score = W::from(arc.score);
        if full && best.peek().is_some_and(|Reverse(worst)| score - cheapest <= worst.0) {
            break;
        }
        made.arcs += 1;
        let item = arc.to as usize;
        let offer = (score - market.price(item), market.is_open(item), Reverse(place));
        if full && best.peek().is_some_and(|Reverse(worst)| offer < *worst) || market.are_mates(at, arc.to) {
            continue;
        }
        best.push(Reverse(offer));
        if full {
            best.pop();
        }
    }
    let offers = best.into_sorted_vec();
    let value = |rank: usize| offers.get(rank).map(|Reverse(offer)| offer.0);
    let worth =
        |&bids: &usize| value(bids - 1).is_some_and(|value| value > market.outside(at, missing - bids));
    let bids = (1..=missing).rev().find(worth).unwrap_or(0);
    let outside = market.outside(at, (missing - bids).min(missing - 1));
    let value = value(bids).map_or(outside, |next| next.max(outside));
    made.targets.extend(offers[..bids].iter().map(|Reverse((_, _, Reverse(place)))| row[*place]));
    made.bidders.push(Decision { bidder, given_up: index(missing - bids), bids: index(bids), value });
}

/// Hears the bids of a batch.
fn hear<W: PriceInteger, M: Market<W>>(market: &mut M, decisions: &Decisions<W>, later: &mut Vec<u32>) {
    // As in `decide_chunk`.
    black_box(decisions.targets.iter().fold(0, |seen, arc| seen ^ market.prefetch(arc.to as usize)));
    let mut targets = decisions.targets.iter();
    for &Decision { bidder, given_up, bids, value } in &decisions.bidders {
        if market.missing(bidder as usize) != (given_up + bids) as usize {
            // She lost one whom she had while she decided: what she decided is void.
            targets.by_ref().take(bids as usize).for_each(drop);
            later.push(bidder);
            continue;
        }
        (0..given_up).for_each(|_| market.give_up(bidder as usize));
        market.set_value(bidder as usize, value);
        let mut refused = false;
        for arc in targets.by_ref().take(bids as usize) {
            match bid(market, bidder as usize, *arc, W::from(arc.score) - value) {
                Heard::Refused => refused = true,
                Heard::Outbid(other) => later.push(index(other)),
                Heard::Taken => {}
            }
        }
        if refused {
            later.push(bidder);
        }
    }
}

/// What became of a bid.
enum Heard {
    /// There was room.
    Taken,
    /// Somebody else had to go.
    Outbid(usize),
    /// It was too low.
    Refused,
}

fn bid<W: PriceInteger, M: Market<W>>(market: &mut M, bidder: usize, arc: Edge, bid: W) -> Heard {
    let item = arc.to as usize;
    let mut outbid = None;
    if market.is_open(item) {
        if bid < market.price(item) {
            return Heard::Refused;
        }
        market.take(item);
    } else {
        raise(market, item);
        if bid < market.price(item) {
            return Heard::Refused;
        }
        if market.is_open(item) {
            market.take(item);
        } else {
            outbid = market.evict(item);
        }
    }
    market.attach(bidder, item, arc.score);
    if !market.is_open(item) {
        raise(market, item);
    }
    outbid.map_or(Heard::Taken, Heard::Outbid)
}

/// Raises a price to the lowest bid that is kept, or until there is room.
fn raise<W: PriceInteger, M: Market<W>>(market: &mut M, item: usize) {
    let Some(lowest) = market.lowest_bid(item) else { return };
    let price = market.next_opening(item).map_or(lowest, |opening| opening.min(lowest));
    market.set_price(item, price);
}
