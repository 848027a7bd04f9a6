//! `wim-match check-in import|export|template|columns`: check-ins of a programme that asks by a survey tool.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Subcommand;

use super::failure::Failure;
use super::global::Global;
use super::import::{json_problem, print_problem};
use super::names::name;
use super::problem::{note_of, unreadable, unwritable};
use crate::client::output::{data, json, tell};
use crate::client::{self, CheckInImport, Finding, Form, private, v1};
use crate::domain::name::OrganisationId;
use crate::domain::vocabulary::Lang;
use crate::{check_in_csv, message};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Import check-ins of your members from a CSV file or a workbook.
    Import {
        /// File to import.
        file: PathBuf,
        /// Id of the organisation whose members have answered.
        #[arg(long, value_name = "ID")]
        organisation: OrganisationId,
        /// Record the good rows even if others are rejected.
        #[arg(long)]
        accept_good_rows: bool,
        /// Judge every row and record nothing.
        #[arg(long)]
        validate_only: bool,
    },
    /// Export the check-ins of your members as CSV.
    Export {
        /// Id of the organisation.
        #[arg(long, value_name = "ID")]
        organisation: OrganisationId,
        /// Id of a round: its check-ins alone.
        #[arg(long, value_name = "ROUND")]
        round: Option<String>,
        /// File to write; without it, the CSV goes to standard output.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print a file to fill in: with an example row, or with a row for each check-in that is due of an organisation's members.
    Template {
        /// Id of the organisation.
        #[arg(long, value_name = "ID")]
        organisation: Option<OrganisationId>,
        /// Days from today on.
        #[arg(long, default_value_t = 7, requires = "organisation")]
        days: i32,
    },
    /// Describe every column.
    Columns,
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::Import { file, organisation, accept_good_rows, validate_only } => {
            let import = CheckInImport { organisation, accept_good_rows, validate_only };
            import_file(&file, &import, global).await
        }
        Command::Export { organisation, round, output } => {
            let client = global.client().await?;
            let sink: Box<dyn Write + Send> = match &output {
                Some(file) => {
                    Box::new(BufWriter::new(private::create(file).map_err(|error| unwritable(file, &error))?))
                }
                None => Box::new(io::stdout()),
            };
            let form = if global.json { Form::Json } else { Form::Csv };
            let round = round.map(|round| name("rounds/", &round)).unwrap_or_default();
            let request = v1::ExportCheckInsRequest { parent: organisation.name(), round };
            let written = client::export_check_ins(&client, request, form, sink).await?;
            tell(
                &message!("{written|1 check-in|{written} check-ins} exported", written = written),
                global.lang,
            );
            Ok(())
        }
        Command::Template { organisation: None, .. } => Ok(check_in_csv::write_template(io::stdout())?),
        Command::Template { organisation: Some(organisation), days } => {
            let client = global.client().await?;
            let due = client.all_due(&organisation.name(), days).await?;
            let written = client::write_due(&due, io::stdout())?;
            tell(
                &message!("{written|1 check-in is|{written} check-ins are} due", written = written),
                global.lang,
            );
            Ok(())
        }
        Command::Columns => Ok(data(check_in_csv::describe_columns().trim_end())?),
    }
}

async fn import_file(file: &PathBuf, import: &CheckInImport, global: &Global) -> Result<(), Failure> {
    let path = file.display().to_string();
    let input = File::open(file).map_err(|error| unreadable(file, &error))?;
    let client = global.client().await?;
    let sent = import.send(&client, input, |finding| {
        match finding {
            Finding::Note(note) => tell(&note_of(&path, note), global.lang),
            Finding::Problem(problem) if global.json => json_problem(problem, global.lang)?,
            Finding::Problem(problem) => print_problem(&path, problem, global.lang),
            // The service warns of no check-in.
            Finding::Notice(_) => {}
        }
        Ok::<_, Failure>(())
    });
    let summary = Box::pin(sent).await?;
    if global.json {
        json(&summary)?;
    }
    conclude(&summary, import.validate_only, global.lang)
}

/// Prints the result of the import, and fails if rows were rejected.
fn conclude(summary: &v1::ImportCheckInsSummary, validate_only: bool, lang: Lang) -> Result<(), Failure> {
    let v1::ImportCheckInsSummary { received, recorded, unchanged, rejected, rejected_unlisted, stored } =
        *summary;
    if rejected_unlisted > 0 {
        let told = message!(
            "{count|1 more rejected row is|{count} more rejected rows are} not listed",
            count = rejected_unlisted
        );
        tell(&told, lang);
    }
    if stored {
        let told = message!(
            "{received|1 row|{received} rows}: {recorded} recorded, {unchanged} recorded before, {rejected} rejected",
            received = received,
            recorded = recorded,
            unchanged = unchanged,
            rejected = rejected
        );
        tell(&told, lang);
    } else if validate_only {
        let told = message!(
            "{received|1 row|{received} rows} checked: {recorded} good, {unchanged} recorded before, {rejected} rejected; nothing was recorded (--validate-only)",
            received = received,
            recorded = recorded,
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
