//! `wim-match import`: a CSV file of one organisation.

use std::fs::File;
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::global::Global;
use super::problem::{note_of, unreadable};
use crate::client::output::{data, json, say, tell};
use crate::client::{Finding, Import, Notice, Problem, progress, v1};
use crate::domain::message::Message;
use crate::domain::name::OrganisationId;
use crate::domain::vocabulary::{self, Lang};
use crate::{message, profile_csv, wording};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[group(id = "job", required = true)]
pub(super) struct Options {
    /// CSV file to import.
    #[arg(group = "job", requires = "organisation")]
    file: Option<PathBuf>,
    /// Print a template with example rows.
    #[arg(long, group = "job")]
    template: bool,
    /// Describe every column.
    #[arg(long, group = "job")]
    columns: bool,
    /// List the codes of every vocabulary, with labels in the language of --lang.
    #[arg(long, group = "job")]
    vocabulary: bool,
    /// Id of the organisation whose members the file describes.
    #[arg(long, value_name = "ID")]
    organisation: Option<OrganisationId>,
    /// Store the good rows even if others are rejected.
    #[arg(long)]
    accept_good_rows: bool,
    /// Check every row and store nothing.
    #[arg(long)]
    validate_only: bool,
    /// Withdraw the people whom the file does not name from the rounds that take enrolments. NUMBER is how many profiles
    /// --validate-only says are not in the file.
    #[arg(long, value_name = "NUMBER", requires = "file")]
    prune: Option<i64>,
    /// Store people again who were erased and have come back by themselves.
    #[arg(long)]
    accept_returned: bool,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    if options.template {
        profile_csv::write_template(std::io::stdout())?;
    } else if options.columns {
        data(profile_csv::describe_columns().trim_end())?;
    } else if options.vocabulary {
        print_vocabularies(global)?;
    } else if let (Some(file), Some(organisation)) = (options.file, options.organisation) {
        let path = file.display().to_string();
        let input = File::open(&file).map_err(|error| unreadable(&file, &error))?;
        let template = "{spinner} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}";
        let bar = progress::bar(input.metadata()?.len(), template);
        let import = Import {
            organisation,
            accept_good_rows: options.accept_good_rows,
            validate_only: options.validate_only,
            prune: options.prune,
            accept_returned: options.accept_returned,
        };
        let client = global.client().await?;
        let sent = import.send(&client, bar.wrap_read(input), |finding| {
            bar.suspend(|| match finding {
                Finding::Note(note) => {
                    tell(&note_of(&path, note), global.lang);
                    Ok(())
                }
                Finding::Problem(problem) if global.json => json_problem(problem, global.lang),
                Finding::Notice(notice) if global.json => json_notice(notice),
                Finding::Problem(problem) => {
                    print_problem(&path, problem, global.lang);
                    Ok(())
                }
                Finding::Notice(notice) => {
                    print_notice(&path, notice, global.lang);
                    Ok(())
                }
            })
        });
        let summary = sent.await?;
        bar.finish_and_clear();
        if global.json {
            json(&summary)?;
        }
        for note in notes(&summary, options.validate_only) {
            say(&wording::message(&note, global.lang));
        }
        return conclude(&summary, options.validate_only, global.lang);
    }
    Ok(())
}

/// What the result of an import needs to be said besides its numbers.
fn notes(summary: &v1::ImportSummary, is_preview: bool) -> Vec<Message> {
    let mut notes = Vec::new();
    if summary.rejected_unlisted > 0 {
        notes.push(message!(
            "{count|1 more rejected row is|{count} more rejected rows are} not listed",
            count = summary.rejected_unlisted
        ));
    }
    if summary.warnings_unlisted > 0 {
        notes.push(message!(
            "{count|1 more warning is|{count} more warnings are} not listed",
            count = summary.warnings_unlisted
        ));
    }
    if summary.consents_kept > 0 {
        notes.push(message!(
            "{count|1 row says|{count} rows say} less about consents than is on record; the record was kept",
            count = summary.consents_kept
        ));
    }
    if summary.absent > 0 {
        let ids: Vec<&str> =
            summary.absent_profiles.iter().filter_map(|name| name.rsplit('/').next()).collect();
        let listed = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        let more = if summary.absent > listed { ", …" } else { "" };
        notes.push(message!(
            "{count|1 stored profile is|{count} stored profiles are} not in the file and {count|stays as it is|stay as they are}: {ids}",
            count = summary.absent,
            ids = format!("{}{more}", ids.join(", "))
        ));
    }
    if summary.pruned > 0 && !is_preview {
        notes.push(message!(
            "{count|1 enrolment|{count} enrolments} of these people {count|was|were} withdrawn (--prune)",
            count = summary.pruned
        ));
    } else if summary.pruned > 0 && is_preview {
        notes.push(message!(
            "`--prune {absent}` would withdraw {count|1 enrolment|{count} enrolments} of these people",
            absent = summary.absent,
            count = summary.pruned
        ));
    }
    notes
}

