//! `wim-match round`: rounds, enrolments, runs and results.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tonic::Code;

use super::compare;
use super::enrolment::{self, Members};
use super::failure::Failure;
use super::global::Global;
use super::names::{find, found, long_name, name};
use super::problem::{text_of, unwritable};
use super::{questions, review, submission};
use crate::client::json::from_json;
use crate::client::output::{data, json, tell, titled};
use crate::client::private;
use crate::client::progress::watch_with_bar;
use crate::client::{
    Client, Error, Results, diagnosis, invitations_of, request_id, story, success, summary, v1,
};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::name::RunRef;
use crate::domain::round::RoundState;
use crate::domain::run::{RunState, StaleCause};
use crate::domain::vocabulary::Lang;
use crate::error::chain;
use crate::{message, report, wording};

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
        /// Reference of the agreement under which the organisations take part, for example its number and date.
        #[arg(long, default_value = "")]
        agreement: String,
        #[command(flatten)]
        invited: Invited,
    },
    /// Change which organisations are invited to a round.
    Invite {
        /// Id of the round.
        round: String,
        #[command(flatten)]
        invited: Invited,
    },
    /// List rounds.
    List,
    /// Enrol members of an organisation.
    Enrol(Members),
    /// List enrolments.
    Enrolments {
        /// Id of the round.
        round: String,
        /// Id of an organisation: its enrolments alone.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
    },
    /// Withdraw members of an organisation from a round.
    Withdraw(Members),
    /// List what stands in the way of a round before it is run: people without possible partners, scarce languages and
    /// topics, missing answers, and whom to recruit.
    Diagnose {
        /// Id of the round.
        round: String,
        /// Another policy to try, as proto JSON; without it, the round's own.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// Solve the round too, and show the numbers of the run that would follow; nothing is stored.
        #[arg(long)]
        dry_run: bool,
    },
    /// Start a run and watch it.
    Run {
        /// Id of the round.
        round: String,
        /// Return as soon as the run is queued.
        #[arg(long)]
        detach: bool,
        /// Number of the run whose pairs the new run keeps where it can without loss, or `none`. Without it, the newest run
        /// that succeeded.
        #[arg(long, value_name = "RUN")]
        follow: Option<String>,
        /// Repair the run of --follow: as many people as possible, then the fewest changes, whatever the policy says of the
        /// scores.
        #[arg(long, requires = "follow")]
        repair: bool,
        /// Most pairs that the repair may change. If more changes are needed, the run fails and says how many.
        #[arg(long, requires = "repair", value_name = "CHANGES")]
        most_changes: Option<i32>,
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
        /// Also write all matches and all people without a match as a spreadsheet: FILE.xlsx, or FILE.csv with
        /// FILE_unmatched.csv beside it. Prefer .xlsx for Excel: on opening a CSV file, Excel changes ids such as 0042,
        /// 1-2 and 3E5 into numbers or dates.
        #[arg(long, value_name = "FILE")]
        matches: Option<PathBuf>,
        /// Write a spreadsheet for each organisation, with its own members alone, to send to its manager; FILE may be a
        /// folder.
        #[arg(long, requires = "matches")]
        per_organisation: bool,
    },
    /// Check the stored proof of a run over its frozen snapshot, from scratch.
    Verify {
        /// Id of the round.
        round: String,
        /// Number of the run; without it, the newest run.
        run: Option<i64>,
    },
    /// Solve the frozen snapshot of a run again, and say whether the same bytes come out.
    Replay {
        /// Id of the round.
        round: String,
        /// Number of the run; without it, the newest run.
        run: Option<i64>,
    },
    /// Compare runs with the first of them: their numbers, and the pairs that differ, with why.
    Compare {
        /// Id of the round.
        round: String,
        /// Numbers of 2 to 8 runs.
        #[arg(required = true, num_args = 2..=8)]
        runs: Vec<i64>,
        /// Most pairs that are shown.
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        most: i32,
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
    #[command(flatten)]
    Review(review::Command),
    #[command(flatten)]
    Questions(questions::Command),
    #[command(flatten)]
    Submission(submission::Command),
}

