//! Puts a problem together from people, candidates, decisions and groups that come one by one, by name. People come before
//! the candidates and decisions that name them; groups may come at any time. In the end people are ordered by a hash of
//! their names, so the order in which they came never matters.

mod groups;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sha2::{Digest as _, Sha256};

pub use self::groups::{Bounds, Place};

use super::names::Given;
use super::{BroughtScores, Instance, Names};
use crate::domain::violation::{MAX_LISTED, Violation, Violations, excerpt};
use crate::engine::brought::Listed;
use crate::engine::certify::GroupSide;
use crate::engine::constrained::{Conflict, Constraints};
use crate::engine::decisions::{BadDecision, Decisions};
use crate::engine::problem::{Arc, Demand, FORBIDDEN, Seats};
use crate::engine::quota::{Forest, Quotas};

use self::groups::{Groups, InOrder, MAX_NAME};

/// A problem in the making, with all that is wrong so far.
#[derive(Debug)]
pub struct Builder {
    mentees: Side<Demand>,
    mentors: Side<Seats>,
    candidates: Vec<Candidate>,
    decisions: Vec<DecidedPair>,
    received: Received,
    wrong: Violations,
}

/// What has come so far, good or bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Mentees.
    pub mentees: u64,
    /// Mentors.
    pub mentors: u64,
    /// Candidates.
    pub candidates: u64,
    /// Pins and vetoes.
    pub decisions: u64,
    /// Groups.
    pub groups: u64,
}

/// One side of the problem, in the order in which it came.
#[derive(Debug)]
struct Side<T> {
    positions: HashMap<String, u32>,
    wishes: Vec<T>,
    /// The innermost group of each, by its number.
    innermost: Vec<Option<u32>>,
    places: Vec<Place>,
    groups: Groups,
}

impl<T> Side<T> {
    fn new(name: &'static str) -> Self {
        let groups = Groups::new(name);
        Self {
            positions: HashMap::new(),
            wishes: Vec::new(),
            innermost: Vec::new(),
            places: Vec::new(),
            groups,
        }
    }
}

/// One side in its final order.
struct Ordered<T> {
    wishes: Vec<T>,
    names: Vec<String>,
    /// The final position of who came first, second, ...
    position: Vec<u32>,
    innermost: Vec<Option<u32>>,
    groups: InOrder,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    mentee: u32,
    mentor: u32,
    score: i32,
    place: Place,
}

/// What people decide about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It must be.
    Pin,
    /// It must not be.
    Veto,
}

#[derive(Debug, Clone, Copy)]
struct DecidedPair {
    mentee: u32,
    mentor: u32,
    decision: Decision,
    place: Place,
}

/// Puts places into words, one function for each kind of thing that has one.
#[expect(missing_debug_implementations, reason = "functions do not print themselves")]
#[derive(Clone, Copy)]
pub struct Tell<'a> {
    /// Of a candidate.
    pub candidate: &'a dyn Fn(Place) -> String,
    /// Of a decision.
    pub decision: &'a dyn Fn(Place) -> String,
    /// Of a group.
    pub group: &'a dyn Fn(Place) -> String,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            mentees: Side::new("mentees"),
            mentors: Side::new("mentors"),
            candidates: Vec::new(),
            decisions: Vec::new(),
            received: Received::default(),
            wrong: Violations::default(),
        }
    }
}

impl Builder {
    /// Notes what is wrong besides.
    pub fn refuse(&mut self, wrong: Violations) {
        self.wrong.extend(wrong);
    }

    /// Adds a mentee and her innermost group, if that is not empty. `at` is where she stands, and `tell` puts such a place
    /// into words.
    pub fn mentee(
        &mut self,
        (name, group): (&str, &str),
        demand: Demand,
        at: Place,
        tell: impl Fn(Place) -> String,
    ) {
        self.received.mentees += 1;
        if demand.wanted > 2 {
            self.wrong.add(tell(at), format!("wants {} mentors; give 0, 1 or 2", demand.wanted));
        }
        self.mentees.add((name, group), demand, at, tell, &mut self.wrong);
    }

    /// Adds a mentor and her innermost group, if that is not empty.
    pub fn mentor(
        &mut self,
        (name, group): (&str, &str),
        seats: Seats,
        at: Place,
        tell: impl Fn(Place) -> String,
    ) {
        self.received.mentors += 1;
        if seats.min > seats.max {
            self.wrong.add(
                tell(at),
                format!("min {} is above max {}; lower min or raise max", seats.min, seats.max),
            );
        }
        self.mentors.add((name, group), seats, at, tell, &mut self.wrong);
    }

