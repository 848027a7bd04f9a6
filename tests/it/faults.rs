//! Faults of the database under a running service: a full disk, a failing sync, a lost file, a frozen and a killed
//! PostgreSQL. Health tells the truth, nothing that is acknowledged is lost, and writing works again by itself.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use wim_match::api::proto::v1;
use wim_match::client::{Client, connect};
use wim_match::config::{Config, Overrides};
use wim_match::domain::grant::Role;
use wim_match::server::Server;

use crate::postgres::Postgres;
use crate::world::{import_of, mentee, mentor, round_message, send};

/// Time in which a change of health must show; ten times what the loop of readiness takes, for a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// Waits until the health of `name` is `wanted`.
async fn until(channel: &Channel, name: &str, wanted: ServingStatus) {
    let mut health = HealthClient::new(channel.clone());
    let request = HealthCheckRequest { service: name.to_owned() };
    let mut told = health.watch(request).await.expect("health is told").into_inner();
    let seen = async {
        loop {
            let told = told.message().await.expect("health tells").expect("the watch goes on");
            if told.status() == wanted {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, seen).await.unwrap_or_else(|_| panic!("`{name}` does not become {wanted:?}"));
}

/// Waits until the whole and a service are `wanted`; the process is alive all the time.
async fn until_all(channel: &Channel, wanted: ServingStatus) {
    until(channel, "", wanted).await;
    until(channel, "wim.mentorship.v1.RoundService", wanted).await;
    until(channel, "liveness", ServingStatus::Serving).await;
}

async fn create(client: &mut Client, id: &str) -> Result<(), tonic::Status> {
    let request = v1::CreateOrganisationRequest {
        organisation_id: id.to_owned(),
        organisation: Some(v1::Organisation {
            display_name: format!("Organisation {id}"),
            country: "PE".to_owned(),
            ..v1::Organisation::default()
        }),
        request_id: String::new(),
        validate_only: false,
    };
    client.organisations.create_organisation(request).await.map(drop)
}

/// The ids of all organisations.
async fn created(client: &Client) -> Vec<String> {
    let all = client.all_organisations().await.expect("lists");
    all.into_iter().map(|found| found.name.rsplit('/').next().unwrap_or_default().to_owned()).collect()
}

/// The program itself over a database in a folder of its own, with faults on order.
struct Machine {
    home: TempDir,
    service: Child,
    address: String,
    channel: Channel,
    token: String,
}

impl Machine {
    async fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let shim = compiled(home.path());
        let database = format!("sqlite:{}", home.path().join("wim.db").display());
        let mut service = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        service.args(["serve", "--listen", "127.0.0.1:0", "--database", &database]);
        service.env("LD_PRELOAD", shim).env("WIM_MATCH_FAULT", home.path().join("fault"));
        service
            .env("WIM_MATCH_LOG_FILTER", "off")
            .env("WIM_MATCH_WRITES_PER_SECOND", "0")
            .env("WIM_MATCH_READS_PER_SECOND", "0")
            .env("WIM_MATCH_MONITORING_LISTEN", "")
            .current_dir(home.path());
        let (service, address) = Self::started(service, "next: ");
        let token = std::fs::read_to_string(home.path().join("wim.db.first-token")).expect("the first token");
        let channel = connect(&address).await.expect("connects");
        Self { home, service, address, channel, token: token.trim().to_owned() }
    }

    /// Starts a service, reads its lines up to the one that begins with `last`, and returns its address.
    fn started(mut service: Command, last: &str) -> (Child, String) {
        let mut service =
            service.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the service starts");
        let mut lines = BufReader::new(service.stderr.take().expect("is a pipe")).lines();
        let mut line = || lines.next().expect("a line").expect("UTF-8");
        let address = line();
        let address =
            address.strip_prefix("wim-match listens on ").unwrap_or_else(|| panic!("{address}")).to_owned();
        let mut told = format!("wim-match listens on {address}");
        while !told.starts_with(last) {
            told = line();
        }
        // Read to its end, so that the service never waits for its reader.
        std::thread::spawn(move || lines.for_each(drop));
        (service, address)
    }

    /// A second service over the same database, without faults. It ends with the value.
    fn second(&self) -> Second {
        let mut service = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        service.args(["serve", "--listen", "127.0.0.1:0", "--database", &self.database()]);
        service
            .env("WIM_MATCH_LOG_FILTER", "off")
            .env("WIM_MATCH_WRITES_PER_SECOND", "0")
            .env("WIM_MATCH_READS_PER_SECOND", "0")
            .env("WIM_MATCH_MONITORING_LISTEN", "")
            .current_dir(self.home.path());
        Second(Self::started(service, "wim-match listens").0)
    }

    fn database(&self) -> String {
        format!("sqlite:{}", self.home.path().join("wim.db").display())
    }

    /// A client of a manager whose organisation exists.
    fn manager(&self, organisation: &str) -> Client {
        let mut admin = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        admin.args([
            "admin",
            "token",
            "create",
            "--role",
            "organisation-manager",
            "--organisation",
            organisation,
        ]);
        let output = admin.args(["--database", &self.database()]).output().expect("runs");
        let token = String::from_utf8(output.stdout).expect("UTF-8");
        Client::new(&self.channel, Some(token.trim())).expect("a client")
    }

    fn client(&self) -> Client {
        Client::new(&self.channel, Some(&self.token)).expect("a client")
    }

    /// The exit code of `wim-match health`.
    fn health(&self, arguments: &[&str]) -> Option<i32> {
        let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        let output = program.args(["health", "--server", &self.address]).args(arguments).output();
        output.expect("runs").status.code()
    }

    fn order(&self, fault: &str) {
        std::fs::write(self.home.path().join("fault"), fault).expect("is written");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

/// Another service of the same database.
struct Second(Child);

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The library that makes writes fail and reads slow. A C compiler is there: SQLite was built with it.
fn compiled(home: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/shim.c");
    let shim = home.join("shim.so");
    let done =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(source).arg("-ldl").status();
    assert!(done.expect("the C compiler runs").success());
    shim
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_full_disk_and_a_failed_sync_sqlite_writes_again_by_itself() {
    let machine = Machine::start().await;
    let mut client = machine.client();
    create(&mut client, "before").await.expect("writes");
    for fault in ["full", "sync", "full"] {
        machine.order(fault);
        let refused = create(&mut client, &format!("during-{fault}")).await.expect_err(fault);
        assert_eq!(refused.code(), Code::Unavailable, "{fault}: {refused}");
        until_all(&machine.channel, ServingStatus::NotServing).await;
        assert_eq!((machine.health(&[]), machine.health(&["--live"])), (Some(7), Some(0)));
        assert!(created(&client).await.contains(&"before".to_owned()), "reading goes on");
        machine.order("");
        until_all(&machine.channel, ServingStatus::Serving).await;
        // After the second full disk it exists already.
        let _ = create(&mut client, &format!("after-{fault}")).await;
        assert!(created(&client).await.contains(&format!("after-{fault}")));
    }
    assert_eq!(created(&client).await, ["after-full", "after-sync", "before"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_failed_sync_costs_one_answer() {
    let machine = Machine::start().await;
    let mut client = machine.client();
    machine.order("sync");
    create(&mut client, "during").await.expect_err("is not durable");
    machine.order("");
    until_all(&machine.channel, ServingStatus::Serving).await;
    create(&mut client, "during").await.expect("writes, as nothing of the first was kept");
    assert_eq!(created(&client).await, ["during"]);
}

/// State, attempt and end of the lease in microseconds of the only run, past the service.
async fn run_of(database: &str) -> (String, i64, i64) {
    let mut connection = SqliteConnection::connect(database).await.expect("connects");
    let columns = "SELECT state, attempt, COALESCE(lease_until_micros, 0) FROM run";
    let row = sqlx::query_as(columns).fetch_one(&mut connection).await.expect("one run");
    connection.close().await.expect("closes");
    row
}

/// Microseconds of a lease.
const LEASE: i64 = 10_000_000;
/// People whose profiles take longer to load than a lease lasts: 100 ms for each page of the database.
const MANY: usize = 2_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loading_that_takes_longer_than_a_lease_lets_no_second_service_take_the_run() {
    let machine = Machine::start().await;
    let mut client = machine.client();
    create(&mut client, "peru").await.expect("writes");
    let mut manager = machine.manager("peru");
    let organisation = "peru".parse().expect("an id");
    let people = (0..MANY)
        .map(|at| if at % 2 == 0 { mentee(&format!("p{at}")) } else { mentor(&format!("p{at}"), 1) });
    send(&mut manager, import_of(&organisation, people.collect())).await.expect("imports");
    let round = v1::CreateRoundRequest {
        round_id: "r".to_owned(),
        round: Some(round_message()),
        ..v1::CreateRoundRequest::default()
    };
    client.rounds.create_round(round).await.expect("opens");
    let request = v1::EnrolProfilesRequest {
        round: "rounds/r".to_owned(),
        organisation: "organisations/peru".to_owned(),
        all_profiles: true,
        ..v1::EnrolProfilesRequest::default()
    };
    manager.rounds.enrol_profiles(request).await.expect("enrols");

    machine.order("slow");
    let request = v1::StartRunRequest { round: "rounds/r".to_owned(), ..v1::StartRunRequest::default() };
    client.runs.start_run(request).await.expect("starts");
    let database = machine.database();
    let until = async |wanted: &dyn Fn(&(String, i64, i64)) -> bool| {
        let seen = async {
            loop {
                let run = run_of(&database).await;
                if wanted(&run) {
                    return run;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(SOON * 6, seen).await.expect("it happens")
    };
    let (_, _, first) = until(&|(state, ..)| state == "running").await;
    // It finds the run in the hands of the first service, which is still loading when the first lease would have ended.
    let second = machine.second();
    let (state, attempt, _) = until(&|(state, attempt, until)| {
        *until >= first + LEASE + LEASE / 10 || *attempt > 1 || state != "running"
    })
    .await;
    assert_eq!((state.as_str(), attempt), ("running", 1));
    machine.order("");
    let (state, attempt, _) = until(&|(state, ..)| state != "running").await;
    assert_eq!((state.as_str(), attempt), ("succeeded", 1));
    drop(second);
}

/// A server in this process, with hours to drain: whoever holds it up is seen.
async fn serve(database: &str) -> (Server, Channel, Client) {
    let overrides = Overrides {
        listen: Some("127.0.0.1:0".to_owned()),
        database: Some(database.to_owned()),
        ..Overrides::default()
    };
    let config = Config { drain_seconds: 7200, ..Config::load(&overrides).expect("a good configuration") };
    let listener = TcpListener::bind(config.listen).await.expect("a free port");
    let server = Server::start(config, listener.into(), "test".to_owned()).await.expect("starts");
    let channel = connect(&format!("http://{}", server.address())).await.expect("connects");
    let token = server.service().issue_token(&Role::Secretariat, "test").await.expect("a token");
    let client = Client::new(&channel, Some(&token)).expect("a client");
    (server, channel, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_file_that_is_moved_or_replaced_is_not_written_until_it_is_back() {
    let home = tempfile::tempdir().expect("a folder");
    let (file, aside) = (home.path().join("wim.db"), home.path().join("aside"));
    let (server, channel, mut client) = serve(&format!("sqlite:{}", file.display())).await;
    create(&mut client, "before").await.expect("writes");
    for replaced in [false, true] {
        std::fs::rename(&file, &aside).expect("moves");
        if replaced {
            std::fs::copy(&aside, &file).expect("copies");
        }
        let refused = create(&mut client, "during").await.expect_err("nothing is acknowledged");
        assert_eq!(refused.code(), Code::Unavailable);
        until_all(&channel, ServingStatus::NotServing).await;
        std::fs::rename(&aside, &file).expect("moves back");
        until_all(&channel, ServingStatus::Serving).await;
    }
    create(&mut client, "after").await.expect("writes");
    assert_eq!(created(&client).await, ["after", "before"]);
    drop((client, channel));
    server.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_of_health_hears_of_the_stop_and_does_not_hold_it_up() {
    let home = tempfile::tempdir().expect("a folder");
    let (server, channel, client) = serve(&format!("sqlite:{}", home.path().join("wim.db").display())).await;
    let mut watches = Vec::new();
    for (name, last) in [
        ("", ServingStatus::NotServing),
        ("wim.mentorship.v1.ProfileService", ServingStatus::NotServing),
        ("liveness", ServingStatus::Serving),
        ("wim.Unknown", ServingStatus::ServiceUnknown),
    ] {
        let request = HealthCheckRequest { service: name.to_owned() };
        let mut health = HealthClient::new(channel.clone());
        let mut told = health.watch(request).await.expect("is told").into_inner();
        told.message().await.expect("tells").expect("a first status");
        watches.push((name, last, told));
    }
    drop((client, channel));
    let told = async {
        for (name, last, mut told) in watches {
            let mut seen = None;
            while let Some(status) = told.message().await.expect("ends well") {
                seen = Some(status.status());
            }
            assert!(seen.is_none_or(|seen| seen == last), "`{name}` ends with {seen:?}");
            assert_eq!(seen.is_some(), last == ServingStatus::NotServing, "`{name}`");
        }
    };
    let stopped = async { tokio::join!(server.stop(), told).0 };
    tokio::time::timeout(SOON * 3, stopped).await.expect("nobody holds up the stop").expect("stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_and_a_killed_postgresql_are_told_by_health() {
    // Without PostgreSQL, `postgres` has said so aloud.
    let Some(postgres) = tokio::task::spawn_blocking(Postgres::own).await.expect("starts") else { return };
    let (server, channel, mut client) = serve(&postgres.migrated()).await;
    create(&mut client, "before").await.expect("writes");
    until_all(&channel, ServingStatus::Serving).await;
    for _ in 0..2 {
        postgres.signal("STOP");
        until_all(&channel, ServingStatus::NotServing).await;
        postgres.signal("CONT");
        until_all(&channel, ServingStatus::Serving).await;
    }
    create(&mut client, "after").await.expect("writes");
    postgres.signal("KILL");
    until_all(&channel, ServingStatus::NotServing).await;
    drop((client, channel));
    server.stop().await.expect("stops");
}
