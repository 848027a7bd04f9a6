//! Warm start: a best assignment from the result of a similar problem.
//!
//! The mentors keep the prices of the start, clamped to the range that the conditions of [`PrimalDualState`] allow. Let
//! the price `u` of a mentee be the best value that a mentor offers to whom the mentee is not matched, at least minus the
//! weight of the place. A pair of the start is kept if it offers no less and is worth its place. Then all conditions
//! hold. What is missing are mentors for unserved places, and mentees for the vacancies of mentors whose price implies
//! that all seats, or all minimum seats, are in use. Most edits leave most pairs acceptable at the old prices; then the
//! number of searches is proportional to the number of changes. It is not so for every edit: one new mentor without a
//! price may look best to everybody. (Bertsekas, *Linear Network Optimization*, 1991, section 1.3; Volgenant 2006 for
//! changed rows of the assignment problem.)
//!
//! If the candidates are listed, the waiting mentees bid first, because most edits leave a free seat. The reverse
//! direction needs candidates by mentor. It gets the [`candidate_sublist`], the candidates of small reduced cost. If
//! prices fall farther than the sublist allows, a pass over the list finds the missing candidates, until none is
//! missing.

mod candidate_sublist;
mod rebuild;
#[cfg(test)]
mod tests;

use crate::engine::observer::{Observer, Stopped};
use crate::engine::price_integer::PriceInteger;
use crate::engine::problem::Problem;

use self::candidate_sublist::CandidateSublist;
pub use self::rebuild::Start;
use super::auction;
use super::augment::AugmentingPaths;
use super::context::SolveContext;
use super::core::Core;
use super::direction::{ForwardDirection, ReverseDirection};
use super::lexicographic_weights::LexicographicWeights;
use super::phases::{PHASE_PATIENCE, Phases};
use super::primal_dual_state::PrimalDualState;
use super::solver::{self, Assignment, SolveState, conclude, finish, restore_slackness};
use super::tuning::Tuning;

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
    let Some(mut unserved) = rebuild::rebuild(problem, start, &weights, &core, &mut state, observer)? else {
        return solver::solve::<W>(problem, tuning, weights, core, observer);
    };
    let (mut paths, phases) = (AugmentingPaths::new(&state, tuning.batches), Phases::new());
    let list = problem.scores.sparse();
    let reach = if list.is_some() { W::INFINITE } else { weights.span() };
    if list.is_some() {
        state.begin_auction();
        let direction = &mut ForwardDirection { state: &mut state, core: &core };
        unserved.waiting = auction::run(direction, unserved.waiting, PHASE_PATIENCE, &mut context)?;
    }
    // A budget of one read of the whole core: beyond it, phases are cheaper.
    let budget = core.len() as u64;
    let direction = &mut ForwardDirection { state: &mut state, core: &core };
    context.counters.searches +=
        paths.serve(direction, &mut unserved.waiting, reach, budget, &mut context)?;
    while let Some(list) = list.filter(|_| unserved.waiting.is_empty()) {
        unserved.mentors_with_vacancies.retain(|&mentor| state.vacancies(mentor as usize) > 0);
        unserved.mentors_with_vacancies.sort_unstable();
        unserved.mentors_with_vacancies.dedup();
        if unserved.mentors_with_vacancies.is_empty() {
            return Ok(conclude(weights, &state, &core, context.counters));
        }
        let sublist = CandidateSublist::gather(list, &state, weights.margin(), observer)?;
        let direction = &mut ReverseDirection { state: &mut state, core: &sublist.columns };
        context.counters.reverse_searches += paths.serve(
            direction,
            &mut unserved.mentors_with_vacancies,
            W::INFINITE,
            u64::MAX,
            &mut context,
        )?;
        context.counters.pricing_rounds += 1;
        if let Some(missed) = sublist.missed(list, &state, observer)? {
            context.counters.priced_in += missed.iter().map(|(_, row)| row.len() as u64).sum::<u64>();
            unserved =
                restore_slackness(&mut state, missed.iter().map(|(mentee, row)| (*mentee, row.as_slice())));
            let direction = &mut ForwardDirection { state: &mut state, core: &core };
            context.counters.searches +=
                paths.serve(direction, &mut unserved.waiting, reach, budget, &mut context)?;
        }
    }
    finish(problem, tuning, weights, SolveState { core, state, paths, phases, unserved }, context)
}
