//! Equity watch: groups of mentees beside the whole, and a warning where a group falls behind by more than chance.
//!
//! Input: mentees of a run by region, best language, career stage and organisation. Output: [`EquityWarning`]s.
//! Method: for each group that passes the suppression gate, Fisher's exact test of the group against the rest, on one side, for matched
//! mentees and for matches at or above the median score of all; corrected for the number of all tests of the run by Holm's method at 5 %.
//! So in a run in which nothing but chance is at work, some warning appears with a probability of 5 % at most.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::name::OrganisationId;
use super::profile::Profile;
use super::statistics::{holm, lower_tail, wilson};
use super::suppression::judge;

/// Probability of any false warning in a run, at most.
const LEVEL: f64 = 0.05;

/// Lowest, median and highest shown score of some matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreRange {
    /// The lowest.
    pub worst: u16,
    /// The lower median.
    pub median: u16,
    /// The highest.
    pub best: u16,
}

impl ScoreRange {
    /// The range of scores in ascending order; `None` if there are none.
    pub fn of_sorted(scores: &[u16]) -> Option<Self> {
        let (worst, best) = (*scores.first()?, *scores.last()?);
        Some(Self { worst, median: *scores.get((scores.len() - 1) / 2)?, best })
    }
}

/// What divides the mentees of a round into groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Region of the mentee, an M49 code.
    Region = 1,
    /// The language that she speaks best.
    Language = 2,
    /// Her career stage, 1 to 7; empty if she has not answered.
    Stage = 3,
    /// Her organisation.
    Organisation = 4,
}

impl Dimension {
    /// All dimensions.
    pub const ALL: [Self; 4] = [Self::Region, Self::Language, Self::Stage, Self::Organisation];

    /// The group of a person, by her profile.
    pub fn group_of(self, organisation: &OrganisationId, profile: &Profile) -> String {
        match self {
            Self::Region => profile.country.region().code().to_owned(),
            Self::Language => profile.best_language().unwrap_or_default().to_owned(),
            Self::Stage => profile.career_stage.map(|stage| stage.to_string()).unwrap_or_default(),
            Self::Organisation => organisation.to_string(),
        }
    }
}

/// The mentees of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenteeGroup {
    /// What the group is one of.
    pub dimension: Dimension,
    /// Code of the group; empty for those who have not answered.
    pub key: String,
    /// Its mentees, and those with a match, by organisation.
    pub mentees: BTreeMap<OrganisationId, (u64, u64)>,
    /// Lowest, median and highest shown score of their matches.
    pub scores: Option<ScoreRange>,
    /// Their matches, and those at or above the median score of all matches.
    #[serde(default)]
    pub matches: (u64, u64),
}

/// In what a group falls behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EquityMeasure {
    /// Mentees with a match, of all of the group.
    MatchRate = 1,
    /// Matches at or above the median score of all, of all matches of the group.
    Scores = 2,
}

/// A group that falls behind the rest by more than chance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EquityWarning {
    /// What the group is one of.
    pub dimension: Dimension,
    /// Code of the group.
    pub key: String,
    /// In what.
    pub measure: EquityMeasure,
    /// The numbers of the group: part and base.
    pub group: (u64, u64),
    /// Interval of 95 % of the group's rate, in whole percent.
    pub interval: (u8, u8),
    /// The numbers of everybody.
    pub whole: (u64, u64),
}

/// The base and the hits of a group.
type Numbers = fn(&MenteeGroup) -> (u64, u64);

