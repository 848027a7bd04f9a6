//! Use cases of mentorships: what each side answers, how a mentorship goes on and ends, what is said of it, and what is due.

use jiff::ToSpan as _;
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
use crate::domain::field_rule;
use crate::domain::mentorship::check_in::{CheckIn, CheckInDraft, StoredCheckIn};
use crate::domain::mentorship::life::LifeStep;
use crate::domain::mentorship::schedule::Due;
use crate::domain::mentorship::{DeclineReason, EndReason, EndSide, Mentorship, MentorshipState};
use crate::domain::name::{MentorshipRef, OrganisationId};
use crate::domain::run::Side;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, MentorshipFilter, Notes, Scope, WantedStep};

/// Days from today on that a list of what is due covers.
const DUE_DAYS: i64 = 7;
/// Mentorships after which a page of what is due ends, however little is due.
const MOST_MENTORSHIPS: usize = 5_000;
/// Mentorships that are read at a time.
const MENTORSHIPS_AT_A_TIME: u32 = 500;
/// Greater than the place of what is due last in a mentorship.
const LAST_PLACE: usize = 99;

/// A mentorship that a caller wants to change, and the version that she means.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
    /// The etag; empty for every version.
    pub etag: &'a str,
}

/// Something that is due, with its mentorship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueOf {
    /// The mentorship.
    pub mentorship: Mentorship,
    /// What is due.
    pub due: Due,
    /// Its place among what is due in the mentorship.
    place: usize,
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
                Ok(recorded)
            }
        }
    }

    /// The check-ins of a mentorship that are the caller's.
    pub async fn list_check_ins(&self, caller: &Caller, parent: &str) -> Result<Vec<StoredCheckIn>> {
        let permit = Action::ListCheckIns.permit(caller)?;
        self.store.check_ins(&permit.scope, &parsed_name("parent", parent)?).await
    }

    /// A page of what is due of an organisation's members, by mentorship.
    pub async fn list_due(
        &self,
        caller: &Caller,
        organisation: &str,
        days: i32,
        request: &PageRequest,
    ) -> Result<Page<DueOf>> {
        let permit = Action::ListDue.permit(caller)?;
        let id = parsed_organisation("organisation", organisation)?;
        let rule = field_rule::LIST_DUE_REQUEST_DAYS;
        if !(rule.least..=rule.most).contains(&days) {
            let wrong = "is not a number of days that the list covers; give 0 to 366";
            return Err(Error::invalid_field("days", &days.to_string(), wrong));
        }
        let ahead = if days == 0 { DUE_DAYS } else { i64::from(days) };
        let until = self.today().checked_add(ahead.days()).unwrap_or(Date::MAX);
        let cursor = Cursor::new(&permit, &format!("{organisation}/due {days}"), request)?;
        let (mut round, mut mentorship, mut passed) = match cursor.after.as_deref() {
            Some(key) => place_of(key).ok_or(Error::InvalidPageToken)?,
            None => (String::new(), String::new(), LAST_PLACE),
        };
        let (mut found, mut read) = (Vec::new(), 0);
        let rest = loop {
            let from = (round.as_str(), mentorship.as_str());
            let rows = self.store.due(&permit.scope, &id, from, until, MENTORSHIPS_AT_A_TIME).await?;
            let is_last = rows.len() < MENTORSHIPS_AT_A_TIME as usize;
            read += rows.len();
            for (one, due) in rows {
                // The first row is the one at which the page before, or the reading before, has ended.
                let is_known =
                    (one.name.round.as_str(), one.name.id.as_str()) == (round.as_str(), mentorship.as_str());
                let skipped = if is_known { passed + 1 } else { 0 };
                (round, mentorship, passed) = (one.name.round.to_string(), one.name.id.clone(), LAST_PLACE);
                let all = due.into_iter().enumerate().skip(skipped);
                found.extend(all.map(|(place, due)| DueOf { mentorship: one.clone(), due, place }));
            }
            if is_last || found.len() >= cursor.limit() as usize {
                break None;
            }
            if read >= MOST_MENTORSHIPS {
                break Some(key_of(&round, &mentorship, LAST_PLACE));
            }
        };
        let key =
            |one: &DueOf| key_of(one.mentorship.name.round.as_str(), &one.mentorship.name.id, one.place);
        Ok(cursor.page_read_to(found, rest.as_deref(), key))
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
                commit_change(session, Notes::of(notes), &remembered(&mentorship)?).await?;
                Ok(mentorship)
            }
        }
    }

    /// Writes an event for everything that is due and of which nobody was reminded, and returns their number.
    pub async fn remind(&self) -> Result<u64> {
        self.store.remind(&Scope::System, self.clock.now()).await
    }

    /// Today in UTC.
    pub fn today(&self) -> Date {
        self.clock.now().to_zoned(TimeZone::UTC).date()
    }
}

fn key_of(round: &str, mentorship: &str, place: usize) -> String {
    format!("{round}/{mentorship}/{place}")
}

fn place_of(key: &str) -> Option<(String, String, usize)> {
    let mut parts = key.split('/');
    Some((parts.next()?.to_owned(), parts.next()?.to_owned(), parts.next()?.parse().ok()?))
}

fn parsed_name(field: &str, name: &str) -> Result<MentorshipRef> {
    MentorshipRef::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}

fn parsed_organisation(field: &str, name: &str) -> Result<OrganisationId> {
    OrganisationId::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}
