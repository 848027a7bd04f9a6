//! The part of a report that one organisation may have: its own members and their matches.
//!
//! Input: a report about everyone, or about some. Output: the same in the form for the manager of one organisation, so that
//! a coordinator can send it to her.
//! Invariant: of people of other organisations, the part has matches with own members, and no exact count.

use std::collections::BTreeSet;

use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::run::{Match, RunSummary, Unmatched, UnmatchedReason};
use crate::domain::suppression::{Guarded, PeopleCount};
use crate::report::round_report::RoundReport;

/// The rows of one organisation, from which its report is made.
#[derive(Debug, Clone)]
pub struct OfOneOrganisation {
    summary: RunSummary,
    matches: Vec<Match>,
    unmatched: Vec<Unmatched>,
}

/// The organisations of which a report has members, by id.
pub fn organisations(report: &RoundReport<'_>) -> BTreeSet<OrganisationId> {
    let matched = report.matches.iter().flat_map(|one| [&one.mentee, &one.mentor]);
    let unmatched = report.unmatched.iter().map(|one| &one.profile);
    let below = report.summary.below_minimum.iter().map(|one| &one.mentor);
    matched.chain(unmatched).chain(below).map(|profile| profile.organisation.clone()).collect()
}

impl OfOneOrganisation {
    /// The rows of `organisation` in a report.
    pub fn of(report: &RoundReport<'_>, organisation: &OrganisationId) -> Self {
        let is_own = |profile: &ProfileRef| profile.organisation == *organisation;
        let own_of_side = report
            .summary
            .whole_round
            .as_ref()
            .and_then(|whole| whole.organisations.get(organisation))
            .map_or(0, |own| own.mentees.max(own.mentors));
        let mut summary = RunSummary { whole_round: None, ..report.summary.clone() };
        summary.below_minimum.retain(|one| is_own(&one.mentor));
        summary.mentors_below_minimum = summary.below_minimum.len() as u64;
        let matches = report.matches.iter().filter(|one| is_own(&one.mentee) || is_own(&one.mentor));
        let unmatched = report.unmatched.iter().filter(|one| is_own(&one.profile));
        Self {
            summary,
            matches: matches.cloned().collect(),
            unmatched: unmatched.map(|one| for_her_manager(one, own_of_side)).collect(),
        }
    }

    /// The report of these rows.
    pub fn report<'a>(&'a self, whole: &RoundReport<'a>) -> RoundReport<'a> {
        RoundReport {
            summary: &self.summary,
            matches: &self.matches,
            unmatched: &self.unmatched,
            ..whole.clone()
        }
    }
}

/// The entry without exact counts of people. `own` are the most members that the organisation has on one side: the rest
/// of the counterparts are people of other organisations.
fn for_her_manager(one: &Unmatched, own: u64) -> Unmatched {
    let banded = |people: PeopleCount| match people.exact() {
        Some(count) => Guarded::new(u64::from(count).saturating_sub(own)).for_managers(),
        None => people,
    };
    let foreign = one.counterparts.exact().map(|all| u64::from(all).saturating_sub(own));
    // What stands in the way of everybody says something about each of them.
    let tells_rules = foreign.is_none_or(|people| Guarded::new(people).is_tellable());
    let is_told = |reason: &Reason| match reason.code {
        ReasonCode::SingleRuleRelaxed | ReasonCode::SeveralRules => false,
        ReasonCode::MentorWanted
        | ReasonCode::NoLanguageAtLevel
        | ReasonCode::MentorMeetsByCall
        | ReasonCode::MentorMeetsInPerson => tells_rules || one.reason != UnmatchedReason::NoCandidate,
        _ => true,
    };
    Unmatched {
        counterparts: banded(one.counterparts),
        candidates: banded(one.candidates),
        exclusions: one
            .exclusions
            .iter()
            .filter(|(_, people)| {
                people
                    .exact()
                    .is_none_or(|count| Guarded::new(u64::from(count).saturating_sub(own)).is_tellable())
            })
            .map(|(rule, people)| (*rule, banded(*people)))
            .collect(),
        details: one.details.iter().filter(|reason| is_told(reason)).map(uncounted).collect(),
        ..one.clone()
    }
}

/// The reason without a count of people.
fn uncounted(reason: &Reason) -> Reason {
    match reason.code {
        ReasonCode::NoCandidate => Reason::new(ReasonCode::NoCandidateUncounted),
        ReasonCode::Outcompeted => Reason::new(ReasonCode::OutcompetedUncounted),
        ReasonCode::PlacesLeftOver => Reason::new(ReasonCode::PlacesLeftOverUncounted),
        _ => reason.clone(),
    }
}
