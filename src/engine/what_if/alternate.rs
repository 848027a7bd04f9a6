//! An alternate: a pair outside the assignment, and the cost of forcing it.

use crate::engine::objective_value::ObjectiveValue;

/// Cost of a change for the whole round, aim by aim. A negative number is a gain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cost {
    /// The cost in the weights of the certificate: the sum of the numbers below, each times its weight.
    pub weighted: i128,
    /// Number of mentees who lose their only mentor, by tier, ascending; only tiers with a change. Empty if the problem
    /// does not put coverage first.
    pub tiers: Vec<(u8, i64)>,
    /// Number of minimum places lost.
    pub minimum: i64,
    /// Number of second mentors lost; 0 if the problem does not put coverage first.
    pub second: i64,
    /// Points of score lost.
    pub score: i64,
}

impl Cost {
    /// The loss from one assignment to another, without weights.
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

/// A pair outside the assignment, with the changes that forcing it requires.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternate {
    /// The pair's mentee.
    pub mentee: u32,
    /// The pair's mentor.
    pub mentor: u32,
    /// Cost of forcing the pair for the whole round.
    pub cost: Cost,
    /// Pairs of a best assignment with this pair that the present assignment does not contain, sorted: the first
    /// [`MOST_LISTED`](Self::MOST_LISTED). They include this pair.
    pub added: Vec<(u32, u32)>,
    /// Pairs of the present assignment that end, sorted: the first [`MOST_LISTED`](Self::MOST_LISTED).
    pub removed: Vec<(u32, u32)>,
    /// Pairs that are added or end and are not listed.
    pub unlisted: usize,
}

impl Alternate {
    /// Most pairs of a list: a change can pass through every person, and the memory of an answer must not depend on it.
    pub const MOST_LISTED: usize = 100;

    /// An alternate with the listed pairs of two sorted lists.
    pub(super) fn listing(
        (mentee, mentor): (u32, u32),
        cost: Cost,
        mut added: Vec<(u32, u32)>,
        mut removed: Vec<(u32, u32)>,
    ) -> Self {
        let all = added.len() + removed.len();
        for list in [&mut added, &mut removed] {
            list.truncate(Self::MOST_LISTED);
            list.shrink_to_fit();
        }
        let unlisted = all - added.len() - removed.len();
        Self { mentee, mentor, cost, added, removed, unlisted }
    }
}
