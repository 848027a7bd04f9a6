//! The part of a report that one organisation may have: its own members and their matches.
//!
//! Input: a report about everyone, or about some. Output: the same in the form for the manager of one organisation, so that
//! a coordinator can send it to her.
//! Invariant: of people of other organisations, the part has matches with own members, and no count.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sheets, WITHOUT_COUNTS, about_mentors};
use crate::domain::manager_view::for_her_manager;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::run::{MOST_BELOW_MINIMUM, Match, RunSummary, Unmatched};
use crate::report::round_report::RoundReport;

/// The rows of one organisation, from which its report is made.
#[derive(Debug, Clone)]
pub struct OfOneOrganisation {
    summary: RunSummary,
    matches: Vec<Match>,
    unmatched: Vec<Unmatched>,
    /// Whether more mentors than those listed may be below their minimum.
    may_be_cut: bool,
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
        let unlisted = unlisted_below_minimum(report.summary, organisation);
        summary.mentors_below_minimum = summary.below_minimum.len() as u64 + unlisted.unwrap_or_default();
        let matches = report.matches.iter().filter(|one| is_own(&one.mentee) || is_own(&one.mentor));
        let unmatched = report.unmatched.iter().filter(|one| is_own(&one.profile));
        Self {
            summary,
            matches: matches.cloned().collect(),
            unmatched: unmatched.map(|one| for_her_manager(one, own)).collect(),
            may_be_cut: unlisted.is_none(),
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
        if self.may_be_cut {
            let words = report.words();
            let most = words.count(MOST_BELOW_MINIMUM as u64);
            let text = words.fill("below_minimum_cut", &[("most", &most)]);
            sheets.unmatched.rows.push(about_mentors(&report, text));
        }
        sheets.unmatched.cut(WITHOUT_COUNTS);
        sheets
    }
}

/// Mentors of an organisation below their minimum whom the summary does not name. `None` if it does not show how many
/// they are, because the lists of several organisations are full.
fn unlisted_below_minimum(summary: &RunSummary, organisation: &OrganisationId) -> Option<u64> {
    let mut listed: BTreeMap<&OrganisationId, usize> = BTreeMap::new();
    for one in &summary.below_minimum {
        *listed.entry(&one.mentor.organisation).or_default() += 1;
    }
    let is_full = |organisation: &OrganisationId| {
        listed.get(organisation).is_some_and(|named| *named >= MOST_BELOW_MINIMUM)
    };
    let unlisted = summary.mentors_below_minimum.saturating_sub(summary.below_minimum.len() as u64);
    let full = listed.keys().filter(|organisation| is_full(organisation)).count();
    if !is_full(organisation) || unlisted == 0 {
        return Some(0);
    }
    (full == 1).then_some(unlisted)
}
