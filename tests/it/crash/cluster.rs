//! One to three real processes over one database, which are killed and started again.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use super::Draw;
use super::proxy::{Proxy, Wire};
use crate::postgres::{Postgres, past_the_policies};

/// How long a call may take before it is sent again.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a story waits for a service that does not answer.
const MOST_ATTEMPTS: u32 = 600;

/// What happens to a process or to the database.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// A process ends at once, and is started again.
    Kill(usize),
    /// A process is asked to end, and is started again.
    Terminate(usize),
    /// A process stands still for so many milliseconds.
    Freeze(usize, u64),
    /// All processes of PostgreSQL end at once, and it is started again.
    KillDatabase,
    /// The wire to a process is bad for so many milliseconds.
    Wire(usize, Wire, u64),
}

impl Fault {
    pub(super) fn drawn(draw: &mut Draw, cluster: &Cluster) -> Self {
        let process = usize::try_from(draw.below(cluster.ports.len() as u64)).unwrap_or_default();
        match draw.below(12) {
            0..=3 => Self::Kill(process),
            4 => Self::Terminate(process),
            5..=6 => Self::Freeze(process, 300 + draw.below(2_000)),
            7..=9 => {
                let wire = Wire::BAD[usize::try_from(draw.below(Wire::BAD.len() as u64)).unwrap_or_default()];
                Self::Wire(process, wire, 300 + draw.below(2_000))
            }
            _ if cluster.postgres.is_some() => Self::KillDatabase,
            // Beyond the lease of a run.
            _ => Self::Freeze(process, 11_000),
        }
    }
}

/// Processes over one database.
pub(super) struct Cluster {
    home: TempDir,
    pub(super) database: String,
    postgres: Option<Postgres>,
    ports: Vec<u16>,
    wires: Vec<Proxy>,
    processes: Vec<Mutex<Child>>,
    channels: Vec<Channel>,
    /// Tokens of the Secretariat and of two coordinators.
    pub(super) secretariat: String,
}

