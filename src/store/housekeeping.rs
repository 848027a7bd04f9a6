//! Housekeeping sessions: transactions without a journal line. The type of their statements limits them to what changes
//! nothing that people decide or read as a result: leases and progress of runs, staged rows, remembered answers.

use super::backend::Store;
use super::dialect::{BulkRows, Row, Value};
use super::read::ReadSession;
use super::scope::Scope;
use super::statement::{Bulk, Upkeep};
use crate::error::Result;

/// A transaction of housekeeping. Dropped without `commit`, it changes nothing.
#[derive(Debug)]
#[must_use = "a session that is not committed changes nothing"]
pub(super) struct Housekeeping(ReadSession);

impl Store {
    /// Begins a transaction of housekeeping.
    pub(super) async fn housekeeping(&self, scope: &Scope) -> Result<Housekeeping> {
        Ok(Housekeeping(ReadSession::new(self.connect_to_write().await?, scope.clone())))
    }
}

impl Housekeeping {
    /// The session's reads.
    pub(super) fn reads(&mut self) -> &mut ReadSession {
        &mut self.0
    }

    /// Runs a statement and returns the number of rows that it changed.
    pub(super) async fn execute(&mut self, statement: Upkeep, values: Vec<Value>) -> Result<u64> {
        self.0.connection().execute(statement.0, values).await
    }

    /// Runs a statement that changes one row at most, and returns what it reports of the row.
    pub(super) async fn row(&mut self, statement: Upkeep, values: Vec<Value>) -> Result<Option<Row>> {
        self.0.connection().row(statement.0, values).await
    }

    /// Inserts rows and returns their number.
    pub(super) async fn insert(&mut self, bulk: Upkeep<Bulk>, rows: BulkRows<'_>) -> Result<u64> {
        self.0.connection().insert(bulk.0, rows).await
    }

    /// Makes the changes last.
    pub(super) async fn commit(self) -> Result<()> {
        self.0.into_connection().commit().await
    }

    /// Ends the session without a change.
    pub(super) async fn end(self) -> Result<()> {
        self.0.end().await
    }
}
