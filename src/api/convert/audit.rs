//! Entries of the audit, and what its verification has found.

use super::{count, etag, timestamp};
use crate::api::proto::v1;
use crate::api::reader;
use crate::domain::audit::{AuditEntry, AuditFault, VerifiedAudit};
use crate::domain::name::{OrganisationId, PrincipalRef};
use crate::wording;

/// An entry to the message.
pub fn message(entry: &AuditEntry) -> v1::AuditEntry {
    let name = |id: &String| id.parse().map(|id: OrganisationId| id.name()).unwrap_or_default();
    v1::AuditEntry {
        time: Some(timestamp(entry.time)),
        actor: actor(&entry.actor),
        organisation: entry.organisation.as_ref().map(name).unwrap_or_default(),
        action: entry.action.clone(),
        resource: entry.resource.clone(),
        etag: entry.version.map(etag).unwrap_or_default(),
        detail: entry.detail.clone(),
        position: entry.seal.map_or(0, |seal| seal.position),
        hash: entry.seal.map(|seal| seal.hash_in_hex()).unwrap_or_default(),
    }
}

/// A principal by her resource name, and everybody else as the journal has them.
pub fn actor(id: &str) -> String {
    let principal = PrincipalRef::from_name(&format!("principals/{id}"));
    principal.map_or_else(|_| id.to_owned(), |principal| principal.name())
}

/// What a verification has found, to the message.
pub fn verified(found: &VerifiedAudit) -> v1::VerifyAuditResponse {
    let fault = match &found.fault {
        None => v1::AuditFault::Unspecified,
        Some(AuditFault::Missing(_)) => v1::AuditFault::Missing,
        Some(AuditFault::Altered(_)) => v1::AuditFault::Altered,
        Some(AuditFault::Head(_)) => v1::AuditFault::Head,
        Some(AuditFault::Cut(_)) => v1::AuditFault::Cut,
        Some(AuditFault::Anchor(_)) => v1::AuditFault::Anchor,
    };
    let describe = |fault: &AuditFault| wording::message(&fault.message(), reader::current());
    v1::VerifyAuditResponse {
        entries: count(found.entries),
        head: found.head.to_string(),
        fault: fault.into(),
        fault_position: found.fault.as_ref().map_or(0, AuditFault::position),
        description: found.fault.as_ref().map(describe).unwrap_or_default(),
    }
}
