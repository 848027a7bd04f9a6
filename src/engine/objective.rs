//! What an assignment is to be best at. The aims differ in method and proof; all of them take one [`Problem`] and give one
//! [`Solution`], and [`check`] tells of any solution, with code that shares nothing with the solvers, whether it is proved.

use serde::{Deserialize, Serialize};

use super::assign::{Assignment, SolverStatistics, assign};
use super::certificate::Certificate;
use super::certify::{self, CertificateVerdict, Infeasible, Stability, certify, certify_within};
use super::fairest::{Compromise, Fairest, Fairness, fairest};
use super::groups::Quotas;
use super::objective_value::ObjectiveValue;
use super::observer::{CumulativeProgress, Observer, OffsetProgress, Stopped};
use super::pair_scores::{FORBIDDEN, ThresholdedScores};
use super::problem::Problem;
use super::stable::{Sides, Stable, stable};
use crate::domain::policy::Objective;

/// An assignment with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// Pairs of a mentee and a mentor, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// What proves that no assignment is better at the objective.
    pub evidence: Evidence,
    /// For FAIREST: what fairness costs, from the greatest total (first) to the best worst pair (last).
    pub frontier: Vec<Compromise>,
    /// Work done.
    pub counters: SolverStatistics,
}

impl From<Assignment> for Solution {
    fn from(Assignment { pairs, certificate, counters }: Assignment) -> Self {
        Self { pairs, evidence: Evidence::BestTotal(certificate), frontier: Vec::new(), counters }
    }
}

/// What proves that an assignment is the best at its objective. The exported form of the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Prices under which no assignment has a greater value.
    BestTotal(Certificate),
    /// Prices of three problems: see [`Fairness`].
    Fairest(Box<Fairness>),
    /// Nothing: that no pair blocks the assignment is seen from the scores alone.
    Stable,
}

impl Evidence {
    /// The objective that it is about.
    pub fn objective(&self) -> Objective {
        match self {
            Self::BestTotal(_) => Objective::BestTotal,
            Self::Fairest(_) => Objective::Fairest,
            Self::Stable => Objective::Stable,
        }
    }
}

/// What checking a solution found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whether all rules are kept; if not, the first that is broken.
    pub feasible: Result<(), Infeasible>,
    /// Whether the assignment keeps all rules and is proved to be the best at its objective.
    pub proved: bool,
    /// What no assignment exceeds, less what this one is worth, under the certificate's weights; 0 for STABLE.
    pub gap: i128,
    /// Value of the assignment under the certificate's weights; 0 for STABLE.
    pub primal: i128,
    /// What no assignment exceeds under them; 0 for STABLE.
    pub dual: i128,
    /// Candidates seen: pairs that the hard rules allow.
    pub candidates: u64,
    /// Candidates who would both rather be with each other; counted for STABLE only, see [`certify::stability`].
    pub blocking_pairs: u64,
}

/// Solves a problem. Both sides rank each other by the problem's scores unless `sides` says otherwise.
pub fn solve(
    problem: &Problem<'_>,
    objective: Objective,
    sides: Option<Sides<'_>>,
    observer: &dyn Observer,
) -> Result<Solution, Stopped> {
    let observer = &CumulativeProgress::new(observer);
    match objective {
        Objective::BestTotal => Ok(assign(problem, observer)?.into()),
        Objective::Fairest => {
            let Fairest { pairs, fairness, frontier, counters } = fairest(problem, observer)?;
            Ok(Solution { pairs, evidence: Evidence::Fairest(Box::new(fairness)), frontier, counters })
        }
        Objective::Stable => {
            let Stable { pairs, proposals } =
                stable(problem, sides.unwrap_or_else(|| same(problem)), observer)?;
            let counters = SolverStatistics { bids: proposals, ..SolverStatistics::default() };
            Ok(Solution { pairs, evidence: Evidence::Stable, frontier: Vec::new(), counters })
        }
    }
}

/// Checks a solution from scratch, over all pairs.
pub fn check(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    evidence: &Evidence,
    sides: Option<Sides<'_>>,
    observer: &dyn Observer,
) -> Result<Check, Stopped> {
    check_within(problem, &Quotas::default(), pairs, evidence, sides, observer)
}

