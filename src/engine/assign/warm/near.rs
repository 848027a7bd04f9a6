//! The near candidates of a list by mentor, and those that searches among them have missed.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::engine::assign::core::{Arc, Core, index};
use crate::engine::assign::state::State;
use crate::engine::assign::weight::Weight;
use crate::engine::brought::Listed;
use crate::engine::problem::{Observer, Stopped};

/// Rows that one task looks at.
const ROWS: usize = 4096;

/// The candidates that cost at most `near`.
pub(super) fn core<W: Weight>(
    list: &Listed,
    state: &State<W>,
    near: W,
    observer: &dyn Observer,
) -> Result<Core<'static>, Stopped> {
    let lowest = state.lowest_price();
    let blocks = blocks(state.mentees(), observer, |rows, arcs: &mut (Vec<u32>, Vec<Arc>)| {
        for mentee in rows {
            let (before, least) = (arcs.1.len(), state.u[mentee] - near);
            let row = list.row(mentee).iter();
            let row = row.take_while(|arc| W::from(arc.score) - lowest >= least);
            arcs.1.extend(row.filter(|arc| W::from(arc.score) - state.price(arc.to as usize) >= least));
            arcs.0.push(index(arcs.1.len() - before));
        }
    })?;
    let mut starts = Vec::with_capacity(state.mentees() + 1);
    let mut arcs = Vec::with_capacity(blocks.iter().map(|block| block.1.len()).sum());
    starts.push(0);
    for (counts, block) in blocks {
        let mut end = arcs.len();
        starts.extend(counts.iter().map(|&count| {
            end += count as usize;
            end
        }));
        arcs.extend_from_slice(&block);
    }
    Ok(Core::new(Cow::Owned(Listed::sorted(starts, arcs)), state.mentors()))
}

/// The candidates of every mentee that offer her more than her price, best score first; all empty if the prices hold.
pub(super) fn missed<W: Weight>(
    list: &Listed,
    state: &State<W>,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Arc>>, Stopped> {
    let lowest = state.lowest_price();
    let blocks = blocks(state.mentees(), observer, |rows, missed: &mut Vec<Vec<Arc>>| {
        for mentee in rows {
            let u = state.u[mentee];
            let row = list.row(mentee).iter();
            let row = row.take_while(|arc| W::from(arc.score) - lowest > u);
            let above = row.filter(|arc| W::from(arc.score) - state.price(arc.to as usize) > u);
            missed.push(above.filter(|arc| !state.are_mates(mentee, arc.to)).copied().collect());
        }
    })?;
    Ok(blocks.into_iter().flatten().collect())
}

/// Shows all rows block by block, in parallel; the findings come in the rows' order.
fn blocks<T: Default + Send>(
    rows: usize,
    observer: &dyn Observer,
    look: impl Fn(std::ops::Range<usize>, &mut T) + Sync,
) -> Result<Vec<T>, Stopped> {
    let block = |block: usize| {
        if observer.is_cancelled() {
            return Err(Stopped);
        }
        let mut found = T::default();
        look(block * ROWS..rows.min((block + 1) * ROWS), &mut found);
        Ok(found)
    };
    (0..rows.div_ceil(ROWS)).into_par_iter().map(block).collect()
}
