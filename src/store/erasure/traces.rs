//! Traces of an erased person outside of her own rows: the private lists of other people that name her, and the answers that
//! are remembered for repeated requests.
//!
//! A list loses her name in every version of a profile, also in those that runs have frozen. The digest of such a version
//! before the change is kept, so that the digests of its runs stay right.

use sha2::{Digest as _, Sha256};

use super::super::backend::Store;
use super::super::dialect::{self, Row, values};
use super::super::statement::statements;
use super::task::Task;
use crate::domain::name::ProfileRef;
use crate::domain::profile::Profile;
use crate::error::Result;

/// Versions that one transaction changes.
const VERSIONS_AT_A_TIME: u32 = 200;

/// Versions of other people whose document contains a text, after a key.
macro_rules! naming {
    ($contains:literal) => {
        concat!(
            "SELECT organisation_id, own_id, version, import_id, digest, document FROM profile_version WHERE ",
            $contains,
            " AND (organisation_id, own_id, version, import_id) > ($2, $3, $4, $5) \
             ORDER BY organisation_id, own_id, version, import_id LIMIT $6"
        )
    };
}

statements! {
    query NAMING = hidden("erasure.naming",
        sqlite: naming!("instr(document, $1) > 0"),
        postgres: naming!("strpos(document, $1) > 0"));
    upkeep REWRITE = ("profile_version.rewrite_list",
        "UPDATE profile_version SET document = $6, digest = $7, frozen_digest = COALESCE(frozen_digest, $5) \
         WHERE organisation_id = $1 AND own_id = $2 AND version = $3 AND import_id = $4 AND digest = $5");
    upkeep FORGET_ANSWERS = ("idempotency.erase",
        sqlite: "DELETE FROM idempotency WHERE instr(response, $1) > 0",
        postgres: "DELETE FROM idempotency WHERE position($1 IN response) > 0");
}

impl Store {
    /// Takes the person out of the lists of all other people.
    pub(super) async fn erase_from_lists(&self, task: &Task) -> Result<()> {
        let text = quoted(&task.person);
        let (mut organisation, mut own_id, mut version, mut import) =
            (String::new(), String::new(), 0, String::new());
        loop {
            let mut session = self.reader(&task.scope).await?;
            let values = values![
                text.as_str(),
                organisation.as_str(),
                own_id.as_str(),
                version,
                import.as_str(),
                VERSIONS_AT_A_TIME
            ];
            let rows = session.rows(NAMING, values).await?;
            session.end().await?;
            let Some(last) = rows.last() else { return Ok(()) };
            (organisation, own_id) = (last.text("organisation_id")?, last.text("own_id")?);
            (version, import) = (last.int("version")?, last.text("import_id")?);
            let mut held = self.hold_erasure(task).await?;
            if let Some((session, counts)) = &mut held {
                for row in &rows {
                    counts.lists += session.execute(REWRITE, without(row, &task.person)?).await?;
                }
            }
            self.release_erasure(task, held).await?;
        }
    }

    /// Deletes remembered answers that name the person. A request that is sent again is then answered anew.
    pub(super) async fn erase_from_answers(&self, task: &Task) -> Result<()> {
        let mut held = self.hold_erasure(task).await?;
        if let Some((session, counts)) = &mut held {
            let text = quoted(&task.person).into_bytes();
            counts.answers += session.execute(FORGET_ANSWERS, values![text]).await?;
        }
        self.release_erasure(task, held).await
    }
}

/// The name of a person as it stands in a document. The quotation marks keep it from being the beginning of another name.
fn quoted(person: &ProfileRef) -> String {
    format!("\"{}\"", person.name())
}

/// Values of `REWRITE`.
fn without(row: &Row, person: &ProfileRef) -> Result<Vec<dialect::Value>> {
    let mut content: Profile = row.json("profile_version", &"of a profile", "document")?;
    for list in [
        &mut content.avoided,
        &mut content.preferred,
        &mut content.previous_partners,
        &mut content.reporting_line,
    ] {
        list.retain(|named| named != person);
    }
    let document = dialect::json(&content)?;
    let digest = hex::encode(Sha256::digest(&document));
    Ok(values![
        row.text("organisation_id")?,
        row.text("own_id")?,
        row.int("version")?,
        row.text("import_id")?,
        row.text("digest")?,
        document,
        digest,
    ])
}
