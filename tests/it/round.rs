//! One round from the first profile to the last reason, told through gRPC on both databases, and what may befall it.

use std::collections::{BTreeMap, BTreeSet};

use wim_match::api::proto::v1;
use wim_match::client::Client;
use wim_match::clock::Stopwatch;
use wim_match::demo::alliance;
use wim_match::domain::profile::ProfileDraft;
use wim_match::domain::vocabulary::Lang;

use crate::refusal::refused;
use crate::world::{World, matches, mentee, mentor, on_both_databases, soon, unmatched};

on_both_databases! {
    a_whole_round_of_the_sample_alliance,
    a_round_without_anybody_is_not_run,
    mentors_without_mentees_are_all_told_why,
    a_round_has_one_run_at_a_time,
    a_queued_run_is_cancelled_at_once_and_an_ended_one_stays_as_it_ended,
    a_run_queued_before_a_restart_is_done_after_it,
    who_cannot_take_part_is_refused_with_the_reason,
    an_enrolled_profile_that_lost_its_role_is_named,
    an_enrolment_warns_of_ids_that_are_nobody,
}

async fn a_whole_round_of_the_sample_alliance(world: World) {
    let round = world.open_round("2027-first").await;
    assert_eq!(round.state(), v1::RoundState::Draft);
    let sample = alliance::sample();
    let (_, refused) = world.bring_in(&sample, &round.name).await;
    let refused: BTreeSet<String> = refused.into_iter().map(|refusal| refusal.profile).collect();
    let enrolled: BTreeMap<String, ProfileDraft> = (0..sample.organisations.len())
        .flat_map(|at| sample.profiles_of(at))
        .map(|person| (person.name.clone(), person))
        .filter(|(name, _)| !refused.contains(name))
        .collect();
    assert_eq!(count_of_enrolled(&world, &round.name).await, enrolled.len());

    let started = world.start_run(&round.name).await;
    assert_eq!((started.name.as_str(), started.state()), ("rounds/2027-first/runs/1", v1::RunState::Queued));
    let told = soon(world.watch(&started.name)).await;
    assert!(told.is_sorted_by_key(v1::Run::state), "a run goes forward");
    let stages: Vec<_> =
        told.iter().filter_map(|run| run.progress.as_ref()).map(v1::RunProgress::stage).collect();
    assert!(stages.is_sorted(), "stages come in their order: {stages:?}");
    let run = told.last().expect("an ended run");
    assert_eq!((run.state(), run.attempt, run.failure.as_ref()), (v1::RunState::Succeeded, 1, None));

    let matches = matches(&mut world.coordinator(), &run.name, 25).await;
    let unmatched = unmatched(&mut world.coordinator(), &run.name, 25).await;
    check_matches(&matches, run, &enrolled);
    check_the_basic_view(&world, run, &matches).await;
    check_that_nobody_is_lost(&matches, &unmatched, &enrolled);
    check_summary(&matches, run);
    check_explanations(&world, run, &matches, &unmatched, &enrolled).await;

    let request = v1::StartRunRequest {
        round: round.name.clone(),
        follow_none: true,
        ..v1::StartRunRequest::default()
    };
    let again = world.coordinator().runs.start_run(request).await.expect("starts").into_inner().run;
    let again = soon(world.watch(&again.expect("a run").name)).await.pop().expect("an ended run");
    assert_eq!(again.name, "rounds/2027-first/runs/2");
    assert_eq!((&again.input_digest, &again.result_digest), (&run.input_digest, &run.result_digest));
    let following = soon(world.run_to_the_end(&round.name)).await;
    assert_eq!(following.follows, again.name);
    let followed = following.summary.expect("a summary").followed.expect("what was kept");
    let all = i64::try_from(matches.len()).expect("few");
    assert_eq!((followed.kept, followed.changed, followed.ended), (all, 0, Some(0)));
    world.stop().await;
}

/// Statements without names, each in a transaction: what a pooler of transactions requires.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_round_behind_a_pooler_of_transactions() {
    let Some(world) = World::pooled().await else { return };
    a_whole_round_of_the_sample_alliance(world).await;
}

async fn count_of_enrolled(world: &World, round: &str) -> usize {
    let request = v1::GetRoundRequest { name: round.to_owned() };
    let round = world.coordinator().rounds.get_round(request).await.expect("exists").into_inner().round;
    let round = round.expect("a round");
    assert_eq!(round.state(), v1::RoundState::Enrolling);
    usize::try_from(round.enrolment.expect("counts").profiles).expect("not negative")
}

