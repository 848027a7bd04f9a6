//! Resource names (Google AIP-122), parsed from and printed as `collection/id/...`.

mod review;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use self::review::{AskRef, CommentRef, DecisionRef, MentorshipRef, PairRef, SubmissionRef};

/// Longest id, in characters; all ids are ASCII.
pub const MAX_ID_LENGTH: usize = 64;

/// A name that cannot be read, with the rule and an example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("has the wrong form; use {rule}, for example {example}")]
pub struct InvalidName {
    example: &'static str,
    rule: &'static str,
}

const SLUG_RULE: &str = "1 to 64 lower-case letters, digits and hyphens, not beginning with a hyphen";
const OWN_ID_RULE: &str = "1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`";
const ORGANISATION_RULE: &str =
    "organisations/ID, where ID has 1 to 64 lower-case letters, digits and hyphens and begins with no hyphen";
const ROUND_RULE: &str =
    "rounds/ID, where ID has 1 to 64 lower-case letters, digits and hyphens and begins with no hyphen";
const CONSULTATION_RULE: &str =
    "consultations/ID, where ID has 1 to 64 lower-case letters, digits and hyphens and begins with no hyphen";
const PROFILE_RULE: &str =
    "organisations/ID/profiles/ID, where the last ID has 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`";
const WAITING_RULE: &str = "organisations/ID/waitingMentees/ID, as ListWaitingMentees returns it";
const ERASURE_RULE: &str = "erasures/ID, where ID is a UUID in lower case";
const ERASURE_EXAMPLE: &str = "erasures/01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a";
const PRINCIPAL_RULE: &str = "principals/ID, where ID is a UUID in lower case";
const PRINCIPAL_EXAMPLE: &str = "principals/01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a";
const PART_RULE: &str =
    "principals/ID/grants/ID or principals/ID/credentials/ID, where each ID is a UUID in lower case";
const PART_EXAMPLE: &str =
    "principals/01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a/grants/01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3b";
const ENROLMENT_ID_RULE: &str = "a UUID in lower case with hyphens";
const ENROLMENT_RULE: &str = "rounds/ID/enrolments/ID, as ListEnrolments returns it";
const CONSENT_ID_RULE: &str = "PURPOSE-HASH, as ListConsents returns it";
const CONSENT_RULE: &str = "organisations/ID/profiles/ID/consents/ID, as ListConsents returns it";
const CONSENT_EXAMPLE: &str = "organisations/wim-peru/profiles/P7/consents/matching-3f9a1c2b77d0";
const POLICY_RULE: &str = "rounds/ID/policies/NUMBER, where NUMBER counts from 1";
const RUN_RULE: &str = "rounds/ID/runs/NUMBER, where NUMBER counts from 1";
const MATCH_RULE: &str = "rounds/ID/runs/NUMBER/matches/ID, as ListMatches returns it";
/// Hexadecimal digits of the id of a match.
const MATCH_ID_DIGITS: usize = 32;

