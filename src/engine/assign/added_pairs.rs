//! Makes the prices hold again after pairs were added to the core.

use crate::engine::pair_scores::Edge;

use super::core::index;
use super::price_integer::PriceInteger;
use super::state::State;

/// What taking in new pairs leaves to be done.
#[derive(Debug, Default)]
pub(super) struct Upset {
    /// Mentees with unserved places.
    pub(super) waiting: Vec<u32>,
    /// Mentors with holes; a mentor may come more than once.
    pub(super) holes: Vec<u32>,
}

/// Takes in the pairs that were added to the core, given by mentee. A mentee to whom one of them offers more than her price
/// gets that price; mentors who are then too dear lose her, and she waits for another, as she does if a place more is now
/// worth having.
pub(super) fn take_in<'a, W: PriceInteger>(
    state: &mut State<W>,
    added: impl Iterator<Item = (usize, &'a [Edge])>,
) -> Upset {
    let mut upset = Upset::default();
    for (mentee, added) in added {
        let offers = added.iter().map(|arc| W::from(arc.score) - state.price(arc.to as usize));
        let Some(value) = offers.max().filter(|&value| value > state.u[mentee]) else { continue };
        state.u[mentee] = value;
        let too_dear: Vec<usize> = state
            .mates(mentee)
            .filter(|place| W::from(place.score) - value < state.price(place.mentor as usize))
            .map(|place| place.mentor as usize)
            .collect();
        for mentor in too_dear {
            state.detach(mentee, mentor);
            state.open_hole(mentor);
            upset.holes.push(index(mentor));
        }
        while state.enter_cost(mentee) < W::default() {
            state.enter(mentee);
        }
        if state.unserved(mentee) > 0 {
            upset.waiting.push(index(mentee));
        }
    }
    upset
}
