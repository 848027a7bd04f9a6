//! Reads a CSV stream into drafts, row by row.

use std::fmt;
use std::io::{self, Read};

use super::cell::{self, Misread};
use super::column::{Column, EXAMPLE_PREFIX};
use super::{dates, earlier_consents, hours};
use crate::domain::folding::words;
use crate::domain::message::Message;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::profile::{
    ConsentDraft, ConsentPurpose, IdentityDraft, MenteeRequestDraft, MentorOfferDraft, ProfileDraft,
    SlotDraft,
};
use crate::domain::violation::excerpt;
use crate::domain::vocabulary::{Commodity, Function, Goal, IdentityTerm, Kind, Stage, Topic, WorkingStyle};
use crate::domain::warning::WarningCode;
use crate::message;
use crate::table::{self, MAX_CELL, MAX_RECORD, Note, Oversize, Record, Table};

/// Most problems reported of one row: a cell of separators alone would have thousands.
const MAX_PROBLEMS: usize = 100;

/// A row that could be read. [`Profile::parse`](crate::domain::profile::Profile::parse) checks the profile itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Physical line on which the row begins, from 1; the header is line 1.
    pub line: u64,
    /// Content of the row.
    pub draft: ProfileDraft,
    /// What its sender should look at.
    pub warnings: Vec<CellWarning>,
}

/// A cell that was read, but perhaps not as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellWarning {
    /// Name of the column.
    pub column: &'static str,
    /// Content of the cell, or the item of its list, cut at 80 characters.
    pub value: String,
    /// How it was read.
    pub code: WarningCode,
}

/// A row that could not be read, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Physical line on which the row begins, from 1.
    pub line: u64,
    /// What is wrong, in the order of the columns; never empty.
    pub problems: Vec<CellProblem>,
    /// The cells that could be read, without those in `problems`, so that the service can check them too; `None` if the
    /// row could not be divided into cells.
    pub partial: Option<Box<ProfileDraft>>,
}

/// One thing that is wrong with a cell or with the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellProblem {
    /// Name of the column; empty for a problem of the whole row.
    pub column: &'static str,
    /// Content of the cell, or the wrong item of its list, cut at 80 characters.
    pub value: String,
    /// What is wrong.
    pub what: Message,
    /// What to do; may be empty.
    pub hint: Message,
}

impl CellProblem {
    /// The problem as one message: the column, the value, what is wrong and what to do.
    pub fn message(&self) -> Message {
        let Self { column, value, what, hint } = self;
        let mut told = what.clone();
        if !value.is_empty() {
            told = message!("`{value}` {wrong}", value = value, wrong = told);
        }
        if !column.is_empty() {
            told = message!("column {column}: {wrong}", column = *column, wrong = told);
        }
        if hint.is_empty() { told } else { message!("{wrong}; {hint}", wrong = told, hint = hint.clone()) }
    }
}

impl fmt::Display for CellProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.column.is_empty() {
            write!(f, "column {}: ", self.column)?;
        }
        if !self.value.is_empty() {
            write!(f, "`{}` ", self.value.escape_debug())?;
        }
        write!(f, "{}", self.what)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

/// Why the header of a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The stream failed.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// The header is wrong in these ways.
    #[error("the header line is wrong: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Header(Vec<CellProblem>),
}

/// Why there is no row.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The row is wrong; reading can go on.
    #[error("line {}: {}", .0.line, .0.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Bad(BadRow),
    /// The stream failed; nothing follows.
    #[error("the file cannot be read on after line {line}")]
    Io {
        /// Line on which the last whole row began.
        line: u64,
        /// What failed.
        #[source]
        source: io::Error,
    },
}

/// Reads profiles of one organisation. An iterator over rows, in file order.
#[derive(Debug)]
pub struct ProfileReader<R> {
    table: Table<R>,
    header: Header,
    organisation: OrganisationId,
    failed: bool,
}

