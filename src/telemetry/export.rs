//! Delivery of traces, metrics and logs to an OpenTelemetry collector, by OTLP over gRPC.
//!
//! Deliveries run on threads of the SDK, from queues that drop what does not fit, so no call waits for a collector that is
//! dead or slow. The log says when the deliveries of a signal begin to fail, and when they succeed again.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Time for one delivery.
const LIMIT: Duration = Duration::from_secs(5);

/// Failed deliveries of this process, by signal.
static FAILURES: [(&str, AtomicU64); 3] =
    [("traces", AtomicU64::new(0)), ("metrics", AtomicU64::new(0)), ("logs", AtomicU64::new(0))];

/// Failed deliveries of this process, by signal.
pub(super) fn failures() -> impl Iterator<Item = (&'static str, u64)> {
    FAILURES.iter().map(|(signal, failures)| (*signal, failures.load(Ordering::Relaxed)))
}

/// Delivers spans to the collector at `endpoint`.
pub(super) fn spans(endpoint: &str) -> anyhow::Result<impl SpanExporter + use<>> {
    let builder = opentelemetry_otlp::SpanExporter::builder().with_tonic();
    Ok(Watched::new(0, builder.with_endpoint(endpoint).with_timeout(LIMIT).build()?))
}

/// Delivers metrics to the collector at `endpoint`.
pub(super) fn metrics(endpoint: &str) -> anyhow::Result<impl PushMetricExporter + use<>> {
    let builder = opentelemetry_otlp::MetricExporter::builder().with_tonic();
    Ok(Watched::new(1, builder.with_endpoint(endpoint).with_timeout(LIMIT).build()?))
}

/// Delivers lines of the log to the collector at `endpoint`.
pub(super) fn logs(endpoint: &str) -> anyhow::Result<impl LogExporter + use<>> {
    let builder = opentelemetry_otlp::LogExporter::builder().with_tonic();
    Ok(Watched::new(2, builder.with_endpoint(endpoint).with_timeout(LIMIT).build()?))
}

/// An exporter whose failures are counted, and logged when they begin and end.
#[derive(Debug)]
struct Watched<E> {
    exporter: E,
    signal: usize,
    failing: AtomicBool,
}

impl<E> Watched<E> {
    fn new(signal: usize, exporter: E) -> Self {
        Self { exporter, signal, failing: AtomicBool::new(false) }
    }

    fn watch(&self, result: OTelSdkResult) -> OTelSdkResult {
        let (signal, failures) = &FAILURES[self.signal];
        let failed = result.is_err();
        if failed {
            failures.fetch_add(1, Ordering::Relaxed);
        }
        if self.failing.swap(failed, Ordering::Relaxed) != failed {
            if let Err(error) = &result {
                tracing::warn!(
                    signal,
                    %error,
                    "the OpenTelemetry collector takes nothing; check `otlp_endpoint` and the collector. The service goes on"
                );
            } else {
                tracing::info!(signal, "the OpenTelemetry collector takes deliveries again");
            }
        }
        result
    }
}

impl<E: SpanExporter> SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.watch(self.exporter.export(batch).await)
    }

    fn shutdown_with_timeout(&self, limit: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(limit)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for Watched<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.watch(self.exporter.export(batch).await)
    }

    fn shutdown_with_timeout(&self, limit: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(limit)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Watched<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.watch(self.exporter.export(metrics).await)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, limit: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(limit)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
