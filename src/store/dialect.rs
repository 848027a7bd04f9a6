//! Connections to the two databases: a statement's values are bound, the statement is run, and its rows are read. No
//! file outside the store can tell the two databases apart.

use std::fmt::Display;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use sqlx::database::HasStatementCache;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{
    AssertSqlSafe, Database, Decode, Encode, Row as _, SqlSafeStr as _, SqlStr, Type, TypeInfo as _,
    ValueRef as _,
};
use tokio_stream::StreamExt as _;

use super::fault::{self, corrupt};
use super::measure::Measured;
use super::pool::Lease;
use super::statement::{Bulk, Statement};
use super::writer::Turn;
use crate::error::{Error, Result};
use crate::telemetry::Metrics;

/// Rows of one multi-row insert of SQLite: enough to make the statement's own cost small, and few enough for its 32,766
/// parameters.
const SQLITE_BULK_ROWS: usize = 125;
/// Rows of one multi-row insert of PostgreSQL, which takes each column as one array.
const POSTGRES_BULK_ROWS: usize = 1_000;

/// The values of a bulk's rows, row by row.
pub(super) type BulkRows<'a> = Box<dyn Iterator<Item = Vec<Value>> + Send + 'a>;

/// A value to bind: the types that both databases have.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// BIGINT.
    Int(Option<i64>),
    /// TEXT.
    Text(Option<String>),
    /// BLOB or BYTEA.
    Blob(Option<Vec<u8>>),
}

macro_rules! into_value {
    ($($from:ty => |$value:ident| $into:expr;)+) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        })+
    };
}

into_value! {
    i64 => |value| Self::Int(Some(value));
    i32 => |value| Self::Int(Some(value.into()));
    u32 => |value| Self::Int(Some(value.into()));
    u16 => |value| Self::Int(Some(value.into()));
    bool => |value| Self::Int(Some(value.into()));
    Option<i64> => |value| Self::Int(value);
    Timestamp => |value| Self::Int(Some(value.as_microsecond()));
    String => |value| Self::Text(Some(value));
    &str => |value| Self::Text(Some(value.to_owned()));
    Option<&str> => |value| Self::Text(value.map(str::to_owned));
    Vec<u8> => |value| Self::Blob(Some(value));
    &[u8] => |value| Self::Blob(Some(value.to_vec()));
    &crate::domain::name::OrganisationId => |value| Self::Text(Some(value.as_str().to_owned()));
    &crate::domain::name::OwnId => |value| Self::Text(Some(value.as_str().to_owned()));
    &crate::domain::name::RoundId => |value| Self::Text(Some(value.as_str().to_owned()));
}

/// Values to bind, in the order of their numbers.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::dialect::Value::from($value)),*] };
}

pub(super) use values;

/// A connection of a session, whose statements are measured.
#[derive(Debug)]
pub(super) struct Connection {
    held: Held,
    metrics: Metrics,
}

/// A connection: for one read, for several reads of one moment, or for a transaction that writes.
#[derive(Debug)]
pub(super) enum Held {
    /// SQLite, to read: one statement, or several in a transaction.
    Sqlite(Lease<Sqlite>),
    /// SQLite, for a session that writes.
    SqliteWrite(Turn),
    /// PostgreSQL, with prepared statements.
    Postgres(Lease<Postgres>),
    /// PostgreSQL behind a pooler: always in a transaction, and no statement has a name, because the pooler would hand the
    /// name to another client.
    PostgresPooled(Lease<Postgres>),
}

/// Runs `$run` on either database.
macro_rules! with_connection {
    ($held:expr, $text:expr, $values:expr, |$query:ident, $connection:ident| $run:expr) => {
        match $held {
            Held::Sqlite(held) => {
                let ($query, $connection) = (bound::<Sqlite>($text, $values, true), held.connection()?);
                let result = $run;
                held.judge(result)
            }
            Held::SqliteWrite(held) => {
                let ($query, $connection) = (bound::<Sqlite>($text, $values, true), held.connection()?);
                let result = $run;
                held.judge(result)
            }
            Held::Postgres(held) => {
                let ($query, $connection) = (bound::<Postgres>($text, $values, true), held.connection()?);
                let result = $run;
                held.judge(result)
            }
            Held::PostgresPooled(held) => {
                let ($query, $connection) = (bound::<Postgres>($text, $values, false), held.connection()?);
                let result = $run;
                held.judge(result)
            }
        }
    };
}

