//! Attacks the service while another caller works, and measures what the attack costs. See `benches/README.md`.
//!
//! The service, the attackers and the other caller are three processes on one machine. The attackers run at the lowest
//! priority, so that what they take themselves of the processor hardly counts. The other caller is measured for [`LASTS`]
//! alone and then beside an attack, [`PAIRS`] times over one service; the losses are those of each pair. `-- 200` selects the
//! number of new connections that attack in a second.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

#[path = "edge/attack.rs"]
mod attack;

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::transport::Endpoint;
use wim_match::api::proto::v1;
use wim_match::client::{Client, Import, connect};
use wim_match::clock::Stopwatch;
use wim_match::config::{Config, Overrides};
use wim_match::demo::alliance::synthesise;
use wim_match::domain::grant::Role;
use wim_match::server::Server;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Length of one measurement.
const LASTS: Duration = Duration::from_secs(8);
/// Measurements alone, each followed by one beside an attack.
const PAIRS: usize = 5;
/// New connections of the attack in a second, if the command line gives no number.
const RATE: u32 = 100;
/// People of the one organisation, all in one export.
const PEOPLE: usize = 20_000;
/// Calls of the other caller at a time.
const AT_A_TIME: usize = 4;

/// A child process of this bench, which ends with it.
struct Part(Child, BufReader<std::process::ChildStdout>);

impl Part {
    /// Starts this program with other arguments, `nice` as the system's command of this name takes it.
    fn start(nice: &str, arguments: &[&str]) -> Outcome<Self> {
        let mut command = Command::new("nice");
        command.args(["-n", nice]).arg(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        Ok(Self(child, BufReader::new(output)))
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.1.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Asks the service for the numbers of its edge.
    fn ask(&mut self) -> Outcome<String> {
        let input = self.0.stdin.as_mut().ok_or("no input")?;
        writeln!(input, "counts")?;
        self.line()
    }

    /// A line of the process status, in MiB.
    fn mebibytes(&self, name: &str) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
        Ok(line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<u64>()? / 1_024)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|text| !text.starts_with("--")).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve"] => serve().await,
        ["attack", server, token, organisation, rate] => {
            attack::run(server, token, organisation, rate.parse()?).await
        }
        _ => measure(arguments.first().and_then(|text| text.parse().ok()).unwrap_or(RATE)).await,
    }
}

/// The service: prints its address and two tokens, then its numbers each time it is asked.
async fn serve() -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let overrides = Overrides {
        listen: Some("127.0.0.1:0".to_owned()),
        database: Some(format!("sqlite:{}", home.path().join("wim.sqlite3").display())),
        ..Overrides::default()
    };
    let config = Config::load(&overrides)?.without_rates();
    let listener = TcpListener::bind(config.listen).await?;
    let server = Server::start(config, listener.into(), "test".to_owned()).await?;
    let coordinator = server.service().issue_token(&Role::Coordinator, "bench").await?;
    let secretariat = server.service().issue_token(&Role::Secretariat, "bench").await?;
    let mut client =
        Client::new(&connect(&format!("http://{}", server.address())).await?, Some(&secretariat))?;
    let alliance = synthesise(PEOPLE * 4, 1);
    let largest = (0..alliance.organisations.len()).max_by_key(|at| alliance.profiles_of(*at).count());
    let largest = largest.ok_or("no organisation")?;
    let organisation = alliance.organisations[largest].id.clone();
    let request = v1::CreateOrganisationRequest {
        organisation_id: organisation.to_string(),
        organisation: Some(v1::Organisation {
            display_name: "Bench".to_owned(),
            country: "PE".to_owned(),
            ..v1::Organisation::default()
        }),
        ..v1::CreateOrganisationRequest::default()
    };
    client.organisations.create_organisation(request).await?;
    let manager =
        server.service().issue_token(&Role::OrganisationManager(organisation.clone()), "bench").await?;
    let importer = Client::new(&connect(&format!("http://{}", server.address())).await?, Some(&manager))?;
    let import = Import {
        organisation: organisation.clone(),
        accept_good_rows: true,
        validate_only: false,
        prune: None,
        accept_returned: false,
    };
    let file = std::io::Cursor::new(alliance.csv_of(largest)?);
    import.send(&importer, file, |_| Outcome::Ok(())).await?;
    println!("http://{} {coordinator} {manager} {organisation}", server.address());
    loop {
        let asked = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await?;
        let Some(Ok(_)) = asked else { return Ok(()) };
        let counts = server.counts();
        println!(
            "connections {} calls {} bytes {} refused {}",
            counts.connections,
            counts.calls,
            counts.bytes,
            counts.refused.iter().sum::<u64>()
        );
    }
}

