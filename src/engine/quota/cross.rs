//! Bounds on the places that an organisation's mentors give to mentees of other organisations.
//!
//! Such a bound counts pairs by both of their ends, so it is neither a group of mentees nor a group of mentors. Three
//! cases:
//!
//! - *A bound per mentor, without minimum places.* The mentor becomes a group of two: one mentor for the own
//!   organisation, and one for others with as many seats as the bound. The ceiling of the group is the number of seats
//!   of the mentor. All groups are nested, and [`assign_within`](super::assign_within()) is exact.
//! - *A bound per organisation whose mentors fix in advance which of their places are for others.* Each mentor becomes
//!   two, each with its own seats, and the halves for others form a group with a ceiling. This case is exact in the
//!   same way.
//! - *A bound per organisation, over mentors whose places may serve either.* The two halves of a mentor share the
//!   places of the mentor, and this sharing is not nested in the group. This case is NP-hard. Replace an edge (mentee
//!   `a`, mentor `b`) that is to count for colour `c` by a path `a - m - n - b` with a new mentor `m` and a new mentee
//!   `n` of organisation `c`, where `a` is of another organisation and `b` of none. The edge is used if `a - m` and
//!   `n - b` are used, and only `a - m` counts. The edge is not used if `n - m` is used. A solver of this problem would
//!   therefore decide whether a perfect matching with a bounded number of edges per colour exists, and that is
//!   NP-complete (Itai, Rodeh and Tanimoto, *Some matching problems for bipartite graphs*, J. ACM 25, 1978).
//!
//! [`assign_across`] solves the third case. It removes the bound of each organisation and charges a price for every
//! pair across organisations (Lagrange relaxation; Held and Karp 1970). In the relaxation each mentor is a group of two
//! halves, so the relaxation is a problem with quotas and is solved exactly. For any prices, the value of the
//! relaxation plus the charge for the allowed pairs is an upper bound. If the relaxation exceeds an organisation's
//! bound, or uses less of it than allowed at a positive price, the problem is divided by the number of places that one
//! mentor gives to others (branch and bound). Prices are points of score and cannot compensate for an unmatched person,
//! so the search is long if a bound leaves people unmatched.
//!
//! The value is exact if `closed` is set; otherwise `bound` is an upper bound. With minimum places the search can
//! remain open, because both halves of a mentor count them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::engine::assign::{StopPoll, index};
use crate::engine::branch_and_bound::{BranchAndBound, Branching, best_bound_first};
use crate::engine::groups::{Forest, Group, Quotas};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN, PairScores, SparseError, SparseScores};
use crate::engine::problem::{Problem, Seats};

use super::{Answer, assign_within};

/// The organisation of each person, and the bound of each organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrossLimits {
    /// Organisation of each mentee.
    pub of_mentees: Vec<Option<u32>>,
    /// Organisation of each mentor.
    pub of_mentors: Vec<Option<u32>>,
    /// By organisation: largest number of pairs of its mentors with mentees of no organisation or another one; `None`
    /// sets no bound.
    pub most: Vec<Option<u32>>,
}

/// Why [`assign_across`] fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CrossError {
    /// A person has no entry, or an entry names an organisation that does not exist.
    #[error(
        "the organisations are wrong; expected one entry per person, empty or the position of an organisation"
    )]
    Unknown,
    /// The sparse scores are not valid.
    #[error(transparent)]
    Scores(SparseError),
    /// The weights of the tiers exceed the numbers that a certificate holds.
    #[error("the problem has too many tiers: their weights exceed the numbers that a certificate holds")]
    TooManyTiers,
    /// The observer stopped the operation.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<SparseError> for CrossError {
    fn from(error: SparseError) -> Self {
        match error {
            SparseError::Pair { .. } => Self::Scores(error),
            SparseError::Stopped(stopped) => Self::Stopped(stopped),
        }
    }
}

/// Value of an assignment, aim by aim: mentees served in each tier that occurs, minimum places, second mentors, score.
/// If the problem does not put coverage first: minimum places and score.
pub type Value = Vec<i64>;

