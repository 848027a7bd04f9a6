//! Results of runs: matches, and people without a match.

use super::backend::Store;
use super::dialect::{self, Row, Value, values};
use super::read::ReadSession;
use super::run;
use super::scope::Scope;
use super::statement::statements;
use crate::domain::name::{ProfileRef, RunRef};
use crate::domain::run::{Match, Side, Unmatched};
use crate::error::Result;

/// Columns of a match.
macro_rules! match_columns {
    () => {
        "ordinal, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id, score, contributions"
    };
}

statements! {
    // Either side may belong to the organisation: one index walk per side, and a match within the organisation comes from
    // the first walk only.
    query LIST = split("run_match.list",
        concat!("SELECT ", match_columns!(), " FROM run_match WHERE round_id = $1 AND run_number = $2 \
            AND ordinal > $3 ORDER BY ordinal LIMIT $4");
        "run_match.list_of_organisation",
        concat!("SELECT * FROM (SELECT ", match_columns!(), " FROM run_match WHERE round_id = $1 AND run_number = $2 \
            AND mentee_organisation_id = $5 AND ordinal > $3 ORDER BY ordinal LIMIT $4) AS mentees \
            UNION ALL SELECT * FROM (SELECT ", match_columns!(), " FROM run_match WHERE round_id = $1 \
            AND run_number = $2 AND mentor_organisation_id = $5 AND mentee_organisation_id <> $5 AND ordinal > $3 \
            ORDER BY ordinal LIMIT $4) AS mentors ORDER BY ordinal LIMIT $4"));
    query GET = filtered("run_match.get",
        concat!("SELECT ", match_columns!(), " FROM run_match WHERE round_id = $1 AND run_number = $2 \
            AND mentee_organisation_id = $3 AND mentee_own_id = $4 \
            AND mentor_organisation_id = $5 AND mentor_own_id = $6 \
            AND (CAST($7 AS TEXT) IS NULL OR mentee_organisation_id = $7 OR mentor_organisation_id = $7)"));
    query UNMATCHED = split("run_unmatched.list",
        "SELECT ordinal, organisation_id, own_id, document FROM run_unmatched \
         WHERE round_id = $1 AND run_number = $2 AND ordinal > $3 ORDER BY ordinal LIMIT $4";
        "run_unmatched.list_of_organisation",
        "SELECT ordinal, organisation_id, own_id, document FROM run_unmatched \
         WHERE round_id = $1 AND run_number = $2 AND organisation_id = $5 AND ordinal > $3 ORDER BY ordinal LIMIT $4");
}

/// A match with its place in the run's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMatch {
    /// Its place, from 1: the last segment of its resource name.
    pub ordinal: i64,
    /// The match.
    pub pair: Match,
}

/// A person without a match, with the person's place in the run's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUnmatched {
    /// The place, from 1.
    pub ordinal: i64,
    /// Who, and why.
    pub unmatched: Unmatched,
}

impl Store {
    /// Matches of a run after place `after`, in their order, at most `limit`; in the scope of an organisation,
    /// those whose mentor or mentee is a member.
    ///
    /// Fails with `NotFound` if there is no such run.
    pub async fn list_matches(
        &self,
        scope: &Scope,
        run: &RunRef,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredMatch>> {
        let mut session = self.snapshot_reader(scope).await?;
        let values = values![&run.round, run.number, after, limit];
        let rows = session.rows(LIST, values).await?;
        finish(session, run, rows, read_match).await
    }

    /// The match of two people in a run, if the run has matched them and the scope covers one of them.
    pub async fn match_of(
        &self,
        scope: &Scope,
        run: &RunRef,
        mentee: &ProfileRef,
        mentor: &ProfileRef,
    ) -> Result<Option<StoredMatch>> {
        let mut session = self.reader(scope).await?;
        let values = values![
            &run.round,
            run.number,
            &mentee.organisation,
            &mentee.id,
            &mentor.organisation,
            &mentor.id,
        ];
        let found = session.row(GET, values).await?;
        session.end().await?;
        found.as_ref().map(|row| read_match(run, row)).transpose()
    }

    /// People without a match after place `after`, in their order, at most `limit`.
    ///
    /// Fails with `NotFound` if there is no such run.
    pub async fn list_unmatched(
        &self,
        scope: &Scope,
        run: &RunRef,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredUnmatched>> {
        let mut session = self.snapshot_reader(scope).await?;
        let values = values![&run.round, run.number, after, limit];
        let rows = session.rows(UNMATCHED, values).await?;
        finish(session, run, rows, read_unmatched).await
    }
}

/// Ends a list: an empty page of a run that does not exist is an error.
async fn finish<T>(
    mut session: ReadSession,
    name: &RunRef,
    rows: Vec<Row>,
    read: fn(&RunRef, &Row) -> Result<T>,
) -> Result<Vec<T>> {
    if rows.is_empty() {
        run::state(&mut session, name).await?;
    }
    session.end().await?;
    rows.iter().map(|row| read(name, row)).collect()
}

/// Values of a row of `KEEP_MATCHES`. A document that cannot be written becomes NULL, which the column does not take: the
/// whole result is refused.
pub(super) fn match_values(run: &RunRef, ordinal: i64, pair: &Match) -> Vec<Value> {
    values![
        &run.round,
        run.number,
        ordinal,
        &pair.mentee.organisation,
        &pair.mentee.id,
        &pair.mentor.organisation,
        &pair.mentor.id,
        pair.score,
        dialect::json(&pair.contributions).ok().as_deref(),
    ]
}

/// Values of a row of `KEEP_UNMATCHED`, with the same rule for documents.
pub(super) fn unmatched_values(run: &RunRef, ordinal: i64, unmatched: &Unmatched) -> Vec<Value> {
    let side = match unmatched.side {
        Some(Side::Mentee) => "mentee",
        Some(Side::Mentor) => "mentor",
        None => "none",
    };
    values![
        &run.round,
        run.number,
        ordinal,
        side,
        &unmatched.profile.organisation,
        &unmatched.profile.id,
        dialect::json(unmatched).ok().as_deref(),
    ]
}

fn read_match(run: &RunRef, row: &Row) -> Result<StoredMatch> {
    let ordinal = row.int("ordinal")?;
    let id = format!("{run}/matches/{ordinal}");
    let person = |organisation: &str, own_id: &str| {
        Ok(ProfileRef { organisation: row.id("run_match", organisation)?, id: row.id("run_match", own_id)? })
    };
    Ok(StoredMatch {
        ordinal,
        pair: Match {
            mentee: person("mentee_organisation_id", "mentee_own_id")?,
            mentor: person("mentor_organisation_id", "mentor_own_id")?,
            score: row.narrow("run_match", &id, "score")?,
            contributions: row.json("run_match", &id, "contributions")?,
        },
    })
}

fn read_unmatched(run: &RunRef, row: &Row) -> Result<StoredUnmatched> {
    let ordinal = row.int("ordinal")?;
    let id = format!("{run}/unmatched/{ordinal}");
    Ok(StoredUnmatched { ordinal, unmatched: row.json("run_unmatched", &id, "document")? })
}
