//! The tower layer around every call: measuring, admission, the deadline, the reader's language, and the replacement of
//! statuses that the transport makes. Such a status has no ErrorInfo and often the wrong code, for example INTERNAL for
//! undecodable bytes.
//!
//! Input: a request with its [`Connection`] in the extensions. A request that is no gRPC call is not measured: the edge
//! counts it.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service as Tower};
use tracing::Instrument as _;

use super::auth::{Admitted, Held, Trusted, admit};
use super::deadline::Deadline;
use super::edge::{Connection, Edge, OpenCall};
use super::measure::{MeasuredCall, Measures};
use super::reader;
use super::standing::Standing;
use super::status::transport_error;
use crate::error::Error;
use crate::service::Service;

/// Layer around every call.
#[derive(Debug, Clone)]
pub struct CallLayer {
    /// The bounds on what a peer can cost.
    pub edge: Arc<Edge>,
    /// The use cases, which authenticate the caller.
    pub service: Service,
    /// The issuer whose JWTs name callers, if there is one.
    pub issuer: Option<Trusted>,
    /// What measures the calls.
    pub measures: Arc<Measures>,
}

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> CallService<S> {
        CallService { inner, layer: self.clone() }
    }
}

/// Service made by [`CallLayer`].
#[derive(Debug, Clone)]
pub struct CallService<S> {
    inner: S,
    layer: CallLayer,
}

impl<S> Tower<Request<Body>> for CallService<S>
where
    S: Tower<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let CallLayer { edge, service, issuer, measures } = self.layer.clone();
        // The clone becomes ready later; the inner service is ready now.
        let waiting = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, waiting);
        let lang = reader::of(request.headers());
        Box::pin(reader::scope(lang, async move {
            let Some(connection) = request.extensions().get::<Arc<Connection>>().cloned() else {
                return Ok(Status::from(Error::internal("a request has no connection")).into_http());
            };
            let call = connection.begin_call();
            let mut measured = measures.begin(&request, &service);
            let deadline = Deadline::of(request.headers());
            let admitting = async {
                tokio::select! {
                    admitted = admit(&edge, &service, &connection, issuer.as_ref(), request) => admitted,
                    () = Deadline::passed(deadline) => Err(Status::from(Error::DeadlineExceeded).into_http()),
                }
            };
            let admitted = admitting.await;
            let (response, held) = match admitted {
                Ok(Admitted { request, held, standing }) => {
                    measured.admitted(&request, standing.as_ref().map(|standing| &standing.caller));
                    let span = measured.span().clone();
                    let most = edge.limits().message_bytes;
                    // The handler begins in its span too.
                    let answer = Standing::scope(standing, span.in_scope(|| inner.call(request)));
                    (answered(answer, deadline, most).instrument(span).await?, Some(held))
                }
                Err(refusal) => {
                    measured.refused(refusal.headers());
                    (refusal, None)
                }
            };
            measured.read_status(response.headers());
            Ok(response.map(|body| Body::new(Answer { body, measured, _call: call, _held: held })))
        }))
    }
}

/// The answer of a handler within the deadline, with a status that has its details.
async fn answered(
    answer: impl Future<Output = Result<Response<Body>, Infallible>>,
    deadline: Option<Deadline>,
    max_message_bytes: usize,
) -> Result<Response<Body>, Infallible> {
    let response = tokio::select! {
        response = Deadline::scope(deadline, answer) => response?,
        () = Deadline::passed(deadline) => Status::from(Error::DeadlineExceeded).into_http(),
    };
    let replaced = Status::from_header_map(response.headers())
        .filter(|status| status.code() != Code::Ok)
        .and_then(|status| transport_error(&status, max_message_bytes));
    Ok(match replaced {
        Some(error) => Status::from(error).into_http(),
        None => response,
    })
}

/// The body of an answer. The call is open until the body is dropped.
#[derive(Debug)]
struct Answer {
    body: Body,
    measured: MeasuredCall,
    _call: OpenCall,
    _held: Option<Held>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { body, measured, .. } = &mut *self;
        let polled = measured.span().in_scope(|| Pin::new(body).poll_frame(context));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    measured.read_status(trailers);
                }
            }
            Poll::Ready(Some(Err(status))) => measured.failed_with(status.code()),
            Poll::Ready(None) => measured.answer_ended(),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
