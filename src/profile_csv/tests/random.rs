//! Drafts at random: what is written is read as the same draft, and no bytes make the reader fail.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::domain::profile::{
    ConsentDraft, IdentityDraft, MenteeRequestDraft, MentorOfferDraft, RosterDraft, SlotDraft,
};

/// Codes in the order of their vocabulary.
fn codes(vocabulary: &'static vocabulary::Vocabulary) -> impl Strategy<Value = Vec<String>> {
    let all: Vec<String> = vocabulary.terms().iter().map(|term| term.code.to_owned()).collect();
    let most = all.len().min(6);
    subsequence(all, 0..=most)
}

fn vocabulary_named(name: &str) -> &'static vocabulary::Vocabulary {
    vocabulary::all().into_iter().find(|vocabulary| vocabulary.name() == name).expect("a vocabulary")
}

fn people() -> impl Strategy<Value = Vec<String>> {
    let person = ("wim-(test|peru|a-1)", "[A-Za-z0-9._-]{1,12}")
        .prop_map(|(organisation, id)| format!("organisations/{organisation}/profiles/{id}"));
    vec(person, 0..4)
}

/// Whether a version of a consent text is one that a profile accepts.
fn is_version(text: &str) -> bool {
    use crate::domain::everyday::{Everyday, means};
    [Everyday::NoAnswer, Everyday::Yes, Everyday::No].into_iter().all(|meaning| !means(text, meaning))
}

/// Free text that a spreadsheet or this format could mistake for something else.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[-=+@'%a-zé0-9 ,;|\"/.]{1,20}".prop_map(|text| text.trim().to_owned())]
}

fn slots() -> impl Strategy<Value = Vec<SlotDraft>> {
    let slot = (1..=7_i32, 0..48_i32, 1..=48_i32).prop_map(|(day, start, length)| SlotDraft {
        day,
        start_minute: Some(start * 30),
        end_minute: (start + length).min(48) * 30,
    });
    vec(slot, 0..6)
}

fn time() -> impl Strategy<Value = Timestamp> {
    (1_500_000_000_000_000_i64..1_800_000_000_000_000)
        .prop_map(|micros| Timestamp::from_microsecond(micros).expect("in range"))
}

fn consents() -> impl Strategy<Value = Vec<ConsentDraft>> {
    let consent = (
        1..=5,
        "[a-z0-9]([-a-z0-9 %|;,]{0,10}[a-z0-9])?".prop_filter("a version", |text| is_version(text)),
        select(vec!["es", "pt-BR", "en"]),
        time(),
        option::of(time()),
    );
    vec(consent, 0..4).prop_map(|consents| {
        let mut consents: Vec<ConsentDraft> = consents
            .into_iter()
            .map(|(purpose, text_version, language, give, withdraw)| ConsentDraft {
                purpose,
                text_version,
                language: language.to_owned(),
                give_time: Some(give),
                withdraw_time: withdraw,
            })
            .collect();
        consents.sort_by_key(|consent| (consent.purpose, consent.give_time));
        consents
    })
}

fn offer() -> impl Strategy<Value = Option<MentorOfferDraft>> {
    let topics = codes(Topic::vocabulary());
    option::of((option::of(0..=2), 2..=20, topics).prop_map(|(min, max, topics)| MentorOfferDraft {
        min_mentees: min,
        max_mentees: Some(max),
        topics,
    }))
}

fn request() -> impl Strategy<Value = Option<MenteeRequestDraft>> {
    let since = select(vec!["", "2026-02-28"]);
    let request =
        (option::of(0..=2), codes(Topic::vocabulary()), since).prop_map(|(wanted, topics, since)| {
            // A request without any answer is no request in a file.
            let wanted = wanted.or((topics.is_empty() && since.is_empty()).then_some(1));
            MenteeRequestDraft { mentors_wanted: wanted, topics, waiting_since: since.to_owned() }
        });
    option::of(request)
}

