//! The snapshot: the frozen and only input of a run.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::leaf::{Leaf, LeafSalt, Part, Seals, leaf, root};
use super::name::{OrganisationId, ProfileRef};
use super::organisation::OrganisationRules;
use super::policy::Policy;
use super::profile::{ConsentPurpose, Profile};

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

    /// The digest of the sorted snapshot, in hexadecimal, from the SHA-256 of each participant's profile as canonical JSON, in
    /// the order of the participants. The digest covers whether each person's consents are live, and not the moment of
    /// freezing itself.
    pub fn digest(&self, contents: &[[u8; 32]], seals: &Seals) -> String {
        let mut head = format!("{} {}\n", self.start_date, self.end_date).into_bytes();
        for part in [json(&self.policy)].into_iter().chain(self.organisations.iter().map(json)) {
            head.extend(part);
            head.push(b'\n');
        }
        let people = self.participants.iter().zip(contents).zip(&seals.salts);
        let leaves = people.map(|((person, content), salt)| self.leaf(person, content, *salt));
        root(&head, leaves.chain(seals.destroyed_of(Part::Input)).collect())
    }

    /// The leaf of a participant, from the SHA-256 of her profile as canonical JSON.
    pub fn leaf(&self, person: &Participant, content: &[u8; 32], salt: LeafSalt) -> Leaf {
        let is_live = |purpose| u8::from(person.content.consents_to(purpose, self.freeze_time));
        let live =
            [ConsentPurpose::Matching, ConsentPurpose::Identity, ConsentPurpose::CrossBorder].map(is_live);
        let mut text = format!("{} {} {live:?}\n", person.profile.short(), person.version).into_bytes();
        text.extend(content);
        leaf(Part::Input, &[salt], &text)
    }
}

/// Canonical JSON: the order of a struct's fields is fixed, and lists are kept sorted by their types.
#[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data serialises")
}
