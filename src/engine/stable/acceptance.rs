//! Mentee-optimal deferred acceptance (Gale and Shapley 1962; with seats Roth and Peranson 1999).
//!
//! Mentees propose to mentors in the order of preference. A mentor keeps the best proposals up to the number of seats,
//! and rejects the others. A mentee who wants two mentors proposes until two have accepted; stability then holds pair by
//! pair. Equal scores are ordered by tie-break, identically on both sides: under this order no mentee does better in
//! another stable assignment.
//!
//! A mentee's list of mentors is computed piece by piece, because most mentees propose to few mentors. One pass over
//! all pairs computes the first piece of every list, [`FIRST_PIECE`] entries. A mentee at the end of its piece waits
//! until no other mentee can propose; then one pass computes the next pieces of all waiting mentees, each twice as long
//! as the piece before.
//!
//! Memory: 4 bytes per mentee if the source is sparse, otherwise about 40 bytes per mentee and 8 per entry of a piece;
//! 24 bytes per mentor, and 16 per seat with a proposal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::lists::PreferenceLists;
use crate::engine::assign::best_k::{BestK, RankedPair};
use crate::engine::assign::tiles::{RowVisitor, ScoreCell, walk_some};
use crate::engine::assign::{StopPoll, index, row_prefixes};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, SparseScores};
use crate::engine::problem::{Problem, Seats};

/// Entries of the first piece of a list.
const FIRST_PIECE: usize = 16;
/// Units of work of a proposal.
const PROPOSAL_WORK: usize = 32;

/// Rank of a person, highest first: score, then the lower tie-break, then the earlier position.
type Rank = (i32, u32, u32);

fn rank(score: i32, tie_break: u32, position: u32) -> Rank {
    (score, !tie_break, !position)
}

/// A stable assignment of one strict order.
pub(super) struct Accepted {
    /// The pairs, sorted.
    pub(super) pairs: Vec<(u32, u32)>,
    /// Number of proposals to mentors with seats.
    pub(super) proposals: u64,
}

/// Computes the assignment that is mentee-optimal if ties are broken by tie-break. The scores of `problem` are not used;
/// those of `preferences` are.
pub(super) fn accept(
    problem: &Problem<'_>,
    preferences: PreferenceLists<'_>,
    observer: &dyn Observer,
) -> Result<Accepted, Stopped> {
    let mentees_view = Problem { scores: preferences.mentees, ..*problem };
    let mut lists = ProposalLists::begin(&mentees_view, observer)?;
    let mut kept: Vec<BinaryHeap<Reverse<(Rank, u32)>>> = vec![BinaryHeap::new(); problem.mentors.len()];
    let mut proposing: Vec<u32> = Vec::new();
    for (mentee, demand) in (0..).zip(problem.mentees) {
        proposing.extend(std::iter::repeat_n(mentee, usize::from(demand.wanted.min(2))));
    }
    let mut waiting = Vec::new();
    let mut proposals = 0;
    let mut poll = StopPoll::new(observer);
    while !proposing.is_empty() {
        while let Some(mentee) = proposing.pop() {
            poll.count(PROPOSAL_WORK)?;
            let Some(edge) = lists.next(problem.mentors, mentee) else {
                waiting.push(mentee);
                continue;
            };
            proposals += 1;
            let (at, to) = (mentee as usize, edge.to as usize);
            let score = match preferences.mentors {
                None => Some(edge.score),
                Some(view) => view.score(at, to),
            };
            let Some(score) = score else {
                proposing.push(mentee);
                continue;
            };
            let kept = &mut kept[to];
            kept.push(Reverse((rank(score, preferences.mentees.tie_break(at, to), mentee), mentee)));
            if kept.len() > problem.mentors[to].max as usize {
                proposing.extend(kept.pop().map(|Reverse((_, rejected))| rejected));
            }
        }
        lists.extend(&mentees_view, &mut waiting, observer)?;
        proposing.append(&mut waiting);
    }
    let mut pairs = Vec::with_capacity(problem.mentees.len());
    for (mentor, kept) in (0..).zip(&kept) {
        poll.count(kept.len())?;
        pairs.extend(kept.iter().map(|Reverse((_, mentee))| (*mentee, mentor)));
    }
    pairs.sort_unstable();
    Ok(Accepted { pairs, proposals })
}

