//! The CSV form of profiles: what an organisation keeps in a spreadsheet, read into drafts and written back.
//!
//! # The file
//!
//! - UTF-8, with or without a byte order mark. Cells are separated by commas or by semicolons, whichever the header line
//!   has more of; quotation marks as in RFC 4180, so a quoted cell may run over several lines. Lines end in LF or CRLF.
//! - The first line names the columns, in any order, in capitals or not. `profile_id`, `country`, `time_zone` and
//!   `languages` must be there. A column that is not known, or given twice, is an error: a misspelt column would
//!   otherwise lose everybody's answers in silence.
//! - Every further row is one person. Rows without any content are passed over. An empty cell is a missing answer.
//! - A cell has at most 64 KiB, a row 256 KiB. Whatever is wrong with a row is reported with its line and column, and
//!   reading goes on with the next row. Memory use does not depend on the size of the file.
//!
//! # Cells
//!
//! Items of a list are separated by `|`, `;`, `,` or a line break: no item holds any of them, so one rule serves files of
//! either delimiter. The writer uses ` | `. What each column holds is in the table of [`mod@column`], and only there; it
//! also makes the template ([`write_template`]), the text for people ([`describe_columns`]) and the way back from a field
//! that the service refuses to the column it came from ([`column_of`]).
//!
//! People are named by the bare id inside their own organisation, and as `{organisation}/{id}` elsewhere.
//!
//! # Spreadsheets run formulas
//!
//! A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return would be run as a formula when the file is
//! opened. The writer puts an apostrophe before it (and before an apostrophe of its own); the reader takes exactly that
//! apostrophe off again. Ids may begin with `-`, so this happens to honest data too, and export still equals import.
//!
//! # Export equals import
//!
//! For every draft that [`Profile::parse`](crate::domain::profile::Profile::parse) accepts, and that is in the order in
//! which a stored profile is given out, reading what the writer wrote gives the same draft. The one exception is an
//! identity without any answer, which reads back as no identity.

mod cell;
pub mod column;
mod reader;
mod record;
mod writer;

pub use column::{Column, column_of, describe_columns};
pub use reader::{BadRow, CellProblem, OpenError, ProfileReader, Row, RowError};
pub use writer::{ProfileWriter, write_template};

#[cfg(test)]
mod tests;
