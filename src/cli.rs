//! The command line. Data goes to standard output, everything else to standard error.
//!
//! Three kinds of commands: clients of a running service (`import`, `export`, `whoami`, `invite`, `redeem`, `organisation`,
//! `consultation`, `round`, `waiting`, `mentorship`, `check-in`, `profile`, `consent`, `privacy`, `parameters`, `report`, `events`, `health`); commands on
//! the machine of the service (`serve`, `admin`, `doctor`, `demo`, `manual`, `completions`); and the solver for problems that the caller brings in files
//! (`diagnose`, `solve`, `verify`, `what-if`, `repair`), which needs no service.

mod access;
mod admin;
mod caller;
mod check_in;
mod compare;
mod consent;
mod consultation;
mod cost;
mod diagnose;
mod doctor;
mod enrolment;
mod events;
mod export;
mod failure;
mod first_token;
mod global;
mod health;
mod import;
mod manual;
mod mentorship;
mod names;
mod organisation;
mod parameters;
mod privacy;
mod problem;
mod profile;
mod questions;
mod repair;
mod report;
mod review;
mod round;
mod serve;
mod solve;
mod spreadsheet;
mod submission;
mod verify;
mod waiting;
mod weights;
mod what_if;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{demo, telemetry};
use failure::Failure;
use global::Global;

/// Printed below the help.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed for a reason not listed here
  2  the command line is wrong
  3  the input is wrong, rows of an import were rejected, or a proof does not hold
  4  the token is missing or unknown, or its role does not allow the command
  5  the resource does not exist
  6  the resource exists already, or its state does not allow the command
  7  the service cannot be reached or is busy; try again
  8  `solve` only: no assignment meets the floors of all groups; the message names the cause

Environment: WIM_MATCH_SERVER, WIM_MATCH_TOKEN, WIM_MATCH_LANG; `wim-match serve --help` lists those of `serve`.";

/// Matches mentors and mentees of independent Women-in-Mining organisations.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one whole matching round on the sample alliance and print its result.
    Demo(demo::Options),
    /// Start the service (keep this window open).
    Serve(serve::Options),
    /// Import profiles of an organisation from a CSV file.
    Import(import::Options),
    /// Export all profiles of an organisation as CSV.
    Export(export::Options),
    /// Show who you are for the service, and the roles of your calls.
    Whoami,
    /// Invite somebody to a role; prints the secret of the invitation.
    Invite(caller::InviteOptions),
    /// Redeem an invitation: choose a handle, and get your first token.
    Redeem(caller::RedeemOptions),
    /// Create and list principals: who may call.
    #[command(subcommand)]
    Principal(access::PrincipalCommand),
    /// Grant, list and end the roles of principals.
    #[command(subcommand)]
    Grant(access::GrantCommand),
    /// Create, list and revoke the credentials of principals.
    #[command(subcommand)]
    Credential(access::CredentialCommand),
    /// List and cancel invitations.
    #[command(subcommand)]
    Invitation(access::InvitationCommand),
    /// List and verify the audit: who changed or read what, and when.
    #[command(subcommand)]
    Audit(access::AuditCommand),
    /// Register and list organisations.
    #[command(subcommand)]
    Organisation(organisation::Command),
    /// Consult the member organisations, and answer for your own.
    #[command(subcommand)]
    Consultation(consultation::Command),
    /// Create matching rounds, enrol members, run rounds and read their results.
    #[command(subcommand)]
    Round(round::Command),
    /// List the mentees who stayed without a match in a published round, and carry them over into a next one.
    #[command(subcommand)]
    Waiting(waiting::Command),
    /// Follow published matches: who accepts, when they meet, what they say of it, and how it ends.
    #[command(subcommand)]
    Mentorship(mentorship::Command),
    /// Import and export check-ins, for a programme that asks its participants by a survey tool.
    #[command(subcommand)]
    CheckIn(check_in::Command),
    /// Answer a person who asks where she is.
    #[command(subcommand)]
    Profile(profile::Command),
    /// Record, withdraw and list the consents of a person.
    #[command(subcommand)]
    Consent(consent::Command),
    /// Keep the rights of a person: restrict the use of her data, or erase her; and print what an auditor asks for.
    #[command(subcommand)]
    Privacy(privacy::Command),
    /// Ask what the outcomes of mentorships say about the weights of a policy.
    #[command(subcommand)]
    Weights(weights::Command),
    /// List what every report measures, and how.
    #[command(subcommand)]
    Parameters(parameters::Command),
    /// Make reports of rounds, of the programme, of a year for each organisation and for the Steering Committee.
    #[command(subcommand)]
    Report(report::Command),
    /// Follow what happens to the resources that you may read.
    #[command(subcommand)]
    Events(events::Command),
    /// List who cannot be matched in a problem that you bring in files, and which mentors would help.
    Diagnose(diagnose::Options),
    /// Solve a problem that you bring in files, and prove the result.
    Solve(solve::Options),
    /// Check a result of `solve` against the problem and the proof alone.
    Verify(verify::Options),
    /// Compute the cost of forcing a pair, and the alternates of a person: her other candidates, each with its cost.
    WhatIf(what_if::Options),
    /// Repair a published result after people left or joined or pairs were vetoed, within a budget of changes.
    Repair(repair::Options),
    /// Migrate the database of the service, and manage who may call it.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Check the configuration, the database and the connection to the service.
    Doctor(doctor::Options),
    /// Ask a running service for its health: exit code 0 if it is ready, 7 if not, within two seconds.
    Health(health::Options),
    /// Write pages for `man` into a folder.
    Manual(manual::ManualOptions),
    /// Print completions for a shell.
    Completions(manual::CompletionsOptions),
}

