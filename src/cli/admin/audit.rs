//! `wim-match admin audit`: lists, verifies and anchors the audit, at the database itself.

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::super::failure::Failure;
use super::super::global::{ConfigArgs, Global};
use super::shared::{open, shown};
use crate::client::output::{data, tell, titled};
use crate::domain::audit::{AuditEntry, AuditFault, Head, VerifiedAudit};
use crate::message;
use crate::store::JournalFilter;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List the entries by time: who changed what, and when.
    List(ListOptions),
    /// Verify the chain of all entries, and name the first bad one.
    Verify {
        /// A head that `head` printed earlier: entries up to it that were changed or cut off are found.
        #[arg(long, value_name = "HEAD")]
        anchor: Option<String>,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print the head of the chain, to keep it outside of the database.
    Head {
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListOptions {
    /// Entries from this moment on, such as 2027-03-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Entries before this moment.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Entries of this actor alone.
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Entries on the resource of this name alone.
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
    /// Print at most NUMBER entries.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::List(ListOptions { since, until, actor, resource, limit, config }) => {
            let service = open(&config).await?;
            let filter = JournalFilter { from: since, until, actor, resource };
            let entries = service.list_audit(&filter, limit).await?;
            service.store().close().await;
            list(&entries, global)
        }
        Command::Verify { anchor, config } => {
            let anchor = anchor.as_deref().map(parse).transpose()?;
            let service = open(&config).await?;
            let verified = service.verify_audit(anchor).await?;
            service.store().close().await;
            report(&verified, global)
        }
        Command::Head { config } => {
            let service = open(&config).await?;
            let head = service.audit_head().await?;
            service.store().close().await;
            if global.json {
                let object = serde_json::json!({ "position": head.position, "hash": head.hash_in_hex(), "head": head.to_string() });
                data(&object.to_string())?;
            } else {
                data(&head.to_string())?;
            }
            Ok(())
        }
    }
}

fn parse(anchor: &str) -> Result<Head, Failure> {
    anchor.parse().map_err(|wrong: crate::domain::message::Message| {
        let told = message!("{field}: `{value}` {wrong}", field = "--anchor", value = anchor, wrong = wrong);
        Failure::input(told, "")
    })
}

/// One JSON object per entry, or a table.
fn list(entries: &[AuditEntry], global: &Global) -> Result<(), Failure> {
    let header = [
        message!("Number"),
        message!("Time"),
        message!("Actor"),
        message!("Action"),
        message!("Resource"),
        message!("Detail"),
    ];
    let mut rows = titled(&header, global.lang);
    for entry in entries {
        if global.json {
            let object = serde_json::json!({
                "number": entry.sequence,
                "time": entry.time.to_string(),
                "actor": entry.actor,
                "organisation": entry.organisation,
                "action": entry.action,
                "resource": entry.resource,
                "version": entry.version,
                "detail": entry.detail,
                "position": entry.seal.map(|seal| seal.position),
                "hash": entry.seal.map(|seal| seal.hash_in_hex()),
            });
            data(&object.to_string())?;
            continue;
        }
        let (number, time) = (entry.sequence.to_string(), shown(entry.time));
        rows.add_row([&number, &time, &entry.actor, &entry.action, &entry.resource, &entry.detail]);
    }
    if !global.json {
        data(&rows.to_string())?;
    }
    Ok(())
}

/// What the verification has found; a fault is a failure.
fn report(verified: &VerifiedAudit, global: &Global) -> Result<(), Failure> {
    if global.json {
        let object = serde_json::json!({
            "entries": verified.entries,
            "head": verified.head.to_string(),
            "first_bad_position": verified.fault.as_ref().map(AuditFault::position),
            "fault": verified.fault.as_ref().map(|fault| fault.message().to_string()),
        });
        data(&object.to_string())?;
    }
    if let Some(fault) = &verified.fault {
        return Err(Failure::input(
            fault.message(),
            message!("keep the database as it is, and compare it with the last backup that verifies"),
        ));
    }
    tell(
        &message!(
            "{entries|1 entry of the audit was|{entries} entries of the audit were} verified; the head is {head}",
            entries = verified.entries,
            head = verified.head.to_string()
        ),
        global.lang,
    );
    Ok(())
}
