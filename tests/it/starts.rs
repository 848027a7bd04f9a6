//! Starts of the program on a machine where something stands in the way: each with its exit code, its words, and what to do.
//! The first token, and the start without any token.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::postgres::postgres;

/// A folder in which the program is started.
pub(crate) struct Machine(TempDir);

impl Machine {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn database(&self, name: &str) -> String {
        format!("sqlite:{}", self.path(name).display())
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        program
            .args(arguments)
            .env_clear()
            .env("WIM_MATCH_LOG_FILTER", "off")
            .env("WIM_MATCH_MONITORING_LISTEN", "")
            .current_dir(self.0.path());
        program
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().expect("runs")
    }

    /// Starts `serve`, which must end by itself: its exit code and what it said.
    fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        (output.status.code(), text(&output.stderr))
    }

    /// Runs a statement on a database whose service does not run.
    async fn execute(&self, name: &str, statement: &str) {
        let mut connection = SqliteConnection::connect(&self.database(name)).await.expect("connects");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("executes");
        connection.close().await.expect("closes");
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[track_caller]
pub(crate) fn assert_says((code, told): &(Option<i32>, String), expected: i32, parts: &[&str]) {
    assert_eq!(*code, Some(expected), "{told}");
    for part in parts {
        assert!(told.contains(part), "`{part}` is missing: {told}");
    }
}

#[test]
fn wrong_settings_are_told_with_their_source_in_the_language_of_the_reader() {
    let machine = Machine::new();
    fs::write(machine.path("wrong.toml"), "listen = 7\nlisten_on = 'x'\n").expect("is written");
    let told = machine.refused(&["--config", "wrong.toml"]);
    let parts = ["listen must be text", "`listen_on` is not a setting", "wrong.toml", "hint: correct"];
    assert_says(&told, 3, &parts);
    let told = machine.refused(&["--config", "wrong.toml", "--lang", "es"]);
    assert_says(
        &told,
        3,
        &["la configuración es incorrecta", "listen debe ser un texto", "doctor --settings"],
    );
    fs::write(machine.path("broken.toml"), "listen = \n").expect("is written");
    assert_says(&machine.refused(&["--config", "broken.toml"]), 3, &["broken.toml is not TOML: line 1"]);
    assert_says(&machine.refused(&["--config", "none.toml"]), 3, &["none.toml cannot be read"]);
    let told = machine.refused(&["--database", "mysql://x"]);
    assert_says(&told, 3, &["database must begin with sqlite: or postgres://"]);
    let mut program = machine.program(&["serve", "--lang", "fr"]);
    let output = program.env("WIM_MATCH_MAX_CONNECTIONS", "0").output().expect("runs");
    let told = (output.status.code(), text(&output.stderr));
    assert_says(&told, 3, &["max_connections doit être au moins 1"]);
}

#[test]
fn an_address_that_cannot_be_listened_on_is_told() {
    let machine = Machine::new();
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = held.local_addr().expect("an address").to_string();
    let serve = |address: &str, lang: &str| {
        let options = ["serve", "--plain-text-behind-a-proxy", "--listen", address, "--lang", lang];
        let output = machine.run(&options);
        (output.status.code(), text(&output.stderr))
    };
    assert_says(&serve(&address, "en"), 7, &["another process uses it", &address, "hint: stop that process"]);
    assert_says(&serve(&address, "pt"), 7, &["outro processo usa-o"]);
    // An address for documentation, which no machine has.
    assert_says(&serve("203.0.113.1:0", "en"), 7, &["does not have the address"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_be_used_is_told() {
    let machine = Machine::new();
    let of = |name: &str| machine.refused(&["--database", &machine.database(name)]);
    assert_says(
        &of("nowhere/wim.db"),
        7,
        &["is in a folder, or behind a socket, that does not exist", "--database"],
    );
    fs::create_dir(machine.path("folder")).expect("is made");
    assert_says(&of("folder"), 7, &["hint:"]);
    fs::write(machine.path("letter"), "Dear members, this is no database. ".repeat(40)).expect("is written");
    assert_says(
        &of("letter"),
        7,
        &["is a file, but no SQLite database", "a new name creates a new database"],
    );
    let told = machine.refused(&["--database", &machine.database("letter"), "--lang", "fr"]);
    assert_says(&told, 7, &["est un fichier, mais pas une base SQLite"]);
    // Nobody listens on port 1 of the loopback interface.
    let told = machine.refused(&["--database", "postgres://wim:s3cret@127.0.0.1:1/wim"]);
    assert_says(&told, 7, &["cannot be reached", "correct host and port in --database"]);
    assert!(!told.1.contains("s3cret"), "{}", told.1);
    // Without PostgreSQL, `postgres` has said so aloud.
    let Some(server) = tokio::task::spawn_blocking(postgres).await.expect("starts") else { return };
    let url = server.empty();
    let (_, rest) = url.rsplit_once('/').map_or(("", ""), |_| url.split_once("///").expect("a URL"));
    let (name, place) = rest.split_once('?').expect("options");
    let told = machine.refused(&["--database", &format!("postgres:///{name}-none?{place}")]);
    assert_says(&told, 7, &["does not exist on the server", "createdb"]);
    let told = machine.refused(&["--database", &url.replace("user=wim", "user=nobody")]);
    assert_says(&told, 7, &["refuses this user", "pg_hba.conf"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_of_another_version_is_told_by_serve_and_by_doctor() {
    let machine = Machine::new();
    let database = machine.database("wim.db");
    let migrated = machine.run(&["admin", "migrate", "--database", &database]);
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
    let doctor = |lang: &str| {
        let output = machine.run(&["doctor", "--database", &database, "--json", "--lang", lang]);
        let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let row =
            rows.as_array().expect("rows").iter().find(|row| row["what"] == "schema").expect("a row").clone();
        (output.status.code(), row["good"].as_bool(), row["told"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(doctor("en").1, Some(true));
    machine
        .execute(
            "wim.db",
            "INSERT INTO schema_migration (version, name, digest) VALUES (9, '0009_future', 'x')",
        )
        .await;
    let (code, good, told) = doctor("en");
    assert_eq!((code, good), (Some(1), Some(false)));
    assert!(told.contains("is newer than this version, which does not know 0009_future"), "{told}");
    assert!(doctor("pt").2.contains("é mais recente do que esta versão"), "{}", doctor("pt").2);
    // What this version needs is gone in the newer schema.
    machine.execute("wim.db", "ALTER TABLE organisation RENAME COLUMN display_name TO name").await;
    let told = machine.refused(&["--database", &database]);
    assert_says(&told, 7, &["has a newer schema than this version (0009_future)", "or a later one"]);
    machine
        .execute(
            "wim.db",
            "DELETE FROM schema_migration WHERE version = 9; UPDATE schema_migration SET digest = 'x'",
        )
        .await;
    let told = machine.refused(&["--database", &database, "--lang", "es"]);
    assert_says(&told, 7, &["tiene otro texto de la migración 0001_house", "restaure una copia"]);
}

/// A running service.
struct Running {
    service: Child,
    /// What it said until it was ready.
    told: Vec<String>,
}

impl Running {
    /// Starts `serve` under a umask that gives everybody everything. `last` begins the last line of the start.
    fn start(machine: &Machine, database: &str, last: &str) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "umask 0; exec \"$0\" serve --listen 127.0.0.1:0 --database \"$1\""]);
        shell.arg(env!("CARGO_BIN_EXE_wim-match")).arg(database);
        shell
            .env_clear()
            .env("WIM_MATCH_LOG_FILTER", "off")
            .env("WIM_MATCH_MONITORING_LISTEN", "")
            .current_dir(machine.0.path());
        let mut service = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut lines = BufReader::new(service.stderr.take().expect("is a pipe")).lines();
        let mut told = Vec::new();
        while !told.last().is_some_and(|line: &String| line.starts_with(last)) {
            told.push(lines.next().unwrap_or_else(|| panic!("it ended: {told:?}")).expect("UTF-8"));
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { service, told }
    }

    /// Stops it in order, and returns what it wrote to standard output.
    fn stop(mut self) -> String {
        let id = self.service.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        assert!(self.service.wait().expect("ends").success());
        let mut written = String::new();
        let mut out = self.service.stdout.take().expect("is a pipe");
        out.read_to_string(&mut written).expect("UTF-8");
        written
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    path.metadata().expect("is there").permissions().mode() & 0o777
}

#[test]
fn the_first_token_is_in_a_file_of_its_owner_beside_the_database_and_is_made_once() {
    let machine = Machine::new();
    let (database, file) = (machine.database("wim.db"), machine.path("wim.db.first-token"));
    let admin = |arguments: &[&str]| {
        let output = machine.run(&[&["admin"], arguments, &["--database", &database]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let running = Running::start(&machine, &database, "      wim-match admin");
    let token = fs::read_to_string(&file).expect("the file").trim().to_owned();
    assert_eq!(mode(&file), 0o600, "whatever the umask");
    for name in ["wim.db", "wim.db-wal", "wim.db-shm"] {
        assert_eq!(mode(&machine.path(name)), 0o600, "{name}");
    }
    assert!(running.told.iter().any(|line| line.contains(&file.display().to_string())), "{:?}", running.told);
    assert!(!running.told.concat().contains(&token), "the log of the machine has no token");
    assert_eq!(running.stop(), "", "nor has standard output");

    fs::remove_file(&file).expect("the operator moves it");
    let running = Running::start(&machine, &database, "wim-match listens");
    running.stop();
    assert!(!file.exists(), "it is not made again");

    // After all tokens were revoked, the operator alone makes another one.
    admin(&["token", "revoke", &token]);
    let running = Running::start(&machine, &database, "hint: ");
    let told = running.told.join("\n");
    assert!(told.contains("warning: no coordinator has a token any more"), "{told}");
    assert!(told.contains("admin token create --role coordinator --database"), "{told}");
    running.stop();
    assert!(!file.exists(), "and no first token is made");
    assert!(admin(&["token", "list", "--json"]).lines().count() == 1);
    admin(&["token", "create", "--role", "coordinator"]);
    let running = Running::start(&machine, &database, "wim-match listens");
    assert!(!running.told.concat().contains("hint"), "{:?}", running.told);
    running.stop();
}

#[test]
fn a_first_token_that_cannot_be_written_is_not_created() {
    let machine = Machine::new();
    let database = machine.database("wim.db");
    fs::create_dir(machine.path("wim.db.first-token")).expect("stands in the way");
    let told = machine.refused(&["--database", &database]);
    assert_says(
        &told,
        3,
        &["the first API token cannot be written to", "admin token create --role coordinator"],
    );
    fs::remove_dir(machine.path("wim.db.first-token")).expect("is removed");
    let running = Running::start(&machine, &database, "      wim-match admin");
    assert!(machine.path("wim.db.first-token").is_file(), "the next start creates it");
    running.stop();
}

#[test]
fn the_files_of_a_demonstration_are_their_owners_alone() {
    let machine = Machine::new();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "umask 0; exec \"$0\" demo --database d/demo.sqlite3 --report d/report.html"]);
    shell.arg(env!("CARGO_BIN_EXE_wim-match")).env_clear().current_dir(machine.0.path());
    fs::create_dir(machine.path("d")).expect("is made");
    let output = shell.output().expect("runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut seen = Vec::new();
    for entry in fs::read_dir(machine.path("d")).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen.push(path.file_name().expect("a name").to_owned());
    }
    assert!(seen.iter().any(|name| name == "report.html") && seen.iter().any(|name| name == "demo.sqlite3"));
}
