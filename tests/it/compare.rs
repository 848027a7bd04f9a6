//! Runs solved again, and runs side by side, over gRPC and on both databases.

use std::collections::BTreeSet;

use tonic_types::StatusExt as _;
use wim_match::api::proto::v1;
use wim_match::domain::profile::ProfileDraft;

use crate::refusal::{refused, wrong_fields};
use crate::world::{Manager, World, matches, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    a_run_gives_the_same_bytes_again_and_a_bent_one_is_found,
    runs_are_compared_with_the_first_and_each_difference_has_its_cause,
}

async fn replay(world: &World, run: &str) -> Result<v1::ReplayRunResponse, tonic::Status> {
    let request = v1::ReplayRunRequest { name: run.to_owned() };
    world.coordinator().runs.replay_run(request).await.map(tonic::Response::into_inner)
}

async fn a_run_gives_the_same_bytes_again_and_a_bent_one_is_found(world: World) {
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    let mut people: Vec<ProfileDraft> = (0..7).map(|at| mentee(&format!("mentee-{at}"))).collect();
    people.extend((0..3).map(|at| mentor(&format!("mentor-{at}"), 2)));
    peru.import(people).await;
    peru.enrol_all(&round).await;
    let run = soon(world.run_to_the_end(&round)).await;
    let before = world.dump().await;
    let replayed = replay(&world, &run.name).await.expect("replays");
    assert!(replayed.same && replayed.input_unchanged, "{replayed:?}");
    assert_eq!(replayed.engine_version, run.engine_version);
    assert_eq!([&replayed.result_digest, &replayed.saved_result_digest], [&run.result_digest; 2]);
    assert_eq!(world.dump().await, before, "nothing was written");

    // The part that nobody reads counts too.
    world.change("UPDATE run SET result_digest = 'bent'").await;
    let bent = replay(&world, &run.name).await.expect("replays");
    assert!(!bent.same && bent.input_unchanged, "{bent:?}");
    world.change("UPDATE run SET input_digest = 'bent'").await;
    let bent = replay(&world, &run.name).await.expect("replays");
    assert!(!bent.same && !bent.input_unchanged, "{bent:?}");

    world.change("UPDATE run SET engine_version = '1'").await;
    let older = replay(&world, &run.name).await.expect_err("is refused");
    let info = older.get_details_error_info().expect("an ErrorInfo");
    assert_eq!(info.reason, "ENGINE_CHANGED");
    assert_eq!(info.metadata["engine_version"], "1");
    assert_eq!(info.metadata["present_engine_version"], run.engine_version);

    let next = soon(world.run_to_the_end(&round)).await;
    let name = peru.member("mentee-0");
    let request = v1::EraseProfileRequest { name, ..v1::EraseProfileRequest::default() };
    peru.client.privacy.erase_profile(request).await.expect("is erased");
    assert_eq!(refused(replay(&world, &next.name).await), "INPUT_ERASED");
    assert_eq!(refused(replay(&world, "rounds/r/runs/9").await), "NOT_FOUND");
    let world = world.restart_without_worker().await;
    let queued = world.start_run(&round).await;
    assert_eq!(refused(replay(&world, &queued.name).await), "RUN_STATE");
    world.cancel(&queued.name).await;
    world.stop().await;
}

/// All pages of a comparison, a difference at a time.
async fn compare(world: &World, runs: &[&str]) -> (Vec<v1::ComparedRun>, Vec<v1::PairDifference>) {
    let mut request = v1::CompareRunsRequest {
        parent: "rounds/r".to_owned(),
        runs: runs.iter().map(|run| (*run).to_owned()).collect(),
        page_size: 1,
        page_token: String::new(),
    };
    let (mut compared, mut all) = (Vec::new(), Vec::new());
    loop {
        let page =
            world.coordinator().runs.compare_runs(request.clone()).await.expect("compares").into_inner();
        assert!(page.differences.len() <= 1);
        assert!(compared.is_empty() || compared == page.runs, "each page has the same runs");
        compared = page.runs;
        all.extend(page.differences);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return (compared, all);
        }
    }
}

async fn pairs(world: &World, run: &str) -> BTreeSet<(String, String)> {
    let found = matches(&mut world.coordinator(), run, 0).await;
    found.into_iter().map(|pair| (pair.mentee, pair.mentor)).collect()
}

/// Gives the round a policy with this weight of one criterion, or the default one.
async fn set_policy(world: &World, weight: Option<i32>) {
    let criterion = |weight| v1::CriterionWeight {
        criterion: v1::Criterion::WeeklyOverlap.into(),
        weight,
        ..v1::CriterionWeight::default()
    };
    let policy =
        v1::Policy { criteria: weight.map(criterion).into_iter().collect(), ..v1::Policy::default() };
    let request = v1::CreatePolicyRequest {
        parent: "rounds/r".to_owned(),
        policy: Some(policy),
        ..v1::CreatePolicyRequest::default()
    };
    world.coordinator().rounds.create_policy(request).await.expect("is created");
}

