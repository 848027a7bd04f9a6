//! The two scripts of `deploy/` that run on the machine of the service.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use wim_match::clock::{Clock as _, SystemClock};

/// Puts a program into `home` that takes the place of `wim-match`.
fn stand_in(home: &Path, script: &str) {
    let program = home.join("wim-match");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("is written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("is made a program");
}

/// Runs the nightly backup with `home` before all other folders of programs.
fn back_up(home: &Path, folder: &Path, keep: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/wim-match-backup");
    let path = format!("{}:{}", home.display(), std::env::var("PATH").unwrap_or_default());
    let mut backup = Command::new(script);
    backup.arg(folder).arg(keep).env("PATH", path).output().expect("runs")
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Who may read and write a file or enter a folder.
fn permissions(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

#[test]
fn the_nightly_backup_keeps_the_newest_whole_backups_and_they_can_be_restored() {
    let home = tempfile::tempdir().expect("a folder");
    let (folder, real) = (home.path().join("backups"), env!("CARGO_BIN_EXE_wim-match"));
    let database = |name: &str| format!("sqlite:{}", home.path().join(name).display());
    let admin = |arguments: &[&str]| {
        let ran = Command::new(real).arg("admin").args(arguments).env_clear().output().expect("runs");
        assert!(ran.status.success(), "{ran:?}");
    };
    admin(&["migrate", "--database", &database("wim.db")]);
    fs::create_dir(&folder).expect("is made");
    for day in 1..=3 {
        let old = folder.join(format!("wim-match-2020010{day}T023000Z.sqlite3"));
        admin(&["backup", "--database", &database("wim.db"), old.to_str().expect("UTF-8")]);
    }
    // Of the newest one only a half is there, so it is no backup to count.
    fs::write(folder.join("wim-match-20200104T023000Z.sqlite3"), "half").expect("is written");
    fs::write(folder.join("note"), "of the operator").expect("is written");
    let before = names(&folder);

    stand_in(home.path(), "exit 1");
    assert!(!back_up(home.path(), &folder, "2").status.success());
    assert_eq!(names(&folder), before, "a backup that failed replaces none");
    // The program itself, with the database of this test instead of the configured one.
    let of_test = database("wim.db");
    stand_in(
        home.path(),
        &format!(
            "[ \"$1 $2 $3 $4\" = 'admin backup --config /etc/wim-match.toml' ] || exit 9; shift 4; \
             exec '{real}' admin backup --database '{of_test}' \"$@\""
        ),
    );
    assert!(!back_up(home.path(), &folder, "0").status.success(), "one backup is kept at least");
    assert_eq!(names(&folder), before);
    for (name, hours) in [("wim-match-1.sqlite3.part", 2), ("wim-match-2.sqlite3.part", 0)] {
        let part = fs::File::create(folder.join(name)).expect("is created");
        let then = SystemTime::from(SystemClock.now()) - Duration::from_hours(hours);
        part.set_modified(then).expect("is set");
    }
    let done = back_up(home.path(), &folder, "2");
    assert!(done.status.success(), "{done:?}");
    let after = names(&folder);
    assert_eq!(after[..2], ["note", "wim-match-2.sqlite3.part"], "another backup may be running");
    assert_eq!(after[2..5], before[5..8], "the newest of before with its manifest, and what is newer");
    assert_eq!(after.len(), 7, "{after:?}");
    assert_eq!(permissions(&folder.join(&after[5])) & 0o077, 0, "the owner alone may read a backup");
    for (backup, to) in [(&after[2], "old.db"), (&after[5], "new.db")] {
        let backup = folder.join(backup);
        admin(&["restore", backup.to_str().expect("UTF-8"), "--database", &database(to)]);
    }
}

#[test]
fn secrets_are_made_once_and_no_other_user_reaches_them() {
    let home = tempfile::tempdir().expect("a folder");
    let script = home.path().join("new-secrets");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/new-secrets"), &script).expect("is copied");
    let mut passwords = Vec::new();
    for _ in 0..2 {
        assert!(Command::new(&script).status().expect("runs").success());
        let secrets = home.path().join("secrets");
        let read = |name: &str| fs::read_to_string(secrets.join(name)).expect("a secret");
        let password = read("database-password");
        assert!(password.len() == 48 && password != read("grafana-password"), "{password}");
        assert!(read("wim-match.env").contains(&format!("//wim_match:{password}@postgres/wim_match\n")));
        assert_eq!((permissions(&secrets), permissions(&secrets.join("wim-match.env"))), (0o700, 0o600));
        passwords.push(password);
    }
    assert_eq!(passwords[0], passwords[1]);
}
