//! Random people of three organisations, and the private answer that changes between two worlds.

use proptest::prelude::*;
use wim_match::api::proto::v1;
use wim_match::domain::profile::{
    ConsentDraft, IdentityDraft, MenteeRequestDraft, MentorOfferDraft, ProfileDraft,
};

use super::ORGANISATIONS;
use crate::world::member;

/// Country of each organisation's people.
const COUNTRIES: [&str; 3] = ["PE", "KE", "CL"];
const STAGES: [&str; 3] = ["early_career", "professional", "senior_manager"];

/// A person. People are named by position; a position beyond the last person is somebody who does not exist.
#[derive(Debug, Clone)]
pub(super) struct Who {
    /// Position of her organisation.
    pub(super) home: usize,
    /// Mentee, mentor or both.
    pub(super) role: usize,
    pub(super) stage: usize,
    /// Whether she speaks French and English, or Spanish and English.
    pub(super) french: bool,
    pub(super) employer: Option<u8>,
    pub(super) seats: i32,
    /// For each list, the people in it.
    pub(super) lists: [Vec<usize>; 4],
    /// Whether she shares an identity group, and whether she wishes for one.
    pub(super) identity: (bool, bool),
    /// Whether she consents to matches across borders. Each organisation is in a country of its own.
    pub(super) crosses: bool,
}

impl Who {
    pub(super) fn plain() -> Self {
        Self {
            home: 0,
            role: 0,
            stage: 1,
            french: false,
            employer: None,
            seats: 1,
            lists: [const { Vec::new() }; 4],
            identity: (false, false),
            crosses: true,
        }
    }
}

/// A private answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Avoided,
    Preferred,
    PreviousPartner,
    ReportingLine,
    Shares,
    Wishes,
    CrossBorder,
}

impl Answer {
    pub(super) const ALL: [Self; 7] = [
        Self::Avoided,
        Self::Preferred,
        Self::PreviousPartner,
        Self::ReportingLine,
        Self::Shares,
        Self::Wishes,
        Self::CrossBorder,
    ];
}

/// A private answer of one person that changes: a name is added to a list, or an identity answer or a consent is turned around.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) who: usize,
    pub(super) answer: Answer,
    pub(super) other: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) people: Vec<Who>,
    pub(super) change: Change,
    objective: v1::Objective,
    previous_partners: v1::PreviousPartners,
    min_score: i32,
    /// Whether a pair across borders needs the consent of both people.
    asks_for_consent: bool,
}

impl Case {
    /// A world under a plain policy, whose change changes nothing yet.
    pub(super) fn of(people: Vec<Who>) -> Self {
        Self {
            people,
            change: Change { who: 0, answer: Answer::Shares, other: 0 },
            objective: v1::Objective::BestTotal,
            previous_partners: v1::PreviousPartners::Forbid,
            min_score: 0,
            asks_for_consent: true,
        }
    }

    /// The people after the change.
    pub(super) fn changed(&self) -> Vec<Who> {
        let mut people = self.people.clone();
        let Change { who, answer, other } = self.change;
        let person = &mut people[who];
        match answer {
            Answer::Shares => person.identity.0 = !person.identity.0,
            Answer::Wishes => person.identity.1 = !person.identity.1,
            Answer::CrossBorder => person.crosses = !person.crosses,
            list => {
                // Nobody is preferred and avoided.
                let other_list = match list {
                    Answer::Avoided => Some(Answer::Preferred),
                    Answer::Preferred => Some(Answer::Avoided),
                    _ => None,
                };
                if let Some(list) = other_list {
                    person.lists[list as usize].retain(|name| *name != other);
                }
                person.lists[list as usize].push(other);
            }
        }
        people
    }

    /// The policy: every private criterion weighs much.
    pub(super) fn policy(&self) -> v1::Policy {
        use v1::Criterion::{CareerStage, Identity, Language, Preference, PreviousPartner};
        let weight = |criterion: v1::Criterion, weight| v1::CriterionWeight {
            criterion: criterion.into(),
            weight,
            neutral: Some(5_000),
        };
        v1::Policy {
            objective: self.objective.into(),
            criteria: vec![
                weight(Language, 20),
                weight(CareerStage, 20),
                weight(Preference, 20),
                weight(Identity, 20),
                weight(PreviousPartner, 10),
            ],
            hard_rules: Some(v1::HardRules {
                previous_partners: self.previous_partners.into(),
                min_score: self.min_score,
                require_cross_border_consent: self.asks_for_consent,
                ..v1::HardRules::default()
            }),
            ..v1::Policy::default()
        }
    }
}

