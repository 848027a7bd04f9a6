//! Conversions of runs and their summaries. The service sends them, and the command line draws reports from them.

use super::equity;
use super::policy::{self, criterion, criterion_message, hard_rule};
use super::{count, number, points, timestamp};
use crate::api::proto::v1;
use crate::api::reader;
use crate::domain::decision_conflict::ToldConflicts;
use crate::domain::explanation::read_reasons;
use crate::domain::failure;
use crate::domain::name::{OrganisationId, ProfileRef, RunRef};
use crate::domain::policy::Objective;
use crate::domain::run::{
    BelowMinimum, Coverage, CriterionMean, FollowedPairs, Progress, Proof, Run, RunState, RunSummary,
    ScoreRange, Stage, TierCoverage, WholeRound,
};
use crate::error::Error;
use crate::wording;

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
            message: match reason {
                failure::Reason::QuotasUnmet => {
                    let unmet = Error::QuotasUnmet(read_reasons(message));
                    wording::message(&unmet.message(), reader::current())
                }
                failure::Reason::DecisionsConflict => {
                    let conflict = Error::DecisionsConflict(ToldConflicts::read(message));
                    wording::message(&conflict.message(), reader::current())
                }
                failure::Reason::RepairBudget => {
                    let needed = Error::RepairBudget(message.parse().ok());
                    wording::message(&needed.message(), reader::current())
                }
                _ => message.clone(),
            },
        }),
        stale_causes: run.stale_causes.iter().map(|cause| *cause as i32).collect(),
        attempt: run.attempt,
        create_time: Some(timestamp(run.create_time)),
        start_time: run.start_time.map(timestamp),
        end_time: run.end_time.map(timestamp),
        repairs: run.repairs,
        most_changes: run.most_changes.map(|most| i32::try_from(most).unwrap_or(i32::MAX)),
        follows: run.follows.as_ref().map(RunRef::name).unwrap_or_default(),
    }
}

fn progress_message(progress: Progress) -> v1::RunProgress {
    v1::RunProgress {
        stage: progress.stage as i32,
        work: progress.work.map(|work| v1::StageWork {
            done: count(work.done),
            total: (work.total > 0).then_some(count(work.total)),
            eta_millis: work.eta_millis,
        }),
    }
}

pub(crate) fn summary_message(summary: &RunSummary) -> v1::RunSummary {
    v1::RunSummary {
        mentees: count(summary.mentees),
        mentors: count(summary.mentors),
        places: count(summary.places),
        filled_places: count(summary.filled_places),
        matches: count(summary.matches),
        matched_mentees: count(summary.matched_mentees),
        matched_mentors: count(summary.matched_mentors),
        total_score: count(summary.total_score),
        scores: summary.scores.map(|ScoreRange { worst, median, best }| v1::ScoreRange {
            worst: worst.into(),
            median: median.into(),
            best: best.into(),
        }),
        score_histogram: summary.score_histogram.iter().map(|bin| count(*bin)).collect(),
        tiers: summary
            .tiers
            .iter()
            .map(|tier| v1::TierCoverage {
                tier: tier.tier.into(),
                mentees: count(tier.mentees),
                matched: count(tier.matched),
            })
            .collect(),
        second_places_missed: count(summary.second_places_missed),
        mentors_below_minimum: count(summary.mentors_below_minimum),
        below_minimum: summary
            .below_minimum
            .iter()
            .map(|one| v1::BelowMinimum {
                mentor: one.mentor.name(),
                minimum: i32::try_from(one.minimum).unwrap_or(i32::MAX),
                matched: i32::try_from(one.matched).unwrap_or(i32::MAX),
            })
            .collect(),
        objective: policy::objective_message(summary.objective),
        proof: Some(proof_message(&summary.proof)),
        followed: summary.followed.map(|FollowedPairs { kept, changed, ended }| v1::FollowedPairs {
            kept: count(kept),
            changed: count(changed),
            ended: ended.map(count),
        }),
        whole_round: summary.whole_round.as_ref().map(whole_round_message),
    }
}

