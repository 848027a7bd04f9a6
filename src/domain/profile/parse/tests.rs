mod random;

use super::*;
use crate::clock::Stopwatch;
use crate::domain::profile::{ConsentDraft, RosterAvailability, RosterDraft, SlotDraft, WeeklySlot};

fn me() -> ProfileRef {
    ProfileRef::from_name("organisations/wim-peru/profiles/PE.0042").expect("a good name")
}

fn now() -> Timestamp {
    "2027-03-01T12:00:00Z".parse().expect("a good time")
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

fn consent(purpose: i32) -> ConsentDraft {
    ConsentDraft {
        purpose,
        text_version: "2027-1".to_owned(),
        language: "es".to_owned(),
        give_time: Some("2027-02-01T00:00:00Z".parse().expect("a good time")),
        withdraw_time: None,
    }
}

/// What a typical member gives.
fn typical() -> ProfileDraft {
    let slot = |day| SlotDraft { day, start_minute: Some(1080), end_minute: 1200 };
    ProfileDraft {
        country: "PE".to_owned(),
        time_zone: "America/Lima".to_owned(),
        weekly_slots: vec![slot(2), slot(4), slot(6)],
        roster: Some(RosterDraft {
            days_on: 14,
            days_off: 14,
            first_day_on: "2027-01-04".to_owned(),
            availability: 3,
        }),
        languages: vec![("es-PE".to_owned(), 7), ("en".to_owned(), 4)],
        career_stage: "professional".to_owned(),
        functions: texts(["geology_exploration", "mine_planning"]),
        commodities: texts(["copper", "gold"]),
        employer: "minera-del-sur".to_owned(),
        meeting_modes: vec![1, 2],
        goals: texts(["lead_people", "build_network"]),
        working_styles: texts(["structured"]),
        preferred: texts(["PE.0007"]),
        avoided: texts(["wim-chile/CL.1"]),
        mentor_offer: Some(MentorOfferDraft {
            min_mentees: Some(0),
            max_mentees: Some(2),
            topics: texts(["leadership"]),
        }),
        mentee_request: Some(MenteeRequestDraft {
            mentors_wanted: None,
            topics: texts(["negotiation", "leadership", "networking"]),
            waiting_since: "2026-10-01".to_owned(),
        }),
        identity: Some(IdentityDraft { shares: vec![], wishes: texts(["woman"]) }),
        consents: vec![consent(1), consent(2)],
        ..ProfileDraft::default()
    }
}

/// Field paths and hints of what is wrong with the typical draft once `change` is made to it.
fn wrong(change: impl FnOnce(&mut ProfileDraft)) -> Vec<(String, String)> {
    let mut draft = typical();
    change(&mut draft);
    match Profile::parse(&me(), &draft, now()) {
        Ok(_) => Vec::new(),
        Err(violations) => violations
            .listed()
            .iter()
            .map(|violation| (violation.field.clone(), violation.hint.to_string()))
            .collect(),
    }
}

#[track_caller]
fn one_wrong(field: &str, hint: &str, change: impl FnOnce(&mut ProfileDraft)) {
    let found = wrong(change);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, field);
    assert!(found[0].1.contains(hint), "`{}` does not say `{hint}`", found[0].1);
}

#[test]
fn a_typical_profile_is_read_in_its_normal_form() {
    let profile = Profile::parse(&me(), &typical(), now()).expect("a good profile");
    assert_eq!(profile.country.code(), "PE");
    assert_eq!(
        profile.languages.iter().map(|spoken| spoken.tag.as_str()).collect::<Vec<_>>(),
        ["en", "es-PE"]
    );
    assert_eq!(profile.career_stage, Some(3));
    assert_eq!(profile.weekly_slots[0], WeeklySlot { day: 1, start: 36, end: 40 });
    assert_eq!(profile.roster.expect("a roster").availability, RosterAvailability::Always);
    assert_eq!(profile.open_request().expect("a request").wanted(), 1, "no answer counts as 1");
    assert_eq!(profile.preferred[0].name(), "organisations/wim-peru/profiles/PE.0007");
    assert_eq!(profile.avoided[0].name(), "organisations/wim-chile/profiles/CL.1");
}

