//! The hours of a week: reads what people write in several languages, and writes one form.
//!
//! Input: an item of the column, such as `Mon 18:00-20:00`, `lun a vie 18h-20h`, `Mon, Wed 6:30pm to 8pm`. The grammar, over
//! words and times: one or more groups of days followed by one or more ranges of times. A comma, a slash, `&` and the words
//! for "and" join days or ranges; a dash and the words for "to" make a range. Words such as `from` and `le` do not count.
//!
//! Output: slots of whole half hours. Hours that begin or end between two half hours are cut to those that they cover, which
//! is noted. What has two readings (`Mon 6-8`) is refused with both.

use super::cell::{Misread, list};
use crate::domain::folding::plain;
use crate::domain::profile::SlotDraft;
use crate::message;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MIDNIGHT: i32 = 24 * 60;
const HINT: &str = "write for example `Mon 18:00-20:00` or `Mon-Fri 07:00-08:30`";

/// Names of the days, without accents, Monday first. A beginning of three letters or more counts as the name.
const DAY_NAMES: [&[&str]; 7] = [
    &["mondays", "lundis", "lunes", "segundas"],
    &["tuesdays", "mardis", "martes", "tercas"],
    &["wednesdays", "mercredis", "miercoles", "quartas"],
    &["thursdays", "jeudis", "jueves", "quintas"],
    &["fridays", "vendredis", "viernes", "sextas"],
    &["saturdays", "samedis", "sabados"],
    &["sundays", "dimanches", "domingos"],
];
/// Names of two letters, and others that are no beginning of a name, each with its day.
const SHORT_NAMES: &[(&str, i32)] = &[
    ("mo", 0),
    ("lu", 0),
    ("tu", 1),
    ("we", 2),
    ("weds", 2),
    ("th", 3),
    ("je", 3),
    ("ju", 3),
    ("fr", 4),
    ("ve", 4),
    ("vi", 4),
    ("sa", 5),
    ("su", 6),
];
/// Words for several days, with the first and the last of them.
const SEVERAL_DAYS: &[(&str, i32, i32)] = &[
    ("daily", 0, 6),
    ("every day", 0, 6),
    ("everyday", 0, 6),
    ("all days", 0, 6),
    ("tous les jours", 0, 6),
    ("chaque jour", 0, 6),
    ("todos los dias", 0, 6),
    ("cada dia", 0, 6),
    ("diario", 0, 6),
    ("diariamente", 0, 6),
    ("todos os dias", 0, 6),
    ("weekdays", 0, 4),
    ("week days", 0, 4),
    ("weekday", 0, 4),
    ("working days", 0, 4),
    ("workdays", 0, 4),
    ("jours ouvrables", 0, 4),
    ("jours de semaine", 0, 4),
    ("en semaine", 0, 4),
    ("entre semana", 0, 4),
    ("dias laborables", 0, 4),
    ("dias habiles", 0, 4),
    ("dias de semana", 0, 4),
    ("dias uteis", 0, 4),
    ("weekends", 5, 6),
    ("weekend", 5, 6),
    ("week end", 5, 6),
    ("week ends", 5, 6),
    ("fin de semana", 5, 6),
    ("fines de semana", 5, 6),
    ("fim de semana", 5, 6),
    ("fins de semana", 5, 6),
];
/// Words for a time of day, in minutes.
const NAMED_TIMES: &[(&str, i32)] = &[
    ("noon", 720),
    ("midday", 720),
    ("midi", 720),
    ("mediodia", 720),
    ("meio dia", 720),
    ("midnight", 1440),
    ("minuit", 1440),
    ("medianoche", 1440),
    ("meia noite", 1440),
];
/// Words behind a number of hours.
const UNITS: &[&str] = &["hours", "hour", "horas", "hora", "heures", "heure", "hrs", "hr", "hs", "h"];
/// Words between the two ends of a range.
const TO: &[&str] =
    &["to", "until", "till", "through", "a", "as", "al", "ao", "au", "aux", "ate", "hasta", "jusqu'a"];
