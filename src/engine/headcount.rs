//! Checks that everyone enrolled ends in a match or in a reason.
//!
//! Input: the snapshot, the matches and the entries of people without a match. Output: whether they add up.
//! Invariant: a person takes part once per role of her profile, as mentee, as mentor or as both; a person without a role
//! counts once, without a side. For each of these, there is either a match on that side or one entry, and never both. The
//! check reads the snapshot itself, so that a person whom the encoding drops is missed here.

use std::collections::HashMap;

use super::assign::StopPoll;
use super::observer::{Observer, Stopped};
use crate::domain::name::ProfileRef;
use crate::domain::profile::Profile;
use crate::domain::run::{Match, Side, Unmatched};
use crate::domain::snapshot::Snapshot;

/// Units of work of one lookup by name, between two polls of the observer.
const LOOKUP_WORK: usize = 128;

/// What is known about one person, per side: mentee, mentor, without a role.
#[derive(Default, Clone, Copy)]
struct Count {
    version: i64,
    enrolled: [bool; 3],
    matched: [bool; 3],
    reasons: [u32; 3],
}

impl Count {
    /// Whether each side on which the person is enrolled has a match or exactly one reason, and no other side has any.
    fn is_complete(&self) -> bool {
        (0..3)
            .all(|side| u32::from(self.matched[side]) + self.reasons[side] == u32::from(self.enrolled[side]))
    }
}

/// Whether every enrolment ends in a match or in one reason, on each side on which the person takes part.
pub(super) fn adds_up(
    snapshot: &Snapshot,
    matches: &[Match],
    unmatched: &[Unmatched],
    observer: &dyn Observer,
) -> Result<bool, Stopped> {
    let mut poll = StopPoll::new(observer);
    let mut counts: HashMap<&ProfileRef, Count> = HashMap::with_capacity(snapshot.participants.len());
    for participant in &snapshot.participants {
        poll.count(LOOKUP_WORK)?;
        let count = counts.entry(&participant.profile).or_default();
        // Of two entries with the same name, the one with the higher version counts.
        if count.enrolled == [false; 3] || participant.version > count.version {
            (count.version, count.enrolled) = (participant.version, roles(&participant.content));
        }
    }
    for pair in matches {
        for (profile, side) in [(&pair.mentee, Side::Mentee), (&pair.mentor, Side::Mentor)] {
            poll.count(LOOKUP_WORK)?;
            let Some(count) = counts.get_mut(profile) else { return Ok(false) };
            count.matched[index(Some(side))] = true;
        }
    }
    for entry in unmatched {
        poll.count(LOOKUP_WORK)?;
        let Some(count) = counts.get_mut(&entry.profile) else { return Ok(false) };
        count.reasons[index(entry.side)] += 1;
    }
    Ok(counts.values().all(Count::is_complete))
}

fn roles(content: &Profile) -> [bool; 3] {
    let (mentee, mentor) = (content.open_request().is_some(), content.open_offer().is_some());
    [mentee, mentor, !mentee && !mentor]
}

fn index(side: Option<Side>) -> usize {
    match side {
        Some(Side::Mentee) => 0,
        Some(Side::Mentor) => 1,
        None => 2,
    }
}
