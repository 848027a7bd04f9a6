//! Measures durable creates over gRPC beside the same statements in raw transactions on the same database, in the same
//! process. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

#[path = "support/calls.rs"]
mod calls;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgPool, SqliteConnection};
use tokio::net::TcpListener;
use wim_match::client::{Client, connect, request_id, v1};
use wim_match::config::{Config, Overrides};
use wim_match::domain::grant::Role;
use wim_match::server::Server;

use calls::{Failed, HEAD, Measured, measure, repeat};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Callers at the same time.
const CALLERS: usize = 64;
/// Connections that the callers share.
const CONNECTIONS: usize = 4;
/// Duration of each measurement.
const EACH: Duration = Duration::from_secs(3);

/// The statements of a create with a `request_id`; `{BYTES}` is the database's type of bytes.
const RESERVE: &str = "INSERT INTO idempotency (principal_id, request_id, method, payload_digest, response, create_micros) \
                       VALUES ('raw', $1, 'create', 'digest', CAST('' AS {BYTES}), 0)";
const CREATE: &str = "INSERT INTO organisation (id, display_name, country, rules, membership, idle_days, version, create_micros, update_micros) \
                      VALUES ($1, 'Bench', 'PE', '{}', 'member', 0, 1, 0, 0)";
const INVITE: &str = "INSERT INTO round_organisation (round_id, organisation_id) SELECT r.id, CAST($1 AS TEXT) FROM round r \
                      WHERE r.all_members = 1 AND r.state IN ('draft', 'enrolling', 'review') ON CONFLICT DO NOTHING";
const APPEND: &str = "INSERT INTO journal (create_micros, actor, organisation_id, action, resource, detail) \
                      VALUES (0, 'raw', $1, 'organisation.create', $1, '{}')";
const ANSWER: &str = "UPDATE idempotency SET response = CAST('answer' AS {BYTES}) WHERE principal_id = 'raw' AND request_id = $1";
const ALL: [&str; 5] = [RESERVE, CREATE, INVITE, APPEND, ANSWER];
/// One row alone.
const ONE: [&str; 1] = [APPEND];

static ALLOTTED: AtomicUsize = AtomicUsize::new(0);

/// An id that no earlier create has used.
fn fresh() -> String {
    format!("bench-{:07}", ALLOTTED.fetch_add(1, Ordering::Relaxed))
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let home = tempfile::tempdir()?;
    let postgres = std::env::args().find(|argument| argument.starts_with("postgres"));
    let url = |file: &str| {
        postgres.clone().unwrap_or_else(|| format!("sqlite:{}", home.path().join(file).display()))
    };
    println!("{HEAD}");
    // The service seals the entries of its journal beside everything else: what is raw has a database of its own, or its
    // entries are sealed before the service is measured.
    let beside = start(&url("raw.sqlite3")).await?;
    let raw = if postgres.is_some() {
        let rows = raw_postgres(&url(""), &ONE).await?;
        rows.print("raw, 1 statement, 64 callers", rows.per_second());
        let raw = raw_postgres(&url(""), &ALL).await?;
        raw.print("raw, 5 statements, 64 callers", rows.per_second());
        until_sealed(&url("")).await?;
        beside.stop().await?;
        rows
    } else {
        // Nobody else writes to it meanwhile.
        let url = url("raw.sqlite3");
        beside.stop().await?;
        let raw = raw_sqlite(&url).await?;
        raw.print("raw, 5 statements, 1 thread", raw.per_second());
        raw
    };
    let server = start(&url("write.sqlite3")).await?;
    let token = server.service().issue_token(&Role::Secretariat, "bench").await?;
    for callers in [1, CALLERS] {
        let name = format!("CreateOrganisation, {callers} callers");
        creates(&server, &token, callers).await?.print(&name, raw.per_second());
    }
    server.stop().await.map_err(Failed::from)
}

/// A service over a database.
async fn start(url: &str) -> Result<Server, Failed> {
    let overrides = Overrides {
        listen: Some("127.0.0.1:0".to_owned()),
        database: Some(url.to_owned()),
        ..Overrides::default()
    };
    let config = Config::load(&overrides)?.without_rates();
    let listener = TcpListener::bind(config.listen).await?;
    Ok(Server::start(config, listener.into(), "test".to_owned()).await?)
}

/// Waits until a service has sealed all entries.
async fn until_sealed(postgres: &str) -> Result<(), Failed> {
    let pool = PgPool::connect(postgres).await?;
    let open = "SELECT COUNT(*) FROM journal WHERE position IS NULL";
    while sqlx::query_scalar::<_, i64>(open).fetch_one(&pool).await? > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn creates(server: &Server, token: &str, callers: usize) -> Result<Measured, Failed> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS.min(callers) {
        let channel = connect(&format!("http://{}", server.address())).await?;
        clients.push(Client::new(&channel, Some(token))?);
    }
    let tasks = (0..callers).map(|caller| {
        let client = clients[caller % clients.len()].organisations.clone();
        async move {
            repeat(caller, callers, EACH, |_| {
                let mut client = client.clone();
                async move {
                    let request = v1::CreateOrganisationRequest {
                        organisation_id: fresh(),
                        organisation: Some(v1::Organisation {
                            display_name: "Bench".to_owned(),
                            country: "PE".to_owned(),
                            ..v1::Organisation::default()
                        }),
                        request_id: request_id(),
                        ..v1::CreateOrganisationRequest::default()
                    };
                    client.create_organisation(request).await?;
                    Ok(())
                }
            })
            .await
        }
    });
    measure(tasks).await
}

/// One thread, one connection, durable as the service's.
async fn raw_sqlite(url: &str) -> Result<Measured, Failed> {
    let url = url.to_owned();
    let caller = async move {
        let mut connection = SqliteConnection::connect(&url).await?;
        sqlx::query("PRAGMA synchronous = FULL").execute(&mut connection).await?;
        let (mut micros, whole) = (Vec::new(), wim_match::clock::Stopwatch::start());
        while whole.elapsed() < EACH {
            let (id, one) = (fresh(), wim_match::clock::Stopwatch::start());
            sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
            for statement in ALL {
                sqlx::query(AssertSqlSafe(statement.replace("{BYTES}", "BLOB")))
                    .bind(&id)
                    .execute(&mut connection)
                    .await?;
            }
            sqlx::query("COMMIT").execute(&mut connection).await?;
            micros.push(one.micros());
        }
        Ok(micros)
    };
    measure(std::iter::once(caller)).await
}

async fn raw_postgres(url: &str, statements: &'static [&'static str]) -> Result<Measured, Failed> {
    let pool = PgPool::connect(url).await?;
    let tasks = (0..CALLERS).map(|caller| {
        let pool = pool.clone();
        async move {
            repeat(caller, CALLERS, EACH, |_| {
                let pool = pool.clone();
                async move {
                    let id = fresh();
                    let mut connection = pool.acquire().await?;
                    if let [statement] = statements {
                        sqlx::query(*statement).bind(&id).execute(&mut *connection).await?;
                        return Ok(());
                    }
                    let mut transaction = connection.begin().await?;
                    for statement in statements {
                        sqlx::query(AssertSqlSafe(statement.replace("{BYTES}", "BYTEA")))
                            .bind(&id)
                            .execute(&mut *transaction)
                            .await?;
                    }
                    transaction.commit().await?;
                    Ok(())
                }
            })
            .await
        }
    });
    let measured = measure(tasks).await;
    pool.close().await;
    measured
}
