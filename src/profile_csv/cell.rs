//! The forms of cells: each form with its reader and its writer.

use std::borrow::Cow;

use crate::domain::everyday::{Everyday, means};
use crate::domain::folding::{plain, words};
use crate::domain::language::{self, LanguageLevel};
use crate::domain::message::Message;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::vocabulary::{Country, Kind};
use crate::message;

/// Words for the level of a native speaker.
const NATIVE: &[&str] = &[
    "native speaker",
    "native",
    "mother tongue",
    "first language",
    "langue maternelle",
    "maternelle",
    "natif",
    "lengua materna",
    "idioma materno",
    "lingua materna",
    "materna",
    "materno",
    "nativo",
    "nativa",
];
/// Words for ways of meeting, with the numbers of the API.
const MODES: &[(&str, &[i32])] = &[
    ("virtual", &[1]),
    ("virtually", &[1]),
    ("online", &[1]),
    ("on line", &[1]),
    ("remote", &[1]),
    ("remotely", &[1]),
    ("call", &[1]),
    ("video", &[1]),
    ("video call", &[1]),
    ("videocall", &[1]),
    ("phone", &[1]),
    ("telephone", &[1]),
    ("virtuel", &[1]),
    ("en ligne", &[1]),
    ("a distance", &[1]),
    ("distance", &[1]),
    ("visio", &[1]),
    ("visioconference", &[1]),
    ("en linea", &[1]),
    ("a distancia", &[1]),
    ("remoto", &[1]),
    ("videollamada", &[1]),
    ("telefono", &[1]),
    ("telefone", &[1]),
    ("videochamada", &[1]),
    ("in person", &[2]),
    ("inperson", &[2]),
    ("face to face", &[2]),
    ("f2f", &[2]),
    ("on site", &[2]),
    ("onsite", &[2]),
    ("en personne", &[2]),
    ("en presentiel", &[2]),
    ("presentiel", &[2]),
    ("en persona", &[2]),
    ("presencial", &[2]),
    ("presencialmente", &[2]),
    ("cara a cara", &[2]),
    ("em pessoa", &[2]),
    ("pessoalmente", &[2]),
    ("both", &[1, 2]),
    ("les deux", &[1, 2]),
    ("ambos", &[1, 2]),
    ("ambas", &[1, 2]),
    ("los dos", &[1, 2]),
    ("os dois", &[1, 2]),
];
/// Words for small numbers.
const NUMBERS: [&[&str]; 3] = [
    &["one", "un", "une", "uno", "una", "um", "uma"],
    &["two", "deux", "dos", "dois", "duas"],
    &["three", "trois", "tres"],
];
/// What has no answer in a column of numbers, where `none` could be 0.
const NO_NUMBER: &[&str] = &["", "n a", "na", "n d", "nd", "s d", "s o"];

/// Why a text could not be read, with what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misread {
    pub(crate) what: Message,
    pub(crate) hint: Message,
}

impl Misread {
    pub(crate) fn new(what: &'static str, hint: &'static str) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }

    pub(super) fn with_hint(what: &'static str, hint: Message) -> Self {
        Self { what: what.into(), hint }
    }
}

/// Items of a list.
pub(super) fn items(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(['|', ';', ',', '\n', '\r']).map(str::trim).filter(|item| !item.is_empty())
}

/// Items of a list whose items may contain commas.
pub(super) fn long_items(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(['|', ';', '\n', '\r']).map(str::trim).filter(|item| !item.is_empty())
}

/// Items of a list, which may also be joined by a slash or by the words for "and" and "or".
pub(super) fn joined_items(cell: &str) -> impl Iterator<Item = &str> {
    let parts = cell.split(['|', ';', ',', '/', '&', '+', '\n', '\r']);
    let words = [" and ", " or ", " et ", " ou ", " y ", " o ", " e "];
    let parts = parts.flat_map(move |part| {
        let joint = words.iter().find_map(|word| part.split_once(word));
        joint.map_or([part, ""], |(one, other)| [one, other])
    });
    parts.map(str::trim).filter(|item| !item.is_empty())
}

/// A cell without blanks around it: white space of any kind, and the marks without width that documents leave behind.
pub(crate) fn bare(cell: &str) -> &str {
    let without_width = |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}');
    cell.trim_matches(|c: char| c.is_whitespace() || without_width(c))
}

/// Whether a cell says that there is no answer. In a column of numbers `none` may be 0, so it does not.
pub(crate) fn is_no_answer(cell: &str, is_number: bool) -> bool {
    if is_number {
        return !cell.is_empty() && cell.len() < 8 && NO_NUMBER.contains(&words(cell).as_str());
    }
    means(cell, Everyday::NoAnswer)
}

/// Whether a cell says yes or no.
pub(super) fn is_yes_or_no(cell: &str) -> bool {
    means(cell, Everyday::Yes) || means(cell, Everyday::No)
}

/// A code of a vocabulary: the text itself if it is one, or the one code with that label in any language. Any other text stays
/// as it is, so that the profile reports it.
pub(super) fn read_code<K: Kind>(item: &str) -> String {
    let vocabulary = K::vocabulary();
    if vocabulary.position(item).is_some() {
        return item.to_owned();
    }
    match vocabulary.named(item)[..] {
        [code] => code.to_owned(),
        _ => item.to_owned(),
    }
}

/// A country by its code, or by its label or usual name in any language. Any other text stays as it is.
pub(super) fn read_country(text: &str) -> String {
    if Country::from_code(text).is_some() {
        return text.to_owned();
    }
    match Country::named(text)[..] {
        [country] => country.code().to_owned(),
        _ => text.to_owned(),
    }
}

