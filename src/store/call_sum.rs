//! Sums of calls in the journal: what a caller has read of people, and what was refused, by method and minute.
//!
//! A sum is an entry like that of a change. It is written some time after its calls, many at a time, so that no call is a
//! write to the disk.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::journal::{Note, Notes};
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use crate::domain::name::OrganisationId;
use crate::error::Result;

/// Entries that one transaction writes: other writers wait for so many.
const ENTRIES_AT_A_TIME: usize = 200;

/// Calls of one method by one caller in one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSum {
    /// Id of the principal, or `stranger`.
    pub actor: String,
    /// The organisation for which she called, if it was one alone.
    pub organisation: Option<OrganisationId>,
    /// The method, `Service/Method`.
    pub method: String,
    /// The beginning of the minute; `None` if the sum is of several.
    pub minute: Option<Timestamp>,
    /// Calls that have read personal data.
    pub reads: u64,
    /// Refused calls by code.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Store {
    /// Writes sums of calls. After a failure, `sums` has those that were not written.
    pub async fn write_call_sums(
        &self,
        scope: &Scope,
        now: Timestamp,
        sums: &mut Vec<CallSum>,
    ) -> Result<()> {
        scope.require_system()?;
        while !sums.is_empty() {
            let session = WriteSession::of_worker(self, "call-sums", || now).await?;
            let rest = sums.len().saturating_sub(ENTRIES_AT_A_TIME);
            let Some(notes) = Notes::of(sums[rest..].iter().map(note)) else { break };
            session.commit(notes, &[]).await?;
            sums.truncate(rest);
        }
        Ok(())
    }
}

fn note(sum: &CallSum) -> Note {
    let detail = json!({
        "minute": sum.minute.map(|minute| minute.to_string()),
        "reads": sum.reads,
        "refused": sum.refused,
    });
    let owner = Owner::from(sum.organisation.as_ref());
    Note::new(owner, "call.sum", format!("methods/{}", sum.method), &detail).of_actor(sum.actor.clone())
}
