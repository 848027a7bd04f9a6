//! Computes the smallest cut of a network in which nothing more can be sent: why floors cannot be met.

use crate::engine::assign::price_integer::PriceInteger;
use crate::engine::assign::{StopPoll, index};
use crate::engine::groups::{Cut, Need};
use crate::engine::observer::Stopped;

use super::network::{Network, Nodes};

/// Nodes from which a cut is sought. More would hardly find a smaller one.
const TRIED: usize = 256;

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
pub(super) fn smallest<W: PriceInteger>(
    network: &Network<W>,
    poll: &mut StopPoll<'_>,
) -> Result<Option<Cut>, Stopped> {
    let (excess, owing) = network.flow.unbalanced();
    let mut smallest: Option<Cut> = None;
    for (starts, backwards, need) in [(excess, false, Need::OfMentees), (owing, true, Need::OfMentors)] {
        let ways = network.flow.ways(backwards, poll)?;
        for start in starts.into_iter().take(TRIED) {
            let cut = Cut::of(network.nodes, ways.reach(start, poll)?, need);
            if smallest.as_ref().is_none_or(|smallest| cut.size() < smallest.size()) {
                smallest = Some(cut);
            }
        }
    }
    Ok(smallest)
}
