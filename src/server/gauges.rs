//! The gauges of a running service: they are read where their numbers are, whenever somebody asks for the metrics. The
//! queue of runs alone is in the database, and is asked for by a loop.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::tls::Current;
use crate::api::{Cause, Edge};
use crate::clock::Stopwatch;
use crate::service::{Look, Service};
use crate::store::{QueueLength, Scope};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{
    CERTIFICATE_REMAINING, CHECK_INS_DUE, CONNECTIONS, CONNECTIONS_MOST, EDGE_BYTES, EDGE_CALLS,
    EDGE_CONNECTIONS, EDGE_REFUSALS, MEETINGS_OVERDUE, MENTORSHIPS, Metric, PURGE_AGE, QUEUE_AGE, QUEUE_RUNS,
    READY, REMINDER_AGE, Readings, SOLVER_WAITING, SOLVER_WORKING,
};

/// Time between two looks at the queue of runs.
const QUEUE_EVERY: Duration = Duration::from_secs(5);

/// Mentorships below which their numbers are withheld: percentages are computed of them.
const LEAST_MENTORSHIPS: u64 = 23;

/// How a gauge is read.
type Read = fn(&Gauges, &Readings<'_>);

/// What the gauges read. The metrics hold it weakly: the service has them, and would otherwise hold itself.
#[derive(Debug)]
pub(super) struct Gauges {
    service: Service,
    edge: Arc<Edge>,
    ready: watch::Receiver<bool>,
    /// The certificate of the port for calls, if it has one.
    tls: Option<Current>,
    /// `None` while the database cannot be read.
    queue: Mutex<Option<QueueLength>>,
    /// Since the last purge that ended well, or since the start.
    purged: Mutex<Stopwatch>,
    /// The last look for what is due that ended well, and since when it has ended, or since the start.
    looked: Mutex<(Option<Look>, Stopwatch)>,
}

impl Gauges {
    pub(super) fn new(
        service: Service,
        edge: Arc<Edge>,
        ready: watch::Receiver<bool>,
        tls: Option<Current>,
    ) -> Arc<Self> {
        Arc::new(Self {
            service,
            edge,
            ready,
            tls,
            queue: Mutex::default(),
            purged: Mutex::new(Stopwatch::start()),
            looked: Mutex::new((None, Stopwatch::start())),
        })
    }

    /// Has `metrics` show the gauges as long as they exist.
    pub(super) fn shown_by(self: &Arc<Self>, metrics: &Metrics) {
        let gauges: [(&'static Metric, Read); 17] = [
            (&EDGE_CONNECTIONS, Self::edge_connections),
            (&EDGE_CALLS, |this, readings| readings.count(this.edge.counts().calls as u64)),
            (&EDGE_BYTES, |this, readings| readings.count(this.edge.counts().bytes as u64)),
            (&EDGE_REFUSALS, Self::edge_refusals),
            (&READY, |this, readings| readings.count((*this.ready.borrow()).into())),
            (&CONNECTIONS, Self::connections),
            (&CONNECTIONS_MOST, Self::most_connections),
            (&QUEUE_RUNS, |this, readings| this.queue().iter().for_each(|queue| readings.count(queue.runs))),
            (&QUEUE_AGE, |this, readings| {
                this.queue().iter().for_each(|queue| readings.value(queue.age.as_secs_f64()));
            }),
            (&PURGE_AGE, Self::purge_age),
            (&MENTORSHIPS, |this, readings| {
                this.look().iter().for_each(|look| {
                    for (state, number) in look.by_state() {
                        readings.labelled(&MENTORSHIPS, &[state], number);
                    }
                });
            }),
            (&MEETINGS_OVERDUE, |this, readings| {
                this.look().iter().for_each(|look| readings.count(look.meetings_overdue));
            }),
            (&CHECK_INS_DUE, |this, readings| {
                this.look().iter().for_each(|look| readings.count(look.check_ins_due));
            }),
            (&REMINDER_AGE, Self::reminder_age),
            (&CERTIFICATE_REMAINING, Self::certificate_remaining),
            (&SOLVER_WORKING, |this, readings| readings.count(this.service.solver_queue().0)),
            (&SOLVER_WAITING, |this, readings| readings.count(this.service.solver_queue().1)),
        ];
        for (metric, read) in gauges {
            let this = Arc::downgrade(self);
            metrics.read(metric, move |readings| {
                if let Some(this) = this.upgrade() {
                    read(&this, readings);
                }
            });
        }
    }

    /// Looks at the queue of runs until `stop`.
    pub(super) async fn watch_queue(self: Arc<Self>, stop: CancellationToken) {
        let looking = async {
            loop {
                let length = self.service.store().queue_length(&Scope::System).await.ok();
                *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = length;
                tokio::time::sleep(QUEUE_EVERY).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = looking => {}
        }
    }

    /// A purge has ended well.
    pub(super) fn purge_ended(&self) {
        *self.purged.lock().unwrap_or_else(PoisonError::into_inner) = Stopwatch::start();
    }

    /// A look for what is due has ended well.
    pub(super) fn looked(&self, look: Look) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = (Some(look), Stopwatch::start());
    }

    fn reminder_age(&self, readings: &Readings<'_>) {
        let since = self.looked.lock().unwrap_or_else(PoisonError::into_inner).1;
        readings.value(since.elapsed().as_secs_f64());
    }

    /// The last look, unless so few mentorships are in it that its numbers are about people.
    fn look(&self) -> Option<Look> {
        let look = self.looked.lock().unwrap_or_else(PoisonError::into_inner).0.clone()?;
        let all: u64 = look.states.values().sum();
        (all == 0 || all >= LEAST_MENTORSHIPS).then_some(look)
    }

    fn purge_age(&self, readings: &Readings<'_>) {
        let since = *self.purged.lock().unwrap_or_else(PoisonError::into_inner);
        readings.value(since.elapsed().as_secs_f64());
    }

    fn certificate_remaining(&self, readings: &Readings<'_>) {
        if let Some(until) = self.tls.as_ref().and_then(|tls| tls.borrow().until) {
            readings.value(until.duration_since(self.service.clock().now()).as_secs_f64());
        }
    }

    fn queue(&self) -> Option<QueueLength> {
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn edge_connections(&self, readings: &Readings<'_>) {
        let counts = self.edge.counts();
        let callers = counts.connections.saturating_sub(counts.strangers);
        readings.labelled(&EDGE_CONNECTIONS, &["stranger"], counts.strangers as u64);
        readings.labelled(&EDGE_CONNECTIONS, &["caller"], callers as u64);
    }

    fn edge_refusals(&self, readings: &Readings<'_>) {
        for (cause, refused) in Cause::ALL.iter().zip(self.edge.counts().refused) {
            readings.labelled(&EDGE_REFUSALS, &[cause.name()], refused);
        }
    }

    fn connections(&self, readings: &Readings<'_>) {
        for (pool, counts) in self.service.store().connections() {
            readings.labelled(&CONNECTIONS, &[pool, "used"], counts.used);
            readings.labelled(&CONNECTIONS, &[pool, "idle"], counts.idle);
        }
    }

    fn most_connections(&self, readings: &Readings<'_>) {
        for (pool, counts) in self.service.store().connections() {
            readings.labelled(&CONNECTIONS_MOST, &[pool], counts.most);
        }
    }
}
