//! The commands of the runbooks, run in a shell as a person would run them: those that look against a service at work, those
//! that change something against a service that is thrown away.

use std::path::Path;
use std::process::Command;

use wim_match::api::proto::v1;

use super::load::Load;
use super::process::{Process, until};
use super::prometheus::{Prometheus, binaries};
use super::start;
use crate::dashboards::files::read;
use crate::world::{mentee, mentor};

/// A block of commands.
struct Block {
    place: String,
    changes: bool,
    commands: String,
}

/// The blocks of the runbooks of alerts, and the number of blocks that need systemd or the machine itself.
fn blocks() -> (Vec<Block>, usize) {
    let (mut blocks, mut not_run) = (Vec::new(), 0);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/runbooks");
    let entries = std::fs::read_dir(folder).expect("runbooks").map(|entry| entry.expect("an entry"));
    // The other pages have steps that only the machine of the service knows.
    let mut files: Vec<_> =
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("WimMatch")).collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files {
        let page = read(file.path());
        for (at, block) in page.split("```").skip(1).step_by(2).enumerate() {
            let (kind, commands) = block.split_once('\n').expect("a block has lines");
            let place = format!("{}, block {}", file.file_name().to_string_lossy(), at + 1);
            match kind {
                "sh" | "sh change" => {
                    let (changes, commands) = (kind == "sh change", commands.to_owned());
                    blocks.push(Block { place, changes, commands });
                }
                "console" => not_run += 1,
                _ => panic!("{place}: `{kind}` is neither `sh`, `sh change` nor `console`"),
            }
        }
    }
    (blocks, not_run)
}

/// A shell as `deploy/runbooks/README.md` prepares it.
fn shell(service: &Process, prometheus: &Prometheus, round: &str) -> Command {
    let configuration = service.home.path().join("wim-match.toml");
    let settings = format!(
        "database = \"sqlite:{}\"\nlisten = \"{}\"\notlp_endpoint = \"\"\n",
        service.home.path().join("wim.db").display(),
        service.address.trim_start_matches("http://")
    );
    std::fs::write(&configuration, settings).expect("is written");
    let token = std::fs::read_to_string(service.home.path().join("wim.db.first-token")).expect("a token");
    let program = Path::new(env!("CARGO_BIN_EXE_wim-match")).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        [program.to_owned(), prometheus.binaries.clone()].into_iter().chain(std::env::split_paths(&path));
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c"])
        .env_clear()
        .env("PATH", std::env::join_paths(folders).expect("a path"))
        .env("METRICS", format!("http://{}", service.monitoring))
        .env("PROMETHEUS", format!("http://{}", prometheus.address))
        .env("CONFIG", configuration)
        .env("WIM_MATCH_SERVER", &service.address)
        .env("WIM_MATCH_TOKEN", token.trim())
        .env("ROUND", round)
        .current_dir(service.home.path());
    shell
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_the_runbooks_works() {
    let Some(binaries) = binaries() else { return };
    let service = Process::start(&[]);
    let prometheus = Prometheus::watch(binaries, &service.monitoring).await;
    let mut load = Load::begin(&service).await;
    for _ in 0..2 {
        load.work().await;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
    // Its run stays in the queue.
    let thrown_away = Process::start(&[("WORKER", "false")]);
    let mut manager = thrown_away.manager("wim-peru").await;
    thrown_away.enrol("spring", &mut manager, "wim-peru", vec![mentee("ana"), mentor("xan", 1)]).await;
    let mut coordinator = thrown_away.coordinator().await;

    let (blocks, not_run) = blocks();
    assert!(blocks.len() >= 20, "{} blocks", blocks.len());
    assert!(not_run <= 20, "{not_run} blocks are not run: let a test run what can be run");
    let mut failed = Vec::new();
    for block in blocks {
        let (service, round) = if block.changes { (&thrown_away, "spring") } else { (&service, "r") };
        if block.changes {
            coordinator.runs.start_run(start(round)).await.expect("starts");
        }
        // Each line by itself, because each has to print something.
        for line in block.commands.lines() {
            let done = shell(service, &prometheus, round).arg(line).output().expect("bash runs");
            let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
            if !done.status.success() || said.is_empty() {
                let place = &block.place;
                failed.push(format!("{place}: {line}\n{said}{}", String::from_utf8_lossy(&done.stderr)));
            }
        }
        if block.changes {
            let request = v1::ListRunsRequest { parent: "rounds/spring".to_owned(), ..Default::default() };
            let runs = coordinator.runs.list_runs(request).await.expect("lists").into_inner().runs;
            assert!(
                runs.iter().all(|run| run.state() == v1::RunState::Cancelled),
                "{}: {runs:?}",
                block.place
            );
        }
    }
    assert!(failed.is_empty(), "these commands fail or print nothing:\n{}", failed.join("\n"));
    until("the service goes on", || service.metric("wim_match_ready ").is_some_and(|ready| ready > 0.5))
        .await;
}
