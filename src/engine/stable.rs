//! STABLE: as many people as stability allows, and no two people who prefer each other to their partners.
//!
//! A pair blocks an assignment if both people strictly prefer each other to a partner or to a free place (weak
//! stability). With equal scores, weakly stable assignments differ in size, and the largest is NP-hard to find (Manlove,
//! Irving, Iwama, Miyazaki, Morita 2002). The size of an assignment is the number of mentees with a mentor, then the number
//! of pairs. Minimum places and tiers have no influence.
//!
//! 1. [`acceptance`]: mentee-optimal deferred acceptance with ties broken by tie-break. If no free place is left on one
//!    side, no assignment is larger.
//! 2. [`lists`]: pairs that no weakly stable assignment contains are removed. Without relevant ties the rest determines
//!    the size. A largest assignment of the rest, stable or not, is an upper bound.
//! 3. [`promotion`]: if the bound is not reached, an approximation of 3/2 (Kiraly 2013).
//! 4. [`search`]: each independent part of the rest that is still below its bound and is small is searched completely.
//! 5. Deferred acceptance once more, with the pairs of the largest assignment first among equal scores. All stable
//!    assignments of one strict order have the same size (Roth 1984), and among these no mentee does better.
//!
//! The largest of all assignments found is returned, with what is known of its size: [`StableSize`].

mod acceptance;
mod lists;
mod promotion;
mod search;
mod size;
#[cfg(test)]
mod tests;

pub use self::lists::PreferenceLists;
pub use self::size::{Size, SizeGuarantee, StableSize};

use self::acceptance::Accepted;
use self::lists::{Part, PreferredPairs};
use self::size::most_places;
use super::observer::{Observer, Stopped};
use super::pair_scores::FavouredScores;
use super::problem::Problem;

/// A stable assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stable {
    /// The pairs, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Number of proposals to mentors with seats.
    pub proposals: u64,
    /// What is known of its size.
    pub size: StableSize,
}

/// Computes a stable assignment of the largest size that is found, and among its ties the best for the mentees. The scores of
/// `problem` are not used; those of `preferences` are.
pub fn stable(
    problem: &Problem<'_>,
    preferences: PreferenceLists<'_>,
    observer: &dyn Observer,
) -> Result<Stable, Stopped> {
    stable_within(problem, preferences, &Effort::default(), observer)
}

/// Limits of the work on ties. They depend on no clock, so the result is the same on every machine.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Most candidates whose ties are examined: each takes about 25 bytes.
    candidates: usize,
    /// Most nodes of the search of one independent part.
    nodes: u32,
}

impl Default for Effort {
    fn default() -> Self {
        Self { candidates: 1 << 25, nodes: 200_000 }
    }
}

fn stable_within(
    problem: &Problem<'_>,
    preferences: PreferenceLists<'_>,
    effort: &Effort,
    observer: &dyn Observer,
) -> Result<Stable, Stopped> {
    let Accepted { pairs, mut proposals } = acceptance::accept(problem, preferences, observer)?;
    let first = Size::of(&pairs);
    let end = |pairs, proposals, at_most, guarantee| {
        Ok(Stable { pairs, proposals, size: StableSize { at_most, guarantee } })
    };
    let at_most = most_places(problem);
    if first == at_most {
        return end(pairs, proposals, at_most, SizeGuarantee::Largest);
    }
    let lists = PreferredPairs::new(problem, preferences, effort.candidates, observer)?;
    let Some(mut lists) = lists else {
        return end(pairs, proposals, at_most, SizeGuarantee::Half);
    };
    lists.reduce(observer)?;
    let bound = lists.largest(observer)?;
    let at_most = Size::of(&bound);
    if first == at_most {
        return end(pairs, proposals, at_most, SizeGuarantee::Largest);
    }
    let promoted = promotion::promote(&lists, observer)?;
    let mut best = if Size::of(&promoted) > first { promoted } else { pairs.clone() };
    let mut at_most = at_most;
    let mut complete = true;
    for Part { mentees, found, bound } in lists.parts(&best, &bound) {
        observer.check()?;
        if found == bound {
            continue;
        }
        match search::search(&lists, &mentees, &best, bound, effort.nodes, observer)? {
            Some(largest) => {
                let of_part = |pair: &(u32, u32)| mentees.binary_search(&pair.0).is_ok();
                best.retain(|pair| !of_part(pair));
                let size = Size::of(&largest);
                at_most.mentees -= bound.mentees - size.mentees;
                at_most.pairs -= bound.pairs - size.pairs;
                best.extend(largest);
                best.sort_unstable();
            }
            None => complete = false,
        }
    }
    if best != pairs {
        let by_mentees = FavouredScores::new(preferences.mentees, &best, observer)?;
        let by_mentees = PreferenceLists { mentees: &by_mentees, ..preferences };
        let last = acceptance::accept(problem, by_mentees, observer)?;
        proposals += last.proposals;
        best = last.pairs;
    }
    let guarantee = SizeGuarantee::of_search(complete, problem);
    end(best, proposals, at_most, guarantee)
}