/// A list without a view tells the same matches without their contributions.
async fn check_the_basic_view(world: &World, run: &v1::Run, matches: &[v1::Match]) {
    let client = world.coordinator().runs;
    let list = |view| {
        let parent = run.name.clone();
        let request =
            v1::ListMatchesRequest { parent, view, page_size: 1_000, ..v1::ListMatchesRequest::default() };
        let mut client = client.clone();
        async move { client.list_matches(request).await.map(|page| page.into_inner().matches) }
    };
    let basic: Vec<v1::Match> =
        matches.iter().map(|pair| v1::Match { contributions: Vec::new(), ..pair.clone() }).collect();
    for view in [v1::MatchView::Unspecified, v1::MatchView::Basic] {
        assert_eq!(list(view.into()).await.expect("lists"), basic);
    }
    assert_eq!(list(v1::MatchView::Full.into()).await.expect("lists"), matches);
    let refused = list(99).await.expect_err("is no view");
    assert!(refused.message().contains("view"), "{refused:?}");
}

/// No match breaks a capacity, an avoid list or the employer rule, and every score is the sum of its parts.
fn check_matches(matches: &[v1::Match], run: &v1::Run, enrolled: &BTreeMap<String, ProfileDraft>) {
    let (mut of_mentor, mut of_mentee) = (BTreeMap::<&str, i32>::new(), BTreeMap::<&str, i32>::new());
    let ids: BTreeSet<&str> = matches.iter().filter_map(|pair| pair.name.rsplit('/').next()).collect();
    assert_eq!(ids.len(), matches.len(), "ids are unique");
    for pair in matches {
        let id = pair.name.strip_prefix(&format!("{}/matches/", run.name)).expect("a match of the run");
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id} is opaque");
        let (mentee, mentor) = (&enrolled[&pair.mentee], &enrolled[&pair.mentor]);
        assert!(!mentee.avoided.contains(&mentor.name) && !mentor.avoided.contains(&mentee.name), "{pair:?}");
        assert!(mentee.employer.is_empty() || mentee.employer != mentor.employer, "{pair:?}");
        assert_ne!(pair.mentee, pair.mentor);
        *of_mentor.entry(&pair.mentor).or_default() += 1;
        *of_mentee.entry(&pair.mentee).or_default() += 1;
        let parts = || pair.contributions.iter();
        assert_eq!(parts().map(|part| part.points).sum::<i32>(), pair.score, "{pair:?}");
        assert_eq!(parts().map(|part| part.max_points).sum::<i32>(), 10_000, "{pair:?}");
        assert!(parts().all(|part| (0..=part.max_points).contains(&part.points)), "{pair:?}");
        assert!(parts().all(|part| part.reason.as_ref().is_some_and(|r| !r.text.is_empty())), "{pair:?}");
    }
    assert!(matches.is_sorted_by_key(|pair| -pair.score), "the highest score first");
    for (name, taken) in of_mentor {
        let offer = enrolled[name].mentor_offer.as_ref().expect("a mentor offers");
        assert!(Some(taken) <= offer.max_mentees, "{name} has {taken} mentees");
    }
    for (name, found) in of_mentee {
        let request = enrolled[name].mentee_request.as_ref().expect("a mentee seeks");
        assert!(found <= request.mentors_wanted.unwrap_or(1), "{name} has {found} mentors");
    }
}

/// Everybody enrolled ends, in each of her roles, in a match or among the unmatched, and never in both.
fn check_that_nobody_is_lost(
    matches: &[v1::Match],
    unmatched: &[v1::Unmatched],
    enrolled: &BTreeMap<String, ProfileDraft>,
) {
    let without: BTreeMap<(v1::Side, &str), &v1::Unmatched> =
        unmatched.iter().map(|person| ((person.side(), person.profile.as_str()), person)).collect();
    assert_eq!(without.len(), unmatched.len(), "nobody is listed twice");
    let mentees: BTreeSet<&str> = matches.iter().map(|pair| pair.mentee.as_str()).collect();
    let mentors: BTreeSet<&str> = matches.iter().map(|pair| pair.mentor.as_str()).collect();
    let mut roles = 0;
    for (name, person) in enrolled {
        let (seeks, offers) = (person.mentee_request.is_some(), person.mentor_offer.is_some());
        for (side, has, matched) in
            [(v1::Side::Mentee, seeks, &mentees), (v1::Side::Mentor, offers, &mentors)]
        {
            let listed = without.contains_key(&(side, name.as_str()));
            assert_eq!(has, listed ^ matched.contains(name.as_str()), "{name} as {side:?}");
            roles += usize::from(has);
        }
    }
    assert_eq!(mentees.len() + mentors.len() + unmatched.len(), roles, "and nobody else");
    for person in unmatched {
        assert_ne!(person.reason(), v1::UnmatchedReason::Unspecified, "{person:?}");
        assert!(!person.details.is_empty(), "{person:?}");
    }
}

