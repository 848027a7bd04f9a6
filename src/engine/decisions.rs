//! Pins and vetoes: what people have decided before the engine decides the rest.
//!
//! Decisions are part of the problem and not of the solver. [`ReducedProblem`] turns a problem with decisions into one without:
//!
//! - a vetoed pair is no candidate any more;
//! - a pinned pair is no candidate either, since it is made already: it takes one of the places that its mentee wants and
//!   one of its mentor's seats beforehand, a minimum place first;
//! - a mentee who wants two mentors and has one by a pin wants one more, who counts as her second ([`Demand::pinned`]).
//!
//! So a pin holds by construction. An assignment of the reduced problem, together with the pins, is an assignment of the
//! problem that keeps all decisions, and the other way round; their values differ by what the pins count for, which is the
//! same for all of them. Hence the best of the one is the best of the other, and [`super::certify`] proves it by checking
//! the reduced problem: whoever has the problem and the decisions reduces them in the same way and checks the same
//! certificate.
//!
//! Quotas ([`super::quota`]) are not reduced here: [`super::constrained`] takes off what the pins use of them.

use super::observer::{Observer, Stopped};
use super::pair_scores::MaskedScores;
use super::problem::{Demand, Problem, Seats};

/// Pins looked at between two questions whether to stop.
const CHUNK: usize = 1 << 12;

/// What people have decided, by position. The order does not matter, and the same decision twice is one decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Pairs of a mentee and a mentor that must be.
    pub pins: Vec<(u32, u32)>,
    /// Pairs of a mentee and a mentor that must not be.
    pub vetoes: Vec<(u32, u32)>,
}

impl Decisions {
    /// Whether nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty() && self.vetoes.is_empty()
    }

    /// Everything for which they cannot all be kept in a problem, sorted.
    pub fn conflicts(
        &self,
        problem: &Problem<'_>,
        observer: &dyn Observer,
    ) -> Result<Vec<BadDecision>, Stopped> {
        let (pins, vetoes) = (sorted(&self.pins), sorted(&self.vetoes));
        let mut conflicts: Vec<BadDecision> = Vec::new();
        let exists = |&(mentee, mentor): &(u32, u32)| {
            (mentee as usize) < problem.mentees.len() && (mentor as usize) < problem.mentors.len()
        };
        for &(mentee, mentor) in pins.iter().chain(&vetoes).filter(|pair| !exists(pair)) {
            conflicts.push(BadDecision::Unknown { mentee, mentor });
        }
        for some in pins.chunks(CHUNK) {
            observer.check()?;
            for &(mentee, mentor) in some.iter().filter(|pair| exists(pair)) {
                if vetoes.binary_search(&(mentee, mentor)).is_ok() {
                    conflicts.push(BadDecision::PinnedAndVetoed { mentee, mentor });
                }
                if problem.scores.score(mentee as usize, mentor as usize).is_none() {
                    conflicts.push(BadDecision::NotACandidate { mentee, mentor });
                }
            }
        }
        observer.check()?;
        let (of_mentee, of_mentor) = counts(problem, &pins);
        for ((&pins, demand), mentee) in of_mentee.iter().zip(problem.mentees).zip(0_u32..) {
            let wanted = u32::from(demand.wanted.min(2));
            if pins > wanted {
                conflicts.push(BadDecision::TooManyMentors { mentee, pins, wanted });
            }
        }
        for ((&pins, seats), mentor) in of_mentor.iter().zip(problem.mentors).zip(0_u32..) {
            if pins > seats.max {
                conflicts.push(BadDecision::TooManyMentees { mentor, pins, seats: seats.max });
            }
        }
        conflicts.sort_unstable();
        conflicts.dedup();
        Ok(conflicts)
    }
}

/// How many of `pairs` each mentee and each mentor has.
fn counts(problem: &Problem<'_>, pairs: &[(u32, u32)]) -> (Vec<u32>, Vec<u32>) {
    let mut of_mentee = vec![0_u32; problem.mentees.len()];
    let mut of_mentor = vec![0_u32; problem.mentors.len()];
    for &(mentee, mentor) in pairs {
        if let (Some(mentee), Some(mentor)) =
            (of_mentee.get_mut(mentee as usize), of_mentor.get_mut(mentor as usize))
        {
            *mentee += 1;
            *mentor += 1;
        }
    }
    (of_mentee, of_mentor)
}

