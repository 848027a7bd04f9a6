//! A round: a cohort that is matched.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::date::parse_date;
use super::field_rule;
use super::name::{OrganisationId, PolicyRef, RoundId};
use super::organisation::parse_display_name;
use super::policy::{Policy, PolicyDraft};
use super::violation::Violations;

/// State of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoundState {
    /// The round has no enrolments.
    Draft,
    /// Organisations enrol their members.
    Enrolling,
    /// At least one run succeeded, and its result can be reviewed.
    Review,
    /// One run is proposed for publication.
    Submitted,
    /// The proposed run is approved.
    Approved,
    /// One run is published.
    Published,
    /// The round has ended.
    Closed,
    /// The round was cancelled.
    Cancelled,
}

impl RoundState {
    /// All states, in the order of a round's life.
    pub const ALL: [Self; 8] = [
        Self::Draft,
        Self::Enrolling,
        Self::Review,
        Self::Submitted,
        Self::Approved,
        Self::Published,
        Self::Closed,
        Self::Cancelled,
    ];

    /// The states in which enrolments and the round itself change, and runs start, in words.
    pub const OPEN: &'static [&'static str] = &["draft", "enrolling", "review"];

    /// The states in which people are enrolled and withdrawn, in words. Those of a published round await a repair.
    pub const TAKES_PEOPLE: &'static [&'static str] = &["draft", "enrolling", "review", "published"];

    /// The states of a round that has not ended, in words.
    pub const NOT_ENDED: &'static [&'static str] =
        &["draft", "enrolling", "review", "submitted", "approved", "published"];

    /// The state's name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Enrolling => "enrolling",
            Self::Review => "review",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Published => "published",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether enrolments and the round itself may change, and runs may start.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Enrolling | Self::Review)
    }

    /// Whether people may be enrolled and withdrawn.
    pub fn takes_people(self) -> bool {
        self.is_open() || self == Self::Published
    }

    /// Whether the round has not ended, so that a person can still leave it. Leaving a published round calls for a repair.
    pub fn has_not_ended(self) -> bool {
        !matches!(self, Self::Closed | Self::Cancelled)
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
    /// Reference of the participation agreement.
    pub agreement: String,
    /// Resource names of the organisations that are invited; none with `all_members`.
    pub organisations: Vec<String>,
    /// Every member of the alliance is invited.
    pub all_members: bool,
}

/// The stored content of a round, without version and times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundContent {
    /// Name that people read.
    pub display_name: String,
    /// First day of the mentorships.
    pub start_date: Date,
    /// Last day of the mentorships.
    pub end_date: Date,
    /// Policy.
    pub policy: Policy,
    /// Reference of the agreement under which the organisations take part; empty if none is named.
    pub agreement: String,
    /// Who is invited.
    pub invitations: Invitations,
}

/// Who is invited to a round. The round exists for no other organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitations {
    /// Every member of the alliance is invited, also those that become members while the round is open.
    pub all_members: bool,
    /// The invited organisations, as far as the reader may know of them; with `all_members`, those that are members.
    pub organisations: BTreeSet<OrganisationId>,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Id.
    pub id: RoundId,
    /// Content.
    pub content: RoundContent,
    /// State.
    pub state: RoundState,
    /// Enrolled profiles to which the reader has access.
    pub enrolment: EnrolmentCounts,
    /// Whether somebody of the published run takes part no more. Coordinators read it.
    #[serde(default)]
    pub calls_for_repair: bool,
    /// Number of the version, from 1; source of the etag.
    pub version: i64,
    /// When the round was created.
    pub create_time: Timestamp,
    /// When the round was last changed.
    pub update_time: Timestamp,
}

/// A change of a round from outside, not parsed yet: the fields that change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RoundPatch {
    /// Name that people read.
    pub display_name: Option<String>,
    /// First day, `YYYY-MM-DD`.
    pub start_date: Option<String>,
    /// Last day, `YYYY-MM-DD`.
    pub end_date: Option<String>,
    /// Reference of the participation agreement.
    pub agreement: Option<String>,
    /// Resource names of the organisations that are invited from now on.
    pub organisations: Option<Vec<String>>,
    /// Whether every member of the alliance is invited from now on.
    pub all_members: Option<bool>,
}

impl RoundPatch {
    /// Whether the change is about who is invited.
    pub fn invites(&self) -> bool {
        self.organisations.is_some() || self.all_members.is_some()
    }
}

/// An end of a round that a coordinator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundEnd {
    /// The round has served its purpose.
    Close,
    /// The round is given up.
    Cancel,
}

impl RoundEnd {
    /// The state to which it leads.
    pub fn state(self) -> RoundState {
        match self {
            Self::Close => RoundState::Closed,
            Self::Cancel => RoundState::Cancelled,
        }
    }

    /// The states that allow it.
    pub fn states(self) -> &'static [&'static str] {
        match self {
            Self::Close => &["review", "published"],
            // A submission is rejected first.
            Self::Cancel => RoundState::OPEN,
        }
    }
}

/// A policy of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPolicy {
    /// Resource name.
    pub name: PolicyRef,
    /// The policy.
    pub policy: Policy,
    /// When it was made.
    pub create_time: Timestamp,
}

/// Numbers of enrolled profiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The content after a change, or all violations.
    pub fn patched(&self, patch: &RoundPatch) -> Result<Self, Violations> {
        let draft = RoundDraft {
            display_name: patch.display_name.clone().unwrap_or_else(|| self.display_name.clone()),
            start_date: patch.start_date.clone().unwrap_or_else(|| self.start_date.to_string()),
            end_date: patch.end_date.clone().unwrap_or_else(|| self.end_date.to_string()),
            policy: None,
            agreement: patch.agreement.clone().unwrap_or_else(|| self.agreement.clone()),
            organisations: patch.organisations.clone().unwrap_or_default(),
            // A list that is set alone ends the invitation of every member.
            all_members: patch.all_members.unwrap_or_else(|| {
                self.invitations.all_members && patch.organisations.as_ref().is_none_or(Vec::is_empty)
            }),
        };
        let mut changed = Self::parse(&draft)?;
        let keeps_list = patch.organisations.is_none() && patch.all_members != Some(true);
        if keeps_list || (changed.invitations.all_members && self.invitations.all_members) {
            changed.invitations.organisations.clone_from(&self.invitations.organisations);
        }
        Ok(Self { policy: self.policy.clone(), ..changed })
    }

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
        let agreement = field_rule::ROUND_AGREEMENT.text("agreement", &draft.agreement, &mut violations);
        let invitations = parse_invitations(draft, &mut violations);
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
                violations.finish(Self { display_name, start_date, end_date, policy, agreement, invitations })
            }
            _ => Err(violations),
        }
    }
}

fn parse_invitations(draft: &RoundDraft, violations: &mut Violations) -> Invitations {
    let mut organisations = BTreeSet::new();
    for (i, name) in draft.organisations.iter().enumerate() {
        match OrganisationId::from_name(name) {
            Ok(id) => {
                organisations.insert(id);
            }
            Err(error) => violations.push(format!("organisations[{i}]"), name, error.to_string(), ""),
        }
    }
    if draft.all_members && !draft.organisations.is_empty() {
        violations.push(
            "all_members",
            true,
            "does not fit the list of organisations",
            "list the organisations, or set `all_members`, and not both",
        );
    }
    Invitations { all_members: draft.all_members, organisations }
}
