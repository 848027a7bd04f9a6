//! Use cases that write one profile, beside imports of many. Both follow the same rules, and both write versions.
//!
//! What is remembered of a request is the number of the version that it made, never an answer of a person: a repeated request
//! reads this version.

use serde::{Deserialize, Serialize};

use super::import::keep_record;
use super::masked::Masked;
use super::organisation::{parse_id, parse_organisation};
use super::profile::parse_profile;
use super::{Action, Change, Permit, Service, check_request_id, recalled, remembered, taken};
use crate::domain::caller::Caller;
use crate::domain::name::{OwnId, ProfileRef};
use crate::domain::profile::{FIELDS, Profile, ProfileDraft, StoredProfile, patched};
use crate::domain::version::is_meant;
use crate::domain::violation::{MAX_LISTED, Violations};
use crate::domain::warning::Warning;
use crate::error::{Error, Result};
use crate::store::{Begun, StagedRow};

/// A profile after its change, with what its sender should look at.
#[derive(Debug, Clone)]
pub struct WrittenProfile {
    /// The profile.
    pub profile: StoredProfile,
    /// Warnings about the fields that the request gives.
    pub warnings: Vec<Warning>,
}

/// What is remembered of a request.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    version: i64,
}

impl Service {
    /// Stores the profile of one person, or checks whether it can be stored.
    pub async fn create_profile(
        &self,
        caller: &Caller,
        (parent, id): (&str, &str),
        draft: ProfileDraft,
        how: Change<'_>,
    ) -> Result<WrittenProfile> {
        let permit = Action::CreateProfile.permit(caller)?;
        let mut violations = Violations::of_request();
        let organisation = taken(parse_organisation("parent", parent), &mut violations)?;
        let id: Option<OwnId> = parse_id("profile_id", id, &mut violations);
        check_request_id(how.request_id, &mut violations);
        // Stand-ins replace wrong names, so that the parse finds the other violations too.
        let of =
            organisation.clone().or_else(|| "id".parse().ok()).zip(id.clone().or_else(|| "-".parse().ok()));
        let Some((stand_in, own)) = of else { return Err(Error::InvalidFields(violations)) };
        let name = ProfileRef { organisation: stand_in, id: own };
        let parsed = self.parsed(&name, &draft);
        let parsed = parsed.map_err(|part| violations.extend(part.within("profile"))).ok();
        let (Some((content, warnings)), true) = (parsed, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let mut erased = self.erased_people(&permit.scope, &name.organisation, false).await?;
        erased.admit("profile_id", &name.organisation, &name.id).map_err(Error::InvalidFields)?;
        if how.validate_only {
            return match self.store.profile(&permit.scope, &name).await {
                Ok(_) => Err(Error::AlreadyExists(name.name())),
                Err(Error::NotFound(_)) => {
                    self.store.organisation(&permit.scope, &name.organisation).await?;
                    Ok(WrittenProfile { profile: self.version(&name, None, content)?, warnings })
                }
                Err(error) => Err(error),
            };
        }
        let profile = match self.store.begin(self.receipt(&permit, how.request_id, &(&name, &draft))?).await?
        {
            Begun::Repeated(first) => self.made(&permit, &name, &first).await?,
            Begun::Fresh(mut session) => {
                session.profile_to_create(&name).await?;
                if session.tombstones(&name.organisation).await? != erased.len() {
                    let cause = "a person of the organisation was erased at the same time";
                    return Err(Error::StoreUnavailable(cause.into()));
                }
                let id = self.clock.new_id().to_string();
                let written = Box::pin(session.write_profile(&id, &name, None, &content, "profile.create"));
                let (stored, left) = written.await?;
                self.commit_left(session, left, &remembered(&Made { version: stored.version })?).await?;
                stored
            }
        };
        Ok(WrittenProfile { profile, warnings })
    }

    /// Changes fields of one profile, or checks whether they can be changed.
    ///
    /// Fails with `EtagMismatch` if the profile has changed since `etag` was read.
    pub async fn update_profile(
        &self,
        caller: &Caller,
        (name, etag): (&str, &str),
        draft: ProfileDraft,
        mask: &[String],
        how: Change<'_>,
    ) -> Result<WrittenProfile> {
        let permit = Action::UpdateProfile.permit(caller)?;
        let mut violations = Violations::of_request();
        let name = taken(parse_profile("profile.name", name), &mut violations)?;
        let fields = fields(mask).taken(&mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(name), Some(fields), true) = (name, fields, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let before = self.store.profile(&permit.scope, &name).await?;
            if !is_meant(etag, before.version) {
                return Err(Error::EtagMismatch(name.name()));
            }
            let (content, warnings) = self.changed(&before, draft, &fields)?;
            let profile =
                if content == before.content { before } else { self.version(&name, Some(&before), content)? };
            return Ok(WrittenProfile { profile, warnings });
        }
        let payload = (&name, etag, &draft, &fields);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => {
                let profile = self.made(&permit, &name, &first).await?;
                let (_, warnings) = self.changed(&profile, draft, &fields)?;
                Ok(WrittenProfile { profile, warnings })
            }
            Begun::Fresh(mut session) => {
                let before = session.profile_to_change(&name, etag).await?;
                let (content, warnings) = self.changed(&before, draft, &fields)?;
                if content == before.content {
                    session.commit_unchanged(&remembered(&Made { version: before.version })?).await?;
                    return Ok(WrittenProfile { profile: before, warnings });
                }
                let id = self.clock.new_id().to_string();
                let written = session.write_profile(&id, &name, Some(&before), &content, "profile.update");
                let (profile, left) = Box::pin(written).await?;
                self.commit_left(session, left, &remembered(&Made { version: profile.version })?).await?;
                Ok(WrittenProfile { profile, warnings })
            }
        }
    }

