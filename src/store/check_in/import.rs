//! Imports and exports of an organisation's check-ins. All rows of an import are judged and recorded in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::super::backend::Store;
use super::super::dialect::{self, Row, values};
use super::super::journal::Note;
use super::super::mentorship::{self, mentorship_columns};
use super::super::read::ReadSession;
use super::super::scope::{Owner, Scope};
use super::super::session::WriteSession;
use super::super::statement::statements;
use super::super::{organisation, profile};
use super::{columns_of, side_name, values_of};
use crate::domain::mentorship::Mentorship;
use crate::domain::mentorship::check_in::{CheckIn, CheckInDraft, Point, StoredCheckIn};
use crate::domain::mentorship::import::{CheckInRow, JudgedRow};
use crate::domain::name::{MentorshipRef, OrganisationId, OwnId, ProfileRef, RoundId};
use crate::domain::profile::ConsentPurpose;
use crate::domain::run::Side;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::message;

/// Mentorships and people that are read at a time.
const NAMES_AT_A_TIME: usize = 1_000;

statements! {
    // A list of any length is one value. The databases spell its reading differently.
    query NAMED = filtered("mentorship.named",
        sqlite: concat!(mentorship_columns!(), " WHERE t.round_id = $1 AND t.id IN (SELECT value FROM json_each($2)) \
            AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || t.mentee_organisation_id || ',%' \
            OR $3 LIKE '%,' || t.mentor_organisation_id || ',%')"),
        postgres: concat!(mentorship_columns!(), " WHERE t.round_id = $1 \
            AND t.id IN (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON))) \
            AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || t.mentee_organisation_id || ',%' \
            OR $3 LIKE '%,' || t.mentor_organisation_id || ',%')"));
    query OF_NAMED = filtered("check_in.of_named",
        sqlite: concat!("SELECT round_id, mentorship_id, ", columns_of!(""), " FROM check_in WHERE round_id = $1 \
            AND organisation_id = $3 AND mentorship_id IN (SELECT value FROM json_each($2)) \
            AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')"),
        postgres: concat!("SELECT round_id, mentorship_id, ", columns_of!(""), " FROM check_in WHERE round_id = $1 \
            AND organisation_id = $3 AND mentorship_id IN (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON))) \
            AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')"));
    // The check-ins of an organisation after the one of $2 to $5, in the rounds from $6 to $7.
    query EXPORT = filtered("check_in.export",
        concat!("SELECT c.round_id, c.mentorship_id, ", columns_of!("c."), ", \
         CASE WHEN c.side = 'mentee' THEN t.mentee_own_id ELSE t.mentor_own_id END AS own_id FROM check_in c \
         JOIN mentorship t ON t.round_id = c.round_id AND t.id = c.mentorship_id WHERE c.organisation_id = $1 \
         AND (c.round_id, c.mentorship_id, c.side, c.point) > ($2, $3, $4, $5) AND c.round_id >= $6 AND c.round_id <= $7 \
         AND (CAST($9 AS TEXT) IS NULL OR $9 LIKE '%,' || c.organisation_id || ',%') \
         ORDER BY c.round_id, c.mentorship_id, c.side, c.point LIMIT $8"));
    change IMPORT = bulk(
        name: "check_in.import",
        head: "INSERT INTO check_in (round_id, mentorship_id, side, point, organisation_id, check_date, meetings, minutes, satisfaction, \
            recommend, goals_achieved, goals_partly, goals_missed, instrument, instrument_version, instrument_score, promoted, \
            changed_role, in_sector, actor, create_micros) VALUES",
        columns: 21,
        tail: "",
    );
}

/// A check-in of an export, with its mentorship and the person of its side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedCheckIn {
    /// The mentorship.
    pub mentorship: MentorshipRef,
    /// The person.
    pub person: ProfileRef,
    /// The check-in.
    pub check_in: StoredCheckIn,
}

