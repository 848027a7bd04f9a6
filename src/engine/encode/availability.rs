//! Availability: weekly slots in local time and work rosters, converted to half hours of the week in UTC.
//!
//! Input: the dates of a round, and the slots, roster and time zone of each person. Output: bits of half hours per season.
//!
//! The dates of a round are split into *seasons* at every date on which the UTC offset of a participant's zone changes,
//! because the overlap of Lima and Sydney differs between July and December. Seasons shorter than 28 days are left out,
//! unless there is no longer one. Every season is represented by four consecutive weeks (from its first Monday if they fit, else
//! from its first day), so that rosters such as 14/14 or 8/6 are applied day by day, in local time. Without a roster the
//! four weeks are equal, and one week is stored. The overlap of two people is the minimum over all seasons.
//!
//! A half hour in UTC counts if it lies completely in the slots of the person. With an offset such as +05:45, a slot loses
//! a quarter of an hour at each edge.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::languages::ones;
use crate::domain::profile::{Profile, Roster, RosterAvailability};

/// Number of half hours of a week.
pub const HALF_HOURS: usize = 7 * 48;
/// Number of 64-bit words of one week.
const WORDS: usize = HALF_HOURS.div_ceil(64);
/// Number of weeks that represent a season.
pub const WEEKS: usize = 4;

const HALF_HOURS_OF_DAY: i32 = 48;
const MINUTES_OF_HALF_HOUR: i32 = 30;
const SHORTEST_SEASON_DAYS: i32 = 28;

/// The seasons of a round, and the offset of each time zone in each season.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    first_days: Vec<Date>,
    seasons: Vec<Season>,
    /// Minutes east of UTC, by zone and season.
    offsets: BTreeMap<String, Vec<i32>>,
}

#[derive(Debug, Clone)]
struct Season {
    /// First day of the four representative weeks.
    first_day: Date,
    /// Noon of the middle day, far from both ends of the season. Offsets are read at this moment.
    middle: Timestamp,
}

/// The zones that exist, each once.
fn known<'a>(zones: impl Iterator<Item = &'a str>) -> Vec<(&'a str, TimeZone)> {
    let names: BTreeSet<&str> = zones.collect();
    names.into_iter().filter_map(|name| Some((name, TimeZone::get(name).ok()?))).collect()
}

/// Free half hours of one person in UTC: for every season one week, or four weeks if she works a roster.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hours {
    words: Box<[u64]>,
    weeks: usize,
}

