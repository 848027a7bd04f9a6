//! FAIREST: serve as many people as possible, then raise the score of the worst pair, then maximise the total.
//!
//! Input: a problem. Output: the pairs, a proof of three certificates, and a frontier of compromises. Whether pairs
//! above a threshold can serve everybody who can be served depends on counts alone and is monotone in the threshold.
//! Bisection therefore finds the greatest threshold, `floor` (bottleneck assignment; Burkard, Dell'Amico and Martello,
//! *Assignment Problems*, 2009, chapter 6). The floor lies between the worst pair of a best total and the mean score of
//! that assignment: no worst pair is better than the mean of its own assignment. One more solve gives the greatest
//! total above the floor. Time: about log2(range of scores) solves.

use serde::{Deserialize, Serialize};

use super::assign::{Assignment, SolverStatistics, assign};
use super::certificate::Certificate;
use super::following::Following;
use super::objective_value::ObjectiveValue;
use super::observer::{Observer, Stopped};
use super::pair_scores::{FORBIDDEN, PairScores, ThresholdedScores};
use super::problem::Problem;

/// Number of points of the frontier, both ends included.
const STEPS: i64 = 6;

/// Proof that the worst pair is the best possible one. `C` is the proof of each of three problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fairness<C = Certificate> {
    /// Every pair scores at least this number; the lowest score if there are no pairs.
    pub floor: i32,
    /// Proves that no assignment of pairs that score at least `floor` has a greater total. If the result follows another one,
    /// the total counts the kept pairs.
    pub total: C,
    /// Proves that no assignment serves more people: all candidates score 0.
    pub coverage: C,
    /// Proves that pairs that score more than `floor` cannot serve as many people: all of them score 0.
    pub above: C,
}

/// One compromise between the greatest total and the best worst pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compromise {
    /// Score of the worst pair.
    pub worst: i32,
    /// The greatest total of an assignment that serves as many people and whose pairs all score at least `worst`.
    pub total: i64,
}

impl Compromise {
    fn of(value: &ObjectiveValue) -> Self {
        Self { worst: value.worst.unwrap_or(FORBIDDEN + 1), total: value.score }
    }
}

/// A fairest assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fairest<C = Certificate> {
    /// The pairs, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// The proof.
    pub fairness: Fairness<C>,
    /// Compromises from the greatest total (first) to the best worst pair (last).
    pub frontier: Vec<Compromise>,
    /// SolveContext of all solves.
    pub counters: SolverStatistics,
}

/// Computes a fairest assignment. Coverage always comes first, without regard to `coverage_first`.
pub fn fairest(problem: &Problem<'_>, observer: &dyn Observer) -> Result<Fairest, Stopped> {
    fairest_following(problem, None, observer)
}

/// Computes a fairest assignment like [`fairest`]. The worst pair is as good as possible without regard to `following`; kept
/// pairs count in the total above it.
pub(super) fn fairest_following(
    problem: &Problem<'_>,
    following: Option<&Following>,
    observer: &dyn Observer,
) -> Result<Fairest, Stopped> {
    fairest_by(problem, following, STEPS, observer, &mut |part| {
        let Assignment { pairs, certificate, counters } = assign(part, observer)?;
        Ok(Totalled { pairs, proof: certificate, counters })
    })
}

/// A best total with its proof.
pub(super) struct Totalled<C> {
    /// The pairs, sorted.
    pub(super) pairs: Vec<(u32, u32)>,
    /// Proof that no assignment has a greater total.
    pub(super) proof: C,
    /// Statistics of the solver.
    pub(super) counters: SolverStatistics,
}

/// Computes a fairest assignment like [`fairest_following`], where `total` computes a best total. The frontier has at most `steps` steps
/// between its ends; none of them is computed for 0.
pub(super) fn fairest_by<C>(
    problem: &Problem<'_>,
    following: Option<&Following>,
    steps: i64,
    observer: &dyn Observer,
    total: &mut dyn FnMut(&Problem<'_>) -> Result<Totalled<C>, Stopped>,
) -> Result<Fairest<C>, Stopped> {
    let problem = &Problem { coverage_first: true, ..*problem };
    let mut counters = SolverStatistics::default();
    let mut solve = |problem: &Problem<'_>| {
        let found = total(problem)?;
        counters += found.counters;
        Ok(found)
    };
    let best = ObjectiveValue::of(problem, &solve(problem)?.pairs);
    let first = Compromise::of(&best);
    let everybody = ThresholdedScores::levelled(problem.scores, FORBIDDEN + 1, observer)?;
    let coverage = solve(&problem.with_scores(&everybody))?.proof;

    let mut floor = first.worst;
    let mean = best.score.div_euclid(i64::try_from(best.pairs.max(1)).unwrap_or(i64::MAX));
    let mut too_high = if best.pairs == 0 { floor } else { clamp(mean + 1) };
    while i64::from(too_high) - i64::from(floor) > 1 {
        let middle = clamp(i64::midpoint(i64::from(floor), i64::from(too_high)));
        let level = ThresholdedScores::levelled(problem.scores, middle, observer)?;
        let found = ObjectiveValue::of(problem, &solve(&problem.with_scores(&level))?.pairs);
        if found.people == best.people {
            floor = Compromise::of(&found).worst;
        } else {
            too_high = middle;
        }
    }
    let above = ThresholdedScores::levelled(problem.scores, floor.saturating_add(1), observer)?;
    let above = solve(&problem.with_scores(&above))?.proof;

    let mut frontier = vec![first];
    let range = i64::from(floor) - i64::from(first.worst);
    for step in 1..steps - 1 {
        let at = clamp(i64::from(first.worst) + range * step / (steps - 1));
        if frontier.last().is_some_and(|last| at > last.worst) && at < floor {
            let floored = ThresholdedScores::new(problem.scores, at, observer)?;
            frontier.push(Compromise::of(&ObjectiveValue::of(
                problem,
                &solve(&problem.with_scores(&floored))?.pairs,
            )));
        }
    }
    let floored = ThresholdedScores::new(problem.scores, floor, observer)?;
    let followed = following.map(|following| following.scores(&floored));
    let floored: &dyn PairScores = followed.as_ref().map_or(&floored, |followed| followed);
    let Totalled { pairs, proof: total, .. } = solve(&problem.with_scores(floored))?;
    if frontier.last().is_some_and(|last| last.worst < floor) {
        frontier.push(Compromise::of(&ObjectiveValue::of(problem, &pairs)));
    }
    // A compromise of the same total replaces the previous one.
    frontier.reverse();
    frontier.dedup_by_key(|step| step.total);
    frontier.reverse();
    Ok(Fairest { pairs, fairness: Fairness { floor, total, coverage, above }, frontier, counters })
}

fn clamp(score: i64) -> i32 {
    i32::try_from(score).unwrap_or(if score < 0 { FORBIDDEN + 1 } else { i32::MAX })
}
