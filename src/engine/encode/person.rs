//! One encoded person of a round.

use super::availability::Hours;
use super::languages::Speaks;
use crate::domain::name::ProfileRef;
use crate::domain::profile::Profile;
use crate::domain::waiting::WaitingPriority;

/// Number of people between two checks of the observer.
pub(super) const PEOPLE_PER_CHECK: usize = 1_024;

/// The answers that count in an encoded round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswersUsed {
    /// All answers: for solving, and for the check of the solution.
    All,
    /// All but the private ones, which count as missing: avoid, preference and previous-partner lists, reporting lines,
    /// identity and consents to matches across borders. Every number about pairs that leaves the engine is computed from these.
    Open,
}

/// One person who takes part.
#[derive(Debug)]
pub struct Person<'a> {
    /// The name of her profile.
    pub profile: &'a ProfileRef,
    /// Her profile.
    pub content: &'a Profile,
    /// The first 64 bits of the hash that orders people; it breaks ties between equal pairs.
    pub key: u64,
    /// Her position among the mentees; `None` if she requests no mentor.
    pub mentee: Option<u32>,
    /// Her position among the mentors; `None` if she offers no mentoring.
    pub mentor: Option<u32>,
    /// Country and regions in which she lives.
    pub residence: Residence,
    /// Number of her organisation; `None` if no rule of an organisation names it.
    pub organisation: Option<u32>,
    /// Id of her employer, if she gave one.
    pub employer: Option<u32>,
    /// Id of her employer's group of competitors, if she gave one.
    pub competitor_group: Option<u32>,
    /// Her languages, by level.
    pub speaks: Speaks,
    /// Her free half hours of the week; `None` if she gave no hours.
    pub hours: Option<Hours>,
    /// Identity groups that she shares and that she wishes, as bits; 0 without a live consent to their use.
    pub identity: (u64, u64),
    /// Whether she is matched with people of her own country only: the policy asks for a consent to matches across borders, and
    /// she has none that is live.
    pub stays_home: bool,
    /// Whether she prefers anybody.
    pub prefers: bool,
    /// What the round makes of her waiting as a mentee.
    pub waiting: WaitingPriority,
}

/// Country and regions of a person, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Residence {
    /// Position of the country in the table of countries.
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

impl Person<'_> {
    /// The person with her open answers only.
    pub(super) fn open(&self) -> Self {
        // Every field is named, so that a new field does not compile before somebody decides whether it is private.
        let Self {
            profile,
            content,
            key,
            mentee,
            mentor,
            residence,
            organisation,
            employer,
            competitor_group,
            speaks,
            hours,
            identity: _,
            stays_home: _,
            prefers: _,
            waiting,
        } = self;
        Self {
            profile: *profile,
            content: *content,
            key: *key,
            mentee: *mentee,
            mentor: *mentor,
            residence: *residence,
            organisation: *organisation,
            employer: *employer,
            competitor_group: *competitor_group,
            speaks: speaks.clone(),
            hours: hours.clone(),
            identity: (0, 0),
            stays_home: false,
            prefers: false,
            waiting: *waiting,
        }
    }
}
