//! What reviewers and organisations have decided and said about a person: shown to her, and destroyed with her.
//!
//! A decision keeps its place with the surrogate, without its reasons. Everything that was said of her pairs is deleted.

use super::super::ask::ERASE_ASKS;
use super::super::backend::Store;
use super::super::decision::{self, decision_columns};
use super::super::dialect::{Row, Value, values};
use super::super::read::ReadSession;
use super::super::statement::statements;
use super::super::{pair_review, result};
use super::task::Task;
use crate::domain::name::{PairRef, ProfileRef, RoundId};
use crate::domain::review::{Comment, Decision};
use crate::error::Result;

/// Pairs of a person, on either side: of a table, with the columns of a macro or a text.
macro_rules! of_person {
    ($columns:expr, $table:literal) => {
        concat!(
            $columns,
            $table,
            " WHERE mentee_organisation_id = $1 AND mentee_own_id = $2 UNION ALL ",
            $columns,
            $table,
            " WHERE mentor_organisation_id = $1 AND mentor_own_id = $2"
        )
    };
}

statements! {
    query DECISIONS = hidden("erasure.decisions",
        concat!("SELECT * FROM (", of_person!(decision_columns!(), ""), ") AS hers ORDER BY round_id, number"));
    query COMMENTS = hidden("erasure.comments",
        concat!("SELECT c.round_id, c.pair_id, c.number, c.id, c.kind, c.organisation_id, c.actor, c.body, c.create_micros \
            FROM pair_comment c JOIN (", of_person!("SELECT round_id, pair_id FROM ", "pair_review"), ") AS hers \
            ON hers.round_id = c.round_id AND hers.pair_id = c.pair_id ORDER BY c.round_id, c.pair_id, c.number"));
    upkeep EMPTY_DECISION = ("decision.erase",
        "UPDATE decision SET pair_id = $3, mentee_own_id = $4, mentor_own_id = $5, reason = '', \
         cost = NULL, release_cost = NULL, \
         release_reason = CASE WHEN release_reason IS NULL THEN NULL ELSE '' END WHERE round_id = $1 AND number = $2");
    query PAIRS = hidden("erasure.pairs", of_person!("SELECT round_id, pair_id FROM ", "pair_review"));
    upkeep DELETE_COMMENTS = ("pair_comment.erase",
        "DELETE FROM pair_comment WHERE round_id = $1 AND pair_id = $2");
    upkeep DELETE_REVIEWS = ("pair_review.erase",
        "DELETE FROM pair_review WHERE (mentee_organisation_id = $1 AND mentee_own_id = $2) \
         OR (mentor_organisation_id = $1 AND mentor_own_id = $2)");
}

impl Store {
    /// Destroys what was decided and said about the person.
    pub(super) async fn erase_from_reviews(&self, task: &Task) -> Result<()> {
        let mut session = self.snapshot_reader(&task.scope).await?;
        let mut emptied = Vec::new();
        for (round, decision) in decisions_about(&mut session, &task.person).await? {
            let salt = result::salt(&mut session, &round).await?;
            let of =
                |person: &ProfileRef| if *person == task.person { &task.surrogate } else { person }.clone();
            let (mentee, mentor) = (of(&decision.pair.mentee), of(&decision.pair.mentor));
            let id = salt.match_id(&mentee, &mentor);
            emptied.push(values![&round, decision.number, id.as_str(), &mentee.id, &mentor.id]);
        }
        session.end().await?;
        let mut held = self.hold_erasure(task).await?;
        if let Some((session, counts)) = &mut held {
            for values in emptied {
                counts.decisions += session.execute(EMPTY_DECISION, values).await?;
            }
            for row in session.reads().rows(PAIRS, task.keys()).await? {
                let pair = values![row.text("round_id")?, row.text("pair_id")?];
                session.execute(ERASE_ASKS, pair.clone()).await?;
                counts.comments += session.execute(DELETE_COMMENTS, pair).await?;
            }
            session.execute(DELETE_REVIEWS, task.keys()).await?;
        }
        self.release_erasure(task, held).await
    }
}

/// The decisions on pairs of a person.
pub(super) async fn decisions_about(
    session: &mut ReadSession,
    person: &ProfileRef,
) -> Result<Vec<(RoundId, Decision)>> {
    let rows = session.rows(DECISIONS, keys(person)).await?;
    let read = |row: &Row| {
        let round: RoundId = row.id("decision", "round_id")?;
        let decision = decision::read(&round, row)?;
        Ok((round, decision))
    };
    rows.iter().map(read).collect()
}

/// What reviewers and her own organisation have said of pairs of a person. What the organisation of a partner says is the
/// partner's.
pub(super) async fn comments_about(
    session: &mut ReadSession,
    person: &ProfileRef,
) -> Result<Vec<(RoundId, Comment)>> {
    let rows = session.rows(COMMENTS, keys(person)).await?;
    let read = |row: &Row| {
        let round: RoundId = row.id("pair_comment", "round_id")?;
        let pair = PairRef { round: round.clone(), id: row.text("pair_id")? };
        Ok((round, pair_review::read_comment(&pair, row)?))
    };
    let is_hers = |comment: &Comment| {
        comment.organisation.as_ref().is_none_or(|organisation| *organisation == person.organisation)
    };
    let mut all = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    all.retain(|(_, comment)| is_hers(comment));
    Ok(all)
}

fn keys(person: &ProfileRef) -> Vec<Value> {
    values![&person.organisation, &person.id]
}
