//! Measures reads over gRPC beside an empty tonic service and raw point reads of the same database in the same process. See
//! `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

#[path = "support/calls.rs"]
mod calls;

use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgPool, SqlitePool};
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use wim_match::client::{Client, connect, v1};
use wim_match::clock::Stopwatch;
use wim_match::demo::{self, Played, alliance};
use wim_match::domain::vocabulary::Lang;

use calls::{Failed, HEAD, Measured, measure, repeat};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Callers at the same time.
const CALLERS: usize = 16;
/// Connections that the callers share.
const CONNECTIONS: usize = 4;
/// Duration of each measurement.
const EACH: Duration = Duration::from_secs(3);

/// A read that is measured, by one caller; the number tells which row to read.
#[derive(Debug, Clone, Copy)]
enum Read {
    Organisation,
    Round,
    Explanation,
    /// A page of matches of this size.
    Matches(v1::MatchView, i32),
    /// A page of matches for their review, of this size.
    Reviewed(i32),
}

/// What the reads name.
struct Names {
    organisation: String,
    run: v1::Run,
    round: String,
    pairs: Vec<(String, String)>,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let people = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(5_000);
    let home = tempfile::tempdir()?;
    let file = home.path().join("read.sqlite3");
    let given = std::env::args().find(|argument| argument.starts_with("postgres"));
    let url = given.unwrap_or_else(|| format!("sqlite:{}", file.display()));
    let alliance = alliance::synthesise(people, 1);
    let played = demo::play_at(&alliance, &url, Lang::En).await?;
    let names = Arc::new(names(&played)?);
    println!(
        "{people} people, {} matches, {CALLERS} callers on {CONNECTIONS} connections",
        names.pairs.len()
    );
    // A word selects the reads whose names contain it.
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase())).collect();
    println!("{HEAD}");
    let raw = raw_reads(&url).await?;
    raw.print("raw point read", raw.per_second());
    let empty = empty_service().await?;
    empty.print("empty tonic service", raw.per_second());
    for (name, read) in [
        ("GetOrganisation", Read::Organisation),
        ("GetRound", Read::Round),
        ("ExplainPair", Read::Explanation),
        ("ListMatches of 100", Read::Matches(v1::MatchView::Basic, 100)),
        ("ListMatches of 100, full view", Read::Matches(v1::MatchView::Full, 100)),
        ("ListMatches of 50, full view", Read::Matches(v1::MatchView::Full, 50)),
        ("ListReviewedMatches of 50", Read::Reviewed(50)),
    ] {
        if !words.is_empty() && !words.iter().any(|word| name.contains(word)) {
            continue;
        }
        let measured = grpc_reads(&played, &names, read).await?;
        measured.print(name, raw.per_second());
        let half = measured.per_second() / 2.0;
        let paced = paced_reads(&played, &names, read, half).await?;
        println!(
            "    {:.2} of the empty service; at a fixed {half:.0}/s: median {:.2} ms, 99 % {:.2} ms, 99.9 % {:.2} ms",
            measured.per_second() / empty.per_second(),
            paced.percentile(500),
            paced.percentile(990),
            paced.percentile(999)
        );
    }
    played.server.stop().await.map_err(Failed::from)
}

fn names(played: &Played) -> Result<Names, Failed> {
    let run = played.results.run.clone();
    let round = run.name.split("/runs/").next().unwrap_or_default().to_owned();
    let pairs: Vec<(String, String)> =
        played.results.matches.iter().map(|pair| (pair.mentee.name(), pair.mentor.name())).collect();
    let mentee = pairs.first().map(|(mentee, _)| mentee.as_str()).ok_or("a run without matches")?;
    let organisation = mentee.split("/profiles/").next().unwrap_or_default().to_owned();
    Ok(Names { organisation, run, round, pairs })
}

async fn clients(played: &Played) -> Result<Vec<Client>, Failed> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let channel = connect(&format!("http://{}", played.server.address())).await?;
        clients.push(Client::new(&channel, Some(&played.coordinator_token))?);
    }
    Ok(clients)
}

/// Reads at a fixed rate.
async fn paced_reads(
    played: &Played,
    names: &Arc<Names>,
    read: Read,
    per_second: f64,
) -> Result<Measured, Failed> {
    let clients = clients(played).await?;
    at_rate(per_second, EACH, |at| {
        let (client, names) = (clients[at % CONNECTIONS].clone(), Arc::clone(names));
        async move { call(client, &names, read, at).await }
    })
    .await
}

/// Calls of a tonic service that does nothing: the health check of an empty server.
async fn empty_service() -> Result<Measured, Failed> {
    let (_reporter, health) = tonic_health::server::health_reporter();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut server = JoinSet::new();
    let incoming = TcpListenerStream::new(listener);
    server.spawn(tonic::transport::Server::builder().add_service(health).serve_with_incoming(incoming));
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(HealthClient::new(connect(&format!("http://{address}")).await?));
    }
    let callers = (0..CALLERS).map(|caller| {
        let client = clients[caller % CONNECTIONS].clone();
        async move {
            repeat(caller, CALLERS, EACH, |_| {
                let mut client = client.clone();
                async move {
                    client.check(HealthCheckRequest::default()).await?;
                    Ok(())
                }
            })
            .await
        }
    });
    measure(callers).await
}

