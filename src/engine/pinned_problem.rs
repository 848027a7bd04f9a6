//! The problem of a round with its decisions: pins are removed before the solver runs, and pairs of the followed run count.
//!
//! Input: the problem of a round, in which a vetoed pair is no candidate, its pins, and the pairs of the run that it follows.
//! Output: a solution of the whole problem with all pins, and the check of one. An optimum of the problem without the pins,
//! together with the pins, is an optimum of the whole ([`super::decisions`]). The check covers the whole assignment first: it
//! keeps all rules and all pins.

use super::certify;
use super::decisions::{BadDecision, Decisions, ReducedProblem, ReductionError, sorted};
use super::exchange::MatchBounds;
use super::following::{Following, KeptWorth};
use super::limited::{self, Unmet};
use super::objective::{self, Check};
use super::observer::{CumulativeProgress, Observer, Stopped};
use super::pair_scores::PairScores;
use super::problem::Problem;
use super::solution::{Evidence, Solution};
use super::stable::PreferenceLists;
use crate::domain::policy::Objective;

/// Pins, and pairs to keep, by position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// Pairs that the assignment must contain, sorted.
    pub(super) pins: Vec<(u32, u32)>,
    /// Pairs of the followed run, sorted.
    pub(super) followed: Vec<(u32, u32)>,
    /// What a kept pair is worth.
    pub(super) worth: KeptWorth,
    /// Bounds on the matches, pins included.
    pub(super) bounds: MatchBounds,
}

/// A problem without its pins.
pub(super) struct PinnedProblem<'a> {
    whole: Problem<'a>,
    pins: Vec<(u32, u32)>,
    /// `None` without pins: then the scores need no mask.
    reduced: Option<ReducedProblem<'a>>,
    following: Option<Following>,
    /// The bounds without the pins.
    bounds: MatchBounds,
    /// The bounds with the pins.
    all_bounds: &'a MatchBounds,
}

/// Why a problem has no solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoSolution {
    /// No assignment keeps the bounds.
    Unmet(Unmet),
    /// The observer stopped the operation.
    Stopped,
}

impl From<Stopped> for NoSolution {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

/// Why pins cannot be removed from a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PinError {
    /// Pins that cannot be kept, sorted.
    Refused(Vec<BadDecision>),
    /// The observer stopped the operation.
    Stopped(Stopped),
}

impl From<Stopped> for PinError {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

impl<'a> PinnedProblem<'a> {
    /// Removes the pins from a problem.
    pub(super) fn new(
        whole: &Problem<'a>,
        wishes: &'a Wishes,
        observer: &dyn Observer,
    ) -> Result<Self, PinError> {
        let decisions = Decisions { pins: wishes.pins.clone(), vetoes: Vec::new() };
        let reduced = if decisions.is_empty() {
            None
        } else {
            match ReducedProblem::new(whole, &decisions, observer) {
                Ok(reduced) => Some(reduced),
                Err(ReductionError::Refused(bad)) => return Err(PinError::Refused(bad)),
                Err(ReductionError::Stopped(stopped)) => return Err(stopped.into()),
            }
        };
        let rest = reduced.as_ref().map_or(*whole, ReducedProblem::problem);
        let following = Following::new(&rest, &wishes.followed, wishes.worth);
        let pins = sorted(&wishes.pins);
        let bounds = wishes.bounds.reduced_by(&pins);
        Ok(Self { whole: *whole, pins, reduced, following, bounds, all_bounds: &wishes.bounds })
    }

    /// Removes the pins from a problem. `None` if a pin cannot be kept.
    pub(super) fn if_possible(
        whole: &Problem<'a>,
        wishes: &'a Wishes,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, Stopped> {
        match Self::new(whole, wishes, observer) {
            Ok(pinned) => Ok(Some(pinned)),
            Err(PinError::Refused(_)) => Ok(None),
            Err(PinError::Stopped(stopped)) => Err(stopped),
        }
    }

    /// The problem without the pins.
    fn rest(&self) -> Problem<'_> {
        self.reduced.as_ref().map_or(self.whole, ReducedProblem::problem)
    }

    /// Solves the problem. The solution contains all pins.
    pub(super) fn solve(
        &self,
        objective: Objective,
        preferences: Option<PreferenceLists<'_>>,
        observer: &dyn Observer,
    ) -> Result<Solution, NoSolution> {
        let (rest, following) = (self.rest(), self.following.as_ref());
        let found = if self.all_bounds.is_empty() || objective == Objective::Stable {
            let found = objective::solve_following(&rest, objective, preferences, following, observer)?;
            // A policy with STABLE has no quotas, but an organisation may have limits of its own.
            if certify::keeps_limits(&self.bounds, &found.pairs).is_err() {
                return Err(NoSolution::Unmet(Unmet::Stable));
            }
            found
        } else {
            let observer = &CumulativeProgress::new(observer);
            let of_total = following.filter(|_| objective == Objective::BestTotal);
            let followed = of_total.map(|following| following.scores(rest.scores));
            let scores: &dyn PairScores = followed.as_ref().map_or(rest.scores, |followed| followed);
            let problem = rest.with_scores(scores);
            let found = limited::solve(&problem, &self.bounds, objective, following, observer)?;
            found.map_err(NoSolution::Unmet)?
        };
        let pairs = match &self.reduced {
            Some(reduced) => reduced.with_pins(&found.pairs),
            None => found.pairs,
        };
        Ok(Solution { pairs, ..found })
    }

    /// Checks a solution of the whole problem. Its candidates are those of the whole problem.
    pub(super) fn check(
        &self,
        pairs: &[(u32, u32)],
        evidence: &Evidence,
        preferences: Option<PreferenceLists<'_>>,
        observer: &dyn Observer,
    ) -> Result<Check, Stopped> {
        let rest = self.rest();
        let following = (self.following.as_ref(), &self.bounds);
        let Some(reduced) = &self.reduced else {
            return objective::check_following(&rest, pairs, evidence, preferences, following, observer);
        };
        let without = reduced.without_pins(pairs);
        let check = objective::check_following(&rest, &without, evidence, preferences, following, observer)?;
        let broken = certify::broken_rule(&self.whole, pairs, observer)?;
        let broken = broken.or(certify::keeps_decisions(&self.pins, &[], pairs).err());
        let broken = broken.or(certify::keeps_quotas(&self.all_bounds.quotas, pairs).err());
        let broken = broken.or(certify::keeps_limits(self.all_bounds, pairs).err());
        Ok(Check {
            feasible: broken.map_or(check.feasible, Err),
            proved: check.proved && broken.is_none(),
            people_gap: check.people_gap.filter(|_| broken.is_none()),
            candidates: check.candidates + reduced.hidden(&self.whole),
            ..check
        })
    }
}