    /// Adds a group and the group around it, if that is not empty.
    pub fn group(
        &mut self,
        side: GroupSide,
        names: (&str, &str),
        bounds: Bounds,
        at: Place,
        tell: impl Fn(Place) -> String,
    ) {
        self.received.groups += 1;
        let groups = match side {
            GroupSide::Mentees => &mut self.mentees.groups,
            GroupSide::Mentors => &mut self.mentors.groups,
        };
        groups.add(names, bounds, at, tell, &mut self.wrong);
    }

    /// Adds a candidate.
    pub fn candidate(
        &mut self,
        (mentee, mentor): (&str, &str),
        score: i32,
        place: Place,
        tell: impl Fn(Place) -> String,
    ) {
        self.received.candidates += 1;
        let found = self.pair(mentee, mentor, place, &tell);
        if score == FORBIDDEN {
            self.wrong.add(tell(place), format!("has the reserved score {FORBIDDEN}; give a higher score"));
        }
        if let Some((mentee, mentor)) = found {
            self.candidates.push(Candidate { mentee, mentor, score, place });
        }
    }

    /// Adds a pin or veto.
    pub fn decision(
        &mut self,
        (mentee, mentor): (&str, &str),
        decision: Decision,
        place: Place,
        tell: impl Fn(Place) -> String,
    ) {
        self.received.decisions += 1;
        if let Some((mentee, mentor)) = self.pair(mentee, mentor, place, tell) {
            self.decisions.push(DecidedPair { mentee, mentor, decision, place });
        }
    }

    /// A pair of people who have come; who has not is told.
    fn pair(
        &mut self,
        mentee: &str,
        mentor: &str,
        place: Place,
        tell: impl Fn(Place) -> String,
    ) -> Option<(u32, u32)> {
        let found =
            [("mentee", mentee, &self.mentees.positions), ("mentor", mentor, &self.mentors.positions)].map(
                |(side, name, positions)| {
                    let found = positions.get(name).copied();
                    if found.is_none() {
                        self.wrong.add(tell(place), format!("there is no {side} `{}`", excerpt(name)));
                    }
                    found
                },
            );
        Some((found[0]?, found[1]?))
    }

    /// What has come so far, good or bad.
    pub fn received(&self) -> Received {
        self.received
    }

    /// Different groups that have been named so far, whether or not they have come.
    pub fn groups_named(&self) -> u64 {
        (self.mentees.groups.count() + self.mentors.groups.count()) as u64
    }

    /// The problem, or everything that is wrong with it.
    pub fn finish(self, coverage_first: bool, tell: Tell<'_>) -> Result<Instance, Violations> {
        let Self { mentees, mentors, mut candidates, mut decisions, mut wrong, .. } = self;
        let mentees = mentees.in_order(tell, &mut wrong);
        let mentors = mentors.in_order(tell, &mut wrong);
        for candidate in &mut candidates {
            candidate.mentee = mentees.position[candidate.mentee as usize];
            candidate.mentor = mentors.position[candidate.mentor as usize];
        }
        candidates.sort_unstable_by_key(|one| (one.mentee, one.mentor, one.place));
        let same =
            |one: &Candidate, other: &Candidate| (one.mentee, one.mentor) == (other.mentee, other.mentor);
        for two in candidates.windows(2).filter(|two| same(&two[0], &two[1])) {
            let (first, twice) = ((tell.candidate)(two[0].place), (tell.candidate)(two[1].place));
            wrong.add(twice, format!("repeats the pair of {first}; remove one of the two"));
        }
        wrong.finish(())?;
        for decided in &mut decisions {
            decided.mentee = mentees.position[decided.mentee as usize];
            decided.mentor = mentors.position[decided.mentor as usize];
        }
        let mut constraints = Constraints {
            quotas: Quotas {
                mentees: forest(&mentees.groups, mentees.innermost)?,
                mentors: forest(&mentors.groups, mentors.innermost)?,
            },
            ..Constraints::default()
        };
        for decided in &decisions {
            let pairs = match decided.decision {
                Decision::Pin => &mut constraints.decisions.pins,
                Decision::Veto => &mut constraints.decisions.vetoes,
            };
            pairs.push((decided.mentee, decided.mentor));
        }
        let Decisions { pins, vetoes } = &mut constraints.decisions;
        for pairs in [pins, vetoes] {
            pairs.sort_unstable();
            pairs.dedup();
        }
        let instance = Instance {
            scores: BroughtScores::Listed(listed(candidates, mentees.wishes.len())?),
            mentees: mentees.wishes,
            mentors: mentors.wishes,
            constraints,
            names: Names::Given(Given {
                mentees: mentees.names,
                mentors: mentors.names,
                mentee_groups: mentees.groups.names.clone(),
                mentor_groups: mentors.groups.names.clone(),
            }),
            coverage_first,
        };
        let mut wrong = Violations::default();
        for (nth, conflict) in instance.constraints.wrong(&instance.problem()).into_iter().enumerate() {
            let place = match conflict {
                // Nobody reads where the others are.
                _ if nth >= MAX_LISTED => None,
                Conflict::Decision(bad) => last_of(&decisions, bad).map(tell.decision),
                Conflict::PinsAboveCeiling { side, group, .. } => {
                    let groups = if side == GroupSide::Mentees { &mentees.groups } else { &mentors.groups };
                    groups.places.get(group as usize).copied().map(tell.group)
                }
                Conflict::Pins(_) | Conflict::Quotas(_) => None,
            };
            wrong.add(place.unwrap_or_default(), instance.names.conflict(&conflict));
        }
        wrong.finish(instance)
    }
}

