//! A run with its progress and its result.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::equity::{Dimension, EquityMeasure, EquityWarning, MenteeGroup, ScoreRange};
use super::explanation::{Reason, ReasonCode};
use super::failure;
use super::name::{OrganisationId, ProfileRef, RunRef};
use super::policy::{Criterion, HardRule, Objective};
pub use super::proof::{Digests, Proof, Standing};
use super::suppression::PeopleCount;

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
    /// Work of the stage, which only coordinators see.
    pub work: Option<StageWork>,
}

/// Work of a stage. Its units depend on the people of all organisations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageWork {
    /// Finished units of the stage.
    pub done: u64,
    /// All units of the stage; 0 if unknown.
    pub total: u64,
    /// Estimated milliseconds to the end of the stage, if known.
    pub eta_millis: Option<i64>,
}

/// What has changed since a run was started, so that a new run could come out differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StaleCause {
    /// People were enrolled or withdrawn.
    Enrolments = 1,
    /// Profiles of people who take part were changed, their consents included.
    Profiles = 2,
    /// The round has another policy.
    Policy = 3,
    /// An organisation has changed its own rules.
    Rules = 4,
    /// The round has other dates.
    Dates = 5,
    /// Reviewers have made or released decisions.
    Decisions = 6,
}

impl StaleCause {
    /// All causes.
    pub const ALL: [Self; 6] =
        [Self::Enrolments, Self::Profiles, Self::Policy, Self::Rules, Self::Dates, Self::Decisions];

    /// Name of the cause.
    pub fn as_str(self) -> &'static str {
        ["enrolments", "profiles", "policy", "rules", "dates", "decisions"][self as usize - 1]
    }
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
    /// Digest of the input, as far as the reader has access to the input; see [`Digests`]. Empty if the reader has none.
    pub input_digest: String,
    /// Version of the engine that solved the run; empty before.
    pub engine_version: String,
    /// Digest of the result, with the same rule; empty before the run has succeeded.
    pub result_digest: String,
    /// Progress; `None` before the run begins and after the run ends.
    pub progress: Option<Progress>,
    /// Result in numbers; only of a run that succeeded.
    pub summary: Option<RunSummary>,
    /// Reason and description of a failure.
    pub failure: Option<(failure::Reason, String)>,
    /// What has changed since the start, as far as it concerns the reader; only of a run that succeeded.
    pub stale_causes: Vec<StaleCause>,
    /// The run that this run follows.
    pub follows: Option<RunRef>,
    /// Whether this run repairs the run that it follows.
    pub repairs: bool,
    /// Most pairs of the followed run that a repair may change; `None` sets no limit.
    pub most_changes: Option<u32>,
    /// Number of times that a worker has begun the run.
    pub attempt: i32,
    /// When the run was queued.
    pub create_time: Timestamp,
    /// When a worker first began the run.
    pub start_time: Option<Timestamp>,
    /// When the run ended.
    pub end_time: Option<Timestamp>,
}

impl Run {
    /// A run that has just been queued.
    pub fn queued(
        name: RunRef,
        policy_version: i64,
        follows: Option<RunRef>,
        create_time: Timestamp,
    ) -> Self {
        Self {
            name,
            state: RunState::Queued,
            policy_version,
            input_digest: String::new(),
            engine_version: String::new(),
            result_digest: String::new(),
            progress: None,
            summary: None,
            failure: None,
            stale_causes: Vec::new(),
            follows,
            repairs: false,
            most_changes: None,
            attempt: 0,
            create_time,
            start_time: None,
            end_time: None,
        }
    }
}

/// Which run a new run follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The newest run of the round that succeeded, if there is one.
    Newest,
    /// The run with this number.
    Run(i64),
    /// The run with this number, which the new run repairs: to keep a pair comes before the scores.
    Repair {
        /// Its number.
        number: i64,
        /// Most pairs that the new run may change; `None` sets no limit.
        most_changes: Option<u32>,
    },
    /// None.
    None,
}

/// How much of each match a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchView {
    /// Who is matched, and the score.
    Basic,
    /// The contributions of the criteria with their reasons as well.
    Full,
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
    /// Whether a decision of the round put the pair into the result.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
}

impl Match {
    /// Contributions of at least half of their most points, the greatest first. A missing answer is no strength.
    pub fn strengths(&self) -> Vec<&Contribution> {
        let is_strong = |given: &&Contribution| given.points > 0 && given.gives_half();
        let mut strengths: Vec<_> =
            self.contributions.iter().filter(|given| !given.is_missing()).filter(is_strong).collect();
        strengths.sort_by_key(|given| Reverse(given.points));
        strengths
    }

    /// Contributions of less than half of their most points, then missing answers, each by the points that the pair
    /// does not get. Private answers are left out, and so are criteria of the mentee alone: they say nothing about the
    /// two.
    pub fn weak_points(&self) -> Vec<&Contribution> {
        let is_told = |given: &&Contribution| {
            given.criterion.is_some_and(|criterion| !criterion.is_of_mentee_alone()) && given.lost() > 0
        };
        let is_weak = |given: &&Contribution| given.is_missing() || !given.gives_half();
        let mut weak: Vec<_> = self.contributions.iter().filter(is_told).filter(is_weak).collect();
        weak.sort_by_key(|given| (given.is_missing(), Reverse(given.lost())));
        weak
    }
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

impl Contribution {
    /// The points that the pair does not get.
    pub fn lost(&self) -> u16 {
        self.max_points.saturating_sub(self.points)
    }

    /// Whether the pair gets at least half of the points. A half is rounded down to a whole point.
    fn gives_half(&self) -> bool {
        self.lost() <= self.points.saturating_add(1)
    }

