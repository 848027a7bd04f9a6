//! Following events.
//!
//! A feed reads the sealed entries of the journal from a place on, a window at a time, and waits for new ones. It holds one
//! window, whatever the speed of its reader. Rounds are checked by the same read as GetRound: an event of a round that the
//! caller may not read does not exist.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::watch;

use super::{Action, Service};
use crate::clock::Stopwatch;
use crate::domain::caller::Caller;
use crate::domain::cursor::{CursorKey, NONCE};
use crate::domain::event::Event;
use crate::domain::name::{MentorshipRef, RoundId};
use crate::error::{Error, Result};
use crate::store::Scope;

/// Time without an event after which a message shows that the feed is alive.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Time between two looks for entries that another process has sealed.
const LOOK: Duration = Duration::from_millis(500);
/// The name of the key of cursors.
const KEY: &str = "event-cursor";

/// One message of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event; `None` if the message only shows the place.
    pub event: Option<Event>,
    /// The place after this message.
    pub cursor: String,
}

/// A caller's feed of events.
#[derive(Debug)]
pub struct EventFeed {
    service: Service,
    scope: Scope,
    principal: String,
    key: CursorKey,
    sealed: watch::Receiver<i64>,
    /// Events of the window that were not delivered yet.
    waiting: VecDeque<Event>,
    /// The end of the window: everything up to it is delivered when nothing waits.
    place: i64,
    /// Since the last message; `None` before the first.
    quiet: Option<Stopwatch>,
}

impl Service {
    /// A feed of what the caller may read, after a cursor, from the oldest kept event on, or from now on.
    ///
    /// Fails with `InvalidFields` for a cursor that is not this caller's, and with `EventsExpired` for one that is too old.
    pub async fn stream_events(&self, caller: &Caller, cursor: &str, from_oldest: bool) -> Result<EventFeed> {
        let permit = Action::StreamEvents.permit(caller)?;
        let (scope, principal) = (permit.scope, permit.principal);
        let key = self.cursor_key().await?;
        let bounds = self.store.event_bounds(&scope).await?;
        let place = match cursor {
            "" if from_oldest => bounds.cut,
            "" => bounds.head,
            cursor => key.open(&principal, cursor).ok_or_else(|| {
                Error::invalid_field("cursor", "", "is not a cursor that this caller has got from the stream")
            })?,
        };
        if place < bounds.cut {
            return Err(Error::EventsExpired);
        }
        Ok(EventFeed {
            service: self.clone(),
            scope,
            principal,
            key,
            sealed: self.store.journal_sealed(),
            waiting: VecDeque::new(),
            place,
            quiet: None,
        })
    }

    /// The key of cursors. The server makes it at its first start, so that following events writes nothing.
    pub async fn cursor_key(&self) -> Result<CursorKey> {
        let mut fresh = [0; 32];
        self.clock.fill(&mut fresh);
        let stored = self.store.service_key(&Scope::System, KEY, &hex::encode(fresh)).await?;
        CursorKey::from_hex(&stored).ok_or_else(|| Error::internal("the stored key of cursors is no key"))
    }
}

impl EventFeed {
    /// The next message. It waits for an event, and for the time of a sign of life at most.
    pub async fn next(&mut self) -> Result<Delivery> {
        loop {
            if self.quiet.is_none() {
                return Ok(self.deliver(None));
            }
            if let Some(event) = self.waiting.pop_front() {
                return Ok(self.deliver(Some(event)));
            }
            self.sealed.mark_unchanged();
            let (events, last) = self.service.store.events(&self.scope, self.place).await?;
            if last > self.place {
                self.waiting = self.visible(events).await?;
                self.place = last;
                continue;
            }
            let left = KEEPALIVE.saturating_sub(self.quiet.map(|quiet| quiet.elapsed()).unwrap_or_default());
            if left.is_zero() {
                return Ok(self.deliver(None));
            }
            tokio::select! {
                _ = self.sealed.changed() => {}
                () = tokio::time::sleep(left.min(LOOK)) => {}
            }
        }
    }

    /// A message, with the place of its event, or the end of the window behind its last event.
    fn deliver(&mut self, event: Option<Event>) -> Delivery {
        let place = match &event {
            Some(event) if !self.waiting.is_empty() => event.position,
            _ => self.place,
        };
        self.quiet = Some(Stopwatch::start());
        let mut nonce = [0; NONCE];
        self.service.clock.fill(&mut nonce);
        Delivery { event, cursor: self.key.seal(&self.principal, place, nonce) }
    }

    /// Whether a name is that of no mentorship, or of one that the caller may read.
    async fn is_of_own_mentorship(&self, name: &str) -> Result<bool> {
        match MentorshipRef::from_name(name) {
            Ok(mentorship) => self.service.store.has_mentorship(&self.scope, &mentorship).await,
            Err(_) => Ok(true),
        }
    }

    /// The events that the caller may know of: those of rounds and mentorships that she may read.
    async fn visible(&self, events: Vec<Event>) -> Result<VecDeque<Event>> {
        if self.scope.organisations().is_none() {
            return Ok(events.into());
        }
        let (mut visible, mut rounds) = (VecDeque::with_capacity(events.len()), HashMap::new());
        for event in events {
            let round = event.name.strip_prefix("rounds/").and_then(|rest| rest.split('/').next());
            let seen = match round.and_then(|id| id.parse::<RoundId>().ok()) {
                // The store has left out what is of other organisations.
                // Every organisation may read every consultation.
                None => event.is_of_organisation || event.name.starts_with("consultations/"),
                Some(id) => {
                    if let Some(seen) = rounds.get(&id) {
                        *seen
                    } else {
                        let seen = match self.service.store.round(&self.scope, &id).await {
                            Ok(_) => true,
                            Err(Error::NotFound(_)) => false,
                            Err(error) => return Err(error),
                        };
                        rounds.insert(id, seen);
                        seen
                    }
                }
            };
            if seen && self.is_of_own_mentorship(&event.name).await? {
                visible.push_back(event);
            }
        }
        Ok(visible)
    }
}
