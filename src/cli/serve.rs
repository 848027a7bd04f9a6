//! `wim-match serve`.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::first_token;
use super::global::ConfigArgs;
use crate::client::output::tell;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Overrides};
use crate::domain::vocabulary::Lang;
use crate::message;
use crate::server::{Listeners, Server};
use crate::telemetry::{Telemetry, log_panics};

/// Time for the last delivery of each signal to the collector.
const LAST_DELIVERY: Duration = Duration::from_secs(2);

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
    /// Allow addresses beyond loopback without TLS, because a proxy in front of the service terminates it.
    #[arg(long)]
    plain_text_behind_a_proxy: bool,
    /// Address of the console, the web pages of the working group [env: WIM_MATCH_CONSOLE_LISTEN; default: no console].
    #[arg(long, value_name = "ADDRESS")]
    console_listen: Option<String>,
    /// Origin under which browsers reach the console, such as `https://match.example.org` [env: WIM_MATCH_CONSOLE_ORIGIN].
    #[arg(long, value_name = "ORIGIN")]
    console_origin: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(options: Options, lang: Lang) -> Result<(), Failure> {
    let mut config = options.config.load(Some(Overrides {
        listen: options.listen,
        console_listen: options.console_listen,
        console_origin: options.console_origin,
        ..Overrides::default()
    }))?;
    config.plain_text_behind_a_proxy |= options.plain_text_behind_a_proxy;
    config.check_exposure()?;
    let instance = SystemClock.new_id().to_string();
    let telemetry = Telemetry::start(&config.log_filter, config.log_format, config.collector(), &instance)?;
    log_panics();
    let ended = serve(config, instance, lang).await;
    // The last lines are those that say how the service ended.
    let _ = tokio::task::spawn_blocking(move || telemetry.stop(LAST_DELIVERY)).await;
    ended
}

async fn serve(config: Config, instance: String, lang: Lang) -> Result<(), Failure> {
    // Before the service is told to be ready: from then on a signal stops it in order.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listeners = Listeners {
        calls: bind(config.listen, "--listen").await?,
        monitoring: match config.monitoring_address() {
            Some(address) => Some(bind(address, "`monitoring_listen`").await?),
            None => None,
        },
        console: match config.console_address() {
            Some(address) => Some(bind(address, "`console_listen`").await?),
            None => None,
        },
    };
    let shown = config.database_for_display();
    let server = match Server::start(config.clone(), listeners, instance).await {
        Ok(server) => server,
        Err(error) => return Err(Failure::of_database(error, &shown)),
    };
    let scheme = if config.has_tls() { "https" } else { "http" };
    let address = format!("{scheme}://{}", server.address());
    tell(&message!("wim-match listens on {address}", address = &address), lang);
    if let Some(console) = server.console_origin() {
        tell(&message!("the console is at {address}", address = console), lang);
    }
    if let Err(failure) = first_token::hand_out(server.service(), &config, &address, lang).await {
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

/// Binds the address that `setting` gives.
async fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let (problem, remedy) = match error.kind() {
            ErrorKind::AddrInUse => (
                message!(
                    "cannot listen on {address}: another process uses it",
                    address = address.to_string()
                ),
                message!(
                    "stop that process, or choose another address with {setting} (port 0 takes a free port)",
                    setting = setting
                ),
            ),
            ErrorKind::PermissionDenied => (
                message!(
                    "cannot listen on {address}: this user may not use the port",
                    address = address.to_string()
                ),
                message!(
                    "choose a port from 1024 on with {setting}, or give the service CAP_NET_BIND_SERVICE",
                    setting = setting
                ),
            ),
            ErrorKind::AddrNotAvailable => (
                message!(
                    "cannot listen on {address}: this machine does not have the address",
                    address = address.to_string()
                ),
                message!(
                    "choose an address of this machine with {setting}; 0.0.0.0 takes all of them",
                    setting = setting
                ),
            ),
            _ => (
                message!(
                    "cannot listen on {address}: {error}",
                    address = address.to_string(),
                    error = error.to_string()
                ),
                message!(
                    "choose another address with {setting} (port 0 takes a free port)",
                    setting = setting
                ),
            ),
        };
        Failure::obstacle(problem, remedy)
    })
}
