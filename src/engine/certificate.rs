//! Weights and dual prices that prove an optimum. [`super::certify`] says how to check them.

use serde::{Deserialize, Serialize};

/// Weight of the first mentor of a mentee of one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierWeight {
    /// The tier.
    pub tier: u8,
    /// Points that the first mentor of such a mentee counts for, beside the pair's score.
    pub weight: i128,
}

/// Weights of the objective and dual prices: all that is needed to check an optimum in one pass over the candidates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Every tier that occurs, ascending, with its weight.
    pub tiers: Vec<TierWeight>,
    /// Points that a filled minimum place of a mentor counts for.
    pub minimum: i128,
    /// Points that a second mentor of a mentee counts for.
    pub second: i128,
    /// `u`: one price per mentee, what a pair must leave to her.
    pub mentee_prices: Vec<i128>,
    /// `p`: one price per mentor, what a pair must leave to her.
    pub mentor_prices: Vec<i128>,
    /// `q`: one price per group of mentees, of either sign; none without quotas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentee_group_prices: Vec<i128>,
    /// `q`: one price per group of mentors, of either sign; none without quotas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentor_group_prices: Vec<i128>,
}

/// Whose group it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSide {
    /// A group of mentees.
    Mentees,
    /// A group of mentors.
    Mentors,
}

/// An aim of the objective that comes before the scores.
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
