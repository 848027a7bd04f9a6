//! The forms of cells: each form with its reader and its writer.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::language::LanguageLevel;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::profile::{ConsentDraft, ConsentPurpose, RosterDraft, SlotDraft};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MIDNIGHT: i32 = 24 * 60;

/// Why a text could not be read, with what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misread {
    pub(super) what: Cow<'static, str>,
    pub(super) hint: &'static str,
}

impl Misread {
    fn new(what: impl Into<Cow<'static, str>>, hint: &'static str) -> Self {
        Self { what: what.into(), hint }
    }
}

/// Items of a list.
pub(super) fn items(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(['|', ';', ',', '\n', '\r']).map(str::trim).filter(|item| !item.is_empty())
}

/// A list of items as one cell.
pub(super) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut cell = String::new();
    for item in items {
        if !cell.is_empty() {
            cell.push_str(" | ");
        }
        cell.push_str(item.as_ref());
    }
    cell
}

/// Whether a text that begins with `first` needs the apostrophe: a spreadsheet would run it, or the reader would remove its
/// own apostrophe.
fn must_be_guarded(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\'')
}

/// Puts an apostrophe before a text that a spreadsheet would run as a formula.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(must_be_guarded) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Removes the apostrophe that [`guarded`] adds.
pub(super) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(must_be_guarded)).unwrap_or(text)
}

/// Reads a whole number.
pub(super) fn number(text: &str) -> Result<i32, Misread> {
    text.parse().map_err(|_| Misread::new("is not a whole number", "use digits only, for example 2"))
}

/// Reads one item of `weekly_hours`, which may mean several slots, and adds the slots in order.
pub(super) fn read_slots(item: &str, slots: &mut Vec<SlotDraft>) -> Result<(), Misread> {
    const HINT: &str = "write for example `Mon 18:00-20:00` or `Mon-Fri 07:00-08:30`";
    let (days, times) =
        item.split_once(char::is_whitespace).ok_or_else(|| Misread::new("is not a day and hours", HINT))?;
    let (first, last) = split_range(days).unwrap_or((days, days));
    let (Some(first), Some(last)) = (day(first), day(last)) else {
        return Err(Misread::new("does not begin with a day or a range of days", HINT));
    };
    let (start, end) = split_range(times).ok_or_else(|| Misread::new("has no beginning and end", HINT))?;
    let (Some(start), Some(end)) = (minute(start), minute(end)) else {
        return Err(Misread::new("has hours that are not times of day such as 18:30", HINT));
    };
    let end = if end == 0 { MIDNIGHT } else { end };
    if start == end || start == MIDNIGHT {
        return Err(Misread::new("begins where it ends", "for a whole day write 00:00-24:00"));
    }
    let count = (last - first).rem_euclid(7) + 1;
    for day in (first..first + count).map(|day| day % 7) {
        let mut push = |day: i32, start_minute, end_minute| {
            slots.push(SlotDraft { day: day % 7 + 1, start_minute: Some(start_minute), end_minute });
        };
        if start < end {
            push(day, start, end);
        } else {
            push(day, start, MIDNIGHT);
            push(day + 1, 0, end);
        }
    }
    Ok(())
}

/// Slots as a cell: neighbours with equal hours on consecutive days become one item.
pub(super) fn write_slots(slots: &[SlotDraft]) -> String {
    let follows = |a: &SlotDraft, b: &SlotDraft| {
        (b.day, b.start_minute, b.end_minute) == (a.day + 1, a.start_minute, a.end_minute)
    };
    list(slots.chunk_by(follows).filter_map(|run| {
        let (first, last) = (run.first()?, run.last()?);
        let hours = format!("{}-{}", clock(first.start_minute.unwrap_or_default()), clock(first.end_minute));
        Some(if first.day == last.day {
            format!("{} {hours}", day_name(first.day))
        } else {
            format!("{}-{} {hours}", day_name(first.day), day_name(last.day))
        })
    }))
}

/// Spreadsheets turn hyphens into dashes.
fn split_range(text: &str) -> Option<(&str, &str)> {
    let (a, b) = text.split_once(['-', '–', '—'])?;
    Some((a.trim(), b.trim()))
}

/// 0 for Monday.
fn day(text: &str) -> Option<i32> {
    let text = text.to_ascii_lowercase();
    let matches = |long: &&str| text.len() >= 3 && long.starts_with(text.as_str());
    LONG_DAYS.iter().position(matches).and_then(|at| i32::try_from(at).ok())
}

fn day_name(day: i32) -> &'static str {
    usize::try_from(day - 1).ok().and_then(|at| DAYS.get(at)).copied().unwrap_or("?")
}

fn minute(text: &str) -> Option<i32> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= MIDNIGHT).then_some(minute)
}

