//! The gauges of a running service: they are read where their numbers are, whenever somebody asks for the metrics. The
//! queue of runs alone is in the database, and is asked for by a loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::api::{Cause, Edge};
use crate::service::Service;
use crate::store::Scope;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{
    CONNECTIONS, CONNECTIONS_MOST, EDGE_BYTES, EDGE_CALLS, EDGE_CONNECTIONS, EDGE_REFUSALS, QUEUE_AGE,
    QUEUE_RUNS, READY, SOLVER_WAITING, SOLVER_WORKING,
};

/// Time between two looks at the queue of runs.
const QUEUE_EVERY: Duration = Duration::from_secs(5);

/// Has `metrics` read the numbers of the service, and returns the loop that looks at the queue of runs until `stop`.
pub(super) fn read(
    metrics: &Metrics,
    service: &Service,
    edge: &Arc<Edge>,
    ready: &watch::Receiver<bool>,
    stop: CancellationToken,
) -> impl Future<Output = ()> + use<> {
    read_edge(metrics, edge);
    let store = service.store().clone();
    metrics.read(&CONNECTIONS, move |readings| {
        for (pool, counts) in store.connections() {
            readings.labelled(&CONNECTIONS, &[pool, "used"], counts.used);
            readings.labelled(&CONNECTIONS, &[pool, "idle"], counts.idle);
        }
    });
    let store = service.store().clone();
    metrics.read(&CONNECTIONS_MOST, move |readings| {
        for (pool, counts) in store.connections() {
            readings.labelled(&CONNECTIONS_MOST, &[pool], counts.most);
        }
    });
    let ready = ready.clone();
    metrics.read(&READY, move |readings| readings.count((*ready.borrow()).into()));
    let solver = service.clone();
    metrics.read(&SOLVER_WORKING, move |readings| readings.count(solver.solver_queue().0));
    let solver = service.clone();
    metrics.read(&SOLVER_WAITING, move |readings| readings.count(solver.solver_queue().1));

    let (runs, age) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (shown_runs, shown_age) = (Arc::clone(&runs), Arc::clone(&age));
    metrics.read(&QUEUE_RUNS, move |readings| readings.count(shown_runs.load(Ordering::Relaxed)));
    metrics.read(&QUEUE_AGE, move |readings| {
        readings.value(Duration::from_millis(shown_age.load(Ordering::Relaxed)).as_secs_f64());
    });
    let store = service.store().clone();
    let looking = async move {
        loop {
            // A database that cannot be read keeps the last numbers: readiness tells of it.
            if let Ok(length) = store.queue_length(&Scope::System).await {
                runs.store(length.runs, Ordering::Relaxed);
                age.store(u64::try_from(length.age.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            tokio::time::sleep(QUEUE_EVERY).await;
        }
    };
    async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = looking => {}
        }
    }
}

fn read_edge(metrics: &Metrics, edge: &Arc<Edge>) {
    let of = |read: fn(&Edge) -> u64| {
        let edge = Arc::clone(edge);
        move || read(&edge)
    };
    let calls = of(|edge| edge.counts().calls as u64);
    metrics.read(&EDGE_CALLS, move |readings| readings.count(calls()));
    let bytes = of(|edge| edge.counts().bytes as u64);
    metrics.read(&EDGE_BYTES, move |readings| readings.count(bytes()));
    let counted = Arc::clone(edge);
    metrics.read(&EDGE_CONNECTIONS, move |readings| {
        let counts = counted.counts();
        readings.labelled(&EDGE_CONNECTIONS, &["stranger"], counts.strangers as u64);
        let callers = counts.connections.saturating_sub(counts.strangers);
        readings.labelled(&EDGE_CONNECTIONS, &["caller"], callers as u64);
    });
    let counted = Arc::clone(edge);
    metrics.read(&EDGE_REFUSALS, move |readings| {
        for (cause, refused) in Cause::ALL.iter().zip(counted.counts().refused) {
            readings.labelled(&EDGE_REFUSALS, &[cause.name()], refused);
        }
    });
}
