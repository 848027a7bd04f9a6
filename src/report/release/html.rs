//! A report as one page for a browser: it needs no network, no script and no other file, and it prints on A4.

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts;
use super::labels::Labels;
use crate::domain::report::{Cell, Content, Report, ReportKind, Row, Table, TableId};
use crate::domain::suppression::Withheld;
use crate::report::chart;
use crate::wording;

/// Rows of a table that is shown at once; a longer one is opened by its reader, and printed whole.
const MOST_ROWS: usize = 60;

/// Renders the whole document. Equal reports give equal bytes.
pub(super) fn render(report: &Report, content: &Content, labels: Labels) -> String {
    let title = labels.title(report, content);
    let shown: Vec<&Table> = content.tables.iter().collect();
    let document = html! {
        (DOCTYPE)
        html lang=(labels.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // A name in the report cannot make a browser load anything.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("../style.css"))) (PreEscaped(include_str!("release.css"))) }
            }
            body.release {
                header.top { (masthead(report, content, &title, labels)) }
                main {
                    (tiles(content, labels))
                    nav aria-label=(wording::text("report.document_contents", labels.lang)) {
                        ul { @for table in &shown { li { a href={ "#table-" (table.id.as_str()) } { (labels.table(table.id)) } } } }
                    }
                    @for table in &shown { (section(table, labels)) }
                }
                footer { (footer(report, content, labels)) }
            }
        }
    };
    document.into_string()
}

fn masthead(report: &Report, content: &Content, title: &str, labels: Labels) -> Markup {
    let rounds: Vec<&str> = content.rounds.iter().map(|round| round.display_name.as_str()).collect();
    let reader = labels.text(&format!("reader_{}", report.scope.kind().as_str()));
    let dates = content.rounds.first().zip(content.rounds.last()).map(|(first, last)| {
        let (start, end) =
            (wording::day(first.start_date, labels.lang), wording::day(last.end_date, labels.lang));
        wording::fill("report.meta_dates", labels.lang, &[("start", &start), ("end", &end)])
    });
    html! {
        p.eyebrow { (labels.text(&format!("eyebrow_{}", report.scope.kind().as_str()))) }
        h1 { (title) }
        dl.meta {
            @if report.scope.kind() != ReportKind::Round || labels.is_of_several {
                div { dt { (labels.text("meta_rounds")) } dd { (wording::list(&rounds, labels.lang)) } }
            }
            @if let Some(dates) = dates {
                div { dt { (wording::text("report.meta_mentorships", labels.lang)) } dd { (dates) } }
            }
            div { dt { (labels.text("meta_made")) } dd { (wording::moment(report.create_time, labels.lang)) } }
        }
        p.aside { (reader) }
    }
}

/// The main numbers: of an organisation's own members if the report is about one, otherwise of everybody.
fn tiles(content: &Content, labels: Labels) -> Markup {
    let of = |id: TableId| content.tables.iter().find(|table| table.id == id);
    let funnel = of(TableId::Own).or_else(|| of(TableId::Funnel));
    let mut shown: Vec<(&str, String, Option<u64>)> = Vec::new();
    let mut add = |table: Option<&Table>, row: usize, columns: &[&str]| {
        let Some((table, row)) = table.and_then(|table| Some((table, table.rows.get(row)?))) else { return };
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            if columns.contains(&column.id.as_str()) {
                let value = labels.number(column, *cell).unwrap_or_else(|| "–".to_owned());
                let meter = match cell {
                    Cell::Number(number) if column.id.ends_with("rate") => u64::try_from(*number).ok(),
                    _ => None,
                };
                shown.push((labels.column(column), value, meter));
            }
        }
    };
    add(funnel, 0, &["mentees", "match_rate", "acceptance_rate", "completed", "early_end_rate"]);
    add(of(TableId::Satisfaction), 0, &["satisfaction"]);
    html! {
        div.tiles {
            @for (name, value, meter) in &shown {
                div.tile {
                    p.name { (name) }
                    p.figure { (value) }
                    @if let Some(percent) = meter { (chart::meter(*percent, 100)) }
                }
            }
        }
    }
}

