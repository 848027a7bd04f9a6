//! Best assignment under quotas: floors and ceilings on the number of pairs of groups, such as organisations within
//! regions.
//!
//! Inputs: a problem and its quotas. Output: a best assignment with its certificate, or a [`Cut`] that proves that no
//! assignment meets all floors.
//!
//! The groups of each side form a [`Forest`](super::groups::Forest), that is, a laminar family. The problem is
//! therefore still a minimum-cost flow with an integer optimum, and dual prices prove this optimum as without quotas.
//! Algorithm:
//!
//! 1. [`assign`](super::assign) computes the best assignment without quotas, with its prices;
//! 2. [`network`] builds a flow network with a node per group; only groups outside their bounds are unbalanced;
//! 3. [`flow`] sends the excess to the deficits along shortest paths (primal-dual algorithm: Ahuja, Magnanti and Orlin,
//!    *Network Flows*, 1993, sections 9.7 and 9.8);
//! 4. [`pricing`] collects pairs outside the network that violate the prices, and the network admits them;
//! 5. steps 3 and 4 repeat until all nodes are balanced and no pair violates the prices.
//!
//! If all groups are within their bounds after step 1, the result is that of `assign`. If no path leads from an excess
//! to a deficit, and no pair outside the network leads out of the reached nodes, some floors cannot be met. The reached
//! nodes are the proof: a [`Cut`], which [`explanation`] turns into reasons.
//!
//! A bound on the pairs of an organisation's mentors with other organisations is not a group; see
//! [`limited`](super::limited).

mod cut;
pub mod explanation;
mod flow;
mod network;
mod pricing;
#[cfg(test)]
pub(in crate::engine) mod tests;

use std::collections::BTreeSet;

use super::assign::{Assignment, SolveContext, assign_before_quotas};
use super::groups::{Cut, Quotas};
use super::observer::{CumulativeProgress, Observer, Stopped};
use super::pair_scores::Edge;
use super::price_integer::PriceInteger;
use super::problem::Problem;

use self::flow::{FlowError, FlowStatus};
use self::network::Network;
use self::pricing::PricingQuery;

/// Best pairs of each mentee in the first network.
const INITIAL_PAIRS: usize = 32;
/// Largest number of violated pairs per mentee that the network admits at a time.
const ADMITTED_PAIRS: usize = 16;

/// Result for a problem with quotas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A best assignment that keeps all quotas, with its proof.
    Best(Assignment),
    /// No assignment meets all floors; the cut is the proof.
    Impossible(Cut),
    /// The weights that keep the tiers in order exceed the numbers that a certificate holds.
    TooManyTiers,
}

/// Computes a best assignment among those that keep all quotas, with the aims of [`assign`](super::assign::assign()) in the
/// same order.
///
/// The result depends on the problem alone, not on the number of threads. The work runs in the current rayon pool.
pub fn assign_within(
    problem: &Problem<'_>,
    quotas: &Quotas,
    observer: &dyn Observer,
) -> Result<Answer, Stopped> {
    let observer = &CumulativeProgress::new(observer);
    let Some(free) = assign_before_quotas(problem, groups_with_weight(problem, quotas), observer)? else {
        return Ok(Answer::TooManyTiers);
    };
    within(problem, quotas, free, observer)
}

/// Makes an assignment keep all quotas. `free` is a best one without quotas, and its certificate defines the weights.
pub(in crate::engine) fn within(
    problem: &Problem<'_>,
    quotas: &Quotas,
    free: Assignment,
    observer: &dyn Observer,
) -> Result<Answer, Stopped> {
    if quotas.is_empty() {
        return Ok(Answer::Best(free));
    }
    let narrow = if fits_i64(problem, quotas, &free) {
        solve::<i64>(problem, quotas, free.clone(), observer)
    } else {
        Err(FlowError::TooNarrow)
    };
    let solved = match narrow {
        Err(FlowError::TooNarrow) => solve::<i128>(problem, quotas, free, observer),
        decided => decided,
    };
    match solved {
        Ok(answer) => Ok(answer),
        Err(FlowError::Stopped) => Err(Stopped),
        Err(FlowError::TooNarrow) => Ok(Answer::TooManyTiers),
    }
}

/// Number of groups that are the innermost group of a mentee, or of a mentor with minimum places.
pub(in crate::engine) fn groups_with_weight(problem: &Problem<'_>, quotas: &Quotas) -> usize {
    let with_mentees = (0..problem.mentees.len()).filter_map(|mentee| quotas.mentees.innermost(mentee));
    let minimum = |mentor: &usize| problem.mentors[*mentor].min > 0;
    let with_minima =
        (0..problem.mentors.len()).filter(minimum).filter_map(|mentor| quotas.mentors.innermost(mentor));
    with_mentees.collect::<BTreeSet<u32>>().len() + with_minima.collect::<BTreeSet<u32>>().len()
}

/// Whether the length of every path fits in an `i64`, with room for the prices. A simple path visits each group, mentee and
/// mentor at most once, and has two bonuses in a group. [`flow`] checks the size of prices while it works.
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
) -> Result<Answer, FlowError> {
    let Assignment { pairs, certificate, counters } = free;
    let mut context = SolveContext::new(problem, observer);
    context.counters = counters;
    // The assignment without quotas serves everyone it can.
    context.progress(0);
    let mut network = Network::<W>::new(problem, quotas, &pairs, &certificate, &mut context.poll)?;
    if network.flow.is_balanced() {
        let certificate = network.certificate(problem, quotas, certificate);
        return Ok(Answer::Best(Assignment { pairs, certificate, counters: context.counters }));
    }
    let (u, p) = network.prices(problem);
    let no_lower_bound = u.iter().map(|&u| if u == W::INFINITE { u } else { W::LOWEST_VALUE }).collect();
    let mut added =
        price_pairs(problem, &network, (no_lower_bound, p), INITIAL_PAIRS, &context.begin_pass())?;
    loop {
        network.admit(&added, &mut context.poll)?;
        let status = network.flow.balance(&mut context)?;
        let (mut u, mut p) = network.prices(problem);
        if status == FlowStatus::Stuck {
            network.restrict_to_leaving(&mut u, &mut p);
        }
        added = price_pairs(problem, &network, (u, p), ADMITTED_PAIRS, &context.begin_pass())?;
        context.counters.pricing_rounds += 1;
        context.counters.priced_in += added.iter().map(Vec::len).sum::<usize>() as u64;
        if added.iter().any(|row| !row.is_empty()) {
            continue;
        }
        if status == FlowStatus::Stuck {
            let cut = cut::smallest(&network, &mut context.poll)?.ok_or(FlowError::TooNarrow)?;
            return Ok(Answer::Impossible(cut));
        }
        context.counters.core_arcs = network.len() as u64;
        let pairs = network.pairs_in_use();
        let certificate = network.certificate(problem, quotas, certificate);
        return Ok(Answer::Best(Assignment { pairs, certificate, counters: context.counters }));
    }
}

/// The best pairs per mentee that exceed the prices and are not in use.
fn price_pairs<W: PriceInteger>(
    problem: &Problem<'_>,
    network: &Network<W>,
    (above, prices): (Vec<W>, Vec<W>),
    limit: usize,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Edge>>, Stopped> {
    let matched = network.mentors_of_mentees();
    let query = PricingQuery { prices: &prices, above: &above, matched: &matched, limit };
    pricing::best_pairs(problem, &query, observer)
}
