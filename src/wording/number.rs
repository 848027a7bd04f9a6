//! Counts, percentages and decimal numbers in the manner of each language. All arithmetic is on integers, so that equal
//! values give equal bytes on every machine.

use crate::domain::vocabulary::{Conventions, Lang};

/// A count with its thousands grouped.
pub fn count(value: impl Into<u128>, lang: Lang) -> String {
    grouped(value.into(), lang.conventions())
}

pub(super) fn grouped(value: u128, conventions: &Conventions) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() * 2);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() >= conventions.group_from {
            grouped.push(conventions.group);
        }
        grouped.push(digit);
    }
    grouped
}

/// `value` with its last `places` digits behind the decimal sign.
pub fn decimal(value: u64, places: usize, lang: Lang) -> String {
    let digits = format!("{value:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{whole}{}{fraction}", lang.conventions().decimal)
}

/// A written number with the percent sign.
pub fn percent(number: &str, lang: Lang) -> String {
    format!("{number}{}", lang.conventions().percent)
}

/// A score of 0..=10,000 as a percentage with two decimals.
pub fn score(points: u32, lang: Lang) -> String {
    percent(&decimal(u64::from(points), 2, lang), lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_each_language_writes_them() {
        assert_eq!([999_u64, 1_000, 1_234_567].map(|n| count(n, Lang::En)), ["999", "1,000", "1,234,567"]);
        assert_eq!([1_000_u64, 12_345].map(|n| count(n, Lang::Fr)), ["1\u{202f}000", "12\u{202f}345"]);
        assert_eq!([1_000_u64, 12_345].map(|n| count(n, Lang::Es)), ["1000", "12\u{202f}345"]);
        assert_eq!([1_000_u64, 12_345].map(|n| count(n, Lang::Pt)), ["1.000", "12.345"]);
        assert_eq!(decimal(5, 2, Lang::En), "0.05");
        assert_eq!(
            Lang::ALL.map(|lang| score(8_734, lang)),
            ["87.34%", "87,34\u{a0}%", "87,34\u{a0}%", "87,34%"]
        );
        assert_eq!(score(10_000, Lang::En), "100.00%");
    }
}
