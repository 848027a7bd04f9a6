//! The nearest candidates of every person, kept so that a search reads few arcs.
//!
//! A question about a dense problem settles most of its people, and to read all candidates of each of them takes longer than
//! the search itself. The arcs that start a pair depend on the prices only, so that the shortest ones of every person can be
//! listed once for all questions. A search that needs a longer arc than the list holds reads all candidates of that person.
//!
//! Memory: at most 16 bytes for each of [`LISTED`] arcs of a person.

use rayon::prelude::*;

use super::residual::Residual;
use crate::engine::assign::StopPoll;
use crate::engine::observer::{Observer, Stopped};

/// Most arcs of a person in the lists. Tests have few people, and see both a list that ends and one that holds all arcs.
const LISTED: usize = if cfg!(test) { 2 } else { 128 };
/// Mentors whose candidates are read together.
const TOGETHER: usize = 128;

/// The shortest arcs that start a pair, of every person.
#[derive(Debug)]
pub(in crate::engine) struct NearArcs {
    mentees: Vec<ArcsOfPerson>,
    mentors: Vec<ArcsOfPerson>,
}

impl NearArcs {
    /// Most bytes that the lists take for a person.
    pub(in crate::engine) const MOST_BYTES_PER_PERSON: usize =
        size_of::<ArcsOfPerson>() + LISTED * size_of::<(i64, u32)>();

    /// Lists the arcs of a network.
    pub(super) fn of(residual: &Residual<'_>, observer: &dyn Observer) -> Result<Self, Stopped> {
        let (mentees, mentors) = residual.sides();
        let of_mentee = |mentee| {
            observer.check()?;
            let mut near = Gathering::default();
            residual.row(mentee, &mut StopPoll::new(observer), |node, length| near.add(node, length))?;
            Ok(near.sorted())
        };
        let of_some = |from: usize| {
            let some = from..mentors.end.min(from + TOGETHER);
            let mut near: Vec<Gathering> = some.clone().map(|_| Gathering::default()).collect();
            residual.columns_of(some, &mut StopPoll::new(observer), |mentor, node, length| {
                near[mentor - from].add(node, length)
            })?;
            Ok(near.into_iter().map(Gathering::sorted).collect())
        };
        let starts: Vec<usize> = mentors.clone().step_by(TOGETHER).collect();
        let of_mentors: Vec<Vec<ArcsOfPerson>> =
            starts.into_par_iter().map(of_some).collect::<Result<_, Stopped>>()?;
        Ok(Self {
            mentees: mentees.into_par_iter().map(of_mentee).collect::<Result<_, Stopped>>()?,
            mentors: of_mentors.into_iter().flatten().collect(),
        })
    }

    /// The arcs of the node of a mentor or a mentee.
    pub(super) fn of_node(&self, node: usize) -> &ArcsOfPerson {
        let mentors = self.mentors.len();
        if node < mentors { &self.mentors[node] } else { &self.mentees[node - mentors] }
    }
}

/// The shortest arcs of a person.
#[derive(Debug)]
pub(super) struct ArcsOfPerson {
    /// Length and node at the other end, shortest first.
    nearest: Box<[(i64, u32)]>,
    /// No arc that is not listed is shorter. [`i128::MAX`] if all are listed.
    beyond: i128,
}

impl ArcsOfPerson {
    /// Passes all arcs shorter than `limit` to `show`; returns whether the list holds them all. If not, some were passed.
    pub(super) fn within(&self, limit: i128, mut show: impl FnMut(usize, i128)) -> bool {
        if self.beyond < limit {
            return false;
        }
        let near = self.nearest.iter().map(|&(length, node)| (i128::from(length), node));
        near.take_while(|(length, _)| *length < limit).for_each(|(length, node)| show(node as usize, length));
        true
    }
}

/// The shortest arcs of a person so far.
struct Gathering {
    arcs: Vec<(i64, u32)>,
    /// No arc that was left out is shorter.
    beyond: i128,
}

impl Default for Gathering {
    fn default() -> Self {
        Self { arcs: Vec::new(), beyond: i128::MAX }
    }
}

impl Gathering {
    fn add(&mut self, node: usize, length: i128) {
        if length >= self.beyond {
            return;
        }
        let Some((short, node)) = i64::try_from(length).ok().zip(u32::try_from(node).ok()) else {
            self.beyond = length;
            return;
        };
        self.arcs.push((short, node));
        if self.arcs.len() == 2 * LISTED {
            self.keep_nearest();
        }
    }

    fn keep_nearest(&mut self) {
        if self.arcs.len() > LISTED {
            let (_, &mut (first_left_out, _), _) = self.arcs.select_nth_unstable(LISTED);
            self.beyond = self.beyond.min(first_left_out.into());
            self.arcs.truncate(LISTED);
        }
    }

    fn sorted(mut self) -> ArcsOfPerson {
        self.keep_nearest();
        self.arcs.sort_unstable();
        ArcsOfPerson { nearest: self.arcs.into_boxed_slice(), beyond: self.beyond }
    }
}