#[test]
fn the_least_that_makes_a_profile_is_country_zone_and_language() {
    let draft = ProfileDraft {
        country: "AU".to_owned(),
        time_zone: "Australia/Perth".to_owned(),
        languages: vec![("en".to_owned(), 7)],
        ..ProfileDraft::default()
    };
    let profile = Profile::parse(&me(), &draft, now()).expect("a profile without a role is kept");
    assert_eq!(profile.career_stage, None);
    assert!(profile.employer.is_none() && profile.identity.is_none() && profile.mentor_offer.is_none());
    let nothing = Profile::parse(&me(), &ProfileDraft::default(), now()).expect_err("nothing at all");
    let fields: Vec<&str> = nothing.listed().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["country", "time_zone", "languages"]);
}

#[test]
fn everything_that_is_wrong_is_listed_at_once_and_in_the_order_of_the_fields() {
    let found = wrong(|draft| {
        draft.country = "XX".to_owned();
        draft.time_zone = "Lima".to_owned();
        draft.weekly_slots[0].start_minute = Some(17);
        draft.languages[1].0 = "castellano".to_owned();
        draft.functions.push("alchemy".to_owned());
        draft.preferred.push("PE.0042".to_owned());
        draft.mentor_offer.as_mut().expect("an offer").topics = texts(["leadership", "esg", "liderazgo"]);
        draft.consents[0].give_time = None;
    });
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "country",
            "time_zone",
            "weekly_slots[0].start_minute",
            "languages[1].tag",
            "functions[2]",
            "preferred[1]",
            "mentor_offer.topics[2]",
            "consents[0].give_time",
        ]
    );
}

#[test]
fn a_country_is_a_code_and_its_name_leads_to_it() {
    one_wrong("country", "two capital letters", |draft| draft.country = "XX".to_owned());
    one_wrong("country", "write PE", |draft| draft.country = "pe".to_owned());
    one_wrong("country", "write ZA", |draft| draft.country = "Sudáfrica".to_owned());
}

#[test]
fn a_time_zone_is_one_of_the_database_and_a_near_miss_gets_it_as_a_hint() {
    one_wrong("time_zone", "did you mean America/Lima?", |draft| draft.time_zone = "America/Lmia".to_owned());
    one_wrong("time_zone", "did you mean America/Lima?", |draft| draft.time_zone = "Lima".to_owned());
    one_wrong("time_zone", "America/Lima, the time zone of Peru", |draft| {
        draft.time_zone = "UTC-5".to_owned()
    });
}

#[test]
fn slots_are_half_hours_of_one_day() {
    one_wrong("weekly_slots[0].day", "1 for Monday", |draft| draft.weekly_slots[0].day = 0);
    one_wrong("weekly_slots[2].day", "1 for Monday", |draft| draft.weekly_slots[2].day = 8);
    one_wrong("weekly_slots[1].start_minute", "on the hour or half hour", |draft| {
        draft.weekly_slots[1].start_minute = Some(-30);
    });
    one_wrong("weekly_slots[1].start_minute", "0 is midnight", |draft| {
        draft.weekly_slots[1].start_minute = None;
    });
    one_wrong("weekly_slots[1].end_minute", "on the hour or half hour", |draft| {
        draft.weekly_slots[1].end_minute = 1470;
    });
    one_wrong("weekly_slots[1].end_minute", "over midnight", |draft| draft.weekly_slots[1].end_minute = 1080);
    one_wrong("weekly_slots", "", |draft| draft.weekly_slots = vec![SlotDraft::default(); 101]);
}

#[test]
fn slots_that_overlap_or_touch_become_one_in_order() {
    let mut draft = typical();
    let slot = |day, start, end_minute| SlotDraft { day, start_minute: Some(start), end_minute };
    draft.weekly_slots =
        vec![slot(7, 0, 1440), slot(1, 600, 660), slot(1, 540, 600), slot(1, 630, 720), slot(1, 0, 30)];
    let profile = Profile::parse(&me(), &draft, now()).expect("good slots");
    let expected =
        [(0, 0, 1), (0, 18, 24), (6, 0, 48)].map(|(day, start, end)| WeeklySlot { day, start, end });
    assert_eq!(profile.weekly_slots, expected);
}