/// A statement is boxed, so that the futures of sessions stay small.
impl Connection {
    /// A connection whose statements `metrics` measures.
    pub(super) fn new(held: Held, metrics: &Metrics) -> Self {
        Self { held, metrics: metrics.clone() }
    }

    /// A statement that is about to run on this connection.
    fn measured(&self, name: &'static str) -> Measured {
        let system = match &self.held {
            Held::Sqlite(_) | Held::SqliteWrite(_) => "sqlite",
            Held::Postgres(_) | Held::PostgresPooled(_) => "postgresql",
        };
        Measured::begin(&self.metrics, system, name)
    }

    fn text(&self, statement: Statement) -> SqlStr {
        match &self.held {
            Held::Sqlite(_) | Held::SqliteWrite(_) => statement.sqlite.into_sql_str(),
            Held::Postgres(_) | Held::PostgresPooled(_) => statement.postgres.into_sql_str(),
        }
    }

    /// Whether another session waits for the one writer of SQLite, which this connection is. PostgreSQL has many writers.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(&self.held, Held::SqliteWrite(turn) if turn.is_awaited())
    }

    /// Rows that a session writes before it looks whether another one waits.
    pub(super) fn rows_in_a_piece(&self) -> usize {
        match &self.held {
            Held::Sqlite(_) | Held::SqliteWrite(_) => 2 * SQLITE_BULK_ROWS,
            Held::Postgres(_) | Held::PostgresPooled(_) => POSTGRES_BULK_ROWS,
        }
    }

    /// Runs a statement and returns the number of rows that it changed.
    pub(super) async fn execute(&mut self, statement: Statement, values: Vec<Value>) -> Result<u64> {
        let text = self.text(statement);
        self.execute_text(statement.name, text, values).await
    }

    /// Inserts rows, many at a time, and returns their number. The rows come boxed: a closure's own type would keep the
    /// caller's future from being `Send`.
    pub(super) async fn insert(&mut self, bulk: Bulk, rows: BulkRows<'_>) -> Result<u64> {
        let most = match &self.held {
            Held::Sqlite(_) | Held::SqliteWrite(_) => SQLITE_BULK_ROWS,
            Held::Postgres(_) | Held::PostgresPooled(_) => POSTGRES_BULK_ROWS,
        };
        let mut rows = rows;
        let mut next = || rows.by_ref().take(most).flatten().collect::<Vec<Value>>();
        let mut inserted = 0;
        let mut ready = next();
        while !ready.is_empty() {
            // The statement is sent before the rows of the next one are made, so that the database works meanwhile.
            let (done, following) = tokio::join!(self.insert_values(bulk, ready), async { next() });
            inserted += done?;
            ready = following;
        }
        Ok(inserted)
    }

    async fn insert_values(&mut self, bulk: Bulk, values: Vec<Value>) -> Result<u64> {
        if let Held::Sqlite(_) | Held::SqliteWrite(_) = &self.held {
            let text = AssertSqlSafe(bulk.text(values.len() / bulk.columns)).into_sql_str();
            return self.execute_text(bulk.name, text, values).await;
        }
        let measured = self.measured(bulk.name);
        let persistent = matches!(self.held, Held::Postgres(_));
        let (Held::Postgres(held) | Held::PostgresPooled(held)) = &mut self.held else {
            return Err(Error::internal("an array was bound for SQLite"));
        };
        let columns = Column::of_rows(bulk.columns, values)?;
        let types: Vec<&str> = columns.iter().map(Column::sql_type).collect();
        let text = AssertSqlSafe(bulk.of_arrays(&types)).into_sql_str();
        let mut query = sqlx::query::<Postgres>(text).persistent(persistent);
        for column in columns {
            query = match column {
                Column::Int(values) => query.bind(values),
                Column::Text(values) => query.bind(values),
                Column::Blob(values) => query.bind(values),
            };
        }
        let inserting = Box::pin(async {
            let done = query.execute(held.connection()?).await;
            held.judge(done).map(|done| done.rows_affected())
        });
        measured.run(named(bulk.name, inserting)).await
    }

    async fn execute_text(&mut self, name: &'static str, text: SqlStr, values: Vec<Value>) -> Result<u64> {
        let measured = self.measured(name);
        let executing = Box::pin(async {
            with_connection!(&mut self.held, text, values, |query, connection| {
                query.execute(connection).await.map(|done| done.rows_affected())
            })
        });
        measured.run(named(name, executing)).await
    }

    /// All rows that a statement returns.
    pub(super) async fn rows(&mut self, statement: Statement, values: Vec<Value>) -> Result<Vec<Row>> {
        let (name, measured, text) = (statement.name, self.measured(statement.name), self.text(statement));
        let reading = Box::pin(async {
            with_connection!(&mut self.held, text, values, |query, connection| {
                let rows = query.fetch_all(connection).await;
                rows.map(|rows| {
                    rows.into_iter().map(|row| Row { statement: name, columns: row.into() }).collect()
                })
            })
        });
        measured.run(named(name, reading)).await
    }

    /// Hands each row that a text without values returns to `each`, as it arrives.
    pub(super) async fn each_row(
        &mut self,
        name: &'static str,
        text: String,
        mut each: impl FnMut(&Row) -> Result<()> + Send,
    ) -> Result<()> {
        let (measured, text) = (self.measured(name), AssertSqlSafe(text).into_sql_str());
        let mut handed = Ok(());
        let reading = Box::pin(async {
            with_connection!(&mut self.held, text, Vec::new(), |query, connection| {
                let mut rows = query.fetch(connection);
                loop {
                    match rows.next().await {
                        None => break Ok(()),
                        Some(Err(error)) => break Err(error),
                        Some(Ok(row)) if handed.is_ok() => {
                            handed = each(&Row { statement: name, columns: row.into() });
                        }
                        Some(Ok(_)) => {}
                    }
                }
            })
        });
        measured.run(named(name, reading)).await?;
        handed
    }

    /// The row that a statement returns, if it returns one.
    pub(super) async fn row(&mut self, statement: Statement, values: Vec<Value>) -> Result<Option<Row>> {
        let (name, measured, text) = (statement.name, self.measured(statement.name), self.text(statement));
        let reading = Box::pin(async {
            with_connection!(&mut self.held, text, values, |query, connection| {
                let row = query.fetch_optional(connection).await;
                row.map(|row| row.map(|row| Row { statement: name, columns: row.into() }))
            })
        });
        measured.run(named(name, reading)).await
    }

    /// Runs a script of several statements without values.
    pub(super) async fn script(&mut self, name: &'static str, text: &'static str) -> Result<()> {
        let measured = self.measured(name);
        let running = Box::pin(async {
            match &mut self.held {
                Held::Sqlite(held) => {
                    let run = sqlx::raw_sql(text).execute(held.connection()?).await;
                    held.judge(run).map(drop)
                }
                Held::SqliteWrite(held) => {
                    let run = sqlx::raw_sql(text).execute(held.connection()?).await;
                    held.judge(run).map(drop)
                }
                Held::Postgres(held) | Held::PostgresPooled(held) => {
                    let run = sqlx::raw_sql(text).execute(held.connection()?).await;
                    held.judge(run).map(drop)
                }
            }
        });
        measured.run(named(name, running)).await
    }

    /// Copies the write-ahead log of SQLite into the database and empties it. Returns `false` if another connection kept the
    /// log in use, or there is no such log. The connection must hold no transaction.
    pub(super) async fn empty_log(mut self) -> Result<bool> {
        const EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
        let Held::Sqlite(held) = &mut self.held else { return Ok(false) };
        let busy = match held.connection() {
            Ok(connection) => sqlx::query_scalar::<Sqlite, i64>(EMPTY).fetch_one(connection).await,
            Err(error) => Err(error),
        };
        let busy = held.judge(busy).map_err(|error| fault::of("empty_log", error))?;
        self.end().await?;
        Ok(busy == 0)
    }

    /// Makes the changes of the transaction last.
    pub(super) async fn commit(self) -> Result<()> {
        let measured = self.measured("commit");
        let committing = Box::pin(async {
            match self.held {
                Held::Sqlite(held) => held.commit().await.map_err(|error| fault::of("commit", error)),
                Held::SqliteWrite(turn) => turn.commit().await.map_err(fault::not_committed),
                Held::Postgres(held) | Held::PostgresPooled(held) => {
                    held.commit().await.map_err(|error| fault::of("commit", error))
                }
            }
        });
        measured.run(committing).await
    }

    /// Ends the transaction without a change and returns the connection to the pool.
    pub(super) async fn end(self) -> Result<()> {
        let ended = match self.held {
            // Dropped, a turn takes back its statements.
            Held::SqliteWrite(_) => Ok(()),
            Held::Sqlite(held) => held.end().await,
            Held::Postgres(held) | Held::PostgresPooled(held) => held.end().await,
        };
        ended.map_err(|error| fault::of("end", error))
    }
}

