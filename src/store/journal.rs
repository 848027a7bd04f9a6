//! The journal: who changed what, and when. A change returns its note; the commit of a write session takes the notes and
//! appends one entry for each. Entries hold counts, codes and ids, never a person's answers.
//!
//! `seal` puts the entries into the chain of the audit; `audit` verifies it.

use jiff::Timestamp;

use super::backend::Store;
use super::dialect::{Row, values};
use super::fault;
use super::scope::{Owner, Scope};
use super::statement::statements;
use crate::domain::audit::{AuditEntry, Head};
use crate::domain::name::OrganisationId;
use crate::error::Result;

/// The columns of an entry.
macro_rules! entry {
    () => {
        "SELECT sequence, create_micros, actor, organisation_id, action, resource, version, detail, position, hash \
         FROM journal"
    };
}

/// Entries by time, after an entry and before a moment; the caller's condition follows.
macro_rules! by_time {
    ($condition:literal) => {
        concat!(
            $crate::store::journal::entry!(),
            " WHERE ",
            $condition,
            "(create_micros, sequence) > ($1, $2) AND create_micros < $3 ORDER BY create_micros, sequence LIMIT $4"
        )
    };
}

pub(super) use entry;

statements! {
    query LIST = split("journal.list", by_time!("");
        "journal.list_of_organisation",
        by_time!("organisation_id = $5 AND "));
    query LIST_OF_ACTOR = split("journal.list_of_actor", by_time!("actor = $5 AND ");
        "journal.list_of_actor_of_organisation",
        by_time!("actor = $5 AND organisation_id = $6 AND "));
    query LIST_OF_RESOURCE = split(
        "journal.list_of_resource",
        by_time!("resource = $5 AND (CAST($6 AS TEXT) IS NULL OR actor = $6) AND ");
        "journal.list_of_resource_of_organisation",
        by_time!("resource = $5 AND (CAST($6 AS TEXT) IS NULL OR actor = $6) AND organisation_id = $7 AND "));
    change APPEND = ("journal.append",
        "INSERT INTO journal (create_micros, actor, organisation_id, action, resource, version, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)");
}

/// What the journal will say of a change. Only the functions of the store that change something make notes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the commit of the change takes its note"]
pub struct Note {
    /// Who did it, if not who writes the entry.
    pub(super) actor: Option<String>,
    pub(super) organisation: Option<OrganisationId>,
    pub(super) action: &'static str,
    pub(super) resource: String,
    pub(super) version: Option<i64>,
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
        let organisation = owner.organisation().cloned();
        Self { actor: None, organisation, action, resource, version: None, detail: detail.to_string() }
    }

    /// The same note, about what somebody else did.
    pub(super) fn of_actor(self, actor: String) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// The same note, with the version of the resource after the change.
    pub(super) fn of_version(self, version: i64) -> Self {
        Self { version: Some(version), ..self }
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

/// Which entries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalFilter {
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Of this actor.
    pub actor: Option<String>,
    /// On this resource.
    pub resource: Option<String>,
}

/// The place of an entry in a list: its time and its number.
pub type JournalPlace = (Timestamp, i64);

impl Store {
    /// Entries by time, after the place `after`, at most `limit`; in the scope of organisations, the entries that concern it.
    pub async fn list_journal(
        &self,
        scope: &Scope,
        filter: &JournalFilter,
        after: Option<JournalPlace>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>> {
        let before = filter.from.map_or(i64::MIN, |from| from.as_microsecond().saturating_sub(1));
        let (micros, sequence) = match after {
            Some((time, sequence)) if time.as_microsecond() > before => (time.as_microsecond(), sequence),
            _ => (before, i64::MAX),
        };
        let until = filter.until.map_or(i64::MAX, Timestamp::as_microsecond);
        let mut values = values![micros, sequence, until, limit];
        let statement = match (&filter.resource, &filter.actor) {
            (Some(resource), actor) => {
                values.extend(values![resource.as_str(), actor.as_deref()]);
                LIST_OF_RESOURCE
            }
            (None, Some(actor)) => {
                values.extend(values![actor.as_str()]);
                LIST_OF_ACTOR
            }
            (None, None) => LIST,
        };
        let mut session = self.reader(scope).await?;
        let rows = session.rows(statement, values).await?;
        session.end().await?;
        let mut entries = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        // The rows of one organisation are sorted already.
        entries.sort_by_key(|entry| (entry.time, entry.sequence));
        entries.truncate(limit as usize);
        Ok(entries)
    }
}

/// An entry from its row.
pub(super) fn read(row: &Row) -> Result<AuditEntry> {
    let seal = match row.opt_int("position")? {
        None => None,
        Some(position) => {
            let hash = row.opt_text("hash")?.unwrap_or_default();
            // A hash that is none is the fault of an entry: its verification must find it and not fail.
            Some(Head::from_stored(position, &hash).unwrap_or(Head { position, hash: [0; 32] }))
        }
    };
    Ok(AuditEntry {
        sequence: row.int("sequence")?,
        time: row.time("create_micros").unwrap_or(Timestamp::MIN),
        actor: row.text("actor")?,
        organisation: row.opt_text("organisation_id")?,
        action: row.text("action")?,
        resource: row.text("resource")?,
        version: row.opt_int("version")?,
        detail: row.text("detail")?,
        seal,
    })
}

/// A stored head.
pub(super) fn read_head(row: &Row, position: &'static str, hash: &'static str) -> Result<Head> {
    let at = row.int(position)?;
    let stored = Head::from_stored(at, &row.text(hash)?);
    stored.ok_or_else(|| fault::corrupt("journal_head", hash, &"1", "the column holds no hash"))
}
