//! The best assignment, exactly, with prices that prove it.
//!
//! One maximum-weight flow carries the whole lexicographic objective ([`lexicographic_weights`]). Work is done on a [`core`] of pairs:
//! where candidates are listed, the list itself; else every mentee's best mentors, and every mentor's best mentees where
//! seats are scarce, found in one look at all pairs ([`survey`]).
//!
//! 1. [`auction`]: most people find each other by bidding, mentees for seats or, where there are fewer seats than places
//!    wanted, mentors for mentees;
//! 2. [`augment`] and [`phases`]: shortest alternating paths serve the others, mentees or seats, one by one or many at once,
//!    exactly on the core;
//! 3. [`pricing`], unless the core is complete: a look at all pairs finds those that would beat the prices; [`admit`] takes
//!    them in;
//! 4. again from 2 until none is found and nobody waits: then the prices hold for every pair there is.
//!
//! Step 2 pauses for step 3 when prices have moved far ([`LexicographicWeights::span`]): prices that rise because the core lacks a pair
//! would upset nearly everybody once that pair comes in. Where nothing is to be priced, searches and phases take turns, each
//! for as much work as a phase costs, so that neither is endured for long where the other would do better.
//!
//! Memory, beside the scores: about 60 bytes per mentee and 150 per mentor (prices, places, and the labels of the searches),
//! none per listed candidate while mentees bid for seats, 8 per candidate of the core where the core is not a list, and 8
//! more where candidates are needed by mentor: for phases, and where mentors bid. Where pairs are not listed, pricing takes
//! up to 96 per mentor, and the survey some 700 per mentor for every thread if seats are scarce, until it ends. With prices
//! of 128 bits it is twice as much per person. What searches find that are made by groups takes a few megabytes, and 256 at the
//! worst. The certificate adds 16 bytes per person.
//!
//! [`crate::engine::certify`] checks the result and shares no code with this module.

mod admit;
mod assignment;
mod auction;
mod augment;
pub(super) mod best_k;
mod context;
mod core;
mod direction;
mod holders;
mod labels;
mod lexicographic_weights;
mod phases;
pub(super) mod price_integer;
mod pricing;
mod primal_dual_state;
pub(super) mod queue;
mod search;
mod statistics;

#[cfg(test)]
pub(in crate::engine) mod tests;
pub(super) mod tiles;
mod tuning;
mod warm_start;

pub use self::assignment::Assignment;
pub(super) use self::core::construction::row_prefixes;
pub use self::core::construction::shortlist;
pub use self::statistics::SolverStatistics;
pub(in crate::engine) use self::warm_start::assign_weighted;
pub use self::warm_start::{Start, assign_from};

use super::observer::{Observer, Stopped};
use super::pair_scores::Edge;
use super::problem::Problem;

pub(super) use self::context::{SolveContext, StopPoll};
use self::core::Core;
pub(super) use self::core::index;

use self::augment::AugmentingPaths;
use self::core::construction::{self, ConstructedCore};
use self::direction::{ForwardDirection, ReverseDirection};
use self::lexicographic_weights::LexicographicWeights;
use self::phases::{Phases, Share};
use self::price_integer::PriceInteger;
use self::pricing::PricedPairs;
use self::primal_dual_state::PrimalDualState;
use self::tuning::Tuning;

/// Pricing is fruitless if it finds fewer pairs than one for so many waiting mentees: then prices may move farther before
/// the next time.
const FRUITLESS: usize = 4;
/// A phase that finds fewer replacements than this is no quicker than searches one by one.
const FEW_SERVED: u64 = 64;

/// Finds a best assignment: most mentees of tier 0 with a mentor, then of tier 1, and so on; then most minimum places
/// filled; then most second mentors; then the greatest total score. A mentee who wants two gets two different mentors.
///
/// The result depends on the problem alone, not on the number of threads. Work runs in the current rayon pool.
pub fn assign(problem: &Problem<'_>, observer: &dyn Observer) -> Result<Assignment, Stopped> {
    assign_tuned(problem, &Tuning::of(problem), observer)
}

