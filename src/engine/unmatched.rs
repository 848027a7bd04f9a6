//! Reasons for everyone without a match, with the smallest change that would give the person candidates.
//!
//! Input: the encoded round with open answers only, and its matches by position. Output: one entry per person and role
//! without a match, in the form for coordinators and in the form for managers.
//! Invariants: every enrolled person has a match or an entry, on each side on which she takes part (`headcount` checks it).
//! No private answer changes an entry. An entry for managers
//! has no exact count of other organisations' people, and the members of the manager's own organisation change none of
//! its bands.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::assign::StopPoll;
use super::encode::Round;
use super::exclusion_counts;
use super::exclusion_counts::{CountsOfPerson, ExclusionCounts, RuleCounts};
use super::observer::{Observer, Stopped};
use super::score::Scores;
use super::wanted::Need;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::policy::{HardRule, Policy};
use crate::domain::profile::{MentorOffer, Profile};
use crate::domain::run::{Side, Unmatched, UnmatchedReason};
use crate::domain::snapshot::Participant;
use crate::domain::suppression::{Guarded, PeopleCount};

/// Units of work of writing one entry, between two polls of the observer.
const REASON_WORK: usize = 512;

/// Everyone of a round without a match: mentees, mentors, people without a role, each by profile.
#[derive(Debug)]
pub(super) struct EveryoneUnmatched {
    /// As coordinators read it.
    pub(super) for_coordinators: Vec<Unmatched>,
    /// The same people as the manager of each person's organisation reads it.
    pub(super) for_managers: Vec<Unmatched>,
    /// Counts of all pairs.
    pub(super) counts: RuleCounts,
}

/// Everyone of a round without a match. `round` and `scores` hold open answers only; `pairs` are the matches by position.
pub(super) fn unmatched(
    round: &Round<'_>,
    scores: &Scores<'_>,
    pairs: &[(u32, u32)],
    observer: &dyn Observer,
) -> Result<EveryoneUnmatched, Stopped> {
    let without = |size: usize, matched: fn(&(u32, u32)) -> u32| -> Vec<usize> {
        let mut is_matched = vec![false; size];
        for pair in pairs {
            if let Some(flag) = is_matched.get_mut(matched(pair) as usize) {
                *flag = true;
            }
        }
        (0..size).filter(|at| !is_matched[*at]).collect()
    };
    let mentees = without(round.mentees.len(), |pair| pair.0);
    let mentors = without(round.mentors.len(), |pair| pair.1);
    let ExclusionCounts { all: counts, of_mentees, of_mentors } =
        exclusion_counts::count(scores, round, &mentees, &mentors, observer)?;
    let [mentees_at_home, mentors_at_home] =
        [&round.mentees, &round.mentors].map(|side| people_by_organisation(round, side));
    let closed = closed_mentors(round, &mentors);
    let mut poll = StopPoll::new(observer);
    let mut all = Vec::with_capacity(mentees.len() + mentors.len());
    for (at, counts) in mentees.into_iter().zip(&of_mentees) {
        poll.count(REASON_WORK)?;
        let person = round.mentee(at);
        let others = Counterparts {
            all: round.mentors.len() as u64 - u64::from(person.mentor.is_some()),
            foreign: round.mentors.len() as u64 - at_home(&mentors_at_home, person.profile),
        };
        let mentee = Some((person.content, &round.snapshot.policy));
        let mut both = entries(person.profile, Side::Mentee, others, counts, mentee);
        poll.count(closed.len())?;
        explain_closed(&mut both, &closed_candidates(round, scores, at, &closed));
        all.push(both);
    }
    for (at, counts) in mentors.into_iter().zip(&of_mentors) {
        poll.count(REASON_WORK)?;
        let person = round.mentor(at);
        let others = Counterparts {
            all: round.mentees.len() as u64 - u64::from(person.mentee.is_some()),
            foreign: round.mentees.len() as u64 - at_home(&mentees_at_home, person.profile),
        };
        let mut both = entries(person.profile, Side::Mentor, others, counts, None);
        if closed.contains(&at) && both.0.reason == UnmatchedReason::PlacesLeftOver {
            let least = person.content.mentor_offer.map_or(0, MentorOffer::fewest);
            let below = Reason::new(ReasonCode::BelowLeastPlaces).with("least", least);
            both.0.details.push(below.clone());
            both.1.details.push(below);
        }
        all.push(both);
    }
    for participant in &round.left_out {
        poll.count(REASON_WORK)?;
        all.extend(without_consent(participant));
    }
    for person in round.people.iter().filter(|person| person.mentee.is_none() && person.mentor.is_none()) {
        poll.count(REASON_WORK)?;
        all.push(not_considered(person.profile, None, UnmatchedReason::NoRole, ReasonCode::NoRole));
    }
    all.par_sort_by(|(a, _), (b, _)| {
        (a.side.is_none(), a.side, &a.profile).cmp(&(b.side.is_none(), b.side, &b.profile))
    });
    let (for_coordinators, for_managers) = all.into_iter().unzip();
    Ok(EveryoneUnmatched { for_coordinators, for_managers, counts })
}

