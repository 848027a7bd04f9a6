//! The best assignment, exactly, with prices that prove it.
//!
//! One maximum-weight flow carries the whole lexicographic objective ([`levels`]). The matrix of scores is never stored:
//!
//! 1. [`core`]: one look at all pairs keeps every mentee's best mentors;
//! 2. [`auction`]: most mentees find their mentors by bidding;
//! 3. [`paths`]: shortest alternating paths serve the rest, exactly, on the core;
//! 4. [`pricing`]: a look at all pairs finds those that would beat the prices; [`repair`] takes them in;
//! 5. again from 4 until none is found: then the prices hold for every pair there is, which is the proof.
//!
//! [`crate::engine::certify`] checks that proof and shares no code with this module.

mod auction;
mod core;
mod counters;
mod levels;
mod paths;
mod pricing;
mod repair;
mod state;
#[cfg(test)]
pub(in crate::engine) mod tests;
mod tiles;
mod top;
mod tuning;
mod weight;

pub use self::counters::Counters;

use crate::domain::run::Stage;

use super::certify::Certificate;
use super::problem::{Observer, Problem, Stopped};

use self::core::{Core, Survey, index};
use self::counters::Pulse;
use self::levels::Levels;
use self::paths::Paths;
use self::state::State;
use self::tuning::Tuning;
use self::weight::Weight;

/// A best assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Pairs of a mentee and a mentor, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Prices that prove that no assignment is better.
    pub certificate: Certificate,
    /// Work done.
    pub counters: Counters,
}

/// Finds a best assignment: most mentees of tier 0 with a mentor, then of tier 1, and so on; then most minimum places
/// filled; then most second mentors; then the greatest total score. A mentee who wants two gets two different mentors.
///
/// The result depends on the problem alone, not on the number of threads. Work runs in the current rayon pool.
pub fn assign(problem: &Problem<'_>, observer: &dyn Observer) -> Result<Assignment, Stopped> {
    assign_tuned(problem, &Tuning::default(), observer)
}

fn assign_tuned(
    problem: &Problem<'_>,
    tuning: &Tuning,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    let Survey { core, lowest, highest } = core::survey(problem, tuning.breadth, observer)?;
    let levels = Levels::of(problem, lowest, highest);
    if levels.fit_i64() {
        solve::<i64>(problem, tuning, levels, core, observer)
    } else {
        solve::<i128>(problem, tuning, levels, core, observer)
    }
}

fn solve<W: Weight>(
    problem: &Problem<'_>,
    tuning: &Tuning,
    levels: Levels,
    mut core: Core,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    let mut counters = Counters::default();
    let mut pulse = Pulse::new(observer);
    let mut state = State::<W>::new(problem, &levels);
    let mut paths = Paths::new(&state);

    let waiting = open_all(&mut state);
    let waiting = auction::run(&mut state, &core, waiting, tuning.passes, &mut counters, &mut pulse)?;
    for (done, &mentee) in waiting.iter().enumerate() {
        let mentee = mentee as usize;
        observe(observer, done, waiting.len());
        state.settle(mentee, best_offer(&state, &core, mentee));
        if state.unserved(mentee) > 0 {
            paths.serve(&mut state, &core, mentee, &mut counters, &mut pulse)?;
        }
    }
    loop {
        counters.pricing_rounds += 1;
        let added = pricing::violations(problem, &state, tuning.worst, observer)?;
        let more: usize = added.iter().map(Vec::len).sum();
        if more == 0 {
            break;
        }
        counters.priced_in += more as u64;
        core.extend(&added);
        core.index_columns();
        for (mentee, added) in added.iter().enumerate().filter(|(_, added)| !added.is_empty()) {
            repair::take_in(&mut state, &core, &mut paths, mentee, added, &mut counters, &mut pulse)?;
        }
    }
    counters.core_arcs = core.len() as u64;
    let certificate = levels.certificate(state.mentee_prices(), state.mentor_prices());
    Ok(Assignment { pairs: state.pairs(), certificate, counters })
}

/// Takes all wanted places into use and lists them, first places before second ones.
fn open_all<W: Weight>(state: &mut State<W>) -> Vec<u32> {
    let mut waiting = Vec::with_capacity(state.mentees());
    for _ in 0..2 {
        for mentee in 0..state.mentees() {
            if state.unused(mentee) > 0 {
                state.enter(mentee);
                waiting.push(index(mentee));
            }
        }
    }
    waiting
}

/// The most that a pair of the core offers to a mentee beside those she uses; far below everything if there is none.
fn best_offer<W: Weight>(state: &State<W>, core: &Core, mentee: usize) -> W {
    core.row(mentee)
        .iter()
        .filter(|arc| !state.are_mates(mentee, arc.to))
        .map(|arc| W::from(arc.score) - state.door(arc.to as usize).price)
        .max()
        .unwrap_or(-W::FAR)
}

fn observe(observer: &dyn Observer, done: usize, total: usize) {
    if done.is_multiple_of(256) {
        observer.progress(Stage::Assign, done as u64, total as u64);
    }
}
