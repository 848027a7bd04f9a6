//! SolverService.

mod receive;
mod room;

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};

use self::receive::{blocking, problem, problem_and_result, solve_aim, verify_aim, whole};
use self::room::Room;
use super::auth::caller_of;
use super::convert::solver::proof::Reader;
use super::convert::solver::questions::{
    MOST, answers as answers_message, asked, diagnosis, published, repaired, within_all,
};
use super::convert::solver::result::{parts, result, unmet_floors, verdict};
use super::convert::solver::{finish, within};
use super::convert::{count, lang};
use super::incoming::Incoming;
use super::proto::v1;
use super::proto::v1::solve_response::Outcome;
use super::proto::v1::solve_stream_response::Content as Answer;
use super::proto::v1::solver_service_server::SolverService;
use super::proto::v1::verify_stream_response::Content as Verdict;
use super::reader;
use super::streams::{Answering, Answers, Streams};
use crate::domain::violation::Violations;
use crate::error::Error;
use crate::service::{Action, Service, Solved, Unmet, Work, WorkProgress};

/// Answers of a stream that may wait for a slow reader.
const ANSWERS_AHEAD: usize = 4;
/// Bytes of memory for problems in parts: three of the largest size.
const ROOM_BYTES: usize = 4 << 30;
/// Alternates per question if the request gives no number.
const ALTERNATES: usize = 5;
/// Recruits at most: each takes one search from each of the dearest mentors.
const MOST_RECRUITS: i32 = 100;

/// Serves problems that callers bring.
#[derive(Debug, Clone)]
pub struct SolverApi {
    service: Service,
    streams: Streams,
    max_message_bytes: usize,
    /// Room for problems that come in parts.
    room: Arc<Room>,
}

impl SolverApi {
    /// Serves these use cases. `max_message_bytes` is the limit that the error about an oversized message reports.
    pub fn new(service: Service, streams: Streams, max_message_bytes: usize) -> Self {
        Self { service, streams, max_message_bytes, room: Arc::new(Room::new(ROOM_BYTES)) }
    }
}

#[tonic::async_trait]
impl SolverService for SolverApi {
    type SolveStreamStream = Answers<v1::SolveStreamResponse>;
    type VerifyStreamStream = Answers<v1::VerifyStreamResponse>;

