//! Primal-dual state: the pairs in use and the prices.
//!
//! The problem is a flow from a root to the mentees (one unit per place, with the weight of the place), along pairs
//! (with the score), and from the mentors back to the root (one unit per seat, with the weight of the seat). The
//! prices `u` of mentees and `p` of mentors satisfy complementary slackness over the core:
//!
//! - a pair not in use has a reduced cost `u + p - score >= 0`, and a pair in use has a slack `score - u - p >= 0`;
//! - the last place in use has `weight + u >= 0`, and the next place has `weight + u <= 0`;
//! - the last seat in use has `weight + p >= 0`, and the next seat has `weight + p <= 0`.
//!
//! An assignment that satisfies these conditions for all pairs is optimal. While the solver works, a mentee can have
//! *unserved* places, which are in use but have no mentor, and a mentor can have *vacancies*, which are seats in use
//! without a mentee. At the end there are none. An operation updates either the mentee's or the mentor's counters; the
//! caller must update the other.

use rayon::prelude::*;

use crate::engine::observer::Stopped;
use crate::engine::pair_scores::Edge;
use crate::engine::price_integer::PriceInteger;
use crate::engine::problem::{Demand, Problem, Seats};

use super::core::index;
use super::holders::{Holder, HolderList, Holders};
use super::lexicographic_weights::LexicographicWeights;

/// No unit, or no mentor.
pub(super) const NONE: u32 = u32::MAX;

/// What a bid or a path reads of a mentor beside the price. It fits in one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct MentorState {
    min: u32,
    max: u32,
    used: u32,
    vacancies: u32,
    holders: HolderList,
}

#[derive(Debug, Clone, Copy)]
struct MenteeState {
    wanted: u8,
    used: u8,
    weight_class: u16,
}

/// A place of a mentee, with the mentor who serves the place.
#[derive(Debug, Clone, Copy)]
pub(super) struct MenteePlace {
    /// The mentor, or [`NONE`].
    pub(super) mentor: u32,
    /// Score of the pair.
    pub(super) score: i32,
}

/// Price and pairs of one mentee after [`PrimalDualState::rebuild`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RebuiltMentee<W> {
    /// Price of the mentee.
    pub(super) u: W,
    /// Pairs of the mentee.
    pub(super) mates: [Option<Edge>; 2],
}

/// Bidders that may wait. The lists may contain served bidders, too.
#[derive(Debug, Default)]
pub(super) struct Unserved {
    /// Mentees with unserved places.
    pub(super) waiting: Vec<u32>,
    /// Mentors with vacancies; a mentor may occur more than once.
    pub(super) mentors_with_vacancies: Vec<u32>,
}

/// Mentees per task at least.
const MIN_ROWS_PER_TASK: usize = 4096;

const UNSERVED: MenteePlace = MenteePlace { mentor: NONE, score: 0 };

/// The class of mentees whose first place has the same weight: the tier, or one class for all mentees who have a
/// mentor by a pin.
fn weight_class(demand: Demand) -> u16 {
    if demand.pinned > 0 { u16::from(u8::MAX) + 1 } else { u16::from(demand.tier) }
}

/// Pairs in use and prices; see the module for the invariant.
#[derive(Debug)]
pub(super) struct PrimalDualState<W> {
    stride: usize,
    auction: u32,
    minimum: W,
    second: W,
    lowest_price: W,
    largest_first: W,
    mentees: Vec<MenteeState>,
    mentors: Vec<MentorState>,
    places: Vec<MenteePlace>,
    holders: Holders<W>,
    /// Weights of first places, by weight class.
    first: Vec<W>,
    /// Prices of mentees.
    pub(super) u: Vec<W>,
    /// Prices of mentors. They are stored apart because no other data is read as often.
    prices: Vec<W>,
}

