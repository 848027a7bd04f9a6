//! The standard health service, `grpc.health.v1`. Its protocol keeps the watch of an unknown service open with
//! SERVICE_UNKNOWN; the library's service refuses that watch, so this one wraps it.

use tokio_stream::StreamExt as _;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::{HealthReporter, HealthService};

use super::streams::Answers;
use crate::error::Error;

/// Serves the health of the services that a reporter knows.
#[derive(Debug)]
pub struct HealthApi {
    known: HealthService,
}

impl HealthApi {
    /// Serves what `reporter` reports.
    pub fn new(reporter: HealthReporter) -> Self {
        Self { known: HealthService::from_health_reporter(reporter) }
    }
}

#[tonic::async_trait]
impl Health for HealthApi {
    type WatchStream = Answers<HealthCheckResponse>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        self.known.check(request).await.map_err(|status| match status.code() {
            Code::NotFound => Error::NotFound("a service of this name".to_owned()).into(),
            _ => status,
        })
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        match self.known.watch(request).await {
            Ok(changes) => Ok(Response::new(Box::pin(changes.into_inner()))),
            Err(status) if status.code() == Code::NotFound => {
                let unknown = HealthCheckResponse { status: ServingStatus::ServiceUnknown.into() };
                let changes = tokio_stream::once(Ok(unknown)).chain(tokio_stream::pending());
                Ok(Response::new(Box::pin(changes)))
            }
            Err(status) => Err(status),
        }
    }
}
