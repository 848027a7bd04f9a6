//! Tables of people's files: CSV as spreadsheets of several languages write it, and Excel workbooks.
//!
//! Every table of the command line is read here: profiles, and the files of a problem.
//!
//! - **Text.** UTF-8 and UTF-16, with or without a byte order mark, and Windows-1252 ([`decode`]). Lines end in LF, CRLF or
//!   CR; a quoted cell may contain line ends and, doubled, quotation marks. Cells are separated by commas, semicolons, tabs or
//!   vertical bars: by the line `sep=` if there is one, otherwise by the one that the header has most of ([`text`]).
//! - **Workbooks.** The first visible sheet of an `.xlsx` file that has a cell ([`workbook`]).
//! - Every record has the number of the line, or of the row of the sheet, on which an editor shows its beginning. Records
//!   without content are skipped. Text is in Unicode normalization form C, so that equal names are equal bytes.
//! - A cell has at most 64 KiB and a record 256 KiB. The memory for text does not depend on the size of the file.

mod decode;
mod record;
mod text;
mod workbook;

use std::io::{self, Read};

pub use self::decode::{Note, OpenError};
pub use self::record::{MAX_CELL, MAX_RECORD, Oversize, Record};

use self::decode::Decoded;
use self::text::Records;
use self::workbook::Sheet;

/// A table, read record by record. The first record is the header.
#[derive(Debug)]
pub struct Table<R> {
    source: Source<R>,
}

#[derive(Debug)]
enum Source<R> {
    Text(Box<Records<Decoded<R>>>),
    Sheet(Sheet),
}

impl<R: Read> Table<R> {
    /// Recognises the kind of the file, and reads the header. The input needs no buffer of its own.
    pub fn open(input: R) -> Result<Self, OpenError> {
        let decoded = Decoded::new(input)?;
        let source = match decoded.kind() {
            decode::Kind::Text => Source::Text(Box::new(Records::new(decoded)?)),
            decode::Kind::Zip => Source::Sheet(Sheet::read(decoded.into_bytes(workbook::MOST_BYTES)?)?),
            decode::Kind::Other(kind) => return Err(OpenError::OtherKind(kind)),
        };
        let mut table = Self { source };
        if table.read()? { Ok(table) } else { Err(OpenError::Empty) }
    }

    /// Reads the next record with content; `false` at the end.
    pub fn read(&mut self) -> io::Result<bool> {
        loop {
            let found = match &mut self.source {
                Source::Text(records) => records.read()?,
                Source::Sheet(sheet) => sheet.read_next(),
            };
            if !found || self.record().oversize.is_some() || !self.record().is_blank() {
                return Ok(found);
            }
        }
    }

    /// The record read last.
    pub fn record(&self) -> &Record {
        match &self.source {
            Source::Text(records) => records.record(),
            Source::Sheet(sheet) => sheet.record(),
        }
    }

    /// Whether numbers of the file may have a decimal comma: cells are not separated by commas.
    pub fn has_decimal_comma(&self) -> bool {
        match &self.source {
            Source::Text(records) => records.delimiter() != b',',
            Source::Sheet(_) => true,
        }
    }

    /// What a reader of the file should know, so far.
    pub fn note(&self) -> Option<Note> {
        match &self.source {
            Source::Text(records) => records.input().note(),
            Source::Sheet(sheet) => sheet.note(),
        }
    }
}

#[cfg(test)]
mod tests;
