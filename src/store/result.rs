//! Results of runs: matches, and people without a match.

use std::collections::BTreeMap;

use super::backend::Store;
use super::dialect::{self, Row, Value, values};
use super::read::ReadSession;
use super::run;
use super::scope::Scope;
use super::statement::statements;
use crate::domain::name::{MatchRef, OrganisationId, ProfileRef, RoundId, RunRef};
use crate::domain::review::Pair;
use crate::domain::run::{Contribution, Match, MatchView, Run, RunState, RunSummary, Side, Unmatched};
use crate::domain::salt::RoundSalt;
use crate::error::{Error, Result};

/// Columns of a match without its contributions.
macro_rules! basic_columns {
    () => {
        "ordinal, id, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id, score, pinned"
    };
}

/// Columns of a match.
macro_rules! match_columns {
    () => {
        concat!(basic_columns!(), ", contributions")
    };
}

/// A page of a run's matches, with the columns of a macro.
macro_rules! page_of_matches {
    ($columns:ident) => {
        concat!(
            "SELECT ",
            $columns!(),
            " FROM run_match WHERE round_id = $1 AND run_number = $2 \
            AND ",
            after_match!(),
            " ORDER BY ordinal LIMIT $4"
        )
    };
}

/// A page of an organisation's matches: either side may belong to the organisation. One index walk per side, and a match
/// within the organisation comes from the first walk only.
macro_rules! page_of_own_matches {
    ($columns:ident) => {
        concat!(
            "SELECT * FROM (SELECT ",
            $columns!(),
            " FROM run_match WHERE round_id = $1 AND run_number = $2 \
            AND mentee_organisation_id = $5 AND ",
            after_match!(),
            " ORDER BY ordinal LIMIT $4) AS mentees \
            UNION ALL SELECT * FROM (SELECT ",
            $columns!(),
            " FROM run_match WHERE round_id = $1 \
            AND run_number = $2 AND mentor_organisation_id = $5 AND mentee_organisation_id <> $5 \
            AND ",
            after_match!(),
            " ORDER BY ordinal LIMIT $4) AS mentors ORDER BY ordinal LIMIT $4"
        )
    };
}

/// The place after which a page of matches begins: that of the match with id `$3`, or the beginning.
macro_rules! after_match {
    () => {
        "ordinal > COALESCE((SELECT a.ordinal FROM run_match a WHERE a.round_id = $1 AND a.run_number = $2 \
         AND a.id = $3), 0)"
    };
}

/// The place after which a page of people begins: that of the person `$3`, `$4` on side `$5`, or the beginning.
macro_rules! after_person {
    () => {
        "ordinal > COALESCE((SELECT a.ordinal FROM run_unmatched a WHERE a.round_id = $1 AND a.run_number = $2 \
         AND a.organisation_id = $3 AND a.own_id = $4 AND a.side = $5), 0)"
    };
}

statements! {
    query LIST = split("run_match.list",
        page_of_matches!(match_columns);
        "run_match.list_of_organisation",
        page_of_own_matches!(match_columns));
    query LIST_BASIC = split("run_match.list_basic",
        page_of_matches!(basic_columns);
        "run_match.list_basic_of_organisation",
        page_of_own_matches!(basic_columns));
    query GET = filtered("run_match.get",
        concat!("SELECT ", match_columns!(), " FROM run_match WHERE round_id = $1 AND run_number = $2 \
            AND mentee_organisation_id = $3 AND mentee_own_id = $4 \
            AND mentor_organisation_id = $5 AND mentor_own_id = $6 \
            AND (CAST($7 AS TEXT) IS NULL OR $7 LIKE '%,' || mentee_organisation_id || ',%' \
            OR $7 LIKE '%,' || mentor_organisation_id || ',%')"));
    query GET_BY_ID = filtered("run_match.get_by_id",
        concat!("SELECT ", match_columns!(), " FROM run_match WHERE round_id = $1 AND run_number = $2 AND id = $3 \
            AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || mentee_organisation_id || ',%' \
            OR $4 LIKE '%,' || mentor_organisation_id || ',%')"));
    query UNMATCHED = split("run_unmatched.list",
        concat!("SELECT ordinal, document FROM run_unmatched WHERE round_id = $1 AND run_number = $2 \
            AND ", after_person!(), " ORDER BY ordinal LIMIT $6");
        "run_unmatched.list_of_organisation",
        concat!("SELECT ordinal, own_document AS document FROM run_unmatched WHERE round_id = $1 \
            AND run_number = $2 AND organisation_id = $7 AND ", after_person!(), " ORDER BY ordinal LIMIT $6"));
    query UNMATCHED_FOR_MANAGERS = hidden("run_unmatched.for_managers",
        "SELECT ordinal, own_document AS document FROM run_unmatched WHERE round_id = $1 AND run_number = $2 \
         ORDER BY ordinal");
    query SUMMARIES = hidden("run_own_summary.list",
        "SELECT organisation_id, document FROM run_own_summary WHERE round_id = $1 AND run_number = $2 \
         ORDER BY organisation_id");
    query SALT = hidden("round.salt", "SELECT salt FROM round WHERE id = $1");
    query IS_PROVED = hidden("run.is_proved",
        "SELECT CASE WHEN state = 'succeeded' AND length(certificate) > 0 THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END \
         AS proved FROM run WHERE round_id = $1 AND number = $2 AND purge_micros IS NULL");
    query CERTIFICATE = hidden("run.certificate",
        "SELECT certificate FROM run WHERE round_id = $1 AND number = $2");
}

