//! What several commands of the operator share: the database behind the configuration, and words for tokens, times and files.

use std::path::Path;
use std::sync::Arc;

use super::super::doctor;
use super::super::failure::Failure;
use super::super::global::ConfigArgs;
use crate::clock::SystemClock;
use crate::domain::credential::Shown;
use crate::message;
use crate::service::Service;
use crate::store::OwnedCredential;

/// The use cases over the configured database, whose schema must be up to date.
pub(super) async fn open(config: &ConfigArgs) -> Result<Service, Failure> {
    let config = config.load(None)?;
    let store = doctor::open(&config).await?;
    if !store.pending_migrations().await?.is_empty() {
        let place = format!(" --database {}", config.database_for_display());
        return Err(Failure::input(
            message!("the schema of the database is not up to date"),
            message!("run `{command}`", command = format!("wim-match admin migrate{place}")),
        ));
    }
    Ok(Service::new(store, Arc::new(SystemClock)))
}

/// Why `command` does not work on PostgreSQL.
pub(super) fn only_sqlite(command: &str) -> Failure {
    Failure::input(
        message!("`{command}` works on SQLite alone, and this database is PostgreSQL", command = command),
        message!(
            "use the scripts in {folder}, which README.md describes there",
            folder = "deploy/postgresql"
        ),
    )
}

/// A file that cannot be read or written.
pub(super) fn unusable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::input(
        message!(
            "{file} cannot be read or written: {error}",
            file = file.display().to_string(),
            error = error.to_string()
        ),
        message!(
            "check the path, the free space and the permissions; run the command as the user of the service"
        ),
    )
}

/// Whether two paths lead to one file.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// A token on one line: first characters, roles, label, id.
pub(super) fn in_words(token: &OwnedCredential) -> String {
    let (label, id) = (&token.credential.label, &token.credential.id);
    let label = if label.is_empty() { String::new() } else { format!(", \"{label}\"") };
    format!("{}, {}{label}, id {id}", prefix_of(token), roles_of(token).join(", "))
}

/// What people may see of a credential: the first characters of a token, otherwise its kind.
pub(super) fn prefix_of(token: &OwnedCredential) -> String {
    match &token.credential.shown {
        Shown::Token { prefix } => format!("{prefix}…"),
        other => other.kind().as_str().to_owned(),
    }
}

/// A moment to the second, in UTC.
pub(super) fn shown(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The roles that nobody has ended, each as `role` or `role@organisation`.
pub(super) fn roles_of(token: &OwnedCredential) -> Vec<String> {
    token.grants.iter().map(|grant| grant.role.to_string()).collect()
}
