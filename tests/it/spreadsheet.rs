//! Spreadsheets as people fill them in, read and matched without a service: files of `tests/it/spreadsheet/`.

use jiff::Timestamp;
use wim_match::domain::name::ProfileRef;
use wim_match::domain::policy::Policy;
use wim_match::domain::profile::Profile;
use wim_match::domain::snapshot::{Participant, Snapshot};
use wim_match::engine::observer::Unobserved;
use wim_match::engine::{self, Options, Outcome};
use wim_match::profile_csv::{ProfileReader, RowError};

fn now() -> Timestamp {
    "2027-01-20T12:00:00Z".parse().expect("a moment")
}

/// The people of a file, all of whose rows are good.
fn people(text: &str) -> Vec<Participant> {
    let organisation = "wim-test".parse().expect("an id");
    let rows = ProfileReader::new(text.as_bytes(), &organisation).expect("a good header");
    let participant = |row: Result<wim_match::profile_csv::Row, RowError>| {
        let draft = row.expect("a good row").draft;
        let profile = ProfileRef::from_name(&draft.name).expect("a name");
        let content = Profile::parse(&profile, &draft, now()).expect("a good profile");
        Participant { profile, version: 1, content, waiting: None }
    };
    rows.map(participant).collect()
}

/// The matches of a round of these people, as `mentee with mentor`.
fn matched(participants: Vec<Participant>) -> (Outcome, Vec<String>) {
    let snapshot = Snapshot {
        start_date: "2027-02-15".parse().expect("a date"),
        end_date: "2027-11-30".parse().expect("a date"),
        freeze_time: now(),
        policy: Policy::default(),
        organisations: Vec::new(),
        participants,
        decisions: Vec::new(),
        follows: None,
    };
    let outcome = engine::solve(&snapshot, &Options::default(), &Unobserved).expect("not stopped");
    let mut pairs: Vec<String> =
        outcome.matches.iter().map(|pair| format!("{} with {}", pair.mentee.id, pair.mentor.id)).collect();
    pairs.sort();
    (outcome, pairs)
}

#[test]
fn a_person_who_wants_no_mentor_is_no_mentee_and_takes_no_place() {
    let (outcome, pairs) = matched(people(include_str!("spreadsheet/no_mentor_wanted.csv")));
    assert_eq!(pairs, ["quinn with boss"]);
    assert_eq!((outcome.summary.mentees, outcome.summary.mentors), (1, 1));
}

#[test]
fn people_without_an_employer_are_no_colleagues_and_one_employer_has_many_spellings() {
    let (_, pairs) = matched(people(include_str!("spreadsheet/employers.csv")));
    let mentees: Vec<&str> = pairs.iter().filter_map(|pair| pair.split(' ').next()).collect();
    assert_eq!(mentees, ["mentee1", "mentee2"], "mentee3 and mentor3 have one employer");
    let spellings =
        ["BHP  Chile", "bhp chile.", "ＢＨＰ Chile", "Rio\u{2011}Tinto", "rio-tinto", "Peña", "Pen\u{303}a"];
    let key = |text: &str| wim_match::domain::folding::key(text);
    let keys: std::collections::BTreeSet<String> = spellings.map(key).into();
    assert_eq!(keys.len(), 3, "{keys:?}");
}

#[test]
fn an_offset_is_answered_with_the_zone_of_the_country() {
    let organisation = "wim-test".parse().expect("an id");
    let text = include_str!("spreadsheet/offset.csv");
    let rows = ProfileReader::new(text.as_bytes(), &organisation).expect("a good header");
    let draft = rows.last().expect("two rows").expect("a readable row").draft;
    let profile = ProfileRef::from_name(&draft.name).expect("a name");
    let refused = Profile::parse(&profile, &draft, now()).expect_err("GMT-5 is no place");
    let [violation] = refused.listed() else { panic!("{refused:?}") };
    assert_eq!((violation.field.as_str(), violation.value.as_str()), ("time_zone", "GMT-5"));
    assert!(
        violation.hint.to_string().contains("America/Lima") && !violation.hint.to_string().contains("Etc/"),
        "{}",
        violation.hint
    );
}

