//! The loop of the solver: auction, augmenting paths and phases, pricing, admission, until the optimum is proved.
//!
//! Input: a problem, its weights and a core. Output: an assignment and its certificate. Invariant: complementary slackness
//! holds over the core ([`PrimalDualState`]) for each bidder from its own first bid on, so for all after the first
//! auction. What is missing until the end are mentors for unserved places and mentees for vacancies.
//!
//! If prices rose far only because the core lacks a pair, that pair, once admitted, would look better to nearly every
//! mentee than her present one. The searches and phases therefore pause for pricing when phases have moved the prices by
//! [`LexicographicWeights::span`]. On a complete core, searches and phases alternate: searches may read as many pairs as
//! the core has, then one phase runs. Neither method dominates the time where the other one is better.

use crate::engine::certificate::Certificate;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::Edge;
use crate::engine::price_integer::PriceInteger;
use crate::engine::problem::Problem;

use super::auction;
use super::augment::AugmentingPaths;
use super::context::{SolveContext, SolverStatistics};
use super::core::construction::seats_are_scarce;
use super::core::{Core, index};
use super::direction::{ForwardDirection, ReverseDirection};
use super::lexicographic_weights::LexicographicWeights;
use super::phases::{Phases, Unreached};
use super::pricing::{self, PricedPairs};
use super::primal_dual_state::{PrimalDualState, Unserved};
use super::tuning::Tuning;

/// If a pricing pass finds at most one violation per this many waiting mentees, prices may move farther before the next
/// pass.
const WAITING_PER_VIOLATION: usize = 4;
/// If a phase serves fewer vacancies, single searches run before the next phase, because they are then as fast.
const MIN_SERVED_BY_PHASE: u64 = 64;

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

/// Solves a problem without an earlier result.
pub(super) fn solve<W: PriceInteger>(
    problem: &Problem<'_>,
    tuning: &Tuning,
    weights: LexicographicWeights,
    mut core: Core<'_>,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    let mut context = SolveContext::new(problem, observer);
    let mut state = PrimalDualState::<W>::new(problem, &weights);
    let unserved = run_auction(problem, &mut state, &mut core, tuning, &mut context)?;
    let (paths, phases) = (AugmentingPaths::new(&state, tuning.batches), Phases::new());
    finish(problem, tuning, weights, SolveState { core, state, paths, phases, unserved }, context)
}

/// Serves the waiting bidders and prices all pairs, until the prices are valid for every pair and every unit is
/// served.
pub(super) fn finish<W: PriceInteger>(
    problem: &Problem<'_>,
    tuning: &Tuning,
    weights: LexicographicWeights,
    mut solve: SolveState<'_, W>,
    mut context: SolveContext<'_>,
) -> Result<Assignment, Stopped> {
    let complete = problem.scores.sparse().is_some();
    let (mut span, few): (W, usize) =
        if complete { (W::INFINITE, usize::MAX) } else { (weights.span(), tuning.few_waiting) };
    loop {
        solve.serve_waiting(span, few, &mut context)?;
        if solve.unserved.waiting.is_empty() {
            solve.fill_vacancies(few, &mut context)?;
        }
        if complete {
            break;
        }
        // The first pass also collects pairs within a margin, because each pass reads all pairs.
        let margin = if context.counters.pricing_rounds == 0 { weights.margin() } else { W::default() };
        context.counters.pricing_rounds += 1;
        let PricedPairs { pairs, violations } = pricing::price(
            problem,
            &solve.state,
            &solve.core,
            tuning.max_violations,
            margin,
            &context.begin_pass(),
        )?;
        if violations == 0 && solve.unserved.waiting.is_empty() {
            break;
        }
        if violations <= solve.unserved.waiting.len() / WAITING_PER_VIOLATION {
            span = span.eightfold();
        }
        if violations > 0 {
            context.counters.priced_in += pairs.iter().map(|row| row.len() as u64).sum::<u64>();
            solve.admit(problem, &pairs);
        }
    }
    Ok(conclude(weights, &solve.state, &solve.core, context.counters))
}

/// A solve in progress: the primal-dual state satisfies complementary slackness over the core, and `unserved` lists the
/// bidders that may wait.
pub(super) struct SolveState<'a, W> {
    pub(super) core: Core<'a>,
    pub(super) state: PrimalDualState<W>,
    pub(super) paths: AugmentingPaths<W>,
    pub(super) phases: Phases<W>,
    pub(super) unserved: Unserved,
}

