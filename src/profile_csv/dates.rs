//! Dates, moments and rosters: reads what people and spreadsheets write in several languages, and writes one form.
//!
//! A date is read if it has one reading: `2026-12-31`, `31/12/2026`, `31.12.2026`, `31 dic 2026`, `December 31, 2026`, and
//! `2026-12-31 00:00:00`, which a spreadsheet makes of a date. `03/04/2026` has two readings and is refused with both. A number
//! such as `46387` is what a spreadsheet shows of a date in a column of numbers; it is refused with the date.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::cell::Misread;
use crate::domain::folding::plain;
use crate::domain::profile::RosterDraft;
use crate::message;

const DAY_HINT: &str = "write YYYY-MM-DD, for example 2027-04-15";
const ROSTER_HINT: &str = "write for example `14/14 from 2027-01-04 off`; the last word is off, on or always";

/// Names of the months in several languages, without accents, January first. A beginning of three letters or more that belongs
/// to one month counts as the name.
const MONTHS: [&[&str]; 12] = [
    &["january", "janvier", "enero", "janeiro"],
    &["february", "fevrier", "febrero", "fevereiro"],
    &["march", "mars", "marzo", "marco"],
    &["april", "avril", "abril"],
    &["may", "mai", "mayo", "maio"],
    &["june", "juin", "junio", "junho"],
    &["july", "juillet", "julio", "julho"],
    &["august", "aout", "agosto"],
    &["september", "septembre", "septiembre", "setiembre", "setembro"],
    &["october", "octobre", "octubre", "outubro"],
    &["november", "novembre", "noviembre", "novembro"],
    &["december", "decembre", "diciembre", "dezembro"],
];
/// Words of a written date without a meaning of their own.
const FILLER: &[&str] =
    &["de", "del", "do", "du", "le", "el", "of", "the", "em", "en", "d", "st", "nd", "rd", "th", "er", "o"];
/// Words before the first day of a roster.
const FROM: &[&str] = &[
    "from",
    "since",
    "starting",
    "start",
    "begins",
    "beginning",
    "on",
    "desde",
    "a",
    "partir",
    "depuis",
    "des",
    "inicio",
    "debut",
];
/// Words for the time of a roster in which the weekly hours hold, with the number of the API.
const AVAILABILITY: &[(&str, i32)] = &[
    ("off", 1),
    ("libre", 1),
    ("libres", 1),
    ("descanso", 1),
    ("descansos", 1),
    ("franco", 1),
    ("repos", 1),
    ("conge", 1),
    ("folga", 1),
    ("folgas", 1),
    ("on", 2),
    ("trabajo", 2),
    ("turno", 2),
    ("travail", 2),
    ("trabalho", 2),
    ("always", 3),
    ("siempre", 3),
    ("toujours", 3),
    ("sempre", 3),
];
/// Words for days and weeks, with their number of days.
const UNITS: &[(&str, i32)] = &[
    ("day", 1),
    ("days", 1),
    ("d", 1),
    ("dia", 1),
    ("dias", 1),
    ("jour", 1),
    ("jours", 1),
    ("j", 1),
    ("week", 7),
    ("weeks", 7),
    ("wk", 7),
    ("wks", 7),
    ("semana", 7),
    ("semanas", 7),
    ("semaine", 7),
    ("semaines", 7),
];

