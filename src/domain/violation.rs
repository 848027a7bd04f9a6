//! What is wrong with an input: always all of it at once, each with what to do.

use std::fmt;

/// Longest excerpt of a refused value that is answered back.
const MAX_VALUE_CHARS: usize = 80;

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field as in the proto, for example `mentor_offer.topics[2]`.
    pub field: String,
    /// What was given, cut at 80 characters.
    pub value: String,
    /// What is wrong, a full clause in English.
    pub description: String,
    /// What to do; may be empty.
    pub hint: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.description)
    }
}

/// Collects violations while a value is parsed.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Notes one violation.
    pub fn push(
        &mut self,
        field: impl Into<String>,
        value: impl fmt::Display,
        description: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(Violation {
            field: field.into(),
            value: excerpt(&value.to_string()),
            description: description.into(),
            hint: hint.into(),
        });
    }

    /// Takes over the violations of a part, with `prefix` before each field path.
    pub fn extend_under(&mut self, prefix: &str, part: Vec<Violation>) {
        self.0.extend(part.into_iter().map(|mut violation| {
            violation.field = match violation.field.as_str() {
                "" => prefix.to_owned(),
                field if field.starts_with('[') => format!("{prefix}{field}"),
                field => format!("{prefix}.{field}"),
            };
            violation
        }));
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` if nothing was wrong, else everything that was.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<Violation>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    /// Everything that was wrong.
    pub fn into_inner(self) -> Vec<Violation> {
        self.0
    }
}

/// `value`, cut so that a 10 MiB cell does not come back whole.
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
        assert_eq!(violations.into_inner()[0].value.chars().count(), MAX_VALUE_CHARS + 1);
    }

    #[test]
    fn parts_are_named_under_their_whole() {
        let mut part = Violations::default();
        part.push("topics[1]", "x", "unknown", "");
        let mut whole = Violations::default();
        whole.extend_under("mentor_offer", part.into_inner());
        assert_eq!(whole.into_inner()[0].field, "mentor_offer.topics[1]");
    }
}
