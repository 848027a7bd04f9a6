//! Summary of a run: coverage, scores, criteria and exclusions in numbers.
//!
//! Input: the encoded round, its matches and its exclusion counts. Output: a [`RunSummary`].
//! Invariant: mentees, mentors, tiers, regions and organisations count everyone enrolled, also people without a live
//! consent, so that matched and unmatched people add up to the enrolments. Places and pairs count only people who take part.

use std::collections::{BTreeMap, HashMap};

use super::assign::StopPoll;
use super::encode::Round;
use super::exclusion_counts::RuleCounts;
use super::observer::{Observer, Stopped};
use crate::domain::name::ProfileRef;
use crate::domain::policy::{Criterion, FULL_SCORE, HardRule};
use crate::domain::run::{Coverage, CriterionMean, Match, Proof, RunSummary, TierCoverage};
use crate::domain::snapshot::Participant;

/// Width of a histogram bin, in points.
const BIN_WIDTH: u16 = 500;

/// Units of work of one lookup by name, between two polls of the observer.
const LOOKUP_WORK: usize = 128;

/// Units of work of adding one contribution.
const SUM_WORK: usize = 16;

/// Number of matches by profile.
type MatchCounts<'a> = HashMap<&'a ProfileRef, u64>;

/// Summarises a run. The caller adds the times per stage, the objective and its values.
pub(super) fn summarise(
    round: &Round<'_>,
    matches: &[Match],
    counts: &RuleCounts,
    proof: Proof,
    observer: &dyn Observer,
) -> Result<RunSummary, Stopped> {
    let poll = &mut StopPoll::new(observer);
    let mut scores: Vec<u16> = matches.iter().map(|pair| pair.score).collect();
    scores.sort_unstable();
    let matched_mentees = matches_by_profile(matches.iter().map(|pair| &pair.mentee), poll)?;
    let matched_mentors = matches_by_profile(matches.iter().map(|pair| &pair.mentor), poll)?;
    let mut mentors_below_minimum = 0;
    for person in (0..round.mentors.len()).map(|at| round.mentor(at)) {
        poll.count(LOOKUP_WORK)?;
        let fewest = person.content.mentor_offer.map_or(0, |offer| u64::from(offer.fewest()));
        let has = matched_mentors.get(person.profile);
        mentors_below_minimum += u64::from(has.is_some_and(|has| *has < fewest));
    }
    let mut second_places_missed = 0;
    for person in (0..round.mentees.len()).map(|at| round.mentee(at)) {
        poll.count(LOOKUP_WORK)?;
        let wanted = person.content.open_request().map_or(0, |request| request.wanted());
        let has = matched_mentees.get(person.profile);
        second_places_missed += u64::from(wanted > 1 && has.is_none_or(|has| *has < 2));
    }
    let offers = || round.mentors.iter().enumerate().map(|(at, _)| round.mentor(at));
    let mut summary = RunSummary {
        pairs: round.mentees.len() as u64 * round.mentors.len() as u64,
        candidates: counts.candidates,
        places: offers()
            .map(|person| person.content.mentor_offer.map_or(0, |offer| u64::from(offer.max_mentees)))
            .sum(),
        matches: matches.len() as u64,
        matched_mentees: matched_mentees.len() as u64,
        matched_mentors: matched_mentors.len() as u64,
        total_score: scores.iter().map(|score| u64::from(*score)).sum(),
        worst_score: scores.first().copied().unwrap_or_default(),
        median_score: scores.get(scores.len().saturating_sub(1) / 2).copied().unwrap_or_default(),
        best_score: scores.last().copied().unwrap_or_default(),
        proof,
        score_histogram: histogram(&scores),
        criteria: criterion_means(round, matches, poll)?,
        exclusions: HardRule::ALL
            .into_iter()
            .map(|rule| (rule, counts.excluded_by(rule)))
            .filter(|(_, pairs)| *pairs > 0)
            .collect(),
        mentors_below_minimum,
        second_places_missed,
        ..RunSummary::default()
    };
    count_coverage(&mut summary, round, (&matched_mentees, &matched_mentors), poll)?;
    Ok(summary)
}

