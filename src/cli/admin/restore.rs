//! `wim-match admin restore`: puts a backup in the place of a SQLite database.
//!
//! The backup is copied beside the database, compared with its manifest and checked as a database. Only then the files of
//! the earlier database are set aside, and the copy takes their place. An error leaves everything as it was. Nobody has the
//! database open meanwhile. A service that starts meanwhile waits, or refuses to create a database in the empty place.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::super::doctor;
use super::super::failure::Failure;
use super::super::first_token;
use super::super::global::{ConfigArgs, Global};
use super::manifest::{Manifest, digest, with_ending};
use super::shared::{in_words, only_sqlite, shown, unusable};
use crate::client::output::{data, say, tell};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::message::Message;
use crate::error::Error;
use crate::message;
use crate::service::Service;
use crate::store::{Check, OwnedCredential, Place, Scope, Store, create_alone};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The backup. Its manifest must be beside it.
    file: PathBuf,
    /// Set the present database aside, under a name that ends in the time, and put the backup in its place.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What a restore has done.
struct Restored {
    manifest: Manifest,
    /// Where the files of the earlier database are now.
    aside: Option<PathBuf>,
    /// The first token of the earlier database, if it is still beside the restored one, and why.
    token_left: Option<(PathBuf, io::Error)>,
    /// Tokens that the restored database accepts.
    live: Vec<OwnedCredential>,
    /// Those of them that the earlier database had revoked.
    revived: Vec<OwnedCredential>,
    /// Live tokens of the earlier database that the restored one does not know.
    lost: usize,
    /// People whom the earlier database has erased since the backup, if it could be read.
    erased: usize,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let config = options.config.load(None)?;
    let Some(database) = doctor::sqlite_file(&config) else { return Err(only_sqlite("admin restore")) };
    let restored = restore(&options.file, &database, options.replace).await?;
    report(&restored, (&database, &config.database_for_display()), global)
}

async fn restore(file: &Path, database: &Path, replace: bool) -> Result<Restored, Failure> {
    let manifest = Manifest::read(file)?;
    // Read before the place is locked: a lock on a file ends when the process closes any handle of the file.
    let (earlier, erasures) =
        if replace { held_by(database).await.unwrap_or_default() } else { Default::default() };
    let erased = erasures.iter().filter(|time| **time > manifest.time).count();
    let Some(place) = Place::lock(database).map_err(|error| unusable(database, &error))? else {
        return Err(Failure::conflict(
            message!("a process uses {database}", database = database.display().to_string()),
            message!("stop the service and every command on this database, then restore again"),
        ));
    };
    // What is beside the database is beside the file that a symbolic link leads to.
    let real = place.database();
    if !replace && real.try_exists().map_err(|error| unusable(real, &error))? {
        return Err(Failure::conflict(
            message!("{database} exists already", database = database.display().to_string()),
            message!(
                "restore to another file with --database, or set the present database aside with --replace"
            ),
        ));
    }
    let copy = place.copy();
    // A service must not create a database here after this restore has failed as well.
    let was_interrupted = copy.exists() && !real.exists();
    // Held until the copy has the place: another restore into this place is refused, and what it writes stays.
    let Some(mut held) = create_alone(&copy).map_err(|error| unusable(&copy, &error))? else {
        return Err(Failure::conflict(
            message!("another process writes to {file}", file = copy.display().to_string()),
            message!("wait for its end, or give the name of another file"),
        ));
    };
    let restored = match prepare(file, &manifest, (&copy, &mut held)).await {
        Ok(live) => take_place(&place, &copy).map(|taken| (live, taken)),
        Err(failure) => Err(failure),
    };
    let (live, (aside, token_left)) = match restored {
        Ok(restored) => restored,
        Err(failure) => {
            // What is left of the copy is of no use.
            if !was_interrupted {
                let _ = fs::remove_file(&copy);
            }
            return Err(failure);
        }
    };
    let known: BTreeSet<&str> = live.iter().map(|token| token.credential.id.as_str()).collect();
    let lost = earlier
        .iter()
        .filter(|token| token.is_live() && !known.contains(token.credential.id.as_str()))
        .count();
    let revoked: BTreeSet<&str> =
        earlier.iter().filter(|token| !token.is_live()).map(|token| token.credential.id.as_str()).collect();
    let revived =
        live.iter().filter(|token| revoked.contains(token.credential.id.as_str())).cloned().collect();
    Ok(Restored { manifest, aside, token_left, live, revived, lost, erased })
}

/// Copies the backup to the empty file `copy`, checks it, and returns the tokens that it accepts.
async fn prepare(
    file: &Path,
    manifest: &Manifest,
    (copy, new): (&Path, &mut File),
) -> Result<Vec<OwnedCredential>, Failure> {
    let unwritable = |error: io::Error| unusable(copy, &error);
    let mut backup = File::open(file).map_err(|error| unusable(file, &error))?;
    let found = digest(&mut backup, new).map_err(unwritable)?;
    manifest.compare(file, &found)?;
    new.sync_all().map_err(unwritable)?;
    let damaged = |wrong: Message, details: Vec<Message>| {
        let told = message!("{file} is damaged: {wrong}", file = file.display().to_string(), wrong = wrong);
        Failure::input(told, message!("use another copy of the backup, or another backup"))
            .with_details(details)
    };
    let unreadable = |error: Error| Failure::of_database(error.into(), &file.display().to_string());
    let store = Store::open_copy(copy).await.map_err(unreadable)?;
    let checked = async {
        for check in [Check::Integrity, Check::ForeignKeys] {
            let result = store.check(&Scope::System, check).await.map_err(unreadable)?;
            if !result.wrong.is_empty() {
                return Err(damaged(message!("it does not pass the check of the database"), result.wrong));
            }
        }
        match store.schema().await.map_err(unreadable)? {
            Some((number, _)) if number == manifest.schema.number => {}
            _ => return Err(damaged(message!("its content is not the one of its manifest"), Vec::new())),
        }
        // Fails if an applied migration has another text.
        store.pending_migrations().await.map_err(unreadable)?;
        live_tokens(&store).await.map_err(unreadable)
    };
    let live = checked.await;
    store.close().await;
    live
}

