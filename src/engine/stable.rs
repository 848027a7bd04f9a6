//! STABLE: nobody would rather be with somebody else who would rather be with her, too.
//!
//! Deferred acceptance (Gale and Shapley 1962; with seats Roth and Peranson 1999): mentees ask the mentors they like best,
//! one after the other; a mentor keeps the best of those who ask and sends the others on. No mentee can do better in any
//! stable assignment. A mentee who wants two mentors asks until she has two; sides are then stable pair by pair. Minimum
//! places and tiers have no say here.
//!
//! A mentee's list of mentors is made piece by piece, since most of them ask a few only. One look at all pairs makes the
//! first piece of everybody, [`PIECE`] entries; those who come to the end of theirs wait until nobody else asks, and get the
//! next ones together, twice as many each time. Equal scores are told apart by tie-break, the same way on both sides.
//!
//! Memory: 4 bytes per mentee where candidates are listed, else some 40 and 8 for every entry of her piece; 24 bytes per
//! mentor, and 16 for each of her seats that somebody has asked for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::assign::best_k::{BestK, RankedPair};
use super::assign::tiles::{RowVisitor, ScoreCell, walk_some};
use super::assign::{StopPoll, index, row_prefixes};
use super::observer::{Observer, Stopped};
use super::pair_scores::{Edge, PairScores, SparseScores};
use super::problem::{Problem, Seats};

/// Entries of the first piece of a list.
const PIECE: usize = 16;
/// Units of work of a proposal.
const ASKING: usize = 32;

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
    /// How often a mentee asked a mentor who has seats.
    pub proposals: u64,
}

/// Who asks or is asked, the higher the better: score, then the lower tie-break, then the earlier position.
type Rank = (i32, u32, u32);

fn rank(score: i32, tie_break: u32, position: u32) -> Rank {
    (score, !tie_break, !position)
}

/// Finds the stable assignment that is best for the mentees. Scores of `problem` do not count, those of `sides` do.
pub fn stable(problem: &Problem<'_>, sides: Sides<'_>, observer: &dyn Observer) -> Result<Stable, Stopped> {
    let liked = Problem { scores: sides.mentees, ..*problem };
    let mut lists = Lists::begin(&liked, observer)?;
    let mut kept: Vec<BinaryHeap<Reverse<(Rank, u32)>>> = vec![BinaryHeap::new(); problem.mentors.len()];
    let mut asking: Vec<u32> = Vec::new();
    for (mentee, demand) in (0..).zip(problem.mentees) {
        asking.extend(std::iter::repeat_n(mentee, usize::from(demand.wanted.min(2))));
    }
    let mut waiting = Vec::new();
    let mut proposals = 0;
    let mut poll = StopPoll::new(observer);
    while !asking.is_empty() {
        while let Some(mentee) = asking.pop() {
            poll.count(ASKING)?;
            let Some(arc) = lists.next(problem.mentors, mentee) else {
                waiting.push(mentee);
                continue;
            };
            proposals += 1;
            let (at, to) = (mentee as usize, arc.to as usize);
            let score = match sides.mentors {
                None => Some(arc.score),
                Some(view) => view.score(at, to),
            };
            let Some(score) = score else {
                asking.push(mentee);
                continue;
            };
            let kept = &mut kept[to];
            kept.push(Reverse((rank(score, sides.mentees.tie_break(at, to), mentee), mentee)));
            if kept.len() > problem.mentors[to].max as usize {
                asking.extend(kept.pop().map(|Reverse((_, sent_on))| sent_on));
            }
        }
        lists.go_on(&liked, &mut waiting, observer)?;
        asking.append(&mut waiting);
    }
    let mut pairs = Vec::with_capacity(problem.mentees.len());
    for (mentor, kept) in (0..).zip(&kept) {
        poll.count(kept.len())?;
        pairs.extend(kept.iter().map(|Reverse((_, mentee))| (*mentee, mentor)));
    }
    pairs.sort_unstable();
    Ok(Stable { pairs, proposals })
}

/// Whom every mentee asks, as far as it is known.
enum Lists<'a> {
    /// All candidates, and how many of her row each mentee has passed.
    Whole(&'a SparseScores, Vec<u32>),
    /// A piece of every mentee's row.
    Pieces(Vec<Piece>),
}

