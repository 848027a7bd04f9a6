//! Use cases of organisations.

use super::page::Cursor;
use super::{Action, Change, Page, PageRequest, Service, check_request_id};
use crate::domain::caller::Caller;
use crate::domain::name::OrganisationId;
use crate::domain::organisation::{Organisation, OrganisationContent, OrganisationDraft};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::Begun;

impl Service {
    /// Registers an organisation, or checks whether it can be registered.
    pub async fn create_organisation(
        &self,
        caller: &Caller,
        id: &str,
        draft: OrganisationDraft,
        how: Change<'_>,
    ) -> Result<Organisation> {
        let permit = Action::CreateOrganisation.permit(caller)?;
        let mut violations = Violations::of_request();
        let parsed: Option<OrganisationId> = parse_id("organisation_id", id, &mut violations);
        // A stand-in replaces a wrong id, so that the parse finds the other violations too.
        let content = match parsed.clone().or_else(|| "id".parse().ok()) {
            Some(id) => OrganisationContent::parse(&id, &draft)
                .map_err(|part| violations.extend(part.within("organisation")))
                .ok(),
            None => None,
        };
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(content), true) = (parsed, content, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let now = self.clock.now();
            return self.store.check_organisation(&permit.scope, &id, &content, now).await;
        }
        let rules = &content.rules;
        let payload = (&id, &content.display_name, content.country, rules);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(_) => self.store.organisation(&permit.scope, &id).await,
            Begun::Fresh(mut session) => {
                let (created, note) = session.create_organisation(&id, &content).await?;
                session.commit(note, &[]).await?;
                Ok(created)
            }
        }
    }

    /// One organisation.
    pub async fn get_organisation(&self, caller: &Caller, name: &str) -> Result<Organisation> {
        let permit = Action::GetOrganisation.permit(caller)?;
        let id = parse_organisation("name", name)?;
        self.store.organisation(&permit.scope, &id).await
    }

    /// A page of organisations, by id.
    pub async fn list_organisations(
        &self,
        caller: &Caller,
        request: &PageRequest,
    ) -> Result<Page<Organisation>> {
        let permit = Action::ListOrganisations.permit(caller)?;
        let cursor = Cursor::new(&permit, "organisations", request)?;
        let after = cursor.after.as_deref().and_then(|id| id.parse().ok());
        let found = self.store.list_organisations(&permit.scope, after.as_ref(), cursor.limit()).await?;
        Ok(cursor.page(found, |organisation| organisation.id.to_string()))
    }
}

/// Parses an id that the caller chooses.
pub(super) fn parse_id<Id>(field: &str, id: &str, violations: &mut Violations) -> Option<Id>
where
    Id: std::str::FromStr,
    Id::Err: std::fmt::Display,
{
    id.parse().map_err(|error: Id::Err| violations.push(field, id, error.to_string(), "")).ok()
}

/// Parses the resource name of an organisation.
pub(super) fn parse_organisation(field: &str, name: &str) -> Result<OrganisationId> {
    OrganisationId::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}
