//! The diagnosis of a round from its profiles.
//!
//! Input: the snapshot of a round that was not run. Output: a [`RoundDiagnosis`], from open answers alone.
//! Cost: one assignment of counts for the over-subscribed groups and one for the people without a match, and the passes
//! over all pairs that both need.

use std::collections::BTreeMap;

use super::shortages;
use crate::domain::diagnosis::{
    Balance, BalanceKind, MissingAnswer, RoundDiagnosis, Scarce, ScarceKind, Shortage,
};
use crate::domain::name::ProfileRef;
use crate::domain::profile::{Language, Profile};
use crate::domain::run::Side;
use crate::domain::snapshot::Snapshot;
use crate::engine::assign::assign;
use crate::engine::encode::{AnswersUsed, Person, Round};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{FORBIDDEN, ThresholdedScores};
use crate::engine::problem::Problem;
use crate::engine::round_quotas::unmet;
use crate::engine::score::Scores;
use crate::engine::{Options, pool, unmatched};

/// Diagnoses a round. The only error is that `observer` stopped the operation.
pub fn diagnose_round(
    snapshot: &Snapshot,
    options: &Options,
    observer: &dyn Observer,
) -> Result<RoundDiagnosis, Stopped> {
    pool::on_threads(options.threads, || diagnosis(snapshot, observer))
}

fn diagnosis(snapshot: &Snapshot, observer: &dyn Observer) -> Result<RoundDiagnosis, Stopped> {
    let round = Round::encode_where(snapshot, AnswersUsed::Open, None, |_| true, observer)?;
    let scores = Scores::new(&round, observer)?;
    let (mentees, mentors) = (round.demands(), round.seats());
    let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: true };
    let groups = shortages(&problem, observer)?;
    // Every candidate counts alike: who is matched is left to the run.
    let level = ThresholdedScores::levelled(problem.scores, FORBIDDEN + 1, observer)?;
    let most = assign(&problem.with_scores(&level), observer)?;
    let everyone = unmatched::unmatched(&round, &scores, &most.pairs, observer)?;
    let mentee = |at: &u32| round.mentee(*at as usize).profile.clone();
    let mentor = |at: &u32| round.mentor(*at as usize).profile.clone();
    let shortages = groups.iter().map(|group| Shortage {
        mentees: sorted(group.mentees.iter().map(mentee)),
        mentors: sorted(group.mentors.iter().map(mentor)),
        places: group.seats,
    });
    Ok(RoundDiagnosis {
        mentees: mentees.len() as u64,
        wanted: mentees.iter().map(|demand| u64::from(demand.wanted)).sum(),
        mentors: mentors.len() as u64,
        places: mentors.iter().map(|seats| u64::from(seats.max)).sum(),
        most_matched: most.pairs.chunk_by(|one, other| one.0 == other.0).count() as u64,
        unmatched: everyone.for_coordinators,
        shortages: shortages.collect(),
        scarce: scarce(&round),
        balances: balances(&round),
        missing: missing(&round),
        quotas_unmet: unmet::by_open_answers(&round, observer)?,
    })
}

fn sorted(people: impl Iterator<Item = ProfileRef>) -> Vec<ProfileRef> {
    let mut people: Vec<ProfileRef> = people.collect();
    people.sort_unstable();
    people
}

/// The mentees and the mentors of a round.
fn sides<'a, 'r>(round: &'a Round<'r>) -> [(Side, impl Iterator<Item = &'a Person<'r>>); 2] {
    let people = |side: &'a [u32]| side.iter().map(|at| &round.people[*at as usize]);
    [(Side::Mentee, people(&round.mentees)), (Side::Mentor, people(&round.mentors))]
}

/// Mentors whom a mentee seeks.
fn wanted(profile: &Profile) -> u64 {
    profile.open_request().map_or(0, |request| request.wanted().clamp(1, 2).into())
}

/// Places of a mentor.
fn places(profile: &Profile) -> u64 {
    profile.open_offer().map_or(0, |offer| offer.max_mentees.into())
}

