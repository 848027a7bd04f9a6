//! What it costs the whole round to force a pair, exactly, and the best alternates of a person.
//!
//! Let `V` be the value of a best assignment and `V(i, j)` that of a best one among those with the pair of mentee `i` and
//! mentor `j`. The *cost* of forcing the pair is `V - V(i, j)`, in the weights of the certificate. No new solve is needed:
//! a best assignment and its prices leave a residual network ([`residual`]) in which no arc costs less than nothing, and
//!
//! ```text
//! V - V(i, j) = u(i) + p(j) - s(i, j) + (length of the shortest path from j to i)
//! ```
//!
//! because forcing the pair puts one unit of flow onto it, and the cheapest way of putting flow right again is a shortest
//! path (Ahuja, Magnanti, Orlin, *Network Flows*, 1993, sections 9.2 and 9.11). So one search from a mentor knows the cost
//! of forcing any mentee on her, and one search to a mentee knows that of forcing her on any mentor.
//!
//! Weights are lexicographic ([`super::certify`]), and so is the assignment with the pair forced: the cost is told apart
//! into people, minimum places, second mentors and points of score.

mod alternate;
mod residual;
mod search;
#[cfg(test)]
mod tests;

use super::assign::StopPoll;
use super::certificate::Certificate;
use super::observer::{Observer, Stopped};
use super::problem::Problem;

pub use self::alternate::{Alternate, Cost};
use self::residual::Residual;
use self::search::{Search, Target, Way};

/// Why questions about an assignment have no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhatIfError {
    /// The assignment or the certificate is not of this problem, or is not a best one.
    #[error("the certificate does not prove the assignment")]
    NotProved,
    /// The observer stopped the operation.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// A solved problem, ready to be asked. Memory for everybody once; every question takes as much again while it is
/// answered.
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct WhatIf<'a> {
    residual: Residual<'a>,
}

impl<'a> WhatIf<'a> {
    /// Makes a solved problem ready. The certificate must prove the assignment over all candidates, as
    /// [`super::certify::certify`] finds out; here only people and matches are checked, not all candidates. One of a problem
    /// with quotas is refused: paths know nothing of them.
    pub fn new(
        problem: &Problem<'a>,
        pairs: &[(u32, u32)],
        certificate: &'a Certificate,
        observer: &dyn Observer,
    ) -> Result<Self, WhatIfError> {
        let residual = Residual::new(problem, pairs, certificate, observer)?.ok_or(WhatIfError::NotProved)?;
        Ok(Self { residual })
    }

    /// What it costs to force one pair; `None` if it is not a candidate or one of the two has no place at all. A pair that
    /// is already made costs nothing.
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
            let (cost, added, removed) = (Cost::default(), Vec::new(), Vec::new());
            return Ok(Some(Alternate { mentee, mentor, cost, added, removed }));
        }
        let targets = vec![Target { node: to, forced }];
        let mut search = Search::new(&self.residual, from, Way::Forward, observer);
        let found = search.nearest(targets, 1)?;
        Ok(found.first().map(|_| self.residual.alternate(mentee, mentor, &search.path(to))))
    }

    /// The best `most` alternates of a mentee, cheapest first: other mentors than hers, with the cost of each.
    pub fn alternates_of_mentee(
        &self,
        mentee: u32,
        most: usize,
        observer: &dyn Observer,
    ) -> Result<Vec<Alternate>, Stopped> {
        let Some(source) = self.residual.mentee(mentee) else { return Ok(Vec::new()) };
        let mut targets = Vec::new();
        let aim = |node, cost| targets.push(Target { node, forced: cost });
        self.residual.row(source, &mut StopPoll::new(observer), aim)?;
        let mut search = Search::new(&self.residual, source, Way::Backward, observer);
        let found = search.nearest(targets, most)?;
        let alternate =
            |node| self.residual.alternate(mentee, self.residual.person(node), &search.path(node));
        Ok(found.into_iter().map(alternate).collect())
    }

    /// The best `most` alternates of a mentor, cheapest first: other mentees than hers, with the cost of each.
    pub fn alternates_of_mentor(
        &self,
        mentor: u32,
        most: usize,
        observer: &dyn Observer,
    ) -> Result<Vec<Alternate>, Stopped> {
        let Some(source) = self.residual.mentor(mentor) else { return Ok(Vec::new()) };
        let mut targets = Vec::new();
        let aim = |node, cost| targets.push(Target { node, forced: cost });
        self.residual.column(source, &mut StopPoll::new(observer), aim)?;
        let mut search = Search::new(&self.residual, source, Way::Forward, observer);
        let found = search.nearest(targets, most)?;
        let alternate =
            |node| self.residual.alternate(self.residual.person(node), mentor, &search.path(node));
        Ok(found.into_iter().map(alternate).collect())
    }
}
