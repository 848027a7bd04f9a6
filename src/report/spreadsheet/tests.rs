use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};

use super::*;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::run::{BelowMinimum, MOST_BELOW_MINIMUM};
use crate::report::sample::Round;

fn records(bytes: &[u8], separator: u8) -> Vec<Vec<String>> {
    let text =
        std::str::from_utf8(bytes).expect("UTF-8").strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
    std::iter::once(header).chain(rows).collect()
}

#[test]
fn a_csv_file_is_what_the_spreadsheets_of_the_language_open() {
    let round = Round::realistic();
    for (lang, separator, score) in [
        (Lang::En, b',', "%"),
        (Lang::Fr, b';', "\u{202f}%"),
        (Lang::Es, b';', "\u{a0}%"),
        (Lang::Pt, b';', "%"),
    ] {
        let report = RoundReport { lang, ..round.report() };
        let sheets = Sheets::of(&report);
        let bytes = sheets.matches.csv(lang).expect("is written");
        assert!(bytes.ends_with(b"\r\n"));
        let rows = records(&bytes, separator);
        assert_eq!(rows.len(), round.matches.len() + 1);
        for row in &rows[1..] {
            let one = round.matches.iter().find(|one| one.mentee.id.as_str() == row[0]).expect("a mentee");
            assert_eq!(row[4], wording::score(u32::from(one.score), lang));
            assert!(row[4].ends_with(score), "{row:?}");
            assert!(!row[5].is_empty() && !row[7].is_empty(), "{row:?}");
            assert_eq!(row[1], round.names[&one.mentee.organisation]);
        }
        let people = records(&sheets.unmatched.csv(lang).expect("is written"), separator);
        assert_eq!(people.len(), round.unmatched.len() + 1);
        assert!(
            people[1..].iter().all(|row| !row[3].is_empty() && !row[4].is_empty()),
            "a reason and a way out"
        );
    }
}

#[test]
fn a_workbook_has_percentages_texts_and_a_second_sheet() {
    let mut round = Round::realistic();
    let mentor = round.matches[0].mentor.clone();
    round.summary.mentors_below_minimum = 1;
    round.summary.below_minimum = vec![BelowMinimum { mentor: mentor.clone(), minimum: 2, matched: 1 }];
    let report = round.report();
    let sheets = Sheets::of(&report);
    let bytes = workbook(&sheets, Lang::En).expect("is written");
    assert_eq!(workbook(&sheets, Lang::En).expect("again"), bytes, "equal reports are equal bytes");
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook");
    assert_eq!(book.sheet_names(), ["Matches", "People without a match"]);
    let matches = book.worksheet_range("Matches").expect("a sheet");
    assert_eq!(matches.height(), round.matches.len() + 1);
    for row in matches.rows().skip(1) {
        let id = row[0].to_string();
        let one = round.matches.iter().find(|one| one.mentee.id.as_str() == id).expect("a mentee");
        assert_eq!(row[4], Data::Float(f64::from(one.score) / 10_000.0));
    }
    let people = book.worksheet_range("People without a match").expect("a sheet");
    let last: Vec<String> =
        people.rows().next_back().expect("a row").iter().map(ToString::to_string).collect();
    assert_eq!(last[0], mentor.id.to_string());
    assert_eq!(last[3], "Mentors with fewer mentees than their minimum: 1 of at least 2 mentees");
}

#[test]
fn no_cell_of_a_csv_file_is_a_formula() {
    for start in ["=", "+", "-", "@", "\t=", "\r", " =", "＝", "\u{feff}="] {
        let mut round = Round::of(14, 8, 2);
        for name in round.names.values_mut() {
            *name = format!("{start}cmd|' /C calc'!A0");
        }
        let report = round.report();
        let sheets = Sheets::of(&report);
        let rows = records(&sheets.matches.csv(Lang::En).expect("is written"), b',');
        let people = records(&sheets.unmatched.csv(Lang::En).expect("is written"), b',');
        for cell in rows.iter().chain(&people).flatten() {
            let seen = cell.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            assert!(!seen.starts_with(FORMULA), "{cell:?}");
        }
        let bytes = workbook(&sheets, Lang::En).expect("is written");
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook");
        let formulas = book.worksheet_formula("Matches").expect("a sheet");
        assert!(formulas.is_empty(), "{formulas:?}");
    }
}

