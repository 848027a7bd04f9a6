//! The diagnosis of a round in words: what stands in the way before it is run.

use super::output::{align_right, titled};
use super::{story, v1};
use crate::api::convert;
use crate::domain::message::Message;
use crate::domain::name::ProfileRef;
use crate::domain::vocabulary::Lang;
use crate::{message, wording};

/// Entries of each list that are shown.
const SHOWN: usize = 10;
/// Names of people in one line.
const NAMED: usize = 5;

/// The diagnosis, one part after another.
pub fn diagnosis(diagnosis: &v1::RoundDiagnosis, lang: Lang) -> String {
    let parts = [
        vec![head(diagnosis, lang)],
        quotas_unmet(diagnosis, lang),
        unmatched(diagnosis, lang),
        recruits(diagnosis, lang),
        shortages(diagnosis, lang),
        scarce(diagnosis, lang),
        balances(diagnosis, lang),
        missing_answers(diagnosis, lang),
    ];
    let parts = parts.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n"));
    parts.collect::<Vec<_>>().join("\n\n")
}

/// What the run that would follow gives.
pub fn dry_run(numbers: &v1::RunSummary, lang: Lang) -> String {
    let summary = convert::run::summary(numbers);
    let heading = wording::message(&message!("A run would give:"), lang);
    [heading, story::headline(&summary, lang), story::proof(&summary, lang)].join("\n")
}

fn head(diagnosis: &v1::RoundDiagnosis, lang: Lang) -> String {
    let supply = message!(
        "{mentees|1 mentee seeks|{mentees} mentees seek} {wanted|1 mentor|{wanted} mentors}; {mentors|1 mentor offers|{mentors} mentors offer} {places|1 place|{places} places}.",
        mentees = diagnosis.mentees,
        wanted = diagnosis.mentors_wanted,
        mentors = diagnosis.mentors,
        places = diagnosis.places
    );
    let most = message!(
        "At most {most|1 mentee|{most} mentees} can have a mentor at the same time.",
        most = diagnosis.most_matched_mentees
    );
    [supply, most].map(|line| wording::message(&line, lang)).join("\n")
}

/// Why no result keeps the quotas.
fn quotas_unmet(diagnosis: &v1::RoundDiagnosis, lang: Lang) -> Vec<String> {
    let lines = diagnosis.quotas_unmet.iter().map(|reason| reason.text.clone());
    let all = diagnosis.quotas_unmet.len();
    listed(&message!("No result keeps the quotas of the policy:"), lines, all, lang)
}

/// A heading, lines, and how many more there are.
fn listed(heading: &Message, lines: impl Iterator<Item = String>, all: usize, lang: Lang) -> Vec<String> {
    if all == 0 {
        return Vec::new();
    }
    let mut listed = vec![wording::message(heading, lang)];
    listed.extend(lines.take(SHOWN).map(|line| format!("  {line}")));
    if all > SHOWN {
        listed.push(wording::message(&message!("  and {more} more", more = all - SHOWN), lang));
    }
    listed
}

/// Names of people without their collections, the first of `all`.
fn people(names: &[String], all: i64, lang: Lang) -> String {
    let short =
        |name: &String| ProfileRef::from_name(name).map_or_else(|_| name.clone(), |profile| profile.short());
    let shown: Vec<String> = names.iter().take(NAMED).map(short).collect();
    let more = usize::try_from(all).unwrap_or_default().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more == 0 {
        return shown;
    }
    wording::message(&message!("{names} and {more} more", names = shown, more = more), lang)
}

fn unmatched(diagnosis: &v1::RoundDiagnosis, lang: Lang) -> Vec<String> {
    // Mentors with free places stand in nobody's way.
    let mentees: Vec<&v1::Unmatched> =
        diagnosis.unmatched.iter().filter(|one| one.side() != v1::Side::Mentor).collect();
    let line = |one: &&v1::Unmatched| {
        let texts: Vec<&str> = one.details.iter().map(|reason| reason.text.as_str()).collect();
        let name = people(std::slice::from_ref(&one.profile), 1, lang);
        wording::labelled(&name, &texts.join("; "), lang)
    };
    let heading = message!("Without a match in an assignment of as many mentees as possible:");
    listed(&heading, mentees.iter().map(line), mentees.len(), lang)
}

