//! `wim-match admin erasure`: the erasures of a database as a list, and everybody of a list erased again in a restored database.
//!
//! A list has tombstones, which are keyed hashes: it names nobody, so that it may be kept outside as long as any backup.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::super::failure::Failure;
use super::super::global::{ConfigArgs, Global};
use super::super::problem::text_of;
use super::shared::open;
use crate::client::output::{data, tell};
use crate::domain::erasure::ErasedPerson;
use crate::message;
use crate::service::RepeatedErasures;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Print the erasures of people who have not come back, one JSON object a line. The list names nobody.
    List {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Erase everybody of a list who is in the database, after a backup was restored that is older than her erasure.
    Repeat {
        /// The list that `admin erasure list` has printed from the database as it was before the restore.
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::List { config } => {
            let service = open(&config).await?;
            let erased = service.erased_people_of_all().await?;
            service.store().close().await;
            for one in &erased {
                data(&json!(one).to_string())?;
            }
            Ok(())
        }
        Command::Repeat { file, config } => {
            let erased = read(&file)?;
            let service = open(&config).await?;
            let repeated = Box::pin(service.repeat_erasures(&erased)).await;
            service.store().close().await;
            report(repeated?, global)
        }
    }
}

/// The list of a file. A line that is no erasure refuses all of it.
fn read(file: &Path) -> Result<Vec<ErasedPerson>, Failure> {
    let text = text_of(file)?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    lines
        .map(|(line, number): (&str, u64)| {
            serde_json::from_str(line).map_err(|_| {
                Failure::input(
                    message!(
                        "{file}, line {line}: is not an erasure",
                        file = file.display().to_string(),
                        line = number
                    ),
                    message!("use the output of `{command}`", command = "wim-match admin erasure list"),
                )
            })
        })
        .collect()
}

fn report(repeated: Option<RepeatedErasures>, global: &Global) -> Result<(), Failure> {
    let Some(RepeatedErasures { listed, erased }) = repeated else {
        return Err(Failure::input(
            message!("the list is from a database with another key of tombstones; nobody was erased"),
            message!("use the list of the database whose backup was restored"),
        ));
    };
    if global.json {
        data(&json!({ "listed": listed, "erased": erased }).to_string())?;
    }
    let told = message!(
        "erasures in the list: {listed}; people who were in the database and are erased again: {erased}",
        listed = listed,
        erased = erased
    );
    tell(&told, global.lang);
    Ok(())
}
