//! Runs side by side: the numbers of each, and the pairs that differ from those of the first, with why.

use std::collections::BTreeMap;

use super::name::{ProfileRef, RunRef};
use super::run::{Coverage, Run};

/// A run in a comparison.
#[derive(Debug, Clone)]
pub struct ComparedRun {
    /// The run with its summary.
    pub run: Run,
    /// Coverage by language, by the primary subtag.
    pub languages: BTreeMap<String, Coverage>,
    /// Pairs of the first run that this run does not have.
    pub gone: u64,
    /// Pairs of this run that the first run does not have.
    pub new: u64,
    /// Parts of the policy that differ from the policy of the first run.
    pub policy_differences: Vec<String>,
}

/// A pair that one of two runs has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairDifference {
    /// Place of `run` among the compared runs; the first has 0.
    pub place: usize,
    /// The run that is compared with the first.
    pub run: RunRef,
    /// The mentee.
    pub mentee: ProfileRef,
    /// The mentor.
    pub mentor: ProfileRef,
    /// Whether `run` has the pair; otherwise the first run has it.
    pub is_new: bool,
    /// Shown score in the run that has the pair.
    pub score: u16,
    /// Why.
    pub cause: DifferenceCause,
}

impl PairDifference {
    /// The pair, by which differences are ordered.
    pub fn pair(&self) -> (&ProfileRef, &ProfileRef) {
        (&self.mentee, &self.mentor)
    }
}

/// Why two runs differ in a pair: erased, pinned and vetoed before the others, each in its order here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceCause {
    /// One of the two people was erased since.
    Erased = 1,
    /// One of the two people takes part in one of the runs only.
    Enrolment = 2,
    /// The runs have different policies.
    Policy = 3,
    /// By open answers the pair has another score or breaks other rules.
    Answers = 4,
    /// What changed is about other people, or private.
    OtherPairs = 5,
    /// A pin of the pair is in force in one of the runs only.
    Pinned = 6,
    /// A veto of the pair is in force in one of the runs only.
    Vetoed = 7,
}

impl DifferenceCause {
    /// All causes.
    pub const ALL: [Self; 7] = [
        Self::Erased,
        Self::Enrolment,
        Self::Policy,
        Self::Answers,
        Self::OtherPairs,
        Self::Pinned,
        Self::Vetoed,
    ];
}
