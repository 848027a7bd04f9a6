//! Criterion `career_stage`: the steps of the mentor's career stage above the mentee's, best at one to two.
//!
//! The hard rule on the stage gap bounds the same steps. A missing stage breaks no rule.

use std::cmp::Ordering;

use super::super::aspect::{Aspect, PointScale, Story, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::HardRule;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Relations;
use crate::engine::encode::{Person, Round};

/// Criterion scores of -2 and fewer, -1, 0, 1, ... 6 steps.
const SCORES: [u16; 9] = [0, 2_000, 5_000, 10_000, 10_000, 7_000, 4_500, 2_500, 1_000];

/// Criterion and rule on career stages.
pub(super) struct Stages {
    scale: Option<PointScale>,
    min: i8,
    max: i8,
}

pub(super) fn aspect(scale: Option<PointScale>, round: &Round<'_>) -> Option<Stages> {
    let rules = &round.snapshot.policy.rules;
    Some(Stages { scale, min: rules.min_stage_gap, max: rules.max_stage_gap })
}

impl Stages {
    /// Steps of the mentor above the mentee; `None` if a stage is missing.
    fn steps(mentee: Option<u8>, mentor: Option<u8>) -> Option<i8> {
        let stage = |given: Option<u8>| given.and_then(|stage| i8::try_from(stage).ok());
        stage(mentor).zip(stage(mentee)).map(|(mentor, mentee)| mentor - mentee)
    }

    fn score(steps: i8) -> u16 {
        SCORES[usize::try_from(steps.clamp(-2, 6) + 2).unwrap_or_default()]
    }

    fn is_outside(&self, steps: i8) -> bool {
        steps < self.min || steps > self.max
    }
}

impl Aspect for Stages {
    type Mentee = Option<u8>;
    type Mentor = Option<u8>;

    fn mentee(&self, person: &Person<'_>) -> Option<u8> {
        person.content.career_stage
    }

    fn mentor(&self, person: &Person<'_>) -> Option<u8> {
        person.content.career_stage
    }

    fn judge(&self, mentee: &Option<u8>, mentor: &Option<u8>, _: Relations) -> Verdict {
        let steps = Self::steps(*mentee, *mentor);
        points(self.scale, steps.map(Self::score))
            .breaking_if(steps.is_some_and(|steps| self.is_outside(steps)), HardRule::StageGap)
    }

    fn explain(&self, mentee: &Option<u8>, mentor: &Option<u8>, _: Relations, story: &mut Story) {
        let steps = Self::steps(*mentee, *mentor);
        let reason = |steps: i8| match steps.cmp(&0) {
            Ordering::Greater => Reason::new(ReasonCode::StageAbove).with("steps", steps),
            Ordering::Equal => Reason::new(ReasonCode::StageSame),
            Ordering::Less => Reason::new(ReasonCode::StageBelow).with("steps", steps.unsigned_abs()),
        };
        story.finds(self.scale, steps.map(|steps| (Self::score(steps), reason(steps))));
        if let Some(steps) = steps.filter(|steps| self.is_outside(*steps)) {
            let reason = Reason::new(ReasonCode::RuleStageGap)
                .with("steps", steps)
                .with("min", self.min)
                .with("max", self.max);
            story.breaks(HardRule::StageGap, reason);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::ReferencePair;

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        pair.gap().map(|gap| match gap {
            ..=-2 => 0,
            -1 => 2_000,
            0 => 5_000,
            1 | 2 => 10_000,
            3 => 7_000,
            4 => 4_500,
            5 => 2_500,
            _ => 1_000,
        })
    }
}
