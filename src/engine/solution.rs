//! A solution of a problem: the assignment, and the evidence that proves it.
//!
//! The evidence names its objective. It is the exported and stored form of a proof; [`objective::check`](super::objective::check)
//! verifies it.

use serde::{Deserialize, Serialize};

use super::assign::{Assignment, SolverStatistics};
use super::certificate::{BranchProof, Certificate};
use super::fairest::{Compromise, Fairness};
use super::limit_tree::LimitTree;
use super::objective_value::ObjectiveValue;
use super::problem::Problem;
use super::stable::StableSize;
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
    /// BEST_TOTAL where two people may not mentor each other: a tree of decisions on directions.
    Branches(BranchProof),
    /// FAIREST where two people may not mentor each other: a tree for each of three problems.
    FairBranches(Box<Fairness<BranchProof>>),
    /// The best assignment found, whose proof leaves a gap.
    Bounded(Box<Bounded>),
    /// A result under quotas or limits of exchange.
    Limited(Box<Limited>),
}

/// Evidence that leaves a gap: two people may not mentor each other, and the search for directions ended before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounded {
    /// The bound at the objective.
    pub evidence: Evidence,
    /// Bound on the number of mentees who can have a mentor: every mentee wants one, and all candidates score 0.
    pub people: BranchProof,
}

/// The bound at an objective.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitedProof {
    /// BEST_TOTAL.
    BestTotal(LimitTree),
    /// FAIREST: a tree for each of its three problems.
    Fairest(Box<Fairness<LimitTree>>),
}

/// Evidence of a result under quotas or limits of exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limited {
    /// The bound at the objective.
    pub proof: LimitedProof,
    /// If the bound leaves a gap: a bound on the number of mentees who can have a mentor. All candidates score 0.
    pub people: Option<LimitTree>,
}

impl Evidence {
    /// Whether the evidence leaves a gap.
    pub fn leaves_gap(&self) -> bool {
        match self {
            Self::Bounded(_) => true,
            Self::Limited(limited) => limited.people.is_some(),
            Self::BestTotal(_)
            | Self::Fairest(_)
            | Self::Stable
            | Self::Branches(_)
            | Self::FairBranches(_) => false,
        }
    }

    /// The objective of the proof.
    pub fn objective(&self) -> Objective {
        match self {
            Self::BestTotal(_) | Self::Branches(_) => Objective::BestTotal,
            Self::Fairest(_) | Self::FairBranches(_) => Objective::Fairest,
            Self::Stable => Objective::Stable,
            Self::Bounded(bounded) => bounded.evidence.objective(),
            Self::Limited(limited) => match limited.proof {
                LimitedProof::BestTotal(_) => Objective::BestTotal,
                LimitedProof::Fairest(_) => Objective::Fairest,
            },
        }
    }
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
