//! Prices of limits, and branch and bound over closed and open mentors and over the partners of mentees.

use std::cmp::Reverse;
mod incumbent;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::engine::assign::{Assignment, SolverStatistics, Start, assign, assign_weighted};
use crate::engine::branch_and_bound::{BranchAndBound, Branching, best_bound_first};
use crate::engine::certificate::{Certificate, TierWeight};
use crate::engine::exchange::{Limit, MatchBounds};
use crate::engine::groups::{Cut, Quotas};
use crate::engine::limit_tree::{Division, LimitNode, LimitPrice, LimitTree};
use crate::engine::objective_value::weighted_value;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Opposites, Pair};
use crate::engine::problem::Problem;
use crate::engine::quota::{Answer, groups_with_weight, within};

use super::scores::{HIGHEST_PRICE, LimitRestriction, PartScores};

/// Numbers that all certificates of a tree hold together at most, unless [`SOLVES`] allows more.
const MOST_NUMBERS: usize = 400_000;
/// Fewest and most solves of a search.
const SOLVES: (usize, usize) = (48, 3_000);
/// Greatest weight for which a certificate can hold prices that add up several weights.
const MAX_WEIGHT: i128 = 1 << 78;
/// Prices of limits that are lowered or raised at a node below the first one.
const PRICES_PER_NODE: usize = 2;
/// Weight of a mentee where only people count: a price of a limit may be a part of it.
const PERSON: i128 = 1_000;

/// Solves of one search. The number of people decides it, never time.
pub(super) fn most_solves(problem: &Problem<'_>) -> usize {
    let people = problem.mentees.len() + problem.mentors.len();
    (MOST_NUMBERS / people.max(1)).clamp(SOLVES.0, SOLVES.1)
}

/// The weights of the aims, and an assignment to start from. `None` if a certificate cannot hold the weights.
pub(super) struct Aims(Option<(Certificate, Assignment)>);

impl Aims {
    /// Weights that keep the aims in order under bounds. An aim outweighs the loss of the next one in every group, and, if pairs
    /// are limited by both of their ends or mentors have least places as a rule, in every pair.
    pub(super) fn of(
        problem: &Problem<'_>,
        (bounds, opposites): (&MatchBounds, Option<&Opposites>),
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let free = assign(problem, observer)?;
        let mut weights =
            Certificate { mentee_prices: Vec::new(), mentor_prices: Vec::new(), ..free.certificate.clone() };
        let step = weights.minimum;
        let in_groups = groups_with_weight(problem, &bounds.quotas) as i128;
        let in_groups = if in_groups > 0 { in_groups + 2 } else { 0 };
        let is_flow = bounds.exchange.is_empty() && bounds.least.is_empty() && opposites.is_none();
        let in_pairs = if is_flow { 0 } else { most_pairs(problem) as i128 + 3 };
        let above = |next: i128, occurs: bool| {
            let lost = in_groups.max(if occurs { in_pairs } else { 0 });
            Some(lost.checked_mul(next)?.max(next).checked_add(step)?).filter(|weight| *weight <= MAX_WEIGHT)
        };
        let weighed = || {
            if !problem.coverage_first {
                return Some(weights);
            }
            let has_second = problem.mentees.iter().any(|demand| demand.wanted > 1);
            let has_minimum = problem.mentors.iter().any(|seats| seats.min.min(seats.max) > 0);
            weights.minimum = above(weights.second, has_second)?;
            let (mut next, mut occurs) = (weights.minimum, has_minimum);
            if has_second && !has_minimum {
                // The next aim that occurs is the second mentor.
                next = next.max(above(weights.second, true)?);
            }
            let mut tiers: Vec<TierWeight> = Vec::new();
            for entry in weights.tiers.iter().rev() {
                next = above(next, occurs)?;
                occurs = true;
                tiers.push(TierWeight { weight: next, ..*entry });
            }
            tiers.reverse();
            weights.tiers = tiers;
            Some(weights)
        };
        Ok(Self(weighed().map(|weights| (weights, free))))
    }

    /// Every mentee with a mentor counts alike, and nothing else counts.
    pub(super) fn people(free: Assignment) -> Self {
        let tiers = vec![TierWeight { tier: 0, weight: PERSON }];
        Self(Some((Certificate { tiers, ..Certificate::default() }, free)))
    }
}

