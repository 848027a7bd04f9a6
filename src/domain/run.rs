//! A run with its progress and its result.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::explanation::Reason;
use super::failure;
use super::name::{OrganisationId, ProfileRef, RunRef};
use super::policy::{Criterion, HardRule, Objective};

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Waits for a worker.
    Queued,
    /// A worker solves the run.
    Running,
    /// Solved, proved and saved.
    Succeeded,
    /// Ended without a result.
    Failed,
    /// Cancelled by a caller.
    Cancelled,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The state's name as stored.
    pub fn as_str(self) -> &'static str {
        ["queued", "running", "succeeded", "failed", "cancelled"][self as usize]
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether the run has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A stage of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Encodes profiles as columns.
    Encode = 1,
    /// Prepares hard rules and criteria, and scores every pair if the memory allows.
    Score = 2,
    /// Computes the best assignment.
    Assign = 3,
    /// Checks the proof of the assignment.
    Certify = 4,
    /// Writes the reason of every match and of every person without a match.
    Explain = 5,
    /// Saves the result in one transaction.
    Save = 6,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 6] =
        [Self::Encode, Self::Score, Self::Assign, Self::Certify, Self::Explain, Self::Save];

    /// The stage's name as stored and shown.
    pub fn as_str(self) -> &'static str {
        ["encode", "score", "assign", "certify", "explain", "save"][self as usize - 1]
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }
}

/// Progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The present stage.
    pub stage: Stage,
    /// Finished units of the stage.
    pub done: u64,
    /// All units of the stage; 0 if unknown.
    pub total: u64,
    /// Estimated milliseconds to the end of the stage, if known.
    pub eta_millis: Option<i64>,
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Name.
    pub name: RunRef,
    /// State.
    pub state: RunState,
    /// Version of the policy.
    pub policy_version: i64,
    /// Digest of the snapshot.
    pub input_digest: String,
    /// Version of the engine that solved the run; empty before.
    pub engine_version: String,
    /// Digest of the result; empty before.
    pub result_digest: String,
    /// Progress; `None` before the run begins and after the run ends.
    pub progress: Option<Progress>,
    /// Result in numbers; only of a run that succeeded.
    pub summary: Option<RunSummary>,
    /// Reason and description of a failure.
    pub failure: Option<(failure::Reason, String)>,
    /// Number of times that a worker has begun the run.
    pub attempt: i32,
    /// When the run was queued.
    pub create_time: Timestamp,
    /// When a worker first began the run.
    pub start_time: Option<Timestamp>,
    /// When the run ended.
    pub end_time: Option<Timestamp>,
}

/// A proposed pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The mentee.
    pub mentee: ProfileRef,
    /// The mentor.
    pub mentor: ProfileRef,
    /// Shown score, 0..=10,000: the sum of the contributions' points, without those of private criteria.
    pub score: u16,
    /// Contributions of the criteria. All private criteria are one entry, last, without points.
    pub contributions: Vec<Contribution>,
}

/// Contribution of one criterion to a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The criterion; `None` stands for the private criteria together.
    pub criterion: Option<Criterion>,
    /// Points of the pair.
    pub points: u16,
    /// Most points.
    pub max_points: u16,
    /// Reason of the points.
    pub reason: Reason,
}

/// A side of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Mentees.
    Mentee = 1,
    /// Mentors.
    Mentor = 2,
}

/// Reasons for which a person has no match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnmatchedReason {
    /// The other side has no enrolments.
    NoCounterpart = 1,
    /// Hard rules exclude everybody of the other side.
    NoCandidate = 2,
    /// Other people have the places of all candidates.
    Outcompeted = 3,
    /// All candidates of this mentor have mentors already.
    PlacesLeftOver = 4,
    /// The person had no live consent when the round was frozen.
    NoLiveConsent = 5,
    /// The person's profile neither offers nor seeks mentoring: it was changed after the enrolment.
    NoRole = 6,
}

impl UnmatchedReason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::NoCounterpart,
        Self::NoCandidate,
        Self::Outcompeted,
        Self::PlacesLeftOver,
        Self::NoLiveConsent,
        Self::NoRole,
    ];
}

