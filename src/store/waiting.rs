//! The waiting list: who stayed without a match in a published round. It is read from the published runs and not kept beside
//! them, so that a repair, a publication that is taken back and an erasure change it by themselves.
//!
//! A mentee waits from the first publication that gave her no match on, until a later publication gives her one or she leaves
//! the list. Of a repaired round the superseded publications count for the beginning alone.

use std::collections::BTreeMap;

use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, Value, values};
use super::journal::Note;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{organisation, profile};
use crate::domain::name::{OrganisationId, OwnId, ProfileRef, RunRef};
use crate::domain::run::Unmatched;
use crate::domain::waiting::{Waiting, WaitingCause, WaitingMentee};
use crate::error::{Error, Result};

statements! {
    // The organisations are $1 to $2, the people $3 to $4, and the place of the last one on the page before is $5 to $8.
    query LIST = filtered("waiting.list",
        "SELECT q.organisation_id, q.own_id, q.since_micros, q.rounds, q.lost, u.round_id, u.run_number, u.own_document \
         FROM (SELECT w.organisation_id, w.own_id, MIN(s.publish_micros) AS since_micros, COUNT(DISTINCT s.round_id) AS rounds, \
         MAX(CASE WHEN s.state = 'published' THEN s.publish_micros ELSE 0 END) AS last_micros, \
         MAX(CASE WHEN EXISTS (SELECT 1 FROM submission b JOIN run_match m ON m.round_id = b.round_id \
         AND m.run_number = b.run_number AND m.mentee_organisation_id = w.organisation_id AND m.mentee_own_id = w.own_id \
         WHERE b.round_id = s.round_id AND b.state = 'superseded' AND b.number < s.number) \
         THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS lost \
         FROM submission p JOIN submission s ON s.round_id = p.round_id AND s.state IN ('published', 'superseded') \
         JOIN run_unmatched w ON w.round_id = s.round_id AND w.run_number = s.run_number AND w.organisation_id >= $1 \
         AND w.organisation_id <= $2 AND w.own_id >= $3 AND w.own_id <= $4 AND w.side = 'mentee' \
         WHERE p.state = 'published' AND NOT EXISTS (SELECT 1 FROM submission n JOIN run_match m ON m.round_id = n.round_id \
         AND m.run_number = n.run_number AND m.mentee_organisation_id = w.organisation_id AND m.mentee_own_id = w.own_id \
         WHERE n.state = 'published' AND (n.publish_micros > s.publish_micros \
         OR (n.round_id = s.round_id AND n.number > s.number))) \
         AND NOT EXISTS (SELECT 1 FROM waiting_leave l WHERE l.organisation_id = w.organisation_id AND l.own_id = w.own_id \
         AND l.leave_micros >= s.publish_micros) \
         AND (CAST($10 AS TEXT) IS NULL OR $10 LIKE '%,' || w.organisation_id || ',%') \
         GROUP BY w.organisation_id, w.own_id) AS q \
         CROSS JOIN submission f CROSS JOIN run_unmatched u WHERE f.state = 'published' AND f.publish_micros = q.last_micros \
         AND u.round_id = f.round_id AND u.run_number = f.run_number \
         AND u.organisation_id = q.organisation_id AND u.own_id = q.own_id AND u.side = 'mentee' \
         AND (1 - q.lost, q.since_micros, q.organisation_id, q.own_id) > ($5, $6, $7, $8) \
         ORDER BY 1 - q.lost, q.since_micros, q.organisation_id, q.own_id LIMIT $9");
    // What the list of an organisation depends on beside its runs, which do not change. Every publication has a later time than
    // those before it.
    query STAMP = hidden("waiting.stamp",
        "SELECT (SELECT COUNT(*) FROM submission WHERE state = 'published' AND round_id > '') AS published, \
         (SELECT COALESCE(MAX(publish_micros), 0) FROM submission WHERE state = 'published' AND round_id > '') AS published_micros, \
         (SELECT COUNT(*) FROM waiting_leave WHERE organisation_id = $1) AS leavers, \
         (SELECT COALESCE(MAX(leave_micros), 0) FROM waiting_leave WHERE organisation_id = $1) AS left_micros");
    change LEAVE = ("waiting.leave",
        "INSERT INTO waiting_leave (organisation_id, own_id, actor, leave_micros) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (organisation_id, own_id) DO UPDATE SET actor = excluded.actor, leave_micros = excluded.leave_micros");
    query LEFT_AT = hidden("waiting.left",
        "SELECT leave_micros FROM waiting_leave WHERE organisation_id = $1 AND own_id = $2");
    upkeep FORGET_LEAVE = ("waiting.erase",
        "DELETE FROM waiting_leave WHERE organisation_id = $1 AND own_id = $2");
}

