use std::collections::BTreeMap;

use jiff::civil::date;

use super::super::facts::{AnswerSums, Division, LifeEnd, SideAnswers};
use super::super::{Cell, CoveredRound, Row};
use super::*;
use crate::domain::name::OrganisationId;
use crate::domain::run::{Dimension, MenteeGroup, RunSummary, ScoreRange, WholeRound};

fn organisation(at: usize) -> OrganisationId {
    ["wim-peru", "wim-chile", "wim-ghana", "wim-kenya"][at].parse().expect("an id")
}

/// A published round of four organisations with `people` mentees each, in two regions, of whom nine tenths are matched.
fn facts(people: u64) -> Facts {
    let mut facts = Facts::default();
    let matched = people * 9 / 10;
    let of = |dimension: Dimension, key: &str, organisations: &[usize]| MenteeGroup {
        dimension,
        key: key.to_owned(),
        mentees: organisations.iter().map(|at| (organisation(*at), (people, matched))).collect(),
        scores: None,
        matches: (0, 0),
    };
    let mut groups = vec![of(Dimension::Region, "005", &[0, 1]), of(Dimension::Region, "011", &[2, 3])];
    groups.extend((0..4).map(|at| of(Dimension::Organisation, organisation(at).as_str(), &[at])));
    groups.push(of(Dimension::Language, "es", &[0, 1, 2, 3]));
    groups.push(of(Dimension::Stage, "", &[0, 1, 2, 3]));
    let whole = WholeRound { groups, price_of_fairness: Some(120), ..WholeRound::default() };
    let scores = Some(ScoreRange { worst: 4_000, median: 7_000, best: 9_000 });
    let summary = RunSummary { scores, whole_round: Some(whole), ..RunSummary::default() };
    let covered = CoveredRound {
        round: "2027-first".parse().expect("an id"),
        display_name: "First round".to_owned(),
        start_date: date(2027, 2, 15),
        end_date: date(2027, 11, 30),
        run: 3,
        policy_version: 2,
    };
    facts.rounds.push((covered, summary));
    facts.names = (0..4).map(|at| (organisation(at), format!("Name {at}"))).collect();
    let ended = matched / 10;
    let lives = |at: usize| {
        let counts = [(PAIRS, matched), (DECIDED, matched), (ACCEPTED, matched), (BEGUN, matched)];
        let ends = [(COMPLETED, matched - ended), (ENDED_EARLY, ended)];
        (organisation(at), counts.into_iter().chain(ends).collect::<BTreeMap<_, _>>())
    };
    let all: ByOrganisation = (0..4).map(lives).collect();
    let group = |key: &str, at: &[usize]| {
        (key.to_owned(), at.iter().map(|at| lives(*at)).collect::<ByOrganisation>())
    };
    facts.lives = BTreeMap::from([
        (Division::Round, BTreeMap::from([("2027-first".to_owned(), all.clone())])),
        (Division::Region, BTreeMap::from([group("005", &[0, 1]), group("011", &[2, 3])])),
        (Division::Mentor, BTreeMap::from([("wim-peru".to_owned(), all.clone())])),
        (Division::Waited, BTreeMap::from([("20".to_owned(), all.clone())])),
        (Division::Language, BTreeMap::from([("es".to_owned(), all.clone())])),
        (Division::Stage, BTreeMap::from([(String::new(), all.clone())])),
        (Division::Score, BTreeMap::from([("7".to_owned(), all)])),
    ]);
    for at in 0..4 {
        let end = |day, is_early, pairs| LifeEnd { day, is_early, organisation: organisation(at), pairs };
        facts.ends.extend([end(45, true, ended), end(280, false, matched - ended)]);
        let sums = AnswerSums {
            people: [matched; 4],
            satisfaction: (matched, matched * 4),
            recommendation: (matched, matched / 2, matched / 4),
            goals: (matched * 2, matched * 2),
            minutes: matched * 600,
            moments: [0; 5],
        };
        let side = |side: &str| SideAnswers {
            side: side.to_owned(),
            tenth: Some(7),
            organisation: organisation(at),
            sums,
        };
        facts.answers.extend([side("mentee"), side("mentor")]);
    }
    facts
}

fn round() -> ReportScope {
    ReportScope::Round("2027-first".parse().expect("an id"))
}

fn table_of(content: &Content, id: TableId) -> &Table {
    content.tables.iter().find(|table| table.id == id).unwrap_or_else(|| panic!("no {id:?}"))
}

fn at<'a>(table: &'a Table, key: &str, column: &str) -> &'a Cell {
    let row: &Row = table.rows.iter().find(|row| row.key == key).unwrap_or_else(|| panic!("no row {key}"));
    let at = table.columns.iter().position(|one| one.id == column).unwrap_or_else(|| panic!("no {column}"));
    &row.cells[at]
}

