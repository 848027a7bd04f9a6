//! Backups of a SQLite database: taken under load, checked, restored, drilled; and what is refused, with its next step.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use wim_match::api::proto::v1;
use wim_match::clock::{Clock as _, SystemClock};
use wim_match::store::{Scope, Store, create_alone};

use crate::postgres::postgres;
use crate::starts::{Machine, assert_says, mode, text};
use crate::world::{World, mentee, mentor, soon};

fn program(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
    program.args(arguments).env_clear().output().expect("runs")
}

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// The JSON object that a command printed, which must have succeeded.
#[track_caller]
fn json(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

fn organisations(content: &serde_json::Value) -> u64 {
    content["organisation"]["rows"].as_u64().expect("a number")
}

/// Registers organisations through the service until it is told to end. The acknowledged ones are in `acknowledged`.
async fn write(world: &World, name: &str, acknowledged: &Mutex<BTreeSet<String>>, over: &AtomicBool) {
    let mut client = world.secretariat();
    for number in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let id = format!("wim-{name}-{number:05}");
        let request = v1::CreateOrganisationRequest {
            organisation_id: id.clone(),
            organisation: Some(v1::Organisation {
                display_name: id.clone(),
                country: "PE".to_owned(),
                ..v1::Organisation::default()
            }),
            ..v1::CreateOrganisationRequest::default()
        };
        client.organisations.create_organisation(request).await.expect("is registered");
        acknowledged.lock().expect("no panic").insert(id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_under_load_has_all_that_was_acknowledged_and_passes_the_drill() {
    let world = World::sqlite().await;
    let database = world.folder().join("wim.sqlite3");
    let home = tempfile::tempdir().expect("a folder");
    let backup = home.path().join("backup.sqlite3");
    let (acknowledged, over) = (Mutex::new(BTreeSet::new()), AtomicBool::new(false));
    let operate = async {
        while acknowledged.lock().expect("no panic").len() < 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let before = acknowledged.lock().expect("no panic").clone();
        let (file, origin, folder) = (backup.clone(), url(&database), home.path().to_owned());
        let ran = tokio::task::spawn_blocking(move || {
            let taken =
                program(&["admin", "backup", file.to_str().expect("UTF-8"), "--database", &origin, "--json"]);
            // What operations run: another backup of the same live database, restored and compared.
            let mut drill = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/restore-drill"));
            drill.arg(&folder).args(["--database", &origin]);
            drill.env("WIM_MATCH", env!("CARGO_BIN_EXE_wim-match"));
            (taken, drill.output().expect("the drill runs"), fs::read_dir(folder).expect("a folder").count())
        });
        let ran = ran.await.expect("ends");
        over.store(true, Ordering::Relaxed);
        (before, ran)
    };
    let ((), (), (before, (taken, drilled, files))) = soon(async {
        tokio::join!(
            Box::pin(write(&world, "a", &acknowledged, &over)),
            Box::pin(write(&world, "b", &acknowledged, &over)),
            Box::pin(operate)
        )
    })
    .await;
    let taken = json(&taken);
    assert!(drilled.status.success(), "{}", text(&drilled.stderr));
    assert!(text(&drilled.stdout).starts_with("the backup can be restored"), "{}", text(&drilled.stdout));
    assert_eq!(files, 2, "the backup and its manifest: the drill leaves nothing");
    let manifest = home.path().join("backup.sqlite3.manifest.json");
    assert_eq!((mode(&backup), mode(&manifest)), (0o600, 0o600));

    let copy = Store::open_copy(&backup).await.expect("opens");
    let mut raw = SqliteConnection::connect(&url(&backup)).await.expect("connects");
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id FROM organisation").fetch_all(&mut raw).await.expect("reads");
    raw.close().await.expect("closes");
    let ids: BTreeSet<String> = ids.into_iter().collect();
    assert!(before.is_subset(&ids), "acknowledged before the begin");
    let after = acknowledged.lock().expect("no panic").clone();
    let content = copy.content(&Scope::System).await.expect("reads");
    copy.close().await;
    assert_eq!(organisations(&taken["tables"]), content["organisation"].rows);
    assert!(ids.len() <= after.len() + 2, "no more than was written");
    // One moment: each organisation has its line in the journal, and no line has no organisation.
    assert_eq!(content["organisation"].rows + 6, content["journal"].rows, "and the lines of the two tokens");
    let checked = json(&program(&["admin", "check", backup.to_str().expect("UTF-8"), "--json"]));
    assert!(checked["checks"].as_array().expect("rows").len() > 8, "{checked}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_being_executed_is_executed_again_after_a_restore() {
    let world = World::sqlite_with(|config| config.worker = false).await;
    let mut manager = world.manager("wim-peru").await;
    manager.import(vec![mentor("mentor", 2), mentee("mentee")]).await;
    world.open_round("spring").await;
    manager.enrol_all("rounds/spring").await;
    let run = world.start_run("rounds/spring").await;
    // A worker that has claimed the run and then is gone, with the machine.
    let store = world.server().service().store();
    let lease = Duration::from_secs(2);
    store.claim_run(&Scope::System, "gone", SystemClock.now(), lease).await.expect("asks").expect("waits");
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name);
    let (backup, origin) = (at("backup"), url(&world.folder().join("wim.sqlite3")));
    let backup = backup.to_str().expect("UTF-8").to_owned();
    assert!(program(&["admin", "backup", &backup, "--database", &origin]).status.success());
    let restored = program(&["admin", "restore", &backup, "--database", &url(&at("wim.sqlite3")), "--json"]);
    // The tokens of the manager, of the coordinator and of the Secretariat.
    assert_eq!(json(&restored)["live_tokens"], 3);

    let again = World::sqlite_at(&at("wim.sqlite3")).await;
    let ended = again.watch(&run.name).await.pop().expect("an end");
    assert_eq!(ended.state(), v1::RunState::Succeeded);
    assert_eq!(
        again
            .client(Some(&manager.token))
            .rounds
            .list_rounds(v1::ListRoundsRequest::default())
            .await
            .expect("the token of the backup is live")
            .into_inner()
            .rounds
            .len(),
        1
    );
    again.stop().await;
    world.cancel(&run.name).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_erased_since_a_backup_is_erased_again_after_its_restore() {
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name).to_str().expect("UTF-8").to_owned();
    let (database, backup) = (at("wim.sqlite3"), at("backup"));
    let origin = format!("sqlite:{database}");
    let world = World::sqlite_at(&home.path().join("wim.sqlite3")).await;
    let mut manager = world.manager("wim-peru").await;
    manager.import(vec![mentee("canary-ana"), mentee("bea")]).await;
    // The backup has the time of its machine; the world has its own, which is later.
    assert!(program(&["admin", "backup", &backup, "--database", &origin]).status.success());
    world.clock().advance(Duration::from_hours(24 * 3_650));
    let request = v1::EraseProfileRequest { name: manager.member("canary-ana"), ..Default::default() };
    manager.client.privacy.erase_profile(request).await.expect("is erased");
    world.stop().await;

    let restored = program(&["admin", "restore", &backup, "--replace", "--database", &origin, "--json"]);
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    assert_eq!(json(&restored)["erased_since"], 1);
    let told = text(&restored.stderr);
    assert!(
        told.contains("admin erasure list --database sqlite:") && told.contains("admin erasure repeat"),
        "{told}"
    );
    let aside = json(&restored)["set_aside"].as_str().expect("a file").to_owned();
    let listed = program(&["admin", "erasure", "list", "--database", &format!("sqlite:{aside}")]);
    assert_eq!(text(&listed.stdout).lines().count(), 1, "{}", text(&listed.stderr));
    fs::write(at("erased.jsonl"), &listed.stdout).expect("is written");
    let repeat = ["admin", "erasure", "repeat", &at("erased.jsonl"), "--database", &origin, "--json"]
        .map(str::to_owned);
    let repeat: Vec<&str> = repeat.iter().map(String::as_str).collect();
    for erased in [1, 0] {
        let repeated = program(&repeat);
        assert!(repeated.status.success(), "{}", text(&repeated.stderr));
        assert_eq!(
            (json(&repeated)["listed"].clone(), json(&repeated)["erased"].clone()),
            (1.into(), erased.into())
        );
    }
    let bytes = fs::read(&database).expect("reads");
    assert!(!bytes.windows(10).any(|part| part == b"canary-ana"), "she is nowhere in the file");
    fs::write(at("erased.jsonl"), "no list").expect("is written");
    let wrong = program(&repeat);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(text(&wrong.stderr).contains("line 1: is not an erasure"), "{}", text(&wrong.stderr));
}

/// A migrated database and a backup of it.
struct Backed {
    machine: Machine,
    backup: PathBuf,
}

impl Backed {
    fn new() -> Self {
        let machine = Machine::new();
        let backup = machine.path("backup.sqlite3");
        let backed = Self { machine, backup };
        backed.done(&["migrate"]);
        backed.done(&["token", "create", "--role", "coordinator", "--label", "kept"]);
        backed.done(&["backup", "backup.sqlite3"]);
        backed
    }

    /// Runs a command of the operator on the database `wim.db`.
    fn admin(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["admin"];
        all.extend(arguments);
        let database = self.machine.database("wim.db");
        if !arguments.contains(&"--database") {
            all.extend(["--database", &database]);
        }
        self.machine.run(&all)
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    fn manifest(&self) -> PathBuf {
        self.machine.path("backup.sqlite3.manifest.json")
    }

    /// Names and contents of all files.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.machine.path(""))
            .expect("a folder")
            .map(|entry| {
                let entry = entry.expect("an entry");
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, fs::read(entry.path()).unwrap_or_default())
            })
            .collect();
        files.sort();
        files
    }

    async fn execute(&self, statements: &str) {
        let mut raw = SqliteConnection::connect(&self.machine.database("wim.db")).await.expect("connects");
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut raw).await.expect("executes");
        raw.close().await.expect("closes");
    }
}

#[test]
fn a_backup_never_takes_the_place_of_a_file_by_itself() {
    let backed = Backed::new();
    let before = backed.files();
    assert_says(&told(&backed.admin(&["backup", "backup.sqlite3"])), 6, &["exists already", "--replace"]);
    let itself = told(&backed.admin(&["backup", "wim.db", "--replace", "--lang", "fr"]));
    assert_says(&itself, 6, &["est la base de données elle-même"]);
    let elsewhere = backed.machine.database("none.db");
    let none = told(&backed.admin(&["backup", "new", "--database", &elsewhere]));
    assert_says(&none, 5, &["there is no database", "none.db"]);
    let nowhere = told(&backed.admin(&["backup", "no/folder/file"]));
    assert_says(&nowhere, 3, &["cannot be read or written", "check the path"]);
    let postgres = told(&backed.admin(&["backup", "new", "--database", "postgres://h/d", "--lang", "es"]));
    assert_says(&postgres, 3, &["solo funciona con SQLite", "deploy/postgresql"]);
    assert_eq!(backed.files(), before, "nothing was changed");
    // What an interrupted backup has left is no obstacle.
    fs::write(backed.machine.path("backup.sqlite3.part"), b"half").expect("is written");
    backed.done(&["backup", "backup.sqlite3", "--replace"]);
    assert!(!backed.machine.path("backup.sqlite3.part").exists());
    backed.done(&["check", "backup.sqlite3"]);
}

#[test]
fn a_backup_that_cannot_be_trusted_is_refused_and_changes_nothing() {
    let backed = Backed::new();
    let (content, manifest) =
        (fs::read(&backed.backup).expect("reads"), fs::read_to_string(backed.manifest()).expect("reads"));
    let to = backed.machine.database("restored.db");
    let restore =
        |lang: &str| told(&backed.admin(&["restore", "backup.sqlite3", "--database", &to, "--lang", lang]));
    let refused = |lang: &str, code: i32, parts: &[&str]| {
        assert_says(&restore(lang), code, parts);
        let left: Vec<String> = backed.files().into_iter().map(|(name, _)| name).collect();
        assert!(left.iter().all(|name| !name.starts_with("restored")), "{left:?}");
    };
    let mut damaged = content.clone();
    damaged[5_000] ^= 1;
    fs::write(&backed.backup, &damaged).expect("is written");
    refused("en", 3, &["is damaged", "not the one of its manifest", "another copy"]);
    refused("pt", 3, &["está danificado"]);
    assert_says(&told(&backed.admin(&["check", "backup.sqlite3"])), 3, &["FAILED", "is damaged"]);
    fs::write(&backed.backup, &content[..content.len() - 4096]).expect("is written");
    refused("en", 3, &["bytes instead of"]);
    fs::remove_file(&backed.backup).expect("is removed");
    refused("en", 5, &["there is no backup"]);
    fs::write(&backed.backup, &content).expect("is written");

    let change = |from: &str, into: &str| {
        assert!(manifest.contains(from), "{manifest}");
        fs::write(backed.manifest(), manifest.replace(from, into)).expect("is written");
    };
    change("\"number\": 1", "\"number\": 999");
    refused("en", 3, &["which is newer than this version", "or a later version"]);
    change("\"format\": 1", "\"format\": 2");
    refused("es", 3, &["más reciente que esta versión"]);
    change("\"application\": \"wim-match\"", "\"application\": \"another\"");
    refused("en", 3, &["is no manifest of a backup"]);
    fs::write(backed.manifest(), &manifest[..manifest.len() / 2]).expect("is written");
    refused("fr", 3, &["n’est pas le manifeste d’une sauvegarde"]);
    fs::remove_file(backed.manifest()).expect("is removed");
    refused("en", 5, &["is no whole backup", "copy both files"]);
    fs::write(backed.manifest(), &manifest).expect("is written");
    // A manifest that fits a file that is no database.
    let letter = b"Dear members, this is no database. ".repeat(400);
    fs::write(&backed.backup, &letter).expect("is written");
    let mut of_letter: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    of_letter["size"] = letter.len().into();
    of_letter["sha256"] = sha256(&letter).into();
    fs::write(backed.manifest(), of_letter.to_string()).expect("is written");
    refused("en", 7, &["is a file, but no SQLite database"]);
    let postgres = told(&backed.admin(&["restore", "backup.sqlite3", "--database", "postgres://h/d"]));
    assert_says(&postgres, 3, &["works on SQLite alone", "deploy/postgresql"]);
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_sets_the_present_database_aside_and_names_the_tokens_that_live_again() {
    let backed = Backed::new();
    let listed: serde_json::Value =
        serde_json::from_str(&backed.done(&["token", "list", "--json"])).expect("JSON");
    let id = listed["id"].as_str().expect("an id").to_owned();
    backed.done(&["token", "revoke", &id]);
    backed.done(&["token", "create", "--role", "coordinator", "--label", "later"]);
    fs::write(backed.machine.path("wim.db.first-token"), "wimm_old").expect("is written");
    let before = backed.files();
    let exists = told(&backed.admin(&["restore", "backup.sqlite3"]));
    assert_says(&exists, 6, &["exists already", "--replace"]);
    assert_eq!(backed.files(), before, "nothing was changed");

    // The database as a killed service leaves it: with a log that holds the newest changes.
    let database = backed.machine.database("wim.db");
    let mut open = SqliteConnection::connect(&database).await.expect("connects");
    sqlx::raw_sql(
        "PRAGMA journal_mode = WAL; INSERT INTO organisation VALUES ('wim-peru', 'P', 'PE', '{}', 'member', NULL, NULL, 0, NULL, NULL, 1, 1, 1)",
    )
    .execute(&mut open)
    .await
    .expect("writes");
    let used = told(&backed.admin(&["restore", "backup.sqlite3", "--replace", "--lang", "pt"]));
    assert_says(&used, 6, &["um processo usa", "pare o serviço"]);
    for name in ["wim.db", "wim.db-wal"] {
        fs::copy(backed.machine.path(name), backed.machine.path(&format!("killed-{name}"))).expect("copies");
    }
    open.close().await.expect("closes");
    for name in ["wim.db", "wim.db-wal"] {
        fs::rename(backed.machine.path(&format!("killed-{name}")), backed.machine.path(name)).expect("moves");
    }

    let restored = backed.admin(&["restore", "backup.sqlite3", "--replace", "--json"]);
    let report = json(&restored);
    assert_eq!((&report["live_tokens"], &report["lost_tokens"]), (&1.into(), &1.into()), "{report}");
    assert_eq!(report["revived_tokens"], serde_json::json!([id]));
    let (_, words) = told(&restored);
    let place = format!(" --database {}", backed.machine.database("wim.db"));
    assert!(words.contains(&format!("wim-match admin token revoke {id}{place}")), "{words}");
    assert!(words.contains(&format!("wim-match admin check{place}")), "{words}");
    let aside = PathBuf::from(report["set_aside"].as_str().expect("a name"));
    let aside_name = aside.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(aside_name.starts_with("wim.db.replaced-2"), "{aside_name}");
    assert!(backed.machine.path(&format!("{aside_name}.first-token")).exists(), "its token is with it");
    assert!(!backed.machine.path("wim.db-wal").exists(), "its log is not applied to the backup");
    assert_eq!(mode(&backed.machine.path("wim.db")), 0o600);
    // The database that was set aside has lost nothing, and the restored one is the backup.
    let mut earlier =
        SqliteConnection::connect(&format!("sqlite:{}", aside.display())).await.expect("connects");
    let kept: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM organisation").fetch_one(&mut earlier).await.expect("reads");
    earlier.close().await.expect("closes");
    assert_eq!(kept, 1, "also what was in its log alone");
    let content = |arguments: &[&str]| -> serde_json::Value {
        let report: serde_json::Value = serde_json::from_str(&backed.done(arguments)).expect("JSON");
        report["content"].clone()
    };
    assert_eq!(
        content(&["check", "--content", "--json"]),
        content(&["check", "backup.sqlite3", "--content", "--json"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_without_its_database_is_not_applied_to_a_restored_one() {
    let backed = Backed::new();
    fs::remove_file(backed.machine.path("wim.db")).expect("is removed");
    fs::write(backed.machine.path("wim.db-wal"), b"the log of a lost database").expect("is written");
    fs::write(backed.machine.path("wim.db-shm"), b"its memory").expect("is written");
    let report = json(&backed.admin(&["restore", "backup.sqlite3", "--json"]));
    let aside = PathBuf::from(report["set_aside"].as_str().expect("a name"));
    assert_eq!(fs::read(aside).expect("reads"), b"the log of a lost database");
    backed.done(&["check"]);
}

#[test]
fn a_restore_follows_a_symbolic_link_and_sets_a_journal_aside() {
    let backed = Backed::new();
    let at = |name: &str| backed.machine.path(name);
    // On another file system, if this machine has one.
    let shared = Path::new("/dev/shm");
    let disk = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
    let disk = disk.expect("a folder");
    fs::copy(at("wim.db"), disk.path().join("real.db")).expect("copies");
    fs::remove_file(at("wim.db")).expect("is removed");
    std::os::unix::fs::symlink(disk.path().join("real.db"), at("wim.db")).expect("links");
    fs::write(disk.path().join("real.db-journal"), b"of another database").expect("is written");
    let before = backed.files();
    backed.done(&["restore", "backup.sqlite3", "--replace"]);
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&backed.files()), names(&before), "nothing is beside the link");
    assert!(at("wim.db").is_symlink(), "the link stays");
    let mut left: Vec<String> = fs::read_dir(disk.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert_eq!((left.len(), left[0].as_str()), (3, "real.db"), "{left:?}");
    assert!(
        left[1].starts_with("real.db.replaced-2") && left[2] == format!("{}-journal", left[1]),
        "{left:?}"
    );
    backed.done(&["check"]);
}

#[test]
fn a_place_whose_restore_was_interrupted_gets_no_new_database() {
    let backed = Backed::new();
    let at = |name: &str| backed.machine.path(name);
    // As a crash between the two renames leaves it.
    fs::rename(at("wim.db"), at("wim.db.replaced-20270201T000000Z")).expect("moves");
    fs::write(at("wim.db.restoring"), b"the copy").expect("is written");
    let told = told(&backed.admin(&["migrate"]));
    assert_says(&told, 7, &["a restore into its place has not ended", "admin restore` again", ".restoring"]);
    assert!(!at("wim.db").exists());
    fs::write(at("damaged"), b"no backup").expect("is written");
    fs::copy(backed.manifest(), at("damaged.manifest.json")).expect("copies");
    assert_eq!(backed.admin(&["restore", "damaged"]).status.code(), Some(3));
    assert!(at("wim.db.restoring").exists(), "the next start is refused too");
    backed.done(&["restore", "backup.sqlite3"]);
    assert!(!at("wim.db.restoring").exists());
    backed.done(&["migrate"]);
}

#[test]
fn two_processes_never_write_one_backup_or_one_restore() {
    let backed = Backed::new();
    let at = |name: &str| backed.machine.path(name);
    for (name, command) in [
        ("other.manifest.json.part", ["backup", "other"].as_slice()),
        ("wim.db.restoring", &["restore", "backup.sqlite3", "--replace"]),
    ] {
        let mut held = create_alone(&at(name)).expect("creates").expect("nobody holds it");
        std::io::Write::write_all(&mut held, b"half").expect("writes");
        let before = backed.files();
        assert_says(&told(&backed.admin(command)), 6, &["another process writes to", "wait for its end"]);
        assert_eq!(backed.files(), before, "what the other process writes stays");
        drop(held);
        backed.done(command);
        assert!(!at(name).exists(), "{name}");
    }
    backed.done(&["check", "other"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_database_of_an_older_version_and_a_backup_without_its_manifest_are_checked() {
    let backed = Backed::new();
    fs::remove_file(backed.manifest()).expect("is removed");
    let lone = told(&backed.admin(&["check", "backup.sqlite3", "--lang", "es"]));
    assert_says(&lone, 3, &["no hay ningún manifiesto", "--database"]);
    backed.done(&["check", "wim.db"]);
    backed.done(&["check", "--database", &backed.machine.database("backup.sqlite3")]);
    // Of a version that knew an earlier migration, and not the newest one.
    backed.execute("UPDATE schema_migration SET version = 0 WHERE version = 1").await;
    assert!(backed.done(&["check"]).contains("is older than this version"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_names_what_is_wrong() {
    let backed = Backed::new();
    // The entries are sealed; the service does so while it runs.
    backed.done(&["audit", "head"]);
    backed.done(&["check"]);
    let is_good = |output: &Output, what: &str| {
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let row = report["checks"].as_array().expect("rows").iter().find(|row| row["what"] == what).cloned();
        row.unwrap_or_else(|| panic!("no {what}: {report}"))["good"].as_bool().expect("a truth value")
    };
    for (statements, what, part) in [
        (
            "INSERT INTO organisation VALUES ('wim-peru', 'P', 'PE', '{}', 'member', NULL, NULL, 0, NULL, NULL, 1, 1, 1); \
             INSERT INTO round VALUES ('spring', 'S', '2027-03-01', '2027-08-31', '', 'x', 'enrolling', 1, 0, 1, 1, 0, 1, 1); \
             INSERT INTO policy VALUES ('spring', 1, '{}', 'd', 1); \
             INSERT INTO enrolment_count VALUES ('spring', 'wim-peru', 1, 3, 1, 1)",
            "rounds",
            "1 count of enrolments differs",
        ),
        (
            "DELETE FROM enrolment_count; DROP TRIGGER journal_update; UPDATE journal SET detail = '' WHERE position = 1",
            "journal",
            "entry 1 of the audit was changed, moved or inserted",
        ),
        (
            "INSERT INTO enrolment VALUES ('spring', 'wim-peru', 'p', 1, 'i', 'a', 'c', 's', 1, NULL, NULL, NULL, NULL); \
             INSERT INTO enrolment_count VALUES ('spring', 'wim-peru', 1, 1, 0, 0)",
            "profiles",
            "1 enrolled person has no profile",
        ),
        (
            "DELETE FROM enrolment; DELETE FROM enrolment_count; \
             INSERT INTO profile_import VALUES ('i', 'wim-peru', 2, 0, 0, 1, 1, 1, 'a', 1)",
            "profiles",
            "1 import has another number of rows",
        ),
        ("UPDATE profile_import SET staged = 0, number = 2", "profiles", "1 organisation lacks imports"),
        (
            "DELETE FROM profile_import; UPDATE round SET policy_version = 9",
            "rounds",
            "1 round has no policy",
        ),
        (
            "UPDATE round SET policy_version = 1; INSERT INTO run (round_id, number, state, policy_version, start_date, end_date, enrolment_number, decision_number, repairs, \
             input_digest, engine_version, result_digest, stage_done, stage_total, attempt, summary, cancel_requested, \
             fence, freeze_micros, create_micros, end_micros) VALUES ('spring', 1, 'succeeded', 1, '', '', 1, 0, 0, '', '', '', 0, 0, 0, '{}', 0, 1, 1, 1, 1)",
            "results",
            "1 run has another number of matches",
        ),
        (
            "DELETE FROM run; PRAGMA foreign_keys = OFF; DELETE FROM round",
            "references",
            "1 row refers to a row that does not exist",
        ),
    ] {
        backed.execute(statements).await;
        let found = backed.admin(&["check", "--json"]);
        assert!(!is_good(&found, what), "{what}");
        assert!(is_good(&found, "integrity") && is_good(&found, "statements"));
        assert_says(&told(&found), 3, &[part]);
    }
    // A page that is overwritten.
    let mut content = fs::read(backed.machine.path("wim.db")).expect("reads");
    let pages = content.len() / 4096;
    content[4096 * 2..4096 * (pages - 1)].fill(0x5A);
    fs::write(backed.machine.path("wim.db"), content).expect("is written");
    let found = backed.admin(&["check", "--json", "--lang", "fr"]);
    assert_eq!(found.status.code(), Some(3), "{:?}", told(&found));
    assert!(!is_good(&found, "integrity"));

    // Without PostgreSQL, `postgres` has said so aloud.
    let Some(server) = tokio::task::spawn_blocking(postgres).await.expect("starts") else { return };
    let database = server.migrated();
    let good = json(&backed.admin(&["check", "--json", "--content", "--database", &database]));
    assert_eq!(organisations(&good["content"]), 0);
    assert!(good["checks"].as_array().expect("rows").iter().all(|row| row["good"] == true), "{good}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_database_is_checked_while_the_service_runs_and_no_file_is_left() {
    let world = World::sqlite().await;
    world.manager("wim-peru").await;
    let database = world.folder().join("wim.sqlite3");
    let names = || {
        let entries = fs::read_dir(world.folder()).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name()).collect::<BTreeSet<_>>()
    };
    let before = names();
    let checked = json(&program(&["admin", "check", "--json", "--database", &url(&database)]));
    assert!(checked["checks"].as_array().expect("rows").iter().all(|row| row["good"] == true), "{checked}");
    assert_eq!(names(), before);
    world.manager("wim-kenya").await;
    world.stop().await;
}
