//! Bytes of a file as UTF-8: recognises the kind and the encoding from the beginning, and decodes as a stream.
//!
//! - UTF-8 and UTF-16 with a byte order mark, which is removed.
//! - UTF-16 without one: most bytes of one parity are zero at the beginning.
//! - Otherwise UTF-8. At the first byte that is not UTF-8 the file is Windows-1252, if everything before was ASCII: both
//!   encodings are the same up to there. If characters of UTF-8 came before, the file is neither, and its bytes stay.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// Bytes from which the kind of a file is recognised.
const BEGINNING: usize = 1024;

/// Something that a reader of the file should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The file is not in UTF-8: from this line on it was read as Windows-1252.
    Windows1252 {
        /// The line, from 1.
        line: u64,
    },
    /// The workbook has several sheets with content; this one was read.
    Sheet {
        /// Name of the sheet.
        name: String,
    },
}

/// Why a file cannot be read as a table.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The stream failed.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// The file is of another kind.
    #[error("the file is {0}")]
    OtherKind(&'static str),
    /// The file has no record.
    #[error("the file is empty")]
    Empty,
}

impl OpenError {
    /// What to do about a file of another kind.
    pub const HINT: &'static str = "save the table as CSV (UTF-8) or as an Excel workbook (.xlsx)";
}

/// Kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// A ZIP file, as workbooks are.
    Zip,
    /// Another kind, in words.
    Other(&'static str),
}

/// The encoding of a text.
enum Encoding {
    /// UTF-8, as long as nothing else is found.
    Utf8 {
        /// Whether all characters so far are ASCII.
        is_ascii: bool,
    },
    /// Neither UTF-8 nor Windows-1252: the bytes stay.
    Unknown,
    /// UTF-16 or Windows-1252.
    Other(Decoder),
}

/// A stream of bytes, decoded to UTF-8.
pub(super) struct Decoded<R> {
    input: R,
    raw: Box<[u8]>,
    start: usize,
    end: usize,
    at_end: bool,
    encoding: Encoding,
    /// Line ends before the present position, while the encoding may change.
    lines: u64,
    after_return: bool,
    note: Option<Note>,
    /// Why the beginning could not be read further.
    failure: Option<io::Error>,
}

impl<R> std::fmt::Debug for Decoded<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoded").field("note", &self.note).finish_non_exhaustive()
    }
}