impl Store {
    /// What [`WriteSession::import_check_ins`] would make of each row at `now`. Nothing is written.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn judge_check_ins(
        &self,
        scope: &Scope,
        of: &OrganisationId,
        rows: &[CheckInRow],
        now: Timestamp,
    ) -> Result<Vec<JudgedRow>> {
        let mut session = self.snapshot_reader(scope).await?;
        let judged = Box::pin(judge(&mut session, of, rows, now)).await;
        session.end().await?;
        judged
    }

    /// Check-ins of an organisation's members, of all rounds or of one, after one of them, at most `limit`.
    pub async fn exported_check_ins(
        &self,
        scope: &Scope,
        of: &OrganisationId,
        round: Option<&RoundId>,
        after: Option<&ExportedCheckIn>,
        limit: u32,
    ) -> Result<Vec<ExportedCheckIn>> {
        let mut session = self.snapshot_reader(scope).await?;
        organisation::require(&mut session, of).await?;
        // No id is greater.
        let (first, last) = round.map_or(("", "~"), |round| (round.as_str(), round.as_str()));
        let mut values = values![of];
        match after {
            Some(ExportedCheckIn { mentorship, check_in, .. }) => {
                let CheckIn { side, point, .. } = &check_in.content;
                let id = mentorship.id.as_str();
                values.extend(values![&mentorship.round, id, side_name(*side), point.as_str()]);
            }
            None => values.extend(values!["", "", "", ""]),
        }
        values.extend(values![first, last, limit]);
        let rows = session.rows(EXPORT, values).await?;
        session.end().await?;
        rows.iter().map(|row| exported(of, row)).collect()
    }
}

