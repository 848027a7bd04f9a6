//! Synthetic alliances: the sample, whose files are in `sample/`, and generated ones of any size.
//!
//! Every person and every organisation is invented; each display name ends with `(synthetic sample)`. The shape is that of
//! a real programme (International Women in Resources Mentoring Programme 2024: 112 mentees, 90 mentors, 33 countries):
//! many languages, time zones with half hours, daylight saving, work rosters, people who avoid each other, unanswered
//! questions, people in both roles. The same seed gives the same people on every machine.

mod draw;
mod files;
mod person;
mod places;
mod plan;

use std::io;

pub(in crate::demo) use draw::Draw;
pub use places::SampleOrganisation;

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
    /// Read from files, by organisation.
    Given(Vec<Vec<ProfileDraft>>),
    /// Generated on demand.
    Made(Plan),
}

/// The alliance of the files in `sample/`, which are part of the program: 112 mentees and 90 mentors.
pub fn sample() -> Alliance {
    let (organisations, people) = files::read();
    Alliance { organisations, people: People::Given(people) }
}

/// A synthetic alliance of any size. People are generated on demand, so a million people need no memory.
pub fn synthesise(people: usize, seed: u64) -> Alliance {
    let people = u64::try_from(people).unwrap_or(u64::MAX);
    Alliance { organisations: places::organisations(), people: People::Made(Plan::new(people, seed)) }
}

/// People who join the organisations of the sample a year later, with ids of their own.
pub fn newcomers(people: usize, seed: u64) -> Alliance {
    let plan = Plan::new(u64::try_from(people).unwrap_or(u64::MAX), seed).marked("N");
    Alliance { organisations: places::organisations(), people: People::Made(plan) }
}

impl Alliance {
    /// The people of the organisation at a position in `organisations`, ordered by id; none for a position past the end.
    pub fn profiles_of(&self, organisation: usize) -> Box<dyn Iterator<Item = ProfileDraft> + '_> {
        match &self.people {
            People::Given(people) => Box::new(people.get(organisation).into_iter().flatten().cloned()),
            People::Made(_) if organisation >= HOMES.len() => Box::new(std::iter::empty()),
            People::Made(plan) => {
                Box::new(plan.members(organisation).map(|number| person::person(plan, number)))
            }
        }
    }

    /// The people of the organisation at a position in `organisations` as a CSV file: the file of `sample/`, or a generated
    /// one.
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
