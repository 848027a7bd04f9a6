//! What operations see of the shipped program: its traces, metrics and log as a collector receives them, and its second
//! port.

mod canaries;
mod collector;
mod live;
mod load;
mod process;
mod prometheus;
mod runbooks;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tonic::Request;
use wim_match::api::proto::v1;
use wim_match::client::{Client, connect};
use wim_match::clock::Stopwatch;
use wim_match::telemetry::metrics::{Kind, TABLE};

use self::collector::{Collector, attributes, text};
use self::process::{Process, until};
use crate::refusal::refused;
use crate::world::{is_final, mentee, mentor, soon};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A request that a caller has traced, or has decided not to trace.
fn traced<T>(message: T, sampled: bool) -> Request<T> {
    let mut request = Request::new(message);
    let flags = if sampled { "01" } else { "00" };
    let header = format!("00-{TRACE}-{PARENT}-{flags}");
    request.metadata_mut().insert("traceparent", header.parse().expect("a header"));
    request
}

async fn run_to_the_end(client: &mut Client, request: Request<v1::StartRunRequest>) -> v1::Run {
    let run = client.runs.start_run(request).await.expect("starts").into_inner().run.expect("a run");
    let request = v1::WatchRunRequest { name: run.name };
    let mut watch = client.runs.watch_run(request).await.expect("watches").into_inner();
    let mut last = None;
    // To the end of the stream, so that the call is answered and not left.
    while let Some(answer) = watch.message().await.expect("goes on") {
        last = answer.run;
    }
    last.filter(is_final).expect("the watch ends with the run")
}

fn start(round: &str) -> v1::StartRunRequest {
    v1::StartRunRequest { round: format!("rounds/{round}"), ..v1::StartRunRequest::default() }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "spans of {name}: {:?}", spans.iter().map(|s| &s.name).collect::<Vec<_>>());
    found[0]
}

