//! Violations: everything that is wrong with an input, reported at once, each with the place and the expected value.

use std::fmt;

use super::message::Message;
use crate::message;

/// Characters of a refused value that a violation keeps.
const MAX_VALUE_CHARS: usize = 80;
/// Violations that a collection lists; it counts those beyond.
pub const MAX_LISTED: usize = 100;
/// Violations of a request that changes something. A request that is only checked is answered with all of them, and a
/// request names at most 10,000 profiles.
const MAX_OF_REQUEST: usize = 10_100;

/// Where an error is: the path of a field, or a place in a file, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    name: String,
    words: Option<Message>,
}

impl Location {
    /// A line of a file.
    pub fn line(file: &str, line: u64) -> Self {
        // The number of a line has no separators: it is a name.
        Self::from(message!("{file}, line {line}", file = file, line = line.to_string()))
    }

    /// The location in words.
    pub fn message(&self) -> Message {
        self.words.clone().unwrap_or_else(|| Message::verbatim(self.name.clone()))
    }
}

impl From<Message> for Location {
    fn from(words: Message) -> Self {
        Self { name: words.to_string(), words: Some(words) }
    }
}

impl From<String> for Location {
    fn from(name: String) -> Self {
        Self { name, words: None }
    }
}

impl From<&str> for Location {
    fn from(name: &str) -> Self {
        Self::from(name.to_owned())
    }
}

/// One error in one field of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field as in the proto, for example `mentor_offer.topics[2]`; or a place in a file.
    pub field: String,
    /// The place in a file in words.
    pub place: Option<Message>,
    /// The given value, cut at 80 characters; empty if the description contains it.
    pub value: String,
    /// What is wrong: a predicate whose subject is the field or the value.
    pub description: Message,
    /// What to do; may be empty.
    pub hint: Message,
}

impl Violation {
    /// A violation whose description contains the value and what to do.
    pub fn new(location: impl Into<Location>, description: impl Into<Message>) -> Self {
        let Location { name: field, words: place } = location.into();
        let (value, hint) = (String::new(), Message::default());
        Self { field, place, value, description: description.into(), hint }
    }

    /// The field with what is wrong.
    pub fn message(&self) -> Message {
        message!("{field}: {wrong}", field = self.location(), wrong = self.description.clone())
    }

    /// The field with the value, what is wrong, and the hint.
    pub fn whole(&self) -> Message {
        message!("{field}: {wrong}", field = self.location(), wrong = self.sentence())
    }

    /// The field, or the place in a file, in words.
    fn location(&self) -> Message {
        self.place.clone().unwrap_or_else(|| Message::verbatim(self.field.clone()))
    }

    /// What is wrong, with the value first and the hint last.
    pub fn sentence(&self) -> Message {
        let Self { value, description, hint, .. } = self;
        let wrong = match value.as_str() {
            "" => description.clone(),
            value => message!("`{value}` {wrong}", value = value, wrong = description.clone()),
        };
        if hint.is_empty() { wrong } else { message!("{wrong}; {hint}", wrong = wrong, hint = hint.clone()) }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

/// The violations of one input: the first [`MAX_LISTED`] or fewer, and the number of those beyond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations {
    listed: Vec<Violation>,
    more: u64,
    most: usize,
}

impl Default for Violations {
    fn default() -> Self {
        Self::at_most(MAX_LISTED)
    }
}

impl Violations {
    /// No violation yet. The first `most` will be listed, and the others counted.
    pub fn at_most(most: usize) -> Self {
        Self { listed: Vec::new(), more: 0, most }
    }

    /// No violation yet of a request that changes something.
    pub fn of_request() -> Self {
        Self::at_most(MAX_OF_REQUEST)
    }

