//! Warm start: the best assignment of a problem from that of one much like it.
//!
//! Whatever prices the mentors have, the mentees' prices follow: each takes the most that any mentor offers whom she does
//! not have. A pair of the start is kept if it offers its mentee no less than that; so all conditions of [`PrimalDualState`] hold at
//! once for *any* start, and what is left is mentees who wait, and vacancies of mentors whose price says that all their seats
//! are taken. A search for each of them puts that right (Bertsekas, *Linear Network Optimization*, 1991, section 1.3;
//! Volgenant 2006 for changed rows of the assignment problem): the work goes with the number of changes and not of people.
//!
//! Where the candidates are listed, those who wait bid first: most edits leave a seat that somebody finds at once. A search
//! for a replacement would then need all candidates by mentor. It gets the [`candidate_sublist`] ones only, those that cost little at the
//! present prices; if prices fall farther than these reach, a look at the list finds those that were missed, until none was.

mod candidate_sublist;
mod restore;
mod start;
#[cfg(test)]
mod tests;

use crate::engine::observer::{Observer, Stopped};
use crate::engine::problem::Problem;

use self::candidate_sublist::CandidateSublist;
pub use self::start::Start;
use super::augment::AugmentingPaths;
use super::context::SolveContext;
use super::core::Core;
use super::direction::{ForwardDirection, ReverseDirection};
use super::lexicographic_weights::LexicographicWeights;
use super::phases::{PHASE_PATIENCE, Phases};
use super::price_integer::PriceInteger;
use super::primal_dual_state::PrimalDualState;
use super::solver::{self, Assignment, Solver, conclude, finish};
use super::tuning::Tuning;
use super::{admit, auction};

/// Solves a problem from a start.
pub(super) fn solve<W: PriceInteger>(
    problem: &Problem<'_>,
    start: &Start,
    tuning: &Tuning,
    weights: LexicographicWeights,
    core: Core<'_>,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    let mut context = SolveContext::new(problem, observer);
    let mut state = PrimalDualState::<W>::new(problem, &weights);
    let Some((mut waiting, mut vacancies)) =
        restore::restore(problem, start, &weights, &core, &mut state, observer)?
    else {
        return solver::solve::<W>(problem, tuning, weights, core, observer);
    };
    let (mut paths, phases) = (AugmentingPaths::new(&state, tuning.batches), Phases::new());
    let list = problem.scores.sparse();
    let reach = if list.is_some() { W::INFINITE } else { weights.span() };
    if list.is_some() {
        state.begin_auction();
        let direction = &mut ForwardDirection { state: &mut state, core: &core };
        waiting = auction::run(direction, waiting, PHASE_PATIENCE, &mut context)?;
    }
    // As much work as a look at the whole core: phases are cheaper then.
    let budget = core.len() as u64;
    let direction = &mut ForwardDirection { state: &mut state, core: &core };
    context.counters.searches += paths.serve(direction, &mut waiting, reach, budget, &mut context)?;
    while let Some(list) = list.filter(|_| waiting.is_empty()) {
        vacancies.retain(|&mentor| state.vacancies(mentor as usize) > 0);
        vacancies.sort_unstable();
        vacancies.dedup();
        if vacancies.is_empty() {
            return Ok(conclude(weights, &state, &core, context.counters));
        }
        let near = CandidateSublist::gather(list, &state, weights.margin(), observer)?;
        let direction = &mut ReverseDirection { state: &mut state, core: &near.columns };
        context.counters.reverse_searches +=
            paths.serve(direction, &mut vacancies, W::INFINITE, u64::MAX, &mut context)?;
        context.counters.pricing_rounds += 1;
        if let Some(missed) = near.missed(list, &state, observer)? {
            context.counters.priced_in += missed.iter().map(|(_, row)| row.len() as u64).sum::<u64>();
            let upset =
                admit::admit(&mut state, missed.iter().map(|(mentee, row)| (*mentee, row.as_slice())));
            (waiting, vacancies) = (upset.waiting, upset.vacancies);
            let direction = &mut ForwardDirection { state: &mut state, core: &core };
            context.counters.searches += paths.serve(direction, &mut waiting, reach, budget, &mut context)?;
        }
    }
    finish(problem, tuning, weights, Solver { core, state, paths, phases, waiting, vacancies }, context)
}
