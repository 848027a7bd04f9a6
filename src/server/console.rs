//! The listener of the console: HTTP/1.1 and HTTP/2 for browsers, inside of TLS where the service has a certificate.
//!
//! It is apart from the port for calls: a cookie opens no call, and a token of a caller opens no page. Connections, the time for
//! a request, and the size of its head are bounded here; what a request may send and cost is bounded by `console`.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tonic::codegen::http::Request;

use super::connection::{Ending, Tracked};
use super::tls::Current;
use crate::config::Config;
use crate::console::{Console, ConsoleOptions};
use crate::service::Service;

/// Connections at a time: a thousand open pages, and people who come and go.
const CONNECTIONS: usize = 1_500;
/// Time for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Time for the head of a request, and for the next request of a connection.
const HEAD: Duration = Duration::from_mins(1);
/// Bytes of the head of a request.
const HEAD_BYTES: usize = 16 * 1024;
/// Requests of a connection at a time.
const REQUESTS: u32 = 64;
/// Time after which a connection takes no further request.
const AGE: Duration = Duration::from_hours(1);
/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(200);

/// Opens the console on a listener, and returns its origin.
pub(super) fn open(
    listener: TcpListener,
    config: &Config,
    service: Service,
    tls: Option<Current>,
    (ending, tasks): (Ending, TaskTracker),
) -> std::io::Result<String> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let origin = match config.console_origin.as_str() {
        "" => format!("{scheme}://{}", listener.local_addr()?),
        origin => origin.to_owned(),
    };
    let options = ConsoleOptions {
        origin: config.console_origin.clone(),
        has_tls: origin.starts_with("https://"),
        token_sign_in: config.console_token_sign_in,
    };
    let console = Console::new(service, options, tasks.clone(), ending.stop.clone());
    let spawning = tasks.clone();
    spawning.spawn(async move { serve(&listener, console, tls, ending, tasks).await });
    Ok(origin)
}

/// Serves the listener until the server stops.
async fn serve(
    listener: &TcpListener,
    console: Console,
    tls: Option<Current>,
    ending: Ending,
    tasks: TaskTracker,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = ending.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                // A connection without room is closed by dropping its stream.
                let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
                let (console, tls, ending) = (console.clone(), tls.clone(), ending.clone());
                let tracked = Tracked(tasks.clone());
                tasks.spawn(async move {
                    connect(stream, console, tls, ending, tracked).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "no connection for the console could be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connect(
    stream: TcpStream,
    console: Console,
    tls: Option<Current>,
    ending: Ending,
    tracked: Tracked,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Some(tls) = tls else { return Box::pin(speak(stream, console, ending, tracked)).await };
    let config = Arc::clone(&tls.borrow().web);
    // A peer that is slow, gone or wrong ends its own connection alone.
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await {
        Box::pin(speak(stream, console, ending, tracked)).await;
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    console: Console,
    ending: Ending,
    tracked: Tracked,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let console = console.clone();
        async move { Ok::<_, Infallible>(console.answer(request).await) }
    });
    let mut builder = auto::Builder::new(tracked);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .max_concurrent_streams(REQUESTS)
        .max_header_list_size(16 * 1024);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection of the console ended early");
                }
                return;
            }
            () = ending.abort.cancelled() => return,
            () = ending.stop.cancelled(), if !stopping => {
                stopping = true;
                served.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(AGE), if !stopping => {
                stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}
