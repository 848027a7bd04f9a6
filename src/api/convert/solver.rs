//! Conversions of problems that callers bring; `result`, `proof` and `questions` have the other messages.

pub mod proof;
pub mod questions;
pub mod result;

use crate::api::proto::v1;
use crate::domain::policy::Objective;
use crate::domain::violation::Violations;
use crate::engine::certificate::GroupSide;
use crate::engine::problem::{Demand, Seats};
use crate::instance::Instance;
use crate::instance::builder::{Bounds, Builder, Decision, Place, PlaceNames, Received};
use crate::message;

/// Pairs, names or prices in one part of an answer.
const PART: usize = 10_000;

/// Aim of an assignment.
#[derive(Debug, Clone, Copy)]
pub struct Aim {
    /// The objective.
    pub objective: Objective,
    /// Whether the number of matched people comes before the total score.
    pub coverage_first: bool,
}

/// Reads an aim.
pub fn aim(message: Option<v1::AssignmentAim>) -> Result<Aim, Violations> {
    let message = message.unwrap_or_default();
    let mut wrong = Violations::default();
    let objective = Objective::of(message.objective).unwrap_or_else(|| {
        wrong.add(
            "aim.objective",
            message!(
                "{value} is not an objective; use BEST_TOTAL, FAIREST or STABLE",
                value = message.objective.to_string()
            ),
        );
        Objective::BestTotal
    });
    if message.total_only && objective != Objective::BestTotal {
        wrong.add(
            "aim.total_only",
            "is set with another objective; only OBJECTIVE_BEST_TOTAL allows total_only",
        );
    }
    wrong.finish(Aim { objective, coverage_first: !message.total_only })
}

/// Adds a problem, or a part of one, to the builder.
pub fn take_in(problem: &mut Builder, part: v1::AssignmentProblem) {
    let Received { mentees, mentors, candidates, decisions, groups } = problem.received();
    let mut wrong = Violations::default();
    for (mentee, at) in part.mentees.into_iter().zip(mentees..) {
        let demand = Demand {
            tier: within(mentee.tier, || mentee_at(at) + ".tier", 255, &mut wrong),
            wanted: within(
                mentee.mentors_wanted.unwrap_or(1),
                || mentee_at(at) + ".mentors_wanted",
                2,
                &mut wrong,
            ),
            pinned: 0,
        };
        problem.mentee((&mentee.id, &mentee.group), demand, at, |at| mentee_at(at).into());
    }
    for (mentor, at) in part.mentors.into_iter().zip(mentors..) {
        let min = within(mentor.min_mentees, || mentor_at(at) + ".min_mentees", i32::MAX, &mut wrong);
        let max = mentor.max_mentees.unwrap_or(1);
        let max = within(max, || mentor_at(at) + ".max_mentees", i32::MAX, &mut wrong);
        problem.mentor((&mentor.id, &mentor.group), Seats { min, max }, at, |at| mentor_at(at).into());
    }
    for (pair, at) in part.candidates.into_iter().zip(candidates..) {
        problem.candidate((&pair.mentee, &pair.mentor), pair.score, at, |at| candidate_at(at).into());
    }
    for (decided, at) in part.decisions.into_iter().zip(decisions..) {
        let decision = match decided.kind() {
            v1::DecisionKind::Pin => Decision::Pin,
            v1::DecisionKind::Veto => Decision::Veto,
            v1::DecisionKind::Unspecified => {
                wrong.add(
                    decision_at(at) + ".kind",
                    "is missing; give DECISION_KIND_PIN or DECISION_KIND_VETO",
                );
                Decision::Veto
            }
        };
        problem.decision((&decided.mentee, &decided.mentor), decision, at, |at| decision_at(at).into());
    }
    for (group, at) in part.groups.into_iter().zip(groups..) {
        let side = match group.side() {
            v1::Side::Mentee => GroupSide::Mentees,
            v1::Side::Mentor => GroupSide::Mentors,
            v1::Side::Unspecified => {
                wrong.add(group_at(at) + ".side", "is missing; give SIDE_MENTEE or SIDE_MENTOR");
                GroupSide::Mentees
            }
        };
        let min = within(group.min_pairs, || group_at(at) + ".min_pairs", i32::MAX, &mut wrong);
        let max = group
            .max_pairs
            .map_or(u32::MAX, |max| within(max, || group_at(at) + ".max_pairs", i32::MAX, &mut wrong));
        problem.group(side, (&group.id, &group.parent), Bounds { min, max }, at, |at| group_at(at).into());
    }
    problem.refuse(wrong);
}

/// The whole problem, or all its violations.
pub fn finish(problem: Builder, coverage_first: bool) -> Result<Instance, Violations> {
    let place_names = PlaceNames {
        candidate: &|at| candidate_at(at).into(),
        decision: &|at| decision_at(at).into(),
        group: &|at| group_at(at).into(),
    };
    problem.finish(coverage_first, place_names)
}

fn mentee_at(at: Place) -> String {
    format!("problem.mentees[{at}]")
}

fn mentor_at(at: Place) -> String {
    format!("problem.mentors[{at}]")
}

fn candidate_at(at: Place) -> String {
    format!("problem.candidates[{at}]")
}

fn decision_at(at: Place) -> String {
    format!("problem.decisions[{at}]")
}

fn group_at(at: Place) -> String {
    format!("problem.groups[{at}]")
}

/// A number from 0 to `most`; otherwise 0, with a violation.
pub(crate) fn within<T: TryFrom<i32> + Default>(
    value: i32,
    field: impl FnOnce() -> String,
    most: i32,
    wrong: &mut Violations,
) -> T {
    let fits = (0..=most).contains(&value).then(|| T::try_from(value).ok()).flatten();
    fits.unwrap_or_else(|| {
        wrong.add(
            field(),
            message!("is {value}; give 0 to {most}", value = value.to_string(), most = most.to_string()),
        );
        T::default()
    })
}
