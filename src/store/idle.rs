//! People who take part in nothing any more, and have not for the time that their organisation has set.
//!
//! A person takes part while she has a live enrolment in a round that is neither closed nor cancelled. Her time begins with the
//! newest of these: the end of the import of her present profile, the withdrawal of an enrolment, the last change of a
//! closed or cancelled round that she was enrolled in. A person whose data is restricted is kept: it may be needed for a claim.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::values;
use super::erasure;
use super::journal::Note;
use super::organisation;
use super::profile::present_import;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::erasure::PurgeReport;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::error::Result;

/// The people of organisation `$1` who have taken part in nothing since before `$2`.
macro_rules! idle {
    () => {
        concat!(
            "FROM profile_version v JOIN profile_import i ON i.id = v.import_id WHERE v.organisation_id = $1 \
             AND v.import_id = ",
            present_import!("$1", "v.own_id"),
            " AND i.finish_micros < $2 AND NOT EXISTS (SELECT 1 FROM profile_restriction p WHERE p.organisation_id = $1 \
             AND p.own_id = v.own_id AND p.lift_micros IS NULL) \
             AND NOT EXISTS (SELECT 1 FROM enrolment e JOIN round r ON r.id = e.round_id WHERE e.organisation_id = $1 \
             AND e.own_id = v.own_id AND (COALESCE(e.withdraw_micros, r.update_micros) >= $2 \
             OR (e.withdraw_micros IS NULL AND r.state NOT IN ('closed', 'cancelled')))) "
        )
    };
}

statements! {
    query IDLE = filtered("profile.idle",
        concat!("SELECT v.own_id ", idle!(), "AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || v.organisation_id || ',%') \
         ORDER BY v.own_id LIMIT $3"));
    query COUNT = filtered("profile.count_idle",
        concat!("SELECT COUNT(*) AS people ", idle!(),
         "AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || v.organisation_id || ',%')"));
    query WITH_A_TIME = hidden("organisation.with_idle_days",
        "SELECT id FROM organisation WHERE idle_days > 0 ORDER BY id");
}

/// People whose time has ended, at most as many as were asked for, and what their erasure destroys.
#[derive(Debug)]
pub struct IdlePeople {
    /// The people, by own id.
    pub people: Vec<ProfileRef>,
    /// In numbers.
    pub report: PurgeReport,
}

impl Store {
    /// The people whose time has ended, by the time that the organisation has set.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn idle_people(
        &self,
        scope: &Scope,
        of: &OrganisationId,
        now: Timestamp,
        most: u32,
    ) -> Result<IdlePeople> {
        let mut session = self.snapshot_reader(scope).await?;
        let found = found(&mut session, of, now, most).await;
        session.end().await?;
        found
    }

    /// The organisations that have set a time.
    pub async fn organisations_with_idle_days(&self, scope: &Scope) -> Result<Vec<OrganisationId>> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let rows = session.rows(WITH_A_TIME, values![]).await?;
        session.end().await?;
        rows.iter().map(|row| row.id("organisation", "id")).collect()
    }
}

impl WriteSession {
    /// The same people as [`Store::idle_people`], with the note of a purge. Nobody changes the profiles of the organisation before
    /// the session ends.
    pub async fn idle_people(&mut self, of: &OrganisationId, most: u32) -> Result<(IdlePeople, Note)> {
        self.lock_organisation(of).await?;
        let now = self.now();
        let idle = found(self.reads(), of, now, most).await?;
        let detail = json!({ "profiles": idle.report.profiles, "left": idle.report.profiles_left });
        Ok((idle, Note::new(Owner::Organisation(of), "profile.purge", of.name(), &detail)))
    }
}

async fn found(
    session: &mut ReadSession,
    of: &OrganisationId,
    now: Timestamp,
    most: u32,
) -> Result<IdlePeople> {
    let limit = organisation::of(session, of).await?.idle_limit(now);
    let (mut people, mut report) = (Vec::new(), PurgeReport { idle_before: limit, ..PurgeReport::default() });
    let Some(limit) = limit else { return Ok(IdlePeople { people, report }) };
    for row in session.rows(IDLE, values![of, limit, most]).await? {
        let person = ProfileRef { organisation: of.clone(), id: row.id("profile_version", "own_id")? };
        let counts = erasure::would(session, &person).await?;
        report.profiles += 1;
        report.versions += counts.versions;
        report.enrolments += counts.enrolments;
        people.push(person);
    }
    let all: u64 = session.one(COUNT, values![of, limit]).await?.narrow("profile_version", of, "people")?;
    report.profiles_left = all.saturating_sub(report.profiles);
    Ok(IdlePeople { people, report })
}