#[test]
fn a_roster_has_days_a_beginning_and_a_known_availability() {
    fn roster(draft: &mut ProfileDraft) -> &mut RosterDraft {
        draft.roster.as_mut().expect("a roster")
    }
    one_wrong("roster.days_on", "give no roster", |draft| roster(draft).days_on = 0);
    one_wrong("roster.days_off", "give no roster", |draft| roster(draft).days_off = 61);
    one_wrong("roster.first_day_on", "YYYY-MM-DD", |draft| {
        roster(draft).first_day_on = "4/1/2027".to_owned();
    });
    one_wrong("roster.first_day_on", "YYYY-MM-DD", |draft| {
        roster(draft).first_day_on = "2027-02-30".to_owned();
    });
    one_wrong("roster.first_day_on", "YYYY-MM-DD", |draft| {
        roster(draft).first_day_on = "20270104".to_owned();
    });
    one_wrong("roster.availability", "days off", |draft| roster(draft).availability = 4);
}

#[test]
fn languages_are_tags_with_levels_each_once() {
    one_wrong("languages", "at least one", |draft| draft.languages.clear());
    one_wrong("languages", "", |draft| draft.languages = vec![("es".to_owned(), 7); 21]);
    one_wrong("languages[0].tag", "write es", |draft| draft.languages[0].0 = "Español".to_owned());
    one_wrong("languages[0].tag", "2 or 3 letters", |draft| draft.languages[0].0 = "x-private".to_owned());
    one_wrong("languages[0].level", "A1 to C2", |draft| draft.languages[0].1 = 8);
    one_wrong("languages[1].tag", "higher level", |draft| draft.languages[1].0 = "spa".to_owned());
}

#[test]
fn codes_are_those_of_the_vocabularies() {
    one_wrong("career_stage", "`senior_professional`", |draft| {
        draft.career_stage = "Senior-Professional".to_owned();
    });
    one_wrong("functions[0]", "`mine_planning`", |draft| draft.functions[0] = "mine planing".to_owned());
    one_wrong("commodities[1]", "`lithium`", |draft| draft.commodities[1] = "Litio".to_owned());
    one_wrong("goals[0]", "--vocabulary", |draft| {
        draft.goals[0] = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz".to_owned();
    });
    one_wrong("working_styles[0]", "`listening`", |draft| draft.working_styles[0] = "listning".to_owned());
    one_wrong("mentee_request.topics[1]", "`negotiation`", |draft| {
        draft.mentee_request.as_mut().expect("a request").topics[1] = "négociation".to_owned();
    });
    one_wrong("identity.wishes[0]", "`woman`", |draft| {
        draft.identity.as_mut().expect("answers").wishes[0] = "women".to_owned();
    });
    one_wrong("goals", "", |draft| draft.goals = texts(["lead_people"; 257]));
}

#[test]
fn repeated_codes_modes_people_and_consents_collapse() {
    let once = Profile::parse(&me(), &typical(), now()).expect("a good profile");
    let mut draft = typical();
    draft.functions.extend(texts(["mine_planning"; 3]));
    draft.meeting_modes.push(1);
    draft.preferred.extend(texts(["wim-peru/PE.0007", "organisations/wim-peru/profiles/PE.0007"]));
    draft.consents.push(consent(1));
    assert_eq!(Profile::parse(&me(), &draft, now()).expect("repeats are harmless"), once);
}

#[test]
fn keys_are_short_printable_and_trimmed() {
    one_wrong("employer", "shorten", |draft| draft.employer = "e".repeat(65));
    one_wrong("competitor_group", "", |draft| draft.competitor_group = "a\u{7}b".to_owned());
    let mut draft = typical();
    draft.employer = "  Compañía Minera  ".to_owned();
    draft.competitor_group = " \t ".to_owned();
    let profile = Profile::parse(&me(), &draft, now()).expect("blanks are cut");
    assert_eq!(profile.employer.as_deref(), Some("Compañía Minera"));
    assert_eq!(profile.competitor_group, None);
}

#[test]
fn people_are_named_in_three_ways_and_never_oneself() {
    one_wrong("reporting_line[0]", "remove this entry", |draft| draft.reporting_line = texts(["PE.0042"]));
    one_wrong("avoided[1]", "remove this entry", |draft| draft.avoided.push("wim-peru/PE.0042".to_owned()));
    one_wrong("previous_partners[0]", "ORGANISATION/ID", |draft| {
        draft.previous_partners = texts(["Ana Quispe"])
    });
    one_wrong("preferred[0]", "ORGANISATION/ID", |draft| draft.preferred = texts(["a/b/c"]));
    one_wrong("preferred", "", |draft| draft.preferred = texts(["PE.1"; 1001]));
}

