//! Why a database cannot be used at the start of a command: the problem and the next step, in the operator's words.

use std::error::Error as StdError;
use std::io;

use super::migration::SchemaFault;
use super::place::BeingRestored;
use crate::domain::message::Message;
use crate::error::Error;
use crate::message;

/// What stands in the way of a start, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What is wrong, as the end of a sentence that begins with the database.
    pub problem: Message,
    /// What to do next.
    pub remedy: Message,
}

impl Obstacle {
    fn new(problem: impl Into<Message>, remedy: impl Into<Message>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }

    /// The obstacle behind an error of opening or migrating the store; `None` if the error is no known obstacle.
    pub fn of(error: &Error) -> Option<Self> {
        let mut cause: Option<&(dyn StdError + 'static)> = error.source();
        while let Some(found) = cause {
            if let Some(fault) = found.downcast_ref::<SchemaFault>() {
                return Some(of_schema(fault));
            }
            if let Some(error) = found.downcast_ref::<sqlx::Error>() {
                return of_sqlx(error);
            }
            cause = found.source();
        }
        None
    }
}

fn of_schema(fault: &SchemaFault) -> Obstacle {
    match fault {
        SchemaFault::Newer(names) => Obstacle::new(
            message!(
                "has a newer schema than this version ({names}), and this version's statements do not fit it",
                names = names
            ),
            "start the version of wim-match that made this schema, or a later one",
        ),
        SchemaFault::Changed(name) => Obstacle::new(
            message!("has another text of the migration {name} than this version", name = name),
            "a development version made this database; restore a backup, or begin a new database",
        ),
    }
}

fn of_sqlx(error: &sqlx::Error) -> Option<Obstacle> {
    match error {
        sqlx::Error::Io(error) => Some(of_io(error)),
        sqlx::Error::Tls(error) => Some(Obstacle::new(
            message!("the encrypted connection failed: {error}", error = error.to_string()),
            "check `sslmode` and `sslrootcert` of the URL against the certificate of the server",
        )),
        sqlx::Error::PoolTimedOut => Some(Obstacle::new(
            "has not answered in time",
            "check that the database runs, and that no other process keeps it busy; then try again",
        )),
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            if database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
                of_postgres(&code, database.message())
            } else {
                of_sqlite(code.parse().ok()?)
            }
        }
        _ => None,
    }
}

fn of_io(error: &io::Error) -> Obstacle {
    if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<BeingRestored>) {
        return Obstacle::new(
            "does not exist, and a restore into its place has not ended",
            "run the interrupted `wim-match admin restore` again; to give it up, delete the file that ends in .restoring",
        );
    }
    match error.kind() {
        io::ErrorKind::NotFound => Obstacle::new(
            "is in a folder, or behind a socket, that does not exist",
            "create the folder or start the database server, or correct --database",
        ),
        io::ErrorKind::PermissionDenied => Obstacle::new(
            "may not be read and written by this user",
            "run the command as the owner of the file, or give this user the file and its folder",
        ),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable => {
            Obstacle::new(
                message!("cannot be reached: {error}", error = error.to_string()),
                "start the database server, or correct host and port in --database",
            )
        }
        io::ErrorKind::ReadOnlyFilesystem => Obstacle::new(
            "is on a file system that is read-only",
            "put the database on a file system that can be written",
        ),
        io::ErrorKind::IsADirectory => {
            Obstacle::new("is a folder", "give the name of a file with --database")
        }
        _ => Obstacle::new(
            message!("cannot be reached: {error}", error = error.to_string()),
            "check the path, or the host name and the server, in --database",
        ),
    }
}

/// By SQLite's primary result code.
fn of_sqlite(code: i32) -> Option<Obstacle> {
    Some(match code & 0xff {
        3 | 8 => Obstacle::new(
            "may not be written by this user",
            "run the command as the owner of the file, or give this user the file and its folder",
        ),
        5 | 6 => Obstacle::new(
            "is locked by another process",
            "stop the other process that writes to the file (a second service, a backup, sqlite3), then try again",
        ),
        10 => Obstacle::new(
            "cannot be read or written: the disk reports an error",
            "check the disk and its free space; restore a backup if the file is damaged",
        ),
        11 => Obstacle::new("is damaged", "restore a backup of the file"),
        13 => Obstacle::new("is on a disk that is full", "free space on the disk, then try again"),
        14 => Obstacle::new(
            "cannot be opened",
            "check that the folder exists and that this user may write to the file and its folder",
        ),
        26 => Obstacle::new(
            "is a file, but no SQLite database",
            "give the path of the database with --database; a new name creates a new database",
        ),
        _ => return None,
    })
}

/// By PostgreSQL's error code.
fn of_postgres(code: &str, message: &str) -> Option<Obstacle> {
    Some(match code {
        "28P01" => Obstacle::new(
            "refuses the password",
            "correct user and password in --database, in WIM_MATCH_DATABASE or in ~/.pgpass",
        ),
        "28000" => Obstacle::new(
            message!("refuses this user: {message}", message = message),
            "create the role, or allow it in pg_hba.conf, or correct the user in --database",
        ),
        "3D000" => Obstacle::new(
            "does not exist on the server",
            "create it with `createdb`, or correct its name in --database",
        ),
        "42501" => Obstacle::new(
            message!("does not allow this user what a start needs: {message}", message = message),
            "let the owner of the database grant the right, or run `wim-match admin migrate` as the owner",
        ),
        "25006" => Obstacle::new(
            "takes no writes: it is a standby, or set to read-only",
            "give the address of the primary server in --database",
        ),
        "53300" => Obstacle::new(
            "has no free connection",
            "raise max_connections of the server, or stop other clients of it",
        ),
        "57P03" => Obstacle::new("is starting up or shutting down", "try again in a moment"),
        _ => return None,
    })
}
