//! Everything that is stored of one person, for her access: read at one moment, in the scope of the service itself.

use serde_json::json;

use super::super::backend::Store;
use super::super::dialect::{Row, Value, values};
use super::super::journal::Note;
use super::super::read::ReadSession;
use super::super::scope::{Owner, Scope};
use super::super::session::WriteSession;
use super::super::statement::statements;
use super::super::waiting::LEFT_AT;
use super::super::{enrolment, profile, restriction, result};
use super::{mentorships, reviews, runs};
use crate::domain::enrolment::Enrolment;
use crate::domain::name::{OrganisationId, ProfileRef, RoundId, RunRef};
use crate::domain::personal_data::{PersonalData, ProfileVersion, RunMatch, RunUnmatched};
use crate::domain::profile::StoredProfile;
use crate::domain::run::RunState;
use crate::error::Result;

statements! {
    query VERSIONS = hidden("personal_data.versions",
        "SELECT v.version, v.digest, v.document, i.actor, i.finish_micros FROM profile_version v \
         JOIN profile_import i ON i.id = v.import_id WHERE v.organisation_id = $1 AND v.own_id = $2 \
         AND i.finish_micros IS NOT NULL ORDER BY v.version");
    query ENROLMENTS = hidden("personal_data.enrolments",
        "SELECT round_id, id, organisation_id, own_id, enrol_number, consent, create_micros, waiting_since, waiting_cause, \
         withdraw_micros FROM enrolment \
         WHERE organisation_id = $1 AND own_id = $2 ORDER BY round_id, enrol_number");
}

impl Store {
    /// Everything that is stored of a person. A caller's right to it is checked before.
    pub async fn personal_data(&self, scope: &Scope, person: &ProfileRef) -> Result<PersonalData> {
        scope.require_system()?;
        let mut session = self.snapshot_reader(scope).await?;
        let keys = || values![&person.organisation, &person.id];
        let rows = session.rows(VERSIONS, keys()).await?;
        let mut versions = rows.iter().map(|row| version(person, row)).collect::<Result<Vec<_>>>()?;
        if let Some(last) = versions.last_mut() {
            last.profile.restriction = profile::of(&mut session, person).await?.restriction;
        }
        let rows = session.rows(ENROLMENTS, keys()).await?;
        let enrolments = rows.iter().map(enrolment_of).collect::<Result<_>>()?;
        let (mut matches, mut unmatched) = (Vec::new(), Vec::new());
        for run in runs_of(&mut session, keys()).await? {
            let of_run = || {
                let mut values = values![&run.round, run.number];
                values.extend(keys());
                values
            };
            for row in session.rows(runs::MATCHES, of_run()).await? {
                let found = result::read_match(&run, &row)?;
                matches.push(RunMatch { run: run.clone(), id: found.id, pair: found.pair });
            }
            for row in session.rows(runs::UNMATCHED, of_run()).await? {
                let id = format!("{run}/unmatched/{}", row.int("ordinal")?);
                // As the manager of her organisation reads it: nothing in it counts other organisations' people exactly.
                let entry = row.json("run_unmatched", &id, "own_document")?;
                unmatched.push(RunUnmatched { run: run.clone(), entry });
            }
        }
        let restrictions = restriction::of_person(&mut session, person).await?;
        let decisions = reviews::decisions_about(&mut session, person).await?;
        let comments = reviews::comments_about(&mut session, person).await?;
        let left = session.row(LEFT_AT, keys()).await?;
        let waiting_leave = left.map(|row| row.time("leave_micros")).transpose()?;
        let (mentorships, check_ins) = mentorships::of_person(&mut session, person).await?;
        session.end().await?;
        Ok(PersonalData {
            name: person.clone(),
            versions,
            enrolments,
            matches,
            unmatched,
            decisions,
            comments,
            restrictions,
            waiting_leave,
            mentorships,
            check_ins,
        })
    }
}

impl WriteSession {
    /// The note of an access to everything that is stored of a member of an organisation. The journal does not say of whom.
    pub fn note_access(&mut self, organisation: &OrganisationId) -> Result<Note> {
        let owner = Owner::Organisation(organisation);
        self.reads().scope().admit(owner)?;
        Ok(Note::new(owner, "profile.export_personal", organisation.name(), &json!({})))
    }
}

/// The runs with a result about a person.
async fn runs_of(session: &mut ReadSession, keys: Vec<Value>) -> Result<Vec<RunRef>> {
    let (mut found, mut round, mut number) = (Vec::new(), String::new(), 0);
    loop {
        let mut values = keys.clone();
        values.extend(values![round.as_str(), number]);
        let Some(row) = session.row(runs::NEXT, values).await? else { return Ok(found) };
        let name = RunRef { round: row.id("run", "round_id")?, number: row.int("number")? };
        (round, number) = (name.round.to_string(), name.number);
        if row.parse("run", &name, "state", RunState::from_name)? == RunState::Succeeded {
            found.push(name);
        }
    }
}

fn version(person: &ProfileRef, row: &Row) -> Result<ProfileVersion> {
    let recorded = row.time("finish_micros")?;
    let profile = StoredProfile {
        name: person.clone(),
        version: row.int("version")?,
        digest: row.text("digest")?,
        content: row.json("profile_version", person, "document")?,
        restriction: None,
        create_time: recorded,
        update_time: recorded,
    };
    Ok(ProfileVersion { profile, recorder: row.text("actor")? })
}

fn enrolment_of(row: &Row) -> Result<Enrolment> {
    let round: RoundId = row.id("enrolment", "round_id")?;
    Ok(enrolment::read(row, &round)?.0)
}
