//! Decisions on pairs of a round: made, released, and frozen with every run.

use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::pair_review::{self, Said};
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{result, round};
use crate::domain::name::{DecisionRef, PairRef, RoundId};
use crate::domain::record::Record;
use crate::domain::review::{Decision, DecisionCost, DecisionKind, DecisionObstacle, Pair};
use crate::domain::round::RoundState;
use crate::domain::snapshot::{FrozenDecision, Snapshot};
use crate::error::{Error, Result};

/// Columns of a decision.
macro_rules! decision_columns {
    () => {
        "SELECT round_id, number, kind, pair_id, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id, reason, \
         actor, create_micros, cost, release_reason, release_actor, release_micros, release_cost FROM decision"
    };
}

pub(super) use decision_columns;

statements! {
    query LIVE_OF_PAIR = hidden("decision.of_pair",
        concat!(decision_columns!(), " WHERE round_id = $1 AND pair_id = $2 AND release_number IS NULL"));
    // A list of any length is one value. The databases spell its reading differently.
    query LIVE = hidden("decision.live",
        sqlite: concat!(decision_columns!(), " WHERE round_id = $1 AND release_number IS NULL \
            AND pair_id IN (SELECT value FROM json_each($2))"),
        postgres: concat!(decision_columns!(), " WHERE round_id = $1 AND release_number IS NULL \
            AND pair_id IN (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON)))"));
    query FROZEN = hidden("decision.frozen",
        concat!(decision_columns!(), " WHERE round_id = $1 AND number <= $2 AND (release_number IS NULL OR release_number > $2) \
            ORDER BY number"));
    query GET = hidden("decision.get",
        concat!(decision_columns!(), " WHERE round_id = $1 AND number = $2"));
    query LIST = hidden("decision.list",
        concat!(decision_columns!(), " WHERE round_id = $1 AND number > $2 AND (release_number IS NULL OR CAST($3 AS BIGINT) = 1) \
            ORDER BY number LIMIT $4"));
    // The pins of one person with people who take part, from the index of her side.
    query PINS = hidden("decision.pins",
        "SELECT d.number FROM decision d WHERE d.round_id = $1 AND d.kind = 'pin' AND d.release_number IS NULL \
         AND d.mentee_organisation_id = $2 AND d.mentee_own_id = $3 AND EXISTS (SELECT 1 FROM enrolment e \
         WHERE e.round_id = $1 AND e.organisation_id = d.mentor_organisation_id AND e.own_id = d.mentor_own_id \
         AND e.withdraw_number IS NULL) UNION ALL \
         SELECT -d.number FROM decision d WHERE d.round_id = $1 AND d.kind = 'pin' AND d.release_number IS NULL \
         AND d.mentor_organisation_id = $4 AND d.mentor_own_id = $5 AND EXISTS (SELECT 1 FROM enrolment e \
         WHERE e.round_id = $1 AND e.organisation_id = d.mentee_organisation_id AND e.own_id = d.mentee_own_id \
         AND e.withdraw_number IS NULL)");
    query LAST = hidden("decision.last", "SELECT decision_number FROM round WHERE id = $1");
    change NEXT = ("round.decide", "UPDATE round SET decision_number = $2 WHERE id = $1");
    change CREATE = ("decision.create",
        "INSERT INTO decision (round_id, number, kind, pair_id, mentee_organisation_id, mentee_own_id, mentor_organisation_id, \
         mentor_own_id, reason, actor, create_micros, cost) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
    change RELEASE = ("decision.release",
        "UPDATE decision SET release_number = $3, release_reason = $4, release_actor = $5, release_micros = $6, \
         release_cost = $7 \
         WHERE round_id = $1 AND number = $2 AND release_number IS NULL");
}

/// A decision that a caller wants to make.
#[derive(Debug, Clone)]
pub struct NewDecision<'a> {
    /// What is decided.
    pub kind: DecisionKind,
    /// The pair.
    pub pair: &'a Pair,
    /// Why.
    pub reason: &'a str,
    /// Mentors that the mentee wants, and mentees that the mentor takes at most.
    pub places: (u32, u32),
    /// What it changes.
    pub cost: Option<DecisionCost>,
    /// The round as it was a moment ago: its ceilings and limits hold for all pins in force and this one together. Absent for a
    /// veto.
    pub bounds: Option<&'a Snapshot>,
}

