//! The manifest of a backup: a JSON file beside it, written last. It says what the backup is, and what must be found in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::failure::Failure;
use super::shared::unusable;
use crate::message;
use crate::store::{TableContent, newest_schema};

/// Form of the manifest. A version that writes another form raises the number.
const FORMAT: u64 = 1;
/// What a manifest names as its application.
const APPLICATION: &str = "wim-match";
/// Ending of the name.
const ENDING: &str = ".manifest.json";
/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;
/// Most bytes of a manifest.
const MOST: u64 = 1 << 20;

/// The manifest of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u64,
    application: String,
    /// Version of wim-match that made the backup.
    pub(super) version: String,
    /// The newest migration of the database.
    pub(super) schema: Schema,
    /// The moment at which the copy began: what was acknowledged before is in it.
    pub(super) time: Timestamp,
    /// Bytes of the file.
    pub(super) size: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub(super) sha256: String,
    /// Rows and digest of each table.
    pub(super) tables: BTreeMap<String, Content>,
}

/// A migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Schema {
    pub(super) number: i64,
    pub(super) name: String,
}

/// The content of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) rows: u64,
    pub(super) digest: String,
}

/// The fields of every form.
#[derive(Deserialize)]
struct AnyForm {
    format: u64,
    application: String,
    version: String,
}

impl Manifest {
    pub(super) fn new(
        schema: (i64, String),
        time: Timestamp,
        (size, sha256): (u64, String),
        tables: BTreeMap<String, TableContent>,
    ) -> Self {
        Self {
            format: FORMAT,
            application: APPLICATION.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            schema: Schema { number: schema.0, name: schema.1 },
            time,
            size,
            sha256,
            tables: contents(tables),
        }
    }

    /// Number of rows in all tables.
    pub(super) fn rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }

    /// Writes the manifest into an empty file, and syncs it.
    pub(super) fn write(&self, file: &mut File) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        writeln!(file, "{text}")?;
        file.sync_all()
    }

    /// Reads the manifest of the backup `file`, of which this version must know form and schema.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let (shown, path) = (file.display().to_string(), path_of(file));
        if !file.exists() {
            return Err(Failure::not_found(
                message!("there is no backup {file}", file = shown),
                message!("give the file that `wim-match admin backup` has written"),
            ));
        }
        let mut text = String::new();
        match File::open(&path).and_then(|opened| opened.take(MOST).read_to_string(&mut text)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::not_found(
                    message!(
                        "{file} is no whole backup: its manifest {manifest} does not exist",
                        file = shown,
                        manifest = path.display().to_string()
                    ),
                    message!("copy both files of the backup, or use another backup"),
                ));
            }
            Err(error) if error.kind() != io::ErrorKind::InvalidData => return Err(unusable(&path, &error)),
            _ => {}
        }
        let foreign = || {
            Failure::input(
                message!("{manifest} is no manifest of a backup", manifest = path.display().to_string()),
                message!("use another copy of the backup, or another backup"),
            )
        };
        let any: AnyForm = serde_json::from_str(&text).map_err(|_| foreign())?;
        if any.application != APPLICATION {
            return Err(foreign());
        }
        let newer = |version: &str| {
            Failure::input(
                message!(
                    "{file} was made by wim-match {version}, which is newer than this version",
                    file = shown.as_str(),
                    version = version
                ),
                message!("restore it with wim-match {version} or a later version", version = version),
            )
        };
        if any.format > FORMAT {
            return Err(newer(&any.version));
        }
        let manifest: Self = serde_json::from_str(&text).map_err(|_| foreign())?;
        if manifest.schema.number > newest_schema() {
            return Err(newer(&manifest.version));
        }
        Ok(manifest)
    }

    /// Fails if a file of this size and digest is not the one of the backup `file`.
    pub(super) fn compare(&self, file: &Path, (size, sha256): &(u64, String)) -> Result<(), Failure> {
        let wrong = if *size != self.size {
            message!("it has {found} bytes instead of {expected}", found = *size, expected = self.size)
        } else if *sha256 != self.sha256 {
            message!("its content is not the one of its manifest")
        } else {
            return Ok(());
        };
        Err(Failure::input(
            message!("{file} is damaged: {wrong}", file = file.display().to_string(), wrong = wrong),
            message!("use another copy of the backup, or another backup"),
        ))
    }
}

/// The contents of tables in the form of the manifest.
pub(super) fn contents(tables: BTreeMap<String, TableContent>) -> BTreeMap<String, Content> {
    let content = |TableContent { rows, digest }| Content { rows, digest };
    tables.into_iter().map(|(name, table)| (name, content(table))).collect()
}

/// The path of the manifest of a backup.
pub(super) fn path_of(file: &Path) -> PathBuf {
    with_ending(file, ENDING)
}

/// The path of a file until it is complete.
pub(super) fn part_of(file: &Path) -> PathBuf {
    with_ending(file, ".part")
}

/// A path with an ending behind its name.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Size and SHA-256 of what is left to read, which goes to `copy` as well.
pub(super) fn digest(from: &mut impl io::Read, copy: &mut impl io::Write) -> io::Result<(u64, String)> {
    let (mut digest, mut size, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok((size, hex::encode(digest.finalize()))),
            Ok(read) => {
                digest.update(&piece[..read]);
                copy.write_all(&piece[..read])?;
                size += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
