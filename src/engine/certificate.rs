//! Weights and dual prices that prove an optimum. [`super::certify`] describes how to check them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Weight of the first mentor of a mentee of one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierWeight {
    /// The tier.
    pub tier: u8,
    /// Points for the first mentor of a mentee of this tier, in addition to the score of the pair.
    pub weight: i128,
}

/// Weights of the objective and dual prices: sufficient to check an optimum in one pass over the candidates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Every tier that occurs, ascending, with its weight.
    pub tiers: Vec<TierWeight>,
    /// Points for a filled minimum place of a mentor.
    pub minimum: i128,
    /// Points for the second mentor of a mentee.
    pub second: i128,
    /// `u`: one price per mentee, the value that a pair must leave to the mentee.
    pub mentee_prices: Vec<i128>,
    /// `p`: one price per mentor, the value that a pair must leave to the mentor.
    pub mentor_prices: Vec<i128>,
    /// `q`: one price per group of mentees, of either sign; empty without quotas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentee_group_prices: Vec<i128>,
    /// `q`: one price per group of mentors, of either sign; empty without quotas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentor_group_prices: Vec<i128>,
}

/// Price of a pair in both directions: the same two people with their roles exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectionPrice {
    /// One direction: mentee and mentor.
    pub pair: (u32, u32),
    /// Points that each direction pays, and that the bound gains once.
    pub price: i32,
}

/// Bound for a problem in which two people may not mentor each other: a tree of decisions on directions, in preorder. A
/// division is followed by the part without its direction, then by the part without the opposite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BranchProof(pub Vec<BranchNode>);

/// A node of a tree of decisions on directions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchNode {
    /// A bound on all assignments that keep the decisions.
    Leaf {
        /// Prices for the scores without the barred directions and less the prices of directions.
        certificate: Certificate,
        /// Prices of directions, by pair.
        prices: Vec<DirectionPrice>,
    },
    /// An assignment lacks at least one direction of a pair.
    Split {
        /// One direction.
        pair: (u32, u32),
    },
}

/// The side whose people a group contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSide {
    /// A group of mentees.
    Mentees,
    /// A group of mentors.
    Mentors,
}

impl fmt::Display for GroupSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mentees => "mentees",
            Self::Mentors => "mentors",
        })
    }
}

/// An aim of the objective that has precedence over the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// Mentees of a tier with at least one mentor.
    Tier(u8),
    /// Minimum places of mentors.
    Minimum,
    /// Second mentors.
    Second,
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tier(tier) => write!(f, "tier {tier}"),
            Self::Minimum => f.write_str("minimum places"),
            Self::Second => f.write_str("second mentors"),
        }
    }
}