/// The best assignment found, with its bound.
pub(super) struct Found {
    /// The pairs, sorted; `None` if no assignment was found.
    pub(super) pairs: Option<Vec<Pair>>,
    /// Proof of the bound.
    pub(super) tree: LimitTree,
    /// Whether the assignment reaches the bound, or no assignment exists.
    pub(super) closed: bool,
    /// Solves beyond the first one.
    pub(super) solves: usize,
    /// Statistics of all solves.
    pub(super) counters: SolverStatistics,
}

/// Computes a best assignment that keeps all bounds, with at most `solves` further solves. `None` if the weights are too large.
pub(super) fn best_total(
    problem: &Problem<'_>,
    (bounds, opposites): (&MatchBounds, Option<&Opposites>),
    Aims(aims): Aims,
    solves: usize,
    observer: &dyn Observer,
) -> Result<Option<Found>, Stopped> {
    let Some((weights, free)) = aims else { return Ok(None) };
    let counters = free.counters;
    let mut search = LimitSearch {
        problem,
        bounds,
        opposites,
        weights,
        observer,
        left: solves.saturating_add(1),
        best: None,
        nodes: Vec::new(),
        counters,
    };
    let first = match search.relax(LimitRestriction::default(), &free)? {
        Relaxed::Best(node) => *node,
        Relaxed::Empty(cut) => {
            let tree = LimitTree(vec![LimitNode::Empty(cut)]);
            let counters = search.counters;
            return Ok(Some(Found { pairs: None, tree, closed: true, solves: 0, counters }));
        }
        Relaxed::Failed => return Ok(None),
    };
    search.consider(&first.found.pairs);
    let mut open = None;
    if search.reaches(first.bound) {
        search.nodes.push(first);
    } else {
        let first = search.price(first, usize::MAX)?;
        search.repair(&first)?;
        let root = search.keep(first);
        open = best_bound_first(&mut search, Some(root))?.map(|node| node.bound);
    }
    let closed = open.is_none_or(|bound| search.reaches(bound));
    let tree = search.tree();
    let LimitSearch { best, left, counters, .. } = search;
    let pairs = best.map(|best| best.pairs);
    Ok(Some(Found { pairs, tree, closed, solves: solves.saturating_sub(left), counters }))
}

/// A part, solved without limits. It is divided, or a leaf of the tree.
#[derive(Debug, Clone)]
struct LimitedPart {
    part: LimitRestriction,
    found: Assignment,
    bound: i128,
    /// The division with the positions of both nodes.
    division: Option<(Division, [usize; 2])>,
    /// Set if the part contains no assignment.
    empty: Option<Cut>,
}

/// Result of the solution of a part without limits.
enum Relaxed {
    Best(Box<LimitedPart>),
    Empty(Cut),
    /// No solve is left, or a number is too large.
    Failed,
}

/// An open node: the highest bound first, then the deepest, then the oldest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct OpenPart {
    bound: i128,
    depth: usize,
    number: Reverse<usize>,
}

/// The best assignment found that keeps all bounds.
struct LimitIncumbent {
    value: i128,
    pairs: Vec<Pair>,
}

struct LimitSearch<'a> {
    problem: &'a Problem<'a>,
    bounds: &'a MatchBounds,
    opposites: Option<&'a Opposites>,
    weights: Certificate,
    observer: &'a dyn Observer,
    /// Solves that are left.
    left: usize,
    best: Option<LimitIncumbent>,
    nodes: Vec<LimitedPart>,
    counters: SolverStatistics,
}

