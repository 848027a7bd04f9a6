//! Organisations, registered and listed.

use super::connection::{Client, request_id};
use super::error::Error;
use super::page::{PAGE_SIZE, pages};
use crate::api::convert::organisation::{idle_days_of, message_of_draft};
use crate::api::proto::v1;
use crate::domain::name::OrganisationId;
use crate::domain::organisation::OrganisationDraft;

impl Client {
    /// All organisations that the caller sees, by id.
    pub async fn all_organisations(&self) -> Result<Vec<v1::Organisation>, Error> {
        pages(|page_token| {
            let mut organisations = self.organisations.clone();
            async move {
                let request = v1::ListOrganisationsRequest { page_size: PAGE_SIZE, page_token };
                let page = organisations.list_organisations(request).await?.into_inner();
                Ok((page.organisations, page.next_page_token))
            }
        })
        .await
    }

    /// All consultations, by id.
    pub async fn all_consultations(&self) -> Result<Vec<v1::Consultation>, Error> {
        pages(|page_token| {
            let mut organisations = self.organisations.clone();
            async move {
                let request = v1::ListConsultationsRequest { page_size: PAGE_SIZE, page_token };
                let page = organisations.list_consultations(request).await?.into_inner();
                Ok((page.consultations, page.next_page_token))
            }
        })
        .await
    }

    /// Sets the rules of the caller's own organisation and returns the organisation.
    pub async fn set_rules(
        &self,
        organisation: &OrganisationId,
        rules: v1::OrganisationRules,
    ) -> Result<v1::Organisation, Error> {
        let request = v1::UpdateOrganisationRulesRequest {
            name: organisation.name(),
            rules: Some(rules),
            request_id: request_id(),
            ..v1::UpdateOrganisationRulesRequest::default()
        };
        let changed = self.organisations.clone().update_organisation_rules(request).await?.into_inner();
        Ok(changed.organisation.unwrap_or_default())
    }

    /// Sets after how many days people of an organisation who take part in nothing are erased; 0 for never.
    pub async fn set_idle_profile_days(
        &self,
        organisation: &str,
        days: i32,
    ) -> Result<v1::Organisation, Error> {
        let request =
            v1::UpdateOrganisationRequest { request_id: request_id(), ..idle_days_of(organisation, days) };
        let changed = self.organisations.clone().update_organisation(request).await?.into_inner();
        Ok(changed.organisation.unwrap_or_default())
    }

    /// Registers an organisation and returns it. The service checks `id` and `draft`.
    pub async fn create_organisation(
        &self,
        id: &str,
        draft: OrganisationDraft,
    ) -> Result<v1::Organisation, Error> {
        let request = v1::CreateOrganisationRequest {
            organisation_id: id.to_owned(),
            organisation: Some(message_of_draft(draft)),
            request_id: request_id(),
            validate_only: false,
        };
        let created = self.organisations.clone().create_organisation(request).await?.into_inner();
        Ok(created.organisation.unwrap_or_default())
    }
}
