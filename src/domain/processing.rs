//! What the record of processing activities says of an organisation.

use super::name::RoundId;
use super::organisation::Organisation;
use super::round::RoundState;

/// What the service does with the data of an organisation's people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingRecord {
    /// The organisation, which decides on the data of its members.
    pub controller: Organisation,
    /// People on record.
    pub people: u64,
    /// People among them whose consent to matching is in force.
    pub consenting: u64,
    /// People among them whose data is kept and not used.
    pub restricted: u64,
    /// Rounds in which the organisation has enrolled people, by id.
    pub rounds: Vec<ProcessingRound>,
}

/// A round in which an organisation shares data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingRound {
    /// The round.
    pub id: RoundId,
    /// Its name.
    pub display_name: String,
    /// Reference of the participation agreement; empty if none is named.
    pub agreement: String,
    /// Its state.
    pub state: RoundState,
    /// Live enrolments of the organisation.
    pub people: u64,
}
