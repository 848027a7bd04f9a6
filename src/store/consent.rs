//! The record of a person's consents, read from the versions of her profile.

use serde::Deserialize;

use super::backend::Store;
use super::dialect::{Row, values};
use super::read::ReadSession;
use super::scope::Scope;
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::ProfileRef;
use crate::domain::profile::consent_record::record_of;
use crate::domain::profile::{Consent, ConsentVersion, RecordedConsent};
use crate::error::{Error, Result};

statements! {
    query VERSIONS = filtered("consent.versions",
        "SELECT v.document, i.actor, i.finish_micros FROM profile_version v JOIN profile_import i ON i.id = v.import_id \
         WHERE v.organisation_id = $1 AND v.own_id = $2 AND i.finish_micros IS NOT NULL \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || v.organisation_id || ',%') ORDER BY v.version");
}

/// The part of a document that this file reads.
#[derive(Debug, Deserialize)]
struct Document {
    #[serde(default)]
    consents: Vec<Consent>,
}

impl Store {
    /// The consents of a person with who recorded them, by purpose and time.
    ///
    /// Fails with `NotFound` if the profile does not exist in the scope.
    pub async fn consents(&self, scope: &Scope, profile: &ProfileRef) -> Result<Vec<RecordedConsent>> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, profile).await;
        session.end().await?;
        found
    }
}

impl WriteSession {
    /// The same, with what the session has written.
    pub async fn consents(&mut self, profile: &ProfileRef) -> Result<Vec<RecordedConsent>> {
        of(self.reads(), profile).await
    }
}

async fn of(session: &mut ReadSession, profile: &ProfileRef) -> Result<Vec<RecordedConsent>> {
    let rows = session.rows(VERSIONS, values![&profile.organisation, &profile.id]).await?;
    if rows.is_empty() {
        return Err(Error::NotFound(profile.name()));
    }
    let version = |row: &Row| {
        let document: Document = row.json("profile_version", profile, "document")?;
        Ok(ConsentVersion {
            consents: document.consents,
            recorder: row.text("actor")?,
            record_time: row.time("finish_micros")?,
        })
    };
    let versions: Result<Vec<_>> = rows.iter().map(version).collect();
    Ok(record_of(&versions?))
}
