//! The matches of a run together with what was said of their pairs.

use std::collections::{HashMap, HashSet};

use super::backend::Store;
use super::dialect::values;
use super::scope::Scope;
use super::statement::statements;
use super::{decision, pair_review, result, run};
use crate::domain::name::RunRef;
use crate::domain::review::{Attention, Decision, DecisionKind, PairReview, ReviewedMatch};
use crate::domain::run::RunState;
use crate::error::{Error, Result};

statements! {
    query MATCHES = hidden("run_match.by_score",
        "SELECT ordinal, id, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id, score, pinned FROM run_match \
         WHERE round_id = $1 AND run_number = $2 ORDER BY score, id");
    // The matches of the run that succeeded before this one.
    query BEFORE = hidden("run_match.of_previous",
        "SELECT m.id FROM run_match m WHERE m.round_id = $1 AND m.run_number = (SELECT MAX(r.number) FROM run r \
         WHERE r.round_id = $1 AND r.number < $2 AND r.state = 'succeeded' AND r.purge_micros IS NULL)");
}

/// One match of this number is among the worst.
const WORST_SHARE: usize = 10;

impl Store {
    /// All matches of a run that succeeded, the lowest score first, with what was said of their pairs.
    ///
    /// Fails with `NotFound` if there is no such run, or with `RunState`.
    pub async fn reviewed_matches(&self, scope: &Scope, name: &RunRef) -> Result<Vec<ReviewedMatch>> {
        let mut session = self.snapshot_reader(scope).await?;
        let state = run::state(&mut session, name).await?;
        if state != RunState::Succeeded {
            let required = &["succeeded"];
            return Err(Error::RunState { run: name.name(), state: state.as_str(), required });
        }
        let keys = || values![&name.round, name.number];
        let matches = session.rows(MATCHES, keys()).await?;
        let before = session.rows(BEFORE, keys()).await?;
        let reviews = pair_review::all(&mut session, &name.round).await?;
        let decisions = decision::live(&mut session, &name.round).await?;
        session.end().await?;
        let before: HashSet<String> = before.iter().map(|row| row.text("id")).collect::<Result<_>>()?;
        let mut reviews: HashMap<String, PairReview> =
            reviews.into_iter().map(|review| (review.pair_id.clone(), review)).collect();
        let mut decisions: HashMap<String, Decision> =
            decisions.into_iter().map(|decision| (decision.pair_id.clone(), decision)).collect();
        let worst = matches.len().div_ceil(WORST_SHARE);
        let mut found = Vec::with_capacity(matches.len());
        for (at, row) in matches.iter().enumerate() {
            let result::StoredMatch { id, pair } = result::read_basic(name, row, Vec::new())?;
            let (review, decision) = (reviews.remove(&id), decisions.remove(&id));
            let is_new = !before.is_empty() && !before.contains(&id);
            let attention = attention(at < worst, is_new, review.as_ref(), decision.as_ref());
            found.push(ReviewedMatch { id, found: pair, review, decision, attention });
        }
        Ok(found)
    }
}

fn attention(
    is_worst: bool,
    is_new: bool,
    review: Option<&PairReview>,
    decision: Option<&Decision>,
) -> Vec<Attention> {
    let is_pinned = decision.is_some_and(|decision| decision.kind == DecisionKind::Pin);
    let is_contested = review.is_some_and(|review| review.contests > 0);
    let is_commented = review.is_some_and(|review| review.comments > 0);
    let holds = |cause: &Attention| match cause {
        Attention::Worst => is_worst,
        Attention::Pinned => is_pinned,
        Attention::Changed => is_new,
        Attention::Contested => is_contested,
        Attention::Commented => is_commented,
    };
    Attention::ALL.into_iter().filter(holds).collect()
}
