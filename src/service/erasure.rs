//! Use cases of access and erasure: a person reads everything that is stored of her, or is taken out of it. An erased person is not
//! imported again unless her organisation states that she has come back.

use std::collections::HashSet;

use super::profile::parse_profile;
use super::{Action, Change, Service, check_request_id, commit_change, recalled, remembered, taken};
use crate::domain::caller::Caller;
use crate::domain::erasure::{Erasure, ErasureCounts, TombstoneKey, is_surrogate, surrogate};
use crate::domain::name::{ErasureRef, OrganisationId, OwnId, ProfileRef};
use crate::domain::personal_data::PersonalData;
use crate::domain::violation::Violations;
use crate::error::{Error, Result, chain};
use crate::store::{Begun, NewErasure, Notes, Receipt, Scope};

/// Name of the key of tombstones among the keys of the service.
const KEY: &str = "tombstone";

/// Answer to a request for an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErasureAnswer {
    /// The erasure, as far as it has come.
    Begun(Erasure),
    /// What an erasure would destroy.
    Would(ErasureCounts),
}

impl Service {
    /// Erases a person, or counts what that would destroy. What the call does not complete, housekeeping does.
    pub async fn erase_profile(&self, caller: &Caller, name: &str, how: Change<'_>) -> Result<ErasureAnswer> {
        let permit = Action::EraseProfile.permit(caller)?;
        let mut violations = Violations::of_request();
        let person = taken(parse_profile("name", name), &mut violations)?;
        check_request_id(how.request_id, &mut violations);
        let (Some(person), true) = (person, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            return self.store.check_erasure(&permit.scope, &person).await.map(ErasureAnswer::Would);
        }
        let tombstone = self.tombstone_key().await?.of(&person);
        // The digest of the request outlives her: it covers her tombstone and not her own id.
        let receipt = self.receipt(&permit, how.request_id, &tombstone)?;
        // Her enrolments may be in rounds that her organisation is no longer invited to.
        let receipt = Receipt { scope: Scope::Alliance, ..receipt };
        let id: String = match self.store.begin(receipt).await? {
            Begun::Repeated(first) => recalled(&first)?,
            Begun::Fresh(_) if !permit.scope.covers(&person.organisation) => {
                return Err(Error::NotFound(person.name()));
            }
            Begun::Fresh(mut session) => {
                let new = self.new_erasure(tombstone)?;
                let (erasure, notes) = Box::pin(session.begin_erasure(&person, &new)).await?;
                let answer = remembered(&erasure.name.name())?;
                commit_change(session, Notes::of(notes), &answer).await?;
                self.live_runs.run_queued();
                erasure.name.name()
            }
        };
        let name =
            ErasureRef::from_name(&id).map_err(|_| Error::internal("a remembered erasure has no name"))?;
        self.continue_begun(std::slice::from_ref(&name)).await;
        self.store.erasure(&permit.scope, &name).await.map(ErasureAnswer::Begun)
    }

    /// Everything that is stored of a person, for her access. The entry of the audit is durable before it is read.
    pub async fn export_personal_data(&self, caller: &Caller, name: &str) -> Result<PersonalData> {
        let permit = Action::ExportPersonalData.permit(caller)?;
        let person = parse_profile("name", name)?;
        self.store.profile(&permit.scope, &person).await?;
        // Without a `request_id` there is no first answer.
        if let Begun::Fresh(mut session) = self.store.begin(self.receipt(&permit, "", &())?).await? {
            let note = session.note_access(&person.organisation)?;
            session.commit(note, &[]).await?;
        }
        self.store.personal_data(&Scope::System, &person).await
    }

    /// One erasure.
    pub async fn get_erasure(&self, caller: &Caller, name: &str) -> Result<Erasure> {
        let permit = Action::GetErasure.permit(caller)?;
        let name = ErasureRef::from_name(name)
            .map_err(|error| Error::invalid_field("name", name, error.to_string()))?;
        self.store.erasure(&permit.scope, &name).await
    }

