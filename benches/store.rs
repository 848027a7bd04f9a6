//! Measures imports of profiles: rows staged and stored per second beside raw inserts of the same documents, the longest
//! wait of another writer meanwhile, and the largest size of SQLite's write-ahead log.
//!
//! `cargo bench --locked --bench store` measures a SQLite file in the temporary directory; `-- postgres://...` another database,
//! which must be empty. The overall rate of the first import is the upper bound for a caller of ImportProfiles. The second
//! import of the same rows shows the cost of a nightly import of unchanged members.
//!
//! As in the service, the documents of a message are written and digested while the message before is staged.
//!
//! The raw rows go into a table with one index of the same ids, in the same batches: by prepared statements of 100 rows on
//! SQLite, by COPY on PostgreSQL.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqlSafeStr as _, SqliteConnection};
use wim_match::clock::Stopwatch;
use wim_match::domain::name::OwnId;
use wim_match::domain::organisation::{OrganisationContent, OrganisationDraft};
use wim_match::domain::profile::Profile;
use wim_match::error::{Error, Result};
use wim_match::store::{Begun, Present, Receipt, Scope, StagedRow, Store, WriteSession};

type Failed = Box<dyn std::error::Error + Send + Sync>;

const ROWS: usize = 100_000;
const BATCH: usize = 1_000;
/// Rows that are staged at once, as in the service.
const STAGED_AT_ONCE: usize = 2_000;
/// Pause between two changes of the other writer.
const PAUSE: Duration = Duration::from_millis(5);

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what it measures is what it prints")]
async fn main() -> std::result::Result<(), Failed> {
    let home = tempfile::tempdir()?;
    let file = home.path().join("wim.db");
    let url = std::env::args().find(|argument| argument.starts_with("postgres"));
    let store = Arc::new(Store::open(url.as_deref().or(file.to_str()).unwrap_or_default()).await?);
    store.migrate().await?;
    let organisation = "wim-bench".parse()?;
    let draft = OrganisationDraft {
        display_name: "Bench".to_owned(),
        country: "PE".to_owned(),
        ..OrganisationDraft::default()
    };
    let content = OrganisationContent::parse(&organisation, &draft).map_err(|wrong| format!("{wrong:?}"))?;
    let mut session = write(&store).await?;
    let (_, note) = session.create_organisation(&organisation, &content).await?;
    session.commit(note, b"").await?;

    let profile = profile()?;
    let document = serde_json::to_string(&profile)?;
    println!("{} rows of {} bytes, {BATCH} per message", ROWS, document.len());
    let raw = match &url {
        Some(url) => raw_copy(url, &document).await?,
        None => raw_inserts(&home.path().join("raw.db"), &document).await?,
    };
    println!("raw: {} rows/s", rows_per_second(raw));
    for (name, shift) in [("first import", 0), ("same rows again", 0), ("every row changed", 1)] {
        let (over, other) = (Arc::new(AtomicBool::new(false)), Arc::clone(&store));
        let mut waits = tokio::task::JoinSet::new();
        waits.spawn(longest_wait(other, name, Arc::clone(&over)));
        let whole = Stopwatch::start();
        let import = store.begin_import(&Scope::Alliance, &organisation, name, Timestamp::UNIX_EPOCH).await?;
        let mut largest_log = 0;
        let (mut ready_rows, mut unstaged) = (Vec::new(), 0);
        for batch in 0..=ROWS / BATCH {
            let mine = profile.clone();
            let next = async {
                let numbers = batch * BATCH..((batch + 1) * BATCH).min(ROWS);
                let people = tokio::task::spawn_blocking(move || people(numbers, shift, &mine)).await??;
                let keys: Vec<_> =
                    people.iter().map(|(row, _)| (row.id().clone(), row.digest().to_owned())).collect();
                let present = store.present(&Scope::Alliance, &organisation, &keys).await?;
                tokio::task::spawn_blocking(move || merged(people, &present)).await?.map_err(Failed::from)
            };
            let is_full = ready_rows.len() >= STAGED_AT_ONCE || batch == ROWS / BATCH;
            let rows = if is_full { std::mem::take(&mut ready_rows) } else { Vec::new() };
            let staged = store.stage_rows(&import, rows, Timestamp::UNIX_EPOCH);
            let (staged, next) = tokio::join!(staged, next);
            staged?;
            let (rows, same) = next?;
            ready_rows.extend(rows);
            unstaged += same;
            largest_log = largest_log.max(log_bytes(&file));
        }
        let staged = whole.elapsed();
        let ready = store.ready_import(&import, Timestamp::UNIX_EPOCH).await?.with_unstaged(unstaged);
        let mut session = write(&store).await?;
        let Some((counts, left)) = session.finish_import(&import, ready).await? else {
            unreachable!("is alone")
        };
        session.commit(left.into_notes().ok_or("no entry of the journal")?, b"").await?;
        let all = whole.elapsed();
        over.store(true, Ordering::Relaxed);
        let (changes, longest) = waits.join_next().await.ok_or("no other writer")???;
        println!(
            "{name}: {} rows/s overall, {:.2} of raw; staged in {staged:.2?}, finished in {:.2?}; \
             {changes} other changes, the longest {longest:.1?}; log at most {} MiB, then {} MiB; {counts:?}",
            rows_per_second(all),
            raw.as_secs_f64() / all.as_secs_f64(),
            all.saturating_sub(staged),
            largest_log >> 20,
            log_bytes(&file) >> 20,
        );
    }
    store.close().await;
    Ok(())
}

fn rows_per_second(elapsed: Duration) -> u128 {
    ROWS as u128 * 1_000_000 / elapsed.as_micros().max(1)
}

