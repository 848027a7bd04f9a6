//! Use cases of the retention of profiles: people who take part in nothing any more are erased after the time that their
//! organisation has set, by a call or by housekeeping.

use super::organisation::parse_organisation;
use super::{Action, Change, Service, check_request_id, recalled, remembered, taken};
use crate::domain::caller::Caller;
use crate::domain::erasure::{PurgeReport, TombstoneKey};
use crate::domain::name::OrganisationId;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, Notes, Receipt, Scope, WriteSession};

/// People whom one call erases, at most: other writers wait for so many.
const MOST: u32 = 200;

impl Service {
    /// Erases the people of an organisation whose time has ended, or counts what that would destroy.
    pub async fn purge_expired(&self, caller: &Caller, parent: &str, how: Change<'_>) -> Result<PurgeReport> {
        let permit = Action::PurgeExpired.permit(caller)?;
        let mut violations = Violations::of_request();
        let organisation = taken(parse_organisation("parent", parent), &mut violations)?;
        check_request_id(how.request_id, &mut violations);
        let (Some(organisation), true) = (organisation, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let now = self.clock.now();
            let idle = self.store.idle_people(&permit.scope, &organisation, now, MOST).await?;
            return Ok(idle.report);
        }
        let receipt = self.receipt(&permit, how.request_id, &organisation)?;
        // Their enrolments may be in rounds that their organisation is no longer invited to.
        let receipt = Receipt { scope: Scope::Alliance, ..receipt };
        match self.store.begin(receipt).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(_) if !permit.scope.covers(&organisation) => {
                Err(Error::NotFound(organisation.name()))
            }
            Begun::Fresh(session) => {
                let key = self.tombstone_key().await?;
                Ok(Box::pin(self.erase_idle(session, &organisation, &key)).await?)
            }
        }
    }

    /// Erases the people of all organisations whose time has ended, and returns their number.
    pub async fn purge_idle_profiles(&self) -> Result<u64> {
        let mut erased = 0;
        for organisation in self.store.organisations_with_idle_days(&Scope::System).await? {
            loop {
                let now = self.clock.now();
                // Most hours there is nobody: then no other writer waits.
                let idle = self.store.idle_people(&Scope::System, &organisation, now, 1).await?;
                if idle.people.is_empty() {
                    break;
                }
                let actor = "worker:housekeeping".to_owned();
                let receipt = Receipt { actor, scope: Scope::System, now, request: None };
                let Begun::Fresh(session) = self.store.begin(receipt).await? else { break };
                let key = self.tombstone_key().await?;
                let report = Box::pin(self.erase_idle(session, &organisation, &key)).await?;
                erased += report.profiles;
                if report.profiles_left == 0 {
                    break;
                }
            }
        }
        Ok(erased)
    }

    /// Begins the erasures in one transaction, then continues each of them to its end.
    async fn erase_idle(
        &self,
        mut session: WriteSession,
        organisation: &OrganisationId,
        key: &TombstoneKey,
    ) -> Result<PurgeReport> {
        let (idle, note) = session.idle_people(organisation, MOST).await?;
        let (mut notes, mut begun) = (vec![note], Vec::new());
        for person in &idle.people {
            let new = self.new_erasure(key.of(person))?;
            let (erasure, more) = Box::pin(session.begin_erasure(person, &new)).await?;
            notes.extend(more);
            begun.push(erasure.name);
        }
        let notes = Notes::of(notes).ok_or_else(|| Error::internal("a purge has no note"))?;
        session.commit(notes, &remembered(&idle.report)?).await?;
        self.continue_begun(&begun).await;
        Ok(idle.report)
    }
}
