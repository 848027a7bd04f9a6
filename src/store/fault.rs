//! Errors of the database as errors of the service. A retry is safe after `StoreUnavailable`: either nothing was
//! changed, or the connection broke during the commit, and the `request_id` finds the first answer.

use std::fmt::Display;

use sqlx::error::DatabaseError;

use super::writer::GroupFailed;
use crate::error::Error;

/// The error of a statement.
pub(super) fn of(statement: &'static str, error: sqlx::Error) -> Error {
    let transient = match &error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(database) => is_transient(&**database),
        _ => false,
    };
    if transient {
        Error::StoreUnavailable(Box::new(error))
    } else {
        Error::Internal(format!("statement {statement} failed").into(), Some(Box::new(error)))
    }
}

/// A write whose transaction was not committed.
pub(super) fn not_committed(failed: GroupFailed) -> Error {
    Error::StoreUnavailable(Box::new(failed))
}

/// Whether the same statement may succeed a moment later.
fn is_transient(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        // Connection exceptions, transaction rollbacks (serialisation, deadlock), lack of resources, operator
        // intervention (shutdown, failover), lock not available, and a standby that is not yet writable.
        return ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
            || matches!(&*code, "55P03" | "25006");
    }
    // SQLite's primary result codes: busy, locked, out of memory, I/O error, disk full, cannot open.
    code.parse().is_ok_and(|code: i32| matches!(code & 0xff, 5 | 6 | 7 | 10 | 13 | 14))
}

/// A row that cannot be read: the message names table, column and id, never the value. The message goes to the log, so
/// ids of people stay out of it.
pub(super) fn corrupt(
    table: &str,
    column: &str,
    id: &dyn Display,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    let of_people = ["profile", "enrolment", "run_match", "run_unmatched"];
    let message = if of_people.iter().any(|part| table.starts_with(part)) {
        format!("a row of table {table} cannot be read: column {column}")
    } else {
        format!("row {id} of table {table} cannot be read: column {column}")
    };
    Error::Internal(message.into(), Some(cause.into()))
}

/// A document that cannot be written as JSON.
pub(super) fn unwritable(error: serde_json::Error) -> Error {
    Error::Internal("a document cannot be written as JSON".into(), Some(Box::new(error)))
}

/// A write that changed a wrong number of rows.
pub(super) fn miscount(statement: &'static str, changed: u64, expected: u64) -> Error {
    Error::internal(format!("statement {statement} changed {changed} rows instead of {expected}"))
}

/// `Ok` if a write changed exactly `expected` rows.
pub(super) fn expect_rows(statement: &'static str, changed: u64, expected: u64) -> Result<(), Error> {
    if changed == expected { Ok(()) } else { Err(miscount(statement, changed, expected)) }
}
