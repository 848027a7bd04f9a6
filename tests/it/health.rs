//! The standard services beside our own: health and reflection, for whoever operates or explores.

use std::collections::BTreeSet;

use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use crate::world::World;

const OURS: [&str; 3] = [
    "wim.mentorship.v1.OrganisationService",
    "wim.mentorship.v1.ProfileService",
    "wim.mentorship.v1.RoundService",
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
        let request = Request::new(tokio_stream::iter(questions));
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
async fn both_versions_of_reflection_list_all_services_and_describe_their_messages() {
    let world = World::sqlite().await;
    for (services, described) in [reflected!(v1, world), reflected!(v1alpha, world)] {
        for service in OURS.into_iter().chain(["grpc.health.v1.Health"]) {
            assert!(services.contains(service), "{service} is not among {services:?}");
        }
        assert!(described);
    }
    world.stop().await;
}