fn check_summary(matches: &[v1::Match], run: &v1::Run) {
    let summary = run.summary.as_ref().expect("a summary");
    let proof = summary.proof.as_ref().expect("a proof");
    assert!(proof.proved);
    assert_eq!(proof.gap, Some(0));
    let whole = summary.whole_round.as_ref().expect("numbers for coordinators");
    let scores = summary.scores.as_ref().expect("scores");
    assert_eq!(usize::try_from(summary.matches), Ok(matches.len()));
    assert_eq!(summary.total_score, matches.iter().map(|pair| i64::from(pair.score)).sum::<i64>());
    assert_eq!(Some(scores.best), matches.first().map(|pair| pair.score));
    assert_eq!(Some(scores.worst), matches.last().map(|pair| pair.score));
    assert_eq!(summary.score_histogram.iter().sum::<i64>(), summary.matches);
    assert!(summary.matched_mentees * 10 >= summary.mentees * 8, "most mentees of the sample can be matched");
    let mentees = |groups: &[v1::GroupCoverage]| groups.iter().map(|group| group.mentees).sum::<i64>();
    assert_eq!((mentees(&whole.regions), mentees(&whole.organisations)), (summary.mentees, summary.mentees));
    assert_eq!(summary.tiers.iter().map(|tier| tier.mentees).sum::<i64>(), summary.mentees);
    assert_eq!((run.input_digest.len(), run.result_digest.len()), (64, 64));
}

async fn check_explanations(
    world: &World,
    run: &v1::Run,
    matches: &[v1::Match],
    unmatched: &[v1::Unmatched],
    enrolled: &BTreeMap<String, ProfileDraft>,
) {
    let explain = async |mentee: &str, mentor: &str, language: &str| {
        let request = v1::ExplainPairRequest {
            run: run.name.clone(),
            mentee: mentee.to_owned(),
            mentor: mentor.to_owned(),
            language_code: language.to_owned(),
        };
        world.coordinator().runs.explain_pair(request).await.map(tonic::Response::into_inner)
    };
    let best = &matches[0];
    let told = explain(&best.mentee, &best.mentor, "").await.expect("explains");
    assert!(told.candidate && told.matched && told.broken_rules.is_empty());
    assert_eq!(told.pair.as_ref(), Some(best), "the explanation is the one of the list");
    let spanish = explain(&best.mentee, &best.mentor, "es").await.expect("explains");
    let text = |told: &v1::ExplainPairResponse| told.verdict.as_ref().expect("a verdict").text.clone();
    assert_ne!(text(&told), text(&spanish));

    let without =
        unmatched.iter().find(|person| person.side() == v1::Side::Mentee).expect("a contended round");
    let mut candidates = 0;
    for mentor in enrolled.values().filter(|p| p.mentor_offer.is_some() && p.name != without.profile) {
        let told = explain(&without.profile, &mentor.name, "").await.expect("explains");
        assert!(!told.matched);
        assert_eq!(told.candidate, told.broken_rules.is_empty());
        candidates += i64::from(told.candidate);
    }
    assert_eq!(
        Some(candidates),
        exact(without.candidates.as_ref()),
        "the pairs explained are the pairs counted"
    );
    let nobody = explain(&best.mentee, "organisations/wim-peru/profiles/nobody", "").await;
    assert_eq!(refused(nobody), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_give_the_same_bytes() {
    let Some(postgresql) = World::postgresql().await else { return };
    let mut digests = BTreeSet::new();
    for world in [World::sqlite().await, postgresql] {
        let round = world.open_round("2027-first").await;
        world.bring_in(&alliance::sample(), &round.name).await;
        let run = soon(world.run_to_the_end(&round.name)).await;
        assert_eq!(run.state(), v1::RunState::Succeeded);
        digests.insert((run.input_digest, run.result_digest));
        world.stop().await;
    }
    assert_eq!(digests.len(), 1, "{digests:?}");
}

async fn a_round_without_anybody_is_not_run(world: World) {
    let round = world.open_round("empty").await;
    let request = v1::StartRunRequest {
        round: round.name,
        request_id: String::new(),
        validate_only: false,
        ..v1::StartRunRequest::default()
    };
    assert_eq!(refused(world.coordinator().runs.start_run(request).await), "ROUND_EMPTY");
    world.stop().await;
}

async fn mentors_without_mentees_are_all_told_why(world: World) {
    let round = world.open_round("mentors-only").await;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 2), mentor("b", 1), mentor("c", 20)]).await;
    peru.enrol_all(&round.name).await;
    let run = soon(world.run_to_the_end(&round.name)).await;
    assert_eq!(run.state(), v1::RunState::Succeeded);
    assert_eq!(matches(&mut world.coordinator(), &run.name, 0).await, []);
    let told = unmatched(&mut world.coordinator(), &run.name, 2).await;
    let told: Vec<_> = told
        .iter()
        .map(|p| (p.profile.as_str(), p.side(), p.reason(), exact(p.counterparts.as_ref())))
        .collect();
    let why = |id| (id, v1::Side::Mentor, v1::UnmatchedReason::NoCounterpart, Some(0));
    let names = ["a", "b", "c"].map(|id| peru.member(id));
    assert_eq!(told, names.iter().map(|name| why(name.as_str())).collect::<Vec<_>>());
    world.stop().await;
}

