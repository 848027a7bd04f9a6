//! Experts who are asked about pairs. The question is a comment of the pair; a row here opens the pair to the expert, until the ask is
//! withdrawn.

use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, values};
use super::journal::Note;
use super::pair_review::NewComment;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{result, round};
use crate::domain::name::{AskRef, PairRef, PrincipalRef, RoundId};
use crate::domain::record::Record;
use crate::domain::review::{Ask, Pair};
use crate::domain::round::RoundState;
use crate::error::{Error, Result};

/// Asks `a` with their pairs `p` and their questions `c`.
macro_rules! asks {
    ($condition:expr) => {
        concat!(
            "SELECT a.round_id, a.pair_id, a.expert, a.withdraw_actor, a.withdraw_micros, p.mentee_organisation_id, p.mentee_own_id, \
             p.mentor_organisation_id, p.mentor_own_id, c.body, c.actor, c.create_micros FROM pair_ask a \
             JOIN pair_review p ON p.round_id = a.round_id AND p.pair_id = a.pair_id \
             JOIN pair_comment c ON c.round_id = a.round_id AND c.pair_id = a.pair_id AND c.number = a.number WHERE ",
            $condition
        )
    };
}

/// Whether an ask `a` about the pair `p` is to be answered: nobody has withdrawn it, its round has not ended, and both people take part.
macro_rules! is_open {
    () => {
        concat!(
            "a.withdraw_micros IS NULL AND EXISTS (SELECT 1 FROM round r WHERE r.id = a.round_id \
             AND r.state NOT IN ('closed', 'cancelled')) AND ",
            takes_part!("p.mentee_organisation_id", "p.mentee_own_id"),
            " AND ",
            takes_part!("p.mentor_organisation_id", "p.mentor_own_id")
        )
    };
}

/// Whether a person of the pair of an ask has a live enrolment in its round.
macro_rules! takes_part {
    ($organisation:literal, $own_id:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM enrolment e WHERE e.round_id = a.round_id AND e.organisation_id = ",
            $organisation,
            " AND e.own_id = ",
            $own_id,
            " AND e.withdraw_number IS NULL)"
        )
    };
}

statements! {
    query GET = hidden("pair_ask.get", asks!("a.round_id = $1 AND a.pair_id = $2 AND a.expert = $3"));
    query LIST = hidden("pair_ask.list",
        asks!("a.round_id = $1 AND (a.pair_id, a.expert) > ($2, $3) ORDER BY a.pair_id, a.expert LIMIT $4"));
    query OF_EXPERT = hidden("pair_ask.list_of_expert",
        asks!(concat!("a.expert = $1 AND (a.round_id, a.pair_id) > ($2, $3) AND a.round_id <= $4 AND ", is_open!(),
            " ORDER BY a.round_id, a.pair_id LIMIT $5")));
    query ABOUT = hidden("pair_ask.about",
        concat!("SELECT a.pair_id FROM pair_ask a JOIN pair_review p ON p.round_id = a.round_id AND p.pair_id = a.pair_id \
            WHERE a.expert = $1 AND a.round_id = $2 AND p.mentee_organisation_id = $3 AND p.mentee_own_id = $4 \
            AND p.mentor_organisation_id = $5 AND p.mentor_own_id = $6 AND ", is_open!()));
    query IS_EXPERT = hidden("role_grant.is_expert",
        "SELECT g.id FROM role_grant g WHERE g.principal_id = $1 AND g.role = 'expert' AND g.end_micros IS NULL \
         AND g.from_micros <= $2 AND (g.until_micros IS NULL OR g.until_micros > $2) LIMIT 1");
    change ASK = ("pair_ask.create",
        "INSERT INTO pair_ask (round_id, pair_id, expert, number) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (round_id, pair_id, expert) DO UPDATE SET number = excluded.number, withdraw_actor = NULL, \
         withdraw_micros = NULL");
    change WITHDRAW = ("pair_ask.withdraw",
        "UPDATE pair_ask SET withdraw_actor = $4, withdraw_micros = $5 WHERE round_id = $1 AND pair_id = $2 AND expert = $3 \
         AND withdraw_micros IS NULL");
    upkeep ERASE_ASKS = ("pair_ask.erase", "DELETE FROM pair_ask WHERE round_id = $1 AND pair_id = $2");
}

