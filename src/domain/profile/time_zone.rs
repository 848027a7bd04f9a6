//! Time zones of people: names of places in the IANA database, and the zone to propose for any other text.
//!
//! A zone is the name of a place, such as `America/Lima`, or `UTC`. The fixed and legacy names of the database (`EST`,
//! `Etc/GMT+5`, `CET`) are refused: they have no clock changes or others than the place has, and the sign of `Etc/GMT-5` is
//! read the wrong way round. A proposal is a zone of the person's country, from `data/zones.csv`, and never a fixed name.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;

use crate::domain::folding::words;
use crate::domain::message::Message;
use crate::domain::spelling;
use crate::domain::vocabulary::Country;
use crate::message;

/// Longest name that is looked up; the longest IANA name has 32 characters, and spreadsheets write longer ones.
const MAX_NAME_LENGTH: usize = 64;
/// Most typing errors for which a proposal is still made.
const MAX_TYPOS: usize = 3;
/// Most zones in a proposal.
const MOST_PROPOSED: usize = 6;
/// A moment in each half of a year, in seconds: offsets of both, with and without summer time.
const HALVES: [i64; 2] = [1_800_000_000, 1_815_000_000];

struct Zones {
    /// Every name by its folded form.
    names: HashMap<String, String>,
    /// Zones of each country, the most populous first.
    of_country: HashMap<&'static str, Vec<&'static str>>,
    /// Zones that a name of an operating system or an abbreviation may mean, by its words.
    meant: HashMap<String, Vec<&'static str>>,
}

static ZONES: LazyLock<Zones> = LazyLock::new(|| {
    let database = TimeZoneDatabase::bundled();
    let names = database.available().map(|name| name.to_string());
    let lists = |text: &'static str| {
        let rows = text.lines().skip(1).filter_map(|line| line.split_once(';'));
        rows.map(|(name, zones)| (name, zones.split(' ').collect()))
    };
    Zones {
        names: names.map(|name| (folded(&name), name)).collect(),
        of_country: lists(include_str!("../../../data/zones.csv")).collect(),
        meant: lists(include_str!("../../../data/zone_names.csv"))
            .map(|(name, zones)| (words(name), zones))
            .collect(),
    }
});

/// The zone of a place that `text` names, in the database's own spelling; capitals and blanks do not count.
pub(super) fn named(text: &str) -> Option<&'static str> {
    if text.len() > MAX_NAME_LENGTH {
        return None;
    }
    ZONES.names.get(&folded(text)).map(String::as_str).filter(|name| is_place(name) || *name == "UTC")
}

/// Whether `text` is an offset, an abbreviation or another name that has no place.
pub(super) fn is_fixed(text: &str) -> bool {
    text.len() <= MAX_NAME_LENGTH
        && (offset(text).is_some()
            || ZONES.names.contains_key(&folded(text))
            || ZONES.meant.contains_key(&words(text)))
}

/// What to write instead of `text`, for a person in `country`.
pub(super) fn proposal(text: &str, country: Option<Country>) -> Message {
    let own = country.and_then(|country| ZONES.of_country.get(country.code())).map_or(&[][..], Vec::as_slice);
    let text = if text.len() > MAX_NAME_LENGTH { "" } else { text };
    let meant = meant(text);
    let near = || near(text, own).or_else(|| near(text, &all_places()));
    let at_home = meant.iter().copied().filter(|zone| own.contains(zone)).collect::<Vec<_>>();
    let (zones, is_list_of_country) = if !at_home.is_empty() {
        (at_home, false)
    } else if own.is_empty() && !meant.is_empty() {
        (meant, false)
    } else if let Some(zone) = (!is_fixed(text)).then(near).flatten() {
        (vec![zone], false)
    } else {
        (with_offset(own, offset(text)), true)
    };
    match (&zones[..], country.filter(|_| is_list_of_country)) {
        ([], _) => message!("write an IANA name such as America/Lima"),
        ([zone], None) => message!("did you mean {name}?", name = *zone),
        ([zone], Some(country)) => {
            message!("write {zone}, the time zone of {country}", zone = *zone, country = country)
        }
        (zones, country) => {
            let listed = zones[..zones.len().min(MOST_PROPOSED)].join(", ");
            let listed = match zones.len() {
                all if all > MOST_PROPOSED => {
                    message!("{zones} or another of its {all}", zones = listed, all = all)
                }
                _ => Message::verbatim(listed),
            };
            match country {
                Some(country) => {
                    message!(
                        "write one of the time zones of {country}: {zones}",
                        country = country,
                        zones = listed
                    )
                }
                None => message!("write one of {names}", names = listed),
            }
        }
    }
}

