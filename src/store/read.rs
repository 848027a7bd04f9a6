//! Read sessions: a connection together with the scope of the call. A query is bound to the session, so the session
//! supplies the organisations that the query filters by, and no query runs without a scope.

use super::backend::Store;
use super::dialect::{Connection, Row, Value};
use super::fault;
use super::scope::Scope;
use super::statement::{Narrowed, Query, Statement};
use crate::error::{Error, Result};

/// A session that reads.
#[derive(Debug)]
pub(super) struct ReadSession {
    connection: Connection,
    scope: Scope,
}

impl Store {
    /// A session for one query.
    pub(super) async fn reader(&self, scope: &Scope) -> Result<ReadSession> {
        Ok(ReadSession::new(self.connect_to_read(scope).await?, scope.clone()))
    }

    /// A session for several queries that read one and the same moment.
    pub(super) async fn snapshot_reader(&self, scope: &Scope) -> Result<ReadSession> {
        Ok(ReadSession::new(self.connect_to_snapshot(scope).await?, scope.clone()))
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

    /// All rows that the query returns in this scope. A split query returns the rows of one organisation after those of
    /// another, each in the order of the query.
    pub(super) async fn rows(&mut self, query: Query, values: Vec<Value>) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (statement, values) in scoped(query, values, &self.scope) {
            let found = self.connection.rows(statement, values).await?;
            if rows.is_empty() {
                rows = found;
            } else {
                rows.extend(found);
            }
        }
        Ok(rows)
    }

    /// The row that the query returns in this scope, if it returns one. A split query must return one row at most, whatever
    /// the number of organisations.
    pub(super) async fn row(&mut self, query: Query, values: Vec<Value>) -> Result<Option<Row>> {
        let mut found = None;
        for (statement, values) in scoped(query, values, &self.scope) {
            let row = self.connection.row(statement, values).await?;
            if row.is_some() && found.is_some() {
                return Err(Error::internal(format!("{} has a row of each organisation", query.whole.name)));
            }
            found = found.or(row);
        }
        Ok(found)
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

/// The statements to run in this scope, with their values; none if the rows do not exist in the scope.
fn scoped(query: Query, mut values: Vec<Value>, scope: &Scope) -> Vec<(Statement, Vec<Value>)> {
    match (query.narrowed, scope.organisations()) {
        (Narrowed::Shared, _) | (Narrowed::Split(_) | Narrowed::Hidden, None) => vec![(query.whole, values)],
        (Narrowed::Filtered, _) => {
            values.push(Value::from(scope.list().as_deref()));
            vec![(query.whole, values)]
        }
        (Narrowed::Split(statement), Some(own)) => {
            let of = |organisation| {
                let mut values = values.clone();
                values.push(Value::from(organisation));
                (statement, values)
            };
            own.iter().map(of).collect()
        }
        (Narrowed::Hidden, Some(_)) => Vec::new(),
    }
}