/// The organisations of a round. It exists for no other organisation.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Invited {
    /// Id of an organisation that is invited; repeat it for several.
    #[arg(long, value_name = "ID")]
    organisation: Vec<String>,
    /// Invite every member of the alliance, also those that become members while the round is open.
    #[arg(long)]
    all_members: bool,
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let mut client = global.client().await?;
    match command {
        Command::Create { id, name, start, end, policy, agreement, invited } => {
            let policy = policy.as_deref().map(read_policy).transpose()?;
            let round = v1::Round {
                display_name: name,
                start_date: start,
                end_date: end,
                policy,
                agreement,
                ..invited.into_round()
            };
            let request = v1::CreateRoundRequest {
                round_id: id,
                round: Some(round),
                request_id: request_id(),
                validate_only: false,
            };
            let round = client.rounds.create_round(request).await?.into_inner().round.unwrap_or_default();
            if global.json { json(&round)? } else { data(&round.name)? }
        }
        Command::Invite { round, invited } => invite(&client, &round, invited, global).await?,
        Command::List => list(&client, global).await?,
        Command::Enrol(command) => enrolment::enrol(&mut client, command, global).await?,
        Command::Enrolments { round, organisation } => {
            enrolment::list(&client, &round, organisation.as_deref(), global).await?;
        }
        Command::Withdraw(command) => enrolment::withdraw(&mut client, command, global).await?,
        Command::Diagnose { round, policy, dry_run } => {
            diagnose(&mut client, &round, policy.as_deref(), dry_run, global).await?;
        }
        Command::Run { round, detach, follow, repair, most_changes } => {
            let (follows, follow_none) = match follow.as_deref() {
                Some("none") => (String::new(), true),
                Some(number) => (format!("{}/runs/{number}", name("rounds/", &round)), false),
                None => (String::new(), false),
            };
            let request = v1::StartRunRequest {
                round: name("rounds/", &round),
                request_id: request_id(),
                validate_only: false,
                follows,
                follow_none,
                repair,
                most_changes,
            };
            let run = client.runs.start_run(request).await;
            let run = found(&client, &round, run).await?.into_inner().run.unwrap_or_default();
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
            let request = v1::CancelRunRequest { name, request_id: request_id(), validate_only: false };
            let run = client.runs.cancel_run(request).await?.into_inner().run.unwrap_or_default();
            if global.json { json(&run)? } else { data(&state(&run, global.lang))? }
        }
        Command::Show { round, run, report, matches, per_organisation } => {
            let run = find(&mut client, &round, run).await?;
            let matches = matches.as_deref().map(|file| (file, per_organisation));
            show(&client, run, report.as_deref(), matches, global).await?;
        }
        Command::Verify { round, run } => {
            let run = find(&mut client, &round, run).await?;
            compare::verify(&mut client, run.name, global).await?;
        }
        Command::Replay { round, run } => {
            let run = find(&mut client, &round, run).await?;
            compare::replay(&mut client, run.name, global).await?;
        }
        Command::Compare { round, runs, most } => {
            compare::compare(&mut client, &name("rounds/", &round), &runs, most, global).await?;
        }
        Command::Explain { round, mentee, mentor, run } => {
            let run = find(&mut client, &round, run).await?;
            explain(&mut client, &run.name, &mentee, &mentor, global).await?;
        }
        Command::Review(command) => Box::pin(review::run(command, &mut client, global)).await?,
        Command::Questions(command) => Box::pin(questions::run(command, &mut client, global)).await?,
        Command::Submission(command) => Box::pin(submission::run(command, &mut client, global)).await?,
    }
    Ok(())
}

impl Invited {
    /// A round with these invitations and no other field.
    fn into_round(self) -> v1::Round {
        let organisations = self.organisation.iter().map(|id| name("organisations/", id)).collect();
        v1::Round { organisations, all_members: self.all_members, ..v1::Round::default() }
    }
}

async fn invite(client: &Client, round: &str, invited: Invited, global: &Global) -> Result<(), Failure> {
    let invited = v1::Round { name: name("rounds/", round), ..invited.into_round() };
    let request = v1::UpdateRoundRequest { request_id: request_id(), ..invitations_of(invited) };
    let changed = client.rounds.clone().update_round(request).await;
    let round = found(client, round, changed).await?.into_inner().round.unwrap_or_default();
    if global.json {
        json(&round)?
    } else {
        data(&round.name)?
    }
    Ok(())
}

