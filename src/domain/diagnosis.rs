//! What stands in the way of a round before it is run: people without candidates, groups with too few places, scarce
//! languages and topics, missing answers, and whom to recruit.
//!
//! Everything follows from the open answers and the policy, so that no private answer shows. The reader is a coordinator,
//! who sees full counts of the rounds that she runs.

use super::explanation::Reason;
use super::name::{OrganisationId, ProfileRef};
use super::run::Unmatched;
use super::vocabulary::Region;

/// The diagnosis of a round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundDiagnosis {
    /// Mentees who take part.
    pub mentees: u64,
    /// Mentors whom the mentees seek, all together.
    pub wanted: u64,
    /// Mentors who take part.
    pub mentors: u64,
    /// Places that the mentors offer.
    pub places: u64,
    /// Mentees who can have a mentor at the same time, at most.
    pub most_matched: u64,
    /// Everyone who would stay without a match in an assignment that matches as many mentees as possible, each with her
    /// reasons. Among people for the same places, who stays is left to the run.
    pub unmatched: Vec<Unmatched>,
    /// Groups of mentees whose candidates all together have fewer places than there are mentees, the largest shortage
    /// first. No assignment matches them all.
    pub shortages: Vec<Shortage>,
    /// What is sought more often than it is offered, the largest shortage first within its kind.
    pub scarce: Vec<Scarce>,
    /// Places and demand of each region and of each organisation.
    pub balances: Vec<Balance>,
    /// Missing answers, those of most people first.
    pub missing: Vec<MissingAnswer>,
    /// Why no result keeps the quotas of the policy; empty if one does.
    pub quotas_unmet: Vec<Reason>,
}

/// Mentees who cannot all have a mentor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The mentees, by profile.
    pub mentees: Vec<ProfileRef>,
    /// All their candidates, by profile.
    pub mentors: Vec<ProfileRef>,
    /// Places of these mentors.
    pub places: u64,
}

impl Shortage {
    /// Mentees of the group who stay without a mentor, whoever they are.
    pub fn missing(&self) -> u64 {
        (self.mentees.len() as u64).saturating_sub(self.places)
    }
}

/// What can be scarce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScarceKind {
    /// A language, by primary subtag, at the level that the policy asks for.
    Language,
    /// A topic, by code.
    Topic,
}

/// A language or a topic with fewer places than mentees who need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scarce {
    /// What it is.
    pub kind: ScarceKind,
    /// Its code.
    pub code: String,
    /// Mentees who speak only this language at the level, or who seek this topic.
    pub mentees: u64,
    /// Places of the mentors who speak it, or who offer it.
    pub places: u64,
}

/// What a balance is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BalanceKind {
    /// A sub-region.
    Region(Region),
    /// An organisation.
    Organisation(OrganisationId),
}

/// Places and demand of one region or one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// What it is of.
    pub kind: BalanceKind,
    /// Mentees.
    pub mentees: u64,
    /// Mentors whom they seek.
    pub wanted: u64,
    /// Mentors.
    pub mentors: u64,
    /// Places of these mentors.
    pub places: u64,
}

/// People whose answer is missing: the criteria that compare it count their neutral values with everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingAnswer {
    /// Field of the profile.
    pub field: &'static str,
    /// Mentees without an answer.
    pub mentees: u64,
    /// Mentors without an answer.
    pub mentors: u64,
}
