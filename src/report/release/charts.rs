//! Charts of a report's tables: the way from the enrolment to the end, groups beside each other, scores, who gives to whom, and how
//! many mentorships go on.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::labels::Labels;
use crate::domain::report::{Cell, Row, Table, TableId};
use crate::domain::suppression::partition::OTHERS;
use crate::report::chart::{self, Bar, Caption, Rest};
use crate::report::number::length;

/// Height of the area of the curve, in pixels.
const HEIGHT: u64 = 180;

/// The chart of a table, if it has one and there are numbers for it.
pub(super) fn chart(table: &Table, labels: Labels) -> Option<Markup> {
    let caption =
        Caption { id: table.id.as_str(), title: labels.table(table.id), description: labels.lead(table.id) };
    match table.id {
        TableId::Funnel | TableId::Own => {
            let row = table.rows.first()?;
            funnel(caption, table, row, labels)
        }
        TableId::Region | TableId::Language | TableId::Stage | TableId::Organisation => {
            groups(caption, table, labels)
        }
        TableId::Scores => scores(caption, table, labels),
        TableId::Exchange => exchange(table, labels),
        TableId::Survival => survival(caption, table, labels),
        TableId::Matching
        | TableId::Satisfaction
        | TableId::Prediction
        | TableId::TimeToMatch
        | TableId::Round
        | TableId::Year => None,
    }
}

fn number(row: &Row, at: usize) -> Option<u64> {
    match row.cells.get(at)? {
        Cell::Number(number) => u64::try_from(*number).ok(),
        Cell::Nothing | Cell::Withheld(_) => None,
    }
}

fn position(table: &Table, column: &str) -> Option<usize> {
    table.columns.iter().position(|one| one.id == column)
}

/// Counts from the enrolment to the end, each a bar of the first one.
fn funnel(caption: Caption<'_>, table: &Table, row: &Row, labels: Labels) -> Option<Markup> {
    let steps = ["mentees", "matched", "accepted", "begun", "completed"];
    let mut bars = Vec::new();
    for step in steps {
        let at = position(table, step)?;
        let Some(count) = number(row, at) else { continue };
        let label = labels.column(&table.columns[at]).to_owned();
        let value = labels.number(&table.columns[at], row.cells[at])?;
        bars.push(Bar { title: format!("{label}: {value}"), label, value, filled: count, rest: 0 });
    }
    let most = bars.iter().map(|bar| bar.filled).max()?;
    for bar in &mut bars {
        bar.rest = most - bar.filled;
    }
    Some(chart::bars(caption, Rest::Reach, &bars))
}

/// The match rate of each group.
fn groups(caption: Caption<'_>, table: &Table, labels: Labels) -> Option<Markup> {
    let (rate, mentees) = (position(table, "match_rate")?, position(table, "mentees")?);
    let mut bars = Vec::new();
    for row in &table.rows {
        let (Some(percent), Some(_)) = (number(row, rate), number(row, mentees)) else { continue };
        let label = labels.row(table, row);
        let shown = labels.number(&table.columns[rate], row.cells[rate])?;
        let people = labels.number(&table.columns[mentees], row.cells[mentees])?;
        let value = format!("{shown} · {people}");
        let title = format!("{label}: {value}");
        bars.push((
            row.key == OTHERS,
            percent,
            Bar { label, title, value, filled: percent, rest: 100 - percent.min(100) },
        ));
    }
    bars.sort_by_key(|(is_others, percent, bar)| (*is_others, *percent, bar.label.clone()));
    let bars: Vec<Bar> = bars.into_iter().map(|(.., bar)| bar).collect();
    (!bars.is_empty()).then(|| chart::bars(caption, Rest::Shortfall, &bars))
}

/// Matches by tenth of the score. Tenths that are published together have no bar.
fn scores(caption: Caption<'_>, table: &Table, labels: Labels) -> Option<Markup> {
    let mut bins = vec![(0, String::new()); 10];
    for row in &table.rows {
        let (Ok(tenth), Some(count)) = (row.key.parse::<usize>(), number(row, 0)) else { continue };
        let value = labels.number(&table.columns[0], row.cells[0])?;
        *bins.get_mut(tenth.min(9))? = (count, value);
    }
    let ticks: Vec<String> = [0, 20, 40, 60, 80, 100]
        .map(|percent: u8| crate::wording::percent(&percent.to_string(), labels.lang))
        .into();
    bins.iter().any(|(count, _)| *count > 0).then(|| chart::histogram(caption, &bins, &ticks, None))
}