/// A match with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMatch {
    /// The last segment of its resource name: a keyed hash of the pair.
    pub id: String,
    /// The match.
    pub pair: Match,
}

impl StoredMatch {
    /// The match as a scope sees it: what reviewers have decided is no organisation's.
    fn seen_in(mut self, scope: &Scope) -> Self {
        self.pair.pinned &= scope.organisations().is_none();
        self
    }
}

/// Everything that was saved of a run that succeeded, for a check of the whole result inside the service.
#[derive(Debug)]
pub struct SavedResult {
    /// The run, with the digests that cover private answers.
    pub run: Run,
    /// The run as coordinators read it.
    pub shown: Run,
    /// All matches, by score, then id.
    pub matches: Vec<Match>,
    /// All people without a match, as coordinators read it.
    pub unmatched: Vec<Unmatched>,
    /// The same people as managers read it.
    pub unmatched_for_managers: Vec<Unmatched>,
    /// Numbers for the manager of each organisation.
    pub summaries: BTreeMap<OrganisationId, RunSummary>,
    /// The certificate of the optimum.
    pub certificate: Vec<u8>,
    /// The salt of the round.
    pub salt: RoundSalt,
}

impl Store {
    /// Whether a run has a result with a proof. Without one it has not succeeded, or somebody was erased.
    ///
    /// Fails with `NotFound` if there is no such run.
    pub async fn answers_questions(&self, scope: &Scope, run: &RunRef) -> Result<bool> {
        let mut session = self.reader(scope).await?;
        let found = session.row(IS_PROVED, values![&run.round, run.number]).await?;
        session.end().await?;
        Ok(found.ok_or_else(|| Error::NotFound(run.name()))?.int("proved")? == 1)
    }

