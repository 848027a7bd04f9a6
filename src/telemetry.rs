//! What operations see of a process: the log on standard error, and traces, metrics and logs by OpenTelemetry.
//!
//! Spans and events have named fields. No field and no label has a personal value: an id of a person, an answer or a
//! token.

mod export;
mod meters;
pub mod metrics;
mod process;
pub mod trace;

use std::io::stderr;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use serde::Deserialize;
use tracing::subscriber::Interest;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, Targets, dynamic_filter_fn, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

pub use self::meters::{Meters, TEXT_TYPE};
pub use self::metrics::Metrics;

/// Form of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object per line.
    #[default]
    Json,
    /// Text for people.
    Text,
}

/// The log and the traces of a process, until it is stopped.
#[derive(Debug)]
pub struct Telemetry {
    spans: Option<SdkTracerProvider>,
    lines: Option<SdkLoggerProvider>,
}

/// Has a panic write one line to the log, with its place. Its message is left out, because it may quote a value.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let thread = std::thread::current().name().map(str::to_owned);
        tracing::error!(
            place,
            thread,
            "a part of the service panicked; report it as a defect, with this line"
        );
    }));
}

impl Telemetry {
    /// Starts logging, and sends traces and the log of the process `instance` to the collector at an address such as
    /// `http://127.0.0.1:4317`, if there is one. `filter` is a list of levels and targets, for example
    /// `info,wim_match=debug`. A second call fails.
    pub fn start(
        filter: &str,
        format: LogFormat,
        collector: Option<&str>,
        instance: &str,
    ) -> anyhow::Result<Self> {
        let shown: Targets = filter.parse()?;
        let log = fmt::layer().with_writer(stderr);
        let log = match format {
            LogFormat::Json => log.json().flatten_event(true).boxed(),
            LogFormat::Text => log.compact().boxed(),
        };
        let (mut spans, mut lines) = (None, None);
        if let Some(endpoint) = collector {
            let resource = meters::resource(instance);
            let builder = SdkTracerProvider::builder().with_resource(resource.clone());
            // `trace` has decided before a span comes here.
            let builder = builder.with_sampler(Sampler::AlwaysOn);
            spans = Some(builder.with_batch_exporter(export::spans(endpoint)?).build());
            let builder = SdkLoggerProvider::builder().with_resource(resource);
            lines = Some(builder.with_batch_exporter(export::logs(endpoint)?).build());
        }
        let traces = spans.as_ref().map(|spans| {
            tracing_opentelemetry::layer()
                .with_tracer(spans.tracer("wim-match"))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                // The text of an error goes to the log, and a span says the reason.
                .with_error_records_to_exceptions(false)
                .with_error_fields_to_exceptions(false)
                .with_error_events_to_exceptions(false)
                .with_error_events_to_status(false)
                .with_filter(
                    dynamic_filter_fn(|metadata, _| {
                        metadata.is_span() && is_ours(metadata.target()) && trace::is_traced()
                    })
                    // Asked once for each place in the code: the many of other crates cost a call nothing.
                    .with_callsite_filter(|metadata| {
                        let may_be = metadata.is_span() && is_ours(metadata.target());
                        if may_be { Interest::sometimes() } else { Interest::never() }
                    })
                    .with_max_level_hint(LevelFilter::DEBUG),
                )
        });
        let sent = match &lines {
            Some(lines) => {
                // What the transport of the collector says of itself would be sent by the same transport.
                let ours = filter_fn(|metadata| is_ours(metadata.target()));
                Some(OpenTelemetryTracingBridge::new(lines).with_filter(shown.clone().and(ours)))
            }
            None => None,
        };
        tracing_subscriber::registry()
            .with(traces)
            .with(log.with_filter(shown))
            .with(sent)
            .try_init()
            .map_err(|error| anyhow::anyhow!("logging could not begin: {error}"))?;
        Ok(Self { spans, lines })
    }

    /// Delivers what is left to the collector, each signal within `limit`. Blocks the thread.
    pub fn stop(&self, limit: Duration) {
        let spans = self.spans.as_ref().map(|spans| spans.shutdown_with_timeout(limit));
        let lines = self.lines.as_ref().map(|lines| lines.shutdown_with_timeout(limit));
        for error in [spans, lines].into_iter().flatten().filter_map(Result::err) {
            tracing::debug!(%error, "the last traces or lines of the log were not delivered");
        }
    }
}

/// Whether a target is code of this project.
fn is_ours(target: &str) -> bool {
    target.starts_with("wim_match")
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("is whole").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_logged_with_its_place_and_without_its_message() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = fmt().with_writer(move || writer.clone()).finish();
        let before = std::panic::take_hook();
        log_panics();
        let panicked = tracing::subscriber::with_default(subscriber, || {
            std::panic::catch_unwind(|| panic!("the answer is canary-7e57"))
        });
        std::panic::set_hook(before);
        assert!(panicked.is_err());
        let text = String::from_utf8(log.0.lock().expect("is whole").clone()).expect("UTF-8");
        assert!(text.contains("src/telemetry.rs") && text.contains("panicked"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