/// What is sought by more mentees than there are places, the largest shortage first within its kind.
fn scarce(round: &Round<'_>) -> Vec<Scarce> {
    let level = round.snapshot.policy.rules.min_language_level;
    let spoken = |profile: &Profile| -> Vec<String> {
        let mut spoken: Vec<&str> = (profile.languages.iter())
            .filter(|language| language.level >= level)
            .map(Language::primary)
            .collect();
        spoken.sort_unstable();
        spoken.dedup();
        spoken.into_iter().map(str::to_owned).collect()
    };
    // Mentees who need it, and places that offer it.
    let mut counts: BTreeMap<(ScarceKind, String), (u64, u64)> = BTreeMap::new();
    for (side, people) in sides(round) {
        for profile in people.map(|person| person.content) {
            let (languages, topics) = match side {
                // A mentee with two languages needs neither of them.
                Side::Mentee => {
                    let only = spoken(profile);
                    let topics = profile.open_request().map(|request| request.topics);
                    (if only.len() == 1 { only } else { Vec::new() }, topics)
                }
                Side::Mentor => (spoken(profile), profile.open_offer().map(|offer| offer.topics)),
            };
            let languages = languages.into_iter().map(|code| (ScarceKind::Language, code));
            let topics = topics.iter().flat_map(|topics| topics.codes());
            let topics = topics.map(|code| (ScarceKind::Topic, code.to_owned()));
            for key in languages.chain(topics) {
                let count = counts.entry(key).or_default();
                match side {
                    Side::Mentee => count.0 += 1,
                    Side::Mentor => count.1 += places(profile),
                }
            }
        }
    }
    let mut scarce: Vec<Scarce> = counts
        .into_iter()
        .filter(|(_, (mentees, places))| mentees > places)
        .map(|((kind, code), (mentees, places))| Scarce { kind, code, mentees, places })
        .collect();
    scarce.sort_by_key(|one| (one.kind, std::cmp::Reverse(one.mentees - one.places)));
    scarce
}

/// Places and demand by region and by organisation, in this order.
fn balances(round: &Round<'_>) -> Vec<Balance> {
    let mut balances: BTreeMap<BalanceKind, Balance> = BTreeMap::new();
    for (side, people) in sides(round) {
        for person in people {
            let region = BalanceKind::Region(person.content.country.region());
            let organisation = BalanceKind::Organisation(person.profile.organisation.clone());
            for kind in [region, organisation] {
                let empty = Balance { kind: kind.clone(), mentees: 0, wanted: 0, mentors: 0, places: 0 };
                let balance = balances.entry(kind).or_insert(empty);
                match side {
                    Side::Mentee => {
                        balance.mentees += 1;
                        balance.wanted += wanted(person.content);
                    }
                    Side::Mentor => {
                        balance.mentors += 1;
                        balance.places += places(person.content);
                    }
                }
            }
        }
    }
    balances.into_values().collect()
}

/// Missing answers, those of most people first.
fn missing(round: &Round<'_>) -> Vec<MissingAnswer> {
    let mut missing: BTreeMap<&'static str, MissingAnswer> = BTreeMap::new();
    for (side, people) in sides(round) {
        for field in people.flat_map(|person| missing_answers(side, person.content)) {
            let entry = missing.entry(field).or_insert(MissingAnswer { field, mentees: 0, mentors: 0 });
            match side {
                Side::Mentee => entry.mentees += 1,
                Side::Mentor => entry.mentors += 1,
            }
        }
    }
    let mut missing: Vec<MissingAnswer> = missing.into_values().collect();
    missing.sort_by_key(|missing| (std::cmp::Reverse(missing.mentees + missing.mentors), missing.field));
    missing
}

/// Fields that a person has left empty, as one side of a pair: open answers that pairs are compared by.
fn missing_answers(side: Side, profile: &Profile) -> impl Iterator<Item = &'static str> + use<> {
    let topics = match side {
        Side::Mentee => profile.open_request().is_none_or(|request| request.topics.is_empty()),
        Side::Mentor => profile.open_offer().is_none_or(|offer| offer.topics.is_empty()),
    };
    let fields = [
        ("topics", topics),
        ("functions", profile.functions.is_empty()),
        ("commodities", profile.commodities.is_empty()),
        ("career_stage", profile.career_stage.is_none()),
        ("weekly_slots", profile.weekly_slots.is_empty()),
        ("meeting_modes", profile.meeting_modes.is_empty()),
        ("goals", profile.goals.is_empty()),
        ("working_styles", profile.working_styles.is_empty()),
    ];
    fields.into_iter().filter(|(_, is_missing)| *is_missing).map(|(field, _)| field)
}