/// Prints the result of the import, and fails if rows were rejected.
fn conclude(summary: &v1::ImportSummary, validate_only: bool, lang: Lang) -> Result<(), Failure> {
    let v1::ImportSummary { received, created, updated, unchanged, rejected, stored, .. } = *summary;
    if stored {
        let told = message!(
            "{received|1 row|{received} rows}: {created} created, {updated} updated, {unchanged} unchanged, {rejected} rejected",
            received = received,
            created = created,
            updated = updated,
            unchanged = unchanged,
            rejected = rejected
        );
        tell(&told, lang);
    } else if validate_only {
        let told = message!(
            "{received|1 row|{received} rows} checked: {created} new, {updated} changed, {unchanged} unchanged, {rejected} rejected; nothing was stored (--validate-only)",
            received = received,
            created = created,
            updated = updated,
            unchanged = unchanged,
            rejected = rejected
        );
        tell(&told, lang);
    }
    match (rejected, stored || validate_only) {
        (0, _) => Ok(()),
        (rejected, true) => Err(Failure::input(
            message!(
                "{rejected} of {received|1 row was|{received} rows were} rejected",
                rejected = rejected,
                received = received
            ),
            message!("correct these rows and import the file again"),
        )),
        (rejected, false) => Err(Failure::input(
            message!(
                "{rejected} of {received|1 row was|{received} rows were} rejected; nothing was stored",
                rejected = rejected,
                received = received
            ),
            message!(
                "correct these rows and import the file again, or store the good rows with --accept-good-rows"
            ),
        )),
    }
}

pub(super) fn print_problem(file: &str, problem: &Problem, lang: Lang) {
    let Problem { line, cell } = problem;
    let hint = if cell.hint.is_empty() {
        String::new()
    } else {
        format!("; {}", wording::message(&cell.hint, lang))
    };
    let whole = wording::message(&message!("whole row"), lang);
    let column = if cell.column.is_empty() { &whole } else { cell.column };
    let value = if cell.value.is_empty() { String::new() } else { format!("`{}` ", cell.value) };
    say(&format!("{file}:{line}: {column}: {value}{}{hint}", wording::message(&cell.what, lang)));
}

fn print_notice(file: &str, notice: &Notice, lang: Lang) {
    let Notice { line, column, value, what, .. } = notice;
    let place = if column.is_empty() { String::new() } else { format!(" {column}:") };
    say(&format!("{file}:{line}:{place} {}: `{value}` {what}", wording::text("cli.warning", lang)));
}

fn json_notice(notice: &Notice) -> Result<(), Failure> {
    let Notice { line, column, value, code, what } = notice;
    let told = serde_json::json!({
        "line": line, "column": column, "value": value, "warning": code, "what": what,
    });
    Ok(data(&told.to_string())?)
}

pub(super) fn json_problem(problem: &Problem, lang: Lang) -> Result<(), Failure> {
    let Problem { line, cell } = problem;
    let told = serde_json::json!({
        "line": line, "column": cell.column, "value": cell.value,
        "what": wording::message(&cell.what, lang), "hint": wording::message(&cell.hint, lang),
    });
    Ok(data(&told.to_string())?)
}

fn print_vocabularies(global: &Global) -> std::io::Result<()> {
    for vocabulary in vocabulary::all() {
        if !global.json {
            data(&format!("{}:", vocabulary.name()))?;
        }
        for term in vocabulary.terms() {
            if global.json {
                let mut row = serde_json::Map::new();
                row.insert("vocabulary".to_owned(), vocabulary.name().into());
                row.insert("code".to_owned(), term.code.into());
                row.extend(Lang::ALL.map(|lang| (lang.tag().to_owned(), term.label(lang).into())));
                data(&serde_json::Value::Object(row).to_string())?;
            } else {
                data(&format!("  {:<34} {}", term.code, term.label(global.lang)))?;
            }
        }
    }
    Ok(())
}