/// Words that join.
const AND: &[&str] = &["and", "et", "y", "e", "o", "or"];
/// Words without a meaning of their own here.
const FILLER: &[&str] = &[
    "from", "between", "on", "at", "the", "de", "des", "du", "le", "les", "entre", "desde", "el", "la",
    "los", "las", "das", "da", "do", "os", "na", "nas", "no", "nos", "h", "hs", "hr", "hrs", "hour", "hours",
    "heure", "heures", "hora", "horas", "oclock", "o'clock", "feira", "feiras",
];

/// A word of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Days from one to another.
    Days(i32, i32),
    Time(Time),
    To,
    And,
}

/// A time as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Time {
    minute: i32,
    /// `am` (false) or `pm` (true).
    half: Option<bool>,
    /// A number alone, such as `6`.
    bare: bool,
    /// A word, such as `noon`.
    named: bool,
}

/// Reads one item, adds its slots in order, and returns whether hours were cut.
pub(super) fn read_slots(item: &str, slots: &mut Vec<SlotDraft>) -> Result<bool, Misread> {
    if let Some((day, start, end)) = as_written(item) {
        add(day, start, end, slots);
        return Ok(false);
    }
    let tokens = tokens(item)?;
    let mut rest = tokens.as_slice();
    let mut cut = false;
    if !matches!(rest.first(), Some(Token::Days(..))) {
        return Err(Misread::new("does not begin with a day or a range of days", HINT));
    }
    while !rest.is_empty() {
        let days = take_days(&mut rest);
        let mut ranges = Vec::new();
        while let Some(range) = take_range(&mut rest)? {
            ranges.push(range);
        }
        if days.is_empty() || ranges.is_empty() {
            return Err(Misread::new("is not a day and hours", HINT));
        }
        for (start, end) in ranges {
            let (start, end, was_cut) = whole_half_hours(start, end)?;
            cut |= was_cut;
            for day in &days {
                add(*day, start, end, slots);
            }
        }
    }
    Ok(cut)
}

/// Day and half hours of an item in the form of this file, `Mon 18:00-20:00`: the usual case, without the cost of the grammar.
fn as_written(item: &str) -> Option<(i32, i32, i32)> {
    let (day, hours) = item.split_at_checked(3)?;
    let day = DAYS.iter().position(|known| *known == day).and_then(|at| i32::try_from(at).ok())?;
    let (start, end) = hours.strip_prefix(' ')?.split_once('-')?;
    let minute = |text: &str| match text.as_bytes() {
        [a, b, b':', c @ (b'0' | b'3'), b'0'] if a.is_ascii_digit() && b.is_ascii_digit() => {
            Some((i32::from(a - b'0') * 10 + i32::from(b - b'0')) * 60 + i32::from(c - b'0') * 10)
        }
        _ => None,
    };
    let (start, end) = (minute(start)?, minute(end)?);
    (start < end && end <= MIDNIGHT).then_some((day, start, end))
}

/// Adds one slot, or two if it runs over midnight.
fn add(day: i32, start: i32, end: i32, slots: &mut Vec<SlotDraft>) {
    let mut push = |day: i32, start: i32, end_minute: i32| {
        slots.push(SlotDraft { day: day % 7 + 1, start_minute: Some(start), end_minute });
    };
    if start < end {
        push(day, start, end);
    } else {
        push(day, start, MIDNIGHT);
        push(day + 1, 0, end);
    }
}

/// The days at the beginning of the tokens.
#[expect(clippy::match_same_arms, reason = "the arms bind `last` from different tokens")]
fn take_days(rest: &mut &[Token]) -> Vec<i32> {
    let mut days = Vec::new();
    loop {
        let (first, last) = match **rest {
            [Token::Days(first, _), Token::To, Token::Days(_, last), ref after @ ..] => {
                *rest = after;
                (first, last)
            }
            [Token::Days(first, last), ref after @ ..] => {
                *rest = after;
                (first, last)
            }
            [Token::And, Token::Days(..), ref after @ ..] if !days.is_empty() => {
                *rest = &rest[rest.len() - after.len() - 1..];
                continue;
            }
            // `Mon - 18:00-20:00` and `Mon, 18:00-20:00`
            [Token::And | Token::To, Token::Time(_), ref after @ ..] if !days.is_empty() => {
                *rest = &rest[rest.len() - after.len() - 1..];
                return days;
            }
            _ => return days,
        };
        let count = (last - first).rem_euclid(7) + 1;
        days.extend((first..first + count).map(|day| day % 7));
    }
}

