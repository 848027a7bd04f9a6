//! Rounds, their policies and their enrolments.

use std::collections::HashMap;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{fault, profile};
use crate::domain::name::{OrganisationId, OwnId, RoundId};
use crate::domain::profile::StoredProfile;
use crate::domain::round::{EnrolmentCounts, Round, RoundContent, RoundState};
use crate::domain::salt::RoundSalt;
use crate::error::{Error, Result};

statements! {
    change CREATE = ("round.create",
        "INSERT INTO round \
         (id, display_name, start_date, end_date, salt, state, policy_version, version, create_micros, update_micros) \
         VALUES ($1, $2, $3, $4, $7, 'draft', $5, 1, $6, $6) ON CONFLICT (id) DO NOTHING");
    change CREATE_POLICY = ("policy.create",
        "INSERT INTO policy (round_id, version, document, digest, create_micros) VALUES ($1, $2, $3, $4, $5)");
    query GET = shared("round.get",
        "SELECT r.id, r.display_name, r.start_date, r.end_date, r.state, p.document, r.version, r.create_micros, \
         r.update_micros FROM round r JOIN policy p ON p.round_id = r.id AND p.version = r.policy_version \
         WHERE r.id = $1");
    query LIST = shared("round.list",
        "SELECT r.id, r.display_name, r.start_date, r.end_date, r.state, p.document, r.version, r.create_micros, \
         r.update_micros FROM round r JOIN policy p ON p.round_id = r.id AND p.version = r.policy_version \
         WHERE r.id > $1 ORDER BY r.id LIMIT $2");
    query COUNTS = split("enrolment.counts",
        "SELECT e.round_id, COUNT(*) AS profiles, CAST(SUM(p.is_mentor) AS BIGINT) AS mentors, \
         CAST(SUM(p.is_mentee) AS BIGINT) AS mentees FROM enrolment e \
         JOIN profile p ON p.organisation_id = e.organisation_id AND p.own_id = e.own_id \
         WHERE e.round_id >= $1 AND e.round_id <= $2 GROUP BY e.round_id";
        "enrolment.counts_of_organisation",
        "SELECT e.round_id, COUNT(*) AS profiles, CAST(SUM(p.is_mentor) AS BIGINT) AS mentors, \
         CAST(SUM(p.is_mentee) AS BIGINT) AS mentees FROM enrolment e \
         JOIN profile p ON p.organisation_id = e.organisation_id AND p.own_id = e.own_id \
         WHERE e.round_id >= $1 AND e.round_id <= $2 AND e.organisation_id = $3 GROUP BY e.round_id");
    query LOCK = shared("round.lock", locking: "SELECT state FROM round WHERE id = $1");
    change MOVE = ("round.move",
        "UPDATE round SET state = $2, version = version + 1, update_micros = $3 WHERE id = $1");
    change SETTLE = ("round.settle",
        "UPDATE round SET version = version + 1, update_micros = $2, state = CASE WHEN EXISTS \
         (SELECT 1 FROM run WHERE run.round_id = round.id AND run.state = 'succeeded') \
         THEN 'review' ELSE 'enrolling' END WHERE id = $1 AND state = 'matching'");
    // A profile that is enrolled already stays as it is.
    change ENROL = bulk(
        name: "enrolment.create",
        head: "INSERT INTO enrolment (round_id, organisation_id, own_id, actor, create_micros) VALUES",
        columns: 5,
        tail: " ON CONFLICT (round_id, organisation_id, own_id) DO NOTHING",
    );
}

impl Store {
    /// One round, with the enrolments that the scope covers.
    pub async fn round(&self, scope: &Scope, id: &RoundId) -> Result<Round> {
        let mut session = self.snapshot_reader(scope).await?;
        let Some(found) = session.row(GET, values![id]).await? else {
            session.end().await?;
            return Err(Error::NotFound(id.name()));
        };
        let mut counts = counts(&mut session, id, id).await?;
        session.end().await?;
        read(&found, &mut counts)
    }

    /// Rounds after id `after`, by id, at most `limit`, with the enrolments that the scope covers.
    pub async fn list_rounds(
        &self,
        scope: &Scope,
        after: Option<&RoundId>,
        limit: u32,
    ) -> Result<Vec<Round>> {
        let mut session = self.snapshot_reader(scope).await?;
        let rows = session.rows(LIST, values![after.map_or("", RoundId::as_str), limit]).await?;
        let mut found = HashMap::new();
        if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
            found = counts(&mut session, &first.id("round", "id")?, &last.id("round", "id")?).await?;
        }
        session.end().await?;
        rows.iter().map(|row| read(row, &mut found)).collect()
    }
}