/// A piece of a mentee's row.
struct Piece {
    /// The best first.
    arcs: Vec<Edge>,
    /// How many of them have been asked.
    asked: usize,
    /// Most entries that this piece could have had: with fewer, the row ends here.
    most: usize,
}

impl<'a> Lists<'a> {
    fn begin(problem: &Problem<'a>, observer: &dyn Observer) -> Result<Self, Stopped> {
        if let Some(listed) = problem.scores.sparse() {
            return Ok(Self::Whole(listed, vec![0; problem.mentees.len()]));
        }
        let pieces = row_prefixes(problem, PIECE, observer)?.into_iter();
        Ok(Self::Pieces(pieces.map(|arcs| Piece { arcs, asked: 0, most: PIECE }).collect()))
    }

    /// The next mentor with seats whom a mentee asks, as far as her list has been made.
    fn next(&mut self, mentors: &[Seats], mentee: u32) -> Option<Edge> {
        match self {
            Self::Whole(listed, passed) => {
                let passed = &mut passed[mentee as usize];
                let rest = &listed.row(mentee as usize)[*passed as usize..];
                let at = rest.iter().position(|arc| mentors[arc.to as usize].max > 0).unwrap_or(rest.len());
                *passed += index((at + 1).min(rest.len()));
                rest.get(at).copied()
            }
            Self::Pieces(pieces) => {
                let piece = &mut pieces[mentee as usize];
                piece.asked += 1;
                piece.arcs.get(piece.asked - 1).copied()
            }
        }
    }

    /// Makes the next piece of everybody who waits for one; whose row has ended waits no longer.
    fn go_on(
        &mut self,
        problem: &Problem<'_>,
        waiting: &mut Vec<u32>,
        observer: &dyn Observer,
    ) -> Result<(), Stopped> {
        let Self::Pieces(pieces) = self else {
            waiting.clear();
            return Ok(());
        };
        waiting.retain(|mentee| {
            let Piece { arcs, most, .. } = &pieces[*mentee as usize];
            arcs.len() == *most
        });
        // Who wants two mentors may wait twice.
        let mut mentees = waiting.clone();
        mentees.sort_unstable();
        mentees.dedup();
        let rest = |mentee: usize| Rest::of(problem, mentee, &pieces[mentee]);
        let made = walk_some(problem, &mentees, observer, rest)?;
        for (mentee, arcs) in mentees.into_iter().zip(made) {
            let piece = &mut pieces[mentee as usize];
            *piece = Piece { arcs, asked: 0, most: 2 * piece.most };
        }
        Ok(())
    }
}

/// The best of what comes after a piece.
struct Rest<'a> {
    problem: &'a Problem<'a>,
    /// The last entry of the piece, behind which it begins.
    last: Rank,
    floor: i32,
    top: BestK<Rank>,
}

impl<'a> Rest<'a> {
    fn of(problem: &'a Problem<'a>, mentee: usize, piece: &Piece) -> Self {
        let key = |arc: &Edge| rank(arc.score, problem.scores.tie_break(mentee, arc.to as usize), arc.to);
        let last = piece.arcs.last().map_or((i32::MAX, u32::MAX, u32::MAX), key);
        Self { problem, last, floor: i32::MIN, top: BestK::new(2 * piece.most) }
    }
}

impl RowVisitor for Rest<'_> {
    type Found = Vec<Edge>;

    fn read<C: ScoreCell>(&mut self, mentee: usize, first: usize, scores: &[C]) {
        for (cell, mentor) in scores.iter().zip(first..) {
            let Some(score) = cell.score().filter(|score| (self.floor..=self.last.0).contains(score)) else {
                continue;
            };
            let (tie_break, to) = (self.problem.scores.tie_break(mentee, mentor), index(mentor));
            let key = rank(score, tie_break, to);
            if key < self.last
                && self.problem.mentors[mentor].max > 0
                && self.top.offer(RankedPair { key, tie_break, to, score })
            {
                self.floor = self.top.floor().map_or(self.floor, |floor| floor.0);
            }
        }
    }

    fn finish(self, _: usize) -> Vec<Edge> {
        self.top.into_sorted().iter().map(|entry| Edge { to: entry.to, score: entry.score }).collect()
    }
}
