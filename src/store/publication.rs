//! What a publication makes of mentorships, in its own transaction.
//!
//! Every pair of the published run has a mentorship afterwards, and no other pair of the round has a live one: nobody is in two
//! lives of one place. Pairs that stay keep their mentorship as it is. Pairs that go end: as withdrawn if nobody had accepted,
//! otherwise early. A withdrawn pair that comes again begins anew. A pair that has declined or ended its mentorship does not
//! come again: each run that is started excludes it by a veto, and a run that has it all the same is not published.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::decision::{self, NewDecision, decision_columns};
use super::dialect::{Row, Value, values};
use super::journal::Note;
use super::profile;
use super::read::ReadSession;
use super::result;
use super::scope::Owner;
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::mentorship::{EndReason, RESPONSE_DAYS};
use crate::domain::name::{DecisionRef, OrganisationId, OwnId, ProfileRef, RoundId, RunRef};
use crate::domain::profile::Profile;
use crate::domain::review::{DecisionKind, Pair};
use crate::error::Result;

/// Pairs that are read and written at a time.
const PAIRS_AT_A_TIME: u32 = 5_000;

/// Why a pair is vetoed whose mentorship has ended.
pub(super) const BECAUSE_ENDED: &str = "The pair has declined or ended its mentorship.";

statements! {
    query ACCEPTED = hidden("mentorship.accepted",
        "SELECT COUNT(*) AS accepted FROM mentorship WHERE round_id = $1 \
         AND (mentor_answer = 'accepted' OR mentee_answer = 'accepted')");
    query ENDED = hidden("mentorship.ended_pairs",
        "SELECT COUNT(*) AS ended FROM mentorship t WHERE t.round_id = $1 AND t.state IN ('declined', 'ended_early') \
         AND EXISTS (SELECT 1 FROM run_match m WHERE m.round_id = $1 AND m.run_number = $2 AND m.id = t.id)");
    query NEW = hidden("mentorship.new_pairs",
        "SELECT m.id, m.mentee_organisation_id, m.mentee_own_id, m.mentor_organisation_id, m.mentor_own_id, m.score, \
         e.waiting_since, e.create_micros AS enrol_micros FROM run_match m LEFT JOIN enrolment e ON e.round_id = m.round_id \
         AND e.organisation_id = m.mentee_organisation_id AND e.own_id = m.mentee_own_id AND e.withdraw_number IS NULL \
         WHERE m.round_id = $1 AND m.run_number = $2 AND m.id > $3 AND NOT EXISTS (SELECT 1 FROM mentorship t \
         WHERE t.round_id = $1 AND t.id = m.id AND t.state <> 'withdrawn') ORDER BY m.id LIMIT $4");
    change PROPOSE = bulk(
        name: "mentorship.propose",
        head: "INSERT INTO mentorship (round_id, id, run_number, mentee_organisation_id, mentee_own_id, mentor_organisation_id, \
               mentor_own_id, score, mentee_region, mentor_region, mentee_stage, mentee_language, waited_days, state, \
               propose_micros, respond_until_micros, version, create_micros, update_micros) VALUES",
        columns: 19,
        tail: " ON CONFLICT (round_id, id) DO UPDATE SET run_number = excluded.run_number, score = excluded.score, \
               mentee_region = excluded.mentee_region, mentor_region = excluded.mentor_region, \
               mentee_stage = excluded.mentee_stage, mentee_language = excluded.mentee_language, \
               waited_days = excluded.waited_days, state = 'proposed', propose_micros = excluded.propose_micros, \
               respond_until_micros = excluded.respond_until_micros, end_micros = NULL, end_reason = NULL, end_side = NULL, \
               end_actor = NULL, version = mentorship.version + 1, update_micros = excluded.update_micros \
               WHERE mentorship.state = 'withdrawn'",
    );
    change REPLACE = ("mentorship.replace",
        "UPDATE mentorship SET state = CASE WHEN mentor_answer = 'accepted' OR mentee_answer = 'accepted' THEN 'ended_early' \
         ELSE 'withdrawn' END, pause_micros = NULL, end_micros = $3, end_reason = $4, end_actor = $5, version = version + 1, \
         update_micros = $3 WHERE round_id = $1 AND state IN ('proposed', 'accepted', 'active', 'paused') \
         AND NOT EXISTS (SELECT 1 FROM run_match m WHERE m.round_id = $1 AND m.run_number = $2 AND m.id = mentorship.id)");
    change WITHDRAW = ("mentorship.withdraw",
        "UPDATE mentorship SET state = 'withdrawn', end_micros = $2, end_reason = $3, end_actor = $4, version = version + 1, \
         update_micros = $2 WHERE round_id = $1 AND state = 'proposed'");
    // People who take part no more are in no pair.
    query TO_EXCLUDE = hidden("mentorship.to_exclude",
        "SELECT t.mentee_organisation_id, t.mentee_own_id, t.mentor_organisation_id, t.mentor_own_id FROM mentorship t \
         WHERE t.round_id = $1 AND t.state IN ('declined', 'ended_early') AND NOT EXISTS (SELECT 1 FROM decision d \
         WHERE d.round_id = $1 AND d.pair_id = t.id AND d.release_number IS NULL AND d.kind = 'veto') \
         AND EXISTS (SELECT 1 FROM enrolment e WHERE e.round_id = $1 AND e.organisation_id = t.mentee_organisation_id \
         AND e.own_id = t.mentee_own_id AND e.withdraw_number IS NULL) AND EXISTS (SELECT 1 FROM enrolment e \
         WHERE e.round_id = $1 AND e.organisation_id = t.mentor_organisation_id AND e.own_id = t.mentor_own_id \
         AND e.withdraw_number IS NULL) ORDER BY t.id");
    query PINS = hidden("mentorship.pins_to_release",
        concat!(decision_columns!(), " WHERE round_id = $1 AND release_number IS NULL AND kind = 'pin' \
            AND EXISTS (SELECT 1 FROM mentorship t WHERE t.round_id = $1 AND t.id = decision.pair_id \
            AND t.state IN ('declined', 'ended_early')) ORDER BY number"));
}

