//! Checks a cut: a proof that no assignment meets all floors.

use std::collections::HashSet;

use crate::engine::certificate::GroupSide;
use crate::engine::groups::{Cut, CutDirection, Forest, Quotas};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::FORBIDDEN;
use crate::engine::problem::Problem;

/// The bounds that a cut counts. They contradict each other by themselves: no other floor, ceiling or number of places
/// takes part in the contradiction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CutTerms {
    /// Number of pairs that floors require.
    pub asked: u64,
    /// Largest number of pairs that is possible.
    pub possible: u64,
    /// The groups whose floors require pairs, ascending by side and position.
    pub floors: Vec<(GroupSide, u32)>,
    /// The groups whose ceilings bound the pairs.
    pub ceilings: Vec<(GroupSide, u32)>,
    /// The mentees whose numbers of mentors wanted bound the pairs.
    pub mentees: Vec<u32>,
    /// The mentors whose places bound the pairs.
    pub mentors: Vec<u32>,
    /// Candidates that lead out of the cut, each at most one pair.
    pub candidates: u64,
}

/// One bound across a cut.
#[derive(Clone, Copy)]
enum Term {
    Group(GroupSide, u32),
    Mentee(u32),
    Mentor(u32),
    Candidates,
}

impl CutTerms {
    /// Whether the cut proves that no assignment meets all floors.
    pub fn proved(&self) -> bool {
        self.asked > self.possible
    }

    fn require(&mut self, term: Term, pairs: u64) {
        if let (Term::Group(side, group), 1..) = (term, pairs) {
            self.floors.push((side, group));
        }
        self.asked += pairs;
    }

    fn allow(&mut self, term: Term, pairs: u64) {
        match term {
            Term::Group(side, group) => self.ceilings.push((side, group)),
            Term::Mentee(mentee) => self.mentees.push(mentee),
            Term::Mentor(mentor) => self.mentors.push(mentor),
            Term::Candidates => self.candidates += pairs,
        }
        self.possible += pairs;
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
) -> Result<CutTerms, Stopped> {
    let set = |of: &[u32]| of.iter().copied().collect::<HashSet<u32>>();
    let (mentees, mentors) = (set(&cut.mentees), set(&cut.mentors));
    let inward = cut.direction == CutDirection::Inward;
    let mut terms = CutTerms::default();
    let mut arc = |term: Term, from_inside: bool, to_inside: bool, least: u64, most: u64| {
        if from_inside != to_inside {
            if to_inside == inward {
                terms.require(term, least);
            } else {
                terms.allow(term, most);
            }
        }
    };
    let in_group =
        |groups: &HashSet<u32>, group: Option<u32>| group.is_some_and(|group| groups.contains(&group));
    let mentee_groups = set(&cut.mentee_groups);
    for (at, group) in (0_u32..).zip(quotas.mentees.groups()) {
        let (parent, own) = (in_group(&mentee_groups, group.parent), mentee_groups.contains(&at));
        let term = Term::Group(GroupSide::Mentees, at);
        arc(term, parent, own, group.floor.into(), group.ceiling.into());
    }
    for (at, demand) in (0_u32..).zip(problem.mentees) {
        let group = in_group(&mentee_groups, innermost(&quotas.mentees, at));
        arc(Term::Mentee(at), group, mentees.contains(&at), 0, demand.wanted.min(2).into());
    }
    let mentor_groups = set(&cut.mentor_groups);
    for (at, seats) in (0_u32..).zip(problem.mentors) {
        let group = in_group(&mentor_groups, innermost(&quotas.mentors, at));
        arc(Term::Mentor(at), mentors.contains(&at), group, 0, seats.max.into());
    }
    for (at, group) in (0_u32..).zip(quotas.mentors.groups()) {
        let (parent, own) = (in_group(&mentor_groups, group.parent), mentor_groups.contains(&at));
        let term = Term::Group(GroupSide::Mentors, at);
        arc(term, own, parent, group.floor.into(), group.ceiling.into());
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
        arc(Term::Candidates, inward, !inward, 0, crossing as u64);
    }
    Ok(terms)
}

fn innermost(forest: &Forest, person: u32) -> Option<u32> {
    forest.innermost(person as usize)
}
