//! Use cases of profiles; `import` has the import.

use std::collections::BTreeMap;

use super::organisation::parse_organisation;
use super::page::Cursor;
use super::{Action, Page, PageRequest, Service, taken};
use crate::domain::caller::Caller;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::profile::StoredProfile;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::message;
use crate::store::{Begun, Scope, Store};

/// Profiles that are read by their names at once, at most.
const MOST_NAMES: usize = 100;
/// Profiles per part of an export.
const EXPORT_PART: u32 = 200;
/// Bytes of the documents of a page or of a part of an export.
const PAGE_BYTES: usize = 1 << 20;

impl Service {
    /// One profile.
    pub async fn get_profile(&self, caller: &Caller, name: &str) -> Result<StoredProfile> {
        let permit = Action::GetProfile.permit(caller)?;
        let name = parse_profile("name", name)?;
        self.store.profile(&permit.scope, &name).await
    }

    /// Some profiles of an organisation, in the order of their names; all or none.
    pub async fn batch_get_profiles(
        &self,
        caller: &Caller,
        parent: &str,
        names: &[String],
    ) -> Result<Vec<StoredProfile>> {
        let permit = Action::BatchGetProfiles.permit(caller)?;
        let mut violations = Violations::of_request();
        let organisation = taken(parse_organisation("parent", parent), &mut violations)?;
        if names.is_empty() || names.len() > MOST_NAMES {
            let wrong = message!("are not 1 to {most} names", most = MOST_NAMES);
            violations.push("names", names.len(), wrong, "");
        }
        let mut asked = Vec::with_capacity(names.len().min(MOST_NAMES));
        for (at, name) in names.iter().take(MOST_NAMES).enumerate() {
            let field = format!("names[{at}]");
            match ProfileRef::from_name(name) {
                Ok(one) if organisation.as_ref().is_none_or(|of| *of == one.organisation) => {
                    asked.push(one.id)
                }
                Ok(_) => violations.push(field, name, "is not a profile of `parent`", ""),
                Err(error) => violations.push(field, name, error.to_string(), ""),
            }
        }
        let (Some(organisation), true) = (organisation, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let found = self.store.profiles_named(&permit.scope, &organisation, &asked).await?;
        let found: BTreeMap<&OwnId, &StoredProfile> =
            found.iter().map(|profile| (&profile.name.id, profile)).collect();
        let of = |id: &OwnId| {
            let missing = || ProfileRef { organisation: organisation.clone(), id: id.clone() }.name();
            found.get(id).map(|profile| (*profile).clone()).ok_or_else(|| Error::NotFound(missing()))
        };
        asked.iter().map(of).collect()
    }

    /// A page of an organisation's profiles, by id.
    pub async fn list_profiles(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<Page<StoredProfile>> {
        let permit = Action::ListProfiles.permit(caller)?;
        let organisation = parse_organisation("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/profiles"), request)?;
        let after = cursor.after.as_deref().and_then(|id| id.parse().ok());
        let scope = &permit.scope;
        let page = self.store.list_profiles(scope, &organisation, after.as_ref(), cursor.limit(), PAGE_BYTES);
        let (found, is_cut) = page.await?;
        let more = is_cut || found.len() >= cursor.limit() as usize;
        Ok(cursor.page_cut(found, more, |profile| profile.name.id.to_string()))
    }

    /// Exports all profiles of an organisation, in parts. The entry of the audit is durable before the first part is read.
    pub async fn export_profiles(&self, caller: &Caller, parent: &str) -> Result<Export> {
        let permit = Action::ExportProfiles.permit(caller)?;
        let organisation = parse_organisation("parent", parent)?;
        let scope = &permit.scope;
        // Without a `request_id` there is no first answer.
        if let Begun::Fresh(mut session) = self.store.begin(self.receipt(&permit, "", &())?).await? {
            let note = session.note_export(&organisation).await?;
            session.commit(note, &[]).await?;
        }
        Ok(Export { store: self.store.clone(), scope: scope.clone(), organisation, after: None })
    }
}

/// A begun export.
#[derive(Debug)]
pub struct Export {
    store: Store,
    scope: Scope,
    organisation: OrganisationId,
    after: Option<OwnId>,
}

impl Export {
    /// The next profiles, by id; empty at the end.
    pub async fn next_part(&mut self) -> Result<Vec<StoredProfile>> {
        let part = self.store.list_profiles(
            &self.scope,
            &self.organisation,
            self.after.as_ref(),
            EXPORT_PART,
            PAGE_BYTES,
        );
        let (part, _) = part.await?;
        if let Some(last) = part.last() {
            self.after = Some(last.name.id.clone());
        }
        Ok(part)
    }
}

/// Parses the resource name of a profile.
pub(super) fn parse_profile(field: &str, name: &str) -> Result<ProfileRef> {
    ProfileRef::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}
