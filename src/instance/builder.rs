//! Puts a problem together from people and candidates that come one by one, by name. People come before the candidates
//! that name them. In the end they are ordered by a hash of their names, so the order in which they came never matters.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sha2::{Digest as _, Sha256};

use super::{BroughtScores, Instance, Names, Violations};
use crate::engine::brought::Listed;
use crate::engine::problem::{Arc, Demand, FORBIDDEN, Seats};

/// Bytes of a name at most.
const MAX_NAME: usize = 256;
/// Characters of a refused name that are answered back.
const EXCERPT: usize = 80;

fn excerpt(name: &str) -> String {
    name.chars().take(EXCERPT).collect()
}

/// A problem in the making, with all that is wrong so far.
#[derive(Debug, Default)]
pub struct Builder {
    mentees: Side<Demand>,
    mentors: Side<Seats>,
    candidates: Vec<Candidate>,
    /// Mentees, mentors and candidates that have come, good or bad.
    received: [u64; 3],
    wrong: Violations,
}

/// One side of the problem, in the order in which it came.
#[derive(Debug)]
struct Side<T> {
    positions: HashMap<String, u32>,
    wishes: Vec<T>,
    places: Vec<Place>,
}

impl<T> Default for Side<T> {
    fn default() -> Self {
        Self { positions: HashMap::new(), wishes: Vec::new(), places: Vec::new() }
    }
}

/// Where something came from: a line of a file, or a place in a list.
pub type Place = u64;

#[derive(Debug, Clone, Copy)]
struct Candidate {
    mentee: u32,
    mentor: u32,
    score: i32,
    place: Place,
}

impl Builder {
    /// Notes what is wrong besides.
    pub fn refuse(&mut self, wrong: Violations) {
        self.wrong.extend(wrong);
    }

    /// Adds a mentee. `at` is where she stands, and `tell` puts such a place into words.
    pub fn mentee(&mut self, name: &str, demand: Demand, at: Place, tell: impl Fn(Place) -> String) {
        self.received[0] += 1;
        if demand.wanted > 2 {
            self.wrong.add(tell(at), format!("wants {} mentors; give 0, 1 or 2", demand.wanted));
        }
        self.mentees.add(name, demand, at, tell, &mut self.wrong);
    }

    /// Adds a mentor.
    pub fn mentor(&mut self, name: &str, seats: Seats, at: Place, tell: impl Fn(Place) -> String) {
        self.received[1] += 1;
        if seats.min > seats.max {
            self.wrong.add(tell(at), format!("min {} is more than max {}", seats.min, seats.max));
        }
        self.mentors.add(name, seats, at, tell, &mut self.wrong);
    }

    /// Adds a candidate.
    pub fn candidate(
        &mut self,
        mentee: &str,
        mentor: &str,
        score: i32,
        place: Place,
        tell: impl Fn(Place) -> String,
    ) {
        self.received[2] += 1;
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
        if score == FORBIDDEN {
            self.wrong.add(tell(place), format!("the score must be above {FORBIDDEN}"));
        }
        if let [Some(mentee), Some(mentor)] = found {
            self.candidates.push(Candidate { mentee, mentor, score, place });
        }
    }

    /// Mentees, mentors and candidates that have come so far, good or bad.
    pub fn received(&self) -> [u64; 3] {
        self.received
    }

    /// The problem, or everything that is wrong with it. `tell` puts places of candidates into words.
    pub fn finish(
        mut self,
        coverage_first: bool,
        tell: impl Fn(Place) -> String,
    ) -> Result<Instance, Violations> {
        let (mentees, mentee_names, row_of) = self.mentees.in_order();
        let (mentors, mentor_names, column_of) = self.mentors.in_order();
        let mut candidates = self.candidates;
        for candidate in &mut candidates {
            candidate.mentee = row_of[candidate.mentee as usize];
            candidate.mentor = column_of[candidate.mentor as usize];
        }
        candidates.sort_unstable_by_key(|one| (one.mentee, one.mentor, one.place));
        let same =
            |one: &Candidate, other: &Candidate| (one.mentee, one.mentor) == (other.mentee, other.mentor);
        for two in candidates.windows(2).filter(|two| same(&two[0], &two[1])) {
            self.wrong.add(tell(two[1].place), format!("{} has this pair already", tell(two[0].place)));
        }
        self.wrong.none()?;
        let mut starts = vec![0; mentees.len() + 1];
        for candidate in &candidates {
            starts[candidate.mentee as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let arcs = candidates.into_iter().map(|one| Arc { to: one.mentor, score: one.score }).collect();
        let listed = Listed::new(starts, arcs).map_err(|bad| {
            let mut wrong = Violations::default();
            wrong.add("candidates", bad.to_string());
            wrong
        })?;
        Ok(Instance {
            mentees,
            mentors,
            scores: BroughtScores::Listed(listed),
            names: Names::Given(mentee_names, mentor_names),
            coverage_first,
        })
    }
}

impl<T: Copy> Side<T> {
    fn add(
        &mut self,
        name: &str,
        wish: T,
        at: Place,
        tell: impl Fn(Place) -> String,
        wrong: &mut Violations,
    ) {
        if name.is_empty() || name.len() > MAX_NAME {
            return wrong
                .add(tell(at), format!("`{}` is no name: give 1 to {MAX_NAME} bytes", excerpt(name)));
        }
        let next = u32::try_from(self.wishes.len()).unwrap_or(u32::MAX);
        match self.positions.entry(name.to_owned()) {
            Entry::Occupied(first) => {
                let first = self.places[*first.get() as usize];
                wrong.add(tell(at), format!("`{}` stands at {} already", excerpt(name), tell(first)));
            }
            Entry::Vacant(entry) => {
                entry.insert(next);
                self.wishes.push(wish);
                self.places.push(at);
            }
        }
    }

    /// Wishes and names by the hashes of the names, and for everyone her place in that order.
    fn in_order(&mut self) -> (Vec<T>, Vec<String>, Vec<u32>) {
        let mut people: Vec<([u8; 32], String, u32)> = std::mem::take(&mut self.positions)
            .into_iter()
            .map(|(name, at)| (Sha256::digest(name.as_bytes()).into(), name, at))
            .collect();
        people.sort_unstable();
        let mut position = vec![0; people.len()];
        for ((_, _, at), to) in people.iter().zip(0..) {
            position[*at as usize] = to;
        }
        let wishes = people.iter().map(|(_, _, at)| self.wishes[*at as usize]).collect();
        (wishes, people.into_iter().map(|(_, name, _)| name).collect(), position)
    }
}
