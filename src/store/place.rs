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
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, RenameFlags, fcntl_lock, flock, renameat_with};
use rustix::io::Errno;

/// Endings of the files beside a database that hold changes which are not in it: the write-ahead log, and the rollback
/// journal of the other modes.
const LOGS: [&str; 2] = ["-wal", "-journal"];
const SHARED_MEMORY: &str = "-shm";
/// Ending of the copy that a restore puts in the place of a database.
const RESTORING: &str = ".restoring";
/// Symbolic links that are followed at most, as in Linux.
const MOST_LINKS: usize = 40;

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
        let database = real_path(database);
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

    /// The file of the database, behind all symbolic links.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// The path of the copy that is going to take the place. While it exists, no service creates a database in the place.
    pub fn copy(&self) -> PathBuf {
        beside(&self.database, RESTORING)
    }

    /// Moves the database out of the way, with its logs, to names that end in `ending`, and gives the file `new` its name.
    /// The database that is moved can be opened under its new name. Returns that name, or the name of the log where there
    /// was only a log; `None` if there was nothing.
    ///
    /// After an error everything is as it was; an error that names a path has left the database there. After a crash the earlier database has all of its logs beside it, under the
    /// old name or under the new one.
    pub fn replace(&self, new: &Path, ending: &str) -> io::Result<Option<PathBuf>> {
        let aside = beside(&self.database, ending);
        let moved = move_whole(&self.database, &aside)?;
        if let Err(error) = self.take(new) {
            if moved.is_some() {
                move_whole(&aside, &self.database)
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", aside.display())))?;
            }
            return Err(error);
        }
        Ok(moved)
    }

    fn take(&self, new: &Path) -> io::Result<()> {
        // The shared memory is made anew by every opening.
        remove_if_there(&beside(&self.database, SHARED_MEMORY))?;
        rename_to_free(new, &self.database)?;
        sync_folder(&self.database).inspect_err(|_| {
            // The place must be free for the earlier database.
            let _ = rename_to_free(&self.database, new);
        })
    }
}

/// A database that does not exist, because a restore into its place has not ended.
#[derive(Debug)]
pub(super) struct BeingRestored;

impl std::fmt::Display for BeingRestored {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a restore of the database has not ended")
    }
}

impl std::error::Error for BeingRestored {}

/// Fails if there is no database because a restore into its place has not ended: a new database would lead people to
/// believe that their data is lost.
pub(super) fn refuse_if_being_restored(database: &Path) -> io::Result<()> {
    if !database.try_exists()? && beside(&real_path(database), RESTORING).try_exists()? {
        return Err(io::Error::other(BeingRestored));
    }
    Ok(())
}

/// The file that a symbolic link leads to, also if it does not exist: SQLite has its other files beside that one. Other paths
/// stay as they are.
pub fn real_path(path: &Path) -> PathBuf {
    let mut real = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(to) = std::fs::read_link(&real) else { break };
        real = real.parent().unwrap_or(Path::new("")).join(to);
    }
    real
}