/// Reads a date.
pub(crate) fn read_day(text: &str) -> Result<Date, Misread> {
    if let Some(date) = iso(text) {
        return date.ok_or_else(|| Misread::new("is a day that no calendar has", DAY_HINT));
    }
    let plain = plain(text);
    let text = without_midnight(&plain);
    let misread = || Misread::new("is not a date", DAY_HINT);
    if text.len() > 40 {
        return Err(misread());
    }
    let parts: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .flat_map(letters_and_digits)
        .filter(|part| !part.is_empty() && !FILLER.contains(part))
        .collect();
    let number = |part: &str| (part.len() <= 4).then(|| part.parse::<i16>().ok()).flatten();
    let year = |part: &str| match (part.len(), number(part)) {
        (4, Some(year)) => Some(year),
        (2, Some(year)) => Some(2000 + year),
        _ => None,
    };
    let date = |year: i16, month: i16, day: i16| {
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    let found = match parts[..] {
        [one] if one.len() >= 5 && one.bytes().all(|b| b.is_ascii_digit()) => return Err(serial(one)),
        [first, second, third] => match (month(first), month(second)) {
            // `December 31, 2026`
            (Some(month), None) => {
                year(third).zip(number(second)).and_then(|(year, day)| date(year, month, day))
            }
            (None, Some(month)) if first.len() == 4 => {
                number(first).zip(number(third)).and_then(|(year, day)| date(year, month, day))
            }
            (None, Some(month)) => {
                year(third).zip(number(first)).and_then(|(year, day)| date(year, month, day))
            }
            (Some(_), Some(_)) => None,
            (None, None) if first.len() == 4 => {
                let (Some(year), Some(month), Some(day)) = (number(first), number(second), number(third))
                else {
                    return Err(misread());
                };
                date(year, month, day)
            }
            (None, None) => {
                let (Some(first), Some(second), Some(year)) = (number(first), number(second), year(third))
                else {
                    return Err(misread());
                };
                match (date(year, second, first), date(year, first, second)) {
                    (Some(day_first), Some(month_first)) if day_first != month_first => {
                        return Err(Misread::with_hint(
                            "has two readings",
                            message!(
                                "write {one} or {other}, whichever is meant",
                                one = day_first.to_string(),
                                other = month_first.to_string()
                            ),
                        ));
                    }
                    (day_first, month_first) => day_first.or(month_first),
                }
            }
        },
        _ => return Err(misread()),
    };
    found.ok_or_else(misread)
}

/// The date of a text in the form of this file; the inner `None` is a day that no calendar has.
#[expect(clippy::option_option, reason = "no ISO form, an ISO form without a date, a date")]
fn iso(text: &str) -> Option<Option<Date>> {
    let bytes = text.as_bytes();
    let is_form = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_form.then(|| text.parse().ok())
}

/// A text without the midnight that a spreadsheet adds to a date.
fn without_midnight(text: &str) -> &str {
    let midnights = [
        "t00:00:00",
        " 00:00:00.000",
        " 00:00:00",
        " 0:00:00",
        " 00:00",
        " 0:00",
        " 12:00:00 am",
        " 12:00 am",
    ];
    midnights.iter().find_map(|midnight| text.strip_suffix(midnight)).unwrap_or(text)
}

/// `31dic` as `31` and `dic`.
fn letters_and_digits(part: &str) -> [&str; 2] {
    let is_digit = |c: char| c.is_ascii_digit();
    let cut = part.char_indices().zip(part.chars().skip(1)).find(|((_, a), b)| is_digit(*a) != is_digit(*b));
    match cut {
        Some(((at, a), _)) => part.split_at(at + a.len_utf8()).into(),
        None => [part, ""],
    }
}

/// 1 for January.
fn month(word: &str) -> Option<i16> {
    if word.len() < 3 || word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut months = (1..).zip(MONTHS).filter(|(_, names)| names.iter().any(|name| name.starts_with(word)));
    let (month, _) = months.next()?;
    // `jui` is June and July in French.
    months.next().is_none().then_some(month)
}

/// A spreadsheet's number of a day.
fn serial(digits: &str) -> Misread {
    let start = Date::constant(1899, 12, 30);
    let day =
        digits.parse().ok().and_then(|days: i32| start.checked_add(Span::new().try_days(days).ok()?).ok());
    match day.filter(|day| (1990..2200).contains(&day.year())) {
        Some(day) => Misread::with_hint(
            "is a spreadsheet's number of a day",
            message!(
                "write the day, which may be {day}; format the column as text or as a date",
                day = day.to_string()
            ),
        ),
        None => Misread::new("is not a date", DAY_HINT),
    }
}

/// Reads a day, which begins at midnight UTC, or a moment.
pub(super) fn read_time(text: &str) -> Result<Timestamp, Misread> {
    const HINT: &str = "write a day as 2026-10-02 or a moment with its offset as 2026-10-02T14:05:00Z";
    if text.len() > "2026-10-02".len() && text.as_bytes()[0].is_ascii_digit() {
        if let Ok(moment) = text.parse() {
            return Ok(moment);
        }
        let has_clock = text.contains(':') && without_midnight(&plain(text)).contains(':');
        if has_clock {
            return Err(Misread::new("is a time of day without its offset from UTC", HINT));
        }
    }
    let day = read_day(text).map_err(|misread| {
        if misread.hint == DAY_HINT.into() { Misread { hint: HINT.into(), ..misread } } else { misread }
    })?;
    let midnight = day.to_zoned(TimeZone::UTC).map_err(|_| Misread::new("is not a day or a moment", HINT))?;
    Ok(midnight.timestamp())
}

/// Reads a roster: the two numbers, then the first day at work and the time in which the weekly hours hold.
pub(super) fn read_roster(cell: &str) -> Result<RosterDraft, Misread> {
    let misread = || Misread::new("is not a roster", ROSTER_HINT);
    let text = plain(cell);
    let is_digit = |c: char| c.is_ascii_digit();
    let number = |text: &str| -> Option<(i32, usize)> {
        let end = text.find(|c| !is_digit(c)).unwrap_or(text.len());
        Some((text[..end].parse().ok()?, end))
    };
    let from = text.find(is_digit).ok_or_else(misread)?;
    let (days_on, end) = number(&text[from..]).ok_or_else(misread)?;
    let rest = &text[from + end..];
    let from = rest.find(is_digit).ok_or_else(misread)?;
    let between = rest[..from].split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let (days_off, end) = number(&rest[from..]).ok_or_else(misread)?;
    let mut unit = 1;
    for word in between {
        match UNITS.iter().find(|(name, _)| *name == word) {
            Some((_, days)) => unit = unit.max(*days),
            None if matches!(
                word,
                "x" | "×" | "by" | "por" | "par" | "on" | "work" | "trabajo" | "travail" | "trabalho"
            ) => {}
            None => return Err(misread()),
        }
    }
    let after = rest[from + end..].trim_start_matches(|c: char| c == ',' || c == ':' || c.is_whitespace());
    if rest[from + end..].starts_with(['-', '/', '.']) {
        // `14/1/2027` is a date.
        return Err(misread());
    }
    let mut words: Vec<&str> =
        after.split_whitespace().filter(|word| !matches!(*word, "fifo" | "dido" | "roster")).collect();
    while let Some((_, days)) = words.first().and_then(|word| UNITS.iter().find(|(name, _)| name == word)) {
        unit = unit.max(*days);
        words.remove(0);
    }
    let is_availability =
        |word: &&str| AVAILABILITY.iter().find(|(name, _)| name == word).map(|(_, number)| *number);
    let mut availability = 0;
    if let Some(number) = words.last().and_then(is_availability) {
        availability = number;
        words.pop();
    }
    // `14 on 14 off from 2027-01-04`
    if words.first().and_then(is_availability) == Some(1) {
        words.remove(0);
    }
    let words: Vec<&str> =
        words.into_iter().skip_while(|word| FROM.contains(word) || FILLER.contains(word)).collect();
    let first_day_on = if words.is_empty() { String::new() } else { read_day(&words.join(" "))?.to_string() };
    Ok(RosterDraft {
        days_on: days_on.saturating_mul(unit),
        days_off: days_off.saturating_mul(unit),
        first_day_on,
        availability,
    })
}

/// A roster as a cell.
pub(super) fn write_roster(roster: &RosterDraft) -> String {
    let word = match roster.availability {
        1 => " off",
        2 => " on",
        3 => " always",
        _ => "",
    };
    let from = if roster.first_day_on.is_empty() { "" } else { " from " };
    format!("{}/{}{from}{}{word}", roster.days_on, roster.days_off, roster.first_day_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_has_many_spellings() {
        for text in [
            "2026-12-31",
            "2026/12/31",
            "2026.12.31",
            "31/12/2026",
            "31.12.2026",
            "31-12-2026",
            "12/31/2026",
            "31 12 2026",
            "31 dic 2026",
            "31-Dec-2026",
            "31-Dec-26",
            "31 de diciembre de 2026",
            "31 décembre 2026",
            "31 de dezembro de 2026",
            "December 31, 2026",
            "Dec 31st 2026",
            "2026-12-31 00:00:00",
            "2026-12-31T00:00:00",
            "31/12/2026 0:00",
            "３１/１２/２０２６",
            "31\u{A0}dic.\u{A0}2026",
            "2026 Dec 31",
            "31/12/26",
        ] {
            assert_eq!(read_day(text).map(|day| day.to_string()), Ok("2026-12-31".to_owned()), "{text}");
        }
        for (text, day) in [
            ("1er août 2027", "2027-08-01"),
            ("1º de agosto de 2027", "2027-08-01"),
            ("05/05/2026", "2026-05-05"),
        ] {
            assert_eq!(read_day(text).map(|day| day.to_string()), Ok(day.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_day_with_two_readings_is_refused_with_both() {
        for text in ["03/04/2026", "3.4.2026", "03-04-26"] {
            let hint = read_day(text).expect_err(text).hint.to_string();
            assert!(hint.contains("2026-04-03") && hint.contains("2026-03-04"), "{text}: {hint}");
        }
        let hint = read_day("46387").expect_err("a number").hint.to_string();
        assert!(hint.contains("2026-12-31"), "{hint}");
        for text in [
            "",
            "soon",
            "2026-05",
            "2026-02-30",
            "2027-13-40",
            "31/13/2026",
            "31 jui 2026",
            "12",
            "999999999999",
            "31 dic",
        ] {
            assert!(read_day(text).is_err_and(|misread| !misread.hint.is_empty()), "{text}");
        }
    }

    #[test]
    fn a_moment_has_an_offset() {
        let at = |text| read_time(text).map(|time| time.to_string());
        assert_eq!(at("2026-10-02"), Ok("2026-10-02T00:00:00Z".to_owned()));
        assert_eq!(at("2026-10-02 00:00:00"), Ok("2026-10-02T00:00:00Z".to_owned()));
        assert_eq!(at("15/10/2026"), Ok("2026-10-15T00:00:00Z".to_owned()));
        assert_eq!(at("2026-10-02T14:05:00+02:00"), Ok("2026-10-02T12:05:00Z".to_owned()));
        assert_eq!(at("2026-10-02T14:05:00.25Z"), Ok("2026-10-02T14:05:00.25Z".to_owned()));
        for text in ["2026-10-02T14:05", "2026-10-02 14:05:00", "02/10/2026", "yesterday", "é", "1"] {
            assert!(read_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_roster_is_two_numbers_and_a_day() {
        let read = |cell| read_roster(cell).map(|roster| write_roster(&roster));
        for (cell, written) in [
            ("14/14 from 2027-01-04 off", "14/14 from 2027-01-04 off"),
            ("14x14 from 2027-01-04", "14/14 from 2027-01-04"),
            ("14 × 14 desde el 4 de enero de 2027 libre", "14/14 from 2027-01-04 off"),
            ("14/14 à partir du 4 janvier 2027 toujours", "14/14 from 2027-01-04 always"),
            ("8/6 2027-01-04", "8/6 from 2027-01-04"),
            ("14 days on / 14 days off from 2027-01-04", "14/14 from 2027-01-04"),
            ("FIFO 2 weeks on 1 week off from 2027-01-04 on", "14/7 from 2027-01-04 on"),
            ("2x1 semanas desde 2027-01-04", "14/7 from 2027-01-04"),
            ("14x14", "14/14"),
            ("14/14", "14/14"),
            ("14-14 off", "14/14 off"),
            ("14/14 FIFO", "14/14"),
        ] {
            assert_eq!(read(cell).as_deref(), Ok(written), "{cell}");
            assert_eq!(read(written).as_deref(), Ok(written), "what is written is read");
        }
        for cell in [
            "14 days",
            "no",
            "14/1/2027",
            "14 and a bit 14",
            "14/14 from 03/04/2027",
            "14/14 soon",
            "99999999999/1",
        ] {
            assert!(read_roster(cell).is_err(), "{cell}");
        }
    }
}
