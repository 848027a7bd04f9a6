//! The standard health service, `grpc.health.v1`. Its protocol wants the watch of a service that is not known here to
//! stay open and to say so, which the library's own service refuses instead.

use std::pin::Pin;

use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::{HealthReporter, HealthService};

/// Serves the health of what a reporter knows.
#[derive(Debug)]
pub struct HealthApi {
    known: HealthService,
}

impl HealthApi {
    /// Over a reporter.
    pub fn new(reporter: HealthReporter) -> Self {
        Self { known: HealthService::from_health_reporter(reporter) }
    }
}

#[tonic::async_trait]
impl Health for HealthApi {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        self.known.check(request).await
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        match self.known.watch(request).await {
            Ok(told) => Ok(Response::new(Box::pin(told.into_inner()))),
            Err(status) if status.code() == Code::NotFound => {
                let unknown = HealthCheckResponse { status: ServingStatus::ServiceUnknown.into() };
                let told = tokio_stream::once(Ok(unknown)).chain(tokio_stream::pending());
                Ok(Response::new(Box::pin(told)))
            }
            Err(status) => Err(status),
        }
    }
}
