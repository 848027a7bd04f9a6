//! Best assignment under quotas, limits of the exchange between organisations and least places of mentors, each pair in one
//! direction at most.
//!
//! Inputs: a problem and its [`MatchBounds`]. Outputs: a best assignment and a proof; or the best assignment found, and a
//! bound; or why no assignment keeps the bounds.
//!
//! 1. [`quota`](super::quota) solves the problem without limits, floors and ceilings included, by a flow. If the result keeps
//!    all limits, it is optimal, and its certificate proves it.
//! 2. Otherwise *prices* of limits lower the bound: every pair that a limit counts pays a price, and the bound gains the price
//!    for each pair that the limit allows (Lagrange relaxation; Geoffrion, *Mathematical Programming Study* 2, 1974). The
//!    bound is a convex, piecewise linear function of one price; the intersection of two tangents finds its minimum.
//! 3. Branch and bound ([`search`]) divides the assignments by a mentor who has fewer mentees than her least places (she has
//!    none, or so many at least), by a pair that is used both ways, by whether a mentee has her mentor from one organisation, or by
//!    whether a mentee with two mentors has a pair.
//!    The tree with the certificates of its leaves is the proof.
//!
//! The third step is needed because limits that count both ends of a pair make the problem NP-hard. Replace an edge (mentee `a`,
//! mentor `b`) that is to count for colour `c` by a path `a - m - n - b` with a new mentor `m` and a new mentee `n` of organisation
//! `c`, where `a` is of another organisation and `b` of none. The edge is used if `a - m` and `n - b` are used, and only `a - m`
//! counts. The edge is not used if `n - m` is used. A solver of this problem would therefore decide whether a perfect matching
//! with a bounded number of edges per colour exists, and that is NP-complete (Itai, Rodeh and Tanimoto, *Some matching problems
//! for bipartite graphs*, J. ACM 25, 1978). Least places of 3 or more make it NP-hard as well: the numbers of mentees that a mentor
//! may have then lack two in a row (Cornuejols, *General factors of graphs*, J. Combin. Theory B 45, 1988). The number of solves is limited by the number of people, never by time. Beyond it
//! the result is the best one found, with a bound on the mentees who can be matched. A mentee who wants two mentors is divided by
//! one of her pairs, which is missing or gains points that the bound loses. Prices are at most 2^30 points, which is less than
//! the weight of a mentee in a large round and leaves a gap there.

mod scores;
mod search;
#[cfg(test)]
mod tests;

use super::assign::{SolverStatistics, assign};
use super::certify::{CutTerms, check_cut};
use super::exchange::MatchBounds;
use super::fairest::{Fairest, Totalled, fairest_by};
use super::following::Following;
use super::groups::Cut;
use super::limit_tree::{LimitNode, LimitTree};
use super::objective_value::ObjectiveValue;
use super::observer::{Observer, Stopped};
use super::pair_scores::{FORBIDDEN, Pair, ThresholdedScores};
use super::problem::{Demand, Problem, Seats};
use super::solution::{Evidence, Limited, LimitedProof, Solution};
use crate::domain::policy::Objective;

use self::search::{Aims, Found, best_total, most_solves};

/// Why a problem has no assignment that keeps its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unmet {
    /// Floors contradict ceilings, places and candidates: the cut proves it.
    Cut(Box<(Cut, CutTerms)>),
    /// No assignment keeps floors and limits together.
    Together,
    /// None was found within the limits of the search.
    NotFound,
    /// The stable result does not keep the limits of organisations of their own.
    Stable,
    /// The weights that keep the aims in order exceed the numbers that a certificate holds.
    TooLarge,
}

/// Solves a problem under its bounds. `following` is for FAIREST; for BEST_TOTAL the scores of the problem count the kept pairs
/// already. Fails for STABLE, which takes no bounds: a policy with both is refused.
pub(super) fn solve(
    problem: &Problem<'_>,
    bounds: &MatchBounds,
    objective: Objective,
    following: Option<&Following>,
    observer: &dyn Observer,
) -> Result<Result<Solution, Unmet>, Stopped> {
    let solves = most_solves(problem);
    match objective {
        Objective::BestTotal | Objective::Stable => best(problem, bounds, solves, observer),
        Objective::Fairest => fair(problem, bounds, following, solves, observer),
    }
}

fn best(
    problem: &Problem<'_>,
    bounds: &MatchBounds,
    solves: usize,
    observer: &dyn Observer,
) -> Result<Result<Solution, Unmet>, Stopped> {
    let opposites = problem.scores.opposites();
    let aims = Aims::of(problem, (bounds, opposites), observer)?;
    let Some(found) = best_total(problem, (bounds, opposites), aims, solves, observer)? else {
        return Ok(Err(Unmet::TooLarge));
    };
    let Found { pairs, tree, closed, counters, .. } = found;
    let Some(pairs) = pairs else { return unmet(problem, bounds, &tree, closed, observer).map(Err) };
    let evidence = match &tree.0[..] {
        [LimitNode::Leaf { certificate, prices }] if prices.is_empty() && closed => {
            Evidence::BestTotal(certificate.clone())
        }
        _ => {
            let people = people(problem, bounds, closed, solves, observer)?;
            Evidence::Limited(Box::new(Limited { proof: LimitedProof::BestTotal(tree), people }))
        }
    };
    Ok(Ok(Solution { pairs, evidence, frontier: Vec::new(), stable_size: None, counters }))
}

