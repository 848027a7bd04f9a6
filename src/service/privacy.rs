//! Use cases of a person's rights: the record of her consents.

use jiff::Timestamp;

use super::page::Cursor;
use super::profile::parse_profile;
use super::{
    Action, Change, Page, PageRequest, Service, Stop, check_request_id, commit_change, recalled, remembered,
    taken,
};
use crate::domain::caller::Caller;
use crate::domain::name::{ConsentId, ConsentRef, OrganisationId, PolicyRef};
use crate::domain::policy::Policy;
use crate::domain::profile::{
    Consent, ConsentDraft, ConsentPurpose, ConsentState, Profile, RecordedConsent, StoredProfile, consents,
};
use crate::domain::record::Record;
use crate::domain::round::RoundContent;
use crate::domain::version::is_meant;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::message;
use crate::store::{Begun, Left, WriteSession};

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
                let (_, left) = Box::pin(written).await?;
                let recorded = found(&session.consents(&name).await?, &consent.id())?;
                self.commit_left(session, left, &remembered(&recorded)?).await?;
                Ok(recorded)
            }
        }
    }

    /// Withdraws a consent, or checks whether it can be withdrawn. Returns the consent and the number of enrolments that were
    /// withdrawn with it.
    pub async fn withdraw_consent(
        &self,
        caller: &Caller,
        name: &str,
        (withdraw_time, etag): (Option<Timestamp>, &str),
        how: Change<'_>,
    ) -> Result<(RecordedConsent, i64)> {
        let permit = Action::WithdrawConsent.permit(caller)?;
        let mut violations = Violations::of_request();
        let parsed = ConsentRef::from_name(name);
        let name = parsed.map_err(|error| violations.push("name", name, error.to_string(), "")).ok();
        let now = self.clock.now();
        if let Some(time) = withdraw_time.filter(|time| *time > now) {
            violations.push("withdraw_time", time, "is in the future", "use the time of the event");
        }
        check_request_id(how.request_id, &mut violations);
        let (Some(name), true) = (name, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let before = self.store.profile(&permit.scope, &name.profile).await?;
            if !is_meant(etag, before.version) {
                return Err(Error::EtagMismatch(name.profile.name()));
            }
            let mut recorded = live(&self.store.consents(&permit.scope, &name.profile).await?, &name)?;
            recorded.consent = withdrawn(&recorded.consent, withdraw_time, now)?;
            recorded.state = ConsentState::Withdrawn;
            recorded.withdrawn = Some(Record { recorder: permit.principal, time: now });
            let leaves = recorded.consent.purpose == ConsentPurpose::Matching;
            let enrolments =
                if leaves { self.store.count_drafts(&permit.scope, &name.profile).await? } else { 0 };
            return Ok((recorded, enrolments));
        }
        let payload = (name.name(), withdraw_time, etag);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let before = session.profile_to_change(&name.profile, etag).await?;
                let recorded = live(&session.consents(&name.profile).await?, &name)?;
                let consent = withdrawn(&recorded.consent, withdraw_time, session.now())?;
                let after = without_consent(&before.content, consent);
                let id = self.clock.new_id().to_string();
                let written = session.write_profile(
                    &id,
                    &name.profile,
                    Some(&before),
                    &after,
                    "profile.withdraw_consent",
                );
                let (_, left) = Box::pin(written).await?;
                let recorded = found(&session.consents(&name.profile).await?, &name.id)?;
                let answer = (recorded, left.enrolments);
                self.commit_left(session, left, &remembered(&answer)?).await?;
                Ok(answer)
            }
        }
    }

    /// Commits a change that may have taken people out of drafts, and stops the runs of this process that it has asked to stop.
    pub(super) async fn commit_left(&self, session: WriteSession, left: Left, answer: &[u8]) -> Result<()> {
        let runs = left.runs.clone();
        commit_change(session, left.into_notes(), answer).await?;
        for run in &runs {
            self.live_runs.stop(run, Stop::Cancelled);
        }
        if !runs.is_empty() {
            self.live_runs.run_queued();
        }
        Ok(())
    }

    /// Whether the caller may read the consents of an organisation's people.
    pub fn shows_consents(caller: &Caller, organisation: &OrganisationId) -> bool {
        Action::ListConsents.permit(caller).is_ok_and(|permit| permit.scope.covers(organisation))
    }

    /// A policy with its round, for the notice that tells participants how they are matched.
    pub async fn get_participant_notice(
        &self,
        caller: &Caller,
        policy: &str,
    ) -> Result<(RoundContent, Policy)> {
        let permit = Action::GetParticipantNotice.permit(caller)?;
        let name = PolicyRef::from_name(policy)
            .map_err(|error| Error::invalid_field("policy", policy, error.to_string()))?;
        let found = self.store.policy(&permit.scope, &name).await?;
        let round = self.store.round(&permit.scope, &name.round).await?;
        Ok((round.content, found.policy))
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

/// The consent that a withdrawal names, which must be live.
fn live(record: &[RecordedConsent], name: &ConsentRef) -> Result<RecordedConsent> {
    let found = record.iter().find(|one| one.consent.id() == name.id);
    let found = found.ok_or_else(|| Error::NotFound(name.name()))?;
    match found.state {
        ConsentState::Live => Ok(found.clone()),
        state => Err(Error::ConsentState { consent: name.name(), state: state.as_str() }),
    }
}

/// The consent after its withdrawal.
fn withdrawn(consent: &Consent, withdraw_time: Option<Timestamp>, now: Timestamp) -> Result<Consent> {
    let given = consent.give_time;
    if let Some(time) = withdraw_time.filter(|time| *time < given) {
        let mut violations = Violations::of_request();
        let wrong = message!("is before the consent was given, at {given}", given = given.to_string());
        violations.push("withdraw_time", time, wrong, "exchange the two times");
        return Err(Error::InvalidFields(violations));
    }
    // A clock that jumped back since the consent was recorded does not undo the withdrawal.
    Ok(Consent { withdraw_time: Some(withdraw_time.unwrap_or(now).max(given)), ..consent.clone() })
}

/// The profile after a withdrawal. Identity answers do not outlive the consent to them.
fn without_consent(before: &Profile, withdrawn: Consent) -> Profile {
    let consents = consents::merged(&before.consents, &[withdrawn]);
    let mut after = Profile { consents, ..before.clone() };
    if after.identity_is_withdrawn() {
        after.identity = None;
    }
    after
}

/// A consent of the record.
fn found(record: &[RecordedConsent], id: &ConsentId) -> Result<RecordedConsent> {
    let found = record.iter().find(|one| one.consent.id() == *id);
    found.cloned().ok_or_else(|| Error::internal("a consent that was recorded is not on record"))
}
