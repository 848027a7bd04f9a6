//! `wim-match doctor`: checks of the configuration, the database and the connection to the service.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::ExposeSecret as _;

use super::failure::Failure;
use super::global::{ConfigArgs, Global};
use super::private;
use crate::client::connect;
use crate::client::output::{data, table};
use crate::config::{Config, DEFAULTS};
use crate::store::{Scope, Store};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Print the configuration file with all defaults, and do nothing else.
    #[arg(long)]
    settings: bool,
    /// Write that file to FILE, which only its owner may read: a database URL may have a password.
    #[arg(long, value_name = "FILE", requires = "settings")]
    output: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// The result of one check.
struct Finding {
    what: &'static str,
    good: bool,
    told: String,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    if let Some(file) = options.output {
        let written = private::create_new(&file).and_then(|mut new| new.write_all(DEFAULTS.as_bytes()));
        return written.map_err(|error| {
            let message = format!("{} cannot be written: {error}", file.display());
            Failure::input(message, "choose a new file in a folder where this user may write")
        });
    }
    if options.settings {
        data(DEFAULTS.trim_end())?;
        return Ok(());
    }
    let mut findings = Vec::new();
    let mut find = |what, found: anyhow::Result<String>| {
        let good = found.is_ok();
        findings.push(Finding { what, good, told: found.unwrap_or_else(|error| format!("{error:#}")) });
    };
    find(
        "version",
        Ok(format!("wim-match {}, engine {}", env!("CARGO_PKG_VERSION"), crate::engine::ENGINE_VERSION)),
    );
    match options.config.load(None) {
        Err(error) => find("configuration", Err(error)),
        Ok(config) => {
            find("configuration", Ok(format!("listen {}, worker {}", config.listen, config.worker)));
            match open(&config).await {
                Err(error) => {
                    let shown = config.database_for_display();
                    let failure = Failure::of_database(error, &shown);
                    find("database", Err(anyhow::anyhow!(failure.in_words(global.lang))));
                }
                Ok(store) => {
                    find("database", Ok(format!("{} is reachable", config.database_for_display())));
                    let schema = schema(&store).await;
                    let migrated = schema.is_ok();
                    find("schema", schema);
                    if migrated {
                        find("statements", statements(&store).await);
                    }
                    store.close().await;
                }
            }
        }
    }
    find(
        "service",
        connect(&global.server)
            .await
            .map(|_| format!("{} is reachable", global.server))
            .map_err(anyhow::Error::from),
    );
    let bad = findings.iter().filter(|finding| !finding.good).count();
    if global.json {
        let listed =
            findings.iter().map(|f| serde_json::json!({ "what": f.what, "good": f.good, "told": f.told }));
        data(&serde_json::Value::from(listed.collect::<Vec<_>>()).to_string())?;
    } else {
        let mut rows = table(&[]);
        for finding in &findings {
            rows.add_row([if finding.good { "ok" } else { "FAILED" }, finding.what, &finding.told]);
        }
        data(&rows.to_string())?;
    }
    if bad > 0 {
        return Err(Failure::from(anyhow::anyhow!(
            "{bad} of {} checks failed; correct the rows marked FAILED",
            findings.len()
        )));
    }
    Ok(())
}

/// The whole path of the SQLite file of the configuration, if there is no such file.
pub(super) fn missing(config: &Config) -> Option<String> {
    let file = config.database.expose_secret().strip_prefix("sqlite:")?;
    let file = Path::new(file.trim_start_matches("//").split('?').next().unwrap_or_default());
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    (!file.exists()).then(|| whole.display().to_string())
}

/// Opens the database. A SQLite file that does not exist is an error, because a check must not create it.
pub(super) async fn open(config: &Config) -> anyhow::Result<Store> {
    if let Some(file) = missing(config) {
        anyhow::bail!(
            "there is no database {file}; give the database of `serve` with --database, or create this one with \
             `wim-match admin migrate`"
        );
    }
    let store = Store::open(config.database.expose_secret()).await?;
    store.ping(&Scope::System).await?;
    Ok(store)
}

async fn schema(store: &Store) -> anyhow::Result<String> {
    let pending = store.pending_migrations().await?;
    anyhow::ensure!(
        pending.is_empty(),
        "migrations not applied: {}; run `wim-match admin migrate`",
        pending.join(", ")
    );
    let unknown = store.unknown_migrations().await?;
    anyhow::ensure!(
        unknown.is_empty(),
        "is newer than this version, which does not know {}; use the version that made it",
        unknown.join(", ")
    );
    Ok("is up to date".to_owned())
}

/// Whether the schema and the database's dialect fit every statement of this version.
async fn statements(store: &Store) -> anyhow::Result<String> {
    let prepared = store.prepare_statements().await?;
    Ok(format!("the database accepts all {} SQL statements", prepared.len()))
}
