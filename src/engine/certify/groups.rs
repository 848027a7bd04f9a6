//! The part of the check that quotas add: bounds and prices of groups, and weights that keep the order of the aims.

use crate::engine::groups::{Forest, Quotas};
use crate::engine::problem::Problem;

use super::{Infeasible, bound, rules};
use crate::engine::certificate::{Aim, Certificate, GroupSide};

/// Checks that every group has a price, and that no sum of nested prices is too large.
pub(super) fn check_form(quotas: &Quotas, certificate: &Certificate) -> Result<(), Infeasible> {
    let Certificate { mentee_group_prices, mentor_group_prices, .. } = certificate;
    let sides = [(&quotas.mentees, mentee_group_prices), (&quotas.mentors, mentor_group_prices)];
    if sides.iter().any(|(forest, prices)| forest.groups().len() != prices.len()) {
        return Err(Infeasible::GroupPricesMissing {
            mentee_group_prices: mentee_group_prices.len() as u64,
            mentor_group_prices: mentor_group_prices.len() as u64,
        });
    }
    for (forest, prices) in sides {
        let mut around: Vec<i128> = Vec::with_capacity(prices.len());
        for (group, &price) in forest.groups().iter().zip(prices) {
            let outer = group.parent.map_or(0, |parent| around[parent as usize]);
            let sum = price.checked_add(outer).filter(|sum| rules::is_small(*sum) && rules::is_small(price));
            around.push(sum.ok_or(Infeasible::NumberTooLarge)?);
        }
    }
    Ok(())
}

/// Checks that every aim outweighs the loss of the next aim on a simple cycle through all groups, and all scores.
pub(super) fn check_weights(
    problem: &Problem<'_>,
    quotas: &Quotas,
    certificate: &Certificate,
    step: i128,
) -> Result<(), Infeasible> {
    let groups = groups_with_bonus(problem, quotas);
    if groups == 0 || !problem.coverage_first {
        return Ok(());
    }
    let lost = groups + 2;
    let outweighs = |weight: i128, next: i128| lost.checked_mul(next).is_some_and(|all| weight - step >= all);
    if !outweighs(certificate.minimum, certificate.second) {
        return Err(Infeasible::WeakWeight(Aim::Minimum));
    }
    let mut next = certificate.minimum;
    for entry in certificate.tiers.iter().rev() {
        if !outweighs(entry.weight, next) {
            return Err(Infeasible::WeakWeight(Aim::Tier(entry.tier)));
        }
        next = entry.weight;
    }
    Ok(())
}

/// Number of groups that are the innermost group of a mentee, or of a mentor with minimum places.
fn groups_with_bonus(problem: &Problem<'_>, quotas: &Quotas) -> i128 {
    let mut of_mentees = vec![0; quotas.mentees.groups().len()];
    let mut of_mentors = vec![0; quotas.mentors.groups().len()];
    for mentee in 0..problem.mentees.len() {
        if let Some(group) = quotas.mentees.innermost(mentee) {
            of_mentees[group as usize] = 1;
        }
    }
    for (mentor, seats) in problem.mentors.iter().enumerate() {
        if let Some(group) = quotas.mentors.innermost(mentor).filter(|_| seats.min > 0) {
            of_mentors[group as usize] = 1;
        }
    }
    of_mentees.into_iter().chain(of_mentors).sum()
}

/// Checks that the number of pairs of every group is within its bounds.
pub(super) fn check_counts(quotas: &Quotas, pairs: &[(u32, u32)]) -> Result<(), Infeasible> {
    let mentees = pairs.iter().map(|pair| pair.0);
    check_side(GroupSide::Mentees, &quotas.mentees, mentees)?;
    let mentors = pairs.iter().map(|pair| pair.1);
    check_side(GroupSide::Mentors, &quotas.mentors, mentors)
}

fn check_side(side: GroupSide, forest: &Forest, people: impl Iterator<Item = u32>) -> Result<(), Infeasible> {
    let groups = forest.groups();
    if groups.is_empty() {
        return Ok(());
    }
    let mut has = vec![0_u64; groups.len()];
    for person in people {
        let mut at = forest.innermost(person as usize);
        while let Some(group) = at {
            has[group as usize] += 1;
            at = groups[group as usize].parent;
        }
    }
    for ((at, group), has) in (0_u32..).zip(groups).zip(has) {
        let (floor, ceiling) = (group.floor, group.ceiling);
        if has < u64::from(floor) || has > u64::from(ceiling) {
            return Err(Infeasible::OutOfQuota { side, group: at, has, floor, ceiling });
        }
    }
    Ok(())
}

/// The terms of places, seats and groups of the bound. A person's price is reduced by the prices of the groups that
/// contain the person. `None` if the terms exceed 128 bits.
pub(super) fn nodes(
    problem: &Problem<'_>,
    quotas: &Quotas,
    certificate: &Certificate,
    most_pairs: i128,
) -> Option<i128> {
    let Certificate { mentee_prices, mentor_prices, mentee_group_prices, mentor_group_prices, .. } =
        certificate;
    if quotas.mentees.groups().is_empty() && quotas.mentors.groups().is_empty() {
        return bound::nodes(problem, certificate);
    }
    let net = Certificate {
        mentee_prices: net_prices(&quotas.mentees, mentee_group_prices, mentee_prices),
        mentor_prices: net_prices(&quotas.mentors, mentor_group_prices, mentor_prices),
        ..certificate.clone()
    };
    let mut sum = bound::nodes(problem, &net)?;
    let mentee_groups = quotas.mentees.groups().iter().zip(mentee_group_prices);
    let mentor_groups = quotas.mentors.groups().iter().zip(mentor_group_prices);
    for (group, &price) in mentee_groups.chain(mentor_groups) {
        let ceiling = i128::from(group.ceiling).min(most_pairs);
        let bound = if price > 0 { ceiling } else { i128::from(group.floor) };
        sum = sum.checked_add(bound.checked_mul(price)?)?;
    }
    Some(sum)
}

fn net_prices(forest: &Forest, of_groups: &[i128], of_people: &[i128]) -> Vec<i128> {
    let mut around: Vec<i128> = Vec::with_capacity(of_groups.len());
    for (group, price) in forest.groups().iter().zip(of_groups) {
        around.push(price + group.parent.map_or(0, |parent| around[parent as usize]));
    }
    let net = |(person, price): (usize, &i128)| {
        price - forest.innermost(person).map_or(0, |group| around[group as usize])
    };
    of_people.iter().enumerate().map(net).collect()
}