    /// Adds a violation with the refused value and a hint.
    pub fn push(
        &mut self,
        field: impl Into<String>,
        value: impl fmt::Display,
        description: impl Into<Message>,
        hint: impl Into<Message>,
    ) {
        self.insert(Violation {
            field: field.into(),
            place: None,
            value: excerpt(&value.to_string()),
            description: description.into(),
            hint: hint.into(),
        });
    }

    /// Adds a violation whose description contains the value and what to do.
    pub fn add(&mut self, location: impl Into<Location>, description: impl Into<Message>) {
        self.insert(Violation::new(location, description));
    }

    /// Adds all violations of another part of the input.
    pub fn extend(&mut self, others: Self) {
        for violation in others.listed {
            self.insert(violation);
        }
        self.more += others.more;
    }

    /// The same violations, with `outer` before each field path.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        for violation in &mut self.listed {
            violation.place = None;
            violation.field = match violation.field.as_str() {
                "" => outer.to_owned(),
                field if field.starts_with('[') => [outer, field].concat(),
                field => [outer, ".", field].concat(),
            };
        }
        self
    }

    /// Whether a further violation is counted only. Its hint is then not worth a search.
    pub fn is_full(&self) -> bool {
        self.listed.len() >= self.most
    }

    /// Whether the input has no violation so far.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Number of violations, listed or not.
    pub fn count(&self) -> u64 {
        self.listed.len() as u64 + self.more
    }

    /// The violations that are listed, in the order in which they were added.
    pub fn listed(&self) -> &[Violation] {
        &self.listed
    }

    /// Number of violations beyond those listed.
    pub fn more(&self) -> u64 {
        self.more
    }

    /// How many violations are not listed.
    pub fn rest(&self) -> Message {
        self.beyond(self.listed.len() as u64)
    }

    /// How many violations there are beyond the first `shown`.
    pub fn beyond(&self, shown: u64) -> Message {
        let more = self.count().saturating_sub(shown);
        message!("{more|1 more violation is|{more} more violations are} not listed", more = more)
    }

    /// `value` if there is no violation, otherwise all violations.
    pub fn finish<T>(self, value: T) -> Result<T, Self> {
        if self.listed.is_empty() { Ok(value) } else { Err(self) }
    }

    fn insert(&mut self, violation: Violation) {
        if self.listed.len() < self.most {
            self.listed.push(violation);
        } else {
            self.more += 1;
        }
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self { listed: vec![violation], ..Self::default() }
    }
}

/// `value`, cut to 80 characters, so that an answer does not repeat a cell of 10 MiB.
pub(crate) fn excerpt(value: &str) -> String {
    match value.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_value_is_answered_as_an_excerpt() {
        let mut violations = Violations::default();
        violations.push("f", "é".repeat(10_000), "too long", "");
        assert_eq!(violations.listed()[0].value.chars().count(), MAX_VALUE_CHARS + 1);
    }

    #[test]
    fn violations_of_a_part_have_paths_within_the_whole() {
        let mut part = Violations::default();
        for field in ["topics[1]", "[2]", ""] {
            part.add(field, "is unknown");
        }
        let whole = part.within("mentor_offer");
        let fields: Vec<&str> = whole.listed().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["mentor_offer.topics[1]", "mentor_offer[2]", "mentor_offer"]);
    }

    #[test]
    fn violations_beyond_the_limit_are_counted() {
        let mut violations = Violations::default();
        for at in 0..MAX_LISTED + 3 {
            violations.add(format!("[{at}]"), "is wrong");
        }
        assert_eq!((violations.listed().len(), violations.more()), (MAX_LISTED, 3));
        let mut few = Violations::at_most(10);
        few.extend(violations.clone());
        assert_eq!((few.listed().len(), few.more(), few.count()), (10, 93, 103));
        assert!(few.is_full() && !Violations::default().is_full());
        let mut twice = violations.clone();
        twice.extend(violations);
        assert_eq!((twice.listed().len(), twice.more(), twice.count()), (MAX_LISTED, 106, 206));
    }
}
