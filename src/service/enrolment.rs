//! Use cases of enrolments.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::organisation::parse_organisation;
use super::page::Cursor;
use super::profile::parse_profile;
use super::round::parse_round;
use super::{
    Action, Change, Page, PageRequest, Service, check_request_id, commit_change, recalled, remembered, taken,
};
use crate::clock::Clock;
use crate::domain::caller::Caller;
use crate::domain::enrolment::{Enrolment, EnrolmentFilter};
use crate::domain::field_rule;
use crate::domain::leaf::LeafSalt;
use crate::domain::name::{
    EnrolmentId, EnrolmentRef, InvalidName, OrganisationId, OwnId, ProfileRef, RoundId,
};
use crate::domain::profile::{Consent, ConsentPurpose, StoredProfile, consents};
use crate::domain::violation::Violations;
use crate::domain::warning::{Warning, WarningCode};
use crate::error::{Error, Result};
use crate::store::{
    Begun, EnrolmentCheck, EnrolmentKey, NewEnrolment, Note, Notes, WaitingList, WriteSession,
};

/// Most profiles or enrolments of one call.
const MAX_NAMED: usize = field_rule::ENROL_PROFILES_REQUEST_PROFILES.max_items;
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
    /// The person's data is kept and not used.
    Restricted,
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

/// What a call is about: the named things, or all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picked {
    /// Resource names; none with `all`.
    pub names: Vec<String>,
    /// All of the organisation.
    pub all: bool,
    /// All of the organisation who are on the waiting list.
    pub waiting: bool,
}

impl Picked {
    /// Reports a call that names nothing, or names something beside all of them.
    fn check(&self, names: &str, all: &str, violations: &mut Violations) {
        if self.all && self.waiting {
            let hint = "choose one of the two";
            violations.push("all_waiting", true, "does not fit `all_profiles`, which has them too", hint);
        } else if self.names.is_empty() != (self.all || self.waiting) {
            let all = if self.waiting { "all_waiting" } else { all };
            let hint = if self.all || self.waiting {
                "leave the list empty"
            } else {
                "name at least one, or choose all of them"
            };
            violations.push(
                all,
                self.all || self.waiting,
                "does not fit the list of names: exactly one of both is given",
                hint,
            );
        } else if self.names.len() > MAX_NAMED {
            let hint = "choose all of them, or call several times";
            violations.push(names, self.names.len(), "are more than 10,000", hint);
        }
    }
}

/// Result of a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// Enrolments that this call withdrew.
    pub withdrawn: i64,
    /// Named enrolments that were already withdrawn.
    pub already_withdrawn: i64,
}

