//! Organisations.

use super::{etag, timestamp};
use crate::api::proto::v1;
use crate::domain::organisation::{Organisation, OrganisationDraft};

/// From the message, unchecked.
pub fn draft(message: v1::Organisation) -> OrganisationDraft {
    let rules = message.rules.unwrap_or_default();
    OrganisationDraft {
        display_name: message.display_name,
        country: message.country,
        same_organisation_only: rules.same_organisation_only,
        excluded_organisations: rules.excluded_organisations,
    }
}

/// To the message, from a draft: what a client sends.
pub fn message_of_draft(draft: OrganisationDraft) -> v1::Organisation {
    v1::Organisation {
        display_name: draft.display_name,
        country: draft.country,
        rules: Some(v1::OrganisationRules {
            same_organisation_only: draft.same_organisation_only,
            excluded_organisations: draft.excluded_organisations,
        }),
        ..v1::Organisation::default()
    }
}

/// To the message.
pub fn message(organisation: &Organisation) -> v1::Organisation {
    let content = &organisation.content;
    v1::Organisation {
        name: organisation.id.name(),
        display_name: content.display_name.clone(),
        country: content.country.code().to_owned(),
        region: content.country.region().code().to_owned(),
        rules: Some(v1::OrganisationRules {
            same_organisation_only: content.rules.same_organisation_only,
            excluded_organisations: content.rules.excluded_organisations.iter().map(|id| id.name()).collect(),
        }),
        etag: etag(organisation.version),
        create_time: Some(timestamp(organisation.create_time)),
        update_time: Some(timestamp(organisation.update_time)),
    }
}
