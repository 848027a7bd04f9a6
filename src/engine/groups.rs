//! Quotas: groups of people with a floor and a ceiling each, nested in one another, such as organisations within regions.
//!
//! Invariant of a [`Forest`]: a parent precedes its children, no floor exceeds its ceiling, and every person's group
//! exists. A [`Cut`] proves that no assignment meets all floors.

use serde::{Deserialize, Serialize};

/// A group of people of one side, with bounds on the number of their pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The group that contains this group; it precedes this group in the forest.
    pub parent: Option<u32>,
    /// Fewest pairs.
    pub floor: u32,
    /// Most pairs; [`u32::MAX`] sets no bound.
    pub ceiling: u32,
}

/// The groups of one side. Two groups are either disjoint or nested (a laminar family).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forest {
    groups: Vec<Group>,
    innermost: Vec<Option<u32>>,
}

/// Why groups do not form a forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadForest {
    /// The parent of a group does not precede the group.
    #[error("the parent of group {0} must precede the group in the list")]
    Parent(u32),
    /// The floor of a group exceeds its ceiling.
    #[error("the floor of group {0} exceeds its ceiling; expected floor <= ceiling")]
    Bounds(u32),
    /// A person belongs to a group that does not exist.
    #[error("person {0} belongs to a group that is not in the list")]
    Member(u32),
}

impl Forest {
    /// A forest of `groups`, parents before children. `innermost` holds the innermost group of each person.
    pub fn new(groups: Vec<Group>, innermost: Vec<Option<u32>>) -> Result<Self, BadForest> {
        for (at, group) in (0_u32..).zip(&groups) {
            if group.parent.is_some_and(|parent| parent >= at) {
                return Err(BadForest::Parent(at));
            }
            if group.floor > group.ceiling {
                return Err(BadForest::Bounds(at));
            }
        }
        let known = |group: u32| (group as usize) < groups.len();
        match (0_u32..).zip(&innermost).find(|(_, group)| group.is_some_and(|group| !known(group))) {
            Some((person, _)) => Err(BadForest::Member(person)),
            None => Ok(Self { groups, innermost }),
        }
    }

    /// The groups, parents before children.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The innermost group of a person.
    pub fn innermost(&self, person: usize) -> Option<u32> {
        self.innermost.get(person).copied().flatten()
    }

    /// Whether a group contains a person.
    pub fn contains(&self, group: u32, person: usize) -> bool {
        let outer = |at: &u32| self.groups.get(*at as usize).and_then(|group| group.parent);
        std::iter::successors(self.innermost(person), outer).any(|at| at == group)
    }

    /// The same groups, and one more of a single person with a floor, within her innermost group.
    #[must_use]
    pub fn with_floor(mut self, person: u32, floor: u32) -> Self {
        let at = person as usize;
        if self.innermost.len() <= at {
            self.innermost.resize(at + 1, None);
        }
        let group = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        self.groups.push(Group { parent: self.innermost[at], floor, ceiling: u32::MAX });
        self.innermost[at] = Some(group);
        self
    }

    /// The groups with bounds reduced by `used`, the number of pairs that each group has already.
    #[must_use]
    pub fn reduced_by(&self, used: &[u64]) -> Self {
        let mut rest = self.clone();
        for (group, &used) in rest.groups.iter_mut().zip(used) {
            let used = u32::try_from(used).unwrap_or(u32::MAX);
            group.floor = group.floor.saturating_sub(used);
            if group.ceiling != u32::MAX {
                group.ceiling = group.ceiling.saturating_sub(used);
            }
        }
        rest
    }

    /// Number of pairs in each group. `pairs_of` yields the number of pairs of each person.
    pub fn count(&self, pairs_of: impl IntoIterator<Item = u32>) -> Vec<u64> {
        let mut counts = vec![0; self.groups.len()];
        for (group, pairs) in self.innermost.iter().zip(pairs_of) {
            if let Some(group) = *group {
                counts[group as usize] += u64::from(pairs);
            }
        }
        for (at, group) in self.groups.iter().enumerate().rev() {
            if let Some(parent) = group.parent {
                counts[parent as usize] += counts[at];
            }
        }
        counts
    }
}

/// The groups of both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Groups of mentees. A person beyond the last entry of the forest belongs to no group.
    pub mentees: Forest,
    /// Groups of mentors.
    pub mentors: Forest,
}

impl Quotas {
    /// Number of pairs in each group of mentees, and in each group of mentors.
    pub fn count(&self, pairs: &[(u32, u32)]) -> [Vec<u64>; 2] {
        let of = |forest: &Forest, people: &mut dyn Iterator<Item = u32>| {
            let mut pairs_of = vec![0; forest.innermost.len()];
            for person in people {
                if let Some(pairs) = pairs_of.get_mut(person as usize) {
                    *pairs += 1;
                }
            }
            forest.count(pairs_of)
        };
        [
            of(&self.mentees, &mut pairs.iter().map(|pair| pair.0)),
            of(&self.mentors, &mut pairs.iter().map(|pair| pair.1)),
        ]
    }

    /// Number of groups of both sides.
    pub fn len(&self) -> usize {
        self.mentees.groups.len() + self.mentors.groups.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Direction of the flow that floors require across a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CutDirection {
    /// Floors require more pairs into the cut than can leave the cut.
    #[serde(rename = "of_mentees")]
    Inward,
    /// Floors require more pairs out of the cut than can enter the cut.
    #[serde(rename = "of_mentors")]
    Outward,
}

/// A set of people and groups that proves that no assignment meets all floors. All positions are ascending.
///
/// Pairs are a circulation: root, groups of mentees, mentees, mentors, groups of mentors, root. A cut is a set of these
/// nodes without the root. [`check_cut`](crate::engine::certify::check_cut) compares the flow that floors require
/// across the cut with the flow that is possible in the other direction.
///
/// The solver chooses the cut among the sets that are reachable from one node with an excess, and the sets from which
/// one node with a deficit is reachable: the set with the fewest people, then with the fewest groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Direction of the flow that floors require.
    #[serde(rename = "need")]
    pub direction: CutDirection,
    /// Groups of mentees.
    pub mentee_groups: Vec<u32>,
    /// Mentees.
    pub mentees: Vec<u32>,
    /// Mentors.
    pub mentors: Vec<u32>,
    /// Groups of mentors.
    pub mentor_groups: Vec<u32>,
}
