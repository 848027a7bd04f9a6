//! The loop of the solver: auction, augmenting paths and phases, pricing, admission, until the optimum is proved.
//!
//! Input: a problem, its weights and a core. Output: an assignment and its certificate. Invariant: complementary slackness
//! holds over the core at every step ([`PrimalDualState`]). Unserved places and vacancies are all that is missing.
//!
//! The searches pause for pricing when prices have moved by [`LexicographicWeights::span`]. Prices that rise only because
//! the core lacks a pair would displace nearly every mentee when that pair is admitted. On a complete core, searches and
//! phases alternate, each with as much work as the other: the better method gets at least half of the time.

use crate::engine::certificate::Certificate;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::Edge;
use crate::engine::problem::Problem;

use super::admit;
use super::auction;
use super::augment::AugmentingPaths;
use super::context::SolveContext;
use super::core::construction::seats_are_scarce;
use super::core::{Core, index};
use super::direction::{ForwardDirection, ReverseDirection};
use super::lexicographic_weights::LexicographicWeights;
use super::phases::{Phases, Unreached};
use super::price_integer::PriceInteger;
use super::pricing::{self, PricedPairs};
use super::primal_dual_state::PrimalDualState;
use super::statistics::SolverStatistics;
use super::tuning::Tuning;

/// Pricing is fruitless if it finds fewer pairs than one for so many waiting mentees: then prices may move farther before
/// the next time.
const FRUITLESS: usize = 4;
/// A phase that finds fewer replacements than this is no quicker than searches one by one.
const FEW_SERVED: u64 = 64;

/// A best assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Pairs of a mentee and a mentor, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Weights and dual prices that prove that no assignment is better.
    pub certificate: Certificate,
    /// Work of the solver.
    pub counters: SolverStatistics,
}

/// Solves a problem from nothing.
pub(super) fn solve<W: PriceInteger>(
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
pub(super) fn finish<W: PriceInteger>(
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
pub(super) struct Solver<'a, W> {
    pub(super) core: Core<'a>,
    pub(super) state: PrimalDualState<W>,
    pub(super) paths: AugmentingPaths<W>,
    pub(super) phases: Phases<W>,
    /// Mentees with unserved places.
    pub(super) waiting: Vec<u32>,
    /// Mentors with vacancies; a mentor may come more than once.
    pub(super) vacancies: Vec<u32>,
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
                Unreached::None,
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
                    Unreached::Half,
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
pub(super) fn conclude<W: PriceInteger>(
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
    if seats_are_scarce(problem) {
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
