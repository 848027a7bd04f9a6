//! Conversions of results to messages, whole and in parts.

use super::PART;
use super::proof::{self, proof};
use crate::api::convert::count;
use crate::api::convert::outcome::reason_message;
use crate::api::proto::v1;
use crate::domain::explanation::Reason;
use crate::domain::vocabulary::Lang;
use crate::engine::certificate::GroupSide;
use crate::engine::constrained::{Impossible, Proved};
use crate::engine::groups::CutDirection;
use crate::engine::objective::Check;
use crate::engine::stable::{SizeGuarantee, StableSize};
use crate::instance::{Instance, Names};
use crate::wording;

/// A result, whole.
pub fn result(instance: &Instance, proved: &Proved) -> v1::AssignmentResult {
    let proof = proof(instance, &proved.solution.evidence);
    let (unmatched_mentees, unmatched_mentors) = instance.unmatched(&proved.solution.pairs);
    v1::AssignmentResult {
        pairs: pairs(instance, &proved.solution.pairs).collect(),
        unmatched_mentees,
        unmatched_mentors,
        summary: Some(summary(instance, proved)),
        proof: Some(proof),
    }
}

/// A result in parts that each fit a message; the summary comes with the last.
pub fn parts(instance: &Instance, proved: &Proved) -> Vec<v1::AssignmentResult> {
    let part = v1::AssignmentResult::default;
    let mut parts = Vec::new();
    let mut pairs = pairs(instance, &proved.solution.pairs).peekable();
    while pairs.peek().is_some() {
        parts.push(v1::AssignmentResult { pairs: pairs.by_ref().take(PART).collect(), ..part() });
    }
    let (unmatched_mentees, unmatched_mentors) = instance.unmatched(&proved.solution.pairs);
    for some in unmatched_mentees.chunks(PART) {
        parts.push(v1::AssignmentResult { unmatched_mentees: some.to_vec(), ..part() });
    }
    for some in unmatched_mentors.chunks(PART) {
        parts.push(v1::AssignmentResult { unmatched_mentors: some.to_vec(), ..part() });
    }
    let proofs = proof::parts(proof(instance, &proved.solution.evidence));
    parts.extend(proofs.into_iter().map(|proof| v1::AssignmentResult { proof: Some(proof), ..part() }));
    parts.push(v1::AssignmentResult { summary: Some(summary(instance, proved)), ..part() });
    parts
}

pub(super) fn pairs(instance: &Instance, pairs: &[(u32, u32)]) -> impl Iterator<Item = v1::AssignmentPair> {
    let problem = instance.problem();
    pairs.iter().map(move |&(mentee, mentor)| v1::AssignmentPair {
        mentee: instance.names.mentee(mentee as usize),
        mentor: instance.names.mentor(mentor as usize),
        score: problem.scores.score(mentee as usize, mentor as usize).unwrap_or_default(),
    })
}

fn summary(instance: &Instance, proved: &Proved) -> v1::AssignmentSummary {
    let Proved { solution, check, objective_value, blocking_pairs, solve, prove, .. } = proved;
    let counters = &solution.counters;
    let tiers = objective_value.people.tiers.iter().map(|&(tier, matched)| v1::AssignmentTier {
        tier: tier.into(),
        mentees: count(instance.mentees.iter().filter(|demand| demand.tier == tier).count() as u64),
        matched: count(matched),
    });
    let steps = solution
        .frontier
        .iter()
        .map(|step| v1::FairnessStep { worst_score: step.worst, total_score: step.total });
    let micros = |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    v1::AssignmentSummary {
        total_score: objective_value.score,
        pairs: count(objective_value.pairs),
        tiers: tiers.collect(),
        minimum_places: count(objective_value.people.minimum_places),
        second_mentors: count(objective_value.people.second_mentors),
        worst_score: objective_value.worst,
        blocking_pairs: count(*blocking_pairs),
        candidates: count(check.candidates),
        proved: check.proved,
        gap: check.gap.to_string(),
        fairness_steps: steps.collect(),
        counters: Some(v1::AssignmentCounters {
            bids: count(counters.bids),
            searches: count(counters.searches + counters.reverse_searches),
            phases: count(counters.phases),
            scans: count(counters.scans),
            arcs: count(counters.arcs),
            pricing_rounds: count(counters.pricing_rounds),
        }),
        solve_micros: micros(*solve),
        prove_micros: micros(*prove),
        stable_size: solution.stable_size.map(stable_size),
    }
}

fn stable_size(size: StableSize) -> v1::StableSize {
    let guarantee = match size.guarantee {
        SizeGuarantee::Largest => v1::SizeGuarantee::Largest,
        SizeGuarantee::TwoThirds => v1::SizeGuarantee::TwoThirds,
        SizeGuarantee::Half => v1::SizeGuarantee::Half,
    };
    v1::StableSize {
        guarantee: guarantee.into(),
        most_mentees: count(size.at_most.mentees),
        most_pairs: count(size.at_most.pairs),
    }
}

/// Proof that no assignment meets all floors.
pub fn unmet_floors(
    instance: &Instance,
    impossible: &Impossible,
    reasons: &[Reason],
    lang: Lang,
) -> v1::UnmetFloors {
    let cut = &impossible.cut;
    let named = |positions: &[u32], name: &dyn Fn(usize) -> String| -> Vec<String> {
        positions.iter().map(|at| name(*at as usize)).collect()
    };
    let need = match cut.direction {
        CutDirection::Inward => v1::Side::Mentee,
        CutDirection::Outward => v1::Side::Mentor,
    };
    v1::UnmetFloors {
        asked: count(impossible.shortage.asked),
        possible: count(impossible.shortage.possible),
        reasons: reasons.iter().map(|reason| reason_message(reason, lang)).collect(),
        need: need.into(),
        mentees: named(&cut.mentees, &|at| instance.names.mentee(at)),
        mentors: named(&cut.mentors, &|at| instance.names.mentor(at)),
        mentee_groups: named(&cut.mentee_groups, &|at| instance.names.group(GroupSide::Mentees, at)),
        mentor_groups: named(&cut.mentor_groups, &|at| instance.names.group(GroupSide::Mentors, at)),
    }
}

/// Verdict of a check.
pub fn verdict(names: &Names, check: &Check, lang: Lang) -> v1::VerifyResponse {
    v1::VerifyResponse {
        proved: check.proved,
        broken_rule: check
            .feasible
            .as_ref()
            .err()
            .map(|broken| wording::message(&names.infeasibility(broken), lang))
            .unwrap_or_default(),
        gap: check.gap.to_string(),
        candidates: count(check.candidates),
        blocking_pairs: count(check.blocking_pairs),
    }
}
