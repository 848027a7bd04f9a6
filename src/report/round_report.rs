//! The input of a report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::words::Words;
use crate::domain::name::OrganisationId;
use crate::domain::run::{Match, RunSummary, Unmatched};
use crate::domain::vocabulary::Lang;

/// The input of a report. A report is for coordinators: it shows every pair, by pseudonym.
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

    pub(super) fn organisation<'b>(&'b self, id: &'b OrganisationId) -> &'b str {
        self.organisation_names.get(id).map_or(id.as_str(), String::as_str)
    }
}