/// The result of the statement `name`, whose error is one of the service.
async fn named<T>(name: &'static str, statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T> {
    statement.await.map_err(|error| fault::of(name, error))
}

/// The values of one column of a bulk, for an array of PostgreSQL.
enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Blob(Vec<Option<Vec<u8>>>),
}

impl Column {
    /// The columns of rows that come one after the other. A column has the type of its first value; the rows of a bulk have
    /// the same types.
    fn of_rows(width: usize, values: Vec<Value>) -> Result<Vec<Self>> {
        let mut columns: Vec<Self> = values
            .iter()
            .take(width)
            .map(|value| match value {
                Value::Int(_) => Self::Int(Vec::new()),
                Value::Text(_) => Self::Text(Vec::new()),
                Value::Blob(_) => Self::Blob(Vec::new()),
            })
            .collect();
        for (at, value) in values.into_iter().enumerate() {
            match (&mut columns[at % width], value) {
                (Self::Int(column), Value::Int(value)) => column.push(value),
                (Self::Text(column), Value::Text(value)) => column.push(value),
                (Self::Blob(column), Value::Blob(value)) => column.push(value),
                _ => return Err(Error::internal("the rows of a bulk have different types")),
            }
        }
        Ok(columns)
    }

    fn sql_type(&self) -> &'static str {
        match self {
            Self::Int(_) => "BIGINT",
            Self::Text(_) => "TEXT",
            Self::Blob(_) => "BYTEA",
        }
    }
}

