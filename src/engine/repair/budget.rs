//! The best assignment that keeps at least `least` of some given pairs.
//!
//! **Bound.** Let every given pair score `bonus` more. An assignment that keeps at least `least` of them then gains at
//! least `bonus * least`. Its value is therefore at most the greatest value with the bonus minus `bonus * least`, for
//! *every* bonus that is not negative (Lagrange relaxation; Geoffrion, *Mathematical Programming Study* 2, 1974). The
//! higher the bonus, the more pairs a best assignment keeps. Bisection finds the least bonus at which it keeps enough.
//! If it then keeps exactly `least`, or no bonus is necessary, its value equals the bound and the assignment is
//! optimal.
//!
//! **Gap.** The assignment may keep more than `least`, because several best assignments exist at one bonus, or because
//! a better one lies between two of them. Then the assignments at this bonus and at the next lower one differ in some
//! given pairs. One of these pairs is decided both ways, as a pin and as a veto ([branch and
//! bound](crate::engine::branch_and_bound)).
//!
//! **Limits.** After [`MOST_BRANCHES`] branches the best assignment so far is returned with the remaining bound,
//! without a proof of optimality. A bonus cannot exceed the range that 32 bits leave beside the scores. A person in a
//! large round can weigh more, so a budget that leaves people unmatched in favour of kept pairs can remain unproved as
//! well.

use crate::engine::assign::{Assignment, Start, assign_weighted};
use crate::engine::branch_and_bound::{BranchAndBound, Branching, best_bound_first};
use crate::engine::decisions::{Decisions, ReducedProblem};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::problem::Problem;

use super::repaired::{Proof, Repaired, kept};
use crate::engine::objective_value::weighted_value;
use crate::engine::pair_scores::BonusScores;

/// Largest number of branches that are solved.
const MOST_BRANCHES: usize = 400;

/// A repair with a budget.
pub(super) struct BudgetedRepair<'a> {
    pub(super) problem: &'a Problem<'a>,
    /// The pairs to be kept, sorted.
    pub(super) still_possible: &'a [(u32, u32)],
    /// Largest number of these pairs that can be kept together.
    pub(super) possible: usize,
    /// Number of these pairs that must be kept.
    pub(super) least: usize,
    /// A best assignment without a budget; its certificate defines the weights.
    pub(super) best: &'a Assignment,
    /// Receives progress, and can stop the operation.
    pub(super) observer: &'a dyn Observer,
}

/// The assignments that keep some decisions. Branches are ordered by their bounds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Branch {
    bound: i128,
    pins: Vec<(u32, u32)>,
    vetoes: Vec<(u32, u32)>,
    bonus: i32,
}

/// The best assignment of a branch at one bonus.
#[derive(Debug, Clone)]
struct BonusSolution {
    bonus: i32,
    kept: usize,
    value: i128,
    pairs: Vec<(u32, u32)>,
    found: Assignment,
}

/// Bound and assignments of a branch.
struct BranchResult {
    /// Upper bound on the value of the branch's assignments that keep enough pairs.
    bound: i128,
    /// The bonus of the bound, with the prices that prove the bound.
    at: (i32, Assignment),
    /// The best assignment at the least bonus at which it keeps enough pairs.
    enough: Option<BonusSolution>,
    /// The best assignment at the greatest bonus at which it keeps too few pairs.
    too_few: Option<BonusSolution>,
}

