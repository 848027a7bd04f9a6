//! A run and everything that comes out of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::explanation::Reason;
use super::failure;
use super::name::{OrganisationId, ProfileRef, RunRef};
use super::policy::{Criterion, HardRule, Objective};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// Solved, proved and saved.
    Succeeded,
    /// Given up.
    Failed,
    /// Cancelled by a person.
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

    /// Whether nothing more will happen to the run.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A step of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Profiles become columns.
    Encode = 1,
    /// Hard rules and criteria are laid out, and every pair is scored if there is room for the scores.
    Score = 2,
    /// The best assignment.
    Assign = 3,
    /// Its proof.
    Certify = 4,
    /// Reasons for every match and non-match.
    Explain = 5,
    /// Saved in one transaction.
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

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The step it is at.
    pub stage: Stage,
    /// Units done.
    pub done: u64,
    /// Units in all; 0 if not known.
    pub total: u64,
    /// Milliseconds to the end of the step at its present pace, if known.
    pub eta_millis: Option<i64>,
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which run of which round.
    pub name: RunRef,
    /// Where it stands.
    pub state: RunState,
    /// Version of the policy it uses.
    pub policy_version: i64,
    /// Digest of its snapshot.
    pub input_digest: String,
    /// Version of the engine that solved it; empty before.
    pub engine_version: String,
    /// Digest of its result; empty before.
    pub result_digest: String,
    /// How far it is; `None` before it begins and after it ends.
    pub progress: Option<Progress>,
    /// What came out; only if it succeeded.
    pub summary: Option<RunSummary>,
    /// Why it failed: reason and message.
    pub failure: Option<(failure::Reason, String)>,
    /// Times it was begun.
    pub attempt: i32,
    /// When it was asked for.
    pub create_time: Timestamp,
    /// When it was first begun.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
}

/// A proposed pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The mentee.
    pub mentee: ProfileRef,
    /// The mentor.
    pub mentor: ProfileRef,
    /// 0..=10,000: the sum of the contributions' points. Private criteria count in the matching, but not in what is shown.
    pub score: u16,
    /// What each criterion gives; private criteria come as one, last, without their points.
    pub contributions: Vec<Contribution>,
}

/// What one criterion gives to a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The criterion; `None` stands for the private criteria together.
    pub criterion: Option<Criterion>,
    /// Points it gives.
    pub points: u16,
    /// Points it can give.
    pub max_points: u16,
    /// Why.
    pub reason: Reason,
}

/// A side of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// As a mentee.
    Mentee = 1,
    /// As a mentor.
    Mentor = 2,
}

/// Why someone has no match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnmatchedReason {
    /// Nobody of the other side is enrolled.
    NoCounterpart = 1,
    /// Hard rules exclude everybody of the other side.
    NoCandidate = 2,
    /// Every candidate's places went where they serve the round better.
    Outcompeted = 3,
    /// A mentor whose candidates all have mentors.
    PlacesLeftOver = 4,
    /// Her consent was not live when the round was frozen.
    NoLiveConsent = 5,
}

/// An enrolled person without a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmatched {
    /// Who she is.
    pub profile: ProfileRef,
    /// As what.
    pub side: Side,
    /// Why.
    pub reason: UnmatchedReason,
    /// People of the other side.
    pub counterparts: u32,
    /// Of these, allowed by all hard rules.
    pub candidates: u32,
    /// How many counterparts each hard rule excludes.
    pub exclusions: BTreeMap<HardRule, u32>,
    /// The reason, and what would change it.
    pub details: Vec<Reason>,
}

/// A pair explained, matched or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairExplanation {
    /// The rules it breaks, each with its reason; empty for a candidate.
    pub broken_rules: Vec<(HardRule, Reason)>,
    /// Score and contributions, also where a rule excludes the pair.
    pub pair: Match,
}

/// What came out of a run, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Mentees in the snapshot.
    pub mentees: u64,
    /// Mentors in the snapshot.
    pub mentors: u64,
    /// Places that the mentors offer.
    pub places: u64,
    /// Pairs looked at.
    pub pairs: u64,
    /// Pairs that all hard rules allow.
    pub candidates: u64,
    /// Matches made.
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
    /// Second mentors sought but not found.
    pub second_places_missed: u64,
    /// Mentors with a match but fewer than their minimum.
    pub mentors_below_minimum: u64,
    /// What the assignment is best at.
    #[serde(default)]
    pub objective: Objective,
    /// Candidates who would both rather be with each other than with whom they have; 0 for STABLE.
    #[serde(default)]
    pub blocking_pairs: u64,
    /// For FAIREST: points of total score that are given up for the best worst pair.
    #[serde(default)]
    pub price_of_fairness: Option<u64>,
    /// Microseconds per stage. Not part of the result digest.
    pub stage_micros: Vec<(Stage, i64)>,
}

/// Proof that an assignment is the best there is. Values are in the units of the lexicographic objective.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Whether separate code has found feasibility and a gap of zero.
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
    /// 1 for the waitlisted, 2 for the others.
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
    /// Points it can give.
    pub max_points: u16,
}
