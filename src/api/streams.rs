//! Where answers that go on after the call has returned are made: each in the span of its call, told to end when the
//! service stops, and waited for.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tracing::Instrument as _;

use crate::clock::Stopwatch;
use crate::error::Error;

/// The streams of a server.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    /// Waits for them.
    pub tasks: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
}

impl Streams {
    /// Makes a stream's answers. `end` sends the status with which it failed, if it did; a stop of the service is one.
    pub(super) fn spawn<Work, End, Ending>(&self, work: Work, end: End)
    where
        Work: Future<Output = Result<(), Status>> + Send + 'static,
        End: FnOnce(Status) -> Ending + Send + 'static,
        Ending: Future<Output = ()> + Send,
    {
        let stop = self.stop.clone();
        let streamed = async move {
            let stopwatch = Stopwatch::start();
            let ended = tokio::select! {
                ended = work => ended,
                () = stop.cancelled() => Err(Error::ShuttingDown.into()),
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
