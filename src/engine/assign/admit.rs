//! Admission of violated pairs: restores complementary slackness after pairs were added to the core.

use crate::engine::pair_scores::Edge;

use super::core::index;
use super::price_integer::PriceInteger;
use super::primal_dual_state::{PrimalDualState, Unserved};

/// Admits pairs that were added to the core, given by mentee. A mentee to whom a new pair offers more than `u`
/// receives that value as the new price. Partners that are then too expensive are released, which leaves vacancies;
/// places that are now worthwhile enter use.
pub(super) fn admit<'a, W: PriceInteger>(
    state: &mut PrimalDualState<W>,
    added: impl Iterator<Item = (usize, &'a [Edge])>,
) -> Unserved {
    let mut unserved = Unserved::default();
    for (mentee, added) in added {
        let offers = added.iter().map(|edge| W::from(edge.score) - state.price(edge.to as usize));
        let Some(value) = offers.max().filter(|&value| value > state.u[mentee]) else { continue };
        state.u[mentee] = value;
        let too_expensive: Vec<usize> = state
            .mates(mentee)
            .filter(|place| W::from(place.score) - value < state.price(place.mentor as usize))
            .map(|place| place.mentor as usize)
            .collect();
        for mentor in too_expensive {
            state.detach(mentee, mentor);
            state.open_vacancy(mentor);
            unserved.vacancies.push(index(mentor));
        }
        while state.open_place_cost(mentee) < W::default() {
            state.open_place(mentee);
        }
        if state.unserved(mentee) > 0 {
            unserved.waiting.push(index(mentee));
        }
    }
    unserved
}
