//! The sparse bound: one pass over the candidates of a sparse source, for the terms of candidates.

use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, SparseScores};
use crate::engine::problem::Problem;

use super::bound::Sweep;
use crate::engine::certificate::Certificate;

/// Mentees between two calls of the observer.
const ROWS: usize = 1024;

/// Prices whose absolute value is at most this number are compared in 64 bits.
const NARROW: i128 = 1 << 61;

/// One pass over the candidates. Without a certificate it only counts them.
pub(super) fn sweep(
    list: &SparseScores,
    problem: &Problem<'_>,
    certificate: Option<&Certificate>,
    observer: &dyn Observer,
) -> Result<Sweep, Stopped> {
    let Some(Certificate { mentee_prices, mentor_prices, .. }) = certificate else {
        let (u, p) = (vec![0; problem.mentees.len()], vec![0; problem.mentors.len()]);
        return sweep_at::<i64>(list, &u, &p, observer);
    };
    if let (Some(u), Some(p)) = (narrow(mentee_prices), narrow(mentor_prices)) {
        sweep_at(list, &u, &p, observer)
    } else {
        sweep_at(list, mentee_prices, mentor_prices, observer)
    }
}

fn narrow(prices: &[i128]) -> Option<Vec<i64>> {
    prices.par_iter().map(|&price| i64::try_from(price).ok().filter(|_| price.abs() <= NARROW)).collect()
}

fn sweep_at<P>(list: &SparseScores, u: &[P], p: &[P], observer: &dyn Observer) -> Result<Sweep, Stopped>
where
    P: Copy + Ord + Add<Output = P> + From<i32> + Into<i128> + Sync,
{
    let (mentees, done) = (u.len() as u64, AtomicU64::new(0));
    let blocks = u.par_chunks(ROWS).enumerate().map(|(block, u)| {
        observer.check()?;
        let mut seen = Sweep::NOTHING;
        for (mentee, &u) in (block * ROWS..).zip(u) {
            for &Edge { to, score } in list.row(mentee) {
                let price = p[to as usize];
                seen.candidates += 1;
                seen.lowest = seen.lowest.min(score);
                seen.highest = seen.highest.max(score);
                if P::from(score) > u + price {
                    seen.surplus += i128::from(score) - u.into() - price.into();
                }
            }
        }
        let before = done.fetch_add(u.len() as u64, Ordering::Relaxed);
        observer.progress(Stage::Certify, before + u.len() as u64, mentees);
        Ok(seen)
    });
    blocks.try_reduce(|| Sweep::NOTHING, |one, other| Ok(one.and(other)))
}
