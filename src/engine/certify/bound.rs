//! The bound: what the prices say that no assignment can exceed.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::problem::{FORBIDDEN, Observer, Problem, Stopped};

use super::{Certificate, rules};

/// Mentees per tile.
const ROWS: usize = 16;
/// Mentors per tile.
const COLUMNS: usize = 2048;
/// Pairs tested at a time before any is summed.
const LANE: usize = 64;

/// What one pass over all pairs gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sweep {
    /// Pairs that the hard rules allow.
    pub(super) candidates: u64,
    /// Their lowest score; `i32::MAX` if there is none.
    pub(super) lowest: i32,
    /// Their highest score; [`FORBIDDEN`] if there is none.
    pub(super) highest: i32,
    /// What they offer above the prices, in all.
    pub(super) surplus: i128,
}

impl Sweep {
    pub(super) const NOTHING: Self = Self { candidates: 0, lowest: i32::MAX, highest: FORBIDDEN, surplus: 0 };

    /// The two together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            candidates: self.candidates + other.candidates,
            lowest: self.lowest.min(other.lowest),
            highest: self.highest.max(other.highest),
            surplus: self.surplus + other.surplus,
        }
    }
}

/// The part of the bound that places and seats give.
pub(super) fn nodes(problem: &Problem<'_>, certificate: &Certificate) -> i128 {
    let first = rules::tier_weights(certificate);
    let mut sum = 0_i128;
    for (demand, &u) in problem.mentees.iter().zip(&certificate.mentee_prices) {
        if demand.wanted >= 1 {
            let weight = if demand.pinned > 0 { certificate.second } else { first[usize::from(demand.tier)] };
            sum += (weight + u).max(0);
        }
        if demand.wanted >= 2 {
            sum += (certificate.second + u).max(0);
        }
    }
    for (seats, &p) in problem.mentors.iter().zip(&certificate.mentor_prices) {
        let min = seats.min.min(seats.max);
        sum += i128::from(min) * (certificate.minimum + p).max(0);
        sum += i128::from(seats.max - min) * p.max(0);
    }
    sum
}

/// One pass over all pairs; without a certificate it only counts candidates.
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

/// An integer in which prices are compared.
trait Price: Copy + Into<i128> + TryFrom<i128> + Sync {
    /// Prices up to this size, of either sign, can be compared without overflow.
    const LARGEST: i128;

    /// Whether a pair is a candidate that offers more than two prices together.
    fn is_above(score: i32, u: Self, p: Self) -> bool;
}

impl Price for i32 {
    const LARGEST: i128 = (1 << 30) - 1;

    fn is_above(score: i32, u: Self, p: Self) -> bool {
        // A forbidden pair is below any such sum.
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

fn sweep_at<P: Price>(
    problem: &Problem<'_>,
    u: &[P],
    p: &[P],
    observer: &dyn Observer,
) -> Result<Sweep, Stopped> {
    let mentees = problem.mentees.len();
    let done = AtomicU64::new(0);
    (0..mentees.div_ceil(ROWS))
        .into_par_iter()
        .map_init(Vec::new, |tile, block| {
            let rows = block * ROWS..mentees.min((block + 1) * ROWS);
            let mut seen = Sweep::NOTHING;
            for first in (0..p.len()).step_by(COLUMNS) {
                if observer.is_cancelled() {
                    return Err(Stopped);
                }
                let columns = first..p.len().min(first + COLUMNS);
                seen = seen.and(sweep_tile(problem, rows.clone(), columns, u, p, tile));
            }
            let before = done.fetch_add(rows.len() as u64, Ordering::Relaxed);
            observer.progress(Stage::Certify, before + rows.len() as u64, mentees as u64);
            Ok(seen)
        })
        .try_reduce(|| Sweep::NOTHING, |one, other| Ok(one.and(other)))
}

fn sweep_tile<P: Price>(
    problem: &Problem<'_>,
    rows: Range<usize>,
    columns: Range<usize>,
    u: &[P],
    p: &[P],
    tile: &mut Vec<i32>,
) -> Sweep {
    tile.resize(rows.len() * columns.len(), FORBIDDEN);
    problem.scores.tile(rows.clone(), columns.clone(), tile);
    tile.chunks_exact(columns.len())
        .zip(&u[rows])
        .map(|(scores, &u)| sweep_row(scores, u, &p[columns.clone()]))
        .fold(Sweep::NOTHING, Sweep::and)
}

fn sweep_row<P: Price>(scores: &[i32], u: P, p: &[P]) -> Sweep {
    let (lanes, rest) = scores.as_chunks::<LANE>();
    let (prices, rest_prices) = p.as_chunks::<LANE>();
    let mut seen = Sweep::NOTHING;
    // Plain loops of known length, one purpose each: that is what becomes vector code.
    for (lane, p) in lanes.iter().zip(prices) {
        let candidates: u32 = lane.iter().map(|&score| u32::from(score != FORBIDDEN)).sum();
        let highest = lane.iter().fold(FORBIDDEN, |most, &score| most.max(score));
        // One less, so that a forbidden pair wraps round to the very top.
        let lowest = lane.iter().fold(i32::MAX, |least, &score| least.min(score.wrapping_sub(1)));
        let above = lane.iter().zip(p).fold(false, |above, (&score, &p)| above | P::is_above(score, u, p));
        seen.candidates += u64::from(candidates);
        seen.highest = seen.highest.max(highest);
        seen.lowest = seen.lowest.min(lowest.saturating_add(1));
        if above {
            seen.surplus += surplus(lane, u, p);
        }
    }
    for &score in rest.iter().filter(|&&score| score != FORBIDDEN) {
        let lone = Sweep { candidates: 1, lowest: score, highest: score, surplus: 0 };
        seen = seen.and(lone);
    }
    seen.surplus += surplus(rest, u, rest_prices);
    seen
}

fn surplus<P: Price>(scores: &[i32], u: P, p: &[P]) -> i128 {
    let above = scores.iter().zip(p).filter(|&(&score, &p)| P::is_above(score, u, p));
    above.map(|(&score, &p)| i128::from(score) - u.into() - p.into()).sum()
}
