//! Rules for lists of people.

use super::text::{bounded, head};
use crate::domain::field_rule;
use crate::domain::name::{MAX_ID_LENGTH, ProfileRef};
use crate::domain::profile::ProfileDraft;
use crate::domain::violation::Violations;

/// Most people in one list.
const MAX_PEOPLE: usize = field_rule::PROFILE_PREFERRED.max_items;
/// Longest full name: both ids and the collections' names.
const MAX_NAME_LENGTH: usize = 2 * MAX_ID_LENGTH + "organisations//profiles/".len();

/// People other than `me`, in order and without repeats.
pub(super) fn list(
    field: &str,
    names: &[String],
    me: &ProfileRef,
    violations: &mut Violations,
) -> Vec<ProfileRef> {
    let names = bounded(field, names, MAX_PEOPLE, violations);
    let mut people = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        match resolve(name, me) {
            Some(person) if person == *me => {
                violations.push(format!("{field}[{i}]"), name, "is the person herself", "remove this entry");
            }
            Some(person) => people.push(person),
            None => violations.push(
                format!("{field}[{i}]"),
                head(name),
                "is not the name of a person",
                "write ORGANISATION/ID, or ID alone for someone of the same organisation",
            ),
        }
    }
    people.sort_unstable();
    people.dedup();
    people
}

/// The preferred people; a person who is also avoided is a violation.
pub(super) fn preferred(
    draft: &ProfileDraft,
    me: &ProfileRef,
    violations: &mut Violations,
) -> Vec<ProfileRef> {
    let people = list("preferred", &draft.preferred, me, violations);
    if people.is_empty() || draft.avoided.is_empty() || draft.avoided.len() > MAX_PEOPLE {
        return people;
    }
    let avoided: Vec<ProfileRef> = draft.avoided.iter().filter_map(|name| resolve(name, me)).collect();
    let clashes: Vec<&ProfileRef> =
        avoided.iter().filter(|person| people.binary_search(person).is_ok()).collect();
    if !clashes.is_empty() {
        for (i, name) in draft.preferred.iter().enumerate() {
            if resolve(name, me).is_some_and(|person| clashes.contains(&&person)) {
                violations.push(
                    format!("preferred[{i}]"),
                    name,
                    "is also in the list of people to avoid",
                    "remove the entry from one of the two lists",
                );
            }
        }
    }
    people
}

/// Reads a full resource name, `{organisation}/{own id}`, or the own id of someone of `me`'s organisation.
fn resolve(name: &str, me: &ProfileRef) -> Option<ProfileRef> {
    if name.len() > MAX_NAME_LENGTH {
        return None;
    }
    match name.split_once('/') {
        None => Some(ProfileRef { organisation: me.organisation.clone(), id: name.parse().ok()? }),
        Some((organisation, id)) if !id.contains('/') => {
            Some(ProfileRef { organisation: organisation.parse().ok()?, id: id.parse().ok()? })
        }
        Some(_) => ProfileRef::from_name(name).ok(),
    }
}
