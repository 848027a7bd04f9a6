//! Why floors cannot be met: the people and groups for whom too many pairs are asked.

use serde::{Deserialize, Serialize};

use crate::engine::assign::weight::Weight;
use crate::engine::assign::{Pulse, index};
use crate::engine::observer::Stopped;

use super::network::{Network, Nodes};

/// Nodes from which a cut is sought. More would hardly find a smaller one.
const TRIED: usize = 256;

/// Which way pairs are lacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Floors bring more pairs into the cut, by its groups of mentees, than can leave it by its mentors.
    OfMentees,
    /// Floors ask more pairs of the cut's groups of mentors than can come into it by its mentees.
    OfMentors,
}

/// People and groups that prove that no assignment meets all floors; all positions ascending.
///
/// The flow of pairs goes from the root through groups of mentees, mentees, mentors and groups of mentors back to the root
/// (see [`Forest`](super::Forest)). These are some of its nodes, without the root. What has to come in by floors, but
/// cannot go out, or has to go out and cannot come in, is counted by [`check_cut`](crate::engine::certify::check_cut), which
/// says how.
///
/// Of all nodes with too much after the solver has sent what can be sent, take what can be reached from each; of all
/// nodes with too little, what each can be reached from. The cut is the set with fewest people, then fewest groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Which way pairs are lacking.
    pub need: Need,
    /// Groups of mentees.
    pub mentee_groups: Vec<u32>,
    /// Mentees.
    pub mentees: Vec<u32>,
    /// Mentors.
    pub mentors: Vec<u32>,
    /// Groups of mentors.
    pub mentor_groups: Vec<u32>,
}

impl Cut {
    fn of(nodes: Nodes, mut inside: Vec<bool>, mut need: Need) -> Self {
        if inside.first() == Some(&true) {
            // The root is inside: what is outside has the opposite need.
            inside = inside.iter().map(|inside| !inside).collect();
            need = if need == Need::OfMentees { Need::OfMentors } else { Need::OfMentees };
        }
        let positions = |of: &[bool]| {
            of.iter().enumerate().filter(|(_, inside)| **inside).map(|(at, _)| index(at)).collect()
        };
        let [_, mentee_groups, mentor_groups, mentees, mentors] = nodes.split(&inside).map(positions);
        Self { need, mentee_groups, mentees, mentors, mentor_groups }
    }

    fn size(&self) -> (usize, usize) {
        (self.mentees.len() + self.mentors.len(), self.mentee_groups.len() + self.mentor_groups.len())
    }
}

/// The smallest cut of a network in which nothing more can be sent.
pub(super) fn smallest<W: Weight>(
    network: &Network<W>,
    pulse: &mut Pulse<'_>,
) -> Result<Option<Cut>, Stopped> {
    let (excess, owing) = network.flow.unbalanced();
    let mut smallest: Option<Cut> = None;
    for (starts, backwards, need) in [(excess, false, Need::OfMentees), (owing, true, Need::OfMentors)] {
        let ways = network.flow.ways(backwards, pulse)?;
        for start in starts.into_iter().take(TRIED) {
            let cut = Cut::of(network.nodes, ways.reach(start, pulse)?, need);
            if smallest.as_ref().is_none_or(|smallest| cut.size() < smallest.size()) {
                smallest = Some(cut);
            }
        }
    }
    Ok(smallest)
}
