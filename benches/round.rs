//! Measures whole rounds over gRPC, from the view of a client, on SQLite and on PostgreSQL. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;

use wim_match::demo::{self, alliance};
use wim_match::domain::run::Stage;
use wim_match::domain::vocabulary::Lang;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![0, 1_000, 10_000] } else { sizes };
    // An empty database of PostgreSQL takes one round.
    let url = std::env::args().find(|argument| argument.starts_with("postgres"));
    println!(
        "people  mentees x mentors  ready ms  profiles/s  StartRun to saved ms  engine %  of it: encode score assign certify explain  idle MiB"
    );
    for people in sizes {
        let folder = tempfile::tempdir()?;
        let alliance = if people == 0 { alliance::sample() } else { alliance::synthesise(people, 1) };
        let played = match &url {
            Some(url) => demo::play_at(&alliance, url, Lang::En).await?,
            None => demo::play(&alliance, &folder.path().join("round.sqlite3"), Lang::En).await?,
        };
        let (summary, brought_in) = (&played.results.summary, &played.brought_in);
        assert!(summary.proof.proved, "the result is not proved");
        let stage = |stage: Stage| {
            let stages = summary.whole_round.iter().flat_map(|whole| &whole.stage_micros);
            stages.filter(|(at, _)| *at == stage).map(|(_, micros)| *micros).sum::<i64>()
        };
        let micros = [Stage::Encode, Stage::Score, Stage::Assign, Stage::Certify, Stage::Explain].map(stage);
        let stages = micros.map(|micros| format!("{}.{:01}", micros / 1_000, micros % 1_000 / 100));
        let engine = u128::try_from(micros.iter().sum::<i64>())? * 100 / played.round.as_micros().max(1);
        println!(
            "{:>6}  {:>7} x {:<7}  {:>8}  {:>10}  {:>20}  {:>8}  {:>37}  {:>8}",
            brought_in.profiles,
            summary.mentees,
            summary.mentors,
            played.startup.as_millis(),
            u128::from(brought_in.profiles) * 1_000 / brought_in.importing.as_millis().max(1),
            played.round.as_millis(),
            engine,
            stages.join(" "),
            resident_mebibytes().unwrap_or_default(),
        );
        played.server.stop().await?;
        if url.is_some() {
            break;
        }
    }
    Ok(())
}

/// Resident memory of this process, if the system reports it.
fn resident_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1_024)
}
