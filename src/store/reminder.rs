//! Reminders: what is due becomes an event for the organisation of its side, once. The table keeps of what was reminded, so that
//! two replicas and a restart remind of nothing twice.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::backend::Store;
use super::check_in::{side_name, side_named};
use super::dialect::values;
use super::journal::Note;
use super::mentorship::{self, mentorship_columns};
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::mentorship::Mentorship;
use crate::domain::mentorship::check_in::Point;
use crate::domain::mentorship::schedule::{Due, DueKind, Look};
use crate::domain::run::Side;
use crate::error::Result;

/// Mentorships that are looked at in one transaction.
const MENTORSHIPS_AT_A_TIME: u32 = 500;

statements! {
    query PAGE = hidden("mentorship.to_remind",
        concat!(mentorship_columns!(), " WHERE (t.round_id, t.id) > ($1, $2) AND t.state NOT IN ('declined', 'withdrawn') \
            ORDER BY t.round_id, t.id LIMIT $3"));
    query CHECKED = hidden("mentorship.checked",
        "SELECT round_id, mentorship_id, side, point FROM check_in WHERE (round_id, mentorship_id) >= ($1, $2) \
         AND (round_id, mentorship_id) <= ($3, $4)");
    query REMINDED = hidden("mentorship_reminder.list",
        "SELECT round_id, mentorship_id, side, kind FROM mentorship_reminder WHERE (round_id, mentorship_id) >= ($1, $2) \
         AND (round_id, mentorship_id) <= ($3, $4)");
    change REMIND = ("mentorship_reminder.create",
        "INSERT INTO mentorship_reminder (round_id, mentorship_id, kind, side, remind_micros) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (round_id, mentorship_id, kind, side) DO NOTHING");
}

impl Store {
    /// Writes an event for everything that is due at `now` and of which nobody was reminded, and counts what it has seen.
    pub async fn remind(&self, scope: &Scope, now: Timestamp) -> Result<Look> {
        scope.require_system()?;
        let today = now.to_zoned(TimeZone::UTC).date();
        let (mut round, mut id, mut look) = (String::new(), String::new(), Look::default());
        loop {
            let mut session = self.snapshot_reader(scope).await?;
            let rows =
                session.rows(PAGE, values![round.as_str(), id.as_str(), MENTORSHIPS_AT_A_TIME]).await?;
            let page = rows.iter().map(mentorship::read).collect::<Result<Vec<_>>>()?;
            let due = match (page.first(), page.last()) {
                (Some(first), Some(last)) => {
                    (round, id) = (last.name.round.to_string(), last.name.id.clone());
                    unreminded(&mut session, &page, (first, last), today, &mut look).await?
                }
                _ => Vec::new(),
            };
            session.end().await?;
            if !due.is_empty() {
                look.events += Box::pin(self.write_reminders(&due, now)).await?;
            }
            if page.len() < MENTORSHIPS_AT_A_TIME as usize {
                return Ok(look);
            }
        }
    }

    async fn write_reminders(&self, due: &[(Mentorship, Due)], now: Timestamp) -> Result<u64> {
        let mut session = WriteSession::of_worker(self, "reminder", || now).await?;
        let mut notes = Vec::new();
        for (of, due) in due {
            let owner = Owner::Organisation(of.organisation(due.side));
            let values =
                values![&of.name.round, of.name.id.as_str(), kind_of(due.kind), side_name(due.side), now];
            // Another replica may have reminded meanwhile.
            if session.change(owner, REMIND, values).await? == 1 {
                let detail = json!({ "side": side_name(due.side), "kind": kind_of(due.kind) });
                notes
                    .push(Note::new(owner, action(due.kind), of.name.name(), &detail).of_version(of.version));
            }
        }
        let written = notes.len() as u64;
        for note in &notes {
            session.write_note(note).await?;
        }
        session.commit_written().await?;
        Ok(written)
    }
}

/// What is due in the mentorships of a page, and of which nobody was reminded. An answer and a first meeting are due a day after
/// their last day.
async fn unreminded(
    session: &mut ReadSession,
    page: &[Mentorship],
    (first, last): (&Mentorship, &Mentorship),
    today: Date,
    look: &mut Look,
) -> Result<Vec<(Mentorship, Due)>> {
    let range = values![&first.name.round, first.name.id.as_str(), &last.name.round, last.name.id.as_str()];
    let mut checked: HashMap<(String, Side), Vec<Point>> = HashMap::new();
    for row in session.rows(CHECKED, range.clone()).await? {
        let key = format!("{}/{}", row.text("round_id")?, row.text("mentorship_id")?);
        let side = row.parse("check_in", &key, "side", side_named)?;
        let point = row.parse("check_in", &key, "point", Point::from_name)?;
        checked.entry((key, side)).or_default().push(point);
    }
    let mut known = HashSet::new();
    for row in session.rows(REMINDED, range).await? {
        let key = format!("{}/{}", row.text("round_id")?, row.text("mentorship_id")?);
        known.insert((key, row.text("side")?, row.text("kind")?));
    }
    let mut due = Vec::new();
    for one in page {
        *look.states.entry(one.state).or_default() += 1;
        look.meetings_overdue += u64::from(one.is_overdue(today));
        let key = format!("{}/{}", one.name.round, one.name.id);
        for side in [Side::Mentor, Side::Mentee] {
            let points = checked.get(&(key.clone(), side)).map(Vec::as_slice).unwrap_or_default();
            for found in one.due(side, today, points) {
                look.check_ins_due += u64::from(matches!(found.kind, DueKind::CheckIn(_)));
                let is_late = matches!(found.kind, DueKind::CheckIn(_)) || found.day < today;
                let told = (key.clone(), side_name(side).to_owned(), kind_of(found.kind).to_owned());
                if is_late && !known.contains(&told) {
                    due.push((one.clone(), found));
                }
            }
        }
    }
    Ok(due)
}

fn kind_of(kind: DueKind) -> &'static str {
    match kind {
        DueKind::Answer => "answer",
        DueKind::FirstMeeting => "first_meeting",
        DueKind::CheckIn(point) => point.as_str(),
    }
}

fn action(kind: DueKind) -> &'static str {
    match kind {
        DueKind::Answer => "mentorship.answer_overdue",
        DueKind::FirstMeeting => "mentorship.meeting_overdue",
        DueKind::CheckIn(_) => "mentorship.check_in_due",
    }
}