/// Result of branch and bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrossSolution {
    /// The pairs of the best assignment found, sorted, and its value.
    pub best: Option<(Vec<(u32, u32)>, Value)>,
    /// Upper bound on the value of every assignment; `None` if no assignment keeps all bounds.
    pub bound: Option<Value>,
    /// Whether the result is exact: the best assignment reaches the bound, or no assignment exists.
    pub closed: bool,
    /// Number of problems with quotas that were solved.
    pub solved: u64,
}

/// Smallest and largest number of places that a split mentor gives to others.
type GivenRange = (u32, u32);

/// A part of the problem, with the best assignment of its relaxation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subproblem {
    /// Upper bound on the value of every assignment of the part.
    bound: Value,
    number: Reverse<u64>,
    gives: Vec<GivenRange>,
    /// Pairs of a mentee and a column.
    pairs: Vec<(u32, u32)>,
}

/// Steps of the bisection of prices: enough for a price of ten thousand points to the point.
const STEPS: u32 = 15;

/// Computes a best assignment under quotas and bounds across organisations. After `most_solves` solved problems it
/// returns the best assignment so far and an upper bound. The result depends on the problem alone.
pub fn assign_across(
    problem: &Problem<'_>,
    quotas: &Quotas,
    limits: &CrossLimits,
    most_solves: u64,
    observer: &dyn Observer,
) -> Result<CrossSolution, CrossError> {
    let mut split = Split::new(problem, quotas, limits)?;
    let mut found = CrossSolution { best: None, bound: None, closed: true, solved: 0 };
    let root = split.find_prices(&mut found, most_solves, observer)?;
    let mut search = CrossSearch { split, found, most_solves, observer };
    let open = best_bound_first(&mut search, root)?;
    let mut found = search.found;
    found.closed = open.is_none();
    found.bound = match open {
        Some(part) => Some(part.bound),
        None => found.best.as_ref().map(|(_, value)| value.clone()),
    };
    Ok(found)
}

/// The state of the search.
struct CrossSearch<'a> {
    split: Split<'a>,
    found: CrossSolution,
    most_solves: u64,
    observer: &'a dyn Observer,
}

impl BranchAndBound for CrossSearch<'_> {
    type Node = Subproblem;
    type Error = CrossError;

    fn incumbent_reaches(&self, part: &Subproblem) -> bool {
        self.found.best.as_ref().is_some_and(|(_, best)| *best >= part.bound)
    }

    fn branch(&mut self, part: &Subproblem) -> Result<Branching<Subproblem>, CrossError> {
        let Self { split, found, most_solves, observer } = self;
        let given = split.given(&part.pairs);
        let within = split.offer(&part.pairs, &given, found);
        if found.best.as_ref().is_some_and(|(_, best)| *best >= part.bound) {
            return Ok(Branching::Children(Vec::new()));
        }
        let Some((at, below)) = split.branching(part, &given, within).filter(|_| found.solved < *most_solves)
        else {
            return Ok(Branching::Unfinished);
        };
        if found.solved.is_power_of_two() {
            split.round_down(part, &given, found, *observer)?;
        }
        let (least, most) = part.gives[at];
        let mut children = Vec::new();
        for gives in [(least, below), (below + 1, most)] {
            let mut all = part.gives.clone();
            all[at] = gives;
            children.extend(split.solve(all, &split.prices, found, *observer)?);
        }
        Ok(Branching::Children(children))
    }
}

/// The problem in which every mentor of a bounded organisation is split in two columns: the mentor's own column serves
/// the own organisation, and a column behind all mentors serves others.
struct Split<'a> {
    problem: &'a Problem<'a>,
    quotas: &'a Quotas,
    limits: &'a CrossLimits,
    /// Split mentors, with their organisations.
    open: Vec<(u32, u32)>,
    /// Position of each mentor in `open`.
    place: Vec<Option<u32>>,
    /// Price of a pair across organisations, by organisation of the mentor.
    prices: Vec<i32>,
}

