//! Names of the people and groups of an instance, and messages that contain these names.

use std::collections::{HashMap, HashSet};

use crate::domain::message::Message;
use crate::domain::violation::Violations;
use crate::domain::warning::{Warning, WarningCode, alike};
use crate::engine::certificate::{Aim, GroupSide};
use crate::engine::certify::Infeasible;
use crate::engine::constrained::Conflict;
use crate::engine::decisions::BadDecision;
use crate::engine::groups::{Forest, Quotas};
use crate::engine::quota::explanation::{Naming, Traits};
use crate::message;

/// Names that look like another one and are listed, at most.
const MOST_SIMILAR: usize = 100;

/// Names of the people and groups of an instance.
#[derive(Debug, Clone)]
pub enum Names {
    /// Positions from 0 serve as names. The instance has no groups.
    Positions,
    /// Names from the input.
    Given(Given),
}

/// Names by position.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The mentees.
    pub mentees: Vec<String>,
    /// The mentors.
    pub mentors: Vec<String>,
    /// Groups of mentees.
    pub mentee_groups: Vec<String>,
    /// Groups of mentors.
    pub mentor_groups: Vec<String>,
}

impl Names {
    /// The name of a mentee.
    pub fn mentee(&self, at: usize) -> String {
        self.of(at, |given| &given.mentees)
    }

    /// The name of a mentor.
    pub fn mentor(&self, at: usize) -> String {
        self.of(at, |given| &given.mentors)
    }

    /// The name of a group.
    pub fn group(&self, side: GroupSide, at: usize) -> String {
        match side {
            GroupSide::Mentees => self.of(at, |given| &given.mentee_groups),
            GroupSide::Mentors => self.of(at, |given| &given.mentor_groups),
        }
    }

    fn of(&self, at: usize, names: impl Fn(&Given) -> &Vec<String>) -> String {
        match self.given() {
            None => at.to_string(),
            Some(given) => names(given).get(at).cloned().unwrap_or_default(),
        }
    }

    /// The names from the input; `None` if positions serve as names.
    pub fn given(&self) -> Option<&Given> {
        match self {
            Self::Positions => None,
            Self::Given(given) => Some(given),
        }
    }

    /// Warnings about names that differ from another name only by leading zeros or capitals: the first [`MOST_SIMILAR`], in the
    /// order of the input, mentees before mentors. One name on both sides is one person.
    pub fn similar(&self) -> Vec<Warning> {
        let Some(given) = self.given() else { return Vec::new() };
        let sides = [("mentee", &given.mentees), ("mentor", &given.mentors)];
        let mut first: HashMap<String, &str> = HashMap::new();
        let mut told: HashSet<&str> = HashSet::new();
        let mut warnings = Vec::new();
        for (side, name) in sides.into_iter().flat_map(|(side, names)| names.iter().map(move |n| (side, n))) {
            let known = first.entry(alike(name)).or_insert(name);
            if *known != name && warnings.len() < MOST_SIMILAR && told.insert(name) {
                let mut warning = Warning::new(side, name, WarningCode::SimilarId);
                (*known).clone_into(&mut warning.other);
                warnings.push(warning);
            }
        }
        warnings
    }

