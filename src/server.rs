//! The composition root: starts the service from a configuration and a listener, and stops it.

mod accept;
mod connection;
mod console;
mod expiry;
mod gauges;
mod housekeeping;
mod monitoring;
mod readiness;
mod sealing;
mod tls;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::server::NamedService as _;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tower::Layer as _;

use self::accept::accept;
use self::connection::{Ending, Lifetime, Protocol};
use self::gauges::Gauges;
use self::watched::Watched;
use crate::api::proto::v1::admin_service_server::AdminServiceServer;
use crate::api::proto::v1::event_service_server::EventServiceServer;
use crate::api::proto::v1::mentorship_service_server::MentorshipServiceServer;
use crate::api::proto::v1::organisation_service_server::OrganisationServiceServer;
use crate::api::proto::v1::privacy_service_server::PrivacyServiceServer;
use crate::api::proto::v1::profile_service_server::ProfileServiceServer;
use crate::api::proto::v1::report_service_server::ReportServiceServer;
use crate::api::proto::v1::review_service_server::ReviewServiceServer;
use crate::api::proto::v1::round_service_server::RoundServiceServer;
use crate::api::proto::v1::run_service_server::RunServiceServer;
use crate::api::proto::v1::solver_service_server::SolverServiceServer;
use crate::api::{
    AdminApi, CallLayer, Counts, Edge, EventApi, HealthApi, Issuer, Limits, Measures, MentorshipApi,
    OrganisationApi, PrivacyApi, ProfileApi, ProxyHeader, Rates, ReportApi, ReviewApi, RoundApi, RunApi,
    SolverApi, Streams, Trusted, Web, proto,
};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError};
use crate::service::Service;
use crate::store::{Scope, Store, StoreOptions};
use crate::telemetry::{Meters, Metrics};
use crate::worker::Worker;

/// Files that the service needs beside its connections: those of the database, of the log and of commands.
const OTHER_FILES: u64 = 64;
/// Open calls of one address that need no caller.
const UNNAMED_CALLS_PER_ADDRESS: usize = 64;
/// Time for the last delivery of metrics to the collector.
const LAST_DELIVERY: Duration = Duration::from_secs(2);
/// Time for the tasks of connections that are closed after the time to drain.
const ABORTED: Duration = Duration::from_secs(1);

/// The services whose health is reported by name.
const SERVICES: [&str; 11] = [
    AdminServiceServer::<AdminApi>::NAME,
    EventServiceServer::<EventApi>::NAME,
    MentorshipServiceServer::<MentorshipApi>::NAME,
    OrganisationServiceServer::<OrganisationApi>::NAME,
    PrivacyServiceServer::<PrivacyApi>::NAME,
    ProfileServiceServer::<ProfileApi>::NAME,
    ReportServiceServer::<ReportApi>::NAME,
    ReviewServiceServer::<ReviewApi>::NAME,
    RoundServiceServer::<RoundApi>::NAME,
    RunServiceServer::<RunApi>::NAME,
    SolverServiceServer::<SolverApi>::NAME,
];

/// The bound ports of a server.
#[derive(Debug)]
pub struct Listeners {
    /// For gRPC calls.
    pub calls: TcpListener,
    /// For metrics and health over HTTP, if wanted.
    pub monitoring: Option<TcpListener>,
    /// For the console, if wanted.
    pub console: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    /// Calls alone.
    fn from(calls: TcpListener) -> Self {
        Self { calls, monitoring: None, console: None }
    }
}

/// A running service.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    monitoring: Option<SocketAddr>,
    console: Option<String>,
    /// Answers on the second port until the end, so that `/readyz` says that the service drains.
    monitor: JoinSet<()>,
    service: Service,
    meters: Option<Arc<Meters>>,
    /// Read until the last delivery.
    gauges: Arc<Gauges>,
    edge: Arc<Edge>,
    ending: Ending,
    tasks: TaskTracker,
    failed: CancellationToken,
    drain: Duration,
}

