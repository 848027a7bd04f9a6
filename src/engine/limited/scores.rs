//! Scores of a part of a problem with limits: without the pairs that the part lacks, and less the prices of limits.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::engine::exchange::{ExchangeLimits, Limit};
use crate::engine::limit_tree::Division;
use crate::engine::pair_scores::{FORBIDDEN, Opposites, Pair, PairScores};

/// The greatest price of a limit: scores less prices stay within 32 bits.
pub(super) const HIGHEST_PRICE: i32 = 1 << 30;

/// The assignments that lack some pairs, and prices of limits.
#[derive(Debug, Clone, Default)]
pub(super) struct LimitRestriction {
    /// Divisions on the way to the part, each with whether the part is the second one.
    pub(super) divisions: Vec<(Division, bool)>,
    /// Directions that the part lacks, sorted.
    pub(super) barred: Vec<Pair>,
    /// Organisations whose mentors a mentee lacks, by mentee and organisation.
    pub(super) without: BTreeSet<(u32, u32)>,
    /// The only organisation whose mentors a mentee may have, by mentee.
    pub(super) only: BTreeMap<u32, u32>,
    /// Mentors who have no mentee.
    pub(super) closed: BTreeSet<u32>,
    /// Mentors who have at least their least places, in the order of the divisions.
    pub(super) open: Vec<u32>,
    /// Prices of limits, above 0.
    pub(super) prices: BTreeMap<Limit, i32>,
}

impl LimitRestriction {
    /// The first or the second part of a division of this part.
    pub(super) fn divided(&self, division: Division, second: bool, opposites: Option<&Opposites>) -> Self {
        let mut part = self.clone();
        part.divisions.push((division, second));
        match division {
            Division::Pair(pair) if second => {
                part.prices.insert(Limit::Has(pair), HIGHEST_PRICE);
            }
            Division::Pair(pair) => part.bar(pair),
            Division::Direction(pair) => {
                let lacks =
                    if second { opposites.and_then(|all| all.of(pair)).unwrap_or(pair) } else { pair };
                part.bar(lacks);
            }
            Division::Partner { mentee, organisation } if second => {
                part.only.insert(mentee, organisation);
            }
            Division::Partner { mentee, organisation } => {
                part.without.insert((mentee, organisation));
            }
            Division::LeastPlaces(mentor) if second => part.open.push(mentor),
            Division::LeastPlaces(mentor) => {
                part.closed.insert(mentor);
            }
        }
        part
    }

    /// Takes a direction out of the part.
    pub(super) fn bar(&mut self, pair: Pair) {
        if let Err(at) = self.barred.binary_search(&pair) {
            self.barred.insert(at, pair);
        }
    }

    /// Whether the part lacks a pair or has it.
    pub(super) fn decides_pair(&self, pair: Pair) -> bool {
        self.prices.contains_key(&Limit::Has(pair)) || self.barred.binary_search(&pair).is_ok()
    }

    /// Whether the part decides between an organisation and all others for a mentee.
    pub(super) fn decides(&self, mentee: u32, organisation: u32) -> bool {
        self.without.contains(&(mentee, organisation)) || self.only.contains_key(&mentee)
    }

    fn lacks(&self, pair: Pair, organisation: Option<u32>) -> bool {
        self.barred.binary_search(&pair).is_ok()
            || self.closed.contains(&pair.1)
            || organisation.is_some_and(|of| {
                self.without.contains(&(pair.0, of)) || self.only.get(&pair.0).is_some_and(|only| *only != of)
            })
    }
}

/// The scores of a part.
pub(super) struct PartScores<'a> {
    pub(super) scores: &'a dyn PairScores,
    pub(super) exchange: &'a ExchangeLimits,
    pub(super) opposites: Option<&'a Opposites>,
    pub(super) part: &'a LimitRestriction,
}

impl PartScores<'_> {
    /// The prices that a pair pays together.
    fn price(&self, pair: Pair) -> i64 {
        let prices = &self.part.prices;
        if prices.is_empty() {
            return 0;
        }
        let of = |limit: &Limit| prices.get(limit).map_or(0, |price| i64::from(*price));
        let exchange: i64 = self.exchange.of_pair(pair).map(|(limit, _)| of(&limit)).sum();
        let opposite = self.opposites.and_then(|all| all.of(pair));
        exchange - of(&Limit::Has(pair)) + opposite.map_or(0, |other| of(&Limit::Direction(pair.min(other))))
    }
}

impl PairScores for PartScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.scores.tile(rows.clone(), cols.clone(), out);
        let width = cols.len().max(1);
        for (row, cells) in rows.zip(out.chunks_mut(width)) {
            for (column, score) in cols.clone().zip(cells).filter(|(_, score)| **score != FORBIDDEN) {
                let pair = (position(row), position(column));
                let organisation = self.exchange.of_mentors.get(column).copied();
                *score = if self.part.lacks(pair, organisation) {
                    FORBIDDEN
                } else {
                    let net = i64::from(*score) - self.price(pair);
                    i32::try_from(net).unwrap_or(FORBIDDEN + 1).max(FORBIDDEN + 1)
                };
            }
        }
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.tie_break(mentee, mentor)
    }
}

fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