    /// An index of people by name.
    pub fn finder(&self) -> Finder<'_> {
        Finder(self.given().map(|given| {
            [&given.mentees, &given.mentors].map(|names| names.iter().map(String::as_str).zip(0..).collect())
        }))
    }

    /// Describes why an assignment is infeasible.
    pub fn infeasibility(&self, broken: &Infeasible) -> Message {
        match *broken {
            Infeasible::Unknown { mentee, mentor } => {
                let pair = self.pair(mentee, mentor);
                message!("pair {pair} names a person who is not in the problem", pair = pair)
            }
            Infeasible::NotACandidate { mentee, mentor } => {
                message!("pair {pair} is not a candidate", pair = self.pair(mentee, mentor))
            }
            Infeasible::UsedTwice { mentee, mentor } => {
                message!("pair {pair} occurs more than once", pair = self.pair(mentee, mentor))
            }
            Infeasible::BothDirections { mentee, mentor } => {
                let pair = self.pair(mentee, mentor);
                message!(
                    "pair {pair} and its opposite are both in the assignment; expected one direction",
                    pair = pair
                )
            }
            Infeasible::TooManyMentors { mentee, has, wanted } => message!(
                "mentee {mentee} has more mentors ({has}) than mentors wanted ({wanted})",
                mentee = self.mentee(mentee as usize),
                has = has,
                wanted = wanted
            ),
            Infeasible::TooManyMentees { mentor, has, places } => message!(
                "mentor {mentor} has more mentees ({has}) than places ({places})",
                mentor = self.mentor(mentor as usize),
                has = has,
                places = places
            ),
            Infeasible::PinMissing { mentee, mentor } => {
                message!("the pinned pair {pair} is missing", pair = self.pair(mentee, mentor))
            }
            Infeasible::Vetoed { mentee, mentor } => {
                message!("pair {pair} is vetoed", pair = self.pair(mentee, mentor))
            }
            Infeasible::NoBound => message!(
                "the tree of decisions on directions has no valid bound; expected a whole tree with a valid bound in each leaf"
            ),
            Infeasible::PricesMissing { mentee_prices, mentor_prices } => message!(
                "the certificate has {mentee_prices} mentee prices and {mentor_prices} mentor prices; expected one per person",
                mentee_prices = mentee_prices,
                mentor_prices = mentor_prices
            ),
            Infeasible::GroupPricesMissing { mentee_group_prices, mentor_group_prices } => message!(
                "the certificate has {mentee_group_prices} prices of mentee groups and {mentor_group_prices} of mentor groups; expected one per group",
                mentee_group_prices = mentee_group_prices,
                mentor_group_prices = mentor_group_prices
            ),
            Infeasible::TiersMissing => message!(
                "the tiers of the certificate are wrong; expected one weight for every tier of the problem, ascending"
            ),
            Infeasible::NumberTooLarge => {
                message!("the certificate has a number whose absolute value exceeds 2^80")
            }
            Infeasible::WeakWeight(aim) => message!(
                "the weight of {aim} does not outweigh the later aims and the scores",
                aim = aim_name(aim)
            ),
            Infeasible::ForeignWeight(aim) => message!(
                "the weight of {aim} must be 0, because the problem does not put coverage first",
                aim = aim_name(aim)
            ),
            Infeasible::BeyondLimit { organisation, has, most } => message!(
                "organisation {organisation} of the limits exchanges {has|1 place|{has} places} with others; its limit is {most}",
                organisation = organisation,
                has = has,
                most = most
            ),
            Infeasible::BelowLeast { mentor, has, least } => message!(
                "the mentor `{mentor}` has {has|1 mentee|{has} mentees}; she takes none, or at least {least}",
                mentor = self.mentor(mentor as usize),
                has = has,
                least = least
            ),
            Infeasible::OutOfQuota { side, group, has, floor, ceiling: u32::MAX } => message!(
                "the group `{group}` of {side} has {has|1 pair|{has} pairs}; its floor is {floor}",
                group = self.group(side, group as usize),
                side = side_name(side),
                has = has,
                floor = floor
            ),
            Infeasible::OutOfQuota { side, group, has, floor, ceiling } => message!(
                "the group `{group}` of {side} has {has|1 pair|{has} pairs}; its floor is {floor}, its ceiling {ceiling}",
                group = self.group(side, group as usize),
                side = side_name(side),
                has = has,
                floor = floor,
                ceiling = ceiling
            ),
        }
    }

    /// A conflict in words.
    pub fn conflict(&self, conflict: &Conflict) -> Message {
        match *conflict {
            Conflict::Decision(BadDecision::Unknown { mentee, mentor }) => {
                let pair = self.pair(mentee, mentor);
                message!(
                    "the decision on the pair {pair} names a person who is not in the problem",
                    pair = pair
                )
            }
            Conflict::Decision(BadDecision::NotACandidate { mentee, mentor }) => message!(
                "the pair {pair} is pinned, but not a candidate; add it to the candidates or remove the pin",
                pair = self.pair(mentee, mentor)
            ),
            Conflict::Decision(BadDecision::PinnedAndVetoed { mentee, mentor }) => message!(
                "the pair {pair} is pinned and vetoed; remove one of the two decisions",
                pair = self.pair(mentee, mentor)
            ),
            Conflict::Decision(BadDecision::BothDirections { mentee, mentor }) => message!(
                "the pair {pair} is pinned in both directions; remove one of the two pins",
                pair = self.pair(mentee, mentor)
            ),
            Conflict::Decision(BadDecision::TooManyMentors { mentee, pins, wanted }) => message!(
                "mentee `{mentee}` has more pins ({pins}) than mentors wanted ({wanted}); remove pins",
                mentee = self.mentee(mentee as usize),
                pins = pins,
                wanted = wanted
            ),
            Conflict::Decision(BadDecision::TooManyMentees { mentor, pins, seats }) => message!(
                "mentor `{mentor}` has more pins ({pins}) than places ({places}); remove pins",
                mentor = self.mentor(mentor as usize),
                pins = pins,
                places = seats
            ),
            Conflict::PinsAboveCeiling { side, group, pins, ceiling } => message!(
                "the group `{group}` of {side} has more pins ({pins}) than its max ({ceiling}); remove pins",
                group = self.group(side, group as usize),
                side = side_name(side),
                pins = pins,
                ceiling = ceiling
            ),
            Conflict::Pins(objective) => message!(
                "the objective {objective} allows no pins; remove the pins, or choose best-total, fairest or total",
                objective = objective.as_str()
            ),
            Conflict::Quotas(objective) => message!(
                "the objective {objective} allows no floors and ceilings of groups; use best-total or total",
                objective = objective.as_str()
            ),
        }
    }

    /// Describes a pair.
    pub fn pair(&self, mentee: u32, mentor: u32) -> String {
        format!("({}, {})", self.mentee(mentee as usize), self.mentor(mentor as usize))
    }

    /// Conflicts as violations of the decisions and groups of the problem.
    pub(super) fn conflicts(&self, conflicts: &[Conflict]) -> Violations {
        let mut wrong = Violations::default();
        for conflict in conflicts {
            let place = match conflict {
                Conflict::Decision(_) | Conflict::Pins(_) => "decisions",
                Conflict::PinsAboveCeiling { .. } | Conflict::Quotas(_) => "groups",
            };
            wrong.add(place, self.conflict(conflict));
        }
        wrong
    }
}