impl Calendar {
    /// The calendar of a round from `start` to `end` for people in `zones`, which are all zones of the round. Unknown zones
    /// are ignored.
    pub(super) fn new<'a>(start: Date, end: Date, zones: impl Iterator<Item = &'a str>) -> Self {
        let zones = known(zones);
        let end = end.max(start);
        let mut first_days = BTreeSet::from([start]);
        for (_, zone) in &zones {
            first_days.extend(offset_changes(zone, start, end));
        }
        Self::of_first_days(first_days.into_iter().collect(), end, &zones)
    }

    /// The calendar of a whole round whose [`Calendar::first_days`] are known, for people in `zones` alone.
    pub(super) fn for_some<'a>(first_days: &[Date], end: Date, zones: impl Iterator<Item = &'a str>) -> Self {
        let last = first_days.last().copied().unwrap_or(end);
        Self::of_first_days(first_days.to_vec(), end.max(last), &known(zones))
    }

    fn of_first_days(first_days: Vec<Date>, end: Date, zones: &[(&str, TimeZone)]) -> Self {
        let rest = first_days.get(1..).unwrap_or_default();
        let last_days = rest.iter().map(|next| next.yesterday().unwrap_or(*next)).chain([end]);
        let spans: Vec<(Date, Date)> = first_days.iter().copied().zip(last_days).collect();
        let longest = spans.iter().map(|span| days(*span)).max().unwrap_or_default();
        let seasons: Vec<Season> = spans
            .into_iter()
            .filter(|span| days(*span) >= SHORTEST_SEASON_DAYS.min(longest))
            .map(Season::new)
            .collect();
        let offsets = zones
            .iter()
            .map(|(name, zone)| {
                let minutes =
                    seasons.iter().map(|season| zone.to_offset(season.middle).seconds().div_euclid(60));
                ((*name).to_owned(), minutes.collect())
            })
            .collect();
        Self { first_days, seasons, offsets }
    }

    /// The first day of the round, and every later day on which the UTC offset of a zone of the round changes.
    pub fn first_days(&self) -> &[Date] {
        &self.first_days
    }

    /// Number of seasons.
    pub fn seasons(&self) -> usize {
        self.seasons.len()
    }

    /// Free half hours of a person; `None` if she gave no hours or her zone is unknown.
    pub(super) fn hours(&self, profile: &Profile) -> Option<Hours> {
        let offsets = self.offsets.get(&profile.time_zone).filter(|_| !profile.weekly_slots.is_empty())?;
        let mut slots = [0_u64; 7];
        for slot in &profile.weekly_slots {
            let bits = (1_u64 << slot.end.min(48)) - (1_u64 << slot.start.min(slot.end).min(48));
            slots[usize::from(slot.day % 7)] |= bits;
        }
        let restricts = |roster: &Roster| {
            roster.availability != RosterAvailability::Always && roster.first_day_on.is_some()
        };
        let roster = profile.roster.filter(restricts);
        let weeks = if roster.is_some() { WEEKS } else { 1 };
        let mut words = Vec::with_capacity(self.seasons.len() * weeks * WORDS);
        for (season, offset) in self.seasons.iter().zip(offsets) {
            let cycle = roster.and_then(|roster| Cycle::new(roster, season.first_day));
            for week in (0..).take(weeks) {
                let mut bits = [0_u64; WORDS];
                for day in 0..7 {
                    let free = season.free_half_hours(7 * week + day, *offset, &slots, cycle);
                    let from = season.position(day);
                    bits[from / 64] |= free << (from % 64);
                    if let Some(next) = bits.get_mut(from / 64 + 1).filter(|_| from % 64 > 16) {
                        *next |= free >> (64 - from % 64);
                    }
                }
                words.extend(bits);
            }
        }
        Some(Hours { words: words.into_boxed_slice(), weeks })
    }
}

impl Season {
    fn new((first, last): (Date, Date)) -> Self {
        let to_monday = (7 - i64::from(first.weekday().to_monday_zero_offset())) % 7;
        let monday = first.checked_add(to_monday.days()).unwrap_or(first);
        let first_day = if days((monday, last)) >= SHORTEST_SEASON_DAYS { monday } else { first };
        let middle_day = first.checked_add((days((first, last)) / 2).days()).unwrap_or(first);
        Self { first_day, middle: noon(middle_day) }
    }

    /// The free half hours of the `day`-th day of the season in UTC, as bits. A half hour is free if it lies completely in the
    /// slots, which are in the local time `offset` minutes east of UTC.
    fn free_half_hours(&self, day: i32, offset: i32, slots: &[u64; 7], cycle: Option<Cycle>) -> u64 {
        let first = offset.div_euclid(MINUTES_OF_HALF_HOUR);
        let local_day = day + first.div_euclid(HALF_HOURS_OF_DAY);
        let local = |day: i32| {
            let weekday = (i32::from(self.weekday()) + day).rem_euclid(7);
            let slot = usize::try_from(weekday).map_or(0, |weekday| slots[weekday]);
            if cycle.is_none_or(|cycle| cycle.holds_on(day)) { u128::from(slot) } else { 0 }
        };
        // A day in UTC overlaps two local days, and the first half hour of a third.
        let days = local(local_day) | local(local_day + 1) << 48 | local(local_day + 2) << 96;
        let is_between = offset.rem_euclid(MINUTES_OF_HALF_HOUR) != 0;
        let free = if is_between { days & days >> 1 } else { days };
        u64::try_from(free >> first.rem_euclid(HALF_HOURS_OF_DAY) & ((1 << 48) - 1)).unwrap_or_default()
    }

