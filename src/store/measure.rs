//! The span and the duration of a statement: what traces and metrics tell of the store.

use tracing::{Instrument as _, Span};

use crate::clock::Stopwatch;
use crate::error::Result;
use crate::telemetry::Metrics;

/// A statement that is about to run.
pub(super) struct Measured {
    metrics: Metrics,
    system: &'static str,
    name: &'static str,
    span: Span,
    time: Stopwatch,
}

impl Measured {
    /// Begins the span of the statement `name`. `system` is the database, as the semantic conventions call it.
    pub(super) fn begin(metrics: &Metrics, system: &'static str, name: &'static str) -> Self {
        let span = tracing::debug_span!(
            "statement",
            otel.name = name,
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            db.system.name = system,
            db.operation.name = name,
            error.type = tracing::field::Empty,
        );
        Self { metrics: metrics.clone(), system, name, span, time: Stopwatch::start() }
    }

    /// Runs the statement in its span, and measures it until its rows are there.
    pub(super) async fn run<T>(self, statement: impl Future<Output = Result<T>>) -> Result<T> {
        let result = statement.instrument(self.span.clone()).await;
        let error = result.as_ref().err().map(|error| error.reason().code());
        if let Some(reason) = error {
            self.span.record("otel.status_code", "ERROR").record("error.type", reason);
        }
        self.metrics.statement_ended(self.system, self.name, error, self.time.elapsed());
        result
    }
}
