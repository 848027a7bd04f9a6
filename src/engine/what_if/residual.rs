//! The residual network of a best assignment.
//!
//! Flow runs from a root into every mentee (one unit per place in use), along the pairs, and from the mentors back to the
//! root (one unit per seat in use). An arc of the residual network is a change of one unit, and its length is what the
//! change loses at the certificate's prices:
//!
//! | arc | change | length |
//! |---|---|---|
//! | root to mentee | she gains a place | `-(bonus of her next place + u)` |
//! | mentee to root | she loses a place | `bonus of her last place + u` |
//! | mentee to mentor | the pair is made | `u + p - score` |
//! | mentor to mentee | the pair is ended | `score - u - p` |
//! | mentor to root | she gains a mentee | `-(bonus of her next seat + p)` |
//! | root to mentor | she loses a mentee | `bonus of her last seat + p` |
//!
//! None is negative if the certificate proves the assignment: that is complementary slackness.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::engine::assign::StopPoll;
use crate::engine::certificate::Certificate;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN, blank};
use crate::engine::problem::Problem;

use super::alternate::{Alternate, Cost};

/// Mentees whose scores with one mentor are asked for at a time.
const BLOCK: usize = 256;
/// Units of work to ask for one of these scores.
const ASKING: usize = 16;
/// Mentors whom a mentee's scores are asked for at a time.
const STRETCH: usize = 4096;
/// People or pairs looked at as one piece of work.
const AT_A_TIME: usize = 1 << 10;

/// The residual network. Nodes are the mentors, then the mentees, then the root.
pub(super) struct Residual<'a> {
    problem: Problem<'a>,
    certificate: &'a Certificate,
    /// PriceInteger of a first mentor, by tier.
    first: [i128; 256],
    mates: ByPerson,
    holders: ByPerson,
    /// The list of candidates by mentor, if they are listed; made when first needed.
    columns: OnceLock<ByPerson>,
}

/// Pairs by one of their ends: 8 bytes per pair, and as many per person.
#[derive(Debug, Default)]
struct ByPerson {
    starts: Vec<usize>,
    arcs: Vec<Edge>,
}

impl ByPerson {
    /// Puts pairs in order that `each` shows, twice the same, with the person and the arc to the other end.
    fn new(
        people: usize,
        observer: &dyn Observer,
        mut each: impl FnMut(&mut dyn FnMut(usize, Edge)) -> Result<(), Stopped>,
    ) -> Result<Self, Stopped> {
        let mut starts = vec![0; people + 1];
        each(&mut |person, _| starts[person + 1] += 1)?;
        for person in 0..people {
            starts[person + 1] += starts[person];
        }
        let mut arcs = blank(starts[people], observer)?;
        let mut next = starts.clone();
        each(&mut |person, arc| {
            arcs[next[person]] = arc;
            next[person] += 1;
        })?;
        Ok(Self { starts, arcs })
    }

    fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn of(&self, person: usize) -> &[Edge] {
        &self.arcs[self.starts[person]..self.starts[person + 1]]
    }
}

/// Something that changes by one unit along an arc of the network.
#[derive(Clone, Copy)]
enum Counted {
    First(u8),
    Second,
    Minimum,
    Nothing,
}