/// Measures the other caller alone and beside three attacks.
async fn measure(rate: u32) -> Outcome<()> {
    let mut service = Part::start("0", &["serve"])?;
    let ready = service.line()?;
    let ready: Vec<&str> = ready.split(' ').collect();
    let [server, coordinator, manager, organisation] = ready[..] else { return Err("no service".into()) };
    let (plain, undelayed) = (
        page_of_100(server, manager, organisation, false).await?,
        page_of_100(server, manager, organisation, true).await?,
    );
    println!("page of 100 profiles, median: {plain} ms; {undelayed} ms if the client sets TCP_NODELAY");
    println!("                 calls/s  median ms   99 % ms  resident MiB  highest MiB  the edge");
    let (mut calls_lost, mut median_more) = (Vec::new(), Vec::new());
    for pair in 1..=PAIRS {
        let alone = row(&format!("alone {pair}"), &mut service, server, coordinator).await?;
        let attackers = Part::start("19", &["attack", server, manager, organisation, &rate.to_string()])?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let attacked = row(&format!("attack {pair}"), &mut service, server, coordinator).await?;
        calls_lost.push(100 - percent(attacked.calls, alone.calls));
        median_more.push(percent(attacked.median, alone.median) - 100);
        drop(attackers);
        tokio::time::sleep(Duration::from_secs(3)).await;
        println!(
            "  3 s after      {:>7}  {:>9}   {:>7}  {:>12}  {:>11}  {}",
            "",
            "",
            "",
            service.mebibytes("VmRSS")?,
            service.mebibytes("VmHWM")?,
            service.ask()?
        );
    }
    row("alone", &mut service, server, coordinator).await?;
    println!(
        "the attacks cost {} of calls/s, and added {} to the median",
        spread(calls_lost),
        spread(median_more)
    );
    Ok(())
}

fn percent(part: i64, whole: i64) -> i64 {
    part * 100 / whole.max(1)
}

/// The median of some percentages, with the least and the greatest one.
fn spread(mut percentages: Vec<i64>) -> String {
    percentages.sort_unstable();
    let [first, .., last] = percentages[..] else { return "nothing".to_owned() };
    format!("{} % ({first} to {last})", percentages[percentages.len() / 2])
}

/// What the other caller has seen.
struct Seen {
    calls: i64,
    /// Median time of a call, in microseconds.
    median: i64,
}

/// Measures the other caller for a while.
async fn row(name: &str, service: &mut Part, server: &str, token: &str) -> Outcome<Seen> {
    let client = Client::new(&connect(server).await?, Some(token))?;
    let whole = Stopwatch::start();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..AT_A_TIME {
        let mut rounds = client.clone().rounds;
        callers.spawn(async move {
            let (mut micros, mut failed) = (Vec::new(), 0);
            while whole.elapsed() < LASTS {
                let call = Stopwatch::start();
                match rounds.list_rounds(v1::ListRoundsRequest::default()).await {
                    Ok(_) => micros.push(call.micros()),
                    Err(_) => failed += 1,
                }
            }
            (micros, failed)
        });
    }
    let (mut micros, mut failed) = (Vec::new(), 0);
    while let Some(of_one) = callers.join_next().await {
        let (of_one, failed_of_one) = of_one?;
        micros.extend(of_one);
        failed += failed_of_one;
    }
    if micros.is_empty() {
        return Err("no call of the other caller was answered".into());
    }
    let seconds = whole.elapsed().as_secs();
    micros.sort_unstable();
    println!(
        "{name:<15}  {:>7}  {:>9}   {:>7}  {:>12}  {:>11}  {}, failed {failed}",
        micros.len() as u64 / seconds.max(1),
        in_milliseconds(micros[micros.len() / 2]),
        in_milliseconds(micros[micros.len() * 99 / 100]),
        service.mebibytes("VmRSS")?,
        service.mebibytes("VmHWM")?,
        service.ask()?
    );
    Ok(Seen { calls: i64::try_from(micros.len())?, median: micros[micros.len() / 2] })
}

/// The median time of a page of 100 profiles, with or without the delay of small packets on the socket of the client.
async fn page_of_100(server: &str, token: &str, organisation: &str, nodelay: bool) -> Outcome<String> {
    let channel = Endpoint::from_shared(server.to_owned())?.tcp_nodelay(nodelay).connect().await?;
    let mut client = Client::new(&channel, Some(token))?;
    let mut micros = Vec::new();
    for _ in 0..200 {
        let request = v1::ListProfilesRequest {
            parent: format!("organisations/{organisation}"),
            page_size: 100,
            ..v1::ListProfilesRequest::default()
        };
        let call = Stopwatch::start();
        let page = client.profiles.list_profiles(request).await?.into_inner();
        micros.push(call.micros());
        assert_eq!(page.profiles.len(), 100, "a whole page");
    }
    micros.sort_unstable();
    Ok(in_milliseconds(micros[micros.len() / 2]))
}

fn in_milliseconds(micros: i64) -> String {
    format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)
}
