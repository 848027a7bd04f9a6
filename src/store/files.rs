//! The files of a SQLite database: created for their owner alone, and recognised while they are in use.
//!
//! SQLite keeps writing to a file that somebody has deleted or replaced, and reports success. So the store remembers the
//! device and inode of the database and of its write-ahead log. While other files have these names, nothing is written and
//! nothing is acknowledged. When the same files are back, the store works again.

use std::ffi::OsString;
use std::fs::{Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::place::refuse_if_being_restored;

/// The files of one database.
#[derive(Debug)]
pub(super) struct Files {
    database: PathBuf,
    log: PathBuf,
    shared_memory: PathBuf,
    opened: Identity,
    /// The log in use; `None` before the first one is seen.
    log_in_use: Mutex<Option<Identity>>,
    lost: AtomicBool,
}

/// What makes a file the same file under any name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Files {
    /// Creates the database file if it is missing. Only its owner may read it, whatever the umask; SQLite gives the log and
    /// the shared memory the permissions of the database file.
    pub(super) fn create(database: &Path) -> io::Result<Self> {
        refuse_if_being_restored(database)?;
        let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(database);
        match created {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let opened = Identity::of(&database.metadata()?);
        let real = database.canonicalize()?;
        let beside = |suffix| {
            let mut name = OsString::from(&real);
            name.push(suffix);
            PathBuf::from(name)
        };
        Ok(Self {
            database: database.to_owned(),
            log: beside("-wal"),
            shared_memory: beside("-shm"),
            opened,
            log_in_use: Mutex::new(None),
            lost: AtomicBool::new(false),
        })
    }

    /// Fails if the database file or its log was deleted or replaced. A change of the answer is logged.
    pub(super) fn check(&self) -> io::Result<()> {
        let found = self.look();
        let lost = found.is_err();
        if self.lost.swap(lost, Ordering::Relaxed) != lost {
            match &found {
                Ok(()) => tracing::info!("the files of the database are back; the service writes again"),
                Err(error) => tracing::error!(
                    error = %error,
                    "the service writes nothing more; put the files back, or stop the service, restore a backup and start it"
                ),
            }
        }
        found
    }

    /// The result of the last check, without a look at the files.
    pub(super) fn last_check(&self) -> io::Result<()> {
        if self.lost.load(Ordering::Relaxed) { self.check() } else { Ok(()) }
    }

    fn look(&self) -> io::Result<()> {
        match state(&self.database, self.opened)? {
            State::Same => {}
            State::Missing => return Err(gone(&self.database, "was deleted or moved")),
            State::Other => return Err(gone(&self.database, "was replaced by another file")),
        }
        let mut log = self.log_in_use.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match (*log, identity(&self.log)?) {
            (None, found) => *log = found,
            (Some(used), Some(found)) if used == found => {}
            (Some(_), None) => return Err(gone(&self.log, "was deleted or moved")),
            (Some(_), Some(_)) => return Err(gone(&self.log, "was replaced by another file")),
        }
        Ok(())
    }

    /// Forgets the log before a connection closes: the last connection deletes it.
    pub(super) fn forget_log(&self) {
        *self.log_in_use.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// After the last connection has closed: takes the log of a replaced database out of the way. SQLite would apply it to
    /// the file that has its place, and damage that file.
    pub(super) fn set_aside_foreign_log(&self) {
        if !matches!(state(&self.database, self.opened), Ok(State::Other)) {
            return;
        }
        let mut aside = OsString::from(&self.log);
        aside.push(".of-replaced-database");
        for (from, to) in [(&self.log, Some(aside)), (&self.shared_memory, None)] {
            let moved = match to {
                Some(to) => std::fs::rename(from, to),
                None => std::fs::remove_file(from),
            };
            match moved {
                Ok(()) => {
                    tracing::warn!(file = %from.display(), "set aside: it belongs to the replaced database")
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::error!(file = %from.display(), error = %error, "belongs to the replaced database; remove it before the next start")
                }
            }
        }
    }
}

enum State {
    Same,
    Missing,
    Other,
}

fn state(file: &Path, known: Identity) -> io::Result<State> {
    Ok(match identity(file)? {
        Some(found) if found == known => State::Same,
        Some(_) => State::Other,
        None => State::Missing,
    })
}

fn identity(file: &Path) -> io::Result<Option<Identity>> {
    match file.metadata() {
        Ok(found) => Ok(Some(Identity::of(&found))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn gone(file: &Path, how: &str) -> io::Error {
    io::Error::other(format!("{} {how} while the service runs", file.display()))
}

impl Identity {
    fn of(found: &Metadata) -> Self {
        Self { device: found.dev(), inode: found.ino() }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_deleted_or_replaced_file_is_noticed_and_the_same_file_is_taken_back() {
        let home = tempfile::tempdir().expect("a directory");
        let (database, log, aside) =
            (home.path().join("wim.db"), home.path().join("wim.db-wal"), home.path().join("aside"));
        let files = Files::create(&database).expect("is created");
        assert_eq!(database.metadata().expect("is there").permissions().mode() & 0o777, 0o600);
        std::fs::write(&log, b"log").expect("is written");
        files.check().expect("is as opened");
        for (file, other) in [(&database, "wim.db "), (&log, "wim.db-wal ")] {
            std::fs::rename(file, &aside).expect("moves");
            let missing = files.check().expect_err("is missing").to_string();
            assert!(missing.contains(&format!("{other}was deleted")), "{missing}");
            std::fs::write(file, b"another").expect("is written");
            let replaced = files.check().expect_err("is another file").to_string();
            assert!(replaced.contains(&format!("{other}was replaced")), "{replaced}");
            files.last_check().expect_err("is remembered");
            std::fs::rename(&aside, file).expect("moves back");
            files.last_check().expect("the same file is back");
        }
        files.set_aside_foreign_log();
        assert!(log.exists(), "the log of the database itself stays");
        std::fs::rename(&database, &aside).expect("moves");
        std::fs::write(&database, b"another").expect("is written");
        files.set_aside_foreign_log();
        assert!(!log.exists() && home.path().join("wim.db-wal.of-replaced-database").exists());
    }
}