impl<W: PriceInteger> PrimalDualState<W> {
    /// The empty state: no pair, no place and no seat is in use, and every price is as low as possible. The price of a
    /// person without capacity is the prohibitive price.
    pub(super) fn new(problem: &Problem<'_>, weights: &LexicographicWeights) -> Self {
        let (minimum, second): (W, W) = (weights.minimum(), weights.second());
        let prohibitive_price = W::saturating_from(weights.prohibitive_price());
        let stride =
            problem.mentees.iter().map(|demand| usize::from(demand.wanted.min(2))).max().unwrap_or(0);
        let of_tier = |tier| weights.first(Demand { tier, wanted: 1, pinned: 0 });
        let first: Vec<W> = (0..=u8::MAX).map(of_tier).chain([second]).collect();
        let mut holders = Holders::default();
        let mentors: Vec<MentorState> = problem
            .mentors
            .iter()
            .map(|&Seats { min, max }| MentorState {
                min: min.min(max),
                max,
                used: 0,
                vacancies: 0,
                holders: holders.open(max),
            })
            .collect();
        let prices = mentors
            .iter()
            .map(|mentor| match (mentor.max, mentor.min) {
                (0, _) => prohibitive_price,
                (_, 0) => W::default(),
                _ => -minimum,
            })
            .collect();
        Self {
            stride,
            auction: 0,
            minimum,
            second,
            lowest_price: if mentors.iter().any(|mentor| mentor.min > 0) { -minimum } else { W::default() },
            largest_first: problem
                .mentees
                .iter()
                .map(|&demand| first[usize::from(weight_class(demand))])
                .max()
                .unwrap_or_default(),
            mentees: problem
                .mentees
                .iter()
                .map(|&demand| MenteeState {
                    wanted: demand.wanted.min(2),
                    used: 0,
                    weight_class: weight_class(demand),
                })
                .collect(),
            mentors,
            places: vec![UNSERVED; problem.mentees.len() * stride],
            holders,
            u: problem
                .mentees
                .iter()
                .map(|&demand| match demand.wanted {
                    0 => prohibitive_price,
                    _ => -first[usize::from(weight_class(demand))],
                })
                .collect(),
            first,
            prices,
        }
    }

    /// Number of mentees.
    pub(super) fn mentees(&self) -> usize {
        self.mentees.len()
    }

    /// Number of mentors.
    pub(super) fn mentors(&self) -> usize {
        self.mentors.len()
    }

    /// Price of a mentor.
    pub(super) fn price(&self, mentor: usize) -> W {
        self.prices[mentor]
    }

    /// Prices of all mentors.
    pub(super) fn prices(&self) -> &[W] {
        &self.prices
    }

    /// Prices of all mentors, to change them.
    pub(super) fn prices_mut(&mut self) -> &mut [W] {
        &mut self.prices
    }

    /// Cost of ending a path at a mentor, in a vacancy or in the next seat; [`PriceInteger::INFINITE`] if there is
    /// neither.
    pub(super) fn exit_cost(&self, mentor: usize) -> W {
        let MentorState { max, used, vacancies, .. } = self.mentors[mentor];
        if vacancies > 0 {
            W::default()
        } else if used < max {
            -(self.seat_weight(mentor, used) + self.prices[mentor])
        } else {
            W::INFINITE
        }
    }

    /// Takes at most `most` seats of a mentor into use. These seats are vacancies.
    pub(super) fn open_vacancies(&mut self, mentor: usize, most: usize) {
        let entry = &mut self.mentors[mentor];
        let seats = entry.max.min(index(most));
        (entry.used, entry.vacancies) = (seats, seats);
    }

    /// A lower bound on the price of every mentor.
    pub(super) fn lowest_price(&self) -> W {
        self.lowest_price
    }

    /// Weight of the last place in use of a mentee after `spare` places have been closed.
    pub(super) fn place_weight_in_use(&self, mentee: usize, spare: usize) -> W {
        let MenteeState { used, weight_class, .. } = self.mentees[mentee];
        if usize::from(used) == spare + 1 { self.first[usize::from(weight_class)] } else { self.second }
    }

