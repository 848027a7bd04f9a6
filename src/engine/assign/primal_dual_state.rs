//! Who is with whom, and the prices.
//!
//! The problem is a flow: from a root into every mentee (one unit per place, with the place's bonus), along pairs (with
//! the score), and from mentors back to the root (one unit per seat, with the seat's bonus). Prices `u` of mentees and `p`
//! of mentors are kept so that, over the core,
//!
//! - a pair not used costs `u + p - score >= 0`, a pair used has a slack `score - u - p >= 0`;
//! - a place in use has `bonus + u >= 0`, the next one `bonus + u <= 0`;
//! - a seat in use has `bonus + p >= 0`, the next one `bonus + p <= 0`.
//!
//! These are the conditions of complementary slackness: an assignment that meets them for all pairs is optimal. While the
//! solver works a mentee may have places *in use* but not yet served, and a mentor may have *vacancies*: seats in use that
//! nobody holds. At the end there are none.

use rayon::prelude::*;

use crate::engine::observer::Stopped;
use crate::engine::pair_scores::Edge;
use crate::engine::problem::{Demand, Problem, Seats};

use super::core::index;
use super::holders::{Holder, HolderList, Holders};
use super::lexicographic_weights::LexicographicWeights;
use super::price_integer::PriceInteger;

/// No unit, no mentor.
pub(super) const NONE: u32 = u32::MAX;

/// What a bid or a path asks of a mentor beside her price, in one line of the cache.
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

/// A place of a mentee: the mentor who serves it.
#[derive(Debug, Clone, Copy)]
pub(super) struct MenteePlace {
    /// The mentor, or [`NONE`].
    pub(super) mentor: u32,
    /// Score of the pair.
    pub(super) score: i32,
}

/// What a mentee is given by a start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RestoredMentee<W> {
    /// Her price.
    pub(super) u: W,
    /// Her pairs.
    pub(super) mates: [Option<Edge>; 2],
}

/// Mentees that one task settles at least.
const MIN_ROWS_PER_TASK: usize = 4096;

const UNSERVED: MenteePlace = MenteePlace { mentor: NONE, score: 0 };

/// The weight class of a mentee: her tier, or the one weight class of all who have a mentor by a pin.
fn weight_class(demand: Demand) -> u16 {
    if demand.pinned > 0 { u16::from(u8::MAX) + 1 } else { u16::from(demand.tier) }
}

/// The state of the solver.
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
    /// What first places count for, by weight class of mentee.
    first: Vec<W>,
    /// Prices of mentees.
    pub(super) u: Vec<W>,
    /// Prices of mentors: apart from all else, since nothing is read as often.
    prices: Vec<W>,
}

impl<W: PriceInteger> PrimalDualState<W> {
    /// Nobody is matched, nobody wants anything yet, and every mentor is as cheap as she can be.
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

    /// What it costs to end a path at a mentor, in a vacancy or a free seat; [`PriceInteger::INFINITE`] if there is none.
    pub(super) fn exit_cost(&self, mentor: usize) -> W {
        let MentorState { max, used, vacancies, .. } = self.mentors[mentor];
        if vacancies > 0 {
            W::default()
        } else if used < max {
            -(self.seat_bonus(mentor, used) + self.prices[mentor])
        } else {
            W::INFINITE
        }
    }

    /// Whether a mentor has a vacancy, or a free seat at her present price.
    pub(super) fn is_open(&self, mentor: usize) -> bool {
        self.exit_cost(mentor) == W::default()
    }

    /// Takes as many of a mentor's seats into use as `most`; they are vacancies.
    pub(super) fn open_vacancies(&mut self, mentor: usize, most: usize) {
        let entry = &mut self.mentors[mentor];
        let seats = entry.max.min(index(most));
        (entry.used, entry.vacancies) = (seats, seats);
    }

    /// No mentor's price is ever lower.
    pub(super) fn lowest_price(&self) -> W {
        self.lowest_price
    }

    /// What a mentee's place in use counts for, where `spare` places in use are left out of account.
    pub(super) fn place_worth(&self, mentee: usize, spare: usize) -> W {
        let MenteeState { used, weight_class, .. } = self.mentees[mentee];
        if usize::from(used) == spare + 1 { self.first[usize::from(weight_class)] } else { self.second }
    }