/// The range of times at the beginning of the tokens, in minutes; `None` at the next day and at the end.
fn take_range(rest: &mut &[Token]) -> Result<Option<(i32, i32)>, Misread> {
    let (start, end, after) = match **rest {
        [Token::Time(start), Token::To, Token::Time(end), ref after @ ..]
        | [Token::And, Token::Time(start), Token::To, Token::Time(end), ref after @ ..] => {
            (start, end, after)
        }
        [] | [Token::Days(..), ..] => return Ok(None),
        [Token::And, Token::Days(..), ..] => {
            *rest = &rest[1..];
            return Ok(None);
        }
        _ => return Err(Misread::new("has no beginning and end", HINT)),
    };
    *rest = after;
    resolved(start, end).map(Some)
}

/// The minutes of two times that belong together.
fn resolved(start: Time, end: Time) -> Result<(i32, i32), Misread> {
    let in_half = |minute: i32, afternoon: bool| minute % 720 + if afternoon { 720 } else { 0 };
    let twelve = |time: Time| (60..780).contains(&time.minute);
    let misread = || Misread::new("has hours that are not times of day such as 18:30", HINT);
    let is_wrong = |time: Time| time.half.is_some() && !twelve(time);
    if is_wrong(start) || is_wrong(end) {
        return Err(misread());
    }
    Ok(match (start.half, end.half) {
        (Some(first), Some(second)) => (in_half(start.minute, first), in_half(end.minute, second)),
        (None, Some(second)) if start.named => (start.minute, in_half(end.minute, second)),
        (Some(first), None) if end.named => (in_half(start.minute, first), end.minute),
        (None, Some(second)) if twelve(start) => {
            // `6-8pm` and `10-2pm`
            let end = in_half(end.minute, second);
            let same = in_half(start.minute, second);
            (if same < end { same } else { in_half(start.minute, !second) }, end)
        }
        (None, None) if start.bare && end.bare && start.minute <= 720 && end.minute <= 720 => {
            let (first, second) = (start.minute / 60, end.minute / 60);
            let both = message!(
                "write `{morning}` for the morning or `{evening}` for the evening",
                morning = format!("{first:02}:00-{second:02}:00"),
                evening = format!("{:02}:00-{:02}:00", first % 12 + 12, second % 12 + 12)
            );
            return Err(Misread::with_hint("has hours of the morning or of the evening", both));
        }
        (None, None) => (start.minute, end.minute),
        _ => return Err(misread()),
    })
}

/// The whole half hours within a range, whether they are fewer than the range, and 24:00 for an end at midnight.
fn whole_half_hours(start: i32, end: i32) -> Result<(i32, i32, bool), Misread> {
    let end = if end == 0 { MIDNIGHT } else { end };
    let start = if start == MIDNIGHT { 0 } else { start };
    if start == end {
        return Err(Misread::new("begins where it ends", "for a whole day write 00:00-24:00"));
    }
    let length = (end - start).rem_euclid(MIDNIGHT);
    let length = if length == 0 { MIDNIGHT } else { length };
    let first = start.div_euclid(30) * 30 + if start % 30 == 0 { 0 } else { 30 };
    let last = (start + length).div_euclid(30) * 30;
    if first >= last {
        return Err(Misread::new(
            "covers no whole half hour",
            "hours are counted from :00 and :30; write for example `Mon 18:00-18:30`",
        ));
    }
    let cut = (first, last) != (start, start + length);
    // Behind the cut, midnight may be on either side.
    let (first, last) = if first >= MIDNIGHT { (first - MIDNIGHT, last - MIDNIGHT) } else { (first, last) };
    Ok((first, if last > MIDNIGHT { last - MIDNIGHT } else { last }, cut))
}

