//! The erasure of a person: what it has destroyed, and by what the service recognises her when she is imported again.
//!
//! Nothing that says who she was outlives an erasure. Enrolments and matches keep a random surrogate in the place of her own
//! id, so that the counts of runs stay right. The tombstone is a keyed hash: whoever does not know her own id cannot find it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::name::{ErasureRef, InvalidName, OrganisationId, OwnId, ProfileRef};

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Resource name.
    pub name: ErasureRef,
    /// The organisation whose member she was.
    pub organisation: OrganisationId,
    /// The id that enrolments and matches have in the place of her own id.
    pub surrogate: OwnId,
    /// When it was requested.
    pub create_time: Timestamp,
    /// When everything was destroyed; `None` before.
    pub end_time: Option<Timestamp>,
    /// What was destroyed so far.
    pub counts: ErasureCounts,
}

/// What an erasure destroys, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErasureCounts {
    /// Versions of the profile.
    pub versions: u64,
    /// Enrolments that have the surrogate.
    pub enrolments: u64,
    /// Runs whose input or result was about her.
    pub runs: u64,
    /// Matches without score and contributions.
    pub matches: u64,
    /// Entries of people without a match.
    pub unmatched: u64,
    /// Versions of other people's profiles whose lists named her.
    pub lists: u64,
    /// Answers that were remembered for repeated requests.
    pub answers: u64,
    /// Decisions on her pairs, which lose their reasons.
    pub decisions: u64,
    /// Comments on her pairs.
    pub comments: u64,
    /// Mentorships that have the surrogate.
    pub mentorships: u64,
    /// Her check-ins.
    pub check_ins: u64,
}

/// An erasure in a list that is kept outside of the database. It names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedPerson {
    /// The organisation whose member she was.
    pub organisation: OrganisationId,
    /// Her tombstone.
    pub tombstone: String,
    /// By which the key of the tombstone is recognised.
    pub key: String,
    /// When the erasure was requested.
    pub time: Timestamp,
}

/// What a purge of people who take part in nothing any more erases, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeReport {
    /// People.
    pub profiles: u64,
    /// Versions of their profiles.
    pub versions: u64,
    /// Their enrolments.
    pub enrolments: u64,
    /// People whose time has ended and whom the next call erases.
    pub profiles_left: u64,
    /// The moment before which they took part for the last time; `None` if their organisation has set no time.
    pub idle_before: Option<Timestamp>,
}

/// Beginning of a surrogate.
const SURROGATE: &str = "erased-";

/// A surrogate of random bytes.
pub fn surrogate(random: [u8; 16]) -> Result<OwnId, InvalidName> {
    format!("{SURROGATE}{}", hex::encode(random)).parse()
}

/// Whether an own id is a surrogate. No organisation may use such an id for its own people.
pub fn is_surrogate(id: &OwnId) -> bool {
    id.as_str().strip_prefix(SURROGATE).is_some_and(|rest| rest.len() == 32)
}

/// The key of tombstones.
#[derive(Clone, PartialEq, Eq)]
pub struct TombstoneKey([u8; 32]);

impl std::fmt::Debug for TombstoneKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TombstoneKey")
    }
}

impl TombstoneKey {
    /// Reads a stored key.
    pub fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The tombstone of a person.
    pub fn of(&self, person: &ProfileRef) -> String {
        // No name contains a line feed.
        self.mac(&format!("tombstone\n{}\n{}", person.organisation, person.id))
    }

    /// By which the key is recognised. Nothing follows from it for any person.
    pub fn fingerprint(&self) -> String {
        self.mac("key")[..16].to_owned()
    }

    fn mac(&self, text: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_belongs_to_one_person_and_one_key() {
        let key = |byte: u8| TombstoneKey::from_hex(&hex::encode([byte; 32])).expect("a key");
        let person = |organisation: &str, id: &str| ProfileRef {
            organisation: organisation.parse().expect("an id"),
            id: id.parse().expect("an own id"),
        };
        let tombstone = key(1).of(&person("wim-peru", "ana"));
        assert_eq!((tombstone.len(), &key(1).of(&person("wim-peru", "ana"))), (64, &tombstone));
        for other in [person("wim-chile", "ana"), person("wim-peru", "Ana"), person("wim-peru", "an")] {
            assert_ne!(key(1).of(&other), tombstone);
        }
        assert_ne!(key(2).of(&person("wim-peru", "ana")), tombstone);
        assert!(!format!("{:?}", key(1)).contains("01") && TombstoneKey::from_hex("ab").is_none());
    }
}
