//! The generator of the files in `sample/`.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::curated::curate;
use crate::demo::alliance::places::{HOMES, SHARES, organisations};
use crate::demo::alliance::plan::Plan;
use crate::demo::alliance::{Alliance, People, SampleOrganisation, person};
use crate::domain::profile::ProfileDraft;
use crate::profile_csv::ProfileWriter;

/// Seed of the sample, chosen so that a round of it is contended: about nine of ten mentees can be matched.
const SAMPLE_SEED: u64 = 2094;

/// The generated people, some of them changed by hand.
fn make_sample() -> Alliance {
    let plan = Plan::new(SHARES, SAMPLE_SEED);
    let everybody = |home: usize| plan.members(home).map(|number| person::person(&plan, number)).collect();
    let mut people: Vec<Vec<ProfileDraft>> = (0..HOMES.len()).map(everybody).collect();
    curate(&mut people);
    Alliance { organisations: organisations(), people: People::Given(people) }
}

/// Writes the sample's files into a folder, as they are shipped: `organisations.csv` and `profiles/{organisation}.csv`.
pub(super) fn write_sample(folder: &Path) -> io::Result<()> {
    let alliance = make_sample();
    fs::create_dir_all(folder.join("profiles"))?;
    let mut organisations = csv::Writer::from_path(folder.join("organisations.csv"))?;
    organisations.write_record([
        "organisation_id",
        "display_name",
        "country",
        "same_organisation_only",
        "excluded_organisations",
    ])?;
    for (at, SampleOrganisation { id, draft }) in alliance.organisations.iter().enumerate() {
        let bare = |name: &String| name.trim_start_matches("organisations/").to_owned();
        let excluded: Vec<String> = draft.excluded_organisations.iter().map(bare).collect();
        organisations.write_record([
            id.as_str(),
            &draft.display_name,
            &draft.country,
            if draft.same_organisation_only { "true" } else { "false" },
            &excluded.join(" | "),
        ])?;
        let mut profiles = ProfileWriter::new(File::create(folder.join(format!("profiles/{id}.csv")))?)?;
        for draft in alliance.profiles_of(at) {
            profiles.write(&draft)?;
        }
        profiles.finish()?;
    }
    organisations.flush()
}