fn proof_message(proof: &Proof) -> v1::Proof {
    v1::Proof { proved: proof.proved, bounded: proof.bounded, gap: proof.gap.map(count) }
}

fn whole_round_message(whole: &WholeRound) -> v1::WholeRound {
    v1::WholeRound {
        pairs: count(whole.pairs),
        candidates: count(whole.candidates),
        regions: whole.regions.iter().map(|(group, c)| group_message(group.clone(), c)).collect(),
        organisations: whole.organisations.iter().map(|(id, c)| group_message(id.name(), c)).collect(),
        criteria: whole.criteria.iter().map(mean).collect(),
        exclusions: whole
            .exclusions
            .iter()
            .map(|(rule, pairs)| v1::RuleExclusion { rule: *rule as i32, pairs: count(*pairs) })
            .collect(),
        blocking_pairs: count(whole.blocking_pairs),
        price_of_fairness: whole.price_of_fairness.map(count),
        most_matched_mentees: whole.most_matched_mentees.map(count),
        price_of_stability: whole.price_of_stability.map(count),
        equity_warnings: equity::messages(&whole.groups),
        stage_times: whole
            .stage_micros
            .iter()
            .map(|(stage, micros)| v1::StageTime { stage: *stage as i32, micros: *micros })
            .collect(),
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
    RunSummary {
        mentees: number(message.mentees),
        mentors: number(message.mentors),
        places: number(message.places),
        filled_places: number(message.filled_places),
        matches: number(message.matches),
        matched_mentees: number(message.matched_mentees),
        matched_mentors: number(message.matched_mentors),
        total_score: number(message.total_score),
        scores: message.scores.as_ref().map(|scores| ScoreRange {
            worst: points(scores.worst),
            median: points(scores.median),
            best: points(scores.best),
        }),
        score_histogram: message.score_histogram.iter().map(|bin| number(*bin)).collect(),
        tiers: message
            .tiers
            .iter()
            .map(|tier| TierCoverage {
                tier: u8::try_from(tier.tier).unwrap_or_default(),
                mentees: number(tier.mentees),
                matched: number(tier.matched),
            })
            .collect(),
        second_places_missed: number(message.second_places_missed),
        mentors_below_minimum: number(message.mentors_below_minimum),
        below_minimum: message
            .below_minimum
            .iter()
            .filter_map(|one| {
                Some(BelowMinimum {
                    mentor: ProfileRef::from_name(&one.mentor).ok()?,
                    minimum: u32::try_from(one.minimum).ok()?,
                    matched: u32::try_from(one.matched).ok()?,
                })
            })
            .collect(),
        objective: Objective::of(message.objective).unwrap_or_default(),
        proof: message
            .proof
            .as_ref()
            .map(|proof| Proof { proved: proof.proved, bounded: proof.bounded, gap: proof.gap.map(number) })
            .unwrap_or_default(),
        followed: message.followed.as_ref().map(|followed| FollowedPairs {
            kept: number(followed.kept),
            changed: number(followed.changed),
            ended: followed.ended.map(number),
        }),
        whole_round: message.whole_round.as_ref().map(whole_round),
    }
}

fn whole_round(message: &v1::WholeRound) -> WholeRound {
    WholeRound {
        pairs: number(message.pairs),
        candidates: number(message.candidates),
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
        blocking_pairs: number(message.blocking_pairs),
        price_of_fairness: message.price_of_fairness.map(number),
        most_matched_mentees: message.most_matched_mentees.map(number),
        price_of_stability: message.price_of_stability.map(number),
        // What a caller reads of them is in reports and warnings.
        groups: Vec::new(),
        equity: message.equity_warnings.iter().filter_map(equity::warning).collect(),
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

/// The mean contribution of a criterion, to the message.
pub(super) fn mean(mean: &CriterionMean) -> v1::CriterionMean {
    v1::CriterionMean {
        criterion: criterion_message(mean.criterion),
        mean_points_hundredths: count(mean.mean_points_hundredths),
        max_points: mean.max_points.into(),
    }
}
