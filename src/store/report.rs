//! Reports: inserted once, and never changed.
//!
//! The releases of one scope have numbers. Each keeps the true counts behind its published ones, by which the next release of the same
//! scope is made; no caller reads them.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::{OrganisationId, RoundId};
use crate::domain::report::{Content, Report, ReportKind, ReportScope};
use crate::domain::suppression::partition::Anchors;
use crate::error::{Error, Result};

/// Columns of a report without its content.
macro_rules! report_columns {
    () => {
        "id, kind, round_id, organisation_id, year, list_version, digest, actor, create_micros"
    };
}

/// The condition of a reader: reports of kind `$2`, or of every kind if it is empty.
macro_rules! readable {
    ($scope:literal) => {
        concat!(
            "(CAST($2 AS TEXT) = '' OR kind = $2) AND (CAST($",
            $scope,
            " AS TEXT) IS NULL OR $",
            $scope,
            " LIKE '%,' || organisation_id || ',%')"
        )
    };
}

statements! {
    query GET = filtered("report.get",
        concat!("SELECT ", report_columns!(), ", content FROM report WHERE id = $1 AND ", readable!("3")));
    query LIST = filtered("report.list",
        concat!("SELECT ", report_columns!(), " FROM report WHERE id > $1 AND ", readable!("4"), " ORDER BY id LIMIT $3"));
    query LATEST = hidden("report.latest",
        "SELECT number, anchors FROM report WHERE kind = $1 AND COALESCE(round_id, '') = $2 \
         AND COALESCE(organisation_id, '') = $3 AND COALESCE(year, 0) = $4 ORDER BY number DESC LIMIT 1");
    change CREATE = ("report.create",
        "INSERT INTO report (id, kind, round_id, organisation_id, year, number, list_version, content, digest, anchors, actor, \
         create_micros) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING");
}

/// What is to be stored of a report.
#[derive(Debug)]
pub struct NewReport<'a> {
    /// Last segment of its name.
    pub id: &'a str,
    /// What it is made of.
    pub scope: &'a ReportScope,
    /// Version of the list of parameters.
    pub list_version: u32,
    /// Its numbers.
    pub content: Content,
    /// The true counts behind them.
    pub anchors: &'a Anchors,
    /// Number of the release before; 0 without one.
    pub after: i64,
}

impl Store {
    /// One report of a kind that the caller may read, or of every kind, with its content.
    pub async fn report(&self, scope: &Scope, id: &str, kind: Option<ReportKind>) -> Result<Report> {
        let mut session = self.reader(scope).await?;
        let found = session.row(GET, values![id, kind.map_or("", ReportKind::as_str)]).await?;
        session.end().await?;
        let row = found.ok_or_else(|| Error::NotFound(format!("reports/{id}")))?;
        let content = Some(row.json("report", &id, "content")?);
        Ok(Report { content, ..read(&row)? })
    }

    /// Reports after id `after`, by id, without their contents, at most `limit`.
    pub async fn list_reports(
        &self,
        scope: &Scope,
        kind: Option<ReportKind>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Report>> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(LIST, values![after, kind.map_or("", ReportKind::as_str), limit]).await?;
        session.end().await?;
        rows.iter().map(read).collect()
    }

    /// Number and anchors of the newest release of a scope; number 0 before the first.
    pub async fn latest_release(&self, scope: &Scope, of: &ReportScope) -> Result<(i64, Anchors)> {
        let mut session = self.reader(scope).await?;
        let parts = values![
            of.kind().as_str(),
            of.round().map_or("", |round| round.as_str()),
            of.organisation().map_or("", |organisation| organisation.as_str()),
            of.year().map_or(0, i64::from),
        ];
        let row = session.row(LATEST, parts).await?;
        session.end().await?;
        match row {
            Some(row) => Ok((row.int("number")?, row.json("report", &of.kind().as_str(), "anchors")?)),
            None => Ok((0, Anchors::new())),
        }
    }
}

impl WriteSession {
    /// Stores a report. Fails with `EtagMismatch` if another release of its scope was stored meanwhile.
    pub async fn create_report(&mut self, new: NewReport<'_>) -> Result<(Report, Note)> {
        let NewReport { id, scope, list_version, content, anchors, after } = new;
        let text = dialect::json(&content)?;
        let report = Report {
            id: id.to_owned(),
            scope: scope.clone(),
            list_version,
            creator: self.actor().to_owned(),
            create_time: self.now(),
            digest: hex::encode(Sha256::digest(&text)),
            content: Some(content),
        };
        let values = values![
            id,
            scope.kind().as_str(),
            scope.round().map(RoundId::as_str),
            scope.organisation().map(OrganisationId::as_str),
            scope.year().map(i64::from),
            after + 1,
            list_version,
            text,
            report.digest.as_str(),
            dialect::json(anchors)?,
            report.creator.as_str(),
            report.create_time,
        ];
        let owner = Owner::from(scope.organisation());
        if self.change(owner, CREATE, values).await? == 0 {
            return Err(Error::EtagMismatch(report.name()));
        }
        let detail = json!({ "kind": scope.kind().as_str(), "release": after + 1, "digest": report.digest });
        let note = Note::new(owner, "report.create", report.name(), &detail);
        Ok((report, note))
    }
}

fn read(row: &Row) -> Result<Report> {
    let id = row.text("id")?;
    let kind = row.parse("report", &id, "kind", ReportKind::from_name)?;
    let round = row.opt_text("round_id")?.map(|_| row.id("report", "round_id")).transpose()?;
    let organisation =
        row.opt_text("organisation_id")?.map(|_| row.id("report", "organisation_id")).transpose()?;
    let year = row.opt_int("year")?.map(|_| row.narrow("report", &id, "year")).transpose()?;
    let scope = ReportScope::of(kind, round, organisation, year);
    Ok(Report {
        scope: scope.ok_or_else(|| Error::internal("a report has the parts of another kind"))?,
        list_version: row.narrow("report", &id, "list_version")?,
        creator: row.text("actor")?,
        create_time: row.time("create_micros")?,
        digest: row.text("digest")?,
        content: None,
        id,
    })
}
