//! The matching of a round in numbers, and how long its mentorships go on.

use std::collections::{BTreeMap, BTreeSet};

use super::super::facts::{Division, Facts, PAIRS};
use super::super::{Cell, Row, Table, TableId, Unit};
use super::columns::{Gate, column, percent, signed};
use crate::domain::statistics::{median, real, survival as product_limit};
use crate::domain::suppression::partition::{ByOrganisation, Measure, people, rounded};
use crate::domain::suppression::{FEWEST_OF_PERCENTAGE, Withheld, judge};

/// Days of a month of a mentorship's life.
const MONTH: u64 = 30;
/// Months that a report follows at most.
const MOST_MONTHS: u64 = 24;

/// The numbers of the published runs and of the decisions on their pairs.
pub(super) fn table(gate: &mut Gate<'_>, facts: &Facts, everybody: &ByOrganisation) -> Table {
    let base = people(everybody, PAIRS);
    let summary = facts.rounds.first().map(|(_, summary)| summary);
    let scores = summary.and_then(|summary| summary.scores);
    let price = summary.and_then(|summary| summary.whole_round.as_ref()?.price_of_fairness);
    let score = |of: fn(crate::domain::run::ScoreRange) -> u16| scores.map(|scores| i64::from(of(scores)));
    let plain = |value: Option<u64>| value.map_or(Cell::Nothing, |value| Cell::Number(signed(value)));
    let decided = |is_pin: bool| {
        let of_kind = facts.decisions.iter().filter(|(_, one)| one.is_live && one.is_pin == is_pin);
        plain(u64::try_from(of_kind.count()).ok())
    };
    let costs = facts.decisions.iter().filter(|(_, one)| one.is_live).filter_map(|(_, one)| one.cost);
    let cost = costs.map(|cost| cost.before.total_score.saturating_sub(cost.after.total_score)).sum();
    let waited = waited(facts);
    let columns = [
        ("worst_score", Unit::Score),
        ("median_score", Unit::Score),
        ("best_score", Unit::Score),
        ("time_to_match", Unit::Days),
        ("price_of_fairness", Unit::Points),
        ("pins", Unit::Decisions),
        ("vetoes", Unit::Decisions),
        ("decision_cost", Unit::Points),
    ];
    let cells = vec![
        gate.single("matching/worst", &base, score(|scores| scores.worst)),
        gate.single("matching/median", &base, score(|scores| scores.median)),
        gate.single("matching/best", &base, score(|scores| scores.best)),
        gate.single("matching/waited", &people(&waited.0, PAIRS), waited.1.map(signed)),
        plain(price),
        decided(true),
        decided(false),
        plain(Some(cost)),
    ];
    let row = Row { key: "all".to_owned(), label: None, cells };
    Table { id: TableId::Matching, columns: columns.map(column).into(), rows: vec![row] }
}

/// The pairs whose waiting time is known, and the median of the days.
fn waited(facts: &Facts) -> (ByOrganisation, Option<u64>) {
    let (mut all, mut days) = (ByOrganisation::new(), Vec::new());
    for (key, by) in facts.lives.get(&Division::Waited).into_iter().flatten() {
        let Ok(day) = key.parse::<u64>() else { continue };
        crate::domain::suppression::partition::add(&mut all, by);
        days.push((day, people(by, PAIRS).iter().sum()));
    }
    days.sort_unstable();
    (all, median(&days))
}

/// The share of accepted mentorships that have not ended early, by month of their life.
///
/// The share of the product limit is shown as a share of the mentorships at the beginning, of which the number that goes on is rounded
/// as every other count.
pub(super) fn survival(gate: &mut Gate<'_>, facts: &Facts) -> Table {
    const LIVES: Measure = "lives";
    let id = TableId::Survival;
    let mut by_day: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for end in &facts.ends {
        let (early, others) = by_day.entry(end.day).or_default();
        if end.is_early { *early += end.pairs } else { *others += end.pairs }
    }
    let all: u64 = by_day.values().map(|(early, others)| early + others).sum();
    let mut at_risk = all;
    let mut steps = Vec::with_capacity(by_day.len());
    for (early, others) in by_day.values() {
        steps.push((at_risk, *early));
        at_risk -= early + others;
    }
    let curve: Vec<(u64, f64)> = by_day.keys().copied().zip(product_limit(steps)).collect();
    let months: BTreeSet<u64> = (0..=MOST_MONTHS).collect();
    let last = by_day.keys().next_back().copied().unwrap_or_default();
    let mut rows = Vec::new();
    for month in months.into_iter().filter(|month| month * MONTH <= last && all > 0) {
        let day = month * MONTH;
        let mut there = ByOrganisation::new();
        for end in facts.ends.iter().filter(|end| end.day >= day) {
            *there.entry(end.organisation.clone()).or_default().entry(LIVES).or_default() += end.pairs;
        }
        let base = people(&there, LIVES);
        let share =
            curve.iter().take_while(|(ended, _)| *ended <= day).last().map_or(1.0, |(_, share)| *share);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count of people is a count of people"
        )]
        let on = (share * real(all)).round() as u64;
        let cell = match judge(base.iter().copied()) {
            Err(why) => Cell::Withheld(why),
            Ok(()) if base.iter().sum::<u64>() < FEWEST_OF_PERCENTAGE => Cell::Withheld(Withheld::SmallBase),
            Ok(()) => {
                let shown = gate.held(&format!("survival/{month}"), on, signed(rounded(on)));
                let begun = gate.held("survival/all", all, signed(rounded(all)));
                Cell::Number(percent(
                    u64::try_from(shown).unwrap_or_default(),
                    u64::try_from(begun).unwrap_or(1),
                ))
            }
        };
        let is_withheld = matches!(cell, Cell::Withheld(_));
        rows.push(Row { key: month.to_string(), label: None, cells: vec![cell] });
        // Nothing is at risk later that is not at risk now.
        if is_withheld {
            break;
        }
    }
    Table { id, columns: vec![column(("going_on", Unit::Percent))], rows }
}
