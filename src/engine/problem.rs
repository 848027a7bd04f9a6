//! The assignment problem without people: positions, demands, seats, and a source of pair scores.

use super::pair_scores::PairScores;

/// What a mentee wants. The default is nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// Priority tier. Tier 0 has precedence over tier 1, and so on.
    pub tier: u8,
    /// Number of different mentors wanted, 0 to 2, in addition to `pinned`.
    pub wanted: u8,
    /// Number of mentors by pins. If it is not 0, a further mentor counts as a second mentor, not as a first one.
    pub pinned: u8,
}

/// What a mentor offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// Minimum places: they are filled before second mentors and scores count.
    pub min: u32,
    /// Largest number of mentees; 0 means no offer.
    pub max: u32,
}

/// An assignment problem. Positions must not depend on the order of the input. The encoder orders people by a hash of their
/// ids, so no tie depends on the order of a file.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct Problem<'a> {
    /// One entry per mentee.
    pub mentees: &'a [Demand],
    /// One entry per mentor.
    pub mentors: &'a [Seats],
    /// Scores of all pairs.
    pub scores: &'a dyn PairScores,
    /// Whether the numbers of served people have precedence over the total score. If not, tiers and second mentors have
    /// weight 0, and a pair of negative score is used only to fill a minimum place.
    pub coverage_first: bool,
}

impl<'a> Problem<'a> {
    /// The same problem with other scores.
    #[must_use]
    pub fn with_scores<'b>(&self, scores: &'b dyn PairScores) -> Problem<'b>
    where
        'a: 'b,
    {
        Problem { scores, ..*self }
    }
}
