//! A round: a cohort that is matched.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::date::parse_date;
use super::name::RoundId;
use super::organisation::parse_display_name;
use super::policy::{Policy, PolicyDraft};
use super::violation::Violations;

/// State of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundState {
    /// The round has no enrolments.
    Draft,
    /// Organisations enrol their members.
    Enrolling,
    /// A run is queued or running.
    Matching,
    /// At least one run succeeded, and its result can be reviewed.
    Review,
    /// One run is published.
    Published,
    /// The round has ended.
    Closed,
    /// The round was cancelled.
    Cancelled,
}

impl RoundState {
    /// All states, in the order of a round's life.
    pub const ALL: [Self; 7] = [
        Self::Draft,
        Self::Enrolling,
        Self::Matching,
        Self::Review,
        Self::Published,
        Self::Closed,
        Self::Cancelled,
    ];

    /// The states that allow enrolments, and a run while no run is active, in words.
    pub const OPEN: &'static [&'static str] = &["draft", "enrolling", "review"];

    /// The state's name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Enrolling => "enrolling",
            Self::Matching => "matching",
            Self::Review => "review",
            Self::Published => "published",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether profiles may be enrolled.
    pub fn allows_enrolment(self) -> bool {
        matches!(self, Self::Draft | Self::Enrolling | Self::Review)
    }

    /// Whether a run may be started, if no run is active.
    pub fn allows_run(self) -> bool {
        matches!(self, Self::Draft | Self::Enrolling | Self::Review | Self::Matching)
    }
}

/// A round from outside, not parsed yet.
#[derive(Debug, Clone, Default)]
pub struct RoundDraft {
    /// Name that people read.
    pub display_name: String,
    /// First day, `YYYY-MM-DD`.
    pub start_date: String,
    /// Last day, `YYYY-MM-DD`.
    pub end_date: String,
    /// Policy; `None` means the default policy.
    pub policy: Option<PolicyDraft>,
}

/// The stored content of a round, without version and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundContent {
    /// Name that people read.
    pub display_name: String,
    /// First day of the mentorships.
    pub start_date: Date,
    /// Last day of the mentorships.
    pub end_date: Date,
    /// Policy.
    pub policy: Policy,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Id.
    pub id: RoundId,
    /// Content.
    pub content: RoundContent,
    /// State.
    pub state: RoundState,
    /// Enrolled profiles to which the reader has access.
    pub enrolment: EnrolmentCounts,
    /// Number of the version, from 1; source of the etag.
    pub version: i64,
    /// When the round was created.
    pub create_time: Timestamp,
    /// When the round was last changed.
    pub update_time: Timestamp,
}

/// Numbers of enrolled profiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EnrolmentCounts {
    /// Profiles.
    pub profiles: i64,
    /// Profiles with a mentor offer.
    pub mentors: i64,
    /// Profiles with a mentee request.
    pub mentees: i64,
}

impl EnrolmentCounts {
    /// Together with the people of another organisation.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            profiles: self.profiles + other.profiles,
            mentors: self.mentors + other.mentors,
            mentees: self.mentees + other.mentees,
        }
    }
}

impl RoundContent {
    /// Parses a draft, or returns all violations.
    pub fn parse(draft: &RoundDraft) -> Result<Self, Violations> {
        let mut violations = Violations::of_request();
        let display_name = parse_display_name(&draft.display_name, &mut violations);
        let start_date = parse_date("start_date", &draft.start_date, &mut violations);
        let end_date = parse_date("end_date", &draft.end_date, &mut violations);
        if let (Some(start), Some(end)) = (start_date, end_date) {
            if end < start {
                violations.push(
                    "end_date",
                    end,
                    format!("is before start_date, {start}"),
                    "exchange start_date and end_date",
                );
            } else if start.checked_add(2.years()).is_ok_and(|latest| end > latest) {
                violations.push(
                    "end_date",
                    end,
                    "is more than two years after start_date",
                    "choose an earlier last day",
                );
            }
        }
        let policy = match draft.policy.as_ref().map(Policy::parse) {
            None => Some(Policy::default()),
            Some(Ok(policy)) => Some(policy),
            Some(Err(part)) => {
                violations.extend(part.within("policy"));
                None
            }
        };
        match (start_date, end_date, policy) {
            (Some(start_date), Some(end_date), Some(policy)) => {
                violations.finish(Self { display_name, start_date, end_date, policy })
            }
            _ => Err(violations),
        }
    }
}
