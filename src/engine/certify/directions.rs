//! Checks a bound for a problem in which two people may not mentor each other.
//!
//! Input: the problem and a tree in preorder. A node divides the assignments into those without one direction of a pair and
//! those without the other; an assignment that keeps the rule lacks one of them, so that the leaves cover all assignments.
//! A leaf has a certificate, and prices of some pairs in both directions. For each priced pair, an assignment uses at most
//! one direction. Its value is therefore at most the bound of the certificate on the scores less the prices, plus the sum of
//! the prices (Lagrange relaxation; Geoffrion 1974). The highest bound of all leaves is a bound of the problem.
//!
//! Counts do not reach their maxima at once under this rule. If the problem has several aims before the scores, each aim
//! must therefore outweigh the loss of all later ones: `most_pairs + 2` times the next weight, plus a step.

use std::ops::Range;

use super::{CertificateVerdict, Infeasible, bound, certify, rules, sweep};
use crate::engine::certificate::{Aim, BranchNode, BranchProof, Certificate, DirectionPrice};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{FORBIDDEN, Opposites, PairScores};
use crate::engine::problem::{Demand, Problem, Seats};

/// The scores of a leaf: without some pairs, and less a price for others. The certifier has an adaptor of its own.
struct LeafScores<'a> {
    scores: &'a dyn PairScores,
    /// Changed pairs, sorted: `None` forbids the pair, a number is its price.
    changes: Vec<((u32, u32), Option<i32>)>,
}

impl PairScores for LeafScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.scores.tile(rows.clone(), cols.clone(), out);
        let first = (u32::try_from(rows.start).unwrap_or(u32::MAX), 0);
        let from = self.changes.partition_point(|(pair, _)| *pair < first);
        let in_rows = self.changes[from..].iter().take_while(|(pair, _)| (pair.0 as usize) < rows.end);
        for ((mentee, mentor), change) in in_rows {
            if cols.contains(&(*mentor as usize)) {
                let at = (*mentee as usize - rows.start) * cols.len() + *mentor as usize - cols.start;
                out[at] = match change {
                    Some(price) if out[at] != FORBIDDEN => out[at].saturating_sub(*price).max(FORBIDDEN + 1),
                    _ => FORBIDDEN,
                };
            }
        }
    }
}

/// The first certificate of a tree: its weights are those of all leaves.
fn weights(tree: &BranchProof) -> Option<&Certificate> {
    tree.0.iter().find_map(|node| match node {
        BranchNode::Leaf { certificate, .. } => Some(certificate),
        BranchNode::Split { .. } => None,
    })
}

/// Checks an assignment against the bound of a tree: all rules, the weights, and the bound of every leaf.
pub fn certify_branches(
    problem: &Problem<'_>,
    opposites: &Opposites,
    pairs: &[(u32, u32)],
    tree: &BranchProof,
    observer: &dyn Observer,
) -> Result<CertificateVerdict, Stopped> {
    let none = Certificate::default();
    let certificate = weights(tree).unwrap_or(&none);
    let verdict = certify(problem, pairs, certificate, observer)?;
    let dual = branch_bound(problem, opposites, tree, certificate, observer)?;
    // The optimum without the rule attains the aims in their order with any weights. A tree needs more.
    let is_tree = !matches!(&tree.0[..], [BranchNode::Leaf { prices, .. }] if prices.is_empty());
    let order = if is_tree { outweighs(problem, certificate) } else { Ok(()) };
    let bound = dual.map(|_| ()).ok_or(Infeasible::NoBound);
    let feasible = verdict.feasible.and(order).and(bound);
    Ok(CertificateVerdict { feasible, dual: dual.unwrap_or_default(), ..verdict })
}

/// Upper bound on the number of mentees with a mentor, from a tree for the problem in which every mentee wants one mentor, no
/// mentor has a minimum, and all candidates score 0. `None` if the tree is not valid.
pub fn most_people(
    problem: &Problem<'_>,
    opposites: &Opposites,
    tree: &BranchProof,
    observer: &dyn Observer,
) -> Result<Option<u64>, Stopped> {
    let one_mentor = |one: &Demand| Demand { tier: 0, wanted: one.wanted.min(1), pinned: 0 };
    let mentees: Vec<Demand> = problem.mentees.iter().map(one_mentor).collect();
    let mentors: Vec<Seats> = problem.mentors.iter().map(|one| Seats { min: 0, max: one.max }).collect();
    let level = LevelScores(problem.scores);
    let counting = Problem { mentees: &mentees, mentors: &mentors, scores: &level, coverage_first: true };
    let Some(certificate) = weights(tree) else { return Ok(None) };
    let bound = branch_bound(&counting, opposites, tree, certificate, observer)?;
    let weight = certificate.tiers.first().map_or(0, |entry| entry.weight);
    let people = |bound: i128| u64::try_from(bound.checked_div(weight)?).ok();
    Ok(bound.filter(|_| weight > 0).and_then(people))
}

