//! `wim-match report round|programme|annual|committee|list|download`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::failure::Failure;
use super::global::Global;
use super::names::name;
use super::problem::unwritable;
use crate::client::output::{data, items, json, tell};
use crate::client::{Client, private, request_id, time_shown, v1};
use crate::domain::vocabulary::Lang;
use crate::message;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make the report of a published round.
    Round {
        /// Id of the round.
        round: String,
        #[command(flatten)]
        file: FileOptions,
    },
    /// Make the report of all published rounds, year on year.
    Programme {
        #[command(flatten)]
        file: FileOptions,
    },
    /// Make the annual report of every member organisation: its own page beside the numbers of the alliance.
    Annual {
        /// The year in which the rounds begin.
        year: i32,
        /// Only for this organisation; repeat it for several.
        #[arg(long, value_name = "ID")]
        organisation: Vec<String>,
        #[command(flatten)]
        file: FileOptions,
    },
    /// Make the report to the Steering Committee, by region alone.
    Committee {
        /// The year in which the rounds begin.
        year: i32,
        #[command(flatten)]
        file: FileOptions,
    },
    /// List the reports that you may read.
    List,
    /// Write a report that was made before as a file.
    Download {
        /// Name of the report, as `report list` shows it.
        report: String,
        #[command(flatten)]
        file: FileOptions,
    },
}

/// The file that is written.
#[derive(Debug, Args)]
pub(super) struct FileOptions {
    /// Write the report to this file; annual reports of several organisations need a folder.
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Form of the file [default: by its ending, else html].
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[arg(help = format!("Language of the file: {} [default: that of --lang]", Lang::tags_in_words()))]
    #[arg(long, value_parser = parse_lang)]
    language: Option<Lang>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Csv,
    Json,
    Xlsx,
}

impl Format {
    fn message(self) -> v1::ReportFormat {
        match self {
            Self::Html => v1::ReportFormat::Html,
            Self::Csv => v1::ReportFormat::Csv,
            Self::Json => v1::ReportFormat::Json,
            Self::Xlsx => v1::ReportFormat::Xlsx,
        }
    }
}

fn parse_lang(tag: &str) -> Result<Lang, String> {
    Lang::from_tag(tag).ok_or_else(|| format!("use {}", Lang::tags_in_words()))
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let of = |kind: v1::ReportKind| v1::Report { kind: kind.into(), ..v1::Report::default() };
    match command {
        Command::Round { round, file } => {
            let wanted = v1::Report { round: name("rounds/", &round), ..of(v1::ReportKind::Round) };
            let report = make(&client, wanted).await?;
            finish(&client, &[report], &file, global).await
        }
        Command::Programme { file } => {
            let report = make(&client, of(v1::ReportKind::Programme)).await?;
            finish(&client, &[report], &file, global).await
        }
        Command::Annual { year, organisation, file } => {
            let organisations = if organisation.is_empty() {
                let all = client.all_organisations().await?;
                let members = all.into_iter().filter(|one| {
                    one.membership
                        .as_ref()
                        .is_some_and(|membership| membership.state() == v1::MembershipState::Member)
                });
                members.map(|one| one.name).collect()
            } else {
                organisation.iter().map(|id| name("organisations/", id)).collect::<Vec<_>>()
            };
            let mut reports = Vec::new();
            for organisation in organisations {
                reports.push(
                    make(&client, v1::Report { organisation, year, ..of(v1::ReportKind::Annual) }).await?,
                );
            }
            finish(&client, &reports, &file, global).await
        }
        Command::Committee { year, file } => {
            let report = make(&client, v1::Report { year, ..of(v1::ReportKind::Committee) }).await?;
            finish(&client, &[report], &file, global).await
        }
        Command::List => {
            let all = client.all_reports().await?;
            let header = [message!("Report"), message!("Kind"), message!("About"), message!("Made")];
            let row = |one: &v1::Report| {
                let year = if one.year == 0 { String::new() } else { one.year.to_string() };
                let about = [one.round.as_str(), one.organisation.as_str(), year.as_str()];
                let about: Vec<&str> = about.into_iter().filter(|part| !part.is_empty()).collect();
                [
                    one.name.clone(),
                    kind(one).to_owned(),
                    about.join(" "),
                    time_shown(one.create_time.as_ref()),
                ]
            };
            Ok(items(&all, &header, row, global.json, global.lang)?)
        }
        Command::Download { report, file } => {
            let Some(output) = &file.output else {
                return Err(Failure::input(
                    message!("the file has no name"),
                    message!("name it with --output, for example `--output report.html`"),
                ));
            };
            let name = name("reports/", &report);
            write(&client, &name, output, &file, global).await
        }
    }
}

fn kind(report: &v1::Report) -> &'static str {
    match report.kind() {
        v1::ReportKind::Unspecified => "",
        v1::ReportKind::Round => "round",
        v1::ReportKind::Programme => "programme",
        v1::ReportKind::Annual => "annual",
        v1::ReportKind::Committee => "committee",
    }
}

async fn make(client: &Client, wanted: v1::Report) -> Result<v1::Report, Failure> {
    let request =
        v1::CreateReportRequest { report: Some(wanted), request_id: request_id(), validate_only: false };
    let made = client.reports.clone().create_report(request).await?.into_inner();
    Ok(made.report.unwrap_or_default())
}

/// Prints the reports that were made, and writes their files.
async fn finish(
    client: &Client,
    reports: &[v1::Report],
    file: &FileOptions,
    global: &Global,
) -> Result<(), Failure> {
    for report in reports {
        if global.json {
            json(report)?;
        } else {
            data(&report.name)?;
        }
    }
    let Some(output) = &file.output else { return Ok(()) };
    if let [report] = reports
        && !output.is_dir()
    {
        return write(client, &report.name, output, file, global).await;
    }
    std::fs::create_dir_all(output).map_err(|error| unwritable(output, &error))?;
    for report in reports {
        let (content, file_name) = download(client, &report.name, Format::Html, file, global).await?;
        let path = output.join(Path::new(&file_name).file_name().unwrap_or_default());
        private::write(&path, content).map_err(|error| unwritable(&path, &error))?;
    }
    let told = message!(
        "{reports|1 report|{reports} reports} written to {folder}, a file for each",
        reports = reports.len(),
        folder = output.display().to_string()
    );
    tell(&told, global.lang);
    Ok(())
}

async fn write(
    client: &Client,
    report: &str,
    output: &Path,
    file: &FileOptions,
    global: &Global,
) -> Result<(), Failure> {
    let ending = output.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let by_ending = ending.and_then(|ending| Format::from_str(&ending, false).ok());
    let (content, _) = download(client, report, by_ending.unwrap_or(Format::Html), file, global).await?;
    private::write(output, content).map_err(|error| unwritable(output, &error))?;
    tell(&message!("report written to {file}", file = output.display().to_string()), global.lang);
    Ok(())
}

/// The bytes of a file and a name for it; `usual` is its form without an option.
async fn download(
    client: &Client,
    report: &str,
    usual: Format,
    file: &FileOptions,
    global: &Global,
) -> Result<(Vec<u8>, String), Failure> {
    let request = v1::DownloadReportRequest {
        name: report.to_owned(),
        format: file.format.unwrap_or(usual).message().into(),
        language_code: file.language.unwrap_or(global.lang).tag().to_owned(),
    };
    let found = client.reports.clone().download_report(request).await?.into_inner();
    Ok((found.content, found.file_name))
}
