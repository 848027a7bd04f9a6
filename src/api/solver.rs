//! SolverService.

mod questions;

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::call_layer::mended;
use super::convert::solver::proof::Reader;
use super::convert::solver::result::{parts, result, unmet_floors, verdict};
use super::convert::solver::{Aim, aim, finish, take_in};
use super::convert::{count, lang, number};
use super::proto::v1;
use super::proto::v1::solve_response::Outcome;
use super::proto::v1::solve_stream_request::Content as Ask;
use super::proto::v1::solve_stream_response::Content as Answer;
use super::proto::v1::solver_service_server::SolverService;
use super::proto::v1::verify_stream_request::Content as Claim;
use super::proto::v1::verify_stream_response::Content as Verdict;
use super::{Streams, caller_of};
use crate::domain::vocabulary::Lang;
use crate::error::Error;
use crate::instance::builder::{Builder, Received};
use crate::instance::{Instance, Violations};
use crate::service::{Action, Service, Solved, Unmet, Work, WorkProgress, refused};

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

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answering<T> = mpsc::Sender<Result<T, Status>>;

#[tonic::async_trait]
impl SolverService for SolverApi {
    type SolveStreamStream = Answers<v1::SolveStreamResponse>;
    type VerifyStreamStream = Answers<v1::VerifyStreamResponse>;

    async fn solve(&self, request: Request<v1::SolveRequest>) -> Result<Response<v1::SolveResponse>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        Action::Solve.permit(&caller)?;
        let v1::SolveRequest { problem, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let (aim, instance) = whole(problem).await?;
        let Solved { instance, outcome } =
            self.service.solve(&caller, instance, aim.objective)?.finish().await?;
        let outcome = match outcome {
            Ok(proved) => Outcome::Result(result(&instance, &proved)),
            Err(Unmet { impossible, reasons }) => {
                Outcome::UnmetFloors(unmet_floors(&instance, &impossible, &reasons, lang))
            }
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
        let Some(Ask::Aim(message)) = self.next(&mut asked, |asked| asked.content).await? else {
            return Err(AIM_FIRST.into_error().into());
        };
        let aim = aim(Some(message)).map_err(refused)?;
        let (answers, answered) = mpsc::channel(ANSWERS_AHEAD);
        let (this, failing) = (self.clone(), answers.clone());
        let work = async move {
            let _room = this.room.acquire().await.map_err(|_| Error::ShuttingDown)?;
            let (problem, lang) = this.receive(&mut asked).await?;
            let instance = off_the_async_threads(move || finish(problem, aim.coverage_first)).await?;
            let mut work = this.service.solve(&caller, instance, aim.objective)?;
            follow(&mut work, &answers, Answer::Progress, solve_answer).await?;
            tell(work.finish().await?, lang, &answers).await
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
        let read = off_the_async_threads(move || {
            let mut reader = Reader::new(&instance.names, aim.objective);
            reader.take_in(&pairs, proof);
            (instance, reader.finish())
        });
        let (instance, read) = read.await?;
        let (pairs, evidence) = read.map_err(refused)?;
        let check = self.service.verify(&caller, instance, pairs, evidence)?.finish().await?;
        Ok(Response::new(verdict(&names, &check)))
    }

    async fn verify_stream(
        &self,
        request: Request<Streaming<v1::VerifyStreamRequest>>,
    ) -> Result<Response<Self::VerifyStreamStream>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        Action::VerifyStream.permit(&caller)?;
        let mut asked = request.into_inner();
        let Some(Claim::Aim(message)) = self.next(&mut asked, |asked| asked.content).await? else {
            return Err(AIM_FIRST.into_error().into());
        };
        let aim = aim(Some(message)).map_err(refused)?;
        let (answers, answered) = mpsc::channel(ANSWERS_AHEAD);
        let (this, failing) = (self.clone(), answers.clone());
        let work = async move {
            let _room = this.room.acquire().await.map_err(|_| Error::ShuttingDown)?;
            let (instance, reader) = this.receive_claim(&mut asked, aim).await?;
            let names = instance.names.clone();
            let read = off_the_async_threads(move || reader.finish()).await?;
            let (pairs, evidence) = read.map_err(refused)?;
            let mut work = this.service.verify(&caller, instance, pairs, evidence)?;
            follow(&mut work, &answers, Verdict::Progress, verify_answer).await?;
            let verdict = verdict(&names, &work.finish().await?);
            send(&answers, verify_answer(Verdict::Verdict(verdict))).await
        };
        self.streams.spawn(work, async move |status| drop(failing.send(Err(status)).await));
        Ok(Response::new(Box::pin(ReceiverStream::new(answered))))
    }

    async fn what_if(
        &self,
        request: Request<v1::WhatIfRequest>,
    ) -> Result<Response<v1::WhatIfResponse>, Status> {
        questions::what_if(self, request).await
    }

    async fn repair(
        &self,
        request: Request<v1::RepairRequest>,
    ) -> Result<Response<v1::RepairResponse>, Status> {
        questions::repair(self, request).await
    }

    async fn diagnose(
        &self,
        request: Request<v1::DiagnoseRequest>,
    ) -> Result<Response<v1::DiagnoseResponse>, Status> {
        questions::diagnose(self, request).await
    }
}

/// A message of a stream that is not where it must be, or says what is not so.
struct Misplaced(&'static str, &'static str);

const AIM_FIRST: Misplaced = Misplaced("aim", "must be the first message of the stream");
const AIM_ONCE: Misplaced = Misplaced("aim", "may come only once, as the first message");
const PROBLEM_FIRST: Misplaced = Misplaced("part", "must come before the result");
const NO_END: Misplaced = Misplaced("end", "is missing: the stream ended early, and nothing was done");

impl Misplaced {
    fn into_error(self) -> Error {
        Error::invalid_field(self.0, "", self.1)
    }
}

impl SolverApi {
    /// Serves with these use cases.
    pub fn new(service: Service, streams: Streams, max_message_bytes: usize) -> Self {
        Self { service, streams, max_message_bytes, room: Arc::new(Semaphore::new(RECEIVED_AT_ONCE)) }
    }

