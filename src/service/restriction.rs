//! Use cases of restrictions: a person's data is kept and not used.

use super::organisation::parse_organisation;
use super::page::Cursor;
use super::profile::parse_profile;
use super::{
    Action, Change, Page, PageRequest, Service, check_request_id, commit_change, recalled, remembered, taken,
};
use crate::domain::caller::Caller;
use crate::domain::name::OwnId;
use crate::domain::record::Record;
use crate::domain::restriction::{PersonRestriction, Restriction, RestrictionReason};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::Begun;

impl Service {
    /// Restricts the use of a person's data, or checks whether it can be restricted. Returns the restriction in force and the
    /// number of enrolments that were withdrawn with it.
    pub async fn restrict_profile(
        &self,
        caller: &Caller,
        name: &str,
        reason: i32,
        how: Change<'_>,
    ) -> Result<(Restriction, i64)> {
        let permit = Action::RestrictProfile.permit(caller)?;
        let mut violations = Violations::of_request();
        let profile = taken(parse_profile("name", name), &mut violations)?;
        let parsed = RestrictionReason::from_number(reason);
        if parsed.is_none() {
            let hint =
                "use 1 for contested data, 2 for an unlawful use, 3 for a legal claim, 4 for an objection";
            violations.push("reason", reason, "is not a reason of a restriction", hint);
        }
        check_request_id(how.request_id, &mut violations);
        let (Some(name), Some(reason), true) = (profile, parsed, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let last = self.store.restriction(&permit.scope, &name).await?;
            if let Some(live) = last.filter(|restriction| restriction.lifted.is_none()) {
                return Ok((live, 0));
            }
            let restricted = Record { recorder: permit.principal, time: self.clock.now() };
            let enrolments = self.store.count_drafts(&permit.scope, &name).await?;
            return Ok((Restriction { reason, restricted, lifted: None }, enrolments));
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &(&name, reason))?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (restriction, left) = Box::pin(session.restrict(&name, reason)).await?;
                let answer = (restriction, left.enrolments);
                self.commit_left(session, left, &remembered(&answer)?).await?;
                Ok(answer)
            }
        }
    }

    /// Lifts the restriction of a person and returns it, or checks whether it can be lifted. A person without a restriction
    /// stays as she is.
    pub async fn lift_restriction(
        &self,
        caller: &Caller,
        name: &str,
        how: Change<'_>,
    ) -> Result<Option<Restriction>> {
        let permit = Action::LiftRestriction.permit(caller)?;
        let mut violations = Violations::of_request();
        let profile = taken(parse_profile("name", name), &mut violations)?;
        check_request_id(how.request_id, &mut violations);
        let (Some(name), true) = (profile, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let last = self.store.restriction(&permit.scope, &name).await?;
            let lifted = Record { recorder: permit.principal, time: self.clock.now() };
            return Ok(last.map(|last| match last.lifted {
                Some(_) => last,
                None => Restriction { lifted: Some(lifted), ..last },
            }));
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &name)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (restriction, note) = session.lift_restriction(&name).await?;
                commit_change(session, note, &remembered(&restriction)?).await?;
                Ok(restriction)
            }
        }
    }

    /// A page of the restrictions of an organisation's people, lifted ones too, by own id and time.
    pub async fn list_restrictions(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<Page<PersonRestriction>> {
        let permit = Action::ListRestrictions.permit(caller)?;
        let organisation = parse_organisation("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/restrictions"), request)?;
        let place = |key: &str| {
            let (number, id) = key.split_once(' ')?;
            Some((id.parse().ok()?, number.parse().ok()?))
        };
        let after = cursor.after.as_deref().map(|key| place(key).ok_or(Error::InvalidPageToken));
        let after: Option<(OwnId, i64)> = after.transpose()?;
        let after = after.as_ref().map(|(id, number)| (id, *number));
        let found = self.store.list_restrictions(&permit.scope, &organisation, after, cursor.limit()).await?;
        Ok(cursor.page(found, |one| format!("{} {}", one.number, one.profile.id)))
    }
}
