//! `wim-match admin check`: checks a whole database or a backup. It changes nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::doctor::{self, Finding};
use super::super::failure::Failure;
use super::super::global::{ConfigArgs, Global};
use super::manifest::{Content, Manifest, contents, digest, path_of, with_ending};
use super::shared::{is_same, unusable};
use crate::client::output::{align_right, data, titled};
use crate::domain::message::Message;
use crate::message;
use crate::store::{Check, Scope, Store};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// Check this backup, with the manifest beside it, and not the configured database.
    file: Option<PathBuf>,
    /// Print rows and digest of each table as well. Databases of the same content have the same digests.
    #[arg(long)]
    content: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let mut findings = Vec::new();
    let mut find = |what, found| findings.push(Finding::new(what, found, global));
    let mut manifest = None;
    let (store, shown) = match &options.file {
        Some(file) => {
            if path_of(file).exists() || !file.exists() {
                let read = Manifest::read(file)?;
                find("file", bytes_of(file, &read)?);
                manifest = Some(read);
            } else if !is_configured(file, &options.config) {
                // A restore refuses such a file.
                find(
                    "file",
                    Err(message!(
                        "there is no manifest {manifest} to compare it with; copy both files of the backup, or check another database with --database",
                        manifest = path_of(file).display().to_string()
                    )),
                );
            }
            (open(file).await?, file.display().to_string())
        }
        None => configured(&options.config).await?,
    };
    let content = all((&store, &shown), options.content, manifest.as_ref(), &mut find).await;
    store.close().await;
    let content = content?;
    if global.json {
        let mut object = serde_json::json!({
            "checks": findings.iter().map(Finding::as_json).collect::<Vec<_>>(),
        });
        if options.content {
            object["content"] = serde_json::to_value(&content).map_err(anyhow::Error::from)?;
        }
        data(&object.to_string())?;
    } else {
        doctor::print(&findings, global)?;
        if options.content {
            print_content(&content, global)?;
        }
    }
    doctor::failed(&findings).map_or(Ok(()), |told| {
        Err(Failure::input(
            told,
            message!(
                "keep the file as it is, and restore a backup that passes this check into another place"
            ),
        ))
    })
}

/// Opens a SQLite file to read it. A file without a log beside it is one that nobody writes to.
async fn open(file: &Path) -> Result<Store, Failure> {
    let is_live = with_ending(file, "-wal").exists();
    let opened = if is_live { Store::open_to_read(file).await } else { Store::open_copy(file).await };
    opened.map_err(|error| Failure::of_database(error.into(), &file.display().to_string()))
}

/// Whether a file is the configured database, which has no manifest.
fn is_configured(file: &Path, config: &ConfigArgs) -> bool {
    let configured = config.load(None).ok().and_then(|config| doctor::sqlite_file(&config));
    configured.is_some_and(|database| is_same(file, &database))
}

/// The configured database with its name.
async fn configured(config: &ConfigArgs) -> Result<(Store, String), Failure> {
    let config = config.load(None)?;
    let shown = config.database_for_display();
    let store = match doctor::sqlite_file(&config) {
        Some(file) if file.exists() => open(&file).await?,
        _ => doctor::open(&config).await?,
    };
    Ok((store, shown))
}

/// Whether the bytes of a backup are those of its manifest.
fn bytes_of(file: &Path, manifest: &Manifest) -> Result<Result<Message, Message>, Failure> {
    let read = File::open(file).and_then(|mut opened| digest(&mut opened, &mut io::sink()));
    let found = read.map_err(|error| unusable(file, &error))?;
    Ok(match manifest.compare(file, &found) {
        Ok(()) => Ok(message!("{bytes} bytes, as in the manifest", bytes = found.0)),
        Err(wrong) => Err(wrong.in_one()),
    })
}

/// Makes all checks, and returns the content of the tables if it is wanted or a manifest has it.
async fn all(
    (store, shown): (&Store, &str),
    content_wanted: bool,
    manifest: Option<&Manifest>,
    find: &mut impl FnMut(&'static str, Result<Message, Message>),
) -> Result<BTreeMap<String, Content>, Failure> {
    let told = |error: crate::error::Error| Failure::of_database(error.into(), shown).in_one();
    // A file that cannot be read at all fails here, with what SQLite says.
    let integrity = store.check(&Scope::System, Check::Integrity).await;
    let is_readable = integrity.as_ref().is_ok_and(|result| result.wrong.is_empty());
    find(Check::Integrity.as_str(), integrity.map_err(told).and_then(|result| in_words(result.wrong)));
    if !is_readable {
        return Ok(BTreeMap::new());
    }
    match store.schema().await {
        Ok(Some(_)) => {}
        Ok(None) => {
            find("schema", Err(message!("is no schema of wim-match")));
            return Ok(BTreeMap::new());
        }
        Err(error) => {
            find("schema", Err(told(error)));
            return Ok(BTreeMap::new());
        }
    }
    let pending = store.pending_migrations().await;
    if pending.is_ok_and(|names| !names.is_empty()) {
        // As after the restore of an older backup. The other statements fit the newest schema alone.
        find("schema", Ok(message!("is older than this version; the next start brings it up to date")));
        let result = store.check(&Scope::System, Check::ForeignKeys).await;
        find(Check::ForeignKeys.as_str(), result.map_err(told).and_then(|result| in_words(result.wrong)));
    } else {
        let schema = doctor::schema(store).await;
        let fits = schema.is_ok();
        find("schema", schema);
        if !fits {
            return Ok(BTreeMap::new());
        }
        find("statements", doctor::statements(store).await);
        for check in Check::ALL.into_iter().filter(|check| *check != Check::Integrity) {
            let result = store.check(&Scope::System, check).await;
            find(check.as_str(), result.map_err(told).and_then(|result| in_words(result.wrong)));
        }
    }
    if !content_wanted && manifest.is_none() {
        return Ok(BTreeMap::new());
    }
    let content = contents(store.content(&Scope::System).await?);
    if let Some(manifest) = manifest {
        let differing: Vec<&str> = content
            .keys()
            .chain(manifest.tables.keys())
            .filter(|name| content.get(*name) != manifest.tables.get(*name))
            .map(String::as_str)
            .collect();
        find(
            "content",
            if differing.is_empty() {
                Ok(message!("{rows} rows, as in the manifest", rows = manifest.rows()))
            } else {
                Err(message!(
                    "these tables are not as in the manifest: {tables}",
                    tables = differing.join(", ")
                ))
            },
        );
    }
    Ok(content)
}

fn in_words(wrong: Vec<Message>) -> Result<Message, Message> {
    let joined = |wrong, hint| message!("{wrong}; {hint}", wrong = wrong, hint = hint);
    wrong.into_iter().reduce(joined).map_or_else(|| Ok(message!("nothing is wrong")), Err)
}

fn print_content(content: &BTreeMap<String, Content>, global: &Global) -> Result<(), Failure> {
    let mut rows = titled(&[message!("Table"), message!("Rows"), message!("Digest")], global.lang);
    for (name, table) in content {
        rows.add_row([name, &table.rows.to_string(), &table.digest]);
    }
    align_right(&mut rows, &[1]);
    data(&rows.to_string())?;
    Ok(())
}