impl Service {
    /// Enrols profiles of an organisation, the named ones or all, in one transaction, or checks which can be enrolled. A
    /// profile that cannot be enrolled is returned with its reason.
    pub async fn enrol_profiles(
        &self,
        caller: &Caller,
        round: &str,
        organisation: &str,
        profiles: Picked,
        how: Change<'_>,
    ) -> Result<Enrolled> {
        let permit = Action::EnrolProfiles.permit(caller)?;
        let entry = parse_entry(round, organisation, &profiles, how)?;
        // The list is computed before the turn of the writer, which only sees that nothing has changed since.
        let waiting = self.store.waiting_list(&permit.scope, &entry.organisation).await?;
        if how.validate_only {
            let check = self.store.check_enrolment(&permit.scope, self.clock.now()).await?;
            let mut enrolling = Enrolling::Checking(check);
            let (done, _) = enrol(&mut enrolling, &entry, waiting).await?;
            if let Enrolling::Checking(check) = enrolling {
                check.end().await?;
            }
            return Ok(done);
        }
        let payload = (&entry.round, &entry.organisation, &profiles.names, profiles.all, profiles.waiting);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(session) => {
                let mut enrolling = Enrolling::Storing(session, Arc::clone(&self.clock));
                let (done, notes) = enrol(&mut enrolling, &entry, waiting).await?;
                let Enrolling::Storing(session, _) = enrolling else { return Ok(done) };
                commit_change(session, Notes::of(notes), &remembered(&done)?).await?;
                Ok(done)
            }
        }
    }
    /// A page of a round's enrolments, by profile.
    pub async fn list_enrolments(
        &self,
        caller: &Caller,
        parent: &str,
        filter: &EnrolmentFilter,
        request: &PageRequest,
    ) -> Result<Page<(Enrolment, EnrolmentKey)>> {
        let permit = Action::ListEnrolments.permit(caller)?;
        let round = parse_round("parent", parent)?;
        let of = filter.organisation.as_ref().map_or("", OrganisationId::as_str);
        let list = format!("{parent}/enrolments {of} {:?}", filter.is_live);
        let cursor = Cursor::new(&permit, &list, request)?;
        let after = cursor.after.as_deref().map(|key| place_of(key).ok_or(Error::InvalidPageToken));
        let after = after.transpose()?;
        let found =
            self.store.list_enrolments(&permit.scope, &round, filter, after.as_ref(), cursor.limit()).await?;
        Ok(cursor.page(found, |(_, key)| format!("{} {} {}", key.organisation, key.own_id, key.number)))
    }

    /// Withdraws enrolments of an organisation, the named ones or all, in one transaction, or checks which can be withdrawn.
    pub async fn withdraw_enrolments(
        &self,
        caller: &Caller,
        round: &str,
        organisation: &str,
        enrolments: Picked,
        how: Change<'_>,
    ) -> Result<Withdrawn> {
        let permit = Action::WithdrawEnrolments.permit(caller)?;
        let (round, organisation, ids) = parse_withdrawal(round, organisation, &enrolments, how)?;
        let ids = (!enrolments.all).then_some(ids.as_slice());
        let named = i64::try_from(ids.map_or(0, <[EnrolmentId]>::len)).unwrap_or(i64::MAX);
        let done = |withdrawn: u64| {
            let withdrawn = i64::try_from(withdrawn).unwrap_or(i64::MAX);
            Withdrawn { withdrawn, already_withdrawn: (named - withdrawn).max(0) }
        };
        if how.validate_only {
            let mut check = self.store.check_enrolment(&permit.scope, self.clock.now()).await?;
            let withdrawn = check.withdraw(&round, &organisation, ids).await?;
            check.end().await?;
            return Ok(done(withdrawn));
        }
        let payload = (&round, &organisation, &enrolments.names, enrolments.all);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (withdrawn, note) = session.withdraw(&round, &organisation, ids).await?;
                let done = done(withdrawn);
                commit_change(session, note, &remembered(&done)?).await?;
                Ok(done)
            }
        }
    }
}

/// The place in a page token of enrolments.
fn place_of(key: &str) -> Option<EnrolmentKey> {
    let mut parts = key.split(' ');
    let (organisation, own_id) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some(EnrolmentKey { organisation, own_id, number: parts.next()?.parse().ok()? })
}

/// What an enrolment is about.
struct Entry {
    round: RoundId,
    organisation: OrganisationId,
    who: Who,
}

/// Whom an enrolment is about.
enum Who {
    /// These profiles.
    Named(BTreeSet<OwnId>),
    /// All profiles of the organisation.
    All,
    /// Those on the waiting list.
    Waiting,
}

/// An enrolment that is stored, or only checked. Both take the same steps.
enum Enrolling {
    /// The clock makes the ids of the enrolments.
    Storing(WriteSession, Arc<dyn Clock>),
    Checking(EnrolmentCheck),
}

impl Enrolling {
    fn now(&self) -> jiff::Timestamp {
        match self {
            Self::Storing(session, _) => session.now(),
            Self::Checking(check) => check.now(),
        }
    }

    async fn named(&mut self, organisation: &OrganisationId, ids: &[OwnId]) -> Result<Vec<StoredProfile>> {
        match self {
            Self::Storing(session, _) => session.named_profiles_to_enrol(organisation, ids).await,
            Self::Checking(check) => check.named_profiles_to_enrol(organisation, ids).await,
        }
    }

    async fn page(
        &mut self,
        organisation: &OrganisationId,
        after: Option<&OwnId>,
    ) -> Result<Vec<StoredProfile>> {
        match self {
            Self::Storing(session, _) => session.profiles_to_enrol(organisation, after, ENROL_PAGE).await,
            Self::Checking(check) => check.profiles_to_enrol(organisation, after, ENROL_PAGE).await,
        }
    }

    /// The waiting list as it is now.
    async fn waiting(&mut self, organisation: &OrganisationId, known: WaitingList) -> Result<WaitingList> {
        match self {
            Self::Storing(session, _) => session.waiting_now(organisation, known).await,
            Self::Checking(_) => Ok(known),
        }
    }