/// The place of a mentee on the list: by cause, then by waiting time, then by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingPlace {
    /// Number of the cause, in the order in which a next round serves them.
    pub cause: i64,
    /// Since when she waits, in microseconds.
    pub since: i64,
    /// Id of the organisation.
    pub organisation: String,
    /// The organisation's own id for her.
    pub own_id: String,
}

impl WaitingPlace {
    /// The place before all.
    const START: Self =
        Self { cause: -1, since: i64::MIN, organisation: String::new(), own_id: String::new() };

    /// The place of a mentee.
    pub fn of(mentee: &WaitingMentee) -> Self {
        Self {
            cause: mentee.cause as i64,
            since: mentee.since.as_microsecond(),
            organisation: mentee.profile.organisation.to_string(),
            own_id: mentee.profile.id.to_string(),
        }
    }
}

/// No id is greater.
const LAST_ID: &str = "~";
/// The waiting mentees of an organisation, as they were at one moment. It costs more to compute them than to see that nothing
/// has changed since.
#[derive(Debug, Clone)]
pub struct WaitingList {
    stamp: [i64; 4],
    people: BTreeMap<OwnId, Waiting>,
}

impl WaitingList {
    /// The people, by id.
    pub fn ids(&self) -> Vec<OwnId> {
        self.people.keys().cloned().collect()
    }

    /// What an enrolment of a person keeps of the list.
    pub(super) fn of(&self, person: &OwnId) -> Option<&Waiting> {
        self.people.get(person)
    }

    async fn read(session: &mut ReadSession, organisation: &OrganisationId) -> Result<Self> {
        let stamp = stamp(session, organisation).await?;
        let range = values![organisation, organisation, "", LAST_ID];
        let all = page(session, range, &WaitingPlace::START, u32::MAX).await?;
        let people = all.into_iter().map(|mentee| (mentee.profile.id.clone(), mentee.waiting())).collect();
        Ok(Self { stamp, people })
    }
}

impl Store {
    /// The waiting mentees of an organisation, to enrol people of it.
    pub async fn waiting_list(&self, scope: &Scope, organisation: &OrganisationId) -> Result<WaitingList> {
        let mut session = self.snapshot_reader(scope).await?;
        let list = WaitingList::read(&mut session, organisation).await;
        session.end().await?;
        list
    }

    /// Mentees who wait, of one organisation or of all in the scope, the first to be served first: after a place, at most
    /// `limit`.
    pub async fn list_waiting(
        &self,
        scope: &Scope,
        of: Option<&OrganisationId>,
        after: Option<&WaitingPlace>,
        limit: u32,
    ) -> Result<Vec<WaitingMentee>> {
        let mut session = self.snapshot_reader(scope).await?;
        if let Some(organisation) = of {
            organisation::require(&mut session, organisation).await?;
        }
        let organisations = of.map_or(("", LAST_ID), |one| (one.as_str(), one.as_str()));
        let range = values![organisations.0, organisations.1, "", LAST_ID];
        let mut found = page(&mut session, range, after.unwrap_or(&WaitingPlace::START), limit).await?;
        add_profiles(&mut session, &mut found).await?;
        session.end().await?;
        Ok(found)
    }

    /// What [`WriteSession::leave_waiting`] would return, or its error. Nothing is written.
    pub async fn check_waiting(&self, scope: &Scope, person: &ProfileRef) -> Result<WaitingMentee> {
        let mut session = self.snapshot_reader(scope).await?;
        let found = of_person(&mut session, person).await;
        session.end().await?;
        found
    }
}