/// Whether somebody has accepted a match of a round.
pub(super) async fn is_accepted(session: &mut ReadSession, round: &RoundId) -> Result<bool> {
    Ok(session.one(ACCEPTED, values![round]).await?.int("accepted")? > 0)
}

/// Whether a run has a pair that has declined or ended its mentorship.
pub(super) async fn has_ended_pairs(session: &mut ReadSession, run: &RunRef) -> Result<bool> {
    Ok(session.one(ENDED, values![&run.round, run.number]).await?.int("ended")? > 0)
}

impl WriteSession {
    /// Proposes the pairs of a run that is published now, and ends the mentorships whose pairs it has not.
    pub(super) async fn publish_mentorships(&mut self, run: &RunRef) -> Result<()> {
        let (owner, now, actor) = (Owner::Alliance, self.now(), self.actor().to_owned());
        let reason = EndReason::ReplacedByRepair.as_str();
        let replaced = values![&run.round, run.number, now, reason, actor.as_str()];
        self.change(owner, REPLACE, replaced).await?;
        let mut after = String::new();
        loop {
            let values = values![&run.round, run.number, after.as_str(), PAIRS_AT_A_TIME];
            let rows = self.reads().rows(NEW, values).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.text("id")?;
            let pairs = rows.iter().map(NewPair::read).collect::<Result<Vec<_>>>()?;
            let profiles = profiles_of(self.reads(), &pairs).await?;
            let proposed = pairs.iter().map(|pair| pair.values(run, &profiles, now));
            self.insert(owner, PROPOSE, Box::new(proposed)).await?;
        }
    }

    /// Withdraws the mentorships of a round whose publication is taken back. Nobody has accepted one.
    pub(super) async fn withdraw_mentorships(&mut self, round: &RoundId) -> Result<()> {
        let (now, actor) = (self.now(), self.actor().to_owned());
        let reason = EndReason::Unpublished.as_str();
        self.change(Owner::Alliance, WITHDRAW, values![round, now, reason, actor.as_str()]).await.map(drop)
    }