/// Who gives places to whom: mentors' organisations down, mentees' organisations across.
fn exchange(table: &Table, labels: Labels) -> Option<Markup> {
    let mut pairs = Vec::new();
    for row in &table.rows {
        let Some((mentors, mentees)) = row.label.as_deref().and_then(|label| label.split_once(" → "))
        else {
            continue;
        };
        pairs.push((mentors, mentees, number(row, 0)?, labels.number(&table.columns[0], row.cells[0])?));
    }
    let givers: BTreeSet<&str> = pairs.iter().map(|(mentors, ..)| *mentors).collect();
    let takers: BTreeSet<&str> = pairs.iter().map(|(_, mentees, ..)| *mentees).collect();
    let most = pairs.iter().map(|(.., count, _)| *count).max()?;
    Some(html! {
        div.scroll {
            table.matrix {
                thead {
                    tr {
                        th scope="col" { (labels.text("matrix_corner")) }
                        @for taker in &takers { th.number scope="col" { (taker) } }
                    }
                }
                tbody {
                    @for giver in &givers {
                        tr {
                            th scope="row" { (giver) }
                            @for taker in &takers {
                                @let cell = pairs.iter().find(|(a, b, ..)| a == giver && b == taker);
                                @match cell {
                                    Some((.., count, value)) => {
                                        @let shade = (count * 4).div_ceil(most.max(1)).min(4);
                                        td.number class={ "number shade-" (shade) } { (value) }
                                    }
                                    None => td.number.none { "·" },
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// The share of mentorships that go on, by month: a curve that falls in steps.
fn survival(caption: Caption<'_>, table: &Table, labels: Labels) -> Option<Markup> {
    let mut points = Vec::new();
    for row in &table.rows {
        let (Ok(month), Some(percent)) = (row.key.parse::<u64>(), number(row, 0)) else { break };
        points.push((month, percent.min(100)));
    }
    let last = points.last().map(|(month, _)| *month).filter(|last| *last > 0)?;
    let y = |percent: u64| 10 + (100 - percent) * HEIGHT / 100;
    let percent = |value: u64| crate::wording::percent(&value.to_string(), labels.lang);
    Some(html! {
        svg.chart.curve width="100%" height=(HEIGHT + 40) role="img"
            aria-labelledby={ (caption.id) "-title " (caption.id) "-desc" } {
            title id={ (caption.id) "-title" } { (caption.title) }
            desc id={ (caption.id) "-desc" } { (caption.description) }
            @for grid in [0, 25, 50, 75, 100] {
                line class="base" x1="0" x2="100%" y1=(y(grid)) y2=(y(grid)) {}
                text class="tick" x="0" y=(y(grid) - 3) { (percent(grid)) }
            }
            @for pair in points.windows(2) {
                @let (from, to) = (length(pair[0].0, last), length(pair[1].0, last));
                rect class="area" x=(from) y=(y(pair[0].1)) width=(length(pair[1].0 - pair[0].0, last))
                    height=(HEIGHT + 10 - y(pair[0].1)) {}
                line class="step" x1=(from) x2=(to) y1=(y(pair[0].1)) y2=(y(pair[0].1)) {}
                line class="step" x1=(to) x2=(to) y1=(y(pair[0].1)) y2=(y(pair[1].1)) {}
            }
            @for (month, share) in points.iter().filter(|(month, _)| month % 3 == 0 || *month == last) {
                @let anchor = if *month == 0 { "start" } else if *month == last { "end" } else { "middle" };
                @let at = if *month == 0 { "0".to_owned() } else { length(*month, last) };
                text class="tick" x=(at) y=(HEIGHT + 28) text-anchor=(anchor) { (month) }
                @if *month > 0 {
                    text class="count" x=(at) dx="-4" y=(y(*share) - 5) text-anchor="end" { (percent(*share)) }
                }
            }
        }
    })
}