fn clock(minute: i32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Reads a roster.
pub(super) fn read_roster(cell: &str) -> Result<RosterDraft, Misread> {
    const HINT: &str = "write for example `14/14 from 2027-01-04 off`; the last word is off, on or always";
    let mut words = cell.split_whitespace();
    let cycle = words.next().and_then(|word| word.split_once('/'));
    let days = cycle.and_then(|(on, off)| Some((on.parse().ok()?, off.parse().ok()?)));
    let (Some((days_on, days_off)), Some("from"), Some(first_day_on)) = (days, words.next(), words.next())
    else {
        return Err(Misread::new("is not a roster", HINT));
    };
    let availability = match words.next() {
        None => 0,
        Some("off") => 1,
        Some("on") => 2,
        Some("always") => 3,
        Some(_) => return Err(Misread::new("does not end in off, on or always", HINT)),
    };
    match words.next() {
        None => Ok(RosterDraft { days_on, days_off, first_day_on: first_day_on.to_owned(), availability }),
        Some(_) => Err(Misread::new("goes on after the roster", HINT)),
    }
}

/// A roster as a cell.
pub(super) fn write_roster(roster: &RosterDraft) -> String {
    let word = match roster.availability {
        1 => " off",
        2 => " on",
        3 => " always",
        _ => "",
    };
    format!("{}/{} from {}{word}", roster.days_on, roster.days_off, roster.first_day_on)
}

/// Reads one item of `languages`.
pub(super) fn read_language(item: &str) -> Result<(String, i32), Misread> {
    const HINT: &str = "write for example `en C1`; levels are A1, A2, B1, B2, C1, C2 and native";
    let (tag, level) =
        item.split_once(char::is_whitespace).ok_or_else(|| Misread::new("has no level", HINT))?;
    let level = level.trim();
    let known = LanguageLevel::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(level));
    let level = known.ok_or_else(|| Misread::new("ends in something that is not a level", HINT))?;
    Ok((tag.to_owned(), level as i32))
}

/// One language as an item.
pub(super) fn write_language((tag, level): &(String, i32)) -> String {
    let level = LanguageLevel::from_number(*level).map_or("?", LanguageLevel::as_str);
    format!("{tag} {level}")
}

/// Reads one item of `meeting_modes`.
pub(super) fn read_meeting_mode(item: &str) -> Result<i32, Misread> {
    match item.to_ascii_lowercase().replace([' ', '-'], "_").as_str() {
        "virtual" => Ok(1),
        "in_person" => Ok(2),
        _ => Err(Misread::new("is not a way of meeting", "use virtual or in_person")),
    }
}

/// One way of meeting as an item.
pub(super) fn write_meeting_mode(mode: i32) -> &'static str {
    match mode {
        1 => "virtual",
        2 => "in_person",
        _ => "?",
    }
}

/// A person by the name that the API uses. A text that is not a person stays as it is, so that the error shows what was
/// written.
pub(super) fn read_person(item: &str, organisation: &OrganisationId) -> String {
    let (organisation, id) = match item.split_once('/') {
        None => (Some(organisation.clone()), item),
        Some((other, id)) => (other.parse().ok(), id),
    };
    match (organisation, id.parse::<OwnId>()) {
        (Some(organisation), Ok(id)) => ProfileRef { organisation, id }.name(),
        _ => item.to_owned(),
    }
}

/// A person as an item in a file of `organisation`.
pub(super) fn write_person(name: &str, organisation: Option<&OrganisationId>) -> String {
    match ProfileRef::from_name(name) {
        Ok(person) if Some(&person.organisation) == organisation => person.id.to_string(),
        Ok(person) => person.short(),
        Err(_) => name.to_owned(),
    }
}

/// Reads a day, which begins at midnight UTC, or a moment.
pub(super) fn read_time(text: &str) -> Result<Timestamp, Misread> {
    const HINT: &str = "write a day as 2026-10-02 or a moment as 2026-10-02T14:05:00Z; a spreadsheet may have \
                        rewritten it, format the column as text";
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let is_day = text.len() == "2026-10-02".len();
    let time = if is_day { day() } else { text.parse().ok() };
    time.ok_or_else(|| Misread::new("is not a day or a moment", HINT))
}

/// Reads one item of `earlier_consents`: `matching es {time} [to {time}] version {version}`.
pub(super) fn read_earlier_consent(item: &str) -> Result<ConsentDraft, Misread> {
    const HINT: &str =
        "write for example `matching es 2025-09-01T08:00:00Z to 2026-01-15T10:00:00Z version 2025-1`";
    let misread = || Misread::new("is not an earlier consent", HINT);
    let (given, version) = item.split_once(" version ").ok_or_else(misread)?;
    let words: Vec<&str> = given.split_whitespace().collect();
    let (purpose, language, give, withdraw) = match words[..] {
        [purpose, language, give] => (purpose, language, give, None),
        [purpose, language, give, "to", withdraw] => (purpose, language, give, Some(withdraw)),
        _ => return Err(misread()),
    };
    let purpose = match purpose {
        "matching" => ConsentPurpose::Matching,
        "identity" => ConsentPurpose::Identity,
        _ => return Err(Misread::new("is for neither matching nor identity", HINT)),
    };
    Ok(ConsentDraft {
        purpose: purpose as i32,
        text_version: unescaped(version),
        language: language.to_owned(),
        give_time: Some(read_time(give)?),
        withdraw_time: withdraw.map(read_time).transpose()?,
    })
}

/// An earlier consent as an item; `None` if it has no time and so cannot have been one.
pub(super) fn write_earlier_consent(consent: &ConsentDraft) -> Option<String> {
    let purpose = if consent.purpose == ConsentPurpose::Identity as i32 { "identity" } else { "matching" };
    let mut item = format!("{purpose} {} {}", consent.language, consent.give_time?);
    if let Some(end) = consent.withdraw_time {
        // Writing to a String cannot fail.
        let _ = write!(item, " to {end}");
    }
    let _ = write!(item, " version {}", escaped(&consent.text_version));
    Some(item)
}

/// Percent-encodes the characters that would end an item.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' | '|' | ';' | ',' | '\n' | '\r' => {
                let _ = write!(escaped, "%{:02X}", u32::from(c));
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        if let Some(code) = code {
            plain.push(char::from(code));
            plain.push_str(&part[2..]);
        } else {
            plain.push('%');
            plain.push_str(part);
        }
    }
    plain
}
