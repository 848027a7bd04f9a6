//! A session that writes: one transaction that carries the change, its journal lines and the answer remembered under
//! the caller's `request_id`. Either all of it lasts or none.

use jiff::Timestamp;
use serde::Serialize;

use super::dialect::{Row, Session, Statement, Value, json, statements, values};
use super::{Scope, Store, fault, journal};
use crate::domain::name::OrganisationId;
use crate::error::{Error, Result};

statements! {
    RESERVE = ("idempotency.reserve",
        "INSERT INTO idempotency (token_id, request_id, method, payload_digest, response, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (token_id, request_id) DO NOTHING");
    RECALL = ("idempotency.recall",
        "SELECT method, payload_digest, response FROM idempotency WHERE token_id = $1 AND request_id = $2");
    ANSWER = ("idempotency.answer",
        "UPDATE idempotency SET response = $3 WHERE token_id = $1 AND request_id = $2");
    PURGE = ("idempotency.purge", "DELETE FROM idempotency WHERE create_micros < $1");
}

/// Who changes what, when, and under which `request_id`.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Id of the caller's token: the journal's actor.
    pub actor: String,
    /// What she may touch.
    pub scope: Scope,
    /// The moment of the change.
    pub now: Timestamp,
    /// What the answer is remembered under; `None` if the caller gave no `request_id`.
    pub request: Option<RequestKey>,
}

/// What an answer is remembered under, and what must be the same for it to be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's `request_id`; unique within her token.
    pub id: String,
    /// The method.
    pub method: &'static str,
    /// Digest of the request without its `request_id`.
    pub payload_digest: String,
}

/// Either a session for a new request, or the first answer to a repeated one.
#[derive(Debug)]
#[must_use]
pub enum Begun {
    /// The request is new: do it, then commit with its answer.
    Fresh(WriteSession),
    /// The request was done before: this was the answer.
    Repeated(Vec<u8>),
}

/// A transaction that writes. Dropped without `commit`, it leaves no trace.
#[derive(Debug)]
#[must_use = "a session that is not committed changes nothing"]
pub struct WriteSession {
    session: Session,
    receipt: Receipt,
}

impl Store {
    /// Begins a change. Of two equal requests at the same time the second waits for the first and gets its answer.
    ///
    /// Fails with `RequestIdReused` if the `request_id` was used for another method or payload.
    pub async fn begin(&self, receipt: Receipt) -> Result<Begun> {
        let mut session = self.writer().await?;
        let Some(request) = &receipt.request else {
            return Ok(Begun::Fresh(WriteSession { session, receipt }));
        };
        // The row is written before the change: an equal request then waits for this transaction's end on its key.
        let reserved = session
            .execute(
                RESERVE,
                values![
                    receipt.actor.as_str(),
                    request.id.as_str(),
                    request.method,
                    request.payload_digest.as_str(),
                    Vec::new(),
                    receipt.now,
                ],
            )
            .await?;
        if reserved == 1 {
            return Ok(Begun::Fresh(WriteSession { session, receipt }));
        }
        let first = session.one(RECALL, values![receipt.actor.as_str(), request.id.as_str()]).await?;
        session.end().await?;
        first_answer(&first, request).map(Begun::Repeated)
    }

    /// The first answer to a request, if it was done before; without beginning a change.
    pub async fn recall(&self, actor: &str, request: &RequestKey) -> Result<Option<Vec<u8>>> {
        let mut session = self.reader().await?;
        let row = session.row(RECALL, values![actor, request.id.as_str()]).await?;
        session.end().await?;
        row.map(|row| first_answer(&row, request)).transpose()
    }

    /// Forgets answers given before `limit`, and says how many.
    pub async fn purge_answers(&self, limit: Timestamp) -> Result<u64> {
        let mut session = self.writer().await?;
        let purged = session.execute(PURGE, values![limit]).await?;
        session.commit().await?;
        Ok(purged)
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
    /// A session of the service itself, without a caller: what workers do.
    pub(super) async fn of_worker(store: &Store, owner: &str, now: Timestamp) -> Result<Self> {
        let receipt =
            Receipt { actor: format!("worker:{owner}"), scope: Scope::Alliance, now, request: None };
        Ok(Self { session: store.writer().await?, receipt })
    }

    /// Makes the change last, remembering `response` as the answer to the request.
    pub async fn commit(mut self, response: &[u8]) -> Result<()> {
        if let Some(request) = &self.receipt.request {
            let values = values![self.receipt.actor.as_str(), request.id.as_str(), response];
            let answered = self.session.execute(ANSWER, values).await?;
            fault::expect_rows(ANSWER.name, answered, 1)?;
        }
        self.session.commit().await
    }

    /// The moment of the change.
    pub fn now(&self) -> Timestamp {
        self.receipt.now
    }

    pub(super) fn actor(&self) -> &str {
        &self.receipt.actor
    }

    pub(super) fn connection(&mut self) -> &mut Session {
        &mut self.session
    }

    /// `Ok` if the scope covers `organisation`; otherwise it does not exist.
    pub(super) fn covered(&self, organisation: &OrganisationId) -> Result<()> {
        if self.receipt.scope.covers(organisation) {
            Ok(())
        } else {
            Err(Error::NotFound(organisation.name()))
        }
    }

    /// Runs a statement that must change exactly one row.
    pub(super) async fn change_one(&mut self, statement: Statement, values: Vec<Value>) -> Result<()> {
        let changed = self.session.execute(statement, values).await?;
        fault::expect_rows(statement.name, changed, 1)
    }

    /// Writes a line of the journal. `detail` holds counts and codes, never a person's answers.
    pub(super) async fn note(
        &mut self,
        organisation: Option<&OrganisationId>,
        action: &'static str,
        resource: &str,
        detail: &impl Serialize,
    ) -> Result<()> {
        let values = values![
            self.receipt.now,
            self.receipt.actor.as_str(),
            organisation.map(OrganisationId::as_str),
            action,
            resource,
            json(detail)?,
        ];
        self.change_one(journal::APPEND, values).await
    }
}
