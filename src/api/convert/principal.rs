//! Principals, grants, credentials and invitations.

use jiff::Timestamp;

use super::{etag, moment, timestamp};
use crate::api::proto::v1;
use crate::api::proto::v1::credential::Identity;
use crate::domain::credential::{Credential, CredentialDraft, IdentityDraft, Shown};
use crate::domain::grant::{Grant, GrantDraft, Invitation, Role, Term};
use crate::domain::name::OrganisationId;
use crate::domain::principal::{Principal, PrincipalDraft, PrincipalKind};
use crate::error::Error;

/// From the message, unchecked.
pub fn draft(message: v1::Principal) -> PrincipalDraft {
    PrincipalDraft {
        kind: match message.kind() {
            v1::PrincipalKind::Unspecified => None,
            v1::PrincipalKind::Person => Some(PrincipalKind::Person),
            v1::PrincipalKind::Service => Some(PrincipalKind::Service),
        },
        handle: message.handle,
        languages: message.languages,
        time_zone: message.time_zone,
    }
}

/// To the message.
pub fn message(principal: &Principal) -> v1::Principal {
    v1::Principal {
        name: name_of("principals", &principal.id),
        kind: match principal.content.kind {
            PrincipalKind::Person => v1::PrincipalKind::Person,
            PrincipalKind::Service => v1::PrincipalKind::Service,
        }
        .into(),
        handle: principal.content.handle.to_string(),
        languages: principal.content.languages.clone(),
        time_zone: principal.content.time_zone.clone(),
        etag: etag(principal.version),
        create_time: Some(timestamp(principal.create_time)),
        update_time: Some(timestamp(principal.update_time)),
    }
}

/// A grant from the message, unchecked but for its times.
pub fn grant_draft(message: &v1::Grant, field: &str) -> Result<GrantDraft, Error> {
    // The number of a role is one more than its place among the names.
    let number = usize::try_from(message.role).ok().and_then(|number| number.checked_sub(1));
    Ok(GrantDraft {
        role: number.and_then(|at| Role::NAMES.get(at)).copied().unwrap_or_default().to_owned(),
        organisation: message.organisation.clone(),
        from: time(message.from_time.as_ref(), &format!("{field}.from_time"))?,
        until: time(message.until_time.as_ref(), &format!("{field}.until_time"))?,
    })
}

/// A grant of a principal to the message; `now` decides whether it is live.
pub fn grant_message(principal: &str, grant: &Grant, now: Timestamp) -> v1::Grant {
    let name = match grant.id.as_str() {
        "" => String::new(),
        id => format!("principals/{principal}/grants/{id}"),
    };
    let term = Term { role: grant.role.clone(), from: grant.from, until: grant.until };
    v1::Grant {
        name,
        end_time: grant.end_time.map(timestamp),
        live: grant.is_live(now, now),
        ..term_message(&term)
    }
}

/// A grant of an invitation to the message.
fn term_message(term: &Term) -> v1::Grant {
    v1::Grant {
        role: i32::try_from(term.role.number() + 1).unwrap_or_default(),
        organisation: term.role.organisation().map(OrganisationId::name).unwrap_or_default(),
        from_time: Some(timestamp(term.from)),
        until_time: term.until.map(timestamp),
        ..v1::Grant::default()
    }
}

/// A credential from the message, unchecked but for its time.
pub fn credential_draft(message: v1::Credential) -> Result<CredentialDraft, Error> {
    Ok(CredentialDraft {
        identity: match message.identity {
            None | Some(Identity::Token(_)) => IdentityDraft::Token,
            Some(Identity::Jwt(jwt)) => IdentityDraft::Jwt(jwt.issuer, jwt.subject),
            Some(Identity::Certificate(certificate)) => IdentityDraft::Certificate(certificate.fingerprint),
        },
        label: message.label,
        expire: time(message.expire_time.as_ref(), "credential.expire_time")?,
    })
}

/// A resource name; empty for what is not stored.
fn name_of(collection: &str, id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("{collection}/{id}") }
}

/// A moment of a request.
pub fn time(at: Option<&prost_types::Timestamp>, field: &str) -> Result<Option<Timestamp>, Error> {
    let wrong = |at: &prost_types::Timestamp| {
        Error::invalid_field(field, &at.seconds.to_string(), "is outside the possible years")
    };
    at.map(|at| moment(at).ok_or_else(|| wrong(at))).transpose()
}

/// A credential as the service returns it, to the message.
pub fn credential_message(credential: &Credential) -> v1::Credential {
    let name = match credential.id.as_str() {
        "" => String::new(),
        id => format!("principals/{}/credentials/{id}", credential.principal),
    };
    v1::Credential {
        name,
        identity: Some(match credential.shown.clone() {
            Shown::Token { prefix } => Identity::Token(v1::ApiToken { prefix }),
            Shown::Jwt { issuer, subject } => Identity::Jwt(v1::JwtIdentity { issuer, subject }),
            Shown::Certificate { fingerprint } => {
                Identity::Certificate(v1::CertificateIdentity { fingerprint })
            }
        }),
        label: credential.label.clone(),
        expire_time: credential.expire_time.map(timestamp),
        create_time: Some(timestamp(credential.create_time)),
        revoke_time: credential.revoke_time.map(timestamp),
        use_time: credential.use_time.map(timestamp),
    }
}

/// An invitation to the message.
pub fn invitation_message(invitation: &Invitation) -> v1::Invitation {
    v1::Invitation {
        name: name_of("invitations", &invitation.id),
        grants: invitation.grants.iter().map(term_message).collect(),
        create_time: Some(timestamp(invitation.create_time)),
        expire_time: Some(timestamp(invitation.expire_time)),
        creator: super::audit::actor(&invitation.creator),
        redeem_time: invitation.redeemed.as_ref().map(|(at, _)| timestamp(*at)),
        principal: invitation.redeemed.as_ref().map(|(_, id)| name_of("principals", id)).unwrap_or_default(),
        cancel_time: invitation.cancel_time.map(timestamp),
    }
}