    /// What the next message of a stream carries.
    async fn next<M, C>(
        &self,
        asked: &mut Streaming<M>,
        content: impl Fn(M) -> Option<C>,
    ) -> Result<Option<C>, Status> {
        match asked.next().await {
            None => Ok(None),
            Some(Ok(message)) => content(message).map(Some).ok_or_else(|| {
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
            match self.next(asked, |asked| asked.content).await? {
                Some(Ask::Part(part)) => {
                    take_in(&mut problem, part);
                    within_bounds(&problem)?;
                }
                Some(Ask::End(end)) => {
                    as_many("candidates", end.candidates, problem.received().candidates)?;
                    return Ok((problem, lang(&end.language_code)?));
                }
                Some(Ask::Aim(_)) => return Err(AIM_ONCE.into_error().into()),
                None => return Err(NO_END.into_error().into()),
            }
        }
    }

    /// Takes the parts of a problem, then those of its result, until the end.
    async fn receive_claim(
        &self,
        asked: &mut Streaming<v1::VerifyStreamRequest>,
        aim: Aim,
    ) -> Result<(Instance, Reader), Status> {
        let mut problem = Builder::default();
        let mut next = loop {
            match self.next(asked, |asked| asked.content).await? {
                Some(Claim::Part(part)) => {
                    take_in(&mut problem, part);
                    within_bounds(&problem)?;
                }
                other => break other,
            }
        };
        let candidates = problem.received().candidates;
        let begun = off_the_async_threads(move || {
            let instance = finish(problem, aim.coverage_first)?;
            let reader = Reader::new(&instance.names, aim.objective);
            Ok((instance, reader))
        });
        let (instance, mut reader) = begun.await?.map_err(refused)?;
        loop {
            match next {
                Some(Claim::Result(part)) => {
                    reader.take_in(&part.pairs, part.proof);
                    let most = count(2 * MOST.mentees);
                    if count(reader.received()) > most {
                        let told = format!("has more than {most} pairs");
                        return Err(Error::invalid_field("result", "", told).into());
                    }
                }
                Some(Claim::End(end)) => {
                    as_many("candidates", end.candidates, candidates)?;
                    as_many("pairs", end.pairs, reader.received())?;
                    return Ok((instance, reader));
                }
                Some(Claim::Part(_)) => return Err(PROBLEM_FIRST.into_error().into()),
                Some(Claim::Aim(_)) => return Err(AIM_ONCE.into_error().into()),
                None => return Err(NO_END.into_error().into()),
            }
            next = self.next(asked, |asked| asked.content).await?;
        }
    }
}

/// Whether as many of something have come as the end of the stream says.
fn as_many(what: &str, said: i64, come: u64) -> Result<(), Error> {
    if number(said) == come {
        return Ok(());
    }
    let told = format!("says {said}, but {come} {what} have come");
    Err(Error::invalid_field(&format!("end.{what}"), "", told))
}

/// Whether what has come so far is not too much.
fn within_bounds(problem: &Builder) -> Result<(), Error> {
    let received = problem.received();
    let counts = [
        ("mentees", received.mentees, MOST.mentees),
        ("mentors", received.mentors, MOST.mentors),
        ("candidates", received.candidates, MOST.candidates),
        ("decisions", received.decisions, MOST.decisions),
        ("groups", received.groups.max(problem.groups_named()), MOST.groups),
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

/// Tells how far the work is, until it is done.
async fn follow<T: Send + 'static, C, M>(
    work: &mut Work<T>,
    answers: &Answering<M>,
    progress: impl Fn(v1::SolveProgress) -> C,
    message: impl Fn(C) -> M,
) -> Result<(), Status> {
    loop {
        let news = tokio::select! {
            news = work.next_progress() => news,
            () = answers.closed() => return Err(Error::Cancelled.into()),
        };
        let Some(WorkProgress { stage, done, total }) = news else { return Ok(()) };
        let stage = stage.map_or("queue", |stage| stage.as_str()).to_owned();
        let told = v1::SolveProgress { stage, done: count(done), total: count(total) };
        send(answers, message(progress(told))).await?;
    }
}

/// Tells what came out.
async fn tell(
    solved: Solved,
    lang: Lang,
    answers: &Answering<v1::SolveStreamResponse>,
) -> Result<(), Status> {
    let Solved { instance, outcome } = solved;
    let parts = off_the_async_threads(move || match outcome {
        Ok(proved) => parts(&instance, &proved).into_iter().map(Answer::Part).collect(),
        Err(Unmet { impossible, reasons }) => {
            vec![Answer::UnmetFloors(unmet_floors(&instance, &impossible, &reasons, lang))]
        }
    });
    for part in parts.await? {
        send(answers, solve_answer(part)).await?;
    }
    Ok(())
}

fn solve_answer(content: Answer) -> v1::SolveStreamResponse {
    v1::SolveStreamResponse { content: Some(content) }
}

fn verify_answer(content: Verdict) -> v1::VerifyStreamResponse {
    v1::VerifyStreamResponse { content: Some(content) }
}

/// Sends one answer; a caller that went away ends the work.
async fn send<M>(answers: &Answering<M>, message: M) -> Result<(), Status> {
    answers.send(Ok(message)).await.map_err(|_| Error::Cancelled.into())
}
