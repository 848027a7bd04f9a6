//! `wim-match admin …`: works on the database itself, so it needs no token.

mod audit;
mod backup;
mod check;
mod manifest;
mod purge;
mod restore;
mod shared;

use std::str::FromStr;

use clap::Subcommand;
use secrecy::ExposeSecret as _;

use self::shared::{in_words, open, organisation_of, shown};
use super::failure::Failure;
use super::global::{ConfigArgs, Global};
use crate::client::output::{data, tell, titled};
use crate::domain::caller::Role;
use crate::domain::message::{Message, MessageValue};
use crate::error::Error;
use crate::message;
use crate::service::{Revocation, Service};
use crate::store::{Store, Token};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bring the database to the schema of this version.
    Migrate {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Create, list and revoke API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// List, verify and anchor the audit: who changed what, and when.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Copy a SQLite database into a file while the service runs.
    Backup(backup::Options),
    /// Put a backup in the place of a SQLite database whose service is stopped.
    Restore(restore::Options),
    /// Check a whole database, or a backup: its pages, its references and its counts.
    Check(check::Options),
    /// Delete what is no longer kept, as the service does every hour.
    Purge(purge::Options),
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Create a token. It is printed this once; only its hash is stored.
    Create {
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
    /// List all tokens by their first characters, revoked tokens too.
    List {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Revoke a token for ever. The service rejects the next call with it; a call that is open may finish.
    Revoke {
        /// Id of the token, or its first characters as `list` shows them. A whole token fits too.
        token: String,
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
        Command::Migrate { config } => migrate(&config, global).await,
        Command::Token(TokenCommand::Create { role, organisation, label, config }) => {
            let role = role_of(role, organisation)?;
            let service = open(&config).await?;
            create(&service, &role, &label, global).await?;
            service.store().close().await;
            Ok(())
        }
        Command::Token(TokenCommand::List { config }) => {
            let service = open(&config).await?;
            list(&service.list_tokens().await?, global)?;
            service.store().close().await;
            Ok(())
        }
        Command::Token(TokenCommand::Revoke { token, config }) => {
            let service = open(&config).await?;
            let revoked = service.revoke_token(&token).await?;
            service.store().close().await;
            report(revoked, global)
        }
        Command::Audit(command) => audit::run(command, global).await,
        Command::Backup(options) => Box::pin(backup::run(options, global)).await,
        Command::Restore(options) => restore::run(options, global).await,
        Command::Check(options) => check::run(options, global).await,
        Command::Purge(options) => purge::run(options, global).await,
    }
}

async fn migrate(config: &ConfigArgs, global: &Global) -> Result<(), Failure> {
    let config = config.load(None)?;
    let database = config.database_for_display();
    let migrated = async {
        let store = Store::open(config.database.expose_secret()).await?;
        Ok((store.migrate().await?, store))
    };
    let (applied, store) =
        migrated.await.map_err(|error: Error| Failure::of_database(error.into(), &database))?;
    tell(
        &message!(
            "{database}: the schema is up to date; migrations applied: {applied}",
            database = database,
            applied = applied
        ),
        global.lang,
    );
    store.close().await;
    Ok(())
}

fn role_of(role: RoleName, organisation: Option<String>) -> Result<Role, Failure> {
    match (role, organisation) {
        (RoleName::Coordinator, None) => Ok(Role::Coordinator),
        (RoleName::OrganisationManager, Some(id)) => match id.parse() {
            Ok(organisation) => Ok(Role::OrganisationManager(organisation)),
            Err(error) => {
                let wrong = Message::verbatim(error.to_string());
                Err(Failure::input(
                    message!(
                        "{field}: `{value}` {wrong}",
                        field = "--organisation",
                        value = id,
                        wrong = wrong
                    ),
                    "",
                ))
            }
        },
        (RoleName::Coordinator, Some(_)) => Err(Failure::input(
            message!("a coordinator acts for no organisation"),
            message!("leave out --organisation"),
        )),
        (RoleName::OrganisationManager, None) => Err(Failure::input(
            message!("a manager acts for one organisation"),
            message!("add --organisation ID"),
        )),
    }
}

async fn create(service: &Service, role: &Role, label: &str, global: &Global) -> Result<(), Failure> {
    let token = service.issue_token(role, label).await?;
    if global.json {
        data(&serde_json::json!({ "role": role.as_str(), "token": token }).to_string())?;
    } else {
        data(&token)?;
    }
    let role = MessageValue::Label(format!("role.{}", role.as_str()));
    tell(
        &message!("token of {role}; it is shown this once, only its hash is stored", role = role),
        global.lang,
    );
    Ok(())
}

/// One JSON object per token, or a table.
fn list(tokens: &[Token], global: &Global) -> Result<(), Failure> {
    let header = [
        message!("Token"),
        message!("Role"),
        message!("Organisation"),
        message!("Label"),
        message!("Created"),
        message!("Revoked"),
        message!("Id"),
    ];
    let mut rows = titled(&header, global.lang);
    for token in tokens {
        if global.json {
            data(&as_json(token).to_string())?;
            continue;
        }
        let revoked = token.revoke_time.map_or_else(String::new, shown);
        rows.add_row([
            &format!("{}…", token.prefix),
            token.role.as_str(),
            organisation_of(token).unwrap_or_default(),
            &token.label,
            &shown(token.create_time),
            &revoked,
            &token.id,
        ]);
    }
    if !global.json {
        data(&rows.to_string())?;
    }
    Ok(())
}

/// Prints the outcome of a revocation.
fn report(outcome: Revocation, global: &Global) -> Result<(), Failure> {
    match outcome {
        Revocation::Revoked { token, coordinators_left } => {
            if global.json {
                data(&as_json(&token).to_string())?;
            }
            tell(&message!("revoked: {token}", token = in_words(&token)), global.lang);
            if coordinators_left == 0 {
                let command = "wim-match admin token create --role coordinator";
                tell(&message!("warning: no coordinator has a token any more"), global.lang);
                tell(&message!("hint: `{command}` creates one", command = command), global.lang);
            }
            Ok(())
        }
        Revocation::AlreadyRevoked(token) => {
            if global.json {
                data(&as_json(&token).to_string())?;
            }
            let told =
                message!("nothing to do, the token was revoked before: {token}", token = in_words(&token));
            tell(&told, global.lang);
            Ok(())
        }
        Revocation::Ambiguous(tokens) => {
            let listed = tokens.iter().map(|token| Message::verbatim(in_words(token))).collect();
            let wrong = message!("{tokens} live tokens fit; none was revoked", tokens = tokens.len());
            Err(Failure::input(wrong, message!("give more characters, or the id")).with_details(listed))
        }
    }
}

fn as_json(token: &Token) -> serde_json::Value {
    serde_json::json!({
        "id": token.id,
        "prefix": token.prefix,
        "role": token.role.as_str(),
        "organisation": organisation_of(token),
        "label": token.label,
        "create_time": token.create_time.to_string(),
        "revoke_time": token.revoke_time.map(|time| time.to_string()),
    })
}
