//! Numbers, dates and lists in the manner of each language, on top of `locale`. All arithmetic is on integers, so that equal
//! values give equal bytes on every machine.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::catalogue::{NO_VALUE, fill};
use super::locale;
use crate::domain::vocabulary::{Lang, WordTest};

/// A count with its thousands grouped.
pub fn count(value: impl Into<u128>, lang: Lang) -> String {
    locale::whole(i128::try_from(value.into()).unwrap_or(i128::MAX), lang)
}

/// `value` with its last `places` digits behind the decimal sign.
pub fn decimal(value: u64, places: usize, lang: Lang) -> String {
    locale::fraction(value.into(), places, lang)
}

/// A written number with the percent sign.
pub fn percent(number: &str, lang: Lang) -> String {
    format!("{number}{}", lang.conventions().percent)
}

/// A score of 0..=10,000 as a percentage with two decimals.
pub fn score(points: u32, lang: Lang) -> String {
    percent(&decimal(u64::from(points), 2, lang), lang)
}

/// A day with the name of its month: `15 January 2027`. The first day is an ordinal where the language writes so, which CLDR
/// does not: `1er août 2027`.
pub fn day(date: Date, lang: Lang) -> String {
    let written = locale::day(date, lang);
    match (lang.conventions().first_day, written.strip_prefix("1 ")) {
        (Some(first), Some(rest)) => format!("{first} {rest}"),
        _ => written,
    }
}

/// A day with its time in UTC, to the minute.
pub fn moment(at: Timestamp, lang: Lang) -> String {
    let at = at.to_zoned(TimeZone::UTC);
    let time = at.strftime("%H:%M").to_string();
    fill("date.moment", lang, &[("day", &day(at.date(), lang)), ("time", &time)])
}

/// `a, b and c`; where an item has a conjunction of its own, `a; b; c`.
pub fn list(items: &[&str], lang: Lang) -> String {
    let conventions = lang.conventions();
    joined(items, conventions.and, conventions.and_before, conventions.semicolon)
}

/// `a, b or c`, in the manner of [`list`].
pub(super) fn alternatives(items: &[&str], lang: Lang) -> String {
    let conventions = lang.conventions();
    joined(items, conventions.or, conventions.or_before, conventions.semicolon)
}

fn joined(items: &[&str], usual: &str, special: Option<(WordTest, &'static str)>, semicolon: &str) -> String {
    let Some((last, others)) = items.split_last() else { return NO_VALUE.to_owned() };
    if others.is_empty() {
        return (*last).to_owned();
    }
    let mut conjunctions = [Some(usual), special.map(|(_, word)| word)].into_iter().flatten();
    if conjunctions.any(|word| items.iter().any(|item| item.contains(&format!(" {word} ")))) {
        return items.join(semicolon);
    }
    let word = match special {
        Some((applies, word)) if applies(last) => word,
        _ => usual,
    };
    format!("{} {word} {last}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn numbers_are_written_as_each_language_writes_them() {
        assert_eq!(
            count(u128::MAX, Lang::En),
            count(i128::MAX.unsigned_abs(), Lang::En),
            "beyond all counts"
        );
        assert_eq!(Lang::ALL.map(|lang| percent("<1", lang)), ["<1%", "<1\u{202f}%", "<1\u{a0}%", "<1%"]);
        assert_eq!(
            Lang::ALL.map(|lang| score(3_711, lang)),
            ["37.11%", "37,11\u{202f}%", "37,11\u{a0}%", "37,11%"]
        );
        assert_eq!(
            Lang::ALL.map(|lang| score(8_734, lang)),
            ["87.34%", "87,34\u{202f}%", "87,34\u{a0}%", "87,34%"]
        );
        assert_eq!(score(10_000, Lang::En), "100.00%");
    }

    #[test]
    fn days_are_written_as_each_language_writes_them() {
        assert_eq!(
            Lang::ALL.map(|lang| day(date(2027, 1, 15), lang)),
            ["15 January 2027", "15 janvier 2027", "15 de enero de 2027", "15 de janeiro de 2027"]
        );
        assert_eq!(
            Lang::ALL.map(|lang| day(date(2027, 8, 1), lang)),
            ["1 August 2027", "1er août 2027", "1 de agosto de 2027", "1º de agosto de 2027"]
        );
        let at: Timestamp = "2026-11-28T16:33:59Z".parse().expect("a good time");
        assert_eq!(moment(at, Lang::En), "28 November 2026, 16:33 UTC");
        for lang in Lang::ALL {
            let months = (1..=12).map(|month| day(date(2027, month, 2), lang));
            assert_eq!(months.collect::<std::collections::BTreeSet<_>>().len(), 12, "{}", lang.tag());
        }
    }

    #[test]
    fn lists_are_joined_as_each_language_does() {
        assert_eq!(list(&["a"], Lang::En), "a");
        assert_eq!(list(&["a", "b", "c"], Lang::En), "a, b and c");
        assert_eq!(list(&["geología", "informática"], Lang::Es), "geología e informática");
        assert_eq!(list(&["agua", "historia"], Lang::Es), "agua e historia");
        assert_eq!(list(&["agua", "hielo"], Lang::Es), "agua y hielo");
        assert_eq!(list(&["a", "b"], Lang::Fr), "a et b");
    }

    #[test]
    fn items_with_a_conjunction_of_their_own_are_kept_apart_by_semicolons() {
        assert_eq!(
            list(&["geology and exploration", "finance"], Lang::En),
            "geology and exploration; finance"
        );
        assert_eq!(
            list(&["recursos humanos", "finanzas e inversión"], Lang::Es),
            "recursos humanos; finanzas e inversión"
        );
        assert_eq!(
            list(&["finance et économie", "géologie"], Lang::Fr),
            "finance et économie\u{a0}; géologie"
        );
    }
}