/// The same with weights that keep the order of aims where so many groups have floors and ceilings: where
/// [`quota`](super::quota) starts from. Nothing if these weights are beyond what a certificate holds.
pub(super) fn assign_before_quotas(
    problem: &Problem<'_>,
    groups: usize,
    observer: &dyn Observer,
) -> Result<Option<Assignment>, Stopped> {
    let tuning = Tuning::of(problem);
    let ConstructedCore { core, lowest, highest } =
        construction::construct(problem, tuning.breadth, observer)?;
    let Some(weights) = LexicographicWeights::under_quotas(problem, lowest, highest, groups) else {
        return Ok(None);
    };
    solve_weighted(problem, &tuning, weights, core, observer).map(Some)
}

fn assign_tuned(
    problem: &Problem<'_>,
    tuning: &Tuning,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    let ConstructedCore { core, lowest, highest } =
        construction::construct(problem, tuning.breadth, observer)?;
    let weights = LexicographicWeights::of(problem, lowest, highest);
    solve_weighted(problem, tuning, weights, core, observer)
}

fn solve_weighted(
    problem: &Problem<'_>,
    tuning: &Tuning,
    weights: LexicographicWeights,
    core: Core<'_>,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    if weights.fits_i64() {
        solve::<i64>(problem, tuning, weights, core, observer)
    } else {
        solve::<i128>(problem, tuning, weights, core, observer)
    }
}

fn solve<W: PriceInteger>(
    problem: &Problem<'_>,
    tuning: &Tuning,
    weights: LexicographicWeights,
    mut core: Core<'_>,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    let mut context = SolveContext::new(problem, observer);
    let mut state = PrimalDualState::<W>::new(problem, &weights);
    let (waiting, vacancies) = run_auction(problem, &mut state, &mut core, tuning, &mut context)?;
    let (paths, phases) = (AugmentingPaths::new(&state, tuning.batches), Phases::new());
    finish(problem, tuning, weights, Solver { core, state, paths, phases, waiting, vacancies }, context)
}

/// Serves those who wait, and prices all pairs until none is found that the prices do not hold for.
fn finish<W: PriceInteger>(
    problem: &Problem<'_>,
    tuning: &Tuning,
    weights: LexicographicWeights,
    mut solver: Solver<'_, W>,
    mut context: SolveContext<'_>,
) -> Result<Assignment, Stopped> {
    let complete = problem.scores.sparse().is_some();
    let (mut span, few): (W, usize) =
        if complete { (W::INFINITE, usize::MAX) } else { (weights.span(), tuning.few_waiting) };
    loop {
        solver.serve_waiting(span, few, &mut context)?;
        if solver.waiting.is_empty() {
            solver.fill_vacancies(few, &mut context)?;
        }
        if complete {
            break;
        }
        // The first time, also pairs that might matter soon: each round of pricing costs a look at all pairs.
        let margin = if context.counters.pricing_rounds == 0 { weights.margin() } else { W::default() };
        context.counters.pricing_rounds += 1;
        let PricedPairs { pairs, violations } = pricing::price(
            problem,
            &solver.state,
            &solver.core,
            tuning.max_violations,
            margin,
            &context.look(),
        )?;
        if violations == 0 && solver.waiting.is_empty() {
            break;
        }
        if violations <= solver.waiting.len() / FRUITLESS {
            span = span.eightfold();
        }
        if violations > 0 {
            context.counters.priced_in += pairs.iter().map(|row| row.len() as u64).sum::<u64>();
            solver.admit(problem, &pairs);
        }
    }
    Ok(conclude(weights, &solver.state, &solver.core, context.counters))
}

/// A solve on its way: prices hold over the core, but for the places and seats that are still to be served.
struct Solver<'a, W> {
    core: Core<'a>,
    state: PrimalDualState<W>,
    paths: AugmentingPaths<W>,
    phases: Phases<W>,
    /// Mentees with unserved places.
    waiting: Vec<u32>,
    /// Mentors with vacancies; a mentor may come more than once.
    vacancies: Vec<u32>,
}

