//! One person as her organisation describes her: the draft from outside, and the parsed profile.
//!
//! No field has a name or an e-mail address. An empty answer is a *missing* answer, which differs from every real
//! answer.

pub mod consent_record;
pub mod consents;
mod parse;
mod patch;
mod time_zone;
mod to_draft;

pub use consent_record::{ConsentState, ConsentVersion, RecordedConsent};
pub use consents::{Consent, ConsentPurpose};
use jiff::Timestamp;
use jiff::civil::Date;
pub use parse::zone_of;
pub use patch::{FIELDS, patched};
use serde::{Deserialize, Serialize};

use super::language::LanguageLevel;
use super::name::{OrganisationId, OwnId, ProfileRef};
use super::restriction::Restriction;
use super::vocabulary::{Commodity, Country, Function, Goal, IdentityTerm, Terms, Topic, WorkingStyle};
use super::warning::{Warning, WarningCode};

/// A profile from outside: texts and numbers, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the proto message Profile, documented there")]
pub struct ProfileDraft {
    pub name: String,
    pub country: String,
    pub time_zone: String,
    pub weekly_slots: Vec<SlotDraft>,
    pub roster: Option<RosterDraft>,
    pub languages: Vec<(String, i32)>,
    pub career_stage: String,
    pub functions: Vec<String>,
    pub commodities: Vec<String>,
    pub employer: String,
    pub competitor_group: String,
    pub reporting_line: Vec<String>,
    pub meeting_modes: Vec<i32>,
    pub goals: Vec<String>,
    pub working_styles: Vec<String>,
    pub preferred: Vec<String>,
    pub avoided: Vec<String>,
    pub previous_partners: Vec<String>,
    pub mentor_offer: Option<MentorOfferDraft>,
    pub mentee_request: Option<MenteeRequestDraft>,
    pub identity: Option<IdentityDraft>,
    pub consents: Vec<ConsentDraft>,
}

/// A weekly slot, not parsed yet: ISO weekday 1..=7 and minutes after midnight.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the proto message WeeklySlot, documented there")]
pub struct SlotDraft {
    pub day: i32,
    pub start_minute: Option<i32>,
    pub end_minute: i32,
}

/// A roster, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the proto message Roster, documented there")]
pub struct RosterDraft {
    pub days_on: i32,
    pub days_off: i32,
    pub first_day_on: String,
    pub availability: i32,
}

/// A mentor offer, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the proto message MentorOffer, documented there")]
pub struct MentorOfferDraft {
    pub min_mentees: Option<i32>,
    pub max_mentees: Option<i32>,
    pub topics: Vec<String>,
}

/// A mentee request, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the proto message MenteeRequest, documented there")]
pub struct MenteeRequestDraft {
    pub mentors_wanted: Option<i32>,
    pub topics: Vec<String>,
    pub waiting_since: String,
}

/// Identity answers, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the proto message Identity, documented there")]
pub struct IdentityDraft {
    pub shares: Vec<String>,
    pub wishes: Vec<String>,
}

/// A consent, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the proto message Consent, documented there")]
pub struct ConsentDraft {
    pub purpose: i32,
    pub text_version: String,
    pub language: String,
    pub give_time: Option<Timestamp>,
    pub withdraw_time: Option<Timestamp>,
}

/// The stored content of a profile, without name, version and times. Lists are ordered and have no repeats, so that
/// equal answers are equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Country of residence.
    pub country: Country,
    /// IANA time zone.
    pub time_zone: String,
    /// Hours of a usual week in which she can meet; empty if she gave none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekly_slots: Vec<WeeklySlot>,
    /// Work roster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster: Option<Roster>,
    /// Languages, ordered by tag.
    pub languages: Vec<Language>,
    /// Career stage, 1..=7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub career_stage: Option<u8>,
    /// Functions in which she works.
    #[serde(default, skip_serializing_if = "no_terms")]
    pub functions: Terms<Function>,
    /// Commodities that she knows.
    #[serde(default, skip_serializing_if = "no_terms")]
    pub commodities: Terms<Commodity>,
    /// Her employer as her organisation writes it; compared by [`key`](super::folding::key).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employer: Option<String>,
    /// A group of competing employers; compared like the employer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub competitor_group: Option<String>,
    /// People above her in her reporting line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reporting_line: Vec<ProfileRef>,
    /// Meeting modes that she accepts; an empty set is a missing answer.
    #[serde(default, skip_serializing_if = "MeetingModes::is_empty")]
    pub meeting_modes: MeetingModes,
    /// Goals.
    #[serde(default, skip_serializing_if = "no_terms")]
    pub goals: Terms<Goal>,
    /// Styles of working together.
    #[serde(default, skip_serializing_if = "no_terms")]
    pub working_styles: Terms<WorkingStyle>,
    /// People with whom she prefers to be matched. Private.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred: Vec<ProfileRef>,
    /// People with whom she is never matched. Private.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoided: Vec<ProfileRef>,
    /// Previous partners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous_partners: Vec<ProfileRef>,
    /// Mentor offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentor_offer: Option<MentorOffer>,
    /// Mentee request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentee_request: Option<MenteeRequest>,
    /// Opt-in identity answers. Private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Consents, ordered by purpose and time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn no_terms<K: super::vocabulary::Kind>(terms: &Terms<K>) -> bool {
    terms.is_empty()
}

/// Hours of one weekday, in the person's own time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WeeklySlot {
    /// 0 is Monday, 6 is Sunday.
    pub day: u8,
    /// Start in half hours after midnight, 0..48.
    pub start: u8,
    /// End in half hours after midnight, 1..=48.
    pub end: u8,
}

