//! Repair after publication: people drop out, join or are vetoed, and only a limited number of published pairs may change.
//!
//! A published pair is *still possible* if it is a candidate of the present problem. Let `possible` be the largest
//! number of such pairs that can be kept together (all of them, unless a person offers or wants less than before). With
//! a budget of `b` changes, at least `possible - b` of them are kept:
//!
//! - without a budget: the best assignment of the present problem, by a warm start ([`assign_from`]);
//! - with a budget of 0, if all can be kept: the pairs are pins ([`super::decisions`]), and the rest is solved;
//! - otherwise: the greatest value among all assignments that keep enough pairs. [`budget`] describes the algorithm and the
//!   limits of its proof.
//!
//! With such a budget, the value is counted in the weights of the best assignment without a budget. These weights put
//! one aim before the other as long as the budget permits. Otherwise the aims no longer reach their maxima
//! simultaneously, and the sum decides: a person of an earlier tier counts a little more than one of a later tier, and
//! not more than any number of them.

mod budget;
mod repaired;
#[cfg(test)]
mod tests;

use super::assign::{Start, assign_from};
use super::certificate::Certificate;
use super::certify::{self, certify};
use super::decisions::{Decisions, ReducedProblem};
use super::observer::{Observer, Stopped};
use super::pair_scores::BonusScores;
use super::problem::Problem;

use self::budget::BudgetedRepair;
pub use self::repaired::{Proof, Repaired};
use self::repaired::{kept, most_together, possible_pairs};
use super::objective_value::weighted_value;

/// Repairs a published assignment for the present problem.
///
/// `start` is the published result in the positions of this problem, or any other result. It affects the time only.
pub fn repair(
    problem: &Problem<'_>,
    published: &[(u32, u32)],
    start: &Start,
    budget: Option<usize>,
    observer: &dyn Observer,
) -> Result<Repaired, Stopped> {
    let still_possible = possible_pairs(problem, published);
    let best = assign_from(problem, start, observer)?;
    let together = most_together(problem, &still_possible, observer)?;
    let least = together.len().saturating_sub(budget.unwrap_or(usize::MAX));
    if kept(&still_possible, &best.pairs) >= least {
        return Ok(conclude(problem, &still_possible, &together, best.pairs, best.certificate, Proof::Whole));
    }
    let mut keeps_enough = together.clone();
    let decisions = Decisions { pins: together.clone(), vetoes: Vec::new() };
    if let Some(pinned) = ReducedProblem::if_possible(problem, &decisions, observer)? {
        let rest = assign_from(&pinned.problem(), start, observer)?;
        keeps_enough = pinned.with_pins(&rest.pairs);
        if least == still_possible.len() {
            return Ok(conclude(
                problem,
                &still_possible,
                &together,
                keeps_enough,
                rest.certificate,
                Proof::Pinned,
            ));
        }
    }
    BudgetedRepair {
        problem,
        still_possible: &still_possible,
        possible: together.len(),
        least,
        best: &best,
        observer,
    }
    .repair(keeps_enough)
}

/// Checks a repaired assignment and its bound with the certifier: the rules, the number of published pairs kept, and
/// that the certificate's bound equals the value. Returns `None` if no single certificate proves the bound: the bound
/// comes from [`Proof::Branches`] or is not reached.
pub fn check(
    problem: &Problem<'_>,
    published: &[(u32, u32)],
    budget: Option<usize>,
    repaired: &Repaired,
    observer: &dyn Observer,
) -> Result<Option<bool>, Stopped> {
    let Repaired { pairs, certificate, .. } = repaired;
    let still_possible = possible_pairs(problem, published);
    // Computed again: a number that is too small would permit fewer kept pairs.
    let possible = most_together(problem, &still_possible, observer)?.len();
    let least = possible.saturating_sub(budget.unwrap_or(usize::MAX));
    let feasible =
        certify::broken_rule(problem, pairs, observer)?.is_none() && kept(&still_possible, pairs) >= least;
    let bound = match repaired.proof {
        _ if !repaired.proved() => return Ok(None),
        Proof::Branches => return Ok(None),
        Proof::Whole => {
            let verdict = certify(problem, pairs, certificate, observer)?;
            return Ok(Some(feasible && verdict.proved()));
        }
        Proof::Pinned => {
            let decisions = Decisions { pins: still_possible, vetoes: Vec::new() };
            let Some(pinned) = ReducedProblem::if_possible(problem, &decisions, observer)? else {
                return Ok(Some(false));
            };
            let rest = pinned.without_pins(pairs);
            let verdict = certify(&pinned.problem(), &rest, certificate, observer)?;
            return Ok(Some(feasible && verdict.proved()));
        }
        Proof::Bonus(bonus) => {
            let with_bonus = BonusScores::new(problem.scores, &still_possible, bonus, observer)?;
            let with_bonus = Problem { scores: &with_bonus, ..*problem };
            let kept = i128::try_from(least).unwrap_or(i128::MAX);
            // The weights must fit the problem without the bonus.
            if certify(problem, &[], certificate, observer)?.feasible.is_err() {
                return Ok(Some(false));
            }
            certify(&with_bonus, &[], certificate, observer)?.dual - i128::from(bonus) * kept
        }
    };
    Ok(Some(feasible && bound == weighted_value(problem, certificate, pairs)))
}

fn conclude(
    problem: &Problem<'_>,
    still_possible: &[(u32, u32)],
    together: &[(u32, u32)],
    pairs: Vec<(u32, u32)>,
    certificate: Certificate,
    proof: Proof,
) -> Repaired {
    let value = weighted_value(problem, &certificate, &pairs);
    let (possible, kept) = (together.len(), kept(still_possible, &pairs));
    Repaired { pairs, possible, kept, value, bound: value, proof, certificate }
}
