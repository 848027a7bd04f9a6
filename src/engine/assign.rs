//! The best assignment, exactly, with prices that prove it.
//!
//! One maximum-weight flow carries the whole lexicographic objective ([`levels`]). The matrix of scores is never stored:
//!
//! 1. [`core`]: one look at all pairs keeps every mentee's best mentors;
//! 2. [`auction`]: most mentees find their mentors by bidding;
//! 3. [`phases`] and [`paths`]: shortest alternating paths serve the others, exactly, on the core;
//! 4. [`pricing`]: a look at all pairs finds those that would beat the prices; [`repair`] takes them in;
//! 5. again from 3 until none is found and nobody waits: then the prices hold for every pair there is.
//!
//! Step 3 pauses for step 4 when prices have moved far ([`Levels::span`]): prices that rise because the core lacks a pair
//! would upset nearly everybody once that pair comes in.
//!
//! [`crate::engine::certify`] checks the result and shares no code with this module.

mod auction;
mod core;
mod counters;
mod levels;
mod paths;
mod phases;
mod pricing;
mod repair;
mod state;
#[cfg(test)]
pub(in crate::engine) mod tests;
pub(super) mod tiles;
pub(super) mod top;
mod tuning;
pub(super) mod weight;

pub use self::counters::Counters;

use crate::domain::run::Stage;

use super::certify::Certificate;
use super::problem::{Observer, Problem, Stopped};

pub(super) use self::core::index;
use self::core::{Core, Survey};
pub(super) use self::counters::{Pulse, Work};

use self::levels::Levels;
use self::paths::Paths;
use self::phases::Phases;
use self::state::State;
use self::tuning::Tuning;
use self::weight::Weight;

/// Pricing is fruitless if it finds fewer pairs than one for so many waiting mentees: then prices may move farther before
/// the next time.
const FRUITLESS: usize = 4;

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

/// The same with weights that keep the order of aims where so many groups have floors and ceilings: where
/// [`quota`](super::quota) starts from. Nothing if these weights are beyond what a certificate holds.
pub(super) fn assign_before_quotas(
    problem: &Problem<'_>,
    groups: usize,
    observer: &dyn Observer,
) -> Result<Option<Assignment>, Stopped> {
    let tuning = Tuning::default();
    let Survey { core, lowest, highest } = core::survey(problem, tuning.breadth, observer)?;
    let Some(levels) = Levels::among_groups(problem, lowest, highest, groups) else { return Ok(None) };
    solve_levels(problem, &tuning, levels, core, observer).map(Some)
}

fn assign_tuned(
    problem: &Problem<'_>,
    tuning: &Tuning,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    let Survey { core, lowest, highest } = core::survey(problem, tuning.breadth, observer)?;
    let levels = Levels::of(problem, lowest, highest);
    solve_levels(problem, tuning, levels, core, observer)
}

fn solve_levels(
    problem: &Problem<'_>,
    tuning: &Tuning,
    levels: Levels,
    core: Core,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
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
    let mut work = Work { counters: Counters::default(), pulse: Pulse::new(observer) };
    let mut state = State::<W>::new(problem, &levels);
    let mut paths = Paths::new(&state);
    let mut phases = Phases::new(&state);

    let places = open_all(&mut state);
    let total = places.len();
    let mut waiting = auction::run(&mut state, &core, places, tuning.passes, &mut work)?;
    for &mentee in &waiting {
        let offer = best_offer(&state, &core, mentee as usize);
        state.settle(mentee as usize, offer);
    }
    let mut holes = Vec::new();
    let mut span: W = levels.span();
    loop {
        core.index_columns();
        let mut reach = span;
        phases.serve(&mut state, &core, &mut waiting, tuning.few, &mut reach, &mut work)?;
        if waiting.len() <= tuning.few {
            waiting = paths.serve_each(&mut state, &core, &waiting, reach, &mut work)?;
        }
        if waiting.is_empty() {
            for mentor in holes.drain(..) {
                paths.fill(&mut state, &core, mentor, &mut work)?;
            }
        }
        observer.progress(Stage::Assign, total.saturating_sub(waiting.len()) as u64, total as u64);

        work.counters.pricing_rounds += 1;
        let added = pricing::violations(problem, &state, tuning.worst, observer)?;
        let more: usize = added.iter().map(Vec::len).sum();
        if more == 0 && waiting.is_empty() {
            break;
        }
        if more <= waiting.len() / FRUITLESS {
            span = span.eightfold();
        }
        if more > 0 {
            work.counters.priced_in += more as u64;
            core.extend(problem.scores, &added);
            let upset = repair::take_in(&mut state, &added);
            waiting.extend(upset.waiting);
            holes.extend(upset.holes);
        }
    }
    work.counters.core_arcs = core.len() as u64;
    let certificate = levels.certificate(state.mentee_prices(), state.mentor_prices());
    Ok(Assignment { pairs: state.pairs(), certificate, counters: work.counters })
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
