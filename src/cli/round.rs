//! `wim-match round`: rounds, enrolments, runs and results.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::failure::Failure;
use super::global::Global;
use super::problem::text_of;
use crate::client::json::from_json;
use crate::client::output::{counted, data, json, say, table};
use crate::client::progress::watch_with_bar;
use crate::client::{Client, Error, Results, request_id, story, success, summary, v1};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::name::RunRef;
use crate::domain::round::RoundState;
use crate::domain::run::RunState;
use crate::domain::vocabulary::Lang;
use crate::error::chain;
use crate::{report, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a round.
    Create {
        /// Id: lower-case letters, digits and hyphens, for example `2027-spring`.
        id: String,
        /// Display name.
        #[arg(long)]
        name: String,
        /// First day of the mentorships, YYYY-MM-DD.
        #[arg(long)]
        start: String,
        /// Last day of the mentorships, YYYY-MM-DD.
        #[arg(long)]
        end: String,
        /// Policy as proto JSON, for example `{"hardRules": {"minScore": 4000}}`; without it, the default policy applies.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// List rounds.
    List,
    /// Enrol members of an organisation.
    Enrol {
        /// Id of the round.
        round: String,
        /// Id of the organisation.
        #[arg(long, value_name = "ID")]
        organisation: String,
        /// Ids of the members in the organisation; without any, all members are enrolled.
        profiles: Vec<String>,
    },
    /// Start a run and watch it.
    Run {
        /// Id of the round.
        round: String,
        /// Return as soon as the run is queued.
        #[arg(long)]
        detach: bool,
    },
    /// Watch a run until it ends.
    Watch {
        /// Id of the round.
        round: String,
        /// Number of the run; without it, the newest run.
        run: Option<i64>,
    },
    /// Cancel a run.
    Cancel {
        /// Id of the round.
        round: String,
        /// Number of the run; without it, the newest run.
        run: Option<i64>,
    },
    /// Show the result of a run.
    Show {
        /// Id of the round.
        round: String,
        /// Number of the run; without it, the newest run.
        run: Option<i64>,
        /// Also write the report as one HTML file.
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Also write all matches as CSV.
        #[arg(long, value_name = "FILE")]
        matches: Option<PathBuf>,
    },
    /// Explain a pair, matched or not.
    Explain {
        /// Id of the round.
        round: String,
        /// The mentee: id of the organisation, slash, id of the mentee in it.
        mentee: String,
        /// The mentor: id of the organisation, slash, id of the mentor in it.
        mentor: String,
        /// Number of the run; without it, the newest run.
        #[arg(long)]
        run: Option<i64>,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let mut client = global.client().await?;
    match command {
        Command::Create { id, name, start, end, policy } => {
            let policy = policy.as_deref().map(read_policy).transpose()?;
            let round = v1::Round {
                display_name: name,
                start_date: start,
                end_date: end,
                policy,
                ..v1::Round::default()
            };
            let request =
                v1::CreateRoundRequest { round_id: id, round: Some(round), request_id: request_id() };
            let round = client.rounds.create_round(request).await?.into_inner().round.unwrap_or_default();
            if global.json { json(&round)? } else { data(&round.name)? }
        }
        Command::List => list(&client, global).await?,
        Command::Enrol { round, organisation, profiles } => {
            let profile = |id: &String| format!("organisations/{organisation}/profiles/{id}");
            let request = v1::EnrolProfilesRequest {
                round: format!("rounds/{round}"),
                profiles: profiles.iter().map(profile).collect(),
                organisation: format!("organisations/{organisation}"),
                request_id: request_id(),
            };
            let done = client.rounds.enrol_profiles(request).await?.into_inner();
            if global.json {
                json(&done)?;
            } else {
                say(&format!(
                    "profiles enrolled now: {}; profiles that were enrolled already: {}",
                    done.enrolled, done.already_enrolled
                ));
                for refused in &done.refused {
                    data(&format!("{} was not enrolled: {}", refused.profile, refusal(refused.reason())))?;
                }
            }
        }
        Command::Run { round, detach } => {
            let request = v1::StartRunRequest { round: format!("rounds/{round}"), request_id: request_id() };
            let run = client.rounds.start_run(request).await?.into_inner().run.unwrap_or_default();
            let run = if detach { run } else { watch_with_bar(&client, &run.name, global.lang).await? };
            report_end(&run, global)?;
        }
        Command::Watch { round, run } => {
            let run = find(&mut client, &round, run).await?;
            let run = watch_with_bar(&client, &run.name, global.lang).await?;
            report_end(&run, global)?;
        }
        Command::Cancel { round, run } => {
            let name = find(&mut client, &round, run).await?.name;
            let request = v1::CancelRunRequest { name, request_id: request_id() };
            let run = client.rounds.cancel_run(request).await?.into_inner().run.unwrap_or_default();
            if global.json { json(&run)? } else { data(&state(&run, global.lang))? }
        }
        Command::Show { round, run, report, matches } => {
            let run = find(&mut client, &round, run).await?;
            show(&client, run, report.as_deref(), matches.as_deref(), global).await?;
        }
        Command::Explain { round, mentee, mentor, run } => {
            let run = find(&mut client, &round, run).await?;
            explain(&mut client, &run.name, &mentee, &mentor, global).await?;
        }
    }
    Ok(())
}

async fn list(client: &Client, global: &Global) -> Result<(), Failure> {
    let rounds = client.all_rounds().await?;
    if global.json {
        for round in &rounds {
            json(round)?;
        }
        return Ok(());
    }
    let mut rows = table(&["Round", "Name", "State", "From", "To", "Mentees", "Mentors"]);
    for round in &rounds {
        let enrolment = round.enrolment.unwrap_or_default();
        let name = round.state().as_str_name().trim_start_matches("ROUND_STATE_").to_lowercase();
        let state = RoundState::from_name(&name)
            .map_or(name, |state| wording::round_state_label(state, global.lang).to_owned());
        rows.add_row([
            round.name.clone(),
            round.display_name.clone(),
            state,
            round.start_date.clone(),
            round.end_date.clone(),
            enrolment.mentees.to_string(),
            enrolment.mentors.to_string(),
        ]);
    }
    Ok(data(&rows.to_string())?)
}

async fn show(
    client: &Client,
    run: v1::Run,
    report_file: Option<&Path>,
    matches_file: Option<&Path>,
    global: &Global,
) -> Result<(), Failure> {
    if global.json && report_file.is_none() && matches_file.is_none() {
        return Ok(json(&run)?);
    }
    let results = Results::fetch(client, run).await?;
    if global.json {
        json(&results.run)?;
    } else {
        data(&story::story(&results, global.lang))?;
    }
    if let Some(file) = report_file {
        super::private::write(file, report::render(&results.report(global.lang, SystemClock.now(), false)))?;
        say(&format!("report written to {}", file.display()));
    }
    if let Some(file) = matches_file {
        write_matches(&results, file).map_err(anyhow::Error::from)?;
        let matches = counted(results.matches.len() as u64, "match", "matches", global.lang);
        say(&format!("{matches} written to {}", file.display()));
    }
    Ok(())
}

fn write_matches(results: &Results, file: &Path) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(super::private::create(file)?);
    writer.write_record(["mentee", "mentor", "score"])?;
    for pair in &results.matches {
        writer.write_record([pair.mentee.short(), pair.mentor.short(), pair.score.to_string()])?;
    }
    Ok(writer.flush()?)
}

async fn explain(
    client: &mut Client,
    run: &str,
    mentee: &str,
    mentor: &str,
    global: &Global,
) -> Result<(), Failure> {
    let request = v1::ExplainPairRequest {
        run: run.to_owned(),
        mentee: long_name(mentee)?,
        mentor: long_name(mentor)?,
        language_code: global.lang.tag().to_owned(),
    };
    let explained = client.rounds.explain_pair(request).await?.into_inner();
    if global.json {
        return Ok(json(&explained)?);
    }
    Ok(data(&story::explanation(&explained, global.lang))?)
}

/// Prints the state of a run that has ended, and fails if it has no result.
fn report_end(run: &v1::Run, global: &Global) -> Result<(), Failure> {
    if global.json {
        json(run)?;
    } else {
        data(&state(run, global.lang))?;
        if let Some(summary) = summary(run) {
            data(&story::headline(&summary, global.lang))?;
            data(&story::proof(&summary, global.lang))?;
            let (round, number) = RunRef::from_name(&run.name)
                .map_or_else(|_| ("ROUND".to_owned(), 1), |name| (name.round.to_string(), name.number));
            say(&format!("next: show the result with `wim-match round show {round} {number}`,"));
            say(&format!(
                "      or explain a pair with `wim-match round explain {round} MENTEE MENTOR --run {number}`"
            ));
        }
    }
    success(run)?;
    match run.state() {
        v1::RunState::Cancelled => Err(Failure::state(format!("{} was cancelled", run.name))),
        _ => Ok(()),
    }
}

/// Why a profile was not enrolled, and the columns of the CSV file to fill.
fn refusal(reason: v1::RefusedEnrolmentReason) -> &'static str {
    use v1::RefusedEnrolmentReason as Reason;
    match reason {
        Reason::NoLiveConsent => {
            "the profile has no live consent for matching; fill consent_matching_version, \
             consent_matching_language and consent_matching_time"
        }
        Reason::NoRole => {
            "the profile has neither a mentor offer nor a mentee request; fill max_mentees or mentors_wanted"
        }
        Reason::NotFound => {
            "the organisation has no profile with this id; check the id, or import the profile"
        }
        Reason::Unspecified => "the service gives no reason",
    }
}

