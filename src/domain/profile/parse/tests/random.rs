//! Drafts at random: good ones read back as themselves, and none makes the parser panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::domain::vocabulary::{Commodity, Function, Goal, IdentityTerm, Topic, WorkingStyle};

fn codes<K: Kind>() -> impl Strategy<Value = Vec<String>> {
    let codes: Vec<String> = K::vocabulary().terms().iter().map(|term| term.code.to_owned()).collect();
    vec(select(codes), 0..6)
}

fn people(prefix: &'static str) -> impl Strategy<Value = Vec<String>> {
    vec((0..30_u8, 0..3_u8), 0..5).prop_map(move |people| {
        let name = |(id, form)| match form {
            0 => format!("{prefix}{id}"),
            1 => format!("wim-chile/{prefix}{id}"),
            _ => format!("organisations/wim-peru/profiles/{prefix}{id}"),
        };
        people.into_iter().map(name).collect()
    })
}

prop_compose! {
    fn slot()(day in 1..=7, start in 0..48_i32, length in 1..=48_i32) -> SlotDraft {
        SlotDraft { day, start_minute: Some(start * 30), end_minute: i32::min(start + length, 48) * 30 }
    }
}

prop_compose! {
    fn roster()(days_on in 1..=60, days_off in 1..=60, day in 1..=28, availability in 0..=3) -> RosterDraft {
        RosterDraft { days_on, days_off, first_day_on: format!("2026-11-{day:02}"), availability }
    }
}

prop_compose! {
    fn consents()(purposes in vec((1..=2_i32, 1..1_000_000_i64, 0..3_u8), 0..6)) -> Vec<ConsentDraft> {
        let mut consents = vec![consent(2)];
        for (purpose, micros, days) in purposes {
            let give = now() - jiff::SignedDuration::from_micros(micros + 200 * 86_400_000_000);
            let withdraw_time = Some(give + jiff::SignedDuration::from_hours(24 * i64::from(days)));
            consents.push(ConsentDraft { give_time: Some(give), withdraw_time, ..consent(purpose) });
        }
        consents
    }
}

prop_compose! {
    fn place()(
        place in select(vec![("PE", "America/Lima"), ("AU", "Australia/Perth"), ("ZA", "Africa/Johannesburg")]),
        weekly_slots in vec(slot(), 0..12),
        roster in proptest::option::of(roster()),
        languages in proptest::sample::subsequence(vec!["es-PE", "en", "fra", "pt-br", "qu", "zh-hant"], 1..6),
        levels in vec(1..=7_i32, 6),
        modes in vec(1..=2_i32, 0..3),
    ) -> ProfileDraft {
        ProfileDraft {
            country: place.0.to_owned(),
            time_zone: place.1.to_owned(),
            weekly_slots,
            roster,
            languages: languages.into_iter().map(str::to_owned).zip(levels).collect(),
            meeting_modes: modes,
            ..ProfileDraft::default()
        }
    }
}

prop_compose! {
    fn good_draft()(
        place in place(),
        stage in proptest::option::of(0..7_usize),
        work in (codes::<Function>(), codes::<Commodity>(), codes::<Goal>(), codes::<WorkingStyle>()),
        keys in ("[ a-zé]{0,20}", "[A-Z0-9-]{0,64}"),
        people in (people("a"), people("b"), people("c"), people("d")),
        offer in proptest::option::of((proptest::option::of(0..=5_i32), 5..=20_i32, codes::<Topic>())),
        request in proptest::option::of((proptest::option::of(0..=2_i32), codes::<Topic>(), select(vec!["", "2026-12-31"]))),
        identity in proptest::option::of((codes::<IdentityTerm>(), codes::<IdentityTerm>())),
        consents in consents(),
    ) -> ProfileDraft {
        let stage = stage.map(|at| Stage::vocabulary().terms()[at].code.to_owned());
        ProfileDraft {
            career_stage: stage.unwrap_or_default(),
            functions: work.0,
            commodities: work.1,
            goals: work.2,
            working_styles: work.3,
            employer: keys.0,
            competitor_group: keys.1,
            reporting_line: people.0,
            preferred: people.1,
            avoided: people.2,
            previous_partners: people.3,
            mentor_offer: offer.map(|(min_mentees, max_mentees, topics)| {
                MentorOfferDraft { min_mentees, max_mentees: Some(max_mentees), topics }
            }),
            mentee_request: request.map(|(mentors_wanted, topics, since)| {
                MenteeRequestDraft { mentors_wanted, topics, waiting_since: since.to_owned() }
            }),
            identity: identity.map(|(shares, wishes)| IdentityDraft { shares, wishes }),
            consents,
            ..place
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9/_.-]{0,40}",
        select(vec![
            "PE",
            "America/Lima",
            "leadership",
            "woman",
            "2027-02-30",
            "9999-12-31",
            "-009999-01-01",
            "es",
            "a/b"
        ])
        .prop_map(str::to_owned),
    ]
}

