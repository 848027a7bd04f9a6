//! Tests of the writer over real files.

use sqlx::Row as _;
use tempfile::TempDir;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// A writer over a table of numbers.
async fn writer() -> (Writer, TempDir, SqliteConnectOptions) {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("wim.db");
    let files = Files::create(&file).expect("is created");
    let options =
        SqliteConnectOptions::new().filename(file).journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    let writer = Writer::open(options.clone(), options.clone(), files).await.expect("opens");
    let mut turn = writer.turn(PATIENCE).await.expect("a turn");
    run(&mut turn, "CREATE TABLE number (n INTEGER PRIMARY KEY, filler BLOB) STRICT").await.expect("a table");
    turn.commit().await.expect("commits");
    (writer, home, options)
}

async fn run(turn: &mut Turn, text: &'static str) -> Result<(), sqlx::Error> {
    let done = sqlx::query(text).execute(turn.connection()?).await;
    turn.judge(done).map(drop)
}

async fn write(writer: &Writer, text: &'static str) -> Result<(), GroupFailed> {
    let mut turn = writer.turn(PATIENCE).await.expect("a turn");
    run(&mut turn, text).await.expect("runs");
    turn.commit().await
}

/// The numbers that another connection sees.
async fn numbers(options: &SqliteConnectOptions) -> Vec<i64> {
    let mut reader = options.connect().await.expect("a reader");
    let rows = sqlx::query("SELECT n FROM number ORDER BY n").fetch_all(&mut reader).await.expect("rows");
    reader.close().await.expect("closes");
    rows.iter().map(|row| row.get("n")).collect()
}

#[tokio::test]
async fn after_a_full_database_writing_works_again() {
    let (writer, _home, options) = writer().await;
    for round in 0..3 {
        let mut turn = writer.turn(PATIENCE).await.expect("a turn after the failure");
        run(&mut turn, "PRAGMA max_page_count = 4").await.expect("is set");
        let full = run(&mut turn, "INSERT INTO number (filler) VALUES (zeroblob(1000000))").await;
        let full = full.expect_err("is full").into_database_error().expect("SQLite says so");
        assert_eq!(full.code().as_deref(), Some("13"), "round {round}");
        // SQLite has ended the transaction: this statement would be one of its own.
        run(&mut turn, "INSERT INTO number (n) VALUES (-1)").await.expect_err("runs nothing more");
        turn.commit().await.expect_err("commits nothing");
    }
    write(&writer, "INSERT INTO number (n) VALUES (1)").await.expect("writes again");
    assert_eq!(numbers(&options).await, [1]);
    writer.close().await;
}

#[tokio::test]
async fn a_member_that_fails_takes_back_its_own_statements_alone() {
    let (writer, _home, options) = writer().await;
    let mut first = writer.turn(PATIENCE).await.expect("a turn");
    // These wait, in this order, and so are of the same group as the first.
    let (bad, dropped, last) = (writer.clone(), writer.clone(), writer.clone());
    let others = async {
        tokio::join!(
            async {
                let mut turn = bad.turn(PATIENCE).await.expect("a turn");
                run(&mut turn, "INSERT INTO number (n) VALUES (2)").await.expect("runs");
                run(&mut turn, "INSERT INTO number (n) VALUES (1)").await.expect_err("is there");
            },
            async {
                let mut turn = dropped.turn(PATIENCE).await.expect("a turn");
                run(&mut turn, "INSERT INTO number (n) VALUES (3)").await.expect("runs");
            },
            async { write(&last, "INSERT INTO number (n) VALUES (2)").await.expect("2 is free again") },
        )
    };
    let lead = async {
        tokio::task::yield_now().await;
        run(&mut first, "INSERT INTO number (n) VALUES (1)").await.expect("runs");
        first.commit().await.expect("commits");
    };
    tokio::join!(others, lead);
    assert_eq!(numbers(&options).await, [1, 2]);
    writer.close().await;
}

#[tokio::test]
async fn a_failed_group_fails_every_member_and_leaves_no_trace() {
    let (writer, _home, options) = writer().await;
    let mut first = writer.turn(PATIENCE).await.expect("a turn");
    let other = writer.clone();
    let bad = async {
        let mut turn = other.turn(PATIENCE).await.expect("a turn");
        run(&mut turn, "PRAGMA max_page_count = 4").await.expect("is set");
        let full = run(&mut turn, "INSERT INTO number (filler) VALUES (zeroblob(1000000))").await;
        full.expect_err("is full");
    };
    let good = async {
        tokio::task::yield_now().await;
        run(&mut first, "INSERT INTO number (n) VALUES (1)").await.expect("runs");
        first.commit().await.expect_err("is not durable, so it is not acknowledged");
    };
    tokio::join!(bad, good);
    assert_eq!(numbers(&options).await, [0; 0]);
    write(&writer, "INSERT INTO number (n) VALUES (1)").await.expect("writes again");
    assert_eq!(numbers(&options).await, [1]);
    writer.close().await;
}

