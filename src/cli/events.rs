//! `wim-match events follow`: prints what happens, one line per event.

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::global::Global;
use crate::client::output::{data, json};
use crate::client::{follow, v1};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print each event that you may read, until the command is stopped.
    Follow(FollowOptions),
}

#[derive(Debug, Args)]
pub(super) struct FollowOptions {
    /// Go on after this cursor, which the last line that was worked off ends with.
    #[arg(long, value_name = "CURSOR", default_value = "", hide_default_value = true)]
    cursor: String,
    /// Begin with the oldest event that is kept.
    #[arg(long, conflicts_with = "cursor")]
    from_oldest: bool,
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let Command::Follow(FollowOptions { cursor, from_oldest }) = command;
    let client = global.client().await?;
    let print = |message: &v1::StreamEventsResponse| {
        if global.json {
            // Messages without an event too: their cursors keep a quiet reader's place from becoming too old.
            return json(message);
        }
        if let Some(event) = &message.event {
            data(&line(event, &message.cursor))?;
        }
        Ok(())
    };
    follow(&client, &cursor, from_oldest, print).await?;
    Ok(())
}

/// Time, kind, name, etag and cursor; `-` for a resource without etags.
fn line(event: &v1::Event, cursor: &str) -> String {
    let time = event.event_time.as_ref().and_then(crate::client::moment);
    let time = time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let kind = event.kind().as_str_name().trim_start_matches("EVENT_KIND_");
    let etag = if event.etag.is_empty() { "-" } else { &event.etag };
    format!("{time} {kind} {} {etag} {cursor}", event.name)
}
