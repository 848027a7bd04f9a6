//! `wim-match organisation create|list`.

use clap::Subcommand;

use super::failure::Failure;
use super::global::Global;
use crate::client::output::{data, json, say, table};
use crate::domain::organisation::OrganisationDraft;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register an organisation.
    Create {
        /// Id: lower-case letters, digits and hyphens, for example `wim-peru`.
        id: String,
        /// Display name.
        #[arg(long)]
        name: String,
        /// Country of its seat, ISO 3166-1 alpha-2, for example PE.
        #[arg(long)]
        country: String,
        /// Match members of this organisation with each other only.
        #[arg(long)]
        same_organisation_only: bool,
        /// Id of an organisation whose members are never matched with members of this one; may be repeated.
        #[arg(long, value_name = "ID")]
        exclude: Vec<String>,
    },
    /// List organisations.
    List,
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    match command {
        Command::Create { id, name, country, same_organisation_only, exclude } => {
            let draft = OrganisationDraft {
                display_name: name,
                country,
                same_organisation_only,
                excluded_organisations: exclude.iter().map(|id| format!("organisations/{id}")).collect(),
            };
            let organisation = client.create_organisation(&id, draft).await?;
            if global.json {
                json(&organisation)?;
            } else {
                data(&organisation.name)?;
                say(&format!(
                    "next: create a token of its manager with `wim-match admin token create --role \
                     organisation-manager --organisation {id}`"
                ));
            }
        }
        Command::List => {
            let organisations = client.all_organisations().await?;
            if global.json {
                for organisation in &organisations {
                    json(organisation)?;
                }
                return Ok(());
            }
            let mut rows = table(&["Organisation", "Name", "Country", "Region"]);
            for o in &organisations {
                rows.add_row([&o.name, &o.display_name, &o.country, &o.region]);
            }
            data(&rows.to_string())?;
        }
    }
    Ok(())
}