impl LimitSearch<'_> {
    fn reaches(&self, bound: i128) -> bool {
        self.best.as_ref().is_some_and(|best| best.value >= bound)
    }

    /// Solves a part without limits.
    fn relax(&mut self, part: LimitRestriction, from: &Assignment) -> Result<Relaxed, Stopped> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(Relaxed::Failed) };
        self.left = left;
        let scores = PartScores {
            scores: self.problem.scores,
            exchange: &self.bounds.exchange,
            opposites: self.opposites,
            part: &part,
        };
        let problem = self.problem.with_scores(&scores);
        let free = assign_weighted(&problem, &Start::of(from), &self.weights, self.observer)?;
        match within(&problem, &self.quotas(&part), free, self.observer)? {
            Answer::Best(found) => {
                self.counters += found.counters;
                let most = |limit: &Limit| match limit {
                    // The bound loses what the pair has gained.
                    Limit::Has(_) => -1,
                    limit => i128::from(self.most(*limit)),
                };
                let charged: i128 =
                    part.prices.iter().map(|(limit, price)| i128::from(*price) * most(limit)).sum();
                let bound = weighted_value(&problem, &self.weights, &found.pairs) + charged;
                let part = LimitedPart { part, found, bound, division: None, empty: None };
                Ok(Relaxed::Best(Box::new(part)))
            }
            Answer::Impossible(cut) => Ok(Relaxed::Empty(cut)),
            Answer::TooManyTiers => Ok(Relaxed::Failed),
        }
    }

    /// The quotas of a part: a mentor who is open has a floor.
    fn quotas(&self, part: &LimitRestriction) -> Cow<'_, Quotas> {
        if part.open.is_empty() {
            return Cow::Borrowed(&self.bounds.quotas);
        }
        let mut quotas = self.bounds.quotas.clone();
        for mentor in &part.open {
            let floor = self.bounds.least.of(*mentor).unwrap_or_default();
            quotas.mentors = quotas.mentors.with_floor(*mentor, floor);
        }
        Cow::Owned(quotas)
    }

    /// Most pairs that a limit allows.
    fn most(&self, limit: Limit) -> u32 {
        let of =
            |limits: &[Option<u32>], organisation: u32| limits[organisation as usize].unwrap_or(u32::MAX);
        match limit {
            Limit::Given(organisation) => of(&self.bounds.exchange.given, organisation),
            Limit::Taken(organisation) => of(&self.bounds.exchange.taken, organisation),
            Limit::Direction(_) | Limit::Has(_) => 1,
        }
    }

    /// Number of pairs that each limit counts, for the limits that count some.
    fn used(&self, pairs: &[Pair]) -> BTreeMap<Limit, u64> {
        let counts = self.bounds.exchange.count(pairs).into_iter();
        let mut used: BTreeMap<Limit, u64> = counts.map(|(limit, (used, _))| (limit, used)).collect();
        let both = self.opposites.map(|all| all.both(pairs)).unwrap_or_default();
        used.extend(both.into_iter().map(|(one, other)| (Limit::Direction(one.min(other)), 2)));
        used
    }

    /// The exceeded limits of a node, then those with a price that are not used up.
    fn broken(&self, node: &LimitedPart) -> (Vec<Limit>, Vec<Limit>) {
        let used = self.used(&node.found.pairs);
        let exceeded = used
            .iter()
            .filter(|(limit, used)| **used > u64::from(self.most(**limit)))
            .map(|(limit, _)| *limit);
        let has = |limit: &Limit| match limit {
            Limit::Direction(pair) => {
                let other = self.opposites.and_then(|all| all.of(*pair));
                let contains = |pair: &Pair| node.found.pairs.binary_search(pair).is_ok();
                u64::from(contains(pair)) + u64::from(other.is_some_and(|other| contains(&other)))
            }
            limit => used.get(limit).copied().unwrap_or_default(),
        };
        let prices = node.part.prices.keys().filter(|limit| !matches!(limit, Limit::Has(_)));
        let loose = prices.filter(|limit| has(limit) < u64::from(self.most(**limit)));
        (exceeded.collect(), loose.copied().collect())
    }

    /// The slope of the bound as a function of the price of a limit.
    fn slope(&self, limit: Limit, pairs: &[Pair]) -> i128 {
        let used = match limit {
            Limit::Direction(pair) => {
                let other = self.opposites.and_then(|all| all.of(pair));
                let ends = [Some(pair), other];
                ends.into_iter().flatten().filter(|pair| pairs.binary_search(pair).is_ok()).count() as i128
            }
            limit => i128::from(self.used(pairs).get(&limit).copied().unwrap_or_default()),
        };
        i128::from(self.most(limit)) - used
    }

    /// Minimises the bound over the prices of broken limits, of at most `most` limits one after the other. At most half of the
    /// solves are used.
    fn price(&mut self, mut node: LimitedPart, most: usize) -> Result<LimitedPart, Stopped> {
        let kept = self.left / 2;
        let mut tried: BTreeSet<Limit> = BTreeSet::new();
        for _ in 0..most {
            if self.left <= kept || self.reaches(node.bound) {
                break;
            }
            let (exceeded, loose) = self.broken(&node);
            let Some(limit) = exceeded.into_iter().chain(loose).find(|limit| !tried.contains(limit)) else {
                break;
            };
            let before = node.bound;
            node = self.minimise(node, limit)?;
            if node.bound < before {
                tried.clear();
            }
            tried.insert(limit);
        }
        Ok(node)
    }

    /// Minimises the bound over the price of one limit: the next price is where the tangents of the two ends meet.
    fn minimise(&mut self, node: LimitedPart, limit: Limit) -> Result<LimitedPart, Stopped> {
        let at = |node: &LimitedPart| i128::from(node.part.prices.get(&limit).copied().unwrap_or_default());
        let rises = self.slope(limit, &node.found.pairs) >= 0;
        let far = if rises { 0 } else { self.far_price() };
        if i128::from(far) == at(&node) {
            return Ok(node);
        }
        let Some(other) = self.with_price(&node, limit, far)? else { return Ok(node) };
        let (mut low, mut high) = if rises { (other, node) } else { (node, other) };
        loop {
            let slopes = [&low, &high].map(|node| self.slope(limit, &node.found.pairs));
            if slopes[0] >= 0 || slopes[1] <= 0 {
                break;
            }
            let meets = high.bound - low.bound + slopes[0] * at(&low) - slopes[1] * at(&high);
            let next = meets / (slopes[0] - slopes[1]);
            if next <= at(&low) || next >= at(&high) {
                break;
            }
            let price = i32::try_from(next).unwrap_or(HIGHEST_PRICE);
            let Some(middle) = self.with_price(&low, limit, price)? else { break };
            let is_lowest = middle.bound >= low.bound.min(high.bound);
            if self.slope(limit, &middle.found.pairs) < 0 {
                low = middle;
            } else {
                high = middle;
            }
            if is_lowest {
                break;
            }
        }
        Ok(if low.bound < high.bound { low } else { high })
    }

    /// A price at which no pair that the limit counts is worth a mentee of the last tier, if 32 bits hold it.
    fn far_price(&self) -> i32 {
        let last = self.weights.tiers.last().map_or(0, |entry| entry.weight);
        i32::try_from(last.max(self.weights.minimum).saturating_mul(4))
            .unwrap_or(HIGHEST_PRICE)
            .min(HIGHEST_PRICE)
    }

    /// The same part with another price of a limit; `None` if no solve is left. What it finds is considered.
    fn with_price(
        &mut self,
        node: &LimitedPart,
        limit: Limit,
        price: i32,
    ) -> Result<Option<LimitedPart>, Stopped> {
        let mut part = node.part.clone();
        part.prices.remove(&limit);
        if price > 0 {
            part.prices.insert(limit, price);
        }
        match self.relax(part, &node.found)? {
            Relaxed::Best(found) => {
                self.consider(&found.found.pairs);
                Ok(Some(*found))
            }
            Relaxed::Empty(_) | Relaxed::Failed => Ok(None),
        }
    }

    /// Keeps a node, and returns it as an open one.
    fn keep(&mut self, node: LimitedPart) -> OpenPart {
        let (bound, depth) = (node.bound, node.part.divisions.len());
        let number = Reverse(self.nodes.len());
        self.nodes.push(node);
        OpenPart { bound, depth, number }
    }

    /// How to divide a node: by the mentor who lacks most to her least places, by a pair that is used both ways, or by a mentee of
    /// an exceeded limit, or by one of a limit whose price is too high.
    fn division(&self, node: &LimitedPart) -> Option<Division> {
        let lacks = |mentor: &u32| {
            let has = node.found.pairs.iter().filter(|pair| pair.1 == *mentor).count();
            (self.bounds.least.of(*mentor).unwrap_or_default() as usize).saturating_sub(has)
        };
        let below = self.bounds.least.broken(&node.found.pairs);
        if let Some(mentor) = below.into_iter().max_by_key(|mentor| (lacks(mentor), Reverse(*mentor))) {
            return Some(Division::LeastPlaces(mentor));
        }
        let (exceeded, loose) = self.broken(node);
        let exchange = &self.bounds.exchange;
        let limits: Vec<Limit> = exceeded.into_iter().chain(loose).collect();
        for limit in limits.iter().copied() {
            if let Limit::Direction(pair) = limit {
                return Some(Division::Direction(pair));
            }
            let counts = |pair: &Pair| exchange.of_pair(*pair).any(|(one, _)| one == limit);
            let open = |pair: &Pair| {
                let organisation = exchange.of_mentors[pair.1 as usize];
                self.problem.mentees[pair.0 as usize].wanted < 2 && !node.part.decides(pair.0, organisation)
            };
            let used = node.found.pairs.iter().copied().filter(|pair| counts(pair) && open(pair));
            if let Some((mentee, mentor)) = used.max_by_key(|pair| self.rank(*pair)) {
                let organisation = exchange.of_mentors[mentor as usize];
                return Some(Division::Partner { mentee, organisation });
            }
            let unused = self.candidate(limit, &open);
            if let Some((mentee, mentor)) = unused {
                let organisation = exchange.of_mentors[mentor as usize];
                return Some(Division::Partner { mentee, organisation });
            }
        }
        limits.into_iter().find_map(|limit| self.pair_of(node, limit)).map(Division::Pair)
    }

    /// An undecided pair that a limit counts, of a mentee who wants two mentors: one in use first.
    fn pair_of(&self, node: &LimitedPart, limit: Limit) -> Option<Pair> {
        let counts = |pair: &Pair| self.bounds.exchange.of_pair(*pair).any(|(one, _)| one == limit);
        let open = |pair: &Pair| {
            let score = self.problem.scores.score(pair.0 as usize, pair.1 as usize);
            let can_gain = score.is_some_and(|score| score.checked_add(HIGHEST_PRICE).is_some());
            self.problem.mentees[pair.0 as usize].wanted > 1 && can_gain && !node.part.decides_pair(*pair)
        };
        let used = node.found.pairs.iter().copied().filter(|pair| counts(pair) && open(pair));
        used.max_by_key(|pair| self.rank(*pair)).or_else(|| self.candidate(limit, &open))
    }

    /// The first candidate that a limit counts and that is not decided.
    fn candidate(&self, limit: Limit, open: &dyn Fn(&Pair) -> bool) -> Option<Pair> {
        let exchange = &self.bounds.exchange;
        let mentors = u32::try_from(self.problem.mentors.len()).unwrap_or(u32::MAX);
        let mentees = u32::try_from(self.problem.mentees.len()).unwrap_or(u32::MAX);
        (0..mentees).flat_map(|mentee| (0..mentors).map(move |mentor| (mentee, mentor))).find(|pair| {
            exchange.of_pair(*pair).any(|(one, _)| one == limit)
                && open(pair)
                && self.problem.scores.score(pair.0 as usize, pair.1 as usize).is_some()
        })
    }

    /// The proof of all nodes, from the first one.
    fn tree(&self) -> LimitTree {
        let (mut open, mut tree) = (vec![0], Vec::new());
        while let Some(at) = open.pop() {
            let node = &self.nodes[at];
            if let Some((division, [first, second])) = node.division {
                tree.push(LimitNode::Division(division));
                open.extend([second, first]);
                continue;
            }
            if let Some(cut) = &node.empty {
                tree.push(LimitNode::Empty(cut.clone()));
                continue;
            }
            let prices = node.part.prices.iter();
            let prices = prices.map(|(limit, price)| LimitPrice { limit: *limit, price: *price }).collect();
            tree.push(LimitNode::Leaf { certificate: node.found.certificate.clone(), prices });
        }
        LimitTree(tree)
    }
}

