//! `wim-match round …`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, Global};
use crate::api::convert;
use crate::api::proto::v1;
use crate::client::connection::{Client, request_id};
use crate::client::output::{data, json, percent, say, table};
use crate::client::results::Results;
use crate::client::story;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::run::Stage;
use crate::domain::vocabulary::Lang;
use crate::{report, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Open a round.
    Create {
        /// Id: lower-case letters, digits and hyphens, for example `2027-spring`.
        id: String,
        /// The name people know it by.
        #[arg(long)]
        name: String,
        /// First day of the mentorships, YYYY-MM-DD.
        #[arg(long)]
        start: String,
        /// Last day of the mentorships, YYYY-MM-DD.
        #[arg(long)]
        end: String,
        /// Policy as proto JSON, for example `{"hardRules": {"minScore": 4000}}`; without it the default policy.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// List rounds.
    List,
    /// Enrol members of your organisation.
    Enrol {
        /// Id of the round.
        round: String,
        /// Id of your organisation.
        #[arg(long, value_name = "ID")]
        organisation: String,
        /// Own ids of the members; without any, all of them.
        profiles: Vec<String>,
    },
    /// Start a run and watch it.
    Run {
        /// Id of the round.
        round: String,
        /// Only start it.
        #[arg(long)]
        detach: bool,
    },
    /// Watch a run until it ends.
    Watch {
        /// Id of the round.
        round: String,
        /// Number of the run; without it the newest.
        run: Option<i64>,
    },
    /// Cancel a run.
    Cancel {
        /// Id of the round.
        round: String,
        /// Number of the run; without it the newest.
        run: Option<i64>,
    },
    /// Show what came out of a run.
    Show {
        /// Id of the round.
        round: String,
        /// Number of the run; without it the newest.
        run: Option<i64>,
        /// Also write the report as one HTML file.
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Also write all matches as CSV.
        #[arg(long, value_name = "FILE")]
        matches: Option<PathBuf>,
    },
    /// Explain any pair, matched or not.
    Explain {
        /// Id of the round.
        round: String,
        /// The mentee, `organisation/own-id`.
        mentee: String,
        /// The mentor, `organisation/own-id`.
        mentor: String,
        /// Number of the run; without it the newest.
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
        Command::List => list(&mut client, global).await?,
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
                say(&format!("{} enrolled, {} were already", done.enrolled, done.already_enrolled));
                for refused in &done.refused {
                    let reason =
                        refused.reason().as_str_name().trim_start_matches("REFUSED_ENROLMENT_REASON_");
                    data(&format!("{} not enrolled: {reason}", refused.profile))?;
                }
            }
        }
        Command::Run { round, detach } => {
            let request = v1::StartRunRequest { round: format!("rounds/{round}"), request_id: request_id() };
            let run = client.rounds.start_run(request).await?.into_inner().run.unwrap_or_default();
            let run = if detach { run } else { watch(&mut client, &run.name, global.lang).await? };
            tell_end(&run, global)?;
        }
        Command::Watch { round, run } => {
            let run = find(&mut client, &round, run).await?;
            let run = watch(&mut client, &run.name, global.lang).await?;
            tell_end(&run, global)?;
        }
        Command::Cancel { round, run } => {
            let name = find(&mut client, &round, run).await?.name;
            let request = v1::CancelRunRequest { name, request_id: request_id() };
            let run = client.rounds.cancel_run(request).await?.into_inner().run.unwrap_or_default();
            if global.json { json(&run)? } else { data(&format!("{} is {}", run.name, state(&run)))? }
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

async fn list(client: &mut Client, global: &Global) -> anyhow::Result<()> {
    let mut rows = table(&["Round", "Name", "State", "From", "To", "Mentees", "Mentors"]);
    let mut page_token = String::new();
    loop {
        let page =
            client.rounds.list_rounds(v1::ListRoundsRequest { page_size: 0, page_token }).await?.into_inner();
        for round in &page.rounds {
            if global.json {
                json(round)?;
                continue;
            }
            let enrolment = round.enrolment.unwrap_or_default();
            let state = round.state().as_str_name().trim_start_matches("ROUND_STATE_").to_lowercase();
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
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    if !global.json {
        data(&rows.to_string())?;
    }
    Ok(())
}

async fn show(
    client: &Client,
    run: v1::Run,
    report_file: Option<&Path>,
    matches_file: Option<&Path>,
    global: &Global,
) -> anyhow::Result<()> {
    if global.json && report_file.is_none() && matches_file.is_none() {
        return json(&run);
    }
    let results = Results::fetch(client, run).await?;
    if global.json {
        json(&results.run)?;
    } else {
        story::tell(&results, global.lang)?;
    }
    if let Some(file) = report_file {
        let now = SystemClock.now().strftime("%Y-%m-%d %H:%M UTC").to_string();
        std::fs::write(file, report::render(&results.report(global.lang, now, false)))?;
        say(&format!("report written to {}", file.display()));
    }
    if let Some(file) = matches_file {
        let mut writer = csv::Writer::from_path(file)?;
        writer.write_record(["mentee", "mentor", "score"])?;
        for pair in &results.matches {
            writer.write_record([pair.mentee.short(), pair.mentor.short(), pair.score.to_string()])?;
        }
        writer.flush()?;
        say(&format!("{} matches written to {}", results.matches.len(), file.display()));
    }
    Ok(())
}

async fn explain(
    client: &mut Client,
    run: &str,
    mentee: &str,
    mentor: &str,
    global: &Global,
) -> anyhow::Result<()> {
    let request = v1::ExplainPairRequest {
        run: run.to_owned(),
        mentee: long_name(mentee)?,
        mentor: long_name(mentor)?,
        language_code: global.lang.tag().to_owned(),
    };
    let told = client.rounds.explain_pair(request).await?.into_inner();
    if global.json {
        return json(&told);
    }
    data(&told.verdict.unwrap_or_default().text)?;
    for broken in &told.broken_rules {
        data(&format!("  excluded: {}", broken.reason.clone().unwrap_or_default().text))?;
    }
    let pair = told.pair.unwrap_or_default();
    let mut rows = table(&["Criterion", "Points", "of", "Why"]);
    for contribution in &pair.contributions {
        rows.add_row([
            wording::criterion_label(convert::policy::criterion(contribution.criterion), global.lang)
                .to_owned(),
            percent(u16::try_from(contribution.points).unwrap_or_default()),
            percent(u16::try_from(contribution.max_points).unwrap_or_default()),
            contribution.reason.clone().unwrap_or_default().text,
        ]);
    }
    crate::client::output::align_right(&mut rows, &[1, 2]);
    data(&rows.to_string())?;
    Ok(data(&format!("score {}", percent(u16::try_from(pair.score).unwrap_or_default())))?)
}

/// Follows a run with a progress bar until it ends.
pub(crate) async fn watch(client: &mut Client, name: &str, lang: Lang) -> anyhow::Result<v1::Run> {
    let mut updates =
        client.rounds.watch_run(v1::WatchRunRequest { name: name.to_owned() }).await?.into_inner();
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{spinner} {msg:<28} {bar:30} {percent:>3} %");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut last = v1::Run::default();
    while let Some(update) = updates.message().await? {
        last = update.run.unwrap_or_default();
        if let Some(progress) = &last.progress {
            let stage = convert::run::stage(progress.stage).unwrap_or(Stage::Encode);
            bar.set_message(wording::stage_label(stage, lang));
            bar.set_length(u64::try_from(progress.total.max(1)).unwrap_or(1));
            bar.set_position(u64::try_from(progress.done).unwrap_or_default());
        }
    }
    bar.finish_and_clear();
    Ok(last)
}

fn tell_end(run: &v1::Run, global: &Global) -> anyhow::Result<()> {
    if global.json {
        json(run)?;
    } else {
        data(&format!("{} is {}", run.name, state(run)))?;
        if let Some(summary) = run.summary.as_ref().map(convert::run::summary) {
            story::headline(&summary)?;
            data(&story::proof_line(&summary))?;
            say("next: wim-match round show, or round explain for any pair");
        }
    }
    match (&run.failure, run.state()) {
        (Some(failure), _) => anyhow::bail!("{}: {}", failure.reason, failure.message),
        (None, v1::RunState::Cancelled) => {
            Err(tonic::Status::failed_precondition(format!("{} was cancelled", run.name)).into())
        }
        (None, _) => Ok(()),
    }
}

fn state(run: &v1::Run) -> String {
    run.state().as_str_name().trim_start_matches("RUN_STATE_").to_lowercase()
}

/// The run of a number, or the newest of the round.
async fn find(client: &mut Client, round: &str, number: Option<i64>) -> anyhow::Result<v1::Run> {
    if let Some(number) = number {
        let request = v1::GetRunRequest { name: format!("rounds/{round}/runs/{number}") };
        return Ok(client.rounds.get_run(request).await?.into_inner().run.unwrap_or_default());
    }
    let request =
        v1::ListRunsRequest { parent: format!("rounds/{round}"), page_size: 1, page_token: String::new() };
    let newest = client.rounds.list_runs(request).await?.into_inner().runs.into_iter().next();
    newest.ok_or_else(|| {
        tonic::Status::not_found(format!("rounds/{round} has no run yet; start one with `round run`")).into()
    })
}

/// `organisation/own-id` as a resource name.
fn long_name(short: &str) -> anyhow::Result<String> {
    match short.split_once('/') {
        Some(("organisations", _)) => Ok(short.to_owned()),
        Some((organisation, id)) => Ok(format!("organisations/{organisation}/profiles/{id}")),
        None => {
            let told = format!("`{short}` names no person; write organisation/own-id");
            Err(tonic::Status::invalid_argument(told).into())
        }
    }
}

fn read_policy(file: &Path) -> anyhow::Result<v1::Policy> {
    let text =
        std::fs::read_to_string(file).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    crate::client::output::from_json(&text).map_err(|error| {
        tonic::Status::invalid_argument(format!("{} is not a policy: {error}", file.display())).into()
    })
}
