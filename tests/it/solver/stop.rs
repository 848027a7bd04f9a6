//! The solver is free again as soon as nobody waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use tonic::Code;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::solve_stream_request::Content as Ask;
use wim_match::api::proto::v1::solve_stream_response::Content as Answer;
use wim_match::clock::Stopwatch;

use super::{aimed, line};
use crate::call::{pair, two_by_two};
use crate::refusal::reason;
use crate::world::{World, soon};

/// How long a solver may go on when nobody waits for it any more.
const SOON_FREE: Duration = Duration::from_millis(250);

/// The same where other tests keep the machine busy.
const LATE: Duration = Duration::from_secs(1);

/// A problem on which the solver is busy for many seconds: many steps from one worst pair to the next.
fn long_problem() -> Vec<Ask> {
    let n = 24_000;
    let candidates = (0..n).flat_map(|i| {
        (0..60).map(move |k| {
            let j = (i * 7 + k * k * 13) % n;
            let score = i32::try_from((i * 7_919 + j * 104_729) % 1_000_003).expect("small");
            ((i, j), score)
        })
    });
    let candidates: BTreeMap<(usize, usize), i32> = candidates.collect();
    let pairs: Vec<v1::AssignmentPair> = candidates
        .into_iter()
        .map(|((i, j), score)| pair(&format!("mentee-{i}"), &format!("mentor-{j}"), score))
        .collect();
    let count = i64::try_from(pairs.len()).expect("few");
    let people = v1::AssignmentProblem { candidates: Vec::new(), ..line(n) };
    let mut parts = vec![Ask::Aim(aimed(v1::Objective::Fairest).aim.unwrap_or_default()), Ask::Part(people)];
    for some in pairs.chunks(20_000) {
        parts.push(Ask::Part(v1::AssignmentProblem { candidates: some.to_vec(), ..Default::default() }));
    }
    parts.push(Ask::End(v1::SolveEnd { candidates: count, ..Default::default() }));
    parts
}

/// Begins to solve the long problem and waits until the solver is at work.
async fn at_work(world: &World) -> tonic::Streaming<v1::SolveStreamResponse> {
    let parts = long_problem().into_iter().map(|content| v1::SolveStreamRequest { content: Some(content) });
    let parts = tokio_stream::iter(parts.collect::<Vec<_>>());
    let mut answers = world.coordinator().solver.solve_stream(parts).await.expect("is answered").into_inner();
    loop {
        let answer = soon(answers.message()).await.expect("goes on").expect("an answer");
        match answer.content {
            Some(Answer::Progress(progress)) if progress.stage == "assign" => break,
            Some(Answer::Progress(_)) => {}
            other => panic!("solved before anybody could leave: {other:?}"),
        }
    }
    assert!(is_busy(world).await);
    answers
}

/// A problem that is solved in a moment, once its turn has come.
fn short_problem() -> v1::SolveRequest {
    v1::SolveRequest { problem: Some(two_by_two()), ..Default::default() }
}

/// Whether a short problem has to wait for its turn.
async fn is_busy(world: &World) -> bool {
    let mut request = tonic::Request::new(short_problem());
    request.set_timeout(SOON_FREE / 5);
    world.coordinator().solver.solve(request).await.is_err()
}

/// How long a short problem waits for its turn.
async fn busy(world: &World) -> Duration {
    let stopwatch = Stopwatch::start();
    soon(world.coordinator().solver.solve(short_problem())).await.expect("is solved");
    stopwatch.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_solver_stops_when_its_caller_leaves() {
    let world = World::sqlite().await;
    let answers = at_work(&world).await;
    tokio::time::sleep(SOON_FREE / 5).await;
    assert!(is_busy(&world).await, "the problem is long enough");
    drop(answers);
    let busy = busy(&world).await;
    assert!(busy <= LATE, "{busy:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_deadline_passes_while_others_are_served_is_told_so() {
    let world = World::sqlite().await;
    let other = at_work(&world).await;
    let parts = [
        Ask::Aim(v1::AssignmentAim::default()),
        Ask::Part(two_by_two()),
        Ask::End(v1::SolveEnd { candidates: 3, ..Default::default() }),
    ];
    let parts = parts.map(|content| v1::SolveStreamRequest { content: Some(content) });
    let mut request = tonic::Request::new(tokio_stream::iter(parts));
    request.set_timeout(SOON_FREE / 2);
    let mut answers =
        world.coordinator().solver.solve_stream(request).await.expect("is answered").into_inner();
    let told = loop {
        match soon(answers.message()).await {
            Ok(Some(v1::SolveStreamResponse { content: Some(Answer::Progress(_)) })) => {}
            Ok(answer) => panic!("solved while another problem was: {answer:?}"),
            Err(status) => break status,
        }
    };
    assert_eq!((told.code(), reason(&told).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
    assert!(is_busy(&world).await, "the other problem goes on");
    drop(other);
    let busy = busy(&world).await;
    assert!(busy <= LATE, "{busy:?}");
    world.stop().await;
}
