//! `wim-match organisation create|list`.

use clap::Subcommand;

use super::client::{Client, request_id};
use super::output::{data, json, say, table};
use super::{Failure, Global};
use crate::api::proto::v1;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register an organisation.
    Create {
        /// Id: lower-case letters, digits and hyphens, for example `wim-peru`.
        id: String,
        /// The name people know it by.
        #[arg(long)]
        name: String,
        /// Seat, ISO 3166-1 alpha-2, for example PE.
        #[arg(long)]
        country: String,
        /// Match its members with each other only.
        #[arg(long)]
        same_organisation_only: bool,
        /// Ids of organisations whose members its own are never matched with.
        #[arg(long, value_name = "ID")]
        exclude: Vec<String>,
    },
    /// List organisations.
    List,
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let mut client = Client::of(global).await?;
    match command {
        Command::Create { id, name, country, same_organisation_only, exclude } => {
            let rules = v1::OrganisationRules {
                same_organisation_only,
                excluded_organisations: exclude.iter().map(|id| format!("organisations/{id}")).collect(),
            };
            let request = v1::CreateOrganisationRequest {
                organisation_id: id,
                organisation: Some(v1::Organisation {
                    display_name: name,
                    country,
                    rules: Some(rules),
                    ..v1::Organisation::default()
                }),
                request_id: request_id(),
            };
            let created = client.organisations.create_organisation(request).await?.into_inner();
            let organisation = created.organisation.unwrap_or_default();
            if global.json {
                json(&organisation)?;
            } else {
                data(&organisation.name)?;
                say("next: create a token for its manager with `wim-match admin token create`");
            }
        }
        Command::List => {
            let mut rows = table(&["Organisation", "Name", "Country", "Region"]);
            let mut page_token = String::new();
            loop {
                let request = v1::ListOrganisationsRequest { page_size: 0, page_token };
                let page = client.organisations.list_organisations(request).await?.into_inner();
                for organisation in &page.organisations {
                    if global.json {
                        json(organisation)?;
                    } else {
                        let o = organisation;
                        rows.add_row([&o.name, &o.display_name, &o.country, &o.region]);
                    }
                }
                if page.next_page_token.is_empty() {
                    break;
                }
                page_token = page.next_page_token;
            }
            if !global.json {
                data(&rows.to_string())?;
            }
        }
    }
    Ok(())
}