/// Where the last of the decisions stands that a conflict is about.
fn last_of(decisions: &[DecidedPair], bad: BadDecision) -> Option<Place> {
    let concerns = |decided: &&DecidedPair| match bad {
        BadDecision::Unknown { mentee, mentor }
        | BadDecision::NotACandidate { mentee, mentor }
        | BadDecision::PinnedAndVetoed { mentee, mentor } => {
            (decided.mentee, decided.mentor) == (mentee, mentor)
        }
        BadDecision::TooManyMentors { mentee, .. } => {
            decided.decision == Decision::Pin && decided.mentee == mentee
        }
        BadDecision::TooManyMentees { mentor, .. } => {
            decided.decision == Decision::Pin && decided.mentor == mentor
        }
    };
    decisions.iter().filter(concerns).map(|decided| decided.place).max()
}

fn forest(groups: &InOrder, innermost: Vec<Option<u32>>) -> Result<Forest, Violations> {
    Forest::new(groups.groups.clone(), innermost)
        .map_err(|bad| Violation::new("groups", bad.to_string()).into())
}

/// Candidates, sorted by mentee, as a list.
fn listed(candidates: Vec<Candidate>, mentees: usize) -> Result<Listed, Violations> {
    let mut starts = vec![0; mentees + 1];
    for candidate in &candidates {
        starts[candidate.mentee as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let arcs = candidates.into_iter().map(|one| Arc { to: one.mentor, score: one.score }).collect();
    Listed::new(starts, arcs).map_err(|bad| Violation::new("candidates", bad.to_string()).into())
}

impl<T: Copy> Side<T> {
    fn add(
        &mut self,
        (name, group): (&str, &str),
        wish: T,
        at: Place,
        tell: impl Fn(Place) -> String,
        wrong: &mut Violations,
    ) {
        let group = self.groups.named(group, || tell(at), wrong);
        if name.is_empty() || name.len() > MAX_NAME {
            return wrong
                .add(tell(at), format!("`{}` is not a name; give 1 to {MAX_NAME} bytes", excerpt(name)));
        }
        let next = u32::try_from(self.wishes.len()).unwrap_or(u32::MAX);
        match self.positions.entry(name.to_owned()) {
            Entry::Occupied(first) => {
                let first = self.places[*first.get() as usize];
                wrong.add(
                    tell(at),
                    format!(
                        "repeats the name `{}` of {}; give each person one entry",
                        excerpt(name),
                        tell(first)
                    ),
                );
            }
            Entry::Vacant(entry) => {
                entry.insert(next);
                self.wishes.push(wish);
                self.innermost.push(group);
                self.places.push(at);
            }
        }
    }

    /// People by the hashes of their names, groups parents first.
    fn in_order(self, tell: Tell<'_>, wrong: &mut Violations) -> Ordered<T> {
        let Self { positions, wishes, innermost, groups, .. } = self;
        let groups = groups.in_order(tell.group, wrong);
        let mut people: Vec<([u8; 32], String, u32)> = positions
            .into_iter()
            .map(|(name, at)| (Sha256::digest(name.as_bytes()).into(), name, at))
            .collect();
        people.sort_unstable();
        let mut position = vec![0; people.len()];
        for ((_, _, at), to) in people.iter().zip(0..) {
            position[*at as usize] = to;
        }
        Ordered {
            wishes: people.iter().map(|(_, _, at)| wishes[*at as usize]).collect(),
            innermost: people.iter().map(|(_, _, at)| groups.position(innermost[*at as usize])).collect(),
            names: people.into_iter().map(|(_, name, _)| name).collect(),
            position,
            groups,
        }
    }
}
