//! Restrictions of people whose data is kept and not used. A restriction takes a person out of every draft, and nobody enrols
//! her before it is lifted.

use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, values};
use super::draft::Left;
use super::journal::Note;
use super::organisation;
use super::profile;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::record::Record;
use crate::domain::restriction::{PersonRestriction, Restriction, RestrictionReason};
use crate::error::Result;

macro_rules! columns {
    () => {
        "own_id, number, reason, restrict_actor, restrict_micros, lift_actor, lift_micros FROM profile_restriction "
    };
}

statements! {
    query LAST = filtered("profile_restriction.last",
        concat!("SELECT ", columns!(), "WHERE organisation_id = $1 AND own_id = $2 \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || organisation_id || ',%') ORDER BY number DESC LIMIT 1"));
    query LIST = filtered("profile_restriction.list",
        concat!("SELECT ", columns!(), "WHERE organisation_id = $1 AND (own_id, number) > ($2, $3) \
         AND (CAST($5 AS TEXT) IS NULL OR $5 LIKE '%,' || organisation_id || ',%') ORDER BY own_id, number LIMIT $4"));
    query LIST_OF_PERSON = hidden("profile_restriction.list_of_person",
        concat!("SELECT ", columns!(), "WHERE organisation_id = $1 AND own_id = $2 ORDER BY number"));
    change RESTRICT = ("profile_restriction.create",
        "INSERT INTO profile_restriction (organisation_id, own_id, number, reason, restrict_actor, restrict_micros) \
         VALUES ($1, $2, $3, $4, $5, $6)");
    change LIFT = ("profile_restriction.lift",
        "UPDATE profile_restriction SET lift_actor = $4, lift_micros = $5 \
         WHERE organisation_id = $1 AND own_id = $2 AND number = $3 AND lift_micros IS NULL");
}

impl Store {
    /// The last restriction of a person, in force or lifted.
    ///
    /// Fails with `NotFound` if the profile does not exist in the scope.
    pub async fn restriction(&self, scope: &Scope, name: &ProfileRef) -> Result<Option<Restriction>> {
        let mut session = self.snapshot_reader(scope).await?;
        profile::of(&mut session, name).await?;
        let found = last(&mut session, name).await?;
        session.end().await?;
        Ok(found.map(|(_, restriction)| restriction))
    }

    /// Restrictions of an organisation's people, lifted ones too, by own id and number, after `after`, at most `limit`.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn list_restrictions(
        &self,
        scope: &Scope,
        of: &OrganisationId,
        after: Option<(&OwnId, i64)>,
        limit: u32,
    ) -> Result<Vec<PersonRestriction>> {
        let mut session = self.snapshot_reader(scope).await?;
        let (id, number) = after.map_or(("", 0), |(id, number)| (id.as_str(), number));
        let rows = session.rows(LIST, values![of, id, number, limit]).await?;
        if rows.is_empty() {
            organisation::require(&mut session, of).await?;
        }
        session.end().await?;
        rows.iter().map(|row| read(of, row)).collect()
    }
}

/// All restrictions of a person, the oldest first.
pub(super) async fn of_person(
    session: &mut ReadSession,
    name: &ProfileRef,
) -> Result<Vec<PersonRestriction>> {
    let rows = session.rows(LIST_OF_PERSON, values![&name.organisation, &name.id]).await?;
    rows.iter().map(|row| read(&name.organisation, row)).collect()
}

impl WriteSession {
    /// Restricts a person, and takes her out of every draft. A person who is restricted stays as she is; then nothing is left.
    ///
    /// Fails with `NotFound` if the profile does not exist in the scope.
    pub async fn restrict(
        &mut self,
        name: &ProfileRef,
        reason: RestrictionReason,
    ) -> Result<(Restriction, Left)> {
        self.profile_to_change(name, "").await?;
        let found = last(self.reads(), name).await?;
        let number = match found {
            Some((_, restriction)) if restriction.lifted.is_none() => {
                return Ok((restriction, Left::default()));
            }
            Some((number, _)) => number + 1,
            None => 1,
        };
        let (now, actor) = (self.now(), self.actor().to_owned());
        let (organisation, id) = (&name.organisation, &name.id);
        let owner = Owner::Organisation(organisation);
        let values = values![organisation, id, number, reason.as_str(), actor.as_str(), now];
        self.change_exactly(1, owner, RESTRICT, values).await?;
        let mut left = self.leave_drafts(organisation, id).await?;
        let detail = json!({ "reason": reason.as_str(), "enrolments": left.enrolments });
        left.notes.insert(0, Note::new(owner, "profile.restrict", organisation.name(), &detail));
        let restricted = Record { recorder: actor, time: now };
        Ok((Restriction { reason, restricted, lifted: None }, left))
    }

    /// Lifts the restriction of a person, and returns her last one. Without a restriction in force nothing changes, and there
    /// is no note.
    ///
    /// Fails with `NotFound` if the profile does not exist in the scope.
    pub async fn lift_restriction(
        &mut self,
        name: &ProfileRef,
    ) -> Result<(Option<Restriction>, Option<Note>)> {
        self.profile_to_change(name, "").await?;
        let Some((number, restriction)) = last(self.reads(), name).await? else { return Ok((None, None)) };
        if restriction.lifted.is_some() {
            return Ok((Some(restriction), None));
        }
        let (now, actor) = (self.now(), self.actor().to_owned());
        let (organisation, id) = (&name.organisation, &name.id);
        let owner = Owner::Organisation(organisation);
        let values = values![organisation, id, number, actor.as_str(), now];
        self.change_exactly(1, owner, LIFT, values).await?;
        let note = Note::new(owner, "profile.lift", organisation.name(), &json!({}));
        let lifted = Some(Record { recorder: actor, time: now });
        Ok((Some(Restriction { lifted, ..restriction }), Some(note)))
    }
}

/// The last restriction of a person, with its number.
async fn last(session: &mut ReadSession, name: &ProfileRef) -> Result<Option<(i64, Restriction)>> {
    let found = session.row(LAST, values![&name.organisation, &name.id]).await?;
    let found = found.as_ref().map(|row| read(&name.organisation, row)).transpose()?;
    Ok(found.map(|one| (one.number, one.restriction)))
}

fn read(organisation: &OrganisationId, row: &Row) -> Result<PersonRestriction> {
    let profile =
        ProfileRef { organisation: organisation.clone(), id: row.id("profile_restriction", "own_id")? };
    let lifted = match (row.opt_text("lift_actor")?, row.opt_time("lift_micros")?) {
        (Some(recorder), Some(time)) => Some(Record { recorder, time }),
        _ => None,
    };
    let restriction = Restriction {
        reason: reason(row, &profile)?,
        restricted: Record { recorder: row.text("restrict_actor")?, time: row.time("restrict_micros")? },
        lifted,
    };
    Ok(PersonRestriction { profile, number: row.int("number")?, restriction })
}

fn reason(row: &Row, name: &ProfileRef) -> Result<RestrictionReason> {
    row.parse("profile_restriction", name, "reason", RestrictionReason::from_name)
}
