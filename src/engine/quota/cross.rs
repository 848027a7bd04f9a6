//! Places that the mentors of an organisation give to mentees of others: at most so many in all.
//!
//! # What is exact when
//!
//! Such a bound counts pairs by both their ends, so it is no group of mentees and no group of mentors.
//!
//! - *A number per mentor without minimum places*: the mentor becomes a group of two, one for her own organisation and one
//!   for others with so many seats, and the group's ceiling are her seats. All groups are nested, and
//!   [`assign_within`](super::assign_within()) is exact.
//! - *A number per organisation whose mentors say beforehand which of their places are for others*: each mentor becomes two,
//!   each with seats of her own, and the halves for others are a group with a ceiling. Exact in the same way.
//! - *A number per organisation, over mentors whose places may serve either*: the two halves of a mentor share her places,
//!   and that sharing crosses the group. In general this is NP-hard: replace an edge (mentee `a`, mentor `b`) that is to
//!   count for colour `c` by a path `a - m - n - b` with a new mentor `m` and a new mentee `n` of organisation `c`, where `a`
//!   is of another one and `b` is of none. The edge is used if `a - m` and `n - b` are, and only `a - m` counts; it is not used
//!   if `n - m` is. So a perfect matching with at most so many edges of each colour is found if this problem is solved, and
//!   that is NP-complete (Itai, Rodeh and Tanimoto, *Some matching problems for bipartite graphs*, J. ACM 25, 1978).
//!
//! [`assign_across`] therefore takes each organisation's bound away and charges a price for every such pair instead (Lagrange;
//! Held and Karp 1970): what is left has each mentor as a group of her two halves, and is a problem with quotas, solved
//! exactly. Its value together with the price of all that the bound allows is a value that no assignment exceeds, whatever the
//! prices are. Where the bound is still exceeded, or allows more than is used at a price, the problem is split by the places that
//! a mentor gives to others (branch and bound, best bound first: Land and Doig 1960). Prices are points of score: they cannot
//! make up for people who stay without a mentor, so the search is long where a bound costs people.
//!
//! The value that comes out is exact if `closed` says so; if not, `bound` is a value that no assignment exceeds. With minimum
//! places it may stay open, because the two halves of a mentor each count them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;

use crate::engine::assign::{StopPoll, index};
use crate::engine::groups::{Forest, Group, Quotas};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN, PairScores, SparseError, SparseScores};
use crate::engine::problem::{Problem, Seats};

use super::{Answer, assign_within};

/// Who belongs where, and how many places each organisation gives to others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cross {
    /// Organisation of each mentee.
    pub of_mentees: Vec<Option<u32>>,
    /// Organisation of each mentor.
    pub of_mentors: Vec<Option<u32>>,
    /// Most pairs of a mentor of the organisation with a mentee of none or another; `None` sets no bound.
    pub most: Vec<Option<u32>>,
}

/// Bounds that [`assign_across`] cannot take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCross {
    /// Not everybody has an entry, or an entry names no organisation.
    #[error("not everybody has an organisation that exists")]
    Unknown,
    /// The sparse scores are not valid.
    #[error(transparent)]
    Scores(SparseError),
    /// There are more tiers than a certificate holds.
    #[error("there are more tiers than a certificate holds")]
    TooManyTiers,
    /// The observer asked to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<SparseError> for BadCross {
    fn from(error: SparseError) -> Self {
        match error {
            SparseError::Pair { .. } => Self::Scores(error),
            SparseError::Stopped(stopped) => Self::Stopped(stopped),
        }
    }
}

/// Value of an assignment, level by level: mentees served in each tier that occurs, minimum places, second mentors, score.
/// Where coverage does not come first, minimum places and score.
pub type Value = Vec<i64>;

/// What branch and bound found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Across {
    /// The best assignment found, sorted, with its value.
    pub best: Option<(Vec<(u32, u32)>, Value)>,
    /// A value that no assignment exceeds; nothing if there is none that keeps all bounds.
    pub bound: Option<Value>,
    /// Whether nothing better can exist: the best found has the value of the bound, or there is none.
    pub closed: bool,
    /// Problems with quotas that were solved.
    pub solved: u64,
}

/// Fewest and most places that an open mentor gives to others.
type Gives = (u32, u32);

/// A part of the problem, with the best of its relaxation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    /// What no assignment of the part exceeds.
    bound: Value,
    number: Reverse<u64>,
    gives: Vec<Gives>,
    /// Pairs of a mentee and a column.
    pairs: Vec<(u32, u32)>,
}

/// Steps of the search for prices: enough to find one to the point among ten thousand.
const STEPS: u32 = 15;

