//! Rules for the hours of a week and for work rosters.

use super::text::{bounded, date, small};
use crate::domain::field_rule;
use crate::domain::profile::{Roster, RosterAvailability, RosterDraft, SlotDraft, WeeklySlot};
use crate::domain::violation::Violations;
use crate::message;

/// Most slots that a draft may list.
const MAX_SLOTS: usize = field_rule::PROFILE_WEEKLY_SLOTS.max_items;
/// Half hours of a day.
const HALF_HOURS: u8 = 48;
/// Longest time at work or off in one roster cycle.
const MAX_ROSTER_DAYS: i32 = field_rule::ROSTER_DAYS_ON.most;

/// The hours of a usual week, in order; slots that overlap or touch become one.
pub(super) fn slots(given: &[SlotDraft], violations: &mut Violations) -> Vec<WeeklySlot> {
    let mut week = [0_u64; 7];
    for (i, slot) in bounded("weekly_slots", given, MAX_SLOTS, violations).iter().enumerate() {
        let day = usize::try_from(slot.day).ok().and_then(|day| week.get_mut(day.wrapping_sub(1)));
        if day.is_none() {
            violations.push(
                format!("weekly_slots[{i}].day"),
                slot.day,
                "is not a weekday",
                "use 1 for Monday to 7 for Sunday",
            );
        }
        let Some(start_minute) = slot.start_minute else {
            let hint = "give the start in minutes after midnight; 0 is midnight";
            violations.push(format!("weekly_slots[{i}].start_minute"), "", "is missing", hint);
            continue;
        };
        let start = half_hours(i, "start_minute", start_minute, violations);
        let end = half_hours(i, "end_minute", slot.end_minute, violations);
        let (Some(start), Some(end)) = (start, end) else { continue };
        if start >= end {
            violations.push(
                format!("weekly_slots[{i}].end_minute"),
                slot.end_minute,
                message!("is not after the start, which is {start}", start = start_minute),
                "for a slot over midnight, give one slot up to 1440 and another from 0 of the next day",
            );
        } else if let Some(day) = day {
            *day |= (u64::MAX >> (64 - (end - start))) << start;
        }
    }
    let mut slots = Vec::new();
    for (day, hours) in (0..).zip(week) {
        let is_free = |at: u8| hours >> at & 1 == 1;
        let mut start = 0;
        while let Some(begin) = (start..HALF_HOURS).find(|at| is_free(*at)) {
            let end = (begin..HALF_HOURS).find(|at| !is_free(*at)).unwrap_or(HALF_HOURS);
            slots.push(WeeklySlot { day, start: begin, end });
            start = end;
        }
    }
    slots
}

fn half_hours(slot: usize, name: &str, minute: i32, violations: &mut Violations) -> Option<u8> {
    let half_hours = u8::try_from(minute / 30).ok().filter(|half_hours| *half_hours <= HALF_HOURS);
    if minute % 30 != 0 || minute < 0 || half_hours.is_none() {
        violations.push(
            format!("weekly_slots[{slot}].{name}"),
            minute,
            "is not a multiple of 30 from 0 to 1440",
            "a slot begins and ends on the hour or half hour, for example 18:30 (minute 1110 of the day)",
        );
        return None;
    }
    half_hours
}

/// A work cycle.
pub(super) fn roster(draft: &RosterDraft, violations: &mut Violations) -> Roster {
    let mut days = |field: &str, days: i32| {
        if !(1..=MAX_ROSTER_DAYS).contains(&days) {
            let hint = "give no roster for a person without a work cycle";
            violations.push(field, days, message!("is outside 1 to {most}", most = MAX_ROSTER_DAYS), hint);
        }
        small(days)
    };
    let days_on = days("roster.days_on", draft.days_on);
    let days_off = days("roster.days_off", draft.days_off);
    let first_day_on = if draft.first_day_on.is_empty() {
        None
    } else {
        date("roster.first_day_on", &draft.first_day_on, violations)
    };
    let availability = match draft.availability {
        0 | 1 => RosterAvailability::DaysOff,
        2 => RosterAvailability::DaysOn,
        3 => RosterAvailability::Always,
        other => {
            let hint = "use 1 for days off, 2 for days at work, 3 for always";
            violations.push("roster.availability", other, "is not a roster availability", hint);
            RosterAvailability::DaysOff
        }
    };
    Roster { days_on, days_off, first_day_on, availability }
}
