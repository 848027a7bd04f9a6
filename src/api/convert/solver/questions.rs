//! Conversions of questions about problems and results, and of the answers.

use prost::Message as _;

use super::result::{pairs, unmet_floors};
use crate::api::convert::count;
use crate::api::proto::v1;
use crate::api::proto::v1::what_if_question::Question as Asked;
use crate::domain::violation::Violations;
use crate::domain::vocabulary::Lang;
use crate::engine::constrained::{Mended, Plan, Question};
use crate::engine::objective_value::ObjectiveValue;
use crate::engine::repair::Proof;
use crate::engine::what_if::{Alternate, Cost};
use crate::instance::{Instance, Names};
use crate::message;
use crate::service::Diagnosed;
use crate::wording;

/// Most questions, and most alternates of each.
pub const MOST: u16 = 1_000;

/// The questions, by position.
pub fn asked(names: &Names, messages: &[v1::WhatIfQuestion], wrong: &mut Violations) -> Vec<Question> {
    if messages.is_empty() || messages.len() > usize::from(MOST) {
        wrong.add(
            "questions",
            message!(
                "are {count}; ask 1 to {most}",
                count = messages.len().to_string(),
                most = MOST.to_string()
            ),
        );
        return Vec::new();
    }
    let finder = names.finder();
    let mut questions = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        let question = match &message.question {
            Some(Asked::Pair(pair)) => {
                let people = finder.mentee(&pair.mentee).zip(finder.mentor(&pair.mentor));
                people.map(|(mentee, mentor)| Question::Pair(mentee, mentor))
            }
            Some(Asked::AlternatesOfMentee(id)) => finder.mentee(id).map(Question::OfMentee),
            Some(Asked::AlternatesOfMentor(id)) => finder.mentor(id).map(Question::OfMentor),
            None => None,
        };
        match question {
            Some(question) => questions.push(question),
            None => {
                wrong.add(format!("questions[{at}]"), "is empty, or names a person who is not in the problem")
            }
        }
    }
    questions
}

/// Most alternates of all questions of a call: each takes at most about 2 KiB of memory.
pub const MOST_IN_ALL: usize = 10_000;
/// Most bytes of an answer to all questions.
const ANSWER_BYTES: usize = 2 << 20;

/// Refuses questions whose alternates would be too many together.
pub fn within_all(questions: &[Question], most: usize, wrong: &mut Violations) {
    let of = |question: &Question| if matches!(question, Question::Pair(..)) { 1 } else { most };
    let all: usize = questions.iter().map(of).sum();
    if all > MOST_IN_ALL {
        let what = message!(
            "ask for {all} alternates together, and a call has at most {most}; ask less at a time",
            all = all.to_string(),
            most = MOST_IN_ALL.to_string()
        );
        wrong.add("questions", what);
    }
}

/// The answers to all questions. Beyond [`ANSWER_BYTES`] the lists of changes are left out, and then alternates.
pub fn answers(instance: &Instance, found: &[Vec<Alternate>]) -> v1::WhatIfResponse {
    let mut used = 0;
    let mut answer = |of_question: &Vec<Alternate>| {
        let mut answer = v1::WhatIfAnswer::default();
        for one in of_question {
            let mut message = alternate(instance, one);
            if used + message.encoded_len() > ANSWER_BYTES {
                message.changes_left_out += count((one.added.len() + one.removed.len()) as u64);
                (message.added, message.removed) = (Vec::new(), Vec::new());
            }
            if used + message.encoded_len() > ANSWER_BYTES {
                answer.alternates_left_out += 1;
                continue;
            }
            used += message.encoded_len() + 6;
            answer.alternates.push(message);
        }
        answer
    };
    v1::WhatIfResponse { answers: found.iter().map(&mut answer).collect() }
}