/// A fairest assignment. It has no frontier. Its first assignment, its thresholds together, and its bound on people have at most
/// `solves` solves each. Where the search above a threshold ends early, the best assignment found before stays, with the bound.
fn fair(
    problem: &Problem<'_>,
    bounds: &MatchBounds,
    following: Option<&Following>,
    solves: usize,
    observer: &dyn Observer,
) -> Result<Result<Solution, Unmet>, Stopped> {
    // A part of the problem does not know the rule on directions.
    let opposites = problem.scores.opposites();
    let aims = Aims::of(problem, (bounds, opposites), observer)?;
    let Some(first) = best_total(problem, (bounds, opposites), aims, solves, observer)? else {
        return Ok(Err(Unmet::TooLarge));
    };
    let Some(first_pairs) = first.pairs else {
        return unmet(problem, bounds, &first.tree, first.closed, observer).map(Err);
    };
    let mut known = vec![first_pairs];
    let (mut all_closed, mut left, mut too_large, mut lost) = (true, solves, false, false);
    let found = fairest_by(problem, following, 0, observer, &mut |part| {
        let aims = Aims::of(part, (bounds, opposites), observer)?;
        let Some(found) = best_total(part, (bounds, opposites), aims, left, observer)? else {
            too_large = true;
            let counters = SolverStatistics::default();
            return Ok(Totalled { pairs: Vec::new(), proof: LimitTree::default(), counters });
        };
        all_closed &= found.closed;
        left = left.saturating_sub(found.solves);
        let pairs = if found.closed { found.pairs } else { best_known(part, found.pairs, &known) };
        lost = pairs.is_none();
        known.extend(pairs.clone());
        Ok(Totalled { pairs: pairs.unwrap_or_default(), proof: found.tree, counters: found.counters })
    })?;
    // The last solve is the one of the result. An earlier assignment fits each threshold that it has raised.
    if too_large || lost {
        return Ok(Err(if too_large { Unmet::TooLarge } else { Unmet::NotFound }));
    }
    let Fairest { pairs, fairness, counters, .. } = found;
    let people = people(problem, bounds, all_closed, solves, observer)?;
    let proof = LimitedProof::Fairest(Box::new(fairness));
    let evidence = Evidence::Limited(Box::new(Limited { proof, people }));
    Ok(Ok(Solution { pairs, evidence, frontier: Vec::new(), stable_size: None, counters }))
}

/// The best of the assignment that an unfinished search has found, and of those that were found before and whose pairs are all
/// candidates of the part.
fn best_known(part: &Problem<'_>, found: Option<Vec<Pair>>, known: &[Vec<Pair>]) -> Option<Vec<Pair>> {
    let is_candidate = |pair: &Pair| part.scores.score(pair.0 as usize, pair.1 as usize).is_some();
    let fitting = known.iter().filter(|pairs| pairs.iter().all(is_candidate)).cloned();
    found.into_iter().chain(fitting).reduce(|best, other| {
        let [value, of_best] = [&other, &best].map(|pairs| ObjectiveValue::of(part, pairs));
        if value.is_better(&of_best, part) { other } else { best }
    })
}

/// Why nothing was found.
fn unmet(
    problem: &Problem<'_>,
    bounds: &MatchBounds,
    tree: &LimitTree,
    closed: bool,
    observer: &dyn Observer,
) -> Result<Unmet, Stopped> {
    match &tree.0[..] {
        [LimitNode::Empty(cut)] => {
            let terms = check_cut(problem, &bounds.quotas, cut, observer)?;
            Ok(Unmet::Cut(Box::new((cut.clone(), terms))))
        }
        _ if closed => Ok(Unmet::Together),
        _ => Ok(Unmet::NotFound),
    }
}

/// A bound on the number of mentees who can have a mentor, if the result is not proved to be the best.
fn people(
    problem: &Problem<'_>,
    bounds: &MatchBounds,
    closed: bool,
    solves: usize,
    observer: &dyn Observer,
) -> Result<Option<LimitTree>, Stopped> {
    if closed {
        return Ok(None);
    }
    let mentees: Vec<Demand> = problem.mentees.iter().map(|one| Demand { tier: 0, ..*one }).collect();
    let mentors: Vec<Seats> = problem.mentors.iter().map(|one| Seats { min: 0, max: one.max }).collect();
    let level = ThresholdedScores::levelled(problem.scores, FORBIDDEN + 1, observer)?;
    let counting = Problem { mentees: &mentees, mentors: &mentors, scores: &level, coverage_first: true };
    let free = assign(&counting, observer)?;
    let aims = Aims::people(free);
    // The rule on directions is left out: the number is a bound.
    let found = best_total(&counting, (bounds, None), aims, solves, observer)?;
    Ok(found.map(|found| found.tree))
}
