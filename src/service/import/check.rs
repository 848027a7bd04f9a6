//! Checks of an import that need its rows alone, and the merge with what is stored. Pure functions: they run off the async
//! threads, because a message of wrong codes takes long.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::profile::{Consent, Profile, ProfileDraft, consents};
use crate::domain::violation::Violations;
use crate::domain::warning::Warning;
use crate::error::Result;
use crate::store::{Present, StagedRow};

/// Form of the name of a row's profile.
const NAME_HINT: &str =
    "write profiles/{id} with an id of 1 to 64 characters of A-Z, a-z, 0-9, `.`, `_`, `-`";

/// Violations of one row that are listed.
const MOST_VIOLATIONS: usize = 10;

/// A row from outside, not parsed yet.
#[derive(Debug, Clone)]
pub struct DraftRow {
    /// The caller's number of the row.
    pub row: i64,
    /// The profile.
    pub draft: Option<ProfileDraft>,
    /// The caller could not read the whole row.
    pub unreadable: bool,
}

/// A row that was checked alone.
#[derive(Debug)]
pub(super) struct CheckedRow {
    /// The caller's number of the row.
    pub(super) row: i64,
    /// The person, if the row names one.
    pub(super) id: Option<OwnId>,
    /// A good row, or what is wrong.
    pub(super) outcome: Result<GoodRow, Violations>,
}

/// A row without violations.
#[derive(Debug)]
pub(super) struct GoodRow {
    /// What would be staged if nothing were stored of the person.
    pub(super) staged: StagedRow,
    /// The same as values.
    pub(super) profile: Profile,
    /// What the sender should look at.
    pub(super) warnings: Vec<Warning>,
}

/// A good row after its merge with what is stored.
#[derive(Debug)]
pub(super) struct MergedRow {
    /// The caller's number of the row.
    pub(super) row: i64,
    /// The person.
    pub(super) id: OwnId,
    /// The change, or what is wrong.
    pub(super) change: Result<Change, Violations>,
    /// The stored profile has consents or withdrawals that the row does not say.
    pub(super) keeps_consents: bool,
}

/// What a row changes.
#[derive(Debug)]
pub(super) enum Change {
    /// A new profile.
    Create(StagedRow),
    /// A new version of a profile.
    Update(StagedRow),
    /// Nothing.
    Nothing,
}

/// Checks rows.
pub(super) fn check(
    organisation: &OrganisationId,
    rows: Vec<DraftRow>,
    now: Timestamp,
) -> Result<Vec<CheckedRow>> {
    rows.into_iter().map(|row| check_row(organisation, row, now)).collect()
}

fn check_row(organisation: &OrganisationId, row: DraftRow, now: Timestamp) -> Result<CheckedRow> {
    let DraftRow { row, draft, unreadable } = row;
    let Some(draft) = draft else {
        return Ok(CheckedRow { row, id: None, outcome: Err(unread(unreadable)) });
    };
    let (id, parsed) = parse_row(organisation, &draft, now);
    let outcome = match (&id, parsed) {
        (Some(id), Ok((profile, warnings))) if !unreadable => {
            Ok(GoodRow { staged: StagedRow::new(id.clone(), None, &profile)?, profile, warnings })
        }
        (_, Ok(_)) => Err(unread(unreadable)),
        (_, Err(violations)) => Err(violations),
    };
    Ok(CheckedRow { row, id, outcome })
}

/// Violations of a row without a profile. A caller who could not read the row has reported its violations already.
fn unread(by_caller: bool) -> Violations {
    let mut violations = Violations::default();
    if !by_caller {
        violations.push("profile", "", "is missing", "send a profile in every row");
    }
    violations
}

/// A row's own id if it names one, and its profile or all violations.
#[expect(clippy::type_complexity, reason = "taken apart by its one caller")]
fn parse_row(
    organisation: &OrganisationId,
    draft: &ProfileDraft,
    now: Timestamp,
) -> (Option<OwnId>, Result<(Profile, Vec<Warning>), Violations>) {
    let mut violations = Violations::at_most(MOST_VIOLATIONS);
    let id = match parse_name(organisation, &draft.name) {
        Ok(id) => Some(id),
        Err(wrong) => {
            violations.push("name", &draft.name, wrong, NAME_HINT);
            None
        }
    };
    // A stand-in replaces a wrong name, so that the parse finds the other violations too.
    let Some(me) = id.clone().or_else(|| "-".parse().ok()) else { return (None, Err(violations)) };
    let me = ProfileRef { organisation: organisation.clone(), id: me };
    let parsed = Profile::parse_with_warnings(&me, draft, now, MOST_VIOLATIONS);
    let parsed = match parsed {
        Ok(parsed) => violations.finish(parsed),
        Err(part) => {
            violations.extend(part);
            Err(violations)
        }
    };
    (id, parsed)
}

/// The own id in `organisations/{organisation}/profiles/{profile}` or `profiles/{profile}`.
fn parse_name(organisation: &OrganisationId, name: &str) -> Result<OwnId, &'static str> {
    if name.is_empty() {
        return Err("is missing");
    }
    if let Some(id) = name.strip_prefix("profiles/") {
        return id.parse().map_err(|_| "is not the name of a profile");
    }
    match ProfileRef::from_name(name) {
        Ok(profile) if profile.organisation == *organisation => Ok(profile.id),
        Ok(_) => Err("belongs to another organisation than the import does"),
        Err(_) => Err("is not the name of a profile"),
    }
}

/// Adds the consents on record to those of a new version, and returns what is wrong with the two together.
pub(in crate::service) fn keep_record(record: &[Consent], profile: &mut Profile) -> Violations {
    profile.consents = consents::merged(record, &profile.consents);
    let mut violations = Violations::default();
    if profile.consents.len() > consents::MAX_CONSENTS {
        violations.push(
            "consents",
            "",
            format!("are more than {} together with those on record", consents::MAX_CONSENTS),
            "leave the consents out; those on record stay",
        );
    }
    consents::check_contradiction(&profile.consents, &mut violations);
    if profile.identity_is_withdrawn() {
        // The violation does not repeat the answers, a special category of personal data.
        violations.push(
            "identity",
            "",
            "has answers, but the consent for them was withdrawn",
            "leave the answers out, or give a consent of purpose identity that is newer than the withdrawal",
        );
    }
    violations
}

/// Merges good rows with what is stored of their people.
pub(super) fn merge(rows: Vec<(i64, GoodRow)>, present: &HashMap<OwnId, Present>) -> Result<Vec<MergedRow>> {
    rows.into_iter().map(|(row, good)| merge_row(row, good, present)).collect()
}

fn merge_row(row: i64, good: GoodRow, present: &HashMap<OwnId, Present>) -> Result<MergedRow> {
    let GoodRow { staged, mut profile, .. } = good;
    let id = staged.id().clone();
    let Some(known) = present.get(&id) else {
        return Ok(MergedRow { row, id, change: Ok(Change::Create(staged)), keeps_consents: false });
    };
    if known.digest == staged.digest() {
        return Ok(MergedRow { row, id, change: Ok(Change::Nothing), keeps_consents: false });
    }
    let given = profile.consents.clone();
    let violations = keep_record(&known.consents, &mut profile);
    let keeps_consents = profile.consents != given;
    let merged = StagedRow::new(id.clone(), Some(known), &profile)?;
    let change = violations.finish(if merged.digest() == known.digest {
        Change::Nothing
    } else {
        Change::Update(merged)
    });
    Ok(MergedRow { row, id, change, keeps_consents })
}
