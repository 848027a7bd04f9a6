//! Open answers: a profile without its private answers, and what the digest of a snapshot's open answers covers.
//!
//! Private answers are avoid, preference and previous-partner lists, reporting lines, and identity with the consents to
//! its use. The engine leaves the same answers out in `Round::open`.

use serde::Serialize;

use super::leaf::{Leaf, LeafSalt, Part, leaf};
use super::profile::{ConsentPurpose, Profile};
use super::snapshot::{Participant, Snapshot};

impl Profile {
    /// The profile without private answers and without consents.
    #[must_use]
    pub fn open_answers(&self) -> Self {
        // Every field is named, so that a new field does not compile before somebody decides whether it is private.
        let Self {
            country,
            time_zone,
            weekly_slots,
            roster,
            languages,
            career_stage,
            functions,
            commodities,
            employer,
            competitor_group,
            reporting_line: _,
            meeting_modes,
            goals,
            working_styles,
            preferred: _,
            avoided: _,
            previous_partners: _,
            mentor_offer,
            mentee_request,
            identity: _,
            consents: _,
        } = self;
        Self {
            country: *country,
            time_zone: time_zone.clone(),
            weekly_slots: weekly_slots.clone(),
            roster: *roster,
            languages: languages.clone(),
            career_stage: *career_stage,
            functions: *functions,
            commodities: *commodities,
            employer: employer.clone(),
            competitor_group: competitor_group.clone(),
            reporting_line: Vec::new(),
            meeting_modes: *meeting_modes,
            goals: *goals,
            working_styles: *working_styles,
            preferred: Vec::new(),
            avoided: Vec::new(),
            previous_partners: Vec::new(),
            mentor_offer: *mentor_offer,
            mentee_request: *mentee_request,
            identity: None,
            consents: Vec::new(),
        }
    }
}

impl Snapshot {
    /// The open leaf of a participant, without her private answers; see [`Self::open_head`].
    pub fn open_leaf(&self, participant: &Participant, salt: LeafSalt) -> Leaf {
        let takes_part = participant.content.consents_to(ConsentPurpose::Matching, self.freeze_time);
        let Participant { profile, content, waiting, .. } = participant;
        let mut line = json(&(profile, content.open_answers(), takes_part));
        if let Some(waiting) = waiting {
            line.extend(json(waiting));
        }
        leaf(Part::OpenInput, &[salt], &line)
    }
}

#[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data serialises")
}