    /// Vetoes the pairs of a round that have declined or ended their mentorship, and releases their pins, so that the run that is
    /// started next proposes none of them.
    pub async fn exclude_ended_pairs(&mut self, round: &RoundId) -> Result<Vec<Note>> {
        self.lock_round(round).await?;
        let mut notes = Vec::new();
        for row in self.reads().rows(PINS, values![round]).await? {
            let number = decision::read(round, &row)?.number;
            let name = DecisionRef { round: round.clone(), number };
            notes.push(self.release_decision(&name, (BECAUSE_ENDED, None)).await?.1);
        }
        for row in self.reads().rows(TO_EXCLUDE, values![round]).await? {
            let pair: Pair = result::read_pair("mentorship", &row)?;
            let veto = NewDecision {
                kind: DecisionKind::Veto,
                pair: &pair,
                reason: BECAUSE_ENDED,
                places: (0, 0),
                cost: None,
                bounds: None,
            };
            notes.extend(self.decide(round, &veto, "").await?.1);
        }
        Ok(notes)
    }
}

/// A pair of the run without a mentorship.
struct NewPair {
    id: String,
    pair: Pair,
    score: i64,
    /// First day of the mentee's waiting.
    since: Option<Date>,
}

impl NewPair {
    fn read(row: &Row) -> Result<Self> {
        let since = match row.opt_text("waiting_since")? {
            Some(_) => Some(row.id("enrolment", "waiting_since")?),
            None => row.opt_time("enrol_micros")?.map(day_of),
        };
        Ok(Self {
            id: row.text("id")?,
            pair: result::read_pair("run_match", row)?,
            score: row.int("score")?,
            since,
        })
    }

    /// Values of `PROPOSE`.
    fn values(&self, run: &RunRef, profiles: &HashMap<ProfileRef, Groups>, now: Timestamp) -> Vec<Value> {
        let Pair { mentee, mentor } = &self.pair;
        let of = |person: &ProfileRef| profiles.get(person);
        let waited = self.since.and_then(|since| since.until(day_of(now)).ok());
        let until = now.saturating_add(SignedDuration::from_hours(24 * RESPONSE_DAYS)).unwrap_or(now);
        values![
            &run.round,
            self.id.as_str(),
            run.number,
            &mentee.organisation,
            &mentee.id,
            &mentor.organisation,
            &mentor.id,
            self.score,
            of(mentee).map(|one| one.region),
            of(mentor).map(|one| one.region),
            of(mentee).and_then(|one| one.stage),
            of(mentee).and_then(|one| one.language.as_deref()),
            waited.map(|span| i64::from(span.get_days().max(0))),
            "proposed",
            now,
            until,
            1_i64,
            now,
            now,
        ]
    }
}

/// By what reports group a person.
struct Groups {
    region: &'static str,
    stage: Option<i64>,
    language: Option<String>,
}

impl Groups {
    fn of(profile: &Profile) -> Self {
        Self {
            region: profile.country.region().code(),
            stage: profile.career_stage.map(i64::from),
            language: profile.best_language().map(str::to_owned),
        }
    }
}

/// The groups of the people of some pairs, by their present profiles: a run with older ones is not published.
async fn profiles_of(session: &mut ReadSession, pairs: &[NewPair]) -> Result<HashMap<ProfileRef, Groups>> {
    let mut people: BTreeMap<&OrganisationId, Vec<OwnId>> = BTreeMap::new();
    for person in pairs.iter().flat_map(|new| [&new.pair.mentee, &new.pair.mentor]) {
        people.entry(&person.organisation).or_default().push(person.id.clone());
    }
    let mut found = HashMap::new();
    for (organisation, ids) in people {
        for profile in profile::named(session, organisation, &ids).await? {
            found.insert(profile.name, Groups::of(&profile.content));
        }
    }
    Ok(found)
}

fn day_of(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}
