//! STABLE: nobody would rather be with somebody else who would rather be with her, too.
//!
//! Deferred acceptance (Gale and Shapley 1962; with seats Roth and Peranson 1999): mentees ask the mentors they like best,
//! one after the other; a mentor keeps the best of those who ask and sends the others on. No mentee can do better in any
//! stable assignment. A mentee who wants two mentors asks until she has two; sides are then stable pair by pair. Minimum
//! places and tiers have no say here.
//!
//! A mentee's list is made piece by piece, since most of them ask a few mentors only: a piece is the next best of her row,
//! [`PIECE`] at first and twice as many each time. Equal scores are told apart by lot, the same way on both sides.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::problem::{Arc, FORBIDDEN, Observer, PairScores, Problem, Stopped};
use crate::domain::run::Stage;

/// Entries of the first piece of a list.
const PIECE: usize = 32;
/// Proposals between two looks at the observer.
const INTERVAL: u64 = 1 << 10;

/// How both sides rank each other. One candidate must be a candidate on both sides.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct Sides<'a> {
    /// What mentees like: the higher, the better.
    pub mentees: &'a dyn PairScores,
    /// What mentors like; `None` if it is the same.
    pub mentors: Option<&'a dyn PairScores>,
}

/// A stable assignment, the best there is for the mentees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stable {
    /// Its pairs, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// How often a mentee asked a mentor.
    pub proposals: u64,
}

/// Who asks or is asked, the higher the better: score, then the lower lot, then the earlier position.
type Rank = (i32, u32, u32);

fn rank(score: i32, lot: u32, position: u32) -> Rank {
    (score, u32::MAX - lot, u32::MAX - position)
}

/// Finds the stable assignment that is best for the mentees. Scores of `problem` do not count, those of `sides` do.
pub fn stable(problem: &Problem<'_>, sides: Sides<'_>, observer: &dyn Observer) -> Result<Stable, Stopped> {
    let mut lists = first_pieces(problem, sides.mentees, observer)?;
    let mut kept: Vec<BinaryHeap<Reverse<(Rank, u32)>>> = vec![BinaryHeap::new(); problem.mentors.len()];
    let mut asking: Vec<u32> = Vec::new();
    for (mentee, demand) in (0..).zip(problem.mentees) {
        asking.extend(std::iter::repeat_n(mentee, usize::from(demand.wanted.min(2))));
    }
    let mut proposals = 0;
    let mut next_mentor =
        |mentee: u32| lists[mentee as usize].next(problem, sides.mentees, mentee as usize, observer);
    while let Some(mentee) = asking.pop() {
        if proposals % INTERVAL == 0 && observer.is_cancelled() {
            return Err(Stopped);
        }
        let Some(arc) = next_mentor(mentee)? else { continue };
        proposals += 1;
        let (at, to) = (mentee as usize, arc.to as usize);
        let score = match sides.mentors {
            None => Some(arc.score),
            Some(view) => view.score(at, to),
        };
        let kept = &mut kept[to];
        match score {
            Some(score) if problem.mentors[to].max > 0 => {
                kept.push(Reverse((rank(score, sides.mentees.lot(at, to), mentee), mentee)));
                if kept.len() > problem.mentors[to].max as usize {
                    asking.extend(kept.pop().map(|Reverse((_, sent_on))| sent_on));
                }
            }
            _ => asking.push(mentee),
        }
    }
    let mut pairs: Vec<(u32, u32)> = (0..)
        .zip(&kept)
        .flat_map(|(mentor, kept)| kept.iter().map(move |Reverse((_, mentee))| (*mentee, mentor)))
        .collect();
    pairs.sort_unstable();
    Ok(Stable { pairs, proposals })
}

/// A mentee's list of mentors, as far as it has been made.
#[derive(Debug, Default)]
struct List {
    /// The present piece, the best last.
    piece: Vec<Arc>,
    /// The last entry given, behind which the next piece begins.
    last: Option<Rank>,
    /// Pieces made.
    pieces: u32,
    /// Whether there is no piece more.
    ends: bool,
    /// Entries given, for lists that are written out.
    given: usize,
}

impl List {
    fn next(
        &mut self,
        problem: &Problem<'_>,
        scores: &dyn PairScores,
        mentee: usize,
        observer: &dyn Observer,
    ) -> Result<Option<Arc>, Stopped> {
        if let Some(listed) = scores.listed() {
            self.given += 1;
            return Ok(listed.row(mentee).get(self.given - 1).copied());
        }
        if self.piece.is_empty() && !self.ends && !problem.mentors.is_empty() {
            if observer.is_cancelled() {
                return Err(Stopped);
            }
            let mut row = vec![FORBIDDEN; problem.mentors.len()];
            scores.tile(mentee..mentee + 1, 0..row.len(), &mut row);
            self.extend(scores, mentee, &row);
        }
        let Some(arc) = self.piece.pop() else { return Ok(None) };
        self.last = Some(key(scores, mentee, arc));
        Ok(Some(arc))
    }

    /// Makes the next piece out of the mentee's whole row.
    fn extend(&mut self, scores: &dyn PairScores, mentee: usize, row: &[i32]) {
        let behind = |arc: &Arc| self.last.is_none_or(|last| key(scores, mentee, *arc) < last);
        let most = self.last.map_or(i32::MAX, |last| last.0);
        let mut rest: Vec<Arc> = (0..)
            .zip(row)
            .filter(|(_, score)| **score != FORBIDDEN && **score <= most)
            .map(|(to, &score)| Arc { to, score })
            .filter(behind)
            .collect();
        let piece = PIECE << self.pieces.min(24);
        self.pieces += 1;
        if rest.len() > piece {
            rest.select_nth_unstable_by_key(piece - 1, |arc| Reverse(key(scores, mentee, *arc)));
            rest.truncate(piece);
        } else {
            self.ends = true;
        }
        rest.sort_unstable_by_key(|arc| key(scores, mentee, *arc));
        self.piece = rest;
    }
}

fn key(scores: &dyn PairScores, mentee: usize, arc: Arc) -> Rank {
    rank(arc.score, scores.lot(mentee, arc.to as usize), arc.to)
}

/// The first piece of everybody's list, made in parallel.
fn first_pieces(
    problem: &Problem<'_>,
    scores: &dyn PairScores,
    observer: &dyn Observer,
) -> Result<Vec<List>, Stopped> {
    let total = problem.mentees.len();
    if scores.listed().is_some() {
        return Ok((0..total).map(|_| List::default()).collect());
    }
    let first = |row: &mut Vec<i32>, mentee: usize| {
        if observer.is_cancelled() {
            return Err(Stopped);
        }
        let mut list = List::default();
        if problem.mentees[mentee].wanted > 0 && !problem.mentors.is_empty() {
            row.resize(problem.mentors.len(), FORBIDDEN);
            scores.tile(mentee..mentee + 1, 0..row.len(), row);
            list.extend(scores, mentee, row);
        }
        if mentee.is_multiple_of(1024) {
            observer.progress(Stage::Assign, mentee as u64, total as u64);
        }
        Ok(list)
    };
    (0..total).into_par_iter().map_init(Vec::new, first).collect()
}
