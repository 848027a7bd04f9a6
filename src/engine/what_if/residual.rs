//! The residual network of a best assignment.
//!
//! Flow runs from a root to every mentee (one unit per place in use), along the pairs, and from the mentors back to the
//! root (one unit per seat in use). An arc of the residual network is a change by one unit; its length is the loss of
//! the change at the certificate's prices:
//!
//! | arc | change | length |
//! |---|---|---|
//! | root to mentee | the mentee gains a place | `-(bonus of the next place + u)` |
//! | mentee to root | the mentee loses a place | `bonus of the last place + u` |
//! | mentee to mentor | the pair starts | `u + p - score` |
//! | mentor to mentee | the pair ends | `score - u - p` |
//! | mentor to root | the mentor gains a mentee | `-(bonus of the next seat + p)` |
//! | root to mentor | the mentor loses a mentee | `bonus of the last seat + p` |
//!
//! Invariant: no length is negative if the certificate proves the assignment (complementary slackness). Quotas are not
//! part of this network.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::engine::assign::StopPoll;
use crate::engine::certificate::Certificate;
use crate::engine::graph::Csr;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN};
use crate::engine::problem::Problem;

use super::alternate::{Alternate, Cost};

/// Mentees whose scores with one mentor are read at a time.
const ROWS: usize = 256;
/// Units of work to read one of these scores.
const SCORE_WORK: usize = 16;
/// Mentors whose scores with one mentee are read at a time.
const COLUMNS: usize = 4096;
/// People or pairs that one task reads.
const CHUNK: usize = 1 << 10;

/// The residual network. Nodes are the mentors, then the mentees, then the root.
pub(super) struct Residual<'a> {
    problem: Problem<'a>,
    certificate: &'a Certificate,
    /// Weight of a first mentor, by tier.
    first: [i128; 256],
    mates: Csr<Edge>,
    holders: Csr<Edge>,
    /// The candidates by mentor, if the source is sparse. Built when first needed.
    columns: OnceLock<Csr<Edge>>,
}

/// The count of the objective that an arc changes by one.
#[derive(Clone, Copy)]
enum CountedUnit {
    First(u8),
    Second,
    Minimum,
    Nothing,
}

impl<'a> Residual<'a> {
    /// The network; `None` if a person or a match shows that the certificate does not prove the assignment.
    pub(super) fn new(
        problem: &Problem<'a>,
        pairs: &[(u32, u32)],
        certificate: &'a Certificate,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, Stopped> {
        let (mentees, mentors) = (problem.mentees.len(), problem.mentors.len());
        let mut first = [0; 256];
        for entry in &certificate.tiers {
            first[usize::from(entry.tier)] = entry.weight;
        }
        let scored = |&(mentee, mentor): &(u32, u32)| {
            let (at, to) = (mentee as usize, mentor as usize);
            let score = if at < mentees && to < mentors { problem.scores.score(at, to) } else { None };
            score.map(|score| (mentee, mentor, score))
        };
        let scored = pairs.par_iter().with_min_len(CHUNK).map(scored).collect::<Option<Vec<_>>>();
        let Some(scored) = scored else { return Ok(None) };
        let parts = || std::iter::once(((), scored.as_slice()));
        let of_mentee = |(), &(mentee, to, score): &(u32, u32, i32)| (mentee as usize, Edge { to, score });
        let mates = Csr::group(mentees, Edge::NONE, parts(), of_mentee, observer)?;
        let of_mentor = |(), &(to, mentor, score): &(u32, u32, i32)| (mentor as usize, Edge { to, score });
        let holders = Csr::group(mentors, Edge::NONE, parts(), of_mentor, observer)?;
        let residual =
            Self { problem: *problem, certificate, first, mates, holders, columns: OnceLock::new() };
        Ok(residual.is_tight().then_some(residual))
    }

