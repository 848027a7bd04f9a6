//! The part of a report that one organisation may have: its own members and their matches.
//!
//! Input: a report about everyone, or about some. Output: the same in the form for the manager of one organisation, so that
//! a coordinator can send it to her.
//! Invariant: of people of other organisations, the part has matches with own members, and no count.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sheets, WITHOUT_COUNTS};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::policy::HardRule;
use crate::domain::run::{Coverage, Match, RunSummary, Side, Unmatched, UnmatchedReason};
use crate::domain::suppression::Guarded;
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
        let own = report.summary.whole_round.as_ref().and_then(|whole| whole.organisations.get(organisation));
        let own = own.copied().unwrap_or_default();
        let mut summary = RunSummary { whole_round: None, ..report.summary.clone() };
        summary.below_minimum.retain(|one| is_own(&one.mentor));
        summary.mentors_below_minimum = summary.below_minimum.len() as u64;
        let matches = report.matches.iter().filter(|one| is_own(&one.mentee) || is_own(&one.mentor));
        let unmatched = report.unmatched.iter().filter(|one| is_own(&one.profile));
        Self {
            summary,
            matches: matches.cloned().collect(),
            unmatched: unmatched.map(|one| for_her_manager(one, own)).collect(),
        }
    }

    /// The sheets of these rows. They have no column of counts: the share of other organisations in a count is not known
    /// here.
    pub fn sheets(&self, whole: &RoundReport<'_>) -> Sheets {
        let report = RoundReport {
            summary: &self.summary,
            matches: &self.matches,
            unmatched: &self.unmatched,
            ..whole.clone()
        };
        let mut sheets = Sheets::of(&report);
        sheets.unmatched.cut(WITHOUT_COUNTS);
        sheets
    }
}

/// The entry without counts of people, and without reasons that say something about few people of other organisations.
fn for_her_manager(one: &Unmatched, own: Coverage) -> Unmatched {
    let own = if one.side == Some(Side::Mentor) { own.mentees } else { own.mentors };
    // Own members are among the counted people: without them at least so many are left.
    let is_tellable = |count: u64| Guarded::new(count.saturating_sub(own)).is_tellable();
    let relaxed = one.details.iter().find(|reason| reason.code == ReasonCode::SingleRuleRelaxed);
    let opens_way = |rule: HardRule| {
        let value = |name: &str| relaxed.and_then(|reason| reason.parameters.get(name)).map(String::as_str);
        value("rule") == Some(rule.as_str())
            && value("candidates").and_then(|count| count.parse().ok()).is_some_and(is_tellable)
    };
    let excludes_all = |rule: HardRule| match one.exclusions.get(&rule) {
        Some(people) if *people == one.counterparts => {
            people.exact().is_none_or(|count| is_tellable(u64::from(count)))
        }
        _ => false,
    };
    let of_the_mentor = [HardRule::Language, HardRule::StageGap, HardRule::MeetingMode];
    let tells_rules = one.reason != UnmatchedReason::NoCandidate
        || of_the_mentor.into_iter().any(|rule| excludes_all(rule) || opens_way(rule));
    let is_told = |reason: &Reason| match reason.code {
        ReasonCode::SingleRuleRelaxed | ReasonCode::SeveralRules => false,
        ReasonCode::MentorWanted
        | ReasonCode::NoLanguageAtLevel
        | ReasonCode::MentorMeetsByCall
        | ReasonCode::MentorMeetsInPerson => tells_rules,
        _ => true,
    };
    let nothing = Guarded::new(0).for_managers();
    Unmatched {
        counterparts: nothing,
        candidates: nothing,
        exclusions: BTreeMap::new(),
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
