//! A real PostgreSQL for tests: one server per test process in a directory of its own, one database per test. It listens
//! on a socket only, and ends with the test process, however that ends: it watches the other end of a pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use wim_match::store::Store;

/// Set to `1` where a missing PostgreSQL must fail the tests instead of halving them.
const REQUIRE: &str = "WIM_MATCH_REQUIRE_POSTGRES";
/// Directory of another PostgreSQL's programs.
const BINARIES: &str = "WIM_MATCH_POSTGRES_BIN";

/// The role that owns the tables of the tests, and reads and changes all rows.
const SUPERUSER: &str = "wim";
/// The role as which the service connects.
const BOUND: &str = "wim_app";

/// The URL of a database for a superuser, who looks and changes past the policies.
pub(crate) fn past_the_policies(url: &str) -> String {
    url.replace(&format!("user={BOUND}"), &format!("user={SUPERUSER}"))
}

/// Runs as the server's owner: makes a cluster, prints its directory, and ends the server when its input ends. Its
/// collation is a language's on purpose: what depends on the order of bytes must say so itself.
const SCRIPT: &str = r#"
set -eu
bin=$1 durable=$2
home=$(mktemp -d "${TMPDIR:-/tmp}/wim-match-postgres.XXXXXX")
trap 'rm -rf "$home"' EXIT
"$bin/initdb" -D "$home/data" -U wim -A trust --no-sync -E UTF8 --locale=C --locale-provider=icu --icu-locale=en \
    >"$home/initdb.log" 2>&1 || { cat "$home/initdb.log" >&2; exit 1; }
serve() {
    "$bin/postgres" -D "$home/data" -k "$home" -c listen_addresses= -c fsync="$durable" -c full_page_writes="$durable" \
        -c max_connections=300 -c shared_buffers=64MB >>"$home/server.log" 2>&1 </dev/null
}
# A durable server is started again whenever it has been killed.
again() { while ! [ -e "$home/over" ]; do serve || true; sleep 0.2; done; }
if [ "$durable" = on ]; then again & else serve & fi
server=$!
echo "$home"
cat >/dev/null
touch "$home/over"
kill -INT "$(head -n 1 "$home/data/postmaster.pid")" || true
wait "$server" || true
"#;

/// A running server.
#[derive(Debug)]
pub(crate) struct Postgres {
    socket: PathBuf,
    psql: PathBuf,
    databases: AtomicU32,
    // Holds the pipe whose end ends the server.
    _watcher: Child,
}

/// The server of this test process; `None`, said aloud, where PostgreSQL is not installed.
pub(crate) fn postgres() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(|| start("off")).as_ref()
}

/// Starts a server; `durable` is `on` or `off`.
fn start(durable: &str) -> Option<Postgres> {
    let Some(binaries) = binaries() else {
        // Written past the test harness, which swallows what passing tests print.
        let banner = "\n*** PostgreSQL is not installed: every PostgreSQL test is SKIPPED. Install it, or set ***\n\
                      *** WIM_MATCH_POSTGRES_BIN; WIM_MATCH_REQUIRE_POSTGRES=1 turns this into a failure.   ***\n";
        let _ = std::io::stderr().write_all(banner.as_bytes());
        return None;
    };
    let mut watcher = as_owner();
    watcher.args(["sh", "-c", SCRIPT, "sh"]).arg(&binaries).arg(durable);
    watcher.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut watcher = watcher.spawn().expect("a shell starts");
    let mut home = String::new();
    BufReader::new(watcher.stdout.take().expect("its output is a pipe"))
        .read_line(&mut home)
        .expect("it prints a line");
    assert!(!home.is_empty(), "PostgreSQL could not make a cluster; its words are above");
    let server = Postgres {
        socket: PathBuf::from(home.trim()),
        psql: binaries.join("psql"),
        databases: AtomicU32::new(0),
        _watcher: watcher,
    };
    server.wait_until_ready();
    server.make_template();
    Some(server)
}

/// PostgreSQL refuses to run as root, so root asks the user `postgres`.
pub(crate) fn as_owner() -> Command {
    let user = Command::new("id").arg("-u").output().expect("id runs").stdout;
    if user.trim_ascii() == b"0" {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]);
        command
    } else {
        Command::new("env")
    }
}

