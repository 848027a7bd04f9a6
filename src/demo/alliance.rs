//! An invented alliance: the sample that is shipped in `sample/`, and synthetic ones of any size.
//!
//! Nobody in it exists, and no organisation in it is the real one of a similar name: each says so in its display name.
//! The shape is that of a real programme (International Women in Resources Mentoring Programme 2024: 112 mentees, 90
//! mentors, 33 countries): many languages, half-hour zones, daylight saving, work rosters, people who avoid each other,
//! answers left open, people in both roles. The same seed gives the same people on every machine.

mod draw;
mod files;
mod organisation;
mod person;
mod places;
mod plan;

use std::io;

pub use organisation::SampleOrganisation;

use crate::domain::profile::ProfileDraft;
use crate::profile_csv::ProfileWriter;
use places::HOMES;
use plan::Plan;

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
    Alliance { organisations: organisation::invented(), people: People::Made(Plan::new(people, seed)) }
}

impl Alliance {
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
        if let (People::Given(_), Some(text)) = (&self.people, files::text_of(id)) {
            return Ok(text.as_bytes().to_vec());
        }
        let mut writer = ProfileWriter::new(Vec::new())?;
        for draft in self.profiles_of(organisation) {
            writer.write(&draft)?;
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests;
