//! Use cases of profiles; `import` has the import.

use super::organisation::parse_organisation;
use super::page::Cursor;
use super::{Action, Page, PageRequest, Service};
use crate::domain::caller::Caller;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::profile::StoredProfile;
use crate::error::{Error, Result};
use crate::store::{Begun, Scope, Store};

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
