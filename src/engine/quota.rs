//! Quotas: floors and ceilings on the number of pairs of groups of people, such as the organisations within a region.
//!
//! # What is exact
//!
//! The groups of each side form a [`Forest`](super::groups::Forest). Then the problem is still a flow, so a best assignment is
//! a matter of integers and is proved by prices as it is without quotas:
//!
//! 1. [`assign`](super::assign) finds the best assignment without quotas, with its prices;
//! 2. [`network`] puts both into a network with a node per group; only groups out of their bounds do not balance;
//! 3. [`flow`] sends what is too much to where too little is, by shortest paths;
//! 4. [`pairs`] looks at all pairs for those that would beat the prices, and they come into the network;
//! 5. again from 3 until all balances and none is found.
//!
//! If all groups are within their bounds after step 1, nothing is left to do, and the result is that of `assign`.
//!
//! If there is no way from what is too much to where too little is, by any pair there is, floors cannot be met, and the
//! nodes that can be reached are the proof: a [`Cut`], which [`words`] tells as reasons.
//!
//! A bound on what the mentors of an organisation give to others is no group; [`cross`] says what is exact there.

pub mod cross;
mod cut;
mod flow;
mod network;
mod pairs;
#[cfg(test)]
pub(in crate::engine) mod tests;
pub mod words;

use std::collections::BTreeSet;

use super::assign::price_integer::PriceInteger;
use super::assign::{Assignment, SolveContext, assign_before_quotas};
use super::groups::{Cut, Quotas};
use super::observer::{CumulativeProgress, Observer, Stopped};
use super::pair_scores::Edge;
use super::problem::Problem;

use self::flow::{Failure, Served};
use self::network::Network;
use self::pairs::Sought;

/// Best pairs per mentee in the first network.
const BREADTH: usize = 32;
/// Worst violations per mentee that come into the network at a time.
const WORST: usize = 16;

/// What comes out of a problem with quotas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A best assignment that keeps all quotas, with its proof.
    Best(Assignment),
    /// No assignment meets all floors; this is why.
    Impossible(Cut),
    /// There are so many tiers that the weights which keep them in order are beyond what a certificate holds.
    TooManyTiers,
}

/// Finds a best assignment among those that keep all quotas: the aims are those of [`assign`](super::assign::assign()), in
/// the same order.
///
/// The result depends on the problem alone, not on the number of threads. Work runs in the current rayon pool.
pub fn assign_within(
    problem: &Problem<'_>,
    quotas: &Quotas,
    observer: &dyn Observer,
) -> Result<Answer, Stopped> {
    let observer = &CumulativeProgress::new(observer);
    let Some(free) = assign_before_quotas(problem, weighty(problem, quotas), observer)? else {
        return Ok(Answer::TooManyTiers);
    };
    if quotas.is_empty() {
        return Ok(Answer::Best(free));
    }
    let narrow = if fits_i64(problem, quotas, &free) {
        solve::<i64>(problem, quotas, free.clone(), observer)
    } else {
        Err(Failure::TooNarrow)
    };
    let solved = match narrow {
        Err(Failure::TooNarrow) => solve::<i128>(problem, quotas, free, observer),
        decided => decided,
    };
    match solved {
        Ok(answer) => Ok(answer),
        Err(Failure::Stopped) => Err(Stopped),
        Err(Failure::TooNarrow) => Ok(Answer::TooManyTiers),
    }
}

/// Groups in which a place or a minimum place is directly, not in a group inside.
fn weighty(problem: &Problem<'_>, quotas: &Quotas) -> usize {
    let with_mentees = (0..problem.mentees.len()).filter_map(|mentee| quotas.mentees.innermost(mentee));
    let minimum = |mentor: &usize| problem.mentors[*mentor].min > 0;
    let with_minima =
        (0..problem.mentors.len()).filter(minimum).filter_map(|mentor| quotas.mentors.innermost(mentor));
    with_mentees.collect::<BTreeSet<u32>>().len() + with_minima.collect::<BTreeSet<u32>>().len()
}

/// Whether the length of any path fits an `i64`, with room for prices, whose size is watched while the solver works: a
/// simple path passes a group at most once, and has two bonuses there, and a mentee or mentor at most once.
fn fits_i64(problem: &Problem<'_>, quotas: &Quotas, free: &Assignment) -> bool {
    let certificate = &free.certificate;
    let heaviest = certificate.tiers.first().map_or(0, |entry| entry.weight).max(certificate.minimum);
    let groups = quotas.len() as i128;
    let people = (problem.mentees.len() + problem.mentors.len()) as i128;
    2 * (groups + 2) * heaviest + people * i128::from(u32::MAX) <= <i64 as PriceInteger>::MAX_PRICE.into()
}

fn solve<W: PriceInteger>(
    problem: &Problem<'_>,
    quotas: &Quotas,
    free: Assignment,
    observer: &dyn Observer,
) -> Result<Answer, Failure> {
    let Assignment { pairs, certificate, counters } = free;
    let mut context = SolveContext::new(problem, observer);
    context.counters = counters;
    // Everybody is served as if there were no quotas.
    context.progress(0);
    let mut network = Network::<W>::new(problem, quotas, &pairs, &certificate, &mut context.poll)?;
    if network.flow.is_balanced() {
        let certificate = network.certificate(problem, quotas, certificate);
        return Ok(Answer::Best(Assignment { pairs, certificate, counters: context.counters }));
    }
    let (u, p) = network.prices(problem);
    let anything = u.iter().map(|&u| if u == W::INFINITE { u } else { W::LOWEST_VALUE }).collect();
    let mut added = look(problem, &network, (anything, p), BREADTH, &context.begin_pass())?;
    loop {
        network.take_in(&added, &mut context.poll)?;
        let served = network.flow.serve(&mut context)?;
        let (mut u, mut p) = network.prices(problem);
        if served == Served::Stuck {
            network.keep_leaving(&mut u, &mut p);
        }
        added = look(problem, &network, (u, p), WORST, &context.begin_pass())?;
        context.counters.pricing_rounds += 1;
        context.counters.priced_in += added.iter().map(Vec::len).sum::<usize>() as u64;
        if added.iter().any(|row| !row.is_empty()) {
            continue;
        }
        if served == Served::Stuck {
            let cut = cut::smallest(&network, &mut context.poll)?.ok_or(Failure::TooNarrow)?;
            return Ok(Answer::Impossible(cut));
        }
        context.counters.core_arcs = network.len() as u64;
        let pairs = network.used();
        let certificate = network.certificate(problem, quotas, certificate);
        return Ok(Answer::Best(Assignment { pairs, certificate, counters: context.counters }));
    }
}

/// The best pairs above prices that are not in use.
fn look<W: PriceInteger>(
    problem: &Problem<'_>,
    network: &Network<W>,
    (above, prices): (Vec<W>, Vec<W>),
    most: usize,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Edge>>, Stopped> {
    let mates = network.mates();
    let sought = Sought { prices: &prices, above: &above, mates: &mates, most };
    pairs::best(problem, &sought, observer)
}
