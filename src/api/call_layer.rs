//! The tower layer around every call: a span, the deadline, the reader's language, and the replacement of statuses that the transport makes.
//! Such a status has no ErrorInfo and often the wrong code, for example INTERNAL for undecodable bytes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::deadline::Deadline;
use super::reader;
use super::status::{code_name, transport_error};
use crate::clock::Stopwatch;
use crate::error::Error;

/// Layer around every call.
#[derive(Debug, Clone, Copy)]
pub struct CallLayer {
    /// Largest message that is accepted, which the error about a larger one reports.
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
        let deadline = Deadline::of(request.headers());
        let lang = reader::of(request.headers());
        let answer = Deadline::scope(deadline, self.inner.call(request));
        let call = async move {
            let stopwatch = Stopwatch::start();
            let response = tokio::select! {
                response = answer => response?,
                () = Deadline::passed(deadline) => Status::from(Error::DeadlineExceeded).into_http(),
            };
            let status = Status::from_header_map(response.headers());
            let replaced = status
                .filter(|status| status.code() != Code::Ok && status.details().is_empty())
                .and_then(|status| transport_error(&status, max_message_bytes));
            let response = match replaced {
                Some(error) => Status::from(error).into_http(),
                None => response,
            };
            let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
            tracing::info!(
                rpc.response.status_code = code_name(code),
                duration.micros = stopwatch.micros(),
                "call answered"
            );
            Ok(response)
        };
        Box::pin(reader::scope(lang, call).instrument(span))
    }
}
