//! `wim-match privacy erase|erasure`: the rights of a person whose profile is stored.

use clap::Subcommand;

use super::failure::Failure;
use super::global::Global;
use super::names::{long_name, name};
use crate::client::output::{data, json, tell};
use crate::client::{request_id, v1};
use crate::domain::message::Message;
use crate::message;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Erase a person: her profile with all versions, and what runs and the lists of others say of her. It cannot be undone.
    Erase {
        /// The person, as ORGANISATION/ID.
        person: String,
        /// Erase nothing, and count what would be erased.
        #[arg(long)]
        validate_only: bool,
    },
    /// Show how far an erasure has come.
    Erasure {
        /// Id of the erasure, which `privacy erase` printed.
        id: String,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let mut client = global.client().await?;
    match command {
        Command::Erase { person, validate_only } => {
            let request = v1::EraseProfileRequest {
                name: long_name(&person)?,
                request_id: if validate_only { String::new() } else { request_id() },
                validate_only,
            };
            let answer = client.privacy.erase_profile(request).await?.into_inner();
            let erasure = answer.erasure.unwrap_or_default();
            if validate_only {
                let counts = erasure.counts.unwrap_or_default();
                if global.json {
                    return Ok(json(&counts)?);
                }
                let told = message!(
                    "would be erased: {versions|1 version of the profile|{versions} versions of the profile}, {enrolments|1 enrolment|{enrolments} enrolments} and what {runs|1 run says|{runs} runs say} of her; nothing was erased (--validate-only)",
                    versions = counts.versions,
                    enrolments = counts.enrolments,
                    runs = counts.runs
                );
                tell(&told, global.lang);
                return Ok(());
            }
            show(&erasure, global)
        }
        Command::Erasure { id } => {
            let request = v1::GetErasureRequest { name: name("erasures/", &id) };
            let answer = client.privacy.get_erasure(request).await?.into_inner();
            show(&answer.erasure.unwrap_or_default(), global)
        }
    }
}

fn show(erasure: &v1::Erasure, global: &Global) -> Result<(), Failure> {
    if global.json {
        return Ok(json(erasure)?);
    }
    data(&erasure.name)?;
    tell(&told(erasure), global.lang);
    Ok(())
}

fn told(erasure: &v1::Erasure) -> Message {
    if erasure.done {
        message!(
            "the person is erased; enrolments and matches that remain have the name {surrogate}",
            surrogate = &erasure.surrogate
        )
    } else {
        message!(
            "the erasure goes on; `{command}` shows its end",
            command = format!("wim-match privacy erasure {}", erasure.name)
        )
    }
}