impl Cluster {
    /// One process over a SQLite file.
    pub(super) async fn sqlite() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite:{}", home.path().join("wim.sqlite3").display());
        Self::over(home, database, None, 1).await
    }

    /// Processes over a PostgreSQL of their own, which syncs. `None` without PostgreSQL, which has been said aloud.
    pub(super) async fn postgresql(processes: usize) -> Option<Self> {
        let made = tokio::task::spawn_blocking(|| {
            let postgres = Postgres::durable()?;
            let url = postgres.migrated();
            Some((postgres, url))
        });
        let (postgres, url) = made.await.expect("a database")?;
        let home = tempfile::tempdir().expect("a folder");
        Some(Self::over(home, url, Some(postgres), processes).await)
    }

    async fn over(home: TempDir, database: String, postgres: Option<Postgres>, processes: usize) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        let ports: Vec<u16> = (0..processes).map(|_| free().port()).collect();
        let processes = ports.iter().map(|port| Mutex::new(started(&home, &database, *port))).collect();
        let mut wires = Vec::new();
        for port in &ports {
            wires.push(Proxy::to(*port).await);
        }
        let channel = |wire: &Proxy| {
            let address = format!("http://127.0.0.1:{}", wire.port);
            let endpoint = Endpoint::from_shared(address).expect("an address");
            endpoint
                .connect_timeout(Duration::from_secs(2))
                // A wire that is half open is found out.
                .http2_keep_alive_interval(Duration::from_secs(2))
                .keep_alive_timeout(Duration::from_secs(2))
                .connect_lazy()
        };
        let channels = wires.iter().map(channel).collect();
        let secretariat = String::new();
        let mut cluster = Self { home, database, postgres, ports, wires, processes, channels, secretariat };
        cluster.until_ready().await;
        cluster.secretariat = cluster.token("secretariat");
        cluster
    }

    /// Waits until every process answers calls.
    pub(super) async fn until_ready(&self) {
        for at in 0..self.ports.len() {
            for _ in 0..MOST_ATTEMPTS {
                let asked = self.send(at, "", "AdminService/WhoAmI", &[Bytes::new()]).await;
                if asked.is_err_and(|status| status.code() == Code::Unauthenticated) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// A new token with a role, made at the machine.
    fn token(&self, role: &str) -> String {
        let arguments = ["admin", "token", "create", "--role", role, "--database", &self.database];
        let made = self.program(&arguments).output().expect("runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).expect("UTF-8").trim().to_owned()
    }

    fn program(&self, arguments: &[&str]) -> Command {
        program(&self.home, arguments)
    }

    /// Sends a call to a process. On the wire, a call with one message is a stream of one message.
    async fn send(
        &self,
        process: usize,
        token: &str,
        method: &str,
        messages: &[Bytes],
    ) -> Result<Vec<Bytes>, Status> {
        let mut grpc = tonic::client::Grpc::new(self.channels[process].clone());
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut request = Request::new(tokio_stream::iter(messages.to_vec()));
        if !token.is_empty() {
            let bearer = MetadataValue::try_from(format!("Bearer {token}")).expect("a token");
            request.metadata_mut().insert("authorization", bearer);
        }
        let path = format!("/wim.mentorship.v1.{method}").parse().expect("a path");
        let mut answers = grpc.streaming(request, path, Raw).await?.into_inner();
        let mut all = Vec::new();
        while let Some(answer) = answers.message().await? {
            all.push(answer);
        }
        Ok(all)
    }

    /// Sends a call until a process answers. What a connection or a process did to it is no answer.
    pub(super) async fn call(
        &self,
        token: &str,
        method: &str,
        messages: &[Bytes],
    ) -> Result<Vec<Bytes>, Status> {
        let mut last = Status::ok("");
        for attempt in 0..MOST_ATTEMPTS {
            let process = attempt as usize % self.channels.len();
            let sent = tokio::time::timeout(PATIENCE, self.send(process, token, method, messages)).await;
            match sent {
                Ok(Err(status)) if is_passing(&status) => last = status,
                Ok(answered) => return answered,
                Err(_) => last = Status::deadline_exceeded("no answer"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{method} has no answer: {last:?}");
    }

    /// Lets a fault happen, and starts again what it has ended.
    pub(super) async fn suffer(&self, fault: Fault) {
        match fault {
            Fault::Kill(process) => self.end(process, "KILL").await,
            Fault::Terminate(process) => self.end(process, "TERM").await,
            Fault::Freeze(process, millis) => {
                self.signal(process, "STOP");
                tokio::time::sleep(Duration::from_millis(millis)).await;
                self.signal(process, "CONT");
            }
            Fault::Wire(process, wire, millis) => {
                self.wires[process].set(wire);
                tokio::time::sleep(Duration::from_millis(millis)).await;
                self.wires[process].set(Wire::Good);
            }
            Fault::KillDatabase => {
                if let Some(postgres) = &self.postgres {
                    postgres.signal("KILL");
                }
            }
        }
    }

    async fn end(&self, process: usize, signal: &str) {
        self.signal(process, signal);
        loop {
            let ended = self.processes[process].lock().expect("is held").try_wait().expect("is waited for");
            if ended.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let again = started(&self.home, &self.database, self.ports[process]);
        *self.processes[process].lock().expect("is held") = again;
    }

    fn signal(&self, process: usize, signal: &str) {
        let id = self.processes[process].lock().expect("is held").id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("kill runs");
        assert!(sent.success(), "kill -{signal} {id}");
    }

    /// Whether `wim-match admin check` finds the database whole, and what it says.
    pub(super) fn integrity(&self) -> Result<(), String> {
        let checked = self.program(&["admin", "check", "--database", &self.database]).output().expect("runs");
        let told = format!(
            "{}{}",
            String::from_utf8_lossy(&checked.stdout),
            String::from_utf8_lossy(&checked.stderr)
        );
        if checked.status.success() { Ok(()) } else { Err(told) }
    }

    /// The number that a statement gives.
    pub(super) async fn number(&self, statement: &str) -> i64 {
        let statement = AssertSqlSafe(statement.to_owned());
        if self.postgres.is_some() {
            let url = past_the_policies(&self.database);
            let mut connection = PgConnection::connect(&url).await.expect("connects");
            return sqlx::query_scalar(statement).fetch_one(&mut connection).await.expect("counts");
        }
        let mut connection = SqliteConnection::connect(&self.database).await.expect("connects");
        sqlx::query_scalar(statement).fetch_one(&mut connection).await.expect("counts")
    }

    /// Takes rows out of the SQLite file past the service.
    pub(super) async fn lose(&mut self, statement: &'static str) {
        let mut connection = SqliteConnection::connect(&self.database).await.expect("connects");
        let done = sqlx::query(statement).execute(&mut connection).await.expect("executes");
        assert_eq!(done.rows_affected(), 1, "{statement}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &self.processes {
            if let Ok(mut process) = process.lock() {
                let _ = process.kill();
                let _ = process.wait();
            }
        }
    }
}

fn program(home: &TempDir, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
    program
        .args(arguments)
        .env("WIM_MATCH_LOG_FILTER", "off")
        .env("WIM_MATCH_MONITORING_LISTEN", "")
        .env("WIM_MATCH_READS_PER_SECOND", "0")
        .env("WIM_MATCH_WRITES_PER_SECOND", "0")
        .current_dir(home.path());
    program
}

fn started(home: &TempDir, database: &str, port: u16) -> Child {
    let listen = format!("127.0.0.1:{port}");
    let mut service = program(home, &["serve", "--listen", &listen, "--database", database]);
    service.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the service starts")
}

/// Whether a status is what a broken connection, a process that ends, or a database that is away leaves behind.
fn is_passing(status: &Status) -> bool {
    let is_of_the_way = status.details().is_empty()
        && [Code::Unknown, Code::Internal, Code::Cancelled].contains(&status.code());
    let is_passing = [Code::Unavailable, Code::DeadlineExceeded, Code::ResourceExhausted];
    is_passing.contains(&status.code()) || is_of_the_way
}

/// Messages as they are on the wire.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length)))
    }
}
