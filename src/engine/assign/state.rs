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
//! solver works a mentee may have places *in use* but not yet served, and a mentor may have *holes*: seats in use that
//! nobody holds. At the end there are none.

use crate::engine::problem::{Problem, Seats};

use super::core::index;
use super::levels::Levels;
use super::weight::Weight;

/// No unit, no mentor.
pub(super) const NONE: u32 = u32::MAX;

/// What a search reads of a mentor, in one piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct Door<W> {
    /// The mentor's price.
    pub(super) price: W,
    /// What it costs to end a path here, in a hole or a free seat; [`Weight::FAR`] if there is none.
    pub(super) exit: W,
}

impl<W: Weight> Door<W> {
    /// Whether a path may end here at no cost.
    pub(super) fn is_open(&self) -> bool {
        self.exit == W::default()
    }
}

#[derive(Debug, Clone, Copy)]
struct Mentor {
    min: u32,
    max: u32,
    taken: u32,
    holes: u32,
    head: u32,
}

#[derive(Debug, Clone, Copy)]
struct Mentee {
    wanted: u8,
    used: u8,
}

/// A place of a mentee: the mentor who serves it, and its neighbours in that mentor's list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The mentor, or [`NONE`].
    pub(super) mentor: u32,
    /// Score of the pair.
    pub(super) score: i32,
    next: u32,
    before: u32,
}

const VACANT: Place = Place { mentor: NONE, score: 0, next: NONE, before: NONE };

/// The state of the solver.
#[derive(Debug)]
pub(super) struct State<W> {
    stride: usize,
    minimum: W,
    second: W,
    lowest_price: W,
    mentees: Vec<Mentee>,
    mentors: Vec<Mentor>,
    places: Vec<Place>,
    first: Vec<W>,
    /// Prices of mentees.
    pub(super) u: Vec<W>,
    doors: Vec<Door<W>>,
}