fn any_number() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), -2..70, select(vec![i32::MIN, i32::MAX, 1440, 30])]
}

fn any_time() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of(prop_oneof![
        select(vec![Timestamp::MIN, Timestamp::MAX, now()]),
        any::<i32>().prop_map(|second| Timestamp::from_second(i64::from(second)).unwrap_or(Timestamp::MIN)),
    ])
}

prop_compose! {
    fn any_draft()(
        singles in vec(any_text(), 12),
        lists in vec(vec(any_text(), 0..5), 11),
        numbers in vec(any_number(), 3),
        answers in vec(proptest::option::of(any_number()), 3),
        slots in vec((any_number(), proptest::option::of(any_number()), any_number()), 0..5),
        languages in vec((any_text(), any_number()), 0..4),
        modes in vec(any_number(), 0..4),
        consents in vec((any_number(), any_text(), any_text(), any_time(), any_time()), 0..4),
    ) -> ProfileDraft {
        let [name, country, time_zone, career_stage, employer, competitor_group, first_day_on, waiting_since, ..] =
            <[String; 12]>::try_from(singles).expect("twelve");
        let [functions, commodities, reporting_line, goals, working_styles, preferred, avoided, previous_partners, offered,
            sought, shares] = <[Vec<String>; 11]>::try_from(lists).expect("eleven");
        ProfileDraft {
            name, country, time_zone, career_stage, employer, competitor_group, functions, commodities, reporting_line,
            goals, working_styles, preferred, avoided, previous_partners, languages,
            weekly_slots: slots.into_iter()
                .map(|(day, start_minute, end_minute)| SlotDraft { day, start_minute, end_minute }).collect(),
            roster: Some(RosterDraft {
                days_on: numbers[0], days_off: numbers[1], first_day_on, availability: numbers[2],
            }),
            meeting_modes: modes,
            mentor_offer: Some(MentorOfferDraft { min_mentees: answers[0], max_mentees: answers[1], topics: offered }),
            mentee_request: Some(MenteeRequestDraft { mentors_wanted: answers[2], topics: sought, waiting_since }),
            identity: Some(IdentityDraft { wishes: shares.clone(), shares }),
            consents: consents.into_iter()
                .map(|(purpose, text_version, language, give_time, withdraw_time)| {
                    ConsentDraft { purpose, text_version, language, give_time, withdraw_time }
                }).collect(),
        }
    }
}

proptest! {
    #[test]
    fn an_exported_profile_reads_back_as_itself(draft in good_draft()) {
        let profile = Profile::parse(&me(), &draft, now()).expect("a good draft");
        let exported = profile.to_draft(&me());
        prop_assert_eq!(&exported.name, &me().name());
        prop_assert_eq!(Profile::parse(&me(), &exported, now()).expect("an exported draft"), profile.clone());
        let json = serde_json::to_string(&profile).expect("a profile is JSON");
        prop_assert_eq!(serde_json::from_str::<Profile>(&json).expect("it reads back"), profile);
    }

    #[test]
    fn no_draft_makes_the_parser_panic_or_fail_without_a_reason(
        draft in any_draft(),
        now in select(vec![Timestamp::MIN, Timestamp::MAX, now()]),
    ) {
        match Profile::parse(&me(), &draft, now) {
            Ok(profile) => prop_assert_eq!(Profile::parse(&me(), &profile.to_draft(&me()), now), Ok(profile)),
            Err(violations) => prop_assert!(!violations.is_empty()),
        }
    }
}
