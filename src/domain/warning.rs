//! Warnings: what the sender of a good input should look at. A warning never blocks.

use serde::{Deserialize, Serialize};

/// Most warnings about one profile.
const MOST: usize = 20;

/// Something about one field of a good input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Path of the field as in the proto, for example `employer`.
    pub field: String,
    /// The given value, cut at 80 characters.
    pub value: String,
    /// Another value that the text names; empty if it names none.
    pub other: String,
    /// What it is about.
    pub code: WarningCode,
}

impl Warning {
    /// A warning about a value.
    pub fn new(field: &str, value: &str, code: WarningCode) -> Self {
        let value = super::violation::excerpt(value);
        Self { field: field.to_owned(), value, other: String::new(), code }
    }
}

/// What a warning is about: the closed set of codes. The table `warning` of `data/wording/` has their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WarningCode {
    /// A word such as `n/a` or `self-employed` was read as no answer.
    NoAnswer = 1,
    /// The time zone is UTC, which has no clock changes.
    FixedZone = 2,
    /// The roster has no first day at work.
    RosterWithoutDay = 3,
    /// Hours between two half hours were cut to the half hours that they cover.
    HoursCut = 4,
    /// The id differs from another id of the organisation only by leading zeros or by capitals.
    SimilarId = 5,
    /// The list names an id of the person's own organisation that the organisation does not have.
    UnknownId = 6,
}

impl WarningCode {
    /// All codes.
    pub const ALL: [Self; 6] = [
        Self::NoAnswer,
        Self::FixedZone,
        Self::RosterWithoutDay,
        Self::HoursCut,
        Self::SimilarId,
        Self::UnknownId,
    ];

    /// The code in messages and the key of its text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAnswer => "NO_ANSWER",
            Self::FixedZone => "FIXED_ZONE",
            Self::RosterWithoutDay => "ROSTER_WITHOUT_DAY",
            Self::HoursCut => "HOURS_CUT",
            Self::SimilarId => "SIMILAR_ID",
            Self::UnknownId => "UNKNOWN_ID",
        }
    }
}

/// The warnings about one input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings(Vec<Warning>);

impl Warnings {
    /// Adds a warning; those beyond the first 20 are dropped.
    pub fn push(&mut self, field: &str, value: &str, code: WarningCode) {
        if self.0.len() < MOST {
            self.0.push(Warning::new(field, value, code));
        }
    }

    /// The warnings in the order in which they were added.
    pub fn into_vec(self) -> Vec<Warning> {
        self.0
    }
}

/// The form that ids share which look alike: in lower case, without the zeros that begin each of the numbers.
pub fn alike(id: &str) -> String {
    let mut form = String::with_capacity(id.len());
    let mut in_number = false;
    let mut rest = id.chars().peekable();
    while let Some(letter) = rest.next() {
        let leading = letter == '0' && !in_number && rest.peek().is_some_and(char::is_ascii_digit);
        if !leading {
            form.push(letter.to_ascii_lowercase());
            in_number = letter.is_ascii_digit();
        }
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_alike_without_zeros_and_capitals() {
        for (one, other) in [
            ("007", "7"),
            ("A1", "a1"),
            ("PE-007", "pe-7"),
            ("0", "000"),
            ("x00y", "X0y"),
            ("a01b02", "a1b2"),
        ] {
            assert_eq!(alike(one), alike(other), "{one} and {other}");
        }
        for (one, other) in [("70", "7"), ("10", "100"), ("a", "b"), ("1.0", "1"), ("a-1", "a1"), ("0", "1")]
        {
            assert_ne!(alike(one), alike(other), "{one} and {other}");
        }
    }
}
