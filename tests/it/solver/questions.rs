//! What can be asked about a problem or a result, over gRPC.

use std::collections::BTreeSet;

use wim_match::api::proto::v1;
use wim_match::api::proto::v1::what_if_question::Question as Asked;
use wim_match::client::Client;

use super::{aimed, decided_market, market, solve};
use crate::call::{pair, two_by_two};
use crate::refusal::wrong_fields;
use crate::world::World;

async fn what_if(
    client: &Client,
    problem: v1::AssignmentProblem,
    result: &v1::AssignmentResult,
    questions: Vec<Asked>,
) -> Result<Vec<Vec<v1::AssignmentAlternate>>, tonic::Status> {
    let questions = questions.into_iter().map(|asked| v1::WhatIfQuestion { question: Some(asked) });
    let request = v1::WhatIfRequest {
        problem: Some(problem),
        pairs: result.pairs.clone(),
        proof: result.proof.clone(),
        questions: questions.collect(),
        max_alternates: 3,
    };
    let answers = client.clone().solver.what_if(request).await?.into_inner().answers;
    Ok(answers.into_iter().map(|answer| answer.alternates).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forced_pair_costs_what_a_pin_loses() {
    let world = World::sqlite().await;
    let client = world.manager("wim-peru").await.client;
    let problem = market(40);
    let result = solve(&client, problem.clone()).await;
    let free = problem.candidates.iter().find(|candidate| !result.pairs.contains(candidate)).cloned();
    let free = &free.expect("a free one");
    let questions = vec![
        Asked::Pair(free.clone()),
        Asked::Pair(result.pairs[0].clone()),
        Asked::Pair(pair("mentee-0", "mentor-1", 0)),
        Asked::AlternatesOfMentee(free.mentee.clone()),
        Asked::AlternatesOfMentor(free.mentor.clone()),
    ];
    let answers = what_if(&client, problem.clone(), &result, questions).await.expect("is answered");
    let forced = &answers[0][0];
    assert_eq!(forced.pair.as_ref(), Some(free));
    assert!(forced.added.contains(free), "{forced:?}");
    assert_eq!(answers[1][0].added, [], "it is made already");
    assert_eq!(answers[2], [], "it is no candidate");
    assert!(answers[3].len() == 3 && answers[4].len() == 3, "{answers:?}");

    let pin = v1::AssignmentDecision {
        mentee: free.mentee.clone(),
        mentor: free.mentor.clone(),
        kind: v1::DecisionKind::Pin.into(),
    };
    let pinned = v1::AssignmentProblem { decisions: vec![pin], ..problem.clone() };
    let with_pin = solve(&client, pinned.clone()).await;
    let total = |result: &v1::AssignmentResult| result.summary.as_ref().expect("a summary").total_score;
    assert_eq!(forced.cost.as_ref().expect("a cost").score, total(&result) - total(&with_pin));
    let answers = what_if(&client, pinned, &with_pin, vec![Asked::Pair(free.clone())]).await;
    assert_eq!(answers.expect("is answered")[0][0].added, [], "it is pinned");

    let mut fewer = result.clone();
    fewer.pairs.pop();
    let unknown = Asked::AlternatesOfMentee("nobody".to_owned());
    let refused = what_if(&client, problem.clone(), &fewer, vec![Asked::Pair(free.clone())]).await;
    assert_eq!(wrong_fields(refused), ["proof"]);
    let refused = what_if(&client, problem.clone(), &result, vec![unknown]).await;
    assert_eq!(wrong_fields(refused), ["questions[0]"]);
    assert_eq!(wrong_fields(what_if(&client, problem, &result, Vec::new()).await), ["questions"]);
    let problem = decided_market(40);
    let result = solve(&client, problem.clone()).await;
    let refused = what_if(&client, problem, &result, vec![Asked::Pair(free.clone())]).await;
    assert_eq!(wrong_fields(refused), ["problem"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_pairs_are_repaired_within_their_budget() {
    let world = World::sqlite().await;
    let client = world.coordinator();
    let before = solve(&client, market(40)).await;
    let mut problem = market(40);
    let gone = before.pairs[0].mentor.clone();
    problem.mentors.retain(|mentor| mentor.id != gone);
    problem.candidates.retain(|candidate| candidate.mentor != gone);
    for candidate in problem.candidates.iter_mut().step_by(3) {
        candidate.score += 40;
    }
    let lost = i64::try_from(before.pairs.iter().filter(|pair| pair.mentor == gone).count()).expect("few");
    let published = i64::try_from(before.pairs.len()).expect("few");
    let mut total = 0;
    for budget in [Some(0), Some(2), None] {
        let request =
            v1::RepairRequest { problem: Some(problem.clone()), published: before.pairs.clone(), budget };
        let mended = client.clone().solver.repair(request).await.expect("is repaired").into_inner();
        assert!(mended.proved && mended.value == mended.bound, "{mended:?}");
        assert_eq!((mended.lost, mended.kept + mended.changed), (lost, published - lost));
        assert_ne!(mended.proof(), v1::RepairProof::None);
        let all = |pairs: &[v1::AssignmentPair], name: fn(&v1::AssignmentPair) -> &String| {
            pairs.iter().map(name).collect::<BTreeSet<_>>().len()
        };
        let (mentees, mentors) = (problem.mentees.len(), problem.mentors.len());
        assert_eq!(all(&mended.pairs, |pair| &pair.mentee) + mended.unmatched_mentees.len(), mentees);
        assert_eq!(all(&mended.pairs, |pair| &pair.mentor) + mended.unmatched_mentors.len(), mentors);
        assert!(mended.changed <= budget.map_or(i64::MAX, i64::from));
        let kept = mended.pairs.iter().filter(|pair| {
            before.pairs.iter().any(|other| (&other.mentee, &other.mentor) == (&pair.mentee, &pair.mentor))
        });
        assert_eq!(i64::try_from(kept.count()).expect("few"), mended.kept);
        total = mended.total_score;
    }
    assert_eq!(total, solve(&client, problem).await.summary.expect("a summary").total_score);
    let request = v1::RepairRequest {
        problem: Some(aimed(v1::Objective::Stable)),
        published: vec![pair("a", "y", 7)],
        budget: Some(-1),
    };
    assert_eq!(wrong_fields(client.clone().solver.repair(request.clone()).await), ["budget"]);
    let request = v1::RepairRequest { budget: None, ..request };
    assert_eq!(wrong_fields(client.clone().solver.repair(request).await), ["problem"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_served_is_told_and_whom_to_find() {
    let world = World::sqlite().await;
    let client = world.coordinator();
    let mut problem = two_by_two();
    let id = |id: &str| v1::AssignmentMentee { id: id.to_owned(), ..Default::default() };
    problem.mentees.extend([id("c"), id("d")]);
    problem.candidates.push(pair("c", "y", 3));
    let ask = async |problem: v1::AssignmentProblem, max_recruits| {
        let request =
            v1::DiagnoseRequest { problem: Some(problem), max_recruits, language_code: "fr".to_owned() };
        client.clone().solver.diagnose(request).await.map(tonic::Response::into_inner)
    };
    let told = ask(problem.clone(), 2).await.expect("is diagnosed");
    assert_eq!(told.without_candidates, ["d"]);
    let shortage = &told.shortages[0];
    let mut mentees = shortage.mentees.clone();
    mentees.sort_unstable();
    assert_eq!((shortage.missing, shortage.places, mentees), (1, 1, vec!["b".to_owned(), "c".to_owned()]));
    assert_eq!(shortage.mentors, ["y"]);
    assert_eq!(told.recruits[0].like, "y");
    let tiers = &told.recruits[0].cost.as_ref().expect("a cost").tiers;
    assert_eq!((tiers[0].tier, tiers[0].mentees), (0, -1));
    assert!(told.unmet_floors.is_none());
    assert_eq!(told.warnings, []);
    // The same name on both sides is one person; `A` and `a`, `07` and `7` may be.
    problem.mentees.extend([id("A"), id("07"), id("x")]);
    problem.mentors.push(v1::AssignmentMentor { id: "7".to_owned(), ..Default::default() });
    let told = ask(problem.clone(), 0).await.expect("warnings block nothing").warnings;
    let heard: Vec<_> = told.iter().map(|warning| (warning.id.as_str(), warning.code())).collect();
    assert_eq!(heard, [("a", v1::WarningCode::SimilarId), ("7", v1::WarningCode::SimilarId)]);
    assert!(told[1].description.contains("diffère") && told[1].description.contains("07"), "{told:?}");

    let mut decided = decided_market(40);
    decided.groups[2].min_pairs = 500;
    let told = ask(decided.clone(), 0).await.expect("is diagnosed");
    let unmet = told.unmet_floors.expect("floors that nobody can meet");
    assert!(unmet.reasons[0].text.starts_with("les quotas de south"), "{unmet:?}");
    assert_eq!(wrong_fields(ask(decided, 1).await), ["problem"]);
    assert_eq!(wrong_fields(ask(problem, -1).await), ["max_recruits"]);
    world.stop().await;
}
