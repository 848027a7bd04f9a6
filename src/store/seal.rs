//! Sealing: entries of the journal that are committed get their positions and hashes, some hundred at a time.
//!
//! Writers append entries in any order and wait for nobody. One sealer at a time, of whatever process, holds the row of the
//! head and continues the chain with all entries that it can see and that have no position, by their numbers.
//!
//! Invariants:
//! - Positions have no gap and no entry gets a second one. A sealer that crashes leaves its entries to the next one.
//! - An entry that is committed late gets a later position, so a reader who continues after a position misses nothing. No
//!   reader needs to wait for the oldest transaction of the database.
//! - Positions follow the order of commits where one change has seen another: of two changes of one row, the second one
//!   waits for the first, appends its entry afterwards, and so has the greater number; and whoever sees its entry sees the
//!   other one as well.

use serde_json::json;
use tokio::sync::watch;

use super::backend::Store;
use super::dialect::values;
use super::journal;
use super::scope::Scope;
use super::statement::statements;
use crate::domain::audit::Head;
use crate::error::Result;

/// Entries that one transaction seals.
const ENTRIES_AT_A_TIME: u32 = 500;

statements! {
    query HEAD = hidden("journal_head.get",
        "SELECT position, hash, cut_position, cut_hash FROM journal_head WHERE id = 1");
    query HOLD_HEAD = hidden("journal_head.hold",
        locking: "SELECT position, hash FROM journal_head WHERE id = 1");
    query HAS_UNSEALED = hidden("journal.has_unsealed",
        "SELECT sequence FROM journal WHERE position IS NULL LIMIT 1");
    query UNSEALED = hidden("journal.unsealed",
        concat!(journal::entry!(), " WHERE position IS NULL ORDER BY sequence LIMIT $1"));
    // A list of any length is one value. The databases spell its reading differently.
    upkeep SEAL = ("journal.seal",
        sqlite: "UPDATE journal SET position = s.value ->> 1, hash = s.value ->> 2 FROM json_each($1) AS s \
            WHERE journal.sequence = s.value ->> 0 AND journal.position IS NULL",
        postgres: "UPDATE journal SET position = CAST(s.value ->> 1 AS BIGINT), hash = s.value ->> 2 \
            FROM json_array_elements(CAST(CAST($1 AS TEXT) AS JSON)) AS s (value) \
            WHERE journal.sequence = CAST(s.value ->> 0 AS BIGINT) AND journal.position IS NULL");
    upkeep MOVE_HEAD = ("journal_head.move",
        "UPDATE journal_head SET position = $2, hash = $3 WHERE id = 1 AND position = $1");
}

impl Store {
    /// Seals all entries that are committed, and returns their number.
    pub async fn seal_journal(&self, scope: &Scope) -> Result<u64> {
        scope.require_system()?;
        let mut sealed = 0;
        loop {
            // A look that writes nothing: most of the time there is nothing to seal.
            let mut reader = self.reader(scope).await?;
            let waiting = reader.row(HAS_UNSEALED, values![]).await?;
            reader.end().await?;
            if waiting.is_none() {
                return Ok(sealed);
            }
            sealed += self.seal_some(scope).await?;
        }
    }

    async fn seal_some(&self, scope: &Scope) -> Result<u64> {
        let mut session = self.housekeeping(scope).await?;
        let row = session.reads().one(HOLD_HEAD, values![]).await?;
        let from = journal::read_head(&row, "position", "hash")?;
        // Read after the head is held, so that entries which another sealer has sealed meanwhile are not among them.
        let rows = session.reads().rows(UNSEALED, values![ENTRIES_AT_A_TIME]).await?;
        let (mut head, mut sealed) = (from, Vec::with_capacity(rows.len()));
        for row in &rows {
            let entry = journal::read(row)?;
            head = head.after(&entry);
            sealed.push(json!([entry.sequence, head.position, head.hash_in_hex()]));
        }
        if sealed.is_empty() {
            session.end().await?;
            return Ok(0);
        }
        let sealed = serde_json::Value::from(sealed).to_string();
        session.execute_exactly(rows.len() as u64, SEAL, values![sealed]).await?;
        let moved = values![from.position, head.position, head.hash_in_hex()];
        session.execute_exactly(1, MOVE_HEAD, moved).await?;
        session.commit().await?;
        self.journal_signals().sealed(head.position);
        Ok(rows.len() as u64)
    }

    /// The head of the audit, as far as it is sealed.
    pub async fn journal_head(&self, scope: &Scope) -> Result<Head> {
        scope.require_system()?;
        let mut reader = self.reader(scope).await?;
        let head = reader.one(HEAD, values![]).await?;
        reader.end().await?;
        journal::read_head(&head, "position", "hash")
    }

    /// Waits until this process has committed an entry after the last call.
    pub async fn journal_written(&self, scope: &Scope) -> Result<()> {
        scope.require_system()?;
        self.journal_signals().until_written().await;
        Ok(())
    }

    /// The position of the last entry that this process has sealed, and each later one.
    pub fn journal_sealed(&self) -> watch::Receiver<i64> {
        self.journal_signals().watch_sealed()
    }
}
