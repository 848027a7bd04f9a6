//! An OpenTelemetry collector that keeps what it receives.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// Everything received so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Received(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    spans: Vec<Span>,
    metrics: Vec<Metric>,
    lines: Vec<LogRecord>,
    resources: Vec<BTreeMap<String, String>>,
    /// The messages as they came.
    bytes: Vec<u8>,
}

/// The collector; it ends with this value.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) address: SocketAddr,
    pub(super) received: Received,
    _server: JoinSet<Result<(), tonic::transport::Error>>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let received = Received::default();
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(received.clone()))
            .add_service(MetricsServiceServer::new(received.clone()))
            .add_service(LogsServiceServer::new(received.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        let mut running = JoinSet::new();
        running.spawn(server);
        Self { address, received, _server: running }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Received {
    pub(super) fn spans(&self) -> Vec<Span> {
        self.kept().spans.clone()
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        self.kept().metrics.clone()
    }

    pub(super) fn lines(&self) -> Vec<LogRecord> {
        self.kept().lines.clone()
    }

    pub(super) fn resources(&self) -> Vec<BTreeMap<String, String>> {
        self.kept().resources.clone()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.kept().bytes.clone()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Attributes by key, values as text.
pub(super) fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref()))).collect()
}

pub(super) fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => format!("{other:?}"),
    }
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let (request, mut kept) = (request.into_inner(), self.kept());
        kept.bytes.extend(request.encode_to_vec());
        for part in request.resource_spans {
            kept.resources.push(attributes(&part.resource.unwrap_or_default().attributes));
            kept.spans.extend(part.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Received {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let (request, mut kept) = (request.into_inner(), self.kept());
        kept.bytes.extend(request.encode_to_vec());
        for part in request.resource_metrics {
            kept.resources.push(attributes(&part.resource.unwrap_or_default().attributes));
            kept.metrics.extend(part.scope_metrics.into_iter().flat_map(|scope| scope.metrics));
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Received {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let (request, mut kept) = (request.into_inner(), self.kept());
        kept.bytes.extend(request.encode_to_vec());
        for part in request.resource_logs {
            kept.resources.push(attributes(&part.resource.unwrap_or_default().attributes));
            kept.lines.extend(part.scope_logs.into_iter().flat_map(|scope| scope.log_records));
        }
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