fn identity() -> impl Strategy<Value = Option<IdentityDraft>> {
    let terms = || codes(vocabulary_named("identity"));
    option::of((terms(), terms()).prop_map(|(shares, wishes)| IdentityDraft { shares, wishes }))
        .prop_map(|identity| identity.filter(|i| !i.shares.is_empty() || !i.wishes.is_empty()))
}

fn draft() -> impl Strategy<Value = ProfileDraft> {
    let roster = option::of((1..=60, 1..=60, 0..=3).prop_map(|(days_on, days_off, availability)| {
        RosterDraft { days_on, days_off, first_day_on: "2027-01-04".to_owned(), availability }
    }));
    let spoken = (subsequence(vec!["en", "es-PE", "mn"], 1..=3), 1..=7);
    let languages =
        spoken.prop_map(|(tags, level)| tags.into_iter().map(|tag| (tag.to_owned(), level)).collect());
    let place = (
        select(vec!["PE", "AU"]),
        select(vec!["America/Lima", "Australia/Darwin"]),
        slots(),
        roster,
        languages,
    );
    let work =
        (codes(vocabulary_named("function")), codes(vocabulary_named("commodity")), key(), key(), people());
    let manner = (
        select(vec!["", "student", "manager"]),
        subsequence(vec![1, 2], 0..=2),
        codes(vocabulary_named("goal")),
        codes(vocabulary_named("working_style")),
    );
    let others = (people(), people(), people());
    let roles = (offer(), request(), identity(), consents());
    ("[A-Za-z0-9._-]{1,64}", place, work, manner, others, roles).prop_map(
        |(id, place, work, manner, others, roles)| ProfileDraft {
            name: format!("organisations/wim-test/profiles/{id}"),
            country: place.0.to_owned(),
            time_zone: place.1.to_owned(),
            weekly_slots: place.2,
            roster: place.3,
            languages: place.4,
            career_stage: manner.0.to_owned(),
            functions: work.0,
            commodities: work.1,
            employer: work.2,
            competitor_group: work.3,
            reporting_line: work.4,
            meeting_modes: manner.1,
            goals: manner.2,
            working_styles: manner.3,
            preferred: others.0,
            avoided: others.1,
            previous_partners: others.2,
            mentor_offer: roles.0,
            mentee_request: roles.1,
            identity: roles.2,
            consents: roles.3,
        },
    )
}

proptest! {
    #[test]
    fn a_stored_profile_is_exported_and_imported_as_the_same_profile(draft in draft()) {
        let me = ProfileRef::from_name(&draft.name).expect("a name");
        let Ok(profile) = Profile::parse(&me, &draft, now()) else { return Err(TestCaseError::reject("not a profile")) };
        let stored = profile.to_draft(&me);
        let read = good(written(std::slice::from_ref(&stored))).remove(0).draft;
        prop_assert_eq!(&read, &stored);
        prop_assert_eq!(Profile::parse(&me, &read, now()), Ok(profile));
    }

    #[test]
    fn what_is_exported_is_imported_again_as_it_was(drafts in vec(draft(), 1..5)) {
        let file = written(&drafts);
        let read: Vec<ProfileDraft> = good(&file).into_iter().map(|row| row.draft).collect();
        prop_assert_eq!(&read, &drafts, "{}", file);
        prop_assert_eq!(written(&read), file);
    }

    #[test]
    fn no_bytes_make_the_reader_fail_or_run_on(body in vec(any::<u8>(), 0..2_000)) {
        let mut text = format!("{HEADER},weekly_hours,earlier_consents,roster\n").into_bytes();
        text.extend(&body);
        let mut last = 1;
        for row in rows(&text) {
            let line = match &row {
                Ok(row) => row.line,
                Err(RowError::Bad(bad)) => { prop_assert!(!bad.problems.is_empty()); bad.line }
                Err(RowError::Io { .. }) => return Err(TestCaseError::fail("memory does not fail")),
            };
            prop_assert!(line > last || (line == last && line > 1));
            last = line;
        }
    }
}
