//! `wim-match demo`: one whole round through gRPC.
//!
//! The demo starts a real server on a free loopback port with a new SQLite file. A client imports a whole alliance, runs one
//! round, prints the result, reviews it and publishes it.

pub mod alliance;
mod members;
mod moved_clock;
mod review;
mod season;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use crate::client::output::{data, json, program, say, show, tell};
use crate::client::private;
use crate::client::{self, Channel, Client, Results, connect, progress, request_id, story, v1};
use crate::clock::{Clock as _, Stopwatch, SystemClock};
use crate::config::{Config, Overrides};
use crate::domain::grant::Role;
use crate::domain::language;
use crate::domain::message::Message;
use crate::domain::vocabulary::Lang;
use crate::server::{Listeners, Server};
use crate::{message, report, wording};
use alliance::Alliance;
pub use members::BroughtIn;
use members::bring_in;
use moved_clock::MovedClock;
use review::{Group, Told};
use season::Season;

/// Blanks between the columns of a list.
const COLUMN_GAP: usize = 5;
/// The round of the demo.
const ROUND: &str = "2027-first";

/// People of the largest alliance whose run is reviewed and published.
const MOST_REVIEWED: u32 = 20_000;
/// People of the largest alliance whose mentorships live.
const MOST_LIVING: u32 = 1_000;

/// Options of `wim-match demo`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Size of a synthetic alliance; without it, the demo uses the sample alliance of 112 mentees and 90 mentors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=2_000_000))]
    people: Option<u32>,
    /// Seed of the synthetic alliance.
    #[arg(long, default_value_t = 1, requires = "people")]
    seed: u64,
    /// SQLite file; the file of an earlier demo is replaced.
    #[arg(long, value_name = "FILE", default_value = "wim-match-demo.sqlite3")]
    database: PathBuf,
    /// File of the report (HTML).
    #[arg(long, value_name = "FILE", default_value = "round-report.html")]
    report: PathBuf,
    /// Keep the service running after the round, which is left to be reviewed in the console.
    #[arg(long)]
    serve: bool,
}

/// Why the demo does not begin.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub Message);

/// One whole round, with the service still running.
#[derive(Debug)]
pub struct Played {
    /// The service.
    pub server: Server,
    /// Its clock.
    clock: Arc<MovedClock>,
    /// The connection of its clients.
    channel: Channel,
    /// Token of a coordinator.
    pub coordinator_token: String,
    /// Time until the service was ready.
    pub startup: Duration,
    /// The imported alliance.
    pub brought_in: BroughtIn,
    /// Time from StartRun to the end of WatchRun, measured by the client.
    pub round: Duration,
    /// The results of the run.
    pub results: Results,
}

/// Runs the demo and prints the result.
pub async fn run(options: &Options, lang: Lang, as_json: bool) -> anyhow::Result<()> {
    let print = |line: &Message| if as_json { Ok(()) } else { show(line, lang) };
    print(&message!(
        "One whole matching round on a synthetic alliance: every organisation and person in it is invented."
    ))?;
    print(&Message::default())?;
    let alliance = match options.people {
        Some(people) => alliance::synthesise(people as usize, options.seed),
        None => alliance::sample(),
    };
    let played = play(&alliance, &options.database, lang).await?;
    let Played { server, startup, brought_in, results, .. } = &played;
    print(&message!(
        "Service ready in {millis} ms on {address}, with a new SQLite file.",
        millis = millis(*startup),
        address = format!("http://{}", server.address())
    ))?;
    print(&message!(
        "Imported {profiles|1 profile|{profiles} profiles} of {organisations|1 organisation|{organisations} organisations} in {millis} ms; {enrolled} enrolled, {refused} not enrolled: no consent, or neither mentor nor mentee.",
        profiles = brought_in.profiles,
        organisations = brought_in.organisations,
        millis = millis(brought_in.importing),
        enrolled = brought_in.enrolled,
        refused = brought_in.refused
    ))?;
    print(&message!(
        "Matched in {millis} ms, from StartRun to the stored result.",
        millis = millis(played.round)
    ))?;
    private::write(&options.report, report::render(&results.report(lang, SystemClock.now(), true)))?;
    if as_json {
        json(&results.run)?;
    } else {
        data("")?;
        data(&story::story(results, lang))?;
        data("")?;
    }
    // A living round is left to whoever opens the console.
    if !options.serve {
        Box::pin(go_on(&played, options, Told { lang, silent: as_json })).await?;
    }
    if !as_json {
        print_files(options, results, lang)?;
        print_next_steps(results, lang)?;
    }
    if options.serve {
        say("");
        let told = message!(
            "The service keeps running on {address}; stop it with Ctrl-C. Token of a coordinator:",
            address = format!("http://{}", server.address())
        );
        tell(&told, lang);
        data(&played.coordinator_token)?;
        if let (Some(console), Some(first)) = (server.console_origin(), alliance.organisations.first()) {
            tell(
                &message!(
                    "The console is at {address}. Open it in a browser, and sign in as one of these three: two coordinators and a manager.",
                    address = format!("{console}/sign-in")
                ),
                lang,
            );
            data(&format!("console {console}"))?;
            for (handle, token) in review::people(server, &played.channel, &first.id).await? {
                data(&format!("person {handle} {token}"))?;
            }
        }
        tokio::signal::ctrl_c().await?;
    }
    played.server.stop().await
}

