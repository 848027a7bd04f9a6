//! Housekeeping: purges what the policy of retention no longer keeps, at the start of the service and every hour, and writes
//! the sums of calls that the audit has of each minute.
//! It writes the events that remind organisations of what is due in mentorships.
//! It erases people who take part in nothing any more, after the time that their organisation has set.
//! Every minute it continues erasures that a broken call or a stop has interrupted, and writes down which consultations have passed
//! their deadlines.
//!
//! A purge that has deleted something writes one line to the log. A purge that fails writes a warning; the next one
//! continues.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::gauges::Gauges;
use crate::error::{Error, Result, chain};
use crate::service::{Kind, Look, Purged, Service};
use crate::telemetry::Metrics;

/// Time between two purges.
const PERIOD: Duration = Duration::from_hours(1);
/// Time between two looks for minutes that have ended.
const SUMS_PERIOD: Duration = Duration::from_secs(20);
/// Times between two purges at which interrupted erasures are continued.
const ATTEMPTS: u32 = 60;

/// Purges until the service stops.
pub(super) async fn run(service: Service, gauges: Arc<Gauges>, stop: CancellationToken) {
    loop {
        // A purge that is given up is continued by the next one.
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            purged = service.purge() => {
                report(&purged, service.metrics());
                if purged.failures.is_empty() {
                    gauges.purge_ended();
                }
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            erased = service.purge_idle_profiles() => log_idle(erased),
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            looked = service.remind() => {
                log_reminders(looked.as_ref());
                if let Ok(look) = looked {
                    gauges.looked(look);
                }
            }
        }
        for _ in 0..ATTEMPTS {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                continued = service.continue_erasures() => log(continued),
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                closed = service.close_consultations() => log_closed(closed),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PERIOD / ATTEMPTS) => {}
            }
        }
    }
}

/// Writes the sums of calls until the service stops. The end of the service writes what is left.
pub(super) async fn write_call_sums(service: Service, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SUMS_PERIOD) => {}
        }
        if let Err(error) = service.write_call_sums(false).await {
            tracing::warn!(
                error.r#type = error.reason().code(),
                error = chain(&error),
                "sums of calls cannot be written; they are kept for the next time"
            );
        }
    }
}

/// Logs that people were erased who had taken part in nothing for the time that their organisation has set.
fn log_idle(erased: Result<u64>) {
    match erased {
        Ok(0) => {}
        Ok(profiles) => tracing::info!(profiles, "erased people who take part in nothing any more"),
        Err(error) => tracing::warn!(
            error.r#type = error.reason().code(),
            error = chain(&error),
            "people who take part in nothing could not be erased; the next attempt is in an hour"
        ),
    }
}

/// Logs that events were written for what is due.
fn log_reminders(looked: Result<&Look, &Error>) {
    match looked.map(|look| look.events) {
        Ok(0) => {}
        Ok(reminders) => tracing::info!(reminders, "wrote events for what is due in mentorships"),
        Err(error) => tracing::warn!(
            error.r#type = error.reason().code(),
            error = chain(error),
            "events for what is due could not be written; the next attempt is in an hour"
        ),
    }
}

/// Logs that consultations have passed their deadlines.
fn log_closed(closed: Result<u64>) {
    match closed {
        Ok(0) => {}
        Ok(consultations) => tracing::info!(consultations, "consultations have passed their deadlines"),
        Err(error) => tracing::warn!(
            error.r#type = error.reason().code(),
            error = chain(&error),
            "the end of a consultation could not be written; the next attempt is in a minute"
        ),
    }
}

/// Logs that interrupted erasures were continued.
fn log(continued: Result<u64>) {
    match continued {
        Ok(0) => {}
        Ok(erasures) => tracing::info!(erasures, "continued erasures that were interrupted"),
        Err(error) => tracing::warn!(
            error.r#type = error.reason().code(),
            error = chain(&error),
            "an erasure could not be continued; the next attempt is in a minute"
        ),
    }
}

fn report(purged: &Purged, metrics: &Metrics) {
    for (kind, number) in &purged.counts {
        metrics.purged(kind.as_str(), *number);
    }
    let (imports, answers, runs) = (purged.of(Kind::Import), purged.of(Kind::Answer), purged.of(Kind::Run));
    let (invitations, audit_entries) = (purged.of(Kind::Invitation), purged.of(Kind::Audit));
    let sessions = purged.of(Kind::Session);
    if purged.total() > 0 {
        tracing::info!(
            imports,
            answers,
            sessions,
            invitations,
            runs,
            audit_entries,
            "purged what is no longer kept"
        );
    } else {
        tracing::debug!("nothing to purge");
    }
    for (kind, error) in &purged.failures {
        metrics.purge_failed();
        tracing::warn!(
            kind = kind.as_str(),
            error.r#type = error.reason().code(),
            error = chain(error),
            "a purge failed; the next one is in an hour"
        );
    }
}
