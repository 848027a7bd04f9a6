//! What surrounds every call: a span, the deadline, and statuses that the transport makes, mended: undecodable bytes are
//! the caller's mistake and not ours, an oversized message is RESOURCE_EXHAUSTED, and each of them gets the ErrorInfo that
//! every error carries.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::status::status;
use super::streams::{DEADLINE, Deadline};
use crate::clock::Stopwatch;

/// Layer around every call.
#[derive(Debug, Clone, Copy)]
pub struct CallLayer {
    /// Largest message accepted, for the metadata of the error that says so.
    pub max_message_bytes: usize,
}

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> CallService<S> {
        CallService { inner, max_message_bytes: self.max_message_bytes }
    }
}

/// Service made by [`CallLayer`].
#[derive(Debug, Clone)]
pub struct CallService<S> {
    inner: S,
    max_message_bytes: usize,
}

impl<S> Service<Request<Body>> for CallService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let max_message_bytes = self.max_message_bytes;
        let method = request.uri().path().trim_start_matches('/').to_owned();
        let span = tracing::info_span!("rpc", rpc.system.name = "grpc", rpc.method = method);
        let deadline = deadline(request.headers()).map(Deadline::within);
        let answer = DEADLINE.scope(deadline, self.inner.call(request));
        let call = async move {
            let stopwatch = Stopwatch::start();
            let response = match deadline {
                Some(deadline) => tokio::select! {
                    response = answer => response?,
                    () = deadline.passed() => deadline_exceeded().into_http(),
                },
                None => answer.await?,
            };
            let made = Status::from_header_map(response.headers());
            let response = match &made {
                Some(made) if made.code() != Code::Ok && made.details().is_empty() => {
                    mended(made, max_message_bytes).map_or(response, Status::into_http)
                }
                _ => response,
            };
            let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
            tracing::info!(
                rpc.response.status_code = code_name(code),
                duration.micros = stopwatch.micros(),
                "call answered"
            );
            Ok(response)
        };
        Box::pin(call.instrument(span))
    }
}

pub(super) fn deadline_exceeded() -> Status {
    status("DEADLINE_EXCEEDED", "the deadline of the call has passed; its work was stopped", HashMap::new())
}

/// The status that a transport-made one stands for; `None` to leave it alone.
pub(super) fn mended(made: &Status, max_message_bytes: usize) -> Option<Status> {
    match made.code() {
        Code::OutOfRange | Code::ResourceExhausted => Some(status(
            "MESSAGE_TOO_LARGE",
            &format!("a message may have at most {max_message_bytes} bytes; send it in parts"),
            HashMap::from([("limit_bytes".to_owned(), max_message_bytes.to_string())]),
        )),
        Code::Internal | Code::InvalidArgument | Code::Unknown => {
            Some(status("UNDECODABLE", "the bytes are not a message of this method", HashMap::new()))
        }
        Code::Unimplemented => {
            Some(status("UNIMPLEMENTED", "there is no such method or message encoding", HashMap::new()))
        }
        Code::NotFound => Some(status("NOT_FOUND", made.message(), HashMap::new())),
        Code::DeadlineExceeded => Some(deadline_exceeded()),
        Code::Cancelled => Some(status("CANCELLED", "the call was cancelled", HashMap::new())),
        _ => None,
    }
}

/// What `grpc-timeout` allows, a little less than the transport's own timer, so that our answer comes before its own.
fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    let whole = match unit {
        "H" => Duration::from_secs(number.saturating_mul(3_600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    };
    Some(whole.saturating_sub((whole / 10).min(Duration::from_millis(5))))
}

/// The code as gRPC spells it.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_read_in_every_unit_and_ends_before_the_transports_own() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().expect("a header value"));
            deadline(&headers)
        };
        assert_eq!(read("1S"), Some(Duration::from_millis(995)));
        assert_eq!(read("20m"), Some(Duration::from_millis(18)));
        assert_eq!(read("1H"), Some(Duration::from_millis(3_599_995)));
        for bad in ["", "S", "1x", "-1S", "99999999999999999999S"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
