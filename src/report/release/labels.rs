//! Labels and numbers of a report in its language.

use crate::domain::language;
use crate::domain::name::OrganisationId;
use crate::domain::report::{Cell, Column, Content, Report, ReportKind, Row, Table, TableId, Unit};
use crate::domain::suppression::Withheld;
use crate::domain::suppression::partition::OTHERS;
use crate::domain::vocabulary::{Kind as _, Lang, Region, Stage};
use crate::wording;

/// The sign of a number below zero.
const MINUS: char = '\u{2212}';

/// Labels in a language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Labels {
    pub(super) lang: Lang,
    /// Whether several rounds are added up.
    pub(super) is_of_several: bool,
}

impl Labels {
    pub(super) fn of(content: &Content, lang: Lang) -> Self {
        Self { lang, is_of_several: content.rounds.len() > 1 }
    }

    /// A text of the table `release`.
    pub(super) fn text(self, key: &str) -> &'static str {
        wording::text(&format!("release.{key}"), self.lang)
    }

    /// A text with its parameters.
    pub(super) fn fill(self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        wording::fill(&format!("release.{key}"), self.lang, values)
    }

    /// The title of a report.
    pub(super) fn title(self, report: &Report, content: &Content) -> String {
        let scope = &report.scope;
        let year = scope.year().map(|year| year.to_string()).unwrap_or_default();
        let round = content.rounds.first().map(|round| round.display_name.as_str()).unwrap_or_default();
        let organisation = scope.organisation().map(OrganisationId::as_str).unwrap_or_default();
        let key = format!("title_{}", scope.kind().as_str());
        match scope.kind() {
            ReportKind::Round => self.fill(&key, &[("round", &round)]),
            ReportKind::Programme => self.text(&key).to_owned(),
            ReportKind::Annual => self.fill(&key, &[("organisation", &organisation), ("year", &year)]),
            ReportKind::Committee => self.fill(&key, &[("year", &year)]),
        }
    }

    /// The title of a table.
    pub(super) fn table(self, id: TableId) -> &'static str {
        self.text(&format!("table_{}", id.as_str()))
    }

    /// What a table shows.
    pub(super) fn lead(self, id: TableId) -> &'static str {
        self.text(&format!("lead_{}", id.as_str()))
    }

    /// The title of the column of the rows.
    pub(super) fn rows_of(self, id: TableId) -> &'static str {
        match id {
            TableId::Funnel | TableId::Own | TableId::Matching => "",
            id => self.text(&format!("rows_{}", id.as_str())),
        }
    }

    /// The title of a column.
    pub(super) fn column(self, column: &Column) -> &'static str {
        self.text(&format!("column_{}", column.id))
    }

    /// Why a number is withheld.
    pub(super) fn withheld(self, why: Withheld) -> &'static str {
        wording::text(&format!("withheld.{}", why.as_str()), self.lang)
    }

    /// The label of a row.
    pub(super) fn row(self, table: &Table, row: &Row) -> String {
        if let Some(label) = &row.label {
            return label.clone();
        }
        let key = row.key.as_str();
        let tenths = |from: u32, width: u32| {
            let percent = |tenth: u32| wording::percent(&(tenth * 10).to_string(), self.lang);
            format!("{}–{}", from * 10, percent((from + width).min(10)))
        };
        match (table.id, key) {
            (_, "") => self.text("row_unknown").to_owned(),
            (_, OTHERS) => self.text("row_others").to_owned(),
            (_, "all" | "own" | "mentee" | "mentor" | "own_mentee" | "own_mentor") => {
                self.text(&format!("row_{key}")).to_owned()
            }
            (TableId::Region, code) => Region::from_code(code)
                .map_or_else(|| code.to_owned(), |region| region.label(self.lang).to_owned()),
            (TableId::Language, tag) => language::label(tag, self.lang).to_owned(),
            (TableId::Stage, number) => {
                let at = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                let term = at.and_then(|at| Stage::vocabulary().terms().get(at));
                term.map_or_else(|| number.to_owned(), |term| term.label(self.lang).to_owned())
            }
            (TableId::Scores, tenth) => {
                tenth.parse().map_or_else(|_| tenth.to_owned(), |from| tenths(from, 1))
            }
            (TableId::Prediction, tenth) => {
                tenth.parse().map_or_else(|_| tenth.to_owned(), |from| tenths(from, 2))
            }
            (TableId::Survival, months) => self.fill("row_months", &[("months", &months)]),
            (_, key) => key.to_owned(),
        }
    }

    /// A number in words; `None` if there is none.
    pub(super) fn number(self, column: &Column, cell: Cell) -> Option<String> {
        let Cell::Number(number) = cell else { return None };
        let (size, lang) = (number.unsigned_abs(), self.lang);
        let text = match column.unit {
            Unit::People | Unit::Pairs | Unit::Points | Unit::Days | Unit::Decisions | Unit::Balance => {
                wording::count(size, lang)
            }
            Unit::Percent if column.id == "equity_gap" => wording::count(size, lang),
            Unit::Percent => wording::percent(&size.to_string(), lang),
            Unit::Score => wording::score(u32::try_from(size).unwrap_or_default(), lang),
            Unit::Rating | Unit::Correlation => wording::decimal(size, 2, lang),
            Unit::Hours => wording::decimal(size, 1, lang),
        };
        let is_difference =
            column.id == "equity_gap" || matches!(column.unit, Unit::Balance | Unit::Correlation);
        Some(if number < 0 {
            format!("{MINUS}{text}")
        } else if number > 0 && is_difference {
            format!("+{text}")
        } else {
            text
        })
    }

    /// The number as a value for a spreadsheet, and how many decimals it has.
    pub(super) fn value(column: &Column, number: i64) -> (f64, u8) {
        #[expect(clippy::cast_precision_loss, reason = "a spreadsheet has doubles")]
        let number = number as f64;
        match column.unit {
            Unit::People
            | Unit::Pairs
            | Unit::Points
            | Unit::Days
            | Unit::Decisions
            | Unit::Balance
            | Unit::Percent => (number, 0),
            Unit::Score | Unit::Rating | Unit::Correlation => (number / 100.0, 2),
            Unit::Hours => (number / 10.0, 1),
        }
    }
}
