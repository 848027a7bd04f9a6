//! Everything that is stored of one person, for her access.
//!
//! Her own answers are whole, in every version. Of a partner there is the name alone, as her organisation reads it in a match:
//! no answer of the partner, and nothing that a private answer of the partner has caused. What is counted over other people
//! is counted in bands, as the manager of her organisation reads it.

use jiff::Timestamp;

use super::enrolment::Enrolment;
use super::mentorship::Mentorship;
use super::mentorship::check_in::StoredCheckIn;
use super::name::{MentorshipRef, ProfileRef, RoundId, RunRef};
use super::profile::StoredProfile;
use super::restriction::PersonRestriction;
use super::review::{Comment, Decision};
use super::run::{Match, Unmatched};

/// Everything that is stored of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalData {
    /// Name of the profile.
    pub name: ProfileRef,
    /// All versions of the profile, the oldest first.
    pub versions: Vec<ProfileVersion>,
    /// All enrolments, withdrawn ones too.
    pub enrolments: Vec<Enrolment>,
    /// All matches of runs, with their explanations.
    pub matches: Vec<RunMatch>,
    /// The reasons of runs that gave her no match.
    pub unmatched: Vec<RunUnmatched>,
    /// Decisions of reviewers on pairs of hers.
    pub decisions: Vec<(RoundId, Decision)>,
    /// What reviewers and her own organisation have said of pairs of hers.
    pub comments: Vec<(RoundId, Comment)>,
    /// All restrictions, the oldest first, lifted ones too.
    pub restrictions: Vec<PersonRestriction>,
    /// When she left the waiting list last.
    pub waiting_leave: Option<Timestamp>,
    /// All mentorships, without the answers of partners.
    pub mentorships: Vec<Mentorship>,
    /// Check-ins of her side, each with its mentorship.
    pub check_ins: Vec<(MentorshipRef, StoredCheckIn)>,
}

/// A version of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileVersion {
    /// What it says. Both moments are those at which this version was recorded.
    pub profile: StoredProfile,
    /// Id of the principal who recorded it.
    pub recorder: String,
}

/// A match of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunMatch {
    /// The run.
    pub run: RunRef,
    /// Id of the match.
    pub id: String,
    /// The match.
    pub pair: Match,
}

/// Why a run gave a person no match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunUnmatched {
    /// The run.
    pub run: RunRef,
    /// Why.
    pub entry: Unmatched,
}
