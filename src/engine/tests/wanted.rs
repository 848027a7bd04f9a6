//! The mentor whom a mentee without a match needs, as coordinators and managers read it.

use super::stories::{codes, mentee, mentor, round, run, slot, unmatched, with};
use crate::domain::explanation::ReasonCode;
use crate::domain::language::LanguageLevel;
use crate::domain::language::LanguageLevel::{B1, B2, C1, Native};
use crate::domain::profile::Language;
use crate::domain::run::{Side, Unmatched};
use crate::domain::snapshot::Participant;
use crate::domain::vocabulary::Lang;
use crate::wording;

fn speaks(person: Participant, languages: &[(&str, LanguageLevel)]) -> Participant {
    let list = languages.iter().map(|(tag, level)| Language { tag: (*tag).to_owned(), level: *level });
    with(person, |profile| profile.languages = list.collect())
}

/// The last detail of an entry in words.
fn last(entry: &Unmatched) -> String {
    wording::render(entry.details.last().expect("a detail"), Lang::En)
}

fn of_other_organisation(mut person: Participant) -> Participant {
    person.profile.organisation = "wim-other".parse().expect("an id");
    person
}

#[test]
fn a_mentee_without_a_match_is_told_which_mentor_she_needs() {
    let staged = with(mentee("a"), |profile| profile.career_stage = Some(5));
    let mut people = vec![
        speaks(staged, &[("ru", C1), ("kk", Native), ("en", B1)]),
        speaks(mentee("b"), &[("ru-KZ", B2)]),
        speaks(mentee("c"), &[("ru", B1)]),
        speaks(mentor("d"), &[("en", Native)]),
    ];
    let outcome = run(&round(people.clone()));
    let told = ["a", "b", "c"].map(|id| last(unmatched(&outcome, id, Side::Mentee)));
    let expected = [
        "a mentor who speaks Kazakh or Russian at level B2 or better (career stage: manager or above)",
        "a mentor who speaks Russian at level B2 or better",
        "the mentee speaks no language at level B2 or better, so no mentor can share one",
    ];
    assert_eq!(told, expected);

    // The hours stand in the way of everybody: another language helps nobody.
    for (at, hour) in [(0, 8), (1, 8), (3, 12)] {
        people[at].content.weekly_slots = vec![slot(0, hour, hour + 2)];
        people[at].content.languages = people[3].content.languages.clone();
    }
    let outcome = run(&round(people));
    let entry = unmatched(&outcome, "b", Side::Mentee);
    assert_eq!(codes(entry), [ReasonCode::NoCandidate, ReasonCode::SingleRuleRelaxed]);
}

#[test]
fn a_manager_reads_what_stands_in_the_way_only_if_it_is_about_many_people() {
    let told = |mentors: usize, language: &str| {
        let others = (0..mentors).map(|at| {
            let person = speaks(mentor(&format!("m{at}")), &[(language, Native)]);
            of_other_organisation(with(person, |profile| profile.weekly_slots = vec![slot(0, 8, 10)]))
        });
        let hers = with(mentee("a"), |profile| profile.weekly_slots = vec![slot(0, 12, 14)]);
        let outcome = run(&round(others.chain([speaks(hers, &[("ru", Native)])]).collect()));
        let entry = outcome.unmatched_for_managers.iter().find(|entry| entry.side == Some(Side::Mentee));
        codes(entry.expect("an entry")).last() == Some(&ReasonCode::MentorWanted)
    };
    assert!(told(9, "en") && told(9, "ru"), "of few people the manager learns nothing");
    assert!(told(10, "en") && !told(10, "ru"), "of many people she learns which rule excludes them");
}
