//! SolverService.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::call_layer::mended;
use super::convert::solver::proof::Reader;
use super::convert::solver::result::{parts, result, unmet_floors};
use super::convert::solver::{Aim, aim, candidates_sent, finish, take_in};
use super::convert::{count, lang};
use super::proto::v1;
use super::proto::v1::solve_response::Outcome;
use super::proto::v1::solve_stream_request::Content as Ask;
use super::proto::v1::solve_stream_response::Content as Answer;
use super::proto::v1::solver_service_server::SolverService;
use super::{Streams, caller_of};
use crate::domain::vocabulary::Lang;
use crate::error::Error;
use crate::instance::builder::{Builder, Received};
use crate::instance::{Instance, Violations};
use crate::service::{Action, Headway, Service, Solved, Work, refused};

/// Answers of a stream that may wait for a slow reader.
const ANSWERS_AHEAD: usize = 4;
/// What one problem that comes in parts may have at most.
const MOST: Received = Received {
    mentees: 2_000_000,
    mentors: 2_000_000,
    candidates: 50_000_000,
    decisions: 2_000_000,
    groups: 100_000,
};
/// Problems that may be received at the same time in parts: each takes memory before its turn has come.
const RECEIVED_AT_ONCE: usize = 4;

/// Solves what callers bring.
#[derive(Debug, Clone)]
pub struct SolverApi {
    /// The use cases.
    pub service: Service,
    /// Where streams run, so that shutdown can end and await them.
    pub streams: Streams,
    /// Largest message accepted, for the error that says so.
    pub max_message_bytes: usize,
    /// Room for problems that come in parts.
    room: Arc<Semaphore>,
}

type Answering = mpsc::Sender<Result<v1::SolveStreamResponse, Status>>;

#[tonic::async_trait]
impl SolverService for SolverApi {
    type SolveStreamStream = Pin<Box<dyn Stream<Item = Result<v1::SolveStreamResponse, Status>> + Send>>;

    async fn solve(&self, request: Request<v1::SolveRequest>) -> Result<Response<v1::SolveResponse>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        Action::Solve.permit(&caller)?;
        let v1::SolveRequest { problem, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let (aim, instance) = whole(problem).await?;
        let Solved { instance, outcome } = self.service.solve(&caller, instance, aim.objective)?.end().await?;
        let outcome = match outcome {
            Ok(proved) => Outcome::Result(result(&instance, &proved)),
            Err(unmet) => Outcome::UnmetFloors(unmet_floors(&instance, &unmet, lang)),
        };
        Ok(Response::new(v1::SolveResponse { outcome: Some(outcome) }))
    }

    async fn solve_stream(
        &self,
        request: Request<Streaming<v1::SolveStreamRequest>>,
    ) -> Result<Response<Self::SolveStreamStream>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        Action::SolveStream.permit(&caller)?;
        let mut asked = request.into_inner();
        let Some(Ask::Aim(message)) = self.next(&mut asked).await? else {
            return Err(Error::invalid_field("aim", "", "must be the first message of the stream").into());
        };
        let aim = aim(Some(message)).map_err(refused)?;
        let (answers, answered) = mpsc::channel(ANSWERS_AHEAD);
        let (this, failing) = (self.clone(), answers.clone());
        let work = async move {
            let _room = this.room.acquire().await.map_err(|_| Error::ShuttingDown)?;
            let (problem, lang) = this.receive(&mut asked).await?;
            let instance = off_the_async_threads(move || finish(problem, aim.coverage_first)).await?;
            let Aim { objective, .. } = aim;
            let work = this.service.solve(&caller, instance, objective)?;
            tell(work, lang, &answers).await
        };
        self.streams.spawn(work, async move |status| drop(failing.send(Err(status)).await));
        Ok(Response::new(Box::pin(ReceiverStream::new(answered))))
    }

    async fn verify(
        &self,
        request: Request<v1::VerifyRequest>,
    ) -> Result<Response<v1::VerifyResponse>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        Action::Verify.permit(&caller)?;
        let v1::VerifyRequest { problem, pairs, proof } = request.into_inner();
        let (aim, instance) = whole(problem).await?;
        let instance = instance.map_err(refused)?;
        let names = instance.names.clone();
        let (instance, pairs, evidence) = off_the_async_threads(move || {
            let given = instance.names.given().cloned().unwrap_or_default();
            let mut reader = Reader::new(&given);
            let pairs = reader.pairs(&pairs);
            let evidence = reader.evidence(proof, aim.objective);
            (instance, pairs, evidence)
        })
        .await?;
        let evidence = evidence.map_err(refused)?;
        let check = self.service.verify(&caller, instance, pairs, evidence)?.end().await?;
        Ok(Response::new(v1::VerifyResponse {
            proved: check.proved,
            broken_rule: check.feasible.err().map(|broken| names.told(&broken)).unwrap_or_default(),
            gap: check.gap.to_string(),
            candidates: count(check.candidates),
            blocking_pairs: count(check.blocking_pairs),
        }))
    }
}

