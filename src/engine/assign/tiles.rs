//! Walks all pairs by tiles, in parallel, without ever holding the matrix.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::problem::{FORBIDDEN, Observer, Problem, Stopped};

/// Mentees per tile: enough to share what a score source computes per mentor.
const ROWS: usize = 16;
/// Mentors per tile: a tile of scores (128 KiB) stays in a core's second-level cache.
const COLUMNS: usize = 2048;

/// Something that reads one mentee's scores, tile by tile, and then gives what it found.
pub(in crate::engine) trait RowVisitor: Sized {
    /// What is found for a mentee.
    type Found: Send;

    /// Reads the scores with mentors `first..first + scores.len()`.
    fn read(&mut self, mentee: usize, first: usize, scores: &[i32]);

    /// The end of the mentee's row.
    fn finish(self, mentee: usize) -> Self::Found;
}

/// Shows every mentee's scores to a visitor of her own; the findings come in the mentees' order, whatever the threads do.
/// Progress is reported if a stage is given.
pub(in crate::engine) fn walk<V: RowVisitor>(
    problem: &Problem<'_>,
    observer: &dyn Observer,
    stage: Option<Stage>,
    visitor: impl Fn(usize) -> V + Sync,
) -> Result<Vec<V::Found>, Stopped> {
    let mentees = problem.mentees.len();
    let done = AtomicU64::new(0);
    let blocks: Vec<Vec<V::Found>> = (0..mentees.div_ceil(ROWS))
        .into_par_iter()
        .map_init(Vec::new, |buffer, block| {
            let rows = block * ROWS..mentees.min((block + 1) * ROWS);
            let found = walk_block(problem, observer, rows.clone(), buffer, &visitor)?;
            let before = done.fetch_add(rows.len() as u64, Ordering::Relaxed);
            if let Some(stage) = stage {
                observer.progress(stage, before + rows.len() as u64, mentees as u64);
            }
            Ok(found)
        })
        .collect::<Result<_, Stopped>>()?;
    Ok(blocks.into_iter().flatten().collect())
}

fn walk_block<V: RowVisitor>(
    problem: &Problem<'_>,
    observer: &dyn Observer,
    rows: Range<usize>,
    buffer: &mut Vec<i32>,
    visitor: &(impl Fn(usize) -> V + Sync),
) -> Result<Vec<V::Found>, Stopped> {
    let mut visitors: Vec<V> = rows.clone().map(visitor).collect();
    for first in (0..problem.mentors.len()).step_by(COLUMNS) {
        if observer.is_cancelled() {
            return Err(Stopped);
        }
        let columns = first..problem.mentors.len().min(first + COLUMNS);
        // Not cleared: a score source writes the whole tile.
        buffer.resize(rows.len() * columns.len(), FORBIDDEN);
        problem.scores.tile(rows.clone(), columns.clone(), buffer);
        for ((visitor, mentee), scores) in
            visitors.iter_mut().zip(rows.clone()).zip(buffer.chunks_exact(columns.len()))
        {
            visitor.read(mentee, first, scores);
        }
    }
    Ok(visitors.into_iter().zip(rows).map(|(visitor, mentee)| visitor.finish(mentee)).collect())
}
