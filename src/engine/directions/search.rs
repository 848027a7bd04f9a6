//! Dives, prices of directions, and branch and bound over pairs that are used both ways.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::engine::assign::{
    Assignment, SolverStatistics, Start, assign, assign_before_quotas, assign_weighted,
};
use crate::engine::branch_and_bound::{BranchAndBound, Branching, best_bound_first};
use crate::engine::certificate::{BranchNode, BranchProof, Certificate, DirectionPrice};
use crate::engine::objective_value::weighted_value;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{MaskedScores, Opposites, Pair, PairScores, PricedScores};
use crate::engine::problem::Problem;

/// Numbers that all certificates of a tree hold together at most, unless [`SOLVES`] allows more: it bounds the solves and the
/// size of the proof.
const MOST_NUMBERS: usize = 400_000;
/// Fewest and most solves of a search.
const SOLVES: (usize, usize) = (16, 3_000);
/// Nodes of the tree between two dives. A division adds two nodes to the first one.
const DIVE_EVERY: usize = 15;
/// The greatest price of a direction: scores less prices stay within 32 bits.
const HIGHEST_PRICE: i32 = 1 << 30;

/// The best assignment found, with its bound.
pub(super) struct Directed {
    /// The pairs, sorted; at most one direction of each.
    pub(super) pairs: Vec<Pair>,
    /// Proof of the bound.
    pub(super) proof: BranchProof,
    /// Whether the assignment reaches the bound.
    pub(super) closed: bool,
    /// Solves beyond those without the rule.
    pub(super) solves: usize,
    /// Statistics of all solves.
    pub(super) counters: SolverStatistics,
}

/// Solves of one search, beyond those without the rule. The number of people decides it, never time.
pub(super) fn most_solves(problem: &Problem<'_>) -> usize {
    let people = problem.mentees.len() + problem.mentors.len();
    (MOST_NUMBERS / people.max(1)).clamp(SOLVES.0, SOLVES.1)
}

/// Computes a best assignment that uses at most one direction of each pair, with at most `solves` further solves.
pub(super) fn best_total(
    problem: &Problem<'_>,
    opposites: &Opposites,
    solves: usize,
    observer: &dyn Observer,
) -> Result<Directed, Stopped> {
    let free = assign(problem, observer)?;
    best_total_from(problem, opposites, (free, !has_several_aims(problem)), solves, observer)
}

/// The same, with a certificate whose weights outweigh every exchange, so that it compares different problems. If no
/// certificate holds such weights, the result does not count as closed.
pub(super) fn best_total_comparable(
    problem: &Problem<'_>,
    opposites: &Opposites,
    solves: usize,
    observer: &dyn Observer,
) -> Result<Directed, Stopped> {
    if !has_several_aims(problem) {
        return best_total(problem, opposites, solves, observer);
    }
    match assign_before_quotas(problem, most_pairs(problem), observer)? {
        Some(free) => best_total_from(problem, opposites, (free, true), solves, observer),
        None => Ok(Directed { closed: false, ..best_total(problem, opposites, solves, observer)? }),
    }
}

/// Starts from the problem without the rule, solved with weights that may outweigh every exchange.
fn best_total_from(
    problem: &Problem<'_>,
    opposites: &Opposites,
    (free, outweighs): (Assignment, bool),
    solves: usize,
    observer: &dyn Observer,
) -> Result<Directed, Stopped> {
    let mut counters = free.counters;
    if opposites.both(&free.pairs).is_empty() {
        let Assignment { pairs, certificate, .. } = free;
        return Ok(Directed { pairs, proof: leaf(certificate), closed: true, solves: 0, counters });
    }
    let mut strong = Some(free.clone());
    if !outweighs {
        strong = assign_before_quotas(problem, most_pairs(problem), observer)?;
        if let Some(found) = &strong {
            counters += found.counters;
        }
    }
    // Without weights that outweigh every exchange a tree proves nothing: only dives remain.
    let (may_branch, root) = (strong.is_some(), strong.unwrap_or(free));
    let weights = root.certificate.clone();
    let best = Incumbent::default();
    let mut search = DirectionSearch {
        problem,
        opposites,
        weights,
        observer,
        left: solves,
        best,
        nodes: Vec::new(),
        counters,
    };
    let bound = weighted_value(problem, &search.weights, &root.pairs);
    let first = DirectionNode {
        part: DirectionPart::default(),
        relaxed: RelaxedPart { found: root, bound },
        split: None,
    };
    search.dive(&first)?;
    search.improve(&first)?;
    let mut open = Some(bound);
    if search.best.value < bound && may_branch {
        let first = search.raise_prices(first)?;
        search.dive(&first)?;
        search.improve(&first)?;
        let root = search.keep(first);
        open = best_bound_first(&mut search, Some(root))?.map(|node| node.bound);
    } else {
        search.nodes.push(first);
    }
    let closed = match open {
        Some(bound) => search.best.value >= bound,
        None => true,
    };
    let proof = if closed && search.best.value == bound {
        // The prices of the problem without the rule prove the result.
        leaf(search.weights.clone())
    } else {
        search.tree()
    };
    let DirectionSearch { best, left, counters, .. } = search;
    Ok(Directed { pairs: best.pairs, proof, closed, solves: solves.saturating_sub(left), counters })
}

