//! Sessions that write. A write session is one transaction with a change, its journal lines and the answer remembered by
//! the caller's `request_id`: either all of it lasts or none. A housekeeping session writes no journal line.

use std::sync::Arc;

use jiff::Timestamp;

use super::backend::Store;
use super::dialect::{BulkRows, Connection, Row, Value, values};
use super::fault;
use super::journal::{self, Note, Notes};
use super::known_credentials::{Forgetting, KnownCredentials, is_of_credentials};
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::signals::JournalSignals;
use super::statement::{Bulk, Change, Upkeep, statements};
use crate::domain::name::OrganisationId;
use crate::error::{Error, Result};

statements! {
    upkeep RESERVE = ("idempotency.reserve",
        "INSERT INTO idempotency (principal_id, request_id, method, payload_digest, response, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (principal_id, request_id) DO NOTHING");
    query RECALL = shared("idempotency.recall",
        "SELECT method, payload_digest, response FROM idempotency WHERE principal_id = $1 AND request_id = $2");
    upkeep ANSWER = ("idempotency.answer",
        "UPDATE idempotency SET response = $3 WHERE principal_id = $1 AND request_id = $2");
    query COUNT_OLD = hidden("idempotency.count_old",
        "SELECT COUNT(*) AS old FROM idempotency WHERE create_micros < $1");
    upkeep PURGE = ("idempotency.purge",
        "DELETE FROM idempotency WHERE (principal_id, request_id) IN (SELECT i.principal_id, i.request_id FROM idempotency i \
         WHERE i.create_micros < $1 ORDER BY i.create_micros LIMIT $2)");
}

/// Most bytes of a remembered answer. A change whose answer could not be sent does not last.
const MOST_ANSWER: usize = 1 << 20;
/// Answers that one transaction deletes: other writers wait for so many.
const ANSWERS_AT_A_TIME: u32 = 100;

/// Who changes something, when, and under which `request_id`.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Id of the principal: the journal's actor.
    pub actor: String,
    /// Which rows exist for the caller.
    pub scope: Scope,
    /// The moment of the change.
    pub now: Timestamp,
    /// The key of the remembered answer; `None` if the caller gave no `request_id`.
    pub request: Option<RequestKey>,
}

/// The key of a remembered answer, and what a repeated request must have in common with the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's `request_id`; unique within the principal.
    pub id: String,
    /// The method.
    pub method: &'static str,
    /// Digest of the request without its `request_id`.
    pub payload_digest: String,
}

/// Either a session for a new request, or the first answer to a repeated request.
#[derive(Debug)]
#[must_use]
#[expect(
    clippy::large_enum_variant,
    reason = "a caller takes it apart at once; a box would cost an allocation per write"
)]
pub enum Begun {
    /// The request is new: make the change, then commit with its notes and its answer.
    Fresh(WriteSession),
    /// The request was answered before, with this answer.
    Repeated(Vec<u8>),
}

/// A transaction that writes. Dropped without `commit`, it changes nothing.
///
/// A commit without the note of the change does not compile:
///
/// ```compile_fail,E0061
/// async fn end(session: wim_match::store::WriteSession) {
///     let _ = session.commit(b"").await; // `session.commit(note, b"")` compiles.
/// }
/// ```
#[derive(Debug)]
#[must_use = "a session that is not committed changes nothing"]
pub struct WriteSession {
    reads: ReadSession,
    receipt: Receipt,
    changed: bool,
    /// An entry of the journal was written.
    noted: bool,
    /// Wakes the sealer.
    journal: Arc<JournalSignals>,
    /// What is kept of credentials.
    credentials: Arc<KnownCredentials>,
    /// Whether the session changes some of them.
    changes_credentials: bool,
}

impl Store {
    /// Begins a change. Of two equal requests at the same time the second waits for the first and gets its answer.
    ///
    /// Fails with `RequestIdReused` if the `request_id` was used for another method or payload.
    pub async fn begin(&self, receipt: Receipt) -> Result<Begun> {
        let mut session = WriteSession::new(
            self,
            self.connect_to_write(&receipt.scope, Some(&receipt.actor)).await?,
            receipt,
        );
        let Some(request) = session.receipt.request.clone() else { return Ok(Begun::Fresh(session)) };
        let actor = session.receipt.actor.clone();
        // The row is written before the change: an equal request then waits on its key until this transaction ends.
        let values = values![
            actor.as_str(),
            request.id.as_str(),
            request.method,
            request.payload_digest.as_str(),
            Vec::new(),
            session.receipt.now,
        ];
        if session.reads.connection().execute(RESERVE.0, values).await? == 1 {
            return Ok(Begun::Fresh(session));
        }
        let first = session.reads.one(RECALL, values![actor, request.id.as_str()]).await?;
        // On SQLite the first request may be of the same group of the writer: its answer is given when the group is durable.
        session.reads.into_connection().commit().await?;
        first_answer(&first, &request).map(Begun::Repeated)
    }

