//! Builds an instance from people, candidates, decisions and groups, which are added one by one and by name.
//!
//! Input: items with their places. A person must be added before the candidates and decisions that name the person; groups
//! may be added at any time. Output: an [`Instance`], or all violations with their places.
//! Invariant: people are ordered by a hash of their names, so that the instance does not depend on the order of the input.

mod groups;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sha2::{Digest as _, Sha256};

pub use self::groups::{Bounds, Place};

use super::decimals::{Decimal, Decimals};
use super::names::Given;
use super::{Instance, InstanceScores, Names};
use crate::domain::violation::{Location, MAX_LISTED, Violation, Violations, excerpt};
use crate::engine::certificate::GroupSide;
use crate::engine::constrained::{Conflict, Constraints};
use crate::engine::decisions::{BadDecision, Decisions};
use crate::engine::groups::{Forest, Quotas};
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{Edge, FORBIDDEN, SparseScores};
use crate::engine::problem::{Demand, Seats};
use crate::message;

use self::groups::{Groups, MAX_NAME, OrderedGroups, min_above_max};

/// An unfinished problem, with all violations so far.
#[derive(Debug)]
pub struct Builder {
    mentees: SideBuilder<Demand>,
    mentors: SideBuilder<Seats>,
    candidates: Vec<Candidate>,
    decimals: Decimals,
    decisions: Vec<DecidedPair>,
    received: Received,
    wrong: Violations,
}

/// Numbers of items added so far, valid or not.
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

/// One side of the problem, in the order of the input.
#[derive(Debug)]
struct SideBuilder<T> {
    positions: HashMap<String, u32>,
    wishes: Vec<T>,
    /// Number of the innermost group of each person.
    innermost: Vec<Option<u32>>,
    places: Vec<Place>,
    groups: Groups,
}

impl<T> SideBuilder<T> {
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
struct OrderedSide<T> {
    wishes: Vec<T>,
    names: Vec<String>,
    /// Final position of each person, in the order of the input.
    position: Vec<u32>,
    innermost: Vec<Option<u32>>,
    groups: OrderedGroups,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    mentee: u32,
    mentor: u32,
    score: i32,
    place: Place,
}

/// A decision about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The pair must be matched.
    Pin,
    /// The pair must not be matched.
    Veto,
}

#[derive(Debug, Clone, Copy)]
struct DecidedPair {
    mentee: u32,
    mentor: u32,
    decision: Decision,
    place: Place,
}

/// Functions that describe places in words, one for each kind of item.
#[expect(missing_debug_implementations, reason = "functions do not print themselves")]
#[derive(Clone, Copy)]
pub struct PlaceNames<'a> {
    /// Describes the place of a candidate.
    pub candidate: &'a dyn Fn(Place) -> Location,
    /// Describes the place of a decision.
    pub decision: &'a dyn Fn(Place) -> Location,
    /// Describes the place of a group.
    pub group: &'a dyn Fn(Place) -> Location,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            mentees: SideBuilder::new("mentees"),
            mentors: SideBuilder::new("mentors"),
            candidates: Vec::new(),
            decimals: Decimals::default(),
            decisions: Vec::new(),
            received: Received::default(),
            wrong: Violations::default(),
        }
    }
}

impl Builder {
    /// Adds violations that were found outside of the builder.
    pub fn refuse(&mut self, wrong: Violations) {
        self.wrong.extend(wrong);
    }

    /// Adds a mentee and her innermost group (empty for none). `at` is the place of the mentee in the input, and `place_name`
    /// describes a place in words.
    pub fn mentee(
        &mut self,
        (name, group): (&str, &str),
        demand: Demand,
        at: Place,
        place_name: impl Fn(Place) -> Location,
    ) {
        self.received.mentees += 1;
        if demand.wanted > 2 {
            let what = message!("wants {wanted} mentors; give 0, 1 or 2", wanted = demand.wanted);
            self.wrong.add(place_name(at), what);
        }
        self.mentees.add((name, group), demand, at, place_name, &mut self.wrong);
    }

    /// Adds a mentor and her innermost group (empty for none).
    pub fn mentor(
        &mut self,
        (name, group): (&str, &str),
        seats: Seats,
        at: Place,
        place_name: impl Fn(Place) -> Location,
    ) {
        self.received.mentors += 1;
        if seats.min > seats.max {
            self.wrong.add(place_name(at), min_above_max(seats.min, seats.max));
        }
        self.mentors.add((name, group), seats, at, place_name, &mut self.wrong);
    }

