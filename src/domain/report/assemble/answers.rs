//! What the two sides say in check-ins: satisfaction, recommendation, goals and hours, and satisfaction beside the predicted score.

use std::collections::BTreeMap;

use super::super::facts::{ANSWERED, ASSESSED, AnswerSums, Facts, RECOMMENDING, SideAnswers, TIMED};
use super::super::{Cell, Row, Table, TableId, Unit};
use super::columns::{Gate, column, signed};
use crate::domain::name::OrganisationId;
use crate::domain::statistics::correlation;
use crate::domain::suppression::partition::{
    ByOrganisation, Measure, OTHERS, Partition, Released, people, release,
};
use crate::domain::suppression::{FEWEST_OF_PERCENTAGE, Withheld, judge};

/// Measures of the people who answered, in the order of [`AnswerSums::people`].
const QUESTIONS: [Measure; 4] = [ANSWERED, RECOMMENDING, ASSESSED, TIMED];

/// Columns of the answers.
const COLUMNS: [(&str, Unit); 5] = [
    ("answered", Unit::People),
    ("satisfaction", Unit::Rating),
    ("net_promoter_score", Unit::Balance),
    ("goal_attainment", Unit::Percent),
    ("hours_met", Unit::Hours),
];

/// Sums of some answers.
fn sum<'a>(all: impl IntoIterator<Item = &'a SideAnswers>) -> AnswerSums {
    let mut sums = AnswerSums::default();
    for SideAnswers { sums: one, .. } in all {
        for (sum, value) in sums.people.iter_mut().zip(one.people) {
            *sum += value;
        }
        for (sum, value) in sums.moments.iter_mut().zip(one.moments) {
            *sum += value;
        }
        sums.satisfaction.0 += one.satisfaction.0;
        sums.satisfaction.1 += one.satisfaction.1;
        sums.recommendation.0 += one.recommendation.0;
        sums.recommendation.1 += one.recommendation.1;
        sums.recommendation.2 += one.recommendation.2;
        sums.goals.0 += one.goals.0;
        sums.goals.1 += one.goals.1;
        sums.minutes += one.minutes;
    }
    sums
}

/// The four values of some answers, if there are any: mean, balance, attainment and hours.
fn values(sums: &AnswerSums) -> [Option<i64>; 4] {
    let (answers, satisfaction) = sums.satisfaction;
    let (recommending, promoters, detractors) = sums.recommendation;
    let (assessed, halves) = sums.goals;
    let per = |value: u64, number: u64| (number > 0).then(|| signed((value * 2 + number) / (number * 2)));
    let balance = (recommending > 0)
        .then(|| (signed(promoters) - signed(detractors)) * 100 / signed(recommending).max(1));
    [
        per(satisfaction * 100, answers),
        balance,
        per(halves * 50, assessed),
        per(sums.minutes * 10, sums.people[3] * 60),
    ]
}

fn by_organisation<'a>(answers: impl Iterator<Item = &'a SideAnswers>) -> ByOrganisation {
    let mut by = ByOrganisation::new();
    for one in answers {
        let counts = by.entry(one.organisation.clone()).or_default();
        for (measure, number) in QUESTIONS.into_iter().zip(one.sums.people) {
            *counts.entry(measure).or_default() += number;
        }
    }
    by
}

/// Answers of each side, and those of an organisation's own members in exact numbers.
pub(super) fn satisfaction(gate: &mut Gate<'_>, facts: &Facts, own: Option<&OrganisationId>) -> Table {
    let sides = ["mentee", "mentor"];
    let of = |side: &'static str| facts.answers.iter().filter(move |one| one.side == side);
    let partition = Partition {
        id: TableId::Satisfaction.as_str(),
        population: "answers",
        base: ANSWERED,
        measures: vec![ANSWERED],
        groups: sides.iter().map(|side| ((*side).to_owned(), by_organisation(of(side)))).collect(),
    };
    let (released, anchors) = release(&[partition], gate.earlier);
    gate.anchors.extend(anchors);
    let mut rows = Vec::new();
    for (side, key) in sides.into_iter().zip(["own_mentee", "own_mentor"]) {
        let Some(own) = own else { break };
        let sums = sum(of(side).filter(|one| one.organisation == *own));
        let number = |value: Option<i64>| value.map_or(Cell::Nothing, Cell::Number);
        let mut cells = vec![Cell::Number(signed(sums.people[0]))];
        cells.extend(values(&sums).map(number));
        rows.push(Row { key: key.to_owned(), label: None, cells });
    }
    for group in released.iter().flatten() {
        // Sides are never added up: their answers are different people's.
        let Some(side) = sides.into_iter().find(|side| group.key == *side) else { continue };
        let cells = cells_of(gate, group, &sum(of(side)));
        rows.push(Row { key: side.to_owned(), label: None, cells });
    }
    rows.retain(|row| row.cells.iter().any(|cell| !matches!(cell, Cell::Number(0) | Cell::Nothing)));
    Table { id: TableId::Satisfaction, columns: COLUMNS.map(column).into(), rows }
}

