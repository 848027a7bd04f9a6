//! Release of the numbers of a report: people in groups, each number rounded, so that nobody computes a number about few people.
//!
//! Input: partitions of one population into groups, for example by region and by career stage, with counts of each group by
//! organisation, and the [`Anchors`] of the release before. Output: the published counts, or the reason why a count is withheld.
//!
//! Invariants, for a reader who has no rows and for every organisation, which knows all of its own:
//! 1. A published group is about enough people. Smaller groups are published together, or not at all.
//! 2. Groups of a partition are disjoint and each count is rounded by itself; a total is the sum of rounded counts. So no published
//!    number is the difference of two others.
//! 3. Several partitions count the same people. The bounds that they give each other leave no count between 1 and 4. Where they would,
//!    the measure is withheld in the partition that has the group.
//! 4. In a later release a count stays as it was published until the true count has changed by 5 or more.
//!
//! The bounds of (3) are exact: nothing is published across two partitions, so the number of people is all that they have in common.
//! Cost: `O(organisations · groups)` for each measure, once more for each measure that is withheld.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{FEWEST_OF_ONE, Withheld, judge};
use crate::domain::name::OrganisationId;

/// Counts are published as multiples of this.
pub const ROUNDING: u64 = 5;
/// Key of the groups that are published together because each is too small.
pub const OTHERS: &str = "others";
/// Farthest that a count is from its published multiple.
const HALF: u64 = ROUNDING / 2;
/// No upper bound.
const UNKNOWN: u64 = 1 << 50;

/// What is counted, by a fixed code.
pub type Measure = &'static str;

/// Counts of some people by organisation.
pub type ByOrganisation = BTreeMap<OrganisationId, BTreeMap<Measure, u64>>;

/// People in disjoint groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partition {
    /// A code, the same in every release.
    pub id: &'static str,
    /// The people whom it divides: partitions of one population have common totals.
    pub population: &'static str,
    /// The measure that counts the people of a group.
    pub base: Measure,
    /// What is published of a group.
    pub measures: Vec<Measure>,
    /// The groups by their keys.
    pub groups: BTreeMap<String, ByOrganisation>,
}

/// A published count with the true count when it was last published anew. No caller reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The true count.
    pub truth: u64,
    /// What was published.
    pub shown: u64,
}

/// The anchors of a release, by partition, group and measure.
pub type Anchors = BTreeMap<String, Anchor>;

/// A group as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Its key; [`OTHERS`] for groups together.
    pub key: String,
    /// The keys of the groups in it.
    pub members: Vec<String>,
    /// Its counts.
    pub counts: BTreeMap<Measure, Result<u64, Withheld>>,
    /// The true counts by organisation, for what is computed of them behind the gate.
    pub truth: ByOrganisation,
}

impl Released {
    /// A published count.
    pub fn count(&self, measure: Measure) -> Result<u64, Withheld> {
        self.counts.get(measure).copied().unwrap_or(Err(Withheld::Complementary))
    }

    /// Name of the anchor of a count.
    pub fn anchor(&self, partition: &str, measure: &str) -> String {
        format!("{partition}/{}/{measure}", self.members.join("+"))
    }
}

/// Decides what is published of some partitions, in their order, and returns the anchors for the next release.
pub fn release(partitions: &[Partition], earlier: &Anchors) -> (Vec<Vec<Released>>, Anchors) {
    let mut anchors = Anchors::new();
    let mut released: Vec<Vec<Released>> =
        partitions.iter().map(|one| groups_of(one, earlier, &mut anchors)).collect();
    let populations =
        partitions.iter().flat_map(|one| one.measures.iter().map(|measure| (one.population, *measure)));
    for (population, measure) in populations.collect::<BTreeSet<(&str, Measure)>>() {
        let is_common = |at: &usize| {
            let one = &partitions[*at];
            one.population == population && one.measures.contains(&measure)
        };
        let common: Vec<usize> = (0..partitions.len()).filter(is_common).collect();
        let ids: Vec<&str> = common.iter().map(|at| partitions[*at].id).collect();
        while let Some(partition) = narrow(&common, &ids, &released, measure, &anchors) {
            for group in &mut released[partition] {
                group.counts.insert(measure, Err(Withheld::Complementary));
            }
        }
    }
    (released, anchors)
}

/// A count as a multiple of [`ROUNDING`], the nearest one.
pub fn rounded(count: u64) -> u64 {
    (count + HALF) / ROUNDING * ROUNDING
}

/// What is published of a count now, given what was published before.
pub fn anchored(truth: u64, shown: u64, before: Option<&Anchor>) -> Anchor {
    match before {
        Some(anchor) if anchor.truth.abs_diff(truth) < FEWEST_OF_ONE => *anchor,
        _ => Anchor { truth, shown },
    }
}

