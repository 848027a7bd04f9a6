//! Problems that callers bring: solved, proved, checked again, and refused with all that is wrong.

mod questions;
mod stop;

use std::collections::BTreeSet;

use prost::Message as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic_types::StatusExt as _;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::assignment_proof::Proof;
use wim_match::api::proto::v1::solve_response::Outcome;
use wim_match::api::proto::v1::solve_stream_request::Content as Ask;
use wim_match::api::proto::v1::solve_stream_response::Content as Answer;
use wim_match::api::proto::v1::verify_stream_request::Content as Claim;
use wim_match::api::proto::v1::verify_stream_response::Content as Checked;
use wim_match::client::Client;
use wim_match::domain::vocabulary::Lang;

use crate::call::{pair, two_by_two};
use crate::refusal::{refused, wrong_fields};
use crate::world::{World, soon};

fn aimed(objective: v1::Objective) -> v1::AssignmentProblem {
    let aim = v1::AssignmentAim { objective: objective.into(), total_only: false };
    v1::AssignmentProblem { aim: Some(aim), ..two_by_two() }
}

async fn outcome(client: &Client, problem: v1::AssignmentProblem) -> Outcome {
    let answer = client.clone().solver.solve(asked(problem)).await;
    answer.expect("is solved").into_inner().outcome.expect("an outcome")
}

async fn solve(client: &Client, problem: v1::AssignmentProblem) -> v1::AssignmentResult {
    match outcome(client, problem).await {
        Outcome::Result(result) => result,
        Outcome::UnmetFloors(unmet) => panic!("{unmet:?}"),
    }
}

fn asked(problem: v1::AssignmentProblem) -> v1::SolveRequest {
    v1::SolveRequest { problem: Some(problem), language_code: String::new() }
}

async fn verify(
    client: &Client,
    problem: v1::AssignmentProblem,
    result: &v1::AssignmentResult,
) -> v1::VerifyResponse {
    let request = v1::VerifyRequest {
        problem: Some(problem),
        pairs: result.pairs.clone(),
        proof: result.proof.clone(),
    };
    client.clone().solver.verify(request).await.expect("is checked").into_inner()
}