impl<R: Read> Decoded<R> {
    /// Reads the beginning of a file, and recognises its encoding.
    pub(super) fn new(input: R) -> io::Result<Self> {
        let mut decoded = Self {
            input,
            raw: vec![0; CHUNK].into_boxed_slice(),
            start: 0,
            end: 0,
            at_end: false,
            encoding: Encoding::Utf8 { is_ascii: true },
            lines: 0,
            after_return: false,
            note: None,
            failure: None,
        };
        while !decoded.at_end && decoded.end < BEGINNING {
            if let Err(error) = decoded.fill() {
                if decoded.end == 0 {
                    return Err(error);
                }
                // What came before is read first.
                decoded.failure = Some(error);
                break;
            }
        }
        let beginning = &decoded.raw[..decoded.end];
        let utf16 = |encoding: &'static encoding_rs::Encoding| {
            Encoding::Other(encoding.new_decoder_without_bom_handling())
        };
        (decoded.encoding, decoded.start) = match beginning {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8 { is_ascii: true }, 3),
            [0xFF, 0xFE, ..] => (utf16(UTF_16LE), 2),
            [0xFE, 0xFF, ..] => (utf16(UTF_16BE), 2),
            _ => match zeros(beginning) {
                // Separators and digits are ASCII in every script.
                (0, odd) if 20 * odd >= beginning.len().max(1) => (utf16(UTF_16LE), 0),
                (even, 0) if 20 * even >= beginning.len().max(1) => (utf16(UTF_16BE), 0),
                _ => (Encoding::Utf8 { is_ascii: true }, 0),
            },
        };
        Ok(decoded)
    }

    /// The kind of the file.
    pub(super) fn kind(&self) -> Kind {
        let beginning = &self.raw[..self.end.min(BEGINNING)];
        let tag = beginning.trim_ascii_start();
        let tag = tag.get(..tag.len().min(15)).unwrap_or_default().to_ascii_lowercase();
        match beginning {
            [b'P', b'K', 3, 4, ..] => Kind::Zip,
            [0xD0, 0xCF, 0x11, 0xE0, ..] => {
                Kind::Other("an Excel workbook of the old format (.xls), or one with a password")
            }
            [b'%', b'P', b'D', b'F', ..] => Kind::Other("a PDF"),
            [0x1F, 0x8B, ..] => Kind::Other("compressed (gzip)"),
            _ if tag.starts_with(b"<!doctype html")
                || tag.starts_with(b"<html")
                || tag.starts_with(b"<table") =>
            {
                Kind::Other("a web page")
            }
            _ if tag.starts_with(b"<?xml") => Kind::Other("XML"),
            _ if tag.starts_with(b"{\\rtf") => Kind::Other("a text document (RTF)"),
            _ if matches!(self.encoding, Encoding::Utf8 { .. }) && first_line(beginning).contains(&0) => {
                Kind::Other("no text")
            }
            _ => Kind::Text,
        }
    }

    /// What a reader of the file should know, so far.
    pub(super) fn note(&self) -> Option<Note> {
        self.note.clone()
    }

    /// All bytes of the file as they are, at most `most`.
    pub(super) fn into_bytes(mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = self.raw[..self.end].to_vec();
        let left = (most + 1).saturating_sub(bytes.len()) as u64;
        self.input.by_ref().take(left).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads more bytes after those that are not yet used.
    fn fill(&mut self) -> io::Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.start > 0 {
            self.raw.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let count = loop {
            match self.input.read(&mut self.raw[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.at_end = count == 0;
        self.end += count;
        Ok(())
    }

    /// Copies bytes as they are.
    fn copy(&mut self, count: usize, out: &mut [u8]) -> usize {
        let count = count.min(out.len());
        let bytes = &self.raw[self.start..self.start + count];
        out[..count].copy_from_slice(bytes);
        (self.lines, self.after_return) = count_lines(bytes, self.lines, self.after_return);
        self.start += count;
        count
    }

    /// Copies characters of UTF-8; 0 if more bytes are needed or the encoding has changed.
    fn copy_characters(&mut self, is_ascii: bool, out: &mut [u8]) -> usize {
        let bytes = &self.raw[self.start..self.end.min(self.start + out.len())];
        let (valid, is_cut) = match std::str::from_utf8(bytes) {
            Ok(_) => (bytes.len(), false),
            // A character that is cut by the end of `out` or of the buffer.
            Err(error) => (error.valid_up_to(), error.error_len().is_none()),
        };
        if valid > 0 {
            self.encoding = Encoding::Utf8 { is_ascii: is_ascii && bytes[..valid].is_ascii() };
            return self.copy(valid, out);
        }
        if !is_cut || self.at_end {
            self.encoding = if is_ascii {
                self.note = Some(Note::Windows1252 { line: self.lines + 1 });
                Encoding::Other(WINDOWS_1252.new_decoder_without_bom_handling())
            } else {
                Encoding::Unknown
            };
        }
        0
    }
}

impl<R: Read> Read for Decoded<R> {
    /// `out` has room for at least one character.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            // A character of UTF-16 has up to four bytes.
            if self.end - self.start < 4 && !self.at_end {
                self.fill()?;
            }
            let is_over = self.start == self.end && self.at_end;
            let written = match &mut self.encoding {
                _ if out.is_empty() => return Ok(0),
                Encoding::Utf8 { .. } | Encoding::Unknown if is_over => return Ok(0),
                Encoding::Utf8 { is_ascii } => {
                    let is_ascii = *is_ascii;
                    self.copy_characters(is_ascii, out)
                }
                Encoding::Unknown => self.copy(self.end - self.start, out),
                Encoding::Other(decoder) => {
                    let raw = &self.raw[self.start..self.end];
                    let (result, used, written, _) = decoder.decode_to_utf8(raw, out, self.at_end);
                    self.start += used;
                    if self.at_end && result == CoderResult::InputEmpty {
                        // The decoder has finished, and nothing is left.
                        self.encoding = Encoding::Unknown;
                    }
                    written
                }
            };
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

fn first_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default()
}

/// Number of zero bytes at even and at odd positions.
fn zeros(bytes: &[u8]) -> (usize, usize) {
    let at = |parity: usize| bytes.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    (at(0), at(1))
}

/// Adds the line ends LF, CRLF and CR of some bytes to `lines`; also returns whether the bytes end with CR.
pub(super) fn count_lines(bytes: &[u8], mut lines: u64, mut after_return: bool) -> (u64, bool) {
    if !bytes.contains(&b'\r') {
        let first = u64::from(after_return && bytes.first() == Some(&b'\n'));
        let ends: u64 = bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum();
        return (lines + ends - first, after_return && bytes.is_empty());
    }
    for byte in bytes {
        lines += u64::from(*byte == b'\r' || *byte == b'\n' && !after_return);
        after_return = *byte == b'\r';
    }
    (lines, after_return)
}
