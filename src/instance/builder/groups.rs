//! Builds the groups of one side. People and child groups may name a group before the group is added.
//!
//! Input: groups with parents and bounds, by name. Output: the groups in an order that does not depend on the input:
//! parents before children, then by name. A nesting deeper than [`MAX_DEPTH`] is a violation, which also covers cycles.

use std::collections::HashMap;

use crate::domain::message::Message;
use crate::domain::violation::{Location, Violations, excerpt};
use crate::engine::groups::Group;
use crate::message;

/// Maximum length of a name of a person or group, in bytes.
pub(super) const MAX_NAME: usize = 256;

/// Maximum number of groups around a group.
const MAX_DEPTH: usize = 64;

/// Place of an item in the input: the line in a file, or the position in a list.
pub type Place = u64;

/// The groups of one side, in the order in which they were first named.
#[derive(Debug)]
pub(super) struct Groups {
    side: &'static str,
    positions: HashMap<String, u32>,
    entries: Vec<Entry>,
}

/// A group that a person or another group has named.
#[derive(Debug)]
struct Entry {
    /// The place that named the group first.
    named: Location,
    definition: Option<Definition>,
}

/// Parent and bounds of a group that has been added.
#[derive(Debug, Clone, Copy)]
struct Definition {
    parent: Option<u32>,
    bounds: Bounds,
    at: Place,
}

/// Minimum and maximum number of pairs of a group.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Minimum number of pairs.
    pub min: u32,
    /// Maximum number of pairs; [`u32::MAX`] for no bound.
    pub max: u32,
}

/// The groups of one side in their final order: parents before children, then by name.
#[derive(Debug, Default)]
pub(super) struct OrderedGroups {
    pub(super) groups: Vec<Group>,
    pub(super) names: Vec<String>,
    /// Place of each group in the input.
    pub(super) places: Vec<Place>,
    /// Final position of each group, in the order in which the groups were first named.
    position: Vec<u32>,
}

impl OrderedGroups {
    /// The final position of the group with a number of [`Groups::named`].
    pub(super) fn position(&self, number: Option<u32>) -> Option<u32> {
        number.and_then(|number| self.position.get(number as usize).copied())
    }
}

impl Groups {
    pub(super) fn new(side: &'static str) -> Self {
        Self { side, positions: HashMap::new(), entries: Vec::new() }
    }

    /// Number of different group names so far, whether or not the groups have been added.
    pub(super) fn count(&self) -> usize {
        self.entries.len()
    }

    /// The number of the group with this name, which need not have been added yet. `None` for an empty or invalid name.
    pub(super) fn named(
        &mut self,
        name: &str,
        place: impl FnOnce() -> Location,
        wrong: &mut Violations,
    ) -> Option<u32> {
        if name.is_empty() {
            return None;
        }
        if let Some(number) = self.positions.get(name) {
            return Some(*number);
        }
        if name.len() > MAX_NAME || name.contains(',') {
            wrong.add(place(), invalid_name(name));
            return None;
        }
        let number = u32::try_from(self.entries.len()).ok()?;
        self.positions.insert(name.to_owned(), number);
        self.entries.push(Entry { named: place(), definition: None });
        Some(number)
    }

    /// Adds a group.
    pub(super) fn add(
        &mut self,
        (name, parent): (&str, &str),
        bounds: Bounds,
        at: Place,
        place_name: impl Fn(Place) -> Location,
        wrong: &mut Violations,
    ) {
        if name.is_empty() {
            return wrong.add(place_name(at), invalid_name(name));
        }
        if bounds.min > bounds.max {
            wrong.add(place_name(at), min_above_max(bounds.min, bounds.max));
        }
        let number = self.named(name, || place_name(at), wrong);
        let parent = self.named(parent, || place_name(at), wrong);
        let Some(entry) = number.and_then(|number| self.entries.get_mut(number as usize)) else { return };
        match entry.definition {
            Some(first) => wrong.add(
                place_name(at),
                message!(
                    "repeats the name `{name}` of {first}; give each group one entry",
                    name = excerpt(name),
                    first = place_name(first.at).message()
                ),
            ),
            None => entry.definition = Some(Definition { parent, bounds, at }),
        }
    }

    /// All groups in their final order. `place_name` describes the place of a group in words.
    pub(super) fn in_order(
        self,
        place_name: impl Fn(Place) -> Location,
        wrong: &mut Violations,
    ) -> OrderedGroups {
        let mut named: Vec<(String, u32)> = self.positions.into_iter().collect();
        named.sort_unstable_by_key(|(_, number)| *number);
        let mut depths = vec![0_usize; named.len()];
        for (((name, _), entry), depth) in named.iter().zip(&self.entries).zip(&mut depths) {
            let Some(definition) = entry.definition else {
                let what = message!(
                    "the problem has no group `{name}` of {side}; add the group or correct the name",
                    name = excerpt(name),
                    side = self.side
                );
                wrong.add(entry.named.clone(), what);
                continue;
            };
            let mut around = definition.parent;
            while let Some(parent) = around.filter(|_| *depth <= MAX_DEPTH) {
                *depth += 1;
                around = self.entries[parent as usize].definition.and_then(|definition| definition.parent);
            }
            if *depth > MAX_DEPTH {
                let what = message!(
                    "`{name}` contains itself, or is inside more than {most} groups; correct the parents",
                    name = excerpt(name),
                    most = MAX_DEPTH
                );
                wrong.add(place_name(definition.at), what);
            }
        }
        named.sort_unstable_by(|(a, one), (b, other)| {
            (depths[*one as usize], a).cmp(&(depths[*other as usize], b))
        });
        let mut order = OrderedGroups { position: vec![0; named.len()], ..OrderedGroups::default() };
        for ((_, number), to) in named.iter().zip(0..) {
            order.position[*number as usize] = to;
        }
        for (name, number) in named {
            let Some(Definition { parent, bounds, at }) = self.entries[number as usize].definition else {
                continue;
            };
            let parent = order.position(parent);
            order.groups.push(Group { parent, floor: bounds.min, ceiling: bounds.max });
            order.names.push(name);
            order.places.push(at);
        }
        order
    }
}

fn invalid_name(name: &str) -> Message {
    message!(
        "`{name}` is not the name of a group; give 1 to {most} bytes without a comma",
        name = excerpt(name),
        most = MAX_NAME
    )
}

/// A minimum above its maximum.
pub(super) fn min_above_max(min: u32, max: u32) -> Message {
    message!("min {min} is above max {max}; lower min or raise max", min = min, max = max)
}
