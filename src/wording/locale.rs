//! Numbers, plural forms and dates by Unicode CLDR, from the crates of ICU4X. This file alone names them.
//!
//! Input: whole numbers and dates of jiff. Output: the text in the reader's language. The data are compiled in, so that equal
//! values give equal bytes on every machine. The row of a language in `domain/vocabulary/lang.rs` names its locale.

use std::sync::LazyLock;

use icu_calendar::{Date as IcuDate, Gregorian};
use icu_datetime::FixedCalendarDateTimeFormatter;
use icu_datetime::fieldsets::YMD;
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_plurals::{PluralCategory, PluralRules};
use jiff::civil::Date;

use crate::domain::vocabulary::Lang;

/// The rules of one language.
struct Rules {
    numbers: DecimalFormatter,
    plurals: PluralRules,
    days: FixedCalendarDateTimeFormatter<Gregorian, YMD>,
}

static RULES: LazyLock<[Rules; Lang::COUNT]> = LazyLock::new(|| Lang::ALL.map(Rules::of));

impl Rules {
    #[expect(
        clippy::expect_used,
        reason = "the data are compiled in, and a test reads those of every language"
    )]
    fn of(lang: Lang) -> Self {
        let locale: icu_locale_core::Locale = lang.conventions().locale.parse().expect("a BCP 47 tag");
        Self {
            numbers: DecimalFormatter::try_new(
                (&locale).into(),
                icu_decimal::options::DecimalFormatterOptions::default(),
            )
            .expect("numbers"),
            plurals: PluralRules::try_new_cardinal((&locale).into()).expect("plural rules"),
            days: FixedCalendarDateTimeFormatter::try_new((&locale).into(), YMD::long()).expect("dates"),
        }
    }
}

/// A whole number with its thousands grouped.
pub(super) fn whole(number: i128, lang: Lang) -> String {
    RULES[lang as usize].numbers.format(&Decimal::from(number)).to_string()
}

/// `number` with its last `places` digits behind the decimal sign, zeros among them.
pub(super) fn fraction(number: i128, places: usize, lang: Lang) -> String {
    let places = i16::try_from(places).unwrap_or(i16::MAX);
    let mut decimal = Decimal::from(number);
    decimal.multiply_pow10(-places);
    decimal.absolute.pad_end(-places);
    RULES[lang as usize].numbers.format(&decimal).to_string()
}

/// The plural form of a count: the position of its category among those that the texts of the language distinguish. A
/// category that they do not distinguish takes the last form, which is that of most numbers.
pub(super) fn plural(count: u64, lang: Lang) -> usize {
    let category = match RULES[lang as usize].plurals.category_for(count) {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    };
    let forms = lang.conventions().plural_forms;
    forms.iter().position(|form| *form == category).unwrap_or(forms.len().saturating_sub(1))
}

/// A day with the name of its month: `15 January 2027`.
pub(super) fn day(date: Date, lang: Lang) -> String {
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    IcuDate::try_new_gregorian(i32::from(date.year()), month, day)
        .map_or_else(|_| date.to_string(), |date| RULES[lang as usize].days.format(&date).to_string())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn numbers_are_those_of_cldr() {
        let written = |number| Lang::ALL.map(|lang| whole(number, lang));
        assert_eq!(written(0), ["0"; 4]);
        assert_eq!(written(999), ["999"; 4]);
        assert_eq!(written(1_877), ["1,877", "1\u{202f}877", "1877", "1.877"]);
        assert_eq!(written(12_345), ["12,345", "12\u{202f}345", "12.345", "12.345"]);
        assert_eq!(
            written(-1_234_567),
            ["-1,234,567", "-1\u{202f}234\u{202f}567", "-1.234.567", "-1.234.567"]
        );
        assert!(written(i128::MAX)[0].starts_with("170,141,183,460"));
        assert_eq!(
            Lang::ALL.map(|lang| fraction(123_456_789, 2, lang)),
            ["1,234,567.89", "1\u{202f}234\u{202f}567,89", "1.234.567,89", "1.234.567,89"]
        );
        assert_eq!(Lang::ALL.map(|lang| fraction(5, 2, lang)), ["0.05", "0,05", "0,05", "0,05"]);
        assert_eq!(fraction(1_000, 2, Lang::En), "10.00");
        assert_eq!(fraction(7, 0, Lang::En), "7");
        assert_eq!(fraction(-25, 2, Lang::Fr), "-0,25");
    }

    #[test]
    fn plural_forms_are_those_of_cldr() {
        let forms = |count| Lang::ALL.map(|lang| plural(count, lang));
        assert_eq!(forms(0), [1, 0, 1, 0], "zero is singular in French and in Portuguese");
        assert_eq!(forms(1), [0; 4]);
        for many in [2, 5, 11, 21, 101, 1_000, 1_000_000] {
            assert_eq!(forms(many), [1; 4], "{many}");
        }
    }

    #[test]
    fn every_plural_form_of_every_language_is_used_and_no_other() {
        for lang in Lang::ALL {
            let used: std::collections::BTreeSet<usize> =
                (0..1_000).map(|count| plural(count, lang)).collect();
            let forms = lang.conventions().plural_forms;
            assert!(used.iter().copied().eq(0..forms.len()), "{}: {used:?}", lang.tag());
        }
    }

    #[test]
    fn days_are_those_of_cldr() {
        assert_eq!(
            Lang::ALL.map(|lang| day(date(2027, 1, 15), lang)),
            ["15 January 2027", "15 janvier 2027", "15 de enero de 2027", "15 de janeiro de 2027"]
        );
        for lang in Lang::ALL {
            let months = (1..=12).map(|month| day(date(2027, month, 2), lang));
            assert_eq!(months.collect::<std::collections::BTreeSet<_>>().len(), 12, "{}", lang.tag());
        }
    }
}
