//! The waiting list: mentees who stayed without a match in a published round, and what a next round makes of it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::name::{ProfileRef, RunRef};
use super::policy::{FULL_SCORE, Policy};
use super::run::UnmatchedReason;

/// Why a mentee waits. A next round serves the causes in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingCause {
    /// Her mentorship was declined or ended early, without a fault of hers.
    EarlyEnd,
    /// A repair took her published match from her, without a fault of hers.
    LostMatch,
    /// A published run gave her no match, or she ended a mentorship herself and seeks another one.
    NoMatch,
    /// Her mentor's side ended the mentorship because she did not show up or did not answer.
    NoShow,
}

impl WaitingCause {
    /// All causes, the first to be served first.
    pub const ALL: [Self; 4] = [Self::EarlyEnd, Self::LostMatch, Self::NoMatch, Self::NoShow];

    /// The cause's name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EarlyEnd => "early_end",
            Self::LostMatch => "lost_match",
            Self::NoMatch => "no_match",
            Self::NoShow => "no_show",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }

    /// Whether a mentee is in the first tier of a next round however long she has waited.
    pub fn is_first(self) -> bool {
        matches!(self, Self::EarlyEnd | Self::LostMatch)
    }
}

/// What an enrolment keeps of the waiting list, as it was when the mentee was enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Day of the publication with which she began to wait, in UTC.
    pub since: Date,
    /// Why she waits.
    pub cause: WaitingCause,
}

/// A mentee on the waiting list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingMentee {
    /// Her profile.
    pub profile: ProfileRef,
    /// The publication or the end with which she began to wait.
    pub since: Timestamp,
    /// Why she waits.
    pub cause: WaitingCause,
    /// Published rounds in which she has stayed without a match since.
    pub rounds: i64,
    /// The last published run that gave her no match; without any, the one of the mentorship that has ended.
    pub run: RunRef,
    /// The reason that this run gives; `None` if it gave her a match.
    pub reason: Option<UnmatchedReason>,
    /// First day of waiting by her profile, if it has one.
    pub told_since: Option<Date>,
}

impl WaitingMentee {
    /// What an enrolment keeps.
    pub fn waiting(&self) -> Waiting {
        Waiting { since: self.since.to_zoned(TimeZone::UTC).date(), cause: self.cause }
    }
}

/// What a round makes of a mentee's waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingPriority {
    /// Days of waiting at the start of the round.
    pub waited_days: u32,
    /// Whether she is in the first tier, whose mentees come before all others.
    pub is_first: bool,
}

impl WaitingPriority {
    /// Days of waiting that give the full score.
    const LONGEST_WAIT_DAYS: u32 = 365;

    /// What a round of this policy that starts at `start` makes of a mentee who waits `since` a day.
    ///
    /// The score grows in proportion to a year and is full after it; the weight of the criterion in the policy bounds what it
    /// is worth. The first tier takes those who have waited as long as the policy requires, and those whose cause is first. It does
    /// not take who did not show up: she is served with all others, until a publication passes her over.
    pub fn of(policy: &Policy, start: Date, since: Option<Date>, cause: Option<WaitingCause>) -> Self {
        let days = since.and_then(|since| since.until(start).ok()).map_or(0, |span| span.get_days());
        let waited_days = u32::try_from(days).unwrap_or_default();
        let is_last = cause == Some(WaitingCause::NoShow);
        let is_first = policy.waitlist_after_days.is_some_and(|days| {
            let has_waited = since.is_some() && waited_days >= u32::from(days);
            has_waited && !is_last || cause.is_some_and(WaitingCause::is_first)
        });
        Self { waited_days, is_first }
    }

    /// Score of the criterion on waiting time, 0 to 10,000, for each pair of hers.
    pub fn score(self) -> u16 {
        Self::score_of(self.waited_days)
    }

    /// The same after a number of days.
    pub fn score_of(waited_days: u32) -> u16 {
        let counted = waited_days.min(Self::LONGEST_WAIT_DAYS);
        let score = counted * u32::from(FULL_SCORE) / Self::LONGEST_WAIT_DAYS;
        u16::try_from(score).unwrap_or(FULL_SCORE)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_oldest_come_first_and_a_lost_match_before_all() {
        let policy = Policy { waitlist_after_days: Some(90), ..Policy::default() };
        let start = date(2027, 1, 1);
        let of = |since, cause| {
            let priority = WaitingPriority::of(&policy, start, since, cause);
            (priority.waited_days, priority.is_first, priority.score())
        };
        assert_eq!(of(None, None), (0, false, 0));
        assert_eq!(of(Some(date(2026, 10, 4)), Some(WaitingCause::NoMatch)), (89, false, 2_438));
        assert_eq!(of(Some(date(2026, 10, 3)), Some(WaitingCause::NoMatch)), (90, true, 2_465));
        assert_eq!(of(Some(date(2026, 12, 31)), Some(WaitingCause::LostMatch)), (1, true, 27));
        assert_eq!(of(Some(date(2020, 1, 1)), None), (2_557, true, 10_000));
        assert_eq!(of(Some(date(2027, 2, 1)), None), (0, false, 0), "a day after the start");
        let no_show = of(Some(date(2020, 1, 1)), Some(WaitingCause::NoShow));
        assert_eq!(no_show, (2_557, false, 10_000), "however long she has waited");
        assert_eq!(of(Some(start), Some(WaitingCause::EarlyEnd)), (0, true, 0));
        let one_tier = Policy { waitlist_after_days: None, ..Policy::default() };
        let lost = WaitingPriority::of(&one_tier, start, Some(start), Some(WaitingCause::LostMatch));
        assert!(!lost.is_first, "a policy with one tier knows no first one");
    }

    #[test]
    fn stored_names_of_causes_are_read_back() {
        for cause in WaitingCause::ALL {
            assert_eq!(WaitingCause::from_name(cause.as_str()), Some(cause));
        }
    }
}
