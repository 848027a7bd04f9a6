//! Days and moments as a reader of each language writes them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::catalogue::{fill, text};
use crate::domain::vocabulary::Lang;

/// Keys of the months in the table `month` of the texts.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A day with the name of its month: `15 January 2027`.
pub fn day(date: Date, lang: Lang) -> String {
    let at = usize::from(date.month().unsigned_abs()).saturating_sub(1);
    let month = text(&format!("month.{}", MONTHS[at.min(MONTHS.len() - 1)]), lang);
    fill("date.day", lang, &[("day", &date.day()), ("month", &month), ("year", &date.year())])
}

/// A day with its time in UTC, to the minute.
pub fn moment(at: Timestamp, lang: Lang) -> String {
    let at = at.to_zoned(TimeZone::UTC);
    let time = at.strftime("%H:%M").to_string();
    fill("date.moment", lang, &[("day", &day(at.date(), lang)), ("time", &time)])
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

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
}
