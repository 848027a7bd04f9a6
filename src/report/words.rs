//! The report's texts and numbers in its language. The texts are the table `report` of `data/wording/`.

use std::fmt::Display;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::explanation::Reason;
use crate::domain::vocabulary::Lang;
use crate::wording;

/// Texts and numbers of one language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words(pub(super) Lang);

impl Words {
    /// The text of a key of the report's table.
    pub(super) fn text(self, key: &str) -> &'static str {
        wording::text(&format!("report.{key}"), self.0)
    }

    /// The text of a key with its parameters replaced. Values are not templates: braces in a value stay as they are.
    pub(super) fn fill(self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        wording::fill(&format!("report.{key}"), self.0, values)
    }

    /// A reason as a line of its own.
    pub(super) fn reason(self, reason: &Reason) -> String {
        wording::capitalised(&wording::render(reason, self.0))
    }

    /// A count.
    pub(super) fn count(self, value: impl Into<u128>) -> String {
        wording::count(value, self.0)
    }

    /// The length of a list.
    pub(super) fn len<T>(self, list: &[T]) -> String {
        wording::count(u64::try_from(list.len()).unwrap_or(u64::MAX), self.0)
    }

    /// A label before its value.
    pub(super) fn labelled(self, label: &str, value: &str) -> String {
        wording::labelled(label, value, self.0)
    }

    /// A day.
    pub(super) fn day(self, date: Date) -> String {
        wording::day(date, self.0)
    }

    /// A moment, to the minute.
    pub(super) fn moment(self, at: Timestamp) -> String {
        wording::moment(at, self.0)
    }

    /// A score of 0..=10,000 as a percentage.
    pub(super) fn score(self, points: u16) -> String {
        wording::score(u32::from(points), self.0)
    }
}