impl WriteSession {
    /// Takes a mentee off the list. She is on it again after the next publication that gives her no match.
    ///
    /// Fails with `NotFound` if she does not wait.
    pub async fn leave_waiting(&mut self, person: &ProfileRef) -> Result<(WaitingMentee, Note)> {
        let owner = Owner::Organisation(&person.organisation);
        self.reads().scope().admit(owner).map_err(|_| Error::NotFound(person.waiting_name()))?;
        self.lock_organisation(&person.organisation).await?;
        let found = of_person(self.reads(), person).await?;
        let (actor, now) = (self.actor().to_owned(), self.now());
        let values = values![&person.organisation, &person.id, actor.as_str(), now];
        self.change_exactly(1, owner, LEAVE, values).await?;
        // The journal names no participant.
        let note = Note::new(owner, "waiting.leave", person.organisation.name(), &json!({ "left": 1 }));
        Ok((found, note))
    }

    /// The waiting mentees of an organisation as they are now: the ones that were read before, unless a publication or a leaver
    /// has come between. Nobody leaves the list until the session ends.
    pub async fn waiting_now(
        &mut self,
        organisation: &OrganisationId,
        known: WaitingList,
    ) -> Result<WaitingList> {
        self.lock_organisation(organisation).await?;
        if stamp(self.reads(), organisation).await? == known.stamp {
            return Ok(known);
        }
        WaitingList::read(self.reads(), organisation).await
    }
}

async fn stamp(session: &mut ReadSession, organisation: &OrganisationId) -> Result<[i64; 4]> {
    let row = session.one(STAMP, values![organisation]).await?;
    let columns = ["published", "published_micros", "leavers", "left_micros"];
    let mut stamp = [0; 4];
    for (value, column) in stamp.iter_mut().zip(columns) {
        *value = row.int(column)?;
    }
    Ok(stamp)
}

pub(super) async fn of_person(session: &mut ReadSession, person: &ProfileRef) -> Result<WaitingMentee> {
    let ProfileRef { organisation, id } = person;
    let range = values![organisation, organisation, id, id];
    let mut found = page(session, range, &WaitingPlace::START, 1).await?;
    add_profiles(session, &mut found).await?;
    found.pop().ok_or_else(|| Error::NotFound(person.waiting_name()))
}

async fn page(
    session: &mut ReadSession,
    range: Vec<Value>,
    after: &WaitingPlace,
    limit: u32,
) -> Result<Vec<WaitingMentee>> {
    let WaitingPlace { cause, since, organisation, own_id } = after;
    let mut values = range;
    values.extend(values![*cause, *since, organisation.as_str(), own_id.as_str(), limit]);
    let mut found: Vec<WaitingMentee> =
        session.rows(LIST, values).await?.iter().map(read).collect::<Result<_>>()?;
    // Two runs that were published at the same moment may both be the last one.
    found.dedup_by(|a, b| a.profile == b.profile);
    Ok(found)
}

/// Adds the waiting dates of the profiles.
async fn add_profiles(session: &mut ReadSession, found: &mut [WaitingMentee]) -> Result<()> {
    let mut people: BTreeMap<OrganisationId, Vec<OwnId>> = BTreeMap::new();
    for WaitingMentee { profile: ProfileRef { organisation, id }, .. } in found.iter() {
        people.entry(organisation.clone()).or_default().push(id.clone());
    }
    let mut told = BTreeMap::new();
    for (organisation, ids) in &people {
        for profile in profile::named(session, organisation, ids).await? {
            let since = profile.content.mentee_request.and_then(|request| request.waiting_since);
            told.insert(profile.name, since);
        }
    }
    for mentee in found {
        mentee.told_since = told.remove(&mentee.profile).flatten();
    }
    Ok(())
}

fn read(row: &Row) -> Result<WaitingMentee> {
    let profile = ProfileRef {
        organisation: row.id("run_unmatched", "organisation_id")?,
        id: row.id("run_unmatched", "own_id")?,
    };
    let run = RunRef { round: row.id("run_unmatched", "round_id")?, number: row.int("run_number")? };
    let entry: Unmatched = row.json("run_unmatched", &profile, "own_document")?;
    Ok(WaitingMentee {
        since: row.time("since_micros")?,
        cause: if row.int("lost")? == 1 { WaitingCause::LostMatch } else { WaitingCause::NoMatch },
        rounds: row.int("rounds")?,
        reason: entry.reason,
        told_since: None,
        profile,
        run,
    })
}