async fn grpc_reads(played: &Played, names: &Arc<Names>, read: Read) -> Result<Measured, Failed> {
    let clients = clients(played).await?;
    let callers = (0..CALLERS).map(|caller| {
        let (client, names) = (clients[caller % CONNECTIONS].clone(), Arc::clone(names));
        async move {
            repeat(caller, CALLERS, EACH, |at| {
                let (client, names) = (client.clone(), Arc::clone(&names));
                async move { call(client, &names, read, at).await }
            })
            .await
        }
    });
    measure(callers).await
}

async fn call(mut client: Client, names: &Names, read: Read, at: usize) -> Result<(), Failed> {
    match read {
        Read::Organisation => {
            let request = v1::GetOrganisationRequest { name: names.organisation.clone() };
            client.organisations.get_organisation(request).await?;
        }
        Read::Round => {
            client.rounds.get_round(v1::GetRoundRequest { name: names.round.clone() }).await?;
        }
        Read::Explanation => {
            // Neighbours in the list: matches, and pairs that were not chosen.
            let (mentee, mentor) =
                (&names.pairs[at % names.pairs.len()].0, &names.pairs[at / 2 % names.pairs.len()].1);
            let request = v1::ExplainPairRequest {
                run: names.run.name.clone(),
                mentee: mentee.clone(),
                mentor: mentor.clone(),
                ..v1::ExplainPairRequest::default()
            };
            client.runs.explain_pair(request).await?;
        }
        Read::Matches(view, page_size) => {
            let request = v1::ListMatchesRequest {
                parent: names.run.name.clone(),
                page_size,
                view: view.into(),
                ..v1::ListMatchesRequest::default()
            };
            client.runs.list_matches(request).await?;
        }
        Read::Reviewed(page_size) => {
            let parent = names.run.name.clone();
            let request = v1::ListReviewedMatchesRequest {
                parent,
                page_size,
                ..v1::ListReviewedMatchesRequest::default()
            };
            client.reviews.list_reviewed_matches(request).await?;
        }
    }
    Ok(())
}

/// One row by its key, through a pool, without the service.
const POINT: &str = "SELECT document FROM profile_version WHERE organisation_id = $1 AND own_id = $2";
/// Some keys to read.
const KEYS: &str = "SELECT organisation_id, own_id FROM profile_version LIMIT 1000";

async fn raw_reads(url: &str) -> Result<Measured, Failed> {
    macro_rules! read_through {
        ($pool:expr) => {{
            let pool = $pool;
            let keys: Vec<(String, String)> = sqlx::query_as(KEYS).fetch_all(&pool).await?;
            let keys = Arc::new(keys);
            let callers = (0..CALLERS).map(|caller| {
                let (pool, keys) = (pool.clone(), Arc::clone(&keys));
                async move {
                    repeat(caller, CALLERS, EACH, |at| {
                        let (pool, keys) = (pool.clone(), Arc::clone(&keys));
                        async move {
                            let (import, id) = &keys[at % keys.len()];
                            let query = sqlx::query_scalar::<_, String>(POINT).bind(import).bind(id);
                            let document = query.fetch_one(&pool).await?;
                            assert!(!document.is_empty(), "a document");
                            Ok(())
                        }
                    })
                    .await
                }
            });
            measure(callers).await
        }};
    }
    if url.starts_with("postgres") {
        read_through!(PgPool::connect(url).await?)
    } else {
        read_through!(SqlitePool::connect(url).await?)
    }
}

/// Calls at a fixed rate, however long the answers take. The duration of a call counts from the moment at which it was
/// due: a service that stands still for a while is seen by everybody who would have called meanwhile.
async fn at_rate<F>(
    per_second: f64,
    each: Duration,
    mut call: impl FnMut(usize) -> F,
) -> Result<Measured, Failed>
where
    F: Future<Output = Result<(), Failed>> + Send + 'static,
{
    let (watch, mut calls, mut at) = (Stopwatch::start(), JoinSet::new(), 0_u32);
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    while watch.elapsed() < each {
        ticks.tick().await;
        while f64::from(at) < watch.elapsed().as_secs_f64() * per_second {
            let due = Duration::from_secs_f64(f64::from(at) / per_second);
            let (one, watch) = (call(at as usize), watch);
            calls.spawn(async move {
                one.await?;
                Ok::<_, Failed>(i64::try_from(watch.elapsed().saturating_sub(due).as_micros())?)
            });
            at += 1;
        }
    }
    let mut micros = Vec::new();
    while let Some(done) = calls.join_next().await {
        micros.push(done??);
    }
    Ok(Measured::of(micros, watch.elapsed()))
}
