//! The place of a SQLite database that no process has open: its file with the write-ahead log and the shared memory beside
//! it, locked, and set aside as a whole.
//!
//! Every process that has a database open holds SQLite's locks (POSIX record locks) on the file and, in the mode of the
//! write-ahead log, on the shared memory, from its first statement until it closes. So a lock on all of a file that is granted
//! shows that nobody has it open, whatever the file contains. While the lock is held, a service that starts waits, and then
//! reports that the database is locked.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};

/// Endings of the files beside a database.
const LOG: &str = "-wal";
const SHARED_MEMORY: &str = "-shm";

/// A place whose files nobody has open. The locks end when it is dropped.
#[derive(Debug)]
pub struct Place {
    database: PathBuf,
    /// The files that were there, locked.
    _locked: Vec<File>,
}

impl Place {
    /// Locks the place of a database; `None` if a process has the database open.
    pub fn lock(database: &Path) -> io::Result<Option<Self>> {
        // SQLite has its other files beside the file that a symbolic link leads to.
        let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
        let mut locked = Vec::new();
        for file in [database.clone(), beside(&database, SHARED_MEMORY)] {
            let opened = match OpenOptions::new().read(true).write(true).open(&file) {
                Ok(opened) => opened,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if !try_lock(&opened)? {
                return Ok(None);
            }
            locked.push(opened);
        }
        Ok(Some(Self { database, _locked: locked }))
    }

    /// Moves the database out of the way, with its log, to names that end in `ending`; the database that is moved can be
    /// opened under its new name. The shared memory is made anew by every opening, so it is deleted. Returns the new name of
    /// the database, or of the log where there was only a log; `None` if there was nothing.
    pub fn set_aside(&self, ending: &str) -> io::Result<Option<PathBuf>> {
        let aside = beside(&self.database, ending);
        let (log, log_aside) = (beside(&self.database, LOG), beside(&aside, LOG));
        for taken in [&aside, &log_aside] {
            if taken.try_exists()? {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, taken.display().to_string()));
            }
        }
        let database = moved(&self.database, &aside)?;
        let log = moved(&log, &log_aside)?;
        match std::fs::remove_file(beside(&self.database, SHARED_MEMORY)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(match (database, log) {
            (true, _) => Some(aside),
            (false, true) => Some(log_aside),
            (false, false) => None,
        })
    }

    /// Gives a file the name of the database, which must be free, and makes that last.
    pub fn take(&self, file: &Path) -> io::Result<()> {
        // A link never replaces a file; a rename would.
        std::fs::hard_link(file, &self.database)?;
        std::fs::remove_file(file)?;
        sync_folder(&self.database)
    }
}

/// Creates a file, or empties one that an interrupted process left behind. Only its owner may read it. `None` if a process
/// writes to it.
pub fn create_alone(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if !try_lock(&file)? {
        return Ok(None);
    }
    file.set_len(0)?;
    Ok(Some(file))
}

/// Makes the names in the folder of `file` last.
pub fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// Whether a lock on the whole file was granted.
fn try_lock(file: &File) -> io::Result<bool> {
    match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether there was a file to move.
fn moved(from: &Path, to: &Path) -> io::Result<bool> {
    match std::fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A path with an ending behind its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_set_aside_with_its_log_and_a_file_takes_its_place() {
        let home = tempfile::tempdir().expect("a folder");
        let at = |name: &str| home.path().join(name);
        for name in ["wim.db", "wim.db-wal", "wim.db-shm", "new"] {
            std::fs::write(at(name), name).expect("is written");
        }
        let place = Place::lock(&at("wim.db")).expect("locks").expect("nobody has it open");
        assert_eq!(place.take(&at("new")).expect_err("is taken").kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(place.set_aside(".old").expect("moves"), Some(at("wim.db.old")));
        place.take(&at("new")).expect("is free");
        let mut names: Vec<String> = std::fs::read_dir(home.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, ["wim.db", "wim.db.old", "wim.db.old-wal"]);
        assert_eq!(std::fs::read_to_string(at("wim.db")).expect("reads"), "new");
        let error = place.set_aside(".old").expect_err("the name is taken");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }
}
