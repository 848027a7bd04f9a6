//! Records of a CSV stream in bounded memory.
//!
//! The parser is `csv-core`, which `csv` uses too. This module calls the parser directly, because `csv` reads a whole record
//! before the caller can reject it: a cell of 10 MiB would be held in memory, and a missing quotation mark would make the whole
//! file one record.

use std::io::{self, Read};

use csv_core::ReadRecordResult;

use super::decode::count_lines;
use super::record::{MAX_CELL, MAX_CELLS, MAX_RECORD, Oversize, Record};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// The bytes that may separate cells, the usual one first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads records one by one.
#[derive(Debug)]
pub(super) struct Records<R> {
    input: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    at_end: bool,
    parser: csv_core::Reader,
    delimiter: u8,
    line: u64,
    after_return: bool,
    record: Record,
}

impl<R: Read> Records<R> {
    /// Starts reading a stream of UTF-8, and takes the delimiter from the line `sep=` or from the header.
    pub(super) fn new(input: R) -> io::Result<Self> {
        let mut records = Self {
            input,
            buffer: vec![0; CHUNK].into_boxed_slice(),
            start: 0,
            end: 0,
            at_end: false,
            parser: csv_core::Reader::new(),
            delimiter: b',',
            line: 1,
            after_return: false,
            record: Record::default(),
        };
        // The stream needs room for a whole character.
        while !records.at_end && records.end + 4 <= CHUNK && !has_header(&records.buffer[..records.end]) {
            records.fill()?;
        }
        records.delimiter = match records.take_separator_line() {
            Some(delimiter) => delimiter,
            None => delimiter_of(&records.buffer[..records.end]),
        };
        records.parser = csv_core::ReaderBuilder::new().delimiter(records.delimiter).build();
        Ok(records)
    }

    /// The byte that separates cells.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The stream.
    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// The record read last.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// Passes the line `sep=;` that some spreadsheets write before the header, and returns its delimiter.
    fn take_separator_line(&mut self) -> Option<u8> {
        let unread = &self.buffer[..self.end];
        let end = unread.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(unread.len());
        let line = unread[..end].strip_prefix(b"\"").unwrap_or(&unread[..end]);
        let rest = line.get(4..).filter(|_| line[..4].eq_ignore_ascii_case(b"sep="))?;
        let delimiter = *rest.first()?;
        // A quotation mark and empty cells may follow.
        let is_line =
            rest[1..].iter().all(|byte| *byte == b'"' || DELIMITERS.contains(byte) || *byte == b' ');
        (is_line && delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric()).then(|| {
            self.start = end;
            delimiter
        })
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
            self.pass(used);
            out += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.record.bytes.len() < MAX_RECORD => {
                    let longer = (self.record.bytes.len() * 2).min(MAX_RECORD);
                    self.record.bytes.resize(longer, 0);
                }
                ReadRecordResult::OutputFull => {
                    self.record.refuse(cells);
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
        self.record.complete(if self.record.oversize.is_some() { 0 } else { cells });
        self.record.last_line = self.line.max(self.record.line);
        if self.record.oversize.is_none() && out > MAX_CELL {
            self.record.refuse_long_cell();
        }
        Ok(true)
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
            if !matches!(self.buffer[self.start], b'\n' | b'\r') {
                return Ok(());
            }
            self.pass(1);
        }
    }

    /// Counts the lines of bytes that are used.
    fn pass(&mut self, used: usize) {
        let bytes = &self.buffer[self.start..self.start + used];
        (self.line, self.after_return) = count_lines(bytes, self.line, self.after_return);
        self.start += used;
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

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| matches!(byte, b'\n' | b'\r'))
}

fn has_content(line: &&[u8]) -> bool {
    line.iter().any(|byte| !DELIMITERS.contains(byte) && !byte.is_ascii_whitespace())
}

/// Whether the beginning of a stream contains a whole header, also after a line `sep=`.
fn has_header(beginning: &[u8]) -> bool {
    lines(beginning).filter(has_content).count() > 2
}

/// The delimiter that the first line with content has most of, outside quotation marks.
fn delimiter_of(beginning: &[u8]) -> u8 {
    let line = lines(beginning).find(has_content).or_else(|| lines(beginning).next()).unwrap_or_default();
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut is_quoted = false;
    for byte in line {
        is_quoted ^= *byte == b'"';
        if let Some(at) = DELIMITERS.iter().position(|delimiter| delimiter == byte && !is_quoted) {
            counts[at] += 1;
        }
    }
    let most = counts.iter().max().copied().unwrap_or_default();
    counts.iter().position(|count| *count == most).map_or(b',', |at| DELIMITERS[at])
}