impl<R: Read> ProfileReader<R> {
    /// Reads the header; the input needs no buffer of its own. Bare ids in the file are people of `organisation`.
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
        let header = Header::read(table.record()).map_err(OpenError::Header)?;
        Ok(Self { table, header, organisation: organisation.clone(), failed: false })
    }

    /// What the person who sends the file should know of how it was read. Complete after the last row.
    pub fn note(&self) -> Option<Note> {
        self.table.note()
    }

    fn row(&self) -> Result<Row, RowError> {
        let record = self.table.record();
        let mut cells = Cells { header: &self.header, record, problems: Vec::new(), warnings: Vec::new() };
        if !cells.all_there() {
            return Err(RowError::Bad(BadRow { line: record.line, problems: cells.problems, partial: None }));
        }
        let draft = cells.draft(&self.organisation);
        if cells.problems.is_empty() {
            return Ok(Row { line: record.line, draft, warnings: cells.warnings });
        }
        cells.problems.sort_by_key(|problem| Column::ALL.iter().position(|c| c.name() == problem.column));
        let partial = Some(Box::new(draft));
        Err(RowError::Bad(BadRow { line: record.line, problems: cells.problems, partial }))
    }
}

impl<R: Read> Iterator for ProfileReader<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match self.table.read() {
            Ok(false) => None,
            Ok(true) => Some(self.row()),
            Err(source) => {
                self.failed = true;
                Some(Err(RowError::Io { line: self.table.record().line, source }))
            }
        }
    }
}

/// Position of each column.
#[derive(Debug)]
struct Header {
    /// The column at each position; `None` without a name.
    columns: Vec<Option<Column>>,
    positions: [Option<u16>; Column::ALL.len()],
}

impl Header {
    fn read(record: &Record) -> Result<Self, Vec<CellProblem>> {
        let mut problems = Vec::new();
        let mut header = Self { columns: Vec::new(), positions: [None; Column::ALL.len()] };
        let mut to_be_renamed = Vec::new();
        if record.oversize.is_some() {
            return Err(vec![whole(
                "the first line is too long for a header",
                "begin with the header of the template",
            )]);
        }
        for (at, position) in (0..record.len()).zip(0_u16..) {
            let text = String::from_utf8_lossy(record.cell(at));
            if text.trim().is_empty() {
                // Spreadsheets write empty columns. A cell below with content is a problem of its row.
                header.columns.push(None);
                continue;
            }
            let Some(column) = Column::from_header(&text) else {
                let meant = Column::meant(&text);
                problems.push(unknown_column(&text, at, &meant));
                to_be_renamed.extend(meant);
                header.columns.push(None);
                continue;
            };
            if header.positions[column as usize].replace(position).is_some() {
                problems.push(CellProblem {
                    column: column.name(),
                    value: excerpt(&text),
                    what: message!("is the header of column {at} and of one before", at = letters(at)),
                    hint: "give each column once".into(),
                });
            }
            header.columns.push(Some(column));
        }
        // A column that a header is to be renamed to is not missing.
        let is_missing = |column: &Column| {
            column.is_required()
                && header.positions[*column as usize].is_none()
                && !to_be_renamed.contains(column)
        };
        let missing = Column::ALL.into_iter().filter(is_missing);
        for column in missing {
            problems.push(CellProblem {
                column: column.name(),
                value: String::new(),
                what: "is missing".into(),
                hint: message!("add it; `wim-match import --columns` describes it"),
            });
        }
        if problems.is_empty() { Ok(header) } else { Err(problems) }
    }
}

fn unknown_column(text: &str, at: usize, meant: &[Column]) -> CellProblem {
    let names: Vec<&str> = meant.iter().map(|column| column.name()).collect();
    let hint = match names[..] {
        [] => message!("leave the column out of the file"),
        _ if words(text) == "organisation" || words(text) == "organization" => {
            message!(
                "rename it to employer if it names her employer; otherwise leave the column out of the file"
            )
        }
        [one] => message!("rename it to {name}", name = one),
        _ => message!("rename it to one of: {names}", names = names.join(", ")),
    };
    let what = message!("is the header of column {at}, which is not a column of profiles", at = letters(at));
    CellProblem { column: "", value: excerpt(text.trim()), what, hint }
}

