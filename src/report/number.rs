//! Shares, points, durations and lengths of a report. All arithmetic is on integers, so that a report is the same bytes
//! on every machine.

use crate::domain::vocabulary::Lang;
use crate::wording::{decimal, percent};

/// Smallest group with a percentage: in a smaller one, a single person changes the figure by more than four points.
pub(super) const PERCENT_BASE: u64 = 23;

/// `part` of `whole` in whole percent, or `None` below [`PERCENT_BASE`]. A part that would round to nothing or to
/// everything is shown as `<1%` or `>99%`.
pub(super) fn share(part: u64, whole: u64, lang: Lang) -> Option<String> {
    if whole < PERCENT_BASE {
        return None;
    }
    let rounded = (u128::from(part) * 200 + u128::from(whole)) / (u128::from(whole) * 2);
    Some(match rounded {
        0 if part > 0 => percent("<1", lang),
        100 if part < whole => percent(">99", lang),
        _ => percent(&rounded.to_string(), lang),
    })
}

/// Hundredths of a point as percentage points of a score with one decimal, rounded half up.
pub(super) fn percentage_points(hundredths: u64, lang: Lang) -> String {
    decimal((hundredths + 500) / 1_000, 1, lang)
}

/// Microseconds, written as milliseconds below one second and as seconds from there.
pub(super) fn duration(micros: i64, lang: Lang) -> String {
    let micros = u64::try_from(micros).unwrap_or_default();
    if micros < 1_000_000 {
        format!("{}\u{a0}ms", decimal((micros + 50) / 100, 1, lang))
    } else {
        format!("{}\u{a0}s", decimal((micros + 5_000) / 10_000, 2, lang))
    }
}

/// `part` of `whole` as a length for SVG, in percent with two decimals; a part above zero is always visible.
pub(super) fn length(part: u64, whole: u64) -> String {
    let hundredths = (u128::from(part) * 10_000).checked_div(u128::from(whole)).unwrap_or(0).min(10_000);
    let visible = if part > 0 { hundredths.max(60) } else { 0 };
    format!("{}.{:02}%", visible / 100, visible % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_durations_have_few_digits() {
        assert_eq!(percentage_points(84_499, Lang::Pt), "8,4");
        assert_eq!(duration(4_250, Lang::En), "4.3\u{a0}ms");
        assert_eq!(duration(2_345_678, Lang::En), "2.35\u{a0}s");
    }

    #[test]
    fn a_percentage_needs_a_base_of_23_and_never_rounds_somebody_away() {
        assert_eq!(share(11, 22, Lang::En), None);
        assert_eq!(share(23, 23, Lang::En).as_deref(), Some("100%"));
        assert_eq!(share(4_999, 5_000, Lang::En).as_deref(), Some(">99%"));
        assert_eq!(share(1, 5_000, Lang::En).as_deref(), Some("<1%"));
        assert_eq!(share(0, 5_000, Lang::En).as_deref(), Some("0%"));
        assert_eq!(share(25, 40, Lang::Fr).as_deref(), Some("63\u{202f}%"), "62.5 rounds up");
    }

    #[test]
    fn lengths_stay_within_the_bar_and_a_single_person_stays_visible() {
        assert_eq!(length(0, 10), "0.00%");
        assert_eq!(length(1, 3), "33.33%");
        assert_eq!(length(1, 100_000), "0.60%");
        assert_eq!(length(7, 0), "0.60%");
        assert_eq!(length(7, 5), "100.00%");
    }
}
