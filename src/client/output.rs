//! Printing: tables for people, JSON for programs, and a line to standard error for everything that is not data.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::LazyLock;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use crate::api::proto::DESCRIPTORS;

/// Writes a line of data to standard output. A closed pipe is not an error: the reader has seen enough.
pub fn data(line: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written,
    }
}

/// This program as it was called, for lines that people copy.
pub fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "wim-match".to_owned())
}

/// Writes a line to standard error.
pub fn say(line: &str) {
    // Nothing can be done, and nobody told, when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints a message as canonical proto JSON, on one line.
pub fn json<M: prost::Message + prost::Name>(message: &M) -> anyhow::Result<()> {
    Ok(data(&to_json(message)?)?)
}

/// A message as canonical proto JSON, on one line.
pub fn to_json<M: prost::Message + prost::Name>(message: &M) -> anyhow::Result<String> {
    let dynamic = DynamicMessage::decode(descriptor::<M>()?, message.encode_to_vec().as_slice())?;
    Ok(serde_json::to_string(&dynamic)?)
}

/// Reads a message from canonical proto JSON.
pub fn from_json<M: prost::Message + prost::Name + Default>(text: &str) -> anyhow::Result<M> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(descriptor::<M>()?, &mut reader)?;
    reader.end()?;
    Ok(M::decode(dynamic.encode_to_vec().as_slice())?)
}

fn descriptor<M: prost::Name>() -> anyhow::Result<MessageDescriptor> {
    static POOL: LazyLock<Option<DescriptorPool>> =
        LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).ok());
    let found = POOL.as_ref().and_then(|pool| pool.get_message_by_name(&M::full_name()));
    found.ok_or_else(|| anyhow::anyhow!("{} is not in the descriptor set", M::full_name()))
}

/// A table that fits the terminal, without boxes: it can be cut and pasted. Without a header it is a plain list.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if !io::stdout().is_terminal() {
        table.set_width(110);
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

/// A score as people read it: 8,734 is `87.34 %`.
pub fn percent(score: u16) -> String {
    format!("{}.{:02} %", score / 100, score % 100)
}

/// A number with thousands separated.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let shown: Vec<String> = [0, 999, 1_000, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(percent(8_734), "87.34 %");
        assert_eq!(percent(5), "0.05 %");
    }
}
