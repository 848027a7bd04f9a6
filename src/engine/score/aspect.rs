//! The interface of an aspect: answers of two people in, points and broken hard rules out.
//!
//! [`PointScale`] turns a criterion score into points, by the weight of the criterion in the policy. [`Story`] collects the
//! reasons of all aspects on one pair.

use std::hash::Hash;

use super::columns::MentorColumns;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::{Criterion, FULL_SCORE, HardRule, Policy};
use crate::engine::cpu::{Column, Cpu, Key};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Relations;

/// One aspect of a pair: the answers that it reads on either side, and its verdict on two answers. People who gave the same
/// answer are judged once.
///
/// [`Aspect::mentee`], [`Aspect::mentor`], [`Aspect::judge`] and [`Aspect::explain`] define an aspect. The other methods
/// make it fast if nearly all people give different answers.
pub(in crate::engine) trait Aspect: Send + Sync {
    /// The answer of a mentee.
    type Mentee: Clone + Eq + Hash + Send + Sync;
    /// The answer of a mentor.
    type Mentor: Clone + Eq + Hash + Send + Sync;

    /// Reads the answer of a mentee.
    fn mentee(&self, person: &Person<'_>) -> Self::Mentee;

    /// Reads the answer of a mentor.
    fn mentor(&self, person: &Person<'_>) -> Self::Mentor;

    /// The verdict on two answers.
    fn judge(&self, mentee: &Self::Mentee, mentor: &Self::Mentor, ties: Relations) -> Verdict;

    /// Writes the answers of all mentors into columns, so that [`Aspect::classifier`] can put the mentors into classes for
    /// one mentee at a time. Called once, before any pair is judged. Returns `false` if the aspect does not do so.
    fn lay_out(
        &mut self,
        _mentees: &[Self::Mentee],
        _mentors: &[Self::Mentor],
        _columns: &mut MentorColumns,
    ) -> bool {
        false
    }

    /// How the mentors are put into the classes of [`Aspect::class_verdicts`] for one mentee.
    fn classifier<'a>(&'a self, _mentee: &'a Self::Mentee) -> Classifier<'a> {
        Classifier::default()
    }

    /// A number that determines [`Aspect::class_verdicts`]: mentees of one kind have the same. There are few kinds.
    fn kind(&self, _mentee: &Self::Mentee) -> u32 {
        0
    }

    /// Appends the verdict of one mentee with every class of mentors, where nobody is tied: at most 256 classes.
    fn class_verdicts(&self, _mentee: &Self::Mentee, _verdicts: &mut Vec<Verdict>) {}

    /// Adds the same verdict with its reasons to `story`.
    fn explain(&self, mentee: &Self::Mentee, mentor: &Self::Mentor, ties: Relations, story: &mut Story);
}

/// How the mentors are put into classes for one mentee.
#[derive(Default)]
pub(in crate::engine) struct Classifier<'a> {
    /// The columns from which the class follows.
    pub key: Key,
    /// A column of this mentee alone, which is computed first and added to the class.
    pub own: Option<Box<dyn Compute + 'a>>,
}

/// A column that is computed for one mentee.
pub(in crate::engine) trait Compute {
    /// Writes a block of the column.
    fn compute(&mut self, block: usize, cpu: Cpu, column: &mut Column);
}

/// How a policy turns the score of one criterion into points of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct PointScale {
    /// The criterion.
    pub criterion: Criterion,
    /// Points of the full score.
    pub max_points: u16,
    /// Criterion score of a missing answer.
    pub neutral: u16,
}

impl PointScale {
    /// The scale of `criterion` under `policy`; `None` if the criterion weighs nothing.
    pub(in crate::engine) fn of(policy: &Policy, criterion: Criterion) -> Option<Self> {
        let at =
            policy.criteria.iter().position(|weight| weight.criterion == criterion && weight.weight > 0)?;
        let (_, max_points) = *policy.max_points().get(at)?;
        Some(Self { criterion, max_points, neutral: policy.criteria[at].neutral.min(FULL_SCORE) })
    }

    /// Points of a criterion score, rounded down; points of the neutral score if an answer is missing.
    pub(in crate::engine) fn points(self, score: Option<u16>) -> u16 {
        let score = score.unwrap_or(self.neutral).min(FULL_SCORE);
        let points = u32::from(self.max_points) * u32::from(score) / u32::from(FULL_SCORE);
        u16::try_from(points).unwrap_or(FULL_SCORE)
    }
}

/// Points of a criterion that may weigh nothing.
pub(in crate::engine) fn points(scale: Option<PointScale>, score: Option<u16>) -> Verdict {
    scale.map_or(Verdict::CLEAR, |scale| Verdict::giving(scale.points(score)))
}

/// The share `part` of `whole` as a criterion score, rounded down.
pub(in crate::engine) fn share(part: u32, whole: u32) -> u16 {
    let full = u64::from(FULL_SCORE);
    let score = u64::from(part) * full / u64::from(whole.max(1));
    u16::try_from(score.min(full)).unwrap_or(FULL_SCORE)
}

/// The reasons of the verdict on one pair: the finding of every criterion, and the broken rules.
#[derive(Debug, Default)]
pub(in crate::engine) struct Story {
    /// One finding per criterion that weighs anything.
    pub findings: Vec<Finding>,
    /// Broken rules.
    pub broken: Vec<(HardRule, Reason)>,
}

/// The contribution of one criterion to the score of one pair.
#[derive(Debug)]
pub(in crate::engine) struct Finding {
    /// The criterion and its scale.
    pub scale: PointScale,
    /// Points of the criterion.
    pub points: u16,
    /// The reason of the score.
    pub reason: Reason,
}

impl Story {
    /// Adds the finding of a criterion: its score and reason, or `None` if an answer is missing.
    pub(in crate::engine) fn finds(&mut self, scale: Option<PointScale>, found: Option<(u16, Reason)>) {
        let Some(scale) = scale else { return };
        let (score, reason) = match found {
            Some((score, reason)) => (Some(score), reason),
            None => {
                (None, Reason::new(ReasonCode::MissingAnswer).with("criterion", scale.criterion.as_str()))
            }
        };
        self.findings.push(Finding { scale, points: scale.points(score), reason });
    }

    /// Adds the broken rules that depend on the whole verdict, and sorts all broken rules into the order of the API.
    pub(in crate::engine) fn settle(&mut self, verdict: Verdict, min_score: u16) {
        if verdict.broken().contains(HardRule::MinScore) {
            let reason = Reason::new(ReasonCode::RuleMinScore).with("required", min_score);
            self.breaks(HardRule::MinScore, reason);
        }
        if verdict.broken().contains(HardRule::Mutual) {
            self.breaks(HardRule::Mutual, Reason::new(ReasonCode::RuleMutual));
        }
        self.broken.sort_by_key(|(rule, _)| *rule);
    }

    /// Adds a broken rule.
    pub(in crate::engine) fn breaks(&mut self, rule: HardRule, reason: Reason) {
        self.broken.push((rule, reason));
    }
}