    async fn people_of(
        &mut self,
        organisation: &OrganisationId,
        ids: &BTreeSet<OwnId>,
    ) -> Result<BTreeSet<OwnId>> {
        match self {
            Self::Storing(session, _) => session.people_of(organisation, ids).await,
            Self::Checking(check) => check.people_of(organisation, ids).await,
        }
    }

    /// The number of those that were not enrolled already.
    async fn enrol(
        &mut self,
        entry: &Entry,
        people: &[Enrollable<'_>],
        waiting: &WaitingList,
    ) -> Result<(u64, Option<Note>)> {
        let Entry { round, organisation, .. } = entry;
        match self {
            Self::Storing(session, clock) => {
                let with_id = |(profile, consent): &Enrollable<'_>| {
                    let mut salt = [0; 16];
                    clock.fill(&mut salt);
                    let (id, salt) = (clock.new_id().to_string().parse()?, LeafSalt::new(salt));
                    Ok(NewEnrolment { person: profile.name.id.clone(), id, consent: consent.id(), salt })
                };
                let people: Result<Vec<_>, InvalidName> = people.iter().map(with_id).collect();
                let people = people.map_err(|_| Error::internal("the clock makes no ids"))?;
                session.enrol(round, organisation, &people, waiting).await
            }
            Self::Checking(check) => {
                let ids: Vec<OwnId> = people.iter().map(|(profile, _)| profile.name.id.clone()).collect();
                Ok((check.enrol(round, organisation, &ids).await?, None))
            }
        }
    }
}

async fn enrol(
    enrolling: &mut Enrolling,
    entry: &Entry,
    known: WaitingList,
) -> Result<(Enrolled, Vec<Note>)> {
    let organisation = &entry.organisation;
    let waiting = &enrolling.waiting(organisation, known).await?;
    let (mut done, mut notes) = (Enrolled::default(), Vec::new());
    let ids: Option<Vec<OwnId>> = match &entry.who {
        Who::Named(named) => Some(named.iter().cloned().collect()),
        Who::Waiting => Some(waiting.ids()),
        Who::All => None,
    };
    if let Some(ids) = ids {
        let found = enrolling.named(organisation, &ids).await?;
        let known: BTreeSet<&OwnId> = found.iter().map(|profile| &profile.name.id).collect();
        for id in ids.iter().filter(|id| !known.contains(id)) {
            let name = ProfileRef { organisation: organisation.clone(), id: id.clone() };
            done.refuse(name.name(), RefusedEnrolment::NotFound);
        }
        notes.extend(enrol_page(enrolling, entry, (&found, waiting), &mut done).await?);
        return Ok((done, notes));
    }
    let mut after: Option<OwnId> = None;
    loop {
        let page = enrolling.page(organisation, after.as_ref()).await?;
        notes.extend(enrol_page(enrolling, entry, (&page, waiting), &mut done).await?);
        match page.last() {
            Some(last) => after = Some(last.name.id.clone()),
            None => return Ok((done, notes)),
        }
    }
}

async fn enrol_page(
    enrolling: &mut Enrolling,
    entry: &Entry,
    (page, waiting): (&[StoredProfile], &WaitingList),
    done: &mut Enrolled,
) -> Result<Option<Note>> {
    let now = enrolling.now();
    let mut good = Vec::with_capacity(page.len());
    for profile in page {
        match enrollable(profile, now) {
            Err(reason) => done.refuse(profile.name.name(), reason),
            Ok(consent) => good.push((profile, consent)),
        }
    }
    warn(enrolling, entry, &good, done).await?;
    // Called for an empty list too, because this call checks that the round exists and takes enrolments.
    let (enrolled, note) = enrolling.enrol(entry, &good, waiting).await?;
    let enrolled = i64::try_from(enrolled).unwrap_or(i64::MAX);
    done.enrolled += enrolled;
    done.already_enrolled += i64::try_from(good.len()).unwrap_or(i64::MAX) - enrolled;
    Ok(note)
}