impl BudgetedRepair<'_> {
    /// Computes the best assignment that keeps enough pairs; `pairs` is one that does.
    pub(super) fn repair(&self, pairs: Vec<(u32, u32)>) -> Result<Repaired, Stopped> {
        let best = (weighted_value(self.problem, &self.best.certificate, &pairs), pairs);
        let mut tree = BranchTree { task: self, best, first: None, left: MOST_BRANCHES };
        let root = Branch { bound: i128::MAX, pins: Vec::new(), vetoes: Vec::new(), bonus: 0 };
        let open = best_bound_first(&mut tree, Some(root))?;
        Ok(self.conclude(tree.best, open.map(|branch| branch.bound), tree.first))
    }

    fn conclude(
        &self,
        (value, pairs): (i128, Vec<(u32, u32)>),
        open: Option<i128>,
        root: Option<(i128, (i32, Assignment))>,
    ) -> Repaired {
        let bound = open.unwrap_or(value).max(value);
        let (proof, certificate) = match root {
            Some((least, (bonus, found))) if least == bound => (Proof::Bonus(bonus), found.certificate),
            _ => (Proof::Branches, self.best.certificate.clone()),
        };
        let kept = kept(self.still_possible, &pairs);
        Repaired { pairs, possible: self.possible, kept, value, bound, proof, certificate }
    }

    /// The pair to decide next: one in which the assignments with enough and with too few pairs differ.
    fn undecided(&self, branch: &Branch, result: &BranchResult) -> Option<(u32, u32)> {
        let has = |solution: &Option<BonusSolution>, pair| {
            solution.as_ref().map(|solution| solution.pairs.binary_search(pair).is_ok())
        };
        let solved = result.enough.as_ref().is_some_and(|solution| solution.value >= result.bound);
        let mut free = self
            .still_possible
            .iter()
            .filter(|pair| !solved && !branch.pins.contains(pair) && !branch.vetoes.contains(pair));
        free.find(|pair| match (has(&result.enough, pair), has(&result.too_few, pair)) {
            (Some(one), Some(other)) => one != other,
            (None, Some(has)) => !has,
            _ => false,
        })
        .copied()
    }

    /// Computes the bound of a branch by bisection of the bonus. Returns `None` if too many pairs are vetoed to keep
    /// enough, or if the pins conflict.
    fn bound_branch(&self, branch: &Branch) -> Result<Option<BranchResult>, Stopped> {
        if self.still_possible.len() - branch.vetoes.len() < self.least {
            return Ok(None);
        }
        let most = self.most_bonus();
        let start = Start::of(self.best);
        let Some(first) = self.solve(branch, branch.bonus, &start)? else { return Ok(None) };
        let limit = |solution: &BonusSolution| {
            solution.value + i128::from(solution.bonus) * (count(solution.kept) - count(self.least))
        };
        let mut bound = limit(&first);
        let mut at = (first.bonus, first.found.clone());
        let (mut enough, mut too_few) = (None, None);
        let mut latest = first;
        let mut step = 1_i32;
        loop {
            let from = Start::of(&latest.found);
            if latest.kept >= self.least {
                enough = Some(latest)
            } else {
                too_few = Some(latest)
            }
            let next = match (&enough, &too_few) {
                (Some(high), Some(low)) if high.bonus - low.bonus > 1 => {
                    low.bonus + (high.bonus - low.bonus) / 2
                }
                (Some(high), None) if high.bonus > 0 => high.bonus.saturating_sub(step).max(0),
                (None, Some(low)) if low.bonus < most => low.bonus.saturating_add(step).min(most),
                _ => break,
            };
            step = step.saturating_mul(4);
            let Some(solution) = self.solve(branch, next, &from)? else { return Ok(None) };
            if limit(&solution) < bound {
                bound = limit(&solution);
                at = (solution.bonus, solution.found.clone());
            }
            latest = solution;
        }
        Ok(Some(BranchResult { bound, at, enough, too_few }))
    }

    /// The greatest bonus that keeps all scores within 32 bits.
    fn most_bonus(&self) -> i32 {
        let score =
            |&(mentee, mentor): &(u32, u32)| self.problem.scores.score(mentee as usize, mentor as usize);
        let highest = self.still_possible.iter().filter_map(score).max().unwrap_or_default();
        i32::MAX - highest.max(0)
    }

    /// The best assignment of a branch at one bonus; `None` if the pins conflict.
    fn solve(&self, branch: &Branch, bonus: i32, start: &Start) -> Result<Option<BonusSolution>, Stopped> {
        let with_bonus = BonusScores::new(self.problem.scores, self.still_possible, bonus, self.observer)?;
        let problem = Problem { scores: &with_bonus, ..*self.problem };
        let decisions = Decisions { pins: branch.pins.clone(), vetoes: branch.vetoes.clone() };
        let Some(reduced) = ReducedProblem::if_possible(&problem, &decisions, self.observer)? else {
            return Ok(None);
        };
        let found = assign_weighted(&reduced.problem(), start, &self.best.certificate, self.observer)?;
        let pairs = reduced.with_pins(&found.pairs);
        let value = weighted_value(self.problem, &self.best.certificate, &pairs);
        Ok(Some(BonusSolution { bonus, kept: kept(self.still_possible, &pairs), value, pairs, found }))
    }
}

/// The state of the search.
struct BranchTree<'t, 'a> {
    task: &'t BudgetedRepair<'a>,
    /// The incumbent with its value.
    best: (i128, Vec<(u32, u32)>),
    /// Bound of the first branch, with the bonus and the prices that prove the bound.
    first: Option<(i128, (i32, Assignment))>,
    /// Branches that may still be divided.
    left: usize,
}

impl BranchAndBound for BranchTree<'_, '_> {
    type Node = Branch;
    type Error = Stopped;

    fn incumbent_reaches(&self, branch: &Branch) -> bool {
        self.best.0 >= branch.bound
    }

    fn branch(&mut self, branch: &Branch) -> Result<Branching<Branch>, Stopped> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(Branching::Unfinished) };
        self.left = left;
        let mut children = Vec::new();
        if let Some(result) = self.task.bound_branch(branch)? {
            if let Some(solution) = &result.enough
                && self.best.0 < solution.value
            {
                self.best = (solution.value, solution.pairs.clone());
            }
            if let Some(pair) = self.task.undecided(branch, &result) {
                let (bound, bonus) = (result.bound.min(branch.bound), result.at.0);
                let with = |pairs: &[(u32, u32)]| [pairs, &[pair]].concat();
                let child = Branch { bound, bonus, ..branch.clone() };
                children.push(Branch { pins: with(&child.pins), ..child.clone() });
                children.push(Branch { vetoes: with(&child.vetoes), ..child });
            }
            self.first.get_or_insert((result.bound, result.at));
        }
        Ok(Branching::Children(children))
    }
}

fn count(number: usize) -> i128 {
    i128::try_from(number).unwrap_or(i128::MAX)
}
