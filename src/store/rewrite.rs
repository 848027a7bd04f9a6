//! The tables of people are written anew, so that deleted rows are no longer in the files of the database.
//!
//! PostgreSQL keeps a deleted row in the file of its table until the table is written anew, and a sample of the values of each
//! column in its statistics. The operator runs this after erasures, as the owner of the tables: each of them is locked
//! meanwhile. SQLite overwrites what is deleted at once; its log alone is emptied.
//!
//! The write-ahead log of the server, its archive and backups keep what they have; docs/personal-data.md says for how long.

use super::backend::{Backend, Store};
use super::fault;
use super::scope::Scope;
use crate::error::Result;

/// The tables that hold people, and their statistics afterwards.
const TABLES: &str = "VACUUM (FULL, ANALYZE) profile_version, profile_restriction, enrolment, run_match, run_unmatched, run, run_own_summary, \
    idempotency, erasure, decision, pair_review, pair_comment, pair_ask, waiting_leave, mentorship, check_in, \
    mentorship_reminder";
/// The samples that earlier statistics have left.
const STATISTICS: &str = "VACUUM (FULL) pg_catalog.pg_statistic";

impl Store {
    /// Writes the tables of people anew. It takes as long as a copy of them.
    pub async fn rewrite_tables(&self, scope: &Scope) -> Result<()> {
        scope.require_system()?;
        match &self.backend {
            Backend::Sqlite { .. } | Backend::SqliteToRead { .. } => self.empty_log().await,
            Backend::Postgres { probe, .. } => {
                for text in [TABLES, STATISTICS] {
                    probe.write(text).await.map_err(|error| fault::of("rewrite", error))?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables whose rows an erasure changes or deletes.
    #[test]
    fn every_table_that_an_erasure_writes_is_rewritten() {
        let names = [
            "profile_version",
            "profile_restriction",
            "enrolment",
            "run_match",
            "run_unmatched",
            "run_own_summary",
            "idempotency",
            "decision",
            "pair_review",
            "pair_comment",
            "pair_ask",
            "waiting_leave",
            "mentorship",
            "check_in",
            "mentorship_reminder",
        ];
        for statement in crate::store::statement::every() {
            if !statement.name().contains("erase") {
                continue;
            }
            let text = statement.text(true);
            let written = ["UPDATE ", "DELETE FROM "].iter().find_map(|verb| text.strip_prefix(verb));
            let Some(table) = written.and_then(|rest| rest.split_whitespace().next()) else { continue };
            assert!(TABLES.contains(table), "{}", statement.name());
        }
        assert!(names.iter().all(|name| TABLES.contains(name)));
    }
}