    /// Deletes the answers that were given before `limit`, in short transactions, and returns their number.
    pub async fn purge_answers(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut purged = 0;
        loop {
            let mut session = self.housekeeping(scope).await?;
            let deleted = session.execute(PURGE, values![limit, ANSWERS_AT_A_TIME]).await?;
            session.commit().await?;
            purged += deleted;
            if deleted < u64::from(ANSWERS_AT_A_TIME) {
                return Ok(purged);
            }
        }
    }

    /// Number of answers that were given before `limit`.
    pub async fn count_old_answers(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let old = session.one(COUNT_OLD, values![limit]).await?.narrow("idempotency", &"", "old")?;
        session.end().await?;
        Ok(old)
    }
}

fn first_answer(row: &Row, request: &RequestKey) -> Result<Vec<u8>> {
    if row.text("method")? == request.method && row.text("payload_digest")? == request.payload_digest {
        row.blob("response")
    } else {
        Err(Error::RequestIdReused)
    }
}

impl WriteSession {
    fn new(store: &Store, connection: Connection, receipt: Receipt) -> Self {
        let (reads, journal) = (ReadSession::new(connection, receipt.scope.clone()), store.journal_signals());
        let credentials = store.known_credentials();
        Self {
            reads,
            receipt,
            changed: false,
            noted: false,
            journal,
            credentials,
            changes_credentials: false,
        }
    }

    /// A session of a worker, which has no caller. The moment of the change is read when the session may write.
    pub(super) async fn of_worker(
        store: &Store,
        owner: &str,
        now: impl FnOnce() -> Timestamp + Send,
    ) -> Result<Self> {
        let scope = Scope::System;
        let connection = store.connect_to_write(&scope, None).await?;
        let actor = format!("worker:{owner}");
        let receipt = Receipt { actor, scope, now: now(), request: None };
        Ok(Self::new(store, connection, receipt))
    }

    /// Makes the changes last, with an entry of the journal for each note, and remembers `response` as the answer.
    pub async fn commit(mut self, notes: impl Into<Notes>, response: &[u8]) -> Result<()> {
        for note in notes.into().as_slice() {
            self.write_note(note).await?;
        }
        self.end_with(response).await
    }

    /// Writes the entry of a note before the session ends, for a change that refers to its entry.
    pub(super) async fn write_note(&mut self, note: &Note) -> Result<()> {
        let values = values![
            self.receipt.now,
            note.actor.as_deref().unwrap_or(&self.receipt.actor),
            note.organisation.as_ref().map(OrganisationId::as_str),
            note.action,
            note.resource.as_str(),
            note.version,
            note.detail.as_str(),
        ];
        let written = self.reads.connection().execute(journal::APPEND.0, values).await?;
        self.noted = true;
        fault::expect_rows(journal::APPEND.0.name, written, 1)
    }

    /// Makes the changes last whose notes were written before.
    pub(super) async fn commit_written(self) -> Result<()> {
        if self.changed && !self.noted {
            return Err(Error::internal("a change was committed without its entry in the journal"));
        }
        self.end_with(&[]).await
    }

    /// Remembers `response` as the answer to a request that has changed nothing.
    ///
    /// Fails if the session has changed a row: such a session is committed with its notes.
    pub async fn commit_unchanged(self, response: &[u8]) -> Result<()> {
        if self.changed {
            return Err(Error::internal("a change was committed without its entry in the journal"));
        }
        self.end_with(response).await
    }

    async fn end_with(mut self, response: &[u8]) -> Result<()> {
        if response.len() > MOST_ANSWER {
            return Err(Error::internal("the answer to a change is too large to be sent"));
        }
        if let Some(request) = &self.receipt.request {
            let values = values![self.receipt.actor.as_str(), request.id.as_str(), response];
            let answered = self.reads.connection().execute(ANSWER.0, values).await?;
            fault::expect_rows(ANSWER.0.name, answered, 1)?;
        }
        // Also after an error, or if the call is given up meanwhile: the change may last.
        let _forgetting = self.changes_credentials.then(|| Forgetting(Arc::clone(&self.credentials)));
        self.reads.into_connection().commit().await?;
        if self.noted {
            self.journal.written();
        }
        Ok(())
    }

