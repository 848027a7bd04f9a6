//! Use cases of what is due in mentorships: the list of an organisation's work, and the events that remind of it.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::mentorship::parsed_organisation;
use super::page::Cursor;
use super::{Action, Page, PageRequest, Permit, Service};
use crate::domain::caller::Caller;
use crate::domain::field_rule;
use crate::domain::mentorship::Mentorship;
use crate::domain::mentorship::schedule::{Due, Look};
use crate::domain::name::OrganisationId;
use crate::error::{Error, Result};
use crate::store::Scope;

/// Days from today on that a list of what is due covers.
const DUE_DAYS: i64 = 7;
/// Mentorships after which a page of what is due ends, however little is due.
const MOST_MENTORSHIPS: usize = 5_000;
/// Mentorships that are read at a time.
const MENTORSHIPS_AT_A_TIME: u32 = 500;
/// Greater than the place of what is due last in a mentorship.
const LAST_PLACE: usize = 99;

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

/// Where a page begins: after the thing at a place of a mentorship.
#[derive(Debug, Clone)]
struct Place {
    round: String,
    mentorship: String,
    passed: usize,
}

impl Place {
    /// The place before all.
    fn start() -> Self {
        Self { round: String::new(), mentorship: String::new(), passed: LAST_PLACE }
    }

    fn of(one: &Mentorship, passed: usize) -> Self {
        Self { round: one.name.round.to_string(), mentorship: one.name.id.clone(), passed }
    }

    fn key(&self) -> String {
        format!("{}/{}/{}", self.round, self.mentorship, self.passed)
    }

    fn from_key(key: &str) -> Option<Self> {
        let mut parts = key.split('/');
        let (round, mentorship) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some(Self { round, mentorship, passed: parts.next()?.parse().ok()? })
    }

    fn is_in(&self, one: &Mentorship) -> bool {
        (one.name.round.as_str(), one.name.id.as_str()) == (self.round.as_str(), self.mentorship.as_str())
    }
}

impl Service {
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
        let place = match cursor.after.as_deref() {
            Some(key) => Place::from_key(key).ok_or(Error::InvalidPageToken)?,
            None => Place::start(),
        };
        let (found, rest) = self.due_after(&permit, (&id, until), place, cursor.limit() as usize).await?;
        let key = |one: &DueOf| Place::of(&one.mentorship, one.place).key();
        Ok(cursor.page_read_to(found, rest.as_ref().map(Place::key).as_deref(), key))
    }

    /// What is due after a place, at least `limit` things if there are so many. The place is that where the reading has stopped
    /// early, because little was due in many mentorships.
    async fn due_after(
        &self,
        permit: &Permit,
        (id, until): (&OrganisationId, Date),
        mut place: Place,
        limit: usize,
    ) -> Result<(Vec<DueOf>, Option<Place>)> {
        let (mut found, mut read) = (Vec::new(), 0);
        loop {
            let from = (place.round.as_str(), place.mentorship.as_str());
            let rows = self.store.due(&permit.scope, id, from, until, MENTORSHIPS_AT_A_TIME).await?;
            let is_last = rows.len() < MENTORSHIPS_AT_A_TIME as usize;
            read += rows.len();
            for (one, due) in rows {
                // The first row is the one at which the page before, or the reading before, has ended.
                let skipped = if place.is_in(&one) { place.passed + 1 } else { 0 };
                place = Place::of(&one, LAST_PLACE);
                let all = due.into_iter().enumerate().skip(skipped);
                found.extend(all.map(|(place, due)| DueOf { mentorship: one.clone(), due, place }));
            }
            if is_last || found.len() >= limit {
                return Ok((found, None));
            }
            if read >= MOST_MENTORSHIPS {
                return Ok((found, Some(place)));
            }
        }
    }

    /// Writes an event for everything that is due and of which nobody was reminded, and counts what it has seen.
    pub async fn remind(&self) -> Result<Look> {
        let look = self.store.remind(&Scope::System, self.clock.now()).await?;
        self.metrics().reminded(look.events);
        Ok(look)
    }
}