impl Server {
    /// Starts the service as the process `instance`, with the machine's clock.
    pub async fn start(config: Config, listeners: Listeners, instance: String) -> anyhow::Result<Self> {
        Self::start_with(config, listeners, &instance, Arc::new(SystemClock)).await
    }

    /// Starts the service. The database is migrated first. The addresses of `config` are not used.
    #[expect(clippy::too_many_lines, reason = "the parts of the service, in the order of their start")]
    pub async fn start_with(
        config: Config,
        listeners: Listeners,
        instance: &str,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let Listeners { calls: listener, monitoring, console } = listeners;
        let (tls, watched) = tls::of(&config, &clock).await?.unzip();
        let (issuer, keys) = issuer_of(&config).await?.unzip();
        let address = listener.local_addr()?;
        let monitoring_address = monitoring.as_ref().map(TcpListener::local_addr).transpose()?;
        // Without a reader nothing is measured.
        let is_read = monitoring.is_some() || config.collector().is_some();
        let meters =
            if is_read { Some(Arc::new(Meters::start(instance, config.collector())?)) } else { None };
        let metrics = meters.as_ref().map_or_else(Metrics::default, |meters| meters.metrics().clone());
        let options = StoreOptions { metrics: metrics.clone(), ..StoreOptions::default() };
        let store = match opened(&config, &options).await {
            Ok(store) => store,
            Err(error) => {
                // Their last delivery is not waited for.
                std::thread::spawn(move || drop(meters));
                return Err(error.into());
            }
        };
        let service = Service::new(store, clock).solving_on(config.compute_threads);
        service.cursor_key().await?;
        service.tombstone_key().await?;
        let (ending, tasks) = (Ending::default(), TaskTracker::new());
        let stop = ending.stop.clone();
        let streams = Streams { tasks: tasks.clone(), stop: stop.clone() };
        let failed = CancellationToken::new();

        if config.worker {
            let worker = Worker::new(service.clone(), config.compute_threads, config.kept_scores_mib);
            let (stop, failed) = (stop.clone(), failed.clone());
            tasks.spawn(async move {
                // The guard reports the end of the worker, also after a panic.
                let _guard = failed.drop_guard();
                Box::pin(worker.run(stop)).await;
            });
        }

        follow(watched, &tasks, &stop);
        follow(keys, &tasks, &stop);
        let (ready, health) = watch::channel(true);
        let mut monitor = JoinSet::new();
        if let (Some(listener), Some(meters)) = (monitoring, &meters) {
            monitor.spawn(monitoring::serve(listener, Arc::clone(meters), health.clone()));
        }
        let watched = readiness::watch_store(service.store().clone(), Scope::System, ready, stop.clone());
        tasks.spawn(watched);

        let max = config.max_message_bytes;
        let organisations = OrganisationApi { service: service.clone() };
        let privacy = PrivacyApi { service: service.clone() };
        let profiles =
            ProfileApi { service: service.clone(), streams: streams.clone(), max_message_bytes: max };
        let solver = SolverApi::new(service.clone(), streams.clone(), max);
        let (admin, rounds) = (AdminApi { service: service.clone() }, RoundApi { service: service.clone() });
        let reports = ReportApi { service: service.clone() };
        let mentorships =
            MentorshipApi { service: service.clone(), streams: streams.clone(), max_message_bytes: max };
        let reviews = ReviewApi { service: service.clone() };
        let events = EventApi { service: service.clone(), streams: streams.clone() };
        let runs = RunApi { service: service.clone(), streams };
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let edge = Arc::new(Edge::new(limits(&config)));
        let routes = Routes::new(HealthServer::new(HealthApi::new(health.clone(), &SERVICES)))
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?)
            .add_service(AdminServiceServer::new(admin).max_decoding_message_size(max))
            .add_service(MentorshipServiceServer::new(mentorships).max_decoding_message_size(max))
            .add_service(OrganisationServiceServer::new(organisations).max_decoding_message_size(max))
            .add_service(PrivacyServiceServer::new(privacy).max_decoding_message_size(max))
            .add_service(ProfileServiceServer::new(profiles).max_decoding_message_size(max))
            .add_service(ReportServiceServer::new(reports).max_decoding_message_size(max))
            .add_service(ReviewServiceServer::new(reviews).max_decoding_message_size(max))
            .add_service(RoundServiceServer::new(rounds).max_decoding_message_size(max))
            .add_service(EventServiceServer::new(events).max_decoding_message_size(max))
            .add_service(RunServiceServer::new(runs).max_decoding_message_size(max))
            .add_service(SolverServiceServer::new(solver).max_decoding_message_size(max))
            .prepare();
        let gauges = Gauges::new(service.clone(), Arc::clone(&edge), health.clone(), tls.clone());
        gauges.shown_by(&metrics);
        tasks.spawn(Arc::clone(&gauges).watch_queue(stop.clone()));
        tasks.spawn(sealing::run(service.clone(), stop.clone()));
        tasks.spawn(housekeeping::write_call_sums(service.clone(), stop.clone()));
        tasks.spawn(housekeeping::run(service.clone(), Arc::clone(&gauges), stop.clone()));
        let console = match console {
            Some(listener) => {
                let running = (ending.clone(), tasks.clone());
                Some(console::open(listener, &config, service.clone(), tls.clone(), running)?)
            }
            None => None,
        };
        let measures = Arc::new(Measures::new(metrics, config.trace_percent, &**service.clock()));
        let layer = CallLayer { edge: Arc::clone(&edge), service: service.clone(), issuer, measures };
        let protocol = protocol_of(&config, tls, service.clock(), tasks.clone());
        let web = Web::new(config.cors_origins.iter().map(|origin| origin.0.clone()));
        let accepting = accept(
            listener,
            Arc::clone(&edge),
            web.layer(layer.layer(routes)),
            protocol,
            (ending.clone(), tasks.clone()),
        );
        let ended = failed.clone();
        tasks.spawn(async move {
            // The guard reports the end of the loop, also after a panic.
            let _guard = ended.drop_guard();
            accepting.await;
        });
        tracing::info!(server.address = %address, monitoring.address = monitoring_address.map(tracing::field::display), "service started");
        let drain = Duration::from_secs(config.drain_seconds);
        Ok(Self {
            address,
            monitoring: monitoring_address,
            console,
            monitor,
            service,
            meters,
            gauges,
            edge,
            ending,
            tasks,
            failed,
            drain,
        })
    }

    /// The address of the service.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the second port, if there is one.
    pub fn monitoring_address(&self) -> Option<SocketAddr> {
        self.monitoring
    }

    /// The origin of the console, if there is one.
    pub fn console_origin(&self) -> Option<&str> {
        self.console.as_deref()
    }

    /// The use cases behind the API.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The present numbers of the edge.
    pub fn counts(&self) -> Counts {
        self.edge.counts()
    }

    /// Waits until the transport or the worker ends unexpectedly.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// Stops the service: refuses new calls, waits for open ones, returns a running run to the queue, and closes the
    /// store.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        // Watchers of health get NOT_SERVING at once.
        self.ending.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(self.drain, self.tasks.wait()).await.is_err() {
            tracing::warn!("calls were still open after the time to drain; their connections are closed");
            self.ending.abort.cancel();
            let aborted = tokio::time::timeout(ABORTED, self.tasks.wait()).await;
            tracing::debug!(all = aborted.is_ok(), "connections closed");
        }
        if let Err(error) = self.service.write_call_sums(true).await {
            tracing::warn!(error = crate::error::chain(&error), "the last sums of calls were not written");
        }
        // What the last calls have changed; the next start would do it as well.
        if let Err(error) = self.service.seal_audit().await {
            tracing::warn!(
                error = crate::error::chain(&error),
                "the last entries of the audit were not sealed"
            );
        }
        self.service.store().close().await;
        self.monitor.shutdown().await;
        if let Some(meters) = self.meters {
            let _ = tokio::task::spawn_blocking(move || meters.stop(LAST_DELIVERY)).await;
        }
        drop(self.gauges);
        tracing::info!("service stopped");
        Ok(())
    }
}

