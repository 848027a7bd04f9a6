//! The matches of a run together with what was said of their pairs, in pages: a page reads its own rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::backend::Store;
use super::dialect::{Row, values};
use super::read::ReadSession;
use super::scope::Scope;
use super::statement::statements;
use super::{decision, pair_review, profile, result, run};
use crate::domain::name::{OrganisationId, OwnId, ProfileRef, RunRef};
use crate::domain::review::{Attention, Decision, PairReview, ReviewFilter, ReviewedMatch};
use crate::domain::run::RunState;
use crate::domain::vocabulary::Region;
use crate::error::{Error, Result};

/// A bit of a cause of attention, if its condition holds.
macro_rules! bit {
    ($bit:literal, $condition:expr) => {
        concat!("CASE WHEN ", $condition, " THEN CAST(", $bit, " AS BIGINT) ELSE CAST(0 AS BIGINT) END")
    };
}

/// Whether somebody has said something of the pair of a match, with a condition on its review.
macro_rules! reviewed {
    ($condition:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM pair_review p WHERE p.round_id = m.round_id AND p.pair_id = m.id AND ",
            $condition,
            ")"
        )
    };
}

/// Whether a person of a match takes no part in the round any more.
macro_rules! has_left {
    ($organisation:literal, $own_id:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.round_id = m.round_id AND e.organisation_id = ",
            $organisation,
            " AND e.own_id = ",
            $own_id,
            " AND e.withdraw_number IS NULL)"
        )
    };
}

/// The causes of attention of a match, as the sum of their bits. `$4` is the place after which the worst matches begin, and `$5`
/// the run before this one, or 0.
macro_rules! attention {
    () => {
        concat!(
            bit!(1, "m.ordinal > $4"),
            " + ",
            bit!(
                2,
                "EXISTS (SELECT 1 FROM decision d WHERE d.round_id = m.round_id AND d.pair_id = m.id AND d.release_number IS NULL \
                 AND d.kind = 'pin')"
            ),
            " + ",
            bit!(
                4,
                "CAST($5 AS BIGINT) > 0 AND NOT EXISTS (SELECT 1 FROM run_match b WHERE b.round_id = m.round_id \
                 AND b.run_number = $5 AND b.id = m.id)"
            ),
            " + ",
            bit!(8, reviewed!("p.contests > 0")),
            " + ",
            bit!(16, reviewed!("p.comments > 0")),
            " + ",
            bit!(
                32,
                concat!(
                    has_left!("m.mentee_organisation_id", "m.mentee_own_id"),
                    " OR ",
                    has_left!("m.mentor_organisation_id", "m.mentor_own_id")
                )
            )
        )
    };
}

statements! {
    // The lowest score first. `$6` has the bits of the wanted causes, or 0; `$7` is 1 for marked matches alone, 0 for the others, and -1
    // for both; `$8` and `$9` are the bounds of the score; `$10` is an organisation, or empty.
    query LIST = hidden("run_match.list_reviewed",
        concat!("SELECT * FROM (SELECT m.ordinal, m.id, m.mentee_organisation_id, m.mentee_own_id, m.mentor_organisation_id, \
            m.mentor_own_id, m.score, m.pinned, ", attention!(), " AS attention, ", bit!(1, reviewed!("p.mark_actor IS NOT NULL")),
            " AS marked FROM run_match m WHERE m.round_id = $1 AND m.run_number = $2 \
            AND m.ordinal < $3 AND m.score >= $8 AND m.score <= $9 AND (CAST($10 AS TEXT) = '' \
            OR m.mentee_organisation_id = $10 OR m.mentor_organisation_id = $10)) AS q \
            WHERE (CAST($6 AS BIGINT) = 0 OR (q.attention & CAST($6 AS BIGINT)) > 0) \
            AND (CAST($7 AS BIGINT) < 0 OR q.marked = CAST($7 AS BIGINT)) ORDER BY q.ordinal DESC LIMIT $11"));
    query LAST = hidden("run_match.last",
        "SELECT COALESCE(MAX(ordinal), 0) AS ordinal FROM run_match WHERE round_id = $1 AND run_number = $2");
    // The run that succeeded before this one, if it has matches.
    query BEFORE = hidden("run_match.run_before",
        "SELECT b.number FROM (SELECT COALESCE(MAX(r.number), 0) AS number FROM run r WHERE r.round_id = $1 AND r.number < $2 \
         AND r.state = 'succeeded' AND r.purge_micros IS NULL) AS b WHERE EXISTS (SELECT 1 FROM run_match m \
         WHERE m.round_id = $1 AND m.run_number = b.number)");
}

/// One match of this number is among the worst.
const WORST_SHARE: i64 = 10;
/// Least number of rows that are read at a time if the region of the people decides afterwards.
const LEAST_ROWS: u32 = 1_000;
/// Rows after which a page ends, however few of them the filter takes.
const MOST_ROWS: usize = 20_000;