/// Finds a best assignment under quotas and bounds across organisations, or after `most` problems the best so far and a
/// bound. The result depends on the problem alone.
pub fn assign_across(
    problem: &Problem<'_>,
    quotas: &Quotas,
    cross: &Cross,
    most: u64,
    observer: &dyn Observer,
) -> Result<Across, BadCross> {
    let mut split = Split::new(problem, quotas, cross)?;
    let mut found = Across { best: None, bound: None, closed: true, solved: 0 };
    let mut parts = BinaryHeap::new();
    parts.extend(split.find_prices(&mut found, most, observer)?);
    while let Some(part) = parts.pop() {
        let given = split.given(&part.pairs);
        let within = split.keep(&part.pairs, &given, &mut found);
        if let Some((_, best)) = found.best.as_ref().filter(|(_, best)| *best >= part.bound) {
            found.bound = Some(best.clone());
            return Ok(found);
        }
        let Some((at, below)) = split.fork(&part, &given, within).filter(|_| found.solved < most) else {
            found.bound = Some(part.bound);
            found.closed = false;
            return Ok(found);
        };
        if found.solved.is_power_of_two() {
            split.settle(&part, &given, &mut found, observer)?;
        }
        let (least, most) = part.gives[at];
        for gives in [(least, below), (below + 1, most)] {
            let mut all = part.gives.clone();
            all[at] = gives;
            parts.extend(split.solve(all, &split.prices, &mut found, observer)?);
        }
    }
    found.bound = found.best.as_ref().map(|(_, value)| value.clone());
    Ok(found)
}

/// The problem in which every mentor of a bounded organisation is two: her column serves her organisation, and a column
/// behind all mentors serves others.
struct Split<'a> {
    problem: &'a Problem<'a>,
    quotas: &'a Quotas,
    cross: &'a Cross,
    /// Mentors who are two, with their organisations.
    open: Vec<(u32, u32)>,
    /// Position in `open`.
    place: Vec<Option<u32>>,
    /// Price of a pair across, by organisation.
    prices: Vec<i32>,
}

impl<'a> Split<'a> {
    fn new(problem: &'a Problem<'a>, quotas: &'a Quotas, cross: &'a Cross) -> Result<Self, BadCross> {
        let known = |of: &Option<u32>| of.is_none_or(|of| (of as usize) < cross.most.len());
        let complete = cross.of_mentees.len() == problem.mentees.len()
            && cross.of_mentors.len() == problem.mentors.len();
        if !complete || !cross.of_mentees.iter().chain(&cross.of_mentors).all(known) {
            return Err(BadCross::Unknown);
        }
        let mut open = Vec::new();
        let mut place = vec![None; problem.mentors.len()];
        for (mentor, of) in cross.of_mentors.iter().enumerate() {
            if let Some(of) = of.filter(|of| cross.most[*of as usize].is_some()) {
                place[mentor] = Some(index(open.len()));
                open.push((index(mentor), of));
            }
        }
        Ok(Self { problem, quotas, cross, open, place, prices: vec![0; cross.most.len()] })
    }

    fn own_columns(&self) -> usize {
        self.problem.mentors.len()
    }

    /// The column that serves a mentee.
    fn column(&self, mentee: usize, mentor: u32) -> u32 {
        match self.place[mentor as usize] {
            Some(at) if self.cross.of_mentees[mentee] != self.cross.of_mentors[mentor as usize] => {
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
        self.cross.most[organisation].map_or(u64::MAX, u64::from)
    }

    /// Sums up a number of each open mentor by organisation.
    fn by_organisation(&self, of_open: impl Iterator<Item = u32>) -> Vec<u64> {
        let mut sums = vec![0; self.cross.most.len()];
        for ((_, organisation), number) in self.open.iter().zip(of_open) {
            sums[*organisation as usize] += u64::from(number);
        }
        sums
    }

    /// Places that each open mentor gives to others.
    fn given(&self, pairs: &[(u32, u32)]) -> Vec<u32> {
        let mut given = vec![0; self.open.len()];
        for (_, column) in pairs {
            if let Some(at) = (*column as usize).checked_sub(self.own_columns()) {
                given[at] += 1;
            }
        }
        given
    }

    /// Halves, for all organisations at once, the ranges in which their prices may lie; keeps the prices of the least bound.
    fn find_prices(
        &mut self,
        found: &mut Across,
        most: u64,
        observer: &dyn Observer,
    ) -> Result<Option<Part>, BadCross> {
        let all: Vec<Gives> =
            self.open.iter().map(|(mentor, _)| (0, self.problem.mentors[*mentor as usize].max)).collect();
        let mut ranges = vec![(0_i32, 1 << STEPS); self.cross.most.len()];
        let mut prices = self.prices.clone();
        let mut best: Option<Part> = None;
        for _ in 0..=STEPS {
            let Some(part) = self.solve(all.clone(), &prices, found, observer)? else { return Ok(None) };
            let given = self.given(&part.pairs);
            let within = self.keep(&part.pairs, &given, found);
            let free = prices.iter().all(|price| *price == 0);
            for (organisation, sum) in self.by_organisation(given.iter().copied()).into_iter().enumerate() {
                let (low, high) = &mut ranges[organisation];
                *(if sum > self.most(organisation) { low } else { high }) = prices[organisation];
            }
            if best.as_ref().is_none_or(|best| part.bound < best.bound) {
                best = Some(part);
                self.prices.clone_from(&prices);
            }
            if (free && within) || found.solved >= most {
                break;
            }
            prices = ranges.iter().map(|(low, high)| low + (high - low) / 2).collect();
        }
        Ok(best)
    }

    /// Solves the relaxation of a part, if it can be solved at all.
    fn solve(
        &self,
        gives: Vec<Gives>,
        prices: &[i32],
        found: &mut Across,
        observer: &dyn Observer,
    ) -> Result<Option<Part>, BadCross> {
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
        let scores = Priced::new(self, prices, observer)?;
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
                Ok(Some(Part { bound, number: Reverse(found.solved), gives, pairs: best.pairs }))
            }
            Answer::Impossible(_) => Ok(None),
            Answer::TooManyTiers => Err(BadCross::TooManyTiers),
        }
    }

