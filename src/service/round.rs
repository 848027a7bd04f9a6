//! Use cases of rounds and enrolments.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::organisation::{parse_id, parse_organisation};
use super::page::Cursor;
use super::profile::parse_profile;
use super::{Action, Change, Page, PageRequest, Service, check_request_id, recalled, remembered};
use crate::domain::caller::Caller;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef, RoundId};
use crate::domain::profile::{ConsentPurpose, StoredProfile};
use crate::domain::round::{Round, RoundContent, RoundDraft};
use crate::domain::salt::RoundSalt;
use crate::domain::violation::Violations;
use crate::domain::warning::{Warning, WarningCode};
use crate::error::{Error, Result};
use crate::store::{Begun, EnrolmentCheck, Note, Notes, WriteSession};

/// Most profiles of one call.
const MAX_NAMED: usize = 10_000;
/// Most refused profiles that an answer lists, and warnings: about 500 KiB.
const MAX_REFUSED: usize = 1_000;
/// Profiles that are read at a time.
const ENROL_PAGE: u32 = 1_000;

/// Reasons for which a profile is not enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedEnrolment {
    /// No live consent to matching.
    NoLiveConsent,
    /// Neither a mentor offer nor a mentee request.
    NoRole,
    /// The organisation has no such profile.
    NotFound,
}

/// Result of an enrolment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// Profiles that this call enrolled.
    pub enrolled: i64,
    /// Profiles that were already enrolled.
    pub already_enrolled: i64,
    /// Profiles that were not enrolled, by name, each with its reason: the first [`MAX_REFUSED`].
    pub refused: Vec<(String, RefusedEnrolment)>,
    /// All profiles that were not enrolled.
    pub refused_count: i64,
    /// Warnings about enrolled profiles, by name, each with its subject: the first [`MAX_REFUSED`].
    pub warnings: Vec<(String, Warning)>,
    /// All warnings.
    pub warnings_count: i64,
}

impl Enrolled {
    fn refuse(&mut self, name: String, reason: RefusedEnrolment) {
        self.refused_count += 1;
        if self.refused.len() < MAX_REFUSED {
            self.refused.push((name, reason));
        }
    }

    fn warn(&mut self, profile: &ProfileRef, warning: Warning) {
        self.warnings_count += 1;
        if self.warnings.len() < MAX_REFUSED {
            self.warnings.push((profile.name(), warning));
        }
    }
}

impl Service {
    /// Opens a round, or checks whether it can be opened.
    pub async fn create_round(
        &self,
        caller: &Caller,
        id: &str,
        draft: RoundDraft,
        how: Change<'_>,
    ) -> Result<Round> {
        let permit = Action::CreateRound.permit(caller)?;
        let mut violations = Violations::of_request();
        let id: Option<RoundId> = parse_id("round_id", id, &mut violations);
        let content =
            RoundContent::parse(&draft).map_err(|part| violations.extend(part.within("round"))).ok();
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(content), true) = (id, content, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            return self.store.check_round(&permit.scope, &id, &content, self.clock.now()).await;
        }
        let dates = (content.start_date, content.end_date);
        let payload = (&id, &content.display_name, dates, &content.policy);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(_) => self.store.round(&permit.scope, &id).await,
            Begun::Fresh(mut session) => {
                let mut random = [0; 32];
                self.clock.fill(&mut random);
                let (created, note) = session.create_round(&id, &content, &RoundSalt::new(random)).await?;
                session.commit(note, &[]).await?;
                Ok(created)
            }
        }
    }

    /// One round.
    pub async fn get_round(&self, caller: &Caller, name: &str) -> Result<Round> {
        let permit = Action::GetRound.permit(caller)?;
        self.store.round(&permit.scope, &parse_round("name", name)?).await
    }

    /// A page of rounds, by id.
    pub async fn list_rounds(&self, caller: &Caller, request: &PageRequest) -> Result<Page<Round>> {
        let permit = Action::ListRounds.permit(caller)?;
        let cursor = Cursor::new(&permit, "rounds", request)?;
        let after = cursor.after.as_deref().and_then(|id| id.parse().ok());
        let found = self.store.list_rounds(&permit.scope, after.as_ref(), cursor.limit()).await?;
        Ok(cursor.page(found, |round| round.id.to_string()))
    }

    /// Enrols profiles of an organisation, the named ones or all, in one transaction, or checks which can be enrolled. A
    /// profile that cannot be enrolled is returned with its reason.
    pub async fn enrol_profiles(
        &self,
        caller: &Caller,
        round: &str,
        organisation: &str,
        profiles: Vec<String>,
        how: Change<'_>,
    ) -> Result<Enrolled> {
        let permit = Action::EnrolProfiles.permit(caller)?;
        let entry = parse_entry(round, organisation, &profiles, how)?;
        if how.validate_only {
            let check = self.store.check_enrolment(&permit.scope, self.clock.now()).await?;
            let mut enrolling = Enrolling::Checking(check);
            let (done, _) = enrol(&mut enrolling, &entry).await?;
            if let Enrolling::Checking(check) = enrolling {
                check.end().await?;
            }
            return Ok(done);
        }
        let payload = (&entry.round, &entry.organisation, &profiles);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(session) => {
                let mut enrolling = Enrolling::Storing(session);
                let (done, notes) = enrol(&mut enrolling, &entry).await?;
                let Enrolling::Storing(session) = enrolling else { return Ok(done) };
                let answer = remembered(&done)?;
                match Notes::of(notes) {
                    Some(notes) => session.commit(notes, &answer).await?,
                    None => session.commit_unchanged(&answer).await?,
                }
                Ok(done)
            }
        }
    }
}