impl<W: Weight> State<W> {
    /// Nobody is matched, nobody wants anything yet, and every mentor is as cheap as she can be.
    pub(super) fn new(problem: &Problem<'_>, levels: &Levels) -> Self {
        let (minimum, second): (W, W) = (levels.minimum(), levels.second());
        let nobody_pays = W::narrow(levels.nobody_pays());
        let stride =
            problem.mentees.iter().map(|demand| usize::from(demand.wanted.min(2))).max().unwrap_or(0);
        let first: Vec<W> = problem.mentees.iter().map(|demand| levels.first(demand.tier)).collect();
        let mentors: Vec<Mentor> = problem
            .mentors
            .iter()
            .map(|&Seats { min, max }| Mentor { min: min.min(max), max, taken: 0, holes: 0, head: NONE })
            .collect();
        let doors = mentors
            .iter()
            .map(|mentor| match (mentor.max, mentor.min) {
                (0, _) => Door { price: nobody_pays, exit: W::FAR },
                (_, 0) => Door { price: W::default(), exit: W::default() },
                _ => Door { price: -minimum, exit: W::default() },
            })
            .collect();
        Self {
            stride,
            minimum,
            second,
            lowest_price: if mentors.iter().any(|mentor| mentor.min > 0) { -minimum } else { W::default() },
            mentees: problem.mentees.iter().map(|d| Mentee { wanted: d.wanted.min(2), used: 0 }).collect(),
            mentors,
            places: vec![VACANT; problem.mentees.len() * stride],
            u: first
                .iter()
                .zip(problem.mentees)
                .map(|(&bonus, demand)| if demand.wanted == 0 { nobody_pays } else { -bonus })
                .collect(),
            first,
            doors,
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

    /// Price and exit of a mentor.
    pub(super) fn door(&self, mentor: usize) -> Door<W> {
        self.doors[mentor]
    }

    /// Whether a mentor has a hole, or a free seat at her present price.
    pub(super) fn is_open(&self, mentor: usize) -> bool {
        self.doors[mentor].is_open()
    }

    /// No mentor's price is ever lower.
    pub(super) fn lowest_price(&self) -> W {
        self.lowest_price
    }

    fn place_bonus(&self, mentee: usize, place: u8) -> W {
        if place == 0 { self.first[mentee] } else { self.second }
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
    pub(super) fn leave_cost(&self, mentee: usize) -> W {
        match self.mentees[mentee].used {
            0 => W::FAR,
            used => self.place_bonus(mentee, used - 1) + self.u[mentee],
        }
    }

    /// The cost of taking one place more into use.
    pub(super) fn enter_cost(&self, mentee: usize) -> W {
        let Mentee { wanted, used } = self.mentees[mentee];
        if used < wanted { -(self.place_bonus(mentee, used) + self.u[mentee]) } else { W::FAR }
    }

    /// Takes one place more into use.
    pub(super) fn enter(&mut self, mentee: usize) {
        self.mentees[mentee].used += 1;
    }

    /// Gives one place up.
    pub(super) fn leave(&mut self, mentee: usize) {
        self.mentees[mentee].used -= 1;
    }

    /// Sets a price so low that the mentee's unserved places are worth it, or gives these places up.
    /// `value` is the most that any pair she does not use offers at present prices.
    pub(super) fn settle(&mut self, mentee: usize, value: W) {
        if self.mates(mentee).next().is_some() {
            return;
        }
        self.u[mentee] = value;
        while self.leave_cost(mentee) < W::default() {
            self.leave(mentee);
        }
        if self.mentees[mentee].used == 0 {
            self.u[mentee] = -self.first[mentee];
        }
    }

    /// The cost of giving up a seat in use.
    pub(super) fn vacate_cost(&self, mentor: usize) -> W {
        match self.mentors[mentor].taken {
            0 => W::FAR,
            taken => self.seat_bonus(mentor, taken - 1) + self.doors[mentor].price,
        }
    }

    /// What it costs to put a pair into use: nothing or more for a pair not in use, nothing or less for one in use.
    pub(super) fn cost(&self, mentee: usize, mentor: usize, score: i32) -> W {
        self.u[mentee] + self.doors[mentor].price - W::from(score)
    }

    /// Sets a mentor's price.
    pub(super) fn set_price(&mut self, mentor: usize, price: W) {
        self.doors[mentor].price = price;
        self.refresh_exit(mentor);
    }

    fn refresh_exit(&mut self, mentor: usize) {
        let Mentor { max, taken, holes, .. } = self.mentors[mentor];
        self.doors[mentor].exit = if holes > 0 {
            W::default()
        } else if taken < max {
            -(self.seat_bonus(mentor, taken) + self.doors[mentor].price)
        } else {
            W::FAR
        };
    }

    /// The price at which a full mentor's next seat opens, if she has one.
    pub(super) fn next_opening(&self, mentor: usize) -> Option<W> {
        let Mentor { max, taken, .. } = self.mentors[mentor];
        (taken < max).then(|| -self.seat_bonus(mentor, taken))
    }

    /// Takes a hole or the next seat into use.
    pub(super) fn take_seat(&mut self, mentor: usize) {
        let entry = &mut self.mentors[mentor];
        if entry.holes > 0 {
            entry.holes -= 1;
        } else {
            entry.taken += 1;
        }
        self.refresh_exit(mentor);
    }

    /// A seat that somebody has left becomes a hole.
    pub(super) fn open_hole(&mut self, mentor: usize) {
        self.mentors[mentor].holes += 1;
        self.refresh_exit(mentor);
    }

    /// A hole is filled by somebody.
    pub(super) fn fill_hole(&mut self, mentor: usize) {
        self.mentors[mentor].holes -= 1;
        self.refresh_exit(mentor);
    }

    /// Holes of a mentor.
    pub(super) fn holes(&self, mentor: usize) -> u32 {
        self.mentors[mentor].holes
    }

    /// Gives a seat up.
    pub(super) fn vacate(&mut self, mentor: usize) {
        self.mentors[mentor].taken -= 1;
        self.refresh_exit(mentor);
    }

    /// The served places of a mentee.
    pub(super) fn mates(&self, mentee: usize) -> impl Iterator<Item = Place> + '_ {
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

    /// Whether a mentee may be sent to a mentor: one of her places is in use, and the mentor does not serve her.
    pub(super) fn is_eager(&self, mentee: usize, mentor: u32) -> bool {
        self.mentees[mentee].used > 0 && !self.are_mates(mentee, mentor)
    }

    /// The mentees whom a mentor serves, with the pairs' scores.
    pub(super) fn holders(&self, mentor: usize) -> impl Iterator<Item = (usize, i32)> + '_ {
        let mut at = self.mentors[mentor].head;
        std::iter::from_fn(move || {
            if at == NONE {
                return None;
            }
            let place = self.places[at as usize];
            let mentee = at as usize / self.stride;
            at = place.next;
            Some((mentee, place.score))
        })
    }

    /// Puts a pair into use. Seats and places are counted by the caller.
    pub(super) fn attach(&mut self, mentee: usize, mentor: usize, score: i32) {
        let range = mentee * self.stride..(mentee + 1) * self.stride;
        let Some(at) = range.into_iter().find(|&at| self.places[at].mentor == NONE) else {
            debug_assert!(false, "a place in use has room");
            return;
        };
        let head = self.mentors[mentor].head;
        self.places[at] = Place { mentor: index(mentor), score, next: head, before: NONE };
        if head != NONE {
            self.places[head as usize].before = index(at);
        }
        self.mentors[mentor].head = index(at);
    }

    /// Puts a pair out of use. Seats and places are counted by the caller.
    pub(super) fn detach(&mut self, mentee: usize, mentor: usize) {
        let range = mentee * self.stride..(mentee + 1) * self.stride;
        let Some(at) = range.into_iter().find(|&at| self.places[at].mentor == index(mentor)) else {
            debug_assert!(false, "a pair in use has a place");
            return;
        };
        let Place { next, before, .. } = self.places[at];
        if next != NONE {
            self.places[next as usize].before = before;
        }
        if before == NONE {
            self.mentors[mentor].head = next;
        } else {
            self.places[before as usize].next = next;
        }
        self.places[at] = VACANT;
    }

    /// All pairs in use, by mentee and mentor.
    pub(super) fn pairs(&self) -> Vec<(u32, u32)> {
        let mut pairs: Vec<(u32, u32)> = (0..self.mentees())
            .flat_map(|mentee| self.mates(mentee).map(move |place| (index(mentee), place.mentor)))
            .collect();
        pairs.sort_unstable();
        pairs
    }

    /// The mentees' prices, widened.
    pub(super) fn mentee_prices(&self) -> Vec<i128> {
        self.u.iter().map(|&price| price.into()).collect()
    }

    /// The mentors' prices, widened.
    pub(super) fn mentor_prices(&self) -> Vec<i128> {
        self.doors.iter().map(|door| door.price.into()).collect()
    }
}
