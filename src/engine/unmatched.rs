//! Why someone has no match, and the smallest change that would give her candidates. Nobody is lost silently.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::assign::StopPoll;
use super::encode::Round;
use super::exclusion_counts;
use super::exclusion_counts::{ExclusionCounts, RuleCounts};
use super::observer::{Observer, Stopped};
use super::score::{Scores, code};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::HardRule;
use crate::domain::run::{Side, Unmatched, UnmatchedReason};
use crate::domain::snapshot::Participant;

/// Units of work to say why somebody has no match.
const SAYING: usize = 512;

/// Everyone of a round without a match, mentees first, each side by profile, and the counts of all pairs. `pairs` are the
/// matches by position.
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
    let ExclusionCounts { all: tally, of_mentees, of_mentors } =
        exclusion_counts::count(scores, round, &mentees, &mentors, observer)?;
    let mut poll = StopPoll::new(observer);
    let mut all = Vec::with_capacity(mentees.len() + mentors.len());
    for (at, tally) in mentees.into_iter().zip(&of_mentees) {
        poll.count(SAYING)?;
        let person = round.mentee(at);
        let others = round.mentors.len() - usize::from(person.mentor.is_some());
        all.push(entry(person.profile, Side::Mentee, others, tally));
    }
    for (at, tally) in mentors.into_iter().zip(&of_mentors) {
        poll.count(SAYING)?;
        let person = round.mentor(at);
        let others = round.mentees.len() - usize::from(person.mentee.is_some());
        all.push(entry(person.profile, Side::Mentor, others, tally));
    }
    for participant in &round.left_out {
        poll.count(SAYING)?;
        all.extend(without_consent(participant));
    }
    all.par_sort_by(|a, b| (a.side, &a.profile).cmp(&(b.side, &b.profile)));
    Ok((all, tally))
}

fn entry(
    profile: &crate::domain::name::ProfileRef,
    side: Side,
    counterparts: usize,
    tally: &RuleCounts,
) -> Unmatched {
    let candidates = tally.candidates;
    let (reason, details) = if counterparts == 0 {
        (UnmatchedReason::NoCounterpart, vec![Reason::new(ReasonCode::NoCounterpart)])
    } else if candidates == 0 {
        let main = Reason::new(ReasonCode::NoCandidate).with("counterparts", counterparts);
        (UnmatchedReason::NoCandidate, vec![main, way_out(tally)])
    } else {
        let (reason, code) = match side {
            Side::Mentee => (UnmatchedReason::Outcompeted, ReasonCode::Outcompeted),
            Side::Mentor => (UnmatchedReason::PlacesLeftOver, ReasonCode::PlacesLeftOver),
        };
        (reason, vec![Reason::new(code).with("candidates", candidates)])
    };
    // Private reasons are not counted: a count of 1 would tell her that somebody avoids her.
    let open = HardRule::ALL.into_iter().filter(|rule| *rule != HardRule::Private);
    let exclusions = open.map(|rule| (rule, narrow(tally.excluded_by(rule))));
    Unmatched {
        profile: profile.clone(),
        side,
        reason,
        counterparts: narrow(counterparts as u64),
        candidates: narrow(candidates),
        exclusions: exclusions.filter(|(_, people)| *people > 0).collect(),
        details,
    }
}

/// The single rule without which she would have most candidates. A private rule is never offered, and where it alone stands
/// between her and a candidate she hears the same as when several rules do.
fn way_out(tally: &RuleCounts) -> Reason {
    let alone = |rule: HardRule| tally.excluded_only_by(rule);
    let offered = HardRule::ALL.into_iter().filter(|rule| *rule != HardRule::Private && alone(*rule) > 0);
    match offered.max_by_key(|rule| (alone(*rule), Reverse(*rule))) {
        Some(rule) => Reason::new(ReasonCode::SingleRuleRelaxed)
            .with("rule", code(&rule))
            .with("candidates", alone(rule)),
        None => Reason::new(ReasonCode::SeveralRules),
    }
}

/// One entry for each role of a person whose consent is not live. Her answers are not looked at.
fn without_consent(participant: &Participant) -> impl Iterator<Item = Unmatched> {
    let content = &participant.content;
    let roles = [
        content.mentee_request.is_some().then_some(Side::Mentee),
        content.mentor_offer.is_some().then_some(Side::Mentor),
    ];
    roles.into_iter().flatten().map(|side| Unmatched {
        profile: participant.profile.clone(),
        side,
        reason: UnmatchedReason::NoLiveConsent,
        counterparts: 0,
        candidates: 0,
        exclusions: std::collections::BTreeMap::new(),
        details: vec![Reason::new(ReasonCode::NoLiveConsent)],
    })
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