    /// Whether no arc has a negative length. Arcs of pairs outside the assignment are not checked.
    fn is_tight(&self) -> bool {
        let Certificate { mentee_prices, mentor_prices, mentee_group_prices, mentor_group_prices, .. } =
            self.certificate;
        // The residual network does not contain quotas.
        if !mentee_group_prices.is_empty() || !mentor_group_prices.is_empty() {
            return false;
        }
        let (mentees, mentors) = (self.mates.len(), self.holders.len());
        if mentee_prices.len() != mentees || mentor_prices.len() != mentors {
            return false;
        }
        (0..mentors + mentees).into_par_iter().with_min_len(CHUNK).all(|node| {
            let room = if node < mentors { self.seats(node) } else { self.wanted(node - mentors) };
            let (_, has, _) = self.standing(node);
            let gain = self.gain(node).is_none_or(|(length, _)| length >= 0);
            let loss = self.loss(node).is_none_or(|(length, _)| length >= 0);
            let used =
                node >= mentors || self.holders.row(node).iter().all(|&edge| self.used(node, edge) >= 0);
            has <= room && gain && loss && used
        })
    }

    /// Number of nodes. The last node is the root.
    pub(super) fn nodes(&self) -> usize {
        self.root() + 1
    }

    /// The node of the root.
    pub(super) fn root(&self) -> usize {
        self.holders.len() + self.mates.len()
    }

    /// The nodes of the mentees, and of the mentors.
    pub(super) fn sides(&self) -> (Range<usize>, Range<usize>) {
        (self.holders.len()..self.root(), 0..self.holders.len())
    }

    /// Whether a node is a mentor.
    pub(super) fn is_mentor(&self, node: usize) -> bool {
        node < self.holders.len()
    }

    /// The node of a mentee, if the mentee exists.
    pub(super) fn mentee(&self, mentee: u32) -> Option<usize> {
        ((mentee as usize) < self.mates.len()).then_some(self.holders.len() + mentee as usize)
    }

    /// The node of a mentor, if the mentor exists.
    pub(super) fn mentor(&self, mentor: u32) -> Option<usize> {
        ((mentor as usize) < self.holders.len()).then_some(mentor as usize)
    }

