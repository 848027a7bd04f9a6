//! Pins and vetoes: decisions that hold before the solver runs.
//!
//! Decisions are part of the problem, not of the solver. [`ReducedProblem`] turns a problem with decisions into one
//! without:
//!
//! - a vetoed pair is not a candidate;
//! - a pinned pair is not a candidate either, because it is in use already: it takes one place of its mentee and one
//!   seat of its mentor, a minimum place first;
//! - if two people may not mentor each other, the opposite of a pinned pair is not a candidate;
//! - a mentee who wants two mentors and has one by a pin wants one more, who counts as a second mentor
//!   ([`Demand::pinned`]).
//!
//! A pin therefore holds by construction. An assignment of the reduced problem together with the pins is an assignment
//! of the problem that keeps all decisions, and vice versa. Their values differ by the value of the pins, a constant,
//! so an optimum of one is an optimum of the other. [`super::certify`] proves it on the reduced problem: every checker
//! that has the problem and the decisions computes the same reduction and checks the same certificate.
//!
//! Quotas ([`super::quota`]) are not reduced here: [`super::constrained`] subtracts the pins from them.

use super::observer::{Observer, Stopped};
use super::pair_scores::MaskedScores;
use super::problem::{Demand, Problem, Seats};

/// Pins between two calls of the observer.
const CHUNK: usize = 1 << 12;

/// Pins and vetoes, by position. The order has no influence, and a repeated decision counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Pairs of a mentee and a mentor that the assignment must contain.
    pub pins: Vec<(u32, u32)>,
    /// Pairs of a mentee and a mentor that the assignment must not contain.
    pub vetoes: Vec<(u32, u32)>,
}

impl Decisions {
    /// Whether there is no decision.
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty() && self.vetoes.is_empty()
    }

    /// Returns every decision that cannot be kept in a problem, sorted.
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
        let opposites = problem.scores.opposites();
        for ((mentee, mentor), _) in opposites.map(|opposites| opposites.both(&pins)).unwrap_or_default() {
            conflicts.push(BadDecision::BothDirections { mentee, mentor });
        }
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

/// Number of `pairs` of each mentee, and of each mentor.
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
    /// A pin or veto names a person who does not exist.
    #[error("the decision on pair ({mentee}, {mentor}) names a person who is not in the problem")]
    Unknown {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A hard rule forbids a pinned pair.
    #[error("the pinned pair ({mentee}, {mentor}) is not a candidate: a hard rule forbids the pair")]
    NotACandidate {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A pair is both pinned and vetoed.
    #[error("pair ({mentee}, {mentor}) is both pinned and vetoed; expected one decision")]
    PinnedAndVetoed {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// Two people are pinned in both directions, and they may not mentor each other.
    #[error("pair ({mentee}, {mentor}) is pinned in both directions; expected one of them")]
    BothDirections {
        /// The pair's mentee.
        mentee: u32,
        /// The pair's mentor.
        mentor: u32,
    },
    /// A mentee has more pins than wanted mentors.
    #[error("mentee {mentee} has {pins} pins; expected at most {wanted}, the number of mentors wanted")]
    TooManyMentors {
        /// The mentee.
        mentee: u32,
        /// Number of pins.
        pins: u32,
        /// Number of mentors wanted.
        wanted: u32,
    },
    /// A mentor has more pins than seats.
    #[error("mentor {mentor} has {pins} pins; expected at most {seats}, the number of places offered")]
    TooManyMentees {
        /// The mentor.
        mentor: u32,
        /// Number of pins.
        pins: u32,
        /// Number of seats offered.
        seats: u32,
    },
}

/// Why a problem cannot be reduced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReductionError {
    /// The decisions cannot all be kept. The list holds every bad decision, sorted.
    #[error("{} decisions cannot be kept", .0.len())]
    Refused(Vec<BadDecision>),
    /// The observer stopped the operation.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// A problem from which decisions are removed.
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct ReducedProblem<'a> {
    pins: Vec<(u32, u32)>,
    mentees: Vec<Demand>,
    mentors: Vec<Seats>,
    scores: MaskedScores<'a>,
    coverage_first: bool,
}

impl<'a> ReducedProblem<'a> {
    /// Removes decisions from a problem.
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
        let opposites = problem.scores.opposites();
        let barred = opposites.map(|opposites| opposites.barred(&pins)).unwrap_or_default();
        let masked = sorted(&[pins.as_slice(), &decisions.vetoes, &barred].concat());
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
            scores: MaskedScores::of_whole(problem.scores, masked, observer)?,
            coverage_first: problem.coverage_first,
            pins,
        })
    }

    /// Removes decisions from a problem. Returns `None` if a decision cannot be kept.
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

    /// The number of candidates of the whole problem that are not candidates of the reduced one.
    pub(super) fn hidden(&self, whole: &Problem<'_>) -> u64 {
        let is_candidate =
            |pair: &&(u32, u32)| whole.scores.score(pair.0 as usize, pair.1 as usize).is_some();
        self.scores.masked().iter().filter(is_candidate).count() as u64
    }

    /// The reduced problem.
    pub fn problem(&self) -> Problem<'_> {
        Problem {
            mentees: &self.mentees,
            mentors: &self.mentors,
            scores: &self.scores,
            coverage_first: self.coverage_first,
        }
    }

    /// The assignment of the whole problem that consists of `pairs`, an assignment of the reduced problem, and the
    /// pins. Sorted.
    pub fn with_pins(&self, pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
        sorted(&[pairs, &self.pins].concat())
    }

    /// An assignment of the whole problem without the pins, sorted.
    pub fn without_pins(&self, pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let mut pairs = sorted(pairs);
        pairs.retain(|pair| self.pins.binary_search(pair).is_err());
        pairs
    }
}

/// The demand of a mentee after `pins` pins.
fn reduced(demand: Demand, pins: u32) -> Demand {
    let pins = u8::try_from(pins).unwrap_or(u8::MAX);
    Demand {
        tier: demand.tier,
        wanted: demand.wanted.min(2).saturating_sub(pins),
        pinned: demand.pinned.saturating_add(pins),
    }
}

/// Sorted pairs without repetitions.
pub(super) fn sorted(pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

#[cfg(test)]
mod tests;
