//! The span and the duration of a statement: what traces and metrics show of the store.

use tracing::{Instrument as _, Span};

use crate::clock::Stopwatch;
use crate::error::Result;
use crate::telemetry::{Metrics, trace};

/// What is measured of a statement that its call gave up.
const GIVEN_UP: &str = "CANCELLED";

/// A statement that is measured until its rows are there, or until it is given up.
pub(super) struct Measured {
    metrics: Metrics,
    system: &'static str,
    name: &'static str,
    span: Span,
    time: Stopwatch,
    error: Option<&'static str>,
}

impl Measured {
    /// Begins the span of the statement `name`. `system` is the database, as the semantic conventions call it.
    pub(super) fn begin(metrics: &Metrics, system: &'static str, name: &'static str) -> Self {
        // Most calls are not traced, and every layer would be asked for the span of each of their statements.
        let span = if trace::is_traced() {
            tracing::debug_span!(
                "statement",
                otel.name = name,
                otel.kind = "client",
                otel.status_code = tracing::field::Empty,
                db.system.name = system,
                db.query.summary = name,
                error.type = tracing::field::Empty,
            )
        } else {
            Span::none()
        };
        Self { metrics: metrics.clone(), system, name, span, time: Stopwatch::start(), error: Some(GIVEN_UP) }
    }

    /// Runs the statement in its span.
    pub(super) async fn run<T>(mut self, statement: impl Future<Output = Result<T>>) -> Result<T> {
        let result = statement.instrument(self.span.clone()).await;
        self.error = result.as_ref().err().map(|error| error.reason().code());
        result
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        if let Some(reason) = self.error {
            self.span.record("otel.status_code", "ERROR").record("error.type", reason);
        }
        self.metrics.statement_ended(self.system, self.name, self.error, self.time.elapsed());
    }
}

/// The wait for a connection, which is measured until there is one or the wait is given up.
pub(super) struct Waiting<'a> {
    metrics: &'a Metrics,
    pool: &'static str,
    time: Stopwatch,
}

impl<'a> Waiting<'a> {
    pub(super) fn begin(metrics: &'a Metrics, pool: &'static str) -> Self {
        Self { metrics, pool, time: Stopwatch::start() }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.metrics.connection_waited(self.pool, self.time.elapsed());
    }
}
