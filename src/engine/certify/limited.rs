//! Checks a bound for a problem with limits that count pairs by both of their ends.
//!
//! Input: the problem, its bounds and a tree in preorder. A division covers all assignments: one that keeps the rule on
//! directions lacks one of two opposites, the only mentor of a mentee is of an organisation or is not, and a mentor with least
//! places as a rule has no mentee or at least so many, which is a floor of a group of her own. A leaf has a certificate, and prices of limits. An assignment uses at most as many pairs of a limit as the limit allows. Its value is
//! therefore at most the bound of the certificate on the scores less the prices, plus each price times the number that the
//! limit allows (Lagrange relaxation; Geoffrion 1974). A cut proves that a part is empty. The highest bound of all leaves is a
//! bound of the problem.
//!
//! Counts do not reach their maxima at once under limits. If the problem has several aims before the scores, each aim must
//! therefore outweigh the loss of the next one that occurs: `most_pairs + 2` times its weight, plus a step.

use std::collections::BTreeMap;
use std::ops::Range;

use super::directions::LevelScores;
use super::{CertificateVerdict, Infeasible, check_cut, groups, rules, sweep};
use crate::engine::certificate::{Aim, Certificate};
use crate::engine::exchange::{Limit, MatchBounds};
use crate::engine::groups::{Forest, Group, Quotas};
use crate::engine::limit_tree::{Division, LimitNode, LimitPrice, LimitTree};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{FORBIDDEN, Opposites, PairScores};
use crate::engine::problem::{Demand, Problem, Seats};

/// No assignment exists: lower than every value.
const EMPTY: i128 = i128::MIN;
/// The tree bounds nothing: higher than every value.
const NO_BOUND: i128 = i128::MAX;

/// Checks that an assignment keeps all limits of the exchange, and the least places of mentors.
pub fn keeps_limits(bounds: &MatchBounds, pairs: &[(u32, u32)]) -> Result<(), Infeasible> {
    keeps_least_places(bounds, pairs)?;
    let exchange = &bounds.exchange;
    let mut given = vec![0_u64; exchange.given.len()];
    let mut taken = vec![0_u64; exchange.taken.len()];
    for &(mentee, mentor) in pairs {
        let of_mentee = exchange.of_mentees.get(mentee as usize);
        let of_mentor = exchange.of_mentors.get(mentor as usize);
        if let (Some(&of_mentee), Some(&of_mentor)) = (of_mentee, of_mentor)
            && of_mentee != of_mentor
        {
            given[of_mentor as usize] += 1;
            taken[of_mentee as usize] += 1;
        }
    }
    let sides = [(given, &exchange.given), (taken, &exchange.taken)];
    for (counted, limits) in sides {
        for ((organisation, has), most) in (0_u32..).zip(counted).zip(limits) {
            if let Some(most) = *most
                && has > u64::from(most)
            {
                return Err(Infeasible::BeyondLimit { organisation, has, most });
            }
        }
    }
    Ok(())
}

/// Checks that no mentor has fewer mentees than her least places, but not none.
fn keeps_least_places(bounds: &MatchBounds, pairs: &[(u32, u32)]) -> Result<(), Infeasible> {
    let mut has: BTreeMap<u32, u64> = BTreeMap::new();
    for &(_, mentor) in pairs {
        *has.entry(mentor).or_default() += 1;
    }
    for (mentor, has) in has {
        if let Some(least) = bounds.least.of(mentor)
            && has < u64::from(least)
        {
            return Err(Infeasible::BelowLeast { mentor, has, least });
        }
    }
    Ok(())
}

