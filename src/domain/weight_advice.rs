//! What the outcomes of mentorships say about the weights of a policy. A person decides what follows from it.
//!
//! Input: one [`Observation`] for each mentorship whose outcome is known: how well the pair fulfilled each criterion that is not
//! private, how satisfied the two were, and whether the mentorship was completed. Output: a [`WeightAdvice`].
//!
//! Method: for each outcome a linear model with one effect per criterion, compared within each round, as [`regression`] states.
//! An effect is what the outcome gains from a pair that does not fulfil the criterion at all to one that fulfils it wholly.
//!
//! Rules:
//! - A criterion is judged only if enough people of enough organisations answered it ([`statistic`]), if pairs of a round differ in
//!   it, and if there are ten mentorships for each judged criterion (Peduzzi et al. 1996, Journal of Clinical Epidemiology 49).
//!   Otherwise the advice says that the data say nothing.
//! - The data speak for more weight if the interval of an effect lies above zero and that of the other outcome not below zero, and
//!   the other way round for less. The suggestion is a step of a quarter of the weight.
//! - The outcomes are those of matched pairs, which fulfil the criteria better than pairs that were never tried. An effect is a
//!   correlation, no cause.

mod regression;

use std::collections::{BTreeMap, BTreeSet};

use self::regression::{Model, Row, fit};
use super::mentorship::{EndReason, MentorshipState};
use super::name::{OrganisationId, RoundId};
use super::policy::{Criterion, CriterionWeight, MAX_WEIGHT, Policy};
use super::suppression::{Statistic, statistic};

/// Mentorships that the model needs for each criterion that it judges.
const ROWS_PER_CRITERION: usize = 10;

/// A mentorship whose outcome is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// Its round. Mentorships are compared within a round only.
    pub round: RoundId,
    /// Organisation of the mentee.
    pub organisation: OrganisationId,
    /// How well the pair fulfilled each criterion that is not private, in 1/10,000, without those that lacked an answer.
    pub criteria: BTreeMap<Criterion, u16>,
    /// Mean satisfaction of the sides that said it last, in hundredths of a point, 100..=500.
    pub satisfaction: Option<u16>,
    /// Whether it was completed, if its end says something of the pair.
    pub completed: Option<bool>,
}

/// What the end of a mentorship says of the pair: that it worked, that it did not, or nothing. People leave a sector for other
/// reasons than their mentor.
pub fn completed(state: MentorshipState, reason: Option<EndReason>) -> Option<bool> {
    match (state, reason) {
        (MentorshipState::Completed, _)
        | (MentorshipState::EndedEarly, Some(EndReason::GoalsReachedEarly)) => Some(true),
        (
            MentorshipState::EndedEarly,
            Some(
                EndReason::NotAFit
                | EndReason::PartnerUnresponsive
                | EndReason::NoShow
                | EndReason::ConductConcern,
            ),
        ) => Some(false),
        _ => None,
    }
}

/// An outcome that a model explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Satisfaction,
    Completion,
}

impl Outcome {
    /// The outcome of a mentorship, as a number of its unit.
    fn of(self, observation: &Observation) -> Option<f64> {
        match self {
            Self::Satisfaction => observation.satisfaction.map(|hundredths| f64::from(hundredths) / 100.0),
            Self::Completion => observation.completed.map(|completed| f64::from(u8::from(completed))),
        }
    }

    /// The size that an effect is expected to have before the data are seen: one point of satisfaction, or half of the
    /// mentorships.
    fn expected_size(self) -> f64 {
        match self {
            Self::Satisfaction => 1.0,
            Self::Completion => 0.5,
        }
    }
}

/// What an outcome gains from a pair that does not fulfil a criterion to one that fulfils it wholly, in hundredths: of a point of
/// satisfaction, or of all mentorships. With 99 % probability the effect lies from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Mentorships on which it rests.
    pub mentorships: u64,
    /// The likeliest effect.
    pub estimate: i32,
    /// The least one.
    pub low: i32,
    /// The greatest one.
    pub high: i32,
}

/// What the data say about the weight of a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Too few mentorships, people or organisations, or no difference between pairs.
    TooFew,
    /// The data say nothing: with and without the criterion, pairs fare alike as far as can be told.
    Nothing,
    /// Pairs that fulfil it fare better.
    More,
    /// Pairs that fulfil it fare worse.
    Less,
}

/// The advice about one criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriterionAdvice {
    /// The criterion with its present weight.
    pub present: CriterionWeight,
    /// The weight that the data suggest; the present one if they say nothing.
    pub suggested: u16,
    /// What the data say.
    pub verdict: Verdict,
    /// Effect on satisfaction; `None` if it cannot be judged.
    pub satisfaction: Option<Effect>,
    /// Effect on completion; `None` if it cannot be judged.
    pub completion: Option<Effect>,
}

/// The advice about a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightAdvice {
    /// Mentorships with a known satisfaction, if they are enough to be told.
    pub with_satisfaction: Option<u64>,
    /// Mentorships with an end that says something of the pair, if they are enough to be told.
    pub with_end: Option<u64>,
    /// Each criterion of the policy that is not private, in the policy's order.
    pub criteria: Vec<CriterionAdvice>,
}

impl WeightAdvice {
    /// The policy with the suggested weights.
    pub fn applied_to(&self, policy: &Policy) -> Policy {
        let suggested: BTreeMap<Criterion, u16> =
            self.criteria.iter().map(|one| (one.present.criterion, one.suggested)).collect();
        let criteria = policy.criteria.iter().map(|one| {
            let weight = suggested.get(&one.criterion).copied().unwrap_or(one.weight);
            CriterionWeight { weight, ..*one }
        });
        Policy { criteria: criteria.collect(), ..policy.clone() }
    }