#[test]
fn nobody_is_both_preferred_and_avoided() {
    one_wrong("preferred[0]", "one of the two", |draft| draft.avoided.push("wim-peru/PE.0007".to_owned()));
}

#[test]
fn meeting_modes_are_known() {
    one_wrong("meeting_modes[1]", "1 for a call", |draft| draft.meeting_modes[1] = 0);
    one_wrong("meeting_modes", "", |draft| draft.meeting_modes = vec![1; 11]);
}

#[test]
fn an_offer_says_how_many_places_and_an_offer_of_none_makes_no_mentor() {
    fn offer(draft: &mut ProfileDraft) -> &mut MentorOfferDraft {
        draft.mentor_offer.as_mut().expect("an offer")
    }
    one_wrong("mentor_offer.max_mentees", "answers of a mentor", |draft| offer(draft).max_mentees = None);
    one_wrong("mentor_offer.max_mentees", "", |draft| offer(draft).max_mentees = Some(21));
    one_wrong("mentor_offer.max_mentees", "", |draft| offer(draft).max_mentees = Some(i32::MIN));
    one_wrong("mentor_offer.min_mentees", "use 0", |draft| offer(draft).min_mentees = Some(3));
    one_wrong("mentor_offer.min_mentees", "use 0", |draft| offer(draft).min_mentees = Some(-1));
    let mut draft = typical();
    offer(&mut draft).max_mentees = Some(0);
    let profile = Profile::parse(&me(), &draft, now()).expect("an offer of no place");
    assert_eq!(profile.mentor_offer.expect("the offer is kept").max_mentees, 0);
    assert_eq!(profile.open_offer(), None);
}

#[test]
fn a_request_is_for_one_or_two_mentors_and_has_not_begun_to_wait_in_the_future() {
    fn request(draft: &mut ProfileDraft) -> &mut MenteeRequestDraft {
        draft.mentee_request.as_mut().expect("a request")
    }
    one_wrong("mentee_request.mentors_wanted", "seeks none now", |draft| {
        request(draft).mentors_wanted = Some(3)
    });
    one_wrong("mentee_request.mentors_wanted", "seeks none now", |draft| {
        request(draft).mentors_wanted = Some(-1)
    });
    one_wrong("mentee_request.waiting_since", "YYYY-MM-DD", |draft| {
        request(draft).waiting_since = "soon".to_owned();
    });
    one_wrong("mentee_request.waiting_since", "", |draft| {
        request(draft).waiting_since = "2027-03-03".to_owned();
    });
    let tomorrow = wrong(|draft| request(draft).waiting_since = "2027-03-02".to_owned());
    assert!(tomorrow.is_empty(), "the day may have begun elsewhere: {tomorrow:?}");
}

#[test]
fn a_request_for_no_mentor_is_kept_apart_from_no_answer() {
    let wanted = |wanted: Option<i32>| {
        let mut draft = typical();
        draft.mentee_request.as_mut().expect("a request").mentors_wanted = wanted;
        let profile = Profile::parse(&me(), &draft, now()).expect("a good profile");
        assert_eq!(profile.to_draft(&me()).mentee_request.expect("a request").mentors_wanted, wanted);
        profile.open_request().map(MenteeRequest::wanted)
    };
    assert_eq!([wanted(None), wanted(Some(0)), wanted(Some(2))], [Some(1), None, Some(2)]);
}

#[test]
fn identity_answers_need_a_live_consent_of_their_own() {
    one_wrong("identity", "record her consent", |draft| draft.consents.truncate(1));
    one_wrong("identity", "record her consent", |draft| draft.consents[1].withdraw_time = Some(now()));
    let empty = wrong(|draft| {
        draft.identity = Some(IdentityDraft::default());
        draft.consents.clear();
    });
    assert!(empty.is_empty(), "no answer needs no consent: {empty:?}");
}

