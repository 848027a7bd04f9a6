//! Repair: makes prices hold again after pairs were added to the core.

use crate::engine::problem::Stopped;

use super::core::{Arc, Core};
use super::counters::{Counters, Pulse};
use super::paths::Paths;
use super::state::State;
use super::weight::Weight;

/// Takes in the pairs that were added to the core for `mentee`. If one of them still offers more than her price says, her
/// price rises to it, mentors who are then too dear lose her, and paths put all in order: she finds a mentor again, and
/// the seats that she left find an heir or are given up. The core's columns must be indexed.
pub(super) fn take_in<W: Weight>(
    state: &mut State<W>,
    core: &Core,
    paths: &mut Paths<W>,
    mentee: usize,
    added: &[Arc],
    counters: &mut Counters,
    pulse: &mut Pulse<'_>,
) -> Result<(), Stopped> {
    let offers = added
        .iter()
        .filter(|arc| !state.are_mates(mentee, arc.to))
        .map(|arc| W::from(arc.score) - state.door(arc.to as usize).price);
    let Some(value) = offers.max().filter(|&value| value > state.u[mentee]) else { return Ok(()) };
    state.u[mentee] = value;
    let too_dear: Vec<usize> = state
        .mates(mentee)
        .filter(|place| W::from(place.score) - value < state.door(place.mentor as usize).price)
        .map(|place| place.mentor as usize)
        .collect();
    for &mentor in &too_dear {
        state.detach(mentee, mentor);
        state.open_hole(mentor);
    }
    while state.enter_cost(mentee) < W::default() {
        state.enter(mentee);
    }
    for _ in 0..state.unserved(mentee) {
        paths.serve(state, core, mentee, counters, pulse)?;
    }
    for mentor in too_dear {
        while state.holes(mentor) > 0 {
            paths.fill(state, core, mentor, counters, pulse)?;
        }
    }
    Ok(())
}
