//! Proof of a bound under limits that count pairs by both of their ends.
//!
//! A tree divides the assignments; each leaf has prices that bound its part, or a cut that proves that the part is empty.
//! [`certify`](crate::engine::certify) describes the check.
//!
//! Invariants: the nodes are one whole tree, and all leaves have the same weights. A leaf prices each limit once, with at least 0
//! points; a pair that its assignments have is priced like a limit. A division by a partner names a mentee who wants one mentor, so that its two parts cover all assignments: her mentor is
//! of the organisation, or is not. A division by least places names a mentor who has them as a rule.

use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::exchange::Limit;
use super::groups::Cut;

/// Price of the pairs that a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitPrice {
    /// The limit.
    pub limit: Limit,
    /// Points that each of its pairs pays; the bound gains as many for each pair that the limit allows. Of a pair that must be, the
    /// points that it gains and the bound loses.
    pub price: i32,
}

/// A division of the assignments into two parts that cover all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Division {
    /// The first part lacks this direction of a pair, the second part lacks the opposite.
    Direction((u32, u32)),
    /// A mentee who wants one mentor: the first part has no pair of her with a mentor of the organisation, the second part
    /// has none with a mentor of another one.
    Partner {
        /// The mentee.
        mentee: u32,
        /// The organisation, by its position in the limits.
        organisation: u32,
    },
    /// The first part lacks the pair, the second part has it.
    Pair((u32, u32)),
    /// A mentor with least places as a rule: in the first part she has no mentee, in the second part at least as many as the rule
    /// says. A leaf of the second part has one more price of a group of mentors, in the order of the divisions.
    LeastPlaces(u32),
}

/// A node of the tree, in preorder: a division is followed by its first part, then by its second part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitNode {
    /// A bound on all assignments of the part.
    Leaf {
        /// Prices for the scores without the pairs that the part lacks, and less the prices of limits.
        certificate: Certificate,
        /// Prices of limits, each limit once.
        prices: Vec<LimitPrice>,
    },
    /// The part contains no assignment, because its floors cannot be met.
    Empty(Cut),
    /// The assignments are divided.
    Division(Division),
}

/// A tree of divisions, in preorder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LimitTree(pub Vec<LimitNode>);
