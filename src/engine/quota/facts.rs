//! What profiles tell of the people in a cut.

use std::collections::BTreeSet;

use crate::domain::language::LanguageLevel;
use crate::engine::encode::{Person, Round};

use super::words::{Facts, Naming};

/// Names the people of a round by organisation, region, languages and ways of meeting. Groups are named by their codes.
#[derive(Debug, Clone, Copy)]
pub struct ByProfile<'a> {
    /// The round.
    pub round: &'a Round<'a>,
    /// Level from which a language counts as spoken.
    pub level: LanguageLevel,
    /// Codes of the groups of mentees.
    pub mentee_groups: &'a [String],
    /// Codes of the groups of mentors.
    pub mentor_groups: &'a [String],
}

impl ByProfile<'_> {
    fn facts(&self, person: &Person<'_>) -> Facts {
        let content = person.content;
        let spoken = content.languages.iter().filter(|language| language.level >= self.level);
        let modes = [("call", content.meeting_modes.by_call), ("in_person", content.meeting_modes.in_person)];
        Facts {
            organisation: BTreeSet::from([person.profile.organisation.as_str().to_owned()]),
            region: BTreeSet::from([format!("{:03}", person.place.region)]),
            languages: spoken.map(|language| language.primary().to_owned()).collect(),
            modes: modes.into_iter().filter(|(_, can)| *can).map(|(mode, _)| mode.to_owned()).collect(),
        }
    }
}

impl Naming for ByProfile<'_> {
    fn mentee(&self, mentee: usize) -> Facts {
        self.facts(self.round.mentee(mentee))
    }

    fn mentor(&self, mentor: usize) -> Facts {
        self.facts(self.round.mentor(mentor))
    }

    fn mentee_group(&self, group: usize) -> String {
        self.mentee_groups.get(group).cloned().unwrap_or_default()
    }

    fn mentor_group(&self, group: usize) -> String {
        self.mentor_groups.get(group).cloned().unwrap_or_default()
    }
}
