//! What an operator's `doctor` and the tests ask of the store: does it answer, does it know every statement, and how
//! would it find the rows.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, SqlSafeStr as _};

use super::dialect::{Bulk, Statement, statements, values};
use super::{
    Backend, Store, fault, import, journal, migration, organisation, profile, queue, result, round, run,
    session, token,
};
use crate::error::Result;

statements! {
    PING = ("ping", "SELECT 1 AS answer");
}

/// How the database would run a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The statement's name.
    pub statement: &'static str,
    /// The plan, line by line, in the database's words.
    pub lines: Vec<String>,
}

/// Every statement with its text, in a fixed order; bulk inserts with two rows.
fn every(postgres: bool) -> Vec<(&'static str, String)> {
    let single: [&[Statement]; 12] = [
        ALL,
        migration::ALL,
        session::ALL,
        journal::ALL,
        organisation::ALL,
        profile::ALL,
        import::ALL,
        round::ALL,
        run::ALL,
        queue::ALL,
        result::ALL,
        token::ALL,
    ];
    let bulk: [Bulk; 4] = [import::STAGE, round::ENROL, queue::KEEP_MATCHES, queue::KEEP_UNMATCHED];
    let text = |statement: &Statement| if postgres { statement.postgres } else { statement.sqlite };
    let single = single.into_iter().flatten().chain([&journal::APPEND]);
    let single = single.map(|statement| (statement.name, text(statement).to_owned()));
    single.chain(bulk.map(|bulk| (bulk.name, bulk.text(2)))).collect()
}

pub(super) async fn ping(store: &Store) -> Result<()> {
    let mut session = store.reader().await?;
    session.one(PING, values![]).await?;
    session.end().await
}

async fn prepare<C>(connection: &mut C, statements: Vec<(&'static str, String)>) -> Result<usize>
where
    for<'c> &'c mut C: sqlx::Executor<'c>,
{
    let number = statements.len();
    for (name, text) in statements {
        let prepared = connection.prepare(AssertSqlSafe(text).into_sql_str()).await;
        prepared.map(drop).map_err(|error| fault::of(name, error))?;
    }
    Ok(number)
}

impl Store {
    /// Has the database parse and check every statement of the store, and says how many there are. On PostgreSQL it takes
    /// a connection of its own, because prepared statements last as long as their connection.
    ///
    /// Fails at the first statement that the schema or the dialect does not fit.
    pub async fn prepare_statements(&self) -> Result<usize> {
        match &self.0 {
            Backend::Sqlite { readers, .. } => {
                let mut held = readers.acquire().await.map_err(|error| fault::of("begin", error))?;
                prepare(&mut *held, every(false)).await
            }
            Backend::Postgres(pool) => {
                let mut own = pool.acquire().await.map_err(|error| fault::of("begin", error))?.detach();
                let prepared = prepare(&mut own, every(true)).await;
                own.close().await.map_err(|error| fault::of("end", error))?;
                prepared
            }
        }
    }

    /// How SQLite would run every statement. PostgreSQL plans by the rows it holds, so there the answer is empty.
    pub async fn plans(&self) -> Result<Vec<Plan>> {
        let mut plans = Vec::new();
        let Backend::Sqlite { readers, .. } = &self.0 else { return Ok(plans) };
        let mut held = readers.acquire().await.map_err(|error| fault::of("begin", error))?;
        for (statement, text) in every(false) {
            if text.starts_with("CREATE") {
                continue;
            }
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
            let rows = sqlx::raw_sql(explain)
                .fetch_all(&mut *held)
                .await
                .map_err(|error| fault::of(statement, error))?;
            let lines = rows.iter().map(|row| row.try_get("detail")).collect::<Result<_, _>>();
            plans.push(Plan { statement, lines: lines.map_err(|error| fault::of(statement, error))? });
        }
        Ok(plans)
    }
}