/// The database, with the present schema.
async fn opened(config: &Config, options: &StoreOptions) -> crate::error::Result<Store> {
    let store = Store::open_with(config.database.expose_secret(), options).await?;
    store.migrate().await?;
    if !store.is_bound(&Scope::System).await? {
        tracing::warn!(
            "the role of the database is a superuser or has BYPASSRLS: the policies of the tables do not bind it"
        );
    }
    Ok(store)
}

/// Follows files until `stop`, if there are any.
fn follow<T: Send + Sync + 'static>(
    watched: Option<Watched<T>>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    if let Some(watched) = watched {
        tasks.spawn(watched.watch(stop.clone()));
    }
}

/// HTTP/2 with the bounds of the configuration.
fn protocol_of(
    config: &Config,
    tls: Option<tls::Current>,
    clock: &Arc<dyn Clock>,
    tasks: TaskTracker,
) -> Protocol {
    let lifetime = Lifetime {
        age: Duration::from_secs(config.connection_age_seconds),
        grace: Duration::from_secs(config.connection_grace_seconds),
    };
    Protocol::new(config.max_concurrent_streams, tls, lifetime, clock, tasks)
}

/// The issuer whose JWTs name callers, with what follows its file of keys; `None` if there is none.
async fn issuer_of(config: &Config) -> anyhow::Result<Option<(Trusted, Watched<Arc<Issuer>>)>> {
    if config.jwt_jwks.is_empty() {
        return Ok(None);
    }
    let (name, audience) = (config.jwt_issuer.clone(), config.jwt_audience.clone());
    let made = move |contents: &[Vec<u8>]| {
        let issuer = Issuer::new(&name, &audience, contents.first().map_or(&[], Vec::as_slice));
        issuer.map(Arc::new).map_err(|wrong| anyhow::anyhow!("the file {wrong}"))
    };
    let watched = Watched::open("keys of JWTs", vec![config.jwt_jwks.clone().into()], made).await;
    let watched = watched.map_err(|error| ConfigError::of_files("jwt_jwks", &error))?;
    Ok(Some((watched.current(), watched)))
}

