//! `wim-match admin migrate|token`: works on the database itself, so it needs no token.

use std::str::FromStr;
use std::sync::Arc;

use clap::Subcommand;
use secrecy::ExposeSecret as _;

use super::failure::Failure;
use super::global::{ConfigArgs, Global};
use crate::client::output::{data, say};
use crate::clock::SystemClock;
use crate::domain::caller::Role;
use crate::service::Service;
use crate::store::Store;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bring the database to this version's schema.
    Migrate {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Make an API token; it is printed this once, only its hash is kept.
    Token {
        /// coordinator or organisation-manager.
        #[arg(long)]
        role: RoleName,
        /// Id of the organisation that a manager acts for.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// What the token is for.
        #[arg(long, default_value = "")]
        label: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// The roles that a token can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoleName {
    Coordinator,
    OrganisationManager,
}

impl RoleName {
    /// As written on the command line.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::OrganisationManager => "organisation-manager",
        }
    }
}

impl FromStr for RoleName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Coordinator, Self::OrganisationManager]
            .into_iter()
            .find(|role| role.as_str() == name)
            .ok_or_else(|| "use coordinator or organisation-manager".to_owned())
    }
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::Migrate { config } => {
            let config = config.load(None)?;
            let store = Store::open(config.database.expose_secret()).await?;
            let applied = store.migrate().await?;
            say(&format!(
                "{}: {} migrations applied, the schema is up to date",
                config.database_for_display(),
                applied
            ));
            store.close().await;
        }
        Command::Token { role, organisation, label, config } => {
            let role = match (role, organisation) {
                (RoleName::Coordinator, None) => Role::Coordinator,
                (RoleName::OrganisationManager, Some(id)) => {
                    Role::OrganisationManager(id.parse().map_err(anyhow::Error::from)?)
                }
                (RoleName::Coordinator, Some(_)) => {
                    return Err(Failure::input(
                        "a coordinator acts for no organisation",
                        "leave out --organisation",
                    ));
                }
                (RoleName::OrganisationManager, None) => {
                    return Err(Failure::input(
                        "a manager acts for one organisation",
                        "add --organisation ID",
                    ));
                }
            };
            let config = config.load(None)?;
            let store = super::doctor::open(&config).await?;
            let pending = store.pending_migrations().await?;
            if !pending.is_empty() {
                return Err(Failure::input(
                    "the database's schema is not up to date",
                    "run `wim-match admin migrate`",
                ));
            }
            let service = Service::new(store.clone(), Arc::new(SystemClock));
            let token = service.issue_token(&role, &label).await?;
            if global.json {
                data(&serde_json::json!({ "role": role.as_str(), "token": token }).to_string())?;
            } else {
                data(&token)?;
            }
            say(&format!("role {}; shown this once, only its hash is kept", role.as_str()));
            store.close().await;
        }
    }
    Ok(())
}
