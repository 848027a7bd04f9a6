//! Assignments that keep all bounds, made of the results of relaxed parts: the best of them is the incumbent of the search.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{LimitIncumbent, LimitSearch, LimitedPart, Relaxed};
use crate::engine::exchange::Limit;
use crate::engine::limited::scores::LimitRestriction;
use crate::engine::objective_value::weighted_value;
use crate::engine::observer::Stopped;
use crate::engine::pair_scores::Pair;

/// Rounds of the heuristic that makes a result keep its bounds: without and with least places of mentors.
const REPAIRS: (usize, usize) = (4, 16);

impl LimitSearch<'_> {
    /// Order in which pairs are kept: mentees of the first tier, then the best score.
    pub(super) fn rank(&self, pair: Pair) -> (u8, Reverse<Option<i32>>, Pair) {
        let (mentee, mentor) = (pair.0 as usize, pair.1 as usize);
        (self.problem.mentees[mentee].tier, Reverse(self.problem.scores.score(mentee, mentor)), pair)
    }

    /// Makes an assignment keep the limits and the least places by giving up pairs, and stores it if it keeps the floors and is the best one.
    pub(super) fn consider(&mut self, pairs: &[Pair]) {
        let mut ranked = pairs.to_vec();
        ranked.sort_by_key(|pair| self.rank(*pair));
        let mut used: BTreeMap<Limit, u32> = BTreeMap::new();
        let mut kept: BTreeSet<Pair> = BTreeSet::new();
        for pair in ranked {
            let limits: Vec<(Limit, u32)> = self.bounds.exchange.of_pair(pair).collect();
            let is_free =
                limits.iter().all(|(limit, most)| used.get(limit).copied().unwrap_or_default() < *most);
            let opposite = self.opposites.and_then(|all| all.of(pair));
            if is_free && opposite.is_none_or(|other| !kept.contains(&other)) {
                for (limit, _) in limits {
                    *used.entry(limit).or_default() += 1;
                }
                kept.insert(pair);
            }
        }
        let mut pairs: Vec<Pair> = kept.into_iter().collect();
        let below = self.bounds.least.broken(&pairs);
        pairs.retain(|pair| below.binary_search(&pair.1).is_err());
        let [of_mentees, of_mentors] = self.bounds.quotas.count(&pairs);
        let groups = self.bounds.quotas.mentees.groups().iter().chain(self.bounds.quotas.mentors.groups());
        let mut counted = groups.zip(of_mentees.into_iter().chain(of_mentors));
        if counted.any(|(group, has)| has < u64::from(group.floor)) {
            return;
        }
        let value = weighted_value(self.problem, &self.weights, &pairs);
        if self.best.as_ref().is_none_or(|best| value > best.value) {
            self.best = Some(LimitIncumbent { value, pairs });
        }
    }

    /// Heuristic: keeps the first pairs of each exceeded limit as the only ones that it counts, opens the mentors whom few mentees
    /// lack to their least places, closes the others, and solves the rest again.
    pub(super) fn repair(&mut self, node: &LimitedPart) -> Result<(), Stopped> {
        let mut part = LimitRestriction { prices: BTreeMap::new(), ..node.part.clone() };
        let mut found = node.found.clone();
        let rounds = if self.bounds.least.is_empty() { REPAIRS.0 } else { REPAIRS.1 };
        for round in 0..rounds {
            let at = LimitedPart { part: part.clone(), found, bound: 0, division: None, empty: None };
            let (exceeded, _) = self.broken(&at);
            found = at.found;
            let below = self.bounds.least.broken(&found.pairs);
            if exceeded.is_empty() && below.is_empty() {
                return Ok(());
            }
            for limit in exceeded {
                self.close(&mut part, limit, &found.pairs);
            }
            // Whoever is open for good may leave too few for others, so that the last rounds only close.
            let opens =
                if round < REPAIRS.0 { self.reachable(&below, &found.pairs) } else { BTreeSet::new() };
            let closing = {
                let mut closing = part.clone();
                closing.closed.extend(&below);
                closing
            };
            part.closed.extend(below.iter().filter(|mentor| !opens.contains(mentor)));
            part.open.extend(&opens);
            let mut next = self.relax(part.clone(), &found)?;
            if matches!(next, Relaxed::Empty(_)) && !opens.is_empty() {
                part = closing;
                next = self.relax(part.clone(), &found)?;
            }
            match next {
                Relaxed::Best(next) => found = next.found,
                Relaxed::Empty(_) | Relaxed::Failed => return Ok(()),
            }
            self.consider(&found.pairs);
        }
        Ok(())
    }

    /// The mentors below their least places who reach them together if the mentees of the others among them go to them: those who
    /// lack the fewest first.
    fn reachable(&self, below: &[u32], pairs: &[Pair]) -> BTreeSet<u32> {
        let mut lacking: Vec<(usize, usize, u32)> = Vec::new();
        let mut left = 0;
        for mentor in below {
            let has = pairs.iter().filter(|pair| pair.1 == *mentor).count();
            let least = self.bounds.least.of(*mentor).unwrap_or_default() as usize;
            left += has;
            lacking.push((least.saturating_sub(has), least, *mentor));
        }
        lacking.sort_unstable();
        let mut opens = BTreeSet::new();
        for (_, least, mentor) in lacking {
            if least <= left {
                left -= least;
                opens.insert(mentor);
            }
        }
        opens
    }

    /// Takes all pairs that a limit counts out of a part, except the first ones of `pairs` that the limit allows.
    fn close(&self, part: &mut LimitRestriction, limit: Limit, pairs: &[Pair]) {
        let exchange = &self.bounds.exchange;
        if let Limit::Direction(pair) = limit {
            let other = self.opposites.and_then(|all| all.of(pair)).unwrap_or(pair);
            part.bar(if self.rank(pair) < self.rank(other) { other } else { pair });
            return;
        }
        let counts = |pair: &Pair| exchange.of_pair(*pair).any(|(one, _)| one == limit);
        let mut counted: Vec<Pair> = pairs.iter().copied().filter(counts).collect();
        counted.sort_by_key(|pair| self.rank(*pair));
        counted.truncate(self.most(limit) as usize);
        let keeps: BTreeSet<u32> = counted.iter().map(|pair| pair.0).collect();
        for (mentee, taker) in (0_u32..).zip(&exchange.of_mentees) {
            match limit {
                Limit::Given(giver) if giver != *taker && !keeps.contains(&mentee) => {
                    part.without.insert((mentee, giver));
                }
                Limit::Taken(of) if of == *taker && !keeps.contains(&mentee) => {
                    part.only.insert(mentee, of);
                }
                _ => {}
            }
        }
    }
}