async fn a_round_has_one_run_at_a_time(world: World) {
    let world = world.restart_without_worker().await;
    let round = small_round(&world).await;
    let run = world.start_run(&round).await;
    let second = v1::StartRunRequest {
        round: round.clone(),
        request_id: String::new(),
        validate_only: false,
        ..v1::StartRunRequest::default()
    };
    assert_eq!(refused(world.coordinator().runs.start_run(second.clone()).await), "RUN_ACTIVE");
    world.cancel(&run.name).await;
    let next = world.coordinator().runs.start_run(second).await.expect("starts").into_inner().run;
    let next = next.expect("a run");
    assert_eq!(next.name, format!("{round}/runs/2"));
    world.cancel(&next.name).await;
    world.stop().await;
}

async fn a_queued_run_is_cancelled_at_once_and_an_ended_one_stays_as_it_ended(world: World) {
    let world = world.restart_without_worker().await;
    let round = small_round(&world).await;
    let run = world.start_run(&round).await;
    let cancelled = world.cancel(&run.name).await;
    assert_eq!((cancelled.state(), cancelled.attempt), (v1::RunState::Cancelled, 0));
    assert_eq!(world.cancel(&run.name).await, cancelled);
    let world = world.restart().await;
    let succeeded = soon(world.run_to_the_end(&round)).await;
    assert_eq!(succeeded.state(), v1::RunState::Succeeded);
    assert_eq!(world.cancel(&succeeded.name).await, succeeded);
    let told = soon(world.watch(&cancelled.name)).await;
    assert_eq!(told, [cancelled], "a watch of an ended run tells its end and ends");
    world.stop().await;
}

async fn a_run_queued_before_a_restart_is_done_after_it(world: World) {
    let world = world.restart_without_worker().await;
    let round = small_round(&world).await;
    let run = world.start_run(&round).await;
    let world = world.restart().await;
    let ended = soon(world.watch(&run.name)).await.pop().expect("an end");
    assert_eq!((ended.state(), ended.attempt), (v1::RunState::Succeeded, 1));
    world.stop().await;
}

async fn who_cannot_take_part_is_refused_with_the_reason(world: World) {
    let round = world.open_round("r").await;
    let mut peru = world.manager("wim-peru").await;
    let without_consent = ProfileDraft { consents: Vec::new(), ..mentee("silent") };
    peru.import(vec![mentee("fine"), without_consent, crate::world::member("idle")]).await;
    let done = peru.enrol(&round.name, &["fine", "silent", "idle", "nobody"]).await;
    assert_eq!((done.enrolled, done.already_enrolled), (1, 0));
    let told: BTreeMap<_, _> = done.refused.iter().map(|r| (r.profile.clone(), r.reason())).collect();
    let expected = [
        ("silent", v1::RefusedEnrolmentReason::NoLiveConsent),
        ("idle", v1::RefusedEnrolmentReason::NoRole),
        ("nobody", v1::RefusedEnrolmentReason::NotFound),
    ];
    assert_eq!(told, expected.map(|(id, why)| (peru.member(id), why)).into());
    let again = peru.enrol_all(&round.name).await;
    assert_eq!((again.enrolled, again.already_enrolled, again.refused.len()), (0, 1, 2));
    world.stop().await;
}

