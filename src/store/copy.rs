//! An online copy of a SQLite database, while a service in another process writes to it.
//!
//! `VACUUM INTO` reads the whole database in one read transaction. In the mode of the write-ahead log a reader makes no
//! writer wait; until it ends, the log only grows. The copy is one compact file, without what was deleted, and it holds every
//! change that was acknowledged before it began.
//!
//! The copy is synced to the disk while it grows. Without that, the sync of one commit of the service would wait for
//! hundreds of megabytes of the copy: 0.4 s for 1 GB were measured, and no wait with it.

use std::path::Path;
use std::time::Duration;

use tokio::fs::{File, OpenOptions};

use super::backend::{Backend, Store};
use super::fault;
use super::scope::Scope;
use crate::error::{Error, Result};

/// Time between two syncs of the copy.
const SYNC: Duration = Duration::from_millis(20);

impl Store {
    /// Copies the whole database into the empty file `copy`, and syncs it.
    pub async fn copy_into(&self, scope: &Scope, copy: &Path) -> Result<()> {
        scope.require_system()?;
        let Backend::SqliteToRead { readers } = &self.backend else {
            return Err(Error::internal("a copy is made of a SQLite database that is opened to be read"));
        };
        let unwritable = |error: std::io::Error| fault::of("copy", sqlx::Error::Io(error));
        let Some(name) = copy.to_str() else {
            return Err(Error::invalid_field("file", "", "has a name that is not UTF-8"));
        };
        let file = OpenOptions::new().write(true).open(copy).await.map_err(unwritable)?;
        let mut own = readers.connect().await.map_err(|error| fault::of("copy", error))?;
        let made = async {
            // The copy is synced below; the setting is of this connection alone, which writes nothing else.
            sqlx::query("PRAGMA synchronous = OFF").execute(&mut own).await?;
            sqlx::query("VACUUM INTO $1").bind(name).execute(&mut own).await
        };
        let made = tokio::select! {
            made = made => made.map(drop),
            failed = keep_synced(&file) => Err(sqlx::Error::Io(failed)),
        };
        made.map_err(|error| fault::of("copy", error))?;
        file.sync_all().await.map_err(unwritable)?;
        sqlx::Connection::close(own).await.map_err(|error| fault::of("copy", error))
    }
}

/// Syncs the file until that fails.
async fn keep_synced(file: &File) -> std::io::Error {
    loop {
        tokio::time::sleep(SYNC).await;
        if let Err(error) = file.sync_data().await {
            return error;
        }
    }
}
