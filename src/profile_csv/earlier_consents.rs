//! The items of the column `earlier_consents`: earlier consents, and the consents for purposes that have no columns of their
//! own. Reads and writes `matching es {time} [to {time}] version {version}`.

use std::fmt::Write as _;

use super::cell::Misread;
use super::dates::read_time;
use crate::domain::profile::{ConsentDraft, ConsentPurpose};

/// Reads one item of `earlier_consents`: `matching es {time} [to {time}] version {version}`.
pub(super) fn read_earlier_consent(item: &str) -> Result<ConsentDraft, Misread> {
    const HINT: &str =
        "write for example `matching es 2025-09-01T08:00:00Z to 2026-01-15T10:00:00Z version 2025-1`";
    let misread = || Misread::new("is not an earlier consent", HINT);
    let (given, version) = item.split_once(" version ").ok_or_else(misread)?;
    let words: Vec<&str> = given.split_whitespace().collect();
    let (purpose, language, give, withdraw) = match words[..] {
        [purpose, language, give] => (purpose, language, give, None),
        [purpose, language, give, "to", withdraw] => (purpose, language, give, Some(withdraw)),
        _ => return Err(misread()),
    };
    let purpose = ConsentPurpose::from_code(purpose).ok_or_else(|| {
        Misread::new("is for none of matching, identity, cross-border, follow-up and statistics", HINT)
    })?;
    Ok(ConsentDraft {
        purpose: purpose as i32,
        text_version: unescaped(version),
        language: language.to_owned(),
        give_time: Some(read_time(give)?),
        withdraw_time: withdraw.map(read_time).transpose()?,
    })
}

/// An earlier consent as an item; `None` if it has no time and so cannot have been one.
pub(super) fn write_earlier_consent(consent: &ConsentDraft) -> Option<String> {
    let purpose = ConsentPurpose::from_number(consent.purpose).unwrap_or(ConsentPurpose::Matching).code();
    let mut item = format!("{purpose} {} {}", consent.language, consent.give_time?);
    if let Some(end) = consent.withdraw_time {
        // Writing to a String cannot fail.
        let _ = write!(item, " to {end}");
    }
    let _ = write!(item, " version {}", escaped(&consent.text_version));
    Some(item)
}

/// Percent-encodes the characters that would end an item.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' | '|' | ';' | ',' | '\n' | '\r' => {
                let _ = write!(escaped, "%{:02X}", u32::from(c));
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        if let Some(code) = code {
            plain.push(char::from(code));
            plain.push_str(&part[2..]);
        } else {
            plain.push('%');
            plain.push_str(part);
        }
    }
    plain
}
