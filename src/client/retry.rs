//! Repetition of calls that the service refused for now, by the published policy (`clients/service-config.json`; gRPC
//! proposal A6).
//!
//! Only calls with one message are repeated, and only as long as nothing of an answer has arrived. The service may name the time to wait
//! or forbid a repetition (`grpc-retry-pushback-ms`). While most calls fail, none is repeated. A mutation needs a `request_id`:
//! with it a repetition has no second effect. A call with a deadline is made once.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame};
use prost_reflect::DescriptorPool;
use serde::Deserialize;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::transport::Channel;
use tonic::transport::Error as Broken;
use tonic::{Code, Status};
use tower::Service;

use crate::api::proto::DESCRIPTORS;
use crate::clock::{Clock as _, SystemClock};

/// The published policy.
const PUBLISHED: &str = include_str!("../../clients/service-config.json");
/// The trailer by which the service names the time to wait.
const PUSHBACK: &str = "grpc-retry-pushback-ms";
/// The header of a deadline.
const DEADLINE: &str = "grpc-timeout";

/// A channel that repeats calls, if it has a policy.
#[derive(Debug, Clone)]
pub struct Retrying {
    channel: Channel,
    policy: Option<Arc<Policy>>,
}

impl Retrying {
    /// Makes each call once.
    pub(super) fn never(channel: Channel) -> Self {
        Self { channel, policy: None }
    }

    /// Repeats calls by the published policy.
    pub(super) fn as_published(channel: Channel) -> Self {
        Self { channel, policy: Policy::published().map(Arc::new) }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    method_config: Vec<Methods>,
    retry_throttling: Throttling,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Methods {
    name: Vec<Name>,
    retry_policy: Repetition,
}

#[derive(Debug, Deserialize)]
struct Name {
    service: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repetition {
    max_attempts: u32,
    initial_backoff: String,
    max_backoff: String,
    backoff_multiplier: f64,
    retryable_status_codes: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Throttling {
    max_tokens: f64,
    token_ratio: f64,
}

/// A policy for the methods of some services that take one message.
#[derive(Debug)]
struct Policy {
    paths: BTreeSet<String>,
    codes: Vec<Code>,
    most: u32,
    first: Duration,
    longest: Duration,
    factor: f64,
    throttling: Throttling,
    /// Fewer with each refusal, more with each answer. In the lower half no call is repeated.
    tokens: Mutex<f64>,
}

impl Policy {
    /// The published policy; `None` if it cannot be read, which a test excludes.
    fn published() -> Option<Self> {
        let Config { method_config, retry_throttling: throttling } = serde_json::from_str(PUBLISHED).ok()?;
        let [Methods { name, retry_policy }] = &method_config[..] else { return None };
        let seconds = |text: &str| Duration::try_from_secs_f64(text.strip_suffix('s')?.parse().ok()?).ok();
        let code = |name: &String| (0..17).map(Code::from_i32).find(|code| spelt(*code) == *name);
        Some(Self {
            paths: methods_of(name),
            codes: retry_policy.retryable_status_codes.iter().map(code).collect::<Option<_>>()?,
            most: retry_policy.max_attempts,
            first: seconds(&retry_policy.initial_backoff)?,
            longest: seconds(&retry_policy.max_backoff)?,
            factor: retry_policy.backoff_multiplier,
            throttling,
            tokens: Mutex::new(throttling.max_tokens),
        })
    }

    /// The time before the attempt after `attempt`, which ended with these headers; `None` if the end is final.
    fn pause(&self, attempt: u32, code: Code, headers: &HeaderMap) -> Option<Duration> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.codes.contains(&code) {
            *tokens = (*tokens + self.throttling.token_ratio).min(self.throttling.max_tokens);
            return None;
        }
        let pushback = headers.get(PUSHBACK).map(|value| value.to_str().ok()?.parse::<u64>().ok());
        if let Some(None) = pushback {
            return None;
        }
        *tokens = (*tokens - 1.0).max(0.0);
        if attempt >= self.most || *tokens <= self.throttling.max_tokens / 2.0 {
            return None;
        }
        drop(tokens);
        if let Some(Some(millis)) = pushback {
            return Some(Duration::from_millis(millis));
        }
        let mut random = [0; 2];
        SystemClock.fill(&mut random);
        let share = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX) - 1;
        Some(self.first.mul_f64(self.factor.powi(exponent)).min(self.longest).mul_f64(share))
    }
}

/// A code as service configs spell it.
fn spelt(code: Code) -> &'static str {
    match code {
        Code::Unavailable => "UNAVAILABLE",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::Aborted => "ABORTED",
        // A policy that repeats other codes would repeat what cannot succeed.
        _ => "",
    }
}

/// The paths of the methods of these services that take one message.
fn methods_of(services: &[Name]) -> BTreeSet<String> {
    let Ok(pool) = DescriptorPool::decode(DESCRIPTORS) else { return BTreeSet::new() };
    let named =
        pool.services().filter(|service| services.iter().any(|named| named.service == service.full_name()));
    let mut paths = BTreeSet::new();
    for service in named {
        let single = service.methods().filter(|method| !method.is_client_streaming());
        paths.extend(single.map(|method| format!("/{}/{}", service.full_name(), method.name())));
    }
    paths
}

impl Service<Request<Body>> for Retrying {
    type Response = Response<Body>;
    type Error = Broken;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Broken>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let repeats = |policy: &&Arc<Policy>| {
            policy.paths.contains(request.uri().path()) && !request.headers().contains_key(DEADLINE)
        };
        match self.policy.as_ref().filter(repeats) {
            None => Box::pin(self.channel.call(request)),
            // The clone becomes ready before each attempt.
            Some(policy) => Box::pin(attempts(self.channel.clone(), Arc::clone(policy), request)),
        }
    }
}

