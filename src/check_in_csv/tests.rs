use proptest::prelude::*;

use super::*;
use crate::domain::mentorship::check_in::{Answers, CheckInDraft, Instrument, Point};
use crate::domain::name::OrganisationId;
use crate::domain::run::Side;
use crate::profile_csv::OpenError;

fn peru() -> OrganisationId {
    "wim-peru".parse().expect("an id")
}

fn read(file: &str) -> Vec<ReadCheckIn> {
    let reader = CheckInReader::new(file.as_bytes(), &peru()).expect("a header");
    reader.map(|row| row.expect("reads")).collect()
}

/// The columns of the problems of a row.
fn wrong(row: &ReadCheckIn) -> Vec<&'static str> {
    row.problems.iter().map(|problem| problem.column).collect()
}

fn drafts() -> impl Strategy<Value = CheckInDraft> {
    let number = |most: i32| prop::option::of(0..=most);
    let numbers = (number(1_000), number(100_000), number(5), number(10), number(9), number(9), number(9));
    let flags = prop::array::uniform3(prop::option::of(any::<bool>()));
    let version = "[=+@'A-Z0-9][ A-Za-z0-9.,;\"=-]{0,12}9";
    let measured = prop::option::of((0..Instrument::ALL.len(), version, 100..=700));
    (0..2_usize, 0..Point::ALL.len(), 1..=28, numbers, flags, measured).prop_map(
        |(side, point, day, numbers, [promoted, changed_role, in_sector], measured)| CheckInDraft {
            side: Some([Side::Mentor, Side::Mentee][side]),
            point: Some(Point::ALL[point]),
            date: format!("2027-02-{day:02}"),
            answers: Answers {
                meetings: numbers.0,
                minutes: numbers.1,
                satisfaction: numbers.2,
                recommend: numbers.3,
                goals_achieved: numbers.4,
                goals_partly: numbers.5,
                goals_missed: numbers.6,
                promoted,
                changed_role,
                in_sector,
            },
            measurement: measured.map(|(at, version, score)| (Some(Instrument::ALL[at]), version, score)),
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_and_no_cell_is_a_formula(drafts in prop::collection::vec(drafts(), 0..8)) {
        let mut writer = CheckInWriter::new(Vec::new()).expect("writes");
        let mentorship = format!("rounds/r/mentorships/{}", "0a".repeat(16));
        for draft in &drafts {
            writer.write(Line { mentorship: &mentorship, own_id: "-1", draft }).expect("writes");
        }
        let file = String::from_utf8(writer.finish().expect("writes")).expect("is text");
        let mut cells = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_bytes());
        for record in cells.records() {
            for cell in &record.expect("reads") {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
            }
        }
        let found = read(&file);
        prop_assert_eq!(found.len(), drafts.len());
        for (row, draft) in found.into_iter().zip(drafts) {
            prop_assert_eq!(&row.problems, &[]);
            prop_assert_eq!(&row.mentorship, &mentorship);
            prop_assert_eq!(row.profile, "organisations/wim-peru/profiles/-1");
            prop_assert_eq!(row.draft, draft);
        }
    }
}

#[test]
fn cells_are_read_as_people_write_them() {
    let file = "Mentoría;identificador;etapa;fecha;satisfacción;ascendida;instrumento;puntaje del instrumento\n\
        r/0a;PE-1;semana 6;15/03/2027;4,0;sí;MFQ-9;4,5\n\
        r/0a;PE-1;mitad;2027-05-02;n/a;no;;\n";
    let rows = read(file);
    let [first, second] = &rows[..] else { panic!("two rows: {rows:?}") };
    assert_eq!((wrong(first), wrong(second)), (vec![], vec![]));
    assert_eq!(first.mentorship, "rounds/r/mentorships/0a");
    let CheckInDraft { side, point, date, answers, measurement } = &first.draft;
    assert_eq!((side, point, date.as_str()), (&None, &Some(Point::Week6), "2027-03-15"));
    assert_eq!((answers.satisfaction, answers.promoted), (Some(4), Some(true)));
    assert_eq!(measurement, &Some((Some(Instrument::Mfq9), String::new(), 450)));
    // What was not answered is not 0.
    let answers = &second.draft.answers;
    assert_eq!((answers.satisfaction, answers.promoted, answers.meetings), (None, Some(false), None));
}

#[test]
fn every_mistake_of_a_row_is_told_with_its_column() {
    let file = "mentorship,side,point,date,meetings,promoted,instrument,instrument_score\n\
        example-round/0a,both,never,31/31/2027,many,perhaps,poem,4.255\n\
        r/0a,mentor,end,2027-07-31,5,yes,mecs,\n\
        r/0a,mentor,end,2027-07-31,5,yes,,,rest\n";
    let rows = read(file);
    let every =
        ["mentorship", "side", "point", "date", "meetings", "promoted", "instrument", "instrument_score"];
    assert_eq!(wrong(&rows[0]), every);
    assert_eq!(rows[0].line, 2);
    assert_eq!(wrong(&rows[1]), ["instrument_score"]);
    assert_eq!((wrong(&rows[2]), rows[2].problems[0].value.as_str()), (vec![""], "rest"));
}

#[test]
fn a_wrong_header_is_told_at_once() {
    let refused = |file: &str| match CheckInReader::new(file.as_bytes(), &peru()) {
        Err(OpenError::Header(problems)) => problems.iter().map(|problem| problem.column).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("point,date,satisfactoin\n"), ["", "mentorship", "side"]);
    assert_eq!(refused("mentorship,point,date,side,side\n"), ["side"]);
    assert_eq!(refused(""), [""]);
}

#[test]
fn a_field_of_the_service_has_its_column() {
    assert_eq!(column_of("check_in.answers.satisfaction"), "satisfaction");
    assert_eq!(column_of("check_in.measurement.score_hundredths"), "instrument_score");
    assert_eq!(column_of("profile"), "profile_id");
    assert_eq!(column_of("check_in.answers"), "");
    for column in Column::ALL {
        assert!(describe_columns().contains(column.about()));
    }
    let mut template = Vec::new();
    write_template(&mut template).expect("writes");
    let template = String::from_utf8(template).expect("is text");
    assert_eq!(wrong(&read(&template)[0]), ["mentorship"], "the template is not imported unedited");
}