/// The groups that fall behind, by dimension, key and measure.
pub fn watch(groups: &[MenteeGroup]) -> Vec<EquityWarning> {
    let mut tests: Vec<(EquityWarning, f64)> = Vec::new();
    for dimension in Dimension::ALL {
        let of = || groups.iter().filter(move |group| group.dimension == dimension);
        let sum = |numbers: Numbers| {
            of().map(numbers).fold((0, 0), |sum: (u64, u64), one| (sum.0 + one.0, sum.1 + one.1))
        };
        let measures: [(EquityMeasure, Numbers); 2] =
            [(EquityMeasure::MatchRate, matched), (EquityMeasure::Scores, |group| group.matches)];
        for (measure, numbers) in measures {
            let (all, all_hits) = sum(numbers);
            for group in of().filter(|group| !group.key.is_empty() && is_enough(group)) {
                let (base, hits) = numbers(group);
                // A group that is everybody has no rest to fall behind.
                if base == 0 || base == all {
                    continue;
                }
                let interval = wilson(hits, base);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a rate is between 0 and 1"
                )]
                let percent = |rate: f64| (rate * 100.0).round() as u8;
                let warning = EquityWarning {
                    dimension,
                    key: group.key.clone(),
                    measure,
                    group: (hits, base),
                    interval: (percent(interval.low), percent(interval.high)),
                    whole: (all_hits, all),
                };
                tests.push((warning, lower_tail(hits, base, all_hits, all)));
            }
        }
    }
    let probabilities: Vec<f64> = tests.iter().map(|(_, probability)| *probability).collect();
    let behind = holm(&probabilities, LEVEL);
    tests.into_iter().zip(behind).filter(|(_, behind)| *behind).map(|((warning, _), _)| warning).collect()
}

/// Mentees of a group, and those with a match.
fn matched(group: &MenteeGroup) -> (u64, u64) {
    group.mentees.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

fn is_enough(group: &MenteeGroup) -> bool {
    judge(group.mentees.values().map(|(mentees, _)| *mentees)).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A group of three organisations, a third of it each.
    fn group(key: &str, mentees: u64, matched: u64) -> MenteeGroup {
        let organisation = |at: u64| -> OrganisationId { format!("wim-{at}").parse().expect("an id") };
        let part = |whole: u64, at: u64| whole / 3 + u64::from(at < whole % 3);
        let mentees = (0..3).map(|at| (organisation(at), (part(mentees, at), part(matched, at))));
        MenteeGroup {
            dimension: Dimension::Region,
            key: key.to_owned(),
            mentees: mentees.collect(),
            scores: None,
            matches: (matched, matched / 2),
        }
    }

    #[test]
    fn a_group_that_falls_far_behind_is_named_with_its_interval() {
        let groups = [group("005", 200, 190), group("011", 100, 60), group("014", 6, 0)];
        let warnings = watch(&groups);
        let [warning] = &warnings[..] else { panic!("{warnings:?}") };
        assert_eq!((warning.key.as_str(), warning.measure), ("011", EquityMeasure::MatchRate));
        assert_eq!((warning.group, warning.interval, warning.whole), ((60, 100), (50, 69), (250, 306)));
    }

    #[test]
    fn a_small_group_and_a_small_difference_are_no_warning() {
        assert_eq!(watch(&[group("005", 200, 190), group("014", 9, 0)]), [], "nine people are too few");
        assert_eq!(watch(&[group("005", 200, 180), group("011", 100, 86)]), []);
        assert_eq!(watch(&[group("005", 200, 20)]), [], "a group of everybody has no rest");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1, failure_persistence: None, ..ProptestConfig::default() })]

        /// 2,000 rounds of ten groups in which every mentee has the same chance: at most 5 % of them warn.
        #[test]
        fn chance_alone_warns_seldom(seed in any::<u64>()) {
            let mut state = seed | 1;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            let mut warned = 0;
            for _ in 0..2_000 {
                let groups: Vec<MenteeGroup> = (0..10)
                    .map(|at| {
                        let mentees = 12 + next() % 40;
                        let matched = (0..mentees).filter(|_| next() % 10 < 8).count() as u64;
                        let mut one = group(&format!("{at:03}"), mentees, matched);
                        one.matches = (0, 0);
                        one
                    })
                    .collect();
                warned += usize::from(!watch(&groups).is_empty());
            }
            prop_assert!(warned <= 130, "{} of 2,000", warned);
        }
    }
}
