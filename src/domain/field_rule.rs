//! Rules of fields: how long a text, how many elements, which numbers. The protos state them as the option `rules`, where
//! callers read them, and the build turns each into a constant of this module: a rule is said once.
//!
//! [`FieldRule::text`] is the one parser of free texts. A free text is stored in normal form C, without blanks around it.

use super::folding::{key, stored};
use super::violation::Violations;
use crate::message;

/// Bytes that a character may have, and as much again for blanks and for signs that normal form C joins: a longer text is
/// refused before it is read.
const BYTES_PER_CHARACTER: usize = 8;

/// The rule of a field. What it does not limit is at its widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldRule {
    /// Fewest characters of a text.
    pub min_characters: usize,
    /// Most characters of a text.
    pub max_characters: usize,
    /// Fewest elements of a list.
    pub min_items: usize,
    /// Most elements of a list.
    pub max_items: usize,
    /// Least number.
    pub least: i32,
    /// Greatest number.
    pub most: i32,
}

impl FieldRule {
    /// The stored form of a free text; what is wrong with it goes to `violations`.
    pub fn text(&self, field: &str, text: &str, violations: &mut Violations) -> String {
        let most = self.max_characters;
        let too_long = || message!("has more than {most} characters", most = most);
        if text.len() > most.saturating_mul(BYTES_PER_CHARACTER) {
            violations.push(field, head(text), too_long(), "shorten the text");
            return String::new();
        }
        let parsed = stored(text).into_owned();
        let length = parsed.chars().count();
        if length > most {
            violations.push(field, head(&parsed), too_long(), "shorten the text");
        } else if parsed.chars().any(char::is_control) {
            let hint = "remove tabs, line breaks and the like";
            violations.push(field, parsed.escape_debug(), "has control characters", hint);
        } else if parsed.chars().any(turns_text) {
            let wrong = "has signs that turn the direction of the text around it";
            violations.push(
                field,
                parsed.escape_unicode(),
                wrong,
                "remove them; letters have their own direction",
            );
        } else if length < self.min_characters || (self.min_characters > 0 && key(&parsed).is_empty()) {
            let hint = message!("use {least} to {most} characters", least = self.min_characters, most = most);
            violations.push(field, &parsed, "has no visible character", hint);
        }
        parsed
    }
}

/// Whether a character overrides or isolates the direction of the text after it, beyond its own text.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The beginning of a text, for a violation.
fn head(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(end, _)| &text[..end])
}

include!(concat!(env!("OUT_DIR"), "/field_rules.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, usize> {
        let mut violations = Violations::of_request();
        let rule = FieldRule { min_characters: 1, max_characters: 4, ..ORGANISATION_DISPLAY_NAME };
        let parsed = rule.text("f", text, &mut violations);
        if violations.is_empty() { Ok(parsed) } else { Err(violations.listed().len()) }
    }

    #[test]
    fn a_text_is_stored_in_normal_form_c_or_refused() {
        assert_eq!(parsed(" Peru\u{301} "), Ok("Per\u{fa}".to_owned()));
        assert_eq!(
            parsed("\u{fb01}\u{1f469}\u{200d}\u{1f527}"),
            Ok("\u{fb01}\u{1f469}\u{200d}\u{1f527}".to_owned())
        );
        for wrong in
            ["", " \u{a0}", "\u{200b}", "abcde", "a\0", "a\tb", "\u{202e}abc", "a\u{2066}", &"a".repeat(100)]
        {
            assert_eq!(parsed(wrong), Err(1), "{wrong:?}");
        }
        assert_eq!(
            parsed("e\u{301}\u{e9}e\u{301}e\u{301}"),
            Ok("\u{e9}".repeat(4)),
            "counted in normal form C"
        );
    }

    #[test]
    fn the_rules_are_those_of_the_protos() {
        assert_eq!(
            (ORGANISATION_DISPLAY_NAME.min_characters, ORGANISATION_DISPLAY_NAME.max_characters),
            (1, 200)
        );
        assert_eq!(
            (ROSTER_DAYS_ON.least, ROSTER_DAYS_ON.most, ROSTER_DAYS_ON.max_items),
            (1, 60, usize::MAX)
        );
        assert_eq!(i32::from(super::super::policy::MAX_WEIGHT), CRITERION_WEIGHT_WEIGHT.most);
    }
}
