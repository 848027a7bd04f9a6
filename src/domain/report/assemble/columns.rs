//! Columns of a report's tables, and the gate for numbers that are no counts of a partition.

use super::super::facts::{ACCEPTED, BEGUN, COMPLETED, DECIDED, ENDED_EARLY, MATCHED, MENTEES, PAIRS};
use super::super::{Cell, Column, Unit};
use crate::domain::suppression::partition::{Anchors, Measure, Released, anchored};
use crate::domain::suppression::{FEWEST_OF_PERCENTAGE, Withheld, judge};

/// What a column shows of a group.
#[derive(Debug, Clone, Copy)]
pub(super) enum Formula {
    /// A count.
    Count(Measure),
    /// A count as a share of another one.
    Share(Measure, Measure),
    /// The share of the group minus that of everybody, in percentage points.
    Gap(Measure, Measure),
}

/// A column before its numbers.
pub(super) type Spec = (&'static str, Unit, Formula);

/// From the enrolment to the end.
pub(super) const FUNNEL: &[Spec] = &[
    ("mentees", Unit::People, Formula::Count(MENTEES)),
    ("matched", Unit::People, Formula::Count(MATCHED)),
    ("match_rate", Unit::Percent, Formula::Share(MATCHED, MENTEES)),
    ("pairs", Unit::Pairs, Formula::Count(PAIRS)),
    ("accepted", Unit::Pairs, Formula::Count(ACCEPTED)),
    ("acceptance_rate", Unit::Percent, Formula::Share(ACCEPTED, DECIDED)),
    ("begun", Unit::Pairs, Formula::Count(BEGUN)),
    ("completed", Unit::Pairs, Formula::Count(COMPLETED)),
    ("ended_early", Unit::Pairs, Formula::Count(ENDED_EARLY)),
    ("early_end_rate", Unit::Percent, Formula::Share(ENDED_EARLY, BEGUN)),
];

/// A group beside everybody.
pub(super) const EQUITY: &[Spec] = &[
    ("mentees", Unit::People, Formula::Count(MENTEES)),
    ("matched", Unit::People, Formula::Count(MATCHED)),
    ("match_rate", Unit::Percent, Formula::Share(MATCHED, MENTEES)),
    ("equity_gap", Unit::Percent, Formula::Gap(MATCHED, MENTEES)),
    ("accepted", Unit::Pairs, Formula::Count(ACCEPTED)),
    ("completed", Unit::Pairs, Formula::Count(COMPLETED)),
    ("ended_early", Unit::Pairs, Formula::Count(ENDED_EARLY)),
    ("early_end_rate", Unit::Percent, Formula::Share(ENDED_EARLY, BEGUN)),
];

/// A part of the matches.
pub(super) const PAIRS_ONLY: &[Spec] = &[("pairs", Unit::Pairs, Formula::Count(PAIRS))];

/// The gate for numbers that are no counts of a partition.
pub(super) struct Gate<'a> {
    pub(super) earlier: &'a Anchors,
    pub(super) anchors: Anchors,
}

impl Gate<'_> {
    /// Added to a value before it is stored as an anchor, which is never negative.
    const OFFSET: i64 = 1 << 40;

    /// A number that is computed of `base` people: the one of the release before, until the base has changed by 5 or more.
    pub(super) fn held(&mut self, name: &str, base: u64, value: i64) -> i64 {
        let shown = u64::try_from(value.saturating_add(Self::OFFSET)).unwrap_or_default();
        let anchor = anchored(base, shown, self.earlier.get(name));
        self.anchors.insert(name.to_owned(), anchor);
        i64::try_from(anchor.shown).unwrap_or_default() - Self::OFFSET
    }

    /// A mean or another number of people whose answers it adds up.
    pub(super) fn mean(&mut self, name: &str, base: &[u64], value: Option<i64>) -> Cell {
        let Some(value) = value else { return Cell::Nothing };
        match judge(base.iter().copied()) {
            Err(why) => Cell::Withheld(why),
            Ok(()) => Cell::Number(self.held(name, base.iter().sum(), value)),
        }
    }

    /// A number that may be the answer or the score of one person: it needs the base of a percentage.
    pub(super) fn single(&mut self, name: &str, base: &[u64], value: Option<i64>) -> Cell {
        match self.mean(name, base, value) {
            Cell::Number(_) if base.iter().sum::<u64>() < FEWEST_OF_PERCENTAGE => {
                Cell::Withheld(Withheld::SmallBase)
            }
            cell => cell,
        }
    }
}

pub(super) fn column((id, unit): (&str, Unit)) -> Column {
    Column { id: id.to_owned(), unit }
}

pub(super) fn cell(formula: Formula, group: &Released, whole: Option<&Released>) -> Cell {
    let number = |found: Result<i64, Withheld>| found.map_or_else(Cell::Withheld, Cell::Number);
    match formula {
        Formula::Count(measure) => number(group.count(measure).map(signed)),
        Formula::Share(part, base) => share(group, part, base),
        Formula::Gap(part, base) => {
            match (share(group, part, base), whole.map(|whole| share(whole, part, base))) {
                (Cell::Number(own), Some(Cell::Number(all))) => Cell::Number(own - all),
                (Cell::Number(_), Some(other)) | (other, _) => other,
            }
        }
    }
}

/// A share of published counts in whole percent.
pub(super) fn share(group: &Released, part: Measure, base: Measure) -> Cell {
    match (group.count(part), group.count(base)) {
        (Err(why), _) | (_, Err(why)) => Cell::Withheld(why),
        (Ok(_), Ok(0)) => Cell::Nothing,
        (Ok(_), Ok(base)) if base < FEWEST_OF_PERCENTAGE => Cell::Withheld(Withheld::SmallBase),
        (Ok(part), Ok(base)) => Cell::Number(percent(part, base)),
    }
}

/// Whole percent, rounded to the nearest, at most 100.
pub(super) fn percent(part: u64, whole: u64) -> i64 {
    signed(((part * 200 + whole) / (whole * 2).max(1)).min(100))
}

pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
