//! Checks a cut: a proof that no assignment meets all floors.

use std::collections::HashSet;

use crate::engine::groups::{Cut, CutDirection, Forest, Quotas};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::FORBIDDEN;
use crate::engine::problem::Problem;

/// Numbers of pairs across a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutCounts {
    /// Number of pairs that floors require.
    pub asked: u64,
    /// Largest number of pairs that is possible.
    pub possible: u64,
}

impl CutCounts {
    /// Whether the cut proves that no assignment meets all floors.
    pub fn proved(&self) -> bool {
        self.asked > self.possible
    }
}

/// Counts the pairs across a cut, from the problem and the quotas alone. Pairs flow from the root down the groups of
/// mentees to a mentee, to a mentor, up the groups of mentors and back to the root. For [`CutDirection::Inward`],
///
/// - `asked` is the flow that must enter the cut: the floors of groups of mentees inside whose parent is outside, and of
///   groups of mentors outside whose parent is inside;
/// - `possible` is the flow that can leave the cut: the ceilings of groups of mentees outside whose parent is inside,
///   the places wanted by mentees outside whose group is inside, the candidates of a mentee inside and a mentor outside
///   who has seats, the seats of mentors inside whose group is outside, and the ceilings of groups of mentors inside
///   whose parent is outside.
///
/// For [`CutDirection::Outward`] the two directions are exchanged. A person without a group belongs to the root, which
/// is never in a cut. The flow that enters a set equals the flow that leaves it (Hoffman's circulation theorem, 1960),
/// so no assignment keeps all quotas if `asked` exceeds `possible`.
pub fn check_cut(
    problem: &Problem<'_>,
    quotas: &Quotas,
    cut: &Cut,
    observer: &dyn Observer,
) -> Result<CutCounts, Stopped> {
    let set = |of: &[u32]| of.iter().copied().collect::<HashSet<u32>>();
    let (mentees, mentors) = (set(&cut.mentees), set(&cut.mentors));
    let inward = cut.direction == CutDirection::Inward;
    let mut sum = CutCounts { asked: 0, possible: 0 };
    let mut arc = |from_inside: bool, to_inside: bool, least: u64, most: u64| {
        if from_inside != to_inside {
            if to_inside == inward {
                sum.asked += least;
            } else {
                sum.possible += most;
            }
        }
    };
    let in_group =
        |groups: &HashSet<u32>, group: Option<u32>| group.is_some_and(|group| groups.contains(&group));
    let mentee_groups = set(&cut.mentee_groups);
    for (at, group) in (0_u32..).zip(quotas.mentees.groups()) {
        let (parent, own) = (in_group(&mentee_groups, group.parent), mentee_groups.contains(&at));
        arc(parent, own, group.floor.into(), group.ceiling.into());
    }
    for (at, demand) in (0_u32..).zip(problem.mentees) {
        let group = in_group(&mentee_groups, innermost(&quotas.mentees, at));
        arc(group, mentees.contains(&at), 0, demand.wanted.min(2).into());
    }
    let mentor_groups = set(&cut.mentor_groups);
    for (at, seats) in (0_u32..).zip(problem.mentors) {
        let group = in_group(&mentor_groups, innermost(&quotas.mentors, at));
        arc(mentors.contains(&at), group, 0, seats.max.into());
    }
    for (at, group) in (0_u32..).zip(quotas.mentors.groups()) {
        let (parent, own) = (in_group(&mentor_groups, group.parent), mentor_groups.contains(&at));
        arc(own, parent, group.floor.into(), group.ceiling.into());
    }
    let mut row = Vec::new();
    for (at, from) in (0_u32..).zip(0..problem.mentees.len()) {
        observer.check()?;
        // Only pairs that cross the cut in the direction that counts as possible.
        if mentees.contains(&at) != inward || problem.mentees[from].wanted == 0 {
            continue;
        }
        let crosses =
            |mentor: u32| problem.mentors[mentor as usize].max > 0 && mentors.contains(&mentor) != inward;
        let crossing = match problem.scores.sparse() {
            Some(sparse) => sparse.row(from).iter().filter(|edge| crosses(edge.to)).count(),
            None if problem.mentors.is_empty() => 0,
            None => {
                row.resize(problem.mentors.len(), FORBIDDEN);
                problem.scores.tile(from..from + 1, 0..row.len(), &mut row);
                let candidates = (0_u32..).zip(&row).filter(|(_, score)| **score != FORBIDDEN);
                candidates.filter(|(mentor, _)| crosses(*mentor)).count()
            }
        };
        arc(inward, !inward, 0, crossing as u64);
    }
    Ok(sum)
}

fn innermost(forest: &Forest, person: u32) -> Option<u32> {
    forest.innermost(person as usize)
}