/// What follows the run: its review and publication, and the lives of the mentorships with a second round. Large alliances end
/// earlier.
async fn go_on(played: &Played, options: &Options, told: Told) -> anyhow::Result<()> {
    let Played { server, clock, channel, results, .. } = played;
    let up_to = |most: u32| options.people.is_none_or(|people| people <= most);
    // The review prepares all pairs of the round in memory.
    if !up_to(MOST_REVIEWED) {
        return Ok(());
    }
    let mut group = Group::new(server, channel).await?;
    review::review(server, channel, &mut group, &results.run, told).await?;
    if up_to(MOST_LIVING) {
        let organisations = alliance::sample().organisations;
        let ids = organisations.iter().map(|organisation| &organisation.id);
        let season = Season::new(server, channel, clock, ids, told).await?;
        told.tell(&Message::default())?;
        season.live(&group, &format!("rounds/{ROUND}"), results.dates, true).await?;
        let (round, dates) = season.second_round(&mut group).await?;
        season.live(&group, &round, dates, false).await?;
        season.ask_about_weights(&mut group, &round).await?;
    }
    Ok(())
}

/// Runs one whole round through gRPC, on a new database file.
pub async fn play(alliance: &Alliance, database: &Path, lang: Lang) -> anyhow::Result<Played> {
    make_room_for(database)?;
    play_at(alliance, &format!("sqlite:{}", database.display()), lang).await
}

/// Runs one whole round through gRPC, on the empty database at a URL.
pub async fn play_at(alliance: &Alliance, database: &str, lang: Lang) -> anyhow::Result<Played> {
    let clock = Arc::new(MovedClock::default());
    let (server, startup) = start(database, Arc::clone(&clock)).await?;
    let channel = connect(&format!("http://{}", server.address())).await?;
    let coordinator_token = server.service().issue_token(&Role::Coordinator, "demo").await?;
    let mut coordinator = Client::new(&channel, Some(&coordinator_token))?;
    create_round(&mut coordinator, lang).await?;
    let brought_in = bring_in(&server, &channel, alliance, &format!("rounds/{ROUND}"), lang).await?;
    let stopwatch = Stopwatch::start();
    let run = run_round(&mut coordinator, lang).await?;
    let round = stopwatch.elapsed();
    let results = Results::fetch(&coordinator, run).await?;
    Ok(Played { server, clock, channel, coordinator_token, startup, brought_in, round, results })
}