/// Of the mentors without a mentee, those whose least places are a rule and matter.
fn closed_mentors(round: &Round<'_>, unmatched: &[usize]) -> Vec<usize> {
    if !round.snapshot.requires_least_places() {
        return Vec::new();
    }
    let least = |at: &usize| round.mentor(*at).content.mentor_offer.map_or(0, MentorOffer::fewest);
    unmatched.iter().copied().filter(|at| least(at) > 1).collect()
}

/// The closed mentors who are candidates of a mentee.
fn closed_candidates<'a>(
    round: &'a Round<'_>,
    scores: &Scores<'_>,
    mentee: usize,
    closed: &[usize],
) -> Vec<&'a ProfileRef> {
    let candidates = closed.iter().filter(|mentor| scores.verdict(mentee, **mentor).is_candidate());
    candidates.map(|mentor| round.mentor(*mentor).profile).collect()
}

/// Adds to the entries of a mentee who has candidates that some of them are closed. Her manager reads so of enough people of
/// other organisations only.
fn explain_closed((for_coordinators, for_managers): &mut (Unmatched, Unmatched), closed: &[&ProfileRef]) {
    if for_coordinators.reason != UnmatchedReason::Outcompeted || closed.is_empty() {
        return;
    }
    let missed = Reason::new(ReasonCode::LeastPlacesMissed).with("mentors", closed.len());
    for_coordinators.details.push(missed);
    let own = &for_coordinators.profile.organisation;
    let foreign = closed.iter().filter(|mentor| mentor.organisation != *own).count() as u64;
    if Guarded::new(foreign).is_tellable() {
        for_managers.details.push(Reason::new(ReasonCode::LeastPlacesMissedUncounted));
    }
}

/// People of one side by organisation.
fn people_by_organisation<'a>(round: &Round<'a>, side: &[u32]) -> HashMap<&'a OrganisationId, u64> {
    let mut counts = HashMap::new();
    for at in side {
        *counts.entry(&round.people[*at as usize].profile.organisation).or_insert(0) += 1;
    }
    counts
}

fn at_home(people: &HashMap<&OrganisationId, u64>, profile: &ProfileRef) -> u64 {
    people.get(&profile.organisation).copied().unwrap_or_default()
}

/// People of the other side of one person, except herself.
#[derive(Debug, Clone, Copy)]
struct Counterparts {
    all: u64,
    /// Of these, people of other organisations.
    foreign: u64,
}

