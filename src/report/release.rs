//! A stored report as a file: a page for a browser, CSV, JSON, or a workbook.
//!
//! Input: a report with its content. Output: bytes, the same for the same report, form and language. All texts are the table `release` of
//! `data/wording/`; a number that is withheld has its reason beside it.

mod charts;
mod html;
mod labels;
mod list;
mod workbook;

use crate::domain::report::{Content, Report};
use crate::domain::vocabulary::Lang;

use self::labels::Labels;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A page for a browser.
    Html,
    /// One number a line.
    Csv,
    /// Codes and labels.
    Json,
    /// A sheet for each table.
    Xlsx,
}

impl Format {
    /// The media type of the file.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Csv => "text/csv",
            Self::Json => "application/json",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// The ending of its name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Xlsx => "xlsx",
        }
    }
}

/// Why a file cannot be written.
pub type WriteError = Box<dyn std::error::Error + Send + Sync>;

/// Writes a report as a file.
pub fn write(report: &Report, format: Format, lang: Lang) -> Result<Vec<u8>, WriteError> {
    let nothing = Content::default();
    let content = report.content.as_ref().unwrap_or(&nothing);
    let labels = Labels::of(content, lang);
    match format {
        Format::Html => Ok(html::render(report, content, labels).into_bytes()),
        Format::Csv => Ok(list::csv(content, labels)?),
        Format::Json => Ok(list::json(report, content, labels)?),
        Format::Xlsx => Ok(workbook::xlsx(report, content, labels)?),
    }
}

/// A name for the file without its ending: kind, scope and day.
pub fn file_stem(report: &Report, lang: Lang) -> String {
    let scope = &report.scope;
    let parts = [
        scope.round().map(|round| round.as_str().to_owned()),
        scope.organisation().map(|organisation| organisation.as_str().to_owned()),
        scope.year().map(|year| year.to_string()),
    ];
    let day = report.create_time.strftime("%Y-%m-%d").to_string();
    let mut stem = scope.kind().as_str().to_owned();
    for part in parts.into_iter().flatten().chain([day, lang.tag().to_owned()]) {
        stem.push('-');
        stem.push_str(&part);
    }
    stem
}

#[cfg(test)]
mod tests;