/// Counts everyone enrolled, by side, tier, region and organisation.
fn count_coverage(
    summary: &mut RunSummary,
    round: &Round<'_>,
    (matched_mentees, matched_mentors): (&MatchCounts<'_>, &MatchCounts<'_>),
    poll: &mut StopPoll<'_>,
) -> Result<(), Stopped> {
    let mut tiers = [1, 2].map(|tier| TierCoverage { tier, mentees: 0, matched: 0 });
    let taking_part = round.people.iter().map(|person| (person.profile, person.content));
    let left_out = round.left_out.iter().map(|Participant { profile, content, .. }| (profile, content));
    for (profile, content) in taking_part.chain(left_out) {
        poll.count(4 * LOOKUP_WORK)?;
        let region = content.country.region().code().to_owned();
        let regional = summary.regions.entry(region).or_default();
        let own = summary.organisations.entry(profile.organisation.clone()).or_default();
        if content.open_request().is_some() {
            let matched = u64::from(matched_mentees.contains_key(profile));
            summary.mentees += 1;
            for coverage in [&mut *regional, &mut *own] {
                coverage.mentees += 1;
                coverage.matched_mentees += matched;
            }
            let tier = &mut tiers[usize::from(!round.is_waitlisted(content))];
            tier.mentees += 1;
            tier.matched += matched;
        }
        if content.open_offer().is_some() {
            let matched = u64::from(matched_mentors.contains_key(profile));
            summary.mentors += 1;
            for coverage in [&mut *regional, &mut *own] {
                coverage.mentors += 1;
                coverage.matched_mentors += matched;
            }
        }
    }
    let is_empty = |coverage: &Coverage| coverage.mentees + coverage.mentors == 0;
    summary.regions.retain(|_, coverage| !is_empty(coverage));
    summary.organisations.retain(|_, coverage| !is_empty(coverage));
    summary.tiers = tiers.into_iter().filter(|tier| tier.tier > 1 || tier.mentees > 0).collect();
    Ok(())
}

fn matches_by_profile<'a>(
    profiles: impl Iterator<Item = &'a ProfileRef>,
    poll: &mut StopPoll<'_>,
) -> Result<MatchCounts<'a>, Stopped> {
    let mut counts = HashMap::new();
    for profile in profiles {
        poll.count(LOOKUP_WORK)?;
        *counts.entry(profile).or_insert(0) += 1;
    }
    Ok(counts)
}

/// Number of matches per bin. The last bin includes the full score.
fn histogram(scores: &[u16]) -> Vec<u64> {
    let mut bins = vec![0; usize::from(FULL_SCORE / BIN_WIDTH)];
    let last = bins.len() - 1;
    for score in scores {
        bins[usize::from(score / BIN_WIDTH).min(last)] += 1;
    }
    bins
}

/// Mean points per criterion that is not private, in the order of the policy.
fn criterion_means(
    round: &Round<'_>,
    matches: &[Match],
    poll: &mut StopPoll<'_>,
) -> Result<Vec<CriterionMean>, Stopped> {
    let mut sums: BTreeMap<Criterion, u64> = BTreeMap::new();
    for contribution in matches.iter().flat_map(|pair| &pair.contributions) {
        poll.count(SUM_WORK)?;
        if let Some(criterion) = contribution.criterion {
            *sums.entry(criterion).or_default() += u64::from(contribution.points);
        }
    }
    let mean = |(criterion, max_points): (Criterion, u16)| CriterionMean {
        criterion: Some(criterion),
        mean_points_hundredths: sums
            .get(&criterion)
            .map_or(0, |sum| sum * 100 / (matches.len() as u64).max(1)),
        max_points,
    };
    let policy = &round.snapshot.policy;
    let weighty = policy.criteria.iter().zip(policy.max_points()).filter(|(weight, _)| weight.weight > 0);
    let open = weighty.map(|(_, points)| points).filter(|(criterion, _)| !criterion.is_private());
    Ok(open.map(mean).collect())
}
