//! The forms of cells that check-ins have of their own.

use crate::domain::everyday::{Everyday, means};
use crate::domain::folding::{plain, words};
use crate::domain::mentorship::check_in::{Instrument, Point};
use crate::domain::run::Side;
use crate::profile_csv::cell::Misread;

/// Words for the sides, without accents.
const SIDES: [(Side, &[&str]); 2] = [
    (Side::Mentor, &["mentor", "mentora", "personne mentore", "persona mentora", "pessoa mentora"]),
    (Side::Mentee, &["mentee", "mentorada", "personne mentoree", "mentoree"]),
];
/// Words for the points of the schedule beside their codes, without accents.
const POINTS: [(Point, &[&str]); 6] = [
    (Point::Week6, &["six weeks", "6 weeks", "semaine 6", "6 semaines", "semana 6", "6 semanas"]),
    (Point::Middle, &["mid", "midway", "milieu", "mi parcours", "mitad", "medio", "meio", "metade"]),
    (Point::End, &["final", "fin", "fim"]),
    (Point::Month12, &["12 months", "mois 12", "12 mois", "mes 12", "12 meses"]),
    (Point::Month24, &["24 months", "mois 24", "24 mois", "mes 24", "24 meses"]),
    (Point::Month36, &["36 months", "mois 36", "36 mois", "mes 36", "36 meses"]),
];

/// Reads a side.
pub(super) fn read_side(text: &str) -> Result<Side, Misread> {
    let wanted = words(text);
    let found = SIDES.iter().find(|(_, names)| names.contains(&wanted.as_str())).map(|(side, _)| *side);
    found.ok_or_else(|| Misread::new("is not a side", "write mentor or mentee"))
}

/// One side as a cell.
pub(super) fn write_side(side: Side) -> &'static str {
    if side == Side::Mentor { "mentor" } else { "mentee" }
}

/// Reads a point of the schedule.
pub(super) fn read_point(text: &str) -> Result<Point, Misread> {
    let wanted = words(text);
    let coded = Point::ALL.iter().copied().find(|point| words(point.as_str()) == wanted);
    let worded =
        || POINTS.iter().find(|(_, names)| names.contains(&wanted.as_str())).map(|(point, _)| *point);
    coded.or_else(worded).ok_or_else(|| {
        let hint = "write week_6, middle, end, month_12, month_24 or month_36";
        Misread::new("is not a point of the schedule", hint)
    })
}

/// Reads yes or no.
pub(super) fn read_flag(text: &str) -> Result<bool, Misread> {
    if text == "1" || means(text, Everyday::Yes) {
        return Ok(true);
    }
    if means(text, Everyday::No) {
        return Ok(false);
    }
    Err(Misread::new(
        "is neither yes nor no",
        "write yes or no; leave the cell empty if she has not answered",
    ))
}

/// One flag as a cell.
pub(super) fn write_flag(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// Reads an instrument.
pub(super) fn read_instrument(text: &str) -> Result<Instrument, Misread> {
    let without_spaces = |text: &str| words(text).replace(' ', "");
    let wanted = without_spaces(text);
    let found = Instrument::ALL.iter().copied().find(|one| without_spaces(one.as_str()) == wanted);
    found.ok_or_else(|| {
        Misread::new(
            "is not an instrument that the service knows",
            "write mfq_9, memeq, mecs or working_alliance",
        )
    })
}

/// Reads a mean with at most two decimals, after a point or a comma, into hundredths.
pub(super) fn read_score(text: &str) -> Result<i32, Misread> {
    let misread =
        || Misread::new("is not a mean of items", "write for example 4.25, with at most two decimals");
    let text = plain(text);
    let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((&text, ""));
    let is_number = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || !is_number(whole) || !is_number(decimals) {
        return Err(misread());
    }
    let (hundredths, rest) = decimals.split_at(decimals.len().min(2));
    if rest.bytes().any(|digit| digit != b'0') {
        return Err(misread());
    }
    format!("{whole}{hundredths:0<2}").parse().map_err(|_| misread())
}

/// Hundredths as a mean.
pub(super) fn write_score(hundredths: i32) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