    /// Position of the first half hour of a day in a week that begins on Monday 00:00 UTC.
    fn position(&self, day: i32) -> usize {
        let at = (i32::from(self.weekday()) + day).rem_euclid(7) * HALF_HOURS_OF_DAY;
        usize::try_from(at).unwrap_or_default()
    }

    fn weekday(&self) -> i8 {
        self.first_day.weekday().since(Weekday::Monday)
    }
}

/// A roster relative to the first day of a season.
#[derive(Debug, Clone, Copy)]
struct Cycle {
    roster: Roster,
    /// Days from the first day at work of the roster to the first day of the season.
    elapsed: i32,
}

impl Cycle {
    /// `None` for a roster without a first day.
    fn new(roster: Roster, first_day: Date) -> Option<Self> {
        Some(Self { roster, elapsed: days_between(roster.first_day_on?, first_day) })
    }

    /// Whether the slots are valid on the `day`-th day of the season.
    fn holds_on(self, day: i32) -> bool {
        let on = i32::from(self.roster.days_on);
        let length = (on + i32::from(self.roster.days_off)).max(1);
        let at_work = (self.elapsed + day).rem_euclid(length) < on;
        match self.roster.availability {
            RosterAvailability::Always => true,
            RosterAvailability::DaysOn => at_work,
            RosterAvailability::DaysOff => !at_work,
        }
    }
}

impl Hours {
    /// Common minutes per week in the season with the fewest: the mean of four weeks, rounded down.
    pub fn common_minutes(&self, other: &Self) -> u16 {
        let mine = self.words.chunks_exact(WORDS * self.weeks);
        let theirs = other.words.chunks_exact(WORDS * other.weeks);
        let common = mine.zip(theirs).map(|(mine, theirs)| {
            let weeks = (0..WEEKS).map(|week| {
                let (mine, theirs) = (week_of(mine, week), week_of(theirs, week));
                mine.iter().zip(theirs).map(|(a, b)| (a & b).count_ones()).sum::<u32>()
            });
            weeks.sum::<u32>()
        });
        minutes_per_week(common.min().unwrap_or_default())
    }

    /// Number of stored weeks per season: 1 without a roster.
    pub fn weeks(&self) -> usize {
        self.weeks
    }

    /// The free half hours of one week of one season, ascending, counted from Monday 00:00 UTC.
    pub fn half_hours(&self, season: usize, week: usize) -> impl Iterator<Item = usize> {
        let from = season * self.weeks * WORDS;
        let words = week_of(&self.words[from..from + self.weeks * WORDS], week).iter();
        words.enumerate().flat_map(|(word, bits)| ones(*bits).map(move |bit| word * 64 + bit))
    }
}

/// Mean minutes per week of `half_hours` half hours in four weeks, rounded down.
pub fn minutes_per_week(half_hours: u32) -> u16 {
    u16::try_from(half_hours * 30 / 4).unwrap_or(u16::MAX)
}

fn week_of(season: &[u64], week: usize) -> &[u64] {
    let from = if season.len() == WORDS { 0 } else { week * WORDS };
    &season[from..from + WORDS]
}

/// The days after `start`, up to `end`, on which the UTC offset of `zone` changes.
fn offset_changes(zone: &TimeZone, start: Date, end: Date) -> Vec<Date> {
    let mut offset = zone.to_offset(midnight(start));
    let mut changes = Vec::new();
    for transition in zone.following(midnight(start)) {
        let day = transition.timestamp().to_zoned(TimeZone::UTC).date();
        if day > end {
            break;
        }
        if transition.offset() != offset && day > start {
            changes.push(day);
        }
        offset = transition.offset();
    }
    changes
}

fn days((first, last): (Date, Date)) -> i32 {
    days_between(first, last) + 1
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

fn midnight(day: Date) -> Timestamp {
    at(day, Time::midnight())
}

fn noon(day: Date) -> Timestamp {
    at(day, Time::constant(12, 0, 0, 0))
}

fn at(day: Date, time: Time) -> Timestamp {
    TimeZone::UTC.to_timestamp(day.to_datetime(time)).unwrap_or(if day.year() > 0 {
        Timestamp::MAX
    } else {
        Timestamp::MIN
    })
}
