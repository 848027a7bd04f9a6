//! The bounds of a round: the one place that turns the quotas of a policy, its rule on least places, and the limits of
//! organisations of their own into groups, limits and numbers by position.
//!
//! Input: the encoded round. Output: [`MatchBounds`], with the codes of the groups; or the quotas that overlap.
//! Invariants: of a limit of the policy and one of the organisation's own, the smaller one holds. An organisation's own limit is
//! private: no code names it, and [`OwnLimits::Hidden`] leaves it out of everything that other people read.

pub(super) mod unmet;

use std::collections::{BTreeMap, BTreeSet};

use super::encode::{Person, Round};
use super::exchange::{ExchangeLimits, LeastPlaces, MatchBounds};
use super::groups::{Forest, Group, Quotas};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::OrganisationId;
use crate::domain::organisation::PlaceLimits;
use crate::domain::quota::{Quota, QuotaSide};

/// Whether the limits of organisations of their own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnLimits {
    /// They count.
    Counted,
    /// They do not, because what is computed is shown.
    Hidden,
}

/// The bounds of a round.
#[derive(Debug, Clone, Default)]
pub(super) struct RoundQuotas {
    /// Groups and limits.
    pub(super) bounds: MatchBounds,
    /// Codes of the groups of mentees.
    pub(super) mentee_groups: Vec<String>,
    /// Codes of the groups of mentors.
    pub(super) mentor_groups: Vec<String>,
}

/// Two quotas of one side that overlap without one containing the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QuotaOverlap {
    /// Codes of both.
    pub(super) groups: [String; 2],
}

impl QuotaOverlap {
    /// The overlap as a reason.
    pub(super) fn reason(&self) -> Reason {
        Reason::new(ReasonCode::QuotasOverlap).with("groups", self.groups.join(","))
    }
}

impl RoundQuotas {
    /// The bounds of a round, or two quotas that overlap.
    pub(super) fn of(round: &Round<'_>, own: OwnLimits) -> Result<Self, QuotaOverlap> {
        let policy = &round.snapshot.policy.quotas;
        let exchange = exchange(round, own);
        let least = least_places(round);
        if policy.is_empty() {
            let bounds = MatchBounds { exchange, least, ..MatchBounds::default() };
            return Ok(Self { bounds, ..Self::default() });
        }
        let side = |side: QuotaSide, people: &[u32]| {
            let quotas: Vec<&Quota> = policy.quotas.iter().filter(|quota| quota.side == side).collect();
            let people: Vec<&Person<'_>> = people.iter().map(|at| &round.people[*at as usize]).collect();
            forest(&quotas, &people)
        };
        let (mentees, mentee_groups) = side(QuotaSide::Mentees, &round.mentees)?;
        let (mentors, mentor_groups) = side(QuotaSide::Mentors, &round.mentors)?;
        let bounds = MatchBounds { quotas: Quotas { mentees, mentors }, exchange, least };
        Ok(Self { bounds, mentee_groups, mentor_groups })
    }
}

/// The forest of some quotas, with the codes of its groups. Groups are ordered by size: a group of the same people as another
/// one is within it.
fn forest(quotas: &[&Quota], people: &[&Person<'_>]) -> Result<(Forest, Vec<String>), QuotaOverlap> {
    let contains = |quota: &Quota, person: &Person<'_>| {
        quota.region.is_none_or(|region| region == person.content.country.region())
            && quota.organisation.as_ref().is_none_or(|id| *id == person.profile.organisation)
    };
    let mut sized: Vec<(usize, &Quota)> = (quotas.iter())
        .map(|quota| (people.iter().filter(|person| contains(quota, person)).count(), *quota))
        .collect();
    // The sort is stable, and the policy has an order of its own.
    sized.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let mut parents: Vec<Option<Option<u32>>> = vec![None; sized.len()];
    let mut innermost = Vec::with_capacity(people.len());
    for person in people {
        let mut around = None;
        for (at, (_, quota)) in (0_u32..).zip(&sized) {
            if !contains(quota, person) {
                continue;
            }
            let parent = parents[at as usize].get_or_insert(around);
            if *parent != around {
                let outer = around.or(*parent).unwrap_or(at);
                return Err(QuotaOverlap { groups: [sized[outer as usize].1.code(), quota.code()] });
            }
            around = Some(at);
        }
        innermost.push(around);
    }
    let groups = sized.iter().zip(parents).map(|((_, quota), parent)| Group {
        parent: parent.flatten(),
        floor: quota.least,
        ceiling: quota.most.unwrap_or(u32::MAX),
    });
    let codes = sized.iter().map(|(_, quota)| quota.code()).collect();
    // Parents precede their groups, and every floor is at most its ceiling.
    Ok((Forest::new(groups.collect(), innermost).unwrap_or_default(), codes))
}

/// The least places of each mentor, if the policy makes them a rule.
fn least_places(round: &Round<'_>) -> LeastPlaces {
    if !round.snapshot.requires_least_places() {
        return LeastPlaces::default();
    }
    LeastPlaces::new(round.seats().iter().map(|seats| seats.min).collect())
}

/// The limits of the exchange. Organisations are numbered by id.
fn exchange(round: &Round<'_>, own: OwnLimits) -> ExchangeLimits {
    let policy = &round.snapshot.policy.quotas;
    let own_limits: BTreeMap<&OrganisationId, PlaceLimits> = match own {
        OwnLimits::Hidden => BTreeMap::new(),
        OwnLimits::Counted => round.snapshot.own_limits().collect(),
    };
    if policy.exchange.is_empty() && own_limits.is_empty() {
        return ExchangeLimits::default();
    }
    let ids: BTreeSet<&OrganisationId> =
        round.people.iter().map(|person| &person.profile.organisation).collect();
    let numbers: BTreeMap<&OrganisationId, u32> = ids.iter().copied().zip(0..).collect();
    let smaller = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
    let limits = ids.iter().map(|id| {
        let of_policy = policy.exchange_of(id);
        let PlaceLimits { most_given, most_taken } = own_limits.get(id).copied().unwrap_or_default();
        (
            smaller(of_policy.and_then(|limit| limit.most_given), most_given),
            smaller(of_policy.and_then(|limit| limit.most_taken), most_taken),
        )
    });
    let (given, taken) = limits.unzip();
    let of = |side: &[u32]| {
        side.iter().map(|at| numbers[&round.people[*at as usize].profile.organisation]).collect()
    };
    ExchangeLimits { of_mentees: of(&round.mentees), of_mentors: of(&round.mentors), given, taken }
}
