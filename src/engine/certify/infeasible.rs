//! The rules that an assignment or a certificate can break.

use serde::{Deserialize, Serialize};

use crate::engine::certificate::{Aim, GroupSide};

/// The first thing found wrong with an assignment or with the form of its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Infeasible {
    /// A pair names somebody who does not exist.
    #[error("pair ({mentee}, {mentor}) names somebody who does not exist")]
    Unknown {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A pair is forbidden by a hard rule.
    #[error("pair ({mentee}, {mentor}) is not a candidate")]
    NotACandidate {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A pair occurs more than once.
    #[error("pair ({mentee}, {mentor}) occurs more than once")]
    UsedTwice {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A mentee has more mentors than she wants.
    #[error("mentee {mentee} has {has} mentors and wants {wanted}")]
    TooManyMentors {
        /// The mentee.
        mentee: u32,
        /// Mentors she has.
        has: u32,
        /// Mentors she wants.
        wanted: u32,
    },
    /// A mentor has more mentees than places.
    #[error("mentor {mentor} has {has} mentees and {places} places")]
    TooManyMentees {
        /// The mentor.
        mentor: u32,
        /// Mentees she has.
        has: u32,
        /// Places she offers.
        places: u32,
    },
    /// A pair that people have pinned is missing.
    #[error("the pinned pair ({mentee}, {mentor}) is missing")]
    PinMissing {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A pair that people have vetoed is there.
    #[error("pair ({mentee}, {mentor}) is vetoed")]
    Vetoed {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// The certificate has not one price per person.
    #[error("the certificate has {mentee_prices} mentee prices and {mentor_prices} mentor prices")]
    PricesMissing {
        /// Mentee prices in the certificate.
        mentee_prices: u64,
        /// Mentor prices in the certificate.
        mentor_prices: u64,
    },
    /// A group has fewer pairs than its floor or more than its ceiling.
    #[error(
        "group {group} on the side of the {side:?} has {has} pairs; its floor is {floor} and its ceiling {ceiling}"
    )]
    OutOfQuota {
        /// Whose group it is.
        side: GroupSide,
        /// The group.
        group: u32,
        /// Pairs in it.
        has: u64,
        /// Fewest pairs.
        floor: u32,
        /// Most pairs.
        ceiling: u32,
    },
    /// The certificate has not one price per group.
    #[error(
        "the certificate has {mentee_group_prices} prices of mentee groups and {mentor_group_prices} of mentor groups"
    )]
    GroupPricesMissing {
        /// Prices of groups of mentees in the certificate.
        mentee_group_prices: u64,
        /// Prices of groups of mentors in the certificate.
        mentor_group_prices: u64,
    },
    /// The certificate does not give every tier of the problem one weight, in ascending order.
    #[error("the certificate's tiers are not those of the problem")]
    TiersMissing,
    /// A number of the certificate is beyond what sums can hold.
    #[error("the certificate has a number beyond 2^80")]
    NumberTooLarge,
    /// The weights do not put this aim before all scores.
    #[error("the weights do not put this aim before the lesser ones: {0:?}")]
    WeakWeight(Aim),
    /// The weights count something that the problem does not ask for.
    #[error("the weights count what the problem does not ask for: {0:?}")]
    ForeignWeight(Aim),
}
