//! `wim-match admin backup`: an online copy of a SQLite database, with a manifest beside it.
//!
//! The copy has a name of its own until it is complete and synced; its manifest is written after it. So an interrupted backup
//! leaves no file that looks like a backup, and an earlier backup of the same name stays until the new one is complete.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::doctor::{self, missing};
use super::super::failure::Failure;
use super::super::global::{ConfigArgs, Global};
use super::manifest::{Manifest, digest, part_of, path_of};
use super::shared::{only_sqlite, unusable};
use crate::client::output::{data, tell};
use crate::clock::{Clock as _, Stopwatch, SystemClock};
use crate::message;
use crate::store::{Scope, Store, create_alone, sync_folder};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// File to write. Its manifest is written beside it, as FILE.manifest.json.
    file: PathBuf,
    /// Replace an earlier backup of this name.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let config = options.config.load(None)?;
    let Some(database) = doctor::sqlite_file(&config) else { return Err(only_sqlite("admin backup")) };
    if let Some(file) = missing(&config) {
        return Err(Failure::not_found(
            message!("there is no database {file}", file = file),
            message!(
                "give the database of `wim-match serve` with --database, --config or WIM_MATCH_DATABASE"
            ),
        ));
    }
    let file = &options.file;
    may_write(file, &database, options.replace)?;
    let time = Stopwatch::start();
    let manifest = back_up(&database, file).await?;
    let seconds = time.elapsed().as_millis();
    if global.json {
        let mut object = serde_json::to_value(&manifest).map_err(anyhow::Error::from)?;
        object["file"] = file.display().to_string().into();
        object["millis"] = u64::try_from(seconds).unwrap_or(u64::MAX).into();
        data(&object.to_string())?;
    }
    let tenths = i128::try_from(seconds / 100).unwrap_or(i128::MAX);
    tell(
        &message!(
            "{file}: {rows} rows in {bytes} bytes, in {seconds} seconds",
            file = file.display().to_string(),
            rows = manifest.rows(),
            bytes = manifest.size,
            seconds = crate::domain::message::MessageValue::Decimal { units: tenths, places: 1 }
        ),
        global.lang,
    );
    Ok(())
}

/// Fails if the file exists and may not be replaced, or if it belongs to the database.
fn may_write(file: &Path, database: &Path, replace: bool) -> Result<(), Failure> {
    let shown = file.display().to_string();
    if is_same(file, database) {
        return Err(Failure::conflict(
            message!("{file} is the database itself", file = shown),
            message!("give the name of another file"),
        ));
    }
    let is_taken = |path: &Path| path.try_exists().map_err(|error| unusable(path, &error));
    if !replace && (is_taken(file)? || is_taken(&path_of(file))?) {
        return Err(Failure::conflict(
            message!("{file} exists already, or its manifest does", file = shown),
            message!("give the name of a new file, or replace the backup with --replace"),
        ));
    }
    Ok(())
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

async fn back_up(database: &Path, file: &Path) -> Result<Manifest, Failure> {
    let part = part_of(file);
    let unwritable = |error: io::Error| unusable(&part, &error);
    if create_alone(&part).map_err(unwritable)?.is_none() {
        return Err(Failure::conflict(
            message!("another process writes to {file}", file = part.display().to_string()),
            message!("wait for its end, or give the name of another file"),
        ));
    }
    let made = match copy(database, &part).await {
        Ok(manifest) => publish(&manifest, &part, file).map_err(unwritable).map(|()| manifest),
        Err(failure) => Err(failure),
    };
    if made.is_err() {
        // What is left of it is of no use; the next backup of this name would empty it.
        let _ = fs::remove_file(&part);
    }
    made
}

/// Copies the database into the empty file `part`, and describes the copy.
async fn copy(database: &Path, part: &Path) -> Result<Manifest, Failure> {
    let shown = database.display().to_string();
    let of_database = |error: crate::error::Error| Failure::of_database(error.into(), &shown);
    let origin = Store::open_to_read(database).await.map_err(of_database)?;
    let time = SystemClock.now();
    let copied = match origin.schema().await {
        Ok(None) => Err(Failure::input(
            message!(
                "{database} is no database of wim-match, or has no schema yet",
                database = shown.as_str()
            ),
            message!(
                "give the database of `wim-match serve` with --database, --config or WIM_MATCH_DATABASE"
            ),
        )),
        Ok(Some(_)) => origin.copy_into(&Scope::System, part).await.map_err(of_database),
        Err(error) => Err(of_database(error)),
    };
    origin.close().await;
    copied?;
    let whole = part.to_owned();
    let digested = tokio::task::spawn_blocking(move || digest(&mut File::open(&whole)?, &mut io::sink()));
    let store = Store::open_copy(part).await?;
    let (bytes, tables, schema) = tokio::join!(digested, store.content(&Scope::System), store.schema());
    store.close().await;
    let bytes = bytes.map_err(anyhow::Error::from)?.map_err(|error| unusable(part, &error))?;
    let schema =
        schema?.ok_or_else(|| Failure::from(crate::error::Error::internal("the copy has no schema")))?;
    Ok(Manifest::new(schema, time, bytes, tables?))
}

/// Gives the complete copy its name, and then writes its manifest.
fn publish(manifest: &Manifest, part: &Path, file: &Path) -> io::Result<()> {
    // An earlier manifest would not fit the new file.
    match fs::remove_file(path_of(file)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(part, file)?;
    manifest.write(file)?;
    sync_folder(file)
}