impl<W: PriceInteger> SolveState<'_, W> {
    /// Serves the waiting mentees, until none waits or phases have moved the prices by `reach`.
    fn serve_waiting(
        &mut self,
        mut reach: W,
        few: usize,
        context: &mut SolveContext<'_>,
    ) -> Result<(), Stopped> {
        let Self { core, state, paths, phases, unserved: Unserved { waiting, .. } } = self;
        loop {
            if waiting.len() <= few {
                // About as much work as one phase, so that neither method dominates the time.
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

    /// Fills all vacancies, or takes their seats out of use.
    fn fill_vacancies(&mut self, few: usize, context: &mut SolveContext<'_>) -> Result<(), Stopped> {
        let Self { core, state, paths, phases, unserved: Unserved { mentors_with_vacancies, .. } } = self;
        mentors_with_vacancies.sort_unstable();
        mentors_with_vacancies.dedup();
        let mut by_phase = u64::MAX;
        while !mentors_with_vacancies.is_empty() {
            core.index_columns(&mut context.poll)?;
            if mentors_with_vacancies.len() <= few || by_phase < MIN_SERVED_BY_PHASE {
                let budget = core.len() as u64;
                let direction = &mut ReverseDirection { state, core };
                context.counters.reverse_searches +=
                    paths.serve(direction, mentors_with_vacancies, W::INFINITE, budget, context)?;
            }
            context.progress(mentors_with_vacancies.len());
            if !mentors_with_vacancies.is_empty() {
                let mut reach = W::INFINITE;
                // The distances of the farthest vacancies cost most of the work of a phase, so the farther half waits for
                // the next round.
                by_phase = phases.serve(
                    &mut ReverseDirection { state, core },
                    mentors_with_vacancies,
                    &mut reach,
                    Unreached::Half,
                    context,
                )?;
                context.counters.reverse_searches += by_phase;
            }
        }
        Ok(())
    }

    /// Admits pairs that violate the prices.
    fn admit(&mut self, problem: &Problem<'_>, pairs: &[Vec<Edge>]) {
        self.core.extend(problem.scores, pairs);
        let Unserved { waiting, mentors_with_vacancies } =
            restore_slackness(&mut self.state, pairs.iter().map(Vec::as_slice).enumerate());
        self.unserved.waiting.extend(waiting);
        self.unserved.waiting.sort_unstable();
        self.unserved.waiting.dedup();
        self.unserved.mentors_with_vacancies.extend(mentors_with_vacancies);
    }
}

/// Restores complementary slackness after pairs were added to the core, given by mentee, and returns what is then unserved. A
/// mentee to whom a new pair offers more than `u` receives that value as the new price. Partners that are then too expensive
/// are released, which leaves vacancies; places that are now worthwhile enter use.
pub(super) fn restore_slackness<'a, W: PriceInteger>(
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
            unserved.mentors_with_vacancies.push(index(mentor));
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

/// The result, when every unit is served and the prices are valid for every pair.
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

/// Runs the auction in the direction in which the side with fewer units bids. Returns the bidders that the auction leaves
/// unserved.
fn run_auction<W: PriceInteger>(
    problem: &Problem<'_>,
    state: &mut PrimalDualState<W>,
    core: &mut Core<'_>,
    tuning: &Tuning,
    context: &mut SolveContext<'_>,
) -> Result<Unserved, Stopped> {
    if seats_are_scarce(problem) {
        core.index_columns(&mut context.poll)?;
        let mentors = 0..state.mentors();
        mentors.clone().for_each(|mentor| state.open_vacancies(mentor, core.column(mentor).len()));
        let waiting = mentors.filter(|&mentor| state.vacancies(mentor) > 0).map(index).collect();
        let mentors_with_vacancies =
            auction::run(&mut ReverseDirection { state, core }, waiting, tuning.patience, context)?;
        Ok(Unserved { mentors_with_vacancies, ..Unserved::default() })
    } else {
        let mentees = 0..state.mentees();
        mentees.clone().for_each(|mentee| (0..state.unused(mentee)).for_each(|_| state.open_place(mentee)));
        let waiting = mentees.filter(|&mentee| state.unserved(mentee) > 0).map(index).collect();
        let waiting = auction::run(&mut ForwardDirection { state, core }, waiting, tuning.patience, context)?;
        Ok(Unserved { waiting, ..Unserved::default() })
    }
}
