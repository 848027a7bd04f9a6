//! Candidate sublist: the listed candidates of small reduced cost by mentor, and a test for candidates that the
//! sublist lacks.

use rayon::prelude::*;

use crate::engine::assign::core::{Core, index};
use crate::engine::assign::primal_dual_state::PrimalDualState;
use crate::engine::graph::{Csr, blank, counting_sort};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, SparseScores};
use crate::engine::price_integer::PriceInteger;

/// Rows per task.
const ROWS_PER_TASK: usize = 4096;
/// Mentors whose candidates one task sorts. The memory that the task writes then stays in the cache.
const MENTORS_PER_RANGE: usize = 1 << 14;

/// A mentor, and the pair with its mentee.
type MentorCandidate = (u32, Edge);
/// A mentee, and missing candidates of the mentee.
type MissedRow = (usize, Vec<Edge>);

/// The candidates that searches for a replacement can use while the prices of mentors do not fall too low.
pub(super) struct CandidateSublist<W> {
    /// The candidates by mentor.
    pub(super) columns: Core<'static>,
    /// For each mentor, the sublist contains every candidate with `score - u` of at least this value.
    least: Vec<W>,
}

impl<W: PriceInteger> CandidateSublist<W> {
    /// Collects, for each mentor, the candidates by which a search may leave the mentor. A path can also end at the
    /// mentor, by taking its last seat out of use. So a search needs no candidate with a reduced cost above the cost of
    /// that end, and none at all if that end costs nothing or no seat is in use. For a mentor with a vacancy, where a
    /// search begins, all candidates up to that cost are collected; for other mentors only those with a reduced cost of
    /// at most `near`.
    pub(super) fn gather(
        list: &SparseScores,
        state: &PrimalDualState<W>,
        near: W,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let least = |mentor: usize| {
            let give_up = state.close_seat_cost(mentor);
            if give_up == W::default() || give_up >= W::INFINITE {
                return state.price(mentor) + W::from(1);
            }
            state.price(mentor) - if state.vacancies(mentor) > 0 { give_up } else { give_up.min(near) }
        };
        let least: Vec<W> =
            (0..state.mentors()).into_par_iter().with_min_len(ROWS_PER_TASK).map(least).collect();
        let lowest = least.iter().copied().min().unwrap_or_default();
        let ranges = state.mentors().div_ceil(MENTORS_PER_RANGE);
        let blocks = blocks(state.mentees(), observer, |rows, found: &mut Vec<Vec<MentorCandidate>>| {
            found.resize_with(ranges, Vec::new);
            for mentee in rows {
                let u = state.u[mentee];
                let row = list.row(mentee).iter();
                let row = row.take_while(|edge| W::from(edge.score) - lowest >= u);
                for &Edge { to, score } in
                    row.filter(|edge| W::from(edge.score) - least[edge.to as usize] >= u)
                {
                    found[to as usize / MENTORS_PER_RANGE].push((to, Edge { to: index(mentee), score }));
                }
            }
        })?;
        let columns = by_mentor(&blocks, state.mentors(), observer)?;
        Ok(Self { columns: Core::from_columns(columns), least })
    }

    /// Returns the candidates that offer their mentees more than the mentees' prices, by mentee and best score first;
    /// `None` if the prices are valid. Since [`CandidateSublist::gather`], only searches in the reverse direction may have
    /// run: they lower prices of mentors and raise prices of mentees.
    pub(super) fn missed(
        &self,
        list: &SparseScores,
        state: &PrimalDualState<W>,
        observer: &dyn Observer,
    ) -> Result<Option<Vec<MissedRow>>, Stopped> {
        // A candidate outside the sublist has `score - u < least`. So it violates the prices, `score - u > price`, only if
        // `price + 1 < least`.
        let fallen = |(&price, &least): (&W, &W)| price + W::from(1) < least;
        let fallen: Vec<bool> = state.prices().iter().zip(&self.least).map(fallen).collect();
        if !fallen.contains(&true) {
            return Ok(None);
        }
        let lowest = state.lowest_price();
        let blocks = blocks(state.mentees(), observer, |rows, missed: &mut Vec<MissedRow>| {
            for mentee in rows {
                let u = state.u[mentee];
                let row = list.row(mentee).iter();
                let row = row.take_while(|edge| W::from(edge.score) - lowest > u);
                let row = row.filter(|edge| fallen[edge.to as usize] && !state.are_mates(mentee, edge.to));
                let above = row.filter(|edge| W::from(edge.score) - state.price(edge.to as usize) > u);
                let above: Vec<Edge> = above.copied().collect();
                if !above.is_empty() {
                    missed.push((mentee, above));
                }
            }
        })?;
        let missed: Vec<MissedRow> = blocks.into_iter().flatten().collect();
        Ok(if missed.is_empty() { None } else { Some(missed) })
    }
}

