//! Measures the process of the shipped program: the time of a start, what it uses when nobody calls, and what telemetry
//! costs its callers. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

#[path = "support/calls.rs"]
mod calls;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wim_match::client::{Client, connect, v1};
use wim_match::clock::Stopwatch;

use calls::{Failed, HEAD, Measured, measure, repeat};

/// Callers at the same time, and connections that they share.
const CALLERS: usize = 16;
const CONNECTIONS: usize = 4;
/// Duration of each measurement, and pairs of them.
const EACH: Duration = Duration::from_secs(2);
const PAIRS: usize = 9;
/// Starts that are measured.
const STARTS: usize = 9;
/// Time without a call.
const IDLE: Duration = Duration::from_secs(20);

/// A service of its own process; it ends with this value.
struct Service {
    child: Child,
    address: String,
    /// From the start of the process to the line that says where it listens.
    start: Duration,
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Service {
    fn start(database: &str, folder: &Path, settings: &[(&str, String)]) -> Result<Self, Failed> {
        let watch = Stopwatch::start();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--database", database]).current_dir(folder);
        // One caller does the work of many.
        command.env_clear();
        command.env("WIM_MATCH_READS_PER_SECOND", "0").env("WIM_MATCH_WRITES_PER_SECOND", "0");
        command.envs(settings.iter().map(|(name, value)| (format!("WIM_MATCH_{name}"), value)));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no log")?).lines();
        let said = lines.find_map(|line| Some(line.ok()?.strip_prefix("wim-match listens on ")?.to_owned()));
        let (address, start) = (said.ok_or("the service did not start")?, watch.elapsed());
        // A first start then writes its first token, and says what comes next; a later one says nothing more.
        let token = database.strip_prefix("sqlite:").map(|file| format!("{file}.first-token"));
        let is_written =
            || token.as_ref().is_none_or(|file| std::fs::metadata(file).is_ok_and(|file| file.len() > 0));
        while watch.elapsed() < Duration::from_secs(2) && !is_written() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address, start })
    }

    /// Processor time of the process so far, in seconds.
    fn processor(&self) -> Result<f64, Failed> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').ok_or("no fields")?;
        let ticks: Vec<u32> = fields.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
        Ok(f64::from(ticks.iter().sum::<u32>()) / 100.0)
    }

    /// Resident memory, in MiB.
    fn mebibytes(&self) -> Result<f64, Failed> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no such line")?;
        Ok(f64::from(line.trim_end_matches("kB").trim().parse::<u32>()?) / 1_024.0)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let postgres = std::env::args().find(|argument| argument.starts_with("postgres"));
    let home = tempfile::tempdir()?;
    let database = |name: &str| {
        postgres.clone().unwrap_or_else(|| format!("sqlite:{}", home.path().join(name).display()))
    };

    let mut starts = Vec::new();
    for at in 0..=STARTS {
        let service = Service::start(&database("start.db"), home.path(), &off())?;
        // The first start makes the schema.
        if at > 0 {
            starts.push(service.start.as_secs_f64() * 1e3);
        }
    }
    println!("start until it listens: {:.0} ms (median of {STARTS})", median(&mut starts));

    let size = std::fs::metadata(env!("CARGO_BIN_EXE_wim-match"))?.len();
    println!("program: {:.1} MiB", mebibytes(size));

    let collector = discard()?;
    let port = free_port()?;
    let service = Service::start(&database("idle.db"), home.path(), &on(port, collector))?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = service.processor()?;
    for _ in 0..IDLE.as_secs() / 5 {
        scrape(port)?;
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let share = (service.processor()? - before) / IDLE.as_secs_f64() * 100.0;
    println!("idle, scraped every 5 s: {share:.2} % of a core, {:.1} MiB resident", service.mebibytes()?);
    drop(service);

    let without = Service::start(&database("without.db"), home.path(), &off())?;
    let port = free_port()?;
    let with = Service::start(&database("with.db"), home.path(), &on(port, collector))?;
    let token = |name: &str| std::fs::read_to_string(home.path().join(name));
    let tokens = if postgres.is_some() {
        let token = std::fs::read_to_string(home.path().join("wim-match.first-token"))?;
        [token.clone(), token]
    } else {
        [token("without.db.first-token")?, token("with.db.first-token")?]
    };
    println!("{HEAD}");
    for write in [false, true] {
        let (mut rates, mut costs) = (Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            let mut of = [(0.0, 0.0); 2];
            // The order changes from pair to pair.
            for at in if pair % 2 == 0 { [0, 1] } else { [1, 0] } {
                let service = [&without, &with][at];
                let before = service.processor()?;
                let measured = load(&service.address, tokens[at].trim(), write).await?;
                let name =
                    format!("{}, {}", ["reads", "creates"][usize::from(write)], ["without", "with"][at]);
                let base = if of[0].0 > 0.0 { of[0].0 } else { measured.per_second() };
                measured.print(&name, base);
                let calls = measured.per_second() * EACH.as_secs_f64();
                of[at] = (measured.per_second(), (service.processor()? - before) / calls * 1e6);
            }
            scrape(port)?;
            rates.push((1.0 - of[1].0 / of[0].0) * 100.0);
            costs.push((of[1].1 / of[0].1 - 1.0) * 100.0);
        }
        println!(
            "telemetry costs {:.1} % of calls per second and {:.1} % of processor time a call (medians of {PAIRS} pairs)",
            median(&mut rates),
            median(&mut costs)
        );
    }
    Ok(())
}

/// Settings without telemetry.
fn off() -> Vec<(&'static str, String)> {
    vec![("MONITORING_LISTEN", String::new())]
}

/// The default settings, with a collector.
fn on(port: u16, collector: SocketAddr) -> Vec<(&'static str, String)> {
    vec![("MONITORING_LISTEN", format!("127.0.0.1:{port}")), ("OTLP_ENDPOINT", format!("http://{collector}"))]
}

/// Reads of a page of one row, or durable creates.
async fn load(address: &str, token: &str, write: bool) -> Result<Measured, Failed> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Client::new(&connect(address).await?, Some(token))?);
    }
    let callers = (0..CALLERS).map(|caller| {
        let client = clients[caller % CONNECTIONS].clone();
        async move {
            repeat(caller, CALLERS, EACH, |_| {
                let mut client = client.organisations.clone();
                async move {
                    if write {
                        let request = v1::CreateOrganisationRequest {
                            organisation_id: format!("bench-{}", wim_match::client::request_id()),
                            organisation: Some(v1::Organisation {
                                display_name: "Bench".to_owned(),
                                country: "PE".to_owned(),
                                ..v1::Organisation::default()
                            }),
                            ..v1::CreateOrganisationRequest::default()
                        };
                        client.create_organisation(request).await?;
                    } else {
                        client
                            .list_organisations(v1::ListOrganisationsRequest {
                                page_size: 1,
                                ..Default::default()
                            })
                            .await?;
                    }
                    Ok(())
                }
            })
            .await
        }
    });
    measure(callers).await
}

/// A collector of another machine, as far as this one is concerned: it reads and throws away. What it says is no answer, so
/// that the service also pays for failed deliveries.
fn discard() -> Result<SocketAddr, Failed> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
        }
    });
    Ok(address)
}

fn free_port() -> Result<u16, Failed> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn scrape(port: u16) -> Result<(), Failed> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: bench\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    if text.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(text.into()) }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "a size that is printed")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
