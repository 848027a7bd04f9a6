use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::domain::report::{Cell, Column, CoveredRound, ReportScope, Row, Table, TableId, Unit};
use crate::domain::suppression::Withheld;
use crate::wording;

/// A report with a table of each kind of chart.
fn report() -> Report {
    let column = |id: &str, unit| Column { id: id.to_owned(), unit };
    let row = |key: &str, label: Option<&str>, cells: Vec<Cell>| Row {
        key: key.to_owned(),
        label: label.map(str::to_owned),
        cells,
    };
    let number = Cell::Number;
    let few = Cell::Withheld(Withheld::FewPeople);
    let funnel = Table {
        id: TableId::Funnel,
        columns: vec![
            column("mentees", Unit::People),
            column("matched", Unit::People),
            column("match_rate", Unit::Percent),
            column("accepted", Unit::Pairs),
            column("begun", Unit::Pairs),
            column("completed", Unit::Pairs),
        ],
        rows: vec![row(
            "all",
            None,
            vec![number(400), number(360), number(90), number(340), number(335), few],
        )],
    };
    let region = Table {
        id: TableId::Region,
        columns: vec![
            column("mentees", Unit::People),
            column("match_rate", Unit::Percent),
            column("equity_gap", Unit::Percent),
        ],
        rows: vec![
            row("005", None, vec![number(200), number(95), number(5)]),
            row("011", None, vec![number(150), number(80), number(-10)]),
            row("others", None, vec![few, few, few]),
        ],
    };
    let exchange = Table {
        id: TableId::Exchange,
        columns: vec![column("pairs", Unit::Pairs)],
        rows: vec![
            row("wim-peru>wim-ghana", Some("WIM <Peru> → =WIM Ghana"), vec![number(45)]),
            row("wim-ghana>wim-peru", Some("=WIM Ghana → WIM <Peru>"), vec![number(10)]),
        ],
    };
    let survival = Table {
        id: TableId::Survival,
        columns: vec![column("going_on", Unit::Percent)],
        rows: [100, 95, 90]
            .into_iter()
            .enumerate()
            .map(|(at, share)| row(&at.to_string(), None, vec![number(share)]))
            .collect(),
    };
    let satisfaction = Table {
        id: TableId::Satisfaction,
        columns: vec![
            column("answered", Unit::Pairs),
            column("satisfaction", Unit::Rating),
            column("net_promoter_score", Unit::Balance),
            column("hours_met", Unit::Hours),
        ],
        rows: vec![row("mentee", None, vec![number(300), number(437), number(-7), number(95)])],
    };
    let scores = Table {
        id: TableId::Scores,
        columns: vec![column("pairs", Unit::Pairs)],
        rows: vec![row("6", None, vec![number(100)]), row("7", None, vec![number(260)])],
    };
    Report {
        id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        scope: ReportScope::Round("2027-first".parse().expect("an id")),
        list_version: 1,
        creator: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        create_time: "2027-12-01T12:00:00Z".parse::<Timestamp>().expect("a moment"),
        digest: "ab".repeat(32),
        content: Some(Content {
            parameters: vec!["match_rate".to_owned()],
            rounds: vec![CoveredRound {
                round: "2027-first".parse().expect("an id"),
                display_name: "First <round>".to_owned(),
                start_date: date(2027, 2, 15),
                end_date: date(2027, 11, 30),
                run: 3,
                policy_version: 2,
            }],
            tables: vec![funnel, region, exchange, survival, satisfaction, scores],
        }),
    }
}

fn text(format: Format, lang: Lang) -> String {
    String::from_utf8(write(&report(), format, lang).expect("is written")).expect("is UTF-8")
}

#[test]
fn a_page_is_whole_escaped_and_says_why_a_number_is_missing() {
    for lang in Lang::ALL {
        let page = text(Format::Html, lang);
        assert!(page.contains("First &lt;round&gt;") && !page.contains("First <round>"), "{page}");
        assert!(page.contains("WIM &lt;Peru&gt;"));
        assert!(
            page.contains(wording::text("withheld.few_people", lang)),
            "the reason stands below the table"
        );
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
        assert!(page.contains("version 1") || page.contains("versión 1") || page.contains("versão 1"));
        assert_eq!(page, text(Format::Html, lang), "the same bytes");
    }
}

#[test]
fn a_list_has_a_line_for_each_number_with_a_point_and_no_formula() {
    let list = text(Format::Csv, Lang::En);
    assert!(list.contains("4.37") && list.contains("9.5") && list.contains("funnel/all/mentees"), "{list}");
    assert!(list.contains("'=WIM Ghana"), "a name is no formula: {list}");
    let cells: usize = report()
        .content
        .iter()
        .flat_map(|content| &content.tables)
        .map(|t| t.rows.len() * t.columns.len())
        .sum();
    assert_eq!(list.lines().count(), cells + 1);
    assert!(text(Format::Csv, Lang::Fr).contains(";4.37;"), "the number is the same in every language");
}

#[test]
fn json_has_codes_beside_labels() {
    let json: serde_json::Value = serde_json::from_str(&text(Format::Json, Lang::Es)).expect("is JSON");
    assert_eq!(json["tables"][1]["rows"][0]["key"], "005");
    assert_eq!(json["tables"][0]["rows"][0]["cells"][5]["withheld"], "few_people");
    assert_eq!(json["tables"][1]["rows"][1]["cells"][2]["number"], -10);
}

#[test]
fn a_workbook_is_the_same_bytes_and_opens_with_numbers() {
    use calamine::{Data, Reader as _, Xlsx};
    let bytes = write(&report(), Format::Xlsx, Lang::Pt).expect("is written");
    assert_eq!(bytes, write(&report(), Format::Xlsx, Lang::Pt).expect("again"));
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).expect("opens");
    assert_eq!(book.sheet_names().len(), 7);
    let name = wording::text("release.table_satisfaction", Lang::Pt);
    let sheet = book.worksheet_range(name).expect("a sheet");
    assert_eq!(sheet.get((1, 2)), Some(&Data::Float(4.37)));
}

#[test]
fn a_file_is_named_after_its_report() {
    assert_eq!(file_stem(&report(), Lang::Fr), "round-2027-first-2027-12-01-fr");
}
