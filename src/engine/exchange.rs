//! Limits of the exchange between organisations, and all bounds on the matches of a round together.
//!
//! A limit counts pairs by both of their ends: `given` counts the pairs of an organisation's mentors with mentees of other
//! organisations, `taken` those of its mentees with mentors of other organisations. Such pairs are no group of one side, so
//! that limits are no quotas; [`super::limited`] solves problems that have them.
//!
//! Invariant: every person belongs to exactly one organisation.
//!
//! [`LeastPlaces`] is a bound of another kind: a mentor has no mentee, or at least as many as she asks for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::groups::Quotas;
use super::pair_scores::Pair;

/// A bound on a set of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Pairs of the mentors of an organisation with mentees of others.
    Given(u32),
    /// Pairs of the mentees of an organisation with mentors of others.
    Taken(u32),
    /// The two directions of a pair, by the lesser one: at most one of them.
    Direction((u32, u32)),
    /// A pair that the assignments of a part have: its price is points that the pair gains and the bound loses.
    Has((u32, u32)),
}

/// The organisation of each person, and the limits of each organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExchangeLimits {
    /// Organisation of each mentee.
    pub of_mentees: Vec<u32>,
    /// Organisation of each mentor.
    pub of_mentors: Vec<u32>,
    /// By organisation: most places given to others; `None` sets no limit.
    pub given: Vec<Option<u32>>,
    /// By organisation: most places taken from others; `None` sets no limit.
    pub taken: Vec<Option<u32>>,
}

impl ExchangeLimits {
    /// Whether no organisation has a limit.
    pub fn is_empty(&self) -> bool {
        self.given.iter().chain(&self.taken).all(Option::is_none)
    }

    /// The limits that count a pair: none for a pair within an organisation.
    pub fn of_pair(&self, (mentee, mentor): Pair) -> impl Iterator<Item = (Limit, u32)> + use<> {
        let ends = self.of_mentees.get(mentee as usize).zip(self.of_mentors.get(mentor as usize));
        let ends = ends.filter(|(taker, giver)| taker != giver);
        let most = |limits: &[Option<u32>], of: u32| limits.get(of as usize).copied().flatten();
        let given = ends.and_then(|(_, giver)| Some((Limit::Given(*giver), most(&self.given, *giver)?)));
        let taken = ends.and_then(|(taker, _)| Some((Limit::Taken(*taker), most(&self.taken, *taker)?)));
        given.into_iter().chain(taken)
    }

    /// Number of pairs that each limit counts, and the limit.
    pub fn count(&self, pairs: &[Pair]) -> BTreeMap<Limit, (u64, u32)> {
        let mut counts = BTreeMap::new();
        for (limit, most) in pairs.iter().flat_map(|pair| self.of_pair(*pair)) {
            counts.entry(limit).or_insert((0, most)).0 += 1;
        }
        counts
    }

    /// The limits less the pairs that are fixed. A limit that they exceed becomes 0.
    #[must_use]
    pub fn reduced_by(&self, fixed: &[Pair]) -> Self {
        let mut rest = self.clone();
        for (limit, (used, most)) in self.count(fixed) {
            let left = most.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
            match limit {
                Limit::Given(of) => rest.given[of as usize] = Some(left),
                Limit::Taken(of) => rest.taken[of as usize] = Some(left),
                Limit::Direction(_) | Limit::Has(_) => {}
            }
        }
        rest
    }
}

/// Least places of mentors as a rule: a mentor is closed, or has at least that many mentees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeastPlaces(Vec<u32>);

impl LeastPlaces {
    /// The rule, with one number per mentor. With 0 or 1 a mentor has no rule.
    pub fn new(of_mentors: Vec<u32>) -> Self {
        Self(of_mentors)
    }

    /// The least places of a mentor for whom the rule matters, at least 2.
    pub fn of(&self, mentor: u32) -> Option<u32> {
        self.0.get(mentor as usize).copied().filter(|least| *least > 1)
    }

    /// Whether no mentor has the rule.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|least| *least < 2)
    }

    /// The mentors who have fewer mentees than the rule allows, but not none.
    pub fn broken(&self, pairs: &[Pair]) -> Vec<u32> {
        let mut load = vec![0_u32; self.0.len()];
        for (_, mentor) in pairs {
            if let Some(load) = load.get_mut(*mentor as usize) {
                *load += 1;
            }
        }
        let all = (0_u32..).zip(load).zip(&self.0);
        all.filter(|((_, load), least)| *load > 0 && load < least).map(|((mentor, _), _)| mentor).collect()
    }

    /// The rule without the mentors of some pairs, who are open by them.
    fn without(&self, fixed: &[Pair]) -> Self {
        let mut rest = self.clone();
        for (_, mentor) in fixed {
            if let Some(least) = rest.0.get_mut(*mentor as usize) {
                *least = 0;
            }
        }
        rest
    }
}

/// All bounds on the matches of a round: floors and ceilings of groups, limits of the exchange, and least places of mentors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchBounds {
    /// Floors and ceilings of groups.
    pub quotas: Quotas,
    /// Limits of the exchange between organisations.
    pub exchange: ExchangeLimits,
    /// Least places of mentors.
    pub least: LeastPlaces,
}

impl MatchBounds {
    /// Whether nothing is bounded.
    pub fn is_empty(&self) -> bool {
        self.quotas.is_empty() && self.exchange.is_empty() && self.least.is_empty()
    }

    /// The bounds less the pairs that are fixed. A mentor with such a pair is open: what is left of her least places is a floor.
    #[must_use]
    pub fn reduced_by(&self, fixed: &[Pair]) -> Self {
        if self.is_empty() || fixed.is_empty() {
            return self.clone();
        }
        let [of_mentees, of_mentors] = self.quotas.count(fixed);
        let mut mentors = self.quotas.mentors.reduced_by(&of_mentors);
        for mentor in self.least.broken(fixed) {
            let has = fixed.iter().filter(|pair| pair.1 == mentor).count();
            let has = u32::try_from(has).unwrap_or(u32::MAX);
            let least = self.least.of(mentor).unwrap_or_default();
            mentors = mentors.with_floor(mentor, least.saturating_sub(has));
        }
        Self {
            quotas: Quotas { mentees: self.quotas.mentees.reduced_by(&of_mentees), mentors },
            exchange: self.exchange.reduced_by(fixed),
            least: self.least.without(fixed),
        }
    }
}