/// Checks an assignment against the bound of a tree: the rules of the problem, the weights, and the bound of every leaf. Without
/// a valid bound `dual` is the greatest number. Whether the assignment keeps the bounds themselves is checked by [`keeps_limits`]
/// and [`super::keeps_quotas`].
pub fn certify_limited(
    problem: &Problem<'_>,
    (bounds, opposites): (&MatchBounds, Option<&Opposites>),
    pairs: &[(u32, u32)],
    tree: &LimitTree,
    observer: &dyn Observer,
) -> Result<CertificateVerdict, Stopped> {
    let none = Certificate::default();
    let certificate = weights(tree).unwrap_or(&none);
    // Each leaf has groups of its own, which the check of its bound covers.
    let form = rules::check_form(problem, certificate);
    let form = if tree.0.iter().any(|node| matches!(node, LimitNode::Leaf { .. })) { form } else { Ok(()) };
    let whole = sweep(problem, None, observer)?;
    let most_pairs = rules::most_pairs(problem);
    let weighs = form.and_then(|()| {
        if weights(tree).is_none() {
            return Ok(());
        }
        rules::check_weights(problem, certificate, most_pairs, whole.lowest, whole.highest)?;
        let step = rules::step(most_pairs, whole.lowest, whole.highest);
        groups::check_weights(problem, &bounds.quotas, certificate, step)?;
        let is_tree = !matches!(&tree.0[..], [LimitNode::Leaf { prices, .. }] if prices.is_empty());
        if is_tree { outweighs(problem, certificate, most_pairs, step) } else { Ok(()) }
    });
    let valued = match rules::value(problem, pairs, certificate, observer) {
        Ok(value) => Ok(value),
        Err(rules::ValueError::Infeasible(broken)) => Err(broken),
        Err(rules::ValueError::Stopped(stopped)) => return Err(stopped),
    };
    let dual = tree_bound(problem, bounds, opposites, tree, observer)?;
    let feasible = weighs.and(valued.map(|_| ()));
    let primal = valued.unwrap_or_default();
    Ok(CertificateVerdict { feasible, primal, dual: dual.unwrap_or(NO_BOUND), candidates: whole.candidates })
}

/// Upper bound on the number of mentees without a pin who have a mentor, from a tree for the problem in which only they count.
/// `None` if the tree is not valid.
pub fn most_people_limited(
    problem: &Problem<'_>,
    bounds: &MatchBounds,
    tree: &LimitTree,
    observer: &dyn Observer,
) -> Result<Option<u64>, Stopped> {
    let mentees: Vec<Demand> = problem.mentees.iter().map(|one| Demand { tier: 0, ..*one }).collect();
    let mentors: Vec<Seats> = problem.mentors.iter().map(|one| Seats { min: 0, max: one.max }).collect();
    let level = LevelScores(problem.scores);
    let counting = Problem { mentees: &mentees, mentors: &mentors, scores: &level, coverage_first: true };
    let weight = match weights(tree).map(|one| (&one.tiers[..], one.minimum, one.second)) {
        Some(([entry], 0, 0)) if entry.tier == 0 && entry.weight > 0 => entry.weight,
        _ => return Ok(None),
    };
    let bound = tree_bound(&counting, bounds, None, tree, observer)?;
    Ok(bound.filter(|bound| *bound >= 0).and_then(|bound| u64::try_from(bound / weight).ok()))
}

/// The first certificate of a tree: its weights are those of all leaves.
fn weights(tree: &LimitTree) -> Option<&Certificate> {
    tree.0.iter().find_map(|node| match node {
        LimitNode::Leaf { certificate, .. } => Some(certificate),
        LimitNode::Empty(_) | LimitNode::Division(_) => None,
    })
}

/// The pairs that a part lacks. The certifier has an adaptor of its own.
struct LimitLeafScores<'a> {
    problem: &'a Problem<'a>,
    bounds: &'a MatchBounds,
    opposites: Option<&'a Opposites>,
    /// Divisions on the way to the leaf, each with whether the leaf is in the second part.
    way: Vec<(Division, bool)>,
    prices: BTreeMap<Limit, i32>,
}

