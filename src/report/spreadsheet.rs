//! Matches and people without a match as spreadsheets: a workbook of two sheets, or two CSV files.
//!
//! Input: a report. Output: the bytes of the files, the same for equal reports. A score is a percentage in the form of the
//! language, and a number in a workbook. People are named by pseudonym.
//! Invariants: no cell is a formula, whatever a name begins with. The sheets of one organisation contain its own members
//! and their matches, and no count of other people.

mod organisation;
mod workbook;

use super::people;
use super::round_report::RoundReport;
use crate::domain::name::ProfileRef;
use crate::domain::run::{Match, Side, Unmatched};
use crate::domain::vocabulary::Lang;
use crate::wording;

pub use self::organisation::{OfOneOrganisation, organisations};
pub use self::workbook::{WorkbookError, workbook};

/// First characters that make a program for spreadsheets read a text as a formula, also in their full-width forms.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Columns of the people without a match before those with counts.
const WITHOUT_COUNTS: usize = 5;

/// Both sheets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheets {
    /// The matches, by mentee and mentor.
    pub matches: Sheet,
    /// People without a match, and mentors below their minimum.
    pub unmatched: Sheet,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    title: &'static str,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// A column of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Column {
    title: &'static str,
    /// Width in characters.
    width: u16,
}

/// A cell of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Text(String),
    Lines(Vec<String>),
    /// A score of 0..=10,000.
    Score(u16),
}

impl Sheets {
    /// The sheets of a report.
    pub fn of(report: &RoundReport<'_>) -> Self {
        Self { matches: matches(report), unmatched: unmatched(report) }
    }
}

impl Sheet {
    /// Number of rows below the header.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row below the header.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Leaves out all columns but the first.
    fn cut(&mut self, columns: usize) {
        self.columns.truncate(columns);
        self.rows.iter_mut().for_each(|row| row.truncate(columns));
    }

    /// The sheet as a CSV file that programs for spreadsheets open as it is: UTF-8 with a byte order mark, the separator
    /// of the language, lines that end with CR and LF. A cell that would be read as a formula begins with an apostrophe.
    pub fn csv(&self, lang: Lang) -> csv::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(lang.conventions().csv_separator)
            .terminator(csv::Terminator::CRLF)
            .from_writer("\u{feff}".as_bytes().to_vec());
        writer.write_record(self.columns.iter().map(|column| column.title))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| not_a_formula(cell.in_words(" · ", lang))))?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }
}

impl Cell {
    fn in_words(&self, between_lines: &str, lang: Lang) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Lines(lines) => lines.join(between_lines),
            Self::Score(points) => wording::score(u32::from(*points), lang),
        }
    }
}

pub(super) fn not_a_formula(text: String) -> String {
    let is_skipped = |c: char| c == '\u{feff}' || (c.is_whitespace() && !FORMULA.contains(&c));
    if text.trim_start_matches(is_skipped).starts_with(FORMULA) { format!("'{text}") } else { text }
}

fn matches(report: &RoundReport<'_>) -> Sheet {
    let words = report.words();
    let column = |key: &str, width| Column { title: words.text(key), width };
    let side = |side| Column { title: wording::side_label(side, words.0), width: 14 };
    let mut matches: Vec<&Match> = report.matches.iter().collect();
    matches.sort_by_key(|one| (&one.mentee, &one.mentor));
    let row = |one: &Match| {
        let criteria = one.contributions.iter().map(|given| match given.criterion {
            Some(criterion) => words.labelled(
                wording::criterion_label(Some(criterion), words.0),
                &people::with_points(given, words.0),
            ),
            None => words.reason(&given.reason),
        });
        vec![
            person(&one.mentee),
            organisation_of(report, &one.mentee),
            person(&one.mentor),
            organisation_of(report, &one.mentor),
            Cell::Score(one.score),
            Cell::Lines(people::strengths(one, usize::MAX, words.0)),
            Cell::Lines(people::weak_points(one, usize::MAX, words.0)),
            Cell::Lines(criteria.collect()),
        ]
    };
    Sheet {
        title: words.text("matches_title"),
        columns: vec![
            side(Side::Mentee),
            column("sheet_mentee_organisation", 28),
            side(Side::Mentor),
            column("sheet_mentor_organisation", 28),
            column("matches_score", 10),
            column("matches_reasons", 60),
            column("matches_weak", 60),
            column("sheet_criteria", 70),
        ],
        rows: matches.into_iter().map(row).collect(),
    }
}

fn unmatched(report: &RoundReport<'_>) -> Sheet {
    let words = report.words();
    let column = |key: &str, width| Column { title: words.text(key), width };
    let role = |side: Option<Side>| {
        Cell::Text(side.map_or_else(String::new, |side| wording::side_label(side, words.0).to_owned()))
    };
    let mut unmatched: Vec<&Unmatched> = report.unmatched.iter().collect();
    unmatched.sort_by_key(|one| (one.side.is_none(), one.side, &one.profile));
    let row = |one: &Unmatched| {
        vec![
            person(&one.profile),
            organisation_of(report, &one.profile),
            role(one.side),
            Cell::Text(people::why(report, one)),
            Cell::Lines(people::changes(report, one)),
            Cell::Text(people::excluded(report, one).unwrap_or_default()),
            Cell::Text(people::candidate_figures(report, one)),
        ]
    };
    let below = report.summary.below_minimum.iter().map(|one| {
        let figures = people::below_minimum_figures(report, one);
        vec![
            person(&one.mentor),
            organisation_of(report, &one.mentor),
            role(Some(Side::Mentor)),
            Cell::Text(words.labelled(words.text("below_minimum"), &figures)),
            Cell::Text(String::new()),
            Cell::Text(String::new()),
            Cell::Text(String::new()),
        ]
    });
    let unlisted =
        (report.summary.mentors_below_minimum).saturating_sub(report.summary.below_minimum.len() as u64);
    let more = (unlisted > 0).then(|| {
        about_mentors(report, words.fill("below_minimum_more", &[("more", &words.count(unlisted))]))
    });
    Sheet {
        title: words.text("unmatched_title"),
        columns: vec![
            column("unmatched_person", 14),
            column("sheet_organisation", 28),
            column("sheet_role", 10),
            column("unmatched_reason", 60),
            column("unmatched_change", 60),
            column("unmatched_excluded", 45),
            column("unmatched_candidates", 24),
        ],
        rows: unmatched.into_iter().map(row).chain(below).chain(more).collect(),
    }
}

/// A row of the people without a match that is about mentors who have no row.
fn about_mentors(report: &RoundReport<'_>, text: String) -> Vec<Cell> {
    let role = wording::side_label(Side::Mentor, report.words().0).to_owned();
    let empty = String::new;
    [empty(), empty(), role, text, empty(), empty(), empty()].map(Cell::Text).to_vec()
}

fn person(profile: &ProfileRef) -> Cell {
    Cell::Text(profile.id.to_string())
}

fn organisation_of(report: &RoundReport<'_>, profile: &ProfileRef) -> Cell {
    Cell::Text(report.organisation(&profile.organisation).to_owned())
}

#[cfg(test)]
mod tests;
