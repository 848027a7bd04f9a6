//! The first API token of a new database: shown on a terminal, or else written to a file that only its owner may read.
//! Standard output that is no terminal may be a journal that many people read.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use super::failure::Failure;
use crate::client::output::{data, say, tell};
use crate::client::private;
use crate::config::Config;
use crate::domain::vocabulary::Lang;
use crate::message;
use crate::service::Service;
use crate::store::{real_path, sqlite_file};

/// Ending of the file's name.
pub(super) const SUFFIX: &str = ".first-token";

/// Creates the first token, if no token was ever created, and hands it to the operator. `address` is the service's. If no
/// coordinator has a live token any more, the operator is told how to create one.
pub(super) async fn hand_out(
    service: &Service,
    config: &Config,
    address: &str,
    lang: Lang,
) -> Result<(), Failure> {
    let database = config.database_for_display();
    let place = match database.strip_prefix("sqlite:") {
        Some(_) => format!(" --database {database}"),
        // The URL may need a password, which is not shown.
        None => " --database URL".to_owned(),
    };
    if service.has_credential().await? {
        if !service.has_coordinator().await? {
            tell(&message!("warning: no coordinator has a token any more"), lang);
            let command = format!("wim-match admin token create --role coordinator{place}");
            tell(&message!("hint: `{command}` creates one", command = command), lang);
        }
        return Ok(());
    }
    let token = if std::io::stdout().is_terminal() {
        let Some(token) = service.issue_first_token().await? else { return Ok(()) };
        tell(
            &message!(
                "First API token, roles secretariat and coordinator. It is shown only now; store it safely:"
            ),
            lang,
        );
        data(&token)?;
        "TOKEN".to_owned()
    } else {
        let path = path_beside(config.database.expose_secret());
        if !write(service, &path).await? {
            return Ok(());
        }
        let shown = path.display().to_string();
        tell(
            &message!(
                "First API token, roles secretariat and coordinator: in the file {file}, which only its owner may read",
                file = &shown
            ),
            lang,
        );
        tell(&message!("Move it to a safe place, and delete the file."), lang);
        format!("\"$(cat {shown})\"")
    };
    let next = format!("export WIM_MATCH_TOKEN={token} WIM_MATCH_SERVER={address}");
    tell(&message!("next: {command}", command = next), lang);
    say("      wim-match invite --role secretariat");
    say("      wim-match organisation create ID --name NAME --country CC");
    say(&format!("      wim-match admin token create --role organisation-manager --organisation ID{place}"));
    Ok(())
}

/// Writes the token to a new file. The file is made first: a token that cannot be handed out must not be created.
async fn write(service: &Service, path: &Path) -> Result<bool, Failure> {
    let cannot = |error: std::io::Error| {
        let wrong = message!(
            "the first API token cannot be written to {file}: {error}",
            file = path.display().to_string(),
            error = error.to_string()
        );
        let hint = message!(
            "let this user write to that folder, or create a token with `{command}` on the same database before the start",
            command = "wim-match admin token create --role coordinator"
        );
        Failure::input(wrong, hint)
    };
    // Left over from an earlier database of this name.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(cannot(error)),
        _ => {}
    }
    let mut file = private::create_new(path).map_err(cannot)?;
    let Some(token) = service.issue_first_token().await? else {
        std::fs::remove_file(path).map_err(cannot)?;
        return Ok(false);
    };
    writeln!(file, "{token}").and_then(|()| file.sync_all()).map_err(cannot)?;
    Ok(true)
}

/// The file beside a SQLite database, behind symbolic links; for PostgreSQL, in the service's folder of state or in the present folder.
fn path_beside(database: &str) -> PathBuf {
    if let Some(file) = sqlite_file(database) {
        let mut name = real_path(&file).into_os_string();
        name.push(SUFFIX);
        PathBuf::from(name)
    } else {
        let folder = std::env::var_os("STATE_DIRECTORY").map(PathBuf::from).unwrap_or_default();
        folder.join(format!("wim-match{SUFFIX}"))
    }
}
