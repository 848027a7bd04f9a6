//! Records of a CSV stream in bounded memory.
//!
//! The parser is `csv-core`, which `csv` uses too. This module calls the parser directly, because `csv` reads a whole record
//! before the caller can reject it: a cell of 10 MiB would be held in memory, and a missing quotation mark would make the whole
//! file one record.

use std::io::{self, Read};

use csv_core::ReadRecordResult;

/// Most bytes of a cell.
pub(super) const MAX_CELL: usize = 64 * 1024;
/// Most bytes of a record.
pub(super) const MAX_RECORD: usize = 256 * 1024;
/// Most cells of a record.
const MAX_CELLS: usize = 1024;
/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// Bytes of an oversized cell that are kept for its excerpt.
const EXCERPT: usize = 400;

/// One record. Its buffers are used again for the next record.
#[derive(Debug)]
pub(super) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    len: usize,
    /// Physical line it begins on, from 1.
    pub(super) line: u64,
    /// Physical line it ends on.
    pub(super) last_line: u64,
    /// Why the record is not complete.
    pub(super) oversize: Option<Oversize>,
}

/// A record beyond a bound, which was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Oversize {
    /// A cell is longer than [`MAX_CELL`].
    Cell {
        /// Its position.
        at: usize,
        /// Its beginning.
        excerpt: String,
    },
    /// The record is longer than [`MAX_RECORD`].
    Record,
    /// The record has more than [`MAX_CELLS`] cells.
    Cells,
}

impl Record {
    /// Number of cells.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of a cell; empty beyond the last.
    pub(super) fn cell(&self, at: usize) -> &[u8] {
        if at >= self.len {
            return &[];
        }
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    /// Whether every cell is blank. Spreadsheets write such rows below a table.
    pub(super) fn is_blank(&self) -> bool {
        let end = if self.len == 0 { 0 } else { self.ends[self.len - 1] };
        self.bytes[..end].iter().all(u8::is_ascii_whitespace)
    }
}

/// Reads records one by one.
#[derive(Debug)]
pub(super) struct Records<R> {
    input: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    at_end: bool,
    parser: csv_core::Reader,
    line: u64,
    record: Record,
}

impl<R: Read> Records<R> {
    /// Starts reading: skips a byte order mark and takes the delimiter from the first line.
    pub(super) fn new(input: R) -> io::Result<Self> {
        let mut records = Self {
            input,
            buffer: vec![0; CHUNK].into_boxed_slice(),
            start: 0,
            end: 0,
            at_end: false,
            parser: csv_core::Reader::new(),
            line: 1,
            record: Record {
                bytes: vec![0; 4 * 1024],
                ends: vec![0; 64],
                len: 0,
                line: 1,
                last_line: 1,
                oversize: None,
            },
        };
        while !records.at_end && records.end < CHUNK && !records.buffer[..records.end].contains(&b'\n') {
            records.fill()?;
        }
        if records.buffer[..records.end].starts_with(b"\xEF\xBB\xBF") {
            records.start = 3;
        }
        let unread = &records.buffer[records.start..records.end];
        let first_line = unread.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let count = |delimiter| first_line.split(|byte| *byte == delimiter).count();
        let delimiter = if count(b';') > count(b',') { b';' } else { b',' };
        records.parser = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Ok(records)
    }

    /// Beginning of the bytes that are read and not yet used: enough to recognise a file of another kind.
    pub(super) fn peek(&self) -> &[u8] {
        &self.buffer[self.start..self.end.min(self.start + 16)]
    }

    /// The record read last.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// Reads the next record; `false` at the end of the stream.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        self.pass_empty_lines()?;
        let (mut out, mut cells) = (0, 0);
        self.record.oversize = None;
        self.record.line = self.line;
        loop {
            if self.start == self.end && !self.at_end {
                self.fill()?;
            }
            let (result, used, written, ended) = self.parser.read_record(
                &self.buffer[self.start..self.end],
                &mut self.record.bytes[out..],
                &mut self.record.ends[cells..],
            );
            self.line += newlines(&self.buffer[self.start..self.start + used]);
            self.start += used;
            out += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.record.bytes.len() < MAX_RECORD => {
                    let longer = (self.record.bytes.len() * 2).min(MAX_RECORD);
                    self.record.bytes.resize(longer, 0);
                }
                ReadRecordResult::OutputFull => {
                    self.refuse(cells);
                    out = 0;
                }
                ReadRecordResult::OutputEndsFull if self.record.ends.len() < MAX_CELLS => {
                    self.record.ends.resize(MAX_CELLS, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    self.record.oversize.get_or_insert(Oversize::Cells);
                    cells = 0;
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(false),
            }
        }
        self.record.len = if self.record.oversize.is_some() { 0 } else { cells };
        self.record.last_line = self.line.max(self.record.line);
        if self.record.oversize.is_none() && out > MAX_CELL {
            self.refuse_long_cell();
        }
        Ok(true)
    }

    /// Notes that the record exceeded its bound in cell `at`.
    fn refuse(&mut self, at: usize) {
        if self.record.oversize.is_some() {
            return;
        }
        let start = if at == 0 { 0 } else { self.record.ends[at - 1] };
        let beginning = &self.record.bytes[start..];
        self.record.oversize = Some(if beginning.len() > MAX_CELL {
            Oversize::Cell { at, excerpt: excerpt(beginning) }
        } else {
            Oversize::Record
        });
    }

    /// Rejects a whole record for the first cell that is too long, if any.
    fn refuse_long_cell(&mut self) {
        let record = &mut self.record;
        if let Some(at) = (0..record.len).find(|at| record.cell(*at).len() > MAX_CELL) {
            record.oversize = Some(Oversize::Cell { at, excerpt: excerpt(record.cell(at)) });
            record.len = 0;
        }
    }

    /// Skips line ends before a record, so that the record has the number of its own line.
    fn pass_empty_lines(&mut self) -> io::Result<()> {
        loop {
            if self.start == self.end {
                if self.at_end {
                    return Ok(());
                }
                self.fill()?;
                continue;
            }
            match self.buffer[self.start] {
                b'\n' => self.line += 1,
                b'\r' => {}
                _ => return Ok(()),
            }
            self.start += 1;
        }
    }

    /// Reads more bytes after those that are not yet used.
    fn fill(&mut self) -> io::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        let count = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.at_end = count == 0;
        self.end += count;
        Ok(())
    }
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT)]).into_owned()
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}
