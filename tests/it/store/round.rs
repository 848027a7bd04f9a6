//! Rounds and enrolments.

use wim_match::domain::enrolment::{Enrolment, EnrolmentFilter};
use wim_match::domain::name::{EnrolmentId, OrganisationId, OwnId, RoundId, RunRef};
use wim_match::domain::profile::Profile;
use wim_match::domain::round::{EnrolmentCounts, RoundState};
use wim_match::error::{Error, Reason};
use wim_match::store::Scope;

use super::fixture::{
    Fixture, at, mentee, mentor, of, only, own_id, profile, round_content, round_id, salt, with_ids,
};
use super::on_both_databases;

on_both_databases! {
    a_round_is_created_read_and_listed,
    a_round_is_created_once,
    the_first_enrolment_opens_a_draft_round,
    whoever_is_enrolled_stays_enrolled_once,
    enrolments_are_counted_as_far_as_the_reader_may_know,
    the_counters_of_enrolments_equal_the_enrolments,
    rounds_are_listed_in_pages_with_their_counts,
    a_manager_enrols_her_own_members_only,
    an_enrolment_after_the_start_of_a_run_is_not_in_it,
    a_withdrawn_person_stays_in_the_runs_before_and_is_in_no_run_after,
    enrolments_are_listed_in_pages,
    profiles_to_enrol_are_those_of_the_organisation,
    an_enrolment_of_nobody_known_changes_nothing,
}

async fn a_round_is_created_read_and_listed(f: Fixture) {
    let created = f.round("spring-2027").await;
    assert_eq!((created.state, created.version, created.create_time), (RoundState::Draft, 1, at(0)));
    assert_eq!(created.content, round_content());
    assert_eq!(f.store.round(&Scope::Alliance, &created.id).await.expect("exists"), created);
    assert_eq!(f.store.list_rounds(&Scope::Alliance, None, 10).await.expect("lists"), [created]);
    let absent = f.store.round(&Scope::Alliance, &round_id("none")).await;
    assert!(absent.is_err_and(|error| matches!(error, Error::NotFound(_))));
}

async fn a_round_is_created_once(f: Fixture) {
    let round = f.round("spring-2027").await;
    let mut session = f.write().await;
    let error = session.create_round(&round.id, &round_content(), &salt()).await.expect_err("exists");
    assert!(matches!(error, Error::AlreadyExists(name) if name == "rounds/spring-2027"));
}

async fn the_first_enrolment_opens_a_draft_round(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    f.import(&peru, "i-1", &[("a", mentor(1))]).await;
    let round = f.round("spring-2027").await.id;
    assert_eq!(f.enrol(&round, &peru, &[]).await, 0);
    let before = f.store.round(&Scope::Alliance, &round).await.expect("exists");
    assert_eq!((before.state, before.version), (RoundState::Draft, 1));
    assert_eq!(f.enrol(&round, &peru, &["a"]).await, 1);
    let after = f.store.round(&Scope::Alliance, &round).await.expect("exists");
    assert_eq!((after.state, after.version), (RoundState::Enrolling, 1));
}

async fn whoever_is_enrolled_stays_enrolled_once(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    f.import(&peru, "i-1", &[("a", mentor(1)), ("b", mentee())]).await;
    let round = f.round("spring-2027").await.id;
    assert_eq!(f.enrol(&round, &peru, &["a"]).await, 1);
    assert_eq!(f.enrol(&round, &peru, &["a", "b"]).await, 1);
    assert_eq!(f.enrol(&round, &peru, &["a", "b"]).await, 0);
    let stored = f.store.round(&Scope::Alliance, &round).await.expect("exists");
    assert_eq!((stored.enrolment.profiles, stored.version), (2, 1));
}

