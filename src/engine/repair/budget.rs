//! The best assignment that keeps at least so many of some pairs.
//!
//! **Bound.** Let every one of these pairs score `bonus` more. An assignment that keeps at least `least` of them has then at
//! least `bonus * least` more, so its value is at most the greatest value with the bonus, less `bonus * least`, for *every*
//! bonus that is not negative (Lagrange relaxation; Geoffrion, *Mathematical Programming Study* 2, 1974). The more bonus, the
//! more pairs a best assignment keeps: bisection finds the least bonus with which it keeps enough, and if it keeps just
//! enough, or no bonus is needed, its value meets the bound and it is a best one.
//!
//! **Gap.** It may keep more than enough, because several best assignments share a bonus or because what is better lies
//! between two of them. Then the assignments at that bonus and at one less differ in some of the pairs, and one of these is
//! decided both ways: as a pin and as a veto. The branch with the highest bound goes first (Land and Doig 1960), until no
//! bound exceeds the best assignment found.
//!
//! **Limits.** After [`MOST_BRANCHES`] the best assignment found is given with the bound that is left, and it is not proved.
//! A bonus cannot exceed what 32 bits leave beside the scores; a person in a large round may weigh more than that, and a
//! budget that has to leave people out for the sake of pairs kept may then stay unproved as well.

use crate::engine::assign::{Assignment, Start, assign_weighted};
use crate::engine::branch_and_bound::{BranchAndBound, Branching, best_bound_first};
use crate::engine::decisions::{Decisions, ReducedProblem};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::problem::Problem;

use super::repaired::{Proof, Repaired, kept, value};
use crate::engine::pair_scores::BonusScores;

/// Branches that are looked at before the search is given up.
const MOST_BRANCHES: usize = 400;

/// The task.
pub(super) struct BudgetedRepair<'a> {
    pub(super) problem: &'a Problem<'a>,
    /// The pairs to be kept, sorted.
    pub(super) still_possible: &'a [(u32, u32)],
    /// The most of them that can be kept together.
    pub(super) possible: usize,
    /// How many of them must be kept.
    pub(super) least: usize,
    /// A best assignment without a budget; its certificate has the weights.
    pub(super) best: &'a Assignment,
    /// Who watches.
    pub(super) observer: &'a dyn Observer,
}

/// A part of the assignments: those that keep some decisions. Ordered by its bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Branch {
    bound: i128,
    pins: Vec<(u32, u32)>,
    vetoes: Vec<(u32, u32)>,
    bonus: i32,
}

/// The best assignment of a branch at some bonus.
#[derive(Debug, Clone)]
struct BonusSolution {
    bonus: i32,
    kept: usize,
    value: i128,
    pairs: Vec<(u32, u32)>,
    found: Assignment,
}

/// What a branch comes to.
struct BranchResult {
    /// No assignment of the branch that keeps enough has a greater value.
    bound: i128,
    /// The bonus at which the bound was found, with the prices.
    at: (i32, Assignment),
    /// The best assignment of the branch at the least bonus with which it keeps enough.
    enough: Option<BonusSolution>,
    /// That at the greatest bonus with which it keeps too few.
    too_few: Option<BonusSolution>,
}

impl BudgetedRepair<'_> {
    /// Computes the best assignment that keeps enough pairs; `pairs` is one that does.
    pub(super) fn repair(&self, pairs: Vec<(u32, u32)>) -> Result<Repaired, Stopped> {
        let best = (value(self.problem, &self.best.certificate, &pairs), pairs);
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

    /// A pair to decide next: one in which the assignments that keep enough and too few differ.
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

    /// Finds the least bonus with which a best assignment of the branch keeps enough; `None` if none does because too many
    /// pairs are vetoed, or if the pins do not go together.
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

    /// The greatest bonus that leaves all scores within 32 bits.
    fn most_bonus(&self) -> i32 {
        let score =
            |&(mentee, mentor): &(u32, u32)| self.problem.scores.score(mentee as usize, mentor as usize);
        let highest = self.still_possible.iter().filter_map(score).max().unwrap_or_default();
        i32::MAX - highest.max(0)
    }

    /// The best assignment of a branch at some bonus; `None` if its pins do not go together.
    fn solve(&self, branch: &Branch, bonus: i32, start: &Start) -> Result<Option<BonusSolution>, Stopped> {
        let with_bonus = BonusScores::new(self.problem.scores, self.still_possible, bonus, self.observer)?;
        let problem = Problem { scores: &with_bonus, ..*self.problem };
        let decisions = Decisions { pins: branch.pins.clone(), vetoes: branch.vetoes.clone() };
        let Some(reduced) = ReducedProblem::if_possible(&problem, &decisions, self.observer)? else {
            return Ok(None);
        };
        let found = assign_weighted(&reduced.problem(), start, &self.best.certificate, self.observer)?;
        let pairs = reduced.with_pins(&found.pairs);
        let value = value(self.problem, &self.best.certificate, &pairs);
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