impl WriteSession {
    /// Judges the rows of an import and records the good ones: all of them, or none if one is rejected and
    /// `accepts_good_rows` is not set. Returns what each row is, and the note if something was recorded.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn import_check_ins(
        &mut self,
        of: &OrganisationId,
        rows: &[CheckInRow],
        accepts_good_rows: bool,
    ) -> Result<(Vec<JudgedRow>, Option<Note>)> {
        organisation::require(self.reads(), of).await?;
        // What the rows are judged by changes only with the lock of its round.
        let rounds: BTreeSet<&RoundId> =
            rows.iter().filter_map(|row| row.mentorship.as_ref().ok()).map(|name| &name.round).collect();
        for round in rounds {
            match self.lock_round(round).await {
                Ok(_) | Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let (now, actor) = (self.now(), self.actor().to_owned());
        let judged = Box::pin(judge(self.reads(), of, rows, now)).await?;
        let is_refused = judged.iter().any(|row| matches!(row, JudgedRow::Rejected(_)));
        let good: Vec<_> = judged.iter().filter_map(JudgedRow::to_record).collect();
        if good.is_empty() || is_refused && !accepts_good_rows {
            return Ok((judged, None));
        }
        let owner = Owner::Organisation(of);
        let number = good.len() as u64;
        let bulk = good.into_iter().map(|(name, content)| values_of(name, content, of, &actor, now));
        let bulk: Vec<_> = bulk.collect();
        let written = self.insert(owner, IMPORT, Box::new(bulk.into_iter())).await?;
        if written != number {
            return Err(Error::internal("an import recorded another number of check-ins than it has judged"));
        }
        let detail = json!({ "check_ins": number });
        Ok((judged, Some(Note::new(owner, "mentorship.import_check_ins", of.name(), &detail))))
    }

    /// The note of an export of all check-ins of an organisation's members.
    pub async fn note_export_of_check_ins(&mut self, of: &OrganisationId) -> Result<Note> {
        organisation::require(self.reads(), of).await?;
        Ok(Note::new(Owner::Organisation(of), "mentorship.export_check_ins", of.name(), &json!({})))
    }
}

/// What the rows of an import are judged by.
struct Known {
    mentorships: HashMap<MentorshipRef, Mentorship>,
    /// Whether each person who exists may be asked: she consents to the follow-up, and her data is not restricted.
    people: HashMap<OwnId, bool>,
    check_ins: HashMap<(MentorshipRef, Side, Point), CheckIn>,
}

async fn judge(
    session: &mut ReadSession,
    of: &OrganisationId,
    rows: &[CheckInRow],
    now: Timestamp,
) -> Result<Vec<JudgedRow>> {
    organisation::require(session, of).await?;
    let known = Known::read(session, of, rows, now).await?;
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut first = HashMap::new();
    Ok(rows.iter().map(|row| known.judge(of, row, today, &mut first)).collect())
}

impl Known {
    async fn read(
        session: &mut ReadSession,
        of: &OrganisationId,
        rows: &[CheckInRow],
        now: Timestamp,
    ) -> Result<Self> {
        let mut named: BTreeMap<&RoundId, BTreeSet<&str>> = BTreeMap::new();
        for name in rows.iter().filter_map(|row| row.mentorship.as_ref().ok()) {
            named.entry(&name.round).or_default().insert(&name.id);
        }
        let mut known =
            Self { mentorships: HashMap::new(), people: HashMap::new(), check_ins: HashMap::new() };
        let mut people = BTreeSet::new();
        for (round, ids) in named {
            let ids: Vec<&str> = ids.into_iter().collect();
            for part in ids.chunks(NAMES_AT_A_TIME) {
                let list = dialect::json(&part)?;
                for row in session.rows(NAMED, values![round, list.as_str()]).await? {
                    let one = mentorship::read(&row)?;
                    let sides = [&one.pair.mentee, &one.pair.mentor];
                    let own = sides.into_iter().filter(|person| person.organisation == *of);
                    people.extend(own.map(|person| person.id.clone()));
                    known.mentorships.insert(one.name.clone(), one);
                }
                for row in session.rows(OF_NAMED, values![round, list.as_str(), of]).await? {
                    let (name, check_in) = stored(&row)?;
                    let content = check_in.content;
                    known.check_ins.insert((name, content.side, content.point), content);
                }
            }
        }
        known
            .mentorships
            .retain(|_, one| [Side::Mentee, Side::Mentor].iter().any(|side| one.organisation(*side) == of));
        let people: Vec<OwnId> = people.into_iter().collect();
        for part in people.chunks(NAMES_AT_A_TIME) {
            for found in profile::named(session, of, part).await? {
                let may_be_asked =
                    found.restriction.is_none() && found.content.consents_to(ConsentPurpose::FollowUp, now);
                known.people.insert(found.name.id.clone(), may_be_asked);
            }
        }
        Ok(known)
    }

    fn judge(
        &self,
        of: &OrganisationId,
        row: &CheckInRow,
        today: Date,
        first: &mut HashMap<(MentorshipRef, Side, Point), i64>,
    ) -> JudgedRow {
        let mut violations = row.violations.clone();
        let found = match &row.mentorship {
            Ok(name) => {
                let found = self.mentorships.get(name);
                if found.is_none() {
                    let wrong = "is not a mentorship of a member of the organisation";
                    let hint = "take the name from `wim-match mentorship list`";
                    violations.push("mentorship", name.name(), wrong, hint);
                }
                found
            }
            Err(given) => {
                let wrong = "is not the name of a mentorship";
                violations.push(
                    "mentorship",
                    given.as_str(),
                    wrong,
                    "take the name from `wim-match mentorship list`",
                );
                None
            }
        };
        let side = match found {
            Some(one) => row.side_in(one, of, &mut violations),
            None => row.draft.side,
        };
        if let (Some(one), Some(side)) = (found, side) {
            self.check_person(one, side, &mut violations);
            row.check_state(one, today, &mut violations);
        }
        // What is known of the side already is not told again.
        let told = row.person.as_ref().map(|_| Side::Mentee);
        let draft = CheckInDraft { side: side.or(row.draft.side).or(told), ..row.draft.clone() };
        let content = CheckIn::parse("check_in.", &draft, &mut violations);
        let key = (found.map(|one| one.name.clone()), side, row.draft.point);
        let (Some(name), Some(side), Some(point)) = key else { return JudgedRow::Rejected(violations) };
        let key = (name, side, point);
        let recorded = self.check_ins.get(&key);
        if let Some(before) = first.get(&key) {
            let wrong = message!("is also the check-in of row {row}", row = *before);
            violations.push("check_in.point", point.as_str(), wrong, "each side has one of each point");
        } else if recorded.is_some() && recorded != content.as_ref() {
            violations.push(
                "check_in.point",
                point.as_str(),
                "has a check-in of this side already",
                "each side has one of each point",
            );
        }
        first.entry(key.clone()).or_insert(row.row);
        match content {
            Some(content) if violations.is_empty() && !row.is_unreadable => {
                if recorded.is_some() {
                    JudgedRow::Unchanged
                } else {
                    JudgedRow::Good(key.0, content)
                }
            }
            _ => JudgedRow::Rejected(violations),
        }
    }

    fn check_person(&self, of: &Mentorship, side: Side, violations: &mut Violations) {
        let person = if side == Side::Mentor { &of.pair.mentor } else { &of.pair.mentee };
        let (wrong, hint) = match self.people.get(&person.id) {
            Some(true) => return,
            Some(false) => {
                ("belongs to a person without a live consent to the follow-up", "record her consent first")
            }
            None => ("belongs to a person who was erased", "her mentorship takes no check-in any more"),
        };
        violations.push("check_in.side", side_name(side), wrong, hint);
    }
}

fn stored(row: &Row) -> Result<(MentorshipRef, StoredCheckIn)> {
    let name = MentorshipRef { round: row.id("check_in", "round_id")?, id: row.text("mentorship_id")? };
    let check_in = super::read(&name, row)?;
    Ok((name, check_in))
}

fn exported(of: &OrganisationId, row: &Row) -> Result<ExportedCheckIn> {
    let (mentorship, check_in) = stored(row)?;
    let person = ProfileRef { organisation: of.clone(), id: row.id("check_in", "own_id")? };
    Ok(ExportedCheckIn { mentorship, person, check_in })
}
