//! Problems in which two people may not mentor each other, and the direction of each pair is part of the optimum.
//!
//! Inputs: a problem, and who is the same person on both sides ([`Opposites`]). Outputs: a best assignment that uses at most
//! one direction of each pair, and a proof; or the best assignment found, and a bound.
//!
//! 1. [`assign`](super::assign::assign()) solves the problem without the rule. In a usual round few people have both roles,
//!    and the result keeps the rule: then it is optimal, and its certificate proves it.
//! 2. Otherwise *dives* bar the worse direction of every pair that is used both ways and solve again, until none is left. From
//!    the best assignment found, with the opposites of its pairs barred, further dives follow as long as they find a better
//!    one. If the value equals that of step 1, the certificate of step 1 proves it.
//! 3. Otherwise *prices* of directions lower the bound: both directions of a pair pay a price, and the bound gains it once
//!    (Lagrange relaxation; Geoffrion, *Mathematical Programming Study* 2, 1974). The price is raised by what it costs to
//!    bar the cheaper direction, which is the greatest price at which the bound still falls; if that is nothing, by what it
//!    costs to bar both, which leaves the bound as it is and lets the prices of neighbours lower it.
//! 4. Branch and bound ([`search`]) divides the assignments by a pair that is used both ways, or that has a price and is not
//!    used. The tree with the certificates of its leaves is the proof.
//!
//! The number of solves is limited by the number of people, never by time. Beyond the limit the result is the best one found:
//! its evidence is [`Evidence::Bounded`], with a tree that bounds the number of mentees who can have a mentor.
//!
//! STABLE does not come here. With both directions open a stable assignment need not exist, so [`score`](super::score) fixes
//! the direction of each pair before.

mod search;
#[cfg(test)]
mod tests;

use super::fairest::{Fairest, Totalled, fairest_by, fairest_following};
use super::following::Following;
use super::observer::{Observer, Stopped};
use super::pair_scores::{FORBIDDEN, Opposites, ThresholdedScores};
use super::problem::{Demand, Problem, Seats};
use super::solution::{Bounded, Evidence, Solution};
use crate::domain::policy::Objective;
use crate::engine::certificate::BranchNode;

use self::search::{Directed, best_total, best_total_comparable, most_solves};

/// Solves a problem, each pair in one direction at most. `None` if the objective has no choice of a direction. `following`
/// is for FAIREST; for BEST_TOTAL the scores of the problem count the kept pairs already.
pub(super) fn solve(
    problem: &Problem<'_>,
    objective: Objective,
    following: Option<&Following>,
    observer: &dyn Observer,
) -> Result<Option<Solution>, Stopped> {
    let Some(opposites) = problem.scores.opposites() else { return Ok(None) };
    let solves = most_solves(problem);
    match objective {
        Objective::BestTotal => solve_best_total(problem, opposites, solves, observer).map(Some),
        Objective::Fairest => solve_fairest(problem, following, opposites, solves, observer).map(Some),
        Objective::Stable => Ok(None),
    }
}

/// Steps of a frontier, where it is not asked for.
const NO_STEPS: i64 = 0;

/// A best total, each pair in one direction at most. Each search has at most `solves` further solves.
fn solve_best_total(
    problem: &Problem<'_>,
    opposites: &Opposites,
    solves: usize,
    observer: &dyn Observer,
) -> Result<Solution, Stopped> {
    let Directed { pairs, proof, counters, closed, .. } = best_total(problem, opposites, solves, observer)?;
    let mut evidence = match &proof.0[..] {
        [BranchNode::Leaf { certificate, prices }] if prices.is_empty() => {
            Evidence::BestTotal(certificate.clone())
        }
        _ => Evidence::Branches(proof),
    };
    if !closed {
        evidence = bounded(problem, opposites, evidence, solves, observer)?;
    }
    Ok(Solution { pairs, evidence, frontier: Vec::new(), stable_size: None, counters })
}

/// A fairest assignment, each pair in one direction at most. It has no frontier: a step of the frontier of the problem
/// without the rule may use both directions of a pair. All its searches together have at most `solves` further solves, and
/// the bound of the people as many again.
fn solve_fairest(
    problem: &Problem<'_>,
    following: Option<&Following>,
    opposites: &Opposites,
    solves: usize,
    observer: &dyn Observer,
) -> Result<Solution, Stopped> {
    let free = fairest_following(problem, following, observer)?;
    if opposites.both(&free.pairs).is_empty() {
        let Fairest { pairs, fairness, counters, .. } = free;
        let evidence = Evidence::Fairest(Box::new(fairness));
        return Ok(Solution { pairs, evidence, frontier: Vec::new(), stable_size: None, counters });
    }
    let (mut all_closed, mut left) = (true, solves);
    let found = fairest_by(problem, following, NO_STEPS, observer, &mut |part| {
        let Directed { pairs, proof, closed, counters, solves } =
            best_total_comparable(part, opposites, left, observer)?;
        all_closed &= closed;
        left = left.saturating_sub(solves);
        Ok(Totalled { pairs, proof, counters })
    })?;
    let Fairest { pairs, fairness, mut counters, .. } = found;
    counters += free.counters;
    let mut evidence = Evidence::FairBranches(Box::new(fairness));
    if !all_closed {
        evidence = bounded(problem, opposites, evidence, solves, observer)?;
    }
    Ok(Solution { pairs, evidence, frontier: Vec::new(), stable_size: None, counters })
}

/// The evidence, with a bound on the number of mentees who can have a mentor.
fn bounded(
    problem: &Problem<'_>,
    opposites: &Opposites,
    evidence: Evidence,
    solves: usize,
    observer: &dyn Observer,
) -> Result<Evidence, Stopped> {
    let mentees: Vec<Demand> =
        problem.mentees.iter().map(|one| Demand { tier: 0, wanted: one.wanted.min(1), pinned: 0 }).collect();
    let mentors: Vec<Seats> = problem.mentors.iter().map(|one| Seats { min: 0, max: one.max }).collect();
    let level = ThresholdedScores::levelled(problem.scores, FORBIDDEN + 1, observer)?;
    let counting = Problem { mentees: &mentees, mentors: &mentors, scores: &level, coverage_first: true };
    let Directed { proof: people, .. } = best_total(&counting, opposites, solves, observer)?;
    Ok(Evidence::Bounded(Box::new(Bounded { evidence, people })))
}
