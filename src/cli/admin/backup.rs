//! `wim-match admin backup`: an online copy of a SQLite database, with a manifest beside it.
//!
//! The copy and its manifest have names of their own until both are complete and synced. So an interrupted backup leaves no
//! file that looks like a backup, and an earlier backup of the same name stays until the new one is complete. The unfinished
//! manifest is held meanwhile: two backups of one name at a time are refused.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::doctor::{self, missing};
use super::super::failure::Failure;
use super::super::global::{ConfigArgs, Global};
use super::manifest::{Manifest, digest, part_of, path_of};
use super::shared::{is_same, only_sqlite, unusable};
use crate::client::output::{data, tell};
use crate::client::private;
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
    let manifest = back_up(&database, file, options.replace).await?;
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

async fn back_up(database: &Path, file: &Path, replace: bool) -> Result<Manifest, Failure> {
    let (part, part_of_manifest) = (part_of(file), part_of(&path_of(file)));
    let unwritable = |error: io::Error| unusable(&part, &error);
    // Held until both files have their names. The copy cannot be held in its stead: SQLite opens and locks it.
    let Some(mut held) = create_alone(&part_of_manifest).map_err(unwritable)? else {
        return Err(Failure::conflict(
            message!("another process writes to {file}", file = part.display().to_string()),
            message!("wait for its end, or give the name of another file"),
        ));
    };
    let made = async {
        // Another backup of this name may have ended meanwhile.
        may_write(file, database, replace)?;
        remove(&part).map_err(unwritable)?;
        private::create_new(&part).map_err(unwritable)?;
        let manifest = copy(database, &part).await?;
        manifest.write(&mut held).and_then(|()| publish(file)).map_err(unwritable)?;
        Ok(manifest)
    };
    let made = made.await;
    if made.is_err() {
        // What is left is of no use. After an error of the last sync, both have their names.
        let _ = fs::remove_file(&part);
        let _ = fs::remove_file(&part_of_manifest);
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

/// Gives the complete copy and its complete manifest their names. Both are on the disk, so nothing is left that needs space.
fn publish(file: &Path) -> io::Result<()> {
    let manifest = path_of(file);
    fs::rename(part_of(file), file)?;
    fs::rename(part_of(&manifest), &manifest)?;
    sync_folder(file)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
