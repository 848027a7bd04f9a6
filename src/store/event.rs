//! Events: the sealed entries of the journal, read in the order of their positions.

use super::backend::Store;
use super::dialect::values;
use super::journal;
use super::scope::Scope;
use super::statement::statements;
use crate::domain::event::Event;
use crate::error::{Error, Result};

/// Positions of one window. A reader holds the events of one window at a time.
const WINDOW: i64 = 500;

statements! {
    query BOUNDS = shared("journal_head.bounds", "SELECT position, cut_position FROM journal_head WHERE id = 1");
    query WINDOW_OF = filtered("journal.window",
        concat!(journal::entry!(), " WHERE position > $1 AND position <= $2 AND (organisation_id IS NULL \
            OR (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || organisation_id || ',%')) ORDER BY position"));
    query KEY = hidden("service_key.get", "SELECT secret FROM service_key WHERE name = $1");
    upkeep CREATE_KEY = ("service_key.create",
        "INSERT INTO service_key (name, secret) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
}

/// Where the events begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventBounds {
    /// The position before the first event that is kept.
    pub cut: i64,
    /// The position of the last entry.
    pub head: i64,
}

impl Store {
    /// Where the events begin and end now.
    pub async fn event_bounds(&self, scope: &Scope) -> Result<EventBounds> {
        let mut session = self.reader(scope).await?;
        let row = session.one(BOUNDS, values![]).await?;
        session.end().await?;
        Ok(EventBounds { cut: row.int("cut_position")?, head: row.int("position")? })
    }

    /// The events of some positions after `after`, and the last of these positions; nothing else of the scope lies between. In
    /// the scope of organisations: their events, and those of the alliance.
    ///
    /// Fails with `EventsExpired` if entries after `after` were deleted.
    pub async fn events(&self, scope: &Scope, after: i64) -> Result<(Vec<Event>, i64)> {
        let mut session = self.snapshot_reader(scope).await?;
        let bounds = session.one(BOUNDS, values![]).await?;
        let last = bounds.int("position")?.min(after.saturating_add(WINDOW)).max(after);
        if bounds.int("cut_position")? > after {
            return Err(Error::EventsExpired);
        }
        let rows =
            if last > after { session.rows(WINDOW_OF, values![after, last]).await? } else { Vec::new() };
        session.end().await?;
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            events.extend(Event::of(journal::read(row)?));
        }
        Ok((events, last))
    }

    /// A secret of the service, as stored. If there is none yet, `fresh` becomes it; of several processes that begin at the
    /// same time, one is the first.
    pub async fn service_key(&self, scope: &Scope, name: &'static str, fresh: &str) -> Result<String> {
        scope.require_system()?;
        let mut reader = self.reader(scope).await?;
        let found = reader.row(KEY, values![name]).await?;
        reader.end().await?;
        if let Some(row) = found {
            return row.text("secret");
        }
        let mut session = self.housekeeping(scope).await?;
        session.execute(CREATE_KEY, values![name, fresh]).await?;
        let stored = session.reads().one(KEY, values![name]).await?.text("secret")?;
        session.commit().await?;
        Ok(stored)
    }
}