/// An alternate.
fn alternate(instance: &Instance, found: &Alternate) -> v1::AssignmentAlternate {
    v1::AssignmentAlternate {
        pair: pairs(instance, &[(found.mentee, found.mentor)]).next(),
        cost: Some(cost(&found.cost)),
        added: pairs(instance, &found.added).collect(),
        removed: pairs(instance, &found.removed).collect(),
        changes_left_out: count(found.unlisted as u64),
    }
}

fn cost(cost: &Cost) -> v1::AssignmentCost {
    let tiers = cost.tiers.iter();
    v1::AssignmentCost {
        tiers: tiers.map(|&(tier, mentees)| v1::TierCost { tier: tier.into(), mentees }).collect(),
        minimum_places: cost.minimum,
        second_mentors: cost.second,
        score: cost.score,
    }
}

/// The published pairs of people who are in the problem, and the number of other published pairs.
pub fn published(names: &Names, messages: &[v1::AssignmentPair]) -> (Vec<(u32, u32)>, u64) {
    let finder = names.finder();
    let known = |pair: &v1::AssignmentPair| finder.mentee(&pair.mentee).zip(finder.mentor(&pair.mentor));
    let known: Vec<(u32, u32)> = messages.iter().filter_map(known).collect();
    let gone = (messages.len() - known.len()) as u64;
    (known, gone)
}

/// The repaired pairs. `gone` is the number of published pairs of people who have left.
pub fn repaired(instance: &Instance, mended: &Mended, gone: u64) -> v1::RepairResponse {
    let Mended { kept, changed, lost, repaired, .. } = mended;
    let (unmatched_mentees, unmatched_mentors) = instance.unmatched(&mended.pairs);
    let proof = match repaired.proof {
        _ if !repaired.proved() => v1::RepairProof::None,
        Proof::Whole => v1::RepairProof::Whole,
        Proof::Pinned => v1::RepairProof::Pinned,
        Proof::Bonus(_) => v1::RepairProof::Bonus,
        Proof::Branches => v1::RepairProof::Branches,
    };
    v1::RepairResponse {
        pairs: pairs(instance, &mended.pairs).collect(),
        kept: count(*kept as u64),
        changed: count(*changed as u64),
        lost: count(*lost as u64 + gone),
        total_score: ObjectiveValue::of(&instance.problem(), &mended.pairs).score,
        value: repaired.value.to_string(),
        bound: repaired.bound.to_string(),
        proved: repaired.proved(),
        proof: proof.into(),
        unmatched_mentees,
        unmatched_mentors,
    }
}

/// Shortages, and mentors to recruit.
pub fn diagnosis(diagnosed: &Diagnosed, lang: Lang) -> v1::DiagnoseResponse {
    let Diagnosed { instance, diagnosis, reasons } = diagnosed;
    let mentees = |positions: &[u32]| -> Vec<String> {
        positions.iter().map(|at| instance.names.mentee(*at as usize)).collect()
    };
    let shortages = diagnosis.shortages.iter().map(|set| v1::AssignmentShortage {
        missing: count(set.missing()),
        places: count(set.seats),
        mentees: mentees(&set.mentees),
        mentors: set.mentors.iter().map(|at| instance.names.mentor(*at as usize)).collect(),
    });
    let unmet = diagnosis.unmet.as_ref();
    let recruits = diagnosis.plan.iter().flat_map(Plan::costs);
    v1::DiagnoseResponse {
        without_candidates: mentees(&diagnosis.without_candidates),
        shortages: shortages.collect(),
        unmet_floors: unmet.map(|unmet| unmet_floors(instance, unmet, reasons, lang)),
        recruits: recruits
            .map(|(like, brings)| v1::AssignmentRecruit {
                like: instance.names.mentor(like as usize),
                cost: Some(cost(&brings)),
            })
            .collect(),
        warnings: instance
            .names
            .similar()
            .into_iter()
            .map(|warning| v1::AssignmentWarning {
                code: warning.code as i32,
                description: wording::warning(&warning, lang),
                id: warning.value,
            })
            .collect(),
    }
}
