//! The composition root: starts the service from a configuration and a listener, and stops it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Server as Transport;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthReporter;

use crate::api::proto::v1::organisation_service_server::OrganisationServiceServer;
use crate::api::proto::v1::profile_service_server::ProfileServiceServer;
use crate::api::proto::v1::round_service_server::RoundServiceServer;
use crate::api::proto::v1::solver_service_server::SolverServiceServer;
use crate::api::{CallLayer, HealthApi, OrganisationApi, ProfileApi, RoundApi, SolverApi, Streams, proto};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::service::Service;
use crate::store::{Scope, Store};
use crate::worker::Worker;

/// Time between two keepalive pings of a connection.
const KEEPALIVE: Duration = Duration::from_mins(1);
/// Time between two purges of unfinished imports and old answers.
const HOUSEKEEPING: Duration = Duration::from_hours(1);
/// Age at which the rows of an unfinished import are purged.
const STALE_IMPORT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// Age at which a stored first answer is purged.
const ANSWERS_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// A running service.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    service: Service,
    health: HealthReporter,
    stop: CancellationToken,
    tasks: TaskTracker,
    transport: JoinHandle<Result<(), tonic::transport::Error>>,
    failed: CancellationToken,
    drain: Duration,
}

impl Server {
    /// Starts the service on a bound listener, with the machine's clock.
    pub async fn start(config: Config, listener: TcpListener) -> anyhow::Result<Self> {
        Self::start_with(config, listener, Arc::new(SystemClock)).await
    }

    /// Starts the service on a bound listener. The database is migrated first.
    #[expect(clippy::disallowed_methods, reason = "the transport's task is awaited by `stop`")]
    pub async fn start_with(
        config: Config,
        listener: TcpListener,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let store = Store::open(config.database.expose_secret()).await?;
        store.migrate().await?;
        let service = Service::new(store, clock).solving_on(config.compute_threads);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let streams = Streams { tasks: tasks.clone(), stop: stop.clone() };
        let failed = CancellationToken::new();

        tasks.spawn(housekeeping(service.clone(), stop.clone()));
        if config.worker {
            let worker = Worker::new(service.clone(), config.compute_threads, config.kept_scores_mib);
            let (stop, failed) = (stop.clone(), failed.clone());
            tasks.spawn(async move {
                // The guard reports the end of the worker, also after a panic.
                let _guard = failed.drop_guard();
                worker.run(stop).await;
            });
        }

        let health = HealthReporter::new();
        health.set_service_status("", ServingStatus::Serving).await;
        health.set_serving::<OrganisationServiceServer<OrganisationApi>>().await;
        health.set_serving::<ProfileServiceServer<ProfileApi>>().await;
        health.set_serving::<RoundServiceServer<RoundApi>>().await;
        health.set_serving::<SolverServiceServer<SolverApi>>().await;

        let max = config.max_message_bytes;
        let organisations = OrganisationApi { service: service.clone() };
        let profiles =
            ProfileApi { service: service.clone(), streams: streams.clone(), max_message_bytes: max };
        let solver = SolverApi::new(service.clone(), streams.clone(), max);
        let rounds = RoundApi { service: service.clone(), streams };
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let router = Transport::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .max_concurrent_streams(config.max_concurrent_streams)
            .layer(CallLayer { max_message_bytes: max })
            .add_service(HealthServer::new(HealthApi::new(health.clone())))
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?)
            .add_service(OrganisationServiceServer::new(organisations).max_decoding_message_size(max))
            .add_service(ProfileServiceServer::new(profiles).max_decoding_message_size(max))
            .add_service(RoundServiceServer::new(rounds).max_decoding_message_size(max))
            .add_service(SolverServiceServer::new(solver).max_decoding_message_size(max));

        let (signal, ended) = (stop.clone(), failed.clone());
        let transport = tokio::spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            let served = router.serve_with_incoming_shutdown(incoming, signal.cancelled_owned()).await;
            ended.cancel();
            served
        });
        tracing::info!(server.address = %address, "service started");
        let drain = Duration::from_secs(config.drain_seconds);
        Ok(Self { address, service, health, stop, tasks, transport, failed, drain })
    }

    /// The address of the service.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The use cases behind the API.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Waits until the transport or the worker ends unexpectedly.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// Stops the service: refuses new calls, waits for open ones, returns a running run to the queue, and closes the
    /// store.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.health.set_service_status("", ServingStatus::NotServing).await;
        self.stop.cancel();
        self.tasks.close();
        let abort = self.transport.abort_handle();
        let ended = tokio::time::timeout(self.drain, async {
            let served = self.transport.await;
            self.tasks.wait().await;
            served
        });
        let served = ended.await;
        if served.is_err() {
            tracing::warn!("calls were still open after the time to drain; their connections are closed");
            abort.abort();
        }
        self.service.store().close().await;
        tracing::info!("service stopped");
        if let Ok(served) = served {
            served??;
        }
        Ok(())
    }
}

/// Purges unfinished imports and old answers, at the start and every hour.
async fn housekeeping(service: Service, stop: CancellationToken) {
    loop {
        let now = service.clock().now();
        let store = service.store();
        let purged = async {
            let rows = store.purge_stale_imports(&Scope::System, now - STALE_IMPORT).await?;
            let answers = store.purge_answers(&Scope::System, now - ANSWERS_KEPT).await?;
            Ok::<_, crate::error::Error>((rows, answers))
        };
        match purged.await {
            Ok((imports, answers)) => tracing::debug!(imports, answers, "housekeeping done"),
            Err(error) => {
                tracing::warn!(error.type = error.reason().code(), "housekeeping failed; the next one is in an hour")
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(HOUSEKEEPING) => {}
        }
    }
}