    /// Matches of a run after the match with id `after`, by score, then id, at most `limit`; in the scope of an
    /// organisation, those whose mentor or mentee is a member. The basic view has no contributions.
    ///
    /// Fails with `NotFound` if there is no such run.
    pub async fn list_matches(
        &self,
        scope: &Scope,
        run: &RunRef,
        view: MatchView,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<StoredMatch>> {
        let mut session = self.snapshot_reader(scope).await?;
        let values = values![&run.round, run.number, after.unwrap_or_default(), limit];
        match view {
            MatchView::Basic => {
                let rows = page(session.rows(LIST_BASIC, values).await?, limit)?;
                let found = finish(session, run, rows, |run, row| read_basic(run, row, Vec::new())).await?;
                Ok(found.into_iter().map(|one| one.seen_in(scope)).collect())
            }
            MatchView::Full => {
                let rows = page(session.rows(LIST, values).await?, limit)?;
                let found = finish(session, run, rows, read_match).await?;
                Ok(found.into_iter().map(|one| one.seen_in(scope)).collect())
            }
        }
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
        let found = found.as_ref().map(|row| read_match(run, row)).transpose()?;
        Ok(found.map(|found| found.seen_in(scope)))
    }

    /// A match of a run that succeeded, if the scope covers one of its people.
    ///
    /// Fails with `NotFound`.
    pub async fn match_named(&self, scope: &Scope, name: &MatchRef) -> Result<StoredMatch> {
        let MatchRef { run, id } = name;
        let mut session = self.snapshot_reader(scope).await?;
        let rows = session.rows(GET_BY_ID, values![&run.round, run.number, id.as_str()]).await?;
        let missing = |error| match error {
            Error::NotFound(_) => Error::NotFound(name.name()),
            other => other,
        };
        let found = finish(session, run, rows, read_match).await.map_err(missing)?;
        let found = found.into_iter().next().map(|found| found.seen_in(scope));
        found.ok_or_else(|| Error::NotFound(name.name()))
    }

    /// People without a match after the person `after` on a side, in their order, at most `limit`. Counts are as the scope
    /// may see them.
    ///
    /// Fails with `NotFound` if there is no such run.
    pub async fn list_unmatched(
        &self,
        scope: &Scope,
        run: &RunRef,
        after: Option<(Option<Side>, &ProfileRef)>,
        limit: u32,
    ) -> Result<Vec<Unmatched>> {
        let mut session = self.snapshot_reader(scope).await?;
        let (side, organisation, own_id) = after.map_or(("", "", ""), |(side, profile)| {
            (side_name(side), profile.organisation.as_str(), profile.id.as_str())
        });
        let values = values![&run.round, run.number, organisation, own_id, side, limit];
        let rows = page(session.rows(UNMATCHED, values).await?, limit)?;
        finish(session, run, rows, read_unmatched).await
    }

    /// Everything that was saved of a run that succeeded; `None` if the run has not succeeded. It contains private points,
    /// so that only the service itself reads it.
    ///
    /// Fails with `NotFound` if there is no such run.
    pub async fn saved_result(&self, scope: &Scope, run: &RunRef) -> Result<Option<SavedResult>> {
        scope.require_system()?;
        let mut session = self.snapshot_reader(scope).await?;
        let keys = || values![&run.round, run.number];
        let found = run::of(&mut session, run).await?;
        if found[0].state != RunState::Succeeded {
            session.end().await?;
            return Ok(None);
        }
        let [internal, shown] = found;
        let matches = session.rows(LIST, values![&run.round, run.number, "", i64::MAX]).await?;
        let unmatched =
            session.rows(UNMATCHED, values![&run.round, run.number, "", "", "", i64::MAX]).await?;
        let for_managers = session.rows(UNMATCHED_FOR_MANAGERS, keys()).await?;
        let summaries = session.rows(SUMMARIES, keys()).await?;
        let certificate = session.one(CERTIFICATE, keys()).await?.blob("certificate")?;
        let salt = salt(&mut session, &run.round).await?;
        session.end().await?;
        let summary = |row: &Row| {
            let organisation = row.id("run_own_summary", "organisation_id")?;
            let document = row.json("run_own_summary", &organisation, "document")?;
            Ok((organisation, document))
        };
        Ok(Some(SavedResult {
            run: internal,
            shown,
            matches: matches.iter().map(|row| Ok(read_match(run, row)?.pair)).collect::<Result<_>>()?,
            unmatched: unmatched.iter().map(|row| read_unmatched(run, row)).collect::<Result<_>>()?,
            unmatched_for_managers: for_managers
                .iter()
                .map(|row| read_unmatched(run, row))
                .collect::<Result<_>>()?,
            summaries: summaries.iter().map(summary).collect::<Result<_>>()?,
            certificate,
            salt,
        }))
    }
}

/// The salt of a round, in the scope of the service itself.
pub(super) async fn salt(session: &mut ReadSession, round: &RoundId) -> Result<RoundSalt> {
    let row = session.one(SALT, values![round]).await?;
    row.parse("round", round, "salt", RoundSalt::from_hex)
}

/// A page of the rows of several organisations, by ordinal. A match between two of them is in the rows of both.
fn page(rows: Vec<Row>, limit: u32) -> Result<Vec<Row>> {
    let mut numbered =
        rows.into_iter().map(|row| Ok((row.int("ordinal")?, row))).collect::<Result<Vec<_>>>()?;
    // Rows of one organisation are sorted already.
    numbered.sort_by_key(|(ordinal, _)| *ordinal);
    numbered.dedup_by_key(|(ordinal, _)| *ordinal);
    numbered.truncate(limit as usize);
    Ok(numbered.into_iter().map(|(_, row)| row).collect())
}

/// Ends a list. Rows of a run that has not succeeded are staged, and nobody reads them.
///
/// Fails with `NotFound` if there is no such run, or if the run is being purged.
async fn finish<T>(
    mut session: ReadSession,
    name: &RunRef,
    rows: Vec<Row>,
    read: fn(&RunRef, &Row) -> Result<T>,
) -> Result<Vec<T>> {
    let state = run::state(&mut session, name).await?;
    session.end().await?;
    if state != RunState::Succeeded {
        return Ok(Vec::new());
    }
    rows.iter().map(|row| read(name, row)).collect()
}

/// The matches of a run with their ids, the highest score first, then by id.
pub(super) fn in_order<'a>(salt: &RoundSalt, matches: &'a [Match]) -> Vec<(String, &'a Match)> {
    let mut sorted: Vec<(String, &Match)> =
        matches.iter().map(|pair| (salt.match_id(&pair.mentee, &pair.mentor), pair)).collect();
    sorted.sort_unstable_by(|(id, pair), (other_id, other)| {
        other.score.cmp(&pair.score).then_with(|| id.cmp(other_id))
    });
    sorted
}