/// The tokens of an item.
fn tokens(item: &str) -> Result<Vec<Token>, Misread> {
    let text =
        plain(item).replace("p.m.", "pm").replace("a.m.", "am").replace("p. m.", "pm").replace("a. m.", "am");
    let mut tokens = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start();
        let is_letter = |c: char| c.is_alphabetic() || c == '\'';
        let Some(c) = rest.chars().next() else { break };
        if is_letter(c) {
            let (word, after) = rest.split_at(rest.find(|c| !is_letter(c)).unwrap_or(rest.len()));
            words.push(word);
            rest = after;
            continue;
        }
        // `week-end` and `segunda-feira` are one word; in `seg-sex` and `a-b` the dash makes a range.
        let joined = rest.strip_prefix('-').filter(|after| {
            let next = &after[..after.find(|c| !is_letter(c)).unwrap_or(after.len())];
            matches!(next, "end" | "ends" | "feira" | "feiras" | "dia" | "noite")
        });
        if let Some(after) = joined {
            rest = after;
            continue;
        }
        named(&mut words, &mut tokens)?;
        if c.is_ascii_digit() {
            let (time, after) = time(rest)?;
            tokens.push(Token::Time(time));
            rest = after;
            continue;
        }
        match c {
            '-' | '~' | '>' => tokens.push(Token::To),
            ',' | '/' | '&' | '+' => tokens.push(Token::And),
            '.' | ':' | '(' | ')' | '"' => {}
            _ => return Err(Misread::new("has signs that are neither days nor hours", HINT)),
        }
        rest = &rest[c.len_utf8()..];
    }
    named(&mut words, &mut tokens)?;
    // `Mon, and Wed` is `Mon and Wed`.
    tokens.dedup_by(|next, kept| (*next, *kept) == (Token::And, Token::And));
    while tokens.last() == Some(&Token::And) {
        tokens.pop();
    }
    Ok(tokens)
}

/// Turns words into tokens, the longest known phrase first.
fn named(words: &mut Vec<&str>, tokens: &mut Vec<Token>) -> Result<(), Misread> {
    let mut rest = words.as_slice();
    while let Some(first) = rest.first() {
        let phrase = (1..=rest.len().min(3)).rev().find_map(|length| {
            let phrase = rest[..length].join(" ");
            let days = SEVERAL_DAYS.iter().find(|(name, ..)| *name == phrase);
            let days = days.map(|(_, first, last)| Token::Days(*first, *last));
            let time = NAMED_TIMES.iter().find(|(name, _)| *name == phrase);
            let time = time.map(|(_, minute)| {
                Token::Time(Time { minute: *minute, half: None, bare: false, named: true })
            });
            days.or(time).map(|token| (token, length))
        });
        let (token, length) = match phrase {
            Some((token, length)) => (Some(token), length),
            None if TO.contains(first) => (Some(Token::To), 1),
            None if AND.contains(first) => (Some(Token::And), 1),
            None if FILLER.contains(first) => (None, 1),
            None => match day(first) {
                Some(day) => (Some(Token::Days(day, day)), 1),
                None => return Err(Misread::new("has a word that is neither a day nor a time", HINT)),
            },
        };
        tokens.extend(token);
        rest = &rest[length..];
    }
    words.clear();
    Ok(())
}

/// 0 for Monday.
fn day(word: &str) -> Option<i32> {
    if let Some((_, day)) = SHORT_NAMES.iter().find(|(name, _)| *name == word) {
        return Some(*day);
    }
    let is_beginning = |names: &&[&str]| word.len() >= 3 && names.iter().any(|name| name.starts_with(word));
    DAY_NAMES.iter().position(is_beginning).and_then(|at| i32::try_from(at).ok())
}

