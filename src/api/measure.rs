//! The span, the line in the log and the duration of a call, by the semantic conventions for gRPC.
//!
//! A call ends with the trailers of its answer, which have its status, or when its answer is dropped: the caller has then
//! cancelled it, or her connection is gone.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::codegen::http::{HeaderMap, Request};
use tonic::{Code, Status};
use tracing::Span;
use tracing::field::Empty;

use super::proto;
use super::status::code_name;
use crate::clock::{Clock, Stopwatch};
use crate::domain::caller::Caller;
use crate::service::{Action, AuditedEnd, Service};
use crate::telemetry::Metrics;
use crate::telemetry::trace::{self, Sampler};

/// The name of all methods that the service does not have.
const OTHER: &str = "_OTHER";
/// Before the name of a service of the contract.
const PACKAGE: &str = "wim.mentorship.v1.";

/// A method of the server.
#[derive(Debug, Clone)]
struct Method {
    /// Its full name.
    name: Arc<str>,
    /// Whether the audit has a sum of its calls.
    is_summed: bool,
}

impl Method {
    fn new(name: &str) -> Self {
        let action = name.strip_prefix(PACKAGE).and_then(Action::of_method);
        Self { name: name.into(), is_summed: action.is_some_and(Action::is_summed) }
    }
}

/// What measures the calls of a server.
#[derive(Debug)]
pub struct Measures {
    metrics: Metrics,
    sampler: Sampler,
    /// The methods of the server by path.
    methods: HashMap<String, Method>,
    other: Method,
}

impl Measures {
    /// Measures calls with `metrics`, and traces `trace_percent` of those whose callers have not decided it.
    pub fn new(metrics: Metrics, trace_percent: u64, clock: &dyn Clock) -> Self {
        let mut seed = [0; 8];
        clock.fill(&mut seed);
        let sets = [
            proto::DESCRIPTORS,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        let methods = sets.into_iter().flat_map(methods).collect();
        let sampler = Sampler::new(trace_percent, u64::from_le_bytes(seed));
        Self { metrics, sampler, methods, other: Method::new(OTHER) }
    }

    /// Begins to measure a call.
    pub(super) fn begin<T>(self: &Arc<Self>, request: &Request<T>, service: &Service) -> MeasuredCall {
        MeasuredCall {
            measures: Arc::clone(self),
            service: service.clone(),
            caller: None,
            method: self.methods.get(request.uri().path()).unwrap_or(&self.other).clone(),
            span: Span::none(),
            time: Stopwatch::start(),
            code: None,
            end: End::Answered,
        }
    }

    /// The span of a call. `traceparent` is that of a known caller.
    fn span(&self, method: &str, traceparent: Option<&str>) -> Span {
        let span = trace::of_call(traceparent, &self.sampler, || {
            tracing::info_span!(
                "rpc",
                otel.name = method,
                otel.kind = "server",
                otel.status_code = Empty,
                rpc.system.name = "grpc",
                rpc.method = method,
                rpc.response.status_code = Empty,
                error.type = Empty,
                trace_id = Empty,
            )
        });
        if let Some(id) = trace::id_of(&span) {
            span.record("trace_id", id);
        }
        span
    }
}

/// How a request came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By the answer of a method.
    Answered,
    /// By a refusal before its method was called: it has no span. Unless the service has failed, it counts under `_OTHER`, so
    /// that strangers make no series.
    Refused,
    /// The request is no gRPC call.
    NotGrpc,
}

/// The full names of the methods that a set of files declares, each with its path.
fn methods(set: &[u8]) -> Vec<(String, Method)> {
    let files = FileDescriptorSet::decode(set).map(|set| set.file).unwrap_or_default();
    let mut methods = Vec::new();
    for file in files {
        for service in &file.service {
            for method in &service.method {
                let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                methods.push((format!("/{name}"), Method::new(&name)));
            }
        }
    }
    methods
}