impl Store {
    /// Decisions of a round after number `after`, in their order, at most `limit`; released ones too if `released`.
    ///
    /// Fails with `NotFound` if there is no such round.
    pub async fn list_decisions(
        &self,
        scope: &Scope,
        round: &RoundId,
        (after, released): (i64, bool),
        limit: u32,
    ) -> Result<Vec<Decision>> {
        let mut session = self.snapshot_reader(scope).await?;
        round::require(&mut session, round).await?;
        let rows = session.rows(LIST, values![round, after, i64::from(released), limit]).await?;
        session.end().await?;
        rows.iter().map(|row| read(round, row)).collect()
    }

    /// The decision on a pair that is in force.
    pub async fn live_decision(&self, scope: &Scope, name: &PairRef) -> Result<Option<Decision>> {
        let mut session = self.reader(scope).await?;
        let found = live_of(&mut session, &name.round, std::slice::from_ref(&name.id)).await;
        session.end().await?;
        Ok(found?.pop())
    }

    /// One decision, in force or released.
    pub async fn decision(&self, scope: &Scope, name: &DecisionRef) -> Result<Decision> {
        let mut session = self.reader(scope).await?;
        let found = session.row(GET, values![&name.round, name.number]).await?;
        session.end().await?;
        read(&name.round, &found.ok_or_else(|| Error::NotFound(name.name()))?)
    }

    /// The decision that [`WriteSession::decide`] would return at `now` for `actor`, or its error. Nothing is written.
    pub async fn check_decision(
        &self,
        scope: &Scope,
        round: &RoundId,
        wanted: &NewDecision<'_>,
        etag: &str,
        made: Record,
    ) -> Result<Decision> {
        let mut session = self.snapshot_reader(scope).await?;
        let state = round::of(&mut session, round).await?.state;
        let decidable = decidable(&mut session, (round, state), wanted, etag, made).await;
        session.end().await?;
        decidable.map(|(decision, _)| decision)
    }

    /// The decision that [`WriteSession::release_decision`] would return, or its error. Nothing is written.
    pub async fn check_release(
        &self,
        scope: &Scope,
        name: &DecisionRef,
        (reason, cost): (&str, Option<DecisionCost>),
        released: Record,
    ) -> Result<Decision> {
        let mut session = self.snapshot_reader(scope).await?;
        let decision = releasable(&mut session, name).await;
        let state = round::of(&mut session, &name.round).await.map(|round| round.state);
        session.end().await?;
        let decision = decision?;
        expect_open(&name.round, state?)?;
        Ok(Decision { release: Some((released, reason.to_owned())), release_cost: cost, ..decision })
    }
}

impl WriteSession {
    /// Decides on a pair. A pair that has this decision keeps it; then there is no note.
    ///
    /// Fails with `NotFound`, `RoundState`, `EtagMismatch` or `DecisionRefused`.
    pub async fn decide(
        &mut self,
        round: &RoundId,
        wanted: &NewDecision<'_>,
        etag: &str,
    ) -> Result<(Decision, Option<Note>)> {
        let state = self.lock_round(round).await?.state;
        let made = Record { recorder: self.actor().to_owned(), time: self.now() };
        let (decision, is_new) = decidable(self.reads(), (round, state), wanted, etag, made).await?;
        if !is_new {
            return Ok((decision, None));
        }
        let owner = Owner::Alliance;
        let Decision { number, kind, ref pair_id, ref pair, ref reason, ref made, cost, .. } = decision;
        let values = values![
            round,
            number,
            kind.as_str(),
            pair_id.as_str(),
            &pair.mentee.organisation,
            &pair.mentee.id,
            &pair.mentor.organisation,
            &pair.mentor.id,
            reason.as_str(),
            made.recorder.as_str(),
            made.time,
            cost_as_stored(cost)?.as_deref(),
        ];
        self.change_exactly(1, owner, NEXT, values![round, number]).await?;
        self.change_exactly(1, owner, CREATE, values).await?;
        self.touch_pair(owner, round, pair, Said::Decision).await?;
        let name = DecisionRef { round: round.clone(), number }.name();
        let action = if kind == DecisionKind::Pin { "decision.pin" } else { "decision.veto" };
        let note = Note::new(owner, action, name, &json!({ "pair": pair_id }));
        Ok((decision, Some(note)))
    }

