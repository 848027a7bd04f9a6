//! Use cases of a person's rights: the record of her consents.

use super::page::Cursor;
use super::profile::parse_profile;
use super::{Action, Change, Page, PageRequest, Service, check_request_id, recalled, remembered, taken};
use crate::domain::caller::Caller;
use crate::domain::name::ConsentId;
use crate::domain::profile::{
    Consent, ConsentDraft, ConsentState, Profile, Record, RecordedConsent, StoredProfile, consents,
};
use crate::domain::version::is_meant;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::Begun;

impl Service {
    /// Records a consent that a person gave, or checks whether it can be recorded. A consent that is on record already stays as
    /// it is.
    pub async fn record_consent(
        &self,
        caller: &Caller,
        parent: &str,
        draft: ConsentDraft,
        (replaces_live, etag): (bool, &str),
        how: Change<'_>,
    ) -> Result<RecordedConsent> {
        let permit = Action::RecordConsent.permit(caller)?;
        let mut violations = Violations::of_request();
        let profile = taken(parse_profile("parent", parent), &mut violations)?;
        if draft.withdraw_time.is_some() {
            let hint = "leave it out; WithdrawConsent records a withdrawal";
            violations.push("consent.withdraw_time", "", "is not part of a new consent", hint);
        }
        let draft = ConsentDraft { withdraw_time: None, ..draft };
        let consent = Consent::parse(&draft, self.clock.now());
        let consent = consent.map_err(|part| violations.extend(part.within("consent"))).ok();
        check_request_id(how.request_id, &mut violations);
        let (Some(name), Some(consent), true) = (profile, consent, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let before = self.store.profile(&permit.scope, &name).await?;
            if !is_meant(etag, before.version) {
                return Err(Error::EtagMismatch(name.name()));
            }
            let after = with_consent(&before, &consent, replaces_live)?;
            if after.is_none() {
                return found(&self.store.consents(&permit.scope, &name).await?, &consent.id());
            }
            let given = Record { recorder: permit.principal, time: self.clock.now() };
            return Ok(RecordedConsent { consent, state: ConsentState::Live, given, withdrawn: None });
        }
        let payload = (&name, &consent, replaces_live, etag);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let before = session.profile_to_change(&name, etag).await?;
                let Some(after) = with_consent(&before, &consent, replaces_live)? else {
                    let recorded = found(&session.consents(&name).await?, &consent.id())?;
                    session.commit_unchanged(&remembered(&recorded)?).await?;
                    return Ok(recorded);
                };
                let id = self.clock.new_id().to_string();
                let written =
                    session.write_profile(&id, &name, Some(&before), &after, "profile.record_consent");
                let (_, note) = Box::pin(written).await?;
                let recorded = found(&session.consents(&name).await?, &consent.id())?;
                session.commit(note, &remembered(&recorded)?).await?;
                Ok(recorded)
            }
        }
    }

    /// A page of a person's consents, by purpose and time.
    pub async fn list_consents(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<Page<RecordedConsent>> {
        let permit = Action::ListConsents.permit(caller)?;
        let profile = parse_profile("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/consents"), request)?;
        // A person has few consents, so they are read at once and cut here.
        let mut all = self.store.consents(&permit.scope, &profile).await?;
        if let Some(after) = &cursor.after {
            let place = all.iter().position(|one| one.consent.id().as_str() == after);
            all.drain(..place.map_or(all.len(), |place| place + 1));
        }
        all.truncate(cursor.limit() as usize);
        Ok(cursor.page(all, |one| one.consent.id().to_string()))
    }
}

/// The profile with one more consent; `None` if it is on record already.
fn with_consent(before: &StoredProfile, consent: &Consent, replaces_live: bool) -> Result<Option<Profile>> {
    let stored = &before.content.consents;
    let record = consents::given(stored, consent, replaces_live).map_err(|part| {
        let mut violations = Violations::of_request();
        violations.extend(part.within("consent"));
        Error::InvalidFields(violations)
    })?;
    Ok((record != *stored).then(|| Profile { consents: record, ..before.content.clone() }))
}

/// A consent of the record.
fn found(record: &[RecordedConsent], id: &ConsentId) -> Result<RecordedConsent> {
    let found = record.iter().find(|one| one.consent.id() == *id);
    found.cloned().ok_or_else(|| Error::internal("a consent that was recorded is not on record"))
}