    /// The position of a node among the mentees or among the mentors.
    pub(super) fn person(&self, node: usize) -> u32 {
        let at = if self.is_mentor(node) { node } else { node - self.holders.len() };
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// Whether the assignment contains a pair.
    pub(super) fn are_mates(&self, mentee: u32, mentor: u32) -> bool {
        self.mates.row(mentee as usize).iter().any(|edge| edge.to == mentor)
    }

    fn wanted(&self, mentee: usize) -> usize {
        usize::from(self.problem.mentees[mentee].wanted.min(2))
    }

    fn seats(&self, mentor: usize) -> usize {
        self.problem.mentors[mentor].max as usize
    }

    fn u(&self, mentee: usize) -> i128 {
        self.certificate.mentee_prices[mentee]
    }

    fn p(&self, mentor: usize) -> i128 {
        self.certificate.mentor_prices[mentor]
    }

    /// Length of the arc that ends a pair.
    fn used(&self, mentor: usize, holder: Edge) -> i128 {
        i128::from(holder.score) - self.u(holder.to as usize) - self.p(mentor)
    }

    /// Length of the arc that starts a pair; `None` if the pair is not a candidate or one of the two people has no place.
    pub(super) fn force(&self, mentee: u32, mentor: u32) -> Option<i128> {
        let (at, to) = (mentee as usize, mentor as usize);
        let possible = self.wanted(at) > 0 && self.seats(to) > 0;
        let score = self.problem.scores.score(at, to).filter(|_| possible)?;
        Some(self.u(at) + self.p(to) - i128::from(score))
    }

    /// Bonus of the place or seat of that number, from 0.
    fn bonus(&self, node: usize, number: usize) -> (i128, CountedUnit) {
        if self.is_mentor(node) {
            return if number < self.problem.mentors[node].min as usize {
                (self.certificate.minimum, CountedUnit::Minimum)
            } else {
                (0, CountedUnit::Nothing)
            };
        }
        let demand = self.problem.mentees[node - self.holders.len()];
        if number == 0 && demand.pinned == 0 {
            (self.first[usize::from(demand.tier)], CountedUnit::First(demand.tier))
        } else {
            (self.certificate.second, CountedUnit::Second)
        }
    }

    /// The arc by which a person gains a place or a seat, if one is free: from the root to a mentee, or from a mentor
    /// to the root.
    fn gain(&self, node: usize) -> Option<(i128, CountedUnit)> {
        let (price, has, room) = self.standing(node);
        let (bonus, counted) = self.bonus(node, has);
        (has < room).then_some((-(bonus + price), counted))
    }

    /// The arc by which a person loses a place or a seat, if one is in use: the opposite of [`Self::gain`].
    fn loss(&self, node: usize) -> Option<(i128, CountedUnit)> {
        let (price, has, _) = self.standing(node);
        let (bonus, counted) = self.bonus(node, has.checked_sub(1)?);
        Some((bonus + price, counted))
    }

    fn standing(&self, node: usize) -> (i128, usize, usize) {
        if self.is_mentor(node) {
            (self.p(node), self.holders.row(node).len(), self.seats(node))
        } else {
            let mentee = node - self.holders.len();
            (self.u(mentee), self.mates.row(mentee).len(), self.wanted(mentee))
        }
    }

    /// Length of the arc from a person to the root.
    pub(super) fn to_root(&self, node: usize) -> Option<i128> {
        let arc = if self.is_mentor(node) { self.gain(node) } else { self.loss(node) };
        arc.map(|(length, _)| length)
    }

    /// Length of the arc from the root to a person.
    pub(super) fn root_to(&self, node: usize) -> Option<i128> {
        let arc = if self.is_mentor(node) { self.loss(node) } else { self.gain(node) };
        arc.map(|(length, _)| length)
    }

    /// Passes the mentees of a mentor, or the mentors of a mentee, to `show`, each with the length of the arc that ends
    /// the pair.
    pub(super) fn matches(&self, node: usize, mut show: impl FnMut(usize, i128)) {
        let mentors = self.holders.len();
        if self.is_mentor(node) {
            for &edge in self.holders.row(node) {
                show(mentors + edge.to as usize, self.used(node, edge));
            }
        } else {
            let mentee = node - mentors;
            for &Edge { to, score } in self.mates.row(mentee) {
                show(to as usize, i128::from(score) - self.u(mentee) - self.p(to as usize));
            }
        }
    }

    /// Passes all other candidates of a mentee to `show`, each with the length of the arc that starts the pair.
    pub(super) fn row(
        &self,
        node: usize,
        poll: &mut StopPoll<'_>,
        mut show: impl FnMut(usize, i128),
    ) -> Result<(), Stopped> {
        let mentee = node - self.holders.len();
        if self.wanted(mentee) == 0 || self.holders.len() == 0 {
            return Ok(());
        }
        let u = self.u(mentee);
        let mates = self.mates.row(mentee);
        let mut look = |to: usize, score: i32| {
            if self.seats(to) > 0 && !mates.iter().any(|mate| mate.to as usize == to) {
                show(to, u + self.p(to) - i128::from(score));
            }
        };
        if let Some(sparse) = self.problem.scores.sparse() {
            sparse.row(mentee).iter().for_each(|edge| look(edge.to as usize, edge.score));
            return poll.count(sparse.row(mentee).len());
        }
        let mut scores = [FORBIDDEN; COLUMNS];
        for from in (0..self.holders.len()).step_by(COLUMNS) {
            poll.count(COLUMNS)?;
            let columns = from..self.holders.len().min(from + COLUMNS);
            let scores = &mut scores[..columns.len()];
            self.problem.scores.tile(mentee..mentee + 1, columns.clone(), scores);
            for (to, &score) in columns.zip(scores.iter()).filter(|&(_, &score)| score != FORBIDDEN) {
                look(to, score);
            }
        }
        Ok(())
    }

    /// Passes all other candidates of a mentor to `show`, each with the length of the arc that starts the pair.
    pub(super) fn column(
        &self,
        mentor: usize,
        poll: &mut StopPoll<'_>,
        mut show: impl FnMut(usize, i128),
    ) -> Result<(), Stopped> {
        self.columns_of(mentor..mentor + 1, poll, |_, node, length| show(node, length))
    }

    /// Passes all other candidates of some mentors to `show`, after the mentor, each with the length of the arc that starts the
    /// pair.
    pub(super) fn columns_of(
        &self,
        mentors: Range<usize>,
        poll: &mut StopPoll<'_>,
        mut show: impl FnMut(usize, usize, i128),
    ) -> Result<(), Stopped> {
        let mut look = |mentor: usize, from: usize, score: i32| {
            let is_holder = || self.holders.row(mentor).iter().any(|holder| holder.to as usize == from);
            if self.seats(mentor) > 0 && self.wanted(from) > 0 && !is_holder() {
                show(mentor, self.holders.len() + from, self.u(from) + self.p(mentor) - i128::from(score));
            }
        };
        if let Some(columns) = self.columns(poll)? {
            for mentor in mentors {
                let column = columns.row(mentor);
                for edge in column {
                    look(mentor, edge.to as usize, edge.score);
                }
                poll.count(column.len())?;
            }
            return Ok(());
        }
        if mentors.clone().all(|mentor| self.seats(mentor) == 0) {
            return Ok(());
        }
        let mut scores = vec![FORBIDDEN; ROWS * mentors.len()];
        for from in (0..self.mates.len()).step_by(ROWS) {
            poll.count(SCORE_WORK * ROWS * mentors.len())?;
            let rows: Range<usize> = from..self.mates.len().min(from + ROWS);
            let scores = &mut scores[..rows.len() * mentors.len()];
            self.problem.scores.tile(rows.clone(), mentors.clone(), scores);
            for (from, scores) in rows.zip(scores.chunks_exact(mentors.len())) {
                let candidates = mentors.clone().zip(scores).filter(|&(_, &score)| score != FORBIDDEN);
                candidates.for_each(|(mentor, &score)| look(mentor, from, score));
            }
        }
        Ok(())
    }

    fn columns(&self, poll: &StopPoll<'_>) -> Result<Option<&Csr<Edge>>, Stopped> {
        let Some(sparse) = self.problem.scores.sparse() else { return Ok(None) };
        if self.columns.get().is_none() {
            let columns = sparse.columns(self.holders.len(), poll.observer())?;
            // Another thread may already have stored the same value.
            let _ = self.columns.set(columns);
        }
        Ok(self.columns.get())
    }

    /// The alternate of a pair whose forcing is balanced along `path`, from the mentor to the mentee.
    pub(super) fn alternate(&self, mentee: u32, mentor: u32, path: &[usize]) -> Alternate {
        let (mut added, mut removed) = (vec![(mentee, mentor)], Vec::new());
        let mut cost = Cost::default();
        for arc in path.windows(2) {
            let (from, to) = (arc[0], arc[1]);
            if to == self.root() {
                let arc = if self.is_mentor(from) { self.gain(from) } else { self.loss(from) };
                self.count(&mut cost, arc, if self.is_mentor(from) { -1 } else { 1 });
            } else if from == self.root() {
                let arc = if self.is_mentor(to) { self.loss(to) } else { self.gain(to) };
                self.count(&mut cost, arc, if self.is_mentor(to) { 1 } else { -1 });
            } else if self.is_mentor(from) {
                removed.push((self.person(to), self.person(from)));
            } else {
                added.push((self.person(from), self.person(to)));
            }
        }
        added.sort_unstable();
        removed.sort_unstable();
        let total = |pairs: &[(u32, u32)]| {
            let score = |&(mentee, mentor): &(u32, u32)| {
                i64::from(self.problem.scores.score(mentee as usize, mentor as usize).unwrap_or_default())
            };
            pairs.iter().map(score).sum::<i64>()
        };
        cost.score = total(&removed) - total(&added);
        cost.tiers.retain(|&(_, lost)| lost != 0);
        cost.tiers.sort_unstable();
        cost.weighted = i128::from(cost.score)
            + i128::from(cost.minimum) * self.certificate.minimum
            + i128::from(cost.second) * self.certificate.second
            + cost
                .tiers
                .iter()
                .map(|&(tier, lost)| i128::from(lost) * self.first[usize::from(tier)])
                .sum::<i128>();
        Alternate::listing((mentee, mentor), cost, added, removed)
    }

    fn count(&self, cost: &mut Cost, arc: Option<(i128, CountedUnit)>, lost: i64) {
        match arc {
            Some((_, CountedUnit::Minimum)) => cost.minimum += lost,
            Some((_, CountedUnit::Second)) if self.problem.coverage_first => cost.second += lost,
            Some((_, CountedUnit::First(tier))) if self.problem.coverage_first => {
                match cost.tiers.iter_mut().find(|entry| entry.0 == tier) {
                    Some(entry) => entry.1 += lost,
                    None => cost.tiers.push((tier, lost)),
                }
            }
            _ => {}
        }
    }
}
