//! The largest weakly stable assignment of a small independent part, by complete search (depth first, with bounds).
//!
//! The search decides one mentee after another. A mentee who does not get a mentor that she likes more than her worst
//! partner makes a *claim*: in the end that mentor must be full with mentees whom it likes at least as much as her. An
//! assignment that keeps all claims is weakly stable, and every weakly stable assignment is found. A node is left if a
//! claim cannot be kept any more, or if all places that remaining mentees could get do not exceed the best size found.
//!
//! Time: exponential in the mentees of the part; a limit of nodes ends the search without a result.

use super::lists::{PreferredPair, PreferredPairs};
use super::size::Size;
use crate::engine::assign::StopPoll;
use crate::engine::observer::{Observer, Stopped};

/// Most mentees of a part that is searched: bounds the depth of the recursion.
const MOST_MENTEES: usize = 128;

/// A largest weakly stable assignment of a part; `None` if the part is too large or the limit of nodes is reached. `known` is
/// a weakly stable assignment, and no assignment of the part exceeds `bound`. Sorted.
pub(super) fn search(
    lists: &PreferredPairs,
    mentees: &[u32],
    known: &[(u32, u32)],
    bound: Size,
    nodes: u32,
    observer: &dyn Observer,
) -> Result<Option<Vec<(u32, u32)>>, Stopped> {
    if mentees.len() > MOST_MENTEES {
        return Ok(None);
    }
    let of_part = |pair: &&(u32, u32)| mentees.binary_search(&pair.0).is_ok();
    let best: Vec<(u32, u32)> = known.iter().filter(of_part).copied().collect();
    // People with short lists first: their choices decide the claims.
    let mut order = mentees.to_vec();
    order.sort_by_key(|mentee| lists.of_mentee(*mentee).count());
    let mut search = Search {
        lists,
        undecided: order.iter().fold(vec![false; lists.mentees()], |mut undecided, mentee| {
            undecided[*mentee as usize] = true;
            undecided
        }),
        order,
        kept: vec![Vec::new(); lists.mentors()],
        claims: vec![i32::MIN; lists.mentors()],
        chosen: Vec::new(),
        size: Size::default(),
        best_size: Size::of(&best),
        best,
        bound,
        left: nodes,
        poll: StopPoll::new(observer),
    };
    let complete = search.decide(0)?;
    Ok(complete.then(|| {
        search.best.sort_unstable();
        search.best
    }))
}

struct Search<'a> {
    lists: &'a PreferredPairs,
    /// The mentees in the order of decisions.
    order: Vec<u32>,
    undecided: Vec<bool>,
    /// Scores of the mentees whom each mentor has.
    kept: Vec<Vec<i32>>,
    /// Lowest score that each mentor may accept, and it must be full; the least number without a claim.
    claims: Vec<i32>,
    chosen: Vec<(u32, u32)>,
    size: Size,
    best: Vec<(u32, u32)>,
    best_size: Size,
    bound: Size,
    left: u32,
    poll: StopPoll<'a>,
}