/// The time at the beginning of a text, and the text behind it: `18`, `18:30`, `18h30`, `18.30`, `18h`, `6:30pm`, `18:00:00`.
fn time(text: &str) -> Result<(Time, &str), Misread> {
    let misread = || Misread::new("has hours that are not times of day such as 18:30", HINT);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let count = digits(text);
    if count > 2 {
        return Err(misread());
    }
    let (hours, mut rest) = (text[..count].parse::<i32>().map_err(|_| misread())?, &text[count..]);
    let (mut minutes, mut bare) = (0, true);
    let is_unit = |unit: &&&str| {
        rest.trim_start().strip_prefix(**unit).is_some_and(|after| !after.starts_with(char::is_alphanumeric))
    };
    if let Some(unit) = UNITS.iter().find(is_unit) {
        (bare, rest) = (false, &rest.trim_start()[unit.len()..]);
    } else if let Some(after) = rest.strip_prefix([':', '.', 'h']) {
        match digits(after) {
            2 => {
                minutes = after[..2].parse::<i32>().map_err(|_| misread())?;
                (bare, rest) = (false, &after[2..]);
                if let Some(seconds) = rest.strip_prefix(':') {
                    rest = seconds.strip_prefix("00").ok_or_else(misread)?;
                }
            }
            0 if rest.starts_with('h') => {
                (bare, rest) = (false, after);
            }
            _ => return Err(misread()),
        }
    }
    let spaced = rest.trim_start();
    let half = spaced.strip_prefix("pm").map(|after| (true, after));
    let half = half.or_else(|| spaced.strip_prefix("am").map(|after| (false, after)));
    let half = half.filter(|(_, after)| !after.starts_with(char::is_alphanumeric));
    if let Some((_, after)) = half {
        rest = after;
    }
    let minute = hours * 60 + minutes;
    let time = Time { minute, half: half.map(|(afternoon, _)| afternoon), bare, named: false };
    if minutes < 60 && minute <= MIDNIGHT { Ok((time, rest)) } else { Err(misread()) }
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

fn day_name(day: i32) -> &'static str {
    usize::try_from(day - 1).ok().and_then(|at| DAYS.get(at)).copied().unwrap_or("?")
}