impl Store {
    /// Asks about pairs of a round after a pair and an expert, at most `limit`, withdrawn ones too.
    ///
    /// Fails with `NotFound` if there is no such round.
    pub async fn list_asks(
        &self,
        scope: &Scope,
        of: &RoundId,
        after: Option<&AskRef>,
        limit: u32,
    ) -> Result<Vec<Ask>> {
        let mut session = self.snapshot_reader(scope).await?;
        round::require(&mut session, of).await?;
        let (pair, expert) = after.map_or(("", ""), |after| (after.pair.id.as_str(), after.expert.id()));
        let rows = session.rows(LIST, values![of, pair, expert, limit]).await?;
        session.end().await?;
        rows.iter().map(read).collect()
    }

    /// Asks that an expert is to answer, of one round or of all, after one of hers, at most `limit`. Her right to them is checked
    /// before.
    pub async fn asks_of(
        &self,
        scope: &Scope,
        (expert, of): (&str, Option<&RoundId>),
        after: Option<&AskRef>,
        limit: u32,
    ) -> Result<Vec<Ask>> {
        scope.require_system()?;
        let mut session = self.snapshot_reader(scope).await?;
        // No id is greater.
        let (first, last) = of.map_or(("", "~"), |round| (round.as_str(), round.as_str()));
        let (round, pair) =
            after.map_or((first, ""), |after| (after.pair.round.as_str(), after.pair.id.as_str()));
        let rows = session.rows(OF_EXPERT, values![expert, round, pair, last, limit]).await?;
        session.end().await?;
        rows.iter().map(read).collect()
    }

    /// Whether an expert is asked about a pair now, in a round that has not ended and in which both people take part.
    pub async fn is_asked(&self, scope: &Scope, expert: &str, round: &RoundId, pair: &Pair) -> Result<bool> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let Pair { mentee, mentor } = pair;
        let values =
            values![expert, round, &mentee.organisation, &mentee.id, &mentor.organisation, &mentor.id];
        let found = session.row(ABOUT, values).await?;
        session.end().await?;
        Ok(found.is_some())
    }

    /// The ask that [`WriteSession::ask`] would return, or its error. Nothing is written.
    pub async fn check_ask(
        &self,
        scope: &Scope,
        (round, pair): (&RoundId, &Pair),
        (wanted, expert): (&NewComment<'_>, &PrincipalRef),
        asked: Record,
    ) -> Result<Ask> {
        let now = asked.time;
        expect_not_ended(round, self.round(scope, round).await?.state)?;
        let (review, question) = self.check_comment(scope, (round, pair), wanted, "", asked).await?;
        let mut session = self.reader(scope).await?;
        let is_expert = expect_expert(&mut session, expert, now).await;
        session.end().await?;
        is_expert?;
        let name =
            AskRef { pair: PairRef { round: round.clone(), id: review.pair_id }, expert: expert.clone() };
        Ok(Ask { name, pair: pair.clone(), question: question.text, asked: question.said, withdrawn: None })
    }

    /// The ask that [`WriteSession::withdraw_ask`] would return, or its error. Nothing is written.
    pub async fn check_ask_withdrawal(&self, scope: &Scope, name: &AskRef, withdrawn: Record) -> Result<Ask> {
        let mut session = self.reader(scope).await?;
        let ask = of(&mut session, name).await;
        session.end().await?;
        let ask = ask?;
        Ok(Ask { withdrawn: ask.withdrawn.or(Some(withdrawn)), ..ask })
    }
}

