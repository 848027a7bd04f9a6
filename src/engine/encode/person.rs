//! One person of a round, encoded.

use super::availability::Hours;
use super::languages::Speaks;
use crate::domain::name::ProfileRef;
use crate::domain::profile::Profile;

/// People between two checks of the observer.
pub(super) const PEOPLE_PER_CHECK: usize = 1_024;

/// One person who takes part.
#[derive(Debug)]
pub struct Person<'a> {
    /// Who she is.
    pub profile: &'a ProfileRef,
    /// Her profile.
    pub content: &'a Profile,
    /// What stands for her where equals are told apart: the first 64 bits of the hash that orders people.
    pub key: u64,
    /// Her position among the mentees.
    pub mentee: Option<u32>,
    /// Her position among the mentors.
    pub mentor: Option<u32>,
    /// Where she lives.
    pub residence: Residence,
    /// Her organisation, if some organisation's rules tell it from the others.
    pub organisation: Option<u32>,
    /// Her employer.
    pub employer: Option<u32>,
    /// Her employer's group of competitors.
    pub competitor_group: Option<u32>,
    /// Her languages.
    pub speaks: Speaks,
    /// When she can meet; `None` if she gave no hours.
    pub hours: Option<Hours>,
    /// Bits of what she shares and of what she wishes; none without a live consent to their use.
    pub identity: (u64, u64),
    /// Days she has waited when the round starts; 0 if she is new.
    pub waited_days: u32,
}

/// Where someone lives, by numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Residence {
    /// Position of the country in its table.
    pub country: u16,
    /// M49 code of the sub-region.
    pub region: u16,
    /// M49 code of the continental region.
    pub continent: u16,
}

impl Residence {
    pub(super) fn of(content: &Profile) -> Self {
        let region = content.country.region();
        Self { country: content.country.position(), region: region.number(), continent: region.parent() }
    }
}
