//! What the store counts of published rounds for a report. Nothing here has passed the gate.

use std::collections::BTreeMap;

use crate::domain::name::{OrganisationId, RoundId};
use crate::domain::review::DecisionCost;
use crate::domain::run::RunSummary;
use crate::domain::suppression::partition::{ByOrganisation, Measure};

use super::{CoveredRound, OrganisationNames};

/// Everything that a report is made of.
#[derive(Debug, Default)]
pub struct Facts {
    /// The rounds with their published runs.
    pub rounds: Vec<(CoveredRound, RunSummary)>,
    /// Names of the organisations.
    pub names: OrganisationNames,
    /// Mentorships by what divides them.
    pub lives: BTreeMap<Division, BTreeMap<String, ByOrganisation>>,
    /// Mentorships in which something ended or was last seen, by day of their life.
    pub ends: Vec<LifeEnd>,
    /// Answers of check-ins, of each side's organisation, by side and by band of the score.
    pub answers: Vec<SideAnswers>,
    /// Pins and vetoes of the rounds.
    pub decisions: Vec<(RoundId, DecisionFact)>,
}

/// What divides mentorships.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Division {
    /// Region of the mentee.
    Region,
    /// Best language of the mentee.
    Language,
    /// Career stage of the mentee.
    Stage,
    /// Organisation of the mentor.
    Mentor,
    /// Tenth of the score.
    Score,
    /// Days that the mentee has waited.
    Waited,
    /// The round.
    Round,
}

impl Division {
    /// All divisions.
    pub const ALL: [Self; 7] =
        [Self::Region, Self::Language, Self::Stage, Self::Mentor, Self::Score, Self::Waited, Self::Round];

    /// The division's name in the statement.
    pub fn as_str(self) -> &'static str {
        ["region", "language", "stage", "mentor", "score", "waited", "round"][self as usize]
    }
}

/// Mentees of the published runs.
pub const MENTEES: Measure = "mentees";
/// Mentees with a match.
pub const MATCHED: Measure = "matched";
/// Published matches.
pub const PAIRS: Measure = "pairs";
/// Matches that both sides have answered, or whose deadline has passed.
pub const DECIDED: Measure = "decided";
/// Mentorships that both sides have accepted.
pub const ACCEPTED: Measure = "accepted";
/// Mentorships with a first meeting.
pub const BEGUN: Measure = "begun";
/// Mentorships that were completed.
pub const COMPLETED: Measure = "completed";
/// Mentorships that began and ended early.
pub const ENDED_EARLY: Measure = "ended_early";
/// Mentorships with an answer to the question for satisfaction, of one side.
pub const ANSWERED: Measure = "answered";
/// The same for the question for a recommendation.
pub const RECOMMENDING: Measure = "recommending";
/// The same for the goals.
pub const ASSESSED: Measure = "assessed";
/// The same for the hours.
pub const TIMED: Measure = "timed";
/// Accepted mentorships of an organisation's mentees that ended or were last seen on a day of their life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeEnd {
    /// Days since both had accepted.
    pub day: u64,
    /// Whether they ended early on that day; otherwise they were completed or go on.
    pub is_early: bool,
    /// Organisation of the mentees.
    pub organisation: OrganisationId,
    /// How many.
    pub pairs: u64,
}

/// Answers of one side's members of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideAnswers {
    /// `mentor` or `mentee`.
    pub side: String,
    /// Tenth of the score; `None` once a person of the pair was erased.
    pub tenth: Option<u64>,
    /// The organisation of the side.
    pub organisation: OrganisationId,
    /// The answers.
    pub sums: AnswerSums,
}

/// Sums of answers. An answer counts once for each check-in, and a person once for each question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnswerSums {
    /// People who answered each question: satisfaction, recommendation, goals, time.
    pub people: [u64; 4],
    /// Answers and sum of the satisfaction.
    pub satisfaction: (u64, u64),
    /// Answers, promoters (9 and 10) and detractors (0 to 6).
    pub recommendation: (u64, u64, u64),
    /// Goals that were assessed, and twice those achieved with those achieved in part.
    pub goals: (u64, u64),
    /// Minutes of all meetings.
    pub minutes: u64,
    /// Score and mean satisfaction in hundredths of the pairs with a score: sums of x, y, x², y² and xy.
    pub moments: [u64; 5],
}

/// A decision of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionFact {
    /// Whether it is a pin.
    pub is_pin: bool,
    /// Whether it is in force.
    pub is_live: bool,
    /// What it changed.
    pub cost: Option<DecisionCost>,
}
