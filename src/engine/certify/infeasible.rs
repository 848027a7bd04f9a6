//! The rules that an assignment or a certificate can break.

use serde::{Deserialize, Serialize};

use crate::engine::certificate::{Aim, GroupSide};

/// The first broken rule of an assignment, or the first defect of the form of its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Infeasible {
    /// A pair names a person who does not exist.
    #[error("pair ({mentee}, {mentor}) names a person who is not in the problem")]
    Unknown {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A hard rule forbids a pair.
    #[error("pair ({mentee}, {mentor}) is not a candidate: a hard rule forbids the pair")]
    NotACandidate {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A pair occurs more than once.
    #[error("pair ({mentee}, {mentor}) occurs more than once; expected once")]
    UsedTwice {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// Two people mentor each other, and the policy forbids it.
    #[error("pair ({mentee}, {mentor}) and its opposite are both in the assignment; expected one direction")]
    BothDirections {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// The tree of decisions on directions bounds nothing: it lacks nodes, or one of its leaves has no valid bound.
    #[error(
        "the tree of decisions on directions has no valid bound; expected a whole tree with a valid bound in each leaf"
    )]
    NoBound,
    /// A mentee has more mentors than wanted.
    #[error("mentee {mentee} has {has} mentors; expected at most {wanted}")]
    TooManyMentors {
        /// The mentee.
        mentee: u32,
        /// Number of mentors.
        has: u32,
        /// Number of mentors wanted.
        wanted: u32,
    },
    /// A mentor has more mentees than places.
    #[error("mentor {mentor} has {has} mentees; expected at most {places}")]
    TooManyMentees {
        /// The mentor.
        mentor: u32,
        /// Number of mentees.
        has: u32,
        /// Number of places offered.
        places: u32,
    },
    /// A pinned pair is missing.
    #[error("the assignment does not contain the pinned pair ({mentee}, {mentor})")]
    PinMissing {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// The assignment contains a vetoed pair.
    #[error("the assignment contains the vetoed pair ({mentee}, {mentor})")]
    Vetoed {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// The certificate does not have exactly one price per person.
    #[error(
        "the certificate has {mentee_prices} mentee prices and {mentor_prices} mentor prices; expected one per person"
    )]
    PricesMissing {
        /// Number of mentee prices in the certificate.
        mentee_prices: u64,
        /// Number of mentor prices in the certificate.
        mentor_prices: u64,
    },
    /// A group has fewer pairs than its floor or more than its ceiling.
    #[error("group {group} of {side} has {has} pairs; expected {floor} to {ceiling}")]
    OutOfQuota {
        /// Side of the group.
        side: GroupSide,
        /// The group.
        group: u32,
        /// Number of pairs in the group.
        has: u64,
        /// Fewest pairs.
        floor: u32,
        /// Most pairs.
        ceiling: u32,
    },
    /// An organisation gives or takes more places than its limit.
    #[error("organisation {organisation} exchanges {has} places with others; expected at most {most}")]
    BeyondLimit {
        /// The organisation, by its position in the limits.
        organisation: u32,
        /// Number of pairs that the limit counts.
        has: u64,
        /// Most pairs.
        most: u32,
    },
    /// A mentor with least places as a rule has fewer mentees, but not none.
    #[error("mentor {mentor} has {has} mentees; expected none, or at least {least}")]
    BelowLeast {
        /// The mentor.
        mentor: u32,
        /// Number of her mentees.
        has: u64,
        /// Least places of hers.
        least: u32,
    },
    /// The certificate does not have exactly one price per group.
    #[error(
        "the certificate has {mentee_group_prices} prices of mentee groups and {mentor_group_prices} of mentor groups; expected one per group"
    )]
    GroupPricesMissing {
        /// Number of prices of groups of mentees in the certificate.
        mentee_group_prices: u64,
        /// Number of prices of groups of mentors in the certificate.
        mentor_group_prices: u64,
    },
    /// The certificate does not have one weight for every tier of the problem, in ascending order.
    #[error(
        "the tiers of the certificate are wrong; expected one weight for every tier of the problem, ascending"
    )]
    TiersMissing,
    /// A number of the certificate exceeds the limit that keeps sums within 128 bits.
    #[error("the certificate has a number whose absolute value exceeds 2^80")]
    NumberTooLarge,
    /// The weight of this aim does not outweigh the later aims and all scores.
    #[error("the weight of {0} does not outweigh the later aims and the scores")]
    WeakWeight(Aim),
    /// The weight of an aim that the problem does not have is not 0.
    #[error("the weight of {0} must be 0, because the problem does not put coverage first")]
    ForeignWeight(Aim),
}