/// One record with its header, and the problems found so far.
struct Cells<'a> {
    header: &'a Header,
    record: &'a Record,
    problems: Vec<CellProblem>,
    warnings: Vec<CellWarning>,
}

impl<'a> Cells<'a> {
    /// Whether the record is complete: no cell with content lies outside the columns, and none of a required column is lost.
    fn all_there(&mut self) -> bool {
        let problem = match &self.record.oversize {
            Some(Oversize::Cell { at, excerpt: beginning }) => {
                let mut problem = whole(
                    message!("is longer than {most} bytes", most = MAX_CELL),
                    "if it runs over several lines, a quotation mark is missing",
                );
                let column = self.header.columns.get(*at).copied().flatten();
                problem.column = column.map_or("", |column| column.name());
                problem.value = excerpt(beginning);
                problem
            }
            Some(Oversize::Record) => {
                whole(message!("the row is longer than {most} bytes", most = MAX_RECORD), "")
            }
            Some(Oversize::Cells) => whole("the row has far more cells than the header", ""),
            None if self.record.len() > self.header.columns.len() || self.ends_early() => {
                let lines = self.record.last_line - self.record.line;
                whole(
                    message!(
                        "the row has {given|1 cell|{given} cells}, the header {expected}",
                        given = self.record.given,
                        expected = self.header.columns.len()
                    ),
                    if lines > 1 {
                        "it runs over several lines: a quotation mark may be missing"
                    } else {
                        "put a cell that contains the delimiter in quotation marks"
                    },
                )
            }
            None => match self.outside() {
                Some(at) => {
                    let what = message!("stands in column {at}, which has no header", at = letters(at));
                    let value = excerpt(&String::from_utf8_lossy(self.record.cell(at)));
                    let hint = message!("give the column a header, or take the cell out of the file");
                    CellProblem { column: "", value, what, hint }
                }
                None => return true,
            },
        };
        self.problems.push(problem);
        false
    }

    /// Whether the row ends before the last required column. Spreadsheets leave out empty cells at the end of a row.
    fn ends_early(&self) -> bool {
        let required = Column::ALL.into_iter().filter(|column| column.is_required());
        let mut places = required.filter_map(|column| self.header.positions[column as usize]);
        places.any(|at| usize::from(at) >= self.record.given)
    }

    /// The first cell with content in a column without a header.
    fn outside(&self) -> Option<usize> {
        let mut columns = (0..).zip(&self.header.columns).filter(|(_, column)| column.is_none());
        columns.find(|(at, _)| !self.record.cell(*at).trim_ascii().is_empty()).map(|(at, _)| at)
    }

    fn draft(&mut self, organisation: &OrganisationId) -> ProfileDraft {
        use Column as C;
        let people = |item: &str| Ok(cell::read_person(item, organisation));
        ProfileDraft {
            name: self.name(organisation),
            country: cell::read_country(self.get(C::Country)),
            time_zone: self.text(C::TimeZone),
            weekly_slots: self.weekly_slots(),
            roster: self.one(C::Roster, dates::read_roster),
            languages: self.list(C::Languages, cell::read_language),
            career_stage: cell::read_code::<Stage>(self.answer(C::CareerStage)),
            functions: self.codes::<Function>(C::Functions),
            commodities: self.codes::<Commodity>(C::Commodities),
            employer: self.text(C::Employer),
            competitor_group: self.text(C::CompetitorGroup),
            reporting_line: self.list(C::ReportingLine, people),
            meeting_modes: self.meeting_modes(),
            goals: self.codes::<Goal>(C::Goals),
            working_styles: self.codes::<WorkingStyle>(C::WorkingStyles),
            preferred: self.list(C::Preferred, people),
            avoided: self.list(C::Avoided, people),
            previous_partners: self.list(C::PreviousPartners, people),
            mentor_offer: self.mentor_offer(),
            mentee_request: self.mentee_request(),
            identity: self.identity(),
            consents: self.consents(),
        }
    }