    /// What a mentor's last seat in use counts for, where `spare` seats in use are left out of account.
    pub(super) fn seat_worth(&self, mentor: usize, spare: usize) -> W {
        let last = self.mentors[mentor].used - 1 - index(spare);
        self.seat_bonus(mentor, last)
    }

    /// The price at which a mentee's next place opens, if she wants one more.
    pub(super) fn place_opening_price(&self, mentee: usize) -> Option<W> {
        let MenteeState { wanted, used, .. } = self.mentees[mentee];
        (used < wanted).then(|| -self.place_bonus(mentee, used))
    }

    /// No mentee's price is ever lower.
    pub(super) fn lowest_mentee_price(&self) -> W {
        -self.largest_first
    }

    fn place_bonus(&self, mentee: usize, place: u8) -> W {
        if place == 0 { self.first[usize::from(self.mentees[mentee].weight_class)] } else { self.second }
    }

    fn seat_bonus(&self, mentor: usize, seat: u32) -> W {
        if seat < self.mentors[mentor].min { self.minimum } else { W::default() }
    }

    /// Places that a mentee wants and that are not in use.
    pub(super) fn unused(&self, mentee: usize) -> u8 {
        self.mentees[mentee].wanted - self.mentees[mentee].used
    }

    /// Places in use that nobody serves.
    pub(super) fn unserved(&self, mentee: usize) -> usize {
        usize::from(self.mentees[mentee].used) - self.mates(mentee).count()
    }

    /// What a mentee's last place in use is worth to her: the cost of giving it up.
    pub(super) fn close_place_cost(&self, mentee: usize) -> W {
        match self.mentees[mentee].used {
            0 => W::INFINITE,
            used => self.place_bonus(mentee, used - 1) + self.u[mentee],
        }
    }

    /// The cost of taking one place more into use.
    pub(super) fn open_place_cost(&self, mentee: usize) -> W {
        let MenteeState { wanted, used, .. } = self.mentees[mentee];
        if used < wanted { -(self.place_bonus(mentee, used) + self.u[mentee]) } else { W::INFINITE }
    }

    /// Takes one place more into use.
    pub(super) fn open_place(&mut self, mentee: usize) {
        self.mentees[mentee].used += 1;
    }

    /// Gives one place up.
    pub(super) fn close_place(&mut self, mentee: usize) {
        self.mentees[mentee].used -= 1;
    }

    /// The cost of giving up a seat in use.
    pub(super) fn close_seat_cost(&self, mentor: usize) -> W {
        match self.mentors[mentor].used {
            0 => W::INFINITE,
            used => self.seat_bonus(mentor, used - 1) + self.prices[mentor],
        }
    }

    /// What it costs to put a pair into use: nothing or more for a pair not in use, nothing or less for one in use.
    pub(super) fn cost(&self, mentee: usize, mentor: usize, score: i32) -> W {
        self.u[mentee] + self.prices[mentor] - W::from(score)
    }

    /// Sets a mentor's price.
    pub(super) fn set_price(&mut self, mentor: usize, price: W) {
        self.prices[mentor] = price;
    }

    /// The price at which a full mentor's next seat opens, if she has one.
    pub(super) fn seat_opening_price(&self, mentor: usize) -> Option<W> {
        let MentorState { max, used, .. } = self.mentors[mentor];
        (used < max).then(|| -self.seat_bonus(mentor, used))
    }

    /// Takes a vacancy or the next seat into use.
    pub(super) fn occupy_seat(&mut self, mentor: usize) {
        let entry = &mut self.mentors[mentor];
        if entry.vacancies > 0 {
            entry.vacancies -= 1;
        } else {
            entry.used += 1;
        }
    }

    /// A seat that somebody has left becomes a vacancy.
    pub(super) fn open_vacancy(&mut self, mentor: usize) {
        self.mentors[mentor].vacancies += 1;
    }

    /// A vacancy is filled by somebody.
    pub(super) fn fill_vacancy(&mut self, mentor: usize) {
        self.mentors[mentor].vacancies -= 1;
    }

