//! Explains a cut by reasons: whose floors cannot be met, and what the people of the cut have in common that others
//! have not.
//!
//! Example: `12 mentees who speak only French; 3 places that can serve them`.

use std::collections::BTreeSet;

use crate::domain::explanation::{Reason, ReasonCode};
use crate::engine::certificate::GroupSide;
use crate::engine::certify::CutTerms;
use crate::engine::groups::Cut;
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

/// The reasons why floors cannot be met: the floors and the shortage; then the bounds that stand against the floors, which
/// are ceilings of groups, places of mentors, mentors wanted by mentees, and candidates; and the people of the cut with the
/// traits that they share. A trait is listed if all people of the cut have it and a person of the same side outside the
/// cut does not.
pub fn reasons(problem: &Problem<'_>, cut: &Cut, terms: &CutTerms, naming: &dyn Naming) -> Vec<Reason> {
    let group = |(side, group): &(GroupSide, u32)| match side {
        GroupSide::Mentees => naming.mentee_group(*group as usize),
        GroupSide::Mentors => naming.mentor_group(*group as usize),
    };
    let groups = |groups: &[(GroupSide, u32)]| groups.iter().map(group).collect::<Vec<String>>().join(",");
    let mut reasons = vec![
        Reason::new(ReasonCode::FloorsUnmet)
            .with("groups", groups(&terms.floors))
            .with("asked", terms.asked)
            .with("possible", terms.possible),
    ];
    let places: u64 = terms
        .mentors
        .iter()
        .filter_map(|mentor| problem.mentors.get(*mentor as usize))
        .map(|seats| u64::from(seats.max))
        .sum();
    let wanted: u64 = terms
        .mentees
        .iter()
        .filter_map(|mentee| problem.mentees.get(*mentee as usize))
        .map(|demand| u64::from(demand.wanted.min(2)))
        .sum();
    if !terms.ceilings.is_empty() {
        let allowed = terms.possible - places - wanted - terms.candidates;
        let reason = Reason::new(ReasonCode::CeilingsReached).with("groups", groups(&terms.ceilings));
        reasons.push(reason.with("allowed", allowed));
    }
    if !cut.mentees.is_empty() {
        reasons.push(Reason::new(ReasonCode::FloorsMentees).with("mentees", cut.mentees.len()));
        reasons.extend(shared(&cut.mentees, problem.mentees.len(), |mentee| naming.mentee(mentee)));
    }
    if !terms.mentees.is_empty() {
        let reason = Reason::new(ReasonCode::FloorsWanted).with("mentees", terms.mentees.len());
        reasons.push(reason.with("wanted", wanted));
    }
    if !terms.mentors.is_empty() {
        let reason = Reason::new(ReasonCode::FloorsMentors).with("mentors", terms.mentors.len());
        reasons.push(reason.with("places", places));
        reasons.extend(shared(&terms.mentors, problem.mentors.len(), |mentor| naming.mentor(mentor)));
    }
    if terms.candidates > 0 {
        reasons.push(Reason::new(ReasonCode::FloorsCandidates).with("candidates", terms.candidates));
    }
    reasons
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