/// Changes something small again and again until it is over: the number of changes, and the longest one.
async fn longest_wait(
    store: Arc<Store>,
    name: &str,
    over: Arc<AtomicBool>,
) -> std::result::Result<(u32, Duration), Failed> {
    let (mut changes, mut longest) = (0, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let organisation = format!("other-{}-{changes}", name.replace(' ', "-")).parse()?;
        let draft = OrganisationDraft {
            display_name: "Other".to_owned(),
            country: "PE".to_owned(),
            ..OrganisationDraft::default()
        };
        let content =
            OrganisationContent::parse(&organisation, &draft).map_err(|wrong| format!("{wrong:?}"))?;
        let one = Stopwatch::start();
        let mut session = write(&store).await?;
        let (_, note) = session.create_organisation(&organisation, &content).await?;
        session.commit(note, b"").await?;
        longest = longest.max(one.elapsed());
        changes += 1;
        tokio::time::sleep(PAUSE).await;
    }
    Ok((changes, longest))
}

const RAW_TABLE: &str =
    "CREATE TABLE raw_document (import_id TEXT, own_id TEXT, document TEXT, PRIMARY KEY (import_id, own_id))";

/// Rows of one raw statement.
const RAW_ROWS: usize = 100;

async fn raw_inserts(file: &Path, document: &str) -> std::result::Result<Duration, sqlx::Error> {
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", file.display())).await?;
    for text in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", RAW_TABLE] {
        sqlx::query(text).execute(&mut connection).await?;
    }
    let whole = Stopwatch::start();
    let insert = format!("INSERT INTO raw_document VALUES {}", ["('import', ?, ?)"; RAW_ROWS].join(", "));
    for batch in 0..ROWS / BATCH {
        let mut transaction = connection.begin().await?;
        for first in (batch * BATCH..(batch + 1) * BATCH).step_by(RAW_ROWS) {
            let mut query = sqlx::query(AssertSqlSafe(insert.clone()).into_sql_str());
            for number in first..first + RAW_ROWS {
                query = query.bind(scattered(number)).bind(document);
            }
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    Ok(whole.elapsed())
}

async fn raw_copy(url: &str, document: &str) -> std::result::Result<Duration, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query(RAW_TABLE).execute(&mut connection).await?;
    let whole = Stopwatch::start();
    for batch in 0..ROWS / BATCH {
        let rows = (batch * BATCH..(batch + 1) * BATCH)
            .map(|number| format!("import\t{}\t{document}\n", scattered(number)));
        let mut copy = connection.copy_in_raw("COPY raw_document FROM STDIN").await?;
        copy.send(rows.collect::<String>().into_bytes()).await?;
        copy.finish().await?;
    }
    let elapsed = whole.elapsed();
    sqlx::query("DROP TABLE raw_document").execute(&mut connection).await?;
    Ok(elapsed)
}

async fn write(store: &Store) -> Result<WriteSession> {
    let receipt = Receipt {
        actor: "bench".to_owned(),
        scope: Scope::Alliance,
        now: Timestamp::UNIX_EPOCH,
        request: None,
    };
    match store.begin(receipt).await? {
        Begun::Fresh(session) => Ok(session),
        Begun::Repeated(_) => unreachable!("there is no request_id"),
    }
}

/// Ids in random order, the worst case for an index.
fn scattered(number: usize) -> String {
    format!("{:016x}", (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// Some people as their rows say them: without what is stored of them.
fn people(numbers: Range<usize>, shift: u8, profile: &Profile) -> Result<Vec<(StagedRow, Profile)>> {
    let one = |number| {
        let id = scattered(number).parse().map_err(|_| Error::internal("an id"))?;
        let changed = Profile { career_stage: Some(1 + shift), ..profile.clone() };
        Ok((StagedRow::new(id, None, &changed)?, changed))
    };
    numbers.map(one).collect()
}

/// The rows to be staged, and the number of those that say what is stored.
fn merged(
    people: Vec<(StagedRow, Profile)>,
    present: &HashMap<OwnId, Present>,
) -> Result<(Vec<StagedRow>, i64)> {
    let (mut rows, mut same) = (Vec::new(), 0);
    for (row, profile) in people {
        match present.get(row.id()) {
            None => rows.push(row),
            Some(known) if known.digest == row.digest() => same += 1,
            known => rows.push(StagedRow::new(row.id().clone(), known, &profile)?),
        }
    }
    Ok((rows, same))
}

/// A profile of about one kilobyte.
fn profile() -> std::result::Result<Profile, serde_json::Error> {
    let slots: Vec<String> =
        (0..7).map(|day| format!(r#"{{"day":{day},"start":16,"end":{}}}"#, 18 + day)).collect();
    serde_json::from_str(&format!(
        r#"{{"country":"PE","time_zone":"America/Lima","weekly_slots":[{}],
            "languages":[{{"tag":"en","level":"C1"}},{{"tag":"es-PE","level":"native"}}],
            "functions":[],"employer":"employer-key-of-some-length","competitor_group":"group-key",
            "reporting_line":["organisations/wim-bench/profiles/lead-1","organisations/wim-bench/profiles/lead-2"],
            "previous_partners":["organisations/wim-peru/profiles/partner-1"],
            "meeting_modes":{{"by_call":true,"in_person":true}},
            "mentor_offer":{{"min_mentees":1,"max_mentees":3,"topics":["career_planning","job_search"]}},
            "consents":[{{"purpose":"matching","give_time":"2026-01-01T00:00:00Z","text_version":"2026-01","language":"es"}}]}}"#,
        slots.join(",")
    ))
}

fn log_bytes(file: &Path) -> u64 {
    let log = file.with_extension("db-wal");
    std::fs::metadata(log).map_or(0, |found| found.len())
}