impl Store {
    /// Matches of a run that succeeded, the lowest score first, with what was said of their pairs: those that the filter takes after
    /// the match at the place `after`, at most `limit`. A number of rows ends the reading too: then the place follows after which it
    /// goes on.
    ///
    /// Fails with `NotFound` if there is no such run, or with `RunState`.
    pub async fn reviewed_matches(
        &self,
        scope: &Scope,
        name: &RunRef,
        filter: &ReviewFilter,
        after: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<ReviewedMatch>, Option<i64>)> {
        let mut session = self.snapshot_reader(scope).await?;
        let state = run::state(&mut session, name).await?;
        if state != RunState::Succeeded {
            let required = &["succeeded"];
            return Err(Error::RunState { run: name.name(), state: state.as_str(), required });
        }
        let keys = || values![&name.round, name.number];
        let last = session.one(LAST, keys()).await?.int("ordinal")?;
        let bounds = Bounds {
            best: last - (last + WORST_SHARE - 1) / WORST_SHARE,
            before: session.row(BEFORE, keys()).await?.map_or(Ok(0), |row| row.int("number"))?,
        };
        let mut after = after.unwrap_or(i64::MAX);
        let at_a_time = if filter.region.is_some() { limit.max(LEAST_ROWS) } else { limit };
        let (mut found, mut read): (Vec<ReviewedMatch>, usize) = (Vec::new(), 0);
        let rest = loop {
            let mut page = page(&mut session, name, filter, &bounds, (after, at_a_time)).await?;
            let is_last = page.len() < at_a_time as usize;
            read += page.len();
            after = page.last().map_or(after, |last| last.ordinal);
            if let Some(region) = filter.region {
                let home = homes(&mut session, &page).await?;
                let lives = |person: &ProfileRef| home.get(person) == Some(&region);
                page.retain(|one| lives(&one.found.mentee) || lives(&one.found.mentor));
            }
            found.append(&mut page);
            if is_last || found.len() >= limit as usize {
                break None;
            }
            if read >= MOST_ROWS {
                break Some(after);
            }
        };
        session.end().await?;
        found.truncate(limit as usize);
        Ok((found, rest))
    }
}

/// What the causes of attention compare a match with.
struct Bounds {
    /// Place of the last match that is not among the worst.
    best: i64,
    /// Number of the run before, or 0.
    before: i64,
}

async fn page(
    session: &mut ReadSession,
    name: &RunRef,
    filter: &ReviewFilter,
    bounds: &Bounds,
    (after, limit): (i64, u32),
) -> Result<Vec<ReviewedMatch>> {
    let wanted: i64 = filter.attention.iter().map(|cause| bit_of(*cause)).fold(0, |all, bit| all | bit);
    let values = values![
        &name.round,
        name.number,
        after,
        bounds.best,
        bounds.before,
        wanted,
        filter.reviewed.map_or(-1, i64::from),
        i64::from(filter.min_score.unwrap_or(i32::MIN)),
        i64::from(filter.max_score.unwrap_or(i32::MAX)),
        filter.organisation.as_ref().map_or("", OrganisationId::as_str),
        limit,
    ];
    let rows = session.rows(LIST, values).await?;
    let ids = rows.iter().map(|row| row.text("id")).collect::<Result<Vec<_>>>()?;
    let reviews = pair_review::named(session, &name.round, &ids).await?;
    let mut reviews: HashMap<String, PairReview> =
        reviews.into_iter().map(|review| (review.pair_id.clone(), review)).collect();
    let decisions = decision::live_of(session, &name.round, &ids).await?;
    let mut decisions: HashMap<String, Decision> =
        decisions.into_iter().map(|decision| (decision.pair_id.clone(), decision)).collect();
    let read = |row: &Row| {
        let result::StoredMatch { id, pair } = result::read_basic(name, row, Vec::new())?;
        let bits = row.int("attention")?;
        let attention = Attention::ALL.into_iter().filter(|cause| bits & bit_of(*cause) != 0).collect();
        let (review, decision) = (reviews.remove(&id), decisions.remove(&id));
        Ok(ReviewedMatch { ordinal: row.int("ordinal")?, id, found: pair, review, decision, attention })
    };
    rows.iter().map(read).collect()
}

/// The bit of a cause in the statements.
fn bit_of(cause: Attention) -> i64 {
    1 << (cause as i64 - 1)
}

/// The regions in which the people of some matches live, by their present profiles.
async fn homes(session: &mut ReadSession, page: &[ReviewedMatch]) -> Result<HashMap<ProfileRef, Region>> {
    let mut people: BTreeMap<&OrganisationId, BTreeSet<&OwnId>> = BTreeMap::new();
    for one in page {
        for person in [&one.found.mentee, &one.found.mentor] {
            people.entry(&person.organisation).or_default().insert(&person.id);
        }
    }
    let mut homes = HashMap::new();
    for (organisation, ids) in people {
        let ids: Vec<OwnId> = ids.into_iter().cloned().collect();
        for profile in profile::named(session, organisation, &ids).await? {
            homes.insert(profile.name, profile.content.country.region());
        }
    }
    Ok(homes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_of_the_statement_are_those_of_the_causes() {
        let bits: Vec<i64> = Attention::ALL.into_iter().map(bit_of).collect();
        assert_eq!(bits, [1, 2, 4, 8, 16, 32]);
    }
}
