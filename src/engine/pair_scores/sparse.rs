//! Scores of the candidates alone, in compressed sparse rows.

use rayon::prelude::*;

use super::edge::{Edge, FORBIDDEN, tie_break};
use super::overlay::of_rows;
use crate::engine::graph::{Csr, blank};
use crate::engine::observer::{Observer, Stopped};

/// Rows that one task sorts or writes.
const ROWS: usize = 1 << 10;

/// Candidates by mentee in compressed sparse rows (CSR). Each row is sorted: best score first, equal scores by tie-break. 8
/// bytes per candidate and per mentee.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SparseScores(Csr<Edge>);

/// Why candidates do not form sparse scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SparseError {
    /// A candidate occurs twice, or has the score [`FORBIDDEN`].
    #[error(
        "the pair of mentee {mentee} and mentor {mentor} is listed twice, or has the reserved score -2147483648"
    )]
    Pair {
        /// The pair's mentee.
        mentee: usize,
        /// The pair's mentor.
        mentor: u32,
    },
    /// The observer stopped the operation.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl SparseScores {
    /// Sparse scores from `edges`, of which `starts[i]..starts[i + 1]` belong to mentee `i`, in any order within a row.
    ///
    /// # Panics
    ///
    /// If `starts` does not ascend from 0 to the number of edges. A caller that reads `starts` from outside checks it
    /// first.
    pub fn new(
        starts: Vec<usize>,
        mut edges: Vec<Edge>,
        observer: &dyn Observer,
    ) -> Result<Self, SparseError> {
        let sort = |keys: &mut Vec<(u64, Edge)>, block: (usize, &mut [Edge])| {
            let mut bad = None;
            for (mentee, row) in rows(&starts, block) {
                observer.check()?;
                bad = bad.or_else(|| Some((mentee, sort_row(mentee, row, keys)?)));
            }
            Ok(bad)
        };
        let bad = blocks(&starts, &mut edges).into_par_iter().map_init(Vec::new, sort);
        let bad: Result<_, Stopped> = bad.try_reduce(|| None, |one, other| Ok(one.or(other)));
        match bad? {
            Some((mentee, mentor)) => Err(SparseError::Pair { mentee, mentor }),
            None => Ok(Self(Csr::new(starts, edges))),
        }
    }

    /// Sparse scores from rows that are sorted and without repetitions.
    pub(in crate::engine) fn sorted(starts: Vec<usize>, edges: Vec<Edge>) -> Self {
        Self(Csr::new(starts, edges))
    }

    /// The candidates by mentor, with [`Edge::to`] the mentee, in ascending order of the mentees.
    pub(in crate::engine) fn columns(
        &self,
        mentors: usize,
        observer: &dyn Observer,
    ) -> Result<Csr<Edge>, Stopped> {
        let place = |mentee, edge: &Edge| (edge.to as usize, Edge { to: mentee, score: edge.score });
        self.0.transposed(mentors, Edge::NONE, place, observer)
    }

    /// The candidates of a mentee, best first.
    pub fn row(&self, mentee: usize) -> &[Edge] {
        self.0.row(mentee)
    }

    /// The candidates with other scores, without those for which `change` returns none. Scores must keep their order, and a
    /// candidate that is left out must score less than one that is not.
    pub(super) fn map(
        &self,
        change: impl Fn(i32) -> Option<i32> + Sync,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let kept = |mentee| self.row(mentee).partition_point(|edge| change(edge.score).is_some());
        let write = |mentee, row: &mut [Edge]| {
            for (out, edge) in row.iter_mut().zip(self.row(mentee)) {
                *out = Edge { score: change(edge.score).unwrap_or(edge.score), ..*edge };
            }
        };
        self.rewritten(kept, write, observer)
    }

    /// The scores without some candidates, given by mentee and mentor in ascending order.
    pub(super) fn without(&self, pairs: &[(u32, u32)], observer: &dyn Observer) -> Result<Self, Stopped> {
        let kept = |mentee: usize| {
            let banned = of_rows(pairs, &(mentee..mentee + 1));
            let is_kept = move |edge: &&Edge| banned.binary_search_by_key(&edge.to, |pair| pair.1).is_err();
            self.row(mentee).iter().filter(is_kept)
        };
        let len = |mentee| {
            if of_rows(pairs, &(mentee..mentee + 1)).is_empty() {
                self.row(mentee).len()
            } else {
                kept(mentee).count()
            }
        };
        let write = |mentee, row: &mut [Edge]| {
            for (out, edge) in row.iter_mut().zip(kept(mentee)) {
                *out = *edge;
            }
        };
        self.rewritten(len, write, observer)
    }

    /// The candidates with a score that is higher by `bonus`, at least 0, for some of them, given by mentee and mentor in
    /// ascending order.
    pub(super) fn with_bonus(
        &self,
        pairs: &[(u32, u32)],
        bonus: i32,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let len = |mentee| self.row(mentee).len();
        let write = |mentee, row: &mut [Edge]| {
            row.copy_from_slice(self.row(mentee));
            for &(_, mentor) in of_rows(pairs, &(mentee..mentee + 1)) {
                if let Some(at) = row.iter().position(|edge| edge.to == mentor) {
                    row[at].score = row[at].score.saturating_add(bonus);
                    let to = row[..at].partition_point(|edge| edge.score >= row[at].score);
                    row[to..=at].rotate_right(1);
                }
            }
        };
        self.rewritten(len, write, observer)
    }

    /// The scores with some candidates first among those of equal score, given by mentee and mentor in ascending order.
    pub(super) fn with_first(&self, pairs: &[(u32, u32)], observer: &dyn Observer) -> Result<Self, Stopped> {
        let len = |mentee| self.row(mentee).len();
        let write = |mentee, row: &mut [Edge]| {
            row.copy_from_slice(self.row(mentee));
            for &(_, mentor) in of_rows(pairs, &(mentee..mentee + 1)) {
                if let Some(at) = row.iter().position(|edge| edge.to == mentor) {
                    let to = row[..at].partition_point(|edge| edge.score > row[at].score);
                    row[to..=at].rotate_right(1);
                }
            }
        };
        self.rewritten(len, write, observer)
    }

    /// Rows of as many mentees, of the given lengths, written in parallel.
    fn rewritten(
        &self,
        len: impl Fn(usize) -> usize + Sync,
        write: impl Fn(usize, &mut [Edge]) + Sync,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let mentees = self.0.len();
        let mut starts: Vec<usize> = vec![0; mentees + 1];
        let blocks_of_ends = starts[1..].par_chunks_mut(ROWS).enumerate();
        blocks_of_ends.try_for_each(|(block, ends)| -> Result<(), Stopped> {
            observer.check()?;
            (block * ROWS..).zip(ends).for_each(|(mentee, end)| *end = len(mentee));
            Ok(())
        })?;
        for mentee in 0..mentees {
            starts[mentee + 1] += starts[mentee];
        }
        let mut edges = blank(starts[mentees], Edge::NONE, observer)?;
        blocks(&starts, &mut edges).into_par_iter().try_for_each(|block| -> Result<(), Stopped> {
            observer.check()?;
            rows(&starts, block).for_each(|(mentee, row)| write(mentee, row));
            Ok(())
        })?;
        Ok(Self(Csr::new(starts, edges)))
    }

    /// Number of candidates.
    pub fn len(&self) -> usize {
        self.0.entries().len()
    }

    /// Whether there is no candidate.
    pub fn is_empty(&self) -> bool {
        self.0.entries().is_empty()
    }
}

