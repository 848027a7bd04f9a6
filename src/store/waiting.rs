//! The waiting list: who stayed without a match in a published round, and whose mentorship has ended so that she seeks another one. It
//! is read from the published runs and the mentorships and not kept beside them, so that a repair, a publication that is taken back
//! and an erasure change it by themselves.
//!
//! A mentee waits from the first publication that gave her no match on, until a later publication gives her one or she leaves
//! the list. Of a repaired round the superseded publications count for the beginning alone. After an end she waits from the end on,
//! as long as no later mentorship was proposed to her.

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

/// The number of the cause that the end of mentorship `t` is for its mentee, in the order of `WaitingCause::ALL`; NULL for none. A
/// test compares it with a model.
///
/// - A decline or an end that her mentor or an organisation states, and one for a fault of her mentor, is an early end.
/// - An end that she states herself without a fault of her mentor is no better than no match; if she takes part no more, she does
///   not wait.
/// - A no-show is hers if her mentor's side states it. If it is not said whose it is, it is neither for nor against her.
/// - Goals that were reached leave nothing to wait for. After a concern about conduct that she has not raised people speak first.
/// - A repair and a publication that is taken back are what the published runs say.
macro_rules! cause_of_end {
    () => {
        "CASE WHEN t.state = 'declined' THEN CASE WHEN COALESCE(t.mentee_answer, '') <> 'declined' THEN CAST(0 AS BIGINT) \
         WHEN COALESCE(t.mentee_reason, '') IN ('no_time', 'no_longer_available') THEN NULL ELSE CAST(2 AS BIGINT) END \
         WHEN t.state IN ('ended_early', 'withdrawn') AND t.end_reason = 'erased' THEN CAST(0 AS BIGINT) \
         WHEN t.state <> 'ended_early' OR t.end_reason IN ('goals_reached_early', 'replaced_by_repair', 'unpublished') THEN NULL \
         WHEN t.end_reason IN ('no_show', 'partner_unresponsive') THEN CASE COALESCE(t.end_side, '') \
         WHEN 'mentee' THEN CAST(0 AS BIGINT) WHEN 'mentor' THEN CAST(3 AS BIGINT) ELSE CAST(2 AS BIGINT) END \
         WHEN t.end_reason = 'conduct_concern' THEN CASE WHEN t.end_side = 'mentee' THEN CAST(0 AS BIGINT) END \
         WHEN t.end_side = 'mentee' THEN CASE WHEN t.end_reason IN ('no_longer_available', 'changed_role', 'left_sector') THEN NULL \
         ELSE CAST(2 AS BIGINT) END ELSE CAST(0 AS BIGINT) END"
    };
}

/// Publications that gave mentees no match, with the cause, of people of organisations `$1` to `$2` with ids `$3` to `$4`.
/// SQLite keeps the order of a cross join, and so walks the publications and not all entries of runs.
macro_rules! passed_over {
    () => {
        "SELECT w.organisation_id, w.own_id, s.publish_micros AS since_micros, s.round_id AS unmatched_round, \
         CASE WHEN s.state = 'published' THEN s.publish_micros ELSE CAST(0 AS BIGINT) END AS last_micros, \
         CASE WHEN EXISTS (SELECT 1 FROM submission b JOIN run_match m ON m.round_id = b.round_id \
         AND m.run_number = b.run_number AND m.mentee_organisation_id = w.organisation_id AND m.mentee_own_id = w.own_id \
         WHERE b.round_id = s.round_id AND b.state = 'superseded' AND b.number < s.number) \
         THEN CAST(1 AS BIGINT) ELSE CAST(2 AS BIGINT) END AS cause, '' AS ended \
         FROM submission p CROSS JOIN submission s CROSS JOIN run_unmatched w \
         WHERE p.state = 'published' AND s.round_id = p.round_id AND s.state IN ('published', 'superseded') \
         AND w.round_id = s.round_id AND w.run_number = s.run_number AND w.organisation_id >= $1 \
         AND w.organisation_id <= $2 AND w.own_id >= $3 AND w.own_id <= $4 AND w.side = 'mentee' \
         AND NOT EXISTS (SELECT 1 FROM submission n JOIN run_match m ON m.round_id = n.round_id \
         AND m.run_number = n.run_number AND m.mentee_organisation_id = w.organisation_id AND m.mentee_own_id = w.own_id \
         WHERE n.state = 'published' AND (n.publish_micros > s.publish_micros \
         OR (n.round_id = s.round_id AND n.number > s.number))) \
         AND NOT EXISTS (SELECT 1 FROM waiting_leave l WHERE l.organisation_id = w.organisation_id AND l.own_id = w.own_id \
         AND l.leave_micros >= s.publish_micros) \
         AND (CAST($10 AS TEXT) IS NULL OR $10 LIKE '%,' || w.organisation_id || ',%')"
    };
}

