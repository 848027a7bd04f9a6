//! Objectives: one entry point to solve a problem, and one to check a solution.
//!
//! All objectives take a [`Problem`] and return a [`Solution`]; they differ in method and proof. [`check`] verifies a
//! solution of any objective with the code of [`mod@certify`], which shares nothing with the solvers.

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
use super::stable::{PreferenceLists, Stable, StableSize, stable};
use crate::domain::policy::Objective;

/// An assignment with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// Pairs of a mentee and a mentor, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Proof that no assignment is better at the objective.
    pub evidence: Evidence,
    /// For FAIREST: the cost of fairness, from the greatest total (first) to the best worst pair (last).
    pub frontier: Vec<Compromise>,
    /// For STABLE: what is known of the number of people against other stable assignments.
    pub stable_size: Option<StableSize>,
    /// Statistics of the solver.
    pub counters: SolverStatistics,
}

impl From<Assignment> for Solution {
    fn from(Assignment { pairs, certificate, counters }: Assignment) -> Self {
        Self {
            pairs,
            evidence: Evidence::BestTotal(certificate),
            frontier: Vec::new(),
            stable_size: None,
            counters,
        }
    }
}

/// Proof that an assignment is optimal at its objective, in the form in which it is exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Prices under which no assignment has a greater value.
    BestTotal(Certificate),
    /// Prices of three problems: see [`Fairness`].
    Fairest(Box<Fairness>),
    /// No data: the scores alone show whether a pair blocks the assignment.
    Stable,
}

impl Evidence {
    /// The objective of the proof.
    pub fn objective(&self) -> Objective {
        match self {
            Self::BestTotal(_) => Objective::BestTotal,
            Self::Fairest(_) => Objective::Fairest,
            Self::Stable => Objective::Stable,
        }
    }
}

/// Result of the check of a solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whether the assignment keeps all rules; if not, the first broken rule.
    pub feasible: Result<(), Infeasible>,
    /// Whether the assignment keeps all rules and is proved optimal at its objective.
    pub proved: bool,
    /// `dual - primal`; 0 for STABLE.
    pub gap: i128,
    /// Value of the assignment under the certificate's weights; 0 for STABLE.
    pub primal: i128,
    /// Upper bound on the value of every assignment under the same weights; 0 for STABLE.
    pub dual: i128,
    /// Number of candidates: pairs that the hard rules allow.
    pub candidates: u64,
    /// Number of blocking pairs, for STABLE only; see [`certify::stability`].
    pub blocking_pairs: u64,
}

/// Solves a problem. Without `preferences`, both sides rank each other by the scores of the problem.
pub fn solve(
    problem: &Problem<'_>,
    objective: Objective,
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<Solution, Stopped> {
    let observer = &CumulativeProgress::new(observer);
    match objective {
        Objective::BestTotal => Ok(assign(problem, observer)?.into()),
        Objective::Fairest => {
            let Fairest { pairs, fairness, frontier, counters } = fairest(problem, observer)?;
            let evidence = Evidence::Fairest(Box::new(fairness));
            Ok(Solution { pairs, evidence, frontier, stable_size: None, counters })
        }
        Objective::Stable => {
            let Stable { pairs, proposals, size } =
                stable(problem, preferences.unwrap_or_else(|| same(problem)), observer)?;
            let counters = SolverStatistics { bids: proposals, ..SolverStatistics::default() };
            let (evidence, frontier) = (Evidence::Stable, Vec::new());
            Ok(Solution { pairs, evidence, frontier, stable_size: Some(size), counters })
        }
    }
}

/// Checks a solution from scratch, over all pairs.
pub fn check(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    evidence: &Evidence,
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<Check, Stopped> {
    check_within(problem, &Quotas::default(), pairs, evidence, preferences, observer)
}

/// Checks a solution of a problem with quotas. Only BEST_TOTAL supports quotas.
pub(super) fn check_within(
    problem: &Problem<'_>,
    quotas: &Quotas,
    pairs: &[(u32, u32)],
    evidence: &Evidence,
    preferences: Option<PreferenceLists<'_>>,
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
            // Blocking pairs are undefined for an assignment that breaks a rule.
            let pairs = if broken.is_none() { pairs } else { &[] };
            let seen = stability(problem, pairs, preferences, observer)?;
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

/// Number of blocking pairs of an assignment.
pub fn blocking_pairs(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<u64, Stopped> {
    // This pass follows the check of the assignment, which reports the same number of rows.
    let rows = problem.mentees.len() as u64;
    let observer = &OffsetProgress { observer, done: rows, total: rows };
    stability(problem, pairs, preferences, observer).map(|stability| stability.blocking_pairs)
}

fn stability(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<Stability, Stopped> {
    let preferences = preferences.unwrap_or_else(|| same(problem));
    certify::stability(problem, preferences.mentees, preferences.mentors, pairs, observer)
}

/// Checks three conditions of a fairest assignment: (1) no assignment whose pairs all score at least `floor` has a
/// greater total; (2) no assignment serves more people; (3) pairs that score more than `floor` cannot serve as many
/// people. Conditions 2 and 3 use a score of 0 for every candidate. Condition 3 holds if the bound is less than the
/// value of the assignment under the same weights.
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

fn same<'a>(problem: &Problem<'a>) -> PreferenceLists<'a> {
    PreferenceLists { mentees: problem.scores, mentors: None }
}

impl Solution {
    /// The value of the solution, aim by aim.
    pub fn objective_value(&self, problem: &Problem<'_>) -> ObjectiveValue {
        ObjectiveValue::of(problem, &self.pairs)
    }

    /// For FAIREST: the loss of total score for the best worst pair.
    pub fn price_of_fairness(&self) -> Option<i64> {
        Some(self.frontier.first()?.total - self.frontier.last()?.total)
    }
}