impl WriteSession {
    /// Opens a round with version 1 of its policy. Fails with `AlreadyExists` if the id is taken.
    pub async fn create_round(
        &mut self,
        id: &RoundId,
        content: &RoundContent,
        salt: &RoundSalt,
    ) -> Result<(Round, Note)> {
        let now = self.now();
        let policy = dialect::json(&content.policy)?;
        let values = values![
            id,
            content.display_name.as_str(),
            content.start_date.to_string(),
            content.end_date.to_string(),
            content.policy.version,
            now,
            salt.to_hex(),
        ];
        if self.change(Owner::Alliance, CREATE, values).await? == 0 {
            return Err(Error::AlreadyExists(id.name()));
        }
        let digest = hex::encode(Sha256::digest(&policy));
        let values = values![id, content.policy.version, policy, digest, now];
        self.change_exactly(1, Owner::Alliance, CREATE_POLICY, values).await?;
        let detail = json!({ "policy": content.policy.version });
        let created = Round {
            id: id.clone(),
            content: content.clone(),
            state: RoundState::Draft,
            enrolment: EnrolmentCounts::default(),
            version: 1,
            create_time: now,
            update_time: now,
        };
        Ok((created, Note::new(Owner::Alliance, "round.create", id.name(), &detail)))
    }

    /// Profiles of an organisation after id `after`, by id, at most `limit`, to decide on their enrolment. No
    /// import changes them until the session ends, so the decision is still right when it is written.
    pub async fn profiles_to_enrol(
        &mut self,
        organisation: &OrganisationId,
        after: Option<&OwnId>,
        limit: u32,
    ) -> Result<Vec<StoredProfile>> {
        self.lock_organisation(organisation).await?;
        profile::page(self.reads(), organisation, after, limit).await
    }

    /// The named profiles of an organisation that exist, by id, to decide on their enrolment, with the same lock.
    pub async fn named_profiles_to_enrol(
        &mut self,
        organisation: &OrganisationId,
        ids: &[OwnId],
    ) -> Result<Vec<StoredProfile>> {
        self.lock_organisation(organisation).await?;
        profile::named(self.reads(), organisation, ids).await
    }

    /// Enrols profiles of an organisation, and returns the number of those that were not enrolled already; without any
    /// there is no note. The first enrolment takes a draft round to `enrolling`.
    ///
    /// Fails with `NotFound` or `RoundState` if the round does not exist or takes no enrolments.
    pub async fn enrol(
        &mut self,
        round: &RoundId,
        organisation: &OrganisationId,
        ids: &[OwnId],
    ) -> Result<(u64, Option<Note>)> {
        let owner = Owner::Organisation(organisation);
        self.reads().scope().admit(owner)?;
        let (now, actor) = (self.now(), self.actor().to_owned());
        let state = self.lock_round(round).await?;
        if !state.allows_enrolment() {
            return Err(Error::RoundState {
                round: round.name(),
                state: state.as_str(),
                required: RoundState::OPEN,
            });
        }
        let rows = ids.iter().map(|id| values![round, organisation, id, actor.as_str(), now]);
        let enrolled = self.insert(owner, ENROL, Box::new(rows)).await?;
        let mut note = None;
        if enrolled > 0 {
            let next = if state == RoundState::Draft { RoundState::Enrolling } else { state };
            self.move_round(owner, round, next).await?;
            let detail = json!({ "enrolled": enrolled });
            note = Some(Note::new(owner, "round.enrol", round.name(), &detail));
        }
        Ok((enrolled, note))
    }

    /// Locks the round until the session ends, and returns its state. Every change of a round or of its runs begins
    /// here, so that two such changes wait for each other instead of colliding.
    pub(super) async fn lock_round(&mut self, id: &RoundId) -> Result<RoundState> {
        let found = self.reads().row(LOCK, values![id]).await?;
        let row = found.ok_or_else(|| Error::NotFound(id.name()))?;
        row.parse("round", id, "state", RoundState::from_name)
    }

    /// Moves the round to a state, on behalf of `owner`: an enrolment by an organisation moves a round too.
    pub(super) async fn move_round(
        &mut self,
        owner: Owner<'_>,
        id: &RoundId,
        state: RoundState,
    ) -> Result<()> {
        let values = values![id, state.as_str(), self.now()];
        self.change_exactly(1, owner, MOVE, values).await
    }

    /// Takes the round out of `matching` after its run has ended: to review if any run has succeeded.
    pub(super) async fn settle_round(&mut self, id: &RoundId) -> Result<()> {
        let values = values![id, self.now()];
        let settled = self.change(Owner::Alliance, SETTLE, values).await?;
        if settled > 1 { Err(fault::miscount(SETTLE.0.name, settled, 1)) } else { Ok(()) }
    }
}

async fn counts(
    session: &mut ReadSession,
    first: &RoundId,
    last: &RoundId,
) -> Result<HashMap<RoundId, EnrolmentCounts>> {
    let rows = session.rows(COUNTS, values![first, last]).await?;
    rows.iter()
        .map(|row| {
            let counts = EnrolmentCounts {
                profiles: row.int("profiles")?,
                mentors: row.int("mentors")?,
                mentees: row.int("mentees")?,
            };
            Ok((row.id("enrolment", "round_id")?, counts))
        })
        .collect()
}

fn read(row: &Row, counts: &mut HashMap<RoundId, EnrolmentCounts>) -> Result<Round> {
    let id: RoundId = row.id("round", "id")?;
    Ok(Round {
        content: RoundContent {
            display_name: row.text("display_name")?,
            start_date: row.id("round", "start_date")?,
            end_date: row.id("round", "end_date")?,
            policy: row.json("policy", &id, "document")?,
        },
        state: row.parse("round", &id, "state", RoundState::from_name)?,
        enrolment: counts.remove(&id).unwrap_or_default(),
        version: row.int("version")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        id,
    })
}