/// Whether `id` may be chosen for an organisation or a round.
fn is_slug(id: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&id.len())
        && !id.starts_with('-')
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether `id` may be an organisation's own id for a person.
fn is_own_id(id: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Whether `id` is a UUID in its one canonical spelling.
pub fn is_uuid(id: &str) -> bool {
    id.parse::<uuid::Uuid>().is_ok_and(|uuid| uuid.hyphenated().to_string() == id)
}

/// Whether `id` may be the id of a pair of a round, and of its matches.
fn is_pair_id(id: &str) -> bool {
    id.len() == MATCH_ID_DIGITS && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Digits of the hash in the id of a consent.
const CONSENT_HASH: usize = 12;

/// Whether `id` is a purpose and a hash.
fn is_consent_id(id: &str) -> bool {
    id.rsplit_once('-').is_some_and(|(purpose, hash)| {
        (1..=MAX_ID_LENGTH - CONSENT_HASH).contains(&purpose.len())
            && purpose.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && hash.len() == CONSENT_HASH
            && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $check:ident, $example:literal, $rule:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The bare id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(id: &str) -> Result<Self, InvalidName> {
                if $check(id) { Ok(Self(id.to_owned())) } else { Err(InvalidName { example: $example, rule: $rule }) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(id: String) -> Result<Self, InvalidName> {
                if $check(&id) { Ok(Self(id)) } else { Err(InvalidName { example: $example, rule: $rule }) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id_type!(
    /// Id of an organisation, for example `wim-peru`.
    OrganisationId, is_slug, "wim-peru", SLUG_RULE
);
id_type!(
    /// An organisation's own id for a person: a pseudonym.
    OwnId, is_own_id, "P7", OWN_ID_RULE
);
id_type!(
    /// Id of a round, for example `2027-spring`.
    RoundId, is_slug, "2027-spring", SLUG_RULE
);

id_type!(
    /// Id of a consultation, for example `2027-q1`.
    ConsultationId, is_slug, "2027-q1", SLUG_RULE
);
id_type!(
    /// Id of a question of a consultation, or of an option of a question.
    ChoiceId, is_slug, "deadline", SLUG_RULE
);

id_type!(
    /// Handle of a principal, for example `rosa`.
    Handle, is_slug, "rosa", SLUG_RULE
);

/// Name of a principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalRef(String);

impl PrincipalRef {
    /// Reads `principals/{principal}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: PRINCIPAL_EXAMPLE, rule: PRINCIPAL_RULE };
        let id = name.strip_prefix("principals/").filter(|id| is_uuid(id)).ok_or(invalid)?;
        Ok(Self(id.to_owned()))
    }

    /// The bare id.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// `principals/{principal}`.
    pub fn name(&self) -> String {
        format!("principals/{}", self.0)
    }
}

/// Name of the erasure of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRef(String);

impl ErasureRef {
    /// Reads `erasures/{erasure}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: ERASURE_EXAMPLE, rule: ERASURE_RULE };
        let id = name.strip_prefix("erasures/").filter(|id| is_uuid(id)).ok_or(invalid)?;
        Ok(Self(id.to_owned()))
    }

    /// The bare id.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// `erasures/{erasure}`.
    pub fn name(&self) -> String {
        format!("erasures/{}", self.0)
    }
}

/// Name of something that belongs to a principal: a grant or a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalPart {
    /// The principal.
    pub principal: PrincipalRef,
    /// The last segment, a UUID.
    pub id: String,
}

impl PrincipalPart {
    /// Reads `principals/{principal}/{collection}/{id}`.
    pub fn from_name(collection: &str, name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: PART_EXAMPLE, rule: PART_RULE };
        let (above, id) = name.rsplit_once('/').ok_or_else(|| invalid.clone())?;
        let principal = above.strip_suffix(collection).and_then(|above| above.strip_suffix('/'));
        match principal.map(PrincipalRef::from_name) {
            Some(Ok(principal)) if is_uuid(id) => Ok(Self { principal, id: id.to_owned() }),
            _ => Err(invalid),
        }
    }
}

id_type!(
    /// Id of an enrolment, which the service chooses.
    EnrolmentId, is_uuid, "01890a5d-ac96-774b-bcce-b302099a8057", ENROLMENT_ID_RULE
);

id_type!(
    /// Id of a consent of a person: its purpose and a hash.
    ConsentId, is_consent_id, "matching-3f9a1c2b77d0", CONSENT_ID_RULE
);

impl ConsentId {
    /// The id of a consent for a purpose.
    pub(super) fn new(purpose: &str, hash: &str) -> Self {
        Self(format!("{purpose}-{hash}"))
    }
}

/// Name of a consent of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRef {
    /// The profile.
    pub profile: ProfileRef,
    /// Id of the consent within the profile.
    pub id: ConsentId,
}

impl ConsentRef {
    /// Reads `organisations/{organisation}/profiles/{profile}/consents/{consent}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName { example: CONSENT_EXAMPLE, rule: CONSENT_RULE };
        let (profile, id) = name.split_once("/consents/").ok_or_else(invalid)?;
        match (ProfileRef::from_name(profile), id.parse()) {
            (Ok(profile), Ok(id)) => Ok(Self { profile, id }),
            _ => Err(invalid()),
        }
    }

    /// `organisations/{organisation}/profiles/{profile}/consents/{consent}`.
    pub fn name(&self) -> String {
        format!("{}/consents/{}", self.profile, self.id)
    }
}

impl OrganisationId {
    /// Reads `organisations/{organisation}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: "organisations/wim-peru", rule: ORGANISATION_RULE };
        name.strip_prefix("organisations/").and_then(|id| id.parse().ok()).ok_or(invalid)
    }

    /// `organisations/{organisation}`.
    pub fn name(&self) -> String {
        format!("organisations/{}", self.0)
    }
}

impl ConsultationId {
    /// Reads `consultations/{consultation}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: "consultations/2027-q1", rule: CONSULTATION_RULE };
        name.strip_prefix("consultations/").and_then(|id| id.parse().ok()).ok_or(invalid)
    }

    /// `consultations/{consultation}`.
    pub fn name(&self) -> String {
        format!("consultations/{}", self.0)
    }
}

impl RoundId {
    /// Reads `rounds/{round}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: "rounds/2027-spring", rule: ROUND_RULE };
        name.strip_prefix("rounds/").and_then(|id| id.parse().ok()).ok_or(invalid)
    }

    /// `rounds/{round}`.
    pub fn name(&self) -> String {
        format!("rounds/{}", self.0)
    }
}