/// The entry of one person for coordinators, and the one for her manager. For a mentee, both name the mentor who would
/// change the result, by her profile and the policy.
fn entries(
    profile: &ProfileRef,
    side: Side,
    counterparts: Counterparts,
    counts: &CountsOfPerson,
    mentee: Option<(&Profile, &Policy)>,
) -> (Unmatched, Unmatched) {
    let (all, candidates) = (counterparts.all, counts.all.candidates);
    let (reason, main, uncounted) = if all == 0 {
        let main = Reason::new(ReasonCode::NoCounterpart);
        (UnmatchedReason::NoCounterpart, main.clone(), main)
    } else if candidates == 0 {
        let main = Reason::new(ReasonCode::NoCandidate).with("counterparts", all);
        (UnmatchedReason::NoCandidate, main, Reason::new(ReasonCode::NoCandidateUncounted))
    } else {
        let (reason, code, uncounted) = match side {
            Side::Mentee => {
                (UnmatchedReason::Outcompeted, ReasonCode::Outcompeted, ReasonCode::OutcompetedUncounted)
            }
            Side::Mentor => (
                UnmatchedReason::PlacesLeftOver,
                ReasonCode::PlacesLeftOver,
                ReasonCode::PlacesLeftOverUncounted,
            ),
        };
        (reason, Reason::new(code).with("candidates", candidates), Reason::new(uncounted))
    };
    let has_hint = reason == UnmatchedReason::NoCandidate;
    let (need, need_for_manager) = if has_hint {
        let CountsOfPerson { all, foreign } = counts;
        let widest = |counts| widest_rule(counts).map(|(rule, _)| rule);
        let need = Need::of_counts(all, counterparts.all, widest(all));
        (need, Need::for_manager(foreign, counterparts.foreign, widest(foreign)))
    } else {
        (Need::AnyMentor, Need::AnyMentor)
    };
    let wanted = |need: Need| mentee.map_or_else(Vec::new, |(mentee, policy)| need.reasons(mentee, policy));
    let open = |count: u64| Guarded::new(count).for_coordinators();
    let banded = |count: u64| Guarded::new(count).for_managers();
    let for_coordinators = Unmatched {
        profile: profile.clone(),
        side: Some(side),
        reason,
        counterparts: open(all),
        candidates: open(candidates),
        exclusions: by_rule(|rule| counts.all.excluded_by(rule)).map(|(rule, n)| (rule, open(n))).collect(),
        details: [main]
            .into_iter()
            .chain(has_hint.then(|| best_relaxation(&counts.all)))
            .chain(wanted(need))
            .collect(),
    };
    let told =
        by_rule(|rule| counts.foreign.excluded_by(rule)).filter(|(_, n)| Guarded::new(*n).is_tellable());
    let for_managers = Unmatched {
        counterparts: banded(counterparts.foreign),
        candidates: banded(counts.foreign.candidates),
        exclusions: told.map(|(rule, n)| (rule, banded(n))).collect(),
        details: [uncounted]
            .into_iter()
            .chain(has_hint.then(|| tellable_relaxation(&counts.foreign)).flatten())
            .chain(wanted(need_for_manager))
            .collect(),
        ..for_coordinators.clone()
    };
    (for_coordinators, for_managers)
}

/// The counts by rule that are above 0.
fn by_rule(count: impl Fn(HardRule) -> u64) -> impl Iterator<Item = (HardRule, u64)> {
    HardRule::ALL.into_iter().map(move |rule| (rule, count(rule))).filter(|(_, people)| *people > 0)
}

/// The rule without which the person would have the most candidates, with their number.
fn widest_rule(counts: &RuleCounts) -> Option<(HardRule, u64)> {
    by_rule(|rule| counts.excluded_only_by(rule)).max_by_key(|(rule, alone)| (*alone, Reverse(*rule)))
}

/// The single rule without which the person would have the most candidates.
fn best_relaxation(counts: &RuleCounts) -> Reason {
    match widest_rule(counts) {
        Some((rule, alone)) => {
            Reason::new(ReasonCode::SingleRuleRelaxed).with("rule", rule.as_str()).with("candidates", alone)
        }
        None => Reason::new(ReasonCode::SeveralRules),
    }
}

/// The same from people of other organisations, if their number may be told.
fn tellable_relaxation(counts: &RuleCounts) -> Option<Reason> {
    let (rule, _) = widest_rule(counts).filter(|(_, alone)| Guarded::new(*alone).is_tellable())?;
    Some(Reason::new(ReasonCode::SingleRuleUncounted).with("rule", rule.as_str()))
}

/// One entry for each role of a person without a live consent, or one without a side if she has no role. Without a consent
/// the engine must not evaluate her answers.
fn without_consent(participant: &Participant) -> impl Iterator<Item = (Unmatched, Unmatched)> {
    let content = &participant.content;
    let roles = [
        content.open_request().is_some().then_some(Some(Side::Mentee)),
        content.open_offer().is_some().then_some(Some(Side::Mentor)),
        (content.open_request().is_none() && content.open_offer().is_none()).then_some(None),
    ];
    let entry = |side| {
        not_considered(&participant.profile, side, UnmatchedReason::NoLiveConsent, ReasonCode::NoLiveConsent)
    };
    roles.into_iter().flatten().map(entry)
}

/// The entries of a person whom the engine does not compare with anybody.
fn not_considered(
    profile: &ProfileRef,
    side: Option<Side>,
    reason: UnmatchedReason,
    code: ReasonCode,
) -> (Unmatched, Unmatched) {
    let nobody = |count: PeopleCount| Unmatched {
        profile: profile.clone(),
        side,
        reason,
        counterparts: count,
        candidates: count,
        exclusions: BTreeMap::new(),
        details: vec![Reason::new(code)],
    };
    (nobody(Guarded::new(0).for_coordinators()), nobody(Guarded::new(0).for_managers()))
}