fn children<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.parent_span_id == parent.span_id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_goes_from_the_callers_span_over_the_queue_to_every_statement_of_the_run() {
    let collector = Collector::start().await;
    // Nobody is traced who has not asked for it.
    let service = Process::start(&[("OTLP_ENDPOINT", &collector.endpoint()), ("TRACE_PERCENT", "0")]);
    let mut manager = service.manager("wim-peru").await;
    service.enrol("r", &mut manager, "wim-peru", vec![mentee("ana"), mentor("xan", 1)]).await;
    let mut coordinator = service.coordinator().await;
    let run = soon(run_to_the_end(&mut coordinator, traced(start("r"), true))).await;
    assert_eq!(run.state(), v1::RunState::Succeeded);
    let absent = v1::GetRoundRequest { name: "rounds/none".to_owned() };
    assert_eq!(refused(coordinator.rounds.get_round(traced(absent.clone(), true)).await), "NOT_FOUND");
    // A caller who has decided against it is not traced.
    assert_eq!(refused(coordinator.rounds.get_round(traced(absent, false)).await), "NOT_FOUND");
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");

    let spans = collector.received.spans();
    let started = named(&spans, "wim.mentorship.v1.RunService/StartRun");
    assert_eq!(
        (hex::encode(&started.trace_id), hex::encode(&started.parent_span_id)),
        (TRACE.to_owned(), PARENT.to_owned())
    );
    assert_eq!(started.kind(), SpanKind::Server);
    let told = attributes(&started.attributes);
    assert_eq!(told["rpc.system.name"], "grpc");
    assert_eq!(told["rpc.method"], "wim.mentorship.v1.RunService/StartRun");
    assert_eq!(told["rpc.response.status_code"], "OK");
    let statements: BTreeSet<&str> =
        children(&spans, started).iter().map(|span| span.name.as_str()).collect();
    assert!(
        ["run.create", "journal.append", "commit"].iter().all(|name| statements.contains(name)),
        "{statements:?}"
    );
    for statement in children(&spans, started) {
        assert_eq!(statement.kind(), SpanKind::Client, "{}", statement.name);
        assert_eq!(statement.trace_id, started.trace_id);
        assert_eq!(attributes(&statement.attributes)["db.system.name"], "sqlite");
    }

    let run = named(&spans, "run");
    assert_ne!(run.trace_id, started.trace_id, "a run is a trace of its own");
    assert_eq!((run.links.len(), run.kind()), (1, SpanKind::Consumer));
    assert_eq!((&run.links[0].trace_id, &run.links[0].span_id), (&started.trace_id, &started.span_id));
    assert_eq!(attributes(&run.attributes)["outcome"], "succeeded");
    let stages = ["encode", "score", "assign", "certify", "explain", "save"];
    for stage in stages {
        let span = named(&spans, stage);
        assert_eq!((&span.trace_id, &span.parent_span_id), (&run.trace_id, &run.span_id), "{stage}");
        assert!(
            run.start_time_unix_nano <= span.start_time_unix_nano
                && span.end_time_unix_nano <= run.end_time_unix_nano
        );
    }
    let saved = children(&spans, named(&spans, "save"));
    assert!(
        saved.iter().any(|span| span.name == "run_match.stage"),
        "{:?}",
        saved.iter().map(|s| &s.name).collect::<Vec<_>>()
    );
    assert!(
        children(&spans, run).iter().any(|span| span.name.starts_with("snapshot.")),
        "statements that load"
    );

    let absent = named(&spans, "wim.mentorship.v1.RoundService/GetRound");
    assert_eq!(attributes(&absent.attributes)["rpc.response.status_code"], "NOT_FOUND");
    assert_eq!(
        absent.status.clone().unwrap_or_default().code,
        0,
        "a caller's mistake is no failure of the server"
    );
    let calls: Vec<&str> =
        spans.iter().filter(|span| span.kind() == SpanKind::Server).map(|span| span.name.as_str()).collect();
    assert_eq!(calls.len(), 2, "{calls:?}");

    let refusal = collector
        .received
        .lines()
        .into_iter()
        .find(|line| line.trace_id == absent.trace_id && line.span_id == absent.span_id)
        .expect("a line of the log in the span of the call");
    assert_eq!(text(refusal.body.as_ref()), "call answered");
    let line = log.lines().find(|line| line.contains("call answered") && line.contains(TRACE));
    assert!(line.is_some(), "the log on standard error names the trace: {log}");
    for resource in collector.received.resources() {
        assert_eq!(resource["service.name"], "wim-match");
        assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(resource["service.instance.id"].len(), 36);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_those_of_the_table_pushed_and_pulled_and_organisations_add_no_series() {
    let collector = Collector::start().await;
    let service = Process::start(&[("OTLP_ENDPOINT", &collector.endpoint())]);
    let mut manager = service.manager("wim-peru").await;
    service.enrol("r", &mut manager, "wim-peru", vec![mentee("ana"), mentor("xan", 1)]).await;
    let mut coordinator = service.coordinator().await;
    soon(run_to_the_end(&mut coordinator, Request::new(start("r")))).await;
    let lost = coordinator.rounds.get_round(v1::GetRoundRequest { name: "rounds/none".to_owned() }).await;
    assert_eq!(refused(lost), "NOT_FOUND");

    let calls = |method: &str, code: &str| {
        let series = format!(
            "rpc_server_call_duration_seconds_count{{rpc_method=\"wim.mentorship.v1.{method}\",rpc_response_status_code=\"{code}\",rpc_system_name=\"grpc\"}}"
        );
        service.metric(&series)
    };
    // The server counts a call and a run when they have ended, which the caller may see earlier.
    until("the watch is counted", || calls("RunService/WatchRun", "OK").is_some()).await;
    until("the run is counted", || {
        service.metric("wim_match_run_ends_total{outcome=\"succeeded\"}") == Some(1.0)
    })
    .await;
    assert_eq!(calls("RunService/StartRun", "OK"), Some(1.0));
    assert_eq!(calls("RoundService/GetRound", "NOT_FOUND"), Some(1.0), "a status in the trailers");
    assert_eq!(calls("RunService/WatchRun", "OK"), Some(1.0), "a stream counts when it has ended");
    assert_eq!(service.metric("wim_match_import_rows_total{outcome=\"created\"}"), Some(2.0));
    assert_eq!(service.metric("wim_match_run_match_rate_ratio"), None, "two people are too few for a number");
    assert_eq!(service.metric("wim_match_ready"), Some(1.0));
    let (_, scrape) = service.ask("GET", "/metrics");
    let given_up: Vec<_> = scrape.lines().filter(|line| line.contains("error_type=\"CANCELLED\"")).collect();
    assert_eq!(given_up, Vec::<&str>::new(), "statements that nobody gave up");

    let (_, before) = service.ask("GET", "/metrics");
    for number in 0..5 {
        let id = format!("wim-{number}");
        let mut manager = service.manager(&id).await;
        service.enrol(&format!("r{number}"), &mut manager, &id, vec![mentee("ana"), mentor("xan", 1)]).await;
        soon(run_to_the_end(&mut coordinator, Request::new(start(&format!("r{number}"))))).await;
    }
    let (_, after) = service.ask("GET", "/metrics");
    assert_eq!(series(&before).difference(&series(&after)).next(), None);
    let added: Vec<_> = series(&after).difference(&series(&before)).cloned().collect();
    assert_eq!(added, Vec::<String>::new(), "series that organisations and rounds add");
    assert!(!after.contains("wim-peru"), "no organisation in any label");

    let known: BTreeMap<String, Kind> =
        TABLE.iter().map(|metric| (metric.name_for_prometheus(), metric.kind)).collect();
    for line in after.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').expect("a name and a type");
        if name == "target_info" {
            continue;
        }
        let expected = match known.get(name).unwrap_or_else(|| panic!("{name} has no row in the table")) {
            Kind::Histogram(_) => "histogram",
            Kind::Counter => "counter",
            Kind::Gauge | Kind::UpDown => "gauge",
        };
        assert_eq!(kind, expected, "{name}");
    }

    let (_, log) = service.stop();
    let pushed = collector.received.metrics();
    assert!(!pushed.is_empty(), "the last metrics are delivered at the end: {log}");
    for metric in &pushed {
        let row = TABLE.iter().find(|row| row.name == metric.name);
        let row = row.unwrap_or_else(|| panic!("{} has no row in the table", metric.name));
        assert_eq!(metric.unit, row.unit, "{}", metric.name);
        let mut labels = BTreeSet::new();
        match metric.data.as_ref().expect("data") {
            Data::Gauge(gauge) => {
                gauge.data_points.iter().for_each(|point| labels.extend(keys(&point.attributes)))
            }
            Data::Sum(sum) => sum.data_points.iter().for_each(|point| labels.extend(keys(&point.attributes))),
            Data::Histogram(histogram) => {
                histogram.data_points.iter().for_each(|point| labels.extend(keys(&point.attributes)));
            }
            other => panic!("{}: {other:?}", metric.name),
        }
        let rest: Vec<_> = labels.iter().filter(|label| !row.labels.contains(&label.as_str())).collect();
        assert!(rest.is_empty(), "{}: labels without a place in the table: {rest:?}", metric.name);
    }
}

fn keys(pairs: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> Vec<String> {
    pairs.iter().map(|pair| pair.key.clone()).collect()
}

/// The series of a scrape, without their values. Statements that a later organisation happens to need first are left out:
/// each is a name in the code.
fn series(scrape: &str) -> BTreeSet<String> {
    scrape
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("db_client_operation_duration"))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, _)| series.to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_gone_or_silent_costs_no_call_and_is_told_once() {
    // One takes connections and never answers; nobody listens at the other.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addresses = [&silent, &gone].map(|listener| listener.local_addr().expect("an address"));
    drop(gone);
    for (address, is_gone) in addresses.into_iter().zip([false, true]) {
        let endpoint = format!("http://{address}");
        let service = Process::start(&[
            ("OTLP_ENDPOINT", &endpoint),
            ("TRACE_PERCENT", "100"),
            ("LOG_FILTER", "info,wim_match=debug"),
        ]);
        let mut coordinator = service.coordinator().await;
        // More spans and lines than any queue holds.
        for _ in 0..600 {
            let listed = coordinator.rounds.list_rounds(v1::ListRoundsRequest::default()).await;
            listed.expect("is answered");
        }
        if is_gone {
            let failures = "wim_match_telemetry_export_failures_total{signal=\"traces\"}";
            until("failures are counted", || service.metric(failures).is_some_and(|count| count > 0.0)).await;
        }
        let stopping = Stopwatch::start();
        let (status, log) = service.stop();
        assert!(status.success(), "{log}");
        assert!(stopping.elapsed() < Duration::from_secs(20), "the end waits for no collector");
        let told = log.lines().filter(|line| line.contains("collector takes nothing")).count();
        assert!(told <= 3 && (told > 0 || !is_gone), "once for each signal: {told}");
    }
    drop(silent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_port_answers_what_a_supervisor_and_prometheus_ask() {
    let service = Process::start(&[]);
    assert_eq!(service.ask("GET", "/livez"), (200, "alive\n".to_owned()));
    assert_eq!(service.ask("GET", "/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(service.ask("HEAD", "/readyz"), (200, String::new()));
    assert_eq!(service.ask("GET", "/").0, 404);
    assert_eq!(service.ask("POST", "/metrics").0, 405);
    assert_eq!(service.ask("GET", &format!("/{}", "x".repeat(20_000))).0, 431);
    // Peers that say nothing give way.
    let silent: Vec<_> =
        (0..100).map(|_| std::net::TcpStream::connect(&service.monitoring).expect("connects")).collect();
    assert_eq!(service.ask("GET", "/livez").0, 200);
    drop(silent);
    // The files of the database are taken away: reads may go on, writes may not.
    let (database, aside) = (service.home.path().join("wim.db"), service.home.path().join("aside"));
    std::fs::rename(&database, &aside).expect("is moved");
    until("readiness is taken back", || service.ask("GET", "/readyz").0 == 503).await;
    assert_eq!(service.metric("wim_match_ready"), Some(0.0));
    assert!(service.metric("wim_match_store_probe_failures_total").is_some_and(|failures| failures > 0.0));
    assert_eq!(service.ask("GET", "/livez").0, 200, "liveness is not a matter of the database");
    std::fs::rename(&aside, &database).expect("is moved back");
    until("readiness comes back", || service.ask("GET", "/readyz").0 == 200).await;
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_stops_says_so_while_it_waits_for_its_calls() {
    let service = Process::start(&[]);
    let token = std::fs::read_to_string(service.home.path().join("wim.db.first-token")).expect("a token");
    // A call whose message has not arrived yet.
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let mut asked = Request::new(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let bearer = format!("Bearer {}", token.trim()).parse().expect("a header");
    asked.metadata_mut().insert("authorization", bearer);
    let mut client = tonic::client::Grpc::new(soon(connect(&service.address)).await.expect("connects"));
    let path =
        tonic::codegen::http::uri::PathAndQuery::from_static("/wim.mentorship.v1.RoundService/ListRounds");
    let codec = tonic_prost::ProstCodec::<v1::ListRoundsRequest, v1::ListRoundsResponse>::default();
    client.ready().await.expect("is connected");
    let mut call = tokio::task::JoinSet::new();
    call.spawn(async move { client.client_streaming(asked, path, codec).await });
    until("the call is open", || service.metric("wim_match_edge_calls").is_some_and(|calls| calls >= 1.0))
        .await;
    service.tell_to_stop();
    until("readiness is taken back", || service.ask("GET", "/readyz").0 == 503).await;
    assert_eq!(service.ask("GET", "/livez").0, 200, "it lives until its calls have ended");
    sender.send(v1::ListRoundsRequest::default()).await.expect("is sent");
    drop(sender);
    let answer = call.join_next().await.expect("is spawned").expect("ends");
    let answer = answer.expect("a call that was open is answered");
    assert_eq!(answer.into_inner().rounds, []);
    let (status, log) = service.ended();
    assert!(status.success(), "{log}");
}

#[test]
fn a_port_in_use_and_wrong_settings_refuse_the_start_with_the_reason() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let home = tempfile::tempdir().expect("a folder");
    let start = |settings: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wim-match"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).env_clear().current_dir(home.path());
        command.envs(settings.iter().map(|(name, value)| (format!("WIM_MATCH_{name}"), value)));
        let done = command.output().expect("runs");
        (done.status.code(), String::from_utf8(done.stderr).expect("UTF-8"))
    };
    let (code, told) = start(&[("MONITORING_LISTEN", &address)]);
    assert_eq!(code, Some(7), "{told}");
    assert!(told.contains(&address) && told.contains("`monitoring_listen`"), "{told}");
    let wrong =
        [("MONITORING_LISTEN", "9464"), ("OTLP_ENDPOINT", "collector:4317"), ("TRACE_PERCENT", "101")];
    let (code, told) = start(&wrong);
    assert_ne!(code, Some(0));
    for setting in ["monitoring_listen", "otlp_endpoint", "trace_percent"] {
        assert!(told.contains(setting), "{setting}: {told}");
    }
    drop(taken);
}
