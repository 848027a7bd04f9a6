//! The change of one person's profile, beside imports of many: a version that counts at once.
//!
//! The version belongs to an import of its own, which begins and ends in the transaction of the change. So it takes its place
//! in the order of the organisation's imports, and an import under way is merged with it before it ends.

use serde_json::json;

use super::dialect::values;
use super::draft::Left;
use super::import::{FINISHED, Present, StagedRow};
use super::journal::Note;
use super::scope::Owner;
use super::session::WriteSession;
use super::statement::statements;
use super::{enrolment, profile};
use crate::domain::name::ProfileRef;
use crate::domain::profile::{Profile, StoredProfile};
use crate::domain::version::is_meant;
use crate::error::{Error, Result};

statements! {
    change FINISHED_IMPORT = ("profile_import.of_one",
        "INSERT INTO profile_import \
         (id, organisation_id, staged, unchanged, role_changes, create_micros, touch_micros, finish_micros, actor, number) \
         VALUES ($1, $2, 1, 0, $3, $4, $4, $4, $5, $6)");
    change VERSION = ("profile_version.create",
        "INSERT INTO profile_version \
         (organisation_id, own_id, version, import_id, ordinal, is_mentor, is_mentee, has_consent, digest, document) \
         VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9)");
}

impl WriteSession {
    /// A person's present profile. No other change of the organisation's profiles happens until the session ends, so what is
    /// decided on this profile is still right when it is written.
    ///
    /// Fails with `NotFound`, or with `EtagMismatch` if the profile is not the one that `etag` means.
    pub async fn profile_to_change(&mut self, name: &ProfileRef, etag: &str) -> Result<StoredProfile> {
        let missing = |error| match error {
            Error::NotFound(_) => Error::NotFound(name.name()),
            other => other,
        };
        self.lock_organisation(&name.organisation).await.map_err(missing)?;
        let found = profile::of(self.reads(), name).await?;
        if is_meant(etag, found.version) { Ok(found) } else { Err(Error::EtagMismatch(name.name())) }
    }

    /// `Ok` if nobody of this name has a profile, with the same lock.
    ///
    /// Fails with `NotFound` if the organisation does not exist, and with `AlreadyExists`.
    pub async fn profile_to_create(&mut self, name: &ProfileRef) -> Result<()> {
        self.lock_organisation(&name.organisation).await?;
        match profile::of(self.reads(), name).await {
            Ok(_) => Err(Error::AlreadyExists(name.name())),
            Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Stores `content` as the next version of a profile that the session has read with [`Self::profile_to_change`], or as the
    /// first version of a person. `id` is unique for ever. `action` is what the journal calls the change. A person whose consent
    /// to matching is not in force any more is taken out of every draft.
    ///
    /// The content must differ from what is stored.
    pub async fn write_profile(
        &mut self,
        id: &str,
        name: &ProfileRef,
        before: Option<&StoredProfile>,
        content: &Profile,
        action: &'static str,
    ) -> Result<(StoredProfile, Left)> {
        let (organisation, owner) = (&name.organisation, Owner::Organisation(&name.organisation));
        let (now, actor) = (self.now(), self.actor().to_owned());
        let present = before.map(Present::of);
        let row = StagedRow::new(name.id.clone(), present.as_ref(), content)?;
        let number = self.reads().one(FINISHED, values![organisation]).await?.int("finished")? + 1;
        let import = values![id, organisation, i64::from(row.changes_roles()), now, actor, number];
        self.change_exactly(1, owner, FINISHED_IMPORT, import).await?;
        let (version, digest) = (row.version(), row.digest().to_owned());
        let changes_roles = row.changes_roles();
        self.change_exactly(1, owner, VERSION, row.into_values(organisation, id)).await?;
        if changes_roles {
            let moves = enrolment::role_moves(self.reads(), organisation, id).await?;
            self.move_enrolment_counts(organisation, id, moves).await?;
        }
        let stored = StoredProfile {
            name: name.clone(),
            version,
            digest,
            content: content.clone(),
            restriction: before.and_then(|known| known.restriction.clone()),
            create_time: before.map_or(now, |known| known.create_time),
            update_time: now,
        };
        // The own id of a person stays out of the journal, which keeps its entries after her erasure.
        let note = Note::new(owner, action, organisation.name(), &json!({ "import": id }));
        let mut left = self.withdraw_without_consent(organisation, id).await?;
        left.notes.insert(0, note);
        Ok((stored, left))
    }
}