/// Creates a file, or empties one that an interrupted process left behind. Only its owner may read it. `None` if another
/// process holds it: a process holds the file until it closes the returned one. Opening the file a second time changes
/// nothing, and the locks of SQLite on the file are others.
pub fn create_alone(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if !granted(flock(&file, FlockOperation::NonBlockingLockExclusive))? {
        return Ok(None);
    }
    // The process that held the file may have given it another name, or removed it, in the meantime.
    let is_same = match path.symlink_metadata() {
        Ok(found) => same_file(&found, &file.metadata()?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if !is_same {
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
    granted(fcntl_lock(file, FlockOperation::NonBlockingLockExclusive))
}

fn granted(locked: Result<(), Errno>) -> io::Result<bool> {
    match locked {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn same_file(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Moves a database with its logs. Each log has both names until the database has moved, so no moment separates them. After
/// an error everything is as it was. Returns the new name of the database, or of a log where there was only a log.
fn move_whole(from: &Path, to: &Path) -> io::Result<Option<PathBuf>> {
    if to.try_exists()? {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, to.display().to_string()));
    }
    let mut logs = Vec::new();
    let moved = (|| {
        for ending in LOGS {
            let (old, new) = (beside(from, ending), beside(to, ending));
            match std::fs::hard_link(&old, &new) {
                Ok(()) => logs.push((old, new)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(io::Error::new(error.kind(), format!("{}: {error}", new.display())));
                }
            }
        }
        sync_folder(from)?;
        match rename_to_free(from, to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        sync_folder(from).inspect_err(|_| {
            let _ = rename_to_free(to, from);
        })?;
        Ok(true)
    })();
    let database_moved = match moved {
        Ok(moved) => moved,
        Err(error) => {
            for (_, new) in &logs {
                let _ = std::fs::remove_file(new);
            }
            return Err(error);
        }
    };
    for (done, (old, _)) in logs.iter().enumerate() {
        if let Err(error) = std::fs::remove_file(old) {
            // Back to the state of before: the removed names first.
            for (old, new) in &logs[..done] {
                let _ = std::fs::hard_link(new, old);
            }
            if database_moved {
                let _ = rename_to_free(to, from);
            }
            for (_, new) in &logs {
                let _ = std::fs::remove_file(new);
            }
            return Err(error);
        }
    }
    sync_folder(from)?;
    Ok(if database_moved { Some(to.to_owned()) } else { logs.into_iter().next().map(|(_, new)| new) })
}

/// Gives a file a name that must be free, on the same file system.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that cannot rename in this way. A link never replaces a file either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            std::fs::hard_link(from, to)?;
            std::fs::remove_file(from)
        }
        renamed => Ok(renamed?),
    }
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
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

    /// The files of a folder: name and content.
    fn files(folder: &Path) -> Vec<(String, String)> {
        let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
        let mut files: Vec<(String, String)> = entries
            .map(|entry| {
                let content = std::fs::read_to_string(entry.path()).expect("reads");
                (entry.file_name().to_string_lossy().into_owned(), content)
            })
            .collect();
        files.sort();
        files
    }

    fn as_text(files: &[(String, String)]) -> Vec<String> {
        files.iter().map(|(name, content)| format!("{name}={content}")).collect()
    }

    #[test]
    fn a_database_is_set_aside_with_its_logs_and_a_file_takes_its_place() {
        let home = tempfile::tempdir().expect("a folder");
        let at = |name: &str| home.path().join(name);
        for (name, content) in [
            ("wim.db", "old"),
            ("wim.db-wal", "log"),
            ("wim.db-journal", "journal"),
            ("wim.db-shm", "memory"),
        ] {
            std::fs::write(at(name), content).expect("is written");
        }
        let place = Place::lock(&at("wim.db")).expect("locks").expect("nobody has it open");
        let before = files(home.path());
        place.replace(&at("new"), ".old").expect_err("there is no new file");
        let without_memory: Vec<_> =
            before.iter().filter(|(name, _)| name != "wim.db-shm").cloned().collect();
        assert_eq!(files(home.path()), without_memory, "all is back");

        std::fs::write(at("new"), "new").expect("is written");
        std::fs::write(at("wim.db.old-journal"), "another").expect("is written");
        let before = files(home.path());
        let error = place.replace(&at("new"), ".old").expect_err("a name is taken");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(files(home.path()), before);
        std::fs::remove_file(at("wim.db.old-journal")).expect("is removed");

        assert_eq!(place.replace(&at("new"), ".old").expect("moves"), Some(at("wim.db.old")));
        assert_eq!(
            as_text(&files(home.path())),
            ["wim.db=new", "wim.db.old=old", "wim.db.old-journal=journal", "wim.db.old-wal=log"]
        );
        std::fs::write(at("newer"), "newer").expect("is written");
        let error = place.replace(&at("newer"), ".old").expect_err("the name is taken");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(files(home.path()).len(), 5, "nothing has moved");
    }

    #[test]
    fn a_log_without_its_database_is_set_aside_too() {
        let home = tempfile::tempdir().expect("a folder");
        let at = |name: &str| home.path().join(name);
        std::fs::write(at("wim.db-journal"), "journal").expect("is written");
        std::fs::write(at("new"), "new").expect("is written");
        let place = Place::lock(&at("wim.db")).expect("locks").expect("nobody has it open");
        let moved = place.replace(&at("new"), ".old").expect("moves");
        assert_eq!(moved, Some(at("wim.db.old-journal")));
        assert_eq!(as_text(&files(home.path())), ["wim.db=new", "wim.db.old-journal=journal"]);
    }

    #[test]
    fn links_are_followed_to_a_file_that_may_not_exist() {
        let home = tempfile::tempdir().expect("a folder");
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir(at("disk")).expect("is made");
        std::os::unix::fs::symlink(at("second.db"), at("first.db")).expect("links");
        std::os::unix::fs::symlink("disk/wim.db", at("second.db")).expect("links");
        let place = Place::lock(&at("first.db")).expect("locks").expect("nobody has it open");
        assert_eq!(place.database(), at("disk/wim.db"));
        std::fs::write(place.copy(), "new").expect("is written");
        refuse_if_being_restored(&at("first.db")).expect_err("a restore has not ended");
        assert_eq!(place.replace(&place.copy(), ".old").expect("moves"), None);
        assert_eq!(std::fs::read_to_string(at("first.db")).expect("reads"), "new");
        std::fs::write(place.copy(), "half").expect("is written");
        refuse_if_being_restored(&at("first.db")).expect("there is a database");
    }

    #[test]
    fn a_file_is_held_until_it_is_closed_and_a_published_one_is_never_emptied() {
        let home = tempfile::tempdir().expect("a folder");
        let (part, whole) = (home.path().join("part"), home.path().join("whole"));
        std::fs::write(&part, "of an interrupted process").expect("is written");
        let held = create_alone(&part).expect("creates").expect("nobody holds it");
        assert_eq!(std::fs::read(&part).expect("reads"), b"", "reading it changes no lock");
        assert!(create_alone(&part).expect("looks").is_none());
        std::fs::rename(&part, &whole).expect("moves");
        assert!(create_alone(&whole).expect("looks").is_none(), "under the new name too");
        drop(held);
        assert!(create_alone(&part).expect("creates").is_some());
    }
}
