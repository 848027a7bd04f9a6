//! Reads a table of check-ins row by row.

use std::io::Read;

use super::cell::{read_flag, read_instrument, read_point, read_score, read_side};
use super::column::Column;
use crate::domain::mentorship::check_in::{Answers, CheckInDraft};
use crate::domain::message::Message;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::violation::excerpt;
use crate::message;
use crate::profile_csv::cell::{self, Misread};
use crate::profile_csv::dates::read_day;
use crate::profile_csv::{CellProblem, OpenError, RowError};
use crate::table::{self, MAX_CELL, MAX_RECORD, Note, Oversize, Record, Table};

/// Beginning of the name of the template's mentorship, which is refused so that nobody imports the template unedited.
const EXAMPLE: &str = "example-round/";

/// A row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadCheckIn {
    /// Line on which the row begins, from 1; the header is line 1.
    pub line: u64,
    /// Resource name of the mentorship, or what was given instead.
    pub mentorship: String,
    /// Resource name of the person; empty if the row names none.
    pub profile: String,
    /// What she has answered, without the cells of `problems`.
    pub draft: CheckInDraft,
    /// Everything that is wrong with the cells, in the order of the columns.
    pub problems: Vec<CellProblem>,
}

/// Reads the check-ins of one organisation. An iterator over rows, in file order.
#[derive(Debug)]
pub struct CheckInReader<R> {
    table: Table<R>,
    /// The column at each position; `None` without a name.
    columns: Vec<Option<Column>>,
    organisation: OrganisationId,
    failed: bool,
}

impl<R: Read> CheckInReader<R> {
    /// Reads the header; the input needs no buffer of its own.
    pub fn new(input: R, organisation: &OrganisationId) -> Result<Self, OpenError> {
        let table = Table::open(input).map_err(|error| match error {
            table::OpenError::Io(error) => OpenError::Io(error),
            table::OpenError::Empty => {
                OpenError::Header(vec![whole("the file is empty", "begin with the header of the template")])
            }
            table::OpenError::OtherKind(kind) => OpenError::Header(vec![whole(
                message!("the file is {kind}", kind = Message::from(kind)),
                table::OpenError::HINT,
            )]),
        })?;
        let columns = header(table.record()).map_err(OpenError::Header)?;
        Ok(Self { table, columns, organisation: organisation.clone(), failed: false })
    }

    /// What the person who sends the file should know of how it was read. Complete after the last row.
    pub fn note(&self) -> Option<Note> {
        self.table.note()
    }

    fn row(&self) -> ReadCheckIn {
        let record = self.table.record();
        let mut cells = Cells { columns: &self.columns, record, problems: Vec::new() };
        let mut read = ReadCheckIn {
            line: record.line,
            mentorship: String::new(),
            profile: String::new(),
            draft: CheckInDraft::default(),
            problems: Vec::new(),
        };
        if cells.are_all_there() {
            read.mentorship = cells.mentorship();
            read.profile = cells.person(&self.organisation);
            read.draft = cells.draft();
        }
        read.problems = cells.problems;
        read
    }
}

impl<R: Read> Iterator for CheckInReader<R> {
    type Item = Result<ReadCheckIn, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match self.table.read() {
            Ok(false) => None,
            Ok(true) => Some(Ok(self.row())),
            Err(source) => {
                self.failed = true;
                Some(Err(RowError::Io { line: self.table.record().line, source }))
            }
        }
    }
}

/// The columns of a header, or everything that is wrong with it.
fn header(record: &Record) -> Result<Vec<Option<Column>>, Vec<CellProblem>> {
    if record.oversize.is_some() {
        return Err(vec![whole(
            "the first line is too long for a header",
            "begin with the header of the template",
        )]);
    }
    let (mut columns, mut problems, mut to_be_renamed) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..record.len() {
        let text = String::from_utf8_lossy(record.cell(at));
        let column = Column::from_header(&text);
        if column.is_none() && !text.trim().is_empty() {
            let meant = Column::meant(&text);
            to_be_renamed.extend(meant);
            let hint = meant.map_or_else(
                || message!("leave the column out of the file"),
                |meant| message!("rename it to {name}", name = meant.name()),
            );
            let (value, what) = (excerpt(text.trim()), "is not a column of check-ins".into());
            problems.push(CellProblem { column: "", value, what, hint });
        }
        if let Some(column) = column.filter(|_| columns.contains(&column)) {
            problems.push(CellProblem {
                column: column.name(),
                value: excerpt(&text),
                what: "is the header of two columns".into(),
                hint: "give each column once".into(),
            });
        }
        columns.push(column);
    }
    let is_there = |column: &Column| columns.contains(&Some(*column)) || to_be_renamed.contains(column);
    let missing = |column: Column, hint| CellProblem {
        column: column.name(),
        value: String::new(),
        what: "is missing".into(),
        hint,
    };
    for column in Column::ALL.into_iter().filter(|column| column.is_required() && !is_there(column)) {
        problems.push(missing(column, message!("add it; `wim-match check-in columns` describes it")));
    }
    if !is_there(&Column::ProfileId) && !is_there(&Column::Side) {
        problems.push(missing(Column::Side, message!("add it, or the column profile_id")));
    }
    if problems.is_empty() { Ok(columns) } else { Err(problems) }
}

/// One record with its columns, and the problems found so far.
struct Cells<'a> {
    columns: &'a [Option<Column>],
    record: &'a Record,
    problems: Vec<CellProblem>,
}