    /// Releases a decision.
    ///
    /// Fails with `NotFound`, `RoundState` or `DecisionReleased`.
    pub async fn release_decision(
        &mut self,
        name: &DecisionRef,
        (reason, cost): (&str, Option<DecisionCost>),
    ) -> Result<(Decision, Note)> {
        let missing = |error| match error {
            Error::NotFound(_) => Error::NotFound(name.name()),
            other => other,
        };
        let state = self.lock_round(&name.round).await.map_err(missing)?.state;
        let decision = releasable(self.reads(), name).await?;
        expect_open(&name.round, state)?;
        let number = last(self.reads(), &name.round).await? + 1;
        let released = Record { recorder: self.actor().to_owned(), time: self.now() };
        let (owner, actor) = (Owner::Alliance, released.recorder.as_str());
        let values = values![
            &name.round,
            name.number,
            number,
            reason,
            actor,
            released.time,
            cost_as_stored(cost)?.as_deref()
        ];
        self.change_exactly(1, owner, NEXT, values![&name.round, number]).await?;
        self.change_exactly(1, owner, RELEASE, values).await?;
        self.touch_pair(owner, &name.round, &decision.pair, Said::Decision).await?;
        let note = Note::new(owner, "decision.release", name.name(), &json!({ "pair": decision.pair_id }));
        let release = Some((released, reason.to_owned()));
        Ok((Decision { release, release_cost: cost, ..decision }, note))
    }
}

/// The decisions in force on some pairs of a round.
pub(super) async fn live_of(
    session: &mut ReadSession,
    round: &RoundId,
    ids: &[String],
) -> Result<Vec<Decision>> {
    let rows = session.rows(LIVE, values![round, dialect::json(&ids)?]).await?;
    rows.iter().map(|row| read(round, row)).collect()
}

/// The decisions of a round that were in force after one of their changes, sorted.
pub(super) async fn frozen(
    session: &mut ReadSession,
    round: &RoundId,
    number: i64,
) -> Result<Vec<FrozenDecision>> {
    let rows = session.rows(FROZEN, values![round, number]).await?;
    let read = |row: &Row| {
        let Decision { number, kind, pair: Pair { mentee, mentor }, .. } = read(round, row)?;
        let name = DecisionRef { round: round.clone(), number }.name();
        Ok(FrozenDecision { mentee, mentor, kind, name })
    };
    let mut frozen = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    frozen.sort_unstable();
    Ok(frozen)
}

/// The number of the last change of a round's decisions.
pub(super) async fn last(session: &mut ReadSession, round: &RoundId) -> Result<i64> {
    session.one(LAST, values![round]).await?.int("decision_number")
}

/// `Ok` if decisions are made and released in the state: those of a published round steer its repair.
fn expect_open(round: &RoundId, state: RoundState) -> Result<()> {
    if state.takes_people() {
        return Ok(());
    }
    Err(Error::RoundState { round: round.name(), state: state.as_str(), required: RoundState::TAKES_PEOPLE })
}