impl BranchAndBound for LimitSearch<'_> {
    type Node = OpenPart;
    type Error = Stopped;

    fn incumbent_reaches(&self, node: &OpenPart) -> bool {
        self.reaches(node.bound)
    }

    fn branch(&mut self, open: &OpenPart) -> Result<Branching<OpenPart>, Stopped> {
        let at = open.number.0;
        let node = self.nodes[at].clone();
        let Some(division) = self.division(&node) else { return Ok(Branching::Unfinished) };
        if !self.bounds.least.is_empty() && self.nodes.len().is_power_of_two() {
            self.repair(&node)?;
        }
        let mut parts = Vec::new();
        for second in [false, true] {
            let part = node.part.divided(division, second, self.opposites);
            match self.relax(part.clone(), &node.found)? {
                Relaxed::Best(found) => {
                    self.consider(&found.found.pairs);
                    let priced = self.price(*found, PRICES_PER_NODE)?;
                    parts.push(priced);
                }
                Relaxed::Empty(cut) => parts.push(LimitedPart {
                    part,
                    found: node.found.clone(),
                    bound: i128::MIN,
                    division: None,
                    empty: Some(cut),
                }),
                Relaxed::Failed => return Ok(Branching::Unfinished),
            }
        }
        let first = self.nodes.len();
        self.nodes[at].division = Some((division, [first, first + 1]));
        let open: Vec<OpenPart> = parts.into_iter().map(|part| self.keep(part)).collect();
        Ok(Branching::Children(open.into_iter().filter(|part| part.bound > i128::MIN).collect()))
    }
}

/// The largest possible number of pairs.
fn most_pairs(problem: &Problem<'_>) -> usize {
    let wanted: usize = problem.mentees.iter().map(|demand| usize::from(demand.wanted.min(2))).sum();
    let people = problem.mentees.len();
    let offered: usize = problem.mentors.iter().map(|seats| (seats.max as usize).min(people)).sum();
    wanted.min(offered)
}
