//! Use cases of the operator after a restore: the erasures of the database as it was are repeated in the restored one.
//!
//! A person of the restored database is recognised by her tombstone, so that the list of erasures names nobody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Service, commit_change};
use crate::domain::caller::Caller;
use crate::domain::erasure::ErasedPerson;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::error::{Error, Result};
use crate::store::{Begun, Notes, Receipt, Scope};

/// People who are read at a time.
const PAGE: u32 = 1_000;

/// What a repetition of erasures has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatedErasures {
    /// Erasures in the list.
    pub listed: u64,
    /// People who were in the database and are erased again.
    pub erased: u64,
}

impl Service {
    /// The erasures of all people who have not come back, for a list that is kept outside.
    pub async fn erased_people_of_all(&self) -> Result<Vec<ErasedPerson>> {
        let all = self.store.all_tombstones(&Scope::System).await?;
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let key = self.tombstone_key().await?.fingerprint();
        let erased = |(organisation, tombstone, time)| ErasedPerson {
            organisation,
            tombstone,
            key: key.clone(),
            time,
        };
        Ok(all.into_iter().map(erased).collect())
    }

    /// Erases everybody of a list who is in the database; `None` if the list was made with another key of tombstones.
    pub async fn repeat_erasures(&self, listed: &[ErasedPerson]) -> Result<Option<RepeatedErasures>> {
        let key = self.tombstone_key().await?;
        if listed.iter().any(|one| one.key != key.fingerprint()) {
            return Ok(None);
        }
        let mut tombstones: BTreeMap<&OrganisationId, BTreeSet<&str>> = BTreeMap::new();
        for one in listed {
            tombstones.entry(&one.organisation).or_default().insert(&one.tombstone);
        }
        let mut erased = 0;
        for (organisation, tombstones) in tombstones {
            for id in self.people_of(organisation).await? {
                let person = ProfileRef { organisation: organisation.clone(), id };
                let tombstone = key.of(&person);
                if tombstones.contains(tombstone.as_str()) {
                    Box::pin(self.erase_again(&person, tombstone)).await?;
                    erased += 1;
                }
            }
        }
        Ok(Some(RepeatedErasures { listed: listed.len() as u64, erased }))
    }

    /// The own ids of all people of an organisation; none if the database does not know it.
    async fn people_of(&self, organisation: &OrganisationId) -> Result<Vec<OwnId>> {
        let mut people: Vec<OwnId> = Vec::new();
        loop {
            let time = (Timestamp::MIN, Timestamp::MAX);
            let read =
                self.store.list_affected(&Scope::System, organisation, time, people.last(), PAGE).await;
            match read {
                Ok(page) if page.is_empty() => return Ok(people),
                Ok(page) => people.extend(page),
                Err(Error::NotFound(_)) => return Ok(people),
                Err(error) => return Err(error),
            }
        }
    }

    async fn erase_again(&self, person: &ProfileRef, tombstone: String) -> Result<()> {
        let actor = Caller::operator().principal;
        let receipt = Receipt { actor, scope: Scope::System, now: self.clock.now(), request: None };
        let Begun::Fresh(mut session) = self.store.begin(receipt).await? else { return Ok(()) };
        let new = self.new_erasure(tombstone)?;
        let (erasure, notes) = Box::pin(session.begin_erasure(person, &new)).await?;
        // No notes: the restored database was erasing her already.
        commit_change(session, Notes::of(notes), &[]).await?;
        Box::pin(self.store.continue_erasure(&Scope::System, &erasure.name, self.clock.now())).await
    }
}