/// Whether a name of the database is that of a place.
fn is_place(name: &str) -> bool {
    name.contains('/') && !name.starts_with("Etc/")
}

fn all_places() -> Vec<&'static str> {
    ZONES.of_country.values().flatten().copied().collect()
}

/// The form by which names are compared.
fn folded(name: &str) -> String {
    let lower = name.trim().to_lowercase().replace([' ', '_', '\u{A0}'], "_");
    lower.replace("_/_", "/").replace("_/", "/").replace("/_", "/")
}

/// The city of a zone, as words.
fn city(zone: &str) -> String {
    words(zone.rsplit('/').next().unwrap_or_default())
}

/// The zones that a text names by an abbreviation, by a name of an operating system or by a city, as in
/// `(UTC-05:00) Bogota, Lima, Quito`.
fn meant(text: &str) -> Vec<&'static str> {
    if let Some(zones) = ZONES.meant.get(&words(text)) {
        return zones.clone();
    }
    let mut zones = Vec::new();
    for part in
        text.split([',', ';', '(', ')', '–', '—', '/', '|']).map(words).filter(|part| !part.is_empty())
    {
        zones.extend(ZONES.meant.get(&part).into_iter().flatten());
        zones.extend(ZONES.of_country.values().flatten().filter(|zone| city(zone) == part));
    }
    zones.sort_unstable();
    zones.dedup();
    zones
}

