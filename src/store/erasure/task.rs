//! An erasure as a task: each of its steps holds the erasure, so that two that continue it do not count the same twice.

use super::super::backend::Store;
use super::super::dialect::{self, Row, values};
use super::super::fault;
use super::super::scope::Scope;
use super::super::session::Housekeeping;
use super::super::statement::statements;
use crate::domain::erasure::{Erasure, ErasureCounts};
use crate::domain::name::{ErasureRef, OrganisationId, ProfileRef};
use crate::error::Result;

macro_rules! columns {
    () => {
        "SELECT id, organisation_id, own_id, surrogate, counts, create_micros, end_micros FROM erasure "
    };
}

pub(super) use columns;

statements! {
    // Whoever continues an erasure holds it, so that two do not count the same twice.
    query HOLD = hidden("erasure.hold", locking: concat!(columns!(), "WHERE id = $1 AND end_micros IS NULL"));
    upkeep COUNT = ("erasure.count", "UPDATE erasure SET counts = $2 WHERE id = $1 AND end_micros IS NULL");
}

/// An erasure under way.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) person: ProfileRef,
    pub(super) surrogate: ProfileRef,
    /// The scope of the service itself, in which the steps run.
    pub(super) scope: Scope,
}

impl Store {
    /// A transaction that holds an erasure, with its counts so far; `None` if the erasure has ended.
    pub(super) async fn hold_erasure(&self, task: &Task) -> Result<Option<(Housekeeping, ErasureCounts)>> {
        let mut session = self.housekeeping(&task.scope).await?;
        if let Some(row) = session.reads().row(HOLD, values![task.id.as_str()]).await? {
            return Ok(Some((session, read(&row)?.counts)));
        }
        session.end().await?;
        Ok(None)
    }

    /// Ends a transaction of an erasure with its new counts.
    pub(super) async fn release_erasure(
        &self,
        task: &Task,
        held: Option<(Housekeeping, ErasureCounts)>,
    ) -> Result<()> {
        let Some((mut session, counts)) = held else { return Ok(()) };
        session.execute_exactly(1, COUNT, values![task.id.as_str(), dialect::json(&counts)?]).await?;
        session.commit().await
    }
}

impl Task {
    /// The task of a row; `None` if the erasure has ended.
    pub(super) fn read(row: &Row, scope: &Scope) -> Result<Option<Self>> {
        let Some(_) = row.opt_text("own_id")? else { return Ok(None) };
        let organisation: OrganisationId = row.id("erasure", "organisation_id")?;
        let of =
            |column| Ok(ProfileRef { organisation: organisation.clone(), id: row.id("erasure", column)? });
        let (id, scope) = (row.text("id")?, scope.clone());
        Ok(Some(Self { id, person: of("own_id")?, surrogate: of("surrogate")?, scope }))
    }

    /// Her organisation and her own id.
    pub(super) fn keys(&self) -> Vec<dialect::Value> {
        values![&self.person.organisation, &self.person.id]
    }
}

/// The resource name of an erasure.
pub(super) fn name_of(id: &str) -> String {
    format!("erasures/{id}")
}

/// An erasure from its row.
pub(super) fn read(row: &Row) -> Result<Erasure> {
    let id = row.text("id")?;
    let name = ErasureRef::from_name(&name_of(&id));
    Ok(Erasure {
        name: name.map_err(|error| fault::corrupt("erasure", "id", &id, error))?,
        organisation: row.id("erasure", "organisation_id")?,
        surrogate: row.id("erasure", "surrogate")?,
        create_time: row.time("create_micros")?,
        end_time: row.opt_time("end_micros")?,
        counts: row.json("erasure", &id, "counts")?,
    })
}
