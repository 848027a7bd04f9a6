//! Reads dates that come from outside.

use jiff::civil::Date;

use super::violation::Violations;

/// Reads an ISO 8601 date between 1990 and 2200.
pub fn parse_date(field: &str, text: &str, violations: &mut Violations) -> Option<Date> {
    match text.parse::<Date>() {
        Ok(date) if (1990..2200).contains(&date.year()) => Some(date),
        Ok(_) => {
            violations.push(field, text, "is outside the years 1990 to 2199", "check the year");
            None
        }
        Err(_) => {
            violations.push(field, text, "is not a date", "write YYYY-MM-DD, for example 2027-04-15");
            None
        }
    }
}