/// The candidates by mentor and mentee, from blocks of rows that are divided by range of mentors.
fn by_mentor(
    blocks: &[Vec<Vec<MentorCandidate>>],
    mentors: usize,
    observer: &dyn Observer,
) -> Result<Csr<Edge>, Stopped> {
    let of_range = |range: usize| blocks.iter().map(move |block| &block[range]);
    let mut starts = vec![0; mentors + 1];
    let mut edges = blank(blocks.iter().flatten().map(Vec::len).sum(), Edge::NONE, observer)?;
    let (mut ranges, mut rest, mut end) = (Vec::new(), edges.as_mut_slice(), 0);
    for (range, ends) in starts[1..].chunks_mut(MENTORS_PER_RANGE).enumerate() {
        let found = of_range(range).map(Vec::len).sum();
        let (edges, others) = rest.split_at_mut(found);
        ranges.push((range, end, ends, edges));
        (rest, end) = (others, end + found);
    }
    ranges.into_par_iter().try_for_each(|(range, start, ends, edges)| {
        let first = range * MENTORS_PER_RANGE;
        let parts = of_range(range).map(|found| ((), found.as_slice()));
        let row_and_edge = |(), &(mentor, edge): &MentorCandidate| (mentor as usize - first, edge);
        counting_sort(parts, row_and_edge, (ends, edges), start, observer)
    })?;
    Ok(Csr::new(starts, edges))
}

/// Applies `look` to all rows block by block, in parallel. The results come in the order of the rows.
fn blocks<T: Default + Send>(
    rows: usize,
    observer: &dyn Observer,
    look: impl Fn(std::ops::Range<usize>, &mut T) + Sync,
) -> Result<Vec<T>, Stopped> {
    let block = |block: usize| {
        observer.check()?;
        let mut found = T::default();
        look(block * ROWS_PER_TASK..rows.min((block + 1) * ROWS_PER_TASK), &mut found);
        Ok(found)
    };
    (0..rows.div_ceil(ROWS_PER_TASK)).into_par_iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::engine::observer::Unobserved;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn every_candidate_is_in_its_mentors_column(
            mentors in 1..4 * MENTORS_PER_RANGE,
            blocks in vec(vec((any::<prop::sample::Index>(), any::<i32>()), 0..900), 0..5),
        ) {
            let rows = blocks.iter().flatten().zip(0..);
            let mut expected: Vec<MentorCandidate> = rows
                .map(|((mentor, score), mentee)| (index(mentor.index(mentors)), Edge { to: mentee, score: *score }))
                .collect();
            let mut rest = expected.as_slice();
            let by_range: Vec<Vec<Vec<MentorCandidate>>> = blocks
                .iter()
                .map(|block| {
                    let mut ranges = vec![Vec::new(); mentors.div_ceil(MENTORS_PER_RANGE)];
                    for found in rest.split_off(..block.len()).unwrap() {
                        ranges[found.0 as usize / MENTORS_PER_RANGE].push(*found);
                    }
                    ranges
                })
                .collect();
            let columns = by_mentor(&by_range, mentors, &Unobserved).unwrap();
            expected.sort_by_key(|(mentor, edge)| (*mentor, edge.to));
            let found = (0..mentors).flat_map(|mentor| columns.row(mentor).iter().map(move |&edge| (index(mentor), edge)));
            prop_assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }
}
