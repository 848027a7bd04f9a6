//! The invented organisations.

use super::places::{HOMES, Home};
use crate::domain::name::OrganisationId;
use crate::domain::organisation::OrganisationDraft;

/// An organisation of an alliance, with its id.
#[derive(Debug, Clone)]
pub struct SampleOrganisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its content.
    pub draft: OrganisationDraft,
}

/// The invented organisations, ordered by id. One matches within itself only, and two exclude each other.
#[expect(clippy::expect_used, reason = "the ids are constants and a test reads them")]
pub(super) fn invented() -> Vec<SampleOrganisation> {
    let organisation = |home: &Home| SampleOrganisation {
        id: home.id.parse().expect("an id of the table is an id"),
        draft: OrganisationDraft {
            display_name: home.name.to_owned(),
            country: home.seat.to_owned(),
            same_organisation_only: home.id == "wim-india",
            excluded_organisations: match home.id {
                "wim-ghana" => vec!["organisations/wim-nigeria".to_owned()],
                "wim-nigeria" => vec!["organisations/wim-ghana".to_owned()],
                _ => Vec::new(),
            },
        },
    };
    HOMES.iter().map(organisation).collect()
}
