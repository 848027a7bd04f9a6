//! An invented alliance: the sample that is shipped in `sample/`, and synthetic ones of any size.
//!
//! Nobody in it exists, and no organisation in it is the real one of a similar name: each says so in its display name.
//! The shape is that of a real programme (International Women in Resources Mentoring Programme 2024: 112 mentees, 90
//! mentors, 33 countries): many languages, half-hour zones, daylight saving, work rosters, people who avoid each other,
//! answers left open, people in both roles. The same seed gives the same people on every machine.

mod curated;
mod draw;
mod files;
mod person;
mod places;
mod plan;

use std::io;

pub use files::write_sample;

use crate::domain::name::OrganisationId;
use crate::domain::organisation::OrganisationDraft;
use crate::domain::profile::ProfileDraft;
use crate::profile_csv::ProfileWriter;
use places::{HOMES, SHARES};
use plan::Plan;

/// Seed of the sample, chosen so that a round of it is contended: about nine of ten mentees can be matched.
const SAMPLE_SEED: u64 = 2094;

/// An organisation of an alliance, with its id.
#[derive(Debug, Clone)]
pub struct SampleOrganisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its content.
    pub draft: OrganisationDraft,
}

/// Organisations and their people.
#[derive(Debug, Clone)]
pub struct Alliance {
    /// The organisations, ordered by id.
    pub organisations: Vec<SampleOrganisation>,
    people: People,
}

#[derive(Debug, Clone)]
enum People {
    /// As read from files, by organisation.
    Given(Vec<Vec<ProfileDraft>>),
    /// Made when asked for.
    Made(Plan),
}

/// The alliance of the files in `sample/`, which are part of the program: 112 mentees and 90 mentors.
pub fn sample() -> Alliance {
    let (organisations, people) = files::read();
    Alliance { organisations, people: People::Given(people) }
}

/// An alliance of any size. People are made one by one as they are asked for, so a million need no memory.
pub fn synthesise(people: usize, seed: u64) -> Alliance {
    let people = u64::try_from(people).unwrap_or(u64::MAX);
    Alliance { organisations: organisations(), people: People::Made(Plan::new(people, seed)) }
}

impl Alliance {
    /// Number of people.
    pub fn len(&self) -> usize {
        match &self.people {
            People::Given(people) => people.iter().map(Vec::len).sum(),
            People::Made(plan) => usize::try_from(plan.people).unwrap_or(usize::MAX),
        }
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The people of the organisation at a position in `organisations`, ordered by own id; nobody beyond the last.
    pub fn profiles_of(&self, organisation: usize) -> Box<dyn Iterator<Item = ProfileDraft> + '_> {
        match &self.people {
            People::Given(people) => Box::new(people.get(organisation).into_iter().flatten().cloned()),
            People::Made(_) if organisation >= HOMES.len() => Box::new(std::iter::empty()),
            People::Made(plan) => {
                Box::new(plan.members(organisation).map(|number| person::person(plan, number)))
            }
        }
    }

    /// The people of the organisation at a position in `organisations` as its CSV file: the very file of `sample/`, or
    /// one written for the purpose.
    pub fn csv_of(&self, organisation: usize) -> io::Result<Vec<u8>> {
        let Some(SampleOrganisation { id, .. }) = self.organisations.get(organisation) else {
            return Ok(Vec::new());
        };
        match (&self.people, files::text_of(id)) {
            (People::Given(_), Some(text)) => Ok(text.as_bytes().to_vec()),
            _ => {
                let mut writer = ProfileWriter::new(Vec::new())?;
                for draft in self.profiles_of(organisation) {
                    writer.write(&draft)?;
                }
                writer.finish()
            }
        }
    }

    /// Everybody, ordered by organisation and own id.
    pub fn profiles(&self) -> impl Iterator<Item = ProfileDraft> + '_ {
        (0..self.organisations.len()).flat_map(|organisation| self.profiles_of(organisation))
    }
}

/// The sample before it is written to files: the generator's people, some of them changed by hand.
fn make_sample() -> Alliance {
    let plan = Plan::new(SHARES, SAMPLE_SEED);
    let everybody = |home: usize| plan.members(home).map(|number| person::person(&plan, number)).collect();
    let mut people: Vec<Vec<ProfileDraft>> = (0..HOMES.len()).map(everybody).collect();
    curated::curate(&mut people);
    Alliance { organisations: organisations(), people: People::Given(people) }
}

/// The invented organisations. One matches within itself only, and two exclude each other.
#[expect(clippy::expect_used, reason = "the ids are constants and a test reads them")]
fn organisations() -> Vec<SampleOrganisation> {
    let organisation = |home: &places::Home| SampleOrganisation {
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

#[cfg(test)]
mod tests;