    fn name(&mut self, organisation: &OrganisationId) -> String {
        let text = self.get(Column::ProfileId);
        match text.parse::<OwnId>() {
            Ok(id) if is_example(&id) => {
                self.note(
                    Column::ProfileId,
                    text,
                    "is a person of the template",
                    "replace the example rows by your members, each under an id of your own",
                );
                String::new()
            }
            Ok(id) => ProfileRef { organisation: organisation.clone(), id }.name(),
            Err(_) => {
                self.note(
                    Column::ProfileId,
                    text,
                    "is no id: an id has 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`",
                    "never use a name or an e-mail address",
                );
                String::new()
            }
        }
    }

    fn mentor_offer(&mut self) -> Option<MentorOfferDraft> {
        use Column as C;
        self.has_any(&[C::MinMentees, C::MaxMentees, C::TopicsOffered]).then(|| MentorOfferDraft {
            min_mentees: self.one(C::MinMentees, cell::number),
            max_mentees: self.one(C::MaxMentees, cell::number),
            topics: self.codes::<Topic>(C::TopicsOffered),
        })
    }

    fn mentee_request(&mut self) -> Option<MenteeRequestDraft> {
        use Column as C;
        self.has_any(&[C::MentorsWanted, C::TopicsSought, C::WaitingSince]).then(|| MenteeRequestDraft {
            mentors_wanted: self.one(C::MentorsWanted, cell::number),
            topics: self.codes::<Topic>(C::TopicsSought),
            waiting_since: self
                .one(C::WaitingSince, dates::read_day)
                .map(|day| day.to_string())
                .unwrap_or_default(),
        })
    }

    fn identity(&mut self) -> Option<IdentityDraft> {
        use Column as C;
        self.has_any(&[C::IdentityShares, C::IdentityWishes]).then(|| IdentityDraft {
            shares: self.codes::<IdentityTerm>(C::IdentityShares),
            wishes: self.codes::<IdentityTerm>(C::IdentityWishes),
        })
    }

    /// In the order in which a profile keeps them: by purpose, then time.
    fn consents(&mut self) -> Vec<ConsentDraft> {
        use Column as C;
        const MATCHING: [C; 4] =
            [C::MatchingVersion, C::MatchingLanguage, C::MatchingTime, C::MatchingWithdrawn];
        const IDENTITY: [C; 4] =
            [C::IdentityVersion, C::IdentityLanguage, C::IdentityTime, C::IdentityWithdrawn];
        let mut consents = self.list(C::EarlierConsents, earlier_consents::read_earlier_consent);
        for (purpose, columns) in [(ConsentPurpose::Matching, MATCHING), (ConsentPurpose::Identity, IDENTITY)]
        {
            if self.has_any(&columns) {
                let [version, language, give, withdraw] = columns;
                consents.push(ConsentDraft {
                    purpose: purpose as i32,
                    text_version: self.answer(version).to_owned(),
                    language: cell::read_tag(self.answer(language)),
                    give_time: self.one(give, dates::read_time),
                    withdraw_time: self.one(withdraw, dates::read_time),
                });
            }
        }
        // Stable, so that the present consent of a purpose stays behind the earlier ones.
        consents.sort_by_key(|consent| consent.purpose);
        consents
    }

    fn has_any(&mut self, columns: &[Column]) -> bool {
        columns.iter().any(|column| !self.answer(*column).is_empty())
    }

    /// A cell as text.
    fn text(&mut self, column: Column) -> String {
        self.get(column).to_owned()
    }

    /// A cell with one value, or empty.
    fn one<T>(&mut self, column: Column, read: impl FnOnce(&str) -> Result<T, Misread>) -> Option<T> {
        let text = self.answer(column);
        if text.is_empty() {
            return None;
        }
        read(text).map_err(|misread| self.note(column, text, misread.what, misread.hint)).ok()
    }