    /// The version that a first request has made.
    async fn made(&self, permit: &Permit, name: &ProfileRef, first: &[u8]) -> Result<StoredProfile> {
        let Made { version } = recalled(first)?;
        self.store.profile_version(&permit.scope, name, version).await
    }

    fn parsed(&self, me: &ProfileRef, draft: &ProfileDraft) -> Result<(Profile, Vec<Warning>), Violations> {
        Profile::parse_with_warnings(me, draft, self.clock.now(), MAX_LISTED)
    }

    /// The content of a profile after a change of some fields, with the warnings about them.
    fn changed(
        &self,
        before: &StoredProfile,
        draft: ProfileDraft,
        fields: &[&'static str],
    ) -> Result<(Profile, Vec<Warning>)> {
        let draft = patched(before.content.to_draft(&before.name), draft, fields);
        let parsed = self.parsed(&before.name, &draft).and_then(|(mut content, warnings)| {
            let violations = keep_record(&before.content.consents, &mut content);
            violations.finish((content, warnings))
        });
        let (content, mut warnings) = parsed.map_err(|part| {
            let mut violations = Violations::of_request();
            violations.extend(part.within("profile"));
            Error::InvalidFields(violations)
        })?;
        let field_of =
            |warning: &Warning| warning.field.split(['.', '[']).next().unwrap_or_default().to_owned();
        warnings.retain(|warning| fields.contains(&field_of(warning).as_str()));
        Ok((content, warnings))
    }

    /// The version that a change would make now.
    fn version(
        &self,
        name: &ProfileRef,
        before: Option<&StoredProfile>,
        content: Profile,
    ) -> Result<StoredProfile> {
        let now = self.clock.now();
        Ok(StoredProfile {
            name: name.clone(),
            version: before.map_or(1, |before| before.version + 1),
            digest: StagedRow::new(name.id.clone(), None, &content)?.digest().to_owned(),
            content,
            restriction: before.and_then(|before| before.restriction.clone()),
            create_time: before.map_or(now, |before| before.create_time),
            update_time: now,
        })
    }
}

/// The fields that a mask names.
fn fields(mask: &[String]) -> Masked<Vec<&'static str>> {
    Masked::read(mask, FIELDS, |fields: &mut Vec<&'static str>, path| {
        let known = FIELDS.iter().find(|field| **field == path);
        fields.extend(known);
        known.is_some()
    })
}