impl SolverApi {
    /// Serves with these use cases.
    pub fn new(service: Service, streams: Streams, max_message_bytes: usize) -> Self {
        Self { service, streams, max_message_bytes, room: Arc::new(Semaphore::new(RECEIVED_AT_ONCE)) }
    }

    /// The next message of the stream.
    async fn next(&self, asked: &mut Streaming<v1::SolveStreamRequest>) -> Result<Option<Ask>, Status> {
        match asked.next().await {
            None => Ok(None),
            Some(Ok(message)) => message.content.map(Some).ok_or_else(|| {
                Error::invalid_field("content", "", "is empty; send the aim, a part or the end").into()
            }),
            Some(Err(made)) => Err(mended(&made, self.max_message_bytes).unwrap_or(made)),
        }
    }

    /// Takes parts until the end, which says in which language reasons are to be.
    async fn receive(
        &self,
        asked: &mut Streaming<v1::SolveStreamRequest>,
    ) -> Result<(Builder, Lang), Status> {
        let mut problem = Builder::default();
        loop {
            match self.next(asked).await? {
                Some(Ask::Part(part)) => {
                    take_in(&mut problem, part);
                    within_bounds(problem.received())?;
                }
                Some(Ask::End(end)) => {
                    let (said, sent) = (candidates_sent(&end), problem.received().candidates);
                    if said != sent {
                        let told = format!("says {said}, but {sent} candidates have come");
                        return Err(Error::invalid_field("end.candidates", "", told).into());
                    }
                    return Ok((problem, lang(&end.language_code)?));
                }
                Some(Ask::Aim(_)) => {
                    let told = "may come only once, as the first message";
                    return Err(Error::invalid_field("aim", "", told).into());
                }
                None => {
                    let told = "is missing: the stream ended early; nothing was solved";
                    return Err(Error::invalid_field("end", "", told).into());
                }
            }
        }
    }
}

/// Whether what has come so far is not too much.
fn within_bounds(received: Received) -> Result<(), Error> {
    let counts = [
        ("mentees", received.mentees, MOST.mentees),
        ("mentors", received.mentors, MOST.mentors),
        ("candidates", received.candidates, MOST.candidates),
        ("decisions", received.decisions, MOST.decisions),
        ("groups", received.groups, MOST.groups),
    ];
    match counts.into_iter().find(|(_, count, most)| count > most) {
        Some((name, _, most)) => {
            let told = format!("has more than {most}; use `wim-match solve` for such problems");
            Err(Error::invalid_field(&format!("problem.{name}"), "", told))
        }
        None => Ok(()),
    }
}

/// A problem that came in one message, and what it is to be best at.
async fn whole(
    problem: Option<v1::AssignmentProblem>,
) -> Result<(Aim, Result<Instance, Violations>), Status> {
    let mut problem =
        problem.ok_or_else(|| Error::invalid_field("problem", "", "is missing; send a problem"))?;
    let aim = aim(problem.aim.take()).map_err(refused)?;
    let instance = off_the_async_threads(move || {
        let mut builder = Builder::default();
        take_in(&mut builder, problem);
        finish(builder, aim.coverage_first)
    });
    Ok((aim, instance.await?))
}

/// Does work that takes too long for the threads that serve calls.
async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Internal("work on a problem panicked".into(), Some(error.into())))
}

/// Tells how far the work is, and in the end its result.
async fn tell(mut work: Work<Solved>, lang: Lang, answers: &Answering) -> Result<(), Status> {
    loop {
        let news = tokio::select! {
            news = work.news() => news,
            () = answers.closed() => return Err(Error::Cancelled.into()),
        };
        let Some(Headway { stage, done, total }) = news else { break };
        let stage = stage.map_or("queue", |stage| stage.as_str()).to_owned();
        let progress = v1::SolveProgress { stage, done: count(done), total: count(total) };
        answer(answers, Answer::Progress(progress)).await?;
    }
    let Solved { instance, outcome } = work.end().await?;
    let parts = off_the_async_threads(move || match outcome {
        Ok(proved) => parts(&instance, &proved).into_iter().map(Answer::Part).collect(),
        Err(unmet) => vec![Answer::UnmetFloors(unmet_floors(&instance, &unmet, lang))],
    });
    for part in parts.await? {
        answer(answers, part).await?;
    }
    Ok(())
}

/// Sends one answer; a caller that went away ends the work.
async fn answer(answers: &Answering, content: Answer) -> Result<(), Status> {
    let response = v1::SolveStreamResponse { content: Some(content) };
    answers.send(Ok(response)).await.map_err(|_| Error::Cancelled.into())
}