    /// Whether it suggests another weight for a criterion.
    pub fn suggests_change(&self) -> bool {
        self.criteria.iter().any(|one| one.suggested != one.present.weight)
    }
}

/// Judges the criteria of a policy by outcomes. The order of the observations does not matter.
pub fn advise(policy: &Policy, mut observations: Vec<Observation>) -> WeightAdvice {
    observations.sort();
    let satisfaction = Effects::of(Outcome::Satisfaction, &observations);
    let completion = Effects::of(Outcome::Completion, &observations);
    let is_open = |one: &&CriterionWeight| !one.criterion.is_private();
    let advice = |present: &CriterionWeight| {
        let effects =
            [&satisfaction, &completion].map(|found| found.by_criterion.get(&present.criterion).copied());
        let verdict = verdict(effects);
        CriterionAdvice {
            present: *present,
            suggested: stepped(present.weight, verdict),
            verdict,
            satisfaction: effects[0],
            completion: effects[1],
        }
    };
    WeightAdvice {
        with_satisfaction: satisfaction.tellable,
        with_end: completion.tellable,
        criteria: policy.criteria.iter().filter(is_open).map(advice).collect(),
    }
}

fn verdict(effects: [Option<Effect>; 2]) -> Verdict {
    let known = || effects.into_iter().flatten();
    let (above, below) = (known().any(|one| one.low > 0), known().any(|one| one.high < 0));
    match (known().next(), above, below) {
        (None, ..) => Verdict::TooFew,
        (Some(_), true, false) => Verdict::More,
        (Some(_), false, true) => Verdict::Less,
        // One outcome speaks for it and the other against it.
        (Some(_), true, true) | (Some(_), false, false) => Verdict::Nothing,
    }
}

/// A weight after a step of a quarter, at least of 1. A criterion that counts goes on to count.
fn stepped(weight: u16, verdict: Verdict) -> u16 {
    let step = weight.div_ceil(4);
    match verdict {
        Verdict::More => (weight + step.max(1)).min(MAX_WEIGHT),
        Verdict::Less if weight > 1 => weight - step,
        Verdict::Less | Verdict::Nothing | Verdict::TooFew => weight,
    }
}

/// The effects of the criteria on one outcome.
struct Effects {
    /// Mentorships with the outcome, if they may be told.
    tellable: Option<u64>,
    by_criterion: BTreeMap<Criterion, Effect>,
}

impl Effects {
    fn of(outcome: Outcome, observations: &[Observation]) -> Self {
        let known: Vec<(&Observation, f64)> =
            observations.iter().filter_map(|one| Some((one, outcome.of(one)?))).collect();
        let tellable = is_enough(known.iter().map(|(one, _)| *one)).then_some(known.len() as u64);
        let present: BTreeSet<Criterion> =
            known.iter().flat_map(|(one, _)| one.criteria.keys().copied()).collect();
        let answered = |criterion: &Criterion| {
            let criterion = *criterion;
            known.iter().map(|(one, _)| *one).filter(move |one| one.criteria.contains_key(&criterion))
        };
        let judged: Vec<Criterion> = present
            .into_iter()
            .filter(|criterion| is_enough(answered(criterion)))
            .filter(|criterion| differs(*criterion, answered(criterion)))
            .collect();
        let mut by_criterion = BTreeMap::new();
        if tellable.is_some() && known.len() >= ROWS_PER_CRITERION * judged.len() {
            let rows = known.iter().map(|(one, outcome)| Row {
                round: &one.round,
                fulfilled: judged.iter().map(|criterion| one.criteria.get(criterion).copied()).collect(),
                outcome: *outcome,
            });
            if let Some(model) = fit(&rows.collect::<Vec<_>>(), judged.len(), outcome.expected_size()) {
                let effect = |(at, criterion): (usize, &Criterion)| {
                    (*criterion, effect_of(&model, at, answered(criterion).count() as u64))
                };
                by_criterion = judged.iter().enumerate().map(effect).collect();
            }
        }
        Self { tellable, by_criterion }
    }
}

/// Whether a number about these mentees may be told.
fn is_enough<'a>(observations: impl Iterator<Item = &'a Observation>) -> bool {
    let mut people: BTreeMap<&OrganisationId, u64> = BTreeMap::new();
    for one in observations {
        *people.entry(&one.organisation).or_default() += 1;
    }
    let whole = people.values().sum();
    whole > 0 && statistic(whole, people.into_values()) != Statistic::Withheld
}

/// Whether pairs of one round differ in a criterion.
fn differs<'a>(criterion: Criterion, observations: impl Iterator<Item = &'a Observation>) -> bool {
    let mut first: BTreeMap<&RoundId, u16> = BTreeMap::new();
    for one in observations {
        let fulfilled = one.criteria[&criterion];
        if *first.entry(&one.round).or_insert(fulfilled) != fulfilled {
            return true;
        }
    }
    false
}

fn effect_of(model: &Model, at: usize, mentorships: u64) -> Effect {
    let (estimate, deviation) = model.effect(at);
    #[expect(clippy::cast_possible_truncation, reason = "the prior keeps an effect within some points")]
    let hundredths = |value: f64| (value * 100.0).round() as i32;
    let margin = regression::OF_99_PERCENT * deviation;
    Effect {
        mentorships,
        estimate: hundredths(estimate),
        low: hundredths(estimate - margin),
        high: hundredths(estimate + margin),
    }
}

#[cfg(test)]
mod tests;