    /// The items of a list that could be read.
    fn list<T>(&mut self, column: Column, mut read: impl FnMut(&str) -> Result<T, Misread>) -> Vec<T> {
        let mut list = Vec::new();
        for item in cell::items(self.answer(column)) {
            match read(item) {
                Ok(value) => list.push(value),
                Err(misread) => self.note(column, item, misread.what, misread.hint),
            }
        }
        list
    }

    /// The codes of a list; the profile checks them.
    fn codes<K: Kind>(&mut self, column: Column) -> Vec<String> {
        cell::items(self.answer(column)).map(cell::read_code::<K>).collect()
    }

    fn weekly_slots(&mut self) -> Vec<SlotDraft> {
        let column = Column::WeeklyHours;
        let mut slots = Vec::new();
        for item in cell::long_items(self.answer(column)) {
            match hours::read_slots(item, &mut slots) {
                Ok(false) => {}
                Ok(true) => self.warn(column, item, WarningCode::HoursCut),
                Err(misread) => self.note(column, item, misread.what, misread.hint),
            }
        }
        slots
    }

    fn meeting_modes(&mut self) -> Vec<i32> {
        let column = Column::MeetingModes;
        let mut modes = Vec::new();
        for item in cell::joined_items(self.answer(column)) {
            match cell::read_meeting_modes(item) {
                Ok(some) => modes.extend(some),
                Err(misread) => self.note(column, item, misread.what, misread.hint),
            }
        }
        modes
    }

    /// A cell that may have no answer: empty also for `n/a`, `-` and the like, which is a warning.
    fn answer(&mut self, column: Column) -> &'a str {
        let text = self.get(column);
        let is_no_answer = column.may_say_no_answer()
            && cell::is_no_answer(text, column.is_number())
            && !(column.is_version() && cell::is_yes_or_no(text));
        if !is_no_answer {
            return text;
        }
        if !self.warnings.iter().any(|warning| warning.column == column.name()) {
            self.warn(column, text, WarningCode::NoAnswer);
        }
        ""
    }

    fn warn(&mut self, column: Column, value: &str, code: WarningCode) {
        if self.warnings.len() < MAX_PROBLEMS {
            self.warnings.push(CellWarning { column: column.name(), value: excerpt(value), code });
        }
    }

    /// A cell without blanks around it and without its guard; empty if the file has no such column or the cell is no
    /// text, which is noted.
    fn get(&mut self, column: Column) -> &'a str {
        let bytes = self.bytes(column);
        if let Ok(text) = std::str::from_utf8(bytes) {
            return cell::unguarded(cell::bare(text));
        }
        if !self.problems.iter().any(|problem| problem.column == column.name()) {
            let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
            self.note(column, &beginning, "is not UTF-8", "save the file as CSV (UTF-8)");
        }
        ""
    }

    fn bytes(&self, column: Column) -> &'a [u8] {
        self.header.positions[column as usize].map_or(&[], |at| self.record.cell(usize::from(at)))
    }

    fn note(&mut self, column: Column, value: &str, what: impl Into<Message>, hint: impl Into<Message>) {
        if self.problems.len() == MAX_PROBLEMS {
            return;
        }
        let (value, what, hint) = (excerpt(value), what.into(), hint.into());
        self.problems.push(CellProblem { column: column.name(), value, what, hint });
    }
}

/// Whether an id is one of the template's people, or was made from one.
fn is_example(id: &OwnId) -> bool {
    id.as_str().to_ascii_lowercase().starts_with(EXAMPLE_PREFIX)
}

/// A problem of the whole row.
fn whole(what: impl Into<Message>, hint: impl Into<Message>) -> CellProblem {
    CellProblem { column: "", value: String::new(), what: what.into(), hint: hint.into() }
}

/// The name that spreadsheets give to the column at a position: A to Z, AA and so on.
fn letters(at: usize) -> String {
    let mut name = Vec::new();
    let mut left = at + 1;
    while left > 0 {
        left -= 1;
        name.push(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[left % 26]);
        left /= 26;
    }
    name.iter().rev().map(|letter| char::from(*letter)).collect()
}
