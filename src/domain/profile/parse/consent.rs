//! Rules for consents.

use jiff::Timestamp;

use super::text::{bounded, head, latest, optional_text};
use crate::domain::everyday::{Everyday, means};
use crate::domain::language;
use crate::domain::profile::consents::{MAX_CONSENTS, check_contradiction, merged};
use crate::domain::profile::{Consent, ConsentDraft, ConsentPurpose};
use crate::domain::violation::Violations;
use crate::message;

impl Consent {
    /// Parses one consent, or returns all violations. Times after `now` are violations.
    pub fn parse(draft: &ConsentDraft, now: Timestamp) -> Result<Self, Violations> {
        let mut violations = Violations::default();
        match one(draft, now, &mut violations) {
            Some(consent) => violations.finish(consent),
            None => Err(violations),
        }
    }
}

/// The consents by purpose and time, without repeats.
pub(super) fn list(given: &[ConsentDraft], now: Timestamp, violations: &mut Violations) -> Vec<Consent> {
    let given = bounded("consents", given, MAX_CONSENTS, violations);
    let mut consents: Vec<Consent> = Vec::with_capacity(given.len());
    for (i, draft) in given.iter().enumerate() {
        let mut part = Violations::default();
        consents.extend(one(draft, now, &mut part));
        if !part.is_empty() {
            violations.extend(part.within(&format!("consents[{i}]")));
        }
    }
    let consents = merged(&[], &consents);
    check_contradiction(&consents, violations);
    consents
}

/// Whether a consent is not withdrawn. A consent that begins slightly in the future, by a fast clock, counts.
pub(super) fn is_open(withdraw_time: Option<Timestamp>, now: Timestamp) -> bool {
    withdraw_time.is_none_or(|end| now < end)
}

fn one(draft: &ConsentDraft, now: Timestamp, part: &mut Violations) -> Option<Consent> {
    let purpose = ConsentPurpose::from_number(draft.purpose);
    if purpose.is_none() {
        let hint = "use 1 for matching, 2 for identity answers, 3 for matches across borders, 4 for follow-up, 5 for statistics";
        part.push("purpose", draft.purpose, "is not a purpose of consent", hint);
    }
    let text_version = optional_text("text_version", &draft.text_version, part);
    if text_version.is_none() && part.is_empty() {
        part.push("text_version", "", "is missing", "give the version of the consent text");
    }
    if let Some(version) = text_version.as_deref().filter(|version| is_no_version(version)) {
        part.push(
            "text_version",
            version,
            "is not the version of a consent text",
            "give the version of the text to which she agreed, for example 2026-1; leave out the consent of a person who has \
             not agreed",
        );
    }
    let tag = language::normalise(&draft.language);
    if tag.is_none() {
        let hint = "give the language of the consent text, for example es";
        part.push("language", head(&draft.language), "is not a BCP 47 language tag", hint);
    }
    let give_time = moment("give_time", draft.give_time, now, part);
    if draft.give_time.is_none() {
        part.push("give_time", "", "is missing", "give the time of this consent");
    }
    let withdraw_time = moment("withdraw_time", draft.withdraw_time, now, part);
    if let (Some(given), Some(withdrawn)) = (give_time, withdraw_time)
        && withdrawn < given
    {
        part.push(
            "withdraw_time",
            withdrawn,
            message!("is before the consent was given, at {given}", given = given.to_string()),
            "exchange the two times",
        );
    }
    Some(Consent {
        purpose: purpose?,
        give_time: give_time?,
        text_version: text_version?,
        language: tag?,
        withdraw_time,
    })
}

/// Whether a text says yes, no or nothing. Such a word is not taken as a version: `no` would become a consent.
fn is_no_version(text: &str) -> bool {
    [Everyday::Yes, Everyday::No, Everyday::NoAnswer].into_iter().any(|meaning| means(text, meaning))
}

/// A time in the whole microseconds that databases can keep; one in the future is a violation.
fn moment(
    field: &str,
    at: Option<Timestamp>,
    now: Timestamp,
    violations: &mut Violations,
) -> Option<Timestamp> {
    let at = at?;
    if at > latest(now) {
        violations.push(field, at, "is in the future", "use the time of the event");
    }
    Some(Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at))
}