/// What an enrolment is about.
struct Entry {
    round: RoundId,
    organisation: OrganisationId,
    /// The named profiles; empty for all profiles of the organisation.
    named: BTreeSet<OwnId>,
}

/// An enrolment that is stored, or only checked. Both take the same steps.
enum Enrolling {
    Storing(WriteSession),
    Checking(EnrolmentCheck),
}

impl Enrolling {
    fn now(&self) -> jiff::Timestamp {
        match self {
            Self::Storing(session) => session.now(),
            Self::Checking(check) => check.now(),
        }
    }

    async fn named(&mut self, organisation: &OrganisationId, ids: &[OwnId]) -> Result<Vec<StoredProfile>> {
        match self {
            Self::Storing(session) => session.named_profiles_to_enrol(organisation, ids).await,
            Self::Checking(check) => check.named_profiles_to_enrol(organisation, ids).await,
        }
    }

    async fn page(
        &mut self,
        organisation: &OrganisationId,
        after: Option<&OwnId>,
    ) -> Result<Vec<StoredProfile>> {
        match self {
            Self::Storing(session) => session.profiles_to_enrol(organisation, after, ENROL_PAGE).await,
            Self::Checking(check) => check.profiles_to_enrol(organisation, after, ENROL_PAGE).await,
        }
    }

    async fn people_of(
        &mut self,
        organisation: &OrganisationId,
        ids: &BTreeSet<OwnId>,
    ) -> Result<BTreeSet<OwnId>> {
        match self {
            Self::Storing(session) => session.people_of(organisation, ids).await,
            Self::Checking(check) => check.people_of(organisation, ids).await,
        }
    }

    /// The number of those that were not enrolled already.
    async fn enrol(&mut self, entry: &Entry, ids: &[OwnId]) -> Result<(u64, Option<Note>)> {
        let Entry { round, organisation, .. } = entry;
        match self {
            Self::Storing(session) => session.enrol(round, organisation, ids).await,
            Self::Checking(check) => Ok((check.enrol(round, organisation, ids).await?, None)),
        }
    }
}

async fn enrol(enrolling: &mut Enrolling, entry: &Entry) -> Result<(Enrolled, Vec<Note>)> {
    let organisation = &entry.organisation;
    let (mut done, mut notes) = (Enrolled::default(), Vec::new());
    if !entry.named.is_empty() {
        let ids: Vec<OwnId> = entry.named.iter().cloned().collect();
        let found = enrolling.named(organisation, &ids).await?;
        let known: BTreeSet<&OwnId> = found.iter().map(|profile| &profile.name.id).collect();
        for id in ids.iter().filter(|id| !known.contains(id)) {
            let name = ProfileRef { organisation: organisation.clone(), id: id.clone() };
            done.refuse(name.name(), RefusedEnrolment::NotFound);
        }
        notes.extend(enrol_page(enrolling, entry, &found, &mut done).await?);
        return Ok((done, notes));
    }
    let mut after: Option<OwnId> = None;
    loop {
        let page = enrolling.page(organisation, after.as_ref()).await?;
        notes.extend(enrol_page(enrolling, entry, &page, &mut done).await?);
        match page.last() {
            Some(last) => after = Some(last.name.id.clone()),
            None => return Ok((done, notes)),
        }
    }
}