#[test]
fn a_round_report_counts_from_the_enrolment_to_the_end() {
    let (content, _) = assemble(&round(), &facts(100), &Anchors::new()).expect("a report");
    let funnel = table_of(&content, TableId::Funnel);
    for (column, expected) in [
        ("mentees", 400),
        ("matched", 360),
        ("match_rate", 90),
        ("accepted", 360),
        ("acceptance_rate", 100),
        ("completed", 325),
        ("early_end_rate", 10),
    ] {
        assert_eq!(at(funnel, "all", column), &Cell::Number(expected), "{column}");
    }
    let matching = table_of(&content, TableId::Matching);
    assert_eq!(at(matching, "all", "median_score"), &Cell::Number(7_000));
    assert_eq!(at(matching, "all", "price_of_fairness"), &Cell::Number(120));
    assert_eq!(at(matching, "all", "time_to_match"), &Cell::Number(20));
    let region = table_of(&content, TableId::Region);
    assert_eq!(at(region, "others", "equity_gap"), &Cell::Number(0), "each region has two organisations");
    assert_eq!(at(table_of(&content, TableId::Exchange), "wim-peru>wim-ghana", "pairs"), &Cell::Number(90));
    let satisfaction = table_of(&content, TableId::Satisfaction);
    assert_eq!(at(satisfaction, "mentee", "satisfaction"), &Cell::Number(400));
    assert_eq!(at(satisfaction, "mentor", "hours_met"), &Cell::Number(100));
    assert_eq!(at(satisfaction, "mentor", "goal_attainment"), &Cell::Number(50));
    let survival = table_of(&content, TableId::Survival);
    assert_eq!(at(survival, "1", "going_on"), &Cell::Number(100));
    assert_eq!(at(survival, "2", "going_on"), &Cell::Number(90));
    assert_eq!(content.rounds[0].run, 3);
    assert!(content.parameters.contains(&"equity_gap".to_owned()));
}

#[test]
fn a_small_round_has_no_report_and_says_why() {
    let too_few = assemble(&round(), &facts(2), &Anchors::new());
    assert_eq!(too_few.expect_err("eight people"), Withheld::FewPeople);
    let mut two = facts(50);
    for (_, summary) in &mut two.rounds {
        let whole = summary.whole_round.as_mut().expect("groups");
        whole.groups.iter_mut().for_each(|group| {
            group.mentees.retain(|id, _| id.as_str() < "wim-k" && id.as_str() != "wim-chile")
        });
    }
    for by in two.lives.values_mut().flat_map(BTreeMap::values_mut) {
        by.retain(|id, _| id.as_str() < "wim-k" && id.as_str() != "wim-chile");
    }
    assert_eq!(assemble(&round(), &two, &Anchors::new()).expect_err("two"), Withheld::FewOrganisations);
    assert_eq!(
        assemble(&round(), &Facts::default(), &Anchors::new()).expect_err("nobody"),
        Withheld::FewPeople
    );
}

#[test]
fn an_annual_report_has_exact_numbers_of_own_members_alone() {
    let scope = ReportScope::Annual(organisation(2), 2027);
    let (content, _) = assemble(&scope, &facts(53), &Anchors::new()).expect("a report");
    assert_eq!(at(table_of(&content, TableId::Own), "own", "matched"), &Cell::Number(47));
    assert_eq!(at(table_of(&content, TableId::Funnel), "all", "matched"), &Cell::Number(190), "188, rounded");
    let satisfaction = table_of(&content, TableId::Satisfaction);
    assert_eq!(at(satisfaction, "own_mentee", "answered"), &Cell::Number(47));
    assert!(content.tables.iter().all(|table| table.id != TableId::Organisation));
}

#[test]
fn a_committee_report_has_regions_alone() {
    let (content, _) =
        assemble(&ReportScope::Committee(2027), &facts(53), &Anchors::new()).expect("a report");
    let ids: Vec<TableId> = content.tables.iter().map(|table| table.id).collect();
    assert_eq!(ids, [TableId::Funnel, TableId::Region, TableId::Satisfaction]);
}

#[test]
fn a_mean_is_repeated_until_5_answers_have_changed_it() {
    let (_, anchors) = assemble(&round(), &facts(100), &Anchors::new()).expect("a report");
    let mut later = facts(100);
    let one = &mut later.answers[0];
    one.sums.people[0] += 1;
    one.sums.satisfaction = (91, 10);
    let (content, _) = assemble(&round(), &later, &anchors).expect("a report");
    let satisfaction = table_of(&content, TableId::Satisfaction);
    assert_eq!(at(satisfaction, "mentee", "satisfaction"), &Cell::Number(400));
}
