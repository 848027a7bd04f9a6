//! Use cases for the auditor: whose data is held, and what is done with it.

use jiff::Timestamp;

use super::organisation::parse_organisation;
use super::page::Cursor;
use super::retention::RULES;
use super::{Action, Page, PageRequest, Service};
use crate::domain::caller::Caller;
use crate::domain::message::Message;
use crate::domain::name::ProfileRef;
use crate::domain::processing::ProcessingRecord;
use crate::error::{Error, Result};
use crate::message;

impl Service {
    /// A page of the people of an organisation whose data was stored or changed in a time, by id: whom a breach of that time
    /// affects. Without a beginning, all people whose data was held before the end.
    pub async fn list_affected_people(
        &self,
        caller: &Caller,
        parent: &str,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
        request: &PageRequest,
    ) -> Result<Page<ProfileRef>> {
        let permit = Action::ListAffectedPeople.permit(caller)?;
        let organisation = parse_organisation("parent", parent)?;
        let (from, until) = (from.unwrap_or(Timestamp::MIN), until.unwrap_or(Timestamp::MAX));
        if from >= until {
            return Err(Error::invalid_field("until_time", &until.to_string(), "is not after from_time"));
        }
        let cursor = Cursor::new(&permit, &format!("{parent}/affected {from} {until}"), request)?;
        let after = cursor.after.as_deref().map(|id| id.parse().map_err(|_| Error::InvalidPageToken));
        let after = after.transpose()?;
        let found = self.store.list_affected(
            &permit.scope,
            &organisation,
            (from, until),
            after.as_ref(),
            cursor.limit(),
        );
        let people = found.await?.into_iter().map(|id| ProfileRef { organisation: organisation.clone(), id });
        Ok(cursor.page(people.collect(), |person| person.id.to_string()))
    }

    /// What the record of processing activities says of an organisation, with what is deleted by itself and when.
    pub async fn get_processing_record(
        &self,
        caller: &Caller,
        parent: &str,
    ) -> Result<(ProcessingRecord, Vec<(Message, Message)>)> {
        let permit = Action::GetProcessingRecord.permit(caller)?;
        let organisation = parse_organisation("parent", parent)?;
        let record = self.store.processing_record(&permit.scope, &organisation).await?;
        let mut terms: Vec<(Message, Message)> =
            RULES.iter().map(|rule| (rule.kind.what(), rule.kept())).collect();
        let days = record.controller.content.idle_profile_days;
        if days > 0 {
            let kept = message!(
                "{days|1 day|{days} days} after they last took part in a round, or changed",
                days = days
            );
            terms.push((message!("profiles of people who take part in nothing any more"), kept));
        }
        Ok((record, terms))
    }
}
