//! `wim-match admin …`: works on the database itself, so it needs no token.

mod access;
mod audit;
mod backup;
mod check;
mod erasure;
mod manifest;
mod purge;
mod restore;
mod shared;

use clap::Subcommand;
use secrecy::ExposeSecret as _;

pub(super) use self::access::{GrantArgs, Listed, OfPrincipal, PrincipalArgs, RoleArgs};
use self::shared::{in_words, open, prefix_of, roles_of, shown};
use super::failure::Failure;
use super::global::{ConfigArgs, Global};
use crate::client::output::{data, tell, titled};
use crate::domain::caller::Caller;
use crate::domain::credential::{CredentialDraft, Shown};
use crate::domain::grant::{InvalidRole, Role};
use crate::domain::message::{Message, MessageValue};
use crate::domain::name::InvalidName;
use crate::error::Error;
use crate::message;
use crate::service::{Change, Revocation, Service};
use crate::store::{OwnedCredential, Store};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bring the database to the schema of this version.
    Migrate {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Create and list principals: the people and the programs that may call.
    #[command(subcommand)]
    Principal(access::PrincipalCommand),
    /// Grant, list and end the roles of principals.
    #[command(subcommand)]
    Grant(access::GrantCommand),
    /// Invite somebody to a role.
    #[command(subcommand)]
    Invitation(access::InvitationCommand),
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
    /// List the erasures of a database, and repeat them in a restored one.
    #[command(subcommand)]
    Erasure(erasure::Command),
    /// Check a whole database, or a backup: its pages, its references and its counts.
    Check(check::Options),
    /// Delete what is no longer kept, as the service does every hour.
    Purge(purge::Options),
    /// Write the tables of people anew, so that what was erased is in no file of the database. It locks each table meanwhile.
    Rewrite {
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Create a token: of a principal, or of a new service with a role. It is printed this once; only its hash is stored.
    Create {
        /// secretariat, coordinator, organisation-manager, expert, committee-member, service or operations.
        #[arg(long, required_unless_present = "principal")]
        role: Option<String>,
        /// Id of the organisation that the role is for.
        #[arg(long, value_name = "ID", requires = "role")]
        organisation: Option<String>,
        /// Handle of the principal whose token it is, with the roles that she has.
        #[arg(long, value_name = "HANDLE", conflicts_with = "role")]
        principal: Option<String>,
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

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::Migrate { config } => migrate(&config, global).await,
        Command::Principal(command) => access::principal(command, global).await,
        Command::Grant(command) => access::grant(command, global).await,
        Command::Invitation(command) => access::invitation(command, global).await,
        Command::Token(TokenCommand::Create { role, organisation, principal, label, config }) => {
            let role = role.map(|role| role_of(&role, organisation)).transpose()?;
            let service = open(&config).await?;
            match (role, principal) {
                (Some(role), _) => create(&service, &role, &label, global).await?,
                (None, principal) => {
                    create_of(&service, &principal.unwrap_or_default(), label, global).await?;
                }
            }
            service.store().close().await;
            Ok(())
        }
        Command::Token(TokenCommand::List { config }) => {
            let service = open(&config).await?;
            list(&service.list_credentials().await?, global)?;
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
        Command::Erasure(command) => Box::pin(erasure::run(command, global)).await,
        Command::Check(options) => check::run(options, global).await,
        Command::Purge(options) => purge::run(options, global).await,
        Command::Rewrite { config } => {
            let service = open(&config).await?;
            service.rewrite_tables().await?;
            service.store().close().await;
            tell(&message!("the tables of people were written anew"), global.lang);
            Ok(())
        }
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

/// The role of two options of the command line.
fn role_of(role: &str, organisation: Option<String>) -> Result<Role, Failure> {
    let wrong = |field: &str, value: &str, wrong: Message, hint: Message| {
        let told =
            message!("{field}: `{value}` {wrong}", field = field, value = value.to_owned(), wrong = wrong);
        Failure::input(told, hint)
    };
    let organisation = organisation.map(|id| match id.trim_start_matches("organisations/").parse() {
        Ok(organisation) => Ok(organisation),
        Err(error) => {
            let error: InvalidName = error;
            Err(wrong("--organisation", &id, Message::verbatim(error.to_string()), Message::default()))
        }
    });
    Role::new(role, organisation.transpose()?).map_err(|error| {
        let hint = match error {
            InvalidRole::NeedsOrganisation => message!("add --organisation ID"),
            InvalidRole::OfTheAlliance => message!("leave out --organisation"),
            InvalidRole::Unknown => Message::default(),
        };
        wrong("--role", role, error.message(), hint)
    })
}

async fn create(service: &Service, role: &Role, label: &str, global: &Global) -> Result<(), Failure> {
    let token = service.issue_token(role, label).await?;
    if global.json {
        data(&serde_json::json!({ "role": role.to_string(), "token": token }).to_string())?;
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

/// Prints a new token of a principal.
async fn create_of(service: &Service, handle: &str, label: String, global: &Global) -> Result<(), Failure> {
    let name = access::principal_named(service, handle).await?;
    let draft = CredentialDraft { label, ..CredentialDraft::default() };
    let issued = service.create_credential(&Caller::operator(), &name, &draft, Change::default()).await?;
    let token = issued.token.unwrap_or_default();
    if global.json {
        data(&serde_json::json!({ "principal": name, "token": token }).to_string())?;
    } else {
        data(&token)?;
    }
    let told =
        message!("token of {principal}; it is shown this once, only its hash is stored", principal = handle);
    tell(&told, global.lang);
    Ok(())
}

/// One JSON object per token, or a table.
fn list(tokens: &[OwnedCredential], global: &Global) -> Result<(), Failure> {
    let header = [
        message!("Token"),
        message!("Roles"),
        message!("Handle"),
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
        let revoked = token.credential.revoke_time.map_or_else(String::new, shown);
        rows.add_row([
            &prefix_of(token),
            &roles_of(token).join(", "),
            &token.handle,
            &token.credential.label,
            &shown(token.credential.create_time),
            &revoked,
            &token.credential.id,
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

fn as_json(token: &OwnedCredential) -> serde_json::Value {
    let OwnedCredential { credential, handle, .. } = token;
    let prefix = match &credential.shown {
        Shown::Token { prefix } => Some(prefix),
        Shown::Jwt { .. } | Shown::Certificate { .. } => None,
    };
    serde_json::json!({
        "id": credential.id,
        "principal": format!("principals/{}", credential.principal),
        "handle": handle,
        "kind": credential.shown.kind().as_str(),
        "prefix": prefix,
        "roles": roles_of(token),
        "label": credential.label,
        "create_time": credential.create_time.to_string(),
        "expire_time": credential.expire_time.map(|time| time.to_string()),
        "revoke_time": credential.revoke_time.map(|time| time.to_string()),
    })
}