async fn diagnose(
    client: &mut Client,
    round: &str,
    policy: Option<&Path>,
    dry_run: bool,
    global: &Global,
) -> Result<(), Failure> {
    let request = v1::DiagnoseRoundRequest {
        name: name("rounds/", round),
        policy: policy.map(read_policy).transpose()?,
        dry_run,
        language_code: global.lang.tag().to_owned(),
    };
    let diagnosed = client.rounds.diagnose_round(request).await;
    let diagnosed = found(client, round, diagnosed).await?.into_inner();
    if global.json {
        return Ok(json(&diagnosed)?);
    }
    let Some(found) = &diagnosed.diagnosis else {
        // A manager: what is wrong in the private lists of her own members.
        enrolment::show_warnings(&diagnosed.warnings, global);
        if diagnosed.warnings.is_empty() {
            tell(&message!("no id in the lists of your members is unknown"), global.lang);
        }
        return Ok(());
    };
    data(&diagnosis::diagnosis(found, global.lang))?;
    if let Some(numbers) = &diagnosed.dry_run {
        data("")?;
        data(&diagnosis::dry_run(numbers, global.lang))?;
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
    let header = [
        message!("Round"),
        message!("Name"),
        message!("State"),
        message!("From"),
        message!("To"),
        message!("Mentees"),
        message!("Mentors"),
    ];
    let mut rows = titled(&header, global.lang);
    for round in &rounds {
        let enrolment = round.enrolment.unwrap_or_default();
        let name = round.state().as_str_name().trim_start_matches("ROUND_STATE_").to_lowercase();
        let state = RoundState::from_name(&name)
            .map_or(name, |state| wording::round_state_label(state, global.lang).to_owned());
        rows.add_row([
            round.name.clone(),
            round.display_name.clone(),
            state,
            day(&round.start_date, global.lang),
            day(&round.end_date, global.lang),
            count(enrolment.mentees, global.lang),
            count(enrolment.mentors, global.lang),
        ]);
    }
    Ok(data(&rows.to_string())?)
}

async fn show(
    client: &Client,
    run: v1::Run,
    report_file: Option<&Path>,
    matches_file: Option<(&Path, bool)>,
    global: &Global,
) -> Result<(), Failure> {
    if global.json && report_file.is_none() && matches_file.is_none() {
        return Ok(json(&run)?);
    }
    tell_stale(&run, global.lang);
    let results = Results::fetch(client, run).await?;
    if global.json {
        json(&results.run)?;
    } else {
        data(&story::story(&results, global.lang))?;
    }
    if let Some(file) = report_file {
        private::write(file, report::render(&results.report(global.lang, SystemClock.now(), false)))
            .map_err(|error| unwritable(file, &error))?;
        tell(&message!("report written to {file}", file = file.display().to_string()), global.lang);
    }
    if let Some((file, per_organisation)) = matches_file {
        let report = results.report(global.lang, SystemClock.now(), false);
        super::spreadsheet::write(&report, file, per_organisation)?;
    }
    Ok(())
}

/// Prints what has changed since the run was started, if anything has.
fn tell_stale(run: &v1::Run, lang: Lang) {
    if run.stale_causes.is_empty() {
        return;
    }
    let known = |number: &i32| StaleCause::ALL.into_iter().find(|cause| *cause as i32 == *number);
    let causes: Vec<&str> = run
        .stale_causes
        .iter()
        .filter_map(known)
        .map(|cause| wording::stale_cause_label(cause, lang))
        .collect();
    let told = message!(
        "{run} is stale: since its start these have changed: {causes}; start a new run with `{command}`",
        run = &run.name,
        causes = wording::list(&causes, lang),
        command = format!("wim-match round run {}", run_name(&run.name).0)
    );
    tell(&told, lang);
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
    let swapped = v1::ExplainPairRequest {
        mentee: request.mentor.clone(),
        mentor: request.mentee.clone(),
        ..request.clone()
    };
    let explained = match client.runs.explain_pair(request).await {
        Ok(explained) => explained.into_inner(),
        // The two names are easily exchanged: the service knows them in the other order.
        Err(status) if matches!(status.code(), Code::NotFound | Code::InvalidArgument) => {
            if client.runs.explain_pair(swapped).await.is_err() {
                return Err(Failure::from(status));
            }
            return Err(Failure::not_found(
                message!(
                    "in this round, {mentee} is a mentor and {mentor} is a mentee",
                    mentee = mentee,
                    mentor = mentor
                ),
                message!(
                    "give the mentee first: `wim-match round explain {round} {mentor} {mentee} --run {number}`",
                    round = run_name(run).0,
                    number = run_name(run).1.to_string(),
                    mentor = mentor,
                    mentee = mentee
                ),
            ));
        }
        Err(status) => return Err(Failure::from(status)),
    };
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
            let (round, number) = run_name(&run.name);
            let told = message!(
                "next: show the result with `{show}`, or explain a pair with `{explain}`",
                show = format!("wim-match round show {round} {number}"),
                explain = format!("wim-match round explain {round} MENTEE MENTOR --run {number}")
            );
            tell(&told, global.lang);
        }
    }
    success(run)?;
    match run.state() {
        v1::RunState::Cancelled => Err(Failure::state(message!("{run} was cancelled", run = &run.name))),
        _ => Ok(()),
    }
}

/// The round and the number of a run, for commands that a person copies.
fn run_name(run: &str) -> (String, i64) {
    RunRef::from_name(run)
        .map_or_else(|_| ("ROUND".to_owned(), 1), |name| (name.round.to_string(), name.number))
}

/// The name of a run with its state.
fn state(run: &v1::Run, lang: Lang) -> String {
    let name = run.state().as_str_name().trim_start_matches("RUN_STATE_").to_lowercase();
    let label =
        RunState::from_name(&name).map_or(name.as_str(), |state| wording::run_state_label(state, lang));
    wording::labelled(&run.name, label, lang)
}

/// The day that a message has, in words.
fn day(iso: &str, lang: Lang) -> String {
    iso.parse().map_or_else(|_| iso.to_owned(), |date| wording::day(date, lang))
}

fn count(number: i64, lang: Lang) -> String {
    wording::count(u64::try_from(number).unwrap_or_default(), lang)
}

fn read_policy(file: &Path) -> Result<v1::Policy, Failure> {
    let shown = file.display();
    let text = text_of(file)?;
    from_json(&text).map_err(|error| match error {
        Error::Json { source, .. } => Failure::input(
            message!("{file} is not a policy: {cause}", file = shown.to_string(), cause = chain(&*source)),
            message!(
                "write the policy as JSON, for example `{example}`",
                example = "{\"hardRules\": {\"minScore\": 4000}}"
            ),
        ),
        other => Failure::from(other),
    })
}