impl<'a> Split<'a> {
    fn new(
        problem: &'a Problem<'a>,
        quotas: &'a Quotas,
        limits: &'a CrossLimits,
    ) -> Result<Self, CrossError> {
        let known = |of: &Option<u32>| of.is_none_or(|of| (of as usize) < limits.most.len());
        let complete = limits.of_mentees.len() == problem.mentees.len()
            && limits.of_mentors.len() == problem.mentors.len();
        if !complete || !limits.of_mentees.iter().chain(&limits.of_mentors).all(known) {
            return Err(CrossError::Unknown);
        }
        let mut open = Vec::new();
        let mut place = vec![None; problem.mentors.len()];
        for (mentor, of) in limits.of_mentors.iter().enumerate() {
            if let Some(of) = of.filter(|of| limits.most[*of as usize].is_some()) {
                place[mentor] = Some(index(open.len()));
                open.push((index(mentor), of));
            }
        }
        Ok(Self { problem, quotas, limits, open, place, prices: vec![0; limits.most.len()] })
    }

    fn own_columns(&self) -> usize {
        self.problem.mentors.len()
    }

    /// The column that serves a mentee.
    fn column(&self, mentee: usize, mentor: u32) -> u32 {
        match self.place[mentor as usize] {
            Some(at) if self.limits.of_mentees[mentee] != self.limits.of_mentors[mentor as usize] => {
                index(self.own_columns()) + at
            }
            _ => mentor,
        }
    }

    /// The mentor of a column.
    fn mentor(&self, column: usize) -> u32 {
        column.checked_sub(self.own_columns()).map_or(index(column), |at| self.open[at].0)
    }

    fn most(&self, organisation: usize) -> u64 {
        self.limits.most[organisation].map_or(u64::MAX, u64::from)
    }

    /// Sums up a number of each split mentor by organisation.
    fn by_organisation(&self, of_open: impl Iterator<Item = u32>) -> Vec<u64> {
        let mut sums = vec![0; self.limits.most.len()];
        for ((_, organisation), number) in self.open.iter().zip(of_open) {
            sums[*organisation as usize] += u64::from(number);
        }
        sums
    }

    /// Number of places that each split mentor gives to others.
    fn given(&self, pairs: &[(u32, u32)]) -> Vec<u32> {
        let mut given = vec![0; self.open.len()];
        for (_, column) in pairs {
            if let Some(at) = (*column as usize).checked_sub(self.own_columns()) {
                given[at] += 1;
            }
        }
        given
    }

    /// The highest price that can be charged for every pair. A score minus a price stays above [`FORBIDDEN`]; a higher price
    /// would not be charged in full, and the bound could stay open.
    fn highest_price(&self, observer: &dyn Observer) -> Result<i32, Stopped> {
        let lowest = match self.problem.scores.sparse() {
            // The entries of a row come best first.
            Some(sparse) => {
                let rows = 0..self.problem.mentees.len();
                rows.filter_map(|mentee| sparse.row(mentee).last()).map(|edge| edge.score).min()
            }
            None => self.lowest_score(observer)?,
        };
        let room = lowest.map_or(i64::MAX, |lowest| i64::from(lowest) - i64::from(FORBIDDEN + 1));
        Ok(i32::try_from(room).map_or(1 << STEPS, |room| room.min(1 << STEPS)))
    }

    /// The lowest score of a candidate, if there is a candidate.
    fn lowest_score(&self, observer: &dyn Observer) -> Result<Option<i32>, Stopped> {
        let mut row = vec![FORBIDDEN; self.own_columns()];
        let mut lowest = None;
        if row.is_empty() {
            return Ok(lowest);
        }
        for mentee in 0..self.problem.mentees.len() {
            observer.check()?;
            self.problem.scores.tile(mentee..mentee + 1, 0..row.len(), &mut row);
            let candidates = row.iter().copied().filter(|score| *score != FORBIDDEN);
            lowest = lowest.into_iter().chain(candidates).min();
        }
        Ok(lowest)
    }

