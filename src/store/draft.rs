//! People who leave every round that has not ended: because they withdrew their consent to matching, because their
//! data may be kept and not used, or because their organisation leaves.
//!
//! Their live enrolments are withdrawn, and a run that is queued or running over them is asked to stop. Results that are there
//! already stay as they are and read as stale, because the enrolments of the round have changed.

use std::collections::BTreeMap;

use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::invited::exists_for;
use super::journal::{Note, Notes};
use super::run;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef, RoundId, RunRef};
use crate::error::Result;

/// Live enrolments in rounds that have not ended; the condition for the people follows.
macro_rules! in_drafts {
    ($people:literal) => {
        concat!(
            "SELECT e.round_id, e.own_id FROM ",
            $people,
            " AND e.withdraw_number IS NULL AND EXISTS (SELECT 1 FROM round r WHERE r.id = e.round_id \
             AND r.state NOT IN ('closed', 'cancelled'))"
        )
    };
}

/// The published run of a round, and how many of the people in a list it has matched.
macro_rules! losing {
    ($people:literal) => {
        concat!(
            "SELECT s.run_number, (SELECT COUNT(*) FROM ",
            $people,
            " WHERE EXISTS (SELECT 1 FROM run_match m WHERE m.round_id = s.round_id AND m.run_number = s.run_number \
             AND m.mentee_organisation_id = $2 AND m.mentee_own_id = l.value) OR EXISTS (SELECT 1 FROM run_match m \
             WHERE m.round_id = s.round_id AND m.run_number = s.run_number AND m.mentor_organisation_id = $2 \
             AND m.mentor_own_id = l.value)) AS matched FROM submission s WHERE s.round_id = $1 AND s.state = 'published' AND "
        )
    };
}

statements! {
    query WITHOUT_CONSENT = filtered("enrolment.without_consent",
        concat!(in_drafts!("profile_version d JOIN enrolment e ON e.organisation_id = $2 AND e.own_id = d.own_id \
            WHERE d.import_id = $1 AND d.has_consent = 0"),
            " AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || e.organisation_id || ',%')"));
    query OF_PERSON = filtered("enrolment.of_person",
        concat!(in_drafts!("enrolment e WHERE e.organisation_id = $1 AND e.own_id = $2"),
            " AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || e.organisation_id || ',%')"));
    // The published run of a round, with the number of some people of an organisation whom it has matched.
    query LOSING = filtered("submission.losing",
        sqlite: concat!(losing!("json_each($3) AS l"), exists_for!("s.round_id", "$4")),
        postgres: concat!(losing!("json_array_elements_text(CAST(CAST($3 AS TEXT) AS JSON)) AS l (value)"),
            exists_for!("s.round_id", "$4")));
    // A list of any length is one value. The databases spell its reading differently.
    change TAKE_OUT = ("enrolment.take_out",
        sqlite: "UPDATE enrolment SET withdraw_number = $4, withdraw_micros = $5 WHERE round_id = $1 \
            AND organisation_id = $2 AND withdraw_number IS NULL AND own_id IN (SELECT value FROM json_each($3))",
        postgres: "UPDATE enrolment SET withdraw_number = $4, withdraw_micros = $5 WHERE round_id = $1 \
            AND organisation_id = $2 AND withdraw_number IS NULL \
            AND own_id IN (SELECT json_array_elements_text(CAST(CAST($3 AS TEXT) AS JSON)))");
}

/// What leaving has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Enrolments that were withdrawn.
    pub enrolments: i64,
    /// Runs that were asked to stop.
    pub runs: Vec<RunRef>,
    /// The entries of the journal.
    pub notes: Vec<Note>,
}

impl Left {
    /// Together with the entries of another change of the session.
    #[must_use]
    pub fn with(self, notes: Vec<Note>) -> Self {
        Self { notes: self.notes.into_iter().chain(notes).collect(), ..self }
    }

    /// The entries of the journal, for the commit; `None` if nothing was changed.
    pub fn into_notes(self) -> Option<Notes> {
        Notes::of(self.notes)
    }
}

impl Store {
    /// Live enrolments of a person in rounds that have not ended.
    pub async fn count_drafts(&self, scope: &Scope, name: &ProfileRef) -> Result<i64> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(OF_PERSON, values![&name.organisation, &name.id]).await?;
        session.end().await?;
        Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX))
    }
}

impl WriteSession {
    /// Takes the people of an import of `organisation` out of every draft whose consent to matching is no longer in force. The
    /// session has locked the organisation, and the import has finished in it.
    pub(super) async fn withdraw_without_consent(
        &mut self,
        organisation: &OrganisationId,
        import: &str,
    ) -> Result<Left> {
        let rows = self.reads().rows(WITHOUT_CONSENT, values![import, organisation]).await?;
        self.leave(organisation, &rows).await
    }

    /// Takes one person out of every draft. The session has locked the organisation.
    pub(super) async fn leave_drafts(
        &mut self,
        organisation: &OrganisationId,
        person: &OwnId,
    ) -> Result<Left> {
        let rows = self.reads().rows(OF_PERSON, values![organisation, person]).await?;
        self.leave(organisation, &rows).await
    }

    /// Withdraws the live enrolments in `rows`, and asks the active runs of their rounds to stop.
    async fn leave(&mut self, organisation: &OrganisationId, rows: &[Row]) -> Result<Left> {
        // Rounds are locked in the order of their ids.
        let mut leavers: BTreeMap<String, (RoundId, Vec<String>)> = BTreeMap::new();
        for row in rows {
            let round: RoundId = row.id("enrolment", "round_id")?;
            let (_, people) = leavers.entry(round.to_string()).or_insert_with(|| (round, Vec::new()));
            people.push(row.text("own_id")?);
        }
        let (mut left, owner) = (Left::default(), Owner::Organisation(organisation));
        for (round, people) in leavers.into_values() {
            let locked = self.lock_round(&round).await?;
            if !locked.state.has_not_ended() {
                continue;
            }
            let (number, now) = (locked.enrolment_number + 1, self.now());
            let values = values![&round, organisation, dialect::json(&people)?, number, now];
            let withdrawn = self.change(owner, TAKE_OUT, values).await?;
            if withdrawn == 0 {
                continue;
            }
            self.count_withdrawn(&round, organisation, number).await?;
            left.enrolments += i64::try_from(withdrawn).unwrap_or(i64::MAX);
            let detail = json!({ "withdrawn": withdrawn });
            left.notes.push(Note::new(owner, "round.withdraw", round.name(), &detail));
            let values = values![&round, organisation, dialect::json(&people)?];
            if let Some(row) = self.reads().row(LOSING, values).await? {
                let matched = row.int("matched")?;
                if matched > 0 {
                    // Her own organisation and the coordinators learn that a published match has lost one of the two.
                    let run = RunRef { round: round.clone(), number: row.int("run_number")? };
                    left.notes.push(Note::new(owner, "run.lose", run.name(), &json!({ "left": matched })));
                }
            }
            if let Some((run, note)) = run::stop_active(self, &round, owner).await? {
                left.runs.push(run);
                left.notes.push(note);
            }
        }
        Ok(left)
    }
}
