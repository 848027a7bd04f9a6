//! Measures `wim-match admin backup`, `check` and `restore` on a SQLite database, and how long a writer of the service waits
//! meanwhile.
//!
//! `cargo bench --bench backup` measures a database of 1,000 MB; `-- 200` another size in MB. The commands run in processes
//! of their own under `nice`, as an operator runs them. The writer is in this process, over the same store as in the service: it changes
//! something small every 2 ms, and each change is synced to the disk. `TMPDIR` chooses the disk; it needs four times the size.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};
use wim_match::clock::Stopwatch;
use wim_match::domain::organisation::{OrganisationContent, OrganisationDraft};
use wim_match::store::{Begun, Receipt, Scope, Store};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Bytes of the document of a profile.
const DOCUMENT: usize = 1_200;
/// Bytes that a profile takes in the file, with its index.
const PROFILE: usize = 1_400;
/// Pause between two changes of the writer.
const PAUSE: Duration = Duration::from_millis(2);
/// Time of the writer alone, for comparison.
const ALONE: Duration = Duration::from_secs(10);

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what it measures is what it prints")]
async fn main() -> Result<(), Failed> {
    let megabytes = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_usize);
    let home = tempfile::tempdir()?;
    let (database, backup) = (home.path().join("wim.db"), home.path().join("backup.db"));
    let store = Arc::new(Store::open(database.to_str().unwrap_or_default()).await?);
    store.migrate().await?;
    let profiles = megabytes * 1_000_000 / PROFILE;
    fill(&database, profiles).await?;
    println!("{profiles} profiles, {} MB", database.metadata()?.len() / 1_000_000);

    let alone = async {
        tokio::time::sleep(ALONE).await;
        Ok(String::new())
    };
    beside(&store, "writer alone", alone).await?;
    let url = format!("sqlite:{}", database.display());
    let file = backup.display().to_string();
    let copy = ["admin", "backup", &file, "--database", &url];
    beside(&store, "admin backup", command(&copy)).await?;
    let check = ["admin", "check", &file];
    beside(&store, "admin check BACKUP", command(&check)).await?;
    let restored = format!("sqlite:{}", home.path().join("restored.db").display());
    let restore = ["admin", "restore", &file, "--database", &restored];
    beside(&store, "admin restore", command(&restore)).await?;
    store.close().await;
    Ok(())
}

/// Prints how long some work takes, and the waits of the writer beside it.
#[expect(clippy::print_stdout, reason = "what it measures is what it prints")]
async fn beside(
    store: &Arc<Store>,
    name: &str,
    work: impl Future<Output = Result<String, Failed>>,
) -> Result<(), Failed> {
    let over = Arc::new(AtomicBool::new(false));
    let mut writer = tokio::task::JoinSet::new();
    writer.spawn(write(Arc::clone(store), name.replace(' ', "-").to_lowercase(), Arc::clone(&over)));
    let whole = Stopwatch::start();
    let done = work.await?;
    let took = whole.elapsed();
    over.store(true, Ordering::Relaxed);
    let mut waits = writer.join_next().await.ok_or("no writer")???;
    waits.sort_unstable();
    let at = |of_thousand: usize| waits[waits.len() * of_thousand / 1_000];
    println!(
        "{name}: {took:.1?}; {} changes, half within {:.1?}, 99 % within {:.1?}, the longest {:.1?} {done}",
        waits.len(),
        at(500),
        at(990),
        waits[waits.len() - 1]
    );
    Ok(())
}

/// Runs the program, and returns what it reported.
async fn command(arguments: &[&str]) -> Result<String, Failed> {
    let mut program = Command::new("nice");
    program.arg(env!("CARGO_BIN_EXE_wim-match")).args(arguments);
    let output = tokio::task::spawn_blocking(move || program.output()).await??;
    let told = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
    if output.status.success() { Ok(told) } else { Err(told.into()) }
}

/// Changes something small until it is over, and returns the duration of each change.
async fn write(store: Arc<Store>, name: String, over: Arc<AtomicBool>) -> Result<Vec<Duration>, Failed> {
    let mut waits = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let organisation = format!("wim-{name}-{}", waits.len()).parse()?;
        let draft = OrganisationDraft {
            display_name: "Other".to_owned(),
            country: "PE".to_owned(),
            ..OrganisationDraft::default()
        };
        let content =
            OrganisationContent::parse(&organisation, &draft).map_err(|wrong| format!("{wrong:?}"))?;
        let receipt = Receipt {
            actor: "bench".to_owned(),
            scope: Scope::Alliance,
            now: Timestamp::UNIX_EPOCH,
            request: None,
        };
        let one = Stopwatch::start();
        let Begun::Fresh(mut session) = store.begin(receipt).await? else {
            unreachable!("there is no request_id")
        };
        let (_, note) = session.create_organisation(&organisation, &content).await?;
        session.commit(note, b"").await?;
        waits.push(one.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(waits)
}

/// Fills the database with one finished import of profiles, past the store: only their number and size matter.
async fn fill(database: &Path, profiles: usize) -> Result<(), Failed> {
    let mut raw = SqliteConnection::connect(&format!("sqlite:{}", database.display())).await?;
    let profiles = i64::try_from(profiles)?;
    for (text, values) in [
        (
            "INSERT INTO organisation VALUES ('wim-bench', 'Bench', 'PE', '{}', 'member', NULL, NULL, 0, 1, 1, 1)",
            vec![],
        ),
        (
            "INSERT INTO profile_import VALUES ('import-1', 'wim-bench', $1, 0, 0, 1, 1, 1, 'bench', 1)",
            vec![profiles],
        ),
        (
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1) \
             INSERT INTO profile_version SELECT 'wim-bench', printf('%016x', n), 1, 'import-1', n, 0, 1, 1, \
             lower(hex(randomblob(32))), printf('{\"document\":\"%s\"}', hex(randomblob($2))) FROM n",
            vec![profiles, i64::try_from(DOCUMENT / 2)?],
        ),
        ("PRAGMA wal_checkpoint(TRUNCATE)", vec![]),
    ] {
        let query = values.into_iter().fold(sqlx::query(text), |query, value: i64| query.bind(value));
        query.execute(&mut raw).await?;
    }
    raw.close().await?;
    Ok(())
}
