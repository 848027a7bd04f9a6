//! Use cases of organisations.

use super::page::Cursor;
use super::permission::Permit;
use super::{
    Action, Change, Masked, Page, PageRequest, Service, Stop, check_request_id, commit_change, recalled,
    remembered, taken,
};
use crate::domain::caller::Caller;
use crate::domain::membership::MembershipDraft;
use crate::domain::name::OrganisationId;
use crate::domain::organisation::{
    Organisation, OrganisationContent, OrganisationDraft, OrganisationPatch, OrganisationRules,
    OrganisationRulesDraft,
};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, Notes};

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
        let has_limits = draft.most_places != [None; 2];
        if draft.same_organisation_only || !draft.excluded_organisations.is_empty() || has_limits {
            let hint = "her manager sets them with UpdateOrganisationRules";
            violations.push("organisation.rules", "", "are for the organisation itself to decide", hint);
        }
        let draft = OrganisationDraft {
            same_organisation_only: false,
            excluded_organisations: Vec::new(),
            most_places: [None; 2],
            ..draft
        };
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
        let payload = (&id, &content.display_name, content.country, rules, content.idle_profile_days);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (created, note) = session.create_organisation(&id, &content).await?;
                session.commit(note, &remembered(&created)?).await?;
                Ok(created)
            }
        }
    }

    /// Changes fields of an organisation, or checks whether they can be changed.
    pub async fn update_organisation(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        patch: Masked<OrganisationPatch>,
        how: Change<'_>,
    ) -> Result<Organisation> {
        let permit = Action::UpdateOrganisation.permit(caller)?;
        let mut violations = Violations::of_request();
        let id = taken(parse_organisation("organisation.name", name), &mut violations)?;
        let patch = patch.taken(&mut violations);
        self.change_organisation(&permit, (id, etag), patch, violations, how).await
    }

    /// Changes the rules of an organisation, or checks whether they can be changed. Her own manager alone may do it.
    pub async fn update_organisation_rules(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        rules: &OrganisationRulesDraft,
        how: Change<'_>,
    ) -> Result<Organisation> {
        let permit = Action::UpdateOrganisationRules.permit(caller)?;
        let mut violations = Violations::of_request();
        let id = taken(parse_organisation("name", name), &mut violations)?;
        // Without an id no name is the organisation itself.
        let of = id.clone().or_else(|| "id".parse().ok());
        let rules = of.and_then(|id| {
            OrganisationRules::parse(&id, rules).map_err(|part| violations.extend(part.within("rules"))).ok()
        });
        let patch =
            rules.map(|rules| OrganisationPatch { rules: Some(rules), ..OrganisationPatch::default() });
        self.change_organisation(&permit, (id, etag), patch, violations, how).await
    }

    async fn change_organisation(
        &self,
        permit: &Permit,
        (id, etag): (Option<OrganisationId>, &str),
        patch: Option<OrganisationPatch>,
        mut violations: Violations,
        how: Change<'_>,
    ) -> Result<Organisation> {
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(patch), true) = (id, patch, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let now = self.clock.now();
            return self.store.check_organisation_update(&permit.scope, &id, &patch, etag, now).await;
        }
        let payload = (&id, etag, &patch);
        match self.store.begin(self.receipt(permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (organisation, note) = session.update_organisation(&id, &patch, etag).await?;
                commit_change(session, note, &remembered(&organisation)?).await?;
                Ok(organisation)
            }
        }
    }

    /// Sets the membership of an organisation, or checks whether it can be set. The end of a membership takes its people out of
    /// every round that is not published.
    pub async fn set_membership(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        draft: &MembershipDraft,
        how: Change<'_>,
    ) -> Result<Organisation> {
        let permit = Action::SetMembership.permit(caller)?;
        let mut violations = Violations::of_request();
        let id = taken(parse_organisation("name", name), &mut violations)?;
        let now = self.clock.now();
        let change = draft.parse(now).map_err(|wrong| violations.extend(wrong)).ok();
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(change), true) = (id, change, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            return self.store.check_membership(&permit.scope, &id, &change, etag, now).await;
        }
        let payload = (&id, etag, &change);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let set = session.set_membership(&id, &change, etag).await?;
                commit_change(session, Notes::of(set.notes), &remembered(&set.organisation)?).await?;
                for run in &set.cancelled {
                    self.live_runs.stop(run, Stop::Cancelled);
                }
                Ok(set.organisation)
            }
        }
    }

    /// Whether the permit shows the rules of organisations: each shows its own to its own managers alone.
    pub fn shows_rules(caller: &Caller, organisation: &OrganisationId) -> bool {
        let own = Action::UpdateOrganisationRules.permit(caller);
        own.is_ok_and(|permit| permit.scope.covers(organisation))
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
