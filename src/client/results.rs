//! Everything about a run that succeeded, fetched page by page over gRPC.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::connection::Client;
use super::error::Error;
use super::page::{PAGE_SIZE, pages};
use super::run::summary;
use crate::api::convert::outcome;
use crate::api::proto::v1;
use crate::domain::name::OrganisationId;
use crate::domain::run::{Match, RunSummary, Unmatched};
use crate::domain::vocabulary::Lang;
use crate::report::RoundReport;

/// A run with all its matches and everybody without a match.
#[derive(Debug)]
pub struct Results {
    /// The round.
    pub round: v1::Round,
    /// First and last day of the mentorships.
    pub dates: [Date; 2],
    /// The run.
    pub run: v1::Run,
    /// The numbers of the run.
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
    pub async fn fetch(client: &Client, run: v1::Run) -> Result<Self, Error> {
        let Some(summary) = summary(&run) else {
            return Err(Error::NoResult(run.name));
        };
        let round_name = run.name.split("/runs/").next().unwrap_or_default().to_owned();
        let request = v1::GetRoundRequest { name: round_name };
        let round = client.rounds.clone().get_round(request).await?.into_inner().round.unwrap_or_default();
        let date = |text: &str| text.parse().map_err(|_| Error::Newer(round.name.clone()));
        Ok(Self {
            dates: [date(&round.start_date)?, date(&round.end_date)?],
            round,
            summary,
            matches: matches(client, &run.name).await?,
            unmatched: unmatched(client, &run.name).await?,
            organisation_names: organisation_names(client).await?,
            run,
        })
    }

    /// The report of these results.
    pub fn report(&self, lang: Lang, generated_at: Timestamp, synthetic: bool) -> RoundReport<'_> {
        RoundReport {
            round_title: &self.round.display_name,
            start_date: self.dates[0],
            end_date: self.dates[1],
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

async fn matches(client: &Client, run: &str) -> Result<Vec<Match>, Error> {
    pages(|page_token| {
        let (mut runs, parent) = (client.runs.clone(), run.to_owned());
        async move {
            let request = v1::ListMatchesRequest {
                parent,
                page_size: PAGE_SIZE,
                page_token,
                language_code: String::new(),
                view: v1::MatchView::Full.into(),
            };
            let page = runs.list_matches(request).await?.into_inner();
            let read = |message| outcome::matched(message).ok_or_else(|| Error::Newer(message.name.clone()));
            Ok((page.matches.iter().map(read).collect::<Result<_, _>>()?, page.next_page_token))
        }
    })
    .await
}

async fn unmatched(client: &Client, run: &str) -> Result<Vec<Unmatched>, Error> {
    pages(|page_token| {
        let (mut runs, parent) = (client.runs.clone(), run.to_owned());
        async move {
            let language_code = String::new();
            let request =
                v1::ListUnmatchedRequest { parent, page_size: PAGE_SIZE, page_token, language_code };
            let page = runs.list_unmatched(request).await?.into_inner();
            let read =
                |message| outcome::unmatched(message).ok_or_else(|| Error::Newer(message.profile.clone()));
            Ok((page.unmatched.iter().map(read).collect::<Result<_, _>>()?, page.next_page_token))
        }
    })
    .await
}

async fn organisation_names(client: &Client) -> Result<BTreeMap<OrganisationId, String>, Error> {
    let named = |organisation: v1::Organisation| match OrganisationId::from_name(&organisation.name) {
        Ok(id) => Ok((id, organisation.display_name)),
        Err(_) => Err(Error::Newer(organisation.name)),
    };
    client.all_organisations().await?.into_iter().map(named).collect()
}
