//! The optimum of a round with its prices, kept so that the next one is near.
//!
//! Invariant: the kept assignment is a best one of the problem without the pins whose scores count its own pairs
//! ([`Following`]), and the kept certificate proves it.

use std::sync::OnceLock;

use crate::domain::run::Side;
use crate::engine::assign::{Assignment, Start, assign_from};
use crate::engine::decisions::{Decisions, ReducedProblem};
use crate::engine::encode::Round;
use crate::engine::following::{Following, KeptWorth};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{KeptScores, PairScores as _, ScoreCache};
use crate::engine::problem::{Demand, Problem, Seats};
use crate::engine::round::Assigned;
use crate::engine::score::Scores;
use crate::engine::solution::Evidence;
use crate::engine::what_if::{Alternate, NearArcs, WhatIf, WhatIfError};

/// Bytes of a price with the numbers of its person, and of her nearest arcs.
const BYTES_PER_PERSON: usize = 64 + NearArcs::MOST_BYTES_PER_PERSON;

/// The optimum of a round.
#[derive(Debug)]
pub(super) struct KeptOptimum {
    mentees: Vec<Demand>,
    mentors: Vec<Seats>,
    scores: KeptScores,
    /// Decisions of the run.
    decisions: Decisions,
    /// The pairs of the run that are kept, with what each is worth; `None` if the run has none.
    following: Option<Following>,
    /// The assignment without the pins, with its prices.
    best: Assignment,
    /// The nearest arcs at these prices, listed when alternates are first asked for.
    near: OnceLock<NearArcs>,
}

impl KeptOptimum {
    /// Keeps the optimum of a round, in which vetoes are no rule. `None` if the scores take more than `most_bytes`, or if the
    /// evidence is no plain certificate: then the pairs alone do not show the optimum of the problem without directions.
    pub(super) fn of(
        round: &Round<'_>,
        decisions: &Decisions,
        (pairs, worth): (&[(u32, u32)], KeptWorth),
        evidence: &Evidence,
        most_bytes: usize,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, Stopped> {
        let Evidence::BestTotal(certificate) = evidence else { return Ok(None) };
        let (mentees, mentors) = (round.demands(), round.seats());
        let scores = Scores::new(round, observer)?;
        let cache = ScoreCache::compute(&scores, mentees.len(), mentors.len(), most_bytes, observer)?;
        let Some(cache) = cache else { return Ok(None) };
        let scores = KeptScores::new(cache, scores.keys().clone(), scores.opposites().cloned());
        let whole = Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: true };
        let Some(reduced) = ReducedProblem::if_possible(&whole, decisions, observer)? else {
            return Ok(None);
        };
        let (rest, free) = (reduced.problem(), reduced.without_pins(pairs));
        let following = Following::new(&rest, &free, worth);
        let followed = following.as_ref().map(|following| following.scores(rest.scores));
        let start = Start {
            pairs: free.clone(),
            mentor_prices: certificate.mentor_prices.iter().copied().map(Some).collect(),
            minimum: certificate.minimum,
        };
        let problem = match &followed {
            Some(followed) => rest.with_scores(followed),
            None => rest,
        };
        let best = assign_from(&problem, &start, observer)?;
        // Kept pairs decide among equal sums, so that the run is the only best one.
        let is_run = best.pairs == free;
        let decisions = decisions.clone();
        Ok(is_run.then_some(Self {
            mentees,
            mentors,
            scores,
            decisions,
            following,
            best,
            near: OnceLock::new(),
        }))
    }

    /// Size in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        self.scores.bytes() + (self.mentees.len() + self.mentors.len()) * BYTES_PER_PERSON
    }

    /// The problem without decisions.
    pub(super) fn whole(&self) -> Problem<'_> {
        let Self { mentees, mentors, scores, .. } = self;
        Problem { mentees, mentors, scores, coverage_first: true }
    }

    /// A best assignment of the whole problem with other decisions, which can be kept, and whether it is proved; sorted.
    /// `pairs` are those of the run. `None` if the direction of pairs needs a search.
    pub(super) fn solve(
        &self,
        decisions: &Decisions,
        pairs: &[(u32, u32)],
        observer: &dyn Observer,
    ) -> Result<Option<Assigned>, Stopped> {
        let whole = self.whole();
        let Some(reduced) = ReducedProblem::if_possible(&whole, decisions, observer)? else {
            return Ok(None);
        };
        let rest = reduced.problem();
        let following = self.following.as_ref().and_then(|kept| kept.like(&rest, pairs));
        let followed = following.as_ref().map(|following| following.scores(rest.scores));
        let problem = match &followed {
            Some(followed) => rest.with_scores(followed),
            None => rest,
        };
        let found = assign_from(&problem, &Start::of(&self.best), observer)?;
        let pairs = reduced.with_pins(&found.pairs);
        let both = self.scores.opposites().map(|opposites| opposites.both(&pairs));
        Ok(both.unwrap_or_default().is_empty().then_some((pairs, true)))
    }

    /// The alternates of a person with the least cost.
    pub(super) fn alternates(
        &self,
        (at, side): (u32, Side),
        limit: usize,
        observer: &dyn Observer,
    ) -> Result<Vec<Alternate>, Stopped> {
        let whole = self.whole();
        let Some(reduced) = ReducedProblem::if_possible(&whole, &self.decisions, observer)? else {
            return Ok(Vec::new());
        };
        let rest = reduced.problem();
        let following = self.following.as_ref().and_then(|kept| kept.like(&rest, &self.best.pairs));
        let followed = following.as_ref().map(|following| following.scores(rest.scores));
        let problem = match &followed {
            Some(followed) => rest.with_scores(followed),
            None => rest,
        };
        let what_if = match WhatIf::new(&problem, &self.best.pairs, &self.best.certificate, observer) {
            Ok(what_if) => what_if,
            Err(WhatIfError::NotProved) => return Ok(Vec::new()),
            Err(WhatIfError::Stopped(stopped)) => return Err(stopped),
        };
        let near = if let Some(near) = self.near.get() {
            near
        } else {
            let near = what_if.near_arcs(observer)?;
            // Another thread may already have stored the same lists.
            self.near.get_or_init(|| near)
        };
        let what_if = what_if.with_near_arcs(near);
        match side {
            Side::Mentee => what_if.alternates_of_mentee(at, limit, observer),
            Side::Mentor => what_if.alternates_of_mentor(at, limit, observer),
        }
    }

    /// The whole assignment after the changes of an alternate, sorted. `None` if not all changes are listed, or if two people
    /// would mentor each other and may not.
    pub(super) fn exchanged(&self, alternate: &Alternate) -> Option<Vec<(u32, u32)>> {
        if alternate.unlisted > 0 {
            return None;
        }
        let mut pairs: Vec<(u32, u32)> = self.best.pairs.clone();
        pairs.retain(|pair| alternate.removed.binary_search(pair).is_err());
        pairs.extend(&alternate.added);
        pairs.extend(&self.decisions.pins);
        pairs.sort_unstable();
        pairs.dedup();
        let both = self.scores.opposites().map(|opposites| opposites.both(&pairs));
        both.unwrap_or_default().is_empty().then_some(pairs)
    }
}
