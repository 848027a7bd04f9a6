//! The auction: a quick, nearly complete assignment with valid prices.
//!
//! Mentees without a mentor bid, one after the other, for the mentor who offers most: as much as leaves them what the
//! second best offers. A mentor keeps the highest bids, and her price is the lowest bid that she keeps ("similar objects",
//! Bertsekas and Castanon 1989; with increments of zero it is the augmenting row reduction of Jonker and Volgenant 1987).
//! Prices only rise and no increment is added, so the conditions of [`State`] hold throughout. Bids that do not raise a
//! price wait for the next pass; what is left after the passes is for [`super::paths`].

use crate::engine::problem::Stopped;

use super::core::{Core, index};
use super::counters::Work;
use super::state::State;
use super::weight::Weight;

/// Bids per waiting place in one pass: ends price wars early, since a path search settles them at once.
const PATIENCE: u64 = 8;

/// The offers a mentee has at present prices.
struct Offers<W> {
    best: W,
    mentor: usize,
    score: i32,
    second: W,
}

/// Runs the auction for the places that wait, and gives the mentees whose places still wait.
pub(super) fn run<W: Weight>(
    state: &mut State<W>,
    core: &Core,
    mut waiting: Vec<u32>,
    passes: usize,
    work: &mut Work<'_>,
) -> Result<Vec<u32>, Stopped> {
    for _ in 0..passes {
        let before = waiting.len();
        let mut budget = PATIENCE * before as u64;
        let mut later = Vec::new();
        waiting.reverse();
        while let Some(mentee) = waiting.pop() {
            if budget == 0 {
                later.push(mentee);
                continue;
            }
            budget -= 1;
            work.counters.bids += 1;
            let row = core.row(mentee as usize);
            work.counters.arcs += row.len() as u64;
            work.pulse.beat(row.len())?;
            if let Some(Displaced { mentee, price_rose }) = bid(state, core, mentee as usize) {
                if price_rose {
                    waiting.push(mentee);
                } else {
                    later.push(mentee);
                }
            }
        }
        waiting = later;
        if waiting.len() + before / 100 >= before {
            break;
        }
    }
    Ok(waiting)
}

/// Somebody who lost her seat to a bid, or whose bid came too late for the price she saw.
struct Displaced {
    mentee: u32,
    price_rose: bool,
}

fn bid<W: Weight>(state: &mut State<W>, core: &Core, mentee: usize) -> Option<Displaced> {
    let leave = state.leave_cost(mentee) - state.u[mentee];
    let offers = offers(state, core, mentee, -leave);
    let Some(Offers { mentor, score, second, .. }) = offers else {
        state.leave(mentee);
        state.u[mentee] = -leave;
        return None;
    };
    let before = state.door(mentor).price;
    let mut displaced = None;
    if state.is_open(mentor) {
        state.take_seat(mentor);
    } else if let Some((loser, lowest)) = lowest_bid(state, mentor) {
        if lowest > before {
            raise(state, mentor);
            return Some(Displaced { mentee: index(mentee), price_rose: true });
        }
        state.detach(loser, mentor);
        displaced = Some(loser);
    }
    state.u[mentee] = second;
    state.attach(mentee, mentor, score);
    if !state.is_open(mentor) {
        raise(state, mentor);
    }
    let price_rose = state.door(mentor).price > before;
    displaced.map(|loser| Displaced { mentee: index(loser), price_rose })
}

/// Raises a full mentor's price to the lowest bid that she keeps, or until her next seat opens.
fn raise<W: Weight>(state: &mut State<W>, mentor: usize) {
    let Some((_, lowest)) = lowest_bid(state, mentor) else { return };
    let price = state.next_opening(mentor).map_or(lowest, |opening| opening.min(lowest));
    state.set_price(mentor, price);
}

/// The holder who would leave a mentor first if her price rose, and the price at which she would.
fn lowest_bid<W: Weight>(state: &State<W>, mentor: usize) -> Option<(usize, W)> {
    state
        .holders(mentor)
        .map(|(mentee, score)| (mentee, W::from(score) - state.u[mentee]))
        .min_by_key(|&(_, bid)| bid)
}

/// The best two offers to a mentee, of which the second is at least `outside`; `None` if no mentor offers more than that.
/// Among equal offers that of a mentor with an open seat is taken.
fn offers<W: Weight>(state: &State<W>, core: &Core, mentee: usize, outside: W) -> Option<Offers<W>> {
    let mut found: Option<Offers<W>> = None;
    let cheapest = state.lowest_price();
    let mut second = outside;
    for arc in core.row(mentee) {
        let score = W::from(arc.score);
        if score - cheapest <= second {
            break;
        }
        let door = state.door(arc.to as usize);
        let value = score - door.price;
        if value < second || state.are_mates(mentee, arc.to) {
            continue;
        }
        match &mut found {
            None if value <= outside => {}
            Some(offers) if value < offers.best => second = value,
            Some(offers) if value == offers.best => {
                second = value;
                if door.is_open() && !state.is_open(offers.mentor) {
                    (offers.mentor, offers.score) = (arc.to as usize, arc.score);
                }
            }
            _ => {
                second = found.as_ref().map_or(second, |offers| offers.best);
                found = Some(Offers { best: value, mentor: arc.to as usize, score: arc.score, second });
            }
        }
    }
    found.map(|offers| Offers { second, ..offers })
}
