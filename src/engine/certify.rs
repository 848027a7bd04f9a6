//! Certifier: checks an assignment and its proof, and shares no code with the solver on purpose.
//!
//! A defect of the solver must not hide itself in the check. Therefore the code that walks over tiles, narrows prices
//! and sums weights exists twice: here, and in `assign`. `docs/certificate.md` describes the checks for other
//! languages.
//!
//! Inputs: a problem, the pairs of an assignment, and a certificate. Output: the first broken rule, the value and the
//! bound. Time O(all pairs), one pass; memory 16 bytes per person.
//!
//! # The value
//!
//! Let `s(i, j)` be the score of a candidate pair. The value of an assignment is the sum of
//!
//! - `s(i, j)` for each of its pairs;
//! - `tier weight` for each mentee with at least one mentor, and `second` for each mentee with two mentors. For a
//!   mentee who has a mentor by a pin ([`crate::engine::decisions`]), each mentor counts `second`;
//! - `minimum * min(load(j), min(j))` for each mentor, where `load(j)` is the number of mentees of the mentor.
//!
//! # The bound
//!
//! Take *any* numbers `u(i)`, `p(j)` and `q(g)`. No assignment has a greater value than
//!
//! ```text
//!   sum over mentees i   max(0, tier weight + u(i)), with `second` instead of `tier weight` if a mentor is pinned,
//!                        +  max(0, second + u(i)) if mentee i wants two mentors
//! + sum over mentors j   min(j) * max(0, minimum + p(j))  +  (max(j) - min(j)) * max(0, p(j)), where max(j) is at most
//!                        the number of mentees
//! + sum over candidates  max(0, s(i, j) - u(i) - p(j))
//! + sum over groups g    ceiling(g) * max(0, q(g))  -  floor(g) * max(0, -q(g)), where ceiling(g) is at most the largest
//!                        possible number of pairs
//! ```
//!
//! In the first two lines, subtract from `u(i)` the sum of `q(g)` over all groups that contain mentee `i`, and from
//! `p(j)` the sum of `q(g)` over all groups that contain mentor `j`. Without quotas this sum and the last line are 0.
//!
//! Proof: in the value of an assignment, add `u(i)` for each mentor of `i` and subtract `u(i)` from each pair of `i`;
//! do the same with `p(j)`; add `q(g)` for each pair of group `g` and subtract `q(g)` from the place or seat of the
//! pair. The value does not change. Then bound each term separately: a place, a seat and a pair are used at most once,
//! and an unused one contributes 0; the number of pairs of a group lies between its floor and its ceiling, and is at
//! most the largest possible number of pairs. This is weak duality of the transportation linear program, and equality
//! is complementary slackness (Bertsekas, *Linear Network Optimization*, 1991, chapter 1; for the assignment problem
//! Crouse, *On implementing 2D rectangular assignment algorithms*, IEEE TAES 52, 2016). `u(i)` is the value that a pair
//! must leave to mentee `i`. It may be negative: then the mentee gives up a part of the weight of the place.
//!
//! An assignment that keeps all rules and whose value equals the bound is optimal.
//!
//! # The order of the aims
//!
//! Weights express a lexicographic order if each weight exceeds the sum of all scores. Let `step` be 1 + (largest
//! possible number of pairs) x (highest score or 0 - lowest score or 0) over all candidates. The largest possible
//! number of pairs is the smaller of all places wanted and all places offered, where no mentor counts for more places
//! than there are mentees. It is sufficient that `second >= step`, `minimum >= step`, that the weight of the last tier
//! is at least `second + step`, and that the weight of every other tier is at least the weight of the next tier plus
//! `step`. The numbers of served mentees by tier, of filled minimum places and of pairs reach their maxima
//! simultaneously, because an alternating path that raises one of them lowers none that precedes it (Mendelsohn and
//! Dulmage 1958; Edmonds and Fulkerson 1965). A best assignment therefore reaches all of them. If a problem does not
//! put coverage first, all tiers and `second` weigh 0.
//!
//! With quotas the maxima are not reached simultaneously: one more mentee of a tier in a full group may displace
//! several mentees of the next tier in other groups, one in each group that has to make room in turn. The difference of
//! two assignments that keep all quotas is a sum of simple cycles through root, groups and people, each of which may be
//! applied alone. A simple cycle visits each group once. It gives up at most two places or minimum places at the root,
//! and one in each of the `n` groups that are the innermost group of a mentee or of a mentor with a minimum. If `n >
//! 0`, it is therefore sufficient that `second >= step`, and that `minimum`, the last tier and every earlier tier each
//! weigh at least `(n + 2)` times the next of these, plus `step`: a cycle that raises an aim raises the sum.

mod bound;
mod cut;
mod directions;
mod groups;
mod infeasible;
mod limited;
mod rules;
mod sparse;
mod stable;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use self::bound::Sweep;
pub use self::cut::{CutTerms, check_cut};
pub use self::directions::{certify_branches, most_people};
pub use self::infeasible::Infeasible;
pub use self::limited::{certify_limited, keeps_limits, most_people_limited};
use self::rules::ValueError;
pub use self::stable::{Stability, stability};

