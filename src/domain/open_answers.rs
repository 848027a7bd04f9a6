//! Open answers: a profile without its private answers, and the digest of a snapshot of open answers.
//!
//! Private answers are avoid, preference and previous-partner lists, reporting lines, and identity with the consents to
//! its use. The engine leaves the same answers out in `Round::open`.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::profile::{ConsentPurpose, Profile};
use super::snapshot::Snapshot;

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
        } = self.clone();
        Self {
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
            reporting_line: Vec::new(),
            meeting_modes,
            goals,
            working_styles,
            preferred: Vec::new(),
            avoided: Vec::new(),
            previous_partners: Vec::new(),
            mentor_offer,
            mentee_request,
            identity: None,
            consents: Vec::new(),
        }
    }
}

impl Snapshot {
    /// SHA-256 of the sorted snapshot's open answers, in hexadecimal. No private answer changes the digest, and neither does
    /// the version of a profile, which grows with each change of a private answer.
    pub fn open_digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut line = |part: &[u8]| {
            hash.update(part);
            hash.update(b"\n");
        };
        line(format!("{} {}", self.start_date, self.end_date).as_bytes());
        line(&json(&self.policy));
        for organisation in &self.organisations {
            line(&json(organisation));
        }
        for participant in &self.participants {
            let takes_part = participant.content.consents_to(ConsentPurpose::Matching, self.freeze_time);
            line(&json(&(&participant.profile, participant.content.open_answers(), takes_part)));
        }
        hex::encode(hash.finalize())
    }
}

#[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data serialises")
}