/// Removes the database file of an earlier demo, and refuses every other file.
fn make_room_for(database: &Path) -> anyhow::Result<()> {
    let file = database.display();
    let is_of_a_demo =
        database.file_name().is_some_and(|name| name.to_string_lossy().ends_with("demo.sqlite3"));
    if database.exists() && !is_of_a_demo {
        let what = message!(
            "{file} exists, and only a file whose name ends with demo.sqlite3 is replaced; choose another file with --database",
            file = file.to_string()
        );
        return Err(Refused(what).into());
    }
    for suffix in ["", "-wal", "-shm"] {
        match std::fs::remove_file(format!("{file}{suffix}")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let what = message!(
                    "{file} of an earlier demo cannot be removed: {cause}",
                    file = format!("{file}{suffix}"),
                    cause = error.to_string()
                );
                return Err(Refused(what).into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Starts a server on a free loopback port, and returns it with the time until it was ready.
async fn start(database: &str, clock: Arc<MovedClock>) -> anyhow::Result<(Server, Duration)> {
    let stopwatch = Stopwatch::start();
    let mut config = Config::load(&Overrides {
        listen: Some("127.0.0.1:0".to_owned()),
        database: Some(database.to_owned()),
        ..Overrides::default()
    })?
    .without_rates();
    config.worker = true;
    // The people of a demonstration have tokens and no passkeys.
    config.console_token_sign_in = true;
    let listeners = Listeners {
        calls: TcpListener::bind(config.listen).await?,
        monitoring: None,
        console: Some(TcpListener::bind(config.listen).await?),
    };
    let server = Server::start_with(config, listeners, "demo", clock).await?;
    Ok((server, stopwatch.elapsed()))
}

async fn create_round(coordinator: &mut Client, lang: Lang) -> anyhow::Result<()> {
    let round = v1::Round {
        display_name: wording::message(&message!("International mentoring round 2027 (synthetic)"), lang),
        start_date: "2027-01-15".to_owned(),
        end_date: "2027-07-15".to_owned(),
        all_members: true,
        ..v1::Round::default()
    };
    let request = v1::CreateRoundRequest {
        round_id: ROUND.to_owned(),
        round: Some(round),
        request_id: request_id(),
        validate_only: false,
    };
    coordinator.rounds.create_round(request).await?;
    Ok(())
}

async fn run_round(coordinator: &mut Client, lang: Lang) -> anyhow::Result<v1::Run> {
    let request = v1::StartRunRequest {
        round: format!("rounds/{ROUND}"),
        request_id: request_id(),
        validate_only: false,
        ..v1::StartRunRequest::default()
    };
    let run = coordinator.runs.start_run(request).await?.into_inner().run.unwrap_or_default();
    let run = progress::watch_with_bar(coordinator, &run.name, lang).await?;
    client::success(&run)?;
    Ok(run)
}

/// The files of the demo and the name of the result, below each other.
fn print_files(options: &Options, results: &Results, lang: Lang) -> std::io::Result<()> {
    let report = message!("{file}  (open it in a browser)", file = options.report.display().to_string());
    let database = message!(
        "{file}  (profiles, round, frozen snapshot, matches, certificate, journal)",
        file = options.database.display().to_string()
    );
    let result = message!(
        "{run}  digest {digest}",
        run = &results.run.name,
        digest = short(&results.run.result_digest)
    );
    data("")?;
    let lines =
        [(message!("Report"), report), (message!("Database"), database), (message!("Result"), result)];
    for line in side_by_side(&lines.map(|(label, what)| (wording::message(&label, lang), what)), lang) {
        data(&line)?;
    }
    Ok(())
}

fn print_next_steps(results: &Results, lang: Lang) -> std::io::Result<()> {
    let program = program();
    let other = Lang::ALL.into_iter().find(|other| *other != lang).unwrap_or_default().tag();
    let in_other =
        message!("the same demo in another language: {language}", language = language::label(other, lang));
    data("")?;
    show(&message!("Next steps:"), lang)?;
    let steps = [
        (format!("  {program} demo --lang {other}"), in_other),
        (format!("  {program} demo --people 10000"), message!("an alliance of ten thousand people")),
        (
            format!("  {program} demo --serve"),
            message!("the service keeps running; then, in another terminal:"),
        ),
    ];
    for line in side_by_side(&steps, lang) {
        data(&line)?;
    }
    let example =
        results.matches.first().map(|pair| format!("{} {}", pair.mentee.short(), pair.mentor.short()));
    let pair = example.unwrap_or_else(|| "MENTEE MENTOR".to_owned());
    data(&format!("  {program} --server http://… --token … round explain {ROUND} {pair}"))
}

/// Lines of a text on the left and a message on the right, which begins in the same column on each.
fn side_by_side(lines: &[(String, Message)], lang: Lang) -> Vec<String> {
    let width = lines.iter().map(|(left, _)| left.chars().count()).max().unwrap_or_default() + COLUMN_GAP;
    let line = |(left, right): &(String, Message)| format!("{left:<width$}{}", wording::message(right, lang));
    lines.iter().map(line).collect()
}

/// Whole milliseconds.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn short(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}
