//! What two particular people have to do with each other: lists that name people, turned into sorted pairs. There are few
//! such pairs, so they are corrections to the dense pass and cost it nothing.

use std::collections::HashMap;
use std::ops::{BitOr, BitOrAssign};

use super::person::{PEOPLE_PER_CHECK, Person};
use crate::domain::name::ProfileRef;
use crate::engine::observer::{Observer, Stopped};

/// What a mentee and a mentor have to do with each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ties(u8);

impl Ties {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// They are one person.
    pub const SAME_PERSON: Self = Self(1);
    /// One of them avoids the other.
    pub const AVOIDED: Self = Self(2);
    /// One of them is above the other in her reporting line.
    pub const REPORTING_LINE: Self = Self(4);
    /// They have been partners before.
    pub const PARTNERS_BEFORE: Self = Self(8);
    /// The mentee would like the mentor.
    pub const MENTEE_PREFERS: Self = Self(16);
    /// The mentor would like the mentee.
    pub const MENTOR_PREFERS: Self = Self(32);

    /// Whether all of `other` holds.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Ties {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Ties {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// The tied pairs of a round, by positions of people: ordered by mentee, then mentor, each pair once.
#[derive(Debug, Clone, Default)]
pub struct TiedPairs(Vec<(u32, u32, Ties)>);

impl TiedPairs {
    /// Collects them from the lists of everyone in `people`.
    pub(super) fn collect(people: &[Person<'_>], observer: &dyn Observer) -> Result<Self, Stopped> {
        let mut position: HashMap<&ProfileRef, usize> = HashMap::with_capacity(people.len());
        for (at, person) in people.iter().enumerate() {
            if at % PEOPLE_PER_CHECK == 0 {
                observer.check()?;
            }
            position.insert(person.profile, at);
        }
        let mut pairs = Vec::new();
        let mut tie = |mentee: usize, mentor: usize, ties: Ties| {
            if people[mentee].mentee.is_some() && people[mentor].mentor.is_some() {
                pairs.push((as_u32(mentee), as_u32(mentor), ties));
            }
        };
        for (me, person) in people.iter().enumerate() {
            if me % PEOPLE_PER_CHECK == 0 {
                observer.check()?;
            }
            tie(me, me, Ties::SAME_PERSON);
            let lists = [
                (&person.content.avoided, Ties::AVOIDED, Ties::AVOIDED),
                (&person.content.reporting_line, Ties::REPORTING_LINE, Ties::REPORTING_LINE),
                (&person.content.previous_partners, Ties::PARTNERS_BEFORE, Ties::PARTNERS_BEFORE),
                (&person.content.preferred, Ties::MENTEE_PREFERS, Ties::MENTOR_PREFERS),
            ];
            for (list, as_mentee, as_mentor) in lists {
                for other in list.iter().filter_map(|name| position.get(name)) {
                    tie(me, *other, as_mentee);
                    tie(*other, me, as_mentor);
                }
            }
        }
        pairs.sort_unstable_by_key(|&(mentee, mentor, _)| (mentee, mentor));
        pairs.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 |= next.2;
            }
            same
        });
        Ok(Self(pairs))
    }

    /// The ties of one mentee: mentor and ties, ordered by mentor.
    pub fn of_mentee(&self, mentee: u32) -> impl Iterator<Item = (u32, Ties)> {
        let from = self.0.partition_point(|pair| pair.0 < mentee);
        self.0[from..].iter().take_while(move |pair| pair.0 == mentee).map(|pair| (pair.1, pair.2))
    }
}

/// Positions of people are 32 bits wide everywhere; a round of four thousand million people does not fit a machine.
pub(in crate::engine) fn as_u32(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