/// The same for a problem with quotas, which go with BEST_TOTAL only.
pub(super) fn check_within(
    problem: &Problem<'_>,
    quotas: &Quotas,
    pairs: &[(u32, u32)],
    evidence: &Evidence,
    sides: Option<Sides<'_>>,
    observer: &dyn Observer,
) -> Result<Check, Stopped> {
    let mut blocking_pairs = 0;
    let (verdict, proved) = match evidence {
        Evidence::BestTotal(certificate) => {
            let verdict = certify_within(problem, quotas, pairs, certificate, observer)?;
            let proved = verdict.proved();
            (verdict, proved)
        }
        Evidence::Fairest(fairness) => check_fairness(problem, pairs, fairness, observer)?,
        Evidence::Stable => {
            let broken = certify::broken_rule(problem, pairs, observer)?;
            // Blocking pairs are not defined beside pairs that break a rule.
            let pairs = if broken.is_none() { pairs } else { &[] };
            let seen = stability(problem, pairs, sides, observer)?;
            if broken.is_none() {
                blocking_pairs = seen.blocking_pairs;
            }
            let proved = broken.is_none() && blocking_pairs == 0;
            let feasible = broken.map_or(Ok(()), Err);
            (CertificateVerdict { feasible, primal: 0, dual: 0, candidates: seen.candidates }, proved)
        }
    };
    let CertificateVerdict { feasible, primal, dual, candidates } = verdict;
    Ok(Check { feasible, proved, gap: dual - primal, primal, dual, candidates, blocking_pairs })
}

/// Candidates who would both rather be with each other than with whom an assignment gives them.
pub fn blocking_pairs(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    sides: Option<Sides<'_>>,
    observer: &dyn Observer,
) -> Result<u64, Stopped> {
    // Told after the check of the assignment, of which every pass tells of as many rows.
    let rows = problem.mentees.len() as u64;
    let observer = &OffsetProgress { observer, done: rows, total: rows };
    stability(problem, pairs, sides, observer).map(|stability| stability.blocking_pairs)
}

fn stability(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    sides: Option<Sides<'_>>,
    observer: &dyn Observer,
) -> Result<Stability, Stopped> {
    let sides = sides.unwrap_or_else(|| same(problem));
    certify::stability(problem, sides.mentees, sides.mentors, pairs, observer)
}

/// An assignment is a fairest one if (1) it has the best total of all whose pairs score `floor` or more, (2) it serves as
/// many people as any assignment, and (3) pairs above `floor` cannot serve as many. People are counted by letting every
/// candidate score 0; then (3) is a bound below the value that the assignment has under the same weights.
fn check_fairness(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    fairness: &Fairness,
    observer: &dyn Observer,
) -> Result<(CertificateVerdict, bool), Stopped> {
    let problem = &Problem { coverage_first: true, ..*problem };
    let floored = ThresholdedScores::new(problem.scores, fairness.floor, observer)?;
    let total = certify(&problem.with_scores(&floored), pairs, &fairness.total, observer)?;
    let everybody = ThresholdedScores::levelled(problem.scores, FORBIDDEN + 1, observer)?;
    let everybody = problem.with_scores(&everybody);
    let coverage = certify(&everybody, pairs, &fairness.coverage, observer)?;
    let floor_is_met = pairs.is_empty() || {
        let higher = ThresholdedScores::levelled(problem.scores, fairness.floor.saturating_add(1), observer)?;
        let above = certify(&problem.with_scores(&higher), &[], &fairness.above, observer)?;
        let here = certify(&everybody, pairs, &fairness.above, observer)?;
        fairness.floor == i32::MAX
            || above.feasible.is_ok() && here.feasible.is_ok() && above.dual < here.primal
    };
    let proved = total.proved() && coverage.proved() && floor_is_met;
    Ok((CertificateVerdict { candidates: coverage.candidates, ..total }, proved))
}

fn same<'a>(problem: &Problem<'a>) -> Sides<'a> {
    Sides { mentees: problem.scores, mentors: None }
}

impl Solution {
    /// The solution in plain numbers.
    pub fn objective_value(&self, problem: &Problem<'_>) -> ObjectiveValue {
        ObjectiveValue::of(problem, &self.pairs)
    }

    /// For FAIREST: how much total score is given up for the best worst pair.
    pub fn price_of_fairness(&self) -> Option<i64> {
        Some(self.frontier.first()?.total - self.frontier.last()?.total)
    }
}