/// The newest installed PostgreSQL.
pub(crate) fn binaries() -> Option<PathBuf> {
    let given = std::env::var_os(BINARIES).map(PathBuf::from);
    let packaged = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut packaged: Vec<PathBuf> = packaged.map(|version| version.path().join("bin")).collect();
    packaged.sort();
    let on_path: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let complete =
        |bin: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|name| Path::is_file(&bin.join(name)));
    given.into_iter().chain(packaged.into_iter().rev()).chain(on_path).find(complete)
}

impl Postgres {
    /// A server that the caller alone uses, for faults of it.
    pub(crate) fn own() -> Option<Self> {
        start("off")
    }

    /// The same, which syncs every commit and is started again when it was killed.
    pub(crate) fn durable() -> Option<Self> {
        start("on")
    }

    /// Sends a signal to every process of the server.
    pub(crate) fn signal(&self, signal: &str) {
        let file = self.socket.join("data/postmaster.pid");
        let read = as_owner().args(["head", "-n", "1"]).arg(file).output().expect("the number is read");
        let server = String::from_utf8(read.stdout).expect("digits").trim().to_owned();
        let all = Command::new("ps").args(["-e", "-o", "pid=,ppid="]).output().expect("ps runs").stdout;
        let all = String::from_utf8(all).expect("digits");
        let pairs = all.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        });
        let mut processes: Vec<&str> = vec![&server];
        processes.extend(pairs.filter(|(_, parent)| *parent == server).map(|(process, _)| process));
        let kill = format!("kill -{signal} {}", processes.join(" "));
        assert!(as_owner().args(["sh", "-c", &kill]).status().expect("a shell runs").success(), "{kill}");
    }

    /// URL of a fresh database with the schema in place, for a role that owns nothing and that the policies bind.
    pub(crate) fn migrated(&self) -> String {
        self.url(&self.create("TEMPLATE house"), BOUND)
    }

    /// URL of an empty database, for a superuser.
    pub(crate) fn empty(&self) -> String {
        self.url(&self.create("TEMPLATE template0"), SUPERUSER)
    }

    fn create(&self, options: &str) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} {options}");
        assert!(self.psql("postgres", &create), "database {name} is made");
        name
    }

    fn url(&self, database: &str, role: &str) -> String {
        format!("postgres:///{database}?host={}&user={role}", self.socket.display())
    }

    fn psql(&self, database: &str, command: &str) -> bool {
        let mut psql = Command::new(&self.psql);
        psql.args(["-X", "-q", "-U", SUPERUSER, "-d", database, "-c", command, "-h"]).arg(&self.socket);
        psql.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("psql runs").success()
    }

    #[expect(clippy::disallowed_methods, reason = "waits for a real process")]
    fn wait_until_ready(&self) {
        let start = Instant::now();
        while !self.psql("postgres", "SELECT 1") {
            assert!(start.elapsed() < Duration::from_mins(1), "PostgreSQL did not start within a minute");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Every test's database is a copy of this one, which migrated once. A thread of its own, because the caller may
    /// stand inside a runtime.
    fn make_template(&self) {
        assert!(self.psql("postgres", "CREATE DATABASE house TEMPLATE template0"), "the template is made");
        let url = self.url("house", SUPERUSER);
        let migrate = move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let store = Store::open(&url).await.expect("the template opens");
                store.migrate().await.expect("the template migrates");
                store.close().await;
            });
        };
        std::thread::spawn(migrate).join().expect("the template is migrated");
        let role = format!(
            "CREATE ROLE {BOUND} LOGIN; GRANT USAGE ON SCHEMA public TO {BOUND}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {BOUND}"
        );
        assert!(self.psql("house", &role), "the role of the service is made");
    }
}

#[test]
fn postgresql_is_there_where_it_is_required() {
    let required = std::env::var_os(REQUIRE).is_some_and(|value| value == "1");
    assert!(!required || postgres().is_some(), "{REQUIRE}=1, but PostgreSQL is not installed");
}
