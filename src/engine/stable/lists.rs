//! The candidates as preference lists of both sides, without the pairs that no weakly stable assignment contains.
//!
//! Reduction: a person *insists* on the first partners of her list if all of them, whole groups of equal scores, fit into
//! the number of places that she has. In a weakly stable assignment each of these partners has her, or is full with
//! partners that it likes at least as much. A person on whom enough others insist is therefore full with partners at least
//! as good as the worst of the best of them, and everybody below is removed from its list. That shortens lists, so more
//! people insist. Without ties this ends with the lists of Gale and Shapley (Gusfield and Irving 1989, section 1.2.4, from
//! both sides), and a largest assignment of the rest has the size of every stable assignment.
//!
//! An assignment that is weakly stable among the remaining pairs is weakly stable among all: the person who removed a pair
//! is full with partners that it likes more.
//!
//! Time: O(candidates x log candidates) to sort; each removal reads the beginning of a list again. Memory: about 25 bytes
//! per candidate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::size::Size;
use crate::engine::assign::{StopPoll, assign};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN, PairScores, SparseError, SparseScores};
use crate::engine::problem::{Demand, Problem, Seats};

/// Mentees whose rows are read together.
const ROWS: usize = 1 << 9;

/// The scores by which each side ranks the other. A pair must be a candidate of both sources or of neither.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct PreferenceLists<'a> {
    /// Scores by which mentees rank mentors, highest first.
    pub mentees: &'a dyn PairScores,
    /// Scores by which mentors rank mentees; `None` if both sides use the same scores.
    pub mentors: Option<&'a dyn PairScores>,
}

/// A candidate with the scores of both people.
#[derive(Debug, Clone, Copy)]
pub(super) struct PreferredPair {
    /// Position of the mentee.
    pub(super) mentee: u32,
    /// Position of the mentor.
    pub(super) mentor: u32,
    /// Score by which the mentee ranks the mentor.
    pub(super) by_mentee: i32,
    /// Score by which the mentor ranks the mentee.
    pub(super) by_mentor: i32,
}

/// The people of one side.
#[derive(Debug, Clone, Default)]
struct Side {
    /// Indices of pairs; those of person `i` are `starts[i]..starts[i + 1]`, best first.
    order: Vec<u32>,
    starts: Vec<usize>,
    /// Places that each person has.
    places: Vec<u32>,
}

impl Side {
    fn list(&self, person: usize) -> &[u32] {
        &self.order[self.starts[person]..self.starts[person + 1]]
    }
}

/// The candidates as preference lists of both sides.
#[derive(Debug)]
pub(super) struct PreferredPairs {
    pairs: Vec<PreferredPair>,
    removed: Vec<bool>,
    mentees: Side,
    mentors: Side,
}

/// An independent part of the candidates: no candidate connects its people to others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its mentees, ascending.
    pub(super) mentees: Vec<u32>,
    /// Size of the assignment found.
    pub(super) found: Size,
    /// Size of a largest assignment, stable or not.
    pub(super) bound: Size,
}

/// The two sides, to name one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Mentees,
    Mentors,
}

impl PreferredPairs {
    /// The lists of a problem; `None` if there are more than `most` candidates.
    pub(super) fn new(
        problem: &Problem<'_>,
        preferences: PreferenceLists<'_>,
        most: usize,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, Stopped> {
        let mut pairs: Vec<PreferredPair> = Vec::new();
        let mut starts = vec![0];
        for first in (0..problem.mentees.len()).step_by(ROWS) {
            let rows = first..problem.mentees.len().min(first + ROWS);
            let read = |mentee: usize| {
                observer.check()?;
                Ok(row(problem, preferences, mentee))
            };
            for row in rows.into_par_iter().map(read).collect::<Result<Vec<_>, Stopped>>()? {
                pairs.extend(row);
                starts.push(pairs.len());
            }
            if pairs.len() > most {
                return Ok(None);
            }
        }
        let wanted = problem.mentees.iter().map(|demand| u32::from(demand.wanted.min(2))).collect();
        let order = (0..u32::try_from(pairs.len()).unwrap_or(u32::MAX)).collect();
        let mentees = Side { order, starts, places: wanted };
        let mentors = by_mentor(problem, &pairs, observer)?;
        Ok(Some(Self { removed: vec![false; pairs.len()], pairs, mentees, mentors }))
    }

    /// The remaining pairs of a mentee, best first.
    pub(super) fn of_mentee(&self, mentee: u32) -> impl Iterator<Item = (u32, &PreferredPair)> {
        self.remaining(self.mentees.list(mentee as usize))
    }

    /// The remaining pairs of a mentor, best first.
    pub(super) fn of_mentor(&self, mentor: u32) -> impl Iterator<Item = (u32, &PreferredPair)> {
        self.remaining(self.mentors.list(mentor as usize))
    }

    /// Number of mentors that a mentee wants.
    pub(super) fn wanted(&self, mentee: u32) -> u32 {
        self.mentees.places[mentee as usize]
    }

    /// Number of seats of a mentor.
    pub(super) fn seats(&self, mentor: u32) -> u32 {
        self.mentors.places[mentor as usize]
    }

    /// Number of mentees.
    pub(super) fn mentees(&self) -> usize {
        self.mentees.places.len()
    }

    /// Number of mentors.
    pub(super) fn mentors(&self) -> usize {
        self.mentors.places.len()
    }

    /// A pair by its index.
    pub(super) fn pair(&self, index: u32) -> &PreferredPair {
        &self.pairs[index as usize]
    }

    fn remaining<'s>(&'s self, list: &'s [u32]) -> impl Iterator<Item = (u32, &'s PreferredPair)> {
        let left = list.iter().filter(|index| !self.removed[**index as usize]);
        left.map(|index| (*index, &self.pairs[*index as usize]))
    }

