//! `wim-match round show --matches`: matches and people without a match as spreadsheets, for everyone or one for each
//! organisation.
//!
//! The ending of a file decides its format. A workbook has both sheets; a CSV file has the matches, and a second file beside
//! it the people without a match. Only their owner may read the files.
//! Invariant: no two files of one call have the same name, whatever the ids of the organisations are.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::problem::unwritable;
use crate::client::output::tell;
use crate::client::private;
use crate::domain::vocabulary::Lang;
use crate::message;
use crate::report::RoundReport;
use crate::report::spreadsheet::{OfOneOrganisation, Sheets, organisations, workbook};

/// End of the name of a second CSV file, before `.csv`. An id of an organisation has no underscore, so that this file is
/// the first file of no organisation.
const UNMATCHED: &str = "_unmatched";

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
            write(&file.with_file_name(format!("{stem}{UNMATCHED}.csv")), bytes(&sheets.unmatched)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::domain::explanation::{Reason, ReasonCode};
    use crate::domain::name::{OrganisationId, ProfileRef};
    use crate::domain::run::{Match, RunSummary, Side, Unmatched, UnmatchedReason};
    use crate::domain::suppression::PeopleCount;

    fn person(organisation: &str, id: &str) -> ProfileRef {
        ProfileRef {
            organisation: organisation.parse().expect("an id of an organisation"),
            id: id.parse().expect("an id of a person"),
        }
    }

    /// Writes a round in which each organisation has a match within itself and a mentor without a match, and returns the
    /// files of the folder by name.
    fn written(organisations: &[&str], path: impl Fn(&Path) -> PathBuf) -> BTreeMap<String, String> {
        let home = tempfile::tempdir().expect("a folder");
        let matches = organisations.iter().map(|organisation| Match {
            mentee: person(organisation, "mentee"),
            mentor: person(organisation, "mentor"),
            score: 5_000,
            contributions: Vec::new(),
            pinned: false,
        });
        let unmatched = organisations.iter().map(|organisation| Unmatched {
            profile: person(organisation, "left-over"),
            side: Some(Side::Mentor),
            reason: UnmatchedReason::NoRole,
            counterparts: PeopleCount::Exact(0),
            candidates: PeopleCount::Exact(0),
            exclusions: BTreeMap::new(),
            details: vec![Reason::new(ReasonCode::NoRole)],
        });
        let names = organisations.iter().map(|organisation| {
            let id: OrganisationId = organisation.parse().expect("an id");
            (id, format!("Name of {organisation}"))
        });
        let report = RoundReport {
            round_title: "A round",
            start_date: jiff::civil::date(2027, 3, 1),
            end_date: jiff::civil::date(2027, 8, 31),
            run: "rounds/r/runs/1",
            generated_at: jiff::Timestamp::UNIX_EPOCH,
            policy_version: 1,
            engine_version: "1",
            input_digest: "",
            result_digest: "",
            summary: &RunSummary::default(),
            matches: &matches.collect::<Vec<_>>(),
            unmatched: &unmatched.collect::<Vec<_>>(),
            organisation_names: &names.collect(),
            lang: Lang::En,
            synthetic: true,
        };
        write(&report, &path(home.path()), true).expect("is written");
        let files = walk(home.path());
        let content = |file: PathBuf| {
            let mode = file.metadata().expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
            let name = file.strip_prefix(home.path()).expect("below").to_string_lossy().into_owned();
            (name, String::from_utf8_lossy(&std::fs::read(&file).expect("is read")).into_owned())
        };
        files.into_iter().map(content).collect()
    }

    fn walk(folder: &Path) -> Vec<PathBuf> {
        let entries =
            std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn no_file_of_one_organisation_replaces_a_file_of_another() {
        let organisations = ["wim-peru", "wim-peru-unmatched", "unmatched"];
        let files = written(&organisations, |home| home.join("x.csv"));
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        let expected = [
            "x-unmatched.csv",
            "x-unmatched_unmatched.csv",
            "x-wim-peru-unmatched.csv",
            "x-wim-peru-unmatched_unmatched.csv",
            "x-wim-peru.csv",
            "x-wim-peru_unmatched.csv",
        ];
        assert_eq!(names, expected);
        for organisation in organisations {
            let first = &files[&format!("x-{organisation}.csv")];
            let second = &files[&format!("x-{organisation}_unmatched.csv")];
            let row = format!("\r\nmentee,Name of {organisation},mentor,Name of {organisation},50.00%,");
            assert!(first.contains(&row) && first.lines().count() == 2, "{first}");
            let row = format!("\r\nleft-over,Name of {organisation},Mentor,");
            assert!(second.contains(&row) && second.lines().count() == 2, "{second}");
        }
        let books = written(&organisations, |home| home.join("to-send"));
        let names: Vec<&str> = books.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["to-send/unmatched.xlsx", "to-send/wim-peru-unmatched.xlsx", "to-send/wim-peru.xlsx"]
        );
    }

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