    /// Writes the tables of people anew, for the operator at the machine.
    pub async fn rewrite_tables(&self) -> Result<()> {
        self.store.rewrite_tables(&Scope::System).await
    }

    /// Continues erasures as far as it goes. What is interrupted, housekeeping continues.
    pub(super) async fn continue_begun(&self, erasures: &[ErasureRef]) {
        for name in erasures {
            let now = self.clock.now();
            self.kept_rounds.clear();
            if let Err(error) = Box::pin(self.store.continue_erasure(&Scope::System, name, now)).await {
                tracing::warn!(
                    error.r#type = error.reason().code(),
                    error = chain(&error),
                    "an erasure was interrupted; housekeeping continues it"
                );
            }
        }
    }

    /// Continues the erasures that were interrupted, and returns their number.
    pub async fn continue_erasures(&self) -> Result<u64> {
        Box::pin(self.store.continue_erasures(&Scope::System, self.clock.now())).await
    }

    pub(super) fn new_erasure(&self, tombstone: String) -> Result<NewErasure> {
        let mut random = [0; 16];
        self.clock.fill(&mut random);
        let none = |_| Error::internal("the clock makes no ids");
        let surrogate = surrogate(random).map_err(none)?;
        let id = ErasureRef::from_name(&format!("erasures/{}", self.clock.new_id())).map_err(none)?;
        Ok(NewErasure { id, surrogate, tombstone })
    }

    /// The key of tombstones. The server makes it at its first start, so that a call that is refused writes nothing.
    pub async fn tombstone_key(&self) -> Result<TombstoneKey> {
        let mut fresh = [0; 32];
        self.clock.fill(&mut fresh);
        let stored = self.store.service_key(&Scope::System, KEY, &hex::encode(fresh)).await?;
        TombstoneKey::from_hex(&stored)
            .ok_or_else(|| Error::internal("the stored key of tombstones is no key"))
    }

    /// The erased people of an organisation, for an import.
    pub(super) async fn erased_people(
        &self,
        scope: &Scope,
        organisation: &OrganisationId,
        may_return: bool,
    ) -> Result<ErasedPeople> {
        let tombstones: HashSet<String> =
            self.store.tombstones(scope, organisation).await?.into_iter().collect();
        // Most organisations have erased nobody, and need no key.
        let key = if tombstones.is_empty() { None } else { Some(self.tombstone_key().await?) };
        Ok(ErasedPeople { tombstones, key, may_return, returned: Vec::new() })
    }
}

/// The erased people of an organisation.
#[derive(Debug)]
pub(super) struct ErasedPeople {
    tombstones: HashSet<String>,
    key: Option<TombstoneKey>,
    may_return: bool,
    /// Tombstones of people who have come back.
    returned: Vec<String>,
}

impl ErasedPeople {
    /// `Ok` if a new person may be stored: she was not erased, or her organisation states that she has come back.
    pub(super) fn admit(
        &mut self,
        field: &str,
        organisation: &OrganisationId,
        id: &OwnId,
    ) -> Result<(), Violations> {
        let mut violations = Violations::default();
        if is_surrogate(id) {
            let hint = "use another id for a person";
            violations.push(field, id, "has the form of the ids that erased people get", hint);
            return Err(violations);
        }
        let Some(key) = &self.key else { return Ok(()) };
        let person = ProfileRef { organisation: organisation.clone(), id: id.clone() };
        let tombstone = key.of(&person);
        if !self.tombstones.contains(&tombstone) {
            return Ok(());
        }
        if self.may_return {
            self.returned.push(tombstone);
            return Ok(());
        }
        violations.push(
            field,
            id,
            "was erased at her request",
            "take her out of the file; only if she has come back herself, import with `accept_returned`",
        );
        Err(violations)
    }

    /// Number of tombstones.
    pub(super) fn len(&self) -> usize {
        self.tombstones.len()
    }

    /// Tombstones of people who have come back.
    pub(super) fn returned(&self) -> &[String] {
        &self.returned
    }
}