impl<'a> Residual<'a> {
    /// The network; `None` if a person or a match proves that the certificate is not the assignment's.
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
        let score = |&(mentee, mentor): &(u32, u32)| {
            let (at, to) = (mentee as usize, mentor as usize);
            if at < mentees && to < mentors { problem.scores.score(at, to) } else { None }
        };
        let scores = pairs.par_iter().with_min_len(AT_A_TIME).map(score).collect::<Option<Vec<i32>>>();
        let Some(scores) = scores else { return Ok(None) };
        let by = |people, end: fn(u32, u32) -> (u32, u32)| {
            let matches = || pairs.iter().zip(&scores);
            ByPerson::new(people, observer, |show| {
                for (&(mentee, mentor), &score) in matches() {
                    let (person, to) = end(mentee, mentor);
                    show(person as usize, Edge { to, score });
                }
                observer.check()
            })
        };
        let mates = by(mentees, |mentee, mentor| (mentee, mentor))?;
        let holders = by(mentors, |mentee, mentor| (mentor, mentee))?;
        let residual =
            Self { problem: *problem, certificate, first, mates, holders, columns: OnceLock::new() };
        Ok(residual.is_tight().then_some(residual))
    }

    /// Whether no arc but those of pairs not made, which are not looked at, is shorter than nothing.
    fn is_tight(&self) -> bool {
        let Certificate { mentee_prices, mentor_prices, mentee_group_prices, mentor_group_prices, .. } =
            self.certificate;
        // Paths know nothing of quotas.
        if !mentee_group_prices.is_empty() || !mentor_group_prices.is_empty() {
            return false;
        }
        let (mentees, mentors) = (self.mates.len(), self.holders.len());
        if mentee_prices.len() != mentees || mentor_prices.len() != mentors {
            return false;
        }
        (0..mentors + mentees).into_par_iter().with_min_len(AT_A_TIME).all(|node| {
            let room = if node < mentors { self.seats(node) } else { self.wanted(node - mentors) };
            let (_, has, _) = self.standing(node);
            let gain = self.gain(node).is_none_or(|(length, _)| length >= 0);
            let loss = self.loss(node).is_none_or(|(length, _)| length >= 0);
            let used = node >= mentors || self.holders.of(node).iter().all(|&arc| self.used(node, arc) >= 0);
            has <= room && gain && loss && used
        })
    }

    /// Nodes in all; the last is the root.
    pub(super) fn nodes(&self) -> usize {
        self.root() + 1
    }

    /// The root.
    pub(super) fn root(&self) -> usize {
        self.holders.len() + self.mates.len()
    }

    /// Whether a node is a mentor.
    pub(super) fn is_mentor(&self, node: usize) -> bool {
        node < self.holders.len()
    }

    /// The node of a mentee, if she exists.
    pub(super) fn mentee(&self, mentee: u32) -> Option<usize> {
        ((mentee as usize) < self.mates.len()).then_some(self.holders.len() + mentee as usize)
    }

    /// The node of a mentor, if she exists.
    pub(super) fn mentor(&self, mentor: u32) -> Option<usize> {
        ((mentor as usize) < self.holders.len()).then_some(mentor as usize)
    }

    /// Who a node is, among the mentees or among the mentors.
    pub(super) fn person(&self, node: usize) -> u32 {
        let at = if self.is_mentor(node) { node } else { node - self.holders.len() };
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// Whether a pair is made.
    pub(super) fn are_mates(&self, mentee: u32, mentor: u32) -> bool {
        self.mates.of(mentee as usize).iter().any(|arc| arc.to == mentor)
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

    /// Length of the arc that makes a pair; `None` if it is not a candidate or one of the two has no place at all.
    pub(super) fn force(&self, mentee: u32, mentor: u32) -> Option<i128> {
        let (at, to) = (mentee as usize, mentor as usize);
        let possible = self.wanted(at) > 0 && self.seats(to) > 0;
        let score = self.problem.scores.score(at, to).filter(|_| possible)?;
        Some(self.u(at) + self.p(to) - i128::from(score))
    }

    /// What the place or seat of that number counts for, the first being 0.
    fn bonus(&self, node: usize, number: usize) -> (i128, Counted) {
        if self.is_mentor(node) {
            return if number < self.problem.mentors[node].min as usize {
                (self.certificate.minimum, Counted::Minimum)
            } else {
                (0, Counted::Nothing)
            };
        }
        let demand = self.problem.mentees[node - self.holders.len()];
        if number == 0 && demand.pinned == 0 {
            (self.first[usize::from(demand.tier)], Counted::First(demand.tier))
        } else {
            (self.certificate.second, Counted::Second)
        }
    }

    /// What it takes a person to gain a place or a seat, if there is room: the arc from the root to a mentee, or from a
    /// mentor to the root.
    fn gain(&self, node: usize) -> Option<(i128, Counted)> {
        let (price, has, room) = self.standing(node);
        let (bonus, counted) = self.bonus(node, has);
        (has < room).then_some((-(bonus + price), counted))
    }

    /// What it takes a person to lose a place or a seat, if she has one: the other way round.
    fn loss(&self, node: usize) -> Option<(i128, Counted)> {
        let (price, has, _) = self.standing(node);
        let (bonus, counted) = self.bonus(node, has.checked_sub(1)?);
        Some((bonus + price, counted))
    }

    fn standing(&self, node: usize) -> (i128, usize, usize) {
        if self.is_mentor(node) {
            (self.p(node), self.holders.of(node).len(), self.seats(node))
        } else {
            let mentee = node - self.holders.len();
            (self.u(mentee), self.mates.of(mentee).len(), self.wanted(mentee))
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

    /// Shows the mentees of a mentor, or the mentors of a mentee, with the length of the arc that ends each pair.
    pub(super) fn matches(&self, node: usize, mut show: impl FnMut(usize, i128)) {
        let mentors = self.holders.len();
        if self.is_mentor(node) {
            for &arc in self.holders.of(node) {
                show(mentors + arc.to as usize, self.used(node, arc));
            }
        } else {
            let mentee = node - mentors;
            for &Edge { to, score } in self.mates.of(mentee) {
                show(to as usize, i128::from(score) - self.u(mentee) - self.p(to as usize));
            }
        }
    }

    /// Shows the mentors with whom a mentee might be and is not, with the length of the arc that makes each pair.
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
        let mates = self.mates.of(mentee);
        let mut look = |to: usize, score: i32| {
            if self.seats(to) > 0 && !mates.iter().any(|mate| mate.to as usize == to) {
                show(to, u + self.p(to) - i128::from(score));
            }
        };
        if let Some(listed) = self.problem.scores.sparse() {
            listed.row(mentee).iter().for_each(|arc| look(arc.to as usize, arc.score));
            return poll.count(listed.row(mentee).len());
        }
        let mut scores = [FORBIDDEN; STRETCH];
        for from in (0..self.holders.len()).step_by(STRETCH) {
            poll.count(STRETCH)?;
            let columns = from..self.holders.len().min(from + STRETCH);
            let scores = &mut scores[..columns.len()];
            self.problem.scores.tile(mentee..mentee + 1, columns.clone(), scores);
            for (to, &score) in columns.zip(scores.iter()).filter(|&(_, &score)| score != FORBIDDEN) {
                look(to, score);
            }
        }
        Ok(())
    }

    /// Shows the mentees with whom a mentor might be and is not, with the length of the arc that makes each pair.
    pub(super) fn column(
        &self,
        mentor: usize,
        poll: &mut StopPoll<'_>,
        mut show: impl FnMut(usize, i128),
    ) -> Result<(), Stopped> {
        if self.seats(mentor) == 0 {
            return Ok(());
        }
        let p = self.p(mentor);
        let holders = self.holders.of(mentor);
        let mut look = |from: usize, score: i32| {
            if self.wanted(from) > 0 && !holders.iter().any(|holder| holder.to as usize == from) {
                show(self.holders.len() + from, self.u(from) + p - i128::from(score));
            }
        };
        if let Some(columns) = self.columns(poll)? {
            columns.of(mentor).iter().for_each(|arc| look(arc.to as usize, arc.score));
            return poll.count(columns.of(mentor).len());
        }
        let mut scores = [FORBIDDEN; BLOCK];
        for from in (0..self.mates.len()).step_by(BLOCK) {
            poll.count(ASKING * BLOCK)?;
            let rows: Range<usize> = from..self.mates.len().min(from + BLOCK);
            let scores = &mut scores[..rows.len()];
            self.problem.scores.tile(rows.clone(), mentor..mentor + 1, scores);
            for (from, &score) in rows.zip(scores.iter()).filter(|&(_, &score)| score != FORBIDDEN) {
                look(from, score);
            }
        }
        Ok(())
    }

    fn columns(&self, poll: &mut StopPoll<'_>) -> Result<Option<&ByPerson>, Stopped> {
        let Some(listed) = self.problem.scores.sparse() else { return Ok(None) };
        if self.columns.get().is_none() {
            let columns = ByPerson::new(self.holders.len(), poll.observer(), |show| {
                for (mentee, at) in (0..self.mates.len()).zip(0_u32..) {
                    let row = listed.row(mentee);
                    poll.count(row.len())?;
                    for arc in row {
                        show(arc.to as usize, Edge { to: at, score: arc.score });
                    }
                }
                Ok(())
            })?;
            // Somebody else may have been quicker, with the same.
            let _ = self.columns.set(columns);
        }
        Ok(self.columns.get())
    }

    /// What comes of forcing a pair if flow is put right along `path`, from the mentor to the mentee.
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
        Alternate { mentee, mentor, cost, added, removed }
    }

    fn count(&self, cost: &mut Cost, arc: Option<(i128, Counted)>, lost: i64) {
        match arc {
            Some((_, Counted::Minimum)) => cost.minimum += lost,
            Some((_, Counted::Second)) if self.problem.coverage_first => cost.second += lost,
            Some((_, Counted::First(tier))) if self.problem.coverage_first => {
                match cost.tiers.iter_mut().find(|entry| entry.0 == tier) {
                    Some(entry) => entry.1 += lost,
                    None => cost.tiers.push((tier, lost)),
                }
            }
            _ => {}
        }
    }
}
