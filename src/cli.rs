//! The command line: a gRPC client, apart from `serve`, `demo`, `admin`, `doctor`, and the commands for problems with scores
//! of one's own. Data goes to standard output, everything else to standard error.

mod admin;
mod cost;
mod diagnose;
mod doctor;
mod export;
mod failure;
pub mod import;
mod organisation;
mod problem;
mod repair;
pub(crate) mod round;
mod serve;
mod solve;
mod verify;
mod what_if;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::client::connection::{Client, connect};
use crate::domain::vocabulary::Lang;
use crate::{demo, telemetry};
pub use failure::Failure;

/// Printed below the help.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed for a reason not listed here
  2  the command line is wrong
  3  the input is wrong, rows of an import were rejected, or a proof does not hold
  4  the token is missing, unknown, or its role does not allow this
  5  not found
  6  exists already, or its state does not allow this
  7  the service cannot be reached or is busy: try again
  8  `solve`: no assignment meets the floors of all groups; what stands against it is told

Environment: WIM_MATCH_SERVER, WIM_MATCH_TOKEN, WIM_MATCH_LANG; for `serve` see `wim-match serve --help`.";

/// Matches mentors and mentees of independent Women-in-Mining organisations.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
    /// Language of explanations: en, fr, es or pt.
    #[arg(long, global = true, env = "WIM_MATCH_LANG", default_value = "en", value_parser = parse_lang)]
    lang: Lang,
    /// The service to call.
    #[arg(long, global = true, env = "WIM_MATCH_SERVER", default_value = "http://127.0.0.1:50051")]
    server: String,
    /// API token of the caller.
    #[arg(long, global = true, env = "WIM_MATCH_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one whole matching round on the sample alliance, and tell its story.
    Demo(demo::Options),
    /// Start the service.
    Serve(serve::Options),
    /// Bring in profiles of an organisation from a CSV file.
    Import(import::Options),
    /// Write all profiles of an organisation as CSV.
    Export(export::Options),
    /// Register and list organisations.
    #[command(subcommand)]
    Organisation(organisation::Command),
    /// Open, fill, run and read matching rounds.
    #[command(subcommand)]
    Round(round::Command),
    /// Say who cannot be served in a problem with scores of your own, and what would help; no service is needed.
    Diagnose(diagnose::Options),
    /// Solve such a problem, and prove the result.
    Solve(solve::Options),
    /// Check a result of `solve` and its proof from scratch.
    Verify(verify::Options),
    /// Say what forcing a pair would cost, and whom else somebody could have.
    WhatIf(what_if::Options),
    /// Change a published result as little as wanted when people leave, join or are vetoed.
    Repair(repair::Options),
    /// Look after the service's database and tokens.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Say what is configured, reachable and migrated.
    Doctor(doctor::Options),
}

/// Where the database of `serve`, `admin` and `doctor` is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Database: `sqlite:FILE` or `postgres://…` [default: sqlite:wim-match.sqlite3; env: WIM_MATCH_DATABASE].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl Global {
    /// A client of the service, acting for the caller.
    async fn client(&self) -> anyhow::Result<Client> {
        Client::new(&connect(&self.server).await?, self.token.as_deref())
    }
}

impl ConfigArgs {
    fn load(&self, listen: Option<String>) -> anyhow::Result<crate::config::Config> {
        crate::config::Config::load(&crate::config::Overrides {
            file: self.config.clone(),
            listen,
            database: self.database.clone(),
        })
    }
}

fn parse_lang(tag: &str) -> Result<Lang, String> {
    Lang::from_tag(tag).ok_or_else(|| "use en, fr, es or pt".to_owned())
}

impl Cli {
    /// Executes the command and says how it ended.
    pub async fn run(self) -> ExitCode {
        let Self { global, command } = self;
        if !matches!(command, Command::Serve(_)) {
            let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned());
            if let Err(error) = telemetry::init(&filter, telemetry::LogFormat::Text) {
                return Failure::from(error).report();
            }
        }
        let done = match command {
            Command::Demo(options) => {
                demo::run(&options, global.lang, global.json).await.map_err(Failure::from)
            }
            Command::Serve(options) => serve::run(options).await,
            Command::Import(options) => import::run(options, &global).await,
            Command::Export(options) => export::run(options, &global).await,
            Command::Organisation(command) => organisation::run(command, &global).await,
            Command::Round(command) => round::run(command, &global).await,
            Command::Diagnose(options) => diagnose::run(options, &global).await,
            Command::Solve(options) => solve::run(options, &global).await,
            Command::Verify(options) => verify::run(options, &global).await,
            Command::WhatIf(options) => what_if::run(options, &global).await,
            Command::Repair(options) => repair::run(options, &global).await,
            Command::Admin(command) => admin::run(command, &global).await,
            Command::Doctor(options) => doctor::run(options, &global).await,
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
