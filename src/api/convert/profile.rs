//! Profiles.

use super::{consent, etag, timestamp};
use crate::api::proto::v1;
use crate::domain::profile::{
    IdentityDraft, MenteeRequestDraft, MentorOfferDraft, ProfileDraft, RosterDraft, SlotDraft, StoredProfile,
};

/// From the message, unchecked.
pub fn draft(message: v1::Profile) -> ProfileDraft {
    ProfileDraft {
        name: message.name,
        country: message.country,
        time_zone: message.time_zone,
        weekly_slots: message
            .weekly_slots
            .into_iter()
            .map(|s| SlotDraft { day: s.day, start_minute: s.start_minute, end_minute: s.end_minute })
            .collect(),
        roster: message.roster.map(|r| RosterDraft {
            days_on: r.days_on,
            days_off: r.days_off,
            first_day_on: r.first_day_on,
            availability: r.availability,
        }),
        languages: message.languages.into_iter().map(|l| (l.tag, l.level)).collect(),
        career_stage: message.career_stage,
        functions: message.functions,
        commodities: message.commodities,
        employer: message.employer,
        competitor_group: message.competitor_group,
        reporting_line: message.reporting_line,
        meeting_modes: message.meeting_modes,
        goals: message.goals,
        working_styles: message.working_styles,
        preferred: message.preferred,
        avoided: message.avoided,
        previous_partners: message.previous_partners,
        mentor_offer: message.mentor_offer.map(|o| MentorOfferDraft {
            min_mentees: o.min_mentees,
            max_mentees: o.max_mentees,
            topics: o.topics,
        }),
        mentee_request: message.mentee_request.map(|r| MenteeRequestDraft {
            mentors_wanted: r.mentors_wanted,
            topics: r.topics,
            waiting_since: r.waiting_since,
        }),
        identity: message.identity.map(|i| IdentityDraft { shares: i.shares, wishes: i.wishes }),
        consents: message.consents.into_iter().map(consent::draft).collect(),
    }
}

/// To the message, from a draft: what a client sends.
pub fn message_of_draft(draft: ProfileDraft) -> v1::Profile {
    v1::Profile {
        name: draft.name,
        country: draft.country,
        time_zone: draft.time_zone,
        weekly_slots: draft
            .weekly_slots
            .into_iter()
            .map(|s| v1::WeeklySlot { day: s.day, start_minute: s.start_minute, end_minute: s.end_minute })
            .collect(),
        roster: draft.roster.map(|r| v1::Roster {
            days_on: r.days_on,
            days_off: r.days_off,
            first_day_on: r.first_day_on,
            availability: r.availability,
        }),
        languages: draft.languages.into_iter().map(|(tag, level)| v1::Language { tag, level }).collect(),
        career_stage: draft.career_stage,
        functions: draft.functions,
        commodities: draft.commodities,
        employer: draft.employer,
        competitor_group: draft.competitor_group,
        reporting_line: draft.reporting_line,
        meeting_modes: draft.meeting_modes,
        goals: draft.goals,
        working_styles: draft.working_styles,
        preferred: draft.preferred,
        avoided: draft.avoided,
        previous_partners: draft.previous_partners,
        mentor_offer: draft.mentor_offer.map(|o| v1::MentorOffer {
            min_mentees: o.min_mentees,
            max_mentees: o.max_mentees,
            topics: o.topics,
        }),
        mentee_request: draft.mentee_request.map(|r| v1::MenteeRequest {
            mentors_wanted: r.mentors_wanted,
            topics: r.topics,
            waiting_since: r.waiting_since,
        }),
        identity: draft.identity.map(|i| v1::Identity { shares: i.shares, wishes: i.wishes }),
        consents: draft.consents.into_iter().map(consent::message_of_draft).collect(),
        ..v1::Profile::default()
    }
}

/// To the message.
pub fn message(stored: &StoredProfile) -> v1::Profile {
    v1::Profile {
        region: stored.content.country.region().code().to_owned(),
        version: stored.version,
        etag: etag(stored.version),
        create_time: Some(timestamp(stored.create_time)),
        update_time: Some(timestamp(stored.update_time)),
        restriction: stored.restriction.as_ref().map(|one| consent::restriction(&stored.name, one)),
        ..message_of_draft(stored.content.to_draft(&stored.name))
    }
}
