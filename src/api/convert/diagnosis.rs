//! To the messages of a round's diagnosis.

use super::count;
use super::outcome::{reason_message, unmatched_message};
use crate::api::proto::v1;
use crate::domain::diagnosis::{Balance, BalanceKind, RoundDiagnosis, Scarce, ScarceKind, Shortage};
use crate::domain::language;
use crate::domain::name::ProfileRef;
use crate::domain::recruit::{Recruit, recruits};
use crate::domain::vocabulary::{Kind as _, Lang, Topic};

/// Names of people in one list at most, and people without a match.
const MOST_PEOPLE: usize = 1_000;
/// Shortages and kinds of mentor at most.
const MOST_GROUPS: usize = 100;

/// To the message, with texts in `lang`.
pub fn message(diagnosis: &RoundDiagnosis, lang: Lang) -> v1::RoundDiagnosis {
    let advice = recruits(&diagnosis.unmatched);
    v1::RoundDiagnosis {
        mentees: count(diagnosis.mentees),
        mentors_wanted: count(diagnosis.wanted),
        mentors: count(diagnosis.mentors),
        places: count(diagnosis.places),
        most_matched_mentees: count(diagnosis.most_matched),
        unmatched: diagnosis
            .unmatched
            .iter()
            .take(MOST_PEOPLE)
            .map(|one| unmatched_message(one, lang))
            .collect(),
        unmatched_count: count(diagnosis.unmatched.len() as u64),
        shortages: diagnosis.shortages.iter().take(MOST_GROUPS).map(shortage).collect(),
        shortages_count: count(diagnosis.shortages.len() as u64),
        scarce: diagnosis.scarce.iter().map(|one| scarce(one, lang)).collect(),
        balances: diagnosis.balances.iter().map(|one| balance(one, lang)).collect(),
        missing_answers: diagnosis
            .missing
            .iter()
            .map(|missing| v1::MissingAnswers {
                field: missing.field.to_owned(),
                mentees: count(missing.mentees),
                mentors: count(missing.mentors),
            })
            .collect(),
        quotas_unmet: diagnosis.quotas_unmet.iter().map(|one| reason_message(one, lang)).collect(),
        recruits: advice.iter().take(MOST_GROUPS).map(|one| recruit(one, lang)).collect(),
    }
}

fn names(people: &[ProfileRef]) -> Vec<String> {
    people.iter().take(MOST_PEOPLE).map(ProfileRef::name).collect()
}

fn shortage(shortage: &Shortage) -> v1::Shortage {
    v1::Shortage {
        mentees: names(&shortage.mentees),
        mentees_count: count(shortage.mentees.len() as u64),
        mentors: names(&shortage.mentors),
        mentors_count: count(shortage.mentors.len() as u64),
        places: count(shortage.places),
    }
}

fn recruit(recruit: &Recruit, lang: Lang) -> v1::RecruitAdvice {
    v1::RecruitAdvice {
        mentor: Some(reason_message(&recruit.mentor, lang)),
        mentees: names(&recruit.mentees),
        mentees_count: count(recruit.mentees.len() as u64),
    }
}

fn scarce(scarce: &Scarce, lang: Lang) -> v1::ScarceSupply {
    let (kind, label) = match scarce.kind {
        ScarceKind::Language => (v1::SupplyKind::Language, language::label(&scarce.code, lang)),
        ScarceKind::Topic => (
            v1::SupplyKind::Topic,
            Topic::vocabulary().term(&scarce.code).map_or(scarce.code.as_str(), |term| term.label(lang)),
        ),
    };
    v1::ScarceSupply {
        kind: kind.into(),
        code: scarce.code.clone(),
        label: label.to_owned(),
        mentees: count(scarce.mentees),
        places: count(scarce.places),
    }
}

fn balance(balance: &Balance, lang: Lang) -> v1::SupplyBalance {
    let (kind, code, label) = match &balance.kind {
        BalanceKind::Region(region) => {
            (v1::SupplyKind::Region, region.code().to_owned(), region.label(lang).to_owned())
        }
        BalanceKind::Organisation(id) => (v1::SupplyKind::Organisation, id.name(), id.name()),
    };
    v1::SupplyBalance {
        kind: kind.into(),
        code,
        label,
        mentees: count(balance.mentees),
        mentors_wanted: count(balance.wanted),
        mentors: count(balance.mentors),
        places: count(balance.places),
    }
}
