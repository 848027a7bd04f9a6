//! The CSV form of check-ins: reads what a survey tool exports, and writes check-ins back.
//!
//! - The file is a table in any form that [`crate::table`] reads. The first row names the columns, in any order, by name or by
//!   label in any language; `data/check_in_columns.csv` has the labels. `mentorship`, `point` and `date` must be there, and
//!   one of `profile_id` and `side`. An unknown or repeated column is an error: a misspelt one would lose its answers.
//! - Every further row is one check-in. An empty cell, or a word such as `n/a`, was not answered, which is not 0.
//! - Every error of a row is reported with its line and column, and reading continues with the next row.
//! - The writer puts an apostrophe before a cell that a spreadsheet would run as a formula, and the reader removes it.
//! - What the writer writes is read as the same check-in.

mod cell;
mod column;
mod reader;
mod writer;

pub use column::{Column, column_of, describe_columns};
pub use reader::{CheckInReader, ReadCheckIn};
pub use writer::{CheckInWriter, Line, write_template};

#[cfg(test)]
mod tests;