/// Worlds of 4 to 9 people.
pub(super) fn cases() -> impl Strategy<Value = Case> {
    let list = || proptest::collection::vec(0..10_usize, 0..2);
    let open = (0..3_usize, 0..3_usize, 0..3_usize, any::<bool>(), proptest::option::of(0..2_u8), 1..3_i32);
    let who = (open, [list(), list(), list(), list()], any::<((bool, bool), bool)>());
    let who =
        who.prop_map(|((home, role, stage, french, employer, seats), mut lists, (identity, crosses))| {
            let avoided = lists[0].clone();
            lists[1].retain(|name| !avoided.contains(name));
            Who { home, role, stage, french, employer, seats, lists, identity, crosses }
        });
    let objective = prop_oneof![
        2 => Just(v1::Objective::BestTotal),
        1 => Just(v1::Objective::Fairest),
        1 => Just(v1::Objective::Stable),
    ];
    let previous = prop_oneof![
        Just(v1::PreviousPartners::Forbid),
        Just(v1::PreviousPartners::Discourage),
        Just(v1::PreviousPartners::Prefer),
    ];
    let people = proptest::collection::vec(who, 4..10);
    let change = (any::<prop::sample::Index>(), 0..7_usize, 0..10_usize);
    (people, change, objective, previous, prop_oneof![Just(0), 3_000..6_000], any::<bool>()).prop_map(
        |(people, (who, answer, other), objective, previous_partners, min_score, asks_for_consent)| {
            let who = who.index(people.len());
            // A manager may put any foreign name into a list of her own members; any answer of a foreign person may change.
            let is_foreign = |other: usize| people.get(other).is_none_or(|other| other.home != 0);
            let own = people[who].home == 0;
            let other = (other..other + 10)
                .map(|other| other % 10)
                .find(|other| *other != who && (!own || is_foreign(*other)));
            let answer = if own { Answer::ALL[answer % 3] } else { Answer::ALL[answer] };
            let change = Change { who, answer, other: other.unwrap_or(people.len()) };
            Case { people, change, objective, previous_partners, min_score, asks_for_consent }
        },
    )
}

/// The resource name of a person.
pub(super) fn name(people: &[Who], at: usize) -> String {
    let home = people.get(at).map_or(1, |who| who.home);
    format!("organisations/{}/profiles/p{at}", ORGANISATIONS[home])
}

/// The profile of a person.
pub(super) fn draft(people: &[Who], at: usize) -> ProfileDraft {
    let who = &people[at];
    let named = |list: Answer| -> Vec<String> {
        let mut others = who.lists[list as usize].clone();
        others.retain(|other| *other != at);
        others.sort_unstable();
        others.dedup();
        others.into_iter().map(|other| name(people, other)).collect()
    };
    let offer = MentorOfferDraft { max_mentees: Some(who.seats), topics: Vec::new(), min_mentees: None };
    let request = MenteeRequestDraft { mentors_wanted: Some(who.seats), ..MenteeRequestDraft::default() };
    let person = member(&format!("p{at}"));
    let consent = ConsentDraft { purpose: 2, ..person.consents[0].clone() };
    let crossing = ConsentDraft { purpose: 3, ..person.consents[0].clone() };
    let mut consents = vec![person.consents[0].clone(), consent];
    consents.extend(who.crosses.then_some(crossing));
    let group = |is_in: bool| if is_in { vec!["indigenous".to_owned()] } else { Vec::new() };
    let native = if who.french { "fr" } else { "es" };
    ProfileDraft {
        career_stage: STAGES[who.stage].to_owned(),
        languages: vec![(native.to_owned(), 7), ("en".to_owned(), if who.seats > 1 { 5 } else { 2 })],
        employer: who.employer.map(|employer| format!("mine {employer}")).unwrap_or_default(),
        mentor_offer: (who.role > 0).then_some(offer),
        mentee_request: (who.role != 1).then_some(request),
        avoided: named(Answer::Avoided),
        preferred: named(Answer::Preferred),
        previous_partners: named(Answer::PreviousPartner),
        reporting_line: named(Answer::ReportingLine),
        identity: Some(IdentityDraft { shares: group(who.identity.0), wishes: group(who.identity.1) }),
        consents,
        country: COUNTRIES[who.home].to_owned(),
        ..person
    }
}
