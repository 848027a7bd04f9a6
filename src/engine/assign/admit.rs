//! Makes the prices hold again after pairs were added to the core.

use crate::engine::pair_scores::Edge;

use super::core::index;
use super::price_integer::PriceInteger;
use super::primal_dual_state::PrimalDualState;

/// What taking in new pairs leaves to be done.
#[derive(Debug, Default)]
pub(super) struct Unserved {
    /// Mentees with unserved places.
    pub(super) waiting: Vec<u32>,
    /// Mentors with vacancies; a mentor may come more than once.
    pub(super) vacancies: Vec<u32>,
}

/// Takes in the pairs that were added to the core, given by mentee. A mentee to whom one of them offers more than her price
/// gets that price; mentors who are then too dear lose her, and she waits for another, as she does if a place more is now
/// worth having.
pub(super) fn admit<'a, W: PriceInteger>(
    state: &mut PrimalDualState<W>,
    added: impl Iterator<Item = (usize, &'a [Edge])>,
) -> Unserved {
    let mut upset = Unserved::default();
    for (mentee, added) in added {
        let offers = added.iter().map(|edge| W::from(edge.score) - state.price(edge.to as usize));
        let Some(value) = offers.max().filter(|&value| value > state.u[mentee]) else { continue };
        state.u[mentee] = value;
        let too_dear: Vec<usize> = state
            .mates(mentee)
            .filter(|place| W::from(place.score) - value < state.price(place.mentor as usize))
            .map(|place| place.mentor as usize)
            .collect();
        for mentor in too_dear {
            state.detach(mentee, mentor);
            state.open_vacancy(mentor);
            upset.vacancies.push(index(mentor));
        }
        while state.open_place_cost(mentee) < W::default() {
            state.open_place(mentee);
        }
        if state.unserved(mentee) > 0 {
            upset.waiting.push(index(mentee));
        }
    }
    upset
}
