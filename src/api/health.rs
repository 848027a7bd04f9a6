//! The standard health service, `grpc.health.v1`.
//!
//! The whole server (the empty name) and each gRPC service are SERVING while the store takes writes. The name `liveness` is
//! SERVING as long as the process answers: a supervisor restarts on it, a balancer does not. When the service stops,
//! watchers get NOT_SERVING and their streams end. The watch of an unknown service stays open with SERVICE_UNKNOWN, as the
//! protocol wants it.

use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::streams::Answers;
use crate::error::Error;

/// The name whose health says that the process answers.
const LIVENESS: &str = "liveness";

/// Serves the health of the services.
#[derive(Debug)]
pub struct HealthApi {
    ready: watch::Receiver<bool>,
    services: &'static [&'static str],
}

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
enum Subject {
    Readiness,
    Liveness,
    Unknown,
}

impl HealthApi {
    /// Serves `ready` as the health of the whole server and of `services`. The end of its sender ends all watches.
    pub fn new(ready: watch::Receiver<bool>, services: &'static [&'static str]) -> Self {
        Self { ready, services }
    }

    fn subject(&self, request: &Request<HealthCheckRequest>) -> Subject {
        match request.get_ref().service.as_str() {
            LIVENESS => Subject::Liveness,
            name if name.is_empty() || self.services.contains(&name) => Subject::Readiness,
            _ => Subject::Unknown,
        }
    }
}

impl Subject {
    fn status(self, ready: bool) -> ServingStatus {
        match self {
            Self::Unknown => ServingStatus::ServiceUnknown,
            Self::Readiness if !ready => ServingStatus::NotServing,
            Self::Readiness | Self::Liveness => ServingStatus::Serving,
        }
    }

    /// The present status, then every change, until the sender ends.
    fn changes(
        self,
        ready: watch::Receiver<bool>,
    ) -> impl Stream<Item = Result<HealthCheckResponse, Status>> {
        let mut last = None;
        WatchStream::new(ready).filter_map(move |ready| {
            let status = self.status(ready);
            let changed = last.replace(status) != Some(status);
            changed.then(|| Ok(HealthCheckResponse { status: status.into() }))
        })
    }
}

#[tonic::async_trait]
impl Health for HealthApi {
    type WatchStream = Answers<HealthCheckResponse>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.subject(&request) {
            Subject::Unknown => Err(Error::NotFound("a service of this name".to_owned()).into()),
            subject => {
                let status = subject.status(*self.ready.borrow()).into();
                Ok(Response::new(HealthCheckResponse { status }))
            }
        }
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let changes = self.subject(&request).changes(self.ready.clone());
        Ok(Response::new(Box::pin(changes)))
    }
}
