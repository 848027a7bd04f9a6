//! The second port, for operations alone: `/metrics` as Prometheus reads it, `/livez` and `/readyz` for supervisors and
//! balancers that speak no gRPC. Plain HTTP/1.1, `GET` and `HEAD`.
//!
//! The port is meant for a private network and still bounded: connections, the time for a request, the size of its head.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tonic::body::Body;
use tonic::codegen::http::{Method, Request, Response, StatusCode, header};

use crate::telemetry::{Meters, TEXT_TYPE};

/// Connections at a time; the oldest gives way to a further one.
const CONNECTIONS: usize = 64;
/// Time for the head of a request.
const REQUEST: Duration = Duration::from_secs(2);
/// Time for a whole connection.
const CONNECTION: Duration = Duration::from_secs(10);
/// Bytes of the head of a request.
const HEAD_BYTES: usize = 16 * 1024;
/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves the port until it is dropped, with its connections.
pub(super) async fn serve(listener: TcpListener, meters: Arc<Meters>, ready: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                while connections.try_join_next().is_some() {}
                oldest.retain(|connection| !connection.is_finished());
                // A peer that says nothing gives way to a newer one.
                if oldest.len() == CONNECTIONS
                    && let Some(connection) = oldest.pop_front()
                {
                    connection.abort();
                }
                let (meters, ready) = (Arc::clone(&meters), ready.clone());
                oldest.push_back(connections.spawn(async move {
                    // A peer that is slow, gone or wrong ends its own connection alone.
                    let _ = tokio::time::timeout(CONNECTION, answer(stream, meters, ready)).await;
                }));
            }
            Err(error) => {
                tracing::debug!(%error, "no connection for monitoring could be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(
    stream: TcpStream,
    meters: Arc<Meters>,
    ready: watch::Receiver<bool>,
) -> Result<(), hyper::Error> {
    let service = service_fn(move |request: Request<Incoming>| {
        let (meters, ready) = (Arc::clone(&meters), *ready.borrow());
        async move { Ok::<_, Infallible>(respond(&request, meters, ready).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST).max_buf_size(HEAD_BYTES).keep_alive(false);
    builder.serve_connection(TokioIo::new(stream), service).await
}

async fn respond<T>(request: &Request<T>, meters: Arc<Meters>, ready: bool) -> Response<Body> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/metrics" => metrics(meters).await,
        "/livez" => text(StatusCode::OK, "alive\n"),
        "/readyz" if ready => text(StatusCode::OK, "ready\n"),
        "/readyz" => {
            text(StatusCode::SERVICE_UNAVAILABLE, "the database takes no writes, or the service stops\n")
        }
        _ => text(StatusCode::NOT_FOUND, "there are /metrics, /livez and /readyz\n"),
    }
}

/// All metrics. Reading them takes some milliseconds: not on an async thread.
async fn metrics(meters: Arc<Meters>) -> Response<Body> {
    let Ok(Ok(metrics)) = tokio::task::spawn_blocking(move || meters.text()).await else {
        tracing::error!("the metrics could not be rendered");
        return text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics could not be rendered; report it as a defect\n",
        );
    };
    let mut response = Response::new(Body::new(metrics));
    let kind = header::HeaderValue::from_static(TEXT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn text(status: StatusCode, words: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::new(words.to_owned()));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
