//! The rules of an assignment, the form of a certificate, and the value of the assignment under the certificate's weights.

use std::collections::HashSet;

use rayon::prelude::*;

use crate::engine::observer::{Observer, Stopped};
use crate::engine::problem::Problem;

use super::Infeasible;
use crate::engine::certificate::{Aim, Certificate};

/// Numbers up to this size cannot overflow the sums over people and candidates: at most 2^45 terms of at most four such
/// numbers. Products with numbers of seats are checked separately.
const LARGEST: i128 = 1 << 80;

/// Pairs between two calls of the observer.
const INTERVAL: usize = 4096;

/// Checks that the certificate has one price per person and one weight per tier, and that no number is too large.
pub(super) fn check_form(problem: &Problem<'_>, certificate: &Certificate) -> Result<(), Infeasible> {
    let Certificate { tiers, minimum, second, mentee_prices, mentor_prices, .. } = certificate;
    if mentee_prices.len() != problem.mentees.len() || mentor_prices.len() != problem.mentors.len() {
        return Err(Infeasible::PricesMissing {
            mentee_prices: mentee_prices.len() as u64,
            mentor_prices: mentor_prices.len() as u64,
        });
    }
    let ascending = tiers.windows(2).all(|pair| pair[0].tier < pair[1].tier);
    let mut known = [false; 256];
    for entry in tiers {
        known[usize::from(entry.tier)] = true;
    }
    if !ascending || !problem.mentees.iter().all(|demand| known[usize::from(demand.tier)]) {
        return Err(Infeasible::TiersMissing);
    }
    let weights = tiers.iter().map(|entry| &entry.weight).chain([minimum, second]);
    if weights.chain(mentee_prices).chain(mentor_prices).all(|number| is_small(*number)) {
        Ok(())
    } else {
        Err(Infeasible::NumberTooLarge)
    }
}

/// Whether a number is small enough for the sums.
pub(super) fn is_small(number: i128) -> bool {
    (-LARGEST..=LARGEST).contains(&number)
}

/// The largest possible number of pairs: the smaller of all places wanted and all places offered.
pub(super) fn most_pairs(problem: &Problem<'_>) -> i128 {
    let mut wanted = 0_i128;
    for demand in problem.mentees {
        wanted += i128::from(demand.wanted.min(2));
    }
    let mut offered = 0_i128;
    for seats in problem.mentors {
        offered += i128::from(seats.max).min(problem.mentees.len() as i128);
    }
    wanted.min(offered)
}

/// `step`: one more than the largest difference in total score, for candidates that score `lowest..=highest`.
pub(super) fn step(most_pairs: i128, lowest: i32, highest: i32) -> i128 {
    1 + most_pairs * (i128::from(highest.max(0)) - i128::from(lowest.min(0)))
}

/// Checks that every aim outweighs all later aims and scores, for candidates that score `lowest..=highest`.
pub(super) fn check_weights(
    problem: &Problem<'_>,
    certificate: &Certificate,
    most_pairs: i128,
    lowest: i32,
    highest: i32,
) -> Result<(), Infeasible> {
    let step = step(most_pairs, lowest, highest);
    if certificate.minimum < step {
        return Err(Infeasible::WeakWeight(Aim::Minimum));
    }
    if !problem.coverage_first {
        return check_no_weights(certificate);
    }
    if certificate.second < step {
        return Err(Infeasible::WeakWeight(Aim::Second));
    }
    let mut next = certificate.second;
    for entry in certificate.tiers.iter().rev() {
        if entry.weight < next + step {
            return Err(Infeasible::WeakWeight(Aim::Tier(entry.tier)));
        }
        next = entry.weight;
    }
    Ok(())
}

/// Checks that only minimum places and scores have weights.
fn check_no_weights(certificate: &Certificate) -> Result<(), Infeasible> {
    if certificate.second != 0 {
        return Err(Infeasible::ForeignWeight(Aim::Second));
    }
    match certificate.tiers.iter().find(|entry| entry.weight != 0) {
        Some(entry) => Err(Infeasible::ForeignWeight(Aim::Tier(entry.tier))),
        None => Ok(()),
    }
}

