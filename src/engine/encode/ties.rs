//! Relations between particular people: avoided, reporting line, previous partners, preferred, vetoed.
//!
//! Input: the lists of all people of a round, and its vetoes. Output: the related pairs, sorted. Such pairs are few. The dense pass ignores
//! them, and corrections for them are added afterwards, so that the dense pass needs no lookup per pair.

use std::collections::HashMap;
use std::ops::{BitOr, BitOrAssign};

use super::person::{AnswersUsed, PEOPLE_PER_CHECK, Person};
use crate::domain::name::ProfileRef;
use crate::engine::observer::{Observer, Stopped};

/// Set of relations between a mentee and a mentor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relations(u8);

impl Relations {
    /// No relation.
    pub const NONE: Self = Self(0);
    /// The mentee and the mentor are the same person.
    pub const SAME_PERSON: Self = Self(1);
    /// One person avoids the other.
    pub const AVOIDED: Self = Self(2);
    /// One person names the other in her reporting line.
    pub const REPORTING_LINE: Self = Self(4);
    /// The two people have been partners before.
    pub const PARTNERS_BEFORE: Self = Self(8);
    /// The mentee prefers the mentor.
    pub const MENTEE_PREFERS: Self = Self(16);
    /// The mentor prefers the mentee.
    pub const MENTOR_PREFERS: Self = Self(32);
    /// A decision of the round excludes the pair.
    pub const VETOED: Self = Self(64);

    /// Whether the set contains all relations of `other`.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Relations {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Relations {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// Related pairs of a round, by positions of people. Ordered by mentee, then mentor; each pair once.
#[derive(Debug, Clone, Default)]
pub struct RelatedPairs(Vec<(u32, u32, Relations)>);

impl RelatedPairs {
    /// Collects the related pairs from the lists of all `people` and from the vetoes of a round. All lists are private, so
    /// that open answers relate each person with herself only. Vetoes are open. A veto that names a person who does not take
    /// part in that role has no effect.
    pub(super) fn collect<'d>(
        people: &[Person<'_>],
        vetoes: impl Iterator<Item = (&'d ProfileRef, &'d ProfileRef)>,
        answers: AnswersUsed,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let mut vetoes = vetoes.peekable();
        // Open answers name nobody.
        let is_needed = answers != AnswersUsed::Open || vetoes.peek().is_some();
        let named: &[Person<'_>] = if is_needed { people } else { &[] };
        let mut position: HashMap<&ProfileRef, usize> = HashMap::with_capacity(named.len());
        for (at, person) in named.iter().enumerate() {
            if at % PEOPLE_PER_CHECK == 0 {
                observer.check()?;
            }
            position.insert(person.profile, at);
        }
        let mut pairs = Vec::new();
        let mut tie = |mentee: usize, mentor: usize, ties: Relations| {
            if people[mentee].mentee.is_some() && people[mentor].mentor.is_some() {
                pairs.push((as_u32(mentee), as_u32(mentor), ties));
            }
        };
        for (mentee, mentor) in vetoes {
            if let (Some(mentee), Some(mentor)) = (position.get(mentee), position.get(mentor)) {
                tie(*mentee, *mentor, Relations::VETOED);
            }
        }
        for (me, person) in people.iter().enumerate() {
            if me % PEOPLE_PER_CHECK == 0 {
                observer.check()?;
            }
            tie(me, me, Relations::SAME_PERSON);
            if answers == AnswersUsed::Open {
                continue;
            }
            let lists = [
                (&person.content.avoided, Relations::AVOIDED, Relations::AVOIDED),
                (&person.content.reporting_line, Relations::REPORTING_LINE, Relations::REPORTING_LINE),
                (&person.content.previous_partners, Relations::PARTNERS_BEFORE, Relations::PARTNERS_BEFORE),
                (&person.content.preferred, Relations::MENTEE_PREFERS, Relations::MENTOR_PREFERS),
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

    /// The same pairs without the vetoes.
    pub(super) fn release_vetoes(&mut self) {
        for (_, _, relations) in &mut self.0 {
            relations.0 &= !Relations::VETOED.0;
        }
    }

    /// The related mentors of one mentee with their relations, ordered by mentor.
    pub fn of_mentee(&self, mentee: u32) -> impl Iterator<Item = (u32, Relations)> {
        let from = self.0.partition_point(|pair| pair.0 < mentee);
        self.0[from..].iter().take_while(move |pair| pair.0 == mentee).map(|pair| (pair.1, pair.2))
    }
}

/// Converts a position to 32 bits. The people of a round fit into memory, so that their number is far below the limit.
pub(in crate::engine) fn as_u32(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