async fn enrolments_are_counted_as_far_as_the_reader_may_know(f: Fixture) {
    let (peru, kenya, round) = f.enrolled_round().await;
    let both = {
        let both = Profile { mentor_offer: mentor(1).mentor_offer, ..mentee() };
        f.import(&peru, "i-both", &[("both", both)]).await;
        f.enrol(&round, &peru, &["both"]).await
    };
    assert_eq!(both, 1);
    let counts = async |scope: Scope| f.store.round(&scope, &round).await.expect("exists").enrolment;
    assert_eq!(counts(Scope::Alliance).await, EnrolmentCounts { profiles: 5, mentors: 3, mentees: 3 });
    assert_eq!(counts(only(&peru)).await, EnrolmentCounts { profiles: 3, mentors: 2, mentees: 2 });
    assert_eq!(counts(only(&kenya)).await, EnrolmentCounts { profiles: 2, mentors: 1, mentees: 1 });
    assert_eq!(counts(of(&[&kenya, &peru])).await, EnrolmentCounts { profiles: 5, mentors: 3, mentees: 3 });
    let listed = f.store.list_rounds(&of(&[&kenya, &peru]), None, 10).await.expect("lists");
    assert_eq!((listed.len(), listed[0].enrolment.profiles), (1, 5));
    let chad = f.organisation("wim-chad").await;
    assert_eq!(counts(only(&chad)).await, EnrolmentCounts::default(), "it is invited, as every member is");
    let unknown = Scope::Organisations(["wim-nowhere".parse().expect("an id")].into());
    assert!(matches!(f.store.round(&unknown, &round).await, Err(Error::NotFound(_))));
}

/// Counters that differ from the enrolments of present profiles, and enrolments without a counter.
const WRONG_COUNTERS: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT e.round_id, e.organisation_id, \
    COUNT(*) AS profiles, SUM(p.is_mentor) AS mentors, SUM(p.is_mentee) AS mentees FROM enrolment e \
    JOIN profile_version p ON p.organisation_id = e.organisation_id AND p.own_id = e.own_id \
    AND p.version = (SELECT MAX(v.version) FROM profile_version v JOIN profile_import i ON i.id = v.import_id \
    WHERE v.organisation_id = e.organisation_id AND v.own_id = e.own_id AND i.finish_micros IS NOT NULL) \
    WHERE e.withdraw_number IS NULL GROUP BY e.round_id, e.organisation_id) AS counted LEFT JOIN enrolment_count c \
    ON c.round_id = counted.round_id AND c.organisation_id = counted.organisation_id \
    WHERE c.profiles IS NULL OR c.profiles <> counted.profiles OR c.mentors <> counted.mentors \
    OR c.mentees <> counted.mentees";

async fn the_counters_of_enrolments_equal_the_enrolments(f: Fixture) {
    let (peru, kenya) = (f.organisation("wim-peru").await, f.organisation("wim-kenya").await);
    let rounds = [f.round("first").await.id, f.round("second").await.id];
    let ids = ["a", "b", "c", "d", "e", "f", "g"];
    let mut raw = f.raw().await;
    // Every step draws whom it concerns and in which roles from the bits of a number.
    let mut drawn = 0x9E37_79B9_7F4A_7C15_u64;
    for step in 0..24_u32 {
        drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bit = |at: usize| drawn >> (at % 60 + 3) & 1 == 1;
        let organisation = if bit(50) { &peru } else { &kenya };
        let people: Vec<(&str, Profile)> = (0..ids.len())
            .filter(|at| bit(*at) || step < 2)
            .map(|at| {
                let offer = mentor(1).mentor_offer.filter(|_| bit(at + 10));
                let request = mentee().mentee_request.filter(|_| bit(at + 20));
                (ids[at], Profile { mentor_offer: offer, mentee_request: request, ..profile("PE") })
            })
            .collect();
        f.import(organisation, &format!("i-{step}"), &people).await;
        let known: Vec<&str> = people.iter().map(|(id, _)| *id).filter(|_| !people.is_empty()).collect();
        let some: Vec<&str> =
            known.iter().enumerate().filter(|(at, _)| bit(at + 30)).map(|(_, id)| *id).collect();
        f.enrol(&rounds[usize::from(bit(40))], organisation, &some).await;
        assert_eq!(raw.number(WRONG_COUNTERS).await, 0, "after step {step}");
    }
    let counted = raw.number("SELECT CAST(SUM(profiles) AS BIGINT) FROM enrolment_count").await;
    assert_eq!(counted, raw.number("SELECT COUNT(*) FROM enrolment").await);
    assert!(counted > 10, "the steps have enrolled people");
}

