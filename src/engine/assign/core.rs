//! The core: the few pairs that the solver works on, by mentee and, on demand, by mentor.
//!
//! Pricing tests whether other pairs are needed (Volgenant 1996; Lee and Orlin 1993). A row is sorted by
//! descending score, so a search leaves it as soon as no later pair matters.

mod best_of_mentors;
pub(super) mod construction;

use std::borrow::Cow;
use std::cmp::Reverse;

use rayon::prelude::*;

use crate::engine::graph::Csr;
use crate::engine::observer::Stopped;
pub(super) use crate::engine::pair_scores::Edge;
use crate::engine::pair_scores::{FORBIDDEN, PairScores, SparseScores};

use super::context::StopPoll;

/// Units of work to sort an edge.
const SORT_UNITS: usize = 8;

/// Pairs that the solver works on.
#[derive(Debug)]
pub(super) struct Core<'a> {
    rows: Cow<'a, SparseScores>,
    /// The same pairs by mentor: [`Edge::to`] is the mentee.
    columns: Option<Csr<Edge>>,
    /// Whether the pairs of every mentor are sorted by descending score.
    has_sorted_columns: bool,
    mentors: usize,
    /// The bounds of [`Core::best_excluded`]. 4 bytes per mentee; empty if the core is complete.
    best_excluded: Vec<i32>,
    /// The bounds of [`Core::best_excluded_of_mentor`]; empty if none is known.
    best_excluded_of_mentors: Vec<i32>,
}

impl<'a> Core<'a> {
    /// A complete core with these rows.
    pub(super) fn new(rows: Cow<'a, SparseScores>, mentors: usize) -> Self {
        Self {
            rows,
            columns: None,
            has_sorted_columns: true,
            mentors,
            best_excluded: Vec::new(),
            best_excluded_of_mentors: Vec::new(),
        }
    }

    /// A core for the reverse direction only: it has columns that are not sorted by score, and no rows.
    pub(super) fn from_columns(columns: Csr<Edge>) -> Self {
        let rows = Cow::Owned(SparseScores::default());
        Self { columns: Some(columns), has_sorted_columns: false, ..Self::new(rows, 0) }
    }

    /// A core with the upper bounds that [`Core::best_excluded`] returns.
    pub(super) fn with_limits(rows: SparseScores, mentors: usize, best_excluded: Vec<i32>) -> Self {
        Self { best_excluded, ..Self::new(Cow::Owned(rows), mentors) }
    }

    /// An upper bound on the scores of a mentee's pairs outside the core with mentors that have seats; [`FORBIDDEN`] if
    /// no such pair is outside.
    pub(super) fn best_excluded(&self, mentee: usize) -> i32 {
        self.best_excluded.get(mentee).copied().unwrap_or(FORBIDDEN)
    }

    /// Sets the bounds that [`Core::best_excluded_of_mentor`] returns.
    pub(super) fn set_best_excluded_of_mentors(&mut self, best_excluded: Vec<i32>) {
        self.best_excluded_of_mentors = best_excluded;
    }

    /// An upper bound on the scores of a mentor's pairs outside the core: [`FORBIDDEN`] if there are none, `i32::MAX`
    /// if no bound is known.
    pub(super) fn best_excluded_of_mentor(&self, mentor: usize) -> i32 {
        self.best_excluded_of_mentors.get(mentor).copied().unwrap_or(i32::MAX)
    }

    /// The pairs of a mentee, best score first.
    pub(super) fn row(&self, mentee: usize) -> &[Edge] {
        self.rows.row(mentee)
    }

    /// Whether a pair is in the core.
    pub(super) fn has(&self, mentee: usize, mentor: u32) -> bool {
        self.row(mentee).iter().any(|edge| edge.to == mentor)
    }

    /// Number of pairs.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether [`Core::column`] returns the best score first.
    pub(super) fn has_sorted_columns(&self) -> bool {
        self.has_sorted_columns
    }

    /// The pairs of a mentor, best score first if columns are sorted. [`Core::index_columns`] must have been called
    /// since the last change.
    pub(super) fn column(&self, mentor: usize) -> &[Edge] {
        self.columns.as_ref().map_or(&[], |columns| columns.row(mentor))
    }

    /// Makes [`Core::column`] available: counting sort by mentor, then a sort of every column.
    pub(super) fn index_columns(&mut self, poll: &mut StopPoll<'_>) -> Result<(), Stopped> {
        if self.columns.is_some() {
            return Ok(());
        }
        let mut indexed = self.rows.columns(self.mentors, poll.observer())?;
        let poll = *poll;
        indexed.rows_mut().into_par_iter().enumerate().with_min_len(64).try_for_each_init(
            || poll,
            |poll, (mentor, column)| {
                // Equal scores are ordered by a hash of the pair. Otherwise all mentors would bid for the same
                // mentees.
                let order = |mentee: u32| {
                    (mentee ^ index(mentor).wrapping_mul(0x9E37_79B1)).wrapping_mul(0x85EB_CA6B)
                };
                column.sort_unstable_by_key(|edge| (Reverse(edge.score), order(edge.to)));
                poll.count(SORT_UNITS * column.len())
            },
        )?;
        self.columns = Some(indexed);
        Ok(())
    }

    /// Adds pairs, given by mentee, that are not yet in the core.
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

/// Sorts the pairs of a mentee into the order of a row.
pub(super) fn sort(scores: &dyn PairScores, mentee: usize, edges: &mut [Edge]) {
    edges.sort_unstable_by_key(|edge| {
        (Reverse(edge.score), scores.tie_break(mentee, edge.to as usize), edge.to)
    });
}

/// A position in 32 bits. There are never more people than 32 bits can count.
pub(in crate::engine) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
