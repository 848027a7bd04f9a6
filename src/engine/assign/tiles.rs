//! Tile walk: reads all pairs tile by tile, in parallel, and never stores the matrix.
//!
//! The caller supplies one [`RowVisitor`] per mentee, which receives the scores of the mentee in the order of the
//! mentors. The results come in the order of the mentees, for any number of threads. The certifier has a tile walk of
//! its own on purpose, because it shares no code with the solver.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::cpu::{self, Cpu, PARTS};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{FORBIDDEN, Fill, NarrowScores, PairScores};
use crate::engine::problem::Problem;

/// Mentees per tile: enough to share what a source computes per mentor.
const ROWS: usize = 16;
/// Mentors per tile: a tile of scores (128 KiB) stays in the second-level cache.
const COLUMNS: usize = 2048;
/// Mentees per tile of a source of 16-bit scores. Such a source reads much data per mentor, which the mentees of a tile
/// share.
const NARROW_ROWS: usize = 32;
/// Mentors per tile of a source of 16-bit scores, at most 1 MiB. The more of a row is read at a time, the better is
/// the threshold of its screening.
const NARROW_COLUMNS: usize = 16_384;
/// Number of scores in a lane: 64 scores that vector instructions test together.
pub(super) const LANE: usize = cpu::SCORES;

/// A score in a tile, in 16 or 32 bits.
pub(in crate::engine) trait ScoreCell: Copy + Default + Ord + Send + Sync {
    /// The score; `None` if the pair is not a candidate.
    fn score(self) -> Option<i32>;

    /// The lowest and the highest candidate (without candidates, two cells that are none), and the highest cell of
    /// each of the eight parts of every lane.
    fn extremes(cpu: Cpu, lanes: &[[Self; LANE]], parts: &mut [[Self; PARTS]]) -> [Self; 2];

    /// Writes one bit per cell: whether it is a candidate with a score of at least `floor`.
    fn find_at_least(cpu: Cpu, lanes: &[[Self; LANE]], floor: i32, found: &mut [u64]);

    /// Whether a candidate may score more than the price of its mentor plus `threshold`, which is in `0..1 << 30`.
    fn any_above(cells: &[Self; LANE], prices: &LanePrices<'_>, threshold: i32) -> bool;

    /// Writes one bit per cell: whether it is a candidate that reaches the floor of its mentor.
    fn find_at_floors(cpu: Cpu, lanes: &[[Self; LANE]], floors: LaneFloors<'_>, found: &mut [u64]);
}

/// Prices of the mentors of a lane in both widths, within 2^30 of 0, or [`FORBIDDEN`] for a price below that. Prices
/// in 16 bits are clamped.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct LanePrices<'a> {
    pub(super) wide: &'a [i32; LANE],
    pub(super) narrow: &'a [i16; LANE],
}

/// The least score that matters, for each mentor of some lanes, in both widths. It is never below the least score of
/// a candidate.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct LaneFloors<'a> {
    pub(super) wide: &'a [[i32; LANE]],
    pub(super) narrow: &'a [[i16; LANE]],
}

impl ScoreCell for i32 {
    fn score(self) -> Option<i32> {
        (self != FORBIDDEN).then_some(self)
    }

    fn extremes(cpu: Cpu, lanes: &[[Self; LANE]], parts: &mut [[Self; PARTS]]) -> [Self; 2] {
        cpu.look_wide(lanes, parts)
    }

    fn find_at_least(cpu: Cpu, lanes: &[[Self; LANE]], floor: i32, found: &mut [u64]) {
        // `FORBIDDEN` is the least of all values.
        cpu.find_wide(lanes, floor.max(FORBIDDEN + 1), found);
    }

    fn any_above(cells: &[Self; LANE], prices: &LanePrices<'_>, threshold: i32) -> bool {
        // A forbidden pair never passes, because no value is below it.
        let mut any = false;
        for (score, price) in cells.iter().zip(prices.wide) {
            let least = if *price == FORBIDDEN { FORBIDDEN } else { price + threshold };
            any |= *score > least;
        }
        any
    }

    fn find_at_floors(cpu: Cpu, lanes: &[[Self; LANE]], floors: LaneFloors<'_>, found: &mut [u64]) {
        cpu.reach_wide(lanes, floors.wide, found);
    }
}

impl ScoreCell for i16 {
    fn score(self) -> Option<i32> {
        (self >= 0).then_some(self.into())
    }

    fn extremes(cpu: Cpu, lanes: &[[Self; LANE]], parts: &mut [[Self; PARTS]]) -> [Self; 2] {
        cpu.look(lanes, parts)
    }

    fn find_at_least(cpu: Cpu, lanes: &[[Self; LANE]], floor: i32, found: &mut [u64]) {
        cpu.find(lanes, Self::try_from(floor.max(0)).unwrap_or(Self::MAX), found);
    }