fn section(table: &Table, labels: Labels) -> Markup {
    let id = table.id.as_str();
    let chart = charts::chart(table, labels);
    let reasons = reasons(table);
    // A row and a column for each pair of organisations say what the matrix shows.
    let has_table = table.id != TableId::Exchange || chart.is_none();
    html! {
        section id={ "table-" (id) } aria-labelledby={ "table-" (id) "-heading" } {
            h2 id={ "table-" (id) "-heading" } { (labels.table(table.id)) }
            p.lead { (labels.lead(table.id)) }
            @if let Some(chart) = &chart { div.panel { (chart) } }
            @if has_table {
                @if table.rows.len() > MOST_ROWS {
                    details.more {
                        summary { (labels.text("all_rows")) }
                        div.scroll { (rows(table, &reasons, labels)) }
                    }
                } @else {
                    div.scroll { (rows(table, &reasons, labels)) }
                }
            }
            @if !reasons.is_empty() {
                ul.notes {
                    @for why in &reasons { li { sup { (mark(*why)) } " " (labels.withheld(*why)) } }
                }
            }
        }
    }
}

/// Why numbers of a table are withheld.
fn reasons(table: &Table) -> BTreeSet<Withheld> {
    let cells = table.rows.iter().flat_map(|row| &row.cells);
    cells.filter_map(|cell| if let Cell::Withheld(why) = cell { Some(*why) } else { None }).collect()
}

/// The letter that stands for a reason.
fn mark(why: Withheld) -> char {
    ['a', 'b', 'c', 'd', 'e'][why as usize - 1]
}

fn rows(table: &Table, reasons: &BTreeSet<Withheld>, labels: Labels) -> Markup {
    // One row of many numbers is read downwards.
    if let [row] = &table.rows[..]
        && table.columns.len() > 2
    {
        return single(table, row, labels);
    }
    debug_assert!(reasons.len() <= Withheld::ALL.len(), "a letter for each reason");
    html! {
        table.numbers {
            thead {
                tr {
                    th scope="col" { (labels.rows_of(table.id)) }
                    @for column in &table.columns { th.number scope="col" { (labels.column(column)) } }
                }
            }
            tbody {
                @for row in &table.rows {
                    tr {
                        th scope="row" { (labels.row(table, row)) }
                        @for (column, cell) in table.columns.iter().zip(&row.cells) {
                            td.number { (cell_of(column, *cell, labels)) }
                        }
                    }
                }
            }
        }
    }
}

fn single(table: &Table, row: &Row, labels: Labels) -> Markup {
    html! {
        table.numbers.single {
            tbody {
                @for (column, cell) in table.columns.iter().zip(&row.cells) {
                    tr {
                        th scope="row" { (labels.column(column)) }
                        td.number { (cell_of(column, *cell, labels)) }
                    }
                }
            }
        }
    }
}

fn cell_of(column: &crate::domain::report::Column, cell: Cell, labels: Labels) -> Markup {
    match (labels.number(column, cell), cell) {
        (Some(number), _) => html! { (number) },
        (None, Cell::Withheld(why)) => {
            html! { span.withheld title=(labels.withheld(why)) { "×" sup { (mark(why)) } } }
        }
        (None, _) => html! { span.none { "–" } },
    }
}

fn footer(report: &Report, content: &Content, labels: Labels) -> Markup {
    let list = ("version", &report.list_version as &dyn std::fmt::Display);
    html! {
        section.guide-text {
            h2 { (labels.text("guide_title")) }
            p { (labels.text("guide_text")) }
        }
        h2 { (wording::text("report.footer_title", labels.lang)) }
        dl {
            div { dt { (labels.text("meta_report")) } dd { (report.name()) } }
            div { dt { (labels.text("meta_digest")) } dd { (report.digest) } }
            div { dt { (labels.text("meta_list")) } dd { (labels.fill("list_version", &[list])) } }
            div { dt { (labels.text("meta_parameters")) } dd { (content.parameters.join(", ")) } }
            @for round in &content.rounds {
                @let run = ("run", &round.run as &dyn std::fmt::Display);
                @let policy = ("policy", &round.policy_version as &dyn std::fmt::Display);
                div { dt { (round.display_name) } dd { (labels.fill("round_line", &[run, policy])) } }
            }
        }
    }
}