async fn rounds_are_listed_in_pages_with_their_counts(f: Fixture) {
    let (_, kenya, _) = f.enrolled_round().await;
    f.round("autumn-2026").await;
    f.round("a-pilot").await;
    let mut seen: Vec<(RoundId, i64)> = Vec::new();
    loop {
        let after = seen.last().map(|(id, _)| id.clone());
        let page = f.store.list_rounds(&only(&kenya), after.as_ref(), 2).await.expect("lists");
        seen.extend(page.iter().map(|round| (round.id.clone(), round.enrolment.profiles)));
        if page.len() < 2 {
            break;
        }
    }
    let expected = [("a-pilot", 0), ("autumn-2026", 0), ("spring-2027", 2)];
    assert_eq!(seen, expected.map(|(id, count)| (round_id(id), count)));
}

async fn a_manager_enrols_her_own_members_only(f: Fixture) {
    let (peru, kenya, round) = f.enrolled_round().await;
    let waiting = f.store.waiting_list(&only(&peru), &kenya).await.expect("reads");
    let mut session = f.write_at(at(2), only(&peru)).await;
    let foreign = session.enrol(&round, &kenya, &with_ids(&["mentor"]), &waiting).await;
    assert!(matches!(foreign, Err(Error::NotFound(name)) if name == "organisations/wim-kenya"));
    let foreign = session.profiles_to_enrol(&kenya, None, 10).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))));
}

async fn an_enrolment_after_the_start_of_a_run_is_not_in_it(f: Fixture) {
    let (peru, _, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(5)).await.name;
    f.import(&peru, "i-late", &[("late", mentee())]).await;
    assert_eq!(f.enrol(&round, &peru, &["late"]).await, 1);
    assert_eq!(people_of(&f, &run).await.len(), 4);
    let waiting = f.store.waiting_list(&Scope::Alliance, &peru).await.expect("reads");
    let mut session = f.write().await;
    let people = with_ids(&["mentor"]);
    let error = session.enrol(&round_id("none"), &peru, &people, &waiting).await.expect_err("is absent");
    assert!(matches!(error, Error::NotFound(name) if name == "rounds/none"));
}

async fn people_of(f: &Fixture, run: &RunRef) -> Vec<String> {
    let loaded = f.store.load_snapshot(&Scope::System, run).await.expect("loads");
    loaded.snapshot.participants.iter().map(|person| person.profile.short()).collect()
}

async fn enrolments(f: &Fixture, scope: &Scope, round: &RoundId, filter: &EnrolmentFilter) -> Vec<Enrolment> {
    let found = f.store.list_enrolments(scope, round, filter, None, 100).await.expect("lists");
    found.into_iter().map(|(enrolment, _)| enrolment).collect()
}

async fn withdraw(
    f: &Fixture,
    round: &RoundId,
    of: &OrganisationId,
    ids: Option<&[EnrolmentId]>,
    s: i64,
) -> u64 {
    let mut session = f.write_at(at(s), only(of)).await;
    let (withdrawn, note) = session.withdraw(round, of, ids).await.expect("withdraws");
    match note {
        Some(note) => session.commit(note, b"").await.expect("commits"),
        None => session.commit_unchanged(b"").await.expect("commits"),
    }
    withdrawn
}

