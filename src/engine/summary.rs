//! Summaries of a run: coverage, scores, criteria and exclusions in numbers, for coordinators and for the manager of each
//! organisation.
//!
//! Input: the encoded round, its matches, and its exclusion counts by open answers. Output: one [`RunSummary`] about
//! everyone, and one for each organisation that takes part.
//! Invariants: mentees, mentors, tiers, regions and organisations count everyone enrolled, also people without a live
//! consent, so that matched and unmatched people add up to the enrolments. Places and pairs count only people who take
//! part. The summary of an organisation contains its own members and their matches only.

mod groups;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::assign::StopPoll;
use super::encode::{Round, waiting_priority};
use super::exclusion_counts::RuleCounts;
use super::observer::{Observer, Stopped};
use super::wishes::Positions;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::policy::{Criterion, FULL_SCORE, HardRule};
use crate::domain::profile::Profile;
use crate::domain::run::{
    BelowMinimum, Coverage, CriterionMean, FollowedPairs, MOST_BELOW_MINIMUM, Match, Proof, RunSummary,
    ScoreRange, TierCoverage, WholeRound,
};
use crate::domain::snapshot::Participant;
use groups::Groups;

/// Width of a histogram bin, in points.
const BIN_WIDTH: u16 = 500;

/// Units of work of one lookup by name, between two polls of the observer.
const LOOKUP_WORK: usize = 128;

/// Units of work of adding one contribution.
const SUM_WORK: usize = 16;

/// Number of matches by profile.
type MatchCounts<'a> = HashMap<&'a ProfileRef, u64>;

/// The summaries of a run.
#[derive(Debug)]
pub(super) struct Summaries {
    /// For coordinators: about everyone.
    pub(super) whole: RunSummary,
    /// For managers: about the members of each organisation that takes part.
    pub(super) by_organisation: BTreeMap<OrganisationId, RunSummary>,
}

/// Summarises a run. The caller adds the times per stage, and the values of the objective.
pub(super) fn summarise(
    round: &Round<'_>,
    matches: &[Match],
    counts: &RuleCounts,
    proof: &Proof,
    observer: &dyn Observer,
) -> Result<Summaries, Stopped> {
    let poll = &mut StopPoll::new(observer);
    // The bound of a result that is not proved is about everyone, so that it is no number for one organisation.
    let own_proof = Proof { gap: proof.gap.filter(|_| proof.proved), ..proof.clone() };
    let (whole, tally) = (Tally::new(round, proof), Tally::new(round, &own_proof));
    let mut tallies =
        Tallies { regions: BTreeMap::new(), own: BTreeMap::new(), groups: Groups::default(), whole, tally };
    tallies.count_people(round, matches, poll)?;
    for pair in matches {
        poll.count(LOOKUP_WORK)?;
        tallies.add_match(pair);
    }
    if let Some(followed) = &round.snapshot.follows {
        tallies.count_followed(round, matches, &followed.pairs, poll)?;
    }
    let Tallies { regions, own, whole, groups, .. } = tallies;
    let mut organisations = BTreeMap::new();
    let mut by_organisation = BTreeMap::new();
    for (organisation, tally) in own {
        poll.count(LOOKUP_WORK)?;
        let summary = tally.finish();
        // A profile without a role counts nowhere.
        if summary.mentees + summary.mentors > 0 {
            organisations.insert(organisation.clone(), coverage(&summary));
        }
        by_organisation.insert(organisation.clone(), summary);
    }
    let whole_round = WholeRound {
        pairs: round.mentees.len() as u64 * round.mentors.len() as u64,
        candidates: counts.candidates,
        regions: regions.into_iter().filter(|(_, group)| group.mentees + group.mentors > 0).collect(),
        organisations,
        criteria: criterion_means(round, matches, poll)?,
        exclusions: HardRule::ALL
            .into_iter()
            .map(|rule| (rule, counts.excluded_by(rule)))
            .filter(|(_, pairs)| *pairs > 0)
            .collect(),
        groups: groups.finish(),
        ..WholeRound::default()
    };
    Ok(Summaries { whole: RunSummary { whole_round: Some(whole_round), ..whole.finish() }, by_organisation })
}