impl LimitLeafScores<'_> {
    fn is_lacking(&self, (mentee, mentor): (u32, u32)) -> bool {
        let giver = self.bounds.exchange.of_mentors.get(mentor as usize);
        self.way.iter().any(|(division, second)| match division {
            Division::Direction(pair) => {
                let lacks = if *second { self.opposites.and_then(|all| all.of(*pair)) } else { Some(*pair) };
                lacks == Some((mentee, mentor))
            }
            Division::Partner { mentee: divided, organisation } => {
                *divided == mentee && (giver == Some(organisation)) != *second
            }
            Division::Pair(pair) => !*second && *pair == (mentee, mentor),
            Division::LeastPlaces(closed) => !*second && *closed == mentor,
        })
    }

    /// The quotas of the part: those of the problem, and a group with a floor for each mentor who has her least places. `None` if
    /// they are no forest.
    fn quotas(&self) -> Option<Quotas> {
        let all = &self.bounds.quotas;
        let mut groups = all.mentors.groups().to_vec();
        let mut innermost: Vec<Option<u32>> =
            (0..self.problem.mentors.len()).map(|mentor| all.mentors.innermost(mentor)).collect();
        for (division, second) in &self.way {
            if let (Division::LeastPlaces(mentor), true) = (division, second) {
                let slot = innermost.get_mut(*mentor as usize)?;
                let floor = self.bounds.least.of(*mentor)?;
                let group = u32::try_from(groups.len()).ok()?;
                groups.push(Group { parent: *slot, floor, ceiling: u32::MAX });
                *slot = Some(group);
            }
        }
        let mentors = Forest::new(groups, innermost).ok()?;
        Some(Quotas { mentees: all.mentees.clone(), mentors })
    }

    fn charge(&self, (mentee, mentor): (u32, u32)) -> i64 {
        let price = |limit: Limit| self.prices.get(&limit).map_or(0, |price| i64::from(*price));
        let exchange = &self.bounds.exchange;
        let mut charge = -price(Limit::Has((mentee, mentor)));
        if let (Some(&taker), Some(&giver)) =
            (exchange.of_mentees.get(mentee as usize), exchange.of_mentors.get(mentor as usize))
            && taker != giver
        {
            charge += price(Limit::Given(giver)) + price(Limit::Taken(taker));
        }
        if let Some(other) = self.opposites.and_then(|all| all.of((mentee, mentor))) {
            charge += price(Limit::Direction(other.min((mentee, mentor))));
        }
        charge
    }
}

impl PairScores for LimitLeafScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.problem.scores.tile(rows.clone(), cols.clone(), out);
        let mut at = 0;
        for mentee in rows {
            for mentor in cols.clone() {
                let score = &mut out[at];
                at += 1;
                if *score == FORBIDDEN {
                    continue;
                }
                let pair = (narrow(mentee), narrow(mentor));
                if self.is_lacking(pair) {
                    *score = FORBIDDEN;
                } else {
                    let less = i64::from(*score) - self.charge(pair);
                    *score = i32::try_from(less).unwrap_or(i32::MIN).max(FORBIDDEN + 1);
                }
            }
        }
    }
}

fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The highest bound of the leaves, [`EMPTY`] if no leaf has an assignment; `None` if a leaf has no valid bound, or if the nodes
/// are no whole tree.
fn tree_bound(
    problem: &Problem<'_>,
    bounds: &MatchBounds,
    opposites: Option<&Opposites>,
    tree: &LimitTree,
    observer: &dyn Observer,
) -> Result<Option<i128>, Stopped> {
    let Some(first) = tree.0.first() else { return Ok(None) };
    let none = Certificate::default();
    let weights = weights(tree).unwrap_or(&none);
    let mut leaf = LimitLeafScores { problem, bounds, opposites, way: Vec::new(), prices: BTreeMap::new() };
    let mut highest = EMPTY;
    let mut open = matches!(first, LimitNode::Division(_)) || tree.0.len() == 1;
    for node in &tree.0 {
        if !open {
            return Ok(None);
        }
        let bound = match node {
            LimitNode::Division(division) => {
                if !is_valid(problem, bounds, opposites, division) {
                    return Ok(None);
                }
                leaf.way.push((*division, false));
                continue;
            }
            LimitNode::Empty(cut) => {
                leaf.prices.clear();
                let Some(quotas) = leaf.quotas() else { return Ok(None) };
                let terms = check_cut(&problem.with_scores(&leaf), &quotas, cut, observer)?;
                if !terms.proved() {
                    return Ok(None);
                }
                EMPTY
            }
            LimitNode::Leaf { certificate, prices } => {
                let Some(charged) = leaf.set_prices(prices) else { return Ok(None) };
                let Some(bound) = leaf_bound(&leaf, certificate, weights, observer)? else { return Ok(None) };
                let Some(bound) = bound.checked_add(charged) else { return Ok(None) };
                bound
            }
        };
        highest = highest.max(bound);
        while leaf.way.pop_if(|(_, second)| *second).is_some() {}
        match leaf.way.last_mut() {
            Some((_, second)) => *second = true,
            None => open = false,
        }
    }
    Ok((!open).then_some(highest))
}

