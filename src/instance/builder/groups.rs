//! Groups of one side in the making. A group may be named, by people or by groups inside it, before it has come.

use std::collections::HashMap;

use crate::domain::violation::{Violations, excerpt};
use crate::engine::quota::Group;

/// Longest name of a person or a group, in bytes.
pub(super) const MAX_NAME: usize = 256;
/// Groups around a group at most.
const MAX_DEPTH: usize = 64;

/// Where something came from: a line of a file, or a place in a list.
pub type Place = u64;

/// The groups of one side, in the order in which they were first named.
#[derive(Debug)]
pub(super) struct Groups {
    side: &'static str,
    positions: HashMap<String, u32>,
    entries: Vec<Entry>,
}

/// A group that has been named.
#[derive(Debug)]
struct Entry {
    /// Where it was named first.
    named: String,
    come: Option<Come>,
}

/// A group that has come.
#[derive(Debug, Clone, Copy)]
struct Come {
    parent: Option<u32>,
    bounds: Bounds,
    at: Place,
}

/// Fewest and most pairs of a group.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Fewest.
    pub min: u32,
    /// Most; [`u32::MAX`] sets no bound.
    pub max: u32,
}

/// The groups of one side in an order that does not depend on the order in which they came: parents before children, then
/// by name.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    pub(super) groups: Vec<Group>,
    pub(super) names: Vec<String>,
    /// Where each came from.
    pub(super) places: Vec<Place>,
    /// The position of the group that was named first, second, ...
    position: Vec<u32>,
}

impl InOrder {
    /// The position of a group by the number that [`Groups::named`] gave.
    pub(super) fn position(&self, number: Option<u32>) -> Option<u32> {
        number.and_then(|number| self.position.get(number as usize).copied())
    }
}

impl Groups {
    pub(super) fn new(side: &'static str) -> Self {
        Self { side, positions: HashMap::new(), entries: Vec::new() }
    }

    /// Different names of groups so far, whether or not the groups have come.
    pub(super) fn count(&self) -> usize {
        self.entries.len()
    }

    /// The number of a group, which need not have come yet; `None` for the empty name, and for what is no name.
    pub(super) fn named(
        &mut self,
        name: &str,
        place: impl FnOnce() -> String,
        wrong: &mut Violations,
    ) -> Option<u32> {
        if name.is_empty() {
            return None;
        }
        if let Some(number) = self.positions.get(name) {
            return Some(*number);
        }
        if name.len() > MAX_NAME || name.contains(',') {
            wrong.add(place(), no_name(name));
            return None;
        }
        let number = u32::try_from(self.entries.len()).ok()?;
        self.positions.insert(name.to_owned(), number);
        self.entries.push(Entry { named: place(), come: None });
        Some(number)
    }

    /// Adds a group.
    pub(super) fn add(
        &mut self,
        (name, parent): (&str, &str),
        bounds: Bounds,
        at: Place,
        tell: impl Fn(Place) -> String,
        wrong: &mut Violations,
    ) {
        if name.is_empty() {
            return wrong.add(tell(at), no_name(name));
        }
        if bounds.min > bounds.max {
            wrong.add(
                tell(at),
                format!("min {} is above max {}; lower min or raise max", bounds.min, bounds.max),
            );
        }
        let number = self.named(name, || tell(at), wrong);
        let parent = self.named(parent, || tell(at), wrong);
        let Some(entry) = number.and_then(|number| self.entries.get_mut(number as usize)) else { return };
        match entry.come {
            Some(first) => wrong.add(
                tell(at),
                format!(
                    "repeats the name `{}` of {}; give each group one entry",
                    excerpt(name),
                    tell(first.at)
                ),
            ),
            None => entry.come = Some(Come { parent, bounds, at }),
        }
    }

    /// All groups, parents first. `tell` puts places of groups into words.
    pub(super) fn in_order(self, tell: impl Fn(Place) -> String, wrong: &mut Violations) -> InOrder {
        let mut named: Vec<(String, u32)> = self.positions.into_iter().collect();
        named.sort_unstable_by_key(|(_, number)| *number);
        let mut depths = vec![0_usize; named.len()];
        for (((name, _), entry), depth) in named.iter().zip(&self.entries).zip(&mut depths) {
            let Some(come) = entry.come else {
                let what = format!("there is no group `{}` of {}", excerpt(name), self.side);
                wrong.add(entry.named.as_str(), what);
                continue;
            };
            let mut around = come.parent;
            while let Some(parent) = around.filter(|_| *depth <= MAX_DEPTH) {
                *depth += 1;
                around = self.entries[parent as usize].come.and_then(|come| come.parent);
            }
            if *depth > MAX_DEPTH {
                let what = format!(
                    "`{}` contains itself, or is inside more than {MAX_DEPTH} groups; correct the parents",
                    excerpt(name)
                );
                wrong.add(tell(come.at), what);
            }
        }
        named.sort_unstable_by(|(a, one), (b, other)| {
            (depths[*one as usize], a).cmp(&(depths[*other as usize], b))
        });
        let mut order = InOrder { position: vec![0; named.len()], ..InOrder::default() };
        for ((_, number), to) in named.iter().zip(0..) {
            order.position[*number as usize] = to;
        }
        for (name, number) in named {
            let Some(Come { parent, bounds, at }) = self.entries[number as usize].come else { continue };
            let parent = order.position(parent);
            order.groups.push(Group { parent, floor: bounds.min, ceiling: bounds.max });
            order.names.push(name);
            order.places.push(at);
        }
        order
    }
}

fn no_name(name: &str) -> String {
    format!("`{}` is not the name of a group; give 1 to {MAX_NAME} bytes without a comma", excerpt(name))
}