    /// Bisects the prices of all organisations simultaneously, and stores the prices of the least bound.
    fn find_prices(
        &mut self,
        found: &mut CrossSolution,
        most_solves: u64,
        observer: &dyn Observer,
    ) -> Result<Option<Subproblem>, CrossError> {
        let all: Vec<GivenRange> =
            self.open.iter().map(|(mentor, _)| (0, self.problem.mentors[*mentor as usize].max)).collect();
        let mut ranges = vec![(0_i32, self.highest_price(observer)?); self.limits.most.len()];
        let mut prices = self.prices.clone();
        let mut best: Option<Subproblem> = None;
        for _ in 0..=STEPS {
            let Some(part) = self.solve(all.clone(), &prices, found, observer)? else { return Ok(None) };
            let given = self.given(&part.pairs);
            let within = self.offer(&part.pairs, &given, found);
            let free = prices.iter().all(|price| *price == 0);
            for (organisation, sum) in self.by_organisation(given.iter().copied()).into_iter().enumerate() {
                let (low, high) = &mut ranges[organisation];
                *(if sum > self.most(organisation) { low } else { high }) = prices[organisation];
            }
            if best.as_ref().is_none_or(|best| part.bound < best.bound) {
                best = Some(part);
                self.prices.clone_from(&prices);
            }
            if (free && within) || found.solved >= most_solves {
                break;
            }
            prices = ranges.iter().map(|(low, high)| low + (high - low) / 2).collect();
        }
        Ok(best)
    }

    /// Solves the relaxation of a part; `None` if no assignment exists.
    fn solve(
        &self,
        gives: Vec<GivenRange>,
        prices: &[i32],
        found: &mut CrossSolution,
        observer: &dyn Observer,
    ) -> Result<Option<Subproblem>, CrossError> {
        let least = self.by_organisation(gives.iter().map(|gives| gives.0));
        let highest = self.by_organisation(gives.iter().map(|gives| gives.1));
        let possible =
            least.iter().enumerate().all(|(organisation, least)| *least <= self.most(organisation));
        if !possible || gives.iter().any(|(least, most)| least > most) {
            return Ok(None);
        }
        let mut mentors = self.problem.mentors.to_vec();
        for ((mentor, _), &(least, most)) in self.open.iter().zip(&gives) {
            let Seats { min, max } = mentors[*mentor as usize];
            mentors[*mentor as usize].max = max - least;
            mentors.push(Seats { min, max: most });
        }
        let scores = ChargedScores::new(self, prices, observer)?;
        let problem = Problem { mentors: &mentors, scores: &scores, ..*self.problem };
        found.solved += 1;
        match assign_within(&problem, &self.quotas(&gives)?, observer)? {
            Answer::Best(best) => {
                let mut bound = value(&problem, &best.pairs);
                let charged =
                    (highest.iter().zip(prices).enumerate()).map(|(organisation, (highest, price))| {
                        i64::from(*price) * allowed(*highest, self.most(organisation))
                    });
                if let Some(score) = bound.last_mut() {
                    *score += charged.sum::<i64>();
                }
                Ok(Some(Subproblem { bound, number: Reverse(found.solved), gives, pairs: best.pairs }))
            }
            Answer::Impossible(_) => Ok(None),
            Answer::TooManyTiers => Err(CrossError::TooManyTiers),
        }
    }

    /// The quotas, with a group for the two columns of each split mentor, whose ceiling is the number of the mentor's
    /// places.
    fn quotas(&self, gives: &[GivenRange]) -> Result<Quotas, CrossError> {
        let mut groups = self.quotas.mentors.groups().to_vec();
        let mut innermost: Vec<Option<u32>> =
            (0..self.own_columns()).map(|mentor| self.quotas.mentors.innermost(mentor)).collect();
        for ((mentor, _), &(least, most)) in self.open.iter().zip(gives) {
            let own = &mut innermost[*mentor as usize];
            let ceiling = self.problem.mentors[*mentor as usize].max;
            groups.push(Group { parent: *own, floor: 0, ceiling });
            let group = Some(index(groups.len() - 1));
            *own = group;
            if least > 0 {
                groups.push(Group { parent: group, floor: least, ceiling: most });
            }
            innermost.push(Some(index(groups.len() - 1)));
        }
        let mentors = Forest::new(groups, innermost).map_err(|_| CrossError::Unknown)?;
        Ok(Quotas { mentees: self.quotas.mentees.clone(), mentors })
    }

