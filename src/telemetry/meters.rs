//! The meters of one server: what its instruments measure, as the text that Prometheus reads and as what is pushed to a
//! collector.

use std::sync::mpsc;
use std::time::Duration;

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{Instrument, PeriodicReader, SdkMeterProvider, Stream};
use opentelemetry_sdk::resource::EnvResourceDetector;
use prometheus::{Registry, TextEncoder};

use super::export;
use super::metrics::{EXPORT_FAILURES, Metrics, TABLE};

/// Time between two deliveries to the collector.
const PUSH_EVERY: Duration = Duration::from_secs(15);

/// The content type of the text that Prometheus reads.
pub const TEXT_TYPE: &str = prometheus::TEXT_FORMAT;

/// The meters of one server.
#[derive(Debug)]
pub struct Meters {
    provider: SdkMeterProvider,
    registry: Registry,
    metrics: Metrics,
}

impl Meters {
    /// Starts the meters of the process `instance`. With a collector they are also pushed to it, which needs the runtime of
    /// tokio.
    pub fn start(instance: &str, collector: Option<&str>) -> anyhow::Result<Self> {
        let registry = Registry::new();
        let pulled = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()?;
        let mut builder = SdkMeterProvider::builder()
            .with_resource(resource(instance))
            .with_reader(pulled)
            .with_view(bounded);
        if let Some(endpoint) = collector {
            let pushed = PeriodicReader::builder(export::metrics(endpoint)?).with_interval(PUSH_EVERY);
            builder = builder.with_reader(pushed.build());
        }
        let provider = builder.build();
        let metrics = Metrics::new(provider.meter("wim-match"));
        metrics.read(&EXPORT_FAILURES, |readings| {
            for (signal, failures) in export::failures() {
                readings.labelled(&EXPORT_FAILURES, &[signal], failures);
            }
        });
        super::process::read(&metrics);
        Ok(Self { provider, registry, metrics })
    }

    /// The instruments.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The present values, as the text that Prometheus reads.
    pub fn text(&self) -> anyhow::Result<String> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }

    /// Delivers what is left to the collector, within `limit`. Blocks the thread.
    pub fn stop(&self, limit: Duration) {
        let (ended, end) = mpsc::channel();
        let provider = self.provider.clone();
        // The reader of the SDK has a limit of its own, 5 seconds: its thread may outlive this call.
        std::thread::spawn(move || ended.send(provider.shutdown_with_timeout(limit).is_ok()));
        if end.recv_timeout(limit) != Ok(true) {
            tracing::debug!("the last metrics were not delivered");
        }
    }
}

/// What the signals of a process have in common.
pub(super) fn resource(instance: &str) -> Resource {
    // OTEL_RESOURCE_ATTRIBUTES names the deployment.
    Resource::builder_empty()
        .with_detector(Box::new(EnvResourceDetector::new()))
        .with_service_name("wim-match")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(opentelemetry::KeyValue::new("service.instance.id", instance.to_owned()))
        .build()
}

/// The bound on the series of an instrument.
fn bounded(instrument: &Instrument) -> Option<Stream> {
    let metric = TABLE.iter().find(|metric| metric.name == instrument.name())?;
    Stream::builder().with_cardinality_limit(metric.most_series).build().ok()
}