/// Each cell of `spreadsheet/cells.csv` that is refused, with the place and a part of what the reader is told to do.
const REFUSED: &[(&str, &str, &str)] = &[
    ("Mon‑18:00", "weekly_hours", "Mon 18:00-20:00"),
    ("flexible", "weekly_hours", "Mon 18:00-20:00"),
    ("EST", "time_zone", "America/Lima"),
    ("EST5EDT", "time_zone", "America/Lima"),
    ("CET", "time_zone", "America/Lima"),
    ("PST", "time_zone", "America/Lima"),
    ("PST8PDT", "time_zone", "America/Lima"),
    ("GMT-5", "time_zone", "America/Lima"),
    ("UTC-05:00", "time_zone", "America/Lima"),
    ("GMT", "time_zone", "America/Lima"),
    ("Etc/GMT+5", "time_zone", "America/Lima"),
    ("Eastern Standard Time", "time_zone", "America/Lima"),
    ("(GMT-05:00) Lima", "time_zone", "America/Lima"),
    ("EST – Eastern Standard Time – GMT-5:00", "time_zone", "America/Lima"),
    ("Lima", "time_zone", "America/Lima"),
    ("-05:00", "time_zone", "America/Lima"),
    ("localtime", "time_zone", "America/Lima"),
    ("posixrules", "time_zone", "America/Lima"),
    ("Factory", "time_zone", "America/Lima"),
    ("right/America/Lima", "time_zone", "America/Lima"),
    ("es", "languages", "en C1"),
    ("es native | es C1", "languages[1].tag", "higher level"),
    ("XK", "country", "two capital letters"),
    ("", "country", "two capital letters"),
    ("02/10/2026", "consent_matching_time", "2026-10-02 or 2026-02-10"),
    ("45932", "consent_matching_time", "2025-10-02"),
    ("2026-10-02T14:05", "consent_matching_time", "offset"),
    ("2027-13-40", "consent_matching_time", "2026-10-02"),
    ("2099-01-01", "consents[0].give_time", "time of the event"),
    ("3", "mentee_request.mentors_wanted", "number of mentors"),
    ("-1", "mentee_request.mentors_wanted", "number of mentors"),
    ("٢", "mentors_wanted", "digits only"),
    ("Up to Three", "max_mentees", "digits only"),
    ("21", "mentor_offer.max_mentees", "most mentees"),
    ("2026-05", "waiting_since", "YYYY-MM-DD"),
    ("01/05/2026", "waiting_since", "2026-05-01 or 2026-01-05"),
    ("2030-01-01", "mentee_request.waiting_since", "new mentee"),
    ("2026-02-30", "waiting_since", "YYYY-MM-DD"),
    ("senior", "career_stage", "senior_manager"),
    ("career_planing", "mentee_request.topics[0]", "career_planning"),
    ("maria.garcia@example.org", "preferred[0]", "ID alone"),
    ("María García", "preferred[0]", "ID alone"),
    ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "employer", "shorten"),
];

/// Cells of `spreadsheet/cells.csv` that are read with a warning.
const WARNED: &[(&str, &str)] = &[
    ("Mon 18:15-19:45", "HOURS_CUT"),
    ("N/A", "NO_ANSWER"),
    ("-", "NO_ANSWER"),
    ("UTC", "FIXED_ZONE"),
    ("nobody", "NO_ANSWER"),
    ("none", "NO_ANSWER"),
    ("self-employed", "NO_ANSWER"),
    ("Self-employed", "NO_ANSWER"),
    ("—", "NO_ANSWER"),
];

#[test]
#[expect(clippy::needless_late_init, reason = "the arms set two values")]
fn every_cell_that_people_write_is_read_or_refused_with_what_to_write() {
    let organisation = "wim-test".parse().expect("an id");
    let text = include_str!("spreadsheet/cells.csv");
    let key = include_str!("spreadsheet/cells.key")
        .lines()
        .map(|line| line.splitn(3, '\t').nth(2).expect("a cell"));
    let rows = ProfileReader::new(text.as_bytes(), &organisation).expect("a good header");
    let (mut refused, mut warned, mut wrong) = (0, 0, Vec::new());
    for (cell, row) in key.zip(rows) {
        let problems: Vec<(String, String)>;
        let mut codes: Vec<&str> = Vec::new();
        match row {
            Err(RowError::Bad(bad)) => {
                problems = bad.problems.iter().map(|p| (p.column.to_owned(), p.hint.to_string())).collect();
            }
            Err(error) => panic!("{error}"),
            Ok(row) => {
                let profile = ProfileRef::from_name(&row.draft.name).expect("a name");
                codes.extend(row.warnings.iter().map(|warning| warning.code.as_str()));
                problems = match Profile::parse_with_warnings(&profile, &row.draft, now(), 100) {
                    Ok((_, warnings)) => {
                        codes.extend(warnings.iter().map(|warning| warning.code.as_str()));
                        Vec::new()
                    }
                    Err(violations) => {
                        violations.listed().iter().map(|v| (v.field.clone(), v.hint.to_string())).collect()
                    }
                };
            }
        }
        let expected = REFUSED
            .iter()
            .find(|(refused, place, _)| *refused == cell && problems.iter().all(|(found, _)| found == place));
        let warning: Vec<&str> =
            WARNED.iter().filter(|(warned, _)| *warned == cell).map(|(_, code)| *code).collect();
        match (&problems[..], expected) {
            ([], None | Some(_)) if codes == warning => warned += usize::from(!codes.is_empty()),
            ([(_, hint)], Some((_, _, part))) if hint.contains(part) => refused += 1,
            _ => wrong.push(format!("{cell}: {problems:?} {codes:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        (refused, warned),
        (REFUSED.len(), WARNED.len() + 1),
        "of 143 cells; N/A stands in two columns"
    );
}