/// The zone among `zones` whose name or city is nearest to a misspelt one.
fn near(text: &str, zones: &[&'static str]) -> Option<&'static str> {
    let whole = folded(text);
    let last = words(text.rsplit('/').next().unwrap_or_default());
    let names: Vec<(String, String)> = zones.iter().map(|zone| (folded(zone), city(zone))).collect();
    let by_name = spelling::nearest(&whole, names.iter().map(|(name, _)| name.as_str()), MAX_TYPOS);
    let most = MAX_TYPOS.min(last.chars().count() / 3);
    let by_city = spelling::nearest(&last, names.iter().map(|(_, city)| city.as_str()), most);
    let found = match (by_name, by_city) {
        (Some((errors, name)), Some((fewer, city))) if fewer < errors => (name, city).1,
        (Some((_, name)), _) | (None, Some((_, name))) => name,
        (None, None) => return None,
    };
    let at = names.iter().position(|(name, city)| name == found || city == found)?;
    zones.get(at).copied()
}

/// The offset from UTC in minutes that a text states: a sign with digits, as in `GMT-5`, `UTC+05:30` and `-0300`. The sign of
/// `Etc/GMT+5` means the west.
fn offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let signed = |(at, c): (usize, char)| {
        let sign = match c {
            '+' => 1,
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => -1,
            _ => return None,
        };
        let rest = text[at + c.len_utf8()..].trim_start();
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
        let (hours, minutes) = match digits(rest) {
            n @ (1 | 2) => {
                let after = &rest[n..];
                let minutes = after.strip_prefix([':', '.', 'h']).filter(|after| digits(after) == 2);
                (rest[..n].parse::<i32>().ok()?, minutes.map_or(Some(0), |after| after[..2].parse().ok())?)
            }
            4 => (rest[..2].parse().ok()?, rest[2..4].parse().ok()?),
            _ => return None,
        };
        (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    };
    let minutes = text.char_indices().find_map(signed)?;
    Some(if folded(text).starts_with("etc/") { -minutes } else { minutes })
}

/// The zones with an offset at some time of the year; all if none has the offset, or if none is asked for.
fn with_offset(zones: &[&'static str], offset: Option<i32>) -> Vec<&'static str> {
    let has = |zone: &&'static str, minutes: i32| {
        let zone = TimeZoneDatabase::bundled().get(zone).ok();
        HALVES
            .into_iter()
            .filter_map(|second| Timestamp::from_second(second).ok())
            .any(|moment| zone.as_ref().is_some_and(|zone| zone.to_offset(moment).seconds() == minutes * 60))
    };
    let some: Vec<_> = offset
        .map_or_else(Vec::new, |offset| zones.iter().copied().filter(|zone| has(zone, offset)).collect());
    if some.is_empty() { zones.to_vec() } else { some }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_place_in_any_capitals() {
        for (text, zone) in [
            ("America/Lima", "America/Lima"),
            (" america/lima ", "America/Lima"),
            ("America / Sao Paulo", "America/Sao_Paulo"),
            ("America/Buenos_Aires", "America/Buenos_Aires"),
            ("US/Pacific", "US/Pacific"),
            ("UTC", "UTC"),
        ] {
            assert_eq!(named(text), Some(zone), "{text}");
        }
        let fixed =
            ["EST", "MST", "HST", "EST5EDT", "CET", "EET", "WET", "GMT", "Zulu", "Etc/GMT+5", "Etc/UTC"];
        for text in fixed {
            assert_eq!((named(text), is_fixed(text)), (None, true), "{text}");
        }
        for text in ["", "Factory", "America/Lim", "Lima", "localtime", "right/America/Lima"] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn every_zone_of_the_tables_is_a_place() {
        for zone in ZONES.of_country.values().chain(ZONES.meant.values()).flatten() {
            assert!(is_place(zone) && named(zone) == Some(*zone), "{zone}");
        }
        for country in ZONES.of_country.keys() {
            assert!(Country::from_code(country).is_some(), "{country}");
        }
    }

    fn for_country(text: &str, code: &str) -> String {
        proposal(text, Country::from_code(code)).to_string()
    }

    #[test]
    fn a_zone_of_her_country_is_proposed_and_never_a_fixed_one() {
        let peru = [
            "GMT-5",
            "UTC-5",
            "GMT+5",
            "-05:00",
            "−05:00",
            "EST",
            "Etc/GMT+5",
            "Etc/GMT-5",
            "UTC-05:00",
            "GMT",
            "CET",
            "SA Pacific Standard Time",
            "(GMT-05:00) Lima",
            "EST – Eastern Standard Time – GMT-5:00",
            "localtime",
            "America/Lmia",
            "Lima",
            "Lima, Perú",
            "Limaa",
            "posixrules",
            "right/America/Lima",
            "PET",
            "nowhere at all",
        ];
        for text in peru {
            let hint = for_country(text, "PE");
            assert!(hint.contains("America/Lima") && !hint.contains("Etc/"), "{text}: {hint}");
        }
        for (text, country, zone) in [
            ("Eastern Standard Time", "US", "did you mean America/New_York?"),
            ("PST", "US", "did you mean America/Los_Angeles?"),
            ("E. South America Standard Time", "BR", "did you mean America/Sao_Paulo?"),
            ("HST", "US", "did you mean Pacific/Honolulu?"),
            ("buenos aires", "AR", "did you mean America/Argentina/Buenos_Aires?"),
            ("GMT+2", "DE", "write one of the time zones of Germany: Europe/Berlin"),
            ("UTC+8", "AU", "write Australia/Perth"),
            ("Africa/Johanesburg", "ZA", "did you mean Africa/Johannesburg?"),
            ("America/Bogotta", "PE", "did you mean America/Bogota?"),
        ] {
            let hint = for_country(text, country);
            assert!(hint.starts_with(zone), "{text}: {hint}");
        }
        assert!(for_country("GMT-5", "US").contains("America/New_York"));
        assert!(for_country("", "US").contains("another of its"));
        assert!(proposal("Lima", None).to_string().contains("America/Lima"));
        assert!(proposal("GMT-5", None).to_string().contains("IANA name"));
    }
}