/// The mentors of each organisation who lack most, by profile, so that a summary stays small in a large round.
fn named(mut all: Vec<BelowMinimum>) -> Vec<BelowMinimum> {
    let lacks = |one: &BelowMinimum| Reverse(one.minimum - one.matched);
    all.sort_by(|a, b| {
        let key = |one: &BelowMinimum| (one.mentor.organisation.clone(), lacks(one));
        key(a).cmp(&key(b)).then_with(|| a.mentor.cmp(&b.mentor))
    });
    let organisations = all.chunk_by(|a, b| a.mentor.organisation == b.mentor.organisation);
    let mut kept: Vec<BelowMinimum> =
        organisations.flat_map(|own| own.iter().take(MOST_BELOW_MINIMUM).cloned()).collect();
    kept.sort_by(|a, b| a.mentor.cmp(&b.mentor));
    kept
}

fn coverage(summary: &RunSummary) -> Coverage {
    Coverage {
        mentees: summary.mentees,
        matched_mentees: summary.matched_mentees,
        mentors: summary.mentors,
        matched_mentors: summary.matched_mentors,
    }
}

/// Everything that is counted of a round.
struct Tallies<'a> {
    /// An empty tally.
    tally: Tally,
    whole: Tally,
    own: BTreeMap<&'a OrganisationId, Tally>,
    regions: BTreeMap<String, Coverage>,
    groups: Groups<'a>,
}

impl<'a> Tallies<'a> {
    /// Counts everyone enrolled.
    fn count_people(
        &mut self,
        round: &Round<'a>,
        matches: &[Match],
        poll: &mut StopPoll<'_>,
    ) -> Result<(), Stopped> {
        let matched_mentees = matches_by_profile(matches.iter().map(|pair| &pair.mentee), poll)?;
        let matched_mentors = matches_by_profile(matches.iter().map(|pair| &pair.mentor), poll)?;
        let taking_part =
            round.people.iter().map(|person| (person.profile, person.content, true, person.waiting.is_first));
        let left_out = round.left_out.iter().map(|&person| {
            let Participant { profile, content, .. } = person;
            (profile, content, false, waiting_priority(round.snapshot, person).is_first)
        });
        for (profile, content, takes_part, is_waitlisted) in taking_part.chain(left_out) {
            poll.count(4 * LOOKUP_WORK)?;
            let person = Counted {
                profile,
                content,
                takes_part,
                is_waitlisted,
                as_mentee: matched_mentees.get(profile).copied().unwrap_or_default(),
                as_mentor: matched_mentors.get(profile).copied().unwrap_or_default(),
            };
            self.whole.add_person(&person);
            self.own(&profile.organisation).add_person(&person);
            let region = content.country.region().code().to_owned();
            person.add_to(self.regions.entry(region).or_default());
            if content.open_request().is_some() {
                self.groups.add_mentee(profile, content, person.as_mentee > 0);
            }
        }
        Ok(())
    }

    /// Counts what became of the pairs of the followed run. A manager does not learn whether a pair ended because a person of
    /// another organisation left.
    fn count_followed(
        &mut self,
        round: &Round<'_>,
        matches: &[Match],
        pairs: &'a [(ProfileRef, ProfileRef)],
        poll: &mut StopPoll<'_>,
    ) -> Result<(), Stopped> {
        let positions = Positions::of(round);
        let present: HashSet<(&ProfileRef, &ProfileRef)> =
            matches.iter().map(|pair| (&pair.mentee, &pair.mentor)).collect();
        self.whole.summary.followed = Some(FollowedPairs { ended: Some(0), ..FollowedPairs::default() });
        self.own.values_mut().for_each(|own| own.summary.followed = Some(FollowedPairs::default()));
        for (mentee, mentor) in pairs {
            poll.count(4 * LOOKUP_WORK)?;
            let (kept, ended) =
                (present.contains(&(mentee, mentor)), positions.pair(mentee, mentor).is_none());
            self.whole.add_followed(kept, ended);
            let homes = [&mentee.organisation, &mentor.organisation];
            let once = if homes[0] == homes[1] { 1 } else { 2 };
            for home in &homes[..once] {
                if let Some(own) = self.own.get_mut(home) {
                    own.add_followed(kept, ended);
                }
            }
        }
        Ok(())
    }

    fn own(&mut self, organisation: &'a OrganisationId) -> &mut Tally {
        self.own.entry(organisation).or_insert_with(|| self.tally.clone())
    }

