//! The dense bound: the terms of places and seats, and one pass over all pairs for the terms of candidates.
//!
//! The pass reads tiles of scores and screens [`LANE`] pairs at a time in vector code; only a lane in which a candidate
//! may exceed its two prices is summed pair by pair. Prices are compared in 32, 64 or 128 bits, whichever is wide
//! enough. The solver has a pass of its own in `assign/tiles.rs`; the two share no code on purpose.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{FORBIDDEN, Fill};
use crate::engine::problem::{Demand, Problem};

use super::rules;
use crate::engine::certificate::Certificate;

/// Mentees per tile. A score source reads the data of a mentor once per tile.
const ROWS: usize = 32;
/// Mentors per tile.
const COLUMNS: usize = 2048;
/// Mentors per tile of a 16-bit source. Such a source prepares data per mentee, which pays off only in long rows.
const NARROW_COLUMNS: usize = 16_384;
/// Pairs that are screened together.
const LANE: usize = 64;

/// Result of one pass over all pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sweep {
    /// Number of candidates: pairs that the hard rules allow.
    pub(super) candidates: u64,
    /// Lowest score of a candidate; `i32::MAX` without candidates.
    pub(super) lowest: i32,
    /// Highest score of a candidate; [`FORBIDDEN`] without candidates.
    pub(super) highest: i32,
    /// Sum over candidates of `max(0, s(i, j) - u(i) - p(j))`.
    pub(super) surplus: i128,
}

impl Sweep {
    pub(super) const NOTHING: Self = Self { candidates: 0, lowest: i32::MAX, highest: FORBIDDEN, surplus: 0 };

    /// The sum of two results.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            candidates: self.candidates + other.candidates,
            lowest: self.lowest.min(other.lowest),
            highest: self.highest.max(other.highest),
            surplus: self.surplus + other.surplus,
        }
    }
}

/// The terms of places and seats of the bound; `None` if they exceed 128 bits. A mentor counts for at most as many seats as
/// there are mentees.
pub(super) fn nodes(problem: &Problem<'_>, certificate: &Certificate) -> Option<i128> {
    let first = rules::tier_weights(certificate);
    let mentees = u32::try_from(problem.mentees.len()).unwrap_or(u32::MAX);
    let of_mentee = |(demand, &u): (&Demand, &i128)| {
        let weight = if demand.pinned > 0 { certificate.second } else { first[usize::from(demand.tier)] };
        let first = if demand.wanted >= 1 { (weight + u).max(0) } else { 0 };
        let second = if demand.wanted >= 2 { (certificate.second + u).max(0) } else { 0 };
        first + second
    };
    let mut sum: i128 = problem.mentees.par_iter().zip(&certificate.mentee_prices).map(of_mentee).sum();
    for (seats, &p) in problem.mentors.iter().zip(&certificate.mentor_prices) {
        let max = seats.max.min(mentees);
        let min = seats.min.min(max);
        let minimum = i128::from(min).checked_mul((certificate.minimum + p).max(0))?;
        let others = i128::from(max - min).checked_mul(p.max(0))?;
        sum = sum.checked_add(minimum)?.checked_add(others)?;
    }
    Some(sum)
}

/// One pass over all pairs. Without a certificate it only counts candidates.
pub(super) fn sweep(
    problem: &Problem<'_>,
    certificate: Option<&Certificate>,
    observer: &dyn Observer,
) -> Result<Sweep, Stopped> {
    let Some(Certificate { mentee_prices, mentor_prices, .. }) = certificate else {
        let (u, p) = (vec![0; problem.mentees.len()], vec![0; problem.mentors.len()]);
        return sweep_at::<i32>(problem, &u, &p, observer);
    };
    if let (Some(u), Some(p)) = (narrow::<i32>(mentee_prices), narrow::<i32>(mentor_prices)) {
        sweep_at(problem, &u, &p, observer)
    } else if let (Some(u), Some(p)) = (narrow::<i64>(mentee_prices), narrow::<i64>(mentor_prices)) {
        sweep_at(problem, &u, &p, observer)
    } else {
        sweep_at(problem, mentee_prices, mentor_prices, observer)
    }
}

fn narrow<P: Price>(prices: &[i128]) -> Option<Vec<P>> {
    prices.iter().map(|&price| P::try_from(price).ok().filter(|_| price.abs() <= P::LARGEST)).collect()
}

/// An integer type that compares prices.
trait Price: Copy + Into<i128> + TryFrom<i128> + Sync {
    /// Prices whose absolute value is at most this number do not overflow.
    const LARGEST: i128;

    /// Whether a pair is a candidate whose score exceeds the sum of two prices.
    fn is_above(score: i32, u: Self, p: Self) -> bool;
}

impl Price for i32 {
    const LARGEST: i128 = (1 << 30) - 1;

    fn is_above(score: i32, u: Self, p: Self) -> bool {
        // `FORBIDDEN` is less than any such sum.
        score > u + p
    }
}

impl Price for i64 {
    const LARGEST: i128 = 1 << 61;