    async fn solve(&self, request: Request<v1::SolveRequest>) -> Result<Response<v1::SolveResponse>, Status> {
        let caller = caller_of(&request)?;
        Action::Solve.permit(&caller)?;
        let v1::SolveRequest { problem, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let (aim, instance) = whole(problem).await?;
        let work = self.service.solve(&caller, instance, aim.objective)?;
        let Solved { instance, outcome } = work.finish().await?;
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
        let caller = caller_of(&request)?;
        Action::SolveStream.permit(&caller)?;
        let mut asked = Incoming::new(request.into_inner(), self.max_message_bytes);
        let aim = solve_aim(&mut asked).await?;
        let (service, mut held) = (self.service.clone(), self.room.enter(&caller.principal));
        Ok(self.streams.answer(ANSWERS_AHEAD, async move |answers| {
            let (problem, lang) = problem(&mut asked, &mut held).await?;
            let instance = blocking(move || finish(problem, aim.coverage_first)).await?;
            let mut work = service.solve(&caller, instance, aim.objective)?;
            follow(&mut work, &answers, |progress| solve_answer(Answer::Progress(progress))).await?;
            let Solved { instance, outcome } = work.finish().await?;
            let parts = blocking(move || match outcome {
                Ok(proved) => parts(&instance, &proved).into_iter().map(Answer::Part).collect(),
                Err(Unmet { impossible, reasons }) => {
                    vec![Answer::UnmetFloors(unmet_floors(&instance, &impossible, &reasons, lang))]
                }
            });
            for part in parts.await? {
                answers.send(solve_answer(part)).await?;
            }
            Ok(())
        }))
    }

    async fn verify(
        &self,
        request: Request<v1::VerifyRequest>,
    ) -> Result<Response<v1::VerifyResponse>, Status> {
        let caller = caller_of(&request)?;
        Action::Verify.permit(&caller)?;
        let v1::VerifyRequest { problem, pairs, proof } = request.into_inner();
        let (aim, instance) = whole(problem).await?;
        let instance = instance.map_err(Error::InvalidFields)?;
        let names = instance.names.clone();
        let read = blocking(move || {
            let mut reader = Reader::new(&instance.names, aim.objective);
            reader.take_in(&pairs, proof);
            (instance, reader.finish())
        });
        let (instance, read) = read.await?;
        let (pairs, evidence) = read.map_err(Error::InvalidFields)?;
        let check = self.service.verify(&caller, instance, pairs, evidence)?.finish().await?;
        Ok(Response::new(verdict(&names, &check, reader::current())))
    }

    async fn verify_stream(
        &self,
        request: Request<Streaming<v1::VerifyStreamRequest>>,
    ) -> Result<Response<Self::VerifyStreamStream>, Status> {
        let caller = caller_of(&request)?;
        Action::VerifyStream.permit(&caller)?;
        let mut asked = Incoming::new(request.into_inner(), self.max_message_bytes);
        let aim = verify_aim(&mut asked).await?;
        let (service, mut held) = (self.service.clone(), self.room.enter(&caller.principal));
        Ok(self.streams.answer(ANSWERS_AHEAD, async move |answers| {
            let (instance, reader) = problem_and_result(&mut asked, aim, &mut held).await?;
            let names = instance.names.clone();
            let (pairs, evidence) = blocking(move || reader.finish()).await?.map_err(Error::InvalidFields)?;
            let mut work = service.verify(&caller, instance, pairs, evidence)?;
            follow(&mut work, &answers, |progress| verify_answer(Verdict::Progress(progress))).await?;
            let verdict = verdict(&names, &work.finish().await?, reader::current());
            answers.send(verify_answer(Verdict::Verdict(verdict))).await?;
            Ok(())
        }))
    }

    async fn what_if(
        &self,
        request: Request<v1::WhatIfRequest>,
    ) -> Result<Response<v1::WhatIfResponse>, Status> {
        let caller = caller_of(&request)?;
        Action::WhatIf.permit(&caller)?;
        let v1::WhatIfRequest { problem, pairs, proof, questions, max_alternates } = request.into_inner();
        let (aim, instance) = whole(problem).await?;
        let instance = instance.map_err(Error::InvalidFields)?;
        let read = blocking(move || {
            let mut wrong = Violations::default();
            let most: usize = within(max_alternates, || "max_alternates".to_owned(), MOST.into(), &mut wrong);
            let most = if most == 0 { ALTERNATES } else { most };
            let questions = asked(&instance.names, &questions, &mut wrong);
            within_all(&questions, most, &mut wrong);
            let mut reader = Reader::new(&instance.names, aim.objective);
            reader.take_in(&pairs, proof);
            match reader.finish() {
                Ok(result) => wrong.finish((instance, result, (questions, most))),
                Err(more) => {
                    wrong.extend(more);
                    Err(wrong)
                }
            }
        });
        let (instance, result, (questions, most)) = read.await?.map_err(Error::InvalidFields)?;
        let work = self.service.what_if(&caller, instance, result, (questions, most))?;
        let (instance, answers) = work.finish().await?;
        Ok(Response::new(answers_message(&instance, &answers)))
    }

    async fn repair(
        &self,
        request: Request<v1::RepairRequest>,
    ) -> Result<Response<v1::RepairResponse>, Status> {
        let caller = caller_of(&request)?;
        Action::Repair.permit(&caller)?;
        let v1::RepairRequest { problem, published: before, budget } = request.into_inner();
        let (aim, instance) = whole(problem).await?;
        let mut wrong = Violations::default();
        let budget = budget.map(|budget| within(budget, || "budget".to_owned(), i32::MAX, &mut wrong));
        wrong.finish(()).map_err(Error::InvalidFields)?;
        let instance = instance.map_err(Error::InvalidFields)?;
        let (instance, (known, gone)) = blocking(move || {
            let published = published(&instance.names, &before);
            (instance, published)
        })
        .await?;
        let work = self.service.repair(&caller, Ok(instance), aim.objective, (known, budget))?;
        let (instance, mended) = work.finish().await?;
        Ok(Response::new(repaired(&instance, &mended, gone)))
    }

    async fn diagnose(
        &self,
        request: Request<v1::DiagnoseRequest>,
    ) -> Result<Response<v1::DiagnoseResponse>, Status> {
        let caller = caller_of(&request)?;
        Action::Diagnose.permit(&caller)?;
        let v1::DiagnoseRequest { problem, max_recruits, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let mut wrong = Violations::default();
        let recruits = within(max_recruits, || "max_recruits".to_owned(), MOST_RECRUITS, &mut wrong);
        wrong.finish(()).map_err(Error::InvalidFields)?;
        let (aim, instance) = whole(problem).await?;
        let work = self.service.diagnose(&caller, instance, aim.objective, recruits)?;
        Ok(Response::new(diagnosis(&work.finish().await?, lang)))
    }
}

/// Sends the progress of the work until its end.
async fn follow<T: Send + 'static, M>(
    work: &mut Work<T>,
    answers: &Answering<M>,
    message: impl Fn(v1::SolveProgress) -> M,
) -> Result<(), Error> {
    loop {
        let progress = tokio::select! {
            progress = work.next_progress() => progress,
            () = answers.closed() => return Err(Error::Cancelled),
        };
        let Some(WorkProgress { stage, done, total }) = progress else { return Ok(()) };
        let stage = stage.map_or("queue", |stage| stage.as_str()).to_owned();
        answers.send(message(v1::SolveProgress { stage, done: count(done), total: count(total) })).await?;
    }
}

fn solve_answer(content: Answer) -> v1::SolveStreamResponse {
    v1::SolveStreamResponse { content: Some(content) }
}

fn verify_answer(content: Verdict) -> v1::VerifyStreamResponse {
    v1::VerifyStreamResponse { content: Some(content) }
}
