//! `wim-match round show --matches`: matches and people without a match as spreadsheets, for everyone or one for each
//! organisation.
//!
//! The ending of a file decides its format. A workbook has both sheets; a CSV file has the matches, and a second file beside
//! it the people without a match. Only their owner may read the files.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::problem::unwritable;
use crate::client::output::tell;
use crate::client::private;
use crate::domain::vocabulary::Lang;
use crate::message;
use crate::report::RoundReport;
use crate::report::spreadsheet::{OfOneOrganisation, Sheets, organisations, workbook};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Xlsx,
}

/// Where the files go.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// One file for everyone.
    File(PathBuf, Format),
    /// One file for each organisation: a folder, and what stands before and behind its id.
    Folder { folder: PathBuf, before: String, format: Format },
}

/// Writes the sheets of a report to `path`, and says where.
pub(super) fn write(report: &RoundReport<'_>, path: &Path, per_organisation: bool) -> Result<(), Failure> {
    let lang = report.lang;
    match target(path, per_organisation)? {
        Target::File(file, format) => {
            write_file(&Sheets::of(report), &file, format, lang)?;
            let told = message!(
                "{matches|1 match|{matches} matches} written to {file}",
                matches = report.matches.len(),
                file = file.display().to_string()
            );
            tell(&told, lang);
        }
        Target::Folder { folder, before, format } => {
            std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
            let organisations = organisations(report);
            for organisation in &organisations {
                let part = OfOneOrganisation::of(report, organisation);
                let file = folder.join(format!("{before}{organisation}.{}", format.ending()));
                write_file(&part.sheets(report), &file, format, lang)?;
            }
            let told = message!(
                "the matches of {organisations|1 organisation|{organisations} organisations} written to {folder}, a file for each",
                organisations = organisations.len(),
                folder = folder.display().to_string()
            );
            tell(&told, lang);
        }
    }
    Ok(())
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_string_lossy().to_lowercase();
        [Self::Csv, Self::Xlsx].into_iter().find(|format| format.ending() == ending)
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// An existing folder and a path without an ending get workbooks, one for each organisation if that was asked for.
fn target(path: &Path, per_organisation: bool) -> Result<Target, Failure> {
    let format = Format::of(path).filter(|_| !path.is_dir());
    match format {
        Some(format) if !per_organisation => Ok(Target::File(path.to_owned(), format)),
        Some(format) => {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).to_owned();
            Ok(Target::Folder { folder, before: format!("{stem}-"), format })
        }
        None if path.is_dir() || (per_organisation && path.extension().is_none()) => {
            Ok(Target::Folder { folder: path.to_owned(), before: String::new(), format: Format::Xlsx })
        }
        None => Err(Failure::input(
            message!("{file} ends neither with .xlsx nor with .csv", file = path.display().to_string()),
            message!(
                "name a workbook of Excel (matches.xlsx) or a CSV file (matches.csv); with --per-organisation, a folder is enough"
            ),
        )),
    }
}

fn write_file(sheets: &Sheets, file: &Path, format: Format, lang: Lang) -> Result<(), Failure> {
    let write =
        |file: &Path, bytes: Vec<u8>| private::write(file, bytes).map_err(|error| unwritable(file, &error));
    match format {
        Format::Xlsx => {
            let bytes = workbook(sheets, lang).map_err(|_| {
                Failure::input(
                    message!(
                        "a sheet of a workbook has no room for {rows|1 row|{rows} rows}",
                        rows = sheets.matches.len().max(sheets.unmatched.len())
                    ),
                    message!("write a CSV file, whose name ends with .csv, or a file for each organisation"),
                )
            })?;
            write(file, bytes)
        }
        Format::Csv => {
            let bytes = |sheet: &crate::report::spreadsheet::Sheet| {
                sheet.csv(lang).map_err(|error| Failure::from(anyhow::Error::from(error)))
            };
            write(file, bytes(&sheets.matches)?)?;
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            write(&file.with_file_name(format!("{stem}-unmatched.csv")), bytes(&sheets.unmatched)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_the_format_and_a_folder_gets_a_file_for_each_organisation() {
        let home = tempfile::tempdir().expect("a folder");
        let at = |name: &str| home.path().join(name);
        let folder = |folder: PathBuf, before: &str, format| Target::Folder {
            folder,
            before: before.to_owned(),
            format,
        };
        let of = |name: &str, per_organisation| target(&at(name), per_organisation).ok();
        assert_eq!(of("a.csv", false), Some(Target::File(at("a.csv"), Format::Csv)));
        assert_eq!(of("a.XLSX", false), Some(Target::File(at("a.XLSX"), Format::Xlsx)));
        assert_eq!(of("a.csv", true), Some(folder(home.path().to_owned(), "a-", Format::Csv)));
        assert_eq!(of("new", true), Some(folder(at("new"), "", Format::Xlsx)));
        assert_eq!(of("", false), Some(folder(at(""), "", Format::Xlsx)), "a folder that is there");
        for neither in [("a", false), ("a.ods", false), ("a.ods", true), ("a.csv.gz", false)] {
            assert_eq!(of(neither.0, neither.1), None, "{neither:?}");
        }
    }
}
