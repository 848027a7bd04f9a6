//! The CSV form of profiles: reads a spreadsheet of an organisation into drafts, and writes drafts back.
//!
//! # The file
//!
//! - A table in any form that [`crate::table`] reads: CSV of several dialects and encodings, or an Excel workbook.
//! - The first row names the columns, in any order, by name or by label in any language. `profile_id`, `country`, `time_zone`
//!   and `languages` must be there. An unknown or repeated column is an error: a misspelt column would
//!   otherwise lose all its answers without a message.
//! - Every further row is one person. Rows without any content are skipped. An empty cell is a missing answer, and
//!   so is a word such as `n/a` in a column that may be empty, with a warning.
//! - A cell has at most 64 KiB, a row 256 KiB. Every error of a row is reported with its line and column, and
//!   reading continues with the next row. Memory use does not depend on the size of the file.
//!
//! # Cells
//!
//! Items of a list are separated by `|`, `;`, `,` or a line break. No item contains any of these, so one rule is enough for
//! files with either delimiter. The writer uses ` | `. The table of [`mod@column`] defines the content of each column. The
//! template ([`write_template`]), the description ([`describe_columns`]) and the map from a rejected field to its column
//! ([`column_of`]) are derived from this table.
//!
//! A cell is read in the forms that people write, if it has one reading: labels of codes in any language, days, hours, dates and
//! numbers. A cell with two readings is refused with both. The writer writes one form.
//!
//! People are named by the bare id inside their own organisation, and as `{organisation}/{id}` elsewhere.
//!
//! # Spreadsheets run formulas
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula. The writer puts
//! an apostrophe before such a cell, and before a cell that begins with an apostrophe. The reader removes exactly this
//! apostrophe. Ids may begin with `-`, so ordinary data needs the apostrophe too.
//!
//! # Export equals import
//!
//! A draft that [`Profile::parse`](crate::domain::profile::Profile::parse) accepts, in the order of a stored profile, is
//! equal to the draft that the reader returns for its written form. The one exception is an identity without any answer,
//! which is read as no identity.

pub(crate) mod cell;
pub mod column;
pub(crate) mod dates;
mod earlier_consents;
mod hours;
mod reader;
mod writer;

pub use column::{Column, column_of, describe_columns};
pub use reader::{BadRow, CellProblem, CellWarning, OpenError, ProfileReader, Row, RowError};
pub use writer::{ProfileWriter, write_template};

#[cfg(test)]
mod tests;
