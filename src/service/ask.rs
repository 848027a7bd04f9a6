//! Use cases of experts: reviewers ask an expert about a pair, and she reads and comments on that pair alone.

use std::collections::HashMap;

use super::page::Cursor;
use super::review::{PairDraft, is_reviewer};
use super::round::parse_round;
use super::{
    Action, Change, Page, PageRequest, Service, check_request_id, commit_change, recalled, remembered,
};
use crate::domain::caller::Caller;
use crate::domain::field_rule;
use crate::domain::name::{AskRef, PairRef, PrincipalRef, RoundId, RunRef};
use crate::domain::review::{Ask, CommentKind, Pair};
use crate::domain::run::Match;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, NewComment, Scope};

/// The parent of an expert's own asks.
const ALL_ROUNDS: &str = "rounds/-";
/// Most asks of a page: each of them is explained.
const MOST_ASKS: u32 = 50;

/// An ask with what an expert reads of its pair.
#[derive(Debug, Clone)]
pub struct AskedPair {
    /// The ask.
    pub ask: Ask,
    /// The pair in the newest run that succeeded, with contributions; `None` if no run knows both people.
    pub explained: Option<(RunRef, Match)>,
}

impl Service {
    /// Asks an expert about a pair, or checks whether she can be asked.
    pub async fn ask_expert(
        &self,
        caller: &Caller,
        pair: &PairDraft,
        (expert, question): (&str, &str),
        how: Change<'_>,
    ) -> Result<Ask> {
        let permit = Action::AskExpert.permit(caller)?;
        let mut violations = Violations::of_request();
        let named = pair.parse(&mut violations)?;
        let parsed = PrincipalRef::from_name(expert);
        let expert = parsed.map_err(|error| violations.push("expert", expert, error.to_string(), "")).ok();
        let question = field_rule::ASK_EXPERT_REQUEST_QUESTION.text("question", question, &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some((round, pair)), Some(expert), true) = (named, expert, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        self.store.round(&permit.scope, &round).await?;
        let salt = &self.store.round_salt(&Scope::System, &round).await?;
        let wanted =
            NewComment { run: None, salt, kind: CommentKind::Ask, organisation: None, text: &question };
        if how.validate_only {
            let asked = self.record(&permit);
            return self.store.check_ask(&permit.scope, (&round, &pair), (&wanted, &expert), asked).await;
        }
        let payload = (&round, &pair, expert.id(), &question);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (ask, note) = session.ask(&round, &pair, (&wanted, &expert)).await?;
                session.commit(note, &remembered(&ask)?).await?;
                Ok(ask)
            }
        }
    }

    /// Withdraws an ask, or checks whether it can be withdrawn.
    pub async fn withdraw_ask(&self, caller: &Caller, name: &str, how: Change<'_>) -> Result<Ask> {
        let permit = Action::WithdrawAsk.permit(caller)?;
        let mut violations = Violations::of_request();
        let parsed = AskRef::from_name(name);
        let name = parsed.map_err(|error| violations.push("name", name, error.to_string(), "")).ok();
        check_request_id(how.request_id, &mut violations);
        let (Some(name), true) = (name, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            return self.store.check_ask_withdrawal(&permit.scope, &name, self.record(&permit)).await;
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &name.name())?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (ask, note) = session.withdraw_ask(&name).await?;
                commit_change(session, note, &remembered(&ask)?).await?;
                Ok(ask)
            }
        }
    }

    /// A page of the asks of a round; for an expert, of those that she is to answer. `rounds/-` means for everybody those that the
    /// caller is to answer herself.
    pub async fn list_asks(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<Page<AskedPair>> {
        let permit = Action::ListAsks.permit(caller)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/asks"), request)?.at_most(MOST_ASKS);
        let after = cursor.after.as_deref().map(AskRef::from_name).transpose();
        let after = after.map_err(|_| Error::InvalidPageToken)?;
        let round = if parent == ALL_ROUNDS { None } else { Some(parse_round("parent", parent)?) };
        let (after, limit) = (after.as_ref(), cursor.limit());
        let mut asks = match &round {
            Some(round) if is_reviewer(caller) => {
                self.store.list_asks(&permit.scope, round, after, limit).await?
            }
            of => self.store.asks_of(&Scope::System, (&permit.principal, of.as_ref()), after, limit).await?,
        };
        let more = asks.len() >= limit as usize;
        asks.truncate(limit as usize - 1);
        let mut newest: HashMap<RoundId, Option<i64>> = HashMap::new();
        let mut found = Vec::with_capacity(asks.len());
        for ask in asks {
            let PairRef { round, .. } = &ask.name.pair;
            let number = if let Some(number) = newest.get(round) {
                *number
            } else {
                let number = self.store.newest_result(&Scope::System, round).await?;
                newest.insert(round.clone(), number);
                number
            };
            let explained = match number {
                Some(number) => self.explained_ask(&ask, RunRef { round: round.clone(), number }).await?,
                None => None,
            };
            found.push(AskedPair { ask, explained });
        }
        Ok(cursor.page_cut(found, more, |one| one.ask.name.name()))
    }

    /// The pair of an ask in a run, by open answers; `None` if the run cannot answer.
    async fn explained_ask(&self, ask: &Ask, run: RunRef) -> Result<Option<(RunRef, Match)>> {
        let Pair { mentee, mentor } = &ask.pair;
        match self.explained(&Scope::Alliance, run, mentee, mentor).await {
            Ok(found) => {
                // What was decided is the reviewers'.
                let pair = Match { pinned: false, ..found.explanation.pair };
                Ok(Some((found.run, pair)))
            }
            Err(Error::NotFound(_) | Error::InputErased(_) | Error::RunState { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
