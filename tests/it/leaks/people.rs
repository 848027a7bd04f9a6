//! Random people of three organisations, the limits of their organisations, and the private answer that changes between two
//! worlds.

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

/// A private answer of a person, or a limit that her organisation sets for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Avoided,
    Preferred,
    PreviousPartner,
    ReportingLine,
    Shares,
    Wishes,
    CrossBorder,
    MostGiven,
    MostTaken,
}

impl Answer {
    /// Answers of people.
    pub(super) const ALL: [Self; 7] = [
        Self::Avoided,
        Self::Preferred,
        Self::PreviousPartner,
        Self::ReportingLine,
        Self::Shares,
        Self::Wishes,
        Self::CrossBorder,
    ];
    /// Answers of people, and limits of organisations.
    const WITH_LIMITS: [Self; 9] = [
        Self::Avoided,
        Self::Preferred,
        Self::PreviousPartner,
        Self::ReportingLine,
        Self::Shares,
        Self::Wishes,
        Self::CrossBorder,
        Self::MostGiven,
        Self::MostTaken,
    ];
}

/// The most places that an organisation gives, and that it takes.
pub(super) type Limits = [Option<i32>; 2];

/// A private answer of one person that changes: a name is added to a list, an identity answer or a consent is turned around, or
/// her organisation sets a limit or gives it up.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) who: usize,
    pub(super) answer: Answer,
    pub(super) other: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) people: Vec<Who>,
    /// The limits of each organisation.
    pub(super) limits: [Limits; 3],
    pub(super) change: Change,
    objective: v1::Objective,
    previous_partners: v1::PreviousPartners,
    min_score: i32,
    /// Whether a pair across borders needs the consent of both people.
    asks_for_consent: bool,
    /// Whether mentors with two places take two mentees or none.
    pub(super) takes_two_or_none: bool,
}

impl Case {
    /// A world under a plain policy, whose change changes nothing yet.
    pub(super) fn of(people: Vec<Who>) -> Self {
        Self {
            people,
            limits: [[None; 2]; 3],
            change: Change { who: 0, answer: Answer::Shares, other: 0 },
            objective: v1::Objective::BestTotal,
            previous_partners: v1::PreviousPartners::Forbid,
            min_score: 0,
            asks_for_consent: true,
            takes_two_or_none: false,
        }
    }

    /// The world after the change.
    pub(super) fn changed(&self) -> Self {
        let mut case = self.clone();
        let Change { who, answer, other } = self.change;
        let person = &mut case.people[who];
        let limits = &mut case.limits[person.home];
        let turned = |limit: Option<i32>| {
            let most = i32::try_from(other % 3).expect("a small number");
            limit.is_none().then_some(most)
        };
        match answer {
            Answer::MostGiven => limits[0] = turned(limits[0]),
            Answer::MostTaken => limits[1] = turned(limits[1]),
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
        case
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
            require_least_places: self.takes_two_or_none,
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
    let change = (any::<prop::sample::Index>(), 0..9_usize, 0..10_usize);
    let limit = || proptest::option::weighted(0.2, 0..3_i32);
    let limits = [[limit(), limit()], [limit(), limit()], [limit(), limit()]];
    let rules = (prop_oneof![Just(0), 3_000..6_000], any::<bool>(), any::<bool>(), limits);
    (people, change, objective, previous, rules).prop_map(
        |(people, (who, answer, other), objective, previous_partners, rules)| {
            let (min_score, asks_for_consent, takes_two_or_none, limits) = rules;
            // A stable result may exceed a limit, and goes with no least places.
            let is_stable = objective == v1::Objective::Stable;
            let takes_two_or_none = takes_two_or_none && !is_stable;
            let limits = if is_stable { [[None; 2]; 3] } else { limits };
            let who = who.index(people.len());
            // A manager may put any foreign name into a list of her own members; any answer of a foreign person may change.
            let is_foreign = |other: usize| people.get(other).is_none_or(|other| other.home != 0);
            let own = people[who].home == 0;
            let other = (other..other + 10)
                .map(|other| other % 10)
                .find(|other| *other != who && (!own || is_foreign(*other)));
            let answer = match answer {
                answer if own => Answer::ALL[answer % 3],
                answer if is_stable => Answer::ALL[answer % 7],
                answer => Answer::WITH_LIMITS[answer],
            };
            let change = Change { who, answer, other: other.unwrap_or(people.len()) };
            Case {
                people,
                limits,
                change,
                objective,
                previous_partners,
                min_score,
                asks_for_consent,
                takes_two_or_none,
            }
        },
    )
}

/// The resource name of a person.
pub(super) fn name(people: &[Who], at: usize) -> String {
    let home = people.get(at).map_or(1, |who| who.home);
    format!("organisations/{}/profiles/p{at}", ORGANISATIONS[home])
}

/// The profile of a person.
pub(super) fn draft(case: &Case, at: usize) -> ProfileDraft {
    let people = &case.people;
    let who = &people[at];
    let named = |list: Answer| -> Vec<String> {
        let mut others = who.lists[list as usize].clone();
        others.retain(|other| *other != at);
        others.sort_unstable();
        others.dedup();
        others.into_iter().map(|other| name(people, other)).collect()
    };
    let min_mentees = case.takes_two_or_none.then_some(who.seats);
    let offer = MentorOfferDraft { max_mentees: Some(who.seats), topics: Vec::new(), min_mentees };
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
