//! Restriction of processing: a person's data is kept and not used.

use serde::{Deserialize, Serialize};

use super::name::ProfileRef;
use super::record::Record;

/// A restriction with the person whose data it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRestriction {
    /// Her profile.
    pub profile: ProfileRef,
    /// Number among her restrictions, from 1.
    pub number: i64,
    /// The restriction.
    pub restriction: Restriction,
}

/// A restriction of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// Why her data is not used.
    pub reason: RestrictionReason,
    /// Who restricted it, and when.
    pub restricted: Record,
    /// Who lifted the restriction, and when; `None` while it is in force.
    pub lifted: Option<Record>,
}

/// Why a person's data is kept and not used (General Data Protection Regulation, Article 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestrictionReason {
    /// She contests that the data is right, and it is being checked.
    AccuracyContested = 1,
    /// The use was unlawful, and she asks for a restriction instead of an erasure.
    UnlawfulProcessing = 2,
    /// The data is only needed for a legal claim.
    LegalClaim = 3,
    /// She has objected, and it is being checked whose grounds prevail.
    Objection = 4,
}

impl RestrictionReason {
    /// All reasons.
    pub const ALL: [Self; 4] =
        [Self::AccuracyContested, Self::UnlawfulProcessing, Self::LegalClaim, Self::Objection];

    /// The reason's name as stored.
    pub fn as_str(self) -> &'static str {
        ["accuracy_contested", "unlawful_processing", "legal_claim", "objection"][self as usize - 1]
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// The reason with a number of the contract.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as i32 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_back_as_they_are_stored() {
        for reason in RestrictionReason::ALL {
            assert_eq!(RestrictionReason::from_name(reason.as_str()), Some(reason));
            assert_eq!(RestrictionReason::from_number(reason as i32), Some(reason));
        }
        assert_eq!(RestrictionReason::from_number(0), None);
    }
}