    /// The quotas, and each open mentor as a group of her two columns with as many places as she has.
    fn quotas(&self, gives: &[Gives]) -> Result<Quotas, BadCross> {
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
        let mentors = Forest::new(groups, innermost).map_err(|_| BadCross::Unknown)?;
        Ok(Quotas { mentees: self.quotas.mentees.clone(), mentors })
    }

    /// The mentor by whose places for others a part is to be split, and the most of them in its first half.
    fn fork(&self, part: &Part, given: &[u32], within: bool) -> Option<(usize, u32)> {
        let sums = self.by_organisation(given.iter().copied());
        let open =
            || (0..self.open.len()).map(|at| (at, self.open[at].1 as usize, given[at], part.gives[at]));
        if within {
            // Less than is allowed is used at a price: either less is allowed, or more is used.
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

    /// Tries an assignment in which open mentors give no more to others than the best of a part's relaxation, cut down to
    /// what their organisations allow.
    fn settle(
        &self,
        part: &Part,
        given: &[u32],
        found: &mut Across,
        observer: &dyn Observer,
    ) -> Result<(), BadCross> {
        let mut left: Vec<u64> =
            (0..self.cross.most.len()).map(|organisation| self.most(organisation)).collect();
        for ((_, organisation), (least, _)) in self.open.iter().zip(&part.gives) {
            left[*organisation as usize] = left[*organisation as usize].saturating_sub(u64::from(*least));
        }
        let mut settled = part.gives.clone();
        for (((_, organisation), given), (least, most)) in self.open.iter().zip(given).zip(&mut settled) {
            let left = &mut left[*organisation as usize];
            let more = u64::from(given.saturating_sub(*least)).min(*left);
            *left -= more;
            *most = *least + u32::try_from(more).unwrap_or(0);
        }
        let free = vec![0; self.prices.len()];
        if let Some(part) = self.solve(settled, &free, found, observer)? {
            let given = self.given(&part.pairs);
            self.keep(&part.pairs, &given, found);
        }
        Ok(())
    }

    /// Whether pairs keep the bounds of all organisations; then they are kept if they are the best so far.
    fn keep(&self, pairs: &[(u32, u32)], given: &[u32], found: &mut Across) -> bool {
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

/// Pairs across that can be, as a number to multiply a price by.
fn allowed(highest: u64, most: u64) -> i64 {
    i64::try_from(highest.min(most)).unwrap_or(i64::MAX)
}

/// The scores of a split problem, less the prices of pairs across.
struct Priced<'a> {
    split: &'a Split<'a>,
    prices: &'a [i32],
    listed: Option<SparseScores>,
}

impl<'a> Priced<'a> {
    fn new(split: &'a Split<'a>, prices: &'a [i32], observer: &dyn Observer) -> Result<Self, BadCross> {
        let mut this = Self { split, prices, listed: None };
        this.listed = split.problem.scores.sparse().map(|listed| this.list(listed, observer)).transpose()?;
        Ok(this)
    }

    fn list(&self, listed: &SparseScores, observer: &dyn Observer) -> Result<SparseScores, BadCross> {
        let (mut starts, mut arcs) = (vec![0], Vec::with_capacity(listed.len()));
        let mut poll = StopPoll::new(observer);
        for mentee in 0..self.split.problem.mentees.len() {
            poll.count(listed.row(mentee).len())?;
            arcs.extend(listed.row(mentee).iter().map(|arc| {
                let to = self.split.column(mentee, arc.to);
                Edge { to, score: self.net(to as usize, arc.score) }
            }));
            starts.push(arcs.len());
        }
        Ok(SparseScores::new(starts, arcs, observer)?)
    }

    /// A candidate's score less the price of its column. Never less than can be told from no candidate: a score that is
    /// taken as too high leaves the bound a bound.
    fn net(&self, column: usize, score: i32) -> i32 {
        let price = column.checked_sub(self.split.own_columns()).map_or(0, |at| {
            let (_, organisation) = self.split.open[at];
            self.prices[organisation as usize]
        });
        score.saturating_sub(price).max(FORBIDDEN + 1)
    }
}

impl PairScores for Priced<'_> {
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
        self.listed.as_ref()
    }
}

/// The value of pairs, level by level.
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