impl Cli {
    /// Executes the command and returns its exit code.
    pub async fn run(self) -> ExitCode {
        let Self { global, command } = self;
        let lang = global.lang;
        if !matches!(command, Command::Serve(_)) {
            let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned());
            if let Err(error) = telemetry::Telemetry::start(&filter, telemetry::LogFormat::Text, None, "") {
                return Failure::from(error).report(lang);
            }
        }
        let done = match command {
            Command::Demo(options) => {
                Box::pin(demo::run(&options, global.lang, global.json)).await.map_err(Failure::from)
            }
            Command::Serve(options) => serve::run(options, lang).await,
            Command::Import(options) => import::run(options, &global).await,
            Command::Export(options) => export::run(options, &global).await,
            Command::Whoami => caller::who_am_i(&global).await,
            Command::Invite(options) => caller::invite(options, &global).await,
            Command::Redeem(options) => caller::redeem(options, &global).await,
            Command::Principal(command) => access::principal(command, &global).await,
            Command::Grant(command) => access::grant(command, &global).await,
            Command::Credential(command) => access::credential(command, &global).await,
            Command::Invitation(command) => access::invitation(command, &global).await,
            Command::Audit(command) => access::audit(command, &global).await,
            Command::Organisation(command) => organisation::run(command, &global).await,
            Command::Consultation(command) => Box::pin(consultation::run(command, &global)).await,
            Command::Round(command) => round::run(command, &global).await,
            Command::Waiting(command) => waiting::run(command, &global).await,
            Command::Mentorship(command) => Box::pin(mentorship::run(command, &global)).await,
            Command::CheckIn(command) => Box::pin(check_in::run(command, &global)).await,
            Command::Profile(command) => profile::run(command, &global).await,
            Command::Consent(command) => consent::run(command, &global).await,
            Command::Privacy(command) => privacy::run(command, &global).await,
            Command::Weights(command) => weights::run(command, &global).await,
            Command::Parameters(command) => parameters::run(command, &global).await,
            Command::Report(command) => Box::pin(report::run(command, &global)).await,
            Command::Events(command) => events::run(command, &global).await,
            Command::Diagnose(options) => blocking(move || diagnose::run(&options, &global)).await,
            Command::Solve(options) => blocking(move || solve::run(&options, &global)).await,
            Command::Verify(options) => blocking(move || verify::run(&options, &global)).await,
            Command::WhatIf(options) => blocking(move || what_if::run(&options, &global)).await,
            Command::Repair(options) => blocking(move || repair::run(&options, &global)).await,
            Command::Admin(command) => Box::pin(admin::run(command, &global)).await,
            Command::Doctor(options) => doctor::run(options, &global).await,
            Command::Health(options) => health::run(options, &global).await,
            Command::Manual(options) => manual::manual(&options, Self::command()),
            Command::Completions(options) => manual::completions(&options, Self::command()),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(lang),
        }
    }
}

/// Runs a command that computes on a thread of its own, so that the threads of the runtime stay free.
async fn blocking(command: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Result<(), Failure> {
    tokio::task::spawn_blocking(command).await.map_err(anyhow::Error::from)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