    /// Weight of the last seat in use of a mentor after `spare` seats have been closed.
    pub(super) fn seat_weight_in_use(&self, mentor: usize, spare: usize) -> W {
        let last = self.mentors[mentor].used - 1 - index(spare);
        self.seat_weight(mentor, last)
    }

    /// The price at which the next place of a mentee opens, if the mentee wants one more.
    pub(super) fn place_opening_price(&self, mentee: usize) -> Option<W> {
        let MenteeState { wanted, used, .. } = self.mentees[mentee];
        (used < wanted).then(|| -self.place_weight(mentee, used))
    }

    /// A lower bound on the price of every mentee.
    pub(super) fn lowest_mentee_price(&self) -> W {
        -self.largest_first
    }

    fn place_weight(&self, mentee: usize, place: u8) -> W {
        if place == 0 { self.first[usize::from(self.mentees[mentee].weight_class)] } else { self.second }
    }

    fn seat_weight(&self, mentor: usize, seat: u32) -> W {
        if seat < self.mentors[mentor].min { self.minimum } else { W::default() }
    }

    /// Places that a mentee wants and that are not in use.
    pub(super) fn unused(&self, mentee: usize) -> u8 {
        self.mentees[mentee].wanted - self.mentees[mentee].used
    }

    /// Places in use without a mentor.
    pub(super) fn unserved(&self, mentee: usize) -> usize {
        usize::from(self.mentees[mentee].used) - self.mates(mentee).count()
    }

    /// Cost of taking the last place of a mentee out of use; [`PriceInteger::INFINITE`] if no place is in use.
    pub(super) fn close_place_cost(&self, mentee: usize) -> W {
        match self.mentees[mentee].used {
            0 => W::INFINITE,
            used => self.place_weight(mentee, used - 1) + self.u[mentee],
        }
    }

    /// Cost of taking one more place of a mentee into use; [`PriceInteger::INFINITE`] if the mentee wants no more.
    pub(super) fn open_place_cost(&self, mentee: usize) -> W {
        let MenteeState { wanted, used, .. } = self.mentees[mentee];
        if used < wanted { -(self.place_weight(mentee, used) + self.u[mentee]) } else { W::INFINITE }
    }

    /// Takes one more place of a mentee into use.
    pub(super) fn open_place(&mut self, mentee: usize) {
        self.mentees[mentee].used += 1;
    }

    /// Takes one place of a mentee out of use.
    pub(super) fn close_place(&mut self, mentee: usize) {
        self.mentees[mentee].used -= 1;
    }

    /// Cost of taking the last seat of a mentor out of use; [`PriceInteger::INFINITE`] if no seat is in use.
    pub(super) fn close_seat_cost(&self, mentor: usize) -> W {
        match self.mentors[mentor].used {
            0 => W::INFINITE,
            used => self.seat_weight(mentor, used - 1) + self.prices[mentor],
        }
    }

    /// Sets the price of a mentor.
    pub(super) fn set_price(&mut self, mentor: usize, price: W) {
        self.prices[mentor] = price;
    }

    /// The price at which the next seat of a mentor opens, if there is one.
    pub(super) fn seat_opening_price(&self, mentor: usize) -> Option<W> {
        let MentorState { max, used, .. } = self.mentors[mentor];
        (used < max).then(|| -self.seat_weight(mentor, used))
    }

    /// Fills a vacancy of a mentor, or takes the next seat into use if there is no vacancy.
    pub(super) fn occupy_seat(&mut self, mentor: usize) {
        let entry = &mut self.mentors[mentor];
        if entry.vacancies > 0 {
            entry.vacancies -= 1;
        } else {
            entry.used += 1;
        }
    }

    /// Records that a mentee left a seat: the seat becomes a vacancy.
    pub(super) fn open_vacancy(&mut self, mentor: usize) {
        self.mentors[mentor].vacancies += 1;
    }

    /// Records that a vacancy is filled.
    pub(super) fn fill_vacancy(&mut self, mentor: usize) {
        self.mentors[mentor].vacancies -= 1;
    }