/// The bounds of the edge. The most connections follow the limit of open files, which is raised as far as allowed.
fn limits(config: &Config) -> Limits {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, files) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let room = files.saturating_sub(OTHER_FILES).max(files / 2);
    let connections = config.max_connections.min(usize::try_from(room).unwrap_or(usize::MAX));
    if connections < config.max_connections {
        tracing::warn!(
            max_connections = config.max_connections,
            connections,
            files,
            "the limit of open files allows fewer connections; raise LimitNOFILE"
        );
    }
    Limits {
        connections,
        connections_per_address: config.max_connections_per_address,
        connections_per_caller: config.max_connections_per_caller,
        calls_in_flight: config.max_calls_in_flight,
        rates: Rates {
            reads_per_second: config.reads_per_second,
            writes_per_second: config.writes_per_second,
            solves_per_minute: config.solves_per_minute,
            organisation: config.rate_of_organisation,
            all: config.rate_of_all,
            burst: Duration::from_secs(config.burst_seconds),
        },
        unnamed_calls_per_address: UNNAMED_CALLS_PER_ADDRESS,
        message_bytes: config.max_message_bytes,
        bytes_in_flight: config.max_bytes_in_flight,
        bytes_per_connection: config.max_bytes_per_connection,
        first_call: Duration::from_secs(config.first_call_seconds),
        idle: Duration::from_secs(config.idle_seconds),
        message: Duration::from_secs(config.message_seconds),
        silence: Duration::from_secs(config.silence_seconds),
        proxies: config.proxies.iter().map(|proxy| proxy.0).collect(),
        proxy_header: match config.proxy_header.as_str() {
            "forwarded" => ProxyHeader::Forwarded,
            _ => ProxyHeader::XForwardedFor,
        },
    }
}
