//! `wim-match health`: one question to `grpc.health.v1`, for supervisors and containers. A healthy service ends the command
//! with exit code 0, everything else with 7, within two seconds.

use std::time::Duration;

use clap::Args;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::failure::Failure;
use super::global::Global;
use crate::client::output::{data, show};
use crate::message;

/// Time for the connection and the answer; the start of the program has the rest of two seconds.
const LIMIT: Duration = Duration::from_millis(1_750);

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Ask whether the process answers, and not whether its database takes writes.
    #[arg(long)]
    live: bool,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let place = &global.server;
    let name = if options.live { "liveness" } else { "" };
    let asked = tokio::time::timeout(LIMIT, ask(global, name)).await;
    let status = asked.unwrap_or_else(|_| {
        let wrong = message!("{place} gave no answer for {millis} ms", place = place, millis = millis());
        Err(Failure::obstacle(wrong, ""))
    })?;
    if global.json {
        let object = serde_json::json!({ "server": place, "service": name, "status": status.as_str_name() });
        data(&object.to_string())?;
    }
    match (status, options.live) {
        (ServingStatus::Serving, _) if global.json => Ok(()),
        (ServingStatus::Serving, true) => {
            Ok(show(&message!("{place} is alive", place = place), global.lang)?)
        }
        (ServingStatus::Serving, false) => {
            let ready = message!("{place} is ready: its database takes writes", place = place);
            Ok(show(&ready, global.lang)?)
        }
        _ => {
            let wrong = message!(
                "{place} is not ready: its database takes no writes, or the service is stopping",
                place = place
            );
            Err(Failure::obstacle(wrong, ""))
        }
    }
}

/// The health of the service by the name `name`. Every failure is one line with exit code 7.
async fn ask(global: &Global, name: &str) -> Result<ServingStatus, Failure> {
    let channel = global.connect().await.map_err(|error| Failure::obstacle(error.in_one(), ""))?;
    let request = HealthCheckRequest { service: name.to_owned() };
    match HealthClient::new(channel).check(request).await {
        Ok(answer) => Ok(answer.into_inner().status()),
        Err(status) if status.code() == Code::NotFound => Ok(ServingStatus::ServiceUnknown),
        Err(status) => Err(Failure::obstacle(Failure::from(status).in_one(), "")),
    }
}

/// The limit as a whole number.
fn millis() -> String {
    LIMIT.as_millis().to_string()
}
