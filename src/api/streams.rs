//! Streams of answers that go on after the call has returned. Each runs in the span and in the language of its call. It ends with its work,
//! at the deadline of its call, when its caller loses her standing, or when the service stops, which waits for all of them.

use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Code, Response, Status};
use tracing::Instrument as _;

use super::deadline::Deadline;
use super::reader;
use super::standing::Standing;
use super::status::code_name;
use crate::clock::Stopwatch;
use crate::error::Error;

/// A stream of answers, as the generated services return it.
pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The streams of a server.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    /// Waits for the end of all streams.
    pub tasks: TaskTracker,
    /// Ends all streams.
    pub stop: CancellationToken,
}

/// The sending half of a stream of answers.
#[derive(Debug)]
pub(super) struct Answering<T>(mpsc::Sender<Result<T, Status>>);

impl<T> Answering<T> {
    /// Sends one answer; fails if the caller has left.
    pub(super) async fn send(&self, answer: T) -> Result<(), Error> {
        self.0.send(Ok(answer)).await.map_err(|_| Error::Cancelled)
    }

    /// Waits until the caller has left.
    pub(super) async fn closed(&self) {
        self.0.closed().await;
    }
}

impl Streams {
    /// A stream of the answers that `work` sends; up to `ahead` of them wait for a slow reader. An error of `work`, the
    /// stop of the service, a passed deadline and a revoked credential end the stream with their status. Then `work` is dropped.
    pub(super) fn answer<T, Work>(
        &self,
        ahead: usize,
        work: impl FnOnce(Answering<T>) -> Work,
    ) -> Response<Answers<T>>
    where
        T: Send + 'static,
        Work: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let (answers, answered) = mpsc::channel(ahead);
        let failing = answers.clone();
        let (work, stop, deadline) = (work(Answering(answers)), self.stop.clone(), Deadline::current());
        let standing = Standing::current();
        let streamed = async move {
            let stopwatch = Stopwatch::start();
            let ended = tokio::select! {
                ended = work => ended,
                () = stop.cancelled() => Err(Error::ShuttingDown.into()),
                () = Deadline::passed(deadline) => Err(Error::DeadlineExceeded.into()),
                lost = Standing::lost(standing) => Err(lost.into()),
            };
            let code = ended.as_ref().err().map_or(Code::Ok, Status::code);
            tracing::info!(
                rpc.response.status_code = code_name(code),
                duration.micros = stopwatch.micros(),
                "stream ended"
            );
            if let Err(status) = ended {
                // A caller that has left needs no status.
                drop(failing.send(Err(status)).await);
            }
        };
        let streamed = reader::scope(reader::current(), streamed);
        self.tasks.spawn(streamed.instrument(tracing::Span::current()));
        Response::new(Box::pin(ReceiverStream::new(answered)))
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt as _;
    use tonic::codegen::http::HeaderMap;

    use super::*;

    #[tokio::test]
    async fn a_passed_deadline_ends_the_work_with_its_status() {
        let (streams, working) = (Streams::default(), CancellationToken::new());
        let held = working.clone().drop_guard();
        let work = async move |_answers: Answering<()>| {
            let _held = held;
            std::future::pending().await
        };
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", "20m".parse().expect("a header value"));
        let call = async { streams.answer(1, work) };
        let mut answers = Deadline::scope(Deadline::of(&headers), call).await.into_inner();
        let status = answers.next().await.expect("an answer").expect_err("the deadline passes");
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert!(working.is_cancelled(), "the work is dropped");
    }
}
