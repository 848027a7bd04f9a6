//! Measures whole rounds over gRPC and SQLite, from the view of a client. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;

use wim_match::demo::{self, alliance};
use wim_match::domain::run::Stage;
use wim_match::domain::vocabulary::Lang;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![0, 1_000, 10_000] } else { sizes };
    println!(
        "people  mentees x mentors  ready ms  profiles/s  StartRun to saved ms  of it: encode score assign certify explain  idle MiB"
    );
    for people in sizes {
        let folder = tempfile::tempdir()?;
        let alliance = if people == 0 { alliance::sample() } else { alliance::synthesise(people, 1) };
        let played = demo::play(&alliance, &folder.path().join("round.sqlite3"), Lang::En).await?;
        let (summary, brought_in) = (&played.results.summary, &played.brought_in);
        assert!(summary.proof.proved, "the result is not proved");
        let stage = |stage: Stage| {
            let micros = summary
                .whole_round
                .iter()
                .flat_map(|whole| &whole.stage_micros)
                .find(|(at, _)| *at == stage)
                .map_or(0, |(_, micros)| *micros);
            format!("{}.{:01}", micros / 1_000, micros % 1_000 / 100)
        };
        let stages = [Stage::Encode, Stage::Score, Stage::Assign, Stage::Certify, Stage::Explain].map(stage);
        println!(
            "{:>6}  {:>7} x {:<7}  {:>8}  {:>10}  {:>20}  {:>37}  {:>8}",
            brought_in.profiles,
            summary.mentees,
            summary.mentors,
            played.startup.as_millis(),
            u128::from(brought_in.profiles) * 1_000 / brought_in.importing.as_millis().max(1),
            played.round.as_millis(),
            stages.join(" "),
            resident_mebibytes().unwrap_or_default(),
        );
        played.server.stop().await?;
    }
    Ok(())
}

/// Resident memory of this process, if the system reports it.
fn resident_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1_024)
}
