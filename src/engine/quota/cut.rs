//! Smallest cut of a network in which no further flow can be sent: the proof that floors cannot be met.

use crate::engine::assign::{StopPoll, index};
use crate::engine::groups::{Cut, CutDirection};
use crate::engine::observer::Stopped;
use crate::engine::price_integer::PriceInteger;

use super::network::{Network, Nodes};

/// Unbalanced nodes from which a cut is computed. More of them rarely give a smaller cut.
const STARTS_TRIED: usize = 256;

impl Cut {
    fn of(nodes: Nodes, mut inside: Vec<bool>, mut direction: CutDirection) -> Self {
        if inside.first() == Some(&true) {
            // The root must be outside: take the complement, which has the opposite direction.
            inside = inside.iter().map(|inside| !inside).collect();
            direction =
                if direction == CutDirection::Inward { CutDirection::Outward } else { CutDirection::Inward };
        }
        let positions = |of: &[bool]| {
            of.iter().enumerate().filter(|(_, inside)| **inside).map(|(at, _)| index(at)).collect()
        };
        let [_, mentee_groups, mentor_groups, mentees, mentors] = nodes.split(&inside).map(positions);
        Self { direction, mentee_groups, mentees, mentors, mentor_groups }
    }

    fn size(&self) -> (usize, usize) {
        (self.mentees.len() + self.mentors.len(), self.mentee_groups.len() + self.mentor_groups.len())
    }
}

/// Computes the smallest cut of a network in which no further flow can be sent.
pub(super) fn smallest<W: PriceInteger>(
    network: &Network<W>,
    poll: &mut StopPoll<'_>,
) -> Result<Option<Cut>, Stopped> {
    let (excess, deficit) = network.flow.unbalanced();
    let mut smallest: Option<Cut> = None;
    for (starts, backwards, direction) in
        [(excess, false, CutDirection::Inward), (deficit, true, CutDirection::Outward)]
    {
        let residual = network.flow.residual_graph(backwards, poll)?;
        for start in starts.into_iter().take(STARTS_TRIED) {
            let cut = Cut::of(network.nodes, residual.reach(start, poll)?, direction);
            if smallest.as_ref().is_none_or(|smallest| cut.size() < smallest.size()) {
                smallest = Some(cut);
            }
        }
    }
    Ok(smallest)
}