async fn a_withdrawn_person_stays_in_the_runs_before_and_is_in_no_run_after(f: Fixture) {
    let (peru, kenya, round) = f.enrolled_round().await;
    let claim = async |seconds| {
        let run = f.start_run(&round, at(seconds)).await.name;
        let claim = f.claim("w", at(seconds)).await;
        f.store.fail_run(&claim, || at(seconds), Reason::Internal, "").await.expect("fails");
        run
    };
    let first = claim(5).await;
    let mentee = EnrolmentFilter { organisation: Some(peru.clone()), is_live: Some(true) };
    let listed = enrolments(&f, &Scope::Alliance, &round, &mentee).await;
    let ids: Vec<EnrolmentId> = listed.iter().take(1).map(|one| one.name.id.clone()).collect();
    assert_eq!((listed.len(), listed[0].profile.short().as_str()), (2, "wim-peru/mentee"));
    let mut foreign = f.write_at(at(6), only(&kenya)).await;
    for of in [&peru, &kenya] {
        let error = foreign.withdraw(&round, of, Some(&ids)).await.expect_err("is foreign");
        assert!(matches!(error, Error::NotFound(_)), "{error:?}");
    }
    drop(foreign);
    assert_eq!(withdraw(&f, &round, &peru, Some(&ids), 6).await, 1);
    assert_eq!(withdraw(&f, &round, &peru, Some(&ids), 7).await, 0, "it is withdrawn already");
    let counts = f.store.round(&only(&peru), &round).await.expect("exists").enrolment;
    assert_eq!(counts, EnrolmentCounts { profiles: 1, mentors: 1, mentees: 0 });
    let second = claim(8).await;
    assert_eq!(f.enrol(&round, &peru, &["mentee"]).await, 1, "she may be enrolled again");
    let third = claim(9).await;
    assert_eq!(people_of(&f, &first).await.len(), 4);
    assert_eq!(people_of(&f, &second).await, ["wim-kenya/mentee", "wim-kenya/mentor", "wim-peru/mentor"]);
    assert_eq!(people_of(&f, &third).await.len(), 4);
    assert_eq!(withdraw(&f, &round, &peru, None, 10).await, 2);
    let states = |all: &[Enrolment]| {
        all.iter().map(|one| (one.profile.short(), one.withdraw_time)).collect::<Vec<_>>()
    };
    let all = states(&enrolments(&f, &only(&peru), &round, &EnrolmentFilter::default()).await);
    let expected = [("mentee", 6), ("mentee", 10), ("mentor", 10)];
    assert_eq!(all, expected.map(|(who, s)| (format!("wim-peru/{who}"), Some(at(s)))));
    let live = EnrolmentFilter { organisation: None, is_live: Some(true) };
    assert_eq!(enrolments(&f, &Scope::Alliance, &round, &live).await.len(), 2);
    assert_eq!(enrolments(&f, &only(&peru), &round, &live).await, []);
    assert_eq!(f.raw().await.number(WRONG_COUNTERS).await, 0);
}

async fn enrolments_are_listed_in_pages(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let all = EnrolmentFilter::default();
        let page = f.store.list_enrolments(&Scope::Alliance, &round, &all, after.as_ref(), 1).await;
        let page = page.expect("lists");
        let Some((enrolment, key)) = page.into_iter().next() else { break };
        seen.push(enrolment.profile.short());
        after = Some(key);
    }
    assert_eq!(seen, ["wim-kenya/mentee", "wim-kenya/mentor", "wim-peru/mentee", "wim-peru/mentor"]);
    let none = EnrolmentFilter::default();
    let absent = f.store.list_enrolments(&Scope::Alliance, &round_id("none"), &none, None, 1).await;
    assert!(matches!(absent, Err(Error::NotFound(_))));
}

async fn profiles_to_enrol_are_those_of_the_organisation(f: Fixture) {
    let (peru, kenya) = (f.organisation("wim-peru").await, f.organisation("wim-kenya").await);
    f.import(&peru, "i-1", &[("a", mentor(1)), ("b", mentee()), ("c", mentee())]).await;
    f.import(&kenya, "i-2", &[("a", mentor(2)), ("z", mentee())]).await;
    let mut session = f.write().await;
    let page = session.profiles_to_enrol(&peru, Some(&own_id("a")), 1).await.expect("reads");
    assert_eq!(page.iter().map(|p| p.name.id.as_str()).collect::<Vec<_>>(), ["b"]);
    let ids: Vec<OwnId> = ["z", "c", "a", "c"].map(own_id).into();
    let named = session.named_profiles_to_enrol(&peru, &ids).await.expect("reads");
    assert_eq!(named.iter().map(|p| p.name.id.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(named[0].content, mentor(1));
    assert_eq!(session.named_profiles_to_enrol(&peru, &[]).await.expect("reads"), []);
}

async fn an_enrolment_of_nobody_known_changes_nothing(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    f.import(&peru, "i-1", &[("a", profile("PE"))]).await;
    let round = f.round("spring-2027").await.id;
    let waiting = f.store.waiting_list(&Scope::Alliance, &peru).await.expect("reads");
    let mut session = f.write().await;
    let people = with_ids(&["a", "nobody"]);
    session.enrol(&round, &peru, &people, &waiting).await.expect_err("nobody has no profile");
    drop(session);
    let stored = f.store.round(&Scope::Alliance, &round).await.expect("exists");
    assert_eq!((stored.enrolment.profiles, stored.state), (0, RoundState::Draft));
}
