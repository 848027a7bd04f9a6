//! FAIREST: as many people as possible as ever (by tier, then minimum places, then second mentors), then the best possible
//! worst pair, then the greatest total.
//!
//! Whether everybody can still be served with pairs from some score upwards is a question of numbers of people alone, and
//! the answer only ever turns from yes to no as that score rises: so it is found by bisection (the bottleneck assignment;
//! Burkard, Dell'Amico and Martello, *Assignment Problems*, 2009, chapter 6). It lies between the worst pair of a best total
//! and that total's mean, since no worst pair can be better than the mean of its own assignment. With the floor found, one
//! more solve gives the greatest total above it.

use serde::{Deserialize, Serialize};

use super::assign::{Assignment, SolverStatistics, assign};
use super::certificate::Certificate;
use super::objective_value::ObjectiveValue;
use super::observer::{Observer, Stopped};
use super::pair_scores::{FORBIDDEN, ThresholdedScores};
use super::problem::Problem;

/// Points of the frontier, its two ends included.
const STEPS: i64 = 6;

/// What proves that a worst pair is the best possible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fairness {
    /// Every pair scores at least this much; the lowest number there is if there are no pairs.
    pub floor: i32,
    /// Proves that no assignment has a greater total, of pairs that score at least `floor`.
    pub total: Certificate,
    /// Proves that no assignment serves more people, whatever the scores: all candidates count 0.
    pub coverage: Certificate,
    /// Proves that pairs which score more than `floor` cannot serve as many: all of them count 0.
    pub above: Certificate,
}

/// One compromise between the greatest total and the best worst pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compromise {
    /// Score of the worst pair.
    pub worst: i32,
    /// The greatest total that any assignment of as many people has whose pairs score at least `worst`.
    pub total: i64,
}

impl Compromise {
    fn of(value: &ObjectiveValue) -> Self {
        Self { worst: value.worst.unwrap_or(FORBIDDEN + 1), total: value.score }
    }
}

/// A fairest assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fairest {
    /// Its pairs, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Its proof.
    pub fairness: Fairness,
    /// From the greatest total (first) to the best worst pair (last): what fairness costs, step by step.
    pub frontier: Vec<Compromise>,
    /// Work done in all.
    pub counters: SolverStatistics,
}

/// Finds a fairest assignment. Coverage always comes first, whatever the problem says.
pub fn fairest(problem: &Problem<'_>, observer: &dyn Observer) -> Result<Fairest, Stopped> {
    let problem = &Problem { coverage_first: true, ..*problem };
    let mut counters = SolverStatistics::default();
    let mut solve = |problem: &Problem<'_>| {
        let found = assign(problem, observer)?;
        counters += found.counters;
        Ok(found)
    };
    let best = ObjectiveValue::of(problem, &solve(problem)?.pairs);
    let first = Compromise::of(&best);
    let everybody = ThresholdedScores::levelled(problem.scores, FORBIDDEN + 1, observer)?;
    let coverage = solve(&problem.with_scores(&everybody))?.certificate;

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
    let above = solve(&problem.with_scores(&above))?.certificate;

    let mut frontier = vec![first];
    let range = i64::from(floor) - i64::from(first.worst);
    for step in 1..STEPS - 1 {
        let at = clamp(i64::from(first.worst) + range * step / (STEPS - 1));
        if frontier.last().is_some_and(|last| at > last.worst) && at < floor {
            let floored = ThresholdedScores::new(problem.scores, at, observer)?;
            frontier.push(Compromise::of(&ObjectiveValue::of(
                problem,
                &solve(&problem.with_scores(&floored))?.pairs,
            )));
        }
    }
    let floored = ThresholdedScores::new(problem.scores, floor, observer)?;
    let Assignment { pairs, certificate, .. } = solve(&problem.with_scores(&floored))?;
    if frontier.last().is_some_and(|last| last.worst < floor) {
        frontier.push(Compromise::of(&ObjectiveValue::of(problem, &pairs)));
    }
    // A step that costs nothing replaces the one before it.
    frontier.reverse();
    frontier.dedup_by_key(|step| step.total);
    frontier.reverse();
    Ok(Fairest {
        pairs,
        fairness: Fairness { floor, total: certificate, coverage, above },
        frontier,
        counters,
    })
}

fn clamp(score: i64) -> i32 {
    i32::try_from(score).unwrap_or(if score < 0 { FORBIDDEN + 1 } else { i32::MAX })
}
