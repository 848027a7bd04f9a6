//! Messages of reports.

use super::timestamp;
use crate::api::proto::v1;
use crate::domain::name::{OrganisationId, PrincipalRef, RoundId};
use crate::domain::report::{Cell, Report, ReportKind, Row, Table, Unit};
use crate::domain::suppression::Withheld;

/// A report, with its tables if it has been read with them.
pub(crate) fn message(report: &Report) -> v1::Report {
    let content = report.content.as_ref();
    let scope = &report.scope;
    v1::Report {
        name: if report.id.is_empty() { String::new() } else { report.name() },
        kind: kind(scope.kind()).into(),
        round: scope.round().map(RoundId::name).unwrap_or_default(),
        organisation: scope.organisation().map(OrganisationId::name).unwrap_or_default(),
        year: scope.year().map(i32::from).unwrap_or_default(),
        list_version: i32::try_from(report.list_version).unwrap_or(i32::MAX),
        parameters: content.map(|content| content.parameters.clone()).unwrap_or_default(),
        creator: principal(&report.creator),
        create_time: Some(timestamp(report.create_time)),
        digest: report.digest.clone(),
        rounds: content.iter().flat_map(|content| &content.rounds).map(|one| one.round.name()).collect(),
        tables: content.iter().flat_map(|content| &content.tables).map(table).collect(),
    }
}

fn principal(id: &str) -> String {
    let name = format!("principals/{id}");
    PrincipalRef::from_name(&name).map(|_| name).unwrap_or_default()
}

fn table(table: &Table) -> v1::ReportTable {
    let column = |column: &crate::domain::report::Column| v1::ReportColumn {
        column_id: column.id.clone(),
        unit: unit(column.unit).into(),
    };
    let row = |row: &Row| v1::ReportRow {
        key: row.key.clone(),
        label: row.label.clone().unwrap_or_default(),
        cells: row.cells.iter().map(|cell| v1::ReportCell { content: content(*cell) }).collect(),
    };
    v1::ReportTable {
        table_id: table.id.as_str().to_owned(),
        columns: table.columns.iter().map(column).collect(),
        rows: table.rows.iter().map(row).collect(),
    }
}

fn content(cell: Cell) -> Option<v1::report_cell::Content> {
    match cell {
        Cell::Number(number) => Some(v1::report_cell::Content::Number(number)),
        Cell::Nothing => None,
        Cell::Withheld(why) => Some(v1::report_cell::Content::Withheld(withheld(why).into())),
    }
}

fn kind(kind: ReportKind) -> v1::ReportKind {
    match kind {
        ReportKind::Round => v1::ReportKind::Round,
        ReportKind::Programme => v1::ReportKind::Programme,
        ReportKind::Annual => v1::ReportKind::Annual,
        ReportKind::Committee => v1::ReportKind::Committee,
    }
}

/// The kind that a message names, if it is a known one.
pub(crate) fn kind_of(message: i32) -> Option<ReportKind> {
    match v1::ReportKind::try_from(message).ok()? {
        v1::ReportKind::Unspecified => None,
        v1::ReportKind::Round => Some(ReportKind::Round),
        v1::ReportKind::Programme => Some(ReportKind::Programme),
        v1::ReportKind::Annual => Some(ReportKind::Annual),
        v1::ReportKind::Committee => Some(ReportKind::Committee),
    }
}

fn unit(unit: Unit) -> v1::ReportUnit {
    match unit {
        Unit::People => v1::ReportUnit::People,
        Unit::Pairs => v1::ReportUnit::Pairs,
        Unit::Percent => v1::ReportUnit::Percent,
        Unit::Score => v1::ReportUnit::Score,
        Unit::Points => v1::ReportUnit::Points,
        Unit::Rating => v1::ReportUnit::RatingHundredths,
        Unit::Balance => v1::ReportUnit::Balance,
        Unit::Days => v1::ReportUnit::Days,
        Unit::Hours => v1::ReportUnit::HoursTenths,
        Unit::Correlation => v1::ReportUnit::CorrelationHundredths,
        Unit::Decisions => v1::ReportUnit::Decisions,
    }
}

fn withheld(why: Withheld) -> v1::Withheld {
    match why {
        Withheld::FewPeople => v1::Withheld::FewPeople,
        Withheld::FewOrganisations => v1::Withheld::FewOrganisations,
        Withheld::OneOrganisation => v1::Withheld::OneOrganisation,
        Withheld::Complementary => v1::Withheld::Complementary,
        Withheld::SmallBase => v1::Withheld::SmallBase,
    }
}
