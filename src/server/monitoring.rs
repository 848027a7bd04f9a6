//! The second port, for operations alone: `/metrics` as Prometheus reads it, `/livez` and `/readyz` for supervisors and
//! balancers that speak no gRPC. Plain HTTP/1.1, `GET` and `HEAD`.
//!
//! The port is meant for a private network and still bounded: connections, the time for a request, the size of its head.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::codegen::http::{Method, Request, Response, StatusCode, header};

use crate::telemetry::{Meters, TEXT_TYPE};

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS: usize = 16;
/// Time for the head of a request.
const REQUEST: Duration = Duration::from_secs(5);
/// Time for a whole connection.
const CONNECTION: Duration = Duration::from_secs(60);
/// Bytes of the head of a request.
const HEAD_BYTES: usize = 16 * 1024;
/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves the port until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    meters: Arc<Meters>,
    ready: watch::Receiver<bool>,
    stop: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    let accepting = async {
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (meters, ready) = (Arc::clone(&meters), ready.clone());
                    connections.spawn(async move {
                        let _permit = permit;
                        // A peer that is slow, gone or wrong ends its own connection alone.
                        let _ = tokio::time::timeout(CONNECTION, answer(stream, meters, ready)).await;
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "no connection for monitoring could be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    };
    // A balancer sees `/readyz` fail as long as the service drains; then the port is closed with the process.
    tokio::select! {
        () = stop.cancelled() => {}
        () = accepting => {}
    }
}

async fn answer(
    stream: TcpStream,
    meters: Arc<Meters>,
    ready: watch::Receiver<bool>,
) -> Result<(), hyper::Error> {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = respond(&request, &meters, *ready.borrow());
        async { Ok::<_, Infallible>(response) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST).max_buf_size(HEAD_BYTES).keep_alive(false);
    builder.serve_connection(TokioIo::new(stream), service).await
}

fn respond<T>(request: &Request<T>, meters: &Meters, ready: bool) -> Response<Body> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/metrics" => match meters.text() {
            Ok(metrics) => {
                let mut response = Response::new(Body::new(metrics));
                let kind = header::HeaderValue::from_static(TEXT_TYPE);
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                response
            }
            Err(error) => {
                tracing::error!(%error, "the metrics could not be rendered");
                text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the metrics could not be rendered; the log has the cause\n",
                )
            }
        },
        "/livez" => text(StatusCode::OK, "alive\n"),
        "/readyz" if ready => text(StatusCode::OK, "ready\n"),
        "/readyz" => {
            text(StatusCode::SERVICE_UNAVAILABLE, "the database takes no writes, or the service stops\n")
        }
        _ => text(StatusCode::NOT_FOUND, "there are /metrics, /livez and /readyz\n"),
    }
}

fn text(status: StatusCode, words: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::new(words.to_owned()));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
