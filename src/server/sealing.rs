//! Sealing of the audit: soon after this process has committed entries, and from time to time for those of others.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::{Result, chain};
use crate::service::Service;

/// Time in which further entries gather before they are sealed together.
const GATHER: Duration = Duration::from_millis(100);
/// Time between two looks for entries of other processes, which only a crash leaves unsealed.
const PERIOD: Duration = Duration::from_secs(30);

/// Seals until the service stops, and once more then.
pub(super) async fn run(service: Service, stop: CancellationToken) {
    let mut has_failed = false;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
            written = service.audit_written() => {
                report(&written, &mut has_failed);
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(GATHER) => {}
                }
            }
        }
        report(&service.seal_audit().await, &mut has_failed);
    }
}

/// Logs the first failure, and the first success after it.
fn report<T>(sealed: &Result<T>, has_failed: &mut bool) {
    match sealed {
        Err(error) if !*has_failed => {
            let cause = error.reason().code();
            tracing::warn!(
                error.r#type = cause,
                error = chain(error),
                "entries of the audit cannot be sealed"
            );
        }
        Ok(_) if *has_failed => tracing::info!("entries of the audit are sealed again"),
        _ => {}
    }
    *has_failed = sealed.is_err();
}
