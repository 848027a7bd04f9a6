//! Mentees of a round by what reports group them by: region, best language, career stage and organisation.
//!
//! Input: every enrolled mentee once, then every match. Output: the groups in the order of dimension and key.
//! Invariants: the mentees of each dimension add up to the mentees of the round; only open answers divide them.

use std::collections::{BTreeMap, HashMap};

use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::profile::Profile;
use crate::domain::run::{Dimension, Match, MenteeGroup, ScoreRange};

/// The groups as they are counted.
#[derive(Default)]
pub(super) struct Groups<'a> {
    groups: BTreeMap<(Dimension, String), Gathered>,
    /// Positions of a mentee's groups, in the order of the dimensions.
    keys: HashMap<&'a ProfileRef, [String; Dimension::ALL.len()]>,
}

#[derive(Default)]
struct Gathered {
    mentees: BTreeMap<OrganisationId, (u64, u64)>,
    scores: Vec<u16>,
}

impl<'a> Groups<'a> {
    /// Counts a mentee.
    pub(super) fn add_mentee(&mut self, profile: &'a ProfileRef, content: &Profile, is_matched: bool) {
        let keys = Dimension::ALL.map(|dimension| dimension.group_of(&profile.organisation, content));
        for (dimension, key) in Dimension::ALL.into_iter().zip(&keys) {
            let group = self.groups.entry((dimension, key.clone())).or_default();
            let (mentees, matched) = group.mentees.entry(profile.organisation.clone()).or_default();
            *mentees += 1;
            *matched += u64::from(is_matched);
        }
        if is_matched {
            self.keys.insert(profile, keys);
        }
    }

    /// Adds the score of a match to the groups of its mentee.
    pub(super) fn add_match(&mut self, pair: &Match) {
        let Some(keys) = self.keys.get(&pair.mentee) else { return };
        for (dimension, key) in Dimension::ALL.into_iter().zip(keys) {
            if let Some(group) = self.groups.get_mut(&(dimension, key.clone())) {
                group.scores.push(pair.score);
            }
        }
    }

    /// The groups with their scores.
    pub(super) fn finish(self) -> Vec<MenteeGroup> {
        // Each dimension has all scores; regions are the first of them.
        let regions = self.groups.iter().filter(|((dimension, _), _)| *dimension == Dimension::Region);
        let mut all: Vec<u16> = regions.flat_map(|(_, group)| &group.scores).copied().collect();
        all.sort_unstable();
        let median = ScoreRange::of_sorted(&all).map_or(0, |range| range.median);
        let of = |((dimension, key), Gathered { mentees, mut scores }): ((Dimension, String), Gathered)| {
            scores.sort_unstable();
            let upper = scores.len() - scores.partition_point(|score| *score < median);
            MenteeGroup {
                dimension,
                key,
                mentees,
                scores: ScoreRange::of_sorted(&scores),
                matches: (scores.len() as u64, upper as u64),
            }
        };
        self.groups.into_iter().map(of).collect()
    }
}