    /// The moment of the change.
    pub fn now(&self) -> Timestamp {
        self.receipt.now
    }

    /// Id of the principal.
    pub(super) fn actor(&self) -> &str {
        &self.receipt.actor
    }

    /// The session's reads, in the caller's scope.
    pub(super) fn reads(&mut self) -> &mut ReadSession {
        &mut self.reads
    }

    /// Runs a statement on rows of `owner`, and returns the number of rows that it changed. Fails if the owner's rows do
    /// not exist in the caller's scope.
    pub(super) async fn change(
        &mut self,
        owner: Owner<'_>,
        statement: Change,
        values: Vec<Value>,
    ) -> Result<u64> {
        self.receipt.scope.admit(owner)?;
        self.changes_credentials |= is_of_credentials(statement.0.name);
        let rows = self.reads.connection().execute(statement.0, values).await?;
        self.changed |= rows > 0;
        Ok(rows)
    }

    /// Runs a statement that must change exactly `expected` rows of `owner`.
    pub(super) async fn change_exactly(
        &mut self,
        expected: u64,
        owner: Owner<'_>,
        statement: Change,
        values: Vec<Value>,
    ) -> Result<()> {
        let changed = self.change(owner, statement, values).await?;
        fault::expect_rows(statement.0.name, changed, expected)
    }

    /// Inserts rows of `owner`, and returns their number.
    pub(super) async fn insert(
        &mut self,
        owner: Owner<'_>,
        bulk: Change<Bulk>,
        rows: BulkRows<'_>,
    ) -> Result<u64> {
        self.receipt.scope.admit(owner)?;
        self.changes_credentials |= is_of_credentials(bulk.0.name);
        let inserted = self.reads.connection().insert(bulk.0, rows).await?;
        self.changed |= inserted > 0;
        Ok(inserted)
    }
}

/// A housekeeping session: a transaction without a journal line. The type of its statements limits it to what changes
/// nothing that people decide or read as a result: leases and progress of runs, staged rows, remembered answers. Dropped
/// without `commit`, it changes nothing.
#[derive(Debug)]
#[must_use = "a session that is not committed changes nothing"]
pub(super) struct Housekeeping(ReadSession);

impl Store {
    /// Begins a transaction of housekeeping.
    pub(super) async fn housekeeping(&self, scope: &Scope) -> Result<Housekeeping> {
        Ok(Housekeeping(ReadSession::new(self.connect_to_write(scope, None).await?, scope.clone())))
    }
}

impl Housekeeping {
    /// Whether another session cannot write before this one ends.
    pub(super) fn is_awaited(&mut self) -> bool {
        self.0.connection().is_awaited()
    }

    /// Rows to write before a look at whoever waits.
    pub(super) fn rows_in_a_piece(&mut self) -> usize {
        self.0.connection().rows_in_a_piece()
    }

    /// The session's reads.
    pub(super) fn reads(&mut self) -> &mut ReadSession {
        &mut self.0
    }

    /// Runs a statement and returns the number of rows that it changed.
    pub(super) async fn execute(&mut self, statement: Upkeep, values: Vec<Value>) -> Result<u64> {
        self.0.connection().execute(statement.0, values).await
    }

    /// Runs a statement that must change exactly `expected` rows.
    pub(super) async fn execute_exactly(
        &mut self,
        expected: u64,
        statement: Upkeep,
        values: Vec<Value>,
    ) -> Result<()> {
        let changed = self.execute(statement, values).await?;
        fault::expect_rows(statement.0.name, changed, expected)
    }

    /// Runs a statement that changes one row at most, and returns what it reports of the row.
    pub(super) async fn row(&mut self, statement: Upkeep, values: Vec<Value>) -> Result<Option<Row>> {
        self.0.connection().row(statement.0, values).await
    }

    /// Inserts rows and returns their number.
    pub(super) async fn insert(&mut self, bulk: Upkeep<Bulk>, rows: BulkRows<'_>) -> Result<u64> {
        self.0.connection().insert(bulk.0, rows).await
    }

    /// Makes the changes last.
    pub(super) async fn commit(self) -> Result<()> {
        self.0.into_connection().commit().await
    }

    /// Ends the session without a change.
    pub(super) async fn end(self) -> Result<()> {
        self.0.end().await
    }
}
