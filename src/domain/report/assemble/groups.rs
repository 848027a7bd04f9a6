//! Groups of mentees with their mentorships: of everybody, by dimension, by round and by year, and of one organisation.

use std::collections::BTreeMap;

use super::super::facts::{Division, Facts, MATCHED, MENTEES, PAIRS};
use super::super::{Cell, Row, Table, TableId};
use super::columns::{FUNNEL, Formula, column, percent, signed};
use crate::domain::name::OrganisationId;
use crate::domain::run::{Dimension, MenteeGroup, RunSummary};
use crate::domain::suppression::partition::{ByOrganisation, add};

/// Groups by their keys.
type Groups = BTreeMap<String, ByOrganisation>;

/// Everybody, by organisation of the mentee.
pub(super) fn everybody(facts: &Facts) -> ByOrganisation {
    let mut all = ByOrganisation::new();
    for (_, summary) in &facts.rounds {
        add(&mut all, &enrolled(summary));
    }
    for by in facts.lives.get(&Division::Round).into_iter().flat_map(BTreeMap::values) {
        add(&mut all, by);
    }
    all
}

/// The mentees of a run and those with a match.
fn enrolled(summary: &RunSummary) -> ByOrganisation {
    let mut all = ByOrganisation::new();
    for group in mentee_groups(summary, Dimension::Organisation) {
        add(&mut all, &counts(group));
    }
    all
}

fn mentee_groups(summary: &RunSummary, dimension: Dimension) -> impl Iterator<Item = &MenteeGroup> {
    let groups = summary.whole_round.iter().flat_map(|whole| &whole.groups);
    groups.filter(move |group| group.dimension == dimension)
}

fn counts(group: &MenteeGroup) -> ByOrganisation {
    let of = |(organisation, (mentees, matched)): (&OrganisationId, &(u64, u64))| {
        (organisation.clone(), BTreeMap::from([(MENTEES, *mentees), (MATCHED, *matched)]))
    };
    group.mentees.iter().map(of).collect()
}

/// The groups of each dimension.
pub(super) fn dimensions(facts: &Facts) -> Vec<(TableId, Groups)> {
    let of = |(dimension, id, division): (Dimension, TableId, Option<Division>)| {
        let mut groups = Groups::new();
        for group in facts.rounds.iter().flat_map(|(_, summary)| mentee_groups(summary, dimension)) {
            add(groups.entry(group.key.clone()).or_default(), &counts(group));
        }
        for (key, by) in division.and_then(|division| facts.lives.get(&division)).into_iter().flatten() {
            add(groups.entry(key.clone()).or_default(), by);
        }
        if division.is_none() {
            for by in facts.lives.get(&Division::Round).into_iter().flat_map(BTreeMap::values) {
                for (organisation, counts) in by {
                    let own = ByOrganisation::from([(organisation.clone(), counts.clone())]);
                    add(groups.entry(organisation.to_string()).or_default(), &own);
                }
            }
        }
        (id, groups)
    };
    [
        (Dimension::Region, TableId::Region, Some(Division::Region)),
        (Dimension::Language, TableId::Language, Some(Division::Language)),
        (Dimension::Stage, TableId::Stage, Some(Division::Stage)),
        (Dimension::Organisation, TableId::Organisation, None),
    ]
    .map(of)
    .into()
}

/// By round.
pub(super) fn rounds(facts: &Facts) -> Groups {
    let mut groups = facts.lives.get(&Division::Round).cloned().unwrap_or_default();
    for (round, summary) in &facts.rounds {
        add(groups.entry(round.round.to_string()).or_default(), &enrolled(summary));
    }
    groups
}

/// By the year in which the rounds begin.
pub(super) fn years(facts: &Facts) -> Groups {
    let (rounds, mut years) = (rounds(facts), Groups::new());
    for (round, _) in &facts.rounds {
        if let Some(by) = rounds.get(round.round.as_str()) {
            add(years.entry(round.start_date.year().to_string()).or_default(), by);
        }
    }
    years
}

/// Matches by the organisations of the mentor and the mentee, `wim-peru>wim-ghana`.
pub(super) fn exchange(facts: &Facts) -> Groups {
    let mut groups = Groups::new();
    for (mentors, by) in facts.lives.get(&Division::Mentor).into_iter().flatten() {
        for (mentees, counts) in by {
            let pairs = counts.get(PAIRS).copied().unwrap_or_default();
            let cell = BTreeMap::from([(PAIRS, pairs)]);
            groups.insert(format!("{mentors}>{mentees}"), ByOrganisation::from([(mentees.clone(), cell)]));
        }
    }
    groups
}

/// Matches by tenth of the score.
pub(super) fn scores(facts: &Facts) -> Groups {
    facts.lives.get(&Division::Score).cloned().unwrap_or_default()
}

/// The numbers of an organisation's own members. They are exact: its manager reads each of them anyway.
pub(super) fn own(organisation: &OrganisationId, everybody: &ByOrganisation) -> Table {
    let none = BTreeMap::new();
    let counts = everybody.get(organisation).unwrap_or(&none);
    let of = |measure: &str| counts.get(measure).copied().unwrap_or_default();
    let cell = |formula: &Formula| match formula {
        Formula::Count(measure) => Cell::Number(signed(of(measure))),
        Formula::Share(part, base) | Formula::Gap(part, base) if of(base) > 0 => {
            Cell::Number(percent(of(part), of(base)))
        }
        Formula::Share(..) | Formula::Gap(..) => Cell::Nothing,
    };
    let row = Row {
        key: "own".to_owned(),
        label: None,
        cells: FUNNEL.iter().map(|(.., formula)| cell(formula)).collect(),
    };
    Table {
        id: TableId::Own,
        columns: FUNNEL.iter().map(|(id, unit, _)| column((id, *unit))).collect(),
        rows: vec![row],
    }
}