fn recruits(diagnosis: &v1::RoundDiagnosis, lang: Lang) -> Vec<String> {
    let line = |one: &v1::RecruitAdvice| {
        let mentor = one.mentor.as_ref().map(|mentor| wording::capitalised(&mentor.text)).unwrap_or_default();
        wording::labelled(&mentor, &people(&one.mentees, one.mentees_count, lang), lang)
    };
    let lines = diagnosis.recruits.iter().map(line);
    listed(&message!("Whom to recruit:"), lines, diagnosis.recruits.len(), lang)
}

fn shortages(diagnosis: &v1::RoundDiagnosis, lang: Lang) -> Vec<String> {
    let line = |one: &v1::Shortage| {
        let told = message!(
            "{mentees|1 mentee|{mentees} mentees} for {places|1 place|{places} places}: {names}; possible mentors: {mentors}",
            mentees = one.mentees_count,
            places = one.places,
            names = people(&one.mentees, one.mentees_count, lang),
            mentors = people(&one.mentors, one.mentors_count, lang)
        );
        wording::message(&told, lang)
    };
    let heading = message!("Sets of mentees with too few places among all their possible mentors:");
    let all = usize::try_from(diagnosis.shortages_count).unwrap_or_default();
    listed(&heading, diagnosis.shortages.iter().map(line), all, lang)
}

fn scarce(diagnosis: &v1::RoundDiagnosis, lang: Lang) -> Vec<String> {
    let line = |one: &v1::ScarceSupply| {
        let needed = match one.kind() {
            v1::SupplyKind::Language => message!(
                "{mentees|1 mentee speaks|{mentees} mentees speak} no other language well enough, for {places|1 place|{places} places}",
                mentees = one.mentees,
                places = one.places
            ),
            _ => message!(
                "{mentees|1 mentee seeks|{mentees} mentees seek} it, for {places|1 place|{places} places}",
                mentees = one.mentees,
                places = one.places
            ),
        };
        wording::labelled(&wording::capitalised(&one.label), &wording::message(&needed, lang), lang)
    };
    listed(&message!("Scarce:"), diagnosis.scarce.iter().map(line), diagnosis.scarce.len(), lang)
}

fn balances(diagnosis: &v1::RoundDiagnosis, lang: Lang) -> Vec<String> {
    if diagnosis.balances.is_empty() {
        return Vec::new();
    }
    let header = [
        message!("Region or organisation"),
        message!("Mentees"),
        message!("Mentors sought"),
        message!("Mentors"),
        message!("Places"),
    ];
    let count = |count: i64| wording::count(convert::number(count), lang);
    let mut rows = titled(&header, lang);
    for one in &diagnosis.balances {
        let label = one.label.trim_start_matches("organisations/").to_owned();
        rows.add_row([
            label,
            count(one.mentees),
            count(one.mentors_wanted),
            count(one.mentors),
            count(one.places),
        ]);
    }
    align_right(&mut rows, &[1, 2, 3, 4]);
    vec![rows.to_string()]
}

fn missing_answers(diagnosis: &v1::RoundDiagnosis, lang: Lang) -> Vec<String> {
    if diagnosis.missing_answers.is_empty() {
        return Vec::new();
    }
    let header = [message!("Missing answers"), message!("Mentees"), message!("Mentors")];
    let count = |count: i64| wording::count(convert::number(count), lang);
    let mut rows = titled(&header, lang);
    for one in &diagnosis.missing_answers {
        rows.add_row([one.field.clone(), count(one.mentees), count(one.mentors)]);
    }
    align_right(&mut rows, &[1, 2]);
    vec![rows.to_string()]
}
