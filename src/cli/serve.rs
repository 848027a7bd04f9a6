//! `wim-match serve`.

use std::io::ErrorKind;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::first_token;
use super::global::ConfigArgs;
use crate::client::output::tell;
use crate::domain::vocabulary::Lang;
use crate::server::Server;
use crate::{config, message, telemetry};

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

pub(super) async fn run(options: Options, lang: Lang) -> Result<(), Failure> {
    let config = options.config.load(options.listen)?;
    telemetry::init(&config.log_filter, config.log_format)?;
    // Before the service is told to be ready: from then on a signal stops it in order.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = bind(&config).await?;
    let shown = config.database_for_display();
    let server = match Server::start(config.clone(), listener).await {
        Ok(server) => server,
        Err(error) => return Err(Failure::of_database(error, &shown)),
    };
    let address = format!("http://{}", server.address());
    tell(&message!("wim-match listens on {address}", address = address), lang);
    if let Err(failure) =
        first_token::hand_out(server.service(), &config, &server.address().to_string(), lang).await
    {
        server.stop().await?;
        return Err(failure);
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = server.failed() => {
            server.stop().await?;
            return Err(Failure::other(message!(
                "a part of the service failed; correct the cause that the log names, then start it again"
            )));
        }
    }
    tell(&message!("stopping: open calls may finish, and the current run is put back into the queue"), lang);
    server.stop().await?;
    Ok(())
}

async fn bind(config: &config::Config) -> Result<TcpListener, Failure> {
    let address = config.listen;
    TcpListener::bind(address).await.map_err(|error| {
        let (problem, remedy) = match error.kind() {
            ErrorKind::AddrInUse => (
                message!(
                    "cannot listen on {address}: another process uses it",
                    address = address.to_string()
                ),
                message!(
                    "stop that process, or choose another address with --listen (port 0 takes a free port)"
                ),
            ),
            ErrorKind::PermissionDenied => (
                message!(
                    "cannot listen on {address}: this user may not use the port",
                    address = address.to_string()
                ),
                message!(
                    "choose a port from 1024 on with --listen, or give the service CAP_NET_BIND_SERVICE"
                ),
            ),
            ErrorKind::AddrNotAvailable => (
                message!(
                    "cannot listen on {address}: this machine does not have the address",
                    address = address.to_string()
                ),
                message!("choose an address of this machine with --listen; 0.0.0.0 takes all of them"),
            ),
            _ => (
                message!(
                    "cannot listen on {address}: {error}",
                    address = address.to_string(),
                    error = error.to_string()
                ),
                message!("choose another address with --listen (port 0 takes a free port)"),
            ),
        };
        Failure::obstacle(problem, remedy)
    })
}