    /// The mentor by whose places for others a part is divided, and the largest number of these places in the first child.
    fn branching(&self, part: &Subproblem, given: &[u32], within: bool) -> Option<(usize, u32)> {
        let sums = self.by_organisation(given.iter().copied());
        let open =
            || (0..self.open.len()).map(|at| (at, self.open[at].1 as usize, given[at], part.gives[at]));
        if within {
            // At a positive price the part uses less than allowed: either allow less, or use more.
            let loose = open().filter(|(.., given, (_, most))| given < most);
            let dearest =
                loose.max_by_key(|&(at, organisation, ..)| (self.prices[organisation], Reverse(at)));
            return dearest.map(|(at, _, given, _)| (at, given));
        }
        let over = |organisation: usize| sums[organisation].saturating_sub(self.most(organisation));
        let exceeded =
            open().filter(|&(_, organisation, given, (least, _))| over(organisation) > 0 && given > least);
        let most =
            exceeded.max_by_key(|&(at, organisation, given, _)| (over(organisation), given, Reverse(at)));
        most.map(|(at, _, given, _)| (at, given - 1))
    }

    /// Heuristic: solves the part with the relaxation's numbers of places for others as limits, reduced to the bounds
    /// of the organisations.
    fn round_down(
        &self,
        part: &Subproblem,
        given: &[u32],
        found: &mut CrossSolution,
        observer: &dyn Observer,
    ) -> Result<(), CrossError> {
        let mut left: Vec<u64> =
            (0..self.limits.most.len()).map(|organisation| self.most(organisation)).collect();
        for ((_, organisation), (least, _)) in self.open.iter().zip(&part.gives) {
            left[*organisation as usize] = left[*organisation as usize].saturating_sub(u64::from(*least));
        }
        let mut rounded = part.gives.clone();
        for (((_, organisation), given), (least, most)) in self.open.iter().zip(given).zip(&mut rounded) {
            let left = &mut left[*organisation as usize];
            let more = u64::from(given.saturating_sub(*least)).min(*left);
            *left -= more;
            *most = *least + u32::try_from(more).unwrap_or(0);
        }
        let free = vec![0; self.prices.len()];
        if let Some(part) = self.solve(rounded, &free, found, observer)? {
            let given = self.given(&part.pairs);
            self.offer(&part.pairs, &given, found);
        }
        Ok(())
    }

    /// Returns whether pairs keep the bounds of all organisations, and stores them if they are the best so far.
    fn offer(&self, pairs: &[(u32, u32)], given: &[u32], found: &mut CrossSolution) -> bool {
        let sums = self.by_organisation(given.iter().copied());
        let within = sums.iter().enumerate().all(|(organisation, sum)| *sum <= self.most(organisation));
        if within {
            let mut pairs: Vec<(u32, u32)> =
                pairs.iter().map(|(mentee, column)| (*mentee, self.mentor(*column as usize))).collect();
            pairs.sort_unstable();
            let value = value(self.problem, &pairs);
            if found.best.as_ref().is_none_or(|(_, best)| value > *best) {
                found.best = Some((pairs, value));
            }
        }
        within
    }
}

/// Largest number of pairs across organisations, as a factor for a price.
fn allowed(highest: u64, most: u64) -> i64 {
    i64::try_from(highest.min(most)).unwrap_or(i64::MAX)
}

/// The scores of a split problem, minus the prices of pairs across organisations.
struct ChargedScores<'a> {
    split: &'a Split<'a>,
    prices: &'a [i32],
    sparse: Option<SparseScores>,
}

