//! A wire between the stories and a process, which is cut, halted, slowed and broken in the middle of a frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How the wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// Everything passes.
    Good,
    /// Connections are closed, and new ones too.
    Cut,
    /// Connections stay open, and nothing passes: neither side hears that the other one is gone.
    HalfOpen,
    /// What passes is late.
    Slow,
    /// Few bytes pass at a time.
    Narrow,
    /// Each connection passes a part of its next frame and is closed.
    MidFrame,
}

impl Wire {
    /// All states but the good one.
    pub(super) const BAD: [Self; 5] = [Self::Cut, Self::HalfOpen, Self::Slow, Self::Narrow, Self::MidFrame];
    const ALL: [Self; 6] = [Self::Good, Self::Cut, Self::HalfOpen, Self::Slow, Self::Narrow, Self::MidFrame];
}

/// A wire to the port of a process. It ends with the value.
#[derive(Debug)]
pub(super) struct Proxy {
    /// The port on which it listens.
    pub(super) port: u16,
    state: Arc<AtomicU64>,
    _task: JoinSet<()>,
}

impl Proxy {
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let state = Arc::new(AtomicU64::new(0));
        let (seen, mut task) = (Arc::clone(&state), JoinSet::new());
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((caller, _)) = listener.accept().await {
                let state = Arc::clone(&seen);
                connections.spawn(async move {
                    if let Ok(process) = TcpStream::connect(("127.0.0.1", port)).await {
                        let (from_caller, to_caller) = caller.into_split();
                        let (from_process, to_process) = process.into_split();
                        // The end of one direction ends the other one.
                        tokio::select! {
                            () = pass(from_caller, to_process, &state) => {}
                            () = pass(from_process, to_caller, &state) => {}
                        }
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { port: own, state, _task: task }
    }

    pub(super) fn set(&self, wire: Wire) {
        let at = Wire::ALL.iter().position(|one| *one == wire).unwrap_or_default();
        self.state.store(at as u64, Ordering::SeqCst);
    }
}

fn now(state: &AtomicU64) -> Wire {
    let at = usize::try_from(state.load(Ordering::SeqCst)).unwrap_or_default();
    Wire::ALL[at]
}

/// Passes bytes on until one end is closed, or the wire is.
async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    state: &AtomicU64,
) {
    let mut buffer = vec![0; 16 * 1_024];
    loop {
        let most = if now(state) == Wire::Narrow { 256 } else { buffer.len() };
        let read = tokio::time::timeout(Duration::from_millis(50), from.read(&mut buffer[..most])).await;
        let bytes = match read {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(bytes)) => bytes,
            Err(_) if now(state) == Wire::Cut => return,
            Err(_) => continue,
        };
        match now(state) {
            Wire::Good => {}
            Wire::Cut => return,
            Wire::HalfOpen => {
                while now(state) == Wire::HalfOpen {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                // The bytes are lost, so the connection is of no use any more.
                return;
            }
            Wire::Slow => tokio::time::sleep(Duration::from_millis(150)).await,
            Wire::Narrow => tokio::time::sleep(Duration::from_millis(10)).await,
            Wire::MidFrame => {
                let _ = to.write_all(&buffer[..bytes / 2]).await;
                return;
            }
        }
        if to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}