    /// Whether an answer is missing, so that the points are those of the neutral value.
    pub fn is_missing(&self) -> bool {
        self.reason.code == ReasonCode::MissingAnswer
    }
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

    /// The reason's name in metrics.
    pub fn as_str(self) -> &'static str {
        ["no_counterpart", "no_candidate", "outcompeted", "places_left_over", "no_live_consent", "no_role"]
            [self as usize - 1]
    }
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
    pub counterparts: PeopleCount,
    /// Counterparts that all rules on open answers allow.
    pub candidates: PeopleCount,
    /// Number of counterparts that each rule on open answers excludes. In bands, a rule of the lowest band is left out.
    pub exclusions: BTreeMap<HardRule, PeopleCount>,
    /// Reasons, and what would change the result.
    pub details: Vec<Reason>,
}

/// Explanation of a pair, matched or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairExplanation {
    /// Hard rules that the pair breaks, each with its reason; empty for a candidate. Rules on private answers are among
    /// them only for a reader who manages both people.
    pub broken_rules: Vec<(HardRule, Reason)>,
    /// Score and contributions, also if a rule excludes the pair.
    pub pair: Match,
}

/// Result of a run in numbers, for one reader: about everyone for a coordinator, about her own members for a manager.
///
/// No number depends on a private answer, except through the matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Mentees in the snapshot.
    pub mentees: u64,
    /// Mentors in the snapshot.
    pub mentors: u64,
    /// Places that the mentors offer.
    pub places: u64,
    /// Places that matches fill.
    pub filled_places: u64,
    /// Matches, of a mentee or a mentor whom the summary is about.
    pub matches: u64,
    /// Mentees with at least one match.
    pub matched_mentees: u64,
    /// Mentors with at least one match.
    pub matched_mentors: u64,
    /// Total shown score of the matches.
    pub total_score: u64,
    /// Lowest, median and highest shown score; `None` without matches.
    pub scores: Option<ScoreRange>,
    /// Matches per score bin of 500.
    pub score_histogram: Vec<u64>,
    /// Mentees per tier: number in the tier and matched; the waitlisted tier first, if there is one.
    pub tiers: Vec<TierCoverage>,
    /// Second mentors that mentees sought and did not get.
    pub second_places_missed: u64,
    /// Mentors with fewer matches than their minimum.
    pub mentors_below_minimum: u64,
    /// These mentors by name, by profile; at most [`MOST_BELOW_MINIMUM`] of each organisation, who lack most.
    #[serde(default)]
    pub below_minimum: Vec<BelowMinimum>,
    /// Objective of the assignment.
    pub objective: Objective,
    /// Proof of the optimum.
    pub proof: Proof,
    /// Pairs of the run that this run follows, with a person whom the summary is about; `None` if it follows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<FollowedPairs>,
    /// Numbers about all organisations together and about each of them; only for coordinators.
    pub whole_round: Option<WholeRound>,
}

/// What became of the pairs of a followed run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedPairs {
    /// Pairs that are matches again.
    pub kept: u64,
    /// Pairs that are not, although both people still take part in their roles. For managers, all that are not.
    pub changed: u64,
    /// Pairs of which a person no longer takes part in her role; `None` for managers.
    pub ended: Option<u64>,
}

/// A result in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundNumbers {
    /// Matches.
    pub matches: u64,
    /// Mentees with a match.
    pub matched_mentees: u64,
    /// Total shown score of the matches.
    pub total_score: u64,
    /// Lowest, median and highest shown score; `None` without matches.
    pub scores: Option<ScoreRange>,
}

/// Numbers of a run about all organisations together and about each of them. All pairs are judged by open answers and
/// shown points only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeRound {
    /// Pairs of a mentee and a mentor.
    pub pairs: u64,
    /// Pairs that all rules on open answers allow.
    pub candidates: u64,
    /// Coverage by region, by M49 code.
    pub regions: BTreeMap<String, Coverage>,
    /// Coverage by organisation.
    pub organisations: BTreeMap<OrganisationId, Coverage>,
    /// Mean contribution of each criterion that is not private, in the policy's order.
    pub criteria: Vec<CriterionMean>,
    /// Pairs that each rule on open answers excludes.
    pub exclusions: BTreeMap<HardRule, u64>,
    /// Pairs in which both people would have a higher shown score than with their matches; 0 for STABLE, whose proof is
    /// about the scores with private answers.
    pub blocking_pairs: u64,
    /// For FAIREST: loss of shown total score against the best total by open answers, at least 0.
    pub price_of_fairness: Option<u64>,
    /// For STABLE: mentees whom any assignment, stable or not, could match by open answers, at most; at least the matched
    /// mentees. What the solver knows of the largest stable assignment depends on private answers, so that nobody reads it.
    pub most_matched_mentees: Option<u64>,
    /// Shown points that stability costs by open answers; `None` without it, without a run to follow, and for STABLE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_of_stability: Option<u64>,
    /// Mentees by what reports group them by, for reports and for the equity watch. Not part of a digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<MenteeGroup>,
    /// Groups that fall behind by more than chance, as a coordinator reads them: computed of the groups when the run is read.
    #[serde(skip)]
    pub equity: Vec<EquityWarning>,
    /// Microseconds per stage. Not part of a digest.
    pub stage_micros: Vec<(Stage, i64)>,
}

/// Most mentors below their minimum that a summary names of each organisation.
pub const MOST_BELOW_MINIMUM: usize = 50;

/// A mentor with fewer matches than her minimum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BelowMinimum {
    /// Name of the mentor's profile.
    pub mentor: ProfileRef,
    /// The minimum.
    pub minimum: u32,
    /// Her matches.
    pub matched: u32,
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