/// A decision that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum BadDecision {
    /// A pin or veto names somebody who does not exist.
    #[error("the decision on pair ({mentee}, {mentor}) names somebody who does not exist")]
    Unknown {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A pin is forbidden by a hard rule.
    #[error("the pinned pair ({mentee}, {mentor}) is not a candidate")]
    NotACandidate {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A pair is pinned and vetoed.
    #[error("pair ({mentee}, {mentor}) is pinned and vetoed")]
    PinnedAndVetoed {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A mentee has more pins than she wants mentors.
    #[error("mentee {mentee} has {pins} pins and wants {wanted}")]
    TooManyMentors {
        /// The mentee.
        mentee: u32,
        /// Her pins.
        pins: u32,
        /// Mentors she wants.
        wanted: u32,
    },
    /// A mentor has more pins than seats.
    #[error("mentor {mentor} has {pins} pins and {seats} seats")]
    TooManyMentees {
        /// The mentor.
        mentor: u32,
        /// Her pins.
        pins: u32,
        /// Seats she offers.
        seats: u32,
    },
}

/// Why decisions cannot be taken out of a problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReductionError {
    /// The decisions cannot all be kept. The list holds every bad decision, sorted.
    #[error("{} decisions cannot be kept", .0.len())]
    Refused(Vec<BadDecision>),
    /// The observer stopped the operation.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// A problem that decisions have been taken out of.
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct ReducedProblem<'a> {
    pins: Vec<(u32, u32)>,
    mentees: Vec<Demand>,
    mentors: Vec<Seats>,
    scores: MaskedScores<'a>,
    coverage_first: bool,
}

impl<'a> ReducedProblem<'a> {
    /// Takes decisions out of a problem.
    pub fn new(
        problem: &Problem<'a>,
        decisions: &Decisions,
        observer: &dyn Observer,
    ) -> Result<Self, ReductionError> {
        let conflicts = decisions.conflicts(problem, observer)?;
        if !conflicts.is_empty() {
            return Err(ReductionError::Refused(conflicts));
        }
        let pins = sorted(&decisions.pins);
        let (of_mentee, of_mentor) = counts(problem, &pins);
        let masked = sorted(&[pins.as_slice(), &decisions.vetoes].concat());
        observer.check()?;
        Ok(Self {
            mentees: of_mentee
                .iter()
                .zip(problem.mentees)
                .map(|(&pins, &demand)| reduced(demand, pins))
                .collect(),
            mentors: of_mentor
                .iter()
                .zip(problem.mentors)
                .map(|(&pins, seats)| Seats { min: seats.min.saturating_sub(pins), max: seats.max - pins })
                .collect(),
            scores: MaskedScores::new(problem.scores, masked, observer)?,
            coverage_first: problem.coverage_first,
            pins,
        })
    }

    /// Takes decisions out of a problem, or returns nothing if the decisions cannot all be kept.
    pub fn if_possible(
        problem: &Problem<'a>,
        decisions: &Decisions,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, Stopped> {
        match Self::new(problem, decisions, observer) {
            Ok(reduced) => Ok(Some(reduced)),
            Err(ReductionError::Refused(_)) => Ok(None),
            Err(ReductionError::Stopped(stopped)) => Err(stopped),
        }
    }

    /// The problem that is left.
    pub fn problem(&self) -> Problem<'_> {
        Problem {
            mentees: &self.mentees,
            mentors: &self.mentors,
            scores: &self.scores,
            coverage_first: self.coverage_first,
        }
    }

    /// An assignment of the problem that is left, together with the pins: an assignment of the whole problem, sorted.
    pub fn with_pins(&self, pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
        sorted(&[pairs, &self.pins].concat())
    }

    /// An assignment of the whole problem without its pins, sorted.
    pub fn without_pins(&self, pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let mut pairs = sorted(pairs);
        pairs.retain(|pair| self.pins.binary_search(pair).is_err());
        pairs
    }
}

/// What a mentee still wants when she has so many mentors by pins.
fn reduced(demand: Demand, pins: u32) -> Demand {
    let pins = u8::try_from(pins).unwrap_or(u8::MAX);
    Demand {
        tier: demand.tier,
        wanted: demand.wanted.min(2).saturating_sub(pins),
        pinned: demand.pinned.saturating_add(pins),
    }
}

/// Pairs in their order, each once.
pub(super) fn sorted(pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

#[cfg(test)]
mod tests;
