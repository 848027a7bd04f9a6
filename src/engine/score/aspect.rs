//! What one aspect of two people gives to their score and to the hard rules, and how its weight turns a criterion score
//! into points.

use std::hash::Hash;

use super::columns::MentorColumns;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::{Criterion, FULL_SCORE, HardRule, Policy};
use crate::engine::cpu::{Column, Cpu, Key};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// One aspect of a pair: the answers it looks at on either side, and its judgement of two of them. People who gave the same
/// answers are judged once.
pub(in crate::engine) trait Aspect: Send + Sync {
    /// What it looks at in a mentee.
    type Mentee: Clone + Eq + Hash + Send + Sync;
    /// What it looks at in a mentor.
    type Mentor: Clone + Eq + Hash + Send + Sync;

    /// What it looks at in a mentee.
    fn mentee(&self, person: &Person<'_>) -> Self::Mentee;

    /// What it looks at in a mentor.
    fn mentor(&self, person: &Person<'_>) -> Self::Mentor;

    /// Its judgement.
    fn judge(&self, mentee: &Self::Mentee, mentor: &Self::Mentor, ties: Ties) -> Verdict;

    /// Lays out the answers of everyone, told once before any is judged, so that [`Aspect::key`] can put the mentors into
    /// classes for one mentee at a time. `false` if it cannot, or need not because many people answer the same.
    fn lay_out(
        &mut self,
        _mentees: &[Self::Mentee],
        _mentors: &[Self::Mentor],
        _columns: &mut MentorColumns,
    ) -> bool {
        false
    }

    /// How the class of every mentor, as seen by one mentee, is found: for the verdicts of [`Aspect::class_verdicts`].
    fn key<'a>(&'a self, _mentee: &'a Self::Mentee) -> Classifier<'a> {
        Classifier::default()
    }

    /// What of one mentee [`Aspect::class_verdicts`] depends on: there are few kinds.
    fn kind(&self, _mentee: &Self::Mentee) -> u32 {
        0
    }

    /// Adds the verdict of every class that one mentee sees, where nobody is tied: at most 256.
    fn class_verdicts(&self, _mentee: &Self::Mentee, _verdicts: &mut Vec<Verdict>) {}

    /// The same judgement with its reasons.
    fn explain(&self, mentee: &Self::Mentee, mentor: &Self::Mentor, ties: Ties, story: &mut Story);
}

/// How the classes of mentors are found for one mentee.
#[derive(Default)]
pub(in crate::engine) struct Classifier<'a> {
    /// Where in the columns.
    pub key: Key,
    /// What is added to that and has to be computed first: it stands in a column of her own.
    pub own: Option<Box<dyn Compute + 'a>>,
}

/// A column that is computed for one mentee.
pub(in crate::engine) trait Compute {
    /// Writes a block of the column.
    fn compute(&mut self, block: usize, cpu: Cpu, column: &mut Column);
}

/// A criterion's part in the score of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct PointScale {
    /// The criterion.
    pub criterion: Criterion,
    /// Points it can give.
    pub max_points: u16,
    /// Criterion score of a missing answer.
    pub neutral: u16,
}

impl PointScale {
    /// The part of `criterion` under `policy`; `None` if it weighs nothing.
    pub(in crate::engine) fn of(policy: &Policy, criterion: Criterion) -> Option<Self> {
        let at =
            policy.criteria.iter().position(|weight| weight.criterion == criterion && weight.weight > 0)?;
        let (_, max_points) = *policy.max_points().get(at)?;
        Some(Self { criterion, max_points, neutral: policy.criteria[at].neutral.min(FULL_SCORE) })
    }

    /// Points of a criterion score, rounded down; of the neutral value if an answer is missing.
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

/// What the aspects say of one pair, with reasons.
#[derive(Debug, Default)]
pub(in crate::engine) struct Story {
    /// What every criterion gives.
    pub findings: Vec<Finding>,
    /// Broken rules.
    pub broken: Vec<(HardRule, Reason)>,
}

/// What one criterion gives to one pair.
#[derive(Debug)]
pub(in crate::engine) struct Finding {
    /// The criterion and its part.
    pub scale: PointScale,
    /// Points it gives.
    pub points: u16,
    /// Why.
    pub reason: Reason,
}

impl Story {
    /// Adds what a criterion gives: its score and reason, `None` if an answer is missing.
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

    /// Adds the rules that only the whole verdict shows, and puts all into the order of the API.
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
