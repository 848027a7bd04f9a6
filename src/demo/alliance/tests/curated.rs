//! People of the sample that are changed by hand: each causes one situation that a round must explain.

use crate::demo::alliance::places::HOMES;
use crate::domain::profile::ProfileDraft;

/// Lowest level at which one can work in a language, as the default policy sees it: B2.
const WORKING: i32 = 4;
/// The employer of everybody who mentors in Russian.
const COMMON_EMPLOYER: &str = "long-steppe-copper";

/// Changes the generated people.
pub(super) fn curate(people: &mut [Vec<ProfileDraft>]) {
    scarce_mongolian(of(people, "wim-mongolia"));
    unshared_language(of(people, "wim-papua-new-guinea"));
    common_employer(people);
    in_person_far_away(people);
}

/// Three mentees can work in Mongolian only, and one mentor with one place can too.
fn scarce_mongolian(people: &mut [ProfileDraft]) {
    for mentee in people.iter_mut().filter(|person| person.mentee_request.is_some()).take(3) {
        mentee.languages = spoken(&[("en", 2), ("mn", 7)]);
    }
    let mut mentors = people.iter_mut().filter(|person| person.mentee_request.is_none());
    if let Some(offer) = mentors.next().and_then(|mentor| {
        mentor.languages = spoken(&[("en", 5), ("mn", 7)]);
        "senior_manager".clone_into(&mut mentor.career_stage);
        mentor.mentor_offer.as_mut()
    }) {
        (offer.min_mentees, offer.max_mentees) = (None, Some(1));
    }
    for newcomer in mentors {
        newcomer.languages = spoken(&[("en", 7), ("mn", 1)]);
    }
}

/// A mentee whose only working language no mentor speaks: Hiri Motu.
fn unshared_language(people: &mut [ProfileDraft]) {
    if let Some(mentee) = first_mentee(people) {
        mentee.languages = spoken(&[("en", 2), ("ho", 7)]);
    }
}

/// A mentee who works in Russian only, for the employer of every mentor who does.
fn common_employer(people: &mut [Vec<ProfileDraft>]) {
    for mentor in mentors_in("ru", people) {
        COMMON_EMPLOYER.clone_into(&mut mentor.employer);
        mentor.competitor_group.clear();
    }
    if let Some(mentee) = first_mentee(of(people, "wim-central-asia")) {
        mentee.languages = spoken(&[("ru", 7)]);
        COMMON_EMPLOYER.clone_into(&mut mentee.employer);
        mentee.competitor_group.clear();
    }
}

/// A mentee who wants to meet in person only, in a country where no mentor lives; those of her language meet by call.
fn in_person_far_away(people: &mut [Vec<ProfileDraft>]) {
    for mentor in mentors_in("pt", people) {
        mentor.meeting_modes = vec![1];
    }
    if let Some(mentee) = first_mentee(of(people, "wim-angola")) {
        mentee.languages = spoken(&[("pt", 7)]);
        "GW".clone_into(&mut mentee.country);
        "Africa/Bissau".clone_into(&mut mentee.time_zone);
        mentee.meeting_modes = vec![2];
    }
}

fn mentors_in<'a>(
    tag: &'a str,
    people: &'a mut [Vec<ProfileDraft>],
) -> impl Iterator<Item = &'a mut ProfileDraft> {
    let speaks = move |person: &ProfileDraft| {
        person.languages.iter().any(|(known, level)| known == tag && *level >= WORKING)
    };
    people.iter_mut().flatten().filter(move |person| person.mentor_offer.is_some() && speaks(person))
}

fn first_mentee(people: &mut [ProfileDraft]) -> Option<&mut ProfileDraft> {
    people.iter_mut().find(|person| person.mentor_offer.is_none())
}

/// People of an organisation.
fn of<'a>(people: &'a mut [Vec<ProfileDraft>], organisation: &str) -> &'a mut [ProfileDraft] {
    let at = HOMES.iter().position(|home| home.id == organisation);
    at.and_then(|at| people.get_mut(at)).map(Vec::as_mut_slice).unwrap_or_default()
}

fn spoken(languages: &[(&str, i32)]) -> Vec<(String, i32)> {
    languages.iter().map(|(tag, level)| ((*tag).to_owned(), *level)).collect()
}