use super::certificate::Certificate;
use super::groups::Quotas;
use super::observer::{Observer, Stopped};
use super::problem::Problem;

/// Result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateVerdict {
    /// Whether the assignment keeps all rules; if not, the first broken rule.
    pub feasible: Result<(), Infeasible>,
    /// Value of the assignment under the certificate's weights; 0 if it is not feasible.
    pub primal: i128,
    /// Upper bound on the value of every assignment, from the certificate's prices; 0 if the form of the certificate is
    /// wrong.
    pub dual: i128,
    /// Number of candidates: pairs that the hard rules allow.
    pub candidates: u64,
}

impl CertificateVerdict {
    /// Whether the assignment is feasible and proved optimal.
    pub fn proved(&self) -> bool {
        self.feasible.is_ok() && self.primal == self.dual
    }
}

/// Returns the first rule that an assignment breaks, without regard to its value.
pub fn broken_rule(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    observer: &dyn Observer,
) -> Result<Option<Infeasible>, Stopped> {
    match rules::value(problem, pairs, &Certificate::default(), observer) {
        Ok(_) => Ok(None),
        Err(ValueError::Infeasible(broken)) => Ok(Some(broken)),
        Err(ValueError::Stopped(stopped)) => Err(stopped),
    }
}

/// Checks that no two people mentor each other, if the problem has that rule.
pub fn keeps_directions(problem: &Problem<'_>, pairs: &[(u32, u32)]) -> Result<(), Infeasible> {
    rules::one_direction(problem, pairs)
}

/// Checks that an assignment contains every pin and no veto.
pub fn keeps_decisions(
    pins: &[(u32, u32)],
    vetoes: &[(u32, u32)],
    pairs: &[(u32, u32)],
) -> Result<(), Infeasible> {
    let pairs: HashSet<(u32, u32)> = pairs.iter().copied().collect();
    if let Some(&(mentee, mentor)) = pins.iter().find(|pin| !pairs.contains(pin)) {
        return Err(Infeasible::PinMissing { mentee, mentor });
    }
    match vetoes.iter().find(|veto| pairs.contains(veto)) {
        Some(&(mentee, mentor)) => Err(Infeasible::Vetoed { mentee, mentor }),
        None => Ok(()),
    }
}

/// Checks that the number of pairs of every group is between its floor and its ceiling.
pub fn keeps_quotas(quotas: &Quotas, pairs: &[(u32, u32)]) -> Result<(), Infeasible> {
    groups::check_counts(quotas, pairs)
}

/// Returns the number of candidates of a problem: pairs that the hard rules allow.
pub fn candidates(problem: &Problem<'_>, observer: &dyn Observer) -> Result<u64, Stopped> {
    sweep(problem, None, observer).map(|sweep| sweep.candidates)
}

/// Checks an assignment and its certificate over all pairs: all rules, the form of the certificate, the value and the
/// bound. The check reads every score from the source of the problem and uses no result of the solver.
pub fn certify(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    certificate: &Certificate,
    observer: &dyn Observer,
) -> Result<CertificateVerdict, Stopped> {
    certify_within(problem, &Quotas::default(), pairs, certificate, observer)
}

/// [`certify()`] for a problem with quotas.
pub fn certify_within(
    problem: &Problem<'_>,
    quotas: &Quotas,
    pairs: &[(u32, u32)],
    certificate: &Certificate,
    observer: &dyn Observer,
) -> Result<CertificateVerdict, Stopped> {
    let form = rules::check_form(problem, certificate).and_then(|()| groups::check_form(quotas, certificate));
    let sweep = sweep(problem, form.is_ok().then_some(certificate), observer)?;
    let most_pairs = rules::most_pairs(problem);
    let checked = form
        .and_then(|()| rules::check_weights(problem, certificate, most_pairs, sweep.lowest, sweep.highest))
        .and_then(|()| {
            let step = rules::step(most_pairs, sweep.lowest, sweep.highest);
            groups::check_weights(problem, quotas, certificate, step)
        })
        .and_then(|()| groups::check_counts(quotas, pairs))
        .map_err(ValueError::Infeasible)
        .and_then(|()| rules::value(problem, pairs, certificate, observer));
    let (feasible, primal) = match checked {
        Ok(value) => (Ok(()), value),
        Err(ValueError::Infeasible(broken)) => (Err(broken), 0),
        Err(ValueError::Stopped(stopped)) => return Err(stopped),
    };
    let nodes = form.ok().and_then(|()| groups::nodes(problem, quotas, certificate, most_pairs));
    let dual = nodes.and_then(|nodes| nodes.checked_add(sweep.surplus));
    let feasible = if dual.is_none() { feasible.and(Err(Infeasible::NumberTooLarge)) } else { feasible };
    Ok(CertificateVerdict { feasible, primal, dual: dual.unwrap_or_default(), candidates: sweep.candidates })
}

/// One pass over all candidates. Without a certificate it only counts them.
fn sweep(
    problem: &Problem<'_>,
    certificate: Option<&Certificate>,
    observer: &dyn Observer,
) -> Result<Sweep, Stopped> {
    match problem.scores.sparse() {
        Some(scores) => sparse::sweep(scores, problem, certificate, observer),
        None => bound::sweep(problem, certificate, observer),
    }
}
