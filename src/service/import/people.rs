//! The people of an import: who is named by which row, which ids look alike, and which ids of the own organisation the
//! lists mention. It is the memory of an import: the caller bounds the number of rows, and `MOST_MENTIONS` the rest.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::name::{OrganisationId, OwnId};
use crate::domain::profile::Profile;
use crate::domain::warning::{Warning, WarningCode, alike};

/// Ids of the own organisation that the lists of an import mention, at most; further ones are not looked up.
const MOST_MENTIONS: usize = 300_000;
/// Stored people outside the import that a summary names.
pub(super) const MOST_ABSENT: usize = 100;

/// A warning about a row.
#[derive(Debug, Clone)]
pub struct RowWarning {
    /// The caller's number of the row.
    pub row: i64,
    /// The warning.
    pub warning: Warning,
}

/// The people of an import.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Rows of the good people.
    rows: HashMap<OwnId, i64>,
    /// People whose row was rejected.
    rejected: HashSet<OwnId>,
    /// The first person with each form of an id that does not tell leading zeros and capitals apart.
    alike: HashMap<String, OwnId>,
    /// Mentions of people who had not been named when their row came.
    mentions: Vec<(OwnId, i64, &'static str)>,
}

/// What the end of an import says of the people.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Mentions that are still without a person.
    unknown: BTreeMap<OwnId, Vec<(i64, &'static str)>>,
    warnings: Vec<RowWarning>,
    /// Number of stored people who are not in the import.
    pub(super) absent: i64,
    /// The first of them.
    pub(super) first_absent: Vec<OwnId>,
}

impl People {
    /// Adds the person of a good row. Returns the earlier row of the same person, if there is one.
    pub(super) fn add(&mut self, id: &OwnId, row: i64) -> Result<(), i64> {
        if let Some(first) = self.rows.get(id) {
            Err(*first)
        } else {
            self.rows.insert(id.clone(), row);
            Ok(())
        }
    }

    /// Adds the person of a rejected row.
    pub(super) fn add_rejected(&mut self, id: OwnId) {
        self.rejected.insert(id);
    }

    /// Another id of the import that differs from `id` only by leading zeros or capitals.
    pub(super) fn similar(&mut self, id: &OwnId) -> Option<OwnId> {
        let first = self.alike.entry(alike(id.as_str())).or_insert_with(|| id.clone());
        (first != id).then(|| first.clone())
    }

    /// Remembers whom a profile's lists name among the own organisation.
    pub(super) fn mention(&mut self, organisation: &OrganisationId, row: i64, profile: &Profile) {
        for (field, id) in profile.mentions(organisation) {
            if !self.has(id) && self.mentions.len() < MOST_MENTIONS {
                self.mentions.push((id.clone(), row, field));
            }
        }
    }

    /// Begins the end: the stored people are passed to [`Ending::stored`] next.
    pub(super) fn ending(&mut self) -> Ending {
        let mut ending = Ending::default();
        for (id, row, field) in std::mem::take(&mut self.mentions) {
            if !self.has(&id) {
                ending.unknown.entry(id).or_default().push((row, field));
            }
        }
        ending
    }

    /// Whether a row names the person, good or rejected.
    pub(super) fn has(&self, id: &OwnId) -> bool {
        self.rows.contains_key(id) || self.rejected.contains(id)
    }
}

impl Ending {
    /// Takes a stored person into account.
    pub(super) fn stored(&mut self, people: &People, id: &OwnId) {
        self.unknown.remove(id);
        if people.has(id) {
            return;
        }
        self.absent += 1;
        if self.first_absent.len() < MOST_ABSENT {
            self.first_absent.push(id.clone());
        }
        if let Some(named) = people.alike.get(&alike(id.as_str()))
            && let Some(row) = people.rows.get(named)
        {
            self.warnings.push(similar_id(*row, named, id));
        }
    }

    /// The warnings, by row.
    pub(super) fn warnings(self) -> Vec<RowWarning> {
        let mut warnings = self.warnings;
        for (id, mentions) in self.unknown {
            warnings.extend(mentions.into_iter().map(|(row, field)| RowWarning {
                row,
                warning: Warning::new(field, id.as_str(), WarningCode::UnknownId),
            }));
        }
        warnings.sort_by(|a, b| {
            (a.row, &a.warning.field, &a.warning.value).cmp(&(b.row, &b.warning.field, &b.warning.value))
        });
        warnings
    }
}

/// The warning that the id of a row looks like another one.
pub(super) fn similar_id(row: i64, id: &OwnId, other: &OwnId) -> RowWarning {
    let mut warning = Warning::new("name", id.as_str(), WarningCode::SimilarId);
    warning.other = other.to_string();
    RowWarning { row, warning }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> OwnId {
        text.parse().expect("an id")
    }

    #[test]
    fn the_end_tells_absent_similar_and_unknown_people() {
        let mut people = People::default();
        for (row, name) in (2..).zip(["007", "b"]) {
            assert_eq!(people.add(&id(name), row), Ok(()));
            assert_eq!(people.similar(&id(name)), None);
        }
        assert_eq!(people.add(&id("b"), 9), Err(3));
        assert_eq!(people.similar(&id("B")), Some(id("b")));
        people.mentions = vec![(id("c"), 2, "avoided"), (id("d"), 2, "avoided"), (id("b"), 2, "preferred")];
        let mut ending = people.ending();
        for name in ["7", "b", "d"] {
            ending.stored(&people, &id(name));
        }
        assert_eq!((ending.absent, ending.first_absent.clone()), (2, vec![id("7"), id("d")]));
        let told: Vec<_> =
            ending.warnings().into_iter().map(|w| (w.row, w.warning.code, w.warning.value)).collect();
        let expected =
            [(2, WarningCode::UnknownId, "c".to_owned()), (2, WarningCode::SimilarId, "007".to_owned())];
        assert_eq!(told, expected);
    }
}