    /// Adds a group and its parent (empty for none).
    pub fn group(
        &mut self,
        side: GroupSide,
        names: (&str, &str),
        bounds: Bounds,
        at: Place,
        place_name: impl Fn(Place) -> Location,
    ) {
        self.received.groups += 1;
        let groups = match side {
            GroupSide::Mentees => &mut self.mentees.groups,
            GroupSide::Mentors => &mut self.mentors.groups,
        };
        groups.add(names, bounds, at, place_name, &mut self.wrong);
    }

    /// Adds a candidate.
    pub fn candidate(
        &mut self,
        (mentee, mentor): (&str, &str),
        score: i32,
        place: Place,
        place_name: impl Fn(Place) -> Location,
    ) {
        self.received.candidates += 1;
        let found = self.pair(mentee, mentor, place, &place_name);
        if score == FORBIDDEN {
            let what = message!(
                "has the reserved score {score}; give a higher score",
                score = FORBIDDEN.to_string()
            );
            self.wrong.add(place_name(place), what);
        }
        if let Some((mentee, mentor)) = found {
            self.candidates.push(Candidate { mentee, mentor, score, place });
        }
    }

    /// Adds a candidate with a decimal score. If the score has more decimals than those before, all scores change to its unit.
    pub fn decimal_candidate(
        &mut self,
        pair: (&str, &str),
        score: Decimal,
        place: Place,
        place_name: impl Fn(Place) -> Location,
    ) {
        if let Some(factor) = self.decimals.factor_to(score.decimals()) {
            let scaled = |score: i32| {
                i32::try_from(i64::from(score) * factor).ok().filter(|scaled| *scaled != FORBIDDEN)
            };
            if self.candidates.iter().all(|candidate| scaled(candidate.score).is_some()) {
                for candidate in &mut self.candidates {
                    candidate.score = scaled(candidate.score).unwrap_or(candidate.score);
                }
                self.decimals = score.decimals();
            }
        }
        let units = score.units(self.decimals).filter(|_| score.decimals() <= self.decimals);
        if let Some(units) = units.and_then(|units| i32::try_from(units).ok()) {
            self.candidate(pair, units, place, place_name)
        } else {
            self.received.candidates += 1;
            let most = i64::from(i32::MAX) / self.decimals.max(score.decimals()).factor();
            self.wrong.add(
                place_name(place),
                message!(
                    "the scores of the file have too many digits together: with the most decimals of a score, \
                     every score is at most {most}; round the scores",
                    most = most
                ),
            );
        }
    }

    /// Adds a pin or veto.
    pub fn decision(
        &mut self,
        (mentee, mentor): (&str, &str),
        decision: Decision,
        place: Place,
        place_name: impl Fn(Place) -> Location,
    ) {
        self.received.decisions += 1;
        if let Some((mentee, mentor)) = self.pair(mentee, mentor, place, place_name) {
            self.decisions.push(DecidedPair { mentee, mentor, decision, place });
        }
    }

    /// The positions of two people by name. Reports each unknown name as a violation.
    fn pair(
        &mut self,
        mentee: &str,
        mentor: &str,
        place: Place,
        place_name: impl Fn(Place) -> Location,
    ) -> Option<(u32, u32)> {
        let found =
            [("mentee", mentee, &self.mentees.positions), ("mentor", mentor, &self.mentors.positions)].map(
                |(side, name, positions)| {
                    let found = positions.get(name).copied();
                    if found.is_none() {
                        self.wrong.add(
                            place_name(place),
                            message!(
                                "the problem has no {side} `{name}`; add the {side} or correct the name",
                                side = side,
                                name = excerpt(name)
                            ),
                        );
                    }
                    found
                },
            );
        Some((found[0]?, found[1]?))
    }

    /// Numbers of items added so far, valid or not.
    pub fn received(&self) -> Received {
        self.received
    }

    /// Number of different group names so far, whether or not the groups have been added.
    pub fn groups_named(&self) -> u64 {
        (self.mentees.groups.count() + self.mentors.groups.count()) as u64
    }