/// The lists in whose order mentees propose, as far as they are computed.
enum ProposalLists<'a> {
    /// All candidates, and the number of entries of its row that each mentee has passed.
    Whole(&'a SparseScores, Vec<u32>),
    /// A piece of every mentee's row.
    Pieces(Vec<ListPiece>),
}

/// A piece of a mentee's row.
struct ListPiece {
    /// Entries, best first.
    edges: Vec<Edge>,
    /// Number of entries that were used.
    proposed: usize,
    /// Largest possible number of entries; with fewer, the row ends here.
    most: usize,
}

impl<'a> ProposalLists<'a> {
    fn begin(problem: &Problem<'a>, observer: &dyn Observer) -> Result<Self, Stopped> {
        if let Some(sparse) = problem.scores.sparse() {
            return Ok(Self::Whole(sparse, vec![0; problem.mentees.len()]));
        }
        let pieces = row_prefixes(problem, FIRST_PIECE, observer)?.into_iter();
        Ok(Self::Pieces(pieces.map(|edges| ListPiece { edges, proposed: 0, most: FIRST_PIECE }).collect()))
    }

    /// The next mentor with seats on a mentee's list; `None` at the end of the computed part.
    fn next(&mut self, mentors: &[Seats], mentee: u32) -> Option<Edge> {
        match self {
            Self::Whole(sparse, passed) => {
                let passed = &mut passed[mentee as usize];
                let rest = &sparse.row(mentee as usize)[*passed as usize..];
                let at = rest.iter().position(|edge| mentors[edge.to as usize].max > 0).unwrap_or(rest.len());
                *passed += index((at + 1).min(rest.len()));
                rest.get(at).copied()
            }
            Self::Pieces(pieces) => {
                let piece = &mut pieces[mentee as usize];
                piece.proposed += 1;
                piece.edges.get(piece.proposed - 1).copied()
            }
        }
    }

    /// Computes the next piece of every waiting mentee. A mentee whose row has ended is removed from `waiting`.
    fn extend(
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
            let ListPiece { edges, most, .. } = &pieces[*mentee as usize];
            edges.len() == *most
        });
        // A mentee who wants two mentors can occur twice.
        let mut mentees = waiting.clone();
        mentees.sort_unstable();
        mentees.dedup();
        let rest = |mentee: usize| RestOfRow::of(problem, mentee, &pieces[mentee]);
        let made = walk_some(problem, &mentees, observer, rest)?;
        for (mentee, edges) in mentees.into_iter().zip(made) {
            let piece = &mut pieces[mentee as usize];
            *piece = ListPiece { edges, proposed: 0, most: 2 * piece.most };
        }
        Ok(())
    }
}

/// The best entries after a piece.
struct RestOfRow<'a> {
    problem: &'a Problem<'a>,
    /// Rank of the last entry of the piece.
    last: Rank,
    floor: i32,
    top: BestK<Rank>,
}

impl<'a> RestOfRow<'a> {
    fn of(problem: &'a Problem<'a>, mentee: usize, piece: &ListPiece) -> Self {
        let key = |edge: &Edge| rank(edge.score, problem.scores.tie_break(mentee, edge.to as usize), edge.to);
        let last = piece.edges.last().map_or((i32::MAX, u32::MAX, u32::MAX), key);
        Self { problem, last, floor: i32::MIN, top: BestK::new(2 * piece.most) }
    }
}

impl RowVisitor for RestOfRow<'_> {
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
