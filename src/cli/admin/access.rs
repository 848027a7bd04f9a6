//! `wim-match admin principal|grant|invitation`: who may call, managed at the machine. The operator acts as the Secretariat.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::failure::Failure;
use super::super::global::{ConfigArgs, Global};
use super::shared::{open, shown};
use crate::client::output::{data, tell, titled};
use crate::domain::caller::Caller;
use crate::domain::grant::{Grant, GrantDraft};
use crate::domain::principal::{Principal, PrincipalDraft, PrincipalKind};
use crate::error::Error;
use crate::message;
use crate::service::{Change, Page, PageRequest, Service};

/// Items read at a time.
const PAGE: i32 = 1_000;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PrincipalCommand {
    /// Create a principal without roles.
    Create {
        #[command(flatten)]
        principal: PrincipalArgs,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// List all principals.
    List {
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GrantCommand {
    /// Grant a role to a principal.
    Create {
        #[command(flatten)]
        grant: GrantArgs,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// List the roles of a principal, ended ones too.
    List {
        #[command(flatten)]
        of: OfPrincipal,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// End a role at once and for ever.
    End {
        #[command(flatten)]
        listed: Listed,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum InvitationCommand {
    /// Create an invitation. Its secret is printed this once, and makes one person a principal within 72 hours.
    Create {
        #[command(flatten)]
        role: RoleArgs,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// A new principal, here and over gRPC.
#[derive(Debug, Args)]
pub(in crate::cli) struct PrincipalArgs {
    /// The name by which a person or a program is known here.
    handle: String,
    /// The principal is a program.
    #[arg(long)]
    service: bool,
    /// Language that a person reads, for example `es`; may be repeated, the best first.
    #[arg(long, value_name = "TAG")]
    language: Vec<String>,
    /// Time zone, for example America/Lima.
    #[arg(long, value_name = "ZONE", default_value = "")]
    time_zone: String,
}

impl PrincipalArgs {
    /// The principal, unchecked.
    pub(in crate::cli) fn draft(self) -> PrincipalDraft {
        let Self { handle, service, language, time_zone } = self;
        let kind = if service { PrincipalKind::Service } else { PrincipalKind::Person };
        PrincipalDraft { kind: Some(kind), handle, languages: language, time_zone }
    }
}

/// A principal that exists.
#[derive(Debug, Args)]
pub(in crate::cli) struct OfPrincipal {
    /// Handle or resource name of the principal.
    pub(in crate::cli) principal: String,
}

/// A new role of a principal.
#[derive(Debug, Args)]
pub(in crate::cli) struct GrantArgs {
    #[command(flatten)]
    pub(in crate::cli) of: OfPrincipal,
    #[command(flatten)]
    pub(in crate::cli) role: RoleArgs,
}

/// What a list of this command has shown.
#[derive(Debug, Args)]
pub(in crate::cli) struct Listed {
    /// Resource name, as `list` shows it.
    pub(in crate::cli) name: String,
}

/// A role with its beginning and its end.
#[derive(Debug, Args)]
pub(in crate::cli) struct RoleArgs {
    /// secretariat, coordinator, organisation-manager, expert, committee-member, service or operations.
    #[arg(long)]
    role: String,
    /// Id of the organisation that the role is for.
    #[arg(long, value_name = "ID")]
    organisation: Option<String>,
    /// First day of the role (UTC), for example 2027-01-31, or its first moment [default: now].
    #[arg(long, value_name = "DAY", value_parser = moment)]
    from: Option<Timestamp>,
    /// The role ends by itself when this day begins (UTC), for example 2028-01-31, or at this moment.
    #[arg(long, value_name = "DAY", value_parser = moment)]
    until: Option<Timestamp>,
}

impl RoleArgs {
    /// The grant, unchecked.
    pub(in crate::cli) fn draft(self) -> GrantDraft {
        let organisation = self.organisation.map_or_else(String::new, |id| {
            format!("organisations/{}", id.trim_start_matches("organisations/"))
        });
        GrantDraft { role: self.role, organisation, from: self.from, until: self.until }
    }
}

/// The beginning of a day in UTC, or a moment.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC));
    day.map(|zoned| zoned.timestamp())
        .or_else(|_| text.parse())
        .map_err(|_| "use a day such as 2027-01-31, or a moment such as 2027-01-31T12:00:00Z".to_owned())
}

pub(super) async fn principal(command: PrincipalCommand, global: &Global) -> Result<(), Failure> {
    match command {
        PrincipalCommand::Create { principal, config } => {
            let service = open(&config).await?;
            let draft = principal.draft();
            let created = service.create_principal(&Caller::operator(), &draft, Change::default()).await?;
            service.store().close().await;
            print_principals(&[created], global)
        }
        PrincipalCommand::List { config } => {
            let service = open(&config).await?;
            let all = principals(&service).await?;
            service.store().close().await;
            print_principals(&all, global)
        }
    }
}

pub(super) async fn grant(command: GrantCommand, global: &Global) -> Result<(), Failure> {
    match command {
        GrantCommand::Create { grant: GrantArgs { of, role }, config } => {
            let service = open(&config).await?;
            let name = principal_named(&service, &of.principal).await?;
            let created =
                service.create_grant(&Caller::operator(), &name, &role.draft(), Change::default()).await?;
            service.store().close().await;
            print_grants(&name, &[created], global)
        }
        GrantCommand::List { of, config } => {
            let service = open(&config).await?;
            let name = principal_named(&service, &of.principal).await?;
            let mut grants: Vec<Grant> = Vec::new();
            let mut request = PageRequest { size: PAGE, token: String::new() };
            loop {
                let (_, page) = service.list_grants(&Caller::operator(), &name, &request).await?;
                request.token = taken(&page, &mut grants);
                if request.token.is_empty() {
                    break;
                }
            }
            service.store().close().await;
            print_grants(&name, &grants, global)
        }
        GrantCommand::End { listed, config } => {
            let service = open(&config).await?;
            let ended = service.end_grant(&Caller::operator(), &listed.name, Change::default()).await?;
            let (principal, ended) = ended;
            service.store().close().await;
            print_grants(&principal.name(), &[ended], global)
        }
    }
}

pub(super) async fn invitation(command: InvitationCommand, global: &Global) -> Result<(), Failure> {
    let InvitationCommand::Create { role, config } = command;
    let service = open(&config).await?;
    let invited = service.create_invitation(&Caller::operator(), &[role.draft()], Change::default()).await?;
    service.store().close().await;
    let secret = invited.secret.unwrap_or_default();
    if global.json {
        let invitation = &invited.invitation;
        let object = serde_json::json!({
            "name": format!("invitations/{}", invitation.id),
            "roles": invitation.grants.iter().map(|grant| grant.role.to_string()).collect::<Vec<_>>(),
            "expire_time": invitation.expire_time.to_string(),
            "secret": secret,
        });
        data(&object.to_string())?;
    } else {
        data(&secret)?;
    }
    tell(
        &message!(
            "an invitation until {time}; it is shown this once. The invited person runs `{command}`",
            time = shown(invited.invitation.expire_time),
            command = "wim-match redeem"
        ),
        global.lang,
    );
    Ok(())
}

/// Resource name of the principal with a handle, or of the principal that is named.
pub(super) async fn principal_named(service: &Service, handle: &str) -> Result<String, Failure> {
    if handle.starts_with("principals/") {
        return Ok(handle.to_owned());
    }
    let first = PageRequest::default();
    let page = service.list_principals(&Caller::operator(), handle, &first).await?;
    match page.items.first() {
        Some(found) => Ok(format!("principals/{}", found.id)),
        None => Err(Error::NotFound(format!("principal {handle}")).into()),
    }
}

async fn principals(service: &Service) -> Result<Vec<Principal>, Failure> {
    let mut all = Vec::new();
    let mut request = PageRequest { size: PAGE, token: String::new() };
    loop {
        let page = service.list_principals(&Caller::operator(), "", &request).await?;
        request.token = taken(&page, &mut all);
        if request.token.is_empty() {
            return Ok(all);
        }
    }
}

/// Adds the items of a page to all, and returns the token of the next page.
fn taken<T: Clone>(page: &Page<T>, all: &mut Vec<T>) -> String {
    let (items, token) = page.within(usize::MAX, T::clone, |_| 0);
    all.extend(items);
    token
}

fn print_principals(principals: &[Principal], global: &Global) -> Result<(), Failure> {
    let header = [message!("Handle"), message!("Kind"), message!("Languages"), message!("Name")];
    let mut rows = titled(&header, global.lang);
    for principal in principals {
        let (content, name) = (&principal.content, format!("principals/{}", principal.id));
        if global.json {
            let object = serde_json::json!({
                "name": name,
                "handle": content.handle.as_str(),
                "kind": content.kind.as_str(),
                "languages": content.languages,
                "time_zone": content.time_zone,
                "create_time": principal.create_time.to_string(),
            });
            data(&object.to_string())?;
            continue;
        }
        rows.add_row([content.handle.as_str(), content.kind.as_str(), &content.languages.join(", "), &name]);
    }
    if !global.json {
        data(&rows.to_string())?;
    }
    Ok(())
}

fn print_grants(principal: &str, grants: &[Grant], global: &Global) -> Result<(), Failure> {
    let header = [message!("Role"), message!("From"), message!("Until"), message!("Ended"), message!("Name")];
    let mut rows = titled(&header, global.lang);
    for grant in grants {
        let name = format!("{principal}/grants/{}", grant.id);
        if global.json {
            let object = serde_json::json!({
                "name": name,
                "role": grant.role.to_string(),
                "from_time": grant.from.to_string(),
                "until_time": grant.until.map(|time| time.to_string()),
                "end_time": grant.end_time.map(|time| time.to_string()),
            });
            data(&object.to_string())?;
            continue;
        }
        let optional = |time: Option<Timestamp>| time.map_or_else(String::new, shown);
        rows.add_row([
            &grant.role.to_string(),
            &shown(grant.from),
            &optional(grant.until),
            &optional(grant.end_time),
            &name,
        ]);
    }
    if !global.json {
        data(&rows.to_string())?;
    }
    Ok(())
}
