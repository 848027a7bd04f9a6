//! The accept loop: takes connections from a listener and serves each in a task of its own.
//!
//! Each connection is without the delay of small packets (TCP_NODELAY). If the operating system gives no further
//! connection, the loop waits before it asks again: 10 ms at first, a second at most.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::connection::{Ending, Protocol, Routed};
use crate::api::Edge;

/// Wait after the first failure to accept.
const FIRST_WAIT: Duration = Duration::from_millis(10);
/// Longest wait after a failure to accept.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(super) trait Listen {
    /// The next connection.
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Listen for TcpListener {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        Self::accept(self).await
    }
}

/// Accepts connections until the server stops.
pub(super) async fn accept(
    listener: impl Listen,
    edge: Arc<Edge>,
    routed: Routed,
    protocol: Protocol,
    (ending, tasks): (Ending, TaskTracker),
) {
    let mut wait = FIRST_WAIT;
    loop {
        let accepted = tokio::select! {
            () = ending.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                wait = FIRST_WAIT;
                // A connection without room is closed by dropping its stream.
                let Some(connection) = edge.open(peer.ip()) else { continue };
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection ended before it was served");
                    continue;
                }
                let (edge, routed) = (Arc::clone(&edge), routed.clone());
                let (protocol, ending) = (protocol.clone(), ending.clone());
                tasks.spawn(async move { protocol.serve(stream, connection, &edge, routed, &ending).await });
                // The new connection reads its first bytes before the next one can make it give way.
                tokio::task::yield_now().await;
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                edge.accept_failed(&error);
                tokio::select! {
                    () = ending.stop.cancelled() => return,
                    () = tokio::time::sleep(wait) => {}
                }
                wait = (2 * wait).min(LONGEST_WAIT);
            }
        }
    }
}

/// Whether only the connection failed that was about to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted].contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::api::Cause;
    use crate::clock::{Stopwatch, SystemClock};
    use crate::config::{Config, Overrides};

    /// Gives no connection: too many files are open. Reports the third question.
    #[derive(Clone, Default)]
    struct Full(Arc<AtomicUsize>, CancellationToken);

    impl Listen for Full {
        async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
            if self.0.fetch_add(1, Ordering::Relaxed) == 2 {
                self.1.cancel();
            }
            Err(io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error()))
        }
    }

    /// Gives one connection, and keeps a second handle of its socket. Reports the second question.
    struct One(TcpListener, Mutex<Option<std::net::TcpStream>>, CancellationToken);

    impl Listen for Arc<One> {
        async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
            if self.1.lock().expect("a handle").is_some() {
                self.2.cancel();
                return std::future::pending().await;
            }
            let (stream, peer) = self.0.accept().await?;
            let stream = stream.into_std()?;
            *self.1.lock().expect("no handle") = Some(stream.try_clone()?);
            Ok((TcpStream::from_std(stream)?, peer))
        }
    }

    /// Runs the loop until `end`, and returns its edge.
    async fn accept_from(listener: impl Listen, end: CancellationToken) -> Arc<Edge> {
        let home = tempfile::tempdir().expect("a folder");
        let store = crate::store::Store::open(&format!("sqlite:{}/db", home.path().display())).await;
        let service = crate::service::Service::new(store.expect("a store"), Arc::new(SystemClock));
        let config = Config::load(&Overrides::default()).expect("a configuration");
        let edge = Arc::new(Edge::new(crate::server::limits(&config)));
        let measures = crate::api::Measures::new(service.metrics().clone(), 0, &**service.clock());
        let layer = crate::api::CallLayer {
            edge: Arc::clone(&edge),
            service,
            issuer: None,
            measures: Arc::new(measures),
        };
        let called = tower::Layer::layer(&layer, tonic::service::Routes::default());
        let routed = tower::Layer::layer(&crate::api::Web::new(std::iter::empty()), called);
        let (ending, tasks) = (Ending::default(), TaskTracker::new());
        let lifetime = super::super::connection::Lifetime { age: Duration::ZERO, grace: Duration::ZERO };
        let clock: Arc<dyn crate::clock::Clock> = Arc::new(SystemClock);
        let protocol = Protocol::new(10, None, lifetime, &clock, tasks.clone());
        let accepting = accept(listener, Arc::clone(&edge), routed, protocol, (ending.clone(), tasks));
        tokio::join!(accepting, async {
            end.cancelled().await;
            ending.stop.cancel();
        });
        edge
    }

    #[tokio::test]
    async fn the_loop_waits_when_too_many_files_are_open_and_counts_it() {
        let full = Full::default();
        let stopwatch = Stopwatch::start();
        let edge = accept_from(full.clone(), full.1.clone()).await;
        let asked = full.0.load(Ordering::Relaxed);
        // Waits of 10 and 20 ms before the third question.
        assert!((3..=4).contains(&asked), "{asked}");
        assert!(stopwatch.elapsed() >= 3 * FIRST_WAIT);
        assert_eq!(edge.counts().refused_for(Cause::Accept), asked as u64);
    }

    #[tokio::test]
    async fn small_packets_of_an_accepted_connection_are_not_delayed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let one = Arc::new(One(listener, Mutex::default(), CancellationToken::new()));
        let (_client, _edge) =
            tokio::join!(TcpStream::connect(address), accept_from(Arc::clone(&one), one.2.clone()));
        let handle = one.1.lock().expect("no panic").take().expect("a connection");
        assert!(handle.nodelay().expect("an option of the socket"));
    }
}
