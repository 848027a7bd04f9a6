//! Configuration of the server. Each source overrides the sources before: defaults, file, environment, flags.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::telemetry::LogFormat;

/// Prefix of environment variables, for example `WIM_MATCH_LISTEN`.
pub const ENVIRONMENT_PREFIX: &str = "WIM_MATCH";

/// Largest size of the score cache, in MiB: 1 TiB.
const MOST_KEPT_MIB: usize = 1 << 20;

/// The server's configuration, validated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `sqlite:FILE` or `postgres://…`. Secret, because the URL may have a password.
    pub database: SecretString,
    /// Log filter in the syntax of `RUST_LOG`.
    pub log_filter: String,
    /// Form of the log.
    pub log_format: LogFormat,
    /// Threads that the engine may use; 0 means one per core.
    pub compute_threads: usize,
    /// Largest size of the score cache of a run, in MiB.
    pub kept_scores_mib: usize,
    /// Whether this process executes runs.
    pub worker: bool,
    /// Largest message that is accepted, in bytes.
    pub max_message_bytes: usize,
    /// Most open calls of one connection.
    pub max_concurrent_streams: u32,
    /// Seconds that open calls have to end when the service stops.
    pub drain_seconds: u64,
}

/// Settings from the command line.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Address to listen on.
    pub listen: Option<String>,
    /// Database.
    pub database: Option<String>,
}

/// The defaults in the syntax of the file, which also document the file.
pub const DEFAULTS: &str = r#"# Address to listen on; port 0 takes a free one.
listen = "127.0.0.1:50051"
# `sqlite:FILE` or `postgres://user:password@host/database`.
database = "sqlite:wim-match.sqlite3"
# Log filter in the syntax of RUST_LOG, and form of the log: json or text.
log_filter = "info"
log_format = "json"
# Threads that the engine may use; 0 means one per core.
compute_threads = 0
# Memory in which a run may keep the scores of its pairs, in MiB (2 bytes for each pair of a mentee and a mentor). A run with
# more pairs computes them several times; its result is the same.
kept_scores_mib = 2048
# Whether this process executes runs.
worker = true
# Largest message accepted, in bytes, and calls that one connection may have open.
max_message_bytes = 4194304
max_concurrent_streams = 200
# Seconds that open calls have to end when the service stops.
drain_seconds = 10
"#;

impl Config {
    /// Reads all sources and validates the result. The error lists every wrong setting.
    pub fn load(overrides: &Overrides) -> anyhow::Result<Self> {
        let mut builder =
            config::Config::builder().add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml));
        if let Some(file) = &overrides.file {
            builder = builder.add_source(config::File::from(file.as_path()).format(config::FileFormat::Toml));
        }
        builder = builder
            .add_source(server_environment())
            .set_override_option("listen", overrides.listen.clone())?
            .set_override_option("database", overrides.database.clone())?;
        let config: Self = builder.build()?.try_deserialize()?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        let database = self.database.expose_secret();
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database.starts_with(scheme)) {
            wrong.push("database must begin with sqlite: or postgres://".to_owned());
        }
        if self.max_message_bytes < 64 * 1024 {
            wrong.push("max_message_bytes must be at least 65536".to_owned());
        }
        if self.max_concurrent_streams == 0 {
            wrong.push("max_concurrent_streams must be at least 1".to_owned());
        }
        if self.compute_threads > 1_024 {
            wrong.push("compute_threads must be at most 1024".to_owned());
        }
        if self.kept_scores_mib > MOST_KEPT_MIB {
            wrong.push(format!("kept_scores_mib must be at most {MOST_KEPT_MIB}"));
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log_filter) {
            wrong.push(format!("log_filter: {error}"));
        }
        anyhow::ensure!(wrong.is_empty(), "the configuration is wrong: {}", wrong.join("; "));
        Ok(())
    }

    /// The database URL without its password.
    pub fn database_for_display(&self) -> String {
        without_password(self.database.expose_secret())
    }
}

/// The environment variables that name a server setting; others of the prefix belong to the client commands.
fn server_environment() -> config::Environment {
    let settings = ["LISTEN", "DATABASE", "LOG_FILTER", "LOG_FORMAT", "COMPUTE_THREADS", "WORKER"];
    let limits = ["KEPT_SCORES_MIB", "MAX_MESSAGE_BYTES", "MAX_CONCURRENT_STREAMS", "DRAIN_SECONDS"];
    let given = settings.into_iter().chain(limits).filter_map(|setting| {
        let value = std::env::var(format!("{ENVIRONMENT_PREFIX}_{setting}")).ok()?;
        Some((setting.to_lowercase(), value))
    });
    config::Environment::default().try_parsing(true).source(Some(given.collect()))
}

/// `postgres://user:secret@host/db` as `postgres://user@host/db`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((login, place)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{}", place.split('?').next().unwrap_or_default())
        }
        None => format!("{scheme}://{}", rest.split('?').next().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_defaults() {
        let overrides = Overrides { listen: Some("127.0.0.1:0".to_owned()), ..Overrides::default() };
        let config = Config::load(&overrides).expect("a good configuration");
        assert_eq!(config.listen.port(), 0);
        assert_eq!(config.database_for_display(), "sqlite:wim-match.sqlite3");
    }

    #[test]
    fn a_password_is_never_shown() {
        let config = Config::load(&Overrides {
            database: Some("postgres://me:s3cret@db.example/wim?sslpassword=s3cret".to_owned()),
            ..Overrides::default()
        })
        .expect("a good configuration");
        assert_eq!(config.database_for_display(), "postgres://me@db.example/wim");
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn a_wrong_database_is_named() {
        let overrides = Overrides { database: Some("mysql://x".to_owned()), ..Overrides::default() };
        let error = Config::load(&overrides).expect_err("a wrong database");
        assert!(error.to_string().contains("database must begin with"), "{error}");
    }
}