    fn any_above(cells: &[Self; LANE], prices: &LanePrices<'_>, threshold: i32) -> bool {
        // A clamped threshold is lower than the exact one: more pairs pass, and none is missed. A forbidden pair is
        // below 0.
        let threshold = Self::try_from(threshold).unwrap_or(Self::MAX);
        let mut any = false;
        for (score, price) in cells.iter().zip(prices.narrow) {
            any |= *score > price.saturating_add(threshold).max(-1);
        }
        any
    }

    fn find_at_floors(cpu: Cpu, lanes: &[[Self; LANE]], floors: LaneFloors<'_>, found: &mut [u64]) {
        cpu.reach(lanes, floors.narrow, found);
    }
}

/// Reads the scores of one mentee and returns a result.
pub(in crate::engine) trait RowVisitor: Sized {
    /// Result for one mentee.
    type Found: Send;

    /// Whether the result is known already; then the row is not read.
    fn is_done(&self) -> bool {
        false
    }

    /// Reads the scores with the mentors `first..first + scores.len()`.
    fn read<C: ScoreCell>(&mut self, mentee: usize, first: usize, scores: &[C]);

    /// Returns the result after the row of the mentee was read.
    fn finish(self, mentee: usize) -> Self::Found;
}

/// A source that fills tiles.
trait TileFiller: Sync {
    type Cell: ScoreCell;

    const ROWS: usize;
    const COLUMNS: usize;

    /// Returns what fills the tiles of some mentees.
    fn tiles(&self, rows: Range<usize>) -> Fill<'_, Self::Cell>;

    /// The whole row of a mentee, if the source stores it.
    fn row(&self, _mentee: usize) -> Option<&[Self::Cell]> {
        None
    }
}

impl TileFiller for &dyn PairScores {
    type Cell = i32;

    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;

    fn tiles(&self, rows: Range<usize>) -> Fill<'_, i32> {
        Box::new(move |cols, out| self.tile(rows.clone(), cols, out))
    }

    fn row(&self, mentee: usize) -> Option<&[i32]> {
        PairScores::row(*self, mentee)
    }
}

impl TileFiller for &dyn NarrowScores {
    type Cell = i16;

    const ROWS: usize = NARROW_ROWS;
    const COLUMNS: usize = NARROW_COLUMNS;

    fn tiles(&self, rows: Range<usize>) -> Fill<'_, i16> {
        NarrowScores::tiles(*self, rows)
    }

    fn row(&self, mentee: usize) -> Option<&[i16]> {
        NarrowScores::row(*self, mentee)
    }
}

/// Walks the rows of all mentees. Returns the results in the order of the mentees, and reports progress of `stage`.
pub(in crate::engine) fn walk<V: RowVisitor>(
    problem: &Problem<'_>,
    observer: &dyn Observer,
    stage: Stage,
    visitor: impl Fn(usize) -> V + Sync,
) -> Result<Vec<V::Found>, Stopped> {
    match problem.scores.narrow() {
        Some(narrow) => walk_source(&narrow, problem, observer, stage, visitor),
        None => walk_source(&problem.scores, problem, observer, stage, visitor),
    }
}

fn walk_source<S: TileFiller, V: RowVisitor>(
    source: &S,
    problem: &Problem<'_>,
    observer: &dyn Observer,
    stage: Stage,
    visitor: impl Fn(usize) -> V + Sync,
) -> Result<Vec<V::Found>, Stopped> {
    let (mentees, mentors) = (problem.mentees.len(), problem.mentors.len());
    let done = AtomicU64::new(0);
    let blocks: Vec<Vec<V::Found>> = (0..mentees.div_ceil(S::ROWS))
        .into_par_iter()
        .map_init(Vec::new, |buffer, block| {
            let rows = block * S::ROWS..mentees.min((block + 1) * S::ROWS);
            let mut visitors: Vec<V> = rows.clone().map(&visitor).collect();
            // Runs of rows that must be read.
            let mut from = rows.start;
            for some in visitors.chunk_by_mut(|one, next| one.is_done() == next.is_done()) {
                let run = from..from + some.len();
                from = run.end;
                if !some.iter().all(V::is_done) {
                    walk_rows(source, run, mentors, observer, buffer, some)?;
                }
            }
            let before = done.fetch_add(rows.len() as u64, Ordering::Relaxed);
            observer.progress(stage, before + rows.len() as u64, mentees as u64);
            Ok(visitors.into_iter().zip(rows).map(|(visitor, mentee)| visitor.finish(mentee)).collect())
        })
        .collect::<Result<_, Stopped>>()?;
    Ok(blocks.into_iter().flatten().collect())
}

/// Walks the rows of some mentees and returns the results in the order of `mentees`.
pub(in crate::engine) fn walk_some<V: RowVisitor>(
    problem: &Problem<'_>,
    mentees: &[u32],
    observer: &dyn Observer,
    visitor: impl Fn(usize) -> V + Sync,
) -> Result<Vec<V::Found>, Stopped> {
    match problem.scores.narrow() {
        Some(narrow) => walk_some_of(&narrow, problem, mentees, observer, visitor),
        None => walk_some_of(&problem.scores, problem, mentees, observer, visitor),
    }
}

