//! A large weakly stable assignment by promotion: the linear-time approximation of Kiraly ("Linear time local approximation
//! algorithm for maximum stable marriage", Algorithms 6, 2013), with seats.
//!
//! Mentees propose in the order of their lists. Among mentors of equal score a mentee proposes to one with a free seat
//! first. A mentee at the end of her list is *promoted* once and begins her list again; among mentees of equal score a
//! mentor prefers a promoted one. A pair is *precarious* while the mentee could move to an equal mentor with a free seat:
//! a full mentor gives up a precarious mentee for any other.
//!
//! If every mentee wants one mentor, no stable assignment has more than 3/2 times as many pairs. A mentee who wants two
//! proposes until two have accepted; then only stability is guaranteed.
//!
//! Time: O(candidates), times the number of equal mentors while some of them have free seats.

use super::lists::PreferredPairs;
use crate::engine::assign::StopPoll;
use crate::engine::observer::{Observer, Stopped};

/// A weakly stable assignment of the remaining pairs. Sorted.
pub(super) fn promote(lists: &PreferredPairs, observer: &dyn Observer) -> Result<Vec<(u32, u32)>, Stopped> {
    let mut poll = StopPoll::new(observer);
    let mut state = Promotion::of(lists);
    let mentees = u32::try_from(lists.mentees()).unwrap_or(u32::MAX);
    let mut proposing: Vec<u32> = Vec::new();
    for mentee in 0..mentees {
        proposing.extend(std::iter::repeat_n(mentee, lists.wanted(mentee) as usize));
    }
    while let Some(mentee) = proposing.pop() {
        poll.count(1 + state.lists[mentee as usize].len())?;
        if let Some(index) = state.favourite(mentee) {
            proposing.extend(state.propose(index));
        } else if !std::mem::replace(&mut state.promoted[mentee as usize], true) {
            state.begin_again(mentee);
            proposing.push(mentee);
        }
    }
    let kept = state.kept.iter().flatten().map(|index| lists.pair(*index));
    let mut pairs: Vec<(u32, u32)> = kept.map(|pair| (pair.mentee, pair.mentor)).collect();
    pairs.sort_unstable();
    Ok(pairs)
}

/// What a mentee and a mentor of a list have done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The mentee may propose.
    Open,
    /// The mentor has accepted the mentee.
    Accepted,
    /// The mentor has rejected the mentee.
    Rejected,
}

struct Promotion<'a> {
    pairs: &'a PreferredPairs,
    /// Indices of the remaining pairs of each mentee, best first, each with its standing.
    lists: Vec<Vec<(u32, Standing)>>,
    promoted: Vec<bool>,
    /// Indices of the pairs that each mentor keeps.
    kept: Vec<Vec<u32>>,
    free_mentors: usize,
}

impl<'a> Promotion<'a> {
    fn of(pairs: &'a PreferredPairs) -> Self {
        let mentees = 0..u32::try_from(pairs.mentees()).unwrap_or(u32::MAX);
        let open = |mentee| pairs.of_mentee(mentee).map(|(index, _)| (index, Standing::Open)).collect();
        let mentors = 0..u32::try_from(pairs.mentors()).unwrap_or(u32::MAX);
        Self {
            pairs,
            lists: mentees.map(open).collect(),
            promoted: vec![false; pairs.mentees()],
            kept: vec![Vec::new(); pairs.mentors()],
            free_mentors: mentors.filter(|mentor| pairs.seats(*mentor) > 0).count(),
        }
    }

    fn has_free_seat(&self, mentor: u32) -> bool {
        self.kept[mentor as usize].len() < self.pairs.seats(mentor) as usize
    }

    fn begin_again(&mut self, mentee: u32) {
        for (_, standing) in &mut self.lists[mentee as usize] {
            if *standing == Standing::Rejected {
                *standing = Standing::Open;
            }
        }
    }

    /// The next pair of a mentee: of the open pairs with the highest score the first whose mentor has a free seat, else the
    /// first.
    fn favourite(&self, mentee: u32) -> Option<u32> {
        let list = &self.lists[mentee as usize];
        let mut open =
            list.iter().filter(|(_, standing)| *standing == Standing::Open).map(|(index, _)| *index);
        let first = open.next()?;
        if self.free_mentors == 0 || self.has_free_seat(self.pairs.pair(first).mentor) {
            return Some(first);
        }
        let score = self.pairs.pair(first).by_mentee;
        let equal = open.map_while(|index| {
            let pair = self.pairs.pair(index);
            (pair.by_mentee == score).then_some((index, pair.mentor))
        });
        let with_seat = equal.into_iter().find(|(_, mentor)| self.has_free_seat(*mentor));
        Some(with_seat.map_or(first, |(index, _)| index))
    }

    /// Whether the mentee of a kept pair could move to an equal mentor with a free seat.
    fn is_precarious(&self, index: u32) -> bool {
        if self.free_mentors == 0 {
            return false;
        }
        let pair = self.pairs.pair(index);
        self.lists[pair.mentee as usize].iter().any(|(other, standing)| {
            let other = self.pairs.pair(*other);
            *standing == Standing::Open
                && other.by_mentee == pair.by_mentee
                && self.has_free_seat(other.mentor)
        })
    }

    /// Proposes a pair to its mentor. Returns the mentee who then has a place less than before: the rejected one.
    fn propose(&mut self, index: u32) -> Option<u32> {
        let pair = *self.pairs.pair(index);
        let at = pair.mentor as usize;
        if self.has_free_seat(pair.mentor) {
            self.accept(index);
            self.free_mentors -= usize::from(!self.has_free_seat(pair.mentor));
            return None;
        }
        if let Some(place) = self.kept[at].iter().position(|kept| self.is_precarious(*kept)) {
            let moving = self.kept[at].swap_remove(place);
            self.stand(moving, Standing::Open);
            self.accept(index);
            return Some(self.pairs.pair(moving).mentee);
        }
        let rank = |index: u32| {
            let pair = self.pairs.pair(index);
            (pair.by_mentor, self.promoted[pair.mentee as usize])
        };
        let worst = (0..self.kept[at].len()).min_by_key(|place| rank(self.kept[at][*place]))?;
        let rejected = if rank(self.kept[at][worst]) < rank(index) {
            let rejected = self.kept[at].swap_remove(worst);
            self.accept(index);
            rejected
        } else {
            index
        };
        self.stand(rejected, Standing::Rejected);
        Some(self.pairs.pair(rejected).mentee)
    }

    fn accept(&mut self, index: u32) {
        self.kept[self.pairs.pair(index).mentor as usize].push(index);
        self.stand(index, Standing::Accepted);
    }

    fn stand(&mut self, index: u32, standing: Standing) {
        let list = &mut self.lists[self.pairs.pair(index).mentee as usize];
        // Pairs of a mentee are numbered in the order of her list.
        if let Ok(at) = list.binary_search_by_key(&index, |entry| entry.0) {
            list[at].1 = standing;
        }
    }
}