/// A call that is measured until it is dropped.
#[derive(Debug)]
pub(super) struct MeasuredCall {
    measures: Arc<Measures>,
    /// The use cases, which add up calls for the audit.
    service: Service,
    /// Who calls, once she is known.
    caller: Option<Caller>,
    method: Method,
    span: Span,
    time: Stopwatch,
    /// The status of the call, once its answer has one.
    code: Option<Code>,
    end: End,
}

impl MeasuredCall {
    /// The span of the call.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// The request may go on to its method. Only a known caller decides whether her call is traced.
    pub(super) fn admitted<T>(&mut self, request: &Request<T>, caller: Option<&Caller>) {
        let header = request.headers().get("traceparent").filter(|_| caller.is_some());
        let parent = header.and_then(|value| value.to_str().ok());
        self.span = self.measures.span(&self.method.name, parent);
        self.caller = caller.cloned();
    }

    /// The request is refused with these headers: without a status it is no gRPC call.
    pub(super) fn refused(&mut self, headers: &HeaderMap) {
        let is_grpc = Status::from_header_map(headers).is_some();
        self.end = if is_grpc { End::Refused } else { End::NotGrpc };
    }

    /// Reads the status of the call from the headers or the trailers of its answer, if they have it.
    pub(super) fn read_status(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.code = Some(status.code());
        }
    }

    /// The answer broke off.
    pub(super) fn failed_with(&mut self, code: Code) {
        self.code = Some(code);
    }

    /// Adds the call to the sums of the audit, if it may have read personal data or was refused.
    fn sum_up(&self, code: Code, name: &'static str) {
        let end = match code {
            Code::Unauthenticated | Code::PermissionDenied | Code::NotFound => AuditedEnd::Refused(name),
            // A caller who leaves may have what she wanted.
            Code::Ok | Code::Cancelled if self.method.is_summed && self.end == End::Answered => {
                AuditedEnd::Read
            }
            _ => return,
        };
        let method = self.method.name.strip_prefix(PACKAGE).unwrap_or(&self.method.name);
        self.service.sum_call(self.caller.as_ref(), method, end);
    }

    /// The answer has ended; without a status it was no gRPC answer.
    pub(super) fn answer_ended(&mut self) {
        self.code.get_or_insert(Code::Unknown);
    }
}

impl Drop for MeasuredCall {
    fn drop(&mut self) {
        if self.end == End::NotGrpc {
            return;
        }
        // A caller who leaves cancels her call; a method that panics fails.
        let without = if std::thread::panicking() { Code::Internal } else { Code::Cancelled };
        let code = self.code.unwrap_or(without);
        let (name, failed) = (code_name(code), is_failure(code));
        self.span.record("rpc.response.status_code", name);
        if failed {
            self.span.record("otel.status_code", "ERROR").record("error.type", name);
        }
        self.sum_up(code, name);
        let time = self.time;
        let is_own_failure = matches!(code, Code::Unavailable | Code::Internal | Code::Unknown);
        let is_unnamed = self.end == End::Refused && !is_own_failure;
        let method = if is_unnamed { &self.measures.other.name } else { &self.method.name };
        self.measures.metrics.call_ended(method, name, failed && !is_unnamed, time.elapsed());
        let _entered = self.span.enter();
        // Metrics count the calls that went well, and the edge logs refusals once a minute: neither has a line of its own here.
        if code == Code::Ok || self.end == End::Refused {
            tracing::debug!(
                rpc.response.status_code = name,
                duration.micros = time.micros(),
                "call answered"
            );
        } else {
            tracing::info!(rpc.response.status_code = name, duration.micros = time.micros(), "call answered");
        }
    }
}

/// Whether a code is a failure of the service, by the semantic conventions.
fn is_failure(code: Code) -> bool {
    use Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
    matches!(code, Unknown | DeadlineExceeded | Unimplemented | Internal | Unavailable | DataLoss)
}