/// Name of a profile: the organisation and its own id for the person. Ordered by organisation, then own id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileRef {
    /// The person's organisation.
    pub organisation: OrganisationId,
    /// The organisation's own id for the person.
    pub id: OwnId,
}

impl ProfileRef {
    /// Reads `organisations/{organisation}/profiles/{profile}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: "organisations/wim-peru/profiles/P7", rule: PROFILE_RULE };
        let (organisation, id) = name
            .strip_prefix("organisations/")
            .and_then(|rest| rest.split_once("/profiles/"))
            .ok_or_else(|| invalid.clone())?;
        match (organisation.parse(), id.parse()) {
            (Ok(organisation), Ok(id)) => Ok(Self { organisation, id }),
            _ => Err(invalid),
        }
    }

    /// Reads `organisations/{organisation}/waitingMentees/{waiting_mentee}`.
    pub fn from_waiting_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: "organisations/wim-peru/waitingMentees/P7", rule: WAITING_RULE };
        let (organisation, id) = name.split_once("/waitingMentees/").ok_or_else(|| invalid.clone())?;
        Self::from_name(&format!("{organisation}/profiles/{id}")).map_err(|_| invalid)
    }

    /// The resource name of the person on the waiting list.
    pub fn waiting_name(&self) -> String {
        format!("{}/waitingMentees/{}", self.organisation.name(), self.id)
    }

    /// `organisations/{organisation}/profiles/{profile}`.
    pub fn name(&self) -> String {
        format!("organisations/{}/profiles/{}", self.organisation, self.id)
    }

    /// The short form for tables and files, `{organisation}/{profile}`.
    pub fn short(&self) -> String {
        format!("{}/{}", self.organisation, self.id)
    }
}

impl fmt::Display for ProfileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "organisations/{}/profiles/{}", self.organisation, self.id)
    }
}

impl TryFrom<String> for ProfileRef {
    type Error = InvalidName;
    fn try_from(name: String) -> Result<Self, InvalidName> {
        Self::from_name(&name)
    }
}

impl From<ProfileRef> for String {
    fn from(profile: ProfileRef) -> String {
        profile.name()
    }
}

/// Name of a run of a round; runs have numbers from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunRef {
    /// The round.
    pub round: RoundId,
    /// Number of the run within the round.
    pub number: i64,
}

impl RunRef {
    /// Reads `rounds/{round}/runs/{run}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: "rounds/2027-spring/runs/1", rule: RUN_RULE };
        let (round, number) = name
            .strip_prefix("rounds/")
            .and_then(|rest| rest.split_once("/runs/"))
            .ok_or_else(|| invalid.clone())?;
        match (round.parse(), parse_number(number)) {
            (Ok(round), Some(number)) => Ok(Self { round, number }),
            _ => Err(invalid),
        }
    }

    /// `rounds/{round}/runs/{run}`.
    pub fn name(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for RunRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rounds/{}/runs/{}", self.round, self.number)
    }
}

/// Name of a match of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRef {
    /// The run.
    pub run: RunRef,
    /// Id of the match: the same for the same pair in every run of the round.
    pub id: String,
}

impl MatchRef {
    /// Reads `rounds/{round}/runs/{run}/matches/{match}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let example = "rounds/2027-spring/runs/1/matches/0123456789abcdef0123456789abcdef";
        let invalid = InvalidName { example, rule: MATCH_RULE };
        let (run, id) = name.split_once("/matches/").ok_or_else(|| invalid.clone())?;
        match RunRef::from_name(run) {
            Ok(run) if is_pair_id(id) => Ok(Self { run, id: id.to_owned() }),
            _ => Err(invalid),
        }
    }

    /// `rounds/{round}/runs/{run}/matches/{match}`.
    pub fn name(&self) -> String {
        format!("{}/matches/{}", self.run, self.id)
    }
}

