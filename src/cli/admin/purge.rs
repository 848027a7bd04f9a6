//! `wim-match admin purge`: deletes what the policy of retention no longer keeps, and reports it.

use clap::Args;

use super::super::failure::Failure;
use super::super::global::{ConfigArgs, Global};
use super::shared;
use crate::client::output::{align_right, data, titled};
use crate::service::{Purged, RULES};
use crate::{message, wording};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// Count what would be deleted, and delete nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let service = shared::open(&options.config).await?;
    let purged = if options.dry_run { service.count_purgeable().await } else { service.purge().await };
    service.store().close().await;
    report(&purged, options.dry_run, global)?;
    match purged.failures.into_iter().next() {
        Some((_, error)) => Err(Failure::from(error)),
        None => Ok(()),
    }
}

/// One JSON object, or a table with a row for each rule.
fn report(purged: &Purged, dry_run: bool, global: &Global) -> Result<(), Failure> {
    if global.json {
        let counts: Vec<serde_json::Value> = purged
            .counts
            .iter()
            .map(|(kind, count)| serde_json::json!({ "kind": kind.as_str(), "count": count }))
            .collect();
        let failed: Vec<&str> = purged.failures.iter().map(|(kind, _)| kind.as_str()).collect();
        data(&serde_json::json!({ "dry_run": dry_run, "purged": counts, "failed": failed }).to_string())?;
        return Ok(());
    }
    let counted = if dry_run { message!("Would be deleted") } else { message!("Deleted") };
    let mut rows = titled(&[counted, message!("What"), message!("Kept")], global.lang);
    for rule in RULES {
        let words = |text| wording::message(&text, global.lang);
        rows.add_row([purged.of(rule.kind).to_string(), words(rule.kind.what()), words(rule.kept())]);
    }
    align_right(&mut rows, &[0]);
    data(&rows.to_string())?;
    Ok(())
}
