//! Everything there is to tell about a run, fetched page by page over gRPC.

use std::collections::BTreeMap;

use super::connection::Client;
use crate::api::convert;
use crate::api::proto::v1;
use crate::domain::name::OrganisationId;
use crate::domain::run::{Match, RunSummary, Unmatched};
use crate::domain::vocabulary::Lang;
use crate::report::RoundReport;

/// Rows fetched per call.
const PAGE: i32 = 1_000;

/// A run with all its matches and non-matches.
#[derive(Debug)]
pub struct Results {
    /// The round.
    pub round: v1::Round,
    /// The run.
    pub run: v1::Run,
    /// What came out, in numbers.
    pub summary: RunSummary,
    /// Matches, the highest score first.
    pub matches: Vec<Match>,
    /// People without a match.
    pub unmatched: Vec<Unmatched>,
    /// Display names of the organisations that the caller sees.
    pub organisation_names: BTreeMap<OrganisationId, String>,
}

impl Results {
    /// Fetches everything about a run that succeeded.
    pub async fn fetch(client: &Client, run: v1::Run) -> anyhow::Result<Self> {
        let mut client = client.clone();
        let Some(summary) = run.summary.as_ref().map(convert::run::summary) else {
            anyhow::bail!("{} has no result: it has not succeeded", run.name);
        };
        let round_name = run.name.split("/runs/").next().unwrap_or_default().to_owned();
        let round =
            client.rounds.get_round(v1::GetRoundRequest { name: round_name }).await?.into_inner().round;
        Ok(Self {
            round: round.unwrap_or_default(),
            summary,
            matches: matches(&mut client, &run.name).await?,
            unmatched: unmatched(&mut client, &run.name).await?,
            organisation_names: organisation_names(&mut client).await?,
            run,
        })
    }

    /// The report of these results.
    pub fn report(&self, lang: Lang, generated_at: String, synthetic: bool) -> RoundReport<'_> {
        RoundReport {
            round_name: &self.round.name,
            round_title: &self.round.display_name,
            start_date: self.round.start_date.clone(),
            end_date: self.round.end_date.clone(),
            run: &self.run.name,
            generated_at,
            policy_version: self.run.policy_version,
            engine_version: &self.run.engine_version,
            input_digest: &self.run.input_digest,
            result_digest: &self.run.result_digest,
            summary: &self.summary,
            matches: &self.matches,
            unmatched: &self.unmatched,
            organisation_names: &self.organisation_names,
            lang,
            synthetic,
        }
    }
}

async fn matches(client: &mut Client, run: &str) -> anyhow::Result<Vec<Match>> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListMatchesRequest {
            parent: run.to_owned(),
            page_size: PAGE,
            page_token,
            language_code: String::new(),
        };
        let page = client.rounds.list_matches(request).await?.into_inner();
        for message in &page.matches {
            all.push(convert::outcome::matched(message).ok_or_else(|| newer(&message.name))?);
        }
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        page_token = page.next_page_token;
    }
}

async fn unmatched(client: &mut Client, run: &str) -> anyhow::Result<Vec<Unmatched>> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListUnmatchedRequest {
            parent: run.to_owned(),
            page_size: PAGE,
            page_token,
            language_code: String::new(),
        };
        let page = client.rounds.list_unmatched(request).await?.into_inner();
        for message in &page.unmatched {
            all.push(convert::outcome::unmatched(message).ok_or_else(|| newer(&message.profile))?);
        }
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        page_token = page.next_page_token;
    }
}

async fn organisation_names(client: &mut Client) -> anyhow::Result<BTreeMap<OrganisationId, String>> {
    let mut all = BTreeMap::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListOrganisationsRequest { page_size: PAGE, page_token };
        let page = client.organisations.list_organisations(request).await?.into_inner();
        for organisation in page.organisations {
            all.insert(OrganisationId::from_name(&organisation.name)?, organisation.display_name);
        }
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        page_token = page.next_page_token;
    }
}

fn newer(name: &str) -> anyhow::Error {
    anyhow::anyhow!("{name} cannot be read: the service is newer than this program; update it")
}