/// A language by its tag, or by its label in any language. Any other text stays as it is.
pub(super) fn read_tag(text: &str) -> String {
    let is_code = |text: &str| (2..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic());
    if is_code(text) || language::normalise(text).is_some() {
        return text.to_owned();
    }
    let tag = text.replace('_', "-");
    match language::named(text)[..] {
        [code] => code.to_owned(),
        _ if language::normalise(&tag).is_some() => tag,
        _ => text.to_owned(),
    }
}

/// A list of items as one cell.
pub(super) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut cell = String::new();
    for item in items {
        if !cell.is_empty() {
            cell.push_str(" | ");
        }
        cell.push_str(item.as_ref());
    }
    cell
}

/// Whether a text that begins with `first` needs the apostrophe: a spreadsheet would run it, or the reader would remove its
/// own apostrophe.
fn must_be_guarded(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\'')
}

/// Puts an apostrophe before a text that a spreadsheet would run as a formula.
pub(crate) fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(must_be_guarded) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Removes the apostrophe that [`guarded`] adds.
pub(crate) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(must_be_guarded)).unwrap_or(text)
}

/// Reads a whole number; spreadsheets write 2 as `2.0` or `2,0`.
pub(crate) fn number(text: &str) -> Result<i32, Misread> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let plain = plain(text);
    let is_zeros = |zeros: &str| zeros.bytes().all(|zero| zero == b'0');
    let whole = plain.split_once(['.', ',']).filter(|(_, zeros)| is_zeros(zeros)).map(|(whole, _)| whole);
    let whole = whole.unwrap_or(&plain);
    let worded = (1..).zip(NUMBERS).find(|(_, words)| words.contains(&whole)).map(|(number, _)| number);
    worded
        .or_else(|| whole.parse().ok())
        .ok_or_else(|| Misread::new("is not a whole number", "use digits only, for example 2; 0 for none"))
}

/// Reads one item of `languages`: a tag or a name, and a level on either side.
pub(super) fn read_language(item: &str) -> Result<(String, i32), Misread> {
    const HINT: &str = "write for example `en C1`; levels are A1, A2, B1, B2, C1, C2 and native";
    if let Some((tag, level)) = item.split_once(' ').and_then(|(tag, word)| Some((tag, level(word.trim())?)))
    {
        return Ok((read_tag(tag), level as i32));
    }
    let text = item.replace(['(', ')', ':', '=', '.', '\u{A0}', '–', '—', '+', '"'], " ").replace(" - ", " ");
    let text = text.trim();
    let Some((name, level)) = name_and_level(text) else {
        let is_one_word = !text.contains(char::is_whitespace);
        let what = if is_one_word { "has no level" } else { "ends in something that is not a level" };
        return Err(Misread::new(what, HINT));
    };
    match (name.trim(), &language::named(&name)[..]) {
        ("", _) => Err(Misread::new("has no language", HINT)),
        (_, several @ [_, _, ..]) => Err(Misread::with_hint(
            "is the name of several languages",
            message!("write one of {tags} with the level", tags = several.join(", ")),
        )),
        (name, _) => Ok((read_tag(name), level as i32)),
    }
}

fn name_and_level(text: &str) -> Option<(String, LanguageLevel)> {
    let lower = plain(text);
    let is_at_an_end = |phrase: &&&str| lower.starts_with(**phrase) || lower.ends_with(**phrase);
    if let Some(phrase) = NATIVE.iter().find(is_at_an_end) {
        return Some((lower.replacen(phrase, "", 1), LanguageLevel::Native));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let ((last, before), (first, after)) = (words.split_last()?, words.split_first()?);
    match level(last) {
        Some(level) => Some((before.join(" "), level)),
        None => Some((after.join(" "), level(first)?)),
    }
}

fn level(word: &str) -> Option<LanguageLevel> {
    LanguageLevel::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(word))
}

/// One language as an item.
pub(super) fn write_language((tag, level): &(String, i32)) -> String {
    let level = LanguageLevel::from_number(*level).map_or("?", LanguageLevel::as_str);
    format!("{tag} {level}")
}

/// Reads one item of `meeting_modes`, which may mean several ways.
pub(super) fn read_meeting_modes(item: &str) -> Result<&'static [i32], Misread> {
    let wanted = words(item);
    let found = MODES.iter().find(|(name, _)| *name == wanted).map(|(_, modes)| *modes);
    found.ok_or_else(|| Misread::new("is not a way of meeting", "use virtual or in_person"))
}

/// One way of meeting as an item.
pub(super) fn write_meeting_mode(mode: i32) -> &'static str {
    match mode {
        1 => "virtual",
        2 => "in_person",
        _ => "?",
    }
}

/// A person by the name that the API uses. A text that is not a person stays as it is, so that the error shows what was
/// written.
pub(super) fn read_person(item: &str, organisation: &OrganisationId) -> String {
    let (organisation, id) = match item.split_once('/') {
        None => (Some(organisation.clone()), item),
        Some((other, id)) => (other.parse().ok(), id),
    };
    match (organisation, id.parse::<OwnId>()) {
        (Some(organisation), Ok(id)) => ProfileRef { organisation, id }.name(),
        _ => item.to_owned(),
    }
}

/// A person as an item in a file of `organisation`.
pub(super) fn write_person(name: &str, organisation: Option<&OrganisationId>) -> String {
    match ProfileRef::from_name(name) {
        // An id such as `-` or `none` would be read as no answer.
        Ok(person)
            if Some(&person.organisation) == organisation && !is_no_answer(person.id.as_str(), false) =>
        {
            person.id.to_string()
        }
        Ok(person) => person.short(),
        Err(_) => name.to_owned(),
    }
}
