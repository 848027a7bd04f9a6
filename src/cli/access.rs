//! `wim-match principal|grant|credential|invitation|audit`: who may call, and who did what, over gRPC. The Secretariat does all
//! of it; everybody else what concerns herself or her organisation. `wim-match admin` does the same at the machine.

use clap::Subcommand;
use jiff::Timestamp;

use super::admin::{GrantArgs, Listed, OfPrincipal, PrincipalArgs};
use super::failure::Failure;
use super::global::Global;
use crate::client::output::{data, items, json, tell};
use crate::client::{Client, time_shown, v1};
use crate::domain::message::Message;
use crate::domain::principal::{PrincipalDraft, PrincipalKind};
use crate::message;

#[derive(Debug, Subcommand)]
pub(super) enum PrincipalCommand {
    /// Create a principal without roles.
    Create(PrincipalArgs),
    /// List all principals.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum GrantCommand {
    /// Grant a role to a principal.
    Create(GrantArgs),
    /// List the roles of a principal, ended ones too.
    List(OfPrincipal),
    /// End a role at once and for ever.
    End(Listed),
}

#[derive(Debug, Subcommand)]
pub(super) enum CredentialCommand {
    /// Create a credential: an API token, printed this once, or what a JWT or a client certificate is known by.
    Create {
        #[command(flatten)]
        of: OfPrincipal,
        /// What the credential is for.
        #[arg(long, default_value = "")]
        label: String,
        /// The moment from which the credential opens nothing, such as 2028-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
        /// Register the JWTs of this issuer about this subject.
        #[arg(long, num_args = 2, value_names = ["ISSUER", "SUBJECT"], conflicts_with = "certificate")]
        jwt: Option<Vec<String>>,
        /// Register the client certificate with this SHA-256 fingerprint.
        #[arg(long, value_name = "FINGERPRINT")]
        certificate: Option<String>,
    },
    /// List the credentials of a principal, revoked ones too.
    List(OfPrincipal),
    /// Revoke a credential at once and for ever.
    Revoke(Listed),
}

#[derive(Debug, Subcommand)]
pub(super) enum InvitationCommand {
    /// List invitations; `wim-match invite` creates one.
    List,
    /// Cancel an invitation at once and for ever.
    Cancel(Listed),
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List the entries by time: who changed or read what, and when.
    List {
        /// Entries from this moment on, such as 2027-03-01T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
        /// Entries before this moment.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        /// Entries of this actor alone.
        #[arg(long, value_name = "NAME", default_value = "")]
        actor: String,
        /// Entries on the resource of this name alone.
        #[arg(long, value_name = "NAME", default_value = "")]
        resource: String,
    },
    /// Verify the chain of all entries, and name the first bad one.
    Verify {
        /// A head that was printed earlier: entries up to it that were changed or cut off are found.
        #[arg(long, value_name = "HEAD", default_value = "")]
        anchor: String,
    },
}

/// Resource name of the principal with a handle, or of the principal that is named.
async fn named(client: &Client, principal: &str) -> Result<String, Failure> {
    if principal.starts_with("principals/") {
        return Ok(principal.to_owned());
    }
    let found = client.all_principals(principal).await?.into_iter().next();
    found.map(|principal| principal.name).ok_or_else(|| {
        Failure::input(
            message!("no principal has the handle `{handle}`", handle = principal),
            message!("`{command}` lists them", command = "wim-match principal list"),
        )
    })
}

pub(super) async fn principal(command: PrincipalCommand, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let principals = match command {
        PrincipalCommand::Create(principal) => {
            let PrincipalDraft { kind, handle, languages, time_zone } = principal.draft();
            let kind = match kind {
                Some(PrincipalKind::Service) => v1::PrincipalKind::Service,
                Some(PrincipalKind::Person) | None => v1::PrincipalKind::Person,
            };
            let kind = kind.into();
            let principal = v1::Principal { kind, handle, languages, time_zone, ..v1::Principal::default() };
            vec![client.create_principal(principal).await?]
        }
        PrincipalCommand::List => client.all_principals("").await?,
    };
    let header = [message!("Handle"), message!("Languages"), message!("Name")];
    Ok(items(
        &principals,
        &header,
        |one| [one.handle.clone(), one.languages.join(", "), one.name.clone()],
        global.json,
        global.lang,
    )?)
}

pub(super) async fn grant(command: GrantCommand, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let grants = match command {
        GrantCommand::Create(GrantArgs { of, role }) => {
            vec![client.create_grant(&named(&client, &of.principal).await?, &role.draft()).await?]
        }
        GrantCommand::List(of) => client.all_grants(&named(&client, &of.principal).await?).await?,
        GrantCommand::End(grant) => vec![client.end_grant(&grant.name).await?],
    };
    let header = [message!("Role"), message!("From"), message!("Until"), message!("Ended"), message!("Name")];
    let row = |grant: &v1::Grant| {
        let role = grant.role().as_str_name().trim_start_matches("ROLE_").to_lowercase().replace('_', "-");
        let of = grant.organisation.trim_start_matches("organisations/");
        let role = if of.is_empty() { role } else { format!("{role}@{of}") };
        let times = [&grant.from_time, &grant.until_time, &grant.end_time];
        let [from, until, end] = times.map(|at| time_shown(at.as_ref()));
        [role, from, until, end, grant.name.clone()]
    };
    Ok(items(&grants, &header, row, global.json, global.lang)?)
}

