//! Use cases of the audit, for the operator at the machine itself and for the sealer.

use super::Service;
use crate::domain::audit::{AuditEntry, Head, VerifiedAudit};
use crate::error::Result;
use crate::store::{JournalFilter, JournalPlace, Scope};

/// Entries read at a time.
const LIST_PAGE: u32 = 1_000;

impl Service {
    /// Entries of the audit that fit, by time, at most `limit`.
    pub async fn list_audit(&self, filter: &JournalFilter, limit: u32) -> Result<Vec<AuditEntry>> {
        let mut entries: Vec<AuditEntry> = Vec::new();
        loop {
            let left = limit.saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX));
            let asked = left.min(LIST_PAGE);
            let after: Option<JournalPlace> = entries.last().map(|last| (last.time, last.sequence));
            let page = self.store.list_journal(&Scope::System, filter, after, asked).await?;
            let read = page.len();
            entries.extend(page);
            if read < asked as usize || asked == left {
                return Ok(entries);
            }
        }
    }

    /// Verifies the whole audit. `anchor` is a head that was kept outside of the database.
    pub async fn verify_audit(&self, anchor: Option<Head>) -> Result<VerifiedAudit> {
        self.store.verify_journal(&Scope::System, anchor).await
    }

    /// The head of the audit, after everything that was committed is sealed.
    pub async fn audit_head(&self) -> Result<Head> {
        self.store.seal_journal(&Scope::System).await?;
        self.store.journal_head(&Scope::System).await
    }

    /// Seals what is committed, and returns the number of entries.
    pub async fn seal_audit(&self) -> Result<u64> {
        self.store.seal_journal(&Scope::System).await
    }

    /// Waits until this process has committed an entry of the audit.
    pub async fn audit_written(&self) -> Result<()> {
        self.store.journal_written(&Scope::System).await
    }
}