    fn is_above(score: i32, u: Self, p: Self) -> bool {
        (score != FORBIDDEN) & (Self::from(score) > u + p)
    }
}

impl Price for i128 {
    const LARGEST: i128 = 1 << 80;

    fn is_above(score: i32, u: Self, p: Self) -> bool {
        (score != FORBIDDEN) & (Self::from(score) > u + p)
    }
}

/// A score as a tile holds it.
trait BoundCell: Copy + Default + Send {
    /// The score; [`FORBIDDEN`] if the pair is not a candidate.
    fn score(self) -> i32;

    /// Screens pairs of a mentee whose price is `u`.
    fn screen<P: Price>(
        cells: &[Self; LANE],
        u: P,
        p: &[P; LANE],
        rounded: &[i16; LANE],
        threshold: i16,
    ) -> Screening;
}

/// Result of the screening of a lane.
struct Screening {
    candidates: u32,
    lowest: i32,
    highest: i32,
    /// Whether the score of a candidate may exceed its prices.
    may_be_above: bool,
}

impl BoundCell for i32 {
    fn score(self) -> i32 {
        self
    }

    // One loop of fixed length for each result: the compiler turns such loops into vector code.
    fn screen<P: Price>(cells: &[Self; LANE], u: P, p: &[P; LANE], _: &[i16; LANE], _: i16) -> Screening {
        // Minus 1, so that `FORBIDDEN` wraps to the greatest number.
        let lowest = cells.iter().fold(Self::MAX, |least, &score| least.min(score.wrapping_sub(1)));
        Screening {
            candidates: cells.iter().map(|&score| u32::from(score != FORBIDDEN)).sum(),
            lowest: lowest.saturating_add(1),
            highest: cells.iter().fold(FORBIDDEN, |most, &score| most.max(score)),
            may_be_above: cells.iter().zip(p).fold(false, |any, (&score, &p)| any | P::is_above(score, u, p)),
        }
    }
}

impl BoundCell for i16 {
    fn score(self) -> i32 {
        if self < 0 { FORBIDDEN } else { self.into() }
    }

    fn screen<P: Price>(
        cells: &[Self; LANE],
        _: P,
        _: &[P; LANE],
        rounded: &[Self; LANE],
        threshold: Self,
    ) -> Screening {
        let candidates = cells.iter().fold(0_u16, |sum, &score| sum + u16::from(score >= 0));
        // With the sign bit inverted, pairs that are not candidates are greatest.
        let lowest = cells.iter().fold(Self::MAX, |least, &score| least.min(score ^ Self::MIN)) ^ Self::MIN;
        Screening {
            candidates: candidates.into(),
            lowest: if lowest < 0 { i32::MAX } else { lowest.into() },
            highest: cells.iter().fold(-1, |most, &score| most.max(score)).score(),
            // A pair that is not a candidate is less than 0 and exceeds no threshold.
            may_be_above: cells.iter().zip(rounded).fold(false, |any, (&score, &rounded)| {
                any | (score > rounded.saturating_add(threshold).max(-1))
            }),
        }
    }
}

/// Prices in 16 bits, for the screening. Because a first place weighs more than all scores, the prices of one side lie
/// in clusters far apart, and only sums of two prices are small. For several base prices of mentees, this table holds
/// the sum of the base price and every mentor's price, saturated to 16 bits: 2 bytes per mentor and base price.
struct RoundedPrices {
    /// Base prices of mentees, ascending, each with its sums with the mentors' prices.
    near: Vec<(i128, Vec<i16>)>,
}

impl RoundedPrices {
    /// Distance between base prices.
    const APART: i128 = 1 << 14;
    /// Largest number of base prices.
    const MOST: usize = 16;

    fn of<P: Price>(u: &[P], p: &[P]) -> Self {
        let mut floors: Vec<i128> =
            u.par_iter().map(|&u| u.into().div_euclid(Self::APART) * Self::APART).collect();
        floors.par_sort_unstable();
        floors.dedup();
        // If there are too many base prices, keep every k-th; the lowest one is valid for all rows.
        let every = floors.len().div_ceil(Self::MOST).max(1);
        let beside = |floor: i128| p.iter().map(|&p| cut(floor + p.into())).collect();
        Self { near: floors.into_iter().step_by(every).map(|floor| (floor, beside(floor))).collect() }
    }

    /// The sums for a mentee of price `u`, and the rest of `u` above the base price. A saturated number is less than
    /// the exact one, so the screening may pass too many pairs, but misses none.
    fn beside<P: Price>(&self, u: P) -> (&[i16], i16) {
        let u = u.into();
        let at = self.near.partition_point(|(floor, _)| *floor <= u).saturating_sub(1);
        let (floor, rounded) = &self.near[at];
        (rounded, cut(u - floor))
    }
}

/// A number saturated to 16 bits.
fn cut(number: i128) -> i16 {
    i16::try_from(number).unwrap_or(if number < 0 { i16::MIN } else { i16::MAX })
}