/// A score of 0 for every candidate.
pub(super) struct LevelScores<'a>(pub(super) &'a dyn PairScores);

impl PairScores for LevelScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.0.tile(rows, cols, out);
        for score in out.iter_mut().filter(|score| **score != FORBIDDEN) {
            *score = 0;
        }
    }
}

/// A decision on the way to a leaf.
struct Decision {
    /// The direction that the present part lacks.
    barred: (u32, u32),
    /// The direction that the other part lacks, if that part follows.
    next: Option<(u32, u32)>,
}

/// The highest bound of the leaves; `None` if a leaf has no valid bound, or if the nodes are no whole tree.
fn branch_bound(
    problem: &Problem<'_>,
    opposites: &Opposites,
    tree: &BranchProof,
    weights: &Certificate,
    observer: &dyn Observer,
) -> Result<Option<i128>, Stopped> {
    let mut highest = None;
    let mut decisions: Vec<Decision> = Vec::new();
    let mut nodes = tree.0.iter();
    for node in nodes.by_ref() {
        match node {
            BranchNode::Split { pair } => {
                let Some(opposite) = opposites.of(*pair) else { return Ok(None) };
                decisions.push(Decision { barred: *pair, next: Some(opposite) });
            }
            BranchNode::Leaf { certificate, prices } => {
                let barred: Vec<(u32, u32)> = decisions.iter().map(|decision| decision.barred).collect();
                let changes = (prices.as_slice(), barred.as_slice());
                let bound = leaf_bound(problem, opposites, certificate, changes, weights, observer)?;
                let Some(bound) = bound else { return Ok(None) };
                highest = highest.max(Some(bound));
                while decisions.pop_if(|last| last.next.is_none()).is_some() {}
                let Some(last) = decisions.last_mut() else { break };
                if let Some(next) = last.next.take() {
                    last.barred = next;
                }
            }
        }
    }
    Ok(highest.filter(|_| decisions.is_empty() && nodes.next().is_none()))
}

fn leaf_bound(
    problem: &Problem<'_>,
    opposites: &Opposites,
    certificate: &Certificate,
    (prices, barred): (&[DirectionPrice], &[(u32, u32)]),
    weights: &Certificate,
    observer: &dyn Observer,
) -> Result<Option<i128>, Stopped> {
    let same_weights = (&certificate.tiers, certificate.minimum, certificate.second)
        == (&weights.tiers, weights.minimum, weights.second);
    if !same_weights || rules::check_form(problem, certificate).is_err() {
        return Ok(None);
    }
    let mut changes: Vec<((u32, u32), Option<i32>)> = barred.iter().map(|pair| (*pair, None)).collect();
    let mut charged = 0;
    for DirectionPrice { pair, price } in prices {
        let Some(opposite) = opposites.of(*pair).filter(|_| *price >= 0) else { return Ok(None) };
        changes.extend([(*pair, Some(*price)), (opposite, Some(*price))]);
        charged += i128::from(*price);
    }
    changes.sort_unstable();
    // A pair with two prices would be charged once only; a pair that is barred and priced stays barred.
    if changes.windows(2).any(|two| two[0].0 == two[1].0 && two[0].1.is_some()) {
        return Ok(None);
    }
    changes.dedup_by_key(|change| change.0);
    let scores = LeafScores { scores: problem.scores, changes };
    let leaf = problem.with_scores(&scores);
    let surplus = sweep(&leaf, Some(certificate), observer)?.surplus;
    let nodes = bound::nodes(&leaf, certificate);
    Ok(nodes.and_then(|nodes| nodes.checked_add(surplus)?.checked_add(charged)))
}

/// Checks that every aim outweighs the loss of all later aims, if there are several.
fn outweighs(problem: &Problem<'_>, certificate: &Certificate) -> Result<(), Infeasible> {
    if !problem.coverage_first {
        return Ok(());
    }
    let has_minimum = problem.mentors.iter().any(|seats| seats.min.min(seats.max) > 0);
    let has_second = problem.mentees.iter().any(|demand| demand.wanted > 1);
    let aims = certificate.tiers.len() + usize::from(has_minimum) + usize::from(has_second);
    if aims <= 1 {
        return Ok(());
    }
    let lost = rules::most_pairs(problem) + 2;
    let above = |weight: i128, next: i128| lost.checked_mul(next).is_some_and(|all| weight > all);
    if !above(certificate.minimum, certificate.second) {
        return Err(Infeasible::WeakWeight(Aim::Minimum));
    }
    let mut next = certificate.minimum;
    for entry in certificate.tiers.iter().rev() {
        if !above(entry.weight, next) {
            return Err(Infeasible::WeakWeight(Aim::Tier(entry.tier)));
        }
        next = entry.weight;
    }
    Ok(())
}
