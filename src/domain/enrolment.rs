//! An enrolment: an organisation's entry of a profile into a round.

use jiff::Timestamp;

use super::name::{ConsentId, EnrolmentRef, OrganisationId, ProfileRef};
use super::waiting::Waiting;

/// An enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Resource name.
    pub name: EnrolmentRef,
    /// The enrolled profile.
    pub profile: ProfileRef,
    /// The consent to matching on which it rests; `None` after the erasure of the person.
    pub consent: Option<ConsentId>,
    /// When the profile was enrolled.
    pub create_time: Timestamp,
    /// What it keeps of the waiting list.
    pub waiting: Option<Waiting>,
    /// When the enrolment was withdrawn; `None` while it is live.
    pub withdraw_time: Option<Timestamp>,
}

/// Which enrolments a list contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnrolmentFilter {
    /// Those of this organisation; `None` means those of every organisation that the reader sees.
    pub organisation: Option<OrganisationId>,
    /// The live ones, or the withdrawn ones; `None` means both.
    pub is_live: Option<bool>,
}