#[test]
fn the_file_of_an_organisation_has_its_own_people_and_no_count_of_others() {
    let mut round = Round::realistic();
    for one in &mut round.unmatched {
        one.details.push(Reason::new(ReasonCode::MentorMeetsByCall));
    }
    let report = round.report();
    let all = organisations(&report);
    assert!(all.len() > 10);
    let mut seen = 0;
    for organisation in &all {
        let sheets = OfOneOrganisation::of(&report, organisation).sheets(&report);
        let rows = |sheet: &Sheet| records(&sheet.csv(Lang::En).expect("is written"), b',')[1..].to_vec();
        let (matches, people) = (rows(&sheets.matches), rows(&sheets.unmatched));
        let name = &round.names[organisation];
        assert!(matches.iter().all(|row| [&row[1], &row[3]].contains(&name)), "{matches:?}");
        assert!(people.iter().all(|row| row[1] == *name && row.len() == WITHOUT_COUNTS), "{people:?}");
        seen += people.len();
        let text = format!("{people:?}");
        for told in ["90", "112", "candidates", "any of the", "several exclude"] {
            assert!(!text.contains(told), "{told}: {text}");
        }
    }
    assert_eq!(seen, round.unmatched.len(), "everybody is in the file of her organisation");
}

#[test]
fn the_last_row_says_how_many_mentors_below_their_minimum_have_no_row() {
    let mut round = Round::of(14, 8, 2);
    let named = |organisation: &'static str, mentors: usize| {
        (0..mentors).map(move |at| BelowMinimum {
            mentor: ProfileRef::from_name(&format!("organisations/{organisation}/profiles/M{at}"))
                .expect("a name"),
            minimum: 2,
            matched: 0,
        })
    };
    let full = MOST_BELOW_MINIMUM;
    let last = |sheets: &Sheets, lang: Lang| {
        let rows =
            records(&sheets.unmatched.csv(lang).expect("is written"), lang.conventions().csv_separator);
        rows.last().expect("a row")[3].clone()
    };
    let mut told = |first: usize, second: usize, all: usize| {
        round.summary.below_minimum = named("wim-000", first).chain(named("wim-001", second)).collect();
        round.summary.mentors_below_minimum = all as u64;
        let report = round.report();
        let parts = organisations(&report);
        let part = |at: usize| {
            let organisation = parts.iter().nth(at).expect("an organisation");
            last(&OfOneOrganisation::of(&report, organisation).sheets(&report), Lang::En)
        };
        (last(&Sheets::of(&report), Lang::En), part(0), part(1))
    };
    let row = "Mentors with fewer mentees than their minimum: 0 of at least 2 mentees";
    let more = |mentors| format!("{mentors} more mentors have fewer mentees than their minimum");
    let cut =
        "Further mentors may have fewer mentees than their minimum: at most 50 of an organisation are listed";
    let of = |all: &str, first: &str, second: &str| (all.to_owned(), first.to_owned(), second.to_owned());
    assert_eq!(told(full, 3, full + 3), of(row, row, row), "nobody is left out");
    assert_eq!(told(full, 3, full + 10), of(&more(7), &more(7), row));
    assert_eq!(told(full, full, 2 * full + 7), of(&more(7), cut, cut), "of either organisation");
    for (lang, text) in [
        (Lang::Fr, "7 autres personnes mentores sont sous leur minimum de personnes mentorées"),
        (Lang::Es, "7 mentoras y mentores más tienen menos mentees que su mínimo"),
        (Lang::Pt, "Mais 7 mentoras e mentores têm menos mentoradas que o seu mínimo"),
    ] {
        assert_eq!(last(&Sheets::of(&RoundReport { lang, ..round.report() }), lang), text);
    }
}