    /// Removes pairs that no weakly stable assignment contains, until no rule removes another.
    pub(super) fn reduce(&mut self, observer: &dyn Observer) -> Result<(), Stopped> {
        let mut poll = StopPoll::new(observer);
        let mut reduction = Reduction::of(self);
        while let Some((side, person)) = reduction.open.pop() {
            reduction.waiting(side)[person as usize] = false;
            let read = reduction.insist(self, side, person);
            poll.count(read)?;
        }
        Ok(())
    }

    /// A largest assignment of the remaining pairs, stable or not. Sorted.
    pub(super) fn largest(&self, observer: &dyn Observer) -> Result<Vec<(u32, u32)>, Stopped> {
        let mut starts = vec![0];
        let mut edges: Vec<Edge> = Vec::new();
        for mentee in 0..u32::try_from(self.mentees()).unwrap_or(u32::MAX) {
            edges.extend(self.of_mentee(mentee).map(|(_, pair)| Edge { to: pair.mentor, score: 0 }));
            starts.push(edges.len());
        }
        let scores = match SparseScores::new(starts, edges, observer) {
            Ok(scores) => scores,
            Err(SparseError::Stopped(stopped)) => return Err(stopped),
            // Candidates of a score source are distinct.
            Err(SparseError::Pair { .. }) => SparseScores::default(),
        };
        let demand =
            |wanted: &u32| Demand { wanted: u8::try_from(*wanted).unwrap_or(2), ..Demand::default() };
        let mentees: Vec<Demand> = self.mentees.places.iter().map(demand).collect();
        let mentors: Vec<Seats> = self.mentors.places.iter().map(|max| Seats { min: 0, max: *max }).collect();
        let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: true };
        Ok(assign(&problem, observer)?.pairs)
    }

    /// The independent parts of the remaining pairs, by their first mentee, with the sizes of two assignments in each.
    pub(super) fn parts(&self, found: &[(u32, u32)], bound: &[(u32, u32)]) -> Vec<Part> {
        let mut roots = Roots::new(self.mentors());
        for mentee in 0..u32::try_from(self.mentees()).unwrap_or(u32::MAX) {
            let mut mentors = self.of_mentee(mentee).map(|(_, pair)| pair.mentor);
            if let Some(first) = mentors.next() {
                mentors.for_each(|other| roots.join(first, other));
            }
        }
        let mut part_of_root: Vec<Option<usize>> = vec![None; self.mentors()];
        let mut part_of: Vec<usize> = vec![usize::MAX; self.mentees()];
        let mut parts: Vec<Part> = Vec::new();
        for mentee in 0..u32::try_from(self.mentees()).unwrap_or(u32::MAX) {
            let Some((_, pair)) = self.of_mentee(mentee).next() else { continue };
            let at = *part_of_root[roots.of(pair.mentor) as usize].get_or_insert_with(|| {
                parts.push(Part { mentees: Vec::new(), found: Size::default(), bound: Size::default() });
                parts.len() - 1
            });
            parts[at].mentees.push(mentee);
            part_of[mentee as usize] = at;
        }
        for of_mentee in found.chunk_by(|one, other| one.0 == other.0) {
            parts[part_of[of_mentee[0].0 as usize]].found.add(of_mentee);
        }
        for of_mentee in bound.chunk_by(|one, other| one.0 == other.0) {
            parts[part_of[of_mentee[0].0 as usize]].bound.add(of_mentee);
        }
        parts
    }
}

