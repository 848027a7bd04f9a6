//! The advice about the weights of a policy.

use super::count;
use super::policy::criterion_message;
use crate::api::proto::v1;
use crate::domain::weight_advice::{CriterionAdvice, Effect, Verdict};
use crate::service::{AdvisedWeights, Replay, ReplayOutcome, ReplayedRound};

/// To the response.
pub fn response(advised: &AdvisedWeights) -> v1::SuggestWeightsResponse {
    let AdvisedWeights { policy, advice, replays } = advised;
    v1::SuggestWeightsResponse {
        advice: Some(v1::WeightAdvice {
            policy_version: policy.version,
            with_satisfaction: advice.with_satisfaction.map(count),
            with_end: advice.with_end.map(count),
            criteria: advice.criteria.iter().map(criterion).collect(),
        }),
        replays: replays.iter().map(replayed).collect(),
    }
}

fn criterion(advice: &CriterionAdvice) -> v1::CriterionAdvice {
    let CriterionAdvice { present, suggested, verdict, satisfaction, completion } = advice;
    v1::CriterionAdvice {
        criterion: criterion_message(Some(present.criterion)),
        weight: present.weight.into(),
        suggested_weight: (*suggested).into(),
        verdict: self::verdict(*verdict).into(),
        satisfaction: satisfaction.map(effect),
        completion: completion.map(effect),
    }
}

fn effect(effect: Effect) -> v1::OutcomeEffect {
    let Effect { mentorships, estimate, low, high } = effect;
    v1::OutcomeEffect { mentorships: count(mentorships), estimate, low, high }
}

/// The verdict as the contract has it.
fn verdict(verdict: Verdict) -> v1::WeightVerdict {
    match verdict {
        Verdict::TooFew => v1::WeightVerdict::TooFew,
        Verdict::Nothing => v1::WeightVerdict::Nothing,
        Verdict::More => v1::WeightVerdict::More,
        Verdict::Less => v1::WeightVerdict::Less,
    }
}

fn replayed(ReplayedRound { run, outcome }: &ReplayedRound) -> v1::ReplayedRound {
    let (end, solved) = match outcome {
        ReplayOutcome::Solved(replay) => (v1::ReplayEnd::Solved, Some(replay)),
        ReplayOutcome::Erased => (v1::ReplayEnd::Erased, None),
        ReplayOutcome::Unmet => (v1::ReplayEnd::Unmet, None),
    };
    v1::ReplayedRound {
        run: run.name(),
        end: end.into(),
        own: solved.map(|replay| result(replay, 0)),
        suggested: solved.map(|replay| result(replay, 1)),
        kept_matches: solved.map_or(0, |replay| count(replay.kept)),
    }
}

fn result(replay: &Replay, at: usize) -> v1::ReplayResult {
    v1::ReplayResult {
        matched_mentees: count(replay.matched_mentees[at]),
        matches: count(replay.matches[at]),
        criteria: replay.criteria[at].iter().map(super::run::mean).collect(),
    }
}
