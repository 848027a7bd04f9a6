//! Mentorships of an erased person: ended with the beginning of her erasure, and kept under her surrogate, so that the numbers
//! of reports stay right. Her check-ins are destroyed; those of her partner are the partner's.

use serde_json::json;

use super::super::backend::Store;
use super::super::dialect::{Row, Value, values};
use super::super::journal::Note;
use super::super::read::ReadSession;
use super::super::scope::Owner;
use super::super::session::WriteSession;
use super::super::statement::statements;
use super::super::{check_in, mentorship, result};
use super::task::Task;
use crate::domain::mentorship::check_in::StoredCheckIn;
use crate::domain::mentorship::{EndReason, Mentorship};
use crate::domain::name::{MentorshipRef, ProfileRef};
use crate::domain::run::Side;
use crate::error::Result;

/// Mentorships of a person, on either side, with a condition on both parts.
macro_rules! of_person {
    ($columns:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM mentorship WHERE mentee_organisation_id = $1 AND mentee_own_id = $2",
            $condition,
            " UNION ALL SELECT ",
            $columns,
            " FROM mentorship WHERE mentor_organisation_id = $1 AND mentor_own_id = $2",
            $condition
        )
    };
}

statements! {
    query LIVE = filtered("mentorship.live_of_person",
        concat!("SELECT round_id, id, version FROM (", of_person!("round_id, id, version, mentee_organisation_id, \
            mentor_organisation_id", " AND state IN ('proposed', 'accepted', 'active', 'paused')"),
            ") AS t WHERE (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || t.mentee_organisation_id || ',%' \
            OR $3 LIKE '%,' || t.mentor_organisation_id || ',%') ORDER BY round_id, id"));
    change END = ("mentorship.end_erased",
        "UPDATE mentorship SET state = CASE WHEN mentor_answer = 'accepted' OR mentee_answer = 'accepted' THEN 'ended_early' \
         ELSE 'withdrawn' END, pause_micros = NULL, end_micros = $3, end_reason = $4, end_actor = $5, version = version + 1, \
         update_micros = $3 WHERE round_id = $1 AND id = $2 AND state IN ('proposed', 'accepted', 'active', 'paused')");
    query PAIRS = hidden("erasure.mentorships",
        of_person!("round_id, id, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id", ""));
    upkeep FORGET_REMINDERS = ("mentorship_reminder.erase",
        "DELETE FROM mentorship_reminder WHERE round_id = $1 AND mentorship_id = $2");
    upkeep FORGET_CHECK_INS = ("check_in.erase",
        "DELETE FROM check_in WHERE round_id = $1 AND mentorship_id = $2 AND side = $3");
    // The partner's check-ins follow the new id.
    upkeep EMPTY_MENTEE = ("mentorship.erase_mentee",
        "UPDATE mentorship SET id = $3, mentee_own_id = $4, score = NULL, mentee_region = NULL, mentee_stage = NULL, \
         mentee_language = NULL, waited_days = NULL, mentee_reason = NULL, \
         end_reason = CASE WHEN end_side = 'mentee' THEN NULL ELSE end_reason END, version = version + 1 \
         WHERE round_id = $1 AND id = $2");
    upkeep EMPTY_MENTOR = ("mentorship.erase_mentor",
        "UPDATE mentorship SET id = $3, mentor_own_id = $4, score = NULL, mentor_region = NULL, mentor_reason = NULL, \
         end_reason = CASE WHEN end_side = 'mentor' THEN NULL ELSE end_reason END, version = version + 1 \
         WHERE round_id = $1 AND id = $2");
}

impl WriteSession {
    /// Ends the live mentorships of a person whose erasure begins. The notes are for both organisations.
    pub(super) async fn end_mentorships_of(&mut self, person: &ProfileRef) -> Result<Vec<Note>> {
        let (owner, now, actor) =
            (Owner::Organisation(&person.organisation), self.now(), self.actor().to_owned());
        let rows = self.reads().rows(LIVE, values![&person.organisation, &person.id]).await?;
        let mut notes = Vec::with_capacity(rows.len());
        for row in &rows {
            let name = MentorshipRef { round: row.id("mentorship", "round_id")?, id: row.text("id")? };
            let reason = EndReason::Erased.as_str();
            let values = values![&name.round, name.id.as_str(), now, reason, actor.as_str()];
            self.change_exactly(1, owner, END, values).await?;
            let note = Note::new(Owner::Alliance, "mentorship.change", name.name(), &json!({}));
            notes.push(note.of_version(row.int("version")? + 1));
        }
        Ok(notes)
    }
}

impl Store {
    /// Destroys what mentorships say of the person.
    pub(super) async fn erase_from_mentorships(&self, task: &Task) -> Result<()> {
        let mut session = self.snapshot_reader(&task.scope).await?;
        let mut emptied = Vec::new();
        for row in session.rows(PAIRS, task.keys()).await? {
            let salt = result::salt(&mut session, &row.id("mentorship", "round_id")?).await?;
            emptied.push(Emptied::of(task, &row, |mentee, mentor| salt.match_id(mentee, mentor))?);
        }
        session.end().await?;
        let mut held = self.hold_erasure(task).await?;
        if let Some((session, counts)) = &mut held {
            for Emptied { keys, side, id } in emptied {
                session.execute(FORGET_REMINDERS, keys.clone()).await?;
                let mut of_side = keys.clone();
                of_side.extend(values![side]);
                counts.check_ins += session.execute(FORGET_CHECK_INS, of_side).await?;
                let statement = if side == "mentee" { EMPTY_MENTEE } else { EMPTY_MENTOR };
                let mut values = keys;
                values.extend(values![id, &task.surrogate.id]);
                counts.mentorships += session.execute(statement, values).await?;
            }
        }
        self.release_erasure(task, held).await
    }
}

/// The mentorships of a person as her organisation reads them, and the check-ins of her side.
pub(super) async fn of_person(
    session: &mut ReadSession,
    person: &ProfileRef,
) -> Result<(Vec<Mentorship>, Vec<(MentorshipRef, StoredCheckIn)>)> {
    let (mut found, mut check_ins) = (Vec::new(), Vec::new());
    for row in session.rows(PAIRS, values![&person.organisation, &person.id]).await? {
        let name = MentorshipRef { round: row.id("mentorship", "round_id")?, id: row.text("id")? };
        let whole = mentorship::of(session, &name).await?;
        let side = if whole.pair.mentee == *person { Side::Mentee } else { Side::Mentor };
        let all = check_in::of(session, &name).await?;
        check_ins
            .extend(all.into_iter().filter(|one| one.content.side == side).map(|one| (name.clone(), one)));
        found.push(whole.seen_by(|organisation| *organisation == person.organisation));
    }
    Ok((found, check_ins))
}

/// A mentorship of the person that gets her surrogate.
struct Emptied {
    /// The round and the id before.
    keys: Vec<Value>,
    /// Her side.
    side: &'static str,
    /// The id that the surrogate gives the pair.
    id: String,
}

impl Emptied {
    fn of(task: &Task, row: &Row, id: impl FnOnce(&ProfileRef, &ProfileRef) -> String) -> Result<Self> {
        let pair = result::read_pair("mentorship", row)?;
        let of = |person: &ProfileRef| if *person == task.person { &task.surrogate } else { person }.clone();
        Ok(Self {
            keys: values![row.text("round_id")?, row.text("id")?],
            side: if pair.mentee == task.person { "mentee" } else { "mentor" },
            id: id(&of(&pair.mentee), &of(&pair.mentor)),
        })
    }
}
