//! Checks an assignment and its proof, and shares no code with what made them.
//!
//! # How to check a certificate yourself
//!
//! Let `s(i, j)` be the score of a candidate pair. The value of an assignment is
//!
//! - `s(i, j)` for each of its pairs,
//! - plus `tier weight` for each mentee with at least one mentor, plus `second` for each mentee with two; for a mentee who
//!   has a mentor by a pin ([`crate::engine::decisions`]), `second` for each,
//! - plus `minimum` for each place filled up to a mentor's minimum: `minimum * min(load(j), min(j))`.
//!
//! **Bound.** Take *any* numbers `u(i)` and `p(j)`. No assignment has a greater value than
//!
//! ```text
//!   sum over mentees i   max(0, tier weight + u(i)), with `second` for `tier weight` if she has a mentor by a pin,
//!                        +  max(0, second + u(i)) if she wants two
//! + sum over mentors j   min(j) * max(0, minimum + p(j))  +  (max(j) - min(j)) * max(0, p(j)), no mentor with more seats
//!                        than there are mentees
//! + sum over candidates  max(0, s(i, j) - u(i) - p(j))
//! + sum over groups g    ceiling(g) * max(0, q(g))  -  floor(g) * max(0, -q(g)), no ceiling above the most pairs there can be
//! ```
//!
//! where, in the first two lines, `u(i)` is less the sum of `q(g)` over all groups of mentees around i, and `p(j)` less the
//! sum of `q(g)` over all groups of mentors around j. Without quotas there is no such sum, and the last line is 0.
//!
//! Why: in the value of an assignment, add `u(i)` for each mentor that i has and take it away from each pair of i, and the
//! same with `p(j)`; add `q(g)` for each pair in group g and take it away from the pair's place or seat; nothing changes.
//! Then bound each term by itself: a place, a seat and a pair is used at most once, and not using it gives 0; the number of
//! pairs in a group lies between its floor and its ceiling, and is at most all pairs there can be. (This is weak duality
//! of the transportation linear program; equality is complementary slackness. Bertsekas, *Linear Network Optimization*, 1991, chapter 1; for the assignment case Crouse, *On implementing 2D
//! rectangular assignment algorithms*, IEEE TAES 52, 2016.) `u` is what a pair must leave to the mentee, and may be
//! negative: how much of her place's bonus she gives to be served at all.
//!
//! **Proof.** If the assignment keeps all rules and its value equals the bound, it is a best one.
//!
//! **Order of aims.** Weights stand for "first this, then that" if each outweighs all scores together. Let `step` be
//! 1 + (most pairs) x (highest score or 0 - lowest score or 0), over all candidates, where most pairs is the lesser of
//! all places wanted and all places offered (no mentor counts for more places than there are mentees). It is enough that
//! `second >= step`, `minimum >= step`, that the last tier's weight is at least `second + step`, and every other
//! tier's at least the next one's plus `step`: the numbers of covered mentees by tier, of minimum places and of pairs
//! reach their maxima all together, because an alternating path that raises one of them lowers none that comes before it
//! (Mendelsohn and Dulmage 1958; Edmonds and Fulkerson 1965), so a best assignment misses none of them. Where a problem does
//! not put coverage first, all tiers and `second` weigh 0.
//!
//! With quotas the maxima are not reached all together: one more mentee of a tier in a full group may cost several of the
//! next tier in other groups, one for each group that has to make room in turn. The difference of two assignments that keep
//! all quotas is a sum of simple cycles through root, groups and people, each of which may be applied alone. A simple cycle
//! comes through each group once, so it gives up at most two places or minimum places at the root, and one in each of the `n`
//! groups that are the innermost group of a mentee or of a mentor with a minimum. If `n > 0`, it is therefore enough that `second >= step`, and that `minimum`, the last tier and every earlier tier each weigh
//! at least `(n + 2)` times the next of these, plus `step`: a cycle that raises an aim raises the sum.

mod bound;
mod cut;
mod groups;
mod infeasible;
mod rules;
mod sparse;
mod stable;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use self::bound::Sweep;
pub use self::cut::{CutCounts, check_cut};
pub use self::infeasible::Infeasible;
use self::rules::ValueError;
pub use self::stable::{Stability, stability};

use super::certificate::Certificate;
use super::groups::Quotas;
use super::observer::{Observer, Stopped};
use super::problem::Problem;

/// What the check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateVerdict {
    /// Whether all rules are kept; if not, the first that is broken.
    pub feasible: Result<(), Infeasible>,
    /// Value of the assignment under the certificate's weights; 0 if it is not feasible.
    pub primal: i128,
    /// Value that no assignment exceeds, by the certificate's prices; 0 if the certificate has not the right form.
    pub dual: i128,
    /// Candidates seen: pairs that the hard rules allow.
    pub candidates: u64,
}

impl CertificateVerdict {
    /// Whether the assignment is feasible and proved to be a best one.
    pub fn proved(&self) -> bool {
        self.feasible.is_ok() && self.primal == self.dual
    }
}

/// The first rule that an assignment breaks, whatever its value.
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

/// Whether an assignment keeps what people have decided.
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

/// Whether every group is within its floor and its ceiling.
pub fn keeps_quotas(quotas: &Quotas, pairs: &[(u32, u32)]) -> Result<(), Infeasible> {
    groups::check_counts(quotas, pairs)
}

/// Candidates of a problem: pairs that the hard rules allow.
pub fn candidates(problem: &Problem<'_>, observer: &dyn Observer) -> Result<u64, Stopped> {
    sweep(problem, None, observer).map(|sweep| sweep.candidates)
}

/// Checks an assignment and its certificate from scratch, over all pairs: all rules, the form of the certificate, the value
/// and the bound. Asks the score source again for every pair and trusts nothing else.
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

/// One pass over all candidates; without a certificate it only counts them.
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