fn cells_of(gate: &mut Gate<'_>, group: &Released, sums: &AnswerSums) -> Vec<Cell> {
    let mut cells =
        vec![group.count(ANSWERED).map_or_else(Cell::Withheld, |count| Cell::Number(signed(count)))];
    for ((value, measure), (name, _)) in values(sums).into_iter().zip(QUESTIONS).zip(&COLUMNS[1..]) {
        let base = people(&group.truth, measure);
        let is_share = matches!(measure, RECOMMENDING | ASSESSED);
        let name = group.anchor(TableId::Satisfaction.as_str(), name);
        cells.push(if is_share { gate.single(&name, &base, value) } else { gate.mean(&name, &base, value) });
    }
    cells
}

/// Satisfaction of the mentees by band of the score of their match, and how the two go together.
pub(super) fn prediction(gate: &mut Gate<'_>, facts: &Facts) -> Table {
    let id = TableId::Prediction;
    let answers: Vec<&SideAnswers> =
        facts.answers.iter().filter(|one| one.side == "mentee" && one.sums.people[0] > 0).collect();
    let mut groups: BTreeMap<String, Vec<&SideAnswers>> = BTreeMap::new();
    for one in &answers {
        // Five bands, each of two tenths.
        let band = one.tenth.map(|tenth| (tenth.min(9) / 2 * 2).to_string()).unwrap_or_default();
        groups.entry(band).or_default().push(one);
    }
    let partition = Partition {
        id: id.as_str(),
        population: "predicted",
        base: ANSWERED,
        measures: vec![ANSWERED],
        groups: groups.iter().map(|(band, of)| (band.clone(), by_organisation(of.iter().copied()))).collect(),
    };
    let (released, anchors) = release(&[partition], gate.earlier);
    gate.anchors.extend(anchors);
    let mut rows = Vec::new();
    for group in released.iter().flatten() {
        let sums = sum(group.members.iter().flat_map(|band| &groups[band]).copied());
        let [mean, ..] = values(&sums);
        let count = group.count(ANSWERED).map_or_else(Cell::Withheld, |count| Cell::Number(signed(count)));
        let name = group.anchor(id.as_str(), "satisfaction");
        let mean = gate.mean(&name, &people(&group.truth, ANSWERED), mean);
        rows.push(Row { key: group.key.clone(), label: None, cells: vec![count, mean, Cell::Nothing] });
    }
    rows.sort_by_key(|row| (row.key == OTHERS, row.key.is_empty()));
    let scored = || answers.iter().copied().filter(|one| one.tenth.is_some());
    let base = people(&by_organisation(scored()), ANSWERED);
    if !rows.is_empty() {
        let value = correlated(&base, &sum(scored()));
        let value = match value {
            Ok(value) => gate.single("prediction/correlation", &base, value),
            Err(why) => Cell::Withheld(why),
        };
        rows.push(Row {
            key: "all".to_owned(),
            label: None,
            cells: vec![Cell::Nothing, Cell::Nothing, value],
        });
    }
    let columns =
        [("answered", Unit::People), ("satisfaction", Unit::Rating), ("correlation", Unit::Correlation)];
    Table { id, columns: columns.map(column).into(), rows }
}

/// The correlation in hundredths.
fn correlated(base: &[u64], sums: &AnswerSums) -> Result<Option<i64>, Withheld> {
    judge(base.iter().copied())?;
    if base.iter().sum::<u64>() < FEWEST_OF_PERCENTAGE {
        return Err(Withheld::SmallBase);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a correlation is between -1 and 1")]
    let hundredths = |value: f64| (value * 100.0).round() as i64;
    Ok(correlation(sums.people[0], sums.moments).map(hundredths))
}
