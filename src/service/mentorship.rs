//! Use cases of mentorships: what each side answers, how a mentorship goes on and ends, and what is said of it.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::page::Cursor;
use super::round::parse_round;
use super::{
    Action, Change, Page, PageRequest, Permit, Service, check_request_id, commit_change, recalled,
    remembered, taken,
};
use crate::domain::caller::Caller;
use crate::domain::date::parse_date;
use crate::domain::mentorship::check_in::{CheckIn, CheckInDraft, StoredCheckIn};
use crate::domain::mentorship::life::LifeStep;
use crate::domain::mentorship::{DeclineReason, EndReason, EndSide, Mentorship, MentorshipState};
use crate::domain::name::{MentorshipRef, OrganisationId};
use crate::domain::run::Side;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, MentorshipFilter, Notes, WantedStep};

/// A mentorship that a caller wants to change, and the version that she means.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
    /// The etag; empty for every version.
    pub etag: &'a str,
}

impl Service {
    /// One mentorship.
    pub async fn get_mentorship(&self, caller: &Caller, name: &str) -> Result<Mentorship> {
        let permit = Action::GetMentorship.permit(caller)?;
        self.store.mentorship(&permit.scope, &parsed_name("name", name)?).await
    }

    /// A page of a round's mentorships, by name.
    pub async fn list_mentorships(
        &self,
        caller: &Caller,
        (parent, organisation): (&str, &str),
        (state, overdue): (Option<MentorshipState>, bool),
        request: &PageRequest,
    ) -> Result<Page<Mentorship>> {
        let permit = Action::ListMentorships.permit(caller)?;
        let round = parse_round("parent", parent)?;
        let organisation = match organisation {
            "" => None,
            name => Some(parsed_organisation("organisation", name)?),
        };
        let overdue_on = overdue.then(|| self.today());
        let filter = MentorshipFilter { state, organisation, overdue_on };
        let list = format!("{parent}/mentorships {state:?} {:?} {overdue}", filter.organisation);
        let cursor = Cursor::new(&permit, &list, request)?;
        let after = cursor.after.as_deref();
        let found =
            self.store.list_mentorships(&permit.scope, &round, &filter, after, cursor.limit()).await?;
        Ok(cursor.page(found, |one| one.name.id.clone()))
    }

    /// Records the answer of a side, or checks whether it can be recorded.
    pub async fn respond_to_mentorship(
        &self,
        caller: &Caller,
        named: Named<'_>,
        (side, reason): (Option<Side>, Option<DeclineReason>),
        how: Change<'_>,
    ) -> Result<Mentorship> {
        let permit = Action::RespondToMentorship.permit(caller)?;
        let mut violations = Violations::of_request();
        if side.is_none() {
            violations.push("side", "", "is not a side", "say MENTOR or MENTEE");
        }
        let name = self.own_mentorship(&permit, named.name, side, &mut violations, how).await?;
        match (name, side) {
            (Some(name), Some(side)) if violations.is_empty() => {
                self.live(&permit, (&name, named.etag), LifeStep::Answer(side, reason), how).await
            }
            _ => Err(Error::InvalidFields(violations)),
        }
    }

    /// Records the first meeting, or checks whether it can be recorded.
    pub async fn record_first_meeting(
        &self,
        caller: &Caller,
        named: Named<'_>,
        date: &str,
        how: Change<'_>,
    ) -> Result<Mentorship> {
        let permit = Action::RecordFirstMeeting.permit(caller)?;
        let mut violations = Violations::of_request();
        let day = parse_date("date", date, &mut violations);
        let name = self.own_mentorship(&permit, named.name, None, &mut violations, how).await?;
        match (name, day) {
            (Some(name), Some(day)) if violations.is_empty() => {
                self.live(&permit, (&name, named.etag), LifeStep::Meet(day), how).await
            }
            _ => Err(Error::InvalidFields(violations)),
        }
    }

    /// Pauses a mentorship, or lets it go on; or checks whether that can be done.
    pub async fn pause_or_resume(
        &self,
        caller: &Caller,
        pauses: bool,
        named: Named<'_>,
        how: Change<'_>,
    ) -> Result<Mentorship> {
        let (action, step) = if pauses {
            (Action::PauseMentorship, LifeStep::Pause)
        } else {
            (Action::ResumeMentorship, LifeStep::Resume)
        };
        let permit = action.permit(caller)?;
        let mut violations = Violations::of_request();
        match self.own_mentorship(&permit, named.name, None, &mut violations, how).await? {
            Some(name) if violations.is_empty() => self.live(&permit, (&name, named.etag), step, how).await,
            _ => Err(Error::InvalidFields(violations)),
        }
    }

