//! Rules for texts, dates, numbers and codes of any field.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::date::parse_date;
use crate::domain::field_rule;
use crate::domain::folding::stored;
use crate::domain::message::Message;
use crate::domain::violation::Violations;
use crate::domain::vocabulary::{Kind, Terms, Vocabulary};
use crate::message;

/// Longest code that is looked up, in bytes; the vocabularies' own are shorter.
pub(super) const MAX_CODE_LENGTH: usize = 64;
/// Most codes of one vocabulary that a draft may list, repeats included.
const MAX_CODES: usize = field_rule::PROFILE_FUNCTIONS.max_items;
/// Most codes in a hint.
const MOST_CODES: usize = 6;
/// Longest key or version, in characters.
const MAX_TEXT: usize = field_rule::PROFILE_EMPLOYER.max_characters;
/// Longest text that is read, in bytes: 64 characters of 4 bytes, and as much again for blanks around them.
const MAX_TEXT_BYTES: usize = 8 * MAX_TEXT;

/// How far ahead of this machine's clock a date may lie, for clocks that are fast and for days that begin earlier elsewhere.
const CLOCK_TOLERANCE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// The beginning of a text, for a violation: long enough to show that it was cut, and cheap for a huge text.
pub(super) fn head(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(end, _)| &text[..end])
}

/// The list if it has at most `most` elements; otherwise an empty list, with a violation.
pub(super) fn bounded<'a, T>(
    field: &str,
    list: &'a [T],
    most: usize,
    violations: &mut Violations,
) -> &'a [T] {
    if list.len() <= most {
        return list;
    }
    violations.push(
        field,
        list.len(),
        message!("are more entries than {most}", most = most),
        "remove entries",
    );
    &[]
}

/// A text of 1 to 64 characters in its stored form; `None` if it is empty or wrong.
pub(super) fn optional_text(field: &str, text: &str, violations: &mut Violations) -> Option<String> {
    if text.len() > MAX_TEXT_BYTES {
        violations.push(
            field,
            head(text),
            message!("has more than {most} characters", most = MAX_TEXT),
            "shorten the text",
        );
        return None;
    }
    let trimmed = stored(text);
    if trimmed.chars().count() > MAX_TEXT {
        violations.push(
            field,
            &trimmed,
            message!("has more than {most} characters", most = MAX_TEXT),
            "shorten the text",
        );
        return None;
    }
    if trimmed.chars().any(char::is_control) {
        violations.push(
            field,
            trimmed.escape_debug(),
            "has control characters",
            "remove tabs, line breaks and the like",
        );
        return None;
    }
    (!trimmed.is_empty()).then(|| trimmed.into_owned())
}

/// A date written `YYYY-MM-DD`, and in no other way that ISO 8601 allows.
pub(super) fn date(field: &str, text: &str, violations: &mut Violations) -> Option<Date> {
    if text.len() == "YYYY-MM-DD".len() {
        return parse_date(field, text, violations);
    }
    violations.push(field, head(text), "is not a date", "write YYYY-MM-DD, for example 2027-04-15");
    None
}

/// The set of the given codes; each unknown one is a violation.
pub(super) fn terms<K: Kind>(field: &str, codes: &[String], violations: &mut Violations) -> Terms<K> {
    let mut set = Terms::EMPTY;
    for (i, code) in bounded(field, codes, MAX_CODES, violations).iter().enumerate() {
        if code.len() > MAX_CODE_LENGTH || !set.insert(code) {
            let vocabulary = K::vocabulary();
            let hint =
                if violations.is_full() { Message::default() } else { hint_for_code(vocabulary, code) };
            violations.push(
                format!("{field}[{i}]"),
                head(code),
                message!("is not a code of the vocabulary `{name}`", name = vocabulary.name()),
                hint,
            );
        }
    }
    set
}

/// Hint for an unknown code: the codes with that label, else those that contain its words, else the nearest code.
pub(super) fn hint_for_code(vocabulary: &Vocabulary, code: &str) -> Message {
    let mut meant = vocabulary.named(code);
    if meant.is_empty() {
        meant = vocabulary.containing(code);
    }
    if meant.is_empty() && code.len() <= MAX_CODE_LENGTH {
        meant = vocabulary.nearest(code).into_iter().collect();
    }
    match &meant[..] {
        [] => message!("`wim-match import --vocabulary` prints the codes"),
        [one] => message!("did you mean `{id}`?", id = *one),
        several => {
            let codes = several[..several.len().min(MOST_CODES)].join("`, `");
            message!("write one of {names}", names = format!("`{codes}`"))
        }
    }
}

/// The last moment that does not count as the future.
pub(super) fn latest(now: Timestamp) -> Timestamp {
    now.saturating_add(CLOCK_TOLERANCE).unwrap_or(Timestamp::MAX)
}

/// A number that has been checked; what has not passed its check becomes 0 and never leaves.
pub(super) fn small(number: i32) -> u8 {
    u8::try_from(number).unwrap_or_default()
}
