//! The probe of readiness: a real, durable write of one row, with a time limit of its own.
//!
//! On SQLite the probe is a session like any other, so it also sees the files of the database. A session that works longer
//! than the limit is no fault: then the probe reports `Busy`. On PostgreSQL the probe has a connection of its own, so an
//! exhausted pool is no fault either. A connection that has failed or has not answered is closed.

use std::time::Duration;

use super::backend::{Backend, Store};
use super::dialect::{Connection, Held, values};
use super::fault;
use super::scope::Scope;
use super::statement::statements;
use crate::error::{Error, Result};

statements! {
    // A row that another replica is writing is left alone: a frozen replica must not make the others fail.
    upkeep WRITE = ("probe.write",
        sqlite: "UPDATE write_probe SET writes = writes + 1 WHERE id = 1",
        postgres: "UPDATE write_probe SET writes = writes + 1 \
            WHERE id IN (SELECT id FROM write_probe WHERE id = 1 FOR UPDATE SKIP LOCKED)");
}

/// What a probe that has not failed has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// The row is written.
    Written,
    /// Another session held SQLite's one writer for the whole time, and its statements went on.
    Busy,
}

impl Store {
    /// Writes one row durably, within `limit`.
    pub async fn probe_write(&self, scope: &Scope, limit: Duration) -> Result<Probe> {
        scope.require_system()?;
        let late = || Error::StoreUnavailable("the database has not answered a write in time".into());
        match &self.backend {
            Backend::Sqlite { writer, patience, .. } => {
                let write = async {
                    let turn = writer.turn(*patience).await.map_err(|error| fault::of("begin", error))?;
                    let mut connection = Connection::new(Held::SqliteWrite(turn), self.metrics());
                    let written = connection.execute(WRITE.0, values![]).await?;
                    fault::expect_rows(WRITE.0.name, written, 1)?;
                    connection.commit().await
                };
                match tokio::time::timeout(limit, write).await {
                    Ok(written) => written.map(|()| Probe::Written),
                    Err(_) if writer.works() => Ok(Probe::Busy),
                    Err(_) => Err(late()),
                }
            }
            Backend::SqliteToRead { .. } => {
                Err(Error::internal("a database that is only read was probed by a write"))
            }
            Backend::Postgres { probe, .. } => {
                match tokio::time::timeout(limit, probe.write(WRITE.0.postgres)).await {
                    Ok(written) => {
                        written.map(|()| Probe::Written).map_err(|error| fault::of(WRITE.0.name, error))
                    }
                    Err(_) => Err(late()),
                }
            }
        }
    }

    /// `Ok` if the database can be reached. The error names the cause, which a pool of connections would hide.
    pub(super) async fn reach(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite { .. } | Backend::SqliteToRead { .. } => Ok(()),
            Backend::Postgres { probe, patience, .. } => {
                let reached = tokio::time::timeout(*patience, probe.reach()).await;
                reached.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(|error| fault::of("connect", error))
            }
        }
    }

    /// Waits until a write has failed since the last call.
    pub async fn trouble(&self) {
        match &self.backend {
            Backend::Sqlite { writer, .. } => writer.trouble().await,
            // The next probe finds it out.
            Backend::SqliteToRead { .. } | Backend::Postgres { .. } => std::future::pending().await,
        }
    }
}
