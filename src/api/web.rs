//! Browsers: gRPC-Web on the port of gRPC, and the answers to what browsers ask before a page of another origin may call (CORS;
//! WHATWG Fetch).
//!
//! The layer stands around that of calls: a call in gRPC-Web becomes a gRPC call first, and has the same admission and the
//! same bounds. Without allowed origins no such question has an answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::http::header::{self, HeaderName, HeaderValue};
use tonic::codegen::http::{Method, Request, Response, StatusCode};
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::{Layer, Service as Tower};

use super::edge::Connection;

/// Headers that a page may send.
const SENT: HeaderValue = HeaderValue::from_static(
    "accept-language,authorization,content-type,grpc-timeout,traceparent,tracestate,wim-acting-as,x-grpc-web,x-user-agent",
);
/// Headers of an answer that a page may read.
const READ: HeaderValue =
    HeaderValue::from_static("grpc-message,grpc-retry-pushback-ms,grpc-status,grpc-status-details-bin");
/// Seconds for which a browser may remember the answer.
const REMEMBERED: HeaderValue = HeaderValue::from_static("7200");
const POST: HeaderValue = HeaderValue::from_static("POST");
const VARIES: HeaderValue = HeaderValue::from_static("origin");

/// Layer for browsers.
#[derive(Debug, Clone)]
pub struct Web {
    origins: Arc<[String]>,
}

impl Web {
    /// Pages of these origins may call.
    pub fn new(origins: impl Iterator<Item = String>) -> Self {
        Self { origins: origins.collect() }
    }
}

impl<S> Layer<S> for Web {
    type Service = WebService<S>;

    fn layer(&self, inner: S) -> WebService<S> {
        WebService { inner: GrpcWebLayer::new().layer(inner), origins: Arc::clone(&self.origins) }
    }
}

/// Service made by [`Web`].
#[derive(Debug, Clone)]
pub struct WebService<S> {
    inner: GrpcWebService<S>,
    origins: Arc<[String]>,
}

impl<S> WebService<S> {
    /// The origin of the page that sends a request, if the page may call.
    fn allowed(&self, request: &Request<Body>) -> Option<HeaderValue> {
        let origin = request.headers().get(header::ORIGIN)?;
        self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }
}

impl<S> Tower<Request<Body>> for WebService<S>
where
    S: Tower<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Tower::<Request<Body>>::poll_ready(&mut self.inner, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let allowed = self.allowed(&request);
        if request.method() == Method::OPTIONS && !self.origins.is_empty() {
            if let Some(connection) = request.extensions().get::<Arc<Connection>>() {
                connection.charge_refusal();
            }
            let answer = preflight(allowed);
            return Box::pin(async { Ok(answer) });
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            if let Some(origin) = allowed {
                let headers = answer.headers_mut();
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ);
                headers.append(header::VARY, VARIES);
            }
            Ok(answer)
        })
    }
}

/// The answer to the question whether a page may call.
fn preflight(allowed: Option<HeaderValue>) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    let headers: [(HeaderName, HeaderValue); 5] = match allowed {
        None => {
            *answer.status_mut() = StatusCode::FORBIDDEN;
            return answer;
        }
        Some(origin) => [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
            (header::ACCESS_CONTROL_ALLOW_METHODS, POST),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
            (header::VARY, VARIES),
        ],
    };
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer.headers_mut().extend(headers);
    answer
}
