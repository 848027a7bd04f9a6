//! Reasons for everyone without a match, with the smallest change that would give the person candidates.
//!
//! Input: the encoded round and its matches by position. Output: one entry per person and role without a match.
//! Invariants: every enrolled person has a match or an entry, on each side on which she takes part (`headcount` checks it).
//! No entry reveals a private rule.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rayon::prelude::*;

use super::assign::StopPoll;
use super::encode::Round;
use super::exclusion_counts;
use super::exclusion_counts::{ExclusionCounts, RuleCounts};
use super::observer::{Observer, Stopped};
use super::score::Scores;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::ProfileRef;
use crate::domain::policy::HardRule;
use crate::domain::run::{Side, Unmatched, UnmatchedReason};
use crate::domain::snapshot::Participant;

/// Units of work of writing one entry, between two polls of the observer.
const REASON_WORK: usize = 512;

/// Everyone of a round without a match: mentees, mentors, people without a role, each by profile. Also returns the counts of all pairs.
/// `pairs` are the matches by position.
pub(super) fn unmatched(
    round: &Round<'_>,
    scores: &Scores<'_>,
    pairs: &[(u32, u32)],
    observer: &dyn Observer,
) -> Result<(Vec<Unmatched>, RuleCounts), Stopped> {
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
    let mut poll = StopPoll::new(observer);
    let mut all = Vec::with_capacity(mentees.len() + mentors.len());
    for (at, counts) in mentees.into_iter().zip(&of_mentees) {
        poll.count(REASON_WORK)?;
        let person = round.mentee(at);
        let others = round.mentors.len() - usize::from(person.mentor.is_some());
        all.push(unmatched_entry(person.profile, Side::Mentee, others, counts));
    }
    for (at, counts) in mentors.into_iter().zip(&of_mentors) {
        poll.count(REASON_WORK)?;
        let person = round.mentor(at);
        let others = round.mentees.len() - usize::from(person.mentee.is_some());
        all.push(unmatched_entry(person.profile, Side::Mentor, others, counts));
    }
    for participant in &round.left_out {
        poll.count(REASON_WORK)?;
        all.extend(without_consent(participant));
    }
    for person in round.people.iter().filter(|person| person.mentee.is_none() && person.mentor.is_none()) {
        poll.count(REASON_WORK)?;
        all.push(not_considered(person.profile, None, UnmatchedReason::NoRole, ReasonCode::NoRole));
    }
    all.par_sort_by(|a, b| {
        (a.side.is_none(), a.side, &a.profile).cmp(&(b.side.is_none(), b.side, &b.profile))
    });
    Ok((all, counts))
}

fn unmatched_entry(profile: &ProfileRef, side: Side, counterparts: usize, counts: &RuleCounts) -> Unmatched {
    let candidates = counts.candidates;
    let (reason, details) = if counterparts == 0 {
        (UnmatchedReason::NoCounterpart, vec![Reason::new(ReasonCode::NoCounterpart)])
    } else if candidates == 0 {
        let main = Reason::new(ReasonCode::NoCandidate).with("counterparts", counterparts);
        (UnmatchedReason::NoCandidate, vec![main, best_relaxation(counts)])
    } else {
        let (reason, code) = match side {
            Side::Mentee => (UnmatchedReason::Outcompeted, ReasonCode::Outcompeted),
            Side::Mentor => (UnmatchedReason::PlacesLeftOver, ReasonCode::PlacesLeftOver),
        };
        (reason, vec![Reason::new(code).with("candidates", candidates)])
    };
    // Private rules are not counted: a count of 1 would reveal to the person that somebody avoids her.
    let open = HardRule::ALL.into_iter().filter(|rule| *rule != HardRule::Private);
    let exclusions = open.map(|rule| (rule, saturating_u32(counts.excluded_by(rule))));
    Unmatched {
        profile: profile.clone(),
        side: Some(side),
        reason,
        counterparts: saturating_u32(counterparts as u64),
        candidates: saturating_u32(candidates),
        exclusions: exclusions.filter(|(_, people)| *people > 0).collect(),
        details,
    }
}

/// The single rule without which the person would have the most candidates. A private rule is never proposed: a pair that
/// only a private rule excludes gives the same answer as a pair that several rules exclude.
fn best_relaxation(counts: &RuleCounts) -> Reason {
    let alone = |rule: HardRule| counts.excluded_only_by(rule);
    let offered = HardRule::ALL.into_iter().filter(|rule| *rule != HardRule::Private && alone(*rule) > 0);
    match offered.max_by_key(|rule| (alone(*rule), Reverse(*rule))) {
        Some(rule) => Reason::new(ReasonCode::SingleRuleRelaxed)
            .with("rule", rule.as_str())
            .with("candidates", alone(rule)),
        None => Reason::new(ReasonCode::SeveralRules),
    }
}

/// One entry for each role of a person without a live consent, or one without a side if she has no role. Without a consent
/// the engine must not evaluate her answers.
fn without_consent(participant: &Participant) -> impl Iterator<Item = Unmatched> {
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

/// The entry of a person whom the engine does not compare with anybody.
fn not_considered(
    profile: &ProfileRef,
    side: Option<Side>,
    reason: UnmatchedReason,
    code: ReasonCode,
) -> Unmatched {
    Unmatched {
        profile: profile.clone(),
        side,
        reason,
        counterparts: 0,
        candidates: 0,
        exclusions: BTreeMap::new(),
        details: vec![Reason::new(code)],
    }
}

fn saturating_u32(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