/// An enrolled person without a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmatched {
    /// Name of the person's profile.
    pub profile: ProfileRef,
    /// Side on which the person has no match; `None` for a person without a role.
    pub side: Option<Side>,
    /// Why.
    pub reason: UnmatchedReason,
    /// People of the other side (counterparts).
    pub counterparts: u32,
    /// Counterparts that all hard rules allow.
    pub candidates: u32,
    /// Number of counterparts that each hard rule excludes.
    pub exclusions: BTreeMap<HardRule, u32>,
    /// Reasons, and what would change the result.
    pub details: Vec<Reason>,
}

/// Explanation of a pair, matched or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairExplanation {
    /// Hard rules that the pair breaks, each with its reason; empty for a candidate.
    pub broken_rules: Vec<(HardRule, Reason)>,
    /// Score and contributions, also if a rule excludes the pair.
    pub pair: Match,
}

/// Result of a run in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Mentees in the snapshot.
    pub mentees: u64,
    /// Mentors in the snapshot.
    pub mentors: u64,
    /// Places that the mentors offer.
    pub places: u64,
    /// Pairs that the engine checked.
    pub pairs: u64,
    /// Pairs that all hard rules allow.
    pub candidates: u64,
    /// Matches.
    pub matches: u64,
    /// Mentees with at least one match.
    pub matched_mentees: u64,
    /// Mentors with at least one match.
    pub matched_mentors: u64,
    /// Total score of all matches.
    pub total_score: u64,
    /// Lowest score of a match; 0 without matches.
    pub worst_score: u16,
    /// The lower median.
    pub median_score: u16,
    /// Highest score of a match.
    pub best_score: u16,
    /// Proof of the optimum.
    pub proof: Proof,
    /// Mentees per tier: number in the tier and matched; the waitlisted tier first, if there is one.
    pub tiers: Vec<TierCoverage>,
    /// Matches per score bin of 500.
    pub score_histogram: Vec<u64>,
    /// Coverage by region, by M49 code.
    pub regions: BTreeMap<String, Coverage>,
    /// Coverage by organisation.
    pub organisations: BTreeMap<OrganisationId, Coverage>,
    /// Mean contribution of each criterion, in the policy's order; private criteria as one.
    pub criteria: Vec<CriterionMean>,
    /// Pairs that each hard rule excludes.
    pub exclusions: BTreeMap<HardRule, u64>,
    /// Second mentors that mentees sought and did not get.
    pub second_places_missed: u64,
    /// Mentors with at least one match, but with fewer than their minimum.
    pub mentors_below_minimum: u64,
    /// Objective of the assignment.
    #[serde(default)]
    pub objective: Objective,
    /// Blocking pairs: candidates in which both people prefer each other to their matches; 0 for STABLE.
    #[serde(default)]
    pub blocking_pairs: u64,
    /// For FAIREST: loss of total score against BEST_TOTAL.
    #[serde(default)]
    pub price_of_fairness: Option<u64>,
    /// Microseconds per stage. Not part of the result digest.
    pub stage_micros: Vec<(Stage, i64)>,
}

/// Proof that no assignment is better. Values are under the lexicographic weights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Whether code that shares nothing with the solver has proved feasibility and a gap of zero.
    pub proved: bool,
    /// Value of the assignment.
    pub primal: i128,
    /// Upper bound from the dual prices.
    pub dual: i128,
    /// Candidates checked.
    pub candidates_checked: u64,
}

/// Mentees of one priority tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierCoverage {
    /// 1 for waitlisted mentees, 2 for new ones.
    pub tier: u8,
    /// Mentees of the tier.
    pub mentees: u64,
    /// Of these, matched.
    pub matched: u64,
}

/// Mentees and mentors of one group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Mentees of the group.
    pub mentees: u64,
    /// Of these, matched.
    pub matched_mentees: u64,
    /// Mentors of the group.
    pub mentors: u64,
    /// Of these, matched.
    pub matched_mentors: u64,
}

/// Mean contribution of a criterion over all matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriterionMean {
    /// The criterion; `None` stands for the private criteria together.
    pub criterion: Option<Criterion>,
    /// Mean points, in hundredths of a point, rounded down.
    pub mean_points_hundredths: u64,
    /// Most points.
    pub max_points: u16,
}