/// The rows in blocks of [`ROWS`], each with its first mentee.
fn blocks<'a>(starts: &[usize], mut edges: &'a mut [Edge]) -> Vec<(usize, &'a mut [Edge])> {
    let mut blocks = Vec::with_capacity(starts.len() / ROWS + 1);
    for first in (0..starts.len().saturating_sub(1)).step_by(ROWS) {
        let end = starts.len().min(first + ROWS + 1) - 1;
        let (block, rest) = edges.split_at_mut(starts[end] - starts[first]);
        blocks.push((first, block));
        edges = rest;
    }
    blocks
}

/// The rows of a block.
fn rows<'a>(
    starts: &'a [usize],
    (first, mut block): (usize, &'a mut [Edge]),
) -> impl Iterator<Item = (usize, &'a mut [Edge])> {
    let ends = &starts[first..starts.len().min(first + ROWS + 1)];
    (first..).zip(ends.windows(2)).map(move |(mentee, ends)| {
        let (row, rest) = std::mem::take(&mut block).split_at_mut(ends[1] - ends[0]);
        block = rest;
        (mentee, row)
    })
}

/// Sorts a row by keys that are quick to compare, or returns the mentor of a bad candidate.
fn sort_row(mentee: usize, row: &mut [Edge], keys: &mut Vec<(u64, Edge)>) -> Option<u32> {
    if !row.is_sorted_by_key(|edge| edge.to) {
        row.sort_unstable_by_key(|edge| edge.to);
    }
    let twice = row.windows(2).find(|two| two[0].to == two[1].to).map(|two| two[0].to);
    let forbidden = row.iter().find(|edge| edge.score == FORBIDDEN).map(|edge| edge.to);
    let bad = twice.or(forbidden);
    if bad.is_some() {
        return bad;
    }
    keys.clear();
    keys.extend(row.iter().map(|&edge| {
        let descending = u64::from(!(edge.score.cast_unsigned() ^ 1 << 31));
        (descending << 32 | u64::from(tie_break(mentee as u64, u64::from(edge.to))), edge)
    }));
    keys.sort_unstable_by_key(|&(key, edge)| (key, edge.to));
    for (edge, &(_, sorted)) in row.iter_mut().zip(&*keys) {
        *edge = sorted;
    }
    None
}