#[tokio::test]
async fn a_statement_whose_caller_is_gone_leaves_no_trace() {
    let (writer, _home, options) = writer().await;
    for _ in 0..20 {
        let mut turn = writer.turn(PATIENCE).await.expect("a turn");
        let long = run(
            &mut turn,
            "INSERT INTO number (n) WITH RECURSIVE r(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM r LIMIT 50000) \
             SELECT n FROM r",
        );
        // The statement is sent, then its future is dropped.
        tokio::select! {
            biased;
            done = long => done.expect("runs"),
            () = tokio::task::yield_now() => {}
        }
    }
    write(&writer, "INSERT INTO number (n) VALUES (1)").await.expect("writes");
    assert_eq!(numbers(&options).await, [1]);
    writer.close().await;
}

#[tokio::test]
async fn a_turn_is_waited_for_no_longer_than_asked() {
    let (writer, _home, options) = writer().await;
    let held = writer.turn(PATIENCE).await.expect("a turn");
    let refused = writer.turn(Duration::from_millis(20)).await.expect_err("the writer is busy");
    assert!(matches!(refused, sqlx::Error::PoolTimedOut));
    drop(held);
    write(&writer, "INSERT INTO number (n) VALUES (1)").await.expect("writes");
    assert_eq!(numbers(&options).await, [1]);
    writer.close().await;
    assert!(matches!(writer.turn(PATIENCE).await, Err(sqlx::Error::PoolClosed)));
}

#[tokio::test]
async fn a_session_is_awaited_while_another_one_waits() {
    let (writer, _home, _) = writer().await;
    let held = writer.turn(PATIENCE).await.expect("a turn");
    assert!(!held.is_awaited());
    let other = writer.clone();
    let next = async {
        let turn = other.turn(PATIENCE).await.expect("a turn");
        assert!(!turn.is_awaited(), "its own wait is over");
    };
    let lead = async {
        while !held.is_awaited() {
            tokio::task::yield_now().await;
        }
        drop(held);
    };
    tokio::join!(next, lead);
    let held = writer.turn(PATIENCE).await.expect("a turn");
    writer.turn(Duration::from_millis(1)).await.expect_err("the writer is busy");
    assert!(!held.is_awaited(), "who has given up waits no more");
    drop(held);
    writer.close().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_into_a_file_that_was_deleted_or_replaced() {
    let (writer, home, options) = writer().await;
    let (file, aside) = (home.path().join("wim.db"), home.path().join("aside"));
    for replaced in [false, true] {
        let mut turn = writer.turn(PATIENCE).await.expect("a turn");
        run(&mut turn, "INSERT OR IGNORE INTO number (n) VALUES (1)").await.expect("runs");
        std::fs::rename(&file, &aside).expect("moves");
        if replaced {
            std::fs::copy(&aside, &file).expect("copies");
        }
        let failed = turn.commit().await.expect_err("is not acknowledged");
        let cause = std::error::Error::source(&failed).expect("a cause").to_string();
        assert!(cause.contains("wim.db was "), "{cause}");
        writer.turn(PATIENCE).await.expect_err("nothing more is written");
        writer.trouble().await;
        std::fs::rename(&aside, &file).expect("moves back");
        write(&writer, "INSERT OR IGNORE INTO number (n) VALUES (2)").await.expect("writes again");
    }
    assert_eq!(numbers(&options).await, [1, 2]);
    writer.close().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_after_the_log_was_deleted_while_it_is_copied() {
    let (writer, home, _) = writer().await;
    let long = async |text| {
        let mut turn = writer.turn(PATIENCE).await.expect("a turn");
        run(&mut turn, text).await.expect("runs");
        tokio::time::sleep(Duration::from_millis(60)).await;
        turn
    };
    // The task that copies holds a connection from here on.
    long("INSERT INTO number (n) VALUES (1)").await.commit().await.expect("commits");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let turn = long("INSERT INTO number (n) VALUES (2)").await;
    std::fs::remove_file(home.path().join("wim.db-wal")).expect("is deleted");
    turn.commit().await.expect_err("is not acknowledged");
    for _ in 0..20 {
        writer.turn(PATIENCE).await.expect_err("nothing more is written");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    writer.close().await;
}

#[tokio::test]
async fn the_log_is_copied_beside_the_writer_and_both_tasks_end() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("wim.db");
    let files = Files::create(&file).expect("is created");
    // The writer itself never copies.
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .pragma("wal_autocheckpoint", "0");
    let writer = Writer::open(options.clone(), options.clone(), files).await.expect("opens");
    write(&writer, "CREATE TABLE number (n INTEGER PRIMARY KEY, filler BLOB) STRICT").await.expect("a table");
    let length = || file.metadata().expect("is there").len();
    assert!(length() < 1_000_000);
    let mut turn = writer.turn(PATIENCE).await.expect("a turn");
    run(&mut turn, "INSERT INTO number VALUES (1, zeroblob(1000000))").await.expect("runs");
    tokio::time::sleep(Duration::from_millis(60)).await;
    turn.commit().await.expect("commits");
    let copied = async {
        while length() < 1_000_000 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, copied).await.expect("the log is copied");
    assert_eq!(numbers(&options).await, [1]);
    let tasks = writer.task.clone();
    drop(writer);
    tokio::time::timeout(PATIENCE, tasks.wait()).await.expect("both tasks end without a close");
}