pub(super) async fn credential(command: CredentialCommand, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let credentials = match command {
        CredentialCommand::Create { of, label, expires, jwt, certificate } => {
            let jwt = jwt.and_then(|parts| <[String; 2]>::try_from(parts).ok());
            let identity = match (jwt, certificate) {
                (Some([issuer, subject]), _) => {
                    v1::credential::Identity::Jwt(v1::JwtIdentity { issuer, subject })
                }
                (None, Some(fingerprint)) => {
                    v1::credential::Identity::Certificate(v1::CertificateIdentity { fingerprint })
                }
                (None, None) => v1::credential::Identity::Token(v1::ApiToken::default()),
            };
            let credential = v1::Credential { identity: Some(identity), label, ..v1::Credential::default() };
            let principal = named(&client, &of.principal).await?;
            let answer = client.create_credential(&principal, credential, expires).await?;
            if global.json {
                return Ok(json(&answer)?);
            }
            if !answer.token.is_empty() {
                data(&answer.token)?;
                tell(&message!("the token is shown this once, only its hash is stored"), global.lang);
                return Ok(());
            }
            answer.credential.into_iter().collect()
        }
        CredentialCommand::List(of) => client.all_credentials(&named(&client, &of.principal).await?).await?,
        CredentialCommand::Revoke(credential) => vec![client.revoke_credential(&credential.name).await?],
    };
    let header = [
        message!("Token"),
        message!("Label"),
        message!("Last used"),
        message!("Until"),
        message!("Revoked"),
        message!("Name"),
    ];
    let row = |one: &v1::Credential| {
        let known_by = match &one.identity {
            Some(v1::credential::Identity::Token(token)) => format!("{}…", token.prefix),
            Some(v1::credential::Identity::Jwt(jwt)) => format!("{} {}", jwt.issuer, jwt.subject),
            Some(v1::credential::Identity::Certificate(certificate)) => certificate.fingerprint.clone(),
            None => String::new(),
        };
        let times = [&one.use_time, &one.expire_time, &one.revoke_time];
        let [used, until, revoked] = times.map(|at| time_shown(at.as_ref()));
        [known_by, one.label.clone(), used, until, revoked, one.name.clone()]
    };
    Ok(items(&credentials, &header, row, global.json, global.lang)?)
}

pub(super) async fn invitation(command: InvitationCommand, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let invitations = match command {
        InvitationCommand::List => client.all_invitations().await?,
        InvitationCommand::Cancel(invitation) => vec![client.cancel_invitation(&invitation.name).await?],
    };
    let header = [
        message!("Created"),
        message!("Until"),
        message!("Redeemed"),
        message!("Cancelled"),
        message!("Name"),
    ];
    let row = |one: &v1::Invitation| {
        let times = [&one.create_time, &one.expire_time, &one.redeem_time, &one.cancel_time];
        let [created, until, redeemed, cancelled] = times.map(|at| time_shown(at.as_ref()));
        [created, until, redeemed, cancelled, one.name.clone()]
    };
    Ok(items(&invitations, &header, row, global.json, global.lang)?)
}

pub(super) async fn audit(command: AuditCommand, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    match command {
        AuditCommand::List { since, until, actor, resource } => {
            let entries = client.audit((since, until), &actor, &resource).await?;
            let header = [
                message!("Time"),
                message!("Actor"),
                message!("Action"),
                message!("Resource"),
                message!("Detail"),
            ];
            let row = |entry: &v1::AuditEntry| {
                let v1::AuditEntry { time, actor, action, resource, detail, .. } = entry;
                [time_shown(time.as_ref()), actor.clone(), action.clone(), resource.clone(), detail.clone()]
            };
            Ok(items(&entries, &header, row, global.json, global.lang)?)
        }
        AuditCommand::Verify { anchor } => {
            let verified = client.verify_audit(&anchor).await?;
            if global.json {
                json(&verified)?;
            }
            if !verified.description.is_empty() {
                return Err(Failure::input(
                    Message::verbatim(verified.description),
                    message!("keep the database as it is, and compare it with the last backup that verifies"),
                ));
            }
            let told = message!(
                "{entries|1 entry of the audit was|{entries} entries of the audit were} verified; the head is {head}",
                entries = verified.entries,
                head = verified.head
            );
            tell(&told, global.lang);
            Ok(())
        }
    }
}