/// What has left the place: the new name of the earlier database, and its first token if that could not be moved.
type Left = (Option<PathBuf>, Option<(PathBuf, io::Error)>);

/// Sets the earlier files aside and puts the copy in their place. After that, nothing is an error: the restore is done.
fn take_place(place: &Place, copy: &Path) -> Result<Left, Failure> {
    let database = place.database();
    let ending = format!(".replaced-{}", SystemClock.now().strftime("%Y%m%dT%H%M%SZ"));
    let aside = place.replace(copy, &ending).map_err(|error| unusable(database, &error))?;
    // A first token beside the database belongs to the earlier one.
    let first = with_ending(database, first_token::SUFFIX);
    let mut left = None;
    if aside.is_some() && first.exists() {
        let to = with_ending(&with_ending(database, &ending), first_token::SUFFIX);
        left = fs::rename(&first, to).err().map(|error| (first, error));
    }
    Ok((aside, left))
}

/// All tokens of a database, and when each of its erasures was requested. A database that may be damaged or of another
/// application has none.
async fn held_by(database: &Path) -> Option<(Vec<OwnedCredential>, Vec<Timestamp>)> {
    if !database.exists() {
        return None;
    }
    let store = Store::open_to_read(database).await.ok()?;
    let service = Service::new(store, std::sync::Arc::new(SystemClock));
    let tokens = service.list_credentials().await.ok();
    // An older schema may have no erasures.
    let erasures = service.store().all_tombstones(&Scope::System).await.unwrap_or_default();
    service.store().close().await;
    Some((tokens?, erasures.into_iter().map(|(.., time)| time).collect()))
}

async fn live_tokens(store: &Store) -> Result<Vec<OwnedCredential>, Error> {
    let service = Service::new(store.clone(), std::sync::Arc::new(SystemClock));
    let mut tokens = service.list_credentials().await?;
    tokens.retain(OwnedCredential::is_live);
    Ok(tokens)
}

/// One JSON object, and for people what was done and what is left to do.
fn report(restored: &Restored, (database, url): (&Path, &str), global: &Global) -> Result<(), Failure> {
    let Restored { manifest, aside, token_left, live, revived, lost, erased } = restored;
    let aside = aside.as_ref().map(|path| path.display().to_string());
    let time: Timestamp = manifest.time;
    if global.json {
        let ids: Vec<&str> = revived.iter().map(|token| token.credential.id.as_str()).collect();
        let object = serde_json::json!({
            "database": database.display().to_string(),
            "time": time.to_string(),
            "schema": manifest.schema.name,
            "rows": manifest.rows(),
            "set_aside": aside,
            "live_tokens": live.len(),
            "revived_tokens": ids,
            "lost_tokens": lost,
            "erased_since": erased,
        });
        data(&object.to_string())?;
    }
    let say_it = |told: Message| tell(&told, global.lang);
    say_it(message!(
        "{database} is the backup of {time}: {rows} rows; what was changed later is not in it",
        database = database.display().to_string(),
        time = shown(time),
        rows = manifest.rows()
    ));
    if let Some(aside) = &aside {
        say_it(message!("the earlier database is now {file}", file = aside));
    }
    if let Some((file, error)) = token_left {
        say_it(message!(
            "warning: {file} belongs to the earlier database and cannot be moved: {error}",
            file = file.display().to_string(),
            error = error.to_string()
        ));
    }
    say_it(message!(
        "{tokens|1 token is|{tokens} tokens are} live again as at that time; revoke those that were revoked since",
        tokens = live.len()
    ));
    for token in revived {
        say_it(message!(
            "revoked in the earlier database: {token}; run `{command}`",
            token = in_words(token),
            command = format!("wim-match admin token revoke {} --database {url}", token.credential.id)
        ));
    }
    if *erased > 0 {
        let earlier = aside.as_ref().map_or_else(String::new, |file| format!(" --database sqlite:{file}"));
        say_it(message!(
            "erased since the backup: {people|1 person|{people} people}; erase them again with `{list}`, then `{repeat}`",
            people = *erased,
            list = format!("wim-match admin erasure list{earlier} > erased.jsonl"),
            repeat = format!("wim-match admin erasure repeat erased.jsonl --database {url}")
        ));
    }
    if *lost > 0 {
        say_it(message!(
            "{tokens|1 token that was|{tokens} tokens that were} created later no longer exist",
            tokens = *lost
        ));
    }
    say_it(message!(
        "the next start of the service brings the schema up to date and executes interrupted runs again"
    ));
    say(&format!("      wim-match admin check --database {url}"));
    Ok(())
}