fn bound<DB>(text: SqlStr, values: Vec<Value>, persistent: bool) -> Query<'static, DB, DB::Arguments>
where
    DB: Database + HasStatementCache,
    for<'v> Option<i64>: Encode<'v, DB> + Type<DB>,
    for<'v> Option<String>: Encode<'v, DB> + Type<DB>,
    for<'v> Option<Vec<u8>>: Encode<'v, DB> + Type<DB>,
{
    let mut query = sqlx::query::<DB>(text).persistent(persistent);
    for value in values {
        query = match value {
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Blob(value) => query.bind(value),
        };
    }
    query
}

/// A row of either database.
pub(super) struct Row {
    statement: &'static str,
    columns: Columns,
}

enum Columns {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl From<SqliteRow> for Columns {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Columns {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

impl Row {
    fn get<T>(&self, column: &str) -> Result<T>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        match &self.columns {
            Columns::Sqlite(row) => row.try_get(column),
            Columns::Postgres(row) => row.try_get(column),
        }
        .map_err(|error| fault::of(self.statement, error))
    }

    /// Adds the column at a place to a digest: its type, and its content, which are the same on both databases.
    pub(super) fn digest_into(&self, at: usize, digest: &mut Sha256) -> Result<()> {
        macro_rules! add {
            ($row:expr) => {{
                let raw = $row.try_get_raw(at)?;
                let is_null = raw.is_null();
                let is_int = matches!(raw.type_info().name(), "INTEGER" | "INT8");
                let is_text = raw.type_info().name() == "TEXT";
                if is_null {
                    digest.update([0]);
                } else if is_int {
                    digest.update([1]);
                    digest.update($row.try_get_unchecked::<i64, _>(at)?.to_le_bytes());
                } else if is_text {
                    sized(digest, 2, $row.try_get_unchecked::<&str, _>(at)?.as_bytes());
                } else {
                    sized(digest, 3, $row.try_get_unchecked::<&[u8], _>(at)?);
                }
                Ok(())
            }};
        }
        let added: Result<(), sqlx::Error> = match &self.columns {
            Columns::Sqlite(row) => (|| add!(row))(),
            Columns::Postgres(row) => (|| add!(row))(),
        };
        added.map_err(|error| fault::of(self.statement, error))
    }

