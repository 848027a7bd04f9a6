//! The journal: who changed what, and when. A change returns its note; the commit of a write session takes the notes and
//! appends one line for each. Lines hold counts and codes, never a person's answers.

use jiff::Timestamp;

use super::backend::Store;
use super::dialect::values;
use super::scope::{Owner, Scope};
use super::statement::statements;
use crate::domain::name::OrganisationId;
use crate::error::Result;

statements! {
    query LIST = split("journal.list",
        "SELECT sequence, create_micros, actor, organisation_id, action, resource, detail \
         FROM journal WHERE sequence > $1 ORDER BY sequence LIMIT $2";
        "journal.list_of_organisation",
        "SELECT sequence, create_micros, actor, organisation_id, action, resource, detail \
         FROM journal WHERE organisation_id = $3 AND sequence > $1 ORDER BY sequence LIMIT $2");
    change APPEND = ("journal.append",
        "INSERT INTO journal (create_micros, actor, organisation_id, action, resource, detail) \
         VALUES ($1, $2, $3, $4, $5, $6)");
}

/// What the journal will say of a change. Only the functions of the store that change something make notes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the commit of the change takes its note"]
pub struct Note {
    pub(super) organisation: Option<OrganisationId>,
    pub(super) action: &'static str,
    pub(super) resource: String,
    pub(super) detail: String,
}

impl Note {
    /// The note of an action, written `noun.verb`, on rows of `owner`. `detail` holds counts and codes.
    pub(super) fn new(
        owner: Owner<'_>,
        action: &'static str,
        resource: String,
        detail: &serde_json::Value,
    ) -> Self {
        Self { organisation: owner.organisation().cloned(), action, resource, detail: detail.to_string() }
    }
}

/// The notes of a session, in the order of its changes; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notes(Vec<Note>);

impl Notes {
    /// Several notes; `None` if there are none, because nothing was changed.
    pub fn of(notes: impl IntoIterator<Item = Note>) -> Option<Self> {
        let notes: Vec<Note> = notes.into_iter().collect();
        (!notes.is_empty()).then_some(Self(notes))
    }

    /// The notes, in order.
    pub(super) fn as_slice(&self) -> &[Note] {
        &self.0
    }
}

impl From<Note> for Notes {
    fn from(note: Note) -> Self {
        Self(vec![note])
    }
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Its number. Lines are in the order in which they were written, with gaps where a change was not committed.
    pub sequence: i64,
    /// The moment of the change.
    pub time: Timestamp,
    /// Who changed it: the id of a token, `worker:{id}`, or `operator` for commands at the machine itself.
    pub actor: String,
    /// The organisation concerned, if the change concerns one.
    pub organisation: Option<String>,
    /// The action, as `noun.verb`.
    pub action: String,
    /// Name of the changed resource.
    pub resource: String,
    /// Counts and codes, as JSON.
    pub detail: String,
}

impl Store {
    /// Lines after number `after`, at most `limit`; in the scope of an organisation, the lines that concern it.
    pub async fn list_journal(&self, scope: &Scope, after: i64, limit: u32) -> Result<Vec<JournalLine>> {
        let mut session = self.reader(scope).await?;
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
