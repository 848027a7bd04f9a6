//! One connection: HTTP/2 over a paced stream, inside of TLS where the service has a certificate, with bounds on windows, streams, headers and resets, and its end: when
//! it gives way, when it has been silent for too long, and when the server stops.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::codegen::http::Request;
use tonic::service::Routes;
use tower::Service as _;

use super::tls::{Current, fingerprint};
use crate::api::{CallService, Cause, Connection, Edge, WebService};
use crate::clock::Clock;

/// Time between two keepalive pings of a connection, and for the answer to one.
const KEEPALIVE: Duration = Duration::from_mins(1);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);
/// Bytes of bodies that a connection may send ahead of their use, in all and for each call.
const WINDOW: u32 = 256 * 1024;
/// Bytes of the headers of a call.
const HEADER_BYTES: u32 = 16 * 1024;
/// Bytes of an answer that wait for a slow reader, for each call.
const ANSWER_BYTES: usize = 64 * 1024;
/// Reset calls that may wait to be noticed before the connection is closed.
const PENDING_RESETS: usize = 20;
/// Calls that may be reset for errors of the peer before the connection is closed.
const ERROR_RESETS: usize = 100;
/// Time for the last bytes of a connection without open calls when the server stops.
const LAST_BYTES: Duration = Duration::from_millis(200);

/// The services behind the layers of browsers and of calls.
pub(super) type Routed = WebService<CallService<Routes>>;

/// HTTP/2 as the server speaks it.
#[derive(Debug, Clone)]
pub(super) struct Protocol {
    http: http2::Builder<Tracked>,
    /// The present certificate of the service; `None` without TLS.
    tls: Option<Current>,
    lifetime: Lifetime,
    clock: Arc<dyn Clock>,
}

/// How long a connection lives, so that callers find new replicas and show their certificates again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    /// The time after which it takes no further call, a tenth more or less; zero for no end.
    pub(super) age: Duration,
    /// The time that its open calls have then.
    pub(super) grace: Duration,
}

impl Lifetime {
    /// The age of one connection: from nine to eleven tenths, so that connections that began together do not end together.
    fn age(&self, clock: &dyn Clock) -> Option<Duration> {
        let mut random = [0; 2];
        clock.fill(&mut random);
        let share = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
        (!self.age.is_zero()).then(|| self.age.mul_f64(0.9 + 0.2 * share))
    }
}

/// How the server ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Ending {
    /// Accepts no further connection; open calls may end.
    pub(super) stop: CancellationToken,
    /// Closes the connections whose calls are still open.
    pub(super) abort: CancellationToken,
}

/// Spawns the tasks of calls so that the server waits for them.
#[derive(Debug, Clone)]
pub(super) struct Tracked(pub(super) TaskTracker);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tracked {
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}