/// The candidates of one mentee with mentors that have seats, best first; equal scores by tie-break.
fn row(problem: &Problem<'_>, preferences: PreferenceLists<'_>, mentee: usize) -> Vec<PreferredPair> {
    if problem.mentees[mentee].wanted == 0 || problem.mentors.is_empty() {
        return Vec::new();
    }
    let at = u32::try_from(mentee).unwrap_or(u32::MAX);
    let has_seats = |mentor: u32| problem.mentors[mentor as usize].max > 0;
    let pair = |mentor: u32, by_mentee: i32, by_mentor: i32| PreferredPair {
        mentee: at,
        mentor,
        by_mentee,
        by_mentor,
    };
    if let Some(sparse) = preferences.mentees.sparse() {
        let with_both = |edge: &Edge| {
            let by_mentor = match preferences.mentors {
                Some(view) => view.score(mentee, edge.to as usize)?,
                None => edge.score,
            };
            Some(pair(edge.to, edge.score, by_mentor))
        };
        return sparse.row(mentee).iter().filter(|edge| has_seats(edge.to)).filter_map(with_both).collect();
    }
    let mentors = problem.mentors.len();
    let scores = |view: &dyn PairScores| {
        let mut row = vec![FORBIDDEN; mentors];
        view.tile(mentee..mentee + 1, 0..mentors, &mut row);
        row
    };
    let by_mentee = scores(preferences.mentees);
    let theirs = preferences.mentors.map(scores);
    let by_mentor = theirs.as_ref().unwrap_or(&by_mentee);
    let both = (0..).zip(by_mentee.iter().zip(by_mentor));
    let candidates = both
        .filter(|(mentor, (one, other))| **one != FORBIDDEN && **other != FORBIDDEN && has_seats(*mentor));
    let mut row: Vec<PreferredPair> =
        candidates.map(|(mentor, (one, other))| pair(mentor, *one, *other)).collect();
    row.sort_by_cached_key(|pair| {
        (Reverse(pair.by_mentee), preferences.mentees.tie_break(mentee, pair.mentor as usize), pair.mentor)
    });
    row
}

/// The lists of the mentors, equal scores in the order of the mentees.
fn by_mentor(
    problem: &Problem<'_>,
    pairs: &[PreferredPair],
    observer: &dyn Observer,
) -> Result<Side, Stopped> {
    let mut starts = vec![0; problem.mentors.len() + 1];
    for pair in pairs {
        starts[pair.mentor as usize + 1] += 1;
    }
    for mentor in 0..problem.mentors.len() {
        starts[mentor + 1] += starts[mentor];
    }
    observer.check()?;
    let mut next = starts.clone();
    let mut order = vec![0; pairs.len()];
    for (index, pair) in (0..).zip(pairs) {
        let place = &mut next[pair.mentor as usize];
        order[*place] = index;
        *place += 1;
    }
    let mut rest = order.as_mut_slice();
    let mut lists = Vec::with_capacity(problem.mentors.len());
    for ends in starts.windows(2) {
        let (list, after) = rest.split_at_mut(ends[1] - ends[0]);
        lists.push(list);
        rest = after;
    }
    lists.into_par_iter().try_for_each(|list| -> Result<(), Stopped> {
        observer.check()?;
        list.sort_by_key(|index| Reverse(pairs[*index as usize].by_mentor));
        Ok(())
    })?;
    Ok(Side { order, starts, places: problem.mentors.iter().map(|seats| seats.max).collect() })
}

/// State of the reduction: who insists on whom, and who has to be looked at again.
struct Reduction {
    /// Whether the mentee, and the mentor, of each pair insists on the other.
    insisted: [Vec<bool>; 2],
    /// Scores of those who insist on a person, the best of them, as many as the person has places.
    held: [Vec<BinaryHeap<Reverse<i32>>>; 2],
    /// Beginning of each list: everything before it is removed.
    begins: [Vec<usize>; 2],
    /// End of each list: everything after it is removed.
    ends: [Vec<usize>; 2],
    /// People whose lists have changed.
    open: Vec<(Of, u32)>,
    is_open: [Vec<bool>; 2],
}

