//! Use cases of restrictions: a person's data is kept and not used.

use super::profile::parse_profile;
use super::{Action, Change, Service, check_request_id, recalled, remembered, taken};
use crate::domain::caller::Caller;
use crate::domain::record::Record;
use crate::domain::restriction::{Restriction, RestrictionReason};
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
                let answer = remembered(&restriction)?;
                match note {
                    Some(note) => session.commit(note, &answer).await?,
                    None => session.commit_unchanged(&answer).await?,
                }
                Ok(restriction)
            }
        }
    }
}