#[test]
fn a_word_that_names_no_employer_is_a_missing_answer_with_a_warning() {
    for word in ["N/A", "self-employed", "—", "Autônoma", "sin empleo", "indépendante", "retired"] {
        let draft =
            ProfileDraft { employer: word.to_owned(), competitor_group: word.to_owned(), ..typical() };
        let (profile, warnings) =
            Profile::parse_with_warnings(&me(), &draft, now(), 100).expect("a good profile");
        assert_eq!((profile.employer, profile.competitor_group), (None, None), "{word}");
        let told: Vec<(&str, &str)> =
            warnings.iter().map(|warning| (warning.field.as_str(), warning.value.as_str())).collect();
        assert_eq!(told, [("employer", word), ("competitor_group", word)]);
    }
    let draft = ProfileDraft { employer: " Compan\u{303}i\u{301}a ".to_owned(), ..typical() };
    let (profile, warnings) =
        Profile::parse_with_warnings(&me(), &draft, now(), 100).expect("a good profile");
    assert_eq!(profile.employer.as_deref(), Some("Compañía"), "stored in one normal form");
    assert!(warnings.is_empty());
}

#[test]
fn a_yes_or_a_no_is_not_the_version_of_a_consent_text() {
    for word in ["non", "No", "oui", "SÍ", "sim", "não", "true", "FALSE", "0", "x", "n/a", "-"] {
        one_wrong("consents[0].text_version", "for example 2026-1", |draft| {
            draft.consents[0].text_version = word.to_owned();
        });
    }
    let number = wrong(|draft| draft.consents[0].text_version = "1".to_owned());
    assert!(number.is_empty(), "1 is a version: {number:?}");
}

#[test]
fn consents_are_whole_and_past() {
    let day = |days: i64| now() + jiff::SignedDuration::from_hours(24 * days);
    one_wrong("consents[0].purpose", "1 for matching", |draft| draft.consents[0].purpose = 0);
    one_wrong("consents[0].text_version", "give the version", |draft| draft.consents[0].text_version.clear());
    one_wrong("consents[0].text_version", "shorten", |draft| draft.consents[0].text_version = "v".repeat(65));
    one_wrong("consents[0].language", "for example es", |draft| draft.consents[0].language.clear());
    one_wrong("consents[1].give_time", "give the time", |draft| draft.consents[1].give_time = None);
    one_wrong("consents[0].give_time", "time of the event", |draft| {
        draft.consents[0].give_time = Some(day(2))
    });
    one_wrong("consents[0].withdraw_time", "time of the event", |draft| {
        draft.consents[0].withdraw_time = Some(day(2));
    });
    one_wrong("consents[0].withdraw_time", "exchange the two", |draft| {
        draft.consents[0].withdraw_time = Some(day(-100))
    });
    one_wrong("consents", "", |draft| draft.consents = vec![consent(2); 51]);
    let fast_clock = wrong(|draft| draft.consents[0].give_time = Some(day(1)));
    assert!(fast_clock.is_empty(), "a fast clock is forgiven: {fast_clock:?}");
}

#[test]
fn huge_texts_are_refused_as_excerpts_and_fast() {
    let huge = "ñ".repeat(5 << 20);
    let mut draft = typical();
    for text in [&mut draft.country, &mut draft.time_zone, &mut draft.career_stage, &mut draft.employer] {
        text.clone_from(&huge);
    }
    draft.languages[0].0.clone_from(&huge);
    draft.functions.push(huge.clone());
    draft.preferred.push(huge.clone());
    draft.consents[0].text_version.clone_from(&huge);
    draft.roster.as_mut().expect("a roster").first_day_on.clone_from(&huge);
    let stopwatch = Stopwatch::start();
    let violations = Profile::parse(&me(), &draft, now()).expect_err("nine huge texts");
    let micros = stopwatch.micros();
    assert_eq!(violations.count(), 9, "{violations:?}");
    assert!(violations.listed().iter().all(|violation| violation.value.chars().count() <= 81));
    assert!(micros < 250_000, "{micros} µs for 90 MiB that need not be read");
}

/// How fast it is, to be seen with `cargo test -- --ignored --nocapture profiles_per_second`.
#[test]
#[ignore = "a measurement, not a check"]
fn profiles_per_second() {
    let (me, draft, now) = (me(), typical(), now());
    let rounds = 200_000;
    Profile::parse(&me, &draft, now).expect("a good profile");
    let stopwatch = Stopwatch::start();
    let read = (0..rounds).filter(|_| Profile::parse(&me, std::hint::black_box(&draft), now).is_ok()).count();
    println!("{} profiles/s", i64::try_from(read).expect("few") * 1_000_000 / stopwatch.micros().max(1));
}
