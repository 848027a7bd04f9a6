//! A real Prometheus that watches a process of the service every second, with the configuration and the rules of
//! `deploy/prometheus`.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use wim_match::clock::{Clock as _, SystemClock};

use super::process::until;
use crate::dashboards::files::read;

/// Set to `1` where a missing Prometheus must fail the tests instead of skipping them.
const REQUIRE: &str = "WIM_MATCH_REQUIRE_PROMETHEUS";
/// Directory of the programs `prometheus` and `promtool`.
const BINARIES: &str = "WIM_MATCH_PROMETHEUS_BIN";

pub(super) struct Prometheus {
    server: Child,
    pub(super) address: String,
    pub(super) binaries: PathBuf,
    // Removed when Prometheus has ended.
    _home: TempDir,
}

/// Where `prometheus` and `promtool` are; `None`, said aloud, where they are not installed.
pub(super) fn binaries() -> Option<PathBuf> {
    let given = std::env::var_os(BINARIES).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = given
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|bin| ["prometheus", "promtool"].iter().all(|name| bin.join(name).is_file()));
    if found.is_none() {
        assert!(
            std::env::var(REQUIRE).as_deref() != Ok("1"),
            "{REQUIRE}=1, and there are no `prometheus` and `promtool`; install them, or set {BINARIES}"
        );
        // Written past the test harness, which swallows what passing tests print.
        let banner = "\n*** Prometheus is not installed: the tests of dashboards, alerts and runbooks are SKIPPED. ***\n\
                      *** Install it, or set WIM_MATCH_PROMETHEUS_BIN; WIM_MATCH_REQUIRE_PROMETHEUS=1 demands it. ***\n";
        let _ = std::io::stderr().write_all(banner.as_bytes());
    }
    found
}

impl Prometheus {
    /// Watches the second port of a process.
    pub(super) async fn watch(binaries: PathBuf, target: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        for file in ["rules.yaml", "alerts.yaml"] {
            let rules = read(format!("deploy/prometheus/{file}")).replace("interval: 5m", "interval: 1s");
            std::fs::write(home.path().join(file), rules).expect("is written");
        }
        let configuration = read("deploy/prometheus/prometheus.yaml");
        // The other jobs of compose.yaml are not there.
        let (ours, _) = configuration.split_once("  - job_name: collector").expect("another job");
        let fast = ours.replace("wim-match:9464", target).replace("interval: 15s", "interval: 1s");
        assert!(fast.contains(target) && !fast.contains("15s"), "{fast}");
        std::fs::write(home.path().join("prometheus.yaml"), fast).expect("is written");
        // The port is free a moment later too, as far as one can know.
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let server = Command::new(binaries.join("prometheus"))
            .args(["--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--log.level=warn"])
            .arg(format!("--web.listen-address={free}"))
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("Prometheus starts");
        let prometheus = Self { server, address: free.to_string(), binaries, _home: home };
        until("Prometheus is ready, and has seen the service", || {
            TcpStream::connect(&prometheus.address).is_ok()
                && prometheus
                    .ask("query", &[("query", "wim_match_ready")])
                    .is_some_and(|data| has_values(&data))
        })
        .await;
        prometheus
    }

    /// Asks the API; `None` if Prometheus has not answered well.
    fn ask(&self, path: &str, form: &[(&str, &str)]) -> Option<Value> {
        let form: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mut stream = TcpStream::connect(&self.address).ok()?;
        // In HTTP/1.0 the answer ends with the connection.
        write!(stream, "GET /api/v1/{path}?{} HTTP/1.0\r\n\r\n", form.join("&")).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        let mut body: Value = serde_json::from_str(body).ok()?;
        assert!(body["status"] == "success" || path == "query", "{form:?}: {body}");
        (body["status"] == "success").then(|| body["data"].take())
    }

    /// Whether an expression has had a value that is a number, at any second since `start`.
    pub(super) fn has_data(&self, expression: &str, start: f64) -> bool {
        let (start, end) = (start.to_string(), now().to_string());
        let form = [("query", expression), ("start", &start), ("end", &end), ("step", "1")];
        self.ask("query_range", &form).is_some_and(|data| has_values(&data))
    }

    /// All names of metrics.
    pub(super) fn metrics(&self) -> Vec<String> {
        let names = self.ask("label/__name__/values", &[]).expect("names");
        names.as_array().expect("a list").iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// All rules, each with its name, its health and its last error.
    pub(super) fn rules(&self) -> Vec<(String, String, String)> {
        let answer = self.ask("rules", &[]).expect("rules");
        let groups = answer["groups"].as_array().expect("groups").iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        groups
            .flat_map(|group| group["rules"].as_array().expect("rules"))
            .map(|rule| (text(&rule["name"]), text(&rule["health"]), text(&rule["lastError"])))
            .collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    SystemClock.now().as_duration().as_secs_f64()
}

/// Whether an answer has a series with a number.
fn has_values(data: &Value) -> bool {
    let is_number =
        |sample: &Value| sample[1].as_str().and_then(|text| text.parse().ok()).is_some_and(f64::is_finite);
    data["result"].as_array().is_some_and(|series| {
        series.iter().any(|one| {
            is_number(&one["value"])
                || one["values"].as_array().is_some_and(|values| values.iter().any(is_number))
        })
    })
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