/// The decision that is made now, or the same one that is in force already, and whether it is new.
async fn decidable(
    session: &mut ReadSession,
    (round, state): (&RoundId, RoundState),
    wanted: &NewDecision<'_>,
    etag: &str,
    made: Record,
) -> Result<(Decision, bool)> {
    expect_open(round, state)?;
    let NewDecision { kind, pair, reason, places, cost, bounds } = wanted;
    for person in [&pair.mentee, &pair.mentor] {
        pair_review::expect_enrolled(session, round, person).await?;
    }
    let pair_id = result::salt(session, round).await?.match_id(&pair.mentee, &pair.mentor);
    let review = pair_review::of(session, round, &pair_id).await?;
    if !pair_review::is_the_version(etag, review.as_ref()) {
        return Err(Error::EtagMismatch(format!("{}/pairs/{pair_id}", round.name())));
    }
    let row = session.row(LIVE_OF_PAIR, values![round, pair_id.as_str()]).await?;
    let mut obstacles = Vec::new();
    if let Some(known) = row.map(|row| read(round, &row)).transpose()? {
        match (known.kind, kind) {
            (DecisionKind::Pin, DecisionKind::Veto) => obstacles.push(DecisionObstacle::Pinned),
            (DecisionKind::Veto, DecisionKind::Pin) => obstacles.push(DecisionObstacle::Vetoed),
            _ => return Ok((known, false)),
        }
    }
    if *kind == DecisionKind::Pin {
        let [of_mentee, of_mentor] = pins(session, round, pair).await?;
        if of_mentee >= places.0 {
            obstacles.push(DecisionObstacle::MenteePlaces);
        }
        if of_mentor >= places.1 {
            obstacles.push(DecisionObstacle::MentorPlaces);
        }
        // Of two pins that want the last place, the second one reads the first one here.
        if obstacles.is_empty()
            && let Some(bounds) = bounds.filter(|bounds| bounds.has_bounds())
        {
            let number = last(session, round).await?;
            let known = frozen(session, round, number).await?;
            let pins = known.iter().filter(|one| one.kind == DecisionKind::Pin).map(FrozenDecision::pair);
            let pins: Vec<_> = pins.chain([(&pair.mentee, &pair.mentor)]).collect();
            obstacles.extend((!bounds.fits_ceilings(&pins)).then_some(DecisionObstacle::NoPlaceFree));
        }
    }
    if !obstacles.is_empty() {
        return Err(Error::DecisionRefused { pair: Box::new((*pair).clone()), obstacles });
    }
    let number = last(session, round).await? + 1;
    let (pair, reason) = ((*pair).clone(), (*reason).to_owned());
    let decision = Decision {
        number,
        kind: *kind,
        pair_id,
        pair,
        reason,
        made,
        cost: *cost,
        release: None,
        release_cost: None,
    };
    Ok((decision, true))
}

/// A cost as stored.
fn cost_as_stored(cost: Option<DecisionCost>) -> Result<Option<String>> {
    cost.as_ref().map(dialect::json).transpose()
}

/// Pins in force of the mentee and of the mentor.
async fn pins(session: &mut ReadSession, round: &RoundId, pair: &Pair) -> Result<[u32; 2]> {
    let Pair { mentee, mentor } = pair;
    let values = values![round, &mentee.organisation, &mentee.id, &mentor.organisation, &mentor.id];
    let mut counts = [0, 0];
    for row in session.rows(PINS, values).await? {
        counts[usize::from(row.int("number")? < 0)] += 1;
    }
    Ok(counts)
}

/// A decision that is in force.
async fn releasable(session: &mut ReadSession, name: &DecisionRef) -> Result<Decision> {
    let found = session.row(GET, values![&name.round, name.number]).await?;
    let decision = read(&name.round, &found.ok_or_else(|| Error::NotFound(name.name()))?)?;
    match decision.release {
        None => Ok(decision),
        Some(_) => Err(Error::DecisionReleased(name.name())),
    }
}

/// Reads a row of `decision_columns!`.
pub(super) fn read(round: &RoundId, row: &Row) -> Result<Decision> {
    let number = row.int("number")?;
    let name = DecisionRef { round: round.clone(), number }.name();
    let release = match (row.opt_text("release_actor")?, row.opt_time("release_micros")?) {
        (Some(recorder), Some(time)) => {
            Some((Record { recorder, time }, row.opt_text("release_reason")?.unwrap_or_default()))
        }
        _ => None,
    };
    Ok(Decision {
        number,
        kind: row.parse("decision", &name, "kind", DecisionKind::from_name)?,
        pair_id: row.text("pair_id")?,
        pair: result::read_pair("decision", row)?,
        reason: row.text("reason")?,
        made: Record { recorder: row.text("actor")?, time: row.time("create_micros")? },
        cost: read_cost(row, &name, "cost")?,
        release,
        release_cost: read_cost(row, &name, "release_cost")?,
    })
}

fn read_cost(row: &Row, name: &str, column: &str) -> Result<Option<DecisionCost>> {
    match row.opt_text(column)? {
        None => Ok(None),
        Some(_) => row.json("decision", &name, column).map(Some),
    }
}
