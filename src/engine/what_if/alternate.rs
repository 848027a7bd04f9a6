//! A pair that could be made instead, and its cost.

use crate::engine::objective_value::ObjectiveValue;

/// What a change costs the whole round, level by level. A negative number is a gain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cost {
    /// The cost in the weights of the certificate: the sum of what follows, each times its weight.
    pub weighted: i128,
    /// Mentees lost who had a mentor, by tier, ascending; only tiers in which anything changes. Empty where the problem does
    /// not put coverage first, as then nobody counts people.
    pub tiers: Vec<(u8, i64)>,
    /// Minimum places lost.
    pub minimum: i64,
    /// Second mentors lost; 0 where the problem does not put coverage first.
    pub second: i64,
    /// Points of score lost.
    pub score: i64,
}

impl Cost {
    /// What is lost from one assignment to another, without weights.
    pub fn between(before: &ObjectiveValue, after: &ObjectiveValue) -> Self {
        let lost = |before: u64, after: u64| before.cast_signed() - after.cast_signed();
        let tiers = before.people.tiers.iter().zip(&after.people.tiers);
        let tiers = tiers.map(|((tier, before), (_, after))| (*tier, lost(*before, *after)));
        Self {
            weighted: 0,
            tiers: tiers.filter(|(_, lost)| *lost != 0).collect(),
            minimum: lost(before.people.minimum_places, after.people.minimum_places),
            second: lost(before.people.second_mentors, after.people.second_mentors),
            score: before.score - after.score,
        }
    }
}

/// A pair that might be instead, and what it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternate {
    /// The pair's mentee.
    pub mentee: u32,
    /// The pair's mentor.
    pub mentor: u32,
    /// What forcing the pair costs the whole round.
    pub cost: Cost,
    /// Pairs that a best assignment with this pair has and the present one has not, sorted; this pair among them.
    pub added: Vec<(u32, u32)>,
    /// Pairs of the present assignment that make room, sorted.
    pub removed: Vec<(u32, u32)>,
}
