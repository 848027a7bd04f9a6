//! Decimal scores, exactly: all scores of a problem are integers in units of the last decimal that a score of it has.

use crate::domain::message::MessageValue;

/// Number of decimals of the scores of a problem.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimals(u8);

/// A decimal number: `digits` in units of its last decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: i64,
    decimals: Decimals,
}

impl Decimals {
    /// Most decimals: a score with more does not fit beside another of 1.
    const MOST: usize = 9;

    /// Units per point: 10 to the power of the decimals.
    pub fn factor(self) -> i64 {
        10_i64.pow(self.0.into())
    }

    /// A number of units in decimals, for example `3.50`.
    pub fn shown(self, units: i64) -> String {
        if self.0 == 0 {
            return units.to_string();
        }
        let (sign, units) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
        let factor = self.factor().unsigned_abs();
        format!("{sign}{}.{:0width$}", units / factor, units % factor, width = usize::from(self.0))
    }

    /// A number of units as the value of a message.
    pub fn value(self, units: i64) -> MessageValue {
        MessageValue::Decimal { units: units.into(), places: self.0 }
    }

    /// The factor from the units of `self` to the units of more decimals; `None` if there are not more.
    pub(super) fn factor_to(self, more: Self) -> Option<i64> {
        Some(Self(more.0.checked_sub(self.0).filter(|more| *more > 0)?).factor())
    }
}

impl Decimal {
    /// Reads a decimal number with a point or, unless `1,234` could be a whole number of thousands, a comma. Zeros at the end
    /// are no decimals.
    pub(super) fn read(text: &str, has_decimal_comma: bool) -> Option<Self> {
        let (whole, decimals) = match text.split_once(['.', ',']) {
            Some((whole, decimals)) => {
                let is_comma = text.as_bytes().get(whole.len()) == Some(&b',');
                if is_comma && !has_decimal_comma && decimals.len() == 3 {
                    return None;
                }
                (whole, decimals.trim_end_matches('0'))
            }
            None => (text, ""),
        };
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        if unsigned.is_empty() && decimals.is_empty() || !is_digits(unsigned) || !is_digits(decimals) {
            return None;
        }
        if decimals.len() > Decimals::MOST || unsigned.len() > 10 {
            return None;
        }
        let digits: i64 = [unsigned, decimals].concat().parse().ok()?;
        let decimals = Decimals(u8::try_from(decimals.len()).ok()?);
        Some(Self { digits: if whole.starts_with('-') { -digits } else { digits }, decimals })
    }

    /// The number of decimals.
    pub(super) fn decimals(self) -> Decimals {
        self.decimals
    }

    /// The number in units of `decimals`, of which it has at most as many.
    pub(super) fn units(self, decimals: Decimals) -> Option<i64> {
        self.digits.checked_mul(self.decimals.factor_to(decimals).unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_read_exactly_and_shown_as_it_was() {
        let hundredths = Decimals(2);
        for (text, units) in
            [("3.5", 350), ("-0,25", -25), ("7", 700), ("+1.50", 150), (".5", 50), ("0.00", 0)]
        {
            let read = Decimal::read(text, true).expect(text);
            assert_eq!(read.units(hundredths), Some(units), "{text}");
        }
        assert_eq!([350, -25, 5, 0].map(|units| hundredths.shown(units)), ["3.50", "-0.25", "0.05", "0.00"]);
        assert_eq!(Decimals::default().shown(-7), "-7");
        assert_eq!(Decimal::read("2.500", false).map(Decimal::decimals), Some(Decimals(1)));
    }

    #[test]
    fn what_is_no_decimal_or_has_two_readings_is_refused() {
        for text in ["", ".", "-", "1.2.3", "1,2,3", "1e3", "x", "1 2", "0.1234567891", "99999999999", "--1"]
        {
            assert_eq!(Decimal::read(text, true), None, "{text}");
        }
        assert_eq!(Decimal::read("1,234", false), None);
        assert_eq!(Decimal::read("1,234", true).map(Decimal::decimals), Some(Decimals(3)));
    }
}
