//! Use cases of the waiting list.

use super::organisation::parse_organisation;
use super::page::Cursor;
use super::round::parse_round;
use super::{Action, Change, Page, PageRequest, Service, check_request_id, recalled, remembered};
use crate::domain::caller::Caller;
use crate::domain::name::ProfileRef;
use crate::domain::violation::Violations;
use crate::domain::waiting::{WaitingMentee, WaitingPriority};
use crate::error::{Error, Result};
use crate::store::{Begun, WaitingPlace};

/// The parent of the waiting mentees of all organisations that the caller sees.
const ALL_ORGANISATIONS: &str = "organisations/-";

impl Service {
    /// A page of the waiting list of an organisation, or of all that the caller sees, the first to be served first; with what
    /// a next round makes of each.
    pub async fn list_waiting(
        &self,
        caller: &Caller,
        parent: &str,
        round: &str,
        request: &PageRequest,
    ) -> Result<Page<(WaitingMentee, Option<WaitingPriority>)>> {
        let permit = Action::ListWaitingMentees.permit(caller)?;
        let organisation = match parent {
            ALL_ORGANISATIONS => None,
            name => Some(parse_organisation("parent", name)?),
        };
        let next = match round {
            "" => None,
            name => Some(self.store.round(&permit.scope, &parse_round("round", name)?).await?.content),
        };
        let cursor = Cursor::new(&permit, &format!("{parent}/waitingMentees"), request)?;
        let after = cursor.after.as_deref().map(|key| place_of(key).ok_or(Error::InvalidPageToken));
        let after = after.transpose()?;
        let found = self
            .store
            .list_waiting(&permit.scope, organisation.as_ref(), after.as_ref(), cursor.limit())
            .await?;
        let with_priority = |mentee: WaitingMentee| {
            let since = mentee.told_since.into_iter().chain([mentee.waiting().since]).min();
            let priority = next
                .as_ref()
                .map(|next| WaitingPriority::of(&next.policy, next.start_date, since, Some(mentee.cause)));
            (mentee, priority)
        };
        Ok(cursor.page(found.into_iter().map(with_priority).collect(), |(mentee, _)| key_of(mentee)))
    }

    /// Takes a mentee off the waiting list, or checks whether she is on it.
    pub async fn leave_waiting_list(
        &self,
        caller: &Caller,
        name: &str,
        how: Change<'_>,
    ) -> Result<WaitingMentee> {
        let permit = Action::LeaveWaitingList.permit(caller)?;
        let mut violations = Violations::of_request();
        let person = ProfileRef::from_waiting_name(name);
        let person = person.map_err(|error| violations.push("name", name, error.to_string(), "")).ok();
        check_request_id(how.request_id, &mut violations);
        let (Some(person), true) = (person, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            return self.store.check_waiting(&permit.scope, &person).await;
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &person)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (mentee, note) = session.leave_waiting(&person).await?;
                session.commit(note, &remembered(&mentee)?).await?;
                Ok(mentee)
            }
        }
    }
}

/// The place of a mentee in a page token.
fn key_of(mentee: &WaitingMentee) -> String {
    let WaitingPlace { cause, since, organisation, own_id } = WaitingPlace::of(mentee);
    format!("{cause} {since} {organisation} {own_id}")
}

fn place_of(key: &str) -> Option<WaitingPlace> {
    let mut parts = key.split(' ');
    Some(WaitingPlace {
        cause: parts.next()?.parse().ok()?,
        since: parts.next()?.parse().ok()?,
        organisation: parts.next()?.to_owned(),
        own_id: parts.next()?.to_owned(),
    })
}
