//! What a coordinator sends to the manager of an organisation, against what the manager reads herself: over random small
//! rounds, the sheets of the part have her rows and no reason, name or count that hers do not have.
//!
//! The display names of other organisations are the one exception: a coordinator sees them, and a manager sees their ids.

use proptest::prelude::*;
use wim_match::domain::language::LanguageLevel;
use wim_match::domain::name::{OrganisationId, ProfileRef};
use wim_match::domain::policy::Policy;
use wim_match::domain::profile::{
    Consent, ConsentPurpose, Language, MeetingModes, MenteeRequest, MentorOffer, Profile, WeeklySlot,
};
use wim_match::domain::run::{Match, RunSummary, Unmatched};
use wim_match::domain::snapshot::{Participant, Snapshot};
use wim_match::domain::vocabulary::{Country, Lang, Terms};
use wim_match::engine::observer::Unobserved;
use wim_match::engine::{Options, Outcome, solve};
use wim_match::report::RoundReport;
use wim_match::report::spreadsheet::{OfOneOrganisation, Sheet, Sheets, organisations};

use super::rows_in;

/// Random rounds of the property. More by the usual variable `PROPTEST_CASES`.
const CASES: u32 = 48;

/// A person, by the answers that hard rules read.
#[derive(Debug, Clone)]
struct Who {
    home: usize,
    role: Role,
    language: &'static str,
    stage: Option<u8>,
    modes: MeetingModes,
    /// First hour of her only slot.
    hour: Option<u8>,
    has_consent: bool,
    /// Places, and her minimum of mentees.
    places: (u8, u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    None,
    Mentee,
    Mentor,
    Both,
}

fn people() -> impl Strategy<Value = Vec<Who>> {
    let role = prop_oneof![
        1 => Just(Role::None), 8 => Just(Role::Mentee), 12 => Just(Role::Mentor), 2 => Just(Role::Both)
    ];
    let modes = prop_oneof![
        6 => Just((true, true)), 4 => Just((true, false)), 4 => Just((false, true)), 1 => Just((false, false))
    ];
    let stage = prop_oneof![2 => Just(None), 3 => (1_u8..=7).prop_map(Some)];
    let hour = prop_oneof![4 => Just(None), 1 => Just(Some(8)), 1 => Just(Some(14))];
    let places = (1_u8..=2).prop_flat_map(|most| (Just(most), 0..=most));
    // Few languages in a round, so that one rule often excludes everybody.
    let languages = prop::sample::subsequence(vec!["es", "ru", "kk", "fr"], 2..=4);
    languages.prop_flat_map(move |languages| {
        let language = prop::sample::select(languages);
        let one = (
            prop_oneof![2 => Just(0_usize), 5 => Just(1), 2 => Just(2)],
            role.clone(),
            language,
            stage.clone(),
            modes.clone(),
            hour.clone(),
            prop::bool::weighted(0.95),
            places.clone(),
        );
        let who = one.prop_map(|(home, role, language, stage, modes, hour, has_consent, places)| {
            // Most mentors speak the first language: many then lack for one who speaks another.
            let language = if role == Role::Mentor && home == 1 { "es" } else { language };
            let (by_call, in_person) = modes;
            let modes = MeetingModes { by_call, in_person };
            Who { home, role, language, stage, modes, hour, has_consent, places }
        });
        prop::collection::vec(who, 4..56)
    })
}

fn participant(at: usize, who: &Who) -> Participant {
    let matching = Consent {
        purpose: ConsentPurpose::Matching,
        give_time: "2026-11-01T08:00:00Z".parse().expect("a moment"),
        text_version: "2026-1".to_owned(),
        language: "en".to_owned(),
        withdraw_time: None,
    };
    let (max_mentees, min_mentees) = who.places;
    let slot = |hour: u8| WeeklySlot { day: 1, start: hour * 2, end: hour * 2 + 6 };
    let offer = MentorOffer { min_mentees: Some(min_mentees), max_mentees, topics: Terms::EMPTY };
    let request = MenteeRequest { mentors_wanted: None, topics: Terms::EMPTY, waiting_since: None };
    let content = Profile {
        country: Country::from_code("PE").expect("Peru"),
        time_zone: "America/Lima".to_owned(),
        weekly_slots: who.hour.map(slot).into_iter().collect(),
        roster: None,
        languages: vec![Language { tag: who.language.to_owned(), level: LanguageLevel::Native }],
        career_stage: who.stage,
        functions: Terms::EMPTY,
        commodities: Terms::EMPTY,
        employer: None,
        competitor_group: None,
        reporting_line: Vec::new(),
        meeting_modes: who.modes,
        goals: Terms::EMPTY,
        working_styles: Terms::EMPTY,
        preferred: Vec::new(),
        avoided: Vec::new(),
        previous_partners: Vec::new(),
        mentor_offer: matches!(who.role, Role::Mentor | Role::Both).then_some(offer),
        mentee_request: matches!(who.role, Role::Mentee | Role::Both).then_some(request),
        identity: None,
        consents: who.has_consent.then_some(matching).into_iter().collect(),
    };
    let name = format!("organisations/wim-{}/profiles/p{at}", who.home);
    Participant { profile: ProfileRef::from_name(&name).expect("a name"), version: 1, content, waiting: None }
}

fn outcome(people: &[Who]) -> Outcome {
    let mut snapshot = Snapshot {
        start_date: jiff::civil::date(2027, 2, 15),
        end_date: jiff::civil::date(2027, 11, 30),
        freeze_time: "2027-01-20T12:00:00Z".parse().expect("a moment"),
        policy: Policy::default(),
        organisations: Vec::new(),
        participants: people.iter().enumerate().map(|(at, who)| participant(at, who)).collect(),
        decisions: Vec::new(),
        follows: None,
    };
    snapshot.sort();
    solve(&snapshot, &Options::default(), &Unobserved).expect("not stopped")
}

/// The changes of a row, one each; the separator is that of a CSV file.
fn changes(row: &[String]) -> Vec<&str> {
    row[4].split(" · ").collect()
}

/// The part of each organisation has the rows of the manager, and no line that she does not read.
fn no_part_tells_more(outcome: &Outcome) -> Result<(), TestCaseError> {
    let names = (0..3)
        .map(|at| (format!("wim-{at}").parse().expect("an id"), format!("Name {at}")))
        .collect::<std::collections::BTreeMap<OrganisationId, String>>();
    for lang in Lang::ALL {
        let whole = RoundReport {
            round_title: "A round",
            start_date: jiff::civil::date(2027, 2, 15),
            end_date: jiff::civil::date(2027, 11, 30),
            run: "rounds/r/runs/1",
            generated_at: jiff::Timestamp::UNIX_EPOCH,
            policy_version: 1,
            engine_version: "1",
            input_digest: "",
            result_digest: "",
            summary: &outcome.summary,
            matches: &outcome.matches,
            unmatched: &outcome.unmatched,
            organisation_names: &names,
            lang,
            synthetic: true,
        };
        for organisation in organisations(&whole) {
            let is_own = |profile: &ProfileRef| profile.organisation == organisation;
            let all = outcome.matches.iter().filter(|one| is_own(&one.mentee) || is_own(&one.mentor));
            let matches: Vec<Match> = all.cloned().collect();
            let all = outcome.unmatched_for_managers.iter().filter(|one| is_own(&one.profile));
            let unmatched: Vec<Unmatched> = all.cloned().collect();
            // Without changes of her own, an entry has the general one.
            let mut general = unmatched.clone();
            for one in &mut general {
                one.details.truncate(1);
            }
            let summary: &RunSummary = &outcome.summaries[&organisation];
            let part = OfOneOrganisation::of(&whole, &organisation).sheets(&whole);
            let hers = Sheets::of(&RoundReport {
                summary,
                matches: &matches,
                unmatched: &unmatched,
                ..whole.clone()
            });
            let general =
                Sheets::of(&RoundReport { summary, matches: &matches, unmatched: &general, ..whole.clone() });
            prop_assert_eq!(&part.matches, &hers.matches);
            let read = |sheet: &Sheet| rows_in(sheet, lang);
            let (sent, hers, general) =
                (read(&part.unmatched), read(&hers.unmatched), read(&general.unmatched));
            prop_assert_eq!(sent.len(), hers.len());
            for ((sent, hers), general) in sent.iter().zip(&hers).zip(&general) {
                prop_assert_eq!((&sent[..4], sent.len()), (&hers[..4], 5), "no column of counts");
                let known = [changes(hers), changes(general)].concat();
                let unknown: Vec<&str> =
                    changes(sent).into_iter().filter(|change| !known.contains(change)).collect();
                prop_assert!(unknown.is_empty(), "{organisation}: {unknown:?} of {sent:?}, but {hers:?}");
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn the_file_of_an_organisation_tells_its_manager_nothing_that_she_does_not_read(people in people()) {
        no_part_tells_more(&outcome(&people))?;
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

#[test]
fn a_rule_that_excludes_most_people_of_all_but_not_most_of_others_is_not_told() {
    let who = |home, role, language, modes| Who {
        home,
        role,
        language,
        stage: None,
        modes,
        hour: None,
        has_consent: true,
        places: (1, 0),
    };
    let (call, person) =
        (MeetingModes { by_call: true, in_person: false }, MeetingModes { by_call: false, in_person: true });
    let mentors = |home, language, modes, number| {
        std::iter::repeat_with(move || who(home, Role::Mentor, language, modes)).take(number)
    };
    let told = |own: usize| {
        // For others, the way of meeting excludes most; for all, the language does.
        let mentee = std::iter::once(who(0, Role::Mentee, "kk", call));
        let others = mentors(1, "es", call, 12).chain(mentors(1, "kk", person, 14));
        let people: Vec<Who> = mentee.chain(mentors(0, "es", call, own)).chain(others).collect();
        let outcome = outcome(&people);
        no_part_tells_more(&outcome).expect("the manager reads as much");
        let entry = outcome.unmatched.iter().find(|one| one.profile.id.as_str() == "p0").expect("an entry");
        format!("{:?}", entry.details)
    };
    let (few, many) = (told(0), told(6));
    assert!(few.contains("meeting_mode") && many.contains("language"), "{few}; {many}");
}