/// The name of a run with its state.
fn state(run: &v1::Run, lang: Lang) -> String {
    let name = run.state().as_str_name().trim_start_matches("RUN_STATE_").to_lowercase();
    let label =
        RunState::from_name(&name).map_or(name.as_str(), |state| wording::run_state_label(state, lang));
    wording::labelled(&run.name, label, lang)
}

/// The run with this number, or the newest run of the round.
async fn find(client: &mut Client, round: &str, number: Option<i64>) -> Result<v1::Run, Failure> {
    if let Some(number) = number {
        let request = v1::GetRunRequest { name: format!("rounds/{round}/runs/{number}") };
        return Ok(client.rounds.get_run(request).await?.into_inner().run.unwrap_or_default());
    }
    let request =
        v1::ListRunsRequest { parent: format!("rounds/{round}"), page_size: 1, page_token: String::new() };
    let newest = client.rounds.list_runs(request).await?.into_inner().runs.into_iter().next();
    let missing = format!("rounds/{round} has no run yet");
    newest
        .ok_or_else(|| Failure::not_found(missing, format!("start a run with `wim-match round run {round}`")))
}

/// The resource name of a profile, given as `organisation/id`.
fn long_name(short: &str) -> Result<String, Failure> {
    match short.split_once('/') {
        Some(("organisations", _)) => Ok(short.to_owned()),
        Some((organisation, id)) => Ok(format!("organisations/{organisation}/profiles/{id}")),
        None => Err(Failure::input(
            format!("`{short}` is not a person of an organisation"),
            "write ORGANISATION/ID, for example `wim-match round explain 2027-spring wim-peru/PE-001 wim-kenya/KE-002`",
        )),
    }
}

fn read_policy(file: &Path) -> Result<v1::Policy, Failure> {
    let shown = file.display();
    let text = text_of(file)?;
    from_json(&text).map_err(|error| match error {
        Error::Json { source, .. } => {
            let hint = "write the policy as proto JSON, for example `{\"hardRules\": {\"minScore\": 4000}}`";
            Failure::input(format!("{shown} is not a policy: {}", chain(&*source)), hint)
        }
        other => Failure::from(other),
    })
}
