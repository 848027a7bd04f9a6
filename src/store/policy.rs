//! Policies of rounds, read: each keeps its number and never changes.

use super::backend::Store;
use super::dialect::{Row, values};
use super::invited::exists_for;
use super::round;
use super::scope::Scope;
use super::statement::statements;
use crate::domain::name::{PolicyRef, RoundId};
use crate::domain::round::StoredPolicy;
use crate::error::{Error, Result};

statements! {
    query GET = filtered("policy.get",
        concat!("SELECT version, document, create_micros FROM policy WHERE round_id = $1 AND version = $2 AND ",
            exists_for!("policy.round_id", "$3")));
    query LIST = filtered("policy.list",
        concat!("SELECT version, document, create_micros FROM policy WHERE round_id = $1 AND version < $2 AND ",
            exists_for!("policy.round_id", "$4"), " ORDER BY version DESC LIMIT $3"));
}

impl Store {
    /// One policy.
    pub async fn policy(&self, scope: &Scope, name: &PolicyRef) -> Result<StoredPolicy> {
        let missing = || Error::NotFound(name.name());
        let mut session = self.snapshot_reader(scope).await?;
        // The policies of a round exist for whoever the round exists for.
        let visible = round::require(&mut session, &name.round).await;
        let found = session.row(GET, values![&name.round, name.version]).await?;
        session.end().await?;
        visible.map_err(|error| if matches!(error, Error::NotFound(_)) { missing() } else { error })?;
        found.as_ref().map(|row| read(row, &name.round)).transpose()?.ok_or_else(missing)
    }

    /// Policies of a round, the newest first, before number `before`, at most `limit`.
    ///
    /// Fails with `NotFound` if there is no such round.
    pub async fn list_policies(
        &self,
        scope: &Scope,
        round: &RoundId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredPolicy>> {
        let mut session = self.snapshot_reader(scope).await?;
        round::require(&mut session, round).await?;
        let rows = session.rows(LIST, values![round, before.unwrap_or(i64::MAX), limit]).await?;
        session.end().await?;
        rows.iter().map(|row| read(row, round)).collect()
    }
}

fn read(row: &Row, round: &RoundId) -> Result<StoredPolicy> {
    let name = PolicyRef { round: round.clone(), version: row.int("version")? };
    let policy = row.json("policy", &name.name(), "document")?;
    Ok(StoredPolicy { name, policy, create_time: row.time("create_micros")? })
}