/// A work cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Days at work per cycle, 1..=60.
    pub days_on: u8,
    /// Days off per cycle, 1..=60.
    pub days_off: u8,
    /// First day at work of one cycle, past or future. Without it the roster is kept, but says nothing about any day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_day_on: Option<Date>,
    /// Days on which the weekly slots apply.
    pub availability: RosterAvailability,
}

/// Days of a roster on which the weekly slots apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterAvailability {
    /// On days off only.
    DaysOff,
    /// On days at work only.
    DaysOn,
    /// On every day.
    Always,
}

/// A language with the level at which a person speaks it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Language {
    /// Normalised BCP 47 tag, for example `es-PE`.
    pub tag: String,
    /// Level.
    pub level: LanguageLevel,
}

impl Language {
    /// The primary subtag in lower case, by which languages are compared.
    pub fn primary(&self) -> &str {
        self.tag.split('-').next().unwrap_or_default()
    }
}

/// Ways of meeting, as a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingModes {
    /// By call or video.
    pub by_call: bool,
    /// In the same place.
    pub in_person: bool,
}

impl MeetingModes {
    /// Whether no answer was given.
    pub fn is_empty(&self) -> bool {
        !self.by_call && !self.in_person
    }
}

/// A mentor offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MentorOffer {
    /// Fewest mentees that the mentor wants, 0..=`max_mentees`; `None` if she was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_mentees: Option<u8>,
    /// Most mentees, 0..=20; 0 if she takes none now.
    pub max_mentees: u8,
    /// Topics offered.
    #[serde(default, skip_serializing_if = "no_terms")]
    pub topics: Terms<Topic>,
}

/// A mentee request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenteeRequest {
    /// Number of mentors, 0..=2; 0 if she seeks none now, `None` if she was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentors_wanted: Option<u8>,
    /// Topics sought.
    #[serde(default, skip_serializing_if = "no_terms")]
    pub topics: Terms<Topic>,
    /// First day of waiting; `None` for a new mentee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Date>,
}

impl MentorOffer {
    /// Fewest mentees that make the offer worthwhile; 0 without an answer.
    pub fn fewest(self) -> u8 {
        self.min_mentees.unwrap_or(0)
    }
}

impl MenteeRequest {
    /// Number of mentors sought; 1 without an answer.
    pub fn wanted(self) -> u8 {
        self.mentors_wanted.unwrap_or(1)
    }
}

/// Opt-in identity answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Answers that apply to the person.
    #[serde(default, skip_serializing_if = "no_terms")]
    pub shares: Terms<IdentityTerm>,
    /// Answers that the person wishes for her partner.
    #[serde(default, skip_serializing_if = "no_terms")]
    pub wishes: Terms<IdentityTerm>,
}

impl Profile {
    /// The offer of a person who is a mentor of a round: an offer of no place makes nobody a mentor.
    pub fn open_offer(&self) -> Option<MentorOffer> {
        self.mentor_offer.filter(|offer| offer.max_mentees > 0)
    }

    /// The language that she speaks best: the first one of those of her best level, without its region.
    pub fn best_language(&self) -> Option<&str> {
        // The last of equal ones is the greatest for an iterator.
        self.languages.iter().rev().max_by_key(|language| language.level).map(Language::primary)
    }

    /// The request of a person who is a mentee of a round: a request for no mentor makes nobody a mentee.
    pub fn open_request(&self) -> Option<MenteeRequest> {
        self.mentee_request.filter(|request| request.wanted() > 0)
    }

    /// Whether a consent of `purpose` is live at `now`.
    pub fn consents_to(&self, purpose: ConsentPurpose, now: Timestamp) -> bool {
        consents::is_live(&self.consents, purpose, now)
    }

    /// Warnings about the content itself, which hold as long as it is stored.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.time_zone == "UTC" {
            warnings.push(Warning::new("time_zone", &self.time_zone, WarningCode::FixedZone));
        }
        if let Some(Roster { days_on, days_off, first_day_on: None, .. }) = self.roster {
            let cycle = format!("{days_on}/{days_off}");
            warnings.push(Warning::new("roster.first_day_on", &cycle, WarningCode::RosterWithoutDay));
        }
        warnings
    }

    /// The people of `organisation` whom her lists name, each with the field of the list.
    pub fn mentions<'a>(
        &'a self,
        organisation: &'a OrganisationId,
    ) -> impl Iterator<Item = (&'static str, &'a OwnId)> {
        let lists = [
            ("avoided", &self.avoided),
            ("preferred", &self.preferred),
            ("previous_partners", &self.previous_partners),
        ];
        lists.into_iter().flat_map(move |(field, list)| {
            let own = list.iter().filter(|person| person.organisation == *organisation);
            own.map(move |person| (field, &person.id))
        })
    }

    /// Whether she gave identity answers, and has withdrawn the consent for them since.
    pub fn identity_is_withdrawn(&self) -> bool {
        self.identity.is_some() && consents::is_withdrawn(&self.consents, ConsentPurpose::Identity)
    }
}

/// A stored profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProfile {
    /// Name.
    pub name: ProfileRef,
    /// Number of the version, from 1; source of the etag.
    pub version: i64,
    /// SHA-256 of the content, in hexadecimal.
    pub digest: String,
    /// Content.
    pub content: Profile,
    /// The restriction in force, if there is one.
    pub restriction: Option<Restriction>,
    /// When the profile was first stored.
    pub create_time: Timestamp,
    /// When the profile was last changed.
    pub update_time: Timestamp,
}
