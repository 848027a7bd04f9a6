//! The way of a run to its publication: submitted by one person, approved by others, open to objections, published once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::name::{RunRef, SubmissionRef};
use super::record::Record;

/// State of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionState {
    /// The run is proposed and waits for approvals.
    Submitted,
    /// The run has its approvals; organisations may object.
    Approved,
    /// Somebody rejected the run.
    Rejected,
    /// The run is published.
    Published,
    /// The publication was taken back.
    Unpublished,
    /// A repair was published in its place.
    Superseded,
}

impl SubmissionState {
    /// All states, in the order of the contract.
    pub const ALL: [Self; 6] = [
        Self::Submitted,
        Self::Approved,
        Self::Rejected,
        Self::Published,
        Self::Unpublished,
        Self::Superseded,
    ];

    /// The state's name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Published => "published",
            Self::Unpublished => "unpublished",
            Self::Superseded => "superseded",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who approved, and when.
    pub given: Record,
    /// What she says.
    pub comment: String,
}

/// A run that was proposed for publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Its name.
    pub name: SubmissionRef,
    /// The run.
    pub run: RunRef,
    /// Digest of the result as coordinators read it.
    pub result_digest: String,
    /// Its state.
    pub state: SubmissionState,
    /// Approvals that it needs.
    pub required_approvals: u8,
    /// The approvals, in the order in which they were given.
    pub approvals: Vec<Approval>,
    /// Until when organisations may object; `None` before the last approval.
    pub objection_end: Option<Timestamp>,
    /// What the author says to the approvers.
    pub comment: String,
    /// Who submitted the run, and when.
    pub made: Record,
    /// Who published the run, and when.
    pub published: Option<Record>,
    /// Who rejected it or took the publication back, when, and why.
    pub end: Option<(Record, String)>,
}

/// Why somebody else has to approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondPersonRule {
    /// The caller submitted the run herself.
    Submitter,
    /// The caller is a service.
    Service,
}

impl SecondPersonRule {
    /// The code, as metadata of errors name it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Submitter => "SUBMITTER",
            Self::Service => "SERVICE",
        }
    }
}

/// What stands in the way of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicationObstacle {
    /// The organisations may still object.
    ObjectionTime,
    /// No reviewer has answered an objection.
    OpenObjections,
    /// An enrolled person is neither among the matches nor among the people without a match.
    PeopleMissing,
    /// A match is a pair whose mentorship was declined or has ended.
    PairEnded,
    /// Somebody has accepted a match, so that the publication is not taken back any more.
    Accepted,
}

impl PublicationObstacle {
    /// The code, as metadata of errors name it.
    pub fn code(self) -> &'static str {
        match self {
            Self::ObjectionTime => "OBJECTION_TIME",
            Self::OpenObjections => "OPEN_OBJECTIONS",
            Self::PeopleMissing => "PEOPLE_MISSING",
            Self::PairEnded => "PAIR_ENDED",
            Self::Accepted => "ACCEPTED",
        }
    }
}
