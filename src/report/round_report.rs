//! The input of a report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::words::Words;
use crate::domain::name::OrganisationId;
use crate::domain::run::{Match, RunSummary, Unmatched};
use crate::domain::vocabulary::Lang;

/// Keys of texts about everyone, and of those about the members of one organisation.
pub(super) const OF_ONE_ORGANISATION: [(&str, &str); 18] = [
    ("coverage_title", "coverage_title_own"),
    ("document_eyebrow", "document_eyebrow_own"),
    ("footer_data_text", "footer_data_text_own"),
    ("guide_same_text", "guide_same_text_own"),
    ("matches_empty", "matches_empty_own"),
    ("meaning_all", "meaning_all_own"),
    ("meaning_many", "meaning_many_own"),
    ("meaning_nobody", "meaning_nobody_own"),
    ("meaning_none", "meaning_none_own"),
    ("meaning_places", "meaning_places_own"),
    ("meaning_places_none", "meaning_places_none_own"),
    ("meaning_some", "meaning_some_own"),
    ("meta_readers", "meta_readers_own"),
    ("tile_mentees", "tile_mentees_own"),
    ("tile_mentors", "tile_mentors_own"),
    ("tile_places", "tile_places_own"),
    ("unmatched_candidates_of", "unmatched_candidates_of_own"),
    ("unmatched_empty", "unmatched_empty_own"),
];

/// The input of a report: everything that its reader may see of a run, by pseudonym. A coordinator's report is about
/// everyone. A manager's report is about her own members and their matches, and states nothing about others.
#[derive(Debug, Clone)]
pub struct RoundReport<'a> {
    /// Title of the round.
    pub round_title: &'a str,
    /// First day of the mentorships.
    pub start_date: Date,
    /// Last day of the mentorships.
    pub end_date: Date,
    /// Resource name of the run, `rounds/{round}/runs/{run}`.
    pub run: &'a str,
    /// When the report was generated.
    pub generated_at: Timestamp,
    /// Version of the policy that the run used.
    pub policy_version: i64,
    /// Version of the engine that computed the result.
    pub engine_version: &'a str,
    /// Digest of the run's snapshot.
    pub input_digest: &'a str,
    /// Digest of the run's result.
    pub result_digest: &'a str,
    /// The result in numbers.
    pub summary: &'a RunSummary,
    /// Every match, in any order.
    pub matches: &'a [Match],
    /// Every person without a match, in any order.
    pub unmatched: &'a [Unmatched],
    /// Names of the organisations. The report shows the id of an organisation without a name.
    pub organisation_names: &'a BTreeMap<OrganisationId, String>,
    /// Language of the report.
    pub lang: Lang,
    /// Whether the people are invented. The report states this at its top.
    pub synthetic: bool,
}

impl RoundReport<'_> {
    pub(super) fn words(&self) -> Words {
        Words(self.lang)
    }

    /// Whether the reader manages one organisation, so that the summary has no numbers about the whole round.
    pub(super) fn is_of_one_organisation(&self) -> bool {
        self.summary.whole_round.is_none()
    }

    /// The organisation of a manager's report, as far as its rows show it: everybody without a match is a member, and
    /// every match is of a member. `None` if all matches are between the members of the same two organisations.
    pub(super) fn own_organisation(&self) -> Option<&OrganisationId> {
        let unmatched = self.unmatched.first().map(|one| &one.profile);
        let below = self.summary.below_minimum.first().map(|one| &one.mentor);
        let member = unmatched.or(below).map(|profile| &profile.organisation);
        let in_every_match = || {
            let first = self.matches.first()?;
            let of_all = |id: &OrganisationId| {
                let homes = |one: &Match| one.mentee.organisation == *id || one.mentor.organisation == *id;
                self.matches.iter().all(homes)
            };
            let (mentee, mentor) = (&first.mentee.organisation, &first.mentor.organisation);
            match (of_all(mentee), of_all(mentor)) {
                (true, true) => (mentee == mentor).then_some(mentee),
                (true, false) => Some(mentee),
                (false, true) => Some(mentor),
                (false, false) => None,
            }
        };
        member.or_else(in_every_match)
    }

    /// The key of the text about the people in the report: everyone, or the members of one organisation.
    pub(super) fn key(&self, key: &'static str) -> &'static str {
        let own = OF_ONE_ORGANISATION.iter().find(|(everyone, _)| *everyone == key);
        own.filter(|_| self.is_of_one_organisation()).map_or(key, |(_, own)| own)
    }

    pub(super) fn organisation<'b>(&'b self, id: &'b OrganisationId) -> &'b str {
        self.organisation_names.get(id).map_or(id.as_str(), String::as_str)
    }
}
