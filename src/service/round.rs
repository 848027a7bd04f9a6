//! Use cases of rounds.

use super::organisation::parse_id;
use super::page::Cursor;
use super::permission::Permit;
use super::{
    Action, Change, Masked, Page, PageRequest, Service, check_request_id, commit_change, recalled,
    remembered, taken,
};
use crate::domain::caller::Caller;
use crate::domain::name::{PolicyRef, RoundId};
use crate::domain::policy::{Policy, PolicyDraft};
use crate::domain::round::{Round, RoundContent, RoundDraft, RoundEnd, RoundPatch, StoredPolicy};
use crate::domain::salt::RoundSalt;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::Begun;

impl Service {
    /// Opens a round, or checks whether it can be opened.
    pub async fn create_round(
        &self,
        caller: &Caller,
        id: &str,
        draft: RoundDraft,
        how: Change<'_>,
    ) -> Result<Round> {
        let permit = Action::CreateRound.permit(caller)?;
        let mut violations = Violations::of_request();
        let id: Option<RoundId> = parse_id("round_id", id, &mut violations);
        let content =
            RoundContent::parse(&draft).map_err(|part| violations.extend(part.within("round"))).ok();
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(content), true) = (id, content, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            return self.store.check_round(&permit.scope, &id, &content, self.clock.now()).await;
        }
        let dates = (content.start_date, content.end_date);
        let (names, policy) = ((&content.display_name, &content.agreement), &content.policy);
        let payload = (&id, names, dates, policy, &content.invitations);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let mut random = [0; 32];
                self.clock.fill(&mut random);
                let (created, note) = session.create_round(&id, &content, &RoundSalt::new(random)).await?;
                session.commit(note, &remembered(&created)?).await?;
                Ok(created)
            }
        }
    }

    /// Changes fields of a round, or checks whether they can be changed.
    pub async fn update_round(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        patch: Masked<RoundPatch>,
        how: Change<'_>,
    ) -> Result<Round> {
        let permit = Action::UpdateRound.permit(caller)?;
        let mut violations = Violations::of_request();
        let id = taken(parse_round("round.name", name), &mut violations)?;
        let patch = patch.taken(&mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(patch), true) = (id, patch, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let now = self.clock.now();
            return self.store.check_round_update(&permit.scope, &id, &patch, etag, now).await;
        }
        let payload = (&id, etag, &patch);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (round, note) = session.update_round(&id, &patch, etag).await?;
                commit_change(session, note, &remembered(&round)?).await?;
                Ok(round)
            }
        }
    }

    /// Closes a round, or checks whether it can be closed.
    pub async fn close_round(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        how: Change<'_>,
    ) -> Result<Round> {
        let permit = Action::CloseRound.permit(caller)?;
        self.end_round(&permit, (name, etag), RoundEnd::Close, how).await
    }

    /// Cancels a round, or checks whether it can be cancelled.
    pub async fn cancel_round(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        how: Change<'_>,
    ) -> Result<Round> {
        let permit = Action::CancelRound.permit(caller)?;
        self.end_round(&permit, (name, etag), RoundEnd::Cancel, how).await
    }

    async fn end_round(
        &self,
        permit: &Permit,
        (name, etag): (&str, &str),
        end: RoundEnd,
        how: Change<'_>,
    ) -> Result<Round> {
        let mut violations = Violations::of_request();
        let id = taken(parse_round("name", name), &mut violations)?;
        check_request_id(how.request_id, &mut violations);
        let (Some(id), true) = (id, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let now = self.clock.now();
            return self.store.check_round_end(&permit.scope, &id, end, etag, now).await;
        }
        let payload = (&id, etag);
        match self.store.begin(self.receipt(permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (round, note) = session.end_round(&id, end, etag).await?;
                commit_change(session, note, &remembered(&round)?).await?;
                Ok(round)
            }
        }
    }

    /// Gives a round its next policy, or checks whether it can have it.
    pub async fn create_policy(
        &self,
        caller: &Caller,
        parent: &str,
        etag: &str,
        draft: &PolicyDraft,
        how: Change<'_>,
    ) -> Result<StoredPolicy> {
        let permit = Action::CreatePolicy.permit(caller)?;
        let mut violations = Violations::of_request();
        let id = taken(parse_round("parent", parent), &mut violations)?;
        let policy = Policy::parse(draft).map_err(|part| violations.extend(part.within("policy"))).ok();
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(policy), true) = (id, policy, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            return self.store.check_policy(&permit.scope, &id, &policy, etag, self.clock.now()).await;
        }
        let payload = (&id, etag, &policy);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            // A policy never changes, so its number is enough.
            Begun::Repeated(first) => {
                let name = PolicyRef { round: id, version: recalled(&first)? };
                self.store.policy(&permit.scope, &name).await
            }
            Begun::Fresh(mut session) => {
                let (made, note) = session.create_policy(&id, &policy, etag).await?;
                session.commit(note, &remembered(&made.name.version)?).await?;
                Ok(made)
            }
        }
    }

    /// One policy.
    pub async fn get_policy(&self, caller: &Caller, name: &str) -> Result<StoredPolicy> {
        let permit = Action::GetPolicy.permit(caller)?;
        let name = PolicyRef::from_name(name)
            .map_err(|error| Error::invalid_field("name", name, error.to_string()))?;
        self.store.policy(&permit.scope, &name).await
    }

    /// A page of a round's policies, the newest first.
    pub async fn list_policies(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<Page<StoredPolicy>> {
        let permit = Action::ListPolicies.permit(caller)?;
        let round = parse_round("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/policies"), request)?;
        let before = cursor.after.as_deref().and_then(|number| number.parse().ok());
        let found = self.store.list_policies(&permit.scope, &round, before, cursor.limit()).await?;
        Ok(cursor.page(found, |policy| policy.name.version.to_string()))
    }

    /// One round.
    pub async fn get_round(&self, caller: &Caller, name: &str) -> Result<Round> {
        let permit = Action::GetRound.permit(caller)?;
        self.store.round(&permit.scope, &parse_round("name", name)?).await
    }

    /// A page of rounds, by id.
    pub async fn list_rounds(&self, caller: &Caller, request: &PageRequest) -> Result<Page<Round>> {
        let permit = Action::ListRounds.permit(caller)?;
        let cursor = Cursor::new(&permit, "rounds", request)?;
        let after = cursor.after.as_deref().and_then(|id| id.parse().ok());
        let found = self.store.list_rounds(&permit.scope, after.as_ref(), cursor.limit()).await?;
        Ok(cursor.page(found, |round| round.id.to_string()))
    }
}

/// Parses the resource name of a round.
pub(super) fn parse_round(field: &str, name: &str) -> Result<RoundId> {
    RoundId::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}