/// Why an assignment has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueError {
    /// The assignment breaks a rule.
    Infeasible(Infeasible),
    /// The observer stopped the operation.
    Stopped(Stopped),
}

impl From<Infeasible> for ValueError {
    fn from(broken: Infeasible) -> Self {
        Self::Infeasible(broken)
    }
}

impl From<Stopped> for ValueError {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

/// The value of an assignment that keeps all rules.
pub(super) fn value(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    certificate: &Certificate,
    observer: &dyn Observer,
) -> Result<i128, ValueError> {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let (mentee, mentor) = twice[0];
        return Err(Infeasible::UsedTwice { mentee, mentor }.into());
    }
    one_direction(problem, &sorted)?;
    let total = |pairs: &[(u32, u32)]| {
        observer.check()?;
        Ok(total(problem, pairs)?)
    };
    let totals: Vec<Result<i128, ValueError>> = sorted.par_chunks(INTERVAL).map(total).collect();
    if totals.contains(&Err(ValueError::Stopped(Stopped))) {
        return Err(Stopped.into());
    }
    let mut value = 0_i128;
    for total in totals {
        value += total?;
    }
    let mut mentors_of = vec![0_u32; problem.mentees.len()];
    let mut load = vec![0_u32; problem.mentors.len()];
    for (mentee, mentor) in sorted {
        mentors_of[mentee as usize] += 1;
        load[mentor as usize] += 1;
    }
    let first = tier_weights(certificate);
    for ((&has, demand), mentee) in mentors_of.iter().zip(problem.mentees).zip(0_u32..) {
        let wanted = u32::from(demand.wanted.min(2));
        if has > wanted {
            return Err(Infeasible::TooManyMentors { mentee, has, wanted }.into());
        }
        if has >= 1 {
            value += if demand.pinned > 0 { certificate.second } else { first[usize::from(demand.tier)] };
        }
        if has == 2 {
            value += certificate.second;
        }
    }
    for ((&has, seats), mentor) in load.iter().zip(problem.mentors).zip(0_u32..) {
        if has > seats.max {
            return Err(Infeasible::TooManyMentees { mentor, has, places: seats.max }.into());
        }
        value += certificate.minimum * i128::from(has.min(seats.min));
    }
    Ok(value)
}

/// Checks that no two people mentor each other, if the problem has that rule.
pub(super) fn one_direction(problem: &Problem<'_>, pairs: &[(u32, u32)]) -> Result<(), Infeasible> {
    let Some(opposites) = problem.scores.opposites() else { return Ok(()) };
    let used: HashSet<(u32, u32)> = pairs.iter().copied().collect();
    let both = pairs.iter().find(|pair| opposites.of(**pair).is_some_and(|other| used.contains(&other)));
    both.map_or(Ok(()), |&(mentee, mentor)| Err(Infeasible::BothDirections { mentee, mentor }))
}

/// The sum of the scores of some pairs, all of which must be candidates.
fn total(problem: &Problem<'_>, pairs: &[(u32, u32)]) -> Result<i128, Infeasible> {
    let mut total = 0;
    for &(mentee, mentor) in pairs {
        let (at, to) = (mentee as usize, mentor as usize);
        if at >= problem.mentees.len() || to >= problem.mentors.len() {
            return Err(Infeasible::Unknown { mentee, mentor });
        }
        let score = problem.scores.score(at, to).ok_or(Infeasible::NotACandidate { mentee, mentor })?;
        total += i128::from(score);
    }
    Ok(total)
}

/// Weights of first mentors by tier; 0 for tiers that do not occur.
pub(super) fn tier_weights(certificate: &Certificate) -> [i128; 256] {
    let mut weights = [0; 256];
    for entry in &certificate.tiers {
        weights[usize::from(entry.tier)] = entry.weight;
    }
    weights
}
