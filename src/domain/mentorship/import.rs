//! Rows of an import of check-ins, and what an import makes of each.

use jiff::civil::Date;

use super::Mentorship;
use super::check_in::{CheckIn, CheckInDraft};
use crate::domain::date::parse_date;
use crate::domain::name::{MentorshipRef, OrganisationId, ProfileRef};
use crate::domain::run::Side;
use crate::domain::violation::Violations;

/// Violations of one row that are listed; further ones are counted.
const MOST_VIOLATIONS: usize = 10;

/// A row of an import.
#[derive(Debug, Clone)]
pub struct CheckInRow {
    /// The caller's number of the row.
    pub row: i64,
    /// The mentorship, or what was given instead of its name.
    pub mentorship: Result<MentorshipRef, String>,
    /// The person, as a check against a mix-up of rows; her side may then be left out.
    pub person: Option<ProfileRef>,
    /// What the row says.
    pub draft: CheckInDraft,
    /// What is known to be wrong with it.
    pub violations: Violations,
    /// The caller could not read all of it: it is rejected, and the rest is judged.
    pub is_unreadable: bool,
}

/// What an import makes of a row.
#[derive(Debug, Clone)]
pub enum JudgedRow {
    /// It is recorded.
    Good(
        /// The mentorship.
        MentorshipRef,
        /// What is recorded.
        CheckIn,
    ),
    /// The same check-in is recorded already.
    Unchanged,
    /// It is rejected.
    Rejected(
        /// Everything that is wrong with it.
        Violations,
    ),
}

impl JudgedRow {
    /// What is to be recorded.
    pub fn to_record(&self) -> Option<(&MentorshipRef, &CheckIn)> {
        match self {
            Self::Good(name, content) => Some((name, content)),
            Self::Unchanged | Self::Rejected(_) => None,
        }
    }
}

impl CheckInRow {
    /// A row without anything wrong so far.
    pub fn new(row: i64, mentorship: &str, draft: CheckInDraft) -> Self {
        Self {
            row,
            mentorship: MentorshipRef::from_name(mentorship).map_err(|_| mentorship.to_owned()),
            person: None,
            draft,
            violations: Violations::at_most(MOST_VIOLATIONS),
            is_unreadable: false,
        }
    }

    /// The side of the row in its mentorship: the one that it says, or that of its person.
    pub fn side_in(
        &self,
        of: &Mentorship,
        own: &OrganisationId,
        violations: &mut Violations,
    ) -> Option<Side> {
        let takes_part = |side: Side| of.organisation(side) == own;
        let Some(person) = &self.person else {
            return self.draft.side.filter(|side| {
                let is_own = takes_part(*side);
                if !is_own {
                    let wrong = "is the side of another organisation's member";
                    violations.push("check_in.side", "", wrong, "name the side of your member");
                }
                is_own
            });
        };
        let is_hers = |side: &Side| {
            let other = if *side == Side::Mentor { &of.pair.mentor } else { &of.pair.mentee };
            takes_part(*side) && other == person
        };
        let Some(hers) = [Side::Mentee, Side::Mentor].into_iter().find(is_hers) else {
            let wrong = "does not take part in this mentorship";
            violations.push(
                "profile",
                person.short(),
                wrong,
                "look whether the rows of the file are mixed up",
            );
            return None;
        };
        if self.draft.side.is_some_and(|side| side != hers) {
            let wrong = "is not the side of this person";
            violations.push("check_in.side", "", wrong, "leave the side out, or correct the person");
        }
        Some(hers)
    }

    /// What stands in the way of the row in the state of its mentorship, as far as the row can be read.
    pub fn check_state(&self, of: &Mentorship, today: Date, violations: &mut Violations) {
        let date = parse_date("date", &self.draft.date, &mut Violations::default());
        CheckIn::check_parts("check_in.", (self.draft.point, date), of, today, violations);
    }
}
