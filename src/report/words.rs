//! The report's texts in one language. Every text is a whole sentence or label with named gaps, so that a translator
//! sees what she translates.

use std::fmt::Display;

use crate::domain::explanation::Reason;
use crate::domain::policy::{Criterion, HardRule};
use crate::domain::run::Stage;
use crate::domain::vocabulary::Lang;

use super::number;

/// Texts and numbers of one language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words(pub(super) Lang);

impl Words {
    /// The text of a key.
    pub(super) fn text(self, key: &str) -> &'static str {
        for line in include_str!("../../data/wording/report.en.toml").lines() {
            if let Some((k, v)) = line.split_once(" = ")
                && k == key
            {
                return v.trim_matches('"');
            }
        }
        panic!("{key}")
    }

    /// The text of a key with its gaps filled. Braces within the values are left as they are.
    pub(super) fn fill(self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        let mut filled = String::new();
        let mut rest = self.text(key);
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else { break };
            filled.push_str(before);
            match values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => filled.push_str(&value.to_string()),
                None => debug_assert!(false, "nothing fills the gap `{name}` of {key}"),
            }
            rest = behind;
        }
        filled + rest
    }

    /// A count.
    pub(super) fn count(self, value: impl Into<u128>) -> String {
        number::count(value, self.0)
    }

    /// The length of a list as a count.
    pub(super) fn len<T>(self, list: &[T]) -> String {
        number::count(u64::try_from(list.len()).unwrap_or(u64::MAX), self.0)
    }

    /// A score as a percentage.
    pub(super) fn score(self, points: u16) -> String {
        number::score(points, self.0)
    }

    /// A reason in words.
    pub(super) fn reason(self, reason: &Reason) -> String {
        format!("{:?} {:?}", reason.code, reason.parameters)
    }

    /// Name of a criterion; `None` stands for the private ones together.
    pub(super) fn criterion(self, criterion: Option<Criterion>) -> String {
        criterion.map_or_else(|| "Answers given in confidence".to_owned(), |c| format!("{c:?}"))
    }

    /// Name of a hard rule.
    pub(super) fn rule(self, rule: HardRule) -> String {
        format!("{rule:?}")
    }

    /// Name of a step of the run.
    pub(super) fn stage(self, stage: Stage) -> String {
        format!("{stage:?}")
    }
}