impl WriteSession {
    /// Asks an expert about a pair. An expert who was asked before gets the new question.
    ///
    /// Fails with `NotFound` if there is no such round or the people have no part in it, or with `InvalidFields` if the principal is
    /// no expert.
    pub async fn ask(
        &mut self,
        round: &RoundId,
        pair: &Pair,
        (wanted, expert): (&NewComment<'_>, &PrincipalRef),
    ) -> Result<(Ask, Note)> {
        let now = self.now();
        expect_not_ended(round, self.lock_round(round).await?.state)?;
        let (_, question, note) = self.say(round, pair, wanted, "").await?;
        expect_expert(self.reads(), expert, now).await?;
        let values = values![round, question.pair_id.as_str(), expert.id(), question.number];
        self.change_exactly(1, Owner::Alliance, ASK, values).await?;
        let name =
            AskRef { pair: PairRef { round: round.clone(), id: question.pair_id }, expert: expert.clone() };
        let ask =
            Ask { name, pair: pair.clone(), question: question.text, asked: question.said, withdrawn: None };
        Ok((ask, note))
    }

    /// Withdraws an ask; one that is withdrawn already stays as it is, and has no note.
    pub async fn withdraw_ask(&mut self, name: &AskRef) -> Result<(Ask, Option<Note>)> {
        let missing = |error| match error {
            Error::NotFound(_) => Error::NotFound(name.name()),
            other => other,
        };
        self.lock_round(&name.pair.round).await.map_err(missing)?;
        let ask = of(self.reads(), name).await?;
        if ask.withdrawn.is_some() {
            return Ok((ask, None));
        }
        let withdrawn = Record { recorder: self.actor().to_owned(), time: self.now() };
        let PairRef { round, id } = &name.pair;
        let values =
            values![round, id.as_str(), name.expert.id(), withdrawn.recorder.as_str(), withdrawn.time];
        self.change_exactly(1, Owner::Alliance, WITHDRAW, values).await?;
        let detail = json!({ "expert": name.expert.id() });
        let note = Note::new(Owner::Alliance, "pair.withdraw_ask", name.pair.name(), &detail);
        Ok((Ask { withdrawn: Some(withdrawn), ..ask }, Some(note)))
    }
}

/// `Ok` if the round has not ended: nobody would read the ask, and nobody would use the answer.
fn expect_not_ended(round: &RoundId, state: RoundState) -> Result<()> {
    if state.has_not_ended() {
        return Ok(());
    }
    Err(Error::RoundState { round: round.name(), state: state.as_str(), required: RoundState::NOT_ENDED })
}

/// `Ok` if the principal has the role of an expert.
async fn expect_expert(session: &mut ReadSession, expert: &PrincipalRef, now: jiff::Timestamp) -> Result<()> {
    if session.row(IS_EXPERT, values![expert.id(), now]).await?.is_some() {
        return Ok(());
    }
    Err(Error::invalid_field("expert", &expert.name(), "is no principal with the role of an expert"))
}

async fn of(session: &mut ReadSession, name: &AskRef) -> Result<Ask> {
    let PairRef { round, id } = &name.pair;
    let found = session.row(GET, values![round, id.as_str(), name.expert.id()]).await?;
    found.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(name.name()))
}

fn read(row: &Row) -> Result<Ask> {
    let pair = PairRef { round: row.id("pair_ask", "round_id")?, id: row.text("pair_id")? };
    let expert = PrincipalRef::from_name(&format!("principals/{}", row.text("expert")?));
    let expert = expert.map_err(|_| Error::internal("an ask names no principal"))?;
    let withdrawn = match (row.opt_text("withdraw_actor")?, row.opt_time("withdraw_micros")?) {
        (Some(recorder), Some(time)) => Some(Record { recorder, time }),
        _ => None,
    };
    Ok(Ask {
        name: AskRef { pair, expert },
        pair: result::read_pair("pair_review", row)?,
        question: row.text("body")?,
        asked: Record { recorder: row.text("actor")?, time: row.time("create_micros")? },
        withdrawn,
    })
}