    /// Adds a match to everything that it touches.
    fn add_match(&mut self, pair: &Match) {
        self.whole.add_match(pair.score, true);
        self.groups.add_match(pair);
        // Both people are in the snapshot, so that both organisations have been counted.
        if let Some(tally) = self.own.get_mut(&pair.mentor.organisation) {
            tally.add_match(pair.score, true);
        }
        if pair.mentee.organisation != pair.mentor.organisation
            && let Some(tally) = self.own.get_mut(&pair.mentee.organisation)
        {
            tally.add_match(pair.score, false);
        }
    }
}

/// A person with what is counted of her.
struct Counted<'a> {
    profile: &'a ProfileRef,
    content: &'a Profile,
    takes_part: bool,
    is_waitlisted: bool,
    /// Her matches as a mentee and as a mentor.
    as_mentee: u64,
    as_mentor: u64,
}

impl Counted<'_> {
    fn add_to(&self, group: &mut Coverage) {
        if self.content.open_request().is_some() {
            group.mentees += 1;
            group.matched_mentees += u64::from(self.as_mentee > 0);
        }
        if self.content.open_offer().is_some() {
            group.mentors += 1;
            group.matched_mentors += u64::from(self.as_mentor > 0);
        }
    }
}

/// The numbers of some people, as far as they are counted.
#[derive(Clone)]
struct Tally {
    summary: RunSummary,
    coverage: Coverage,
    tiers: [TierCoverage; 2],
    scores: Vec<u16>,
    below_minimum: Vec<BelowMinimum>,
}

impl Tally {
    fn new(round: &Round<'_>, proof: &Proof) -> Self {
        Self {
            summary: RunSummary {
                objective: round.snapshot.objective(),
                proof: proof.clone(),
                ..RunSummary::default()
            },
            coverage: Coverage::default(),
            tiers: [1, 2].map(|tier| TierCoverage { tier, mentees: 0, matched: 0 }),
            scores: Vec::new(),
            below_minimum: Vec::new(),
        }
    }

    fn add_person(&mut self, person: &Counted<'_>) {
        person.add_to(&mut self.coverage);
        let summary = &mut self.summary;
        if let Some(request) = person.content.open_request() {
            let tier = &mut self.tiers[usize::from(!person.is_waitlisted)];
            tier.mentees += 1;
            tier.matched += u64::from(person.as_mentee > 0);
            let misses = person.takes_part && request.wanted() > 1 && person.as_mentee < 2;
            summary.second_places_missed += u64::from(misses);
        }
        if let Some(offer) = person.content.open_offer().filter(|_| person.takes_part) {
            summary.places += u64::from(offer.max_mentees);
            let minimum = u32::from(offer.fewest().min(offer.max_mentees));
            if person.as_mentor < u64::from(minimum) {
                let matched = u32::try_from(person.as_mentor).unwrap_or(u32::MAX);
                self.below_minimum.push(BelowMinimum { mentor: person.profile.clone(), minimum, matched });
            }
        }
    }

    fn add_match(&mut self, score: u16, fills_place: bool) {
        self.scores.push(score);
        self.summary.filled_places += u64::from(fills_place);
    }

    fn add_followed(&mut self, kept: bool, ended: bool) {
        let Some(counts) = &mut self.summary.followed else { return };
        match &mut counts.ended {
            _ if kept => counts.kept += 1,
            Some(number) if ended => *number += 1,
            _ => counts.changed += 1,
        }
    }

    fn finish(mut self) -> RunSummary {
        self.scores.sort_unstable();
        RunSummary {
            mentees: self.coverage.mentees,
            mentors: self.coverage.mentors,
            matches: self.scores.len() as u64,
            matched_mentees: self.coverage.matched_mentees,
            matched_mentors: self.coverage.matched_mentors,
            total_score: self.scores.iter().map(|score| u64::from(*score)).sum(),
            scores: ScoreRange::of_sorted(&self.scores),
            score_histogram: histogram(&self.scores),
            mentors_below_minimum: self.below_minimum.len() as u64,
            below_minimum: named(self.below_minimum),
            tiers: self.tiers.into_iter().filter(|tier| tier.tier > 1 || tier.mentees > 0).collect(),
            ..self.summary
        }
    }
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
