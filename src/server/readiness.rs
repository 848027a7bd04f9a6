//! Readiness: whether the store takes writes. A loop writes a row, at once after a failed write and at least every
//! `PERIOD`, and reports the result to the health service. Together with `LIMIT` a change shows within 1.6 seconds.
//!
//! When the service stops, the loop reports that it is not ready and ends, and with it the streams of all watchers.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::error::chain;
use crate::store::{Probe, Scope, Store};

/// Time between two probes.
const PERIOD: Duration = Duration::from_secs(1);
/// Time for a probe.
const LIMIT: Duration = Duration::from_millis(600);
/// Pause after a failed write, so that many of them cause few probes.
const PAUSE: Duration = Duration::from_millis(100);
// Supervisors are promised a change within two seconds.
const _: () = assert!(PERIOD.as_millis() + LIMIT.as_millis() + PAUSE.as_millis() < 2_000);

/// Probes the store in `scope` until `stop`, and reports to `ready`.
pub(super) async fn watch_store(
    store: Store,
    scope: Scope,
    ready: watch::Sender<bool>,
    stop: CancellationToken,
) {
    let probing = async {
        loop {
            let before = *ready.borrow();
            let now = match store.probe_write(&scope, LIMIT).await {
                Ok(Probe::Written) => true,
                Ok(Probe::Busy) => before,
                Err(error) => {
                    store.metrics().probe_failed();
                    if before {
                        tracing::error!(
                            error.type = error.reason().code(),
                            error = chain(&error),
                            "the database takes no writes; health reports NOT_SERVING until it does"
                        );
                    }
                    false
                }
            };
            if now && !before {
                tracing::info!("the database takes writes again; health reports SERVING");
            }
            ready.send_replace(now);
            tokio::select! {
                () = store.trouble() => tokio::time::sleep(PAUSE).await,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = probing => {}
    }
    ready.send_replace(false);
}