impl Protocol {
    pub(super) fn new(
        max_concurrent_streams: u32,
        tls: Option<Current>,
        lifetime: Lifetime,
        clock: &Arc<dyn Clock>,
        tasks: TaskTracker,
    ) -> Self {
        let mut http = http2::Builder::new(Tracked(tasks));
        http.timer(TokioTimer::new())
            .keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_ANSWER)
            .initial_connection_window_size(WINDOW)
            .initial_stream_window_size(WINDOW)
            .max_concurrent_streams(max_concurrent_streams)
            .max_header_list_size(HEADER_BYTES)
            .max_send_buf_size(ANSWER_BYTES)
            .max_pending_accept_reset_streams(PENDING_RESETS)
            .max_local_error_reset_streams(ERROR_RESETS);
        Self { http, tls, lifetime, clock: Arc::clone(clock) }
    }

    /// Serves a connection until its end.
    pub(super) async fn serve(
        &self,
        stream: TcpStream,
        connection: Arc<Connection>,
        edge: &Edge,
        routed: Routed,
        ending: &Ending,
    ) {
        let paced = Paced { stream, connection: Arc::clone(&connection), pause: None };
        let Some(tls) = &self.tls else { return self.speak(paced, connection, edge, routed, ending).await };
        let config = Arc::clone(&tls.borrow().config);
        if let Some(stream) = Box::pin(handshake(config, paced, &connection, edge, ending)).await {
            self.speak(stream, connection, edge, routed, ending).await;
        }
    }

    /// Speaks HTTP/2 over a stream until its end.
    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        connection: Arc<Connection>,
        edge: &Edge,
        routed: Routed,
        ending: &Ending,
    ) {
        let io = TokioIo::new(stream);
        let called = Arc::clone(&connection);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Arc::clone(&called));
            // The routes of tonic are always ready.
            routed.clone().call(request.map(Body::new))
        });
        let mut served = pin!(self.http.serve_connection(io, service));
        let mut stopping = false;
        let mut end = self.lifetime.age(&*self.clock).map(|age| Box::pin(tokio::time::sleep(age)));
        let mut aged = false;
        loop {
            let patience = connection.patience(edge.limits());
            let look_again = async {
                match patience {
                    _ if stopping => tokio::time::sleep(LAST_BYTES).await,
                    Some(Ok(left)) => tokio::time::sleep(left).await,
                    Some(Err(_)) => {}
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = &mut served => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    return;
                }
                () = connection.closed() => return,
                () = ending.abort.cancelled() => return,
                () = ending.stop.cancelled(), if !stopping => {
                    stopping = true;
                    served.as_mut().graceful_shutdown();
                }
                () = passed(&mut end), if !stopping => {
                    if aged {
                        tracing::debug!("a connection reached its age, and its calls had their time");
                        return;
                    }
                    aged = true;
                    served.as_mut().graceful_shutdown();
                    end = Some(Box::pin(tokio::time::sleep(self.lifetime.grace)));
                }
                () = look_again => {
                    // A peer that holds no call open has nothing to wait for, and may never answer.
                    if stopping && connection.calls() == 0 {
                        return;
                    }
                    if let (false, Some(Err(cause))) = (stopping, connection.patience(edge.limits())) {
                        edge.closed_for(cause, &connection);
                        return;
                    }
                }
            }
        }
    }
}

/// Waits for the end of a timer; forever without one.
async fn passed(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.await,
        None => std::future::pending().await,
    }
}

/// The handshake of TLS, which has the time for the first call. The bytes of a stranger are paid from its allowance.
async fn handshake(
    config: Arc<ServerConfig>,
    stream: Paced,
    connection: &Connection,
    edge: &Edge,
    ending: &Ending,
) -> Option<TlsStream<Paced>> {
    let shaking = TlsAcceptor::from(config).accept(stream);
    let shaken = tokio::select! {
        () = connection.closed() => return None,
        () = ending.stop.cancelled() => return None,
        shaken = tokio::time::timeout(edge.limits().first_call, shaking) => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => {
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            if let Some(leaf) = chain.first() {
                connection.show_certificate(fingerprint(leaf));
            }
            return Some(stream);
        }
        // A peer that says nothing and leaves again, as some probes do, is no attack.
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            edge.closed_for(Cause::Handshake, connection);
        }
        Err(_) => edge.closed_for(Cause::Handshake, connection),
    }
    None
}

/// Acknowledges what was read at once. A client that delays small packets sends the body of a call only after the
/// acknowledgement of its headers, which the kernel would keep back for 40 ms. The kernel forgets the option after a while.
#[cfg(target_os = "linux")]
fn acknowledge(stream: &TcpStream) {
    // The only error is a closed connection, which the next read reports.
    drop(socket2::SockRef::from(stream).set_tcp_quickack(true));
}

#[cfg(not(target_os = "linux"))]
fn acknowledge(_stream: &TcpStream) {}

/// A stream that is read no faster than the allowance of its connection permits.
#[derive(Debug)]
struct Paced {
    stream: TcpStream,
    connection: Arc<Connection>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(pause) = self.connection.pause(context.waker()) {
            let timer = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.pause = None;
        }
        self.pause = None;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let bytes = buffer.filled().len() - before;
        self.connection.charge(bytes);
        if bytes > 0 {
            acknowledge(&self.stream);
        }
        read
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
