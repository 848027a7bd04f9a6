//! For the auditor: whose data is held, and what is done with the data of an organisation's people.

use jiff::Timestamp;

use super::backend::Store;
use super::dialect::{Row, values};
use super::organisation;
use super::profile::present_import;
use super::scope::Scope;
use super::statement::statements;
use crate::domain::name::{OrganisationId, OwnId};
use crate::domain::processing::{ProcessingRecord, ProcessingRound};
use crate::domain::round::RoundState;
use crate::error::Result;

statements! {
    query LIST_AFFECTED = filtered("profile.list_affected",
        "SELECT DISTINCT v.own_id FROM profile_version v WHERE v.organisation_id = $1 AND v.own_id > $2 \
         AND EXISTS (SELECT 1 FROM profile_import i WHERE i.id = v.import_id AND i.finish_micros >= $3 AND i.finish_micros < $4) \
         AND (CAST($6 AS TEXT) IS NULL OR $6 LIKE '%,' || v.organisation_id || ',%') ORDER BY v.own_id LIMIT $5");
    query PEOPLE = filtered("processing.people",
        concat!("SELECT COUNT(*) AS people, CAST(COALESCE(SUM(v.has_consent), 0) AS BIGINT) AS consenting \
         FROM profile_version v WHERE v.organisation_id = $1 AND v.import_id = ", present_import!("$1", "v.own_id"),
         " AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || v.organisation_id || ',%')"));
    query RESTRICTED = filtered("processing.restricted",
        "SELECT COUNT(*) AS restricted FROM profile_restriction p WHERE p.organisation_id = $1 AND p.lift_micros IS NULL \
         AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || p.organisation_id || ',%')");
    query ROUNDS = filtered("processing.rounds",
        "SELECT r.id, r.display_name, r.agreement, r.state, c.profiles FROM enrolment_count c JOIN round r ON r.id = c.round_id \
         WHERE c.organisation_id = $1 AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || c.organisation_id || ',%') \
         ORDER BY r.id");
}

impl Store {
    /// People of an organisation whose data was stored or changed in a time, by id, after id `after`, at most `limit`.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn list_affected(
        &self,
        scope: &Scope,
        of: &OrganisationId,
        (from, until): (Timestamp, Timestamp),
        after: Option<&OwnId>,
        limit: u32,
    ) -> Result<Vec<OwnId>> {
        let mut session = self.snapshot_reader(scope).await?;
        let after = after.map_or("", OwnId::as_str);
        let rows = session.rows(LIST_AFFECTED, values![of, after, from, until, limit]).await?;
        if rows.is_empty() {
            organisation::require(&mut session, of).await?;
        }
        session.end().await?;
        rows.iter().map(|row| row.id("profile_version", "own_id")).collect()
    }

    /// What the record of processing activities says of an organisation.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn processing_record(&self, scope: &Scope, of: &OrganisationId) -> Result<ProcessingRecord> {
        let controller = self.organisation(scope, of).await?;
        let mut session = self.snapshot_reader(scope).await?;
        let people = session.one(PEOPLE, values![of]).await?;
        let restricted = session.one(RESTRICTED, values![of]).await?;
        let rounds = session.rows(ROUNDS, values![of]).await?;
        session.end().await?;
        Ok(ProcessingRecord {
            controller,
            people: people.narrow("profile_version", of, "people")?,
            consenting: people.narrow("profile_version", of, "consenting")?,
            restricted: restricted.narrow("profile_restriction", of, "restricted")?,
            rounds: rounds.iter().map(round).collect::<Result<_>>()?,
        })
    }
}

fn round(row: &Row) -> Result<ProcessingRound> {
    let id = row.id("round", "id")?;
    Ok(ProcessingRound {
        display_name: row.text("display_name")?,
        agreement: row.text("agreement")?,
        state: row.parse("round", &id, "state", RoundState::from_name)?,
        people: row.narrow("enrolment_count", &id, "profiles")?,
        id,
    })
}
