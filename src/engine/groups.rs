//! Quotas: groups of people with a floor and a ceiling each, nested in one another, such as organisations within regions;
//! and cuts, which prove that no assignment meets all floors.

use serde::{Deserialize, Serialize};

/// A group of people of one side, and bounds on the number of pairs in which they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The group around it, which comes before it in the forest.
    pub parent: Option<u32>,
    /// Fewest pairs.
    pub floor: u32,
    /// Most pairs; [`u32::MAX`] sets no bound.
    pub ceiling: u32,
}

/// The groups of one side: any two are disjoint, or one is inside the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forest {
    groups: Vec<Group>,
    innermost: Vec<Option<u32>>,
}

/// Groups that are no forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadForest {
    /// A group's parent does not come before it.
    #[error("the parent of group {0} does not come before it")]
    Parent(u32),
    /// A group's floor is above its ceiling.
    #[error("the floor of group {0} is above its ceiling")]
    Bounds(u32),
    /// A person is in a group that does not exist.
    #[error("person {0} is in a group that does not exist")]
    Member(u32),
}

impl Forest {
    /// The forest of `groups`, parents before children; `innermost` is each person's innermost group.
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

    /// A person's innermost group.
    pub fn innermost(&self, person: usize) -> Option<u32> {
        self.innermost.get(person).copied().flatten()
    }

    /// The groups with bounds less what has been used of each already: beforehand, floors and ceilings are met so far.
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

    /// Pairs in each group, given the pairs in which each person is.
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
    /// Groups of mentees. Beyond the last entry of the forest, people are in no group.
    pub mentees: Forest,
    /// Groups of mentors.
    pub mentors: Forest,
}

impl Quotas {
    /// Pairs in each group of mentees, and in each group of mentors.
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

    /// Groups in all.
    pub fn len(&self) -> usize {
        self.mentees.groups.len() + self.mentors.groups.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Which way pairs are lacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CutDirection {
    /// Floors bring more pairs into the cut, by its groups of mentees, than can leave it by its mentors.
    #[serde(rename = "of_mentees")]
    Inward,
    /// Floors ask more pairs of the cut's groups of mentors than can come into it by its mentees.
    #[serde(rename = "of_mentors")]
    Outward,
}

/// People and groups that prove that no assignment meets all floors; all positions ascending.
///
/// The flow of pairs goes from the root through groups of mentees, mentees, mentors and groups of mentors back to the root
/// (see [`Forest`]). These are some of its nodes, without the root. What has to come in by floors, but
/// cannot go out, or has to go out and cannot come in, is counted by [`check_cut`](crate::engine::certify::check_cut), which
/// says how.
///
/// Of all nodes with too much after the solver has sent what can be sent, take what can be reached from each; of all
/// nodes with too little, what each can be reached from. The cut is the set with fewest people, then fewest groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Which way pairs are lacking.
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
