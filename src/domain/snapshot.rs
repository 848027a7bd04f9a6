//! The snapshot: the frozen and only input of a run.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::name::{OrganisationId, ProfileRef};
use super::organisation::OrganisationRules;
use super::policy::Policy;
use super::profile::Profile;

/// One enrolled person, in the state when the round was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Participant {
    /// Name of the profile.
    pub profile: ProfileRef,
    /// Version of the profile.
    pub version: i64,
    /// The profile at that version.
    pub content: Profile,
}

/// A frozen round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// First day of the mentorships.
    pub start_date: Date,
    /// Last day of the mentorships.
    pub end_date: Date,
    /// When the round was frozen: the moment at which consents must be live.
    pub freeze_time: Timestamp,
    /// The policy.
    pub policy: Policy,
    /// Own rules of every organisation that takes part, ordered by id.
    pub organisations: Vec<(OrganisationId, OrganisationRules)>,
    /// Everyone enrolled, ordered by organisation and own id.
    pub participants: Vec<Participant>,
}

impl Snapshot {
    /// Sorts organisations and participants, so that equal rounds are equal bytes.
    pub fn sort(&mut self) {
        self.organisations.sort_by(|a, b| a.0.cmp(&b.0));
        self.participants.sort_by(|a, b| a.profile.cmp(&b.profile));
    }

    /// SHA-256 of the sorted snapshot, in hexadecimal, from the SHA-256 of each participant's profile as canonical JSON, in
    /// the order of the participants. The digest covers whether each person's consents are live, and not the moment of
    /// freezing itself.
    pub fn digest(&self, contents: &[[u8; 32]]) -> String {
        use super::profile::ConsentPurpose::{Identity, Matching};
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
        for (participant, content) in self.participants.iter().zip(contents) {
            let is_live = |purpose| u8::from(participant.content.consents_to(purpose, self.freeze_time));
            let (profile, version) = (participant.profile.short(), participant.version);
            line(format!("{profile} {version} {} {}", is_live(Matching), is_live(Identity)).as_bytes());
            line(content);
        }
        hex::encode(hash.finalize())
    }
}

/// Canonical JSON: the order of a struct's fields is fixed, and lists are kept sorted by their types.
#[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data serialises")
}
