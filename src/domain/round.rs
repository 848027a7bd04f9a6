//! A round: a cohort being matched.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::date::parse_date;
use super::name::RoundId;
use super::organisation::parse_display_name;
use super::policy::{Policy, PolicyDraft};
use super::violation::Violations;

/// Where a round stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundState {
    /// Created, nobody enrolled.
    Draft,
    /// Organisations enrol their members.
    Enrolling,
    /// A run is under way.
    Matching,
    /// At least one run has succeeded and waits for review.
    Review,
    /// Published.
    Published,
    /// Over.
    Closed,
    /// Given up.
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

    /// Whether a run may be started, apart from one being active.
    pub fn allows_run(self) -> bool {
        matches!(self, Self::Draft | Self::Enrolling | Self::Review | Self::Matching)
    }
}

/// A round as it comes from outside.
#[derive(Debug, Clone, Default)]
pub struct RoundDraft {
    /// The name people know it by.
    pub display_name: String,
    /// First day, `YYYY-MM-DD`.
    pub start_date: String,
    /// Last day, `YYYY-MM-DD`.
    pub end_date: String,
    /// Its policy; `None` means the default policy.
    pub policy: Option<PolicyDraft>,
}

/// What is kept of a round, apart from its bookkeeping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundContent {
    /// The name people know it by.
    pub display_name: String,
    /// First day of the mentorships.
    pub start_date: Date,
    /// Last day of the mentorships.
    pub end_date: Date,
    /// Its policy.
    pub policy: Policy,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Its id.
    pub id: RoundId,
    /// Its content.
    pub content: RoundContent,
    /// Where it stands.
    pub state: RoundState,
    /// Profiles enrolled, as far as the reader may know.
    pub enrolment: EnrolmentCounts,
    /// Counts its changes, from 1; the etag is made of it.
    pub version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
}

/// How many profiles are enrolled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EnrolmentCounts {
    /// Profiles.
    pub profiles: i64,
    /// Of these, with a mentor offer.
    pub mentors: i64,
    /// Of these, with a mentee request.
    pub mentees: i64,
}

impl RoundContent {
    /// Parses a draft, listing everything that is wrong.
    pub fn parse(draft: &RoundDraft) -> Result<Self, Violations> {
        let mut violations = Violations::default();
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
