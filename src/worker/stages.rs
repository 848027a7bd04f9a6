//! The stages of a run in its trace and in the metrics: the observer of the engine, which passes everything on to the
//! live run.

use std::sync::{Mutex, PoisonError};

use tracing::Span;

use crate::clock::Stopwatch;
use crate::domain::run::Stage;
use crate::engine::observer::Observer;
use crate::service::LiveRun;
use crate::telemetry::Metrics;

/// Measures each stage from its first progress to that of the next one, or until it is dropped.
#[derive(Debug)]
pub(super) struct Stages<'a> {
    live: &'a LiveRun,
    metrics: &'a Metrics,
    /// The span of the run, in which the stages are.
    run: Span,
    present: Mutex<Option<Present>>,
}

#[derive(Debug)]
struct Present {
    stage: Stage,
    time: Stopwatch,
    span: Span,
}

impl<'a> Stages<'a> {
    /// Stages of the run whose span is the present one.
    pub(super) fn new(live: &'a LiveRun, metrics: &'a Metrics) -> Self {
        Self { live, metrics, run: Span::current(), present: Mutex::new(None) }
    }

    /// Begins a stage, unless it is the present one, and returns its span.
    pub(super) fn enter(&self, stage: Stage) -> Span {
        self.begin(stage);
        let present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        present.as_ref().map_or_else(Span::none, |present| present.span.clone())
    }

    fn begin(&self, stage: Stage) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if present.as_ref().is_some_and(|present| present.stage == stage) {
            return;
        }
        // Several threads of the engine report, and only those of the worker are inside of the run's span.
        let span = self
            .run
            .in_scope(|| tracing::info_span!("stage", otel.name = stage.as_str(), stage = stage.as_str()));
        let ended = present.replace(Present { stage, time: Stopwatch::start(), span });
        drop(present);
        self.end(ended);
    }

    fn end(&self, ended: Option<Present>) {
        if let Some(ended) = ended {
            self.metrics.stage_ended(ended.stage.as_str(), ended.time.elapsed());
        }
    }
}

impl Observer for Stages<'_> {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        self.begin(stage);
        self.live.progress(stage, done, total);
    }

    fn is_cancelled(&self) -> bool {
        self.live.is_cancelled()
    }
}

impl Drop for Stages<'_> {
    fn drop(&mut self) {
        let present = self.present.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.end(present);
    }
}
