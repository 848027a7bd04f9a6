//! Read sessions: a connection together with the scope of the call. A query is bound to the session, so the session
//! supplies the organisation that the query filters by, and no query runs without a scope.

use super::backend::Store;
use super::dialect::{Connection, Row, Value};
use super::fault;
use super::scope::Scope;
use super::statement::{Narrowed, Query, Statement};
use crate::domain::name::OrganisationId;
use crate::error::Result;

/// A session that reads.
#[derive(Debug)]
pub(super) struct ReadSession {
    connection: Connection,
    scope: Scope,
}

impl Store {
    /// A session for one query.
    pub(super) async fn reader(&self, scope: &Scope) -> Result<ReadSession> {
        Ok(ReadSession::new(self.connect_to_read().await?, scope.clone()))
    }

    /// A session for several queries that read one and the same moment.
    pub(super) async fn snapshot_reader(&self, scope: &Scope) -> Result<ReadSession> {
        Ok(ReadSession::new(self.connect_to_snapshot().await?, scope.clone()))
    }
}

impl ReadSession {
    /// A session over a connection, for the sessions that write besides.
    pub(super) fn new(connection: Connection, scope: Scope) -> Self {
        Self { connection, scope }
    }

    /// The scope of the call.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The connection, for the sessions that write besides.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The connection, to be committed.
    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }

    /// All rows that the query returns in this scope.
    pub(super) async fn rows(&mut self, query: Query, values: Vec<Value>) -> Result<Vec<Row>> {
        match scoped(query, values, &self.scope) {
            Some((statement, values)) => self.connection.rows(statement, values).await,
            None => Ok(Vec::new()),
        }
    }

    /// The row that the query returns in this scope, if it returns one.
    pub(super) async fn row(&mut self, query: Query, values: Vec<Value>) -> Result<Option<Row>> {
        match scoped(query, values, &self.scope) {
            Some((statement, values)) => self.connection.row(statement, values).await,
            None => Ok(None),
        }
    }

    /// The one row that the query always returns.
    pub(super) async fn one(&mut self, query: Query, values: Vec<Value>) -> Result<Row> {
        let row = self.row(query, values).await?;
        row.ok_or_else(|| fault::of(query.whole.name, sqlx::Error::RowNotFound))
    }

    /// Hands each row of a text to `each`. The text comes from the schema itself, so it has no values; the rows are those of
    /// all organisations, so the scope is that of the service.
    pub(super) async fn each_row(
        &mut self,
        name: &'static str,
        text: String,
        each: impl FnMut(&Row) -> Result<()> + Send,
    ) -> Result<()> {
        self.scope.require_system()?;
        self.connection.each_row(name, text, each).await
    }

    /// Ends the session and returns its connection to the pool.
    pub(super) async fn end(self) -> Result<()> {
        self.connection.end().await
    }
}

/// The statement to run in this scope, with its values; `None` if the rows do not exist in the scope.
fn scoped(query: Query, mut values: Vec<Value>, scope: &Scope) -> Option<(Statement, Vec<Value>)> {
    let own = scope.organisation();
    let statement = match (query.narrowed, own) {
        (Narrowed::Shared, _) | (Narrowed::Split(_) | Narrowed::Hidden, None) => query.whole,
        (Narrowed::Filtered, own) => {
            values.push(Value::from(own.map(OrganisationId::as_str)));
            query.whole
        }
        (Narrowed::Split(statement), Some(own)) => {
            values.push(Value::from(own));
            statement
        }
        (Narrowed::Hidden, Some(_)) => return None,
    };
    Some((statement, values))
}
