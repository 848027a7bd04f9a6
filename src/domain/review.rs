//! What reviewers decide on pairs of a round, and what they and the organisations say of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::name::{AskRef, OrganisationId, ProfileRef};
use super::policy::HardRule;
use super::record::Record;
use super::run::{Match, RoundNumbers};
use super::vocabulary::Region;

/// What a decision says of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// The two people must be matched.
    Pin,
    /// The two people must not be matched.
    Veto,
}

impl DecisionKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Pin, Self::Veto];

    /// The kind's name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Veto => "veto",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A pair of a round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair {
    /// The mentee.
    pub mentee: ProfileRef,
    /// The mentor.
    pub mentor: ProfileRef,
}

/// What a decision changed in a run when it was made or released, in shown scores: what WhatIfDecisions answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionCost {
    /// Number of the run: the newest one that had succeeded.
    pub run: i64,
    /// The run in numbers.
    pub before: RoundNumbers,
    /// The result with the decision in numbers.
    pub after: RoundNumbers,
    /// Mentees whose mentors would differ.
    pub moved: u64,
    /// Whether no result with the decision is better.
    pub is_exact: bool,
}

/// A decision on a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Number of the change of the round's decisions that made it.
    pub number: i64,
    /// What was decided.
    pub kind: DecisionKind,
    /// Id of the pair.
    pub pair_id: String,
    /// The pair.
    pub pair: Pair,
    /// Why.
    pub reason: String,
    /// Who decided, and when.
    pub made: Record,
    /// What it changed when it was made; `None` if no run could answer.
    pub cost: Option<DecisionCost>,
    /// Who released it, when, and why; `None` while it is in force.
    pub release: Option<(Record, String)>,
    /// What the release changed; `None` if no run could answer.
    pub release_cost: Option<DecisionCost>,
}

/// What stands in the way of a decision. The order of the variants is the order in which a refusal names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecisionObstacle {
    /// The first person does not take part as a mentee.
    NoMentee,
    /// The second person does not take part as a mentor.
    NoMentor,
    /// The pair breaks a hard rule on open answers.
    Rule(HardRule),
    /// The pair is not possible for a reason that is not told.
    Private,
    /// The pair is pinned.
    Pinned,
    /// The pair is vetoed.
    Vetoed,
    /// The mentee is pinned to as many mentors as she wants.
    MenteePlaces,
    /// The mentor is pinned to as many mentees as she offers places.
    MentorPlaces,
    /// The objective of the policy allows no pins.
    Objective,
    /// With the other pins, the pair exceeds a quota of the policy, or the places that an organisation gives or takes.
    NoPlaceFree,
}

impl DecisionObstacle {
    /// The code, as metadata of errors name it.
    pub fn code(self) -> String {
        match self {
            Self::NoMentee => "NO_MENTEE".to_owned(),
            Self::NoMentor => "NO_MENTOR".to_owned(),
            Self::Rule(rule) => format!("HARD_RULE_{}", rule.as_str().to_uppercase()),
            Self::Private => "NOT_POSSIBLE".to_owned(),
            Self::Pinned => "PINNED".to_owned(),
            Self::Vetoed => "VETOED".to_owned(),
            Self::MenteePlaces => "MENTEE_PLACES".to_owned(),
            Self::MentorPlaces => "MENTOR_PLACES".to_owned(),
            Self::Objective => "OBJECTIVE".to_owned(),
            Self::NoPlaceFree => "NO_PLACE_FREE".to_owned(),
        }
    }
}

/// Kind of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentKind {
    /// A reviewer says something.
    Comment,
    /// A reviewer marks the pair as reviewed.
    Mark,
    /// The organisation of one of the two people contests the match.
    Contest,
    /// The organisation of one of the two people objects to the publication.
    Objection,
    /// A reviewer asks an expert.
    Ask,
}

impl CommentKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Comment, Self::Mark, Self::Contest, Self::Objection, Self::Ask];

    /// The kind's name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Mark => "mark",
            Self::Contest => "contest",
            Self::Objection => "objection",
            Self::Ask => "ask",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Something that was said of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Number within the pair: the version of the pair's review that it made. No caller reads it.
    pub number: i64,
    /// Last segment of its name.
    pub id: String,
    /// Id of the pair.
    pub pair_id: String,
    /// What it is.
    pub kind: CommentKind,
    /// The organisation that contests or objects.
    pub organisation: Option<OrganisationId>,
    /// The words.
    pub text: String,
    /// Who said it, and when.
    pub said: Record,
}

/// An expert who is asked about a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Its name.
    pub name: AskRef,
    /// The pair.
    pub pair: Pair,
    /// What she is asked.
    pub question: String,
    /// Who asked her, and when.
    pub asked: Record,
    /// Who withdrew it, and when; `None` while she may read the pair and comment on it.
    pub withdrawn: Option<Record>,
}

/// What was said of a pair, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairReview {
    /// Id of the pair.
    pub pair_id: String,
    /// The pair.
    pub pair: Pair,
    /// Version, source of the etag; 0 before the first word.
    pub version: i64,
    /// Who marked the pair as reviewed last, and when, unless it was contested since.
    pub mark: Option<Record>,
    /// Contests and objections since the last mark.
    pub contests: i64,
    /// Comments of reviewers since the last mark.
    pub comments: i64,
    /// When the last word was said.
    pub update_time: Timestamp,
}

/// Why a match should be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attention {
    /// Its score is among the lowest tenth of the run.
    Worst = 1,
    /// The pair is pinned.
    Pinned = 2,
    /// The pair is not a match of the previous run that succeeded.
    Changed = 3,
    /// An organisation contests the match, and no reviewer has answered.
    Contested = 4,
    /// A reviewer has commented on the pair since the last mark.
    Commented = 5,
    /// One of the two people takes no part in the round any more.
    Left = 6,
}

impl Attention {
    /// All causes, in the order of the contract.
    pub const ALL: [Self; 6] =
        [Self::Worst, Self::Pinned, Self::Changed, Self::Contested, Self::Commented, Self::Left];
}

/// A match with what was said of it.
#[derive(Debug, Clone)]
pub struct ReviewedMatch {
    /// Place of the match in its run, from 1.
    pub ordinal: i64,
    /// Id of the match and of the pair.
    pub id: String,
    /// The match, without contributions.
    pub found: Match,
    /// What was said of the pair; `None` if nothing was.
    pub review: Option<PairReview>,
    /// The decision on the pair that is in force.
    pub decision: Option<Decision>,
    /// Why it should be looked at.
    pub attention: Vec<Attention>,
}

/// Which matches a list contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewFilter {
    /// Matches with at least one of these; empty means all.
    pub attention: Vec<Attention>,
    /// Least score.
    pub min_score: Option<i32>,
    /// Greatest score.
    pub max_score: Option<i32>,
    /// Matches with a mentee or a mentor of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Matches with a mentee or a mentor who lives in this region.
    pub region: Option<Region>,
    /// Whether a reviewer has marked them.
    pub reviewed: Option<bool>,
}