    /// Holes of a mentor.
    pub(super) fn vacancies(&self, mentor: usize) -> u32 {
        self.mentors[mentor].vacancies
    }

    /// Gives a seat up.
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

    /// Whether a mentee wants any mentor beside those she has by pins.
    pub(super) fn wants_places(&self, mentee: usize) -> bool {
        self.mentees[mentee].wanted > 0
    }

    /// The mentees whom a mentor serves, with the pairs' scores.
    pub(super) fn holders(&self, mentor: usize) -> impl Iterator<Item = (usize, i32)> + '_ {
        self.holders
            .of(self.mentors[mentor].holders)
            .iter()
            .map(|holder| (holder.mentee as usize, holder.score))
    }

    /// Reads what a bid for a mentor will read: where her holders are, the lowest of them, and whom that mentee has.
    pub(super) fn prefetch(&self, mentor: usize) -> u32 {
        let lowest = self.holders.prefetch(self.mentors[mentor].holders) as usize;
        self.places.get(lowest * self.stride).map_or(NONE, |place| place.mentor)
    }

    /// Puts a pair into use. Seats and places are counted by the caller.
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

    /// Sets the prices of all mentees and whom each has, from a state in which nobody has anybody: what `restore` says at
    /// the mentors' prices. `load` is the most that each mentor is given. An auction has to begin before the next bid.
    pub(super) fn restore(
        &mut self,
        load: &[u32],
        restore: impl Fn(usize, &[W]) -> Result<RestoredMentee<W>, Stopped> + Sync,
    ) -> Result<(), Stopped> {
        let Self { stride, mentees, mentors, places, holders, u, prices, .. } = self;
        let stride = (*stride).max(1);
        let rows = u.par_iter_mut().zip(&mut *mentees).zip(places.par_chunks_mut(stride)).enumerate();
        rows.with_min_len(MIN_ROWS_PER_TASK).try_for_each(|(mentee, ((u, entry), places))| {
            let settled = restore(mentee, prices)?;
            *u = settled.u;
            for (place, mate) in places.iter_mut().zip(settled.mates.into_iter().flatten()) {
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

    /// Takes so many of a mentor's seats into use, or as many as are held; those that nobody holds are vacancies. Gives their
    /// number.
    pub(super) fn set_seats_in_use(&mut self, mentor: usize, seats: u32) -> u32 {
        let entry = &mut self.mentors[mentor];
        let held = index(self.holders.of(entry.holders).len());
        (entry.used, entry.vacancies) = (seats.max(held), seats.saturating_sub(held));
        entry.vacancies
    }

    /// Puts a pair out of use. Seats and places are counted by the caller.
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

    /// An auction begins: bids known from before no longer count.
    pub(super) fn begin_auction(&mut self) {
        self.auction += 1;
    }

    /// The lowest bid that a mentor keeps. For the auction: nobody else may have left her since it began.
    pub(super) fn lowest_bid(&mut self, mentor: usize) -> Option<W> {
        let u = &self.u;
        let bid = |holder: &Holder<W>| W::from(holder.score) - u[holder.mentee as usize];
        self.holders.refresh(&mut self.mentors[mentor].holders, self.auction, bid);
        loop {
            let &Holder { bid, mentee, score } = self.holders.of(self.mentors[mentor].holders).first()?;
            // One who bids for a second place lowers her price, and so bids more for the first than she did.
            let present = W::from(score) - self.u[mentee as usize];
            if self.stride < 2 || present == bid {
                return Some(bid);
            }
            self.holders.correct_lowest(self.mentors[mentor].holders, present);
        }
    }

    /// Puts the pair with the lowest bid out of use, and names its mentee. For the auction, like [`PrimalDualState::lowest_bid`].
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

    /// The mentees' prices, widened.
    pub(super) fn mentee_prices(&self) -> Vec<i128> {
        self.u.par_iter().map(|&price| price.into()).collect()
    }

    /// The mentors' prices, widened.
    pub(super) fn mentor_prices(&self) -> Vec<i128> {
        self.prices.par_iter().map(|&price| price.into()).collect()
    }
}