/// A market of `n` mentees and half as many mentors, some of whom take two.
fn market(n: usize) -> v1::AssignmentProblem {
    let mentee = |at: usize| v1::AssignmentMentee {
        id: format!("mentee-{at}"),
        tier: i32::try_from(at % 2).expect("0 or 1"),
        mentors_wanted: (at.is_multiple_of(5)).then_some(2),
        ..Default::default()
    };
    let mentor = |at: usize| v1::AssignmentMentor {
        id: format!("mentor-{at}"),
        min_mentees: i32::from(at.is_multiple_of(3)),
        max_mentees: (at.is_multiple_of(2)).then_some(2),
        ..Default::default()
    };
    let candidates = (0..n).flat_map(|i| {
        (0..n / 2).filter(move |j| (i * 7 + j * 3).is_multiple_of(4)).map(move |j| {
            let score = i32::try_from((i * 31 + j * 17) % 101).expect("small");
            pair(&format!("mentee-{i}"), &format!("mentor-{j}"), score)
        })
    });
    v1::AssignmentProblem {
        aim: None,
        mentees: (0..n).map(mentee).collect(),
        mentors: (0..n / 2).map(mentor).collect(),
        candidates: candidates.collect(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_objective_is_solved_proved_and_checked_again() {
    let world = World::sqlite().await;
    let client = world.manager("wim-peru").await.client;
    let best = solve(&client, aimed(v1::Objective::BestTotal)).await;
    let mut pairs: Vec<_> =
        best.pairs.iter().map(|p| (p.mentee.as_str(), p.mentor.as_str(), p.score)).collect();
    pairs.sort_unstable();
    assert_eq!(pairs, [("a", "x", 4), ("b", "y", 5)]);
    let stable = solve(&client, aimed(v1::Objective::Stable)).await;
    assert_eq!(stable.pairs, [pair("a", "y", 7)]);
    assert_eq!(
        (stable.unmatched_mentees, stable.unmatched_mentors),
        (vec!["b".to_owned()], vec!["x".to_owned()])
    );

    for objective in [v1::Objective::BestTotal, v1::Objective::Fairest, v1::Objective::Stable] {
        let problem = v1::AssignmentProblem { aim: aimed(objective).aim, ..market(60) };
        let result = solve(&client, problem.clone()).await;
        let summary = result.summary.clone().expect("a summary");
        assert!(summary.proved && summary.gap == "0", "{objective:?} {summary:?}");
        let named = result.pairs.iter().map(|pair| &pair.mentee).chain(&result.unmatched_mentees);
        let everybody: BTreeSet<_> = named.collect();
        assert_eq!(everybody.len(), 60, "nobody is lost");
        let checked = verify(&client, problem.clone(), &result).await;
        assert!(checked.proved && checked.broken_rule.is_empty(), "{objective:?} {checked:?}");
        assert_eq!(summary.blocking_pairs == 0, objective == v1::Objective::Stable, "{summary:?}");

        let mut fewer = result.clone();
        fewer.pairs.pop();
        assert!(!verify(&client, problem, &fewer).await.proved, "{objective:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bent_proof_or_foreign_pair_is_not_believed() {
    let world = World::sqlite().await;
    let client = world.coordinator();
    let result = solve(&client, two_by_two()).await;
    let mut bent = result.clone();
    let Some(Proof::BestTotal(certificate)) = bent.proof.as_mut().and_then(|proof| proof.proof.as_mut())
    else {
        panic!("{bent:?}")
    };
    certificate.mentor_prices[0].price = "170141183460469231731687303715884105727".to_owned();
    let told = verify(&client, two_by_two(), &bent).await;
    assert!(!told.proved && !told.broken_rule.is_empty(), "{told:?}");
    let foreign = v1::AssignmentResult { pairs: vec![pair("b", "x", 9)], ..result.clone() };
    let told = verify(&client, two_by_two(), &foreign).await;
    assert!(told.broken_rule.contains("not a candidate"), "{told:?}");

    certificate_of(&mut bent).mentee_prices.pop();
    certificate_of(&mut bent).minimum = "much".to_owned();
    let request = v1::VerifyRequest {
        problem: Some(two_by_two()),
        pairs: vec![pair("nobody", "x", 1)],
        proof: bent.proof.clone(),
    };
    assert_eq!(
        wrong_fields(client.clone().solver.verify(request).await),
        ["pairs[0]", "proof.best_total.minimum", "proof.best_total.mentee_prices"]
    );
    let request =
        v1::VerifyRequest { problem: Some(aimed(v1::Objective::Stable)), ..v1::VerifyRequest::default() };
    let request = v1::VerifyRequest { proof: bent.proof, ..request };
    assert_eq!(wrong_fields(client.clone().solver.verify(request).await), ["proof"]);
    world.stop().await;
}

fn certificate_of(result: &mut v1::AssignmentResult) -> &mut v1::PriceCertificate {
    match result.proof.as_mut().and_then(|proof| proof.proof.as_mut()) {
        Some(Proof::BestTotal(certificate)) => certificate,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_wrong_with_a_problem_is_told_at_once() {
    let world = World::sqlite().await;
    let mut problem = two_by_two();
    problem.mentees[1].id = "a".to_owned();
    problem.mentees[0].tier = 256;
    problem.mentees[0].mentors_wanted = Some(3);
    problem.mentors[0].min_mentees = 5;
    problem.mentors[1].max_mentees = Some(-1);
    problem.candidates.push(pair("a", "x", 1));
    problem.candidates.push(pair("nobody", "x", i32::MIN));
    let told = wrong_fields(world.coordinator().solver.solve(asked(problem)).await);
    insta::assert_snapshot!(told.join("\n"), @r"
    problem.mentees[1]
    problem.mentors[0]
    problem.candidates[2]
    problem.candidates[4]
    problem.candidates[4]
    problem.mentees[0].tier
    problem.mentees[0].mentors_wanted
    problem.mentors[1].max_mentees
    problem.candidates[3]
    ");
    let aim = v1::AssignmentAim { objective: v1::Objective::Stable.into(), total_only: true };
    let problem = v1::AssignmentProblem { aim: Some(aim), ..two_by_two() };
    let told = wrong_fields(world.coordinator().solver.solve(asked(problem)).await);
    assert_eq!(told, ["aim.total_only"]);
    let nothing = solve(&world.coordinator(), v1::AssignmentProblem::default()).await;
    assert!(
        nothing.summary.is_some_and(|summary| summary.proved),
        "nobody wants anything, and nobody is lost"
    );
    world.stop().await;
}

/// Sends a problem in parts and puts the parts of the answer together.
async fn streamed(client: &Client, problem: v1::AssignmentProblem) -> v1::AssignmentResult {
    let v1::AssignmentProblem { aim, mentees, mentors, candidates, decisions, groups } = problem;
    let mut parts = vec![Ask::Aim(aim.unwrap_or_default())];
    let count = i64::try_from(candidates.len()).expect("few");
    let part = v1::AssignmentProblem::default;
    for some in mentees.chunks(70) {
        parts.push(Ask::Part(v1::AssignmentProblem { mentees: some.to_vec(), ..part() }));
    }
    parts.push(Ask::Part(v1::AssignmentProblem { mentors, ..part() }));
    parts.push(Ask::Part(v1::AssignmentProblem { decisions, ..part() }));
    parts.push(Ask::Part(v1::AssignmentProblem { groups, ..part() }));
    for some in candidates.chunks(1_000) {
        parts.push(Ask::Part(v1::AssignmentProblem { candidates: some.to_vec(), ..part() }));
    }
    parts.push(Ask::End(v1::SolveEnd { candidates: count, ..Default::default() }));
    let parts = parts.into_iter().map(|content| v1::SolveStreamRequest { content: Some(content) });
    let mut answers = client.clone().solver.solve_stream(tokio_stream::iter(parts.collect::<Vec<_>>())).await;
    let answers = answers.as_mut().expect("is answered").get_mut();
    let mut whole = v1::AssignmentResult::default();
    while let Some(answer) = soon(answers.message()).await.expect("goes on") {
        let Some(Answer::Part(part)) = answer.content else { continue };
        assert!(whole.summary.is_none(), "the summary comes last");
        whole.merge(part.encode_to_vec().as_slice()).expect("parts merge as messages do");
    }
    whole
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_parts_or_at_once_and_in_any_order_the_answer_is_the_same() {
    let world = World::sqlite().await;
    let client = world.coordinator();
    let problem = market(200);
    let mut backwards = problem.clone();
    backwards.mentees.reverse();
    backwards.mentors.reverse();
    backwards.candidates.reverse();
    let timeless = |mut result: v1::AssignmentResult| {
        let summary = result.summary.as_mut().expect("a summary");
        (summary.solve_micros, summary.prove_micros) = (0, 0);
        result
    };
    let once = timeless(solve(&client, problem.clone()).await);
    assert_eq!(timeless(solve(&client, backwards).await), once);
    let in_parts = timeless(streamed(&client, problem.clone()).await);
    assert_eq!(in_parts, once);
    assert!(verify(&client, problem, &in_parts).await.proved);
    world.stop().await;
}

/// So many mentees in a row, each of whom could have the mentor beside her or the next.
fn line(n: usize) -> v1::AssignmentProblem {
    let candidates = (0..n).flat_map(|i| {
        [i, i + 1].map(|j| {
            let score = i32::try_from((i * 37 + j * 11) % 29).expect("small");
            pair(&format!("mentee-{i}"), &format!("mentor-{j}"), score)
        })
    });
    let mentee = |at: usize| v1::AssignmentMentee { id: format!("mentee-{at}"), ..Default::default() };
    let mentor = |at: usize| v1::AssignmentMentor { id: format!("mentor-{at}"), ..Default::default() };
    v1::AssignmentProblem {
        aim: None,
        mentees: (0..n).map(mentee).collect(),
        mentors: (0..=n).map(mentor).collect(),
        candidates: candidates.collect(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_of_many_parts_is_whole_for_every_objective() {
    let world = World::sqlite().await;
    for objective in [v1::Objective::BestTotal, v1::Objective::Fairest, v1::Objective::Stable] {
        let problem = v1::AssignmentProblem { aim: aimed(objective).aim, ..line(10_400) };
        let result = streamed(&world.coordinator(), problem.clone()).await;
        let mentees: BTreeSet<_> =
            result.pairs.iter().map(|pair| &pair.mentee).chain(&result.unmatched_mentees).collect();
        let mentors: BTreeSet<_> =
            result.pairs.iter().map(|pair| &pair.mentor).chain(&result.unmatched_mentors).collect();
        assert_eq!((mentees.len(), mentors.len()), (10_400, 10_401), "nobody is lost");
        assert!(verify(&world.coordinator(), problem, &result).await.proved, "{objective:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_off_or_lies_about_its_length_solves_nothing() {
    let world = World::sqlite().await;
    let ask = async |parts: Vec<Ask>| {
        let parts = parts.into_iter().map(|content| v1::SolveStreamRequest { content: Some(content) });
        let parts: Vec<_> = parts.collect();
        let mut answers =
            world.coordinator().solver.solve_stream(tokio_stream::iter(parts)).await?.into_inner();
        while soon(answers.message()).await?.is_some() {}
        Ok::<(), tonic::Status>(())
    };
    let (aim, part) = (|| Ask::Aim(v1::AssignmentAim::default()), || Ask::Part(two_by_two()));
    let end = |candidates| Ask::End(v1::SolveEnd { candidates, ..Default::default() });
    assert_eq!(wrong_fields(ask(vec![part()]).await), ["aim"]);
    assert_eq!(wrong_fields(ask(vec![aim(), part()]).await), ["end"]);
    assert_eq!(wrong_fields(ask(vec![aim(), part(), aim()]).await), ["aim"]);
    assert_eq!(wrong_fields(ask(vec![aim(), part(), end(2)]).await), ["end.candidates"]);
    ask(vec![aim(), part(), end(3)]).await.expect("is solved");
    let named = |at: usize| v1::AssignmentMentee {
        id: format!("mentee-{at}"),
        group: format!("group-{at}"),
        ..Default::default()
    };
    let many = (0..6).map(|nth| {
        let mentees = (nth * 20_000..(nth + 1) * 20_000).map(named).collect();
        Ask::Part(v1::AssignmentProblem { mentees, ..Default::default() })
    });
    assert_eq!(wrong_fields(ask([aim()].into_iter().chain(many).collect()).await), ["problem.groups"]);
    world.stop().await;
}

/// The market with pins, a veto and groups on both sides.
fn decided_market(n: usize) -> v1::AssignmentProblem {
    let mut problem = market(n);
    let decision = |at: usize, kind: v1::DecisionKind| {
        let v1::AssignmentPair { mentee, mentor, .. } = market(n).candidates[at].clone();
        v1::AssignmentDecision { mentee, mentor, kind: kind.into() }
    };
    problem.decisions = vec![decision(1, v1::DecisionKind::Pin), decision(9, v1::DecisionKind::Veto)];
    for (at, mentee) in problem.mentees.iter_mut().enumerate() {
        ["north", "south", ""][at % 3].clone_into(&mut mentee.group);
    }
    for mentor in problem.mentors.iter_mut().take(n / 4) {
        "house".clone_into(&mut mentor.group);
    }
    let group = |id: &str, side: v1::Side, parent: &str, min_pairs, max_pairs| v1::AssignmentGroup {
        id: id.to_owned(),
        side: side.into(),
        parent: parent.to_owned(),
        min_pairs,
        max_pairs,
    };
    problem.groups = vec![
        group("north", v1::Side::Mentee, "all", 0, Some(7)),
        group("all", v1::Side::Mentee, "", 20, None),
        group("south", v1::Side::Mentee, "all", 12, None),
        group("house", v1::Side::Mentor, "", 0, Some(11)),
    ];
    problem
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pins_vetoes_and_quotas_are_kept_and_proved_at_once_and_in_parts() {
    let world = World::sqlite().await;
    let client = world.manager("wim-peru").await.client;
    let problem = decided_market(60);
    let result = solve(&client, problem.clone()).await;
    assert!(result.summary.as_ref().is_some_and(|summary| summary.proved && summary.gap == "0"));
    let [pin, veto] = [0, 1].map(|at| (&problem.decisions[at].mentee, &problem.decisions[at].mentor));
    assert!(result.pairs.iter().any(|pair| (&pair.mentee, &pair.mentor) == pin));
    assert!(!result.pairs.iter().any(|pair| (&pair.mentee, &pair.mentor) == veto));
    let in_group = |group: &str| {
        let of = |id: &str| problem.mentees.iter().any(|mentee| mentee.id == id && mentee.group == group);
        result.pairs.iter().filter(|pair| of(&pair.mentee)).count()
    };
    assert!(in_group("north") <= 7 && in_group("south") >= 12, "{result:?}");
    assert!(verify(&client, problem.clone(), &result).await.proved);
    assert!(verify_in_parts(&client, problem.clone(), &result).await.expect("is checked").proved);
    let in_parts = streamed(&client, problem.clone()).await;
    assert_eq!((&in_parts.pairs, &in_parts.proof), (&result.pairs, &result.proof));

    let mut without = result.clone();
    without.pairs.retain(|pair| (&pair.mentee, &pair.mentor) != pin);
    let told = verify(&client, problem.clone(), &without).await;
    assert!(!told.proved && told.broken_rule.starts_with("the pinned pair"), "{told:?}");
    for bend in 0..4 {
        let mut bent = result.clone();
        let certificate = certificate_of(&mut bent);
        let price = match bend {
            0 => &mut certificate.mentee_group_prices[1].price,
            1 => &mut certificate.mentor_group_prices[0].price,
            2 => &mut certificate.mentee_prices[0].price,
            _ => &mut certificate.mentor_prices[0].price,
        };
        *price = (price.parse::<i128>().expect("a number") + 1_000_000_000_000).to_string();
        assert!(!verify(&client, problem.clone(), &bent).await.proved, "{bend}");
        assert!(!verify_in_parts(&client, problem.clone(), &bent).await.expect("is checked").proved);
    }
    let mut missing = result.clone();
    certificate_of(&mut missing).mentee_group_prices.pop();
    let told = wrong_fields(verify_in_parts(&client, problem.clone(), &missing).await);
    assert_eq!(told, ["proof.best_total.mentee_group_prices"]);

    for (objective, fields) in [
        (v1::Objective::Stable, &["problem.decisions", "problem.groups"][..]),
        (v1::Objective::Fairest, &["problem.groups"]),
    ] {
        let problem = v1::AssignmentProblem { aim: aimed(objective).aim, ..problem.clone() };
        assert_eq!(wrong_fields(client.clone().solver.solve(asked(problem)).await), fields);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floors_that_cannot_be_met_come_back_with_reasons_and_no_result() {
    let world = World::sqlite().await;
    let client = world.coordinator();
    let mut problem = decided_market(60);
    problem.groups[2].min_pairs = 500;
    let Outcome::UnmetFloors(unmet) = outcome(&client, problem.clone()).await else { panic!("a result") };
    assert!(unmet.asked > unmet.possible, "{unmet:?}");
    assert_eq!(unmet.reasons[0].code, "FLOORS_UNMET");
    assert!(unmet.reasons[0].text.starts_with("the quotas of south ask for at least"), "{unmet:?}");
    assert_eq!(unmet.mentee_groups, ["south"]);
    let request = v1::SolveRequest { problem: Some(problem.clone()), language_code: "es".to_owned() };
    let answer = client.clone().solver.solve(request).await.expect("is answered").into_inner();
    let Some(Outcome::UnmetFloors(unmet)) = answer.outcome else { panic!("{answer:?}") };
    assert!(unmet.reasons[0].text.starts_with("las cuotas de south"), "{unmet:?}");
    let request = v1::SolveRequest { problem: Some(problem), language_code: "xx".to_owned() };
    assert_eq!(wrong_fields(client.clone().solver.solve(request).await), ["language_code"]);

    let mut problem = decided_market(12);
    problem.groups[1].parent = "south".to_owned();
    problem.groups[0].side = 0;
    problem.groups[3].max_pairs = Some(-1);
    problem.decisions[0].kind = 7;
    problem.decisions[1].mentor = "nobody".to_owned();
    let told = wrong_fields(client.clone().solver.solve(asked(problem)).await);
    insta::assert_snapshot!(told.join("\n"), @r"
    problem.decisions[1]
    problem.decisions[0].kind
    problem.groups[0].side
    problem.groups[3].max_pairs
    problem.groups[0]
    problem.groups[2]
    problem.groups[1]
    ");
    world.stop().await;
}

/// Sends a problem and its result in parts, and gives the verdict.
async fn verify_in_parts(
    client: &Client,
    problem: v1::AssignmentProblem,
    result: &v1::AssignmentResult,
) -> Result<v1::VerifyResponse, tonic::Status> {
    let (candidates, pairs) = (problem.candidates.len(), result.pairs.len());
    let [candidates, pairs] = [candidates, pairs].map(|count| i64::try_from(count).expect("few"));
    let mut parts = vec![Claim::Aim(problem.aim.unwrap_or_default())];
    parts.push(Claim::Part(v1::AssignmentProblem { aim: None, ..problem }));
    for some in result.pairs.chunks(7) {
        let part = v1::AssignmentResult { pairs: some.to_vec(), ..Default::default() };
        parts.push(Claim::Result(part));
    }
    for proof in proof_in_parts(result.proof.clone()) {
        parts.push(Claim::Result(v1::AssignmentResult { proof: Some(proof), ..Default::default() }));
    }
    parts.push(Claim::End(v1::VerifyEnd { candidates, pairs }));
    claim(client, parts).await
}

/// The prices of a proof by twos and threes.
fn proof_in_parts(proof: Option<v1::AssignmentProof>) -> Vec<v1::AssignmentProof> {
    let Some(Proof::BestTotal(whole)) = proof.clone().and_then(|proof| proof.proof) else {
        return proof.into_iter().collect();
    };
    let part = v1::PriceCertificate::default;
    let mut parts =
        vec![v1::PriceCertificate { mentee_prices: Vec::new(), mentor_prices: Vec::new(), ..whole.clone() }];
    parts.extend(
        whole
            .mentee_prices
            .chunks(2)
            .map(|some| v1::PriceCertificate { mentee_prices: some.to_vec(), ..part() }),
    );
    parts.extend(
        whole
            .mentor_prices
            .chunks(3)
            .map(|some| v1::PriceCertificate { mentor_prices: some.to_vec(), ..part() }),
    );
    parts.into_iter().map(|part| v1::AssignmentProof { proof: Some(Proof::BestTotal(part)) }).collect()
}

async fn claim(client: &Client, parts: Vec<Claim>) -> Result<v1::VerifyResponse, tonic::Status> {
    let parts = parts.into_iter().map(|content| v1::VerifyStreamRequest { content: Some(content) });
    let parts = tokio_stream::iter(parts.collect::<Vec<_>>());
    let mut answers = client.clone().solver.verify_stream(parts).await?.into_inner();
    let mut found = None;
    while let Some(answer) = soon(answers.message()).await? {
        assert!(found.is_none(), "the verdict comes last");
        if let Some(Checked::Verdict(verdict)) = answer.content {
            found = Some(verdict);
        }
    }
    Ok(found.expect("a verdict"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_of_every_objective_are_checked_in_parts_and_broken_streams_are_not() {
    let world = World::sqlite().await;
    let client = world.coordinator();
    for objective in [v1::Objective::BestTotal, v1::Objective::Fairest, v1::Objective::Stable] {
        let problem = v1::AssignmentProblem { aim: aimed(objective).aim, ..market(60) };
        let mut result = solve(&client, problem.clone()).await;
        let told = verify_in_parts(&client, problem.clone(), &result).await.expect("is checked");
        assert!(told.proved, "{objective:?} {told:?}");
        result.pairs.pop();
        let told = verify_in_parts(&client, problem, &result).await.expect("is checked");
        assert!(!told.proved, "{objective:?}");
    }
    let aim = || Claim::Aim(aimed(v1::Objective::Stable).aim.unwrap_or_default());
    let (part, end) =
        (|| Claim::Part(two_by_two()), |pairs| Claim::End(v1::VerifyEnd { candidates: 3, pairs }));
    let result =
        || Claim::Result(v1::AssignmentResult { pairs: vec![pair("a", "y", 7)], ..Default::default() });
    for (parts, field) in [
        (vec![part()], "aim"),
        (vec![aim(), part(), result()], "end"),
        (vec![aim(), part(), result(), end(2)], "end.pairs"),
        (vec![aim(), result(), end(1)], "end.candidates"),
        (vec![aim(), result(), part(), end(1)], "part"),
        (vec![aim(), aim()], "aim"),
    ] {
        assert_eq!(wrong_fields(claim(&client, parts).await), [field]);
    }
    assert!(claim(&client, vec![aim(), part(), result(), end(1)]).await.expect("is checked").proved);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_request_is_answered_in_the_language_of_the_reader() {
    let world = World::sqlite().await;
    let told = |answer: Result<(), tonic::Status>| {
        let status = answer.expect_err("the call is refused");
        let told = status.get_details_bad_request().expect("a BadRequest").field_violations;
        let lines = told.into_iter().map(|one| format!("{}: {}", one.field, one.description));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    let mut all = String::new();
    for lang in Lang::ALL {
        let token = Some(world.coordinator_token());
        let mut client = Client::for_reader(world.channel(), token, lang).expect("a client").solver;
        let mut problem = two_by_two();
        problem.mentees[0].tier = 256;
        problem.mentors[0].min_mentees = i32::MIN;
        let (mentee, mentor) = ("a".to_owned(), "x".to_owned());
        problem.decisions = vec![v1::AssignmentDecision { mentee, mentor, kind: 0 }];
        problem.groups = vec![v1::AssignmentGroup { id: "north".to_owned(), ..Default::default() }];
        all += &told(client.solve(asked(problem)).await.map(drop));
        let minimum = "much".to_owned();
        let prices = v1::PriceCertificate { minimum, second: "0".to_owned(), ..Default::default() };
        let proof = Some(v1::AssignmentProof { proof: Some(Proof::BestTotal(prices)) });
        let request = v1::WhatIfRequest {
            problem: Some(two_by_two()),
            pairs: vec![pair("nobody", "x", 1)],
            proof,
            questions: vec![v1::WhatIfQuestion::default()],
            ..Default::default()
        };
        all += &told(client.what_if(request).await.map(drop));
        let problem = Some(aimed(v1::Objective::Fairest));
        let request = v1::RepairRequest { problem, ..Default::default() };
        all += &told(client.repair(request).await.map(drop));
        let mut stream = async |contents: Vec<Option<Ask>>| {
            let messages = contents.into_iter().map(|content| v1::SolveStreamRequest { content });
            let messages = tokio_stream::iter(messages.collect::<Vec<_>>());
            let mut answers = client.solve_stream(messages).await?.into_inner();
            while soon(answers.message()).await?.is_some() {}
            Ok::<(), tonic::Status>(())
        };
        let aim = || Some(Ask::Aim(v1::AssignmentAim::default()));
        let part = Some(Ask::Part(two_by_two()));
        let end = Some(Ask::End(v1::SolveEnd { candidates: 1_000_000, ..Default::default() }));
        all += &told(stream(vec![part.clone()]).await);
        all += &told(stream(vec![aim(), part.clone(), end]).await);
        all += &told(stream(vec![aim(), part]).await);
        all += &told(stream(vec![aim(), None]).await);
        all.push('\n');
    }
    insta::assert_snapshot!(all.trim_end());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_makes_room_for_the_next() {
    let world = World::sqlite().await;
    let (parts, receiver) = tokio::sync::mpsc::channel(8);
    let aim = v1::SolveStreamRequest { content: Some(Ask::Aim(v1::AssignmentAim::default())) };
    parts.send(aim).await.expect("is taken");
    let leaving = world.coordinator().solver.solve_stream(ReceiverStream::new(receiver)).await;
    drop((leaving, parts));
    let result = soon(solve(&world.coordinator(), market(100))).await;
    assert!(result.summary.is_some_and(|summary| summary.proved));
    let nobody = world.client(None).solver.solve(v1::SolveRequest::default()).await;
    assert_eq!(refused(nobody), "UNAUTHENTICATED");
    world.stop().await;
}
