//! Writes check-ins as CSV. The reader returns the same drafts.

use std::io::{self, Write};

use super::cell::{write_flag, write_score, write_side};
use super::column::Column;
use crate::domain::mentorship::check_in::{CheckInDraft, Instrument, Point};
use crate::profile_csv::cell::guarded;

/// One line of a file.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Resource name of the mentorship.
    pub mentorship: &'a str,
    /// The organisation's own id for the person.
    pub own_id: &'a str,
    /// What she has answered.
    pub draft: &'a CheckInDraft,
}

/// Writes check-ins under the full header: commas, LF, UTF-8 without a byte order mark.
#[derive(Debug)]
pub struct CheckInWriter<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> CheckInWriter<W> {
    /// Writes the header.
    pub fn new(output: W) -> io::Result<Self> {
        let mut csv = csv::Writer::from_writer(output);
        csv.write_record(Column::ALL.map(Column::name)).map_err(io::Error::from)?;
        Ok(Self { csv })
    }

    /// Writes one check-in.
    pub fn write(&mut self, line: Line<'_>) -> io::Result<()> {
        let cells = Column::ALL.map(|column| content(line, column));
        self.csv.write_record(cells.iter().map(|cell| guarded(cell).into_owned())).map_err(io::Error::from)
    }

    /// Ends the file and returns the output. Without this call the last rows may be missing.
    pub fn finish(mut self) -> io::Result<W> {
        self.csv.flush()?;
        self.csv.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}

/// Writes a file to fill in: the header and an example row, which an import refuses.
pub fn write_template<W: Write>(output: W) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(output);
    csv.write_record(Column::ALL.map(Column::name)).map_err(io::Error::from)?;
    csv.write_record(Column::ALL.map(Column::example)).map_err(io::Error::from)?;
    csv.flush()
}

/// Content of the cell of a column.
fn content(line: Line<'_>, column: Column) -> String {
    use Column as C;
    let Line { mentorship, own_id, draft } = line;
    let answers = &draft.answers;
    let number = |answer: Option<i32>| answer.map(|number| number.to_string()).unwrap_or_default();
    let flag = |answer: Option<bool>| answer.map(write_flag).unwrap_or_default().to_owned();
    let measured = draft.measurement.as_ref();
    match column {
        C::Mentorship => mentorship.trim_start_matches("rounds/").replacen("/mentorships/", "/", 1),
        C::ProfileId => own_id.to_owned(),
        C::Side => draft.side.map(write_side).unwrap_or_default().to_owned(),
        C::Point => draft.point.map(Point::as_str).unwrap_or_default().to_owned(),
        C::Date => draft.date.clone(),
        C::Meetings => number(answers.meetings),
        C::Minutes => number(answers.minutes),
        C::Satisfaction => number(answers.satisfaction),
        C::Recommend => number(answers.recommend),
        C::GoalsAchieved => number(answers.goals_achieved),
        C::GoalsPartly => number(answers.goals_partly),
        C::GoalsMissed => number(answers.goals_missed),
        C::Promoted => flag(answers.promoted),
        C::ChangedRole => flag(answers.changed_role),
        C::InSector => flag(answers.in_sector),
        C::Instrument => {
            let instrument = measured.and_then(|(instrument, ..)| *instrument);
            instrument.map(Instrument::as_str).unwrap_or_default().to_owned()
        }
        C::InstrumentVersion => measured.map(|(_, version, _)| version.clone()).unwrap_or_default(),
        C::InstrumentScore => measured.map(|(.., score)| write_score(*score)).unwrap_or_default(),
    }
}