    /// Number of vacancies of a mentor.
    pub(super) fn vacancies(&self, mentor: usize) -> u32 {
        self.mentors[mentor].vacancies
    }

    /// Takes one seat of a mentor out of use.
    pub(super) fn close_seat(&mut self, mentor: usize) {
        self.mentors[mentor].used -= 1;
    }

    /// The served places of a mentee.
    pub(super) fn mates(&self, mentee: usize) -> impl Iterator<Item = MenteePlace> + '_ {
        self.places[mentee * self.stride..(mentee + 1) * self.stride]
            .iter()
            .copied()
            .filter(|place| place.mentor != NONE)
    }

    /// Whether a pair is in use.
    pub(super) fn are_mates(&self, mentee: usize, mentor: u32) -> bool {
        self.places[mentee * self.stride..(mentee + 1) * self.stride]
            .iter()
            .any(|place| place.mentor == mentor)
    }

    /// Whether a mentor offers any seat.
    pub(super) fn has_seats(&self, mentor: usize) -> bool {
        self.mentors[mentor].max > 0
    }

    /// Whether a mentee wants a mentor beside the mentors by pins.
    pub(super) fn wants_places(&self, mentee: usize) -> bool {
        self.mentees[mentee].wanted > 0
    }

    /// The mentees of a mentor, with the scores of the pairs.
    pub(super) fn holders(&self, mentor: usize) -> impl Iterator<Item = (usize, i32)> + '_ {
        self.holders
            .of(self.mentors[mentor].holders)
            .iter()
            .map(|holder| (holder.mentee as usize, holder.score))
    }

    /// Reads the memory that a bid for a mentor will read: the list of holders, the lowest holder and that holder's
    /// mentor.
    pub(super) fn prefetch(&self, mentor: usize) -> u32 {
        let lowest = self.holders.prefetch(self.mentors[mentor].holders) as usize;
        self.places.get(lowest * self.stride).map_or(NONE, |place| place.mentor)
    }

    /// Puts a pair into use. The caller counts seats and places.
    pub(super) fn attach(&mut self, mentee: usize, mentor: usize, score: i32) {
        let range = mentee * self.stride..(mentee + 1) * self.stride;
        let Some(place) = self.places[range].iter_mut().find(|place| place.mentor == NONE) else {
            debug_assert!(false, "a place in use has room");
            return;
        };
        *place = MenteePlace { mentor: index(mentor), score };
        let bid = W::from(score) - self.u[mentee];
        self.holders.push(&mut self.mentors[mentor].holders, Holder { bid, mentee: index(mentee), score });
    }

    /// Sets the prices and the pairs of all mentees in a state without pairs. `rebuild_mentee` computes the price and
    /// the pairs of one mentee from the prices of the mentors. `load` is an upper bound on the number of pairs of each
    /// mentor. [`PrimalDualState::begin_auction`] must be called before the next bid.
    pub(super) fn rebuild(
        &mut self,
        load: &[u32],
        rebuild_mentee: impl Fn(usize, &[W]) -> Result<RebuiltMentee<W>, Stopped> + Sync,
    ) -> Result<(), Stopped> {
        let Self { stride, mentees, mentors, places, holders, u, prices, .. } = self;
        let stride = (*stride).max(1);
        let rows = u.par_iter_mut().zip(&mut *mentees).zip(places.par_chunks_mut(stride)).enumerate();
        rows.with_min_len(MIN_ROWS_PER_TASK).try_for_each(|(mentee, ((u, entry), places))| {
            let rebuilt = rebuild_mentee(mentee, prices)?;
            *u = rebuilt.u;
            for (place, mate) in places.iter_mut().zip(rebuilt.mates.into_iter().flatten()) {
                *place = MenteePlace { mentor: mate.to, score: mate.score };
                entry.used += 1;
            }
            Ok(())
        })?;
        for (mentor, &load) in mentors.iter_mut().zip(load) {
            holders.reserve(&mut mentor.holders, load);
        }
        let rows = places.chunks(stride).zip(&*u).zip(0..);
        let held = rows.flat_map(|((places, &u), mentee)| {
            let served = places.iter().filter(|place| place.mentor != NONE);
            served.map(move |&MenteePlace { mentor, score }| {
                (mentor, Holder { bid: W::from(score) - u, mentee, score })
            })
        });
        holders.fill(mentors.iter_mut().map(|mentor| &mut mentor.holders).collect(), held);
        Ok(())
    }

    /// Takes `seats` seats of a mentor into use, or more if more have a mentee. Returns the number of vacancies.
    pub(super) fn set_seats_in_use(&mut self, mentor: usize, seats: u32) -> u32 {
        let entry = &mut self.mentors[mentor];
        let held = index(self.holders.of(entry.holders).len());
        (entry.used, entry.vacancies) = (seats.max(held), seats.saturating_sub(held));
        entry.vacancies
    }

    /// Takes a pair out of use. The caller counts seats and places.
    pub(super) fn detach(&mut self, mentee: usize, mentor: usize) {
        self.clear_place(mentee, mentor);
        self.holders.remove(&mut self.mentors[mentor].holders, index(mentee));
    }

    fn clear_place(&mut self, mentee: usize, mentor: usize) {
        let range = mentee * self.stride..(mentee + 1) * self.stride;
        let place = self.places[range].iter_mut().find(|place| place.mentor == index(mentor));
        debug_assert!(place.is_some(), "a pair in use has a place");
        if let Some(place) = place {
            *place = UNSERVED;
        }
    }

    /// Begins an auction: stored bids become invalid.
    pub(super) fn begin_auction(&mut self) {
        self.auction += 1;
    }

    /// The lowest bid that a mentor keeps. During an auction, holders of this mentor may only leave through
    /// [`PrimalDualState::detach_lowest`].
    pub(super) fn lowest_bid(&mut self, mentor: usize) -> Option<W> {
        let u = &self.u;
        let bid = |holder: &Holder<W>| W::from(holder.score) - u[holder.mentee as usize];
        self.holders.refresh(&mut self.mentors[mentor].holders, self.auction, bid);
        loop {
            let &Holder { bid, mentee, score } = self.holders.of(self.mentors[mentor].holders).first()?;
            // Stored bids are lower bounds: a bid for a second place lowers the price of the mentee, which raises the
            // bid for the first place. The lowest bid is corrected here, when it is needed.
            let present = W::from(score) - self.u[mentee as usize];
            if self.stride < 2 || present == bid {
                return Some(bid);
            }
            self.holders.correct_lowest(self.mentors[mentor].holders, present);
        }
    }

    /// Takes the pair with the lowest bid out of use and returns its mentee. Like [`PrimalDualState::lowest_bid`],
    /// for an auction.
    pub(super) fn detach_lowest(&mut self, mentor: usize) -> Option<usize> {
        let mentee = self.holders.of(self.mentors[mentor].holders).first()?.mentee as usize;
        self.holders.pop_lowest(&mut self.mentors[mentor].holders);
        self.clear_place(mentee, mentor);
        Some(mentee)
    }

    /// All pairs in use, by mentee and mentor.
    pub(super) fn pairs(&self) -> Vec<(u32, u32)> {
        let mut pairs = Vec::with_capacity(self.places.len());
        for mentee in 0..self.mentees() {
            let before = pairs.len();
            pairs.extend(self.mates(mentee).map(|place| (index(mentee), place.mentor)));
            pairs[before..].sort_unstable();
        }
        pairs
    }

    /// Prices of the mentees in 128 bits.
    pub(super) fn mentee_prices(&self) -> Vec<i128> {
        self.u.par_iter().map(|&price| price.into()).collect()
    }

    /// Prices of the mentors in 128 bits.
    pub(super) fn mentor_prices(&self) -> Vec<i128> {
        self.prices.par_iter().map(|&price| price.into()).collect()
    }
}