impl Search<'_> {
    /// Decides the mentees from a place of the order on. Returns false if the limit of nodes is reached.
    fn decide(&mut self, place: usize) -> Result<bool, Stopped> {
        let Some(&mentee) = self.order.get(place) else {
            if self.size > self.best_size && self.claims_are_kept() {
                (self.best_size, self.best) = (self.size, self.chosen.clone());
            }
            return Ok(true);
        };
        let Some(left) = self.left.checked_sub(1) else { return Ok(false) };
        self.left = left;
        self.poll.count(self.order.len())?;
        if self.most_from(place) <= self.best_size {
            return Ok(true);
        }
        self.undecided[mentee as usize] = false;
        let list: Vec<PreferredPair> = self.lists.of_mentee(mentee).map(|(_, pair)| *pair).collect();
        let mut complete = true;
        for partners in choices(list.len(), self.lists.wanted(mentee) as usize) {
            complete = self.take(place, &list, &partners)?;
            if !complete || self.best_size == self.bound {
                break;
            }
        }
        self.undecided[mentee as usize] = true;
        Ok(complete)
    }

    /// Gives a mentee some partners of her list, with the claims that follow, and decides the other mentees.
    fn take(&mut self, place: usize, list: &[PreferredPair], partners: &[usize]) -> Result<bool, Stopped> {
        let chosen = || partners.iter().map(|at| &list[*at]);
        let accepted = chosen().all(|pair| {
            let at = pair.mentor as usize;
            self.kept[at].len() < self.lists.seats(pair.mentor) as usize && pair.by_mentor >= self.claims[at]
        });
        if !accepted {
            return Ok(true);
        }
        // Without a free place she gains only by a mentor whom she likes more than her worst partner.
        let is_full = partners.len() == self.lists.wanted(self.order[place]) as usize;
        let worst = partners.last().filter(|_| is_full).map(|at| list[*at].by_mentee);
        let gains = |pair: &PreferredPair| worst.is_none_or(|worst| pair.by_mentee > worst);
        let passed = (0..).zip(list).filter(|(at, pair)| !partners.contains(at) && gains(pair));
        let passed: Vec<&PreferredPair> = passed.map(|(_, pair)| pair).collect();
        for pair in chosen() {
            self.kept[pair.mentor as usize].push(pair.by_mentor);
            self.chosen.push((pair.mentee, pair.mentor));
        }
        self.size.pairs += partners.len() as u64;
        self.size.mentees += u64::from(!partners.is_empty());
        let mut before = Vec::with_capacity(passed.len());
        for pair in &passed {
            let claim = &mut self.claims[pair.mentor as usize];
            before.push(*claim);
            *claim = pair.by_mentor.max(*claim);
        }
        let touched = || passed.iter().copied().chain(chosen()).map(|pair| pair.mentor);
        let complete =
            if touched().all(|mentor| self.can_be_kept(mentor)) { self.decide(place + 1)? } else { true };
        for (pair, claim) in passed.iter().zip(before) {
            self.claims[pair.mentor as usize] = claim;
        }
        self.size.mentees -= u64::from(!partners.is_empty());
        self.size.pairs -= partners.len() as u64;
        for pair in chosen() {
            self.kept[pair.mentor as usize].pop();
            self.chosen.pop();
        }
        Ok(complete)
    }

    /// Whether the claim on a mentor can still be kept, if there is one: it has accepted nobody below the claim, and enough
    /// mentees are left to fill it.
    fn can_be_kept(&self, mentor: u32) -> bool {
        let (claim, kept) = (self.claims[mentor as usize], &self.kept[mentor as usize]);
        if claim == i32::MIN {
            return true;
        }
        let missing = (self.lists.seats(mentor) as usize).saturating_sub(kept.len());
        let liked = self.lists.of_mentor(mentor).take_while(|(_, pair)| pair.by_mentor >= claim);
        let left = liked.filter(|(_, pair)| self.undecided[pair.mentee as usize]);
        kept.iter().all(|score| *score >= claim) && left.take(missing).count() == missing
    }

    fn claims_are_kept(&self) -> bool {
        let mut mentors = (0..).zip(self.claims.iter().zip(&self.kept));
        mentors.all(|(mentor, (claim, kept))| {
            *claim == i32::MIN || kept.len() == self.lists.seats(mentor) as usize
        })
    }

    /// A bound on the size of every assignment below a node.
    fn most_from(&self, place: usize) -> Size {
        let mut most = self.size;
        for mentee in &self.order[place..] {
            let open = self.lists.of_mentee(*mentee).filter(|(_, pair)| {
                let at = pair.mentor as usize;
                self.kept[at].len() < self.lists.seats(pair.mentor) as usize
                    && pair.by_mentor >= self.claims[at]
            });
            let places = open.take(self.lists.wanted(*mentee) as usize).count() as u64;
            most.mentees += u64::from(places > 0);
            most.pairs += places;
        }
        Size { mentees: most.mentees.min(self.bound.mentees), pairs: most.pairs.min(self.bound.pairs) }
    }
}

/// All sets of at most `most` (0 to 2) of `len` positions, each ascending, in the order in which they are tried: full sets
/// before others, early positions before late ones.
fn choices(len: usize, most: usize) -> Vec<Vec<usize>> {
    let pairs = (0..len).flat_map(|one| (one + 1..len).map(move |other| vec![one, other]));
    let pairs = pairs.filter(|_| most > 1);
    let singles = (0..len).filter(|_| most > 0).map(|one| vec![one]);
    pairs.chain(singles).chain([Vec::new()]).collect()
}
