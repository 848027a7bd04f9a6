//! The tables of a report from what the store counts.
//!
//! Input: a scope, its [`Facts`], and the anchors of the release before of the same scope. Output: the [`Content`] with the anchors of
//! this release, or why there is no report.
//! Invariants: every number about people passes [`release`], and a percentage is one of published counts; the page of an organisation
//! alone has exact numbers, of its own members. Means, scores and the survival need a base that passes the gate.

mod answers;
mod columns;
mod groups;
mod matching;

use std::collections::BTreeMap;

use super::facts::{ACCEPTED, BEGUN, COMPLETED, DECIDED, ENDED_EARLY, Facts, MATCHED, MENTEES, PAIRS};
use super::{Content, ReportScope, Row, Table, TableId};
use crate::domain::suppression::partition::{
    Anchors, ByOrganisation, Measure, Partition, Released, people, release,
};
use crate::domain::suppression::{Withheld, judge};
use columns::{EQUITY, FUNNEL, Gate, PAIRS_ONLY, Spec, cell, column};

/// Measures of everybody whose lives a report follows.
const LIFE: [Measure; 8] = [MENTEES, MATCHED, PAIRS, DECIDED, ACCEPTED, BEGUN, COMPLETED, ENDED_EARLY];

/// Parameters that every report uses.
const PARAMETERS: [&str; 7] = [
    "match_rate",
    "acceptance_rate",
    "hours_met",
    "satisfaction",
    "goal_attainment",
    "net_promoter_score",
    "early_end_rate",
];

/// Makes a report, or returns why too few people take part for one.
pub fn assemble(
    scope: &ReportScope,
    facts: &Facts,
    earlier: &Anchors,
) -> Result<(Content, Anchors), Withheld> {
    let everybody = groups::everybody(facts);
    let base = people(&everybody, MENTEES);
    if base.iter().all(|mentees| *mentees == 0) {
        return Err(Withheld::FewPeople);
    }
    // A page about one organisation of one is no report of the alliance.
    if base.iter().filter(|mentees| **mentees > 0).count() < 2 {
        return Err(Withheld::FewOrganisations);
    }
    judge(base)?;
    let mut gate = Gate { earlier, anchors: Anchors::new() };
    let mut parameters: Vec<&str> = PARAMETERS.to_vec();
    let mut layouts: Vec<(TableId, &[Spec], Partition)> = Vec::new();
    let funnel = || (TableId::Funnel, FUNNEL, partition(TableId::Funnel, &LIFE, one(everybody.clone())));
    let equity = |id: TableId, groups| (id, EQUITY, partition(id, &LIFE, groups));
    match scope {
        ReportScope::Round(_) => {
            parameters.extend(["time_to_match", "decided_by_people", "equity_gap"]);
            layouts.push(funnel());
            for (id, groups) in groups::dimensions(facts) {
                layouts.push(equity(id, groups));
            }
            for (id, groups) in
                [(TableId::Exchange, groups::exchange(facts)), (TableId::Scores, groups::scores(facts))]
            {
                layouts.push((id, PAIRS_ONLY, Partition { base: PAIRS, ..partition(id, &[PAIRS], groups) }));
            }
        }
        ReportScope::Programme => {
            layouts.push(funnel());
            for (id, groups) in
                [(TableId::Year, groups::years(facts)), (TableId::Round, groups::rounds(facts))]
            {
                layouts.push((id, FUNNEL, partition(id, &LIFE, groups)));
            }
        }
        ReportScope::Annual(..) => layouts.push(funnel()),
        ReportScope::Committee(_) => {
            parameters.push("equity_gap");
            layouts.push(funnel());
            let region = groups::dimensions(facts).into_iter().find(|(id, _)| *id == TableId::Region);
            layouts.extend(region.map(|(id, groups)| equity(id, groups)));
        }
    }
    let partitions: Vec<Partition> = layouts.iter().map(|(.., partition)| partition.clone()).collect();
    let (released, anchors) = release(&partitions, earlier);
    gate.anchors.extend(anchors);
    let whole = released.first().and_then(|groups| groups.first());
    let mut tables: Vec<Table> = layouts
        .iter()
        .zip(&released)
        .map(|((id, specs, _), groups)| table(*id, specs, groups, whole, facts))
        .collect();
    if let ReportScope::Annual(own, _) = scope {
        tables.insert(0, groups::own(own, &everybody));
    }
    if let ReportScope::Round(_) = scope {
        tables.insert(1, matching::table(&mut gate, facts, &everybody));
    }
    tables.push(answers::satisfaction(&mut gate, facts, scope.organisation()));
    if let ReportScope::Round(_) | ReportScope::Programme = scope {
        tables.push(answers::prediction(&mut gate, facts));
        tables.push(matching::survival(&mut gate, facts));
    }
    tables.retain(|table| !table.rows.is_empty());
    let content = Content {
        parameters: parameters.into_iter().map(str::to_owned).collect(),
        rounds: facts.rounds.iter().map(|(round, _)| round.clone()).collect(),
        tables,
    };
    Ok((content, gate.anchors))
}

/// One group of everybody.
fn one(everybody: ByOrganisation) -> BTreeMap<String, ByOrganisation> {
    BTreeMap::from([("all".to_owned(), everybody)])
}

fn partition(id: TableId, measures: &[Measure], groups: BTreeMap<String, ByOrganisation>) -> Partition {
    Partition { id: id.as_str(), population: "mentees", base: MENTEES, measures: measures.to_vec(), groups }
}

/// The table of published groups.
fn table(id: TableId, specs: &[Spec], groups: &[Released], whole: Option<&Released>, facts: &Facts) -> Table {
    let row = |group: &Released| Row {
        key: group.key.clone(),
        label: label(id, &group.key, facts),
        cells: specs.iter().map(|(.., formula)| cell(*formula, group, whole)).collect(),
    };
    Table {
        id,
        columns: specs.iter().map(|(id, unit, _)| column((id, *unit))).collect(),
        rows: groups.iter().map(row).collect(),
    }
}

/// The name of an organisation or a round.
fn label(id: TableId, key: &str, facts: &Facts) -> Option<String> {
    let organisation = |id: &str| {
        let id = id.parse().ok()?;
        Some(facts.names.get(&id)?.clone())
    };
    match id {
        TableId::Organisation => organisation(key),
        TableId::Exchange => {
            let (mentors, mentees) = key.split_once('>')?;
            Some(format!("{} → {}", organisation(mentors)?, organisation(mentees)?))
        }
        TableId::Round => {
            let round = facts.rounds.iter().find(|(round, _)| round.round.as_str() == key);
            round.map(|(round, _)| round.display_name.clone())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
