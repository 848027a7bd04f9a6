//! The secret salt of a round: it keys the ids of matches and every digest that callers see.
//!
//! Without the salt, a caller who guesses a private answer could compute the digest and compare. The salt never leaves
//! the service, and no log line or error contains it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::name::ProfileRef;

/// Bytes of a match id: enough that nobody guesses the id of a pair.
const MATCH_ID_BYTES: usize = 16;

/// The salt of a round.
#[derive(Clone, PartialEq, Eq)]
pub struct RoundSalt([u8; 32]);

impl RoundSalt {
    /// A salt of random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Reads a stored salt.
    pub fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The salt as stored.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// A digest in the form that callers see: equal digests are equal, and nothing else can be derived.
    pub fn keyed(&self, digest: &str) -> String {
        hex::encode(self.mac("digest", &[digest]))
    }

    /// The id of the match of two people: the same in every run of the round.
    pub fn match_id(&self, mentee: &ProfileRef, mentor: &ProfileRef) -> String {
        let names =
            [&mentee.organisation, &mentor.organisation].map(crate::domain::name::OrganisationId::as_str);
        let parts = [names[0], mentee.id.as_str(), names[1], mentor.id.as_str()];
        hex::encode(&self.mac("match", &parts)[..MATCH_ID_BYTES])
    }

    /// The id of a comment on a pair, which tells nothing about how many there are.
    pub fn comment_id(&self, pair_id: &str, number: i64) -> String {
        hex::encode(&self.mac("comment", &[pair_id, &number.to_string()])[..MATCH_ID_BYTES])
    }

    /// HMAC-SHA-256 of the parts, each with its length before it, so that no two lists of parts are one text.
    fn mac(&self, purpose: &str, parts: &[&str]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        for part in [purpose].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for RoundSalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoundSalt")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(organisation: &str, id: &str) -> ProfileRef {
        ProfileRef { organisation: organisation.parse().expect("an id"), id: id.parse().expect("an own id") }
    }

    #[test]
    fn an_id_belongs_to_one_pair_in_one_direction_of_one_round() {
        let (one, other) = (RoundSalt::new([1; 32]), RoundSalt::new([2; 32]));
        let (a, b) = (profile("wim-peru", "a"), profile("wim-kenya", "b"));
        let id = one.match_id(&a, &b);
        assert_eq!((id.len(), &one.match_id(&a, &b)), (32, &id));
        assert_ne!(id, one.match_id(&b, &a), "the other direction is another pair");
        assert_ne!(id, other.match_id(&a, &b), "another round");
        assert_ne!(
            one.match_id(&profile("p", "ab"), &profile("c", "d")),
            one.match_id(&profile("p", "a"), &profile("bc", "d"))
        );
    }

    #[test]
    fn a_keyed_digest_hides_the_digest_and_a_stored_salt_is_read_again() {
        let salt = RoundSalt::new([7; 32]);
        assert_ne!(salt.keyed("ab"), RoundSalt::new([8; 32]).keyed("ab"));
        assert_eq!(RoundSalt::from_hex(&salt.to_hex()), Some(salt.clone()));
        assert_eq!(RoundSalt::from_hex("ab"), None);
        assert!(!format!("{salt:?}").contains("07"));
    }
}