/// Whether the two parts of a division cover all assignments.
fn is_valid(
    problem: &Problem<'_>,
    bounds: &MatchBounds,
    opposites: Option<&Opposites>,
    division: &Division,
) -> bool {
    match division {
        Division::Pair(_) => true,
        Division::Direction(pair) => opposites.is_some_and(|all| all.of(*pair).is_some()),
        Division::Partner { mentee, .. } => {
            problem.mentees.get(*mentee as usize).is_some_and(|demand| demand.wanted < 2)
        }
        Division::LeastPlaces(mentor) => {
            (*mentor as usize) < problem.mentors.len() && bounds.least.of(*mentor).is_some()
        }
    }
}

impl LimitLeafScores<'_> {
    /// Sets the prices of a leaf. Returns the points that the bound gains; `None` if a price is not valid.
    fn set_prices(&mut self, prices: &[LimitPrice]) -> Option<i128> {
        self.prices.clear();
        let mut charged = 0_i128;
        for LimitPrice { limit, price } in prices {
            let limit_of = |limits: &[Option<u32>], of: u32| limits.get(of as usize).copied().flatten();
            let most = match limit {
                Limit::Given(of) => i128::from(limit_of(&self.bounds.exchange.given, *of)?),
                Limit::Taken(of) => i128::from(limit_of(&self.bounds.exchange.taken, *of)?),
                Limit::Direction(pair) => {
                    let other = self.opposites?.of(*pair)?;
                    (*pair < other).then_some(1)?
                }
                Limit::Has(pair) => {
                    // The pair gains what the bound loses, as every assignment of the part has the pair. A score that 32 bits do
                    // not hold would gain less.
                    self.way.contains(&(Division::Pair(*pair), true)).then_some(())?;
                    let is_known = (pair.0 as usize) < self.problem.mentees.len()
                        && (pair.1 as usize) < self.problem.mentors.len();
                    let score = is_known.then(|| self.problem.scores.score(pair.0 as usize, pair.1 as usize));
                    if let Some(score) = score.flatten() {
                        score.checked_add(*price)?;
                    }
                    -1
                }
            };
            if *price < 0 || self.prices.insert(*limit, *price).is_some() {
                return None;
            }
            charged = charged.checked_add(i128::from(*price) * most)?;
        }
        Some(charged)
    }
}

fn leaf_bound(
    leaf: &LimitLeafScores<'_>,
    certificate: &Certificate,
    weights: &Certificate,
    observer: &dyn Observer,
) -> Result<Option<i128>, Stopped> {
    let same_weights = (&certificate.tiers, certificate.minimum, certificate.second)
        == (&weights.tiers, weights.minimum, weights.second);
    let problem = leaf.problem.with_scores(leaf);
    let Some(quotas) = leaf.quotas() else { return Ok(None) };
    let form =
        rules::check_form(&problem, certificate).and_then(|()| groups::check_form(&quotas, certificate));
    if !same_weights || form.is_err() {
        return Ok(None);
    }
    let surplus = sweep(&problem, Some(certificate), observer)?.surplus;
    let most_pairs = rules::most_pairs(&problem);
    let nodes = groups::nodes(&problem, &quotas, certificate, most_pairs);
    Ok(nodes.and_then(|nodes| nodes.checked_add(surplus)))
}

/// Checks that every aim that occurs outweighs the loss of the next one that occurs.
fn outweighs(
    problem: &Problem<'_>,
    certificate: &Certificate,
    most_pairs: i128,
    step: i128,
) -> Result<(), Infeasible> {
    if !problem.coverage_first {
        return Ok(());
    }
    let lost = most_pairs + 2;
    let mut next =
        if problem.mentees.iter().any(|demand| demand.wanted > 1) { certificate.second } else { 0 };
    let above = |weight: i128, next: i128| lost.checked_mul(next).is_some_and(|all| weight - step >= all);
    if problem.mentors.iter().any(|seats| seats.min.min(seats.max) > 0) {
        if !above(certificate.minimum, next) {
            return Err(Infeasible::WeakWeight(Aim::Minimum));
        }
        next = certificate.minimum;
    }
    for entry in certificate.tiers.iter().rev() {
        if !above(entry.weight, next) {
            return Err(Infeasible::WeakWeight(Aim::Tier(entry.tier)));
        }
        next = entry.weight;
    }
    Ok(())
}
