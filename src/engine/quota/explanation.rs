//! Explains a cut by reasons: whose floors cannot be met, and what the people of the cut have in common that others
//! have not.
//!
//! Example: `12 mentees who speak only French; 3 places that can serve them`.

use std::collections::BTreeSet;

use crate::domain::explanation::{Reason, ReasonCode};
use crate::engine::certify::CutCounts;
use crate::engine::groups::{Cut, CutDirection, Forest, Group, Quotas};
use crate::engine::problem::Problem;

/// Traits of a person that may appear in a reason: codes, never a name. An empty set gives no reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    /// The organisation.
    pub organisation: BTreeSet<String>,
    /// The region.
    pub region: BTreeSet<String>,
    /// All languages at a sufficient level.
    pub languages: BTreeSet<String>,
    /// All possible ways to meet.
    pub modes: BTreeSet<String>,
}

/// Supplies traits of people and codes of groups.
pub trait Naming {
    /// Traits of a mentee.
    fn mentee(&self, mentee: usize) -> Traits;

    /// Traits of a mentor.
    fn mentor(&self, mentor: usize) -> Traits;

    /// The code of a group of mentees.
    fn mentee_group(&self, group: usize) -> String;

    /// The code of a group of mentors.
    fn mentor_group(&self, group: usize) -> String;
}

/// The reasons why floors cannot be met: the floors and the shortage, the mentees of the cut with their common traits,
/// and the mentors of the cut with their places and common traits. A trait is listed if all people of the cut have it
/// and a person of the same side outside the cut does not.
pub fn reasons(
    problem: &Problem<'_>,
    quotas: &Quotas,
    cut: &Cut,
    shortage: CutCounts,
    naming: &dyn Naming,
) -> Vec<Reason> {
    let mut reasons = vec![
        Reason::new(ReasonCode::FloorsUnmet)
            .with("groups", floors_of(quotas, cut, naming).join(","))
            .with("asked", shortage.asked)
            .with("possible", shortage.possible),
    ];
    if !cut.mentees.is_empty() {
        reasons.push(Reason::new(ReasonCode::FloorsMentees).with("mentees", cut.mentees.len()));
        reasons.extend(shared(&cut.mentees, problem.mentees.len(), |mentee| naming.mentee(mentee)));
    }
    if !cut.mentors.is_empty() {
        let of_cut =
            |mentor: &u32| problem.mentors.get(*mentor as usize).map_or(0, |seats| u64::from(seats.max));
        let places: u64 = cut.mentors.iter().map(of_cut).sum();
        let mentors = cut.mentors.len();
        reasons.push(Reason::new(ReasonCode::FloorsMentors).with("mentors", mentors).with("places", places));
        reasons.extend(shared(&cut.mentors, problem.mentors.len(), |mentor| naming.mentor(mentor)));
    }
    reasons
}

/// Codes of the groups whose floors the cut counts.
fn floors_of(quotas: &Quotas, cut: &Cut, naming: &dyn Naming) -> Vec<String> {
    let counted = |forest: &Forest, inside: &[u32], own_side: bool| -> Vec<usize> {
        let is_inside = |group: u32| inside.binary_search(&group).is_ok();
        let counts = |(at, group): &(u32, &Group)| {
            group.floor > 0 && is_inside(*at) == own_side && group.parent.is_some_and(is_inside) != own_side
        };
        (0_u32..).zip(forest.groups()).filter(counts).map(|(at, _)| at as usize).collect()
    };
    let of_mentees = counted(&quotas.mentees, &cut.mentee_groups, cut.direction == CutDirection::Inward);
    let of_mentors = counted(&quotas.mentors, &cut.mentor_groups, cut.direction == CutDirection::Outward);
    let of_mentees = of_mentees.into_iter().map(|group| naming.mentee_group(group));
    of_mentees.chain(of_mentors.into_iter().map(|group| naming.mentor_group(group))).collect()
}

/// Traits that all people inside a cut have, and not all people of their side.
fn shared(inside: &[u32], side: usize, traits: impl Fn(usize) -> Traits) -> Vec<Reason> {
    type Read = fn(Traits) -> BTreeSet<String>;
    let told: [(ReasonCode, &str, Read); 4] = [
        (ReasonCode::SharedOrganisation, "organisation", |traits| traits.organisation),
        (ReasonCode::SharedRegion, "region", |traits| traits.region),
        (ReasonCode::SharedLanguages, "languages", |traits| traits.languages),
        (ReasonCode::SharedModes, "modes", |traits| traits.modes),
    ];
    let mut reasons = Vec::new();
    for (code, name, read) in told {
        let Some(first) = inside.first().map(|person| read(traits(*person as usize))) else { continue };
        let has_first = |person: usize| read(traits(person)) == first;
        let all_inside = inside.iter().all(|person| has_first(*person as usize));
        if !first.is_empty() && all_inside && !(0..side).all(has_first) {
            let value = first.into_iter().collect::<Vec<String>>().join(",");
            reasons.push(Reason::new(code).with(name, value));
        }
    }
    reasons
}
