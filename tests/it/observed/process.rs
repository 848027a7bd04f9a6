//! The shipped program as a process of its own, with its log, its second port and clients.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;
use wim_match::api::proto::v1;
use wim_match::client::{Client, connect};

use crate::world::{import_of, round_message, send, soon};

pub(super) struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    pub(super) address: String,
    pub(super) monitoring: String,
    pub(super) home: TempDir,
}

impl Process {
    /// Starts `serve` on SQLite, with settings from the environment.
    pub(super) fn start(settings: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--database"]);
        command.arg(format!("sqlite:{}", home.path().join("wim.db").display()));
        command.env_clear().env("WIM_MATCH_MONITORING_LISTEN", "127.0.0.1:0").current_dir(home.path());
        // One caller does the work of many.
        for rate in ["READS_PER_SECOND", "WRITES_PER_SECOND", "SOLVES_PER_MINUTE"] {
            command.env(format!("WIM_MATCH_{rate}"), "0");
        }
        command.envs(settings.iter().map(|(name, value)| (format!("WIM_MATCH_{name}"), value)));
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the service starts");
        let mut lines = BufReader::new(child.stderr.take().expect("is a pipe")).lines().map_while(Result::ok);
        let log = Arc::new(Mutex::new(String::new()));
        let (mut address, mut monitoring) = (String::new(), String::new());
        for line in lines.by_ref() {
            if let Some(said) = line.strip_prefix("wim-match listens on ") {
                said.clone_into(&mut address);
            } else if let Some((_, said)) = line.split_once("\"monitoring.address\":\"") {
                said.split('"').next().unwrap_or_default().clone_into(&mut monitoring);
            }
            keep(&log, &line);
            if line.starts_with("next: ") {
                break;
            }
        }
        assert!(!address.is_empty(), "{}", log.lock().expect("is whole"));
        let kept = Arc::clone(&log);
        let reader = std::thread::spawn(move || lines.for_each(|line| keep(&kept, &line)));
        Self { child, log, reader: Some(reader), address, monitoring, home }
    }

    /// The log up to now.
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A client of the coordinator.
    pub(super) async fn coordinator(&self) -> Client {
        let token = std::fs::read_to_string(self.home.path().join("wim.db.first-token")).expect("a token");
        self.client(token.trim()).await
    }

    pub(super) async fn client(&self, token: &str) -> Client {
        let channel = soon(connect(&self.address)).await.expect("connects");
        Client::new(&channel, Some(token)).expect("a client")
    }

    /// Runs a command of `admin` on the database, and returns what it printed.
    pub(super) fn admin(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        command.arg("admin").args(arguments).arg("--database");
        command.arg(format!("sqlite:{}", self.home.path().join("wim.db").display())).env_clear();
        let done = command.output().expect("runs");
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).expect("UTF-8").trim().to_owned()
    }

    /// Registers an organisation, and returns a client of its manager.
    pub(super) async fn manager(&self, id: &str) -> Client {
        let request = v1::CreateOrganisationRequest {
            organisation_id: id.to_owned(),
            organisation: Some(v1::Organisation {
                display_name: id.to_owned(),
                country: "PE".to_owned(),
                ..v1::Organisation::default()
            }),
            ..v1::CreateOrganisationRequest::default()
        };
        let mut coordinator = self.coordinator().await;
        coordinator.organisations.create_organisation(request).await.expect("is registered");
        let token = self.admin(&["token", "create", "--role", "organisation-manager", "--organisation", id]);
        self.client(&token).await
    }

    /// Opens a round and enrols people of `organisation`.
    pub(super) async fn enrol(
        &self,
        round: &str,
        manager: &mut Client,
        organisation: &str,
        people: Vec<wim_match::domain::profile::ProfileDraft>,
    ) {
        let request = v1::CreateRoundRequest {
            round_id: round.to_owned(),
            round: Some(round_message()),
            ..v1::CreateRoundRequest::default()
        };
        self.coordinator().await.rounds.create_round(request).await.expect("is opened");
        let imported = send(manager, import_of(&organisation.parse().expect("an id"), people)).await;
        assert_eq!(imported.expect("imports").rejected, []);
        let request = v1::EnrolProfilesRequest {
            round: format!("rounds/{round}"),
            organisation: format!("organisations/{organisation}"),
            all_profiles: true,
            ..v1::EnrolProfilesRequest::default()
        };
        manager.rounds.enrol_profiles(request).await.expect("enrols");
    }

    /// Asks the second port: the status and the body.
    pub(super) fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.monitoring).expect("connects");
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: wim\r\n\r\n").expect("asks");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answers");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        (status.unwrap_or_else(|| panic!("{answer}")), body.unwrap_or_default())
    }

    /// The value of a series at `/metrics`, by the beginning of its line.
    pub(super) fn metric(&self, series: &str) -> Option<f64> {
        let (status, text) = self.ask("GET", "/metrics");
        assert_eq!(status, 200, "{text}");
        let line = text.lines().find(|line| line.starts_with(series))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }

    /// Tells the service to stop.
    pub(super) fn tell_to_stop(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("is told to stop");
    }

    /// Stops the service in order, and returns its whole log.
    pub(super) fn stop(self) -> (ExitStatus, String) {
        self.tell_to_stop();
        self.ended()
    }

    /// Waits for the end of a service that was told to stop, and returns its whole log.
    pub(super) fn ended(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("ends");
        self.reader.take().expect("reads").join().expect("has read all");
        (status, self.log())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(log: &Mutex<String>, line: &str) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    log.push_str(line);
    log.push('\n');
}

/// Waits until `condition` holds.
pub(super) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..1_200 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}