async fn withdraw(manager: &mut Manager, id: &str) {
    let (name, all) = (manager.member(id), manager.enrolments("rounds/r").await);
    let own = all.into_iter().filter(|one| one.profile == name).map(|one| one.name).collect();
    let request = v1::WithdrawEnrolmentsRequest {
        parent: "rounds/r".to_owned(),
        organisation: manager.name(),
        enrolments: own,
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    manager.client.rounds.withdraw_enrolments(request).await.expect("is withdrawn");
}

async fn runs_are_compared_with_the_first_and_each_difference_has_its_cause(world: World) {
    use v1::PairDifferenceCause::{Answers, Enrolment, OtherPairs, Pinned, Policy};
    world.open_round("r").await;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentee("a"), mentee("b"), mentee("c"), mentor("x", 1), mentor("y", 1)]).await;
    peru.enrol_all("rounds/r").await;
    let first = soon(world.run_to_the_end("rounds/r")).await.name;
    let before = pairs(&world, &first).await;
    assert_eq!(before.len(), 2);
    let (mentee_name, mentor_name) = before.first().cloned().expect("a pair");
    let id = mentee_name.rsplit('/').next().expect("an id").to_owned();

    // Somebody leaves; somebody avoids her mentor; somebody speaks another language: each undone before the next.
    withdraw(&mut peru, &id).await;
    let left = soon(world.run_to_the_end("rounds/r")).await.name;
    peru.enrol("rounds/r", &[&id]).await;
    let avoid = ProfileDraft { avoided: vec![mentor_name.clone()], ..mentee(&id) };
    peru.import(vec![avoid]).await;
    let private = soon(world.run_to_the_end("rounds/r")).await.name;
    let foreign = ProfileDraft { languages: vec![("fr".to_owned(), 7)], ..mentee(&id) };
    peru.import(vec![foreign]).await;
    let answered = soon(world.run_to_the_end("rounds/r")).await.name;
    set_policy(&world, Some(40)).await;
    let other_policy = soon(world.run_to_the_end("rounds/r")).await.name;

    // The first policy again, her answers as at first, and a pin of a pair that the first run does not have.
    set_policy(&world, None).await;
    peru.import(vec![mentee(&id)]).await;
    let all = ["a", "b", "c"].iter().flat_map(|mentee| ["x", "y"].map(|mentor| (*mentee, mentor)));
    let free = all
        .map(|(mentee, mentor)| (peru.member(mentee), peru.member(mentor)))
        .find(|pair| !before.contains(pair))
        .expect("a pair that is no match");
    let pin = v1::PinPairRequest {
        round: "rounds/r".to_owned(),
        mentee: free.0.clone(),
        mentor: free.1.clone(),
        reason: "they know each other's mine".to_owned(),
        ..v1::PinPairRequest::default()
    };
    world.coordinator().reviews.pin_pair(pin).await.expect("is pinned");
    let pinned = soon(world.run_to_the_end("rounds/r")).await.name;

    let runs = [&first, &left, &private, &answered, &other_policy, &pinned].map(String::as_str);
    let (compared, differences) = compare(&world, &runs).await;
    assert_eq!(compared.len(), runs.len());
    // The differences are those of the lists of matches, in both directions.
    for (one, run) in compared.iter().zip(runs) {
        let after = pairs(&world, run).await;
        let told = |is_new: bool| -> BTreeSet<(String, String)> {
            let own = differences.iter().filter(|pair| pair.run == run && pair.is_new == is_new);
            own.map(|pair| (pair.mentee.clone(), pair.mentor.clone())).collect()
        };
        assert_eq!(told(true), after.difference(&before).cloned().collect());
        assert_eq!(told(false), before.difference(&after).cloned().collect());
        let counts = [true, false].map(|is_new| i64::try_from(told(is_new).len()).expect("few"));
        assert_eq!([one.pairs_new, one.pairs_gone], counts);
        let shown = one.run.as_ref().expect("a run");
        assert_eq!(shown.name, run);
        assert!(shown.summary.as_ref().is_some_and(|summary| summary.whole_round.is_some()));
    }
    let changed: Vec<bool> = compared.iter().map(|run| !run.policy_differences.is_empty()).collect();
    assert_eq!(changed, [false, false, false, false, true, false]);
    assert!(compared[4].policy_differences.contains(&"criteria.weekly_overlap".to_owned()));
    let cause_of = |run: &str, pair: (&str, &str)| {
        let found = differences.iter().find(|one| one.run == run && (&*one.mentee, &*one.mentor) == pair);
        found.map(v1::PairDifference::cause)
    };
    let own = (mentee_name.as_str(), mentor_name.as_str());
    assert_eq!(cause_of(&left, own), Some(Enrolment));
    assert_eq!(cause_of(&private, own), Some(OtherPairs), "a private answer is no cause of its own");
    assert_eq!(cause_of(&answered, own), Some(Answers));
    assert_eq!(cause_of(&other_policy, own), Some(Policy));
    assert_eq!(cause_of(&pinned, (&free.0, &free.1)), Some(Pinned));
    let is_moved = |one: &&v1::PairDifference| one.mentee != mentee_name && one.cause() != Pinned;
    for one in differences.iter().filter(is_moved).filter(|one| one.run != other_policy) {
        assert_eq!(one.cause(), OtherPairs, "{one:?}");
    }
    // By language: three mentees of whom two have a match, and later one who speaks another one.
    let spoken = |at: usize, language: &str| {
        let found = compared[at].languages.iter().find(|one| one.language == language);
        found.map(|one| (one.mentees, one.matched_mentees, one.mentors, one.matched_mentors))
    };
    assert_eq!(spoken(0, "es"), Some((3, 2, 2, 2)));
    assert_eq!((spoken(0, "fr"), spoken(3, "fr")), (None, Some((1, 0, 0, 0))));
    assert_eq!(spoken(3, "es"), Some((2, 2, 2, 2)));

    // A run with itself, and what cannot be compared.
    assert_eq!(compare(&world, &[&first, &first]).await.1, []);
    let ask = |runs: Vec<String>| v1::CompareRunsRequest {
        parent: "rounds/r".to_owned(),
        runs,
        ..v1::CompareRunsRequest::default()
    };
    let mut client = world.coordinator().runs;
    assert_eq!(wrong_fields(client.compare_runs(ask(vec![first.clone()])).await), ["runs"]);
    assert_eq!(wrong_fields(client.compare_runs(ask(vec![first.clone(); 9])).await), ["runs"]);
    let other = vec![first.clone(), "rounds/other/runs/1".to_owned(), "rounds/r".to_owned()];
    assert_eq!(wrong_fields(client.compare_runs(ask(other)).await), ["runs[1]", "runs[2]"]);
    let missing = ask(vec![first.clone(), "rounds/r/runs/99".to_owned()]);
    assert_eq!(refused(client.compare_runs(missing).await), "NOT_FOUND");
    assert_eq!(
        refused(peru.client.runs.compare_runs(ask(vec![first.clone(), left])).await),
        "PERMISSION_DENIED"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_verifies_repeats_and_compares_runs_in_every_language() {
    let world = World::sqlite().await;
    world.open_round("r").await;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentee("a"), mentee("b"), mentor("x", 1)]).await;
    peru.enrol_all("rounds/r").await;
    let first = soon(world.run_to_the_end("rounds/r")).await;
    let matched = pairs(&world, &first.name).await.pop_first().expect("a pair").0;
    withdraw(&mut peru, matched.rsplit('/').next().expect("an id")).await;
    soon(world.run_to_the_end("rounds/r")).await;
    let server = format!("http://{}", world.server().address());
    let token = world.coordinator_token().to_owned();
    let said = async |arguments: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_wim-match"));
        program.args(arguments).env("WIM_MATCH_SERVER", &server).env("WIM_MATCH_TOKEN", &token);
        let output =
            tokio::task::spawn_blocking(move || program.output()).await.expect("ends").expect("runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    for (lang, new, proved, same) in [
        ("en", "a person takes part in one of the runs only", "proved", "byte for byte"),
        ("fr", "une personne ne participe qu’à un des calculs", "prouvé", "octet pour octet"),
        ("es", "una persona participa solo en uno", "demostrado", "byte por byte"),
        ("pt", "uma pessoa participa só num dos", "provado", "byte a byte"),
    ] {
        let (shown, _) = said(&["round", "compare", "r", "1", "2", "--lang", lang]).await;
        let joined = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains("rounds/r/runs/2"), "{shown}");
        assert!(new.split(' ').all(|word| joined.contains(word)), "{shown}");
        let (_, told) = said(&["round", "verify", "r", "1", "--lang", lang]).await;
        assert!(told.contains(proved), "{told}");
        let (_, told) = said(&["round", "replay", "r", "--lang", lang]).await;
        assert!(told.contains(same) && told.contains("rounds/r/runs/2"), "{told}");
    }
    let (shown, _) = said(&["round", "compare", "r", "1", "2", "--json"]).await;
    let compared: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(compared["differences"].as_array().map(Vec::len), Some(2), "{shown}");
    assert!(shown.contains("PAIR_DIFFERENCE_CAUSE_ENROLMENT"), "{shown}");
    let (shown, _) = said(&["round", "replay", "r", "1", "--json"]).await;
    let replayed: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(replayed["same"], true);
    world.stop().await;
}