    /// Returns the instance, or all violations.
    pub fn finish(self, coverage_first: bool, place_names: PlaceNames<'_>) -> Result<Instance, Violations> {
        let Self { mentees, mentors, mut candidates, mut decisions, mut wrong, decimals, .. } = self;
        let mentees = mentees.in_order(place_names, &mut wrong);
        let mentors = mentors.in_order(place_names, &mut wrong);
        for candidate in &mut candidates {
            candidate.mentee = mentees.position[candidate.mentee as usize];
            candidate.mentor = mentors.position[candidate.mentor as usize];
        }
        candidates.sort_unstable_by_key(|one| (one.mentee, one.mentor, one.place));
        let same =
            |one: &Candidate, other: &Candidate| (one.mentee, one.mentor) == (other.mentee, other.mentor);
        for two in candidates.windows(2).filter(|two| same(&two[0], &two[1])) {
            let (first, twice) =
                ((place_names.candidate)(two[0].place), (place_names.candidate)(two[1].place));
            let what =
                message!("repeats the pair of {first}; remove one of the two", first = first.message());
            wrong.add(twice, what);
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
            scores: InstanceScores::Sparse(sparse_scores(candidates, mentees.wishes.len())?),
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
            decimals,
        };
        let mut wrong = Violations::default();
        // Without an observer the check cannot be stopped, so that the default is never used.
        let conflicts = instance.constraints.conflicts(&instance.problem(), &Unobserved).unwrap_or_default();
        for (nth, conflict) in conflicts.into_iter().enumerate() {
            let place = match conflict {
                // Violations beyond the limit are only counted, so that their places are not needed.
                _ if nth >= MAX_LISTED => None,
                Conflict::Decision(bad) => last_of(&decisions, bad).map(place_names.decision),
                Conflict::PinsAboveCeiling { side, group, .. } => {
                    let groups = if side == GroupSide::Mentees { &mentees.groups } else { &mentors.groups };
                    groups.places.get(group as usize).copied().map(place_names.group)
                }
                Conflict::Pins(_) | Conflict::Quotas(_) => None,
            };
            wrong.add(place.unwrap_or_default(), instance.names.conflict(&conflict));
        }
        wrong.finish(instance)
    }
}

/// Place of the last decision that is part of the conflict.
fn last_of(decisions: &[DecidedPair], bad: BadDecision) -> Option<Place> {
    let concerns = |decided: &&DecidedPair| match bad {
        BadDecision::Unknown { mentee, mentor }
        | BadDecision::NotACandidate { mentee, mentor }
        | BadDecision::BothDirections { mentee, mentor }
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

fn forest(groups: &OrderedGroups, innermost: Vec<Option<u32>>) -> Result<Forest, Violations> {
    Forest::new(groups.groups.clone(), innermost)
        .map_err(|bad| Violation::new("groups", bad.to_string()).into())
}

/// Sparse scores of candidates that are sorted by mentee.
fn sparse_scores(candidates: Vec<Candidate>, mentees: usize) -> Result<SparseScores, Violations> {
    let mut starts = vec![0; mentees + 1];
    for candidate in &candidates {
        starts[candidate.mentee as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let edges = candidates.into_iter().map(|one| Edge { to: one.mentor, score: one.score }).collect();
    SparseScores::new(starts, edges, &Unobserved)
        .map_err(|bad| Violation::new("candidates", bad.to_string()).into())
}

impl<T: Copy> SideBuilder<T> {
    fn add(
        &mut self,
        (name, group): (&str, &str),
        wish: T,
        at: Place,
        place_name: impl Fn(Place) -> Location,
        wrong: &mut Violations,
    ) {
        let group = self.groups.named(group, || place_name(at), wrong);
        if name.is_empty() || name.len() > MAX_NAME {
            return wrong.add(
                place_name(at),
                message!(
                    "the name `{name}` is empty or too long; give 1 to {most} bytes",
                    name = excerpt(name),
                    most = MAX_NAME
                ),
            );
        }
        let next = u32::try_from(self.wishes.len()).unwrap_or(u32::MAX);
        match self.positions.entry(name.to_owned()) {
            Entry::Occupied(first) => {
                let first = self.places[*first.get() as usize];
                wrong.add(
                    place_name(at),
                    message!(
                        "repeats the name `{name}` of {first}; give each person one entry",
                        name = excerpt(name),
                        first = place_name(first).message()
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

    /// The side in its final order: people by the hash of their names, parent groups before their children.
    fn in_order(self, place_names: PlaceNames<'_>, wrong: &mut Violations) -> OrderedSide<T> {
        let Self { positions, wishes, innermost, groups, .. } = self;
        let groups = groups.in_order(place_names.group, wrong);
        let mut people: Vec<([u8; 32], String, u32)> = positions
            .into_iter()
            .map(|(name, at)| (Sha256::digest(name.as_bytes()).into(), name, at))
            .collect();
        people.sort_unstable();
        let mut position = vec![0; people.len()];
        for ((_, _, at), to) in people.iter().zip(0..) {
            position[*at as usize] = to;
        }
        OrderedSide {
            wishes: people.iter().map(|(_, _, at)| wishes[*at as usize]).collect(),
            innermost: people.iter().map(|(_, _, at)| groups.position(innermost[*at as usize])).collect(),
            names: people.into_iter().map(|(_, name, _)| name).collect(),
            position,
            groups,
        }
    }
}
