//! The draft of a profile, which an export writes. Parsing the draft returns the same profile.

use super::{
    ConsentDraft, IdentityDraft, MenteeRequestDraft, MentorOfferDraft, Profile, ProfileDraft,
    RosterAvailability, RosterDraft, SlotDraft,
};
use crate::domain::name::ProfileRef;
use crate::domain::vocabulary::{Kind, Stage, Terms};

impl Profile {
    /// The draft of this profile under `name`.
    pub fn to_draft(&self, name: &ProfileRef) -> ProfileDraft {
        ProfileDraft {
            name: name.name(),
            country: self.country.code().to_owned(),
            time_zone: self.time_zone.clone(),
            weekly_slots: self.slots_to_draft(),
            roster: self.roster.map(|roster| RosterDraft {
                days_on: i32::from(roster.days_on),
                days_off: i32::from(roster.days_off),
                first_day_on: roster.first_day_on.map(|day| day.to_string()).unwrap_or_default(),
                availability: match roster.availability {
                    RosterAvailability::DaysOff => 1,
                    RosterAvailability::DaysOn => 2,
                    RosterAvailability::Always => 3,
                },
            }),
            languages: self
                .languages
                .iter()
                .map(|spoken| (spoken.tag.clone(), spoken.level as i32))
                .collect(),
            career_stage: self.career_stage_code().unwrap_or_default().to_owned(),
            functions: codes(self.functions),
            commodities: codes(self.commodities),
            employer: self.employer.clone().unwrap_or_default(),
            competitor_group: self.competitor_group.clone().unwrap_or_default(),
            reporting_line: names(&self.reporting_line),
            meeting_modes: [(1, self.meeting_modes.by_call), (2, self.meeting_modes.in_person)]
                .into_iter()
                .filter_map(|(mode, given)| given.then_some(mode))
                .collect(),
            goals: codes(self.goals),
            working_styles: codes(self.working_styles),
            preferred: names(&self.preferred),
            avoided: names(&self.avoided),
            previous_partners: names(&self.previous_partners),
            mentor_offer: self.mentor_offer.map(|offer| MentorOfferDraft {
                min_mentees: offer.min_mentees.map(i32::from),
                max_mentees: Some(i32::from(offer.max_mentees)),
                topics: codes(offer.topics),
            }),
            mentee_request: self.mentee_request.map(|request| MenteeRequestDraft {
                mentors_wanted: request.mentors_wanted.map(i32::from),
                topics: codes(request.topics),
                waiting_since: request.waiting_since.map(|date| date.to_string()).unwrap_or_default(),
            }),
            identity: self.identity.map(|identity| IdentityDraft {
                shares: codes(identity.shares),
                wishes: codes(identity.wishes),
            }),
            consents: self.consents_to_draft(),
        }
    }

    /// Code of her career stage in the vocabulary `career_stage`.
    pub fn career_stage_code(&self) -> Option<&'static str> {
        let position = usize::from(self.career_stage?.checked_sub(1)?);
        Stage::vocabulary().terms().get(position).map(|term| term.code)
    }

    fn slots_to_draft(&self) -> Vec<SlotDraft> {
        let slot = |slot: &super::WeeklySlot| SlotDraft {
            day: i32::from(slot.day) + 1,
            start_minute: Some(i32::from(slot.start) * 30),
            end_minute: i32::from(slot.end) * 30,
        };
        self.weekly_slots.iter().map(slot).collect()
    }

    fn consents_to_draft(&self) -> Vec<ConsentDraft> {
        let consent = |consent: &super::Consent| ConsentDraft {
            purpose: consent.purpose as i32,
            text_version: consent.text_version.clone(),
            language: consent.language.clone(),
            give_time: Some(consent.give_time),
            withdraw_time: consent.withdraw_time,
        };
        self.consents.iter().map(consent).collect()
    }
}

fn codes<K: Kind>(terms: Terms<K>) -> Vec<String> {
    terms.codes().map(str::to_owned).collect()
}

fn names(people: &[ProfileRef]) -> Vec<String> {
    people.iter().map(ProfileRef::name).collect()
}
