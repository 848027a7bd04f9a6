//! Names of time zones, and the nearest name to a wrong one.

use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;

use crate::domain::spelling;

/// Longest name that is looked up; the longest IANA name has 32 characters.
const MAX_NAME_LENGTH: usize = 64;
/// Most typing errors for which a hint is still offered.
const MAX_TYPOS: usize = 3;

/// Names of the bundled IANA database in byte order, without its placeholder `Factory`.
static ZONES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let bundled = TimeZoneDatabase::bundled();
    let mut names: Vec<String> = bundled.available().map(|name| name.to_string()).collect();
    names.retain(|name| name != "Factory");
    names.sort_unstable();
    names
});

/// Whether `name` is a zone, in the database's own spelling.
pub(super) fn exists(name: &str) -> bool {
    name.len() <= MAX_NAME_LENGTH && ZONES.binary_search_by(|zone| zone.as_str().cmp(name)).is_ok()
}

/// The nearest zone to a wrong name: equal letters first, then equal city, then fewest typing errors.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > MAX_NAME_LENGTH {
        return None;
    }
    let wanted = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let same = |zone: &str| zone.to_ascii_lowercase().replace('-', "_") == wanted;
    let same_city = |zone: &str| zone.rsplit('/').next().is_some_and(same);
    let zones = || ZONES.iter().map(String::as_str);
    zones().find(|zone| same(zone)).or_else(|| zones().find(|zone| same_city(zone))).or_else(|| {
        let near = |zone: &&str| zone.contains('/') && zone.len().abs_diff(wanted.len()) <= MAX_TYPOS;
        let lower: Vec<String> = zones().filter(near).map(str::to_ascii_lowercase).collect();
        spelling::nearest(&wanted, lower.iter().map(String::as_str))
            .filter(|(typos, _)| *typos <= MAX_TYPOS)
            .and_then(|(_, meant)| zones().find(|zone| zone.eq_ignore_ascii_case(meant)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_known_by_their_own_spelling_only() {
        for zone in [
            "America/Lima",
            "America/Argentina/Buenos_Aires",
            "UTC",
            "Australia/Perth",
            "Africa/Johannesburg",
        ] {
            assert!(exists(zone), "{zone}");
        }
        for zone in ["", "america/lima", "Factory", "America/Lim", "Lima", "UTC+5"] {
            assert!(!exists(zone), "{zone}");
        }
    }

    #[test]
    fn a_wrong_name_leads_to_the_zone_that_was_meant() {
        for (wrong, meant) in [
            ("america/lima", "America/Lima"),
            ("Lima", "America/Lima"),
            ("America/Lmia", "America/Lima"),
            ("buenos aires", "America/Argentina/Buenos_Aires"),
            ("Africa/Johanesburg", "Africa/Johannesburg"),
        ] {
            assert_eq!(nearest(wrong), Some(meant), "{wrong}");
        }
        assert_eq!(nearest("no such place at all"), None);
        assert_eq!(nearest(""), None);
    }
}
