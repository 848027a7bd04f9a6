//! Reading of problems and results that callers send: in one message, or in the parts of a stream.

use prost::Message as _;
use tonic::Status;

use super::room::Held;
use crate::api::convert::solver::proof::Reader;
use crate::api::convert::solver::{Aim, aim, finish, take_in};
use crate::api::convert::{count, lang};
use crate::api::incoming::Incoming;
use crate::api::proto::v1;
use crate::api::proto::v1::solve_stream_request::Content as Ask;
use crate::api::proto::v1::verify_stream_request::Content as Claim;
use crate::domain::violation::Violations;
use crate::domain::vocabulary::Lang;
use crate::error::Error;
use crate::instance::Instance;
use crate::instance::builder::{Builder, Received};
use crate::message;

/// Bytes of memory for each byte of a part: a candidate takes 24 bytes, a name more.
const MEMORY_PER_BYTE: usize = 3;
/// Limits of a problem that comes in parts.
const MOST: Received = Received {
    mentees: 2_000_000,
    mentors: 2_000_000,
    candidates: 50_000_000,
    decisions: 2_000_000,
    groups: 100_000,
};

/// A message of a stream that is missing, repeated or out of order: its field and what is wrong.
struct Misplaced(&'static str, &'static str);

const AIM_FIRST: Misplaced = Misplaced("aim", "is missing; send it as the first message");
const AIM_ONCE: Misplaced = Misplaced("aim", "is repeated; send it once, as the first message");
const PROBLEM_FIRST: Misplaced =
    Misplaced("part", "comes after a result; send all parts of the problem first");
const NO_END: Misplaced = Misplaced("end", "is missing, and nothing was solved; send it as the last message");

impl From<Misplaced> for Status {
    fn from(Misplaced(field, wrong): Misplaced) -> Self {
        Error::invalid_field(field, "", wrong).into()
    }
}

/// The aim, which is the first message of a stream of a problem.
pub(super) async fn solve_aim(asked: &mut Incoming<v1::SolveStreamRequest>) -> Result<Aim, Status> {
    match next_ask(asked).await? {
        Some(Ask::Aim(message)) => Ok(aim(Some(message)).map_err(Error::InvalidFields)?),
        _ => Err(AIM_FIRST.into()),
    }
}

/// The parts of a problem until the end message, and the language of its reasons.
pub(super) async fn problem(
    asked: &mut Incoming<v1::SolveStreamRequest>,
    held: &mut Held,
) -> Result<(Builder, Lang), Status> {
    let mut problem = Builder::default();
    loop {
        match next_ask(asked).await? {
            Some(Ask::Part(part)) => {
                held.take(MEMORY_PER_BYTE * part.encoded_len())?;
                take_in(&mut problem, part);
                within_limits(&problem)?;
            }
            Some(Ask::End(end)) => {
                as_many("candidates", end.candidates, problem.received().candidates)?;
                return Ok((problem, lang(&end.language_code)?));
            }
            Some(Ask::Aim(_)) => return Err(AIM_ONCE.into()),
            None => return Err(NO_END.into()),
        }
    }
}

/// The aim, which is the first message of a stream of a problem and its result.
pub(super) async fn verify_aim(asked: &mut Incoming<v1::VerifyStreamRequest>) -> Result<Aim, Status> {
    match next_claim(asked).await? {
        Some(Claim::Aim(message)) => Ok(aim(Some(message)).map_err(Error::InvalidFields)?),
        _ => Err(AIM_FIRST.into()),
    }
}

/// The parts of a problem, then those of its result, until the end message.
pub(super) async fn problem_and_result(
    asked: &mut Incoming<v1::VerifyStreamRequest>,
    aim: Aim,
    held: &mut Held,
) -> Result<(Instance, Reader), Status> {
    let mut problem = Builder::default();
    let mut next = loop {
        match next_claim(asked).await? {
            Some(Claim::Part(part)) => {
                held.take(MEMORY_PER_BYTE * part.encoded_len())?;
                take_in(&mut problem, part);
                within_limits(&problem)?;
            }
            other => break other,
        }
    };
    let candidates = problem.received().candidates;
    let begun = blocking(move || {
        let instance = finish(problem, aim.coverage_first)?;
        let reader = Reader::new(&instance.names, aim.objective);
        Ok((instance, reader))
    });
    let (instance, mut reader) = begun.await?.map_err(Error::InvalidFields)?;
    loop {
        match next {
            Some(Claim::Result(part)) => {
                reader.take_in(&part.pairs, part.proof);
                let most = 2 * MOST.mentees;
                if reader.received() > most {
                    let wrong =
                        message!("has too many pairs; a result has at most {most}", most = most.to_string());
                    return Err(Error::invalid_field("result", "", wrong).into());
                }
            }
            Some(Claim::End(end)) => {
                as_many("candidates", end.candidates, candidates)?;
                as_many("pairs", end.pairs, reader.received())?;
                return Ok((instance, reader));
            }
            Some(Claim::Part(_)) => return Err(PROBLEM_FIRST.into()),
            Some(Claim::Aim(_)) => return Err(AIM_ONCE.into()),
            None => return Err(NO_END.into()),
        }
        next = next_claim(asked).await?;
    }
}

/// The problem of one message, with its aim.
pub(super) async fn whole(
    problem: Option<v1::AssignmentProblem>,
) -> Result<(Aim, Result<Instance, Violations>), Status> {
    let mut problem =
        problem.ok_or_else(|| Error::invalid_field("problem", "", "is missing; send a problem"))?;
    let aim = aim(problem.aim.take()).map_err(Error::InvalidFields)?;
    let instance = blocking(move || {
        let mut builder = Builder::default();
        take_in(&mut builder, problem);
        finish(builder, aim.coverage_first)
    });
    Ok((aim, instance.await?))
}

/// Runs work that would hold up the threads that serve calls.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::internal("work on a problem panicked"))
}

async fn next_ask(asked: &mut Incoming<v1::SolveStreamRequest>) -> Result<Option<Ask>, Status> {
    asked.next(|message| message.content, "the aim, a part or the end").await
}

async fn next_claim(asked: &mut Incoming<v1::VerifyStreamRequest>) -> Result<Option<Claim>, Status> {
    asked.next(|message| message.content, "the aim, a part, a result or the end").await
}

/// `Ok` if the stream had as many items as its end message reports.
fn as_many(items: &str, reported: i64, received: u64) -> Result<(), Error> {
    if reported == count(received) {
        return Ok(());
    }
    let wrong = message!(
        "is {reported}, but the service received {received} {items}; send the stream again",
        reported = reported.to_string(),
        received = received.to_string(),
        items = items
    );
    Err(Error::invalid_field(&format!("end.{items}"), "", wrong))
}

/// `Ok` if the parts so far are within the limits of a problem.
fn within_limits(problem: &Builder) -> Result<(), Error> {
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
            let wrong = message!(
                "has more than {most} entries; solve larger problems with `wim-match solve`",
                most = most.to_string()
            );
            Err(Error::invalid_field(&format!("problem.{name}"), "", wrong))
        }
        None => Ok(()),
    }
}
