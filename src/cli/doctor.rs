//! `wim-match doctor`: checks of the configuration, the database and the connection to the service.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use secrecy::ExposeSecret as _;

use super::failure::Failure;
use super::global::{ConfigArgs, Global};
use crate::client::output::{data, table};
use crate::client::private;
use crate::config::{Config, DEFAULTS};
use crate::domain::message::Message;
use crate::store::{Scope, Store};
use crate::{message, wording};

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
pub(super) struct Finding {
    what: &'static str,
    good: bool,
    told: String,
}

impl Finding {
    /// What a check has found, or what is wrong.
    pub(super) fn new(what: &'static str, found: Result<Message, Message>, global: &Global) -> Self {
        let good = found.is_ok();
        let told = found.unwrap_or_else(|wrong| wrong);
        Self { what, good, told: wording::message(&told, global.lang) }
    }

    /// The finding as JSON.
    pub(super) fn as_json(&self) -> serde_json::Value {
        serde_json::json!({ "what": self.what, "good": self.good, "told": self.told })
    }
}

/// Prints findings as a table.
pub(super) fn print(findings: &[Finding], global: &Global) -> Result<(), Failure> {
    let mut rows = table(&[]);
    for finding in findings {
        let result = if finding.good { message!("ok") } else { message!("FAILED") };
        rows.add_row([&wording::message(&result, global.lang), finding.what, &finding.told]);
    }
    data(&rows.to_string())?;
    Ok(())
}

/// How many checks failed; `None` if none did.
pub(super) fn failed(findings: &[Finding]) -> Option<Message> {
    let bad = findings.iter().filter(|finding| !finding.good).count();
    (bad > 0).then(|| {
        message!(
            "{bad} of {all} checks failed; correct the rows marked FAILED",
            bad = bad,
            all = findings.len()
        )
    })
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    if let Some(file) = options.output {
        let written = private::create_new(&file).and_then(|mut new| new.write_all(DEFAULTS.as_bytes()));
        return written.map_err(|error| {
            let wrong = message!(
                "{file} cannot be written: {error}",
                file = file.display().to_string(),
                error = error.to_string()
            );
            Failure::input(wrong, message!("choose a new file in a folder where this user may write"))
        });
    }
    if options.settings {
        data(DEFAULTS.trim_end())?;
        return Ok(());
    }
    let mut findings = Vec::new();
    let mut find = |what, found| findings.push(Finding::new(what, found, global));
    let versions =
        format!("wim-match {}, engine {}", env!("CARGO_PKG_VERSION"), crate::engine::ENGINE_VERSION);
    find("version", Ok(Message::verbatim(versions)));
    match options.config.load(None) {
        Err(error) => find("configuration", Err(error.message())),
        Ok(config) => {
            let settings = format!("listen {}, worker {}", config.listen, config.worker);
            let exposure = config.check_exposure().map_err(|error| error.message());
            find("configuration", exposure.map(|()| Message::verbatim(settings)));
            let shown = config.database_for_display();
            match open(&config).await {
                Err(failure) => find("database", Err(failure.in_one())),
                Ok(store) => {
                    find("database", Ok(message!("{place} is reachable", place = shown)));
                    let schema = schema(&store).await;
                    let migrated = schema.is_ok();
                    find("schema", schema);
                    if migrated {
                        find("statements", statements(&store).await);
                        find("role", role(&store).await);
                    }
                    store.close().await;
                }
            }
        }
    }
    let service = global.connect().await.map_err(Failure::in_one);
    find("service", service.map(|_| message!("{place} is reachable", place = &global.server)));
    if global.json {
        let listed: Vec<_> = findings.iter().map(Finding::as_json).collect();
        data(&serde_json::Value::from(listed).to_string())?;
    } else {
        print(&findings, global)?;
    }
    failed(&findings).map_or(Ok(()), |told| Err(Failure::other(told)))
}

/// The SQLite file of the configuration.
pub(super) fn sqlite_file(config: &Config) -> Option<PathBuf> {
    crate::store::sqlite_file(config.database.expose_secret())
}

/// The whole path of the SQLite file of the configuration, if there is no such file.
pub(super) fn missing(config: &Config) -> Option<String> {
    let file = sqlite_file(config)?;
    let whole = std::path::absolute(&file).unwrap_or_else(|_| file.clone());
    (!file.exists()).then(|| whole.display().to_string())
}

/// Opens the database. A SQLite file that does not exist is an error, because a check must not create it.
pub(super) async fn open(config: &Config) -> Result<Store, Failure> {
    if let Some(file) = missing(config) {
        return Err(Failure::not_found(
            message!("there is no database {file}, and none was created", file = file),
            message!(
                "give the database of `wim-match serve` with --database, --config or WIM_MATCH_DATABASE; `wim-match admin migrate` creates a new one"
            ),
        ));
    }
    let opened = async {
        let store = Store::open(config.database.expose_secret()).await?;
        store.ping(&Scope::System).await?;
        Ok::<_, crate::error::Error>(store)
    };
    opened.await.map_err(|error| Failure::of_database(error.into(), &config.database_for_display()))
}

pub(super) async fn schema(store: &Store) -> Result<Message, Message> {
    let failed = |error: crate::error::Error| error.message();
    let pending = store.pending_migrations().await.map_err(failed)?;
    if !pending.is_empty() {
        return Err(message!(
            "migrations not applied: {names}; run `wim-match admin migrate`",
            names = pending.join(", ")
        ));
    }
    let unknown = store.unknown_migrations().await.map_err(failed)?;
    if !unknown.is_empty() {
        return Err(message!(
            "is newer than this version, which does not know {names}; use the version that made it",
            names = unknown.join(", ")
        ));
    }
    Ok(message!("is up to date"))
}

/// Whether the policies of the tables bind the role of the service. A role that they do not bind works, so that is a warning.
async fn role(store: &Store) -> Result<Message, Message> {
    match store.is_bound(&Scope::System).await {
        Ok(true) => Ok(message!("is bound by the policies of the tables")),
        Ok(false) => Ok(message!(
            "warning: is a superuser of PostgreSQL or has BYPASSRLS, so the policies of the tables do not bind it; connect as another role (deploy/postgresql/roles.sql)"
        )),
        Err(error) => Err(error.message()),
    }
}

/// Whether the schema and the database's dialect fit every statement of this version.
pub(super) async fn statements(store: &Store) -> Result<Message, Message> {
    let prepared = store.prepare_statements().await.map_err(|error| error.message())?;
    Ok(message!("the database accepts all {count} SQL statements", count = prepared.len()))
}
