//! The files of the sample, which are part of the program.

use serde::Deserialize;

use super::places::SampleOrganisation;
use crate::domain::name::OrganisationId;
use crate::domain::organisation::OrganisationDraft;
use crate::domain::profile::ProfileDraft;
use crate::profile_csv::ProfileReader;

const ORGANISATIONS: &str = include_str!("../../../sample/organisations.csv");

macro_rules! profiles {
    ($($id:literal)+) => {
        const PROFILES: &[(&str, &str)] =
            &[$(($id, include_str!(concat!("../../../sample/profiles/", $id, ".csv")))),+];
    };
}

profiles! {
    "wim-angola" "wim-argentina" "wim-australia" "wim-bolivia" "wim-brasil" "wim-canada" "wim-central-asia"
    "wim-centroamerica" "wim-chile" "wim-colombia" "wim-deutschland" "wim-france" "wim-ghana" "wim-guinee"
    "wim-iberia" "wim-india" "wim-indonesia" "wim-kenya" "wim-maroc" "wim-mexico" "wim-mocambique"
    "wim-mongolia" "wim-nigeria" "wim-nordics" "wim-papua-new-guinea" "wim-peru" "wim-philippines"
    "wim-polska" "wim-rdc" "wim-sahel" "wim-south-africa" "wim-tanzania" "wim-turkiye" "wim-uk" "wim-usa"
    "wim-zambia"
}

/// A row of `organisations.csv`.
#[derive(Debug, Deserialize)]
struct OrganisationRow {
    organisation_id: String,
    display_name: String,
    country: String,
    same_organisation_only: bool,
    /// Ids, separated by `|`.
    excluded_organisations: String,
}

/// The organisations, and the people of each organisation.
#[expect(clippy::expect_used, reason = "the files are compiled in and a test reads them")]
pub(super) fn read() -> (Vec<SampleOrganisation>, Vec<Vec<ProfileDraft>>) {
    let rows = csv::Reader::from_reader(ORGANISATIONS.as_bytes()).into_deserialize::<OrganisationRow>();
    let organisations: Vec<SampleOrganisation> =
        rows.map(|row| organisation(row.expect("a row of the sample is complete"))).collect();
    let people = organisations.iter().map(|organisation| people_of(&organisation.id)).collect();
    (organisations, people)
}

#[expect(clippy::expect_used, reason = "the files are compiled in and a test reads them")]
fn organisation(row: OrganisationRow) -> SampleOrganisation {
    let excluded = row.excluded_organisations.split('|').map(str::trim).filter(|id| !id.is_empty());
    SampleOrganisation {
        id: row.organisation_id.parse().expect("an id of the sample is an id"),
        draft: OrganisationDraft {
            idle_profile_days: 0,
            most_places: [None; 2],
            excluded_organisations: excluded.map(|id| format!("organisations/{id}")).collect(),
            display_name: row.display_name,
            country: row.country,
            same_organisation_only: row.same_organisation_only,
        },
    }
}

/// The file of an organisation of the sample.
pub(super) fn text_of(organisation: &OrganisationId) -> Option<&'static str> {
    PROFILES.iter().find(|(id, _)| *id == organisation.as_str()).map(|(_, text)| *text)
}

#[expect(clippy::expect_used, reason = "the files are compiled in and a test reads them")]
fn people_of(organisation: &OrganisationId) -> Vec<ProfileDraft> {
    let text = text_of(organisation).expect("every organisation of the sample has a file");
    let reader =
        ProfileReader::new(text.as_bytes(), organisation).expect("a file of the sample has a header");
    reader.map(|row| row.expect("a row of the sample can be read").draft).collect()
}
