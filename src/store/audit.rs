//! Verification of the audit, and its retention.
//!
//! What is too old is deleted from the beginning of the chain. An entry names the last deleted one with its hash before
//! anything is deleted, so the chain that is left begins at a place that a later entry signs.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::values;
use super::journal::{self, Note};
use super::scope::{Owner, Scope};
use super::seal::HEAD;
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::audit::{self, AuditEntry, AuditVerifier, Head, VerifiedAudit};
use crate::error::Result;

/// Entries read or deleted at a time.
const ENTRIES_AT_A_TIME: u32 = 1_000;
/// Entries that are verified in one reading.
const VERIFIED_AT_A_TIME: u32 = 5_000;

statements! {
    query SEALED = hidden("journal.sealed",
        concat!(journal::entry!(), " WHERE position > $1 ORDER BY position LIMIT $2"));
    query PENDING = hidden("journal.pending",
        concat!(journal::entry!(), " WHERE position IS NULL AND sequence > $1 ORDER BY sequence LIMIT $2"));
    change CUT = ("journal_head.cut",
        "UPDATE journal_head SET cut_position = $2, cut_hash = $3 WHERE id = 1 AND cut_position = $1");
    upkeep DELETE = ("journal.purge",
        "DELETE FROM journal WHERE position IN (SELECT j.position FROM journal j WHERE j.position <= \
         (SELECT h.cut_position FROM journal_head h WHERE h.id = 1) ORDER BY j.position LIMIT $1)");
}

impl Store {
    /// Reads the whole audit at one moment, and verifies its chain. `anchor` is a head that was kept outside of the database.
    pub async fn verify_journal(&self, scope: &Scope, anchor: Option<Head>) -> Result<VerifiedAudit> {
        scope.require_system()?;
        let mut session = self.snapshot_reader(scope).await?;
        // A head that is missing or unreadable is a fault of the audit and no failure of its verification.
        let stored = session.row(HEAD, values![]).await?;
        let read =
            |position, hash| stored.as_ref().and_then(|row| journal::read_head(row, position, hash).ok());
        let cut = read("cut_position", "cut_hash").unwrap_or(Head::START);
        let mut verifier = AuditVerifier::new(cut, anchor);
        let mut after = i64::MIN;
        while !verifier.has_failed() {
            let rows = session.rows(SEALED, values![after, VERIFIED_AT_A_TIME]).await?;
            for row in &rows {
                let entry = journal::read(row)?;
                after = entry.seal.map_or(after, |seal| seal.position);
                verifier.add(&entry);
            }
            if rows.len() < VERIFIED_AT_A_TIME as usize {
                break;
            }
        }
        let mut after = i64::MIN;
        while !verifier.has_failed() {
            let rows = session.rows(PENDING, values![after, VERIFIED_AT_A_TIME]).await?;
            for row in &rows {
                let entry = journal::read(row)?;
                after = entry.sequence;
                verifier.add(&entry);
            }
            if rows.len() < VERIFIED_AT_A_TIME as usize {
                break;
            }
        }
        session.end().await?;
        Ok(verifier.finish(read("position", "hash")))
    }

    /// Deletes the entries at the beginning of the audit that are older than `limit`, and returns their number. An entry that
    /// is younger keeps all entries after it.
    pub async fn purge_journal(&self, scope: &Scope, now: Timestamp, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let (cut, last, entries) = self.old_entries(scope, limit).await?;
        if entries > 0 {
            let mut session = WriteSession::of_worker(self, "housekeeping", || now).await?;
            let detail = json!({ "entries": entries });
            let note = Note::new(Owner::Alliance, audit::PURGE, audit::cut_name(&last), &detail);
            let next = values![cut.position, last.position, last.hash_in_hex()];
            session.write_note(&note).await?;
            // Another process may have cut there meanwhile: then this session changes nothing.
            if session.change(Owner::Alliance, CUT, next).await? == 1 {
                session.commit_written().await?;
            }
        }
        let mut deleted = 0;
        loop {
            let mut session = self.housekeeping(scope).await?;
            let some = session.execute(DELETE, values![ENTRIES_AT_A_TIME]).await?;
            session.commit().await?;
            deleted += some;
            if some < u64::from(ENTRIES_AT_A_TIME) {
                return Ok(deleted);
            }
        }
    }

    /// Number of entries that [`purge_journal`](Self::purge_journal) would delete.
    pub async fn count_old_entries(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        Ok(self.old_entries(scope, limit).await?.2)
    }

    /// The present cut, the last of the entries after it that are older than `limit`, and their number.
    async fn old_entries(&self, scope: &Scope, limit: Timestamp) -> Result<(Head, Head, u64)> {
        let mut session = self.snapshot_reader(scope).await?;
        let head = session.one(HEAD, values![]).await?;
        let cut = journal::read_head(&head, "cut_position", "cut_hash")?;
        let (mut last, mut entries) = (cut, 0);
        loop {
            let rows = session.rows(SEALED, values![last.position, ENTRIES_AT_A_TIME]).await?;
            let read: Vec<AuditEntry> = rows.iter().map(journal::read).collect::<Result<_>>()?;
            let old = read.iter().take_while(|entry| entry.time < limit).filter_map(|entry| entry.seal);
            let before = entries;
            for seal in old {
                (last, entries) = (seal, entries + 1);
            }
            if entries - before < u64::from(ENTRIES_AT_A_TIME) {
                break;
            }
        }
        session.end().await?;
        Ok((cut, last, entries))
    }
}
