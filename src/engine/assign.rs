//! Maximum-weight bipartite b-matching: a best assignment, with dual prices that prove it.
//!
//! Input: a [`Problem`]. Output: an [`Assignment`], which is optimal for the lexicographic objective, and its certificate.
//! `docs/engine.md` explains the method, its sources and its notation. One maximum-weight flow carries the whole objective
//! ([`lexicographic_weights`]). The solver works on a [`core`] of pairs: the list itself if the candidates are listed;
//! otherwise the best mentors of every mentee and, if seats are scarce, the best mentees of every mentor.
//!
//! 1. [`core::construction`]: one pass over all pairs selects the core.
//! 2. [`auction`]: most people are matched by bids, either mentees that bid for seats or mentors that bid for mentees.
//! 3. [`augment`] and [`phases`]: shortest alternating paths serve the others, one at a time or many at once.
//! 4. [`pricing`], unless the core is complete: one pass over all pairs collects the pairs that violate the prices. [`solver`]
//!    adds these pairs to the core.
//! 5. The steps 3 and 4 repeat ([`solver`]) until no pair violates the prices and every unit is served. Then the prices hold
//!    for all pairs, and the assignment is optimal.
//!
//! [`warm_start`] replaces step 2 if an earlier result is given.
//!
//! Time: on a complete core, the number of augmenting paths is at most the number of units that the auction leaves
//! unserved; admissions add to it. A path costs O(m log C) on a core of `m` pairs, where C is the range of distances.
//! Memory beside the scores: about 60 bytes per mentee and 150 per mentor; 8 bytes per pair of the core, unless the
//! core is the list; 8 bytes more per pair while pairs are needed by mentor. Pricing takes up to 96 bytes per mentor.
//! If seats are scarce, core construction takes about 700 bytes per mentor and thread. With prices of 128 bits the
//! amounts per person double. Results of a batch of searches take a few megabytes, at most 256. The certificate adds 16
//! bytes per person.
//!
//! [`crate::engine::certify`] checks the result and shares no code with this module.

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
mod pricing;
mod primal_dual_state;
mod search;
mod solver;
#[cfg(test)]
pub(in crate::engine) mod tests;
pub(super) mod tiles;
mod tuning;
mod warm_start;

pub use self::context::SolverStatistics;
pub(super) use self::context::{SolveContext, StopPoll};
pub use self::core::construction::row_prefixes;
pub(super) use self::core::index;
pub use self::solver::Assignment;
pub use self::warm_start::Start;

use super::certificate::Certificate;
use super::observer::{Observer, Stopped};
use super::price_integer::PriceInteger;
use super::problem::Problem;

use self::core::Core;
use self::core::construction::{ConstructedCore, construct};
use self::lexicographic_weights::LexicographicWeights;
use self::tuning::Tuning;

/// Computes a best assignment. The aims are, in this order: the most mentees of tier 0 with a mentor, then of tier 1, and so
/// on; the most minimum seats filled; the most second mentors; the greatest total score. A mentee that wants two mentors gets
/// two different mentors.
///
/// The result depends on the problem alone, not on the number of threads. Work runs in the current rayon pool.
pub fn assign(problem: &Problem<'_>, observer: &dyn Observer) -> Result<Assignment, Stopped> {
    assign_tuned(problem, None, None, &Tuning::of(problem), observer)
}

/// Computes a best assignment like [`assign`], from any start; quickly if the start is nearly optimal. If several assignments
/// are best, the start determines which one is returned.
pub fn assign_from(
    problem: &Problem<'_>,
    start: &Start,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    assign_tuned(problem, Some(start), None, &Tuning::of(problem), observer)
}

/// Computes an assignment of the greatest value under the weights of a certificate, whether or not these weights put one aim
/// before another.
pub(super) fn assign_weighted(
    problem: &Problem<'_>,
    start: &Start,
    given: &Certificate,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    assign_tuned(problem, Some(start), Some(given), &Tuning::of(problem), observer)
}

/// Computes a best assignment with weights that preserve the order of aims if `groups` groups have floors and ceilings.
/// [`quota`](super::quota) starts from it. Returns `None` if a certificate cannot hold these weights.
pub(super) fn assign_before_quotas(
    problem: &Problem<'_>,
    groups: usize,
    observer: &dyn Observer,
) -> Result<Option<Assignment>, Stopped> {
    let tuning = Tuning::of(problem);
    let ConstructedCore { core, lowest, highest } = construct(problem, tuning.breadth, observer)?;
    let Some(weights) = LexicographicWeights::under_quotas(problem, lowest, highest, groups) else {
        return Ok(None);
    };
    solve(problem, None, &tuning, weights, core, observer).map(Some)
}

fn assign_tuned(
    problem: &Problem<'_>,
    start: Option<&Start>,
    given: Option<&Certificate>,
    tuning: &Tuning,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    let ConstructedCore { core, lowest, highest } = construct(problem, tuning.breadth, observer)?;
    let weights = match given {
        Some(given) => LexicographicWeights::of_certificate(given, lowest, highest),
        None => LexicographicWeights::of(problem, lowest, highest),
    };
    solve(problem, start, tuning, weights, core, observer)
}

/// Solves in 64 bits if the weights fit, otherwise in 128 bits.
fn solve(
    problem: &Problem<'_>,
    start: Option<&Start>,
    tuning: &Tuning,
    weights: LexicographicWeights,
    core: Core<'_>,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    if weights.fits_i64() {
        solve_in::<i64>(problem, start, tuning, weights, core, observer)
    } else {
        solve_in::<i128>(problem, start, tuning, weights, core, observer)
    }
}

fn solve_in<W: PriceInteger>(
    problem: &Problem<'_>,
    start: Option<&Start>,
    tuning: &Tuning,
    weights: LexicographicWeights,
    core: Core<'_>,
    observer: &dyn Observer,
) -> Result<Assignment, Stopped> {
    match start {
        Some(start) => warm_start::solve::<W>(problem, start, tuning, weights, core, observer),
        None => solver::solve::<W>(problem, tuning, weights, core, observer),
    }
}