/// Mentorships of the same people that have ended so that their mentees wait: nobody has proposed a later one, none is live, and the
/// mentee was not erased.
macro_rules! ended {
    () => {
        concat!(
            "SELECT t.mentee_organisation_id, t.mentee_own_id, t.end_micros, NULL, CAST(0 AS BIGINT), ",
            cause_of_end!(),
            ", t.round_id || '/runs/' || CAST(t.run_number AS TEXT) FROM mentorship t \
             WHERE t.mentee_organisation_id >= $1 AND t.mentee_organisation_id <= $2 AND t.mentee_own_id >= $3 \
             AND t.mentee_own_id <= $4 AND t.state IN ('declined', 'ended_early', 'withdrawn') AND ",
            cause_of_end!(),
            " IS NOT NULL AND EXISTS (SELECT 1 FROM profile_version v WHERE v.organisation_id = t.mentee_organisation_id \
             AND v.own_id = t.mentee_own_id) AND NOT EXISTS (SELECT 1 FROM mentorship l \
             WHERE l.mentee_organisation_id = t.mentee_organisation_id AND l.mentee_own_id = t.mentee_own_id \
             AND l.state <> 'withdrawn' AND (l.end_micros IS NULL OR l.propose_micros > t.end_micros)) \
             AND NOT EXISTS (SELECT 1 FROM waiting_leave l WHERE l.organisation_id = t.mentee_organisation_id \
             AND l.own_id = t.mentee_own_id AND l.leave_micros >= t.end_micros) \
             AND (CAST($10 AS TEXT) IS NULL OR $10 LIKE '%,' || t.mentee_organisation_id || ',%')"
        )
    };
}

statements! {
    // The organisations are $1 to $2, the people $3 to $4, and the place of the last one on the page before is $5 to $8.
    query LIST = filtered("waiting.list",
        concat!("SELECT q.organisation_id, q.own_id, q.since_micros, q.rounds, q.cause, q.ended, u.round_id, u.run_number, u.own_document \
         FROM (SELECT e.organisation_id, e.own_id, MIN(e.since_micros) AS since_micros, COUNT(DISTINCT e.unmatched_round) AS rounds, \
         MAX(e.last_micros) AS last_micros, MIN(e.cause) AS cause, MAX(e.ended) AS ended FROM (",
         passed_over!(), " UNION ALL ", ended!(), ") AS e GROUP BY e.organisation_id, e.own_id) AS q \
         LEFT JOIN submission f ON f.state = 'published' AND f.publish_micros = q.last_micros \
         LEFT JOIN run_unmatched u ON u.round_id = f.round_id AND u.run_number = f.run_number \
         AND u.organisation_id = q.organisation_id AND u.own_id = q.own_id AND u.side = 'mentee' \
         WHERE (u.round_id IS NOT NULL OR q.last_micros = 0) \
         AND (q.cause, q.since_micros, q.organisation_id, q.own_id) > ($5, $6, $7, $8) \
         ORDER BY q.cause, q.since_micros, q.organisation_id, q.own_id LIMIT $9"));
    // What the list of an organisation depends on beside its runs, which do not change. Each step of a mentorship makes a version,
    // and every publication has a later time than those before it.
    query STAMP = filtered("waiting.stamp",
        "SELECT (SELECT COUNT(*) FROM submission WHERE state = 'published' AND round_id > '') AS published, \
         (SELECT COALESCE(MAX(publish_micros), 0) FROM submission WHERE state = 'published' AND round_id > '') AS published_micros, \
         (SELECT COUNT(*) FROM waiting_leave WHERE organisation_id = $1 \
         AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || organisation_id || ',%')) AS leavers, \
         (SELECT COALESCE(MAX(leave_micros), 0) FROM waiting_leave WHERE organisation_id = $1 \
         AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || organisation_id || ',%')) AS left_micros, \
         (SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM mentorship WHERE mentee_organisation_id = $1 \
         AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || mentee_organisation_id || ',%')) AS lives");
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
    stamp: [i64; 5],
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

async fn stamp(session: &mut ReadSession, organisation: &OrganisationId) -> Result<[i64; 5]> {
    let row = session.one(STAMP, values![organisation]).await?;
    let columns = ["published", "published_micros", "leavers", "left_micros", "lives"];
    let mut stamp = [0; 5];
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
    let (run, reason) = if row.opt_text("own_document")?.is_some() {
        let run = RunRef { round: row.id("run_unmatched", "round_id")?, number: row.int("run_number")? };
        let entry: Unmatched = row.json("run_unmatched", &profile, "own_document")?;
        (run, Some(entry.reason))
    } else {
        let named = |name: &str| RunRef::from_name(&format!("rounds/{name}")).ok();
        (row.parse("mentorship", &profile, "ended", named)?, None)
    };
    let cause = usize::try_from(row.int("cause")?).ok().and_then(|at| WaitingCause::ALL.get(at).copied());
    Ok(WaitingMentee {
        since: row.time("since_micros")?,
        cause: cause.ok_or_else(|| Error::internal("a cause of the waiting list has no number"))?,
        rounds: row.int("rounds")?,
        reason,
        told_since: None,
        profile,
        run,
    })
}