/// The prices of the problem without the rule, as a proof.
fn leaf(certificate: Certificate) -> BranchProof {
    BranchProof(vec![BranchNode::Leaf { certificate, prices: Vec::new() }])
}

/// The assignments that lack some directions.
#[derive(Debug, Clone, Default)]
struct DirectionPart {
    /// The directions, sorted.
    barred: Vec<Pair>,
    /// Prices by the lesser direction of each pair.
    prices: BTreeMap<Pair, i32>,
}

/// The best assignment of a part without the rule, and the bound of the part.
#[derive(Debug, Clone)]
struct RelaxedPart {
    found: Assignment,
    bound: i128,
}

/// A part with its bound, and the pair that divides it.
#[derive(Debug, Clone)]
struct DirectionNode {
    part: DirectionPart,
    relaxed: RelaxedPart,
    split: Option<(Pair, usize, usize)>,
}

/// An open node: the highest bound first, then the deepest, then the oldest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct OpenDirection {
    bound: i128,
    depth: usize,
    number: Reverse<usize>,
}

/// The best assignment found that keeps the rule. Of two of equal value, the one with more mentors of a higher career stage.
#[derive(Debug)]
struct Incumbent {
    value: i128,
    upward: usize,
    pairs: Vec<Pair>,
}

impl Default for Incumbent {
    fn default() -> Self {
        Self { value: i128::MIN, upward: 0, pairs: Vec::new() }
    }
}

struct DirectionSearch<'a> {
    problem: &'a Problem<'a>,
    opposites: &'a Opposites,
    weights: Certificate,
    observer: &'a dyn Observer,
    /// Solves that are left.
    left: usize,
    best: Incumbent,
    nodes: Vec<DirectionNode>,
    counters: SolverStatistics,
}

