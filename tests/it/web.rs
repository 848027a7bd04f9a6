//! Browsers: gRPC-Web as they send it, and what they ask before a page of another origin may call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use tonic::codegen::Bytes;
use tonic::codegen::http::{Method, Request, Response};
use wim_match::api::Cause;
use wim_match::api::proto::v1;
use wim_match::config::{Config, Origin};

use crate::wire::{Line, frame};
use crate::world::{World, soon};

const LIST_ROUNDS: &str = "/wim.mentorship.v1.RoundService/ListRounds";
const PAGE: &str = "https://www.example.org";

fn with_page(config: &mut Config) {
    config.cors_origins = vec![Origin(PAGE.to_owned())];
}

/// What comes back from a request, with the whole body.
async fn answer(world: &World, request: Request<()>, body: &[u8]) -> Response<Vec<u8>> {
    let mut line = Line::open(world).await;
    let (answer, mut asked) = soon(line.call_when_ready(request)).await.expect("is taken");
    // The answer may come before these bytes leave.
    drop(asked.send_data(Bytes::copy_from_slice(body), true));
    let (parts, mut body) = soon(answer).await.expect("an answer").into_parts();
    let mut bytes = Vec::new();
    while let Some(part) = soon(body.data()).await {
        bytes.extend(part.expect("data"));
    }
    Response::from_parts(parts, bytes)
}

fn call(world: &World, kind: &str, headers: &[(&str, &str)]) -> Request<()> {
    let request = Request::post(format!("http://{}{LIST_ROUNDS}", world.server().address()))
        .header("content-type", kind)
        .header("accept", kind)
        .header("x-grpc-web", "1");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).expect("a request")
}

/// The messages of a body in gRPC-Web, and its trailers as text.
fn read(body: &[u8]) -> (Vec<Vec<u8>>, String) {
    let (mut messages, mut trailers, mut rest) = (Vec::new(), String::new(), body);
    while let [flag, a, b, c, d, left @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let (part, after) = left.split_at(length);
        match flag {
            0 => messages.push(part.to_vec()),
            0x80 => trailers = String::from_utf8(part.to_vec()).expect("text"),
            _ => panic!("a frame of kind {flag}"),
        }
        rest = after;
    }
    assert!(rest.is_empty());
    (messages, trailers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_calls_by_grpc_web_binary_and_as_text() {
    let world = World::sqlite_with(with_page).await;
    world.open_round("2027-first").await;
    let bearer = format!("Bearer {}", world.coordinator_token());
    let asked = frame(&v1::ListRoundsRequest::default().encode_to_vec());
    for (kind, is_text) in [("application/grpc-web+proto", false), ("application/grpc-web-text", true)] {
        let request = call(&world, kind, &[("authorization", &bearer), ("origin", PAGE)]);
        let sent = if is_text { STANDARD.encode(&asked).into_bytes() } else { asked.clone() };
        let answered = answer(&world, request, &sent).await;
        assert_eq!(answered.status(), 200);
        assert_eq!(answered.headers()["access-control-allow-origin"], PAGE);
        let exposed = answered.headers()["access-control-expose-headers"].to_str().expect("text");
        assert!(exposed.contains("grpc-status-details-bin"), "{exposed}");
        let body = if is_text {
            // Each part is padded by itself.
            let text = String::from_utf8(answered.into_body()).expect("text");
            let parts = text.as_bytes().chunks(4).map(|part| STANDARD.decode(part).expect("base64"));
            parts.collect::<Vec<_>>().concat()
        } else {
            answered.into_body()
        };
        let (messages, trailers) = read(&body);
        let [message] = &messages[..] else { panic!("{} messages", messages.len()) };
        let rounds = v1::ListRoundsResponse::decode(&message[..]).expect("a message").rounds;
        assert_eq!(rounds[0].name, "rounds/2027-first");
        assert!(trailers.contains("grpc-status:0"), "{trailers}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_has_the_admission_and_the_bounds_of_every_caller() {
    let world = World::sqlite_with(|config| {
        with_page(config);
        config.max_message_bytes = 64 << 10;
    })
    .await;
    let bearer = format!("Bearer {}", world.coordinator_token());
    let kind = "application/grpc-web+proto";
    let asked = frame(&[]);
    let status = |answered: &Response<Vec<u8>>| {
        let header =
            answered.headers().get("grpc-status").map(|value| value.to_str().expect("text").to_owned());
        header.unwrap_or_else(|| {
            let (_, trailers) = read(answered.body());
            let status = trailers.lines().find_map(|line| line.strip_prefix("grpc-status:"));
            status.expect("a status").trim().to_owned()
        })
    };
    let stranger = answer(&world, call(&world, kind, &[("origin", PAGE)]), &asked).await;
    assert_eq!(status(&stranger), "16", "UNAUTHENTICATED");
    assert_eq!(world.server().counts().refused_for(Cause::Credential), 1);
    let large = call(&world, kind, &[("authorization", &bearer)]);
    let large = answer(&world, large, &[0, 0, 1, 0, 1]).await;
    assert_eq!(status(&large), "8", "RESOURCE_EXHAUSTED");
    assert_eq!(world.server().counts().refused_for(Cause::MessageTooLarge), 1);
    let text = call(&world, "application/grpc-web-text", &[("authorization", &bearer)]);
    let text = answer(&world, text, b"no base64!").await;
    assert_eq!(status(&text), "3", "INVALID_ARGUMENT");
    let mut get = call(&world, kind, &[("authorization", &bearer)]);
    *get.method_mut() = Method::GET;
    assert_eq!(answer(&world, get, &[]).await.status(), 405);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_pages_of_the_configured_origins_may_call() {
    let ask = |world: &World, origin: &str| {
        let request = Request::options(format!("http://{}{LIST_ROUNDS}", world.server().address()))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,x-grpc-web");
        request.body(()).expect("a request")
    };
    let world = World::sqlite_with(with_page).await;
    let allowed = answer(&world, ask(&world, PAGE), &[]).await;
    assert_eq!(allowed.status(), 204);
    assert_eq!(allowed.headers()["access-control-allow-origin"], PAGE);
    assert_eq!(allowed.headers()["access-control-allow-methods"], "POST");
    let headers = allowed.headers()["access-control-allow-headers"].to_str().expect("text");
    for header in ["authorization", "content-type", "x-grpc-web", "grpc-timeout", "accept-language"] {
        assert!(headers.split(',').any(|allowed| allowed == header), "{header} is not in {headers}");
    }
    assert!(allowed.headers().get("access-control-allow-credentials").is_none());
    for origin in
        ["https://www.example.org.evil.example", "https://example.org", "http://www.example.org", "null", "*"]
    {
        let refused = answer(&world, ask(&world, origin), &[]).await;
        assert_eq!(refused.status(), 403, "{origin}");
        assert!(refused.headers().get("access-control-allow-origin").is_none(), "{origin}");
        let called = call(&world, "application/grpc-web+proto", &[("origin", origin)]);
        let called = answer(&world, called, &frame(&[])).await;
        assert!(called.headers().get("access-control-allow-origin").is_none(), "{origin}");
    }
    world.stop().await;
    let world = World::sqlite().await;
    assert_eq!(
        answer(&world, ask(&world, PAGE), &[]).await.status(),
        405,
        "without origins nothing is asked"
    );
    world.stop().await;
}
