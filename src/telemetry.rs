//! Tracing to standard error. Spans and events have named fields. No field has a personal value: an id of a person, an
//! answer or a token.

use std::io::stderr;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

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

/// Starts logging. `filter` is in the syntax of `RUST_LOG`, for example `info,wim_match=debug`. A second call fails.
pub fn init(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let begun = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.compact().try_init(),
    };
    begun.map_err(|error| anyhow::anyhow!("logging could not begin: {error}"))
}
