//! The first sheet of an Excel workbook (`.xlsx`) as records.
//!
//! A cell is the text that a person typed: a date as `2026-12-31`, a time as `18:30`, a number in up to 15 digits, as Excel
//! shows it. Rows keep their numbers. The workbook is read whole: a file of at most 32 MiB that unpacks to at most 512 MiB.

use std::io::{self, Cursor};

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetVisible, Xlsx, XlsxError};

use super::decode::{Note, OpenError};
use super::record::{MAX_CELLS, MAX_RECORD, Oversize, Record};

/// Most bytes of a file.
pub(super) const MOST_BYTES: usize = 32 << 20;
/// Most bytes of all parts of a file, unpacked.
const MOST_UNPACKED: u64 = 512 << 20;

/// A row with content.
#[derive(Debug, Default)]
struct Row {
    line: u64,
    /// Columns with content, ascending, and their texts.
    cells: Vec<(usize, String)>,
    is_too_wide: bool,
}

/// The rows of a sheet.
#[derive(Debug)]
pub(super) struct Sheet {
    rows: std::vec::IntoIter<Row>,
    record: Record,
    note: Option<Note>,
}

impl Sheet {
    /// Reads the first visible sheet that has a cell.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, OpenError> {
        if bytes.len() > MOST_BYTES {
            return Err(OpenError::OtherKind("a workbook of more than 32 MiB"));
        }
        let unpacked = zip::ZipArchive::new(Cursor::new(&bytes)).ok().and_then(|zip| zip.decompressed_size());
        if unpacked.is_none_or(|bytes| bytes > u128::from(MOST_UNPACKED)) {
            return Err(OpenError::OtherKind(
                "a workbook that unpacks to more than 512 MiB, or a damaged one",
            ));
        }
        let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| other_kind(&error))?;
        let sheets = workbook.sheets_metadata().iter();
        let visible: Vec<String> = sheets
            .filter(|sheet| sheet.visible == SheetVisible::Visible)
            .map(|sheet| sheet.name.clone())
            .collect();
        let mut found: Option<(String, Vec<Row>)> = None;
        for name in visible {
            let has_content = found.is_some();
            let rows = rows(&mut workbook, &name, has_content).map_err(|error| other_kind(&error))?;
            match &found {
                None if !rows.is_empty() => found = Some((name, rows)),
                Some((first, _)) if !rows.is_empty() => {
                    let note = Some(Note::Sheet { name: first.clone() });
                    let rows = found.map(|(_, rows)| rows).unwrap_or_default();
                    return Ok(Self { rows: rows.into_iter(), record: Record::default(), note });
                }
                _ => {}
            }
        }
        let rows = found.map(|(_, rows)| rows).unwrap_or_default();
        Ok(Self { rows: rows.into_iter(), record: Record::default(), note: None })
    }

    /// Takes the next row; `false` after the last.
    pub(super) fn read_next(&mut self) -> bool {
        let Some(row) = self.rows.next() else { return false };
        let record = &mut self.record;
        (record.line, record.last_line, record.oversize, record.len) = (row.line, row.line, None, 0);
        let len: usize = row.cells.iter().map(|(_, text)| text.len()).sum();
        if row.is_too_wide {
            record.oversize = Some(Oversize::Cells);
        } else if len > MAX_RECORD {
            record.oversize = Some(Oversize::Record);
        }
        if record.oversize.is_some() {
            return true;
        }
        record.bytes.clear();
        record.ends.clear();
        for (at, text) in row.cells {
            record.ends.resize(at, record.bytes.len());
            record.bytes.extend(text.into_bytes());
            record.ends.push(record.bytes.len());
        }
        record.complete(record.ends.len());
        record.refuse_long_cell();
        true
    }

    /// The row taken last.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// What a reader of the file should know.
    pub(super) fn note(&self) -> Option<Note> {
        self.note.clone()
    }
}

/// The rows of a sheet that have content; only the first if `one` is enough.
fn rows(workbook: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &str, one: bool) -> Result<Vec<Row>, XlsxError> {
    let mut cells = match workbook.worksheet_cells_reader(sheet) {
        Ok(cells) => cells,
        // A sheet of charts has no cells.
        Err(XlsxError::NotAWorksheet(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut rows: Vec<Row> = Vec::new();
    while let Some(cell) = cells.next_cell()? {
        let ((row, column), text) = (cell.get_position(), shown(cell.get_value()));
        if text.trim().is_empty() {
            continue;
        }
        let line = u64::from(row) + 1;
        if rows.last().is_none_or(|last| last.line != line) {
            if one && !rows.is_empty() {
                break;
            }
            rows.push(Row { line, ..Row::default() });
        }
        if let Some(last) = rows.last_mut() {
            match usize::try_from(column) {
                Ok(column) if column < MAX_CELLS => last.cells.push((column, text)),
                _ => last.is_too_wide = true,
            }
        }
    }
    Ok(rows)
}

/// A cell as the text that a person sees.
fn shown(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => digits(*number),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(moment) => moment_of(moment),
        DataRef::Error(error) => error.to_string(),
    }
}

/// A number in up to 15 digits.
fn digits(number: f64) -> String {
    // Rounding to 15 digits removes what the binary form adds: 0.1 + 0.2 is 0.3.
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    rounded.to_string()
}

fn moment_of(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let time = match second {
        0 => format!("{hour:02}:{minute:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    };
    let days = moment.as_f64();
    if moment.is_duration() || days < 1.0 {
        return time;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if days.fract() == 0.0 { date } else { format!("{date} {time}") }
}

fn other_kind(error: &XlsxError) -> OpenError {
    match error {
        XlsxError::Password => OpenError::OtherKind("a workbook with a password"),
        XlsxError::Io(error) => OpenError::Io(io::Error::new(error.kind(), error.to_string())),
        _ => OpenError::OtherKind("a ZIP file, but no Excel workbook (.xlsx)"),
    }
}
