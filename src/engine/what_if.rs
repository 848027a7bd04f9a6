//! Exact cost of forcing a pair, and the best alternates of a person.
//!
//! Let `V` be the value of a best assignment and `V(i, j)` the value of a best assignment that contains the pair of
//! mentee `i` and mentor `j`. The *cost* of forcing the pair is `V - V(i, j)`, in the weights of the certificate. A
//! best assignment and its prices define a residual network ([`residual`]) in which no arc has a negative length, and
//!
//! ```text
//! V - V(i, j) = u(i) + p(j) - s(i, j) + (length of the shortest path from j to i)
//! ```
//!
//! The forced pair receives one unit of flow, and the cheapest way to restore the balance is a shortest path (Ahuja,
//! Magnanti and Orlin, *Network Flows*, 1993, sections 9.2 and 9.11). One search from a mentor gives the cost of every
//! mentee with this mentor, and one search to a mentee gives the cost of every mentor with this mentee.
//!
//! A problem that is asked often keeps the nearest arcs of every person ([`near_arcs`]).
//!
//! Inputs: a problem, a best assignment and its certificate. Memory: 16 bytes per pair of the assignment and 8 per
//! person, about 50 bytes per person while a question is answered, and 8 bytes per candidate if the source is sparse.
//! Time per question: one Dijkstra search, which ends as soon as the answer is known.
//!
//! The weights are lexicographic ([`super::certify`]), so the cost separates into people, minimum places, second mentors
//! and points of score.

mod alternate;
mod near_arcs;
mod residual;
mod search;
#[cfg(test)]
mod tests;

use super::assign::StopPoll;
use super::certificate::Certificate;
use super::observer::{Observer, Stopped};
use super::problem::Problem;

pub use self::alternate::{Alternate, Cost};
pub(super) use self::near_arcs::NearArcs;
use self::residual::Residual;
use self::search::{ResidualSearch, SearchDirection, Target};

/// Why a question about an assignment has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhatIfError {
    /// The assignment or the certificate does not belong to this problem, or is not optimal.
    #[error(
        "the certificate does not prove the assignment; expected the proof of this problem, without quotas"
    )]
    NotProved,
    /// The observer stopped the operation.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// A solved problem that answers what-if questions.
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct WhatIf<'a> {
    residual: Residual<'a>,
    near: Option<&'a NearArcs>,
}

impl<'a> WhatIf<'a> {
    /// Prepares a solved problem. The certificate must prove the assignment over all candidates, which
    /// [`super::certify::certify`] checks. This function checks people and matches only. A what-if question on a
    /// problem with quotas is refused: the residual network does not contain the quotas.
    pub fn new(
        problem: &Problem<'a>,
        pairs: &[(u32, u32)],
        certificate: &'a Certificate,
        observer: &dyn Observer,
    ) -> Result<Self, WhatIfError> {
        let residual = Residual::new(problem, pairs, certificate, observer)?.ok_or(WhatIfError::NotProved)?;
        Ok(Self { residual, near: None })
    }

    /// The nearest arcs of every person. They serve all questions about the same problem with the same prices.
    pub(super) fn near_arcs(&self, observer: &dyn Observer) -> Result<NearArcs, Stopped> {
        NearArcs::of(&self.residual, observer)
    }

    /// Answers with the nearest arcs of the same problem and prices, so that fewer candidates are read.
    pub(super) fn with_near_arcs(self, near: &'a NearArcs) -> Self {
        Self { near: Some(near), ..self }
    }

    /// Computes the cost of forcing one pair. Returns `None` if the pair is not a candidate or one of the two people has no
    /// place. A pair of the assignment costs nothing.
    pub fn force(
        &self,
        mentee: u32,
        mentor: u32,
        observer: &dyn Observer,
    ) -> Result<Option<Alternate>, Stopped> {
        let (Some(from), Some(to)) = (self.residual.mentor(mentor), self.residual.mentee(mentee)) else {
            return Ok(None);
        };
        let Some(forced) = self.residual.force(mentee, mentor) else { return Ok(None) };
        if self.residual.are_mates(mentee, mentor) {
            return Ok(Some(Alternate { mentee, mentor, ..Alternate::default() }));
        }
        let targets = vec![Target { node: to, forced }];
        let mut search =
            ResidualSearch::new(&self.residual, self.near, from, SearchDirection::Forward, observer);
        let found = search.nearest(targets, 1)?;
        Ok(found.first().map(|_| self.residual.alternate(mentee, mentor, &search.path(to))))
    }

    /// Computes the best `limit` alternates of a mentee, cheapest first: mentors outside the assignment, with their costs.
    pub fn alternates_of_mentee(
        &self,
        mentee: u32,
        limit: usize,
        observer: &dyn Observer,
    ) -> Result<Vec<Alternate>, Stopped> {
        let Some(source) = self.residual.mentee(mentee) else { return Ok(Vec::new()) };
        let mut targets = Vec::new();
        let add = |node, length| targets.push(Target { node, forced: length });
        self.residual.row(source, &mut StopPoll::new(observer), add)?;
        let mut search =
            ResidualSearch::new(&self.residual, self.near, source, SearchDirection::Backward, observer);
        let found = search.nearest(targets, limit)?;
        let alternate =
            |node| self.residual.alternate(mentee, self.residual.person(node), &search.path(node));
        Ok(found.into_iter().map(alternate).collect())
    }

    /// Computes the best `limit` alternates of a mentor, cheapest first: mentees outside the assignment, with their costs.
    pub fn alternates_of_mentor(
        &self,
        mentor: u32,
        limit: usize,
        observer: &dyn Observer,
    ) -> Result<Vec<Alternate>, Stopped> {
        let Some(source) = self.residual.mentor(mentor) else { return Ok(Vec::new()) };
        let mut targets = Vec::new();
        let add = |node, length| targets.push(Target { node, forced: length });
        self.residual.column(source, &mut StopPoll::new(observer), add)?;
        let mut search =
            ResidualSearch::new(&self.residual, self.near, source, SearchDirection::Forward, observer);
        let found = search.nearest(targets, limit)?;
        let alternate =
            |node| self.residual.alternate(self.residual.person(node), mentor, &search.path(node));
        Ok(found.into_iter().map(alternate).collect())
    }
}
