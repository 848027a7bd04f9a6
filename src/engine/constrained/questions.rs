//! Questions about a problem with constraints: what-if, repair and diagnosis. Pins stay in every answer; vetoed pairs never
//! occur in one.

use std::iter;

use super::{Constrained, Impossible, Unsolved, sorted};
use crate::engine::assign::{Start, assign};
use crate::engine::diagnose::{Recruit, Shortage, recruitment, shortages, without_candidates};
use crate::engine::objective_value::{BelowMinimum, ObjectiveValue, below_minimum};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::repair::{self, Repaired};
use crate::engine::solution::Evidence;
use crate::engine::what_if::{Alternate, Cost, WhatIf, WhatIfError};

/// A question about a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The cost of forcing the pair of this mentee and this mentor.
    Pair(u32, u32),
    /// Other mentors for this mentee.
    OfMentee(u32),
    /// Other mentees for this mentor.
    OfMentor(u32),
}

/// A published assignment after repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The pairs with all pins, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Number of published pairs that are kept.
    pub kept: usize,
    /// Number of published pairs that could be kept and are not.
    pub changed: usize,
    /// Number of published pairs that are no longer possible.
    pub lost: usize,
    /// Value without the pins, bound and proof.
    pub repaired: Repaired,
    /// Whether the certifier confirms the bound, if one certificate proves it; see [`repair::check`].
    pub checked: Option<bool>,
}

/// People who cannot be served, and measures that help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Mentees without a candidate who has a seat, ascending.
    pub without_candidates: Vec<u32>,
    /// Over-subscribed groups: mentees whose candidates have too few seats in total.
    pub shortages: Vec<Shortage>,
    /// Proof that no assignment meets all floors, if none does.
    pub unmet: Option<Impossible>,
    /// Mentors with fewer mentees than their minimum in a best assignment; empty if there is none.
    pub below_minimum: Vec<BelowMinimum>,
    /// The recruitment plan, if one was requested and is available.
    pub plan: Option<Plan>,
}

/// Why a problem has no diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiagnosisError {
    /// Too many tiers and groups to decide whether all floors can be met; see [`Unsolved::TooManyTiers`].
    TooManyTiers,
    /// The observer stopped the operation.
    Stopped(Stopped),
}

impl From<Stopped> for DiagnosisError {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

/// A recruitment plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Value of the best assignment without recruits and without the pins.
    pub now: ObjectiveValue,
    /// The steps; each step includes those before it.
    pub steps: Vec<Recruit>,
}

impl Plan {
    /// For each step, the mentor to resemble and the additional cost. Gains are negative.
    pub fn costs(&self) -> impl Iterator<Item = (u32, Cost)> {
        let before = iter::once(&self.now).chain(self.steps.iter().map(|step| &step.objective_value));
        before
            .zip(&self.steps)
            .map(|(before, step)| (step.like, Cost::between(before, &step.objective_value)))
    }
}

impl Constrained<'_> {
    /// Whether costs of changes are available: the objective is BEST_TOTAL, and there are no quotas, because the costs come
    /// from the prices of people alone.
    pub fn has_prices(&self) -> bool {
        self.starts_warm()
    }

    /// Answers questions about a best assignment; requires [`has_prices`](Self::has_prices). The answer about a pair is
    /// one alternate, or none if the pair is impossible. The other answers are up to `most` alternates, cheapest first.
    /// The evidence must prove the assignment, which [`check`](Self::check) checks.
    pub fn ask(
        &self,
        pairs: &[(u32, u32)],
        evidence: &Evidence,
        (questions, most): (&[Question], usize),
        observer: &dyn Observer,
    ) -> Result<Vec<Vec<Alternate>>, WhatIfError> {
        let rest = self.rest();
        let Evidence::BestTotal(certificate) = evidence else { return Err(WhatIfError::NotProved) };
        if !self.has_prices() {
            return Err(WhatIfError::NotProved);
        }
        let what_if = WhatIf::new(&rest, &self.without_pins(pairs), certificate, observer)?;
        let answers = questions.iter().map(|question| match *question {
            Question::Pair(mentee, mentor) if self.is_pinned(mentee, mentor) => {
                Ok(vec![Alternate { mentee, mentor, ..Alternate::default() }])
            }
            Question::Pair(mentee, mentor) => {
                Ok(what_if.force(mentee, mentor, observer)?.into_iter().collect())
            }
            Question::OfMentee(mentee) => what_if.alternates_of_mentee(mentee, most, observer),
            Question::OfMentor(mentor) => what_if.alternates_of_mentor(mentor, most, observer),
        });
        Ok(answers.collect::<Result<Vec<_>, Stopped>>()?)
    }

    /// Repairs a published assignment for the present problem; requires [`has_prices`](Self::has_prices).
    pub fn repair(
        &self,
        published: &[(u32, u32)],
        start: &Start,
        budget: Option<usize>,
        observer: &dyn Observer,
    ) -> Result<Mended, Stopped> {
        let rest = self.rest();
        let published = sorted(published);
        let free = self.without_pins(&published);
        let repaired = repair::repair(&rest, &free, start, budget, observer)?;
        let checked = repair::check(&rest, &free, budget, &repaired, observer)?;
        let pinned = published.len() - free.len();
        let (kept, changed) = (pinned + repaired.kept, repaired.possible - repaired.kept);
        Ok(Mended {
            pairs: self.with_pins(repaired.pairs.clone()),
            kept,
            changed,
            lost: published.len() - kept - changed,
            repaired,
            checked,
        })
    }

    /// Computes who cannot be served, and a recruitment plan of at most `recruits` mentors. The plan requires
    /// [`has_prices`](Self::has_prices).
    pub fn diagnose(&self, recruits: usize, observer: &dyn Observer) -> Result<Diagnosis, DiagnosisError> {
        let rest = self.rest();
        let has_minimum = self.whole.mentors.iter().any(|seats| seats.min.min(seats.max) > 0);
        let (mut unmet, mut missing) = (None, Vec::new());
        if has_minimum || !self.quotas.is_empty() {
            match self.best(None, observer) {
                Err(Unsolved::Impossible(impossible)) => unmet = Some(impossible),
                Err(Unsolved::TooManyTiers) => return Err(DiagnosisError::TooManyTiers),
                Err(Unsolved::Stopped(stopped)) => return Err(stopped.into()),
                Ok(best) => missing = below_minimum(&self.whole, &self.with_pins(best.pairs)),
            }
        }
        let plan = if recruits == 0 || !self.has_prices() {
            None
        } else {
            let solved = assign(&rest, observer)?;
            let now = ObjectiveValue::of(&rest, &solved.pairs);
            Some(Plan { now, steps: recruitment(&rest, &solved, recruits, observer)? })
        };
        Ok(Diagnosis {
            without_candidates: without_candidates(&rest, observer)?,
            shortages: shortages(&rest, observer)?,
            unmet,
            below_minimum: missing,
            plan,
        })
    }
}