async fn enrol_page(
    enrolling: &mut Enrolling,
    entry: &Entry,
    page: &[StoredProfile],
    done: &mut Enrolled,
) -> Result<Option<Note>> {
    let now = enrolling.now();
    let mut good = Vec::with_capacity(page.len());
    for profile in page {
        match refusal(profile, now) {
            Some(reason) => done.refuse(profile.name.name(), reason),
            None => good.push(profile),
        }
    }
    warn(enrolling, entry, &good, done).await?;
    let ids: Vec<OwnId> = good.iter().map(|profile| profile.name.id.clone()).collect();
    // Called for an empty list too, because this call checks that the round exists and takes enrolments.
    let (enrolled, note) = enrolling.enrol(entry, &ids).await?;
    let enrolled = i64::try_from(enrolled).unwrap_or(i64::MAX);
    done.enrolled += enrolled;
    done.already_enrolled += i64::try_from(ids.len()).unwrap_or(i64::MAX) - enrolled;
    Ok(note)
}

/// Adds the warnings about profiles that can be enrolled. An id that the own organisation does not have is nobody: a list that
/// names it has no effect.
async fn warn(
    enrolling: &mut Enrolling,
    entry: &Entry,
    good: &[&StoredProfile],
    done: &mut Enrolled,
) -> Result<()> {
    let organisation = &entry.organisation;
    let mentioned: BTreeSet<OwnId> = good
        .iter()
        .flat_map(|profile| profile.content.mentions(organisation))
        .map(|(_, id)| id.clone())
        .collect();
    let known = if mentioned.is_empty() {
        BTreeSet::new()
    } else {
        enrolling.people_of(organisation, &mentioned).await?
    };
    for profile in good {
        for warning in profile.content.warnings() {
            done.warn(&profile.name, warning);
        }
        for (field, id) in profile.content.mentions(organisation).filter(|(_, id)| !known.contains(*id)) {
            done.warn(&profile.name, Warning::new(field, id.as_str(), WarningCode::UnknownId));
        }
    }
    Ok(())
}

/// The one rule for enrolments; `None` if the profile may be enrolled.
fn refusal(profile: &StoredProfile, now: jiff::Timestamp) -> Option<RefusedEnrolment> {
    let content = &profile.content;
    if content.open_offer().is_none() && content.open_request().is_none() {
        Some(RefusedEnrolment::NoRole)
    } else if !content.consents_to(ConsentPurpose::Matching, now) {
        Some(RefusedEnrolment::NoLiveConsent)
    } else {
        None
    }
}

/// Parses the resource name of a round.
pub(super) fn parse_round(field: &str, name: &str) -> Result<RoundId> {
    RoundId::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}

/// Parses an enrolment, or returns all violations.
fn parse_entry(round: &str, organisation: &str, profiles: &[String], how: Change<'_>) -> Result<Entry> {
    let mut violations = Violations::of_request();
    let round = taken(parse_round("round", round), &mut violations)?;
    let organisation = taken(parse_organisation("organisation", organisation), &mut violations)?;
    let named = parse_members(organisation.as_ref(), profiles, &mut violations)?;
    check_request_id(how.request_id, &mut violations);
    match (round, organisation) {
        (Some(round), Some(organisation)) => {
            violations.finish(Entry { round, organisation, named }).map_err(Error::InvalidFields)
        }
        _ => Err(Error::InvalidFields(violations)),
    }
}

/// A parsed part of a request, or its violations in `violations`.
pub(super) fn taken<T>(part: Result<T>, violations: &mut Violations) -> Result<Option<T>> {
    match part {
        Ok(part) => Ok(Some(part)),
        Err(Error::InvalidFields(wrong)) => {
            violations.extend(wrong);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Parses the names of profiles, which must all be of one organisation.
fn parse_members(
    organisation: Option<&OrganisationId>,
    names: &[String],
    violations: &mut Violations,
) -> Result<BTreeSet<OwnId>> {
    let mut ids = BTreeSet::new();
    if names.len() > MAX_NAMED {
        violations.push(
            "profiles",
            names.len(),
            "are more than 10,000; send an empty list to enrol all profiles, or call several times",
            "",
        );
        return Ok(ids);
    }
    for (i, name) in names.iter().enumerate() {
        let field = format!("profiles[{i}]");
        let Some(profile) = taken(parse_profile(&field, name), violations)? else { continue };
        if organisation.is_some_and(|own| *own != profile.organisation) {
            let hint = "list profiles of `organisation` only";
            violations.push(field, name, "belongs to another organisation", hint);
        } else {
            ids.insert(profile.id);
        }
    }
    Ok(ids)
}
