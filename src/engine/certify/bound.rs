//! The bound: what the prices say that no assignment can exceed.

use std::ops::{Range, Sub};
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
const LANE: usize = 32;
/// Prices within this size are compared in 64 bits; a score and two of them cannot overflow.
const NARROW: i128 = 1 << 61;

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
    const NOTHING: Self = Self { candidates: 0, lowest: i32::MAX, highest: FORBIDDEN, surplus: 0 };

    fn and(self, other: Self) -> Self {
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
            sum += (first[usize::from(demand.tier)] + u).max(0);
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
        return sweep_at::<i64>(problem, &u, &p, observer);
    };
    match (narrow(mentee_prices), narrow(mentor_prices)) {
        (Some(u), Some(p)) => sweep_at::<i64>(problem, &u, &p, observer),
        _ => sweep_at::<i128>(problem, mentee_prices, mentor_prices, observer),
    }
}

fn narrow(prices: &[i128]) -> Option<Vec<i64>> {
    prices
        .iter()
        .map(|&price| i64::try_from(price).ok().filter(|_| (-NARROW..=NARROW).contains(&price)))
        .collect()
}

/// An integer in which prices are compared.
trait Price: Copy + Ord + Sub<Output = Self> + From<i32> + Into<i128> + Sync {}

impl Price for i64 {}
impl Price for i128 {}

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
    tile.clear();
    tile.resize(rows.len() * columns.len(), FORBIDDEN);
    problem.scores.tile(rows.clone(), columns.clone(), tile);
    tile.chunks_exact(columns.len())
        .zip(&u[rows])
        .map(|(scores, &u)| sweep_row(scores, u, &p[columns.clone()]))
        .fold(Sweep::NOTHING, Sweep::and)
}

fn sweep_row<P: Price>(scores: &[i32], u: P, p: &[P]) -> Sweep {
    let mut seen = Sweep::NOTHING;
    for (scores, p) in scores.chunks(LANE).zip(p.chunks(LANE)) {
        let (mut candidates, mut lowest, mut highest, mut above) = (0_u32, i32::MAX, FORBIDDEN, false);
        for (&score, &p) in scores.iter().zip(p) {
            let candidate = score != FORBIDDEN;
            candidates += u32::from(candidate);
            lowest = lowest.min(if candidate { score } else { i32::MAX });
            highest = highest.max(score);
            above |= candidate & (P::from(score) - p > u);
        }
        let surplus = if above { surplus(scores, u, p) } else { 0 };
        seen = seen.and(Sweep { candidates: u64::from(candidates), lowest, highest, surplus });
    }
    seen
}

fn surplus<P: Price>(scores: &[i32], u: P, p: &[P]) -> i128 {
    let candidates = scores.iter().zip(p).filter(|&(&score, _)| score != FORBIDDEN);
    candidates.map(|(&score, &p)| (P::from(score) - p - u).into().max(0)).sum()
}