async fn an_enrolment_warns_of_ids_that_are_nobody(world: World) {
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    world.manager("wim-kenya").await;
    let named = |ids: &[&str]| ids.iter().map(|id| format!("organisations/wim-{id}")).collect();
    let careful = ProfileDraft {
        avoided: named(&["peru/profiles/al", "peru/profiles/silent", "peru/profiles/b", "kenya/profiles/x"]),
        preferred: named(&["peru/profiles/nobody"]),
        ..mentee("a")
    };
    let at_sea = ProfileDraft { time_zone: "UTC".to_owned(), ..mentor("b", 1) };
    // She is not enrolled, so nothing is said of her list.
    let silent =
        ProfileDraft { consents: Vec::new(), avoided: named(&["peru/profiles/al"]), ..mentee("silent") };
    peru.import(vec![careful, at_sea, silent]).await;
    let mut texts = BTreeSet::new();
    let expected = [("a", "avoided", "al", "UNKNOWN_ID"), ("a", "preferred", "nobody", "UNKNOWN_ID")];
    let expected: Vec<_> = expected.into_iter().chain([("b", "time_zone", "UTC", "FIXED_ZONE")]).collect();
    for (language, validate_only, profiles) in
        [("en", true, vec![]), ("fr", false, vec![]), ("es", false, vec![peru.member("a"), peru.member("b")])]
    {
        let request = v1::EnrolProfilesRequest {
            round: round.clone(),
            organisation: peru.name(),
            all_profiles: profiles.is_empty(),
            profiles,
            validate_only,
            ..v1::EnrolProfilesRequest::default()
        };
        let lang = Lang::from_tag(language).expect("a language");
        let client = Client::for_reader(world.channel(), Some(&peru.token), lang).expect("a client");
        let told = client.rounds.clone().enrol_profiles(request).await.expect("enrols").into_inner();
        let own = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let heard: Vec<_> = told
            .warnings
            .iter()
            .map(|w| {
                (
                    own(&w.profile),
                    w.field.as_str(),
                    w.value.as_str(),
                    w.code().as_str_name().trim_start_matches("WARNING_CODE_"),
                )
            })
            .collect();
        let expected =
            expected.iter().map(|(id, field, value, code)| ((*id).to_owned(), *field, *value, *code));
        assert_eq!(heard, expected.collect::<Vec<_>>(), "{language}");
        assert_eq!(told.warnings_count, 3);
        texts.insert(told.warnings[0].description.clone());
    }
    assert_eq!(texts.len(), 3, "{texts:?}");
    world.stop().await;
}

async fn an_enrolled_profile_that_lost_its_role_is_named(world: World) {
    let round = small_round(&world).await;
    let mut chile = world.manager("wim-chile").await;
    chile.import(vec![mentee("gone")]).await;
    chile.enrol(&round, &["gone"]).await;
    chile.import(vec![crate::world::member("gone")]).await;
    let run = soon(world.run_to_the_end(&round)).await;
    assert_eq!(run.state(), v1::RunState::Succeeded);
    let told = unmatched(&mut world.coordinator(), &run.name, 0).await;
    let told: Vec<_> = told.iter().map(|p| (p.profile.clone(), p.side(), p.reason())).collect();
    assert_eq!(told, [(chile.member("gone"), v1::Side::Unspecified, v1::UnmatchedReason::NoRole)]);
    world.stop().await;
}

fn exact(people: Option<&v1::PeopleCount>) -> Option<i64> {
    match people?.count? {
        v1::people_count::Count::Exact(count) => Some(count),
        v1::people_count::Count::Band(_) => None,
    }
}

/// A round of one mentor and one mentee of two organisations.
async fn small_round(world: &World) -> String {
    let round = world.open_round("small").await.name;
    let (mut peru, mut kenya) = (world.manager("wim-peru").await, world.manager("wim-kenya").await);
    peru.import(vec![mentor("mentor", 1)]).await;
    kenya.import(vec![mentee("mentee")]).await;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    round
}

/// People of a round whose run takes long enough to be interrupted.
const MANY: usize = 4_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_run_can_be_cancelled_and_one_cut_off_by_a_restart_is_taken_up_again() {
    let world = World::sqlite().await;
    let round = world.open_round("long").await.name;
    world.bring_in(&alliance::synthesise(MANY, 7), &round).await;

    let run = world.start_run(&round).await;
    soon(world.until_solving(&run.name)).await;
    let stopwatch = Stopwatch::start();
    let cancelled = world.cancel(&run.name).await;
    println!("cancelled after {} ms", stopwatch.elapsed().as_millis());
    assert_eq!((cancelled.state(), cancelled.attempt), (v1::RunState::Cancelled, 1));
    assert_eq!(cancelled.summary, None);

    let run = world.start_run(&round).await;
    soon(world.until_solving(&run.name)).await;
    let world = world.restart().await;
    let ended = soon(world.watch(&run.name)).await.pop().expect("an end");
    assert_eq!((ended.state(), ended.attempt), (v1::RunState::Succeeded, 1));
    world.stop().await;
}
