//! The members of the organisations: who registers, imports and enrols them.

use std::io::Cursor;
use std::time::Duration;

use super::alliance::Alliance;
use crate::client::{Channel, Client, Finding, Import, progress, request_id, v1};
use crate::clock::Stopwatch;
use crate::domain::grant::Role;
use crate::domain::name::OrganisationId;
use crate::domain::vocabulary::Lang;
use crate::server::Server;
use crate::{message, wording};

/// Numbers of the imported alliance.
#[derive(Debug, Default)]
pub struct BroughtIn {
    /// Organisations registered.
    pub organisations: usize,
    /// Profiles imported.
    pub profiles: u64,
    /// Profiles enrolled.
    pub enrolled: u64,
    /// Profiles not enrolled, without consent or without a role.
    pub refused: usize,
    /// Time spent in imports.
    pub importing: Duration,
}

/// Registers every organisation. Then the manager of each organisation imports and enrols its members.
pub(super) async fn bring_in(
    server: &Server,
    channel: &Channel,
    alliance: &Alliance,
    round: &str,
    lang: Lang,
) -> anyhow::Result<BroughtIn> {
    let token = server.service().issue_token(&Role::Secretariat, "demo").await?;
    let secretariat = Client::new(channel, Some(&token))?;
    let mut total = BroughtIn::default();
    let work = wording::message(&message!("importing the organisations"), lang);
    let template = format!("{{spinner}} {work} {{bar:30}} {{pos}}/{{len}}  {{msg}}");
    let bar = progress::bar(alliance.organisations.len() as u64, &template);
    for organisation in &alliance.organisations {
        secretariat.create_organisation(organisation.id.as_str(), organisation.draft.clone()).await?;
    }
    for (at, organisation) in alliance.organisations.iter().enumerate() {
        bar.set_message(organisation.id.to_string());
        let role = Role::OrganisationManager(organisation.id.clone());
        let token = server.service().issue_token(&role, "demo").await?;
        let mut manager = Client::new(channel, Some(&token))?;
        let rules = v1::OrganisationRules {
            same_organisation_only: organisation.draft.same_organisation_only,
            excluded_organisations: organisation.draft.excluded_organisations.clone(),
            ..v1::OrganisationRules::default()
        };
        manager.set_rules(&organisation.id, rules).await?;
        let csv = alliance.csv_of(at)?;
        let stopwatch = Stopwatch::start();
        total.profiles += import(&manager, &organisation.id, csv).await?;
        total.importing += stopwatch.elapsed();
        let request = v1::EnrolProfilesRequest {
            round: round.to_owned(),
            organisation: organisation.id.name(),
            all_profiles: true,
            request_id: request_id(),
            ..v1::EnrolProfilesRequest::default()
        };
        let enrolled = manager.rounds.enrol_profiles(request).await?.into_inner();
        total.enrolled += u64::try_from(enrolled.enrolled).unwrap_or_default();
        total.refused += enrolled.refused.len();
        total.organisations += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(total)
}

/// Imports the CSV file of an organisation. A rejected row is a defect of the sample, so it is an error.
pub(super) async fn import(
    manager: &Client,
    organisation: &OrganisationId,
    csv: Vec<u8>,
) -> anyhow::Result<u64> {
    let import = Import {
        organisation: organisation.clone(),
        accept_good_rows: false,
        validate_only: false,
        prune: None,
        accept_returned: false,
    };
    let summary = import
        .send(manager, Cursor::new(csv), |finding| match finding {
            Finding::Problem(problem) => {
                anyhow::bail!("{organisation}, line {}: {}", problem.line, problem.cell)
            }
            Finding::Notice(_) | Finding::Note(_) => Ok(()),
        })
        .await?;
    Ok(u64::try_from(summary.created).unwrap_or_default())
}
