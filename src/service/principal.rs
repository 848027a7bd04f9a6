//! Use cases of principals and their grants. The Secretariat does everything; every principal reads and changes herself. The
//! operator at the machine acts as the Secretariat.

use super::page::Cursor;
use super::{
    Action, Change, Page, PageRequest, Service, check_request_id, commit_change, recalled, remembered,
};
use crate::domain::caller::Caller;
use crate::domain::grant::{Grant, GrantDraft, Term};
use crate::domain::name::{Handle, PrincipalPart, PrincipalRef};
use crate::domain::principal::{Principal, PrincipalContent, PrincipalDraft};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, first_version};

/// The fields of a principal that a change may name.
const FIELDS: [&str; 3] = ["handle", "languages", "time_zone"];

impl Service {
    /// The caller herself.
    pub async fn who_am_i(&self, caller: &Caller) -> Result<Principal> {
        let permit = Action::WhoAmI.permit(caller)?;
        self.store.principal(&permit.scope, &permit.principal).await
    }

    /// Creates a principal without roles and credentials, or checks whether it can be created.
    pub async fn create_principal(
        &self,
        caller: &Caller,
        draft: &PrincipalDraft,
        how: Change<'_>,
    ) -> Result<Principal> {
        let permit = Action::CreatePrincipal.permit(caller)?;
        let mut violations = Violations::of_request();
        let content = taken_from(PrincipalContent::parse(draft), "principal", &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(content), true) = (content, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            return match self.store.principal_of_handle(&permit.scope, content.handle.as_str()).await? {
                Some(_) => Err(Error::AlreadyExists(format!("the handle {}", content.handle))),
                None => Ok(first_version("", &content, self.clock.now())),
            };
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &content)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let id = self.clock.new_id().to_string();
                let (created, note) = session.create_principal(&id, &content).await?;
                session.commit(note, &remembered(&created)?).await?;
                Ok(created)
            }
        }
    }

    /// One principal.
    pub async fn get_principal(&self, caller: &Caller, name: &str) -> Result<Principal> {
        let permit = Action::GetPrincipal.permit(caller)?;
        let principal = parse_principal("name", name)?;
        permit.reach(&principal)?;
        self.store.principal(&permit.scope, principal.id()).await
    }

    /// A page of principals, the oldest first; with a handle, the principal that has it.
    pub async fn list_principals(
        &self,
        caller: &Caller,
        handle: &str,
        request: &PageRequest,
    ) -> Result<Page<Principal>> {
        let permit = Action::ListPrincipals.permit(caller)?;
        let cursor = Cursor::new(&permit, &format!("principals {handle}"), request)?;
        let found = if handle.is_empty() {
            let after = cursor.after.as_deref().unwrap_or_default();
            self.store.list_principals(&permit.scope, after, cursor.limit()).await?
        } else {
            let handle: Handle = handle.parse().map_err(|error: crate::domain::name::InvalidName| {
                Error::invalid_field("handle", handle, error.to_string())
            })?;
            self.store.principal_of_handle(&permit.scope, handle.as_str()).await?.into_iter().collect()
        };
        Ok(cursor.page(found, |principal| principal.id.clone()))
    }

    /// Changes the fields of a principal that `mask` names, all of them without a mask, or checks whether it can be done.
    ///
    /// Fails with `EtagMismatch` if the principal has changed since `etag` was read.
    pub async fn update_principal(
        &self,
        caller: &Caller,
        (name, etag): (&str, &str),
        draft: PrincipalDraft,
        mask: Option<&[String]>,
        how: Change<'_>,
    ) -> Result<Principal> {
        let permit = Action::UpdatePrincipal.permit(caller)?;
        let principal = parse_principal("principal.name", name)?;
        permit.reach(&principal)?;
        let mut violations = Violations::of_request();
        for path in mask.into_iter().flatten().filter(|path| !FIELDS.contains(&path.as_str())) {
            violations.push("update_mask", path, "is no field that can be changed", FIELDS.join(", "));
        }
        let version = version_of(etag);
        if version.is_none() {
            violations.push("principal.etag", etag, "is no etag; send the one that was read", "");
        }
        let stored = self.store.principal(&permit.scope, principal.id()).await?;
        let names = |field: &str| mask.is_none_or(|mask| mask.iter().any(|path| path == field));
        let present = &stored.content;
        let draft = PrincipalDraft {
            kind: Some(present.kind),
            handle: if names("handle") { draft.handle } else { present.handle.to_string() },
            languages: if names("languages") { draft.languages } else { present.languages.clone() },
            time_zone: if names("time_zone") { draft.time_zone } else { present.time_zone.clone() },
        };
        let content = taken_from(PrincipalContent::parse(&draft), "principal", &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(content), Some(version), true) = (content, version, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let payload = (principal.id(), etag, &content);
        if how.validate_only {
            if stored.version != version {
                return Err(Error::EtagMismatch(principal.name()));
            }
            let other = self.store.principal_of_handle(&permit.scope, content.handle.as_str()).await?;
            if other.is_some_and(|other| other.id != principal.id()) {
                return Err(Error::AlreadyExists(format!("the handle {}", content.handle)));
            }
            return Ok(Principal { content, version: version + 1, update_time: self.clock.now(), ..stored });
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (changed, note) = session.update_principal(principal.id(), version, &content).await?;
                session.commit(note, &remembered(&changed)?).await?;
                Ok(changed)
            }
        }
    }

    /// Grants a role to a principal, or checks whether it can be granted.
    pub async fn create_grant(
        &self,
        caller: &Caller,
        parent: &str,
        draft: &GrantDraft,
        how: Change<'_>,
    ) -> Result<Grant> {
        let permit = Action::CreateGrant.permit(caller)?;
        let mut violations = Violations::of_request();
        let principal = taken_name(parse_principal("parent", parent), &mut violations)?;
        let term = taken_from(Term::parse(draft, self.clock.now()), "grant", &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(principal), Some(term), true) = (principal, term, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            self.store.check_grant(&permit.scope, Some(principal.id()), &term.role).await?;
            return Ok(term.with_id(String::new()));
        }
        // A repeated request begins at another moment, which the caller has not said.
        let payload = (principal.id(), term.role.to_string(), draft.from, draft.until);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let grant = term.with_id(self.clock.new_id().to_string());
                let note = session.create_grant(principal.id(), &grant).await?;
                session.commit(note, &remembered(&grant)?).await?;
                Ok(grant)
            }
        }
    }

    /// A page of the grants of a principal, the oldest first, ended ones too.
    pub async fn list_grants(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<(PrincipalRef, Page<Grant>)> {
        let permit = Action::ListGrants.permit(caller)?;
        let principal = parse_principal("parent", parent)?;
        permit.reach(&principal)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/grants"), request)?;
        let after = cursor.after.as_deref().unwrap_or_default();
        let found = self.store.list_grants(&permit.scope, principal.id(), after, cursor.limit()).await?;
        Ok((principal, cursor.page(found, |grant| grant.id.clone())))
    }

    /// Ends a grant at once and for ever, or checks whether it can be ended.
    pub async fn end_grant(
        &self,
        caller: &Caller,
        name: &str,
        how: Change<'_>,
    ) -> Result<(PrincipalRef, Grant)> {
        let permit = Action::EndGrant.permit(caller)?;
        let mut violations = Violations::of_request();
        let part = taken_name(parse_part("name", "grants", name), &mut violations)?;
        check_request_id(how.request_id, &mut violations);
        let (Some(part), true) = (part, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let (principal, id) = (part.principal.id(), part.id.as_str());
        let ended = if how.validate_only {
            let grant = self.store.grant(&permit.scope, principal, id).await?;
            let end_time = grant.end_time.or(Some(self.clock.now()));
            Grant { end_time, ..grant }
        } else {
            match self.store.begin(self.receipt(&permit, how.request_id, &(principal, id))?).await? {
                Begun::Repeated(first) => recalled(&first)?,
                Begun::Fresh(mut session) => {
                    let (ended, note) = session.end_grant(principal, id).await?;
                    commit_change(session, note, &remembered(&ended)?).await?;
                    ended
                }
            }
        };
        Ok((part.principal, ended))
    }
}

/// The version in an etag.
fn version_of(etag: &str) -> Option<i64> {
    etag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// A parsed part of a request, or its violations added to the others.
pub(super) fn taken_from<T>(
    parsed: Result<T, Violations>,
    field: &str,
    violations: &mut Violations,
) -> Option<T> {
    parsed.map_err(|part| violations.extend(part.within(field))).ok()
}

/// A parsed name, or its violation added to the others.
pub(super) fn taken_name<T>(parsed: Result<T>, violations: &mut Violations) -> Result<Option<T>> {
    super::taken(parsed, violations)
}

/// Parses the resource name of a principal.
pub(super) fn parse_principal(field: &str, name: &str) -> Result<PrincipalRef> {
    PrincipalRef::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}

/// Parses the resource name of something that belongs to a principal.
pub(super) fn parse_part(field: &str, collection: &'static str, name: &str) -> Result<PrincipalPart> {
    PrincipalPart::from_name(collection, name)
        .map_err(|error| Error::invalid_field(field, name, error.to_string()))
}
