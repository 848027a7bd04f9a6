//! `wim-match serve`.

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::global::ConfigArgs;
use crate::client::output::say;
use crate::server::Server;
use crate::{config, telemetry};

/// Printed below the help of `serve`.
const HELP: &str = "\
Settings come from the defaults, the file of --config, environment variables such as WIM_MATCH_LISTEN and
WIM_MATCH_DATABASE, and flags. A later source overrides an earlier one. `wim-match doctor --settings` prints the
configuration file with all defaults.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Options {
    /// Address to listen on [default: 127.0.0.1:50051; env: WIM_MATCH_LISTEN].
    #[arg(long)]
    listen: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let config = options.config.load(options.listen)?;
    telemetry::init(&config.log_filter, config.log_format)?;
    let listener = bind(&config).await?;
    let server = Server::start(config, listener).await?;
    say(&format!("wim-match listens on http://{}", server.address()));
    if let Some(token) = server.service().issue_first_token().await? {
        say("First API token, role coordinator. It is shown only now; store it safely:");
        crate::client::output::data(&token)?;
        say(&format!("next: export WIM_MATCH_TOKEN=TOKEN WIM_MATCH_SERVER=http://{}", server.address()));
        say("      wim-match organisation create ID --name NAME --country CC");
        say("      wim-match admin token create --role organisation-manager --organisation ID");
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = server.failed() => say("error: a part of the service failed; correct the cause that the log names, then start it again"),
    }
    say("stopping: open calls may finish, and the current run is put back into the queue");
    server.stop().await?;
    Ok(())
}

async fn bind(config: &config::Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.listen).await.map_err(|error| {
        anyhow::anyhow!(
            "cannot listen on {}: {error}; choose another address with --listen (port 0 takes a free port)",
            config.listen
        )
    })
}