impl DirectionSearch<'_> {
    /// Solves a part without the rule; `None` if no solve is left.
    fn relax(&mut self, part: &DirectionPart, from: &Assignment) -> Result<Option<RelaxedPart>, Stopped> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let masked = MaskedScores::new(self.problem.scores, part.barred.clone(), self.observer)?;
        let mut prices: Vec<(Pair, i32)> = Vec::new();
        for (pair, price) in &part.prices {
            prices.push((*pair, *price));
            prices.extend(self.opposites.of(*pair).map(|other| (other, *price)));
        }
        prices.sort_unstable();
        let reduced = PricedScores::new(&masked, &prices);
        let scores: &dyn PairScores = if prices.is_empty() { &masked } else { &reduced };
        let problem = self.problem.with_scores(scores);
        let found = assign_weighted(&problem, &Start::of(from), &self.weights, self.observer)?;
        self.counters += found.counters;
        let charged: i128 = part.prices.values().map(|price| i128::from(*price)).sum();
        let bound = weighted_value(&problem, &self.weights, &found.pairs) + charged;
        Ok(Some(RelaxedPart { found, bound }))
    }

    /// The direction of a pair to give up: the lower score, then the lower career stage of the mentor, then the later pair.
    fn worse(&self, one: Pair, other: Pair) -> Pair {
        let rank = |pair: Pair| {
            let score = self.problem.scores.score(pair.0 as usize, pair.1 as usize);
            (score, self.opposites.is_upward(pair), Reverse(pair))
        };
        if rank(one) < rank(other) { one } else { other }
    }

    /// Makes an assignment keep the rule by giving up pairs, and stores it if it is the best one.
    fn consider(&mut self, pairs: &[Pair]) {
        let given_up: BTreeSet<Pair> =
            self.opposites.both(pairs).into_iter().map(|(one, other)| self.worse(one, other)).collect();
        let pairs: Vec<Pair> = pairs.iter().copied().filter(|pair| !given_up.contains(pair)).collect();
        let value = weighted_value(self.problem, &self.weights, &pairs);
        let upward = pairs.iter().filter(|pair| self.opposites.is_upward(**pair)).count();
        if (value, upward) > (self.best.value, self.best.upward) {
            self.best = Incumbent { value, upward, pairs };
        }
    }

    /// Bars the worse direction of every pair that is used both ways, until none is left.
    fn dive(&mut self, node: &DirectionNode) -> Result<(), Stopped> {
        let (mut part, mut relaxed) = (node.part.clone(), node.relaxed.clone());
        loop {
            self.consider(&relaxed.found.pairs);
            let both = self.opposites.both(&relaxed.found.pairs);
            if both.is_empty() || self.best.value >= node.relaxed.bound {
                return Ok(());
            }
            part.barred.extend(both.into_iter().map(|(one, other)| self.worse(one, other)));
            part.barred.sort_unstable();
            let Some(next) = self.relax(&part, &relaxed.found)? else { return Ok(()) };
            relaxed = next;
        }
    }

    /// Bars the opposites of the best assignment found and dives from there, as long as this finds a better one.
    fn improve(&mut self, node: &DirectionNode) -> Result<(), Stopped> {
        while self.best.value < node.relaxed.bound {
            let before = self.best.value;
            let part =
                DirectionPart { barred: self.opposites.barred(&self.best.pairs), ..DirectionPart::default() };
            let Some(relaxed) = self.relax(&part, &node.relaxed.found)? else { return Ok(()) };
            self.dive(&DirectionNode { part, relaxed, split: None })?;
            if self.best.value <= before {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Raises the prices of pairs that are used both ways, as long as this lowers the bound. It takes half of the solves at
    /// most.
    ///
    /// The bound as a function of one price is convex: it falls up to the cost of barring the cheaper direction, then it is
    /// level up to the further cost of barring both, then it rises. A pair whose price lowers nothing alone is raised over
    /// the level part: the prices of its neighbours may then lower the bound.
    fn raise_prices(&mut self, mut node: DirectionNode) -> Result<DirectionNode, Stopped> {
        let kept = self.left / 2;
        let mut tried: BTreeSet<Pair> = BTreeSet::new();
        while self.left > kept && self.best.value < node.relaxed.bound {
            let both = self.opposites.both(&node.relaxed.found.pairs);
            let Some((one, other)) = both.into_iter().find(|(one, _)| !tried.contains(one)) else { break };
            let now = node.relaxed.bound;
            let (without, without_opposite) = (node.part.without(one), node.part.without(other));
            let Some(first) = self.bar(&without, &node)? else { return Ok(node) };
            let Some(second) = self.bar(&without_opposite, &node)? else { return Ok(node) };
            let mut rise = now - first.max(second);
            if rise <= 0 {
                let Some(neither) = self.bar(&without.without(other), &node)? else { return Ok(node) };
                rise = now - neither;
                tried.insert(one);
            }
            let before = node.part.prices.get(&one).copied().unwrap_or_default();
            let rise = i32::try_from(rise).unwrap_or(HIGHEST_PRICE).min(HIGHEST_PRICE - before);
            if rise <= 0 {
                tried.insert(one);
                continue;
            }
            let mut part = node.part.clone();
            part.prices.insert(one, before + rise);
            let Some(relaxed) = self.relax(&part, &node.relaxed.found)? else { return Ok(node) };
            self.consider(&relaxed.found.pairs);
            if relaxed.bound < now {
                tried.clear();
            } else {
                tried.insert(one);
            }
            if relaxed.bound <= now {
                node = DirectionNode { part, relaxed, split: None };
            }
        }
        Ok(node)
    }

    /// The bound of a part of a node; `None` if no solve is left.
    fn bar(&mut self, part: &DirectionPart, node: &DirectionNode) -> Result<Option<i128>, Stopped> {
        let Some(relaxed) = self.relax(part, &node.relaxed.found)? else { return Ok(None) };
        self.consider(&relaxed.found.pairs);
        Ok(Some(relaxed.bound))
    }

    /// Keeps a node, and returns it as an open one.
    fn keep(&mut self, node: DirectionNode) -> OpenDirection {
        let (bound, depth, number) = (node.relaxed.bound, node.part.barred.len(), Reverse(self.nodes.len()));
        self.nodes.push(node);
        OpenDirection { bound, depth, number }
    }

    /// A pair that is used both ways, or one with a price that is not used.
    fn undecided(&self, node: &DirectionNode) -> Option<(Pair, Pair)> {
        let pairs = &node.relaxed.found.pairs;
        let unused = |pair: &Pair| pairs.binary_search(pair).is_err();
        self.opposites.both(pairs).first().copied().or_else(|| {
            let of = |pair: &Pair| Some((*pair, self.opposites.of(*pair)?));
            node.part.prices.keys().filter_map(of).find(|(one, other)| unused(one) && unused(other))
        })
    }

    /// The proof of all nodes, from the first one.
    fn tree(&self) -> BranchProof {
        let (mut open, mut proof) = (vec![0], Vec::new());
        while let Some(at) = open.pop() {
            let node = &self.nodes[at];
            if let Some((pair, without, without_opposite)) = node.split {
                proof.push(BranchNode::Split { pair });
                open.extend([without_opposite, without]);
                continue;
            }
            let prices = node.part.prices.iter();
            let prices = prices.map(|(pair, price)| DirectionPrice { pair: *pair, price: *price });
            let certificate = node.relaxed.found.certificate.clone();
            proof.push(BranchNode::Leaf { certificate, prices: prices.collect() });
        }
        BranchProof(proof)
    }
}

impl DirectionPart {
    /// The part without one more direction. The opposite then has no rival.
    fn without(&self, direction: Pair) -> Self {
        let mut barred = self.barred.clone();
        barred.push(direction);
        barred.sort_unstable();
        Self { barred, prices: self.prices.clone() }
    }
}

impl BranchAndBound for DirectionSearch<'_> {
    type Node = OpenDirection;
    type Error = Stopped;

    fn incumbent_reaches(&self, node: &OpenDirection) -> bool {
        self.best.value >= node.bound
    }

    fn branch(&mut self, open: &OpenDirection) -> Result<Branching<OpenDirection>, Stopped> {
        let at = open.number.0;
        let node = self.nodes[at].clone();
        let Some((one, other)) = self.undecided(&node) else { return Ok(Branching::Unfinished) };
        let mut solved = Vec::new();
        for direction in [one, other] {
            let mut part = node.part.without(direction);
            part.prices.remove(&one.min(other));
            let Some(relaxed) = self.relax(&part, &node.relaxed.found)? else {
                return Ok(Branching::Unfinished);
            };
            self.consider(&relaxed.found.pairs);
            solved.push(DirectionNode { part, relaxed, split: None });
        }
        if self.nodes.len().is_multiple_of(DIVE_EVERY) {
            self.dive(&solved[0])?;
            self.improve(&node)?;
        }
        let first = self.nodes.len();
        self.nodes[at].split = Some((one, first, first + 1));
        Ok(Branching::Children(solved.into_iter().map(|node| self.keep(node)).collect()))
    }
}

/// Whether a problem has more than one aim before the scores. Then the weights must outweigh every exchange.
fn has_several_aims(problem: &Problem<'_>) -> bool {
    let mut tiers: Vec<u8> = problem.mentees.iter().map(|demand| demand.tier).collect();
    tiers.sort_unstable();
    tiers.dedup();
    let has_minimum = problem.mentors.iter().any(|seats| seats.min.min(seats.max) > 0);
    let has_second = problem.mentees.iter().any(|demand| demand.wanted > 1);
    problem.coverage_first && tiers.len() + usize::from(has_minimum) + usize::from(has_second) > 1
}

/// The largest possible number of pairs.
fn most_pairs(problem: &Problem<'_>) -> usize {
    let wanted: usize = problem.mentees.iter().map(|demand| usize::from(demand.wanted.min(2))).sum();
    let people = problem.mentees.len();
    let offered: usize = problem.mentors.iter().map(|seats| (seats.max as usize).min(people)).sum();
    wanted.min(offered)
}