/// Adds the warnings about profiles that can be enrolled. An id that the own organisation does not have is nobody: a list that
/// names it has no effect.
async fn warn(
    enrolling: &mut Enrolling,
    entry: &Entry,
    good: &[Enrollable<'_>],
    done: &mut Enrolled,
) -> Result<()> {
    let organisation = &entry.organisation;
    let mentioned: BTreeSet<OwnId> = good
        .iter()
        .flat_map(|(profile, _)| profile.content.mentions(organisation))
        .map(|(_, id)| id.clone())
        .collect();
    let known = if mentioned.is_empty() {
        BTreeSet::new()
    } else {
        enrolling.people_of(organisation, &mentioned).await?
    };
    for (profile, _) in good {
        for warning in profile.content.warnings() {
            done.warn(&profile.name, warning);
        }
        for (field, id) in profile.content.mentions(organisation).filter(|(_, id)| !known.contains(*id)) {
            done.warn(&profile.name, Warning::new(field, id.as_str(), WarningCode::UnknownId));
        }
    }
    Ok(())
}

/// A profile that may be enrolled, with the consent to matching on which its enrolment rests.
type Enrollable<'a> = (&'a StoredProfile, &'a Consent);

/// The one rule for enrolments: the consent on which the enrolment rests, or why the profile may not be enrolled.
fn enrollable(profile: &StoredProfile, now: jiff::Timestamp) -> Result<&Consent, RefusedEnrolment> {
    let content = &profile.content;
    if profile.restriction.is_some() {
        return Err(RefusedEnrolment::Restricted);
    }
    if content.open_offer().is_none() && content.open_request().is_none() {
        return Err(RefusedEnrolment::NoRole);
    }
    // A consent that a fast clock gave in the future is not live yet.
    consents::in_force(&content.consents, ConsentPurpose::Matching)
        .filter(|_| content.consents_to(ConsentPurpose::Matching, now))
        .ok_or(RefusedEnrolment::NoLiveConsent)
}

/// Parses an enrolment, or returns all violations.
fn parse_entry(round: &str, organisation: &str, profiles: &Picked, how: Change<'_>) -> Result<Entry> {
    let mut violations = Violations::of_request();
    let round = taken(parse_round("round", round), &mut violations)?;
    let organisation = taken(parse_organisation("organisation", organisation), &mut violations)?;
    profiles.check("profiles", "all_profiles", &mut violations);
    let named = parse_members(organisation.as_ref(), &profiles.names, &mut violations)?;
    let who = match profiles {
        Picked { all: true, .. } => Who::All,
        Picked { waiting: true, .. } => Who::Waiting,
        Picked { .. } => Who::Named(named),
    };
    check_request_id(how.request_id, &mut violations);
    match (round, organisation) {
        (Some(round), Some(organisation)) => {
            violations.finish(Entry { round, organisation, who }).map_err(Error::InvalidFields)
        }
        _ => Err(Error::InvalidFields(violations)),
    }
}

/// Parses the names of profiles, which must all be of one organisation.
fn parse_members(
    organisation: Option<&OrganisationId>,
    names: &[String],
    violations: &mut Violations,
) -> Result<BTreeSet<OwnId>> {
    let mut ids = BTreeSet::new();
    for (i, name) in names.iter().take(MAX_NAMED).enumerate() {
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

/// Parses a withdrawal, or returns all violations.
fn parse_withdrawal(
    round: &str,
    organisation: &str,
    enrolments: &Picked,
    how: Change<'_>,
) -> Result<(RoundId, OrganisationId, Vec<EnrolmentId>)> {
    let mut violations = Violations::of_request();
    let round = taken(parse_round("parent", round), &mut violations)?;
    let organisation = taken(parse_organisation("organisation", organisation), &mut violations)?;
    enrolments.check("enrolments", "all_enrolments", &mut violations);
    let mut ids = BTreeSet::new();
    for (i, name) in enrolments.names.iter().take(MAX_NAMED).enumerate() {
        let field = format!("enrolments[{i}]");
        match EnrolmentRef::from_name(name) {
            Err(error) => violations.push(field, name, error.to_string(), ""),
            Ok(found) if round.as_ref().is_some_and(|round| *round != found.round) => {
                let hint = "list enrolments of `parent` only";
                violations.push(field, name, "belongs to another round", hint);
            }
            Ok(found) => {
                ids.insert(found.id);
            }
        }
    }
    check_request_id(how.request_id, &mut violations);
    match (round, organisation) {
        (Some(round), Some(organisation)) => {
            violations.finish((round, organisation, ids.into_iter().collect())).map_err(Error::InvalidFields)
        }
        _ => Err(Error::InvalidFields(violations)),
    }
}