impl Reduction {
    fn of(lists: &PreferredPairs) -> Self {
        let sides = [&lists.mentees, &lists.mentors];
        let people = |of: Of, side: &Side| {
            (0..u32::try_from(side.places.len()).unwrap_or(u32::MAX)).map(move |person| (of, person))
        };
        Self {
            insisted: [vec![false; lists.pairs.len()], vec![false; lists.pairs.len()]],
            held: sides.map(|side| vec![BinaryHeap::new(); side.places.len()]),
            begins: sides.map(|side| side.starts[..side.places.len()].to_vec()),
            ends: sides.map(|side| side.starts[1..].to_vec()),
            open: people(Of::Mentors, sides[1]).chain(people(Of::Mentees, sides[0])).collect(),
            is_open: sides.map(|side| vec![true; side.places.len()]),
        }
    }

    fn waiting(&mut self, side: Of) -> &mut Vec<bool> {
        &mut self.is_open[side as usize]
    }

    /// Lets a person insist on the first of its list, and removes what that excludes. Returns the number of pairs read.
    fn insist(&mut self, lists: &mut PreferredPairs, of: Of, person: u32) -> usize {
        let (own, other) = match of {
            Of::Mentees => (&lists.mentees, Of::Mentors),
            Of::Mentors => (&lists.mentors, Of::Mentees),
        };
        let (at, places) = (person as usize, own.places[person as usize] as usize);
        let begin = &mut self.begins[of as usize][at];
        let is_removed = |index: &u32| lists.removed[*index as usize];
        let before = *begin;
        *begin += own.order[*begin..own.starts[at + 1]].iter().take_while(|index| is_removed(index)).count();
        let rest = &own.order[*begin..own.starts[at + 1]];
        let mut first: Vec<u32> =
            rest.iter().filter(|index| !is_removed(index)).copied().take(places + 1).collect();
        let read = first.len() + *begin - before;
        let score = |at: usize| lists.pairs[first[at] as usize].by(of);
        // The longest beginning that fits and ends with a whole group of equal scores.
        let is_whole =
            |count: &usize| *count == 0 || *count == first.len() || score(count - 1) != score(*count);
        let fits = (0..=first.len().min(places)).rev().find(is_whole).unwrap_or_default();
        first.truncate(fits);
        for index in first {
            if !std::mem::replace(&mut self.insisted[of as usize][index as usize], true) {
                let pair = lists.pairs[index as usize];
                self.hold(lists, other, pair.person(other), pair.by(other));
            }
        }
        read
    }

    /// Adds somebody who insists on a person, by the score that the person gives, and shortens the person's list.
    fn hold(&mut self, lists: &mut PreferredPairs, of: Of, person: u32, score: i32) {
        let side = match of {
            Of::Mentees => &lists.mentees,
            Of::Mentors => &lists.mentors,
        };
        let at = person as usize;
        let held = &mut self.held[of as usize][at];
        held.push(Reverse(score));
        if held.len() > side.places[at] as usize {
            held.pop();
        }
        if held.len() < side.places[at] as usize {
            return;
        }
        let Some(Reverse(worst)) = held.peek().copied() else { return };
        let end = &mut self.ends[of as usize][at];
        while *end > side.starts[at] {
            let index = side.order[*end - 1] as usize;
            let pair = &lists.pairs[index];
            if pair.by(of) >= worst {
                break;
            }
            *end -= 1;
            if std::mem::replace(&mut lists.removed[index], true) {
                continue;
            }
            let (other, partner) = match of {
                Of::Mentees => (Of::Mentors, pair.mentor),
                Of::Mentors => (Of::Mentees, pair.mentee),
            };
            for (whose, who) in [(other, partner), (of, person)] {
                if !std::mem::replace(&mut self.is_open[whose as usize][who as usize], true) {
                    self.open.push((whose, who));
                }
            }
        }
    }
}

impl PreferredPair {
    fn by(&self, of: Of) -> i32 {
        match of {
            Of::Mentees => self.by_mentee,
            Of::Mentors => self.by_mentor,
        }
    }

    fn person(&self, of: Of) -> u32 {
        match of {
            Of::Mentees => self.mentee,
            Of::Mentors => self.mentor,
        }
    }
}

/// Sets of connected mentors (union by the smaller root, with path halving; Tarjan 1975).
struct Roots(Vec<u32>);

impl Roots {
    fn new(mentors: usize) -> Self {
        Self((0..u32::try_from(mentors).unwrap_or(u32::MAX)).collect())
    }

    fn of(&mut self, mut mentor: u32) -> u32 {
        while self.0[mentor as usize] != mentor {
            let above = self.0[self.0[mentor as usize] as usize];
            self.0[mentor as usize] = above;
            mentor = above;
        }
        mentor
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.of(one), self.of(other));
        self.0[one.max(other) as usize] = one.min(other);
    }
}