impl<'a> ChargedScores<'a> {
    fn new(split: &'a Split<'a>, prices: &'a [i32], observer: &dyn Observer) -> Result<Self, CrossError> {
        let mut this = Self { split, prices, sparse: None };
        this.sparse = split.problem.scores.sparse().map(|sparse| this.list(sparse, observer)).transpose()?;
        Ok(this)
    }

    fn list(&self, sparse: &SparseScores, observer: &dyn Observer) -> Result<SparseScores, CrossError> {
        let (mut starts, mut edges) = (vec![0], Vec::with_capacity(sparse.len()));
        let mut poll = StopPoll::new(observer);
        for mentee in 0..self.split.problem.mentees.len() {
            poll.count(sparse.row(mentee).len())?;
            edges.extend(sparse.row(mentee).iter().map(|edge| {
                let to = self.split.column(mentee, edge.to);
                Edge { to, score: self.net(to as usize, edge.score) }
            }));
            starts.push(edges.len());
        }
        Ok(SparseScores::new(starts, edges, observer)?)
    }

    /// The score of a candidate minus the price of its column, and at least `FORBIDDEN + 1`. A score that is too high
    /// keeps the bound valid.
    fn net(&self, column: usize, score: i32) -> i32 {
        let price = column.checked_sub(self.split.own_columns()).map_or(0, |at| {
            let (_, organisation) = self.split.open[at];
            self.prices[organisation as usize]
        });
        score.saturating_sub(price).max(FORBIDDEN + 1)
    }
}

impl PairScores for ChargedScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        let (split, width) = (self.split, cols.len().max(1));
        let own = cols.start.min(split.own_columns())..cols.end.min(split.own_columns());
        let mut tile = vec![FORBIDDEN; rows.len() * own.len()];
        if !own.is_empty() {
            split.problem.scores.tile(rows.clone(), own.clone(), &mut tile);
        }
        for (at, (row, out)) in rows.zip(out.chunks_mut(width)).enumerate() {
            for (cell, column) in out.iter_mut().zip(cols.clone()) {
                let mentor = split.mentor(column);
                let score = if split.column(row, mentor) as usize != column {
                    FORBIDDEN
                } else if own.contains(&column) {
                    tile[at * own.len() + column - own.start]
                } else {
                    split.problem.scores.score(row, mentor as usize).unwrap_or(FORBIDDEN)
                };
                *cell = if score == FORBIDDEN { FORBIDDEN } else { self.net(column, score) };
            }
        }
    }

    fn tie_break(&self, mentee: usize, column: usize) -> u32 {
        self.split.problem.scores.tie_break(mentee, self.split.mentor(column) as usize)
    }

    fn sparse(&self) -> Option<&SparseScores> {
        self.sparse.as_ref()
    }
}

/// The value of pairs, aim by aim.
fn value(problem: &Problem<'_>, pairs: &[(u32, u32)]) -> Value {
    let mut has = vec![0_u32; problem.mentees.len()];
    let mut load = vec![0_u32; problem.mentors.len()];
    let mut score = 0;
    for &(mentee, mentor) in pairs {
        has[mentee as usize] += 1;
        load[mentor as usize] += 1;
        score += i64::from(problem.scores.score(mentee as usize, mentor as usize).unwrap_or_default());
    }
    let mut value = Vec::new();
    if problem.coverage_first {
        let mut served = BTreeMap::new();
        for (has, demand) in has.iter().zip(problem.mentees) {
            *served.entry(demand.tier).or_insert(0) += i64::from(*has > 0 && demand.pinned == 0);
        }
        value.extend(served.into_values());
    }
    value.push(load.iter().zip(problem.mentors).map(|(load, seats)| i64::from(*load.min(&seats.min))).sum());
    if problem.coverage_first {
        value.push(has.iter().map(|has| i64::from(*has > 1)).sum());
    }
    value.push(score);
    value
}