fn sweep_at<P: Price>(
    problem: &Problem<'_>,
    u: &[P],
    p: &[P],
    observer: &dyn Observer,
) -> Result<Sweep, Stopped> {
    let scores = problem.scores;
    if let Some(narrow) = scores.narrow() {
        if !u.is_empty() && narrow.row(0).is_some() {
            return sweep_rows(u, p, observer, |mentee| narrow.row(mentee));
        }
        return sweep_by(u, p, NARROW_COLUMNS, observer, |rows| narrow.tiles(rows));
    }
    if !u.is_empty() && scores.row(0).is_some() {
        return sweep_rows(u, p, observer, |mentee| scores.row(mentee));
    }
    sweep_by(u, p, COLUMNS, observer, |rows| {
        Box::new(move |columns, tile| scores.tile(rows.clone(), columns, tile))
    })
}

/// One pass over rows that the source stores.
fn sweep_rows<'a, C: BoundCell + 'a, P: Price>(
    u: &[P],
    p: &[P],
    observer: &dyn Observer,
    row: impl Fn(usize) -> Option<&'a [C]> + Sync,
) -> Result<Sweep, Stopped> {
    let rounded = RoundedPrices::of(u, p);
    let done = AtomicU64::new(0);
    let rows = u.par_iter().enumerate().with_min_len(ROWS).map(|(mentee, &u_of)| {
        observer.check()?;
        let before = done.fetch_add(1, Ordering::Relaxed);
        if before.is_multiple_of(ROWS as u64) {
            observer.progress(Stage::Certify, before, u.len() as u64);
        }
        let (rounded, threshold) = rounded.beside(u_of);
        Ok(sweep_row(row(mentee).unwrap_or_default(), u_of, p, rounded, threshold))
    });
    rows.try_reduce(|| Sweep::NOTHING, |one, other| Ok(one.and(other)))
}

fn sweep_by<'a, C: BoundCell, P: Price>(
    u: &[P],
    p: &[P],
    most_columns: usize,
    observer: &dyn Observer,
    tiles: impl Fn(Range<usize>) -> Fill<'a, C> + Sync,
) -> Result<Sweep, Stopped> {
    let mentees = u.len();
    let rounded = RoundedPrices::of(u, p);
    let done = AtomicU64::new(0);
    (0..mentees.div_ceil(ROWS))
        .into_par_iter()
        .map_init(Vec::new, |tile, block| {
            let rows = block * ROWS..mentees.min((block + 1) * ROWS);
            let mut fill = tiles(rows.clone());
            let mut seen = Sweep::NOTHING;
            for first in (0..p.len()).step_by(most_columns) {
                observer.check()?;
                let columns = first..p.len().min(first + most_columns);
                tile.resize(rows.len() * columns.len(), C::default());
                fill(columns.clone(), tile);
                let scores = tile.chunks_exact(columns.len());
                let swept = scores.zip(&u[rows.clone()]).map(|(scores, &u)| {
                    let (rounded, threshold) = rounded.beside(u);
                    sweep_row(scores, u, &p[columns.clone()], &rounded[columns.clone()], threshold)
                });
                seen = swept.fold(seen, Sweep::and);
            }
            let before = done.fetch_add(rows.len() as u64, Ordering::Relaxed);
            observer.progress(Stage::Certify, before + rows.len() as u64, mentees as u64);
            Ok(seen)
        })
        .try_reduce(|| Sweep::NOTHING, |one, other| Ok(one.and(other)))
}

fn sweep_row<C: BoundCell, P: Price>(scores: &[C], u: P, p: &[P], rounded: &[i16], threshold: i16) -> Sweep {
    let (lanes, rest) = scores.as_chunks::<LANE>();
    let (prices, rest_prices) = p.as_chunks::<LANE>();
    let (rounded, _) = rounded.as_chunks::<LANE>();
    let mut seen = Sweep::NOTHING;
    for ((lane, p), rounded) in lanes.iter().zip(prices).zip(rounded) {
        let screen = C::screen(lane, u, p, rounded, threshold);
        seen.candidates += u64::from(screen.candidates);
        seen.highest = seen.highest.max(screen.highest);
        seen.lowest = seen.lowest.min(screen.lowest);
        if screen.may_be_above {
            seen.surplus += surplus(lane, u, p);
        }
    }
    for score in rest.iter().map(|cell| cell.score()).filter(|score| *score != FORBIDDEN) {
        let lone = Sweep { candidates: 1, lowest: score, highest: score, surplus: 0 };
        seen = seen.and(lone);
    }
    seen.surplus += surplus(rest, u, rest_prices);
    seen
}

fn surplus<C: BoundCell, P: Price>(cells: &[C], u: P, p: &[P]) -> i128 {
    let scores = cells.iter().map(|cell| cell.score());
    let above = scores.zip(p).filter(|&(score, &p)| P::is_above(score, u, p));
    above.map(|(score, &p)| i128::from(score) - u.into() - p.into()).sum()
}
