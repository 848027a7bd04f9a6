//! Between the generated messages and the domain's types, one file per noun. The services and
//! [`client`](crate::client) use it.

pub mod audit;
pub mod comparison;
pub mod consent;
pub mod consultation;
pub mod diagnosis;
pub mod enrolment;
mod equity;
pub mod erasure;
pub mod mentorship;
pub mod organisation;
pub mod outcome;
pub mod participant;
pub mod personal_data;
pub mod policy;
pub mod principal;
pub mod profile;
pub mod report;
pub mod review;
pub mod round;
pub mod run;
pub mod solver;
pub mod waiting;
pub mod weight_advice;

use jiff::Timestamp;
use prost::Message as _;

use super::proto::v1;
use super::reader;
use crate::domain::version::etag_of;
use crate::domain::violation::Violations;
use crate::domain::vocabulary::Lang;
use crate::error::Error;
use crate::{message, wording};

/// The mask of a change of these fields.
pub fn field_mask(paths: &[&str]) -> prost_types::FieldMask {
    prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
}

/// A moment as a message.
pub fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.as_microsecond();
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000)).unwrap_or_default() * 1_000,
    }
}

/// A moment in whole microseconds; `None` outside the possible years.
pub fn moment(at: &prost_types::Timestamp) -> Option<Timestamp> {
    let micros = at.seconds.checked_mul(1_000_000)?.checked_add(i64::from(at.nanos / 1_000))?;
    Timestamp::from_microsecond(micros).ok()
}

/// A moment of an answer as text; empty without one.
pub fn time_shown(at: Option<&prost_types::Timestamp>) -> String {
    at.and_then(moment).map(|at| at.to_string()).unwrap_or_default()
}

/// The etag of a version.
pub fn etag(version: i64) -> String {
    etag_of(version)
}

/// A count as a message has it.
pub(crate) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A count as the domain has it.
pub(crate) fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// A score or share of points as the domain has it.
pub(crate) fn points(value: i32) -> u16 {
    u16::try_from(value).unwrap_or_default()
}

/// Bytes of violations in an answer, at most: a client takes 4 MiB by default.
const MOST_VIOLATION_BYTES: usize = 2 << 20;

/// What a change answers: its result, or its violations if the request is only checked. Otherwise violations are an error.
pub(crate) fn outcome<T>(
    validate_only: bool,
    done: Result<T, Error>,
) -> Result<(Option<T>, Vec<v1::FieldViolation>), Error> {
    match done {
        Err(Error::InvalidFields(wrong)) if validate_only => {
            Ok((None, violations(&wrong, reader::current(), MOST_VIOLATION_BYTES)))
        }
        done => Ok((Some(done?), Vec::new())),
    }
}

/// Violations as far as they fit into `room` bytes; the last message counts those that are not listed.
pub fn violations(violations: &Violations, lang: Lang, room: usize) -> Vec<v1::FieldViolation> {
    let (mut told, mut used) = (Vec::new(), 0);
    for violation in violations.listed() {
        let one = v1::FieldViolation {
            field: violation.field.clone(),
            value: violation.value.clone(),
            description: wording::message(&violation.description, lang),
            hint: wording::message(&violation.hint, lang),
        };
        used += one.encoded_len();
        if used > room {
            break;
        }
        told.push(one);
    }
    let listed = told.len() as u64;
    if violations.count() > listed {
        let description = wording::message(&violations.beyond(listed), lang);
        told.push(v1::FieldViolation { description, ..v1::FieldViolation::default() });
    }
    told
}

/// Parses the requested language; without one, the texts are in the language of the call.
pub(crate) fn lang(tag: &str) -> Result<Lang, Error> {
    if tag.is_empty() {
        return Ok(reader::current());
    }
    let expected = || {
        message!(
            "is not a language of this service; use one of: {tags}",
            tags = Lang::ALL.map(Lang::tag).join(", ")
        )
    };
    Lang::from_tag(tag).ok_or_else(|| Error::invalid_field("language_code", tag, expected()))
}
