//! Printing. Data goes to standard output: tables for people, JSON for programs. Everything else goes to standard error.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};
use terminal_size::{Width, terminal_size};

use super::error::Error;
use super::json::to_json;
use crate::domain::message::Message;
use crate::domain::vocabulary::Lang;
use crate::wording;

/// Characters per line of a table that is not written to a terminal.
const WIDTH_OF_FILES: u16 = 110;

/// Writes a line of data to standard output. A closed pipe ends the program with success: the reader, for example `head`,
/// needs no more lines.
pub fn data(line: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written,
    }
}

/// The path by which this program was called, for commands that a person copies.
pub fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "wim-match".to_owned())
}

/// Writes a line to standard error.
pub fn say(line: &str) {
    // When standard error is closed, there is no place left to report that.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes a message to standard output as canonical proto JSON, on one line.
pub fn json<M: prost::Message + prost::Name>(message: &M) -> Result<(), Error> {
    Ok(data(&to_json(message)?)?)
}

/// Writes messages to standard output: one JSON object each, or the rows of a table.
pub fn items<M: prost::Message + prost::Name, const N: usize>(
    items: &[M],
    header: &[Message; N],
    row: impl Fn(&M) -> [String; N],
    in_json: bool,
    lang: Lang,
) -> Result<(), Error> {
    if in_json {
        return items.iter().try_for_each(json);
    }
    let mut rows = titled(header, lang);
    for item in items {
        rows.add_row(row(item));
    }
    Ok(data(&rows.to_string())?)
}

/// Writes a message to standard error, in the language of the reader.
pub fn tell(message: &Message, lang: Lang) {
    say(&wording::message(message, lang));
}

/// Writes a message to standard output, in the language of the reader.
pub fn show(message: &Message, lang: Lang) -> io::Result<()> {
    data(&wording::message(message, lang))
}

/// A list of labels with their values, in the language of the reader.
pub fn labels(rows: impl IntoIterator<Item = (Message, Message)>, lang: Lang) -> Table {
    let mut list = table(&[]);
    for (label, value) in rows {
        list.add_row([label, value].map(|text| wording::message(&text, lang)));
    }
    list
}

/// A table as [`table`] makes it, whose header is in the language of the reader.
pub fn titled(header: &[Message], lang: Lang) -> Table {
    let header: Vec<String> = header.iter().map(|column| wording::message(column, lang)).collect();
    table(&header.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A table that fits the terminal. It has no vertical lines, so that it can be copied. Without a header it is a list.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if !io::stdout().is_terminal() {
        table.set_width(WIDTH_OF_FILES);
    } else if let Some((Width(width), _)) = terminal_size() {
        table.set_width(width);
    }
    table
}

/// Right-aligns the numbers of a column.
pub fn align_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
