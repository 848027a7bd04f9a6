//! A record of a table: its cells, and the line on which it begins.

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// Most bytes of a cell.
pub const MAX_CELL: usize = 64 * 1024;
/// Most bytes of a record.
pub const MAX_RECORD: usize = 256 * 1024;
/// Most cells of a record.
pub(super) const MAX_CELLS: usize = 1024;
/// Bytes of an oversized cell that are kept for its excerpt.
const EXCERPT: usize = 400;

/// One record. Its buffers are used again for the next record.
#[derive(Debug)]
pub struct Record {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
    pub(super) len: usize,
    /// Number of cells that the file has, with empty cells at the end.
    pub given: usize,
    /// Physical line on which the record begins, from 1.
    pub line: u64,
    /// Physical line on which the record ends.
    pub last_line: u64,
    /// Why the record is not complete.
    pub oversize: Option<Oversize>,
}

/// A record beyond a bound, which was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oversize {
    /// A cell is longer than [`MAX_CELL`].
    Cell {
        /// Its position.
        at: usize,
        /// Its beginning.
        excerpt: String,
    },
    /// The record is longer than [`MAX_RECORD`].
    Record,
    /// The record has more cells than any table.
    Cells,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            bytes: vec![0; 4 * 1024],
            ends: vec![0; 64],
            len: 0,
            given: 0,
            line: 1,
            last_line: 1,
            oversize: None,
        }
    }
}

impl Record {
    /// Number of cells, without empty cells at the end.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of a cell; empty beyond the last.
    pub fn cell(&self, at: usize) -> &[u8] {
        if at >= self.len {
            return &[];
        }
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    /// Text of a cell without blanks around it; `None` if it is no text in UTF-8.
    pub fn text(&self, at: usize) -> Option<&str> {
        std::str::from_utf8(self.cell(at)).ok().map(str::trim)
    }

    /// Whether every cell is blank. Spreadsheets write such rows below a table.
    pub fn is_blank(&self) -> bool {
        (0..self.len).all(|at| is_blank(self.cell(at)))
    }

    /// Takes `len` cells: empty cells at the end are nothing, and text is normalized.
    pub(super) fn complete(&mut self, len: usize) {
        (self.len, self.given) = (len, len);
        let end = if len == 0 { 0 } else { self.ends[len - 1] };
        if !self.bytes[..end].is_ascii() {
            self.normalize();
        }
        while self.len > 0 && is_blank(self.cell(self.len - 1)) {
            self.len -= 1;
        }
    }

    /// Brings each cell that is text into Unicode normalization form C.
    fn normalize(&mut self) {
        let is_normal = |cell: &[u8]| {
            std::str::from_utf8(cell).map_or(true, |text| is_nfc_quick(text.chars()) == IsNormalized::Yes)
        };
        if (0..self.len).all(|at| is_normal(self.cell(at))) {
            return;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut ends = Vec::with_capacity(self.ends.len());
        for at in 0..self.len {
            match std::str::from_utf8(self.cell(at)) {
                Ok(text) => bytes.extend(text.nfc().collect::<String>().into_bytes()),
                Err(_) => bytes.extend_from_slice(self.cell(at)),
            }
            ends.push(bytes.len());
        }
        bytes.resize(bytes.len().max(self.bytes.len()), 0);
        ends.resize(ends.len().max(self.ends.len()), 0);
        (self.bytes, self.ends) = (bytes, ends);
    }

    /// Notes that the record exceeded its bound in cell `at`.
    pub(super) fn refuse(&mut self, at: usize) {
        if self.oversize.is_some() {
            return;
        }
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        let beginning = &self.bytes[start..];
        self.oversize = Some(if beginning.len() > MAX_CELL {
            Oversize::Cell { at, excerpt: excerpt(beginning) }
        } else {
            Oversize::Record
        });
    }

    /// Rejects a whole record for the first cell that is too long, if any.
    pub(super) fn refuse_long_cell(&mut self) {
        if let Some(at) = (0..self.len).find(|at| self.cell(*at).len() > MAX_CELL) {
            self.oversize = Some(Oversize::Cell { at, excerpt: excerpt(self.cell(at)) });
            self.len = 0;
        }
    }
}

/// Whether a cell has no content: nothing, or blanks of any kind.
fn is_blank(cell: &[u8]) -> bool {
    cell.iter().all(u8::is_ascii_whitespace)
        || std::str::from_utf8(cell).is_ok_and(|text| text.trim().is_empty())
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT)]).into_owned()
}
