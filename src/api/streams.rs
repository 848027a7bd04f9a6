//! Where answers that go on after the call has returned are made: each in the span of its call, ended by the deadline of its
//! call or when the service stops, and waited for.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tracing::Instrument as _;

use super::call_layer::deadline_exceeded;
use crate::clock::Stopwatch;
use crate::error::Error;

tokio::task_local! {
    /// When the call that is being served has to end, if its caller has said so.
    pub(super) static DEADLINE: Option<Deadline>;
}

/// When a call has to end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    since: Stopwatch,
    within: Duration,
}

impl Deadline {
    /// So long from now.
    pub(super) fn within(within: Duration) -> Self {
        Self { since: Stopwatch::start(), within }
    }

    /// Returns when it has passed.
    pub(super) async fn passed(self) {
        tokio::time::sleep(self.within.saturating_sub(self.since.elapsed())).await;
    }
}

/// Returns when the deadline has passed; never, if there is none.
async fn passed(deadline: Option<Deadline>) {
    match deadline {
        Some(deadline) => deadline.passed().await,
        None => std::future::pending().await,
    }
}

/// The streams of a server.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    /// Waits for them.
    pub tasks: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
}

impl Streams {
    /// Makes a stream's answers. `end` sends the status with which it failed, if it did; a stop of the service is one, and so
    /// is a deadline that has passed. Then `work` is dropped, and whatever it waits for is stopped with it.
    pub(super) fn spawn<Work, End, Ending>(&self, work: Work, end: End)
    where
        Work: Future<Output = Result<(), Status>> + Send + 'static,
        End: FnOnce(Status) -> Ending + Send + 'static,
        Ending: Future<Output = ()> + Send,
    {
        let stop = self.stop.clone();
        let deadline = DEADLINE.try_with(|deadline| *deadline).ok().flatten();
        let streamed = async move {
            let stopwatch = Stopwatch::start();
            let ended = tokio::select! {
                ended = work => ended,
                () = stop.cancelled() => Err(Error::ShuttingDown.into()),
                () = passed(deadline) => Err(deadline_exceeded()),
            };
            let code = ended.as_ref().err().map_or(tonic::Code::Ok, Status::code);
            tracing::info!(
                rpc.response.status_code = super::call_layer::code_name(code),
                duration.micros = stopwatch.micros(),
                "stream ended"
            );
            if let Err(status) = ended {
                end(status).await;
            }
        };
        self.tasks.spawn(streamed.instrument(tracing::Span::current()));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn a_passed_deadline_ends_the_work_and_is_told() {
        let (streams, working) = (Streams::default(), CancellationToken::new());
        let (tell, told) = oneshot::channel();
        let held = working.clone().drop_guard();
        let work = async move {
            let _held = held;
            std::future::pending().await
        };
        let end = async move |status: Status| {
            let _ = tell.send(status.code());
        };
        let call = async { streams.spawn(work, end) };
        DEADLINE.scope(Some(Deadline::within(Duration::from_millis(20))), call).await;
        assert_eq!(told.await, Ok(Code::DeadlineExceeded));
        assert!(working.is_cancelled(), "whatever the work held is let go");
    }
}
