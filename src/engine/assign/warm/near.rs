//! The near candidates of a list by mentor, and those that searches among them have missed.

use rayon::prelude::*;

use crate::engine::assign::core::{Arc, Core, index};
use crate::engine::assign::state::State;
use crate::engine::assign::weight::Weight;
use crate::engine::brought::{Listed, blank};
use crate::engine::problem::{Observer, Stopped};

/// Rows that one task looks at.
const ROWS: usize = 4096;

/// The candidates that searches for an heir may want, as far as mentors' prices do not fall too low.
pub(super) struct Near<W> {
    /// By mentor alone.
    pub(super) columns: Core<'static>,
    /// All candidates are among them that leave a mentor so much or more.
    least: Vec<W>,
}

impl<W: Weight> Near<W> {
    /// The candidates of those mentors from whom a search may go on. It ends where a seat is given up, and so crosses no
    /// candidate that costs more than that: of mentors with holes, where it begins, all others are taken, of the rest only
    /// those that cost at most `near`.
    pub(super) fn gather(
        list: &Listed,
        state: &State<W>,
        near: W,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let least = |mentor: usize| {
            let give_up = state.vacate_cost(mentor);
            if give_up == W::default() || give_up >= W::FAR {
                return state.price(mentor) + W::from(1);
            }
            state.price(mentor) - if state.holes(mentor) > 0 { give_up } else { give_up.min(near) }
        };
        let least: Vec<W> = (0..state.mentors()).into_par_iter().with_min_len(ROWS).map(least).collect();
        let lowest = least.iter().copied().min().unwrap_or_default();
        let blocks = blocks(state.mentees(), observer, |rows, found: &mut Vec<(u32, Arc)>| {
            for mentee in rows {
                let u = state.u[mentee];
                let row = list.row(mentee).iter();
                let row = row.take_while(|arc| W::from(arc.score) - lowest >= u);
                let row = row.filter(|arc| W::from(arc.score) - least[arc.to as usize] >= u);
                found.extend(row.map(|arc| (arc.to, Arc { to: index(mentee), score: arc.score })));
            }
        })?;
        let mut starts = vec![0; state.mentors() + 1];
        let pause = || if observer.is_cancelled() { Err(Stopped) } else { Ok(()) };
        for block in &blocks {
            pause()?;
            for (mentor, _) in block {
                starts[*mentor as usize + 1] += 1;
            }
        }
        for at in 0..state.mentors() {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut arcs = blank(starts[state.mentors()], pause)?;
        for block in &blocks {
            pause()?;
            for (mentor, arc) in block {
                let slot = &mut next[*mentor as usize];
                arcs[*slot] = *arc;
                *slot += 1;
            }
        }
        Ok(Self { columns: Core::of_columns(Listed::sorted(starts, arcs)), least })
    }

    /// The candidates that offer their mentees more than they have, for every mentee and best score first, after searches for
    /// heirs that have only lowered mentors' prices and raised mentees'; nothing if the prices hold.
    pub(super) fn missed(
        &self,
        list: &Listed,
        state: &State<W>,
        observer: &dyn Observer,
    ) -> Result<Option<Vec<Vec<Arc>>>, Stopped> {
        // What was left out cost one more at least than what was taken.
        let fallen = |(&price, &least): (&W, &W)| price + W::from(1) < least;
        let fallen: Vec<bool> = state.prices().iter().zip(&self.least).map(fallen).collect();
        if !fallen.contains(&true) {
            return Ok(None);
        }
        let lowest = state.lowest_price();
        let blocks = blocks(state.mentees(), observer, |rows, missed: &mut Vec<(usize, Vec<Arc>)>| {
            for mentee in rows {
                let u = state.u[mentee];
                let row = list.row(mentee).iter();
                let row = row.take_while(|arc| W::from(arc.score) - lowest > u);
                let row = row.filter(|arc| fallen[arc.to as usize] && !state.are_mates(mentee, arc.to));
                let above = row.filter(|arc| W::from(arc.score) - state.price(arc.to as usize) > u);
                let above: Vec<Arc> = above.copied().collect();
                if !above.is_empty() {
                    missed.push((mentee, above));
                }
            }
        })?;
        if blocks.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let mut missed = vec![Vec::new(); state.mentees()];
        for (mentee, above) in blocks.into_iter().flatten() {
            missed[mentee] = above;
        }
        Ok(Some(missed))
    }
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
