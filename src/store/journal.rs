//! Who changed what, and when. Lines are written by the sessions that change; here they are read.

use jiff::Timestamp;

use super::Store;
use super::dialect::{statements, values};
use crate::error::Result;

statements! {
    LIST = ("journal.list",
        "SELECT sequence, create_micros, actor, organisation_id, action, resource, detail \
         FROM journal WHERE sequence > $1 ORDER BY sequence LIMIT $2");
}

/// Appends a line.
pub(super) const APPEND: super::dialect::Statement = super::dialect::statement!(
    "journal.append",
    "INSERT INTO journal (create_micros, actor, organisation_id, action, resource, detail) \
     VALUES ($1, $2, $3, $4, $5, $6)"
);

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Its number; lines are in the order in which they were written, with gaps where a change was not committed.
    pub sequence: i64,
    /// When.
    pub time: Timestamp,
    /// Id of the token that did it, or `worker:{id}`.
    pub actor: String,
    /// The organisation concerned, if it is one.
    pub organisation: Option<String>,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// Name of what it was done to.
    pub resource: String,
    /// Counts and codes, as JSON.
    pub detail: String,
}

impl Store {
    /// Lines after number `after`, at most `limit`.
    pub async fn list_journal(&self, after: i64, limit: u32) -> Result<Vec<JournalLine>> {
        let mut session = self.reader().await?;
        let rows = session.rows(LIST, values![after, limit]).await?;
        session.end().await?;
        rows.iter()
            .map(|row| {
                Ok(JournalLine {
                    sequence: row.int("sequence")?,
                    time: row.time("create_micros")?,
                    actor: row.text("actor")?,
                    organisation: row.opt_text("organisation_id")?,
                    action: row.text("action")?,
                    resource: row.text("resource")?,
                    detail: row.text("detail")?,
                })
            })
            .collect()
    }
}