fn clock(minute: i32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(item: &str) -> Result<Vec<(i32, i32, i32)>, Misread> {
        let mut slots = Vec::new();
        read_slots(item, &mut slots)?;
        let slots = slots.iter();
        Ok(slots.map(|slot| (slot.day, slot.start_minute.expect("a start"), slot.end_minute)).collect())
    }

    #[test]
    fn one_evening_has_many_spellings() {
        for item in [
            "Mon 18:00-20:00",
            "Mon 6pm-8pm",
            "Mon 6-8pm",
            "Mon 6 p.m. to 8 p.m.",
            "Mon 18h-20h",
            "Mon 18hrs-20hrs",
            "Mon 18 hs a 20 hs",
            "Mon 18h00-20h00",
            "Mon 18.00–20.00",
            "MON 18-20",
            "Mon 18:00:00-20:00:00",
            "Ｍｏｎ\u{A0}１８：００－２０：００",
            "Mon 18:00\u{2011}20:00",
            "Monday, 18:00 - 20:00",
            "Mondays from 18:00 until 20:00",
            "Mon: 18:00-20:00",
            "Mon - 18:00-20:00",
            "Lun 18:00-20:00",
            "lundi de 18h à 20h",
            "le lundi 18 h - 20 h",
            "los lunes de 18 a 20 horas",
            "lunes desde las 18:00 hasta las 20:00",
            "Seg 18h às 20h",
            "segunda-feira das 18h às 20h",
            "Segunda 18h00 até 20h00",
            "Mon 18:00 to 20:00 hrs",
        ] {
            assert_eq!(read(item), Ok(vec![(1, 1080, 1200)]), "{item}");
        }
    }

    #[test]
    fn several_days_and_several_hours_are_combined() {
        let on = |days: &[i32]| Ok(days.iter().map(|day| (*day, 1080, 1200)).collect::<Vec<_>>());
        for (item, days) in [
            ("Mon, Wed 18:00-20:00", &[1, 3][..]),
            ("Mon & Wed 18:00-20:00", &[1, 3]),
            ("Mon/Wed 18:00-20:00", &[1, 3]),
            ("lundi et mercredi 18h-20h", &[1, 3]),
            ("lun, mié y vie 18:00-20:00", &[1, 3, 5]),
            ("seg e qua 18:00-20:00", &[1, 3]),
            ("Mon–Fri 18:00–20:00", &[1, 2, 3, 4, 5]),
            ("Mon - Fri 18:00-20:00", &[1, 2, 3, 4, 5]),
            ("lun a vie 18:00-20:00", &[1, 2, 3, 4, 5]),
            ("du lundi au vendredi, de 18h à 20h", &[1, 2, 3, 4, 5]),
            ("segunda a sexta 18h-20h", &[1, 2, 3, 4, 5]),
            ("Weekdays 18:00-20:00", &[1, 2, 3, 4, 5]),
            ("dias úteis 18:00-20:00", &[1, 2, 3, 4, 5]),
            ("Daily 18:00-20:00", &[1, 2, 3, 4, 5, 6, 7]),
            ("tous les jours 18h-20h", &[1, 2, 3, 4, 5, 6, 7]),
            ("week-end 18:00-20:00", &[6, 7]),
            ("Sat-Mon 18:00-20:00", &[6, 7, 1]),
            ("Tues 18:00-20:00, Thurs 18:00-20:00", &[2, 4]),
            ("Mar 18:00-20:00 Jeu 18:00-20:00", &[2, 4]),
            ("Dom 18:00-20:00", &[7]),
        ] {
            assert_eq!(read(item), on(days), "{item}");
        }
        assert_eq!(read("Mon 18:00-20:00, 21:00-22:00"), Ok(vec![(1, 1080, 1200), (1, 1260, 1320)]));
        assert_eq!(read("Sun 22:00-02:00"), Ok(vec![(7, 1320, 1440), (1, 0, 120)]));
        assert_eq!(read("Fri 22:00-midnight"), Ok(vec![(5, 1320, 1440)]));
        assert_eq!(read("Mon 10-2pm"), Ok(vec![(1, 600, 840)]));
        assert_eq!(read("Mon noon-2pm"), Ok(vec![(1, 720, 840)]));
    }

    #[test]
    fn hours_between_half_hours_are_cut_inward() {
        let cut = |item| {
            let mut slots = Vec::new();
            let cut = read_slots(item, &mut slots).expect("hours");
            (cut, slots[0].start_minute.expect("a start"), slots[0].end_minute)
        };
        assert_eq!(cut("Mon 18:15-19:45"), (true, 1110, 1170));
        assert_eq!(cut("Mon 18:00-19:59"), (true, 1080, 1170));
        assert_eq!(cut("Mon 18:00-20:00"), (false, 1080, 1200));
        assert_eq!(cut("Mon 23:45-01:00"), (true, 0, 60));
        assert!(read("Mon 18:15-18:45").is_err_and(|misread| misread.what.to_string().contains("half hour")));
    }

    #[test]
    fn what_is_no_time_of_a_week_or_has_two_readings_is_refused() {
        for item in [
            "flexible",
            "Mon",
            "Mon 18:00",
            "Mon‑18:00",
            "18:00-20:00",
            "Mon 25:00-26:00",
            "Mon 18:00-18:00",
            "Xyz 1:00-2:00",
            "evenings",
            "Mon 13pm-14pm",
            "Mon 18:75-20:00",
            "Mon after 18:00",
            "Mon 1800-2000",
            "",
            ",",
            "Mon 18:00-Tue 20:00",
        ] {
            let misread = read(item).expect_err(item);
            assert!(!misread.hint.is_empty(), "{item}");
        }
        let both = read("Mon 6-8").expect_err("two readings").hint.to_string();
        assert!(both.contains("`06:00-08:00`") && both.contains("`18:00-20:00`"), "{both}");
    }
}
