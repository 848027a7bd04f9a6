//! `wim-match whoami|invite|redeem`: the caller herself, and how somebody becomes a caller.

use clap::Args;

use super::admin::RoleArgs;
use super::failure::Failure;
use super::global::Global;
use crate::client::output::{data, json, tell};
use crate::message;

#[derive(Debug, Args)]
pub(super) struct InviteOptions {
    #[command(flatten)]
    role: RoleArgs,
}

#[derive(Debug, Args)]
pub(super) struct RedeemOptions {
    /// The secret of the invitation.
    secret: String,
    /// The name by which you want to be known here; it need not be your real name.
    #[arg(long)]
    handle: String,
    /// Language that you read, for example `es`; may be repeated, the best first.
    #[arg(long, value_name = "TAG")]
    language: Vec<String>,
    /// Your time zone, for example America/Lima.
    #[arg(long, value_name = "ZONE", default_value = "")]
    time_zone: String,
    /// What your first token is for.
    #[arg(long, default_value = "")]
    label: String,
}

/// Prints the handle of the caller and the roles of her calls.
pub(super) async fn who_am_i(global: &Global) -> Result<(), Failure> {
    let answer = global.client().await?.who_am_i().await?;
    if global.json {
        return Ok(json(&answer)?);
    }
    let handle = answer.principal.map(|principal| principal.handle).unwrap_or_default();
    Ok(data(&format!("{handle}: {}", answer.roles.join(", ")))?)
}

/// Prints the secret of a new invitation.
pub(super) async fn invite(options: InviteOptions, global: &Global) -> Result<(), Failure> {
    let answer = global.client().await?.invite(&options.role.draft()).await?;
    if global.json {
        return Ok(json(&answer)?);
    }
    data(&answer.secret)?;
    let told = message!(
        "an invitation for 72 hours; it is shown this once. The invited person runs `{command}`",
        command = "wim-match redeem"
    );
    tell(&told, global.lang);
    Ok(())
}

/// Redeems an invitation, and prints the first token.
pub(super) async fn redeem(options: RedeemOptions, global: &Global) -> Result<(), Failure> {
    let RedeemOptions { secret, handle, language, time_zone, label } = options;
    let answer = global.client().await?.redeem(&secret, (&handle, language, &time_zone), &label).await?;
    if global.json {
        return Ok(json(&answer)?);
    }
    data(&answer.token)?;
    tell(&message!("your token; it is shown this once, only its hash is stored"), global.lang);
    Ok(())
}
