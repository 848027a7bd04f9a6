//! Use cases of the audit: for callers, for the operator at the machine itself, and for the sealer.
//!
//! A page token hides the number of its entry: numbers count what all organisations do.

use std::sync::Arc;

use jiff::Timestamp;

use super::call_sums::AuditedEnd;
use super::page::Cursor;
use super::{Action, Page, PageRequest, Service};
use crate::domain::audit::{AuditEntry, Head, VerifiedAudit};
use crate::domain::caller::Caller;
use crate::domain::cursor::NONCE;
use crate::domain::message::Message;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{JournalFilter, JournalPlace, Scope};

/// Entries read at a time.
const LIST_PAGE: u32 = 1_000;
/// Most bytes of an actor or of a resource by which entries are looked for.
const MOST_BYTES: usize = 1_000;
/// Before the id of a principal, in a resource name.
const PRINCIPALS: &str = "principals/";

impl Service {
    /// A page of the entries that fit and that concern the caller's organisations, by time; all that fit for the Secretariat.
    /// Only the Secretariat sees the places in the chain.
    pub async fn list_audit_entries(
        &self,
        caller: &Caller,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
        (actor, resource): (&str, &str),
        request: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let permit = Action::ListAuditEntries.permit(caller)?;
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut filter = JournalFilter { from, until, actor: given(actor), resource: given(resource) };
        let mut violations = Violations::of_request();
        let texts = [("actor", &filter.actor), ("resource", &filter.resource)];
        for (field, text) in
            texts.into_iter().filter_map(|(field, text)| text.as_ref().map(|text| (field, text)))
        {
            if text.len() > MOST_BYTES || text.chars().any(char::is_control) {
                violations.push(field, text, "is in no entry of the audit", "");
            }
        }
        if let (Some(from), Some(until)) = (filter.from, filter.until)
            && until <= from
        {
            violations.push("until_time", until.to_string(), "is not after `from_time`", "");
        }
        if !violations.is_empty() {
            return Err(Error::InvalidFields(violations));
        }
        if let Some(actor) = &mut filter.actor
            && let Some(id) = actor.strip_prefix(PRINCIPALS)
        {
            *actor = id.to_owned();
        }
        let cursor = Cursor::new(&permit, &format!("audit {filter:?}"), request)?;
        let (key, principal) = (self.cursor_key().await?, permit.principal.clone());
        let after: Option<JournalPlace> = cursor.after.as_deref().and_then(|after| {
            let (micros, hidden) = after.split_once(' ')?;
            let time = Timestamp::from_microsecond(micros.parse().ok()?).ok()?;
            Some((time, key.open(&principal, hidden)?))
        });
        if cursor.after.is_some() && after.is_none() {
            return Err(Error::InvalidPageToken);
        }
        let mut entries = self.store.list_journal(&permit.scope, &filter, after, cursor.limit()).await?;
        if permit.scope.organisations().is_some() {
            for entry in &mut entries {
                entry.seal = None;
            }
        }
        let clock = Arc::clone(&self.clock);
        Ok(cursor.page(entries, move |entry| {
            let mut nonce = [0; NONCE];
            clock.fill(&mut nonce);
            format!("{} {}", entry.time.as_microsecond(), key.seal(&principal, entry.sequence, nonce))
        }))
    }

    /// Verifies the whole audit for a caller. `anchor` is a head that was kept outside of the database; empty for none.
    pub async fn verify_audit_for(&self, caller: &Caller, anchor: &str) -> Result<VerifiedAudit> {
        Action::VerifyAudit.permit(caller)?;
        let anchor = match anchor {
            "" => None,
            text => {
                let parsed = text.parse::<Head>();
                Some(parsed.map_err(|wrong: Message| Error::invalid_field("anchor", text, wrong))?)
            }
        };
        self.verify_audit(anchor).await
    }

    /// Adds a call that has ended to the sum of its caller, its method and the present minute. `None` is a stranger.
    pub fn sum_call(&self, caller: Option<&Caller>, method: &str, end: AuditedEnd) {
        self.call_sums.call_ended(caller, method, end, self.clock.now());
    }

    /// Writes the sums of the minutes that have ended, and the last uses of credentials in them; with `all` also those of the present minute, at the end of the
    /// service. What cannot be written is kept for the next time.
    pub async fn write_call_sums(&self, all: bool) -> Result<()> {
        let now = self.clock.now();
        let mut sums = self.call_sums.take_ended((!all).then_some(now));
        let written = self.store.write_call_sums(&Scope::System, now, &mut sums).await;
        self.call_sums.put_back(sums);
        let mut uses = self.call_sums.take_uses((!all).then_some(now));
        let last_uses = self.store.write_uses(&Scope::System, &mut uses).await;
        for (credential, at) in &uses {
            self.call_sums.note_use(credential, *at);
        }
        written.and(last_uses)
    }

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