/// Name of an enrolment in a round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnrolmentRef {
    /// The round.
    pub round: RoundId,
    /// Id of the enrolment.
    pub id: EnrolmentId,
}

impl EnrolmentRef {
    /// Reads `rounds/{round}/enrolments/{enrolment}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName {
            example: "rounds/2027-spring/enrolments/01890a5d-ac96-774b-bcce-b302099a8057",
            rule: ENROLMENT_RULE,
        };
        let (round, id) = name
            .strip_prefix("rounds/")
            .and_then(|rest| rest.split_once("/enrolments/"))
            .ok_or_else(|| invalid.clone())?;
        match (round.parse(), id.parse()) {
            (Ok(round), Ok(id)) => Ok(Self { round, id }),
            _ => Err(invalid),
        }
    }

    /// `rounds/{round}/enrolments/{enrolment}`.
    pub fn name(&self) -> String {
        format!("rounds/{}/enrolments/{}", self.round, self.id)
    }
}

/// Name of a policy of a round; policies have numbers from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyRef {
    /// The round.
    pub round: RoundId,
    /// Number of the policy within the round.
    pub version: i64,
}

impl PolicyRef {
    /// Reads `rounds/{round}/policies/{policy}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName { example: "rounds/2027-spring/policies/1", rule: POLICY_RULE };
        let (round, version) = name
            .strip_prefix("rounds/")
            .and_then(|rest| rest.split_once("/policies/"))
            .ok_or_else(|| invalid.clone())?;
        match (round.parse(), parse_number(version)) {
            (Ok(round), Some(version)) => Ok(Self { round, version }),
            _ => Err(invalid),
        }
    }

    /// `rounds/{round}/policies/{policy}`.
    pub fn name(&self) -> String {
        format!("rounds/{}/policies/{}", self.round, self.version)
    }
}

/// A run's number in its one canonical spelling: no sign, no leading zero.
fn parse_number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number >= 1 && number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_they_print() {
        for name in ["organisations/wim-peru/profiles/PE.0042_a-b", "organisations/a/profiles/1"] {
            assert_eq!(ProfileRef::from_name(name).expect("a good name").name(), name);
        }
        assert_eq!(RunRef::from_name("rounds/r1/runs/12").expect("a good name").name(), "rounds/r1/runs/12");
    }

    #[test]
    fn names_of_principals_and_their_parts_are_canonical_uuids() {
        assert_eq!(PrincipalRef::from_name(PRINCIPAL_EXAMPLE).expect("a name").name(), PRINCIPAL_EXAMPLE);
        let part = PrincipalPart::from_name("grants", PART_EXAMPLE).expect("a name");
        assert_eq!(format!("{}/grants/{}", part.principal.name(), part.id), PART_EXAMPLE);
        assert!(PrincipalPart::from_name("credentials", PART_EXAMPLE).is_err());
        let id = "01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a";
        for wrong in ["", "rosa", id, &id.to_uppercase(), &id.replace('-', ""), &format!("{{{id}}}")] {
            assert!(
                PrincipalRef::from_name(&format!("principals/{wrong}")).is_err() || wrong == id,
                "{wrong}"
            );
            assert!(
                PrincipalPart::from_name("grants", &format!("principals/{id}/grants/{wrong}/x")).is_err()
            );
        }
        assert!(PrincipalRef::from_name(&format!("principals/{}", id.to_uppercase())).is_err());
    }

    #[test]
    fn names_that_are_not_canonical_are_refused() {
        for name in [
            "",
            "organisations/",
            "organisations/Wim",
            "organisations/a/profiles/",
            "organisations/a/profiles/ü",
        ] {
            assert!(ProfileRef::from_name(name).is_err(), "{name}");
        }
        for name in
            ["rounds/r/runs/0", "rounds/r/runs/01", "rounds/r/runs/+1", "rounds/r/runs/-1", "rounds/r"]
        {
            assert!(RunRef::from_name(name).is_err(), "{name}");
        }
        assert!("a".repeat(65).parse::<OrganisationId>().is_err());
    }
}
