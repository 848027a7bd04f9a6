//! Conversions of runs and their summaries. The service sends them, and the command line draws reports from them.

use super::policy::{self, criterion, criterion_message, hard_rule};
use super::{count, number, points, timestamp};
use crate::api::proto::v1;
use crate::domain::name::OrganisationId;
use crate::domain::policy::Objective;
use crate::domain::run::{
    Coverage, CriterionMean, Progress, Proof, Run, RunState, RunSummary, Stage, TierCoverage,
};

/// To the message.
pub fn message(run: &Run) -> v1::Run {
    v1::Run {
        name: run.name.name(),
        state: match run.state {
            RunState::Queued => v1::RunState::Queued,
            RunState::Running => v1::RunState::Running,
            RunState::Succeeded => v1::RunState::Succeeded,
            RunState::Failed => v1::RunState::Failed,
            RunState::Cancelled => v1::RunState::Cancelled,
        }
        .into(),
        policy_version: run.policy_version,
        input_digest: run.input_digest.clone(),
        engine_version: run.engine_version.clone(),
        result_digest: run.result_digest.clone(),
        progress: run.progress.map(progress_message),
        summary: run.summary.as_ref().map(summary_message),
        failure: run.failure.as_ref().map(|(reason, message)| v1::RunFailure {
            reason: reason.code().to_owned(),
            message: message.clone(),
        }),
        attempt: run.attempt,
        create_time: Some(timestamp(run.create_time)),
        start_time: run.start_time.map(timestamp),
        end_time: run.end_time.map(timestamp),
    }
}

fn progress_message(progress: Progress) -> v1::RunProgress {
    v1::RunProgress {
        stage: progress.stage as i32,
        done: count(progress.done),
        total: count(progress.total),
        eta_millis: progress.eta_millis.unwrap_or(-1),
    }
}

fn summary_message(summary: &RunSummary) -> v1::RunSummary {
    let proof = &summary.proof;
    v1::RunSummary {
        mentees: count(summary.mentees),
        mentors: count(summary.mentors),
        places: count(summary.places),
        pairs: count(summary.pairs),
        candidates: count(summary.candidates),
        matches: count(summary.matches),
        matched_mentees: count(summary.matched_mentees),
        matched_mentors: count(summary.matched_mentors),
        total_score: count(summary.total_score),
        worst_score: summary.worst_score.into(),
        median_score: summary.median_score.into(),
        best_score: summary.best_score.into(),
        proof: Some(v1::Proof {
            proved: proof.proved,
            primal: proof.primal.to_string(),
            dual: proof.dual.to_string(),
            gap: (proof.dual - proof.primal).to_string(),
            candidates_checked: count(proof.candidates_checked),
        }),
        tiers: summary
            .tiers
            .iter()
            .map(|tier| v1::TierCoverage {
                tier: tier.tier.into(),
                mentees: count(tier.mentees),
                matched: count(tier.matched),
            })
            .collect(),
        score_histogram: summary.score_histogram.iter().map(|bin| count(*bin)).collect(),
        regions: summary.regions.iter().map(|(group, c)| group_message(group.clone(), c)).collect(),
        organisations: summary.organisations.iter().map(|(id, c)| group_message(id.name(), c)).collect(),
        criteria: summary
            .criteria
            .iter()
            .map(|mean| v1::CriterionMean {
                criterion: criterion_message(mean.criterion),
                mean_points_hundredths: count(mean.mean_points_hundredths),
                max_points: mean.max_points.into(),
            })
            .collect(),
        exclusions: summary
            .exclusions
            .iter()
            .map(|(rule, pairs)| v1::RuleExclusion { rule: *rule as i32, pairs: count(*pairs) })
            .collect(),
        stage_times: summary
            .stage_micros
            .iter()
            .map(|(stage, micros)| v1::StageTime { stage: *stage as i32, micros: *micros })
            .collect(),
        second_places_missed: count(summary.second_places_missed),
        mentors_below_minimum: count(summary.mentors_below_minimum),
        objective: policy::objective_message(summary.objective),
        blocking_pairs: count(summary.blocking_pairs),
        price_of_fairness: summary.price_of_fairness.map(count),
    }
}

fn group_message(group: String, coverage: &Coverage) -> v1::GroupCoverage {
    v1::GroupCoverage {
        group,
        mentees: count(coverage.mentees),
        matched_mentees: count(coverage.matched_mentees),
        mentors: count(coverage.mentors),
        matched_mentors: count(coverage.matched_mentors),
    }
}

/// Reads a summary, without the codes that this version does not know.
pub fn summary(message: &v1::RunSummary) -> RunSummary {
    let proof = message.proof.clone().unwrap_or_default();
    RunSummary {
        mentees: number(message.mentees),
        mentors: number(message.mentors),
        places: number(message.places),
        pairs: number(message.pairs),
        candidates: number(message.candidates),
        matches: number(message.matches),
        matched_mentees: number(message.matched_mentees),
        matched_mentors: number(message.matched_mentors),
        total_score: number(message.total_score),
        worst_score: points(message.worst_score),
        median_score: points(message.median_score),
        best_score: points(message.best_score),
        proof: Proof {
            proved: proof.proved,
            primal: proof.primal.parse().unwrap_or_default(),
            dual: proof.dual.parse().unwrap_or_default(),
            candidates_checked: number(proof.candidates_checked),
        },
        tiers: message
            .tiers
            .iter()
            .map(|tier| TierCoverage {
                tier: u8::try_from(tier.tier).unwrap_or_default(),
                mentees: number(tier.mentees),
                matched: number(tier.matched),
            })
            .collect(),
        score_histogram: message.score_histogram.iter().map(|bin| number(*bin)).collect(),
        regions: message.regions.iter().map(|group| (group.group.clone(), coverage(group))).collect(),
        organisations: message
            .organisations
            .iter()
            .filter_map(|group| Some((OrganisationId::from_name(&group.group).ok()?, coverage(group))))
            .collect(),
        criteria: message
            .criteria
            .iter()
            .map(|mean| CriterionMean {
                criterion: criterion(mean.criterion),
                mean_points_hundredths: number(mean.mean_points_hundredths),
                max_points: points(mean.max_points),
            })
            .collect(),
        exclusions: message
            .exclusions
            .iter()
            .filter_map(|exclusion| Some((hard_rule(exclusion.rule)?, number(exclusion.pairs))))
            .collect(),
        second_places_missed: number(message.second_places_missed),
        mentors_below_minimum: number(message.mentors_below_minimum),
        objective: Objective::of(message.objective).unwrap_or_default(),
        blocking_pairs: number(message.blocking_pairs),
        price_of_fairness: message.price_of_fairness.map(number),
        stage_micros: message
            .stage_times
            .iter()
            .filter_map(|time| Some((stage(time.stage)?, time.micros)))
            .collect(),
    }
}

fn coverage(group: &v1::GroupCoverage) -> Coverage {
    Coverage {
        mentees: number(group.mentees),
        matched_mentees: number(group.matched_mentees),
        mentors: number(group.mentors),
        matched_mentors: number(group.matched_mentors),
    }
}

/// A stage by the API's number.
pub fn stage(number: i32) -> Option<Stage> {
    Stage::ALL.into_iter().find(|stage| *stage as i32 == number)
}
