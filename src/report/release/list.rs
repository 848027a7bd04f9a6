//! A report as lists for machines: CSV with one number a line, and JSON.

use serde_json::json;

use super::labels::Labels;
use crate::domain::report::{Cell, Content, Report, Row, Table};
use crate::report::spreadsheet::not_a_formula;
use crate::wording;

/// All numbers, one a line: table, row, column, value, unit, and why it is withheld. The value has a point before its decimals in every
/// language, and codes stand beside labels, so that a program reads the file in any language.
pub(super) fn csv(content: &Content, labels: Labels) -> csv::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(labels.lang.conventions().csv_separator)
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    let titles =
        ["list_table", "list_row", "list_column", "list_value", "list_unit", "list_note", "list_codes"];
    writer.write_record(titles.map(|key| labels.text(key)))?;
    for table in &content.tables {
        for row in &table.rows {
            for (column, cell) in table.columns.iter().zip(&row.cells) {
                let (value, note) = match cell {
                    Cell::Number(number) => {
                        let (value, decimals) = Labels::value(column, *number);
                        (format!("{value:.*}", usize::from(decimals)), "")
                    }
                    Cell::Nothing => (String::new(), labels.text("nothing")),
                    Cell::Withheld(why) => (String::new(), labels.withheld(*why)),
                };
                let codes = format!("{}/{}/{}", table.id.as_str(), row.key, column.id);
                writer.write_record([
                    labels.table(table.id),
                    &not_a_formula(labels.row(table, row)),
                    labels.column(column),
                    &value,
                    wording::text(&format!("unit.{}", column.unit.as_str()), labels.lang),
                    note,
                    &codes,
                ])?;
            }
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The report with codes and labels.
pub(super) fn json(report: &Report, content: &Content, labels: Labels) -> serde_json::Result<Vec<u8>> {
    let row = |table: &Table, row: &Row| {
        let cells = row.cells.iter().map(|cell| match cell {
            Cell::Number(number) => json!({ "number": number }),
            Cell::Nothing => json!({}),
            Cell::Withheld(why) => json!({ "withheld": why.as_str(), "because": labels.withheld(*why) }),
        });
        json!({ "key": row.key, "label": labels.row(table, row), "cells": cells.collect::<Vec<_>>() })
    };
    let table = |one: &Table| {
        let column = |column: &crate::domain::report::Column| json!({ "id": column.id, "title": labels.column(column), "unit": column.unit.as_str() });
        json!({
            "id": one.id.as_str(),
            "title": labels.table(one.id),
            "columns": one.columns.iter().map(column).collect::<Vec<_>>(),
            "rows": one.rows.iter().map(|each| row(one, each)).collect::<Vec<_>>(),
        })
    };
    let round = |one: &crate::domain::report::CoveredRound| {
        json!({
            "round": one.round.name(),
            "title": one.display_name,
            "run": one.run,
            "policy_version": one.policy_version,
        })
    };
    let mut text = serde_json::to_vec_pretty(&json!({
        "name": report.name(),
        "kind": report.scope.kind().as_str(),
        "title": labels.title(report, content),
        "language": labels.lang.tag(),
        "made": report.create_time.to_string(),
        "digest": report.digest,
        "list_version": report.list_version,
        "parameters": content.parameters,
        "rounds": content.rounds.iter().map(round).collect::<Vec<_>>(),
        "tables": content.tables.iter().map(table).collect::<Vec<_>>(),
    }))?;
    text.push(b'\n');
    Ok(text)
}