/// The answer of the last attempt.
async fn attempts(
    mut channel: Channel,
    policy: Arc<Policy>,
    request: Request<Body>,
) -> Result<Response<Body>, Broken> {
    let (parts, body) = request.into_parts();
    let message = match whole(body).await {
        Ok(message) => message,
        // The message cannot be read, so the call fails as it would without repetition.
        Err(status) => return Ok(status.into_http()),
    };
    for attempt in 1.. {
        poll_fn(|context| channel.poll_ready(context)).await?;
        let request = Request::from_parts(parts.clone(), Body::new(Whole(Some(message.clone()))));
        let answer = channel.call(request).await;
        let pause = match &answer {
            Ok(response) => {
                let refused = Status::from_header_map(response.headers()).map(|status| status.code());
                policy.pause(attempt, refused.unwrap_or(Code::Ok), response.headers())
            }
            // No connection, or one that broke.
            Err(_) => policy.pause(attempt, Code::Unavailable, &HeaderMap::new()),
        };
        let Some(pause) = pause else { return answer };
        tokio::time::sleep(pause).await;
    }
    Ok(Status::unavailable("no attempt is left").into_http())
}

/// The bytes of a body.
async fn whole(mut body: Body) -> Result<Bytes, Status> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(part) = frame?.into_data() {
            bytes.extend_from_slice(&part);
        }
    }
    Ok(bytes.freeze())
}

/// A body of one part.
struct Whole(Option<Bytes>);

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(millis: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(PUSHBACK, millis.parse().expect("a header value"));
        headers
    }

    #[test]
    fn the_published_policy_covers_every_service_of_the_contract() {
        let policy = Policy::published().expect("is readable");
        let pool = DescriptorPool::decode(DESCRIPTORS).expect("descriptors");
        for service in pool.services().filter(|service| service.package_name() == "wim.mentorship.v1") {
            for method in service.methods().filter(|method| !method.is_client_streaming()) {
                let path = format!("/{}/{}", service.full_name(), method.name());
                assert!(policy.paths.contains(&path), "{path} is not in clients/service-config.json");
            }
        }
        assert!((2..=5).contains(&policy.most), "gRPC makes at most five attempts");
        assert_eq!(policy.codes, [Code::Unavailable, Code::ResourceExhausted]);
    }

    #[test]
    fn the_service_names_the_pause_or_forbids_the_repetition() {
        let policy = Policy::published().expect("is readable");
        let limit = Code::ResourceExhausted;
        assert_eq!(policy.pause(1, limit, &told("250")), Some(Duration::from_millis(250)));
        assert_eq!(policy.pause(1, limit, &told("-1")), None);
        assert_eq!(policy.pause(1, limit, &told("soon")), None);
        assert_eq!(policy.pause(policy.most, limit, &told("250")), None, "the attempts are used up");
        assert_eq!(policy.pause(1, Code::PermissionDenied, &told("250")), None);
        for attempt in 1..policy.most {
            let pause = policy.pause(attempt, Code::Unavailable, &HeaderMap::new()).expect("is repeated");
            assert!(pause <= Duration::from_millis(200 << (attempt - 1)), "{pause:?}");
        }
    }

    #[test]
    fn while_most_calls_fail_none_is_repeated() {
        let policy = Policy::published().expect("is readable");
        let refused = || policy.pause(1, Code::Unavailable, &told("1"));
        let repeated = (0..100).take_while(|_| refused().is_some()).count();
        assert_eq!(repeated, 9, "the tenth refusal leaves half of the tokens");
        for _ in 0..6 {
            assert_eq!(policy.pause(1, Code::Ok, &HeaderMap::new()), None);
        }
        assert!(refused().is_some(), "answers bring the tokens back");
    }
}
