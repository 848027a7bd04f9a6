//! Career stages: steps between mentor and mentee, best at one to two; too near or too far loses. The hard rule bounds the
//! same steps; a missing stage breaks no rule.

use std::cmp::Ordering;

use super::super::aspect::{Aspect, PointScale, Story, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::{HardRule, HardRules};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// Criterion scores of -2 and fewer, -1, 0, 1, ... 6 steps.
const SCORES: [u16; 9] = [0, 2_000, 5_000, 10_000, 10_000, 7_000, 4_500, 2_500, 1_000];

/// Criterion and rule on career stages.
pub(in crate::engine) struct Stages {
    scale: Option<PointScale>,
    min: i8,
    max: i8,
}

impl Stages {
    /// Under a policy's weight and rules.
    pub(in crate::engine) fn new(scale: Option<PointScale>, rules: &HardRules) -> Self {
        Self { scale, min: rules.min_stage_gap, max: rules.max_stage_gap }
    }

    /// Steps of the mentor above the mentee.
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

    fn judge(&self, mentee: &Option<u8>, mentor: &Option<u8>, _: Ties) -> Verdict {
        let steps = Self::steps(*mentee, *mentor);
        points(self.scale, steps.map(Self::score))
            .breaking_if(steps.is_some_and(|steps| self.is_outside(steps)), HardRule::StageGap)
    }

    fn explain(&self, mentee: &Option<u8>, mentor: &Option<u8>, _: Ties, story: &mut Story) {
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