impl<W: PriceInteger> Solver<'_, W> {
    /// Serves the mentees who wait, or moves prices by `reach`.
    fn serve_waiting(
        &mut self,
        mut reach: W,
        few: usize,
        context: &mut SolveContext<'_>,
    ) -> Result<(), Stopped> {
        let Self { core, state, paths, phases, waiting, .. } = self;
        loop {
            if waiting.len() <= few {
                // As much work as a phase would be: whichever suits the problem has at least half of the time.
                let budget = core.len() as u64;
                let direction = &mut ForwardDirection { state, core };
                context.counters.searches += paths.serve(direction, waiting, reach, budget, context)?;
            }
            context.progress(waiting.len());
            if waiting.is_empty() || reach == W::default() {
                return Ok(());
            }
            core.index_columns(&mut context.poll)?;
            state.begin_auction();
            let served = phases.serve(
                &mut ForwardDirection { state, core },
                waiting,
                &mut reach,
                Share::None,
                context,
            )?;
            context.counters.searches += served;
        }
    }

    /// Finds replacements for all vacancies.
    fn fill_vacancies(&mut self, few: usize, context: &mut SolveContext<'_>) -> Result<(), Stopped> {
        let Self { core, state, paths, phases, vacancies, .. } = self;
        vacancies.sort_unstable();
        vacancies.dedup();
        let mut by_phase = u64::MAX;
        while !vacancies.is_empty() {
            core.index_columns(&mut context.poll)?;
            if vacancies.len() <= few || by_phase < FEW_SERVED {
                let budget = core.len() as u64;
                let direction = &mut ReverseDirection { state, core };
                context.counters.reverse_searches +=
                    paths.serve(direction, vacancies, W::INFINITE, budget, context)?;
            }
            context.progress(vacancies.len());
            if !vacancies.is_empty() {
                let mut reach = W::INFINITE;
                // The last replacements are far, past nearly everybody: what a phase looks at on the way is better spent on several.
                by_phase = phases.serve(
                    &mut ReverseDirection { state, core },
                    vacancies,
                    &mut reach,
                    Share::Half,
                    context,
                )?;
                context.counters.reverse_searches += by_phase;
            }
        }
        Ok(())
    }

    /// Takes in pairs that the prices may not hold for.
    fn admit(&mut self, problem: &Problem<'_>, pairs: &[Vec<Edge>]) {
        self.core.extend(problem.scores, pairs);
        let upset = admit::admit(&mut self.state, pairs.iter().map(Vec::as_slice).enumerate());
        self.waiting.extend(upset.waiting);
        self.waiting.sort_unstable();
        self.waiting.dedup();
        self.vacancies.extend(upset.vacancies);
    }
}

/// The result, once nobody waits and all prices hold.
fn conclude<W: PriceInteger>(
    weights: LexicographicWeights,
    state: &PrimalDualState<W>,
    core: &Core<'_>,
    counters: SolverStatistics,
) -> Assignment {
    let certificate = weights.certificate(state.mentee_prices(), state.mentor_prices());
    let counters = SolverStatistics { core_arcs: core.len() as u64, ..counters };
    Assignment { pairs: state.pairs(), certificate, counters }
}

/// Runs the auction, from the side that has less to give, and says which mentees wait then and which mentors have vacancies.
fn run_auction<W: PriceInteger>(
    problem: &Problem<'_>,
    state: &mut PrimalDualState<W>,
    core: &mut Core<'_>,
    tuning: &Tuning,
    context: &mut SolveContext<'_>,
) -> Result<(Vec<u32>, Vec<u32>), Stopped> {
    if construction::seats_are_scarce(problem) {
        core.index_columns(&mut context.poll)?;
        let mentors = 0..state.mentors();
        mentors.clone().for_each(|mentor| state.open_vacancies(mentor, core.column(mentor).len()));
        let waiting = mentors.filter(|&mentor| state.vacancies(mentor) > 0).map(index).collect();
        let vacancies =
            auction::run(&mut ReverseDirection { state, core }, waiting, tuning.patience, context)?;
        Ok((Vec::new(), vacancies))
    } else {
        let mentees = 0..state.mentees();
        mentees.clone().for_each(|mentee| (0..state.unused(mentee)).for_each(|_| state.open_place(mentee)));
        let waiting = mentees.filter(|&mentee| state.unserved(mentee) > 0).map(index).collect();
        Ok((
            auction::run(&mut ForwardDirection { state, core }, waiting, tuning.patience, context)?,
            Vec::new(),
        ))
    }
}
