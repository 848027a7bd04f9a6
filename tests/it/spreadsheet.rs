//! Spreadsheets as people fill them in, read and matched without a service: files of `tests/it/spreadsheet/`.

use jiff::Timestamp;
use wim_match::domain::name::ProfileRef;
use wim_match::domain::policy::Policy;
use wim_match::domain::profile::Profile;
use wim_match::domain::snapshot::{Participant, Snapshot};
use wim_match::engine::observer::Unobserved;
use wim_match::engine::{self, Options, Outcome};
use wim_match::profile_csv::ProfileReader;

fn now() -> Timestamp {
    "2027-01-20T12:00:00Z".parse().expect("a moment")
}

/// The people of a file, all of whose rows are good.
fn people(text: &str) -> Vec<Participant> {
    let organisation = "wim-test".parse().expect("an id");
    let rows = ProfileReader::new(text.as_bytes(), &organisation).expect("a good header");
    let participant = |row: Result<wim_match::profile_csv::Row, _>| {
        let draft = row.expect("a good row").draft;
        let profile = ProfileRef::from_name(&draft.name).expect("a name");
        let content = Profile::parse(&profile, &draft, now()).expect("a good profile");
        Participant { profile, version: 1, content }
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