fn aim_name(aim: Aim) -> Message {
    match aim {
        Aim::Tier(tier) => message!("tier {tier}", tier = tier),
        Aim::Minimum => message!("minimum places"),
        Aim::Second => message!("second mentors"),
    }
}

/// The name of a side in files and messages.
pub fn side_name(side: GroupSide) -> &'static str {
    match side {
        GroupSide::Mentees => "mentees",
        GroupSide::Mentors => "mentors",
    }
}

/// Index of people by name.
#[derive(Debug)]
pub struct Finder<'a>(Option<[HashMap<&'a str, u32>; 2]>);

impl Finder<'_> {
    /// The position of a mentee.
    pub fn mentee(&self, name: &str) -> Option<u32> {
        self.find(0, name)
    }

    /// The position of a mentor.
    pub fn mentor(&self, name: &str) -> Option<u32> {
        self.find(1, name)
    }

    fn find(&self, side: usize, name: &str) -> Option<u32> {
        match &self.0 {
            Some(positions) => positions[side].get(name).copied(),
            None => name.parse().ok(),
        }
    }
}

/// Describes the people of a cut by their groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupNaming<'a> {
    pub(super) names: &'a Names,
    pub(super) quotas: &'a Quotas,
}

impl GroupNaming<'_> {
    fn traits(&self, side: GroupSide, forest: &Forest, person: usize) -> Traits {
        let group = forest.innermost(person).map(|group| self.names.group(side, group as usize));
        Traits { organisation: group.into_iter().collect(), ..Traits::default() }
    }
}

impl Naming for GroupNaming<'_> {
    fn mentee(&self, mentee: usize) -> Traits {
        self.traits(GroupSide::Mentees, &self.quotas.mentees, mentee)
    }

    fn mentor(&self, mentor: usize) -> Traits {
        self.traits(GroupSide::Mentors, &self.quotas.mentors, mentor)
    }

    fn mentee_group(&self, group: usize) -> String {
        self.names.group(GroupSide::Mentees, group)
    }

    fn mentor_group(&self, group: usize) -> String {
        self.names.group(GroupSide::Mentors, group)
    }
}
