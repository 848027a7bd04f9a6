//! The core: the few pairs worth looking at. Everything outside it is ruled out by pricing, not by assumption
//! (Volgenant 1996; Lee and Orlin 1993).

mod best_of_mentors;
pub(super) mod construction;

use std::borrow::Cow;
use std::cmp::Reverse;

use rayon::prelude::*;

use crate::engine::observer::Stopped;
pub(super) use crate::engine::pair_scores::Edge;
use crate::engine::pair_scores::{FORBIDDEN, PairScores, SparseScores, blank};

use super::context::StopPoll;

/// Arcs counted between two looks at the observer.
const STRETCH: usize = 1 << 20;
/// Units of work to sort an edge.
const SORTING: usize = 8;

/// Pairs worth looking at, by mentee and, when asked for, by mentor.
#[derive(Debug)]
pub(super) struct Core<'a> {
    rows: Cow<'a, SparseScores>,
    /// The same pairs by mentor, with [`Edge::to`] the mentee.
    columns: Option<SparseScores>,
    /// Whether the pairs of every mentor come best score first.
    ranked: bool,
    mentors: usize,
    /// The highest score that a pair of each mentee may have that is not in the core. 4 bytes per mentee, or nothing where
    /// all pairs are in it.
    outside: Vec<i32>,
    /// The same of each mentor, or nothing where it is not known.
    outside_of_mentors: Vec<i32>,
}

impl<'a> Core<'a> {
    /// The core that consists of these rows.
    pub(super) fn new(rows: Cow<'a, SparseScores>, mentors: usize) -> Self {
        Self {
            rows,
            columns: None,
            ranked: true,
            mentors,
            outside: Vec::new(),
            outside_of_mentors: Vec::new(),
        }
    }

    /// A core that is looked at by mentor alone, whose pairs come in any order.
    pub(super) fn from_columns(columns: SparseScores) -> Self {
        let rows = Cow::Owned(SparseScores::default());
        Self { columns: Some(columns), ranked: false, ..Self::new(rows, 0) }
    }

    /// A core outside of which every mentee has only pairs that score so much at most; [`FORBIDDEN`] if she has none.
    pub(super) fn with_limits(rows: SparseScores, mentors: usize, outside: Vec<i32>) -> Self {
        Self { outside, ..Self::new(Cow::Owned(rows), mentors) }
    }

    /// The highest score that a pair of a mentee may have that is not in the core; [`FORBIDDEN`] if there is none.
    pub(super) fn best_outside(&self, mentee: usize) -> i32 {
        self.outside.get(mentee).copied().unwrap_or(FORBIDDEN)
    }

    /// Makes known the highest score that a pair of each mentor may have that is not in the core.
    pub(super) fn set_best_outside_of_mentors(&mut self, outside: Vec<i32>) {
        self.outside_of_mentors = outside;
    }

    /// The highest score that a pair of a mentor may have that is not in the core; [`FORBIDDEN`] if there is none.
    pub(super) fn best_outside_of_mentor(&self, mentor: usize) -> i32 {
        self.outside_of_mentors.get(mentor).copied().unwrap_or(i32::MAX)
    }

    /// The pairs of a mentee, best score first.
    pub(super) fn row(&self, mentee: usize) -> &[Edge] {
        self.rows.row(mentee)
    }

    /// Whether a pair is in the core.
    pub(super) fn has(&self, mentee: usize, mentor: u32) -> bool {
        self.row(mentee).iter().any(|edge| edge.to == mentor)
    }

    /// Pairs in all.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether [`Core::column`] gives the best score first.
    pub(super) fn has_ranked_columns(&self) -> bool {
        self.ranked
    }

    /// The pairs of a mentor, best score first if columns are ranked; [`Core::index_columns`] must have been called since the
    /// last change.
    pub(super) fn column(&self, mentor: usize) -> &[Edge] {
        self.columns.as_ref().map_or(&[], |columns| columns.row(mentor))
    }

    /// Makes [`Core::column`] available.
    pub(in crate::engine) fn index_columns(&mut self, poll: &mut StopPoll<'_>) -> Result<(), Stopped> {
        if self.columns.is_some() {
            return Ok(());
        }
        let mut starts = vec![0; self.mentors + 1];
        for edges in self.rows.edges().chunks(STRETCH) {
            poll.observer().check()?;
            for edge in edges {
                starts[edge.to as usize + 1] += 1;
            }
        }
        for at in 0..self.mentors {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut edges = blank(self.len(), poll.observer())?;
        for (mentee, ends) in (0_u32..).zip(self.rows.starts().windows(2)) {
            let row = &self.rows.edges()[ends[0]..ends[1]];
            poll.count(row.len())?;
            for edge in row {
                let slot = &mut next[edge.to as usize];
                edges[*slot] = Edge { to: mentee, score: edge.score };
                *slot += 1;
            }
        }
        let mut columns = Vec::with_capacity(self.mentors);
        let mut rest = edges.as_mut_slice();
        for ends in starts.windows(2) {
            let (column, after) = rest.split_at_mut(ends[1] - ends[0]);
            columns.push(column);
            rest = after;
        }
        let poll = *poll;
        columns.into_par_iter().enumerate().with_min_len(64).try_for_each_init(
            || poll,
            |poll, (mentor, column)| {
                // TieRule in an order that differs from column to column, or all mentors would court the same mentees.
                let order = |mentee: u32| {
                    (mentee ^ index(mentor).wrapping_mul(0x9E37_79B1)).wrapping_mul(0x85EB_CA6B)
                };
                column.sort_unstable_by_key(|edge| (Reverse(edge.score), order(edge.to)));
                poll.count(SORTING * column.len())
            },
        )?;
        self.columns = Some(SparseScores::sorted(starts, edges));
        Ok(())
    }

    /// Adds pairs that are not in the core yet, given per mentee.
    pub(super) fn extend(&mut self, scores: &dyn PairScores, added: &[Vec<Edge>]) {
        let more: usize = added.iter().map(Vec::len).sum();
        let longer = |(mentee, extra): (usize, &Vec<Edge>)| {
            let mut row = Vec::new();
            if !extra.is_empty() {
                row.extend(self.row(mentee).iter().chain(extra));
                sort(scores, mentee, &mut row);
            }
            row
        };
        let longer: Vec<Vec<Edge>> = added.par_iter().enumerate().map(longer).collect();
        let mut starts = vec![0];
        let mut edges = Vec::with_capacity(self.len() + more);
        for (mentee, longer) in longer.iter().enumerate() {
            edges.extend_from_slice(if longer.is_empty() { self.row(mentee) } else { longer });
            starts.push(edges.len());
        }
        self.rows = Cow::Owned(SparseScores::sorted(starts, edges));
        self.columns = None;
    }
}

/// Puts the pairs of a mentee into the order of a row.
pub(super) fn sort(scores: &dyn PairScores, mentee: usize, edges: &mut [Edge]) {
    edges.sort_unstable_by_key(|edge| {
        (Reverse(edge.score), scores.tie_break(mentee, edge.to as usize), edge.to)
    });
}

/// A position as it is kept in the core. There are never more people than 32 bits count.
pub(in crate::engine) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