    /// A number.
    pub(super) fn int(&self, column: &str) -> Result<i64> {
        self.get(column)
    }

    /// A number that may be missing.
    pub(super) fn opt_int(&self, column: &str) -> Result<Option<i64>> {
        self.get(column)
    }

    /// A truth value, stored as 0 or 1.
    pub(super) fn flag(&self, column: &str) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    /// A text.
    pub(super) fn text(&self, column: &str) -> Result<String> {
        self.get(column)
    }

    /// A text that may be missing.
    pub(super) fn opt_text(&self, column: &str) -> Result<Option<String>> {
        self.get(column)
    }

    /// Bytes.
    pub(super) fn blob(&self, column: &str) -> Result<Vec<u8>> {
        self.get(column)
    }

    /// A moment.
    pub(super) fn time(&self, column: &str) -> Result<Timestamp> {
        let micros = self.int(column)?;
        Timestamp::from_microsecond(micros).map_err(|error| corrupt(self.statement, column, &micros, error))
    }

    /// A moment that may be missing.
    pub(super) fn opt_time(&self, column: &str) -> Result<Option<Timestamp>> {
        match self.opt_int(column)? {
            None => Ok(None),
            Some(_) => self.time(column).map(Some),
        }
    }

    /// An id, parsed.
    pub(super) fn id<T>(&self, table: &'static str, column: &str) -> Result<T>
    where
        T: std::str::FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let text = self.text(column)?;
        text.parse().map_err(|error| corrupt(table, column, &"with an unreadable id", error))
    }

    /// A text, parsed by `parse`; `id` names the row if that fails.
    pub(super) fn parse<T>(
        &self,
        table: &'static str,
        id: &dyn Display,
        column: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| corrupt(table, column, id, "the column does not take this value"))
    }

    /// A number that fits a narrower type.
    pub(super) fn narrow<T: TryFrom<i64>>(
        &self,
        table: &'static str,
        id: &dyn Display,
        column: &str,
    ) -> Result<T> {
        T::try_from(self.int(column)?).map_err(|_| corrupt(table, column, id, "the number is out of range"))
    }

    /// A JSON document.
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        table: &'static str,
        id: &dyn Display,
        column: &str,
    ) -> Result<T> {
        parsed(table, id, column, &self.text(column)?)
    }
}

/// Adds bytes of a type to a digest, with their number before them.
fn sized(digest: &mut Sha256, kind: u8, bytes: &[u8]) {
    digest.update([kind]);
    digest.update((bytes.len() as u64).to_le_bytes());
    digest.update(bytes);
}

/// A JSON document, parsed from the text of a column; `id` names the row if that fails.
pub(super) fn parsed<T: DeserializeOwned>(
    table: &'static str,
    id: &dyn Display,
    column: &str,
    text: &str,
) -> Result<T> {
    // The message of serde may quote the document.
    serde_json::from_str(text).map_err(|error| {
        let place = format!("{:?} at line {}, column {}", error.classify(), error.line(), error.column());
        corrupt(table, column, id, place)
    })
}

/// A document as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(fault::unwritable)
}
