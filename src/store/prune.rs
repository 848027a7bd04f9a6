//! Enrolments of the people whom an import does not name, in the rounds that still take enrolments.

use std::collections::BTreeMap;

use super::backend::Store;
use super::dialect::values;
use super::journal::Note;
use super::read::ReadSession;
use super::scope::Scope;
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::{EnrolmentId, OrganisationId, OwnId, RoundId};
use crate::error::Result;

/// Enrolments that are read at a time.
const ENROLMENTS_AT_A_TIME: u32 = 5_000;

statements! {
    query LIVE = filtered("enrolment.live_of_organisation",
        "SELECT e.round_id, e.own_id, e.id FROM enrolment e JOIN round r ON r.id = e.round_id \
         WHERE e.organisation_id = $1 AND (e.own_id > $2 OR (e.own_id = $2 AND e.round_id > $3)) \
         AND e.withdraw_number IS NULL AND r.state IN ('draft', 'enrolling', 'review') \
         AND (CAST($5 AS TEXT) IS NULL OR $5 LIKE '%,' || e.organisation_id || ',%') \
         ORDER BY e.own_id, e.round_id LIMIT $4");
}

/// Enrolments by round.
type ByRound = BTreeMap<RoundId, Vec<EnrolmentId>>;

impl Store {
    /// Number of the live enrolments, in rounds that still take enrolments, of the organisation's people whom `is_named` does
    /// not have.
    pub async fn count_prunable(
        &self,
        scope: &Scope,
        organisation: &OrganisationId,
        is_named: &(dyn Fn(&OwnId) -> bool + Sync),
    ) -> Result<u64> {
        let mut session = self.snapshot_reader(scope).await?;
        let found = prunable(&mut session, organisation, is_named).await?;
        session.end().await?;
        Ok(found.values().map(|ids| ids.len() as u64).sum())
    }
}

impl WriteSession {
    /// Withdraws these enrolments, and returns their number and a note for each round.
    pub async fn prune(
        &mut self,
        organisation: &OrganisationId,
        is_named: &(dyn Fn(&OwnId) -> bool + Sync),
    ) -> Result<(u64, Vec<Note>)> {
        let (mut pruned, mut notes) = (0, Vec::new());
        for (round, ids) in prunable(self.reads(), organisation, is_named).await? {
            let (withdrawn, note) = self.withdraw(&round, organisation, Some(&ids)).await?;
            pruned += withdrawn;
            notes.extend(note);
        }
        Ok((pruned, notes))
    }
}

async fn prunable(
    session: &mut ReadSession,
    organisation: &OrganisationId,
    is_named: &(dyn Fn(&OwnId) -> bool + Sync),
) -> Result<ByRound> {
    let (mut found, mut after) = (ByRound::new(), (String::new(), String::new()));
    loop {
        let values = values![organisation, after.0.as_str(), after.1.as_str(), ENROLMENTS_AT_A_TIME];
        let rows = session.rows(LIVE, values).await?;
        for row in &rows {
            let own_id: OwnId = row.id("enrolment", "own_id")?;
            let round: RoundId = row.id("enrolment", "round_id")?;
            after = (own_id.to_string(), round.to_string());
            if !is_named(&own_id) {
                found.entry(round).or_default().push(row.id("enrolment", "id")?);
            }
        }
        if rows.len() < ENROLMENTS_AT_A_TIME as usize {
            return Ok(found);
        }
    }
}
