//! The standard services beside our own: health and reflection, for whoever operates or explores.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};
use wim_match::clock::Stopwatch;

use crate::refusal::refused;
use crate::world::World;

const OURS: [&str; 10] = [
    "wim.mentorship.v1.AdminService",
    "wim.mentorship.v1.EventService",
    "wim.mentorship.v1.MentorshipService",
    "wim.mentorship.v1.OrganisationService",
    "wim.mentorship.v1.PrivacyService",
    "wim.mentorship.v1.ProfileService",
    "wim.mentorship.v1.ReportService",
    "wim.mentorship.v1.ReviewService",
    "wim.mentorship.v1.RoundService",
    "wim.mentorship.v1.RunService",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_and_the_whole_are_serving() {
    let world = World::sqlite().await;
    let mut health = HealthClient::new(world.channel().clone());
    for service in OURS.into_iter().chain([""]) {
        let request = HealthCheckRequest { service: service.to_owned() };
        let told = health.check(request).await.expect("health answers").into_inner();
        assert_eq!(told.status(), ServingStatus::Serving, "`{service}`");
    }
    let unknown = HealthCheckRequest { service: "wim.Unknown".to_owned() };
    assert_eq!(health.check(unknown.clone()).await.expect_err("is not known").code(), Code::NotFound);
    let mut watch = health.watch(unknown).await.expect("a watch of an unknown service is open").into_inner();
    let told = watch.message().await.expect("and says so").expect("a message");
    assert_eq!(told.status(), ServingStatus::ServiceUnknown);
    drop(watch);
    world.stop().await;
}

/// The names of all services by one version of the reflection protocol, and whether it describes our messages.
macro_rules! reflected {
    ($version:ident, $world:expr) => {{
        use $version::server_reflection_client::ServerReflectionClient;
        use $version::server_reflection_request::MessageRequest;
        use $version::server_reflection_response::MessageResponse;
        let ask = |request| $version::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(request),
        };
        let questions = [
            ask(MessageRequest::ListServices(String::new())),
            ask(MessageRequest::FileContainingSymbol("wim.mentorship.v1.RunSummary".to_owned())),
        ];
        let mut client = ServerReflectionClient::new($world.channel().clone());
        let stranger = client.server_reflection_info(tokio_stream::iter(questions.clone())).await;
        assert_eq!(refused(stranger), "UNAUTHENTICATED");
        let mut request = Request::new(tokio_stream::iter(questions));
        let bearer = format!("Bearer {}", $world.coordinator_token());
        request.metadata_mut().insert("authorization", bearer.parse().expect("a header value"));
        let mut answers = client.server_reflection_info(request).await.expect("reflects").into_inner();
        let (mut services, mut described) = (BTreeSet::new(), false);
        while let Some(answer) = answers.message().await.expect("answers") {
            match answer.message_response.expect("a response") {
                MessageResponse::ListServicesResponse(list) => {
                    services.extend(list.service.into_iter().map(|service| service.name));
                }
                MessageResponse::FileDescriptorResponse(files) => {
                    described = !files.file_descriptor_proto.is_empty();
                }
                other => panic!("{other:?}"),
            }
        }
        (services, described)
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_versions_of_reflection_describe_the_contract_to_known_callers_alone() {
    let world = World::sqlite().await;
    for (services, described) in [reflected!(v1, world), reflected!(v1alpha, world)] {
        for service in OURS.into_iter().chain(["grpc.health.v1.Health"]) {
            assert!(services.contains(service), "{service} is not among {services:?}");
        }
        assert!(described);
    }
    world.stop().await;
}

/// Runs `wim-match health` on the service at `address`.
fn health(address: &str, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
    program.args(["health", "--server", address]).args(arguments).env_clear().output().expect("runs")
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_of_a_supervisor_ends_with_0_on_a_service_that_serves() {
    let world = World::sqlite().await;
    let address = format!("http://{}", world.server().address());
    for (arguments, told) in [
        (&[][..], format!("{address} is ready: its database takes writes")),
        (&["--live"], format!("{address} is alive")),
        (&["--lang", "es"], format!("{address} está listo: su base acepta escrituras")),
        (&["--json"], format!("{{\"server\":\"{address}\",\"service\":\"\",\"status\":\"SERVING\"}}")),
    ] {
        let output = health(&address, arguments);
        assert_eq!((output.status.code(), lines(&output.stdout)), (Some(0), vec![told]), "{arguments:?}");
    }
    world.stop().await;
}

#[test]
fn the_command_of_a_supervisor_ends_with_7_and_one_line_within_two_seconds() {
    // It accepts connections, as the kernel does for it, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("an address"));
    for address in [silent.as_str(), "http://127.0.0.1:1", "no address"] {
        let started = Stopwatch::start();
        let output = health(address, &[]);
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert_eq!((lines(&output.stdout).len(), lines(&output.stderr).len()), (0, 1), "{output:?}");
        assert!(started.elapsed() < Duration::from_secs(2), "{address}: {:?}", started.elapsed());
    }
}
