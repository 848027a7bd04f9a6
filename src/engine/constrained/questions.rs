//! What can be asked of a problem with constraints beside its best assignment. In every answer pins stay pins, and vetoed
//! pairs are none.

use std::iter;

use super::{Constrained, Impossible, Unsolved, sorted};
use crate::engine::assign::{Start, assign};
use crate::engine::diagnose::{Recruit, Shortage, recruitment, shortages, without_candidates};
use crate::engine::objective::Evidence;
use crate::engine::objective_value::ObjectiveValue;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::repair::{self, Repaired};
use crate::engine::what_if::{Alternate, Cost, WhatIf, WhatIfError};

/// A question about a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// What it would cost to force this mentee and this mentor on each other.
    Pair(u32, u32),
    /// Other mentors for this mentee.
    OfMentee(u32),
    /// Other mentees for this mentor.
    OfMentor(u32),
}

/// A published assignment, changed in few pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The pairs, with all pins, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Published pairs that are kept.
    pub kept: usize,
    /// Published pairs that could be kept and are not.
    pub changed: usize,
    /// Published pairs that are possible no longer.
    pub lost: usize,
    /// What it is worth, beside the pins, and how far that is proved.
    pub repaired: Repaired,
    /// What the certifier says of the bound, if one certificate shows it; see [`repair::check`].
    pub checked: Option<bool>,
}

/// Who cannot be served, and what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Mentees without candidates who have a seat, ascending.
    pub without_candidates: Vec<u32>,
    /// Mentees who have too few seats among all their candidates.
    pub shortages: Vec<Shortage>,
    /// Why no assignment meets the floors of all groups, if none does.
    pub unmet: Option<Impossible>,
    /// Whom to find.
    pub plan: Option<Plan>,
}

/// Why a problem has no diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiagnosisError {
    /// There are too many tiers and groups to decide whether all floors can be met; see [`Unsolved::TooManyTiers`].
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
    /// What the best assignment amounts to without anybody more, beside the pins.
    pub now: ObjectiveValue,
    /// The steps, each beside those before it.
    pub steps: Vec<Recruit>,
}

impl Plan {
    /// Each mentor to find another like, and what that costs beside the steps before: gains, so numbers are negative.
    pub fn costs(&self) -> impl Iterator<Item = (u32, Cost)> {
        let before = iter::once(&self.now).chain(self.steps.iter().map(|step| &step.objective_value));
        before
            .zip(&self.steps)
            .map(|(before, step)| (step.like, Cost::between(before, &step.objective_value)))
    }
}

impl Constrained<'_> {
    /// Whether it can be asked what a change costs: prices of people tell, so there must be no quotas, and the greatest
    /// total must be what counts.
    pub fn has_prices(&self) -> bool {
        self.starts_warm()
    }

    /// Answers questions about a best assignment; see [`has_prices`](Self::has_prices). A question about a pair has one
    /// alternate for an answer, or none if the pair cannot be; the others have up to `most`, cheapest first. The evidence must
    /// prove the assignment, as [`check`](Self::check) finds out.
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

    /// Repairs a published assignment for the problem as it is now; see [`has_prices`](Self::has_prices).
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

    /// Says who cannot be served and, for at most `recruits` mentors more, whom to find; these only where there are prices,
    /// see [`has_prices`](Self::has_prices).
    pub fn diagnose(&self, recruits: usize, observer: &dyn Observer) -> Result<Diagnosis, DiagnosisError> {
        let rest = self.rest();
        let unmet = if self.quotas.is_empty() {
            None
        } else {
            match self.best(None, observer) {
                Err(Unsolved::Impossible(impossible)) => Some(impossible),
                Err(Unsolved::TooManyTiers) => return Err(DiagnosisError::TooManyTiers),
                Err(Unsolved::Stopped(stopped)) => return Err(stopped.into()),
                Ok(_) => None,
            }
        };
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
            plan,
        })
    }
}