/// Values of a row of `KEEP_MATCHES`. A document that cannot be written becomes NULL, which the column does not take: the
/// whole result is refused.
pub(super) fn match_values(run: &RunRef, ordinal: i64, (id, pair): &(String, &Match)) -> Vec<Value> {
    values![
        &run.round,
        run.number,
        ordinal,
        id.as_str(),
        &pair.mentee.organisation,
        &pair.mentee.id,
        &pair.mentor.organisation,
        &pair.mentor.id,
        pair.score,
        dialect::json(&pair.contributions).ok().as_deref(),
        i64::from(pair.pinned),
    ]
}

/// Values of a row of `KEEP_UNMATCHED`, from the entry for coordinators and the one for managers, with the same rule for
/// documents. Two entries of different people are refused in the same way.
pub(super) fn unmatched_values(
    run: &RunRef,
    ordinal: i64,
    (unmatched, for_manager): (&Unmatched, &Unmatched),
) -> Vec<Value> {
    let is_same = (&unmatched.profile, unmatched.side) == (&for_manager.profile, for_manager.side);
    values![
        &run.round,
        run.number,
        ordinal,
        side_name(unmatched.side),
        &unmatched.profile.organisation,
        &unmatched.profile.id,
        dialect::json(unmatched).ok().as_deref(),
        dialect::json(for_manager).ok().filter(|_| is_same).as_deref(),
    ]
}

/// A side as stored.
fn side_name(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Mentee) => "mentee",
        Some(Side::Mentor) => "mentor",
        None => "none",
    }
}

pub(super) fn read_match(run: &RunRef, row: &Row) -> Result<StoredMatch> {
    let contributions = row.json("run_match", &match_name(run, row)?, "contributions")?;
    read_basic(run, row, contributions)
}

fn match_name(run: &RunRef, row: &Row) -> Result<String> {
    Ok(format!("{run}/matches/{}", row.text("id")?))
}

pub(super) fn read_basic(run: &RunRef, row: &Row, contributions: Vec<Contribution>) -> Result<StoredMatch> {
    let Pair { mentee, mentor } = read_pair("run_match", row)?;
    Ok(StoredMatch {
        pair: Match {
            mentee,
            mentor,
            score: row.narrow("run_match", &match_name(run, row)?, "score")?,
            contributions,
            pinned: row.flag("pinned")?,
        },
        id: row.text("id")?,
    })
}

/// The pair of a row.
pub(super) fn read_pair(table: &'static str, row: &Row) -> Result<Pair> {
    let person = |organisation: &str, own_id: &str| {
        Ok(ProfileRef { organisation: row.id(table, organisation)?, id: row.id(table, own_id)? })
    };
    Ok(Pair {
        mentee: person("mentee_organisation_id", "mentee_own_id")?,
        mentor: person("mentor_organisation_id", "mentor_own_id")?,
    })
}

fn read_unmatched(run: &RunRef, row: &Row) -> Result<Unmatched> {
    let id = format!("{run}/unmatched/{}", row.int("ordinal")?);
    row.json("run_unmatched", &id, "document")
}
