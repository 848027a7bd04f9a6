//! The assignment problem, free of people: numbers of nodes, what they want, and a source of pair scores.

use super::pair_scores::PairScores;

/// What a mentee wants; by default nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// Priority tier, 0 first. Every tier is served as widely as possible before the next.
    pub tier: u8,
    /// Different mentors wanted, 0 to 2, beside those she has by pins.
    pub wanted: u8,
    /// Mentors she has by pins: with one of them, another counts as her second and not as her first.
    pub pinned: u8,
}

/// What a mentor offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// Fewest mentees that make the offer worthwhile: filled before anybody gets a second mentor or a better score.
    pub min: u32,
    /// Most mentees; 0 offers nothing.
    pub max: u32,
}

/// An assignment problem. Positions must not depend on the order in which people came in: the encoder orders them by a
/// hash of their ids, so that ties between equals fall by hash and never by position in a file.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct Problem<'a> {
    /// One entry per mentee.
    pub mentees: &'a [Demand],
    /// One entry per mentor.
    pub mentors: &'a [Seats],
    /// Scores of all pairs.
    pub scores: &'a dyn PairScores,
    /// Whether as many people as possible come before the total score. If not, no tier counts, to be unmatched is worth 0,
    /// and a pair of negative score is never made but to fill a minimum place.
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