fn walk_some_of<S: TileFiller, V: RowVisitor>(
    source: &S,
    problem: &Problem<'_>,
    mentees: &[u32],
    observer: &dyn Observer,
    visitor: impl Fn(usize) -> V + Sync,
) -> Result<Vec<V::Found>, Stopped> {
    let mentors = problem.mentors.len();
    let of_row = |buffer: &mut Vec<S::Cell>, &mentee: &u32| {
        let mentee = mentee as usize;
        let mut visitor = [visitor(mentee)];
        walk_rows(source, mentee..mentee + 1, mentors, observer, buffer, &mut visitor)?;
        let [visitor] = visitor;
        Ok(visitor.finish(mentee))
    };
    mentees.par_iter().map_init(Vec::new, of_row).collect()
}

fn walk_rows<S: TileFiller, V: RowVisitor>(
    source: &S,
    rows: Range<usize>,
    mentors: usize,
    observer: &dyn Observer,
    buffer: &mut Vec<S::Cell>,
    visitors: &mut [V],
) -> Result<(), Stopped> {
    if source.row(rows.start).is_some() {
        for (visitor, mentee) in visitors.iter_mut().zip(rows) {
            observer.check()?;
            visitor.read(mentee, 0, source.row(mentee).unwrap_or_default());
        }
        return Ok(());
    }
    let mut fill = source.tiles(rows.clone());
    for first in (0..mentors).step_by(S::COLUMNS) {
        observer.check()?;
        let columns = first..mentors.min(first + S::COLUMNS);
        // The buffer is not cleared: a source writes the whole tile.
        buffer.resize(rows.len() * columns.len(), S::Cell::default());
        fill(columns.clone(), buffer);
        for ((visitor, mentee), scores) in
            visitors.iter_mut().zip(rows.clone()).zip(buffer.chunks_exact(columns.len()))
        {
            visitor.read(mentee, first, scores);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price() -> impl Strategy<Value = i32> {
        prop_oneof![-40_000..40_000_i32, Just(FORBIDDEN), Just(1 << 30), Just(-(1 << 30))]
    }

    proptest! {
        #[test]
        fn narrow_cells_and_wide_cells_give_the_same_results(
            given in proptest::collection::vec((-3..9_i16, price(), 0..12_i16), LANE),
            threshold in prop_oneof![0..9_i32, 0..50_000_i32, Just((1 << 30) - 1)],
            floor in -1..9_i32,
        ) {
            let narrow: [i16; LANE] = std::array::from_fn(|at| given[at].0);
            let wide = narrow.map(|cell| cell.score().unwrap_or(FORBIDDEN));
            let cpu = Cpu::best();
            let (mut narrow_parts, mut wide_parts) = ([[0; PARTS]], [[0; PARTS]]);
            let narrow_ends = i16::extremes(cpu, &[narrow], &mut narrow_parts);
            let wide_ends = i32::extremes(cpu, &[wide], &mut wide_parts);
            prop_assert_eq!(narrow_ends.map(ScoreCell::score), wide_ends.map(ScoreCell::score));
            prop_assert_eq!(narrow_parts[0].map(ScoreCell::score), wide_parts[0].map(ScoreCell::score));
            let (mut narrow_found, mut wide_found) = ([0], [0]);
            i16::find_at_least(cpu, &[narrow], floor, &mut narrow_found);
            i32::find_at_least(cpu, &[wide], floor.max(0), &mut wide_found);
            prop_assert_eq!(narrow_found, wide_found);

            let price: [i32; LANE] = std::array::from_fn(|at| given[at].1);
            let cut = price.map(|price| i16::try_from(price).unwrap_or(if price < 0 { i16::MIN } else { i16::MAX }));
            let prices = LanePrices { wide: &price, narrow: &cut };
            let above = wide.iter().zip(price).any(|(&score, price)| {
                score != FORBIDDEN && i64::from(score) > i64::from(price) + i64::from(threshold)
            });
            prop_assert_eq!(i32::any_above(&wide, &prices, threshold), above);
            // A clamped threshold may let more pairs through, never fewer.
            let narrow_above = i16::any_above(&narrow, &prices, threshold);
            prop_assert!(narrow_above == above || narrow_above && threshold > i32::from(i16::MAX));

            let floor: [i16; LANE] = std::array::from_fn(|at| given[at].2);
            let floors = LaneFloors { wide: &[floor.map(i32::from)], narrow: &[floor] };
            i16::find_at_floors(cpu, &[narrow], floors, &mut narrow_found);
            i32::find_at_floors(cpu, &[wide], floors, &mut wide_found);
            prop_assert_eq!(narrow_found, wide_found);
        }
    }
}