/// The groups of a partition that are large enough, and the others together.
fn groups_of(partition: &Partition, earlier: &Anchors, anchors: &mut Anchors) -> Vec<Released> {
    let mut groups: Vec<Released> = Vec::new();
    let of = |key: String, members: Vec<String>, truth: ByOrganisation| Released {
        key,
        members,
        counts: BTreeMap::new(),
        truth,
    };
    let (mut others, mut members) = (ByOrganisation::new(), Vec::new());
    for (key, by) in &partition.groups {
        if judge(people(by, partition.base)).is_ok() {
            groups.push(of(key.clone(), vec![key.clone()], by.clone()));
        } else {
            members.push(key.clone());
            add(&mut others, by);
        }
    }
    let key = match &members[..] {
        [] => None,
        [only] => Some(only.clone()),
        [..] => Some(OTHERS.to_owned()),
    };
    groups.extend(key.map(|key| of(key, members, others)));
    for group in &mut groups {
        let withheld = judge(people(&group.truth, partition.base)).err();
        for measure in &partition.measures {
            let count = if let Some(why) = withheld {
                Err(why)
            } else {
                let name = group.anchor(partition.id, measure);
                let truth = people(&group.truth, measure).iter().sum();
                let anchor = anchored(truth, rounded(truth), earlier.get(&name));
                anchors.insert(name, anchor);
                Ok(anchor.shown)
            };
            group.counts.insert(*measure, count);
        }
    }
    groups
}

/// The counts of a measure by organisation.
pub fn people(by: &ByOrganisation, measure: Measure) -> Vec<u64> {
    by.values().map(|counts| counts.get(measure).copied().unwrap_or_default()).collect()
}

/// Adds counts to others.
pub fn add(to: &mut ByOrganisation, by: &ByOrganisation) {
    for (organisation, counts) in by {
        let sums = to.entry(organisation.clone()).or_default();
        for (measure, count) in counts {
            *sums.entry(*measure).or_default() += count;
        }
    }
}

/// Least and greatest value that a reader knows of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    least: u64,
    most: u64,
}

/// The partition that has to withhold the measure, because some reader finds a count between 1 and 4.
fn narrow(
    common: &[usize],
    ids: &[&str],
    released: &[Vec<Released>],
    measure: Measure,
    anchors: &Anchors,
) -> Option<usize> {
    let shows = |at: usize| released[at].iter().any(|group| group.count(measure).is_ok());
    let all = common.iter().flat_map(|at| &released[*at]);
    let organisations: BTreeSet<&OrganisationId> = all.flat_map(|group| group.truth.keys()).collect();
    for reader in std::iter::once(None).chain(organisations.into_iter().map(Some)) {
        let bounds = common.iter().zip(ids).map(|(at, id)| {
            released[*at].iter().map(|group| known(group, measure, reader, anchors, id)).collect()
        });
        let bounds: Vec<Vec<Bounds>> = bounds.collect();
        let sum = |groups: &Vec<Bounds>| Bounds {
            least: groups.iter().map(|one| one.least).sum(),
            most: groups.iter().fold(0_u64, |sum, one| sum.saturating_add(one.most)),
        };
        let sums: Vec<Bounds> = bounds.iter().map(sum).collect();
        let people = Bounds {
            least: sums.iter().map(|one| one.least).max().unwrap_or_default(),
            most: sums.iter().map(|one| one.most).min().unwrap_or(UNKNOWN),
        };
        for ((at, groups), sum) in common.iter().zip(&bounds).zip(&sums) {
            let is_found = |one: &Bounds| {
                let below = people.most.saturating_sub(sum.least - one.least);
                let above = people.least.saturating_sub(sum.most - one.most);
                one.least.max(above) >= 1 && one.most.min(below) < FEWEST_OF_ONE
            };
            if groups.iter().any(is_found) {
                // A partition that shows nothing any more cannot give way.
                return Some(*at)
                    .filter(|at| shows(*at))
                    .or_else(|| common.iter().rev().copied().find(|other| shows(*other)));
            }
        }
    }
    None
}

/// What a reader knows of a count about others, before she compares partitions.
fn known(
    group: &Released,
    measure: Measure,
    reader: Option<&OrganisationId>,
    anchors: &Anchors,
    partition: &str,
) -> Bounds {
    let own = reader.and_then(|reader| group.truth.get(reader)).and_then(|counts| counts.get(measure));
    let own = own.copied().unwrap_or_default();
    let Ok(shown) = group.count(measure) else { return Bounds { least: 0, most: UNKNOWN } };
    let truth: u64 = people(&group.truth, measure).iter().sum();
    // A count that was published before may have changed by 4 since.
    let is_repeated =
        anchors.get(&group.anchor(partition, measure)).is_some_and(|anchor| anchor.truth != truth);
    let reach = if is_repeated { HALF + FEWEST_OF_ONE - 1 } else { HALF };
    Bounds {
        least: shown.saturating_sub(reach).saturating_sub(own),
        most: (shown + reach).saturating_sub(own),
    }
}

#[cfg(test)]
mod tests;