    /// Ends a mentorship: completed, or early for a reason; or checks whether that can be done.
    pub async fn close_mentorship(
        &self,
        caller: &Caller,
        named: Named<'_>,
        (side, reason): (Option<EndSide>, Option<EndReason>),
        how: Change<'_>,
    ) -> Result<Mentorship> {
        let permit = Action::CloseMentorship.permit(caller)?;
        let mut violations = Violations::of_request();
        if side.is_none() {
            let hint = "say MENTOR, MENTEE, BOTH or ORGANISATION";
            violations.push("side", "", "does not say who ends the mentorship", hint);
        }
        if let Some(reason) = reason.filter(|reason| !reason.is_stated()) {
            let wrong = "is a reason that the service alone states";
            violations.push("reason", reason.as_str(), wrong, "choose another reason");
        }
        // A manager does not speak for the partner's side.
        let spoken_for = match side {
            Some(EndSide::Mentor) => Some(Side::Mentor),
            Some(EndSide::Mentee) => Some(Side::Mentee),
            Some(EndSide::Both | EndSide::Organisation) | None => None,
        };
        let name = self.own_mentorship(&permit, named.name, spoken_for, &mut violations, how).await?;
        match (name, side) {
            (Some(name), Some(side)) if violations.is_empty() => {
                let step = reason.map_or(LifeStep::Complete(side), |reason| LifeStep::EndEarly(side, reason));
                self.live(&permit, (&name, named.etag), step, how).await
            }
            _ => Err(Error::InvalidFields(violations)),
        }
    }

    /// Records a check-in, or checks whether it can be recorded.
    pub async fn record_check_in(
        &self,
        caller: &Caller,
        parent: &str,
        draft: &CheckInDraft,
        how: Change<'_>,
    ) -> Result<StoredCheckIn> {
        let permit = Action::RecordCheckIn.permit(caller)?;
        let mut violations = Violations::of_request();
        let name = taken(parsed_name("parent", parent), &mut violations)?;
        let content = CheckIn::parse("check_in.", draft, &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(name), Some(content), true) = (name, content, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let recorded = self.record(&permit);
            self.store.check_check_in(&permit.scope, &name, &content, recorded.time).await?;
            return Ok(StoredCheckIn { content, recorded });
        }
        let receipt = self.receipt(&permit, how.request_id, &(parent, draft))?;
        match self.store.begin(receipt).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (recorded, note) = session.record_check_in(&name, &content).await?;
                session.commit(note, &remembered(&recorded)?).await?;
                self.metrics().check_ins_recorded("call", 1);
                Ok(recorded)
            }
        }
    }

    /// The check-ins of a mentorship that are the caller's.
    pub async fn list_check_ins(&self, caller: &Caller, parent: &str) -> Result<Vec<StoredCheckIn>> {
        let permit = Action::ListCheckIns.permit(caller)?;
        self.store.check_ins(&permit.scope, &parsed_name("parent", parent)?).await
    }

    /// The mentorship of a name that the caller may change, for a side if one is given. Everything wrong goes to `violations`.
    async fn own_mentorship(
        &self,
        permit: &Permit,
        name: &str,
        side: Option<Side>,
        violations: &mut Violations,
        how: Change<'_>,
    ) -> Result<Option<MentorshipRef>> {
        check_request_id(how.request_id, violations);
        let Some(name) = taken(parsed_name("name", name), violations)? else { return Ok(None) };
        if !violations.is_empty() {
            return Ok(None);
        }
        let found = self.store.mentorship(&permit.scope, &name).await?;
        if let Some(side) = side
            && !permit.scope.covers(found.organisation(side))
        {
            let hint = "name the side of your member";
            violations.push("side", "", "is the side of another organisation's member", hint);
        }
        Ok(Some(name))
    }

    async fn live(
        &self,
        permit: &Permit,
        (name, etag): (&MentorshipRef, &str),
        step: LifeStep,
        how: Change<'_>,
    ) -> Result<Mentorship> {
        let wanted = WantedStep { name, step, etag };
        if how.validate_only {
            return self.store.check_life(&permit.scope, wanted, &self.record(permit)).await;
        }
        let receipt = self.receipt(permit, how.request_id, &format!("{wanted:?}"))?;
        match self.store.begin(receipt).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (mentorship, notes) = session.live(wanted).await?;
                let is_new = !notes.is_empty();
                commit_change(session, Notes::of(notes), &remembered(&mentorship)?).await?;
                if let (LifeStep::Answer(_, reason), true) = (step, is_new) {
                    self.metrics().mentorship_answered(reason.is_none());
                }
                Ok(mentorship)
            }
        }
    }

    /// Today in UTC.
    pub fn today(&self) -> Date {
        self.clock.now().to_zoned(TimeZone::UTC).date()
    }
}

fn parsed_name(field: &str, name: &str) -> Result<MentorshipRef> {
    MentorshipRef::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}

pub(super) fn parsed_organisation(field: &str, name: &str) -> Result<OrganisationId> {
    OrganisationId::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}