impl<'a> Cells<'a> {
    /// Whether the record can be divided into cells, none of which with content lies outside of the columns.
    fn are_all_there(&mut self) -> bool {
        let problem = match &self.record.oversize {
            Some(Oversize::Cell { at, excerpt: beginning }) => {
                let column = self.columns.get(*at).copied().flatten();
                CellProblem {
                    column: column.map_or("", Column::name),
                    value: excerpt(beginning),
                    what: message!("is longer than {most} bytes", most = MAX_CELL),
                    hint: "if it runs over several lines, a quotation mark is missing".into(),
                }
            }
            Some(Oversize::Record) => {
                whole(message!("the row is longer than {most} bytes", most = MAX_RECORD), "")
            }
            Some(Oversize::Cells) => whole("the row has far more cells than the header", ""),
            None => match self.outside() {
                None => return true,
                Some(at) => CellProblem {
                    column: "",
                    value: excerpt(&String::from_utf8_lossy(self.record.cell(at))),
                    what: "stands in a column without a header".into(),
                    hint: "put a cell that contains the delimiter in quotation marks".into(),
                },
            },
        };
        self.problems.push(problem);
        false
    }

    /// The first cell with content in a column without a header.
    fn outside(&self) -> Option<usize> {
        let is_outside = |at: &usize| self.columns.get(*at).copied().flatten().is_none();
        let mut places = (0..self.record.len()).filter(is_outside);
        places.find(|at| !self.record.cell(*at).trim_ascii().is_empty())
    }

    fn mentorship(&mut self) -> String {
        let text = self.get(Column::Mentorship);
        if text.starts_with(EXAMPLE) {
            let hint = "replace the example row by your check-ins".into();
            self.note(Column::Mentorship, text, "is the mentorship of the template".into(), hint);
            return String::new();
        }
        match text.split_once('/') {
            Some(_) if text.starts_with("rounds/") => text.to_owned(),
            Some((round, id)) => format!("rounds/{round}/mentorships/{id}"),
            None => text.to_owned(),
        }
    }

    fn person(&mut self, organisation: &OrganisationId) -> String {
        let text = self.get(Column::ProfileId);
        if text.is_empty() {
            return String::new();
        }
        if let Ok(id) = text.parse::<OwnId>() {
            return ProfileRef { organisation: organisation.clone(), id }.name();
        }
        let what = "is no id: an id has 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`".into();
        self.note(Column::ProfileId, text, what, "never use a name or an e-mail address".into());
        String::new()
    }

    fn draft(&mut self) -> CheckInDraft {
        use Column as C;
        let (side, point) = (self.one(C::Side, read_side), self.one(C::Point, read_point));
        CheckInDraft {
            side,
            point,
            date: self.one(C::Date, read_day).map(|day| day.to_string()).unwrap_or_default(),
            answers: Answers {
                meetings: self.one(C::Meetings, cell::number),
                minutes: self.one(C::Minutes, cell::number),
                satisfaction: self.one(C::Satisfaction, cell::number),
                recommend: self.one(C::Recommend, cell::number),
                goals_achieved: self.one(C::GoalsAchieved, cell::number),
                goals_partly: self.one(C::GoalsPartly, cell::number),
                goals_missed: self.one(C::GoalsMissed, cell::number),
                promoted: self.one(C::Promoted, read_flag),
                changed_role: self.one(C::ChangedRole, read_flag),
                in_sector: self.one(C::InSector, read_flag),
            },
            measurement: {
                let instrument = self.one(C::Instrument, read_instrument);
                let version = self.answer(C::InstrumentVersion).to_owned();
                let score = self.one(C::InstrumentScore, read_score);
                let is_asked = [C::Instrument, C::InstrumentVersion, C::InstrumentScore];
                let is_given = is_asked.into_iter().any(|column| !self.answer(column).is_empty());
                if is_given && self.answer(C::InstrumentScore).is_empty() {
                    let hint = "give the mean of the items, for example 4.25".into();
                    self.note(C::InstrumentScore, "", "is missing".into(), hint);
                }
                is_given.then(|| (instrument, version, score.unwrap_or_default()))
            },
        }
    }

    /// The content of a cell, if there is one that can be read.
    fn one<T>(&mut self, column: Column, read: impl FnOnce(&str) -> Result<T, Misread>) -> Option<T> {
        let text = self.answer(column);
        if text.is_empty() {
            return None;
        }
        match read(text) {
            Ok(value) => Some(value),
            Err(misread) => {
                self.note(column, text, misread.what, misread.hint);
                None
            }
        }
    }

    /// A cell that may have no answer: empty also for `n/a`, `-` and the like.
    fn answer(&mut self, column: Column) -> &'a str {
        let text = self.get(column);
        let is_flag = matches!(column, Column::Promoted | Column::ChangedRole | Column::InSector);
        if cell::is_no_answer(text, true) || (!is_flag && text == "-") { "" } else { text }
    }

    /// A cell without blanks around it and without its guard; empty if the file has no such column or the cell is no text,
    /// which is noted.
    fn get(&mut self, column: Column) -> &'a str {
        let at = self.columns.iter().position(|one| *one == Some(column));
        let bytes: &'a [u8] = at.map_or(&[], |at| self.record.cell(at));
        if let Ok(text) = std::str::from_utf8(bytes) {
            return cell::unguarded(cell::bare(text));
        }
        if !self.problems.iter().any(|problem| problem.column == column.name()) {
            let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
            self.note(column, &beginning, "is not UTF-8".into(), "save the file as CSV (UTF-8)".into());
        }
        ""
    }

    fn note(&mut self, column: Column, value: &str, what: Message, hint: Message) {
        self.problems.push(CellProblem { column: column.name(), value: excerpt(value), what, hint });
    }
}

/// A problem of the whole row.
fn whole(what: impl Into<Message>, hint: impl Into<Message>) -> CellProblem {
    CellProblem { column: "", value: String::new(), what: what.into(), hint: hint.into() }
}
