//! Admission: what a request must be before a byte of its body is read. It is a gRPC call, it has one credential, and
//! the credential names a caller. The handlers read the caller from the request.
//!
//! The credential is an API token or a JWT in the header `authorization`. Without this header it is the client certificate of
//! the connection: one connection of a proxy or of a program may so carry the calls of several callers.

mod jwt;
mod keys;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Method, Request, Response, StatusCode, header, request};
use tonic::{Request as Call, Status};

pub use self::jwt::Issuer;
use super::edge::{Cause, Connection, Edge, Flying, Payer, UnnamedCall, WholeMessages};
use super::standing::{Standing, narrowed};
use crate::domain::caller::Caller;
use crate::domain::credential::Presented;
use crate::domain::grant::Role;
use crate::domain::name::OrganisationId;
use crate::error::{Error, Reason};
use crate::service::Service;

/// The beginnings of the paths that need no caller: supervisors and balancers ask for the health, and the secret of an
/// invitation is a credential of its own.
const UNNAMED: [&str; 2] = ["/grpc.health.v1.Health/", "/wim.mentorship.v1.AdminService/RedeemInvitation"];
/// Bytes that a message of such a call may have.
const UNNAMED_MESSAGE_BYTES: usize = 4_096;

/// The caller that the call was admitted for.
pub(super) fn caller_of<T>(call: &Call<T>) -> Result<Caller, Status> {
    call.extensions().get::<Caller>().cloned().ok_or_else(|| Error::Unauthenticated.into())
}

/// A call that may go on to its handler.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) request: Request<Body>,
    /// Held until the answer has ended.
    pub(super) held: Held,
    /// Who the call was admitted for; `None` for a call that needs no caller.
    pub(super) standing: Option<Standing>,
}

/// A place among the calls that are open at a time.
#[derive(Debug)]
pub(super) enum Held {
    /// Among those of an address that need no caller.
    Unnamed {
        /// Ends with the call.
        _place: UnnamedCall,
    },
    /// Among those of all callers.
    Named {
        /// Ends with the call.
        _place: Flying,
    },
}

/// Admits a request, or returns the answer that refuses it.
pub(super) async fn admit(
    edge: &Arc<Edge>,
    service: &Service,
    connection: &Arc<Connection>,
    issuer: Option<&Trusted>,
    request: Request<Body>,
) -> Result<Admitted, Response<Body>> {
    let address = edge.address_of(connection, request.headers());
    let (mut parts, body) = request.into_parts();
    let refuse = |refusal: Refusal| {
        if let Some(cause) = refusal.cause {
            edge.refusals().record(cause, &refusal.payer.unwrap_or(Payer::Address(address)));
            connection.charge_refusal();
        }
        refusal.answer
    };
    let (payer, most, held, standing) = if let Err(answer) = is_grpc(&parts) {
        return Err(refuse(Refusal { cause: Some(Cause::NotGrpc), payer: None, answer }));
    } else if UNNAMED.iter().any(|path| parts.uri.path().starts_with(path)) {
        let Some(unnamed) = edge.connections().begin_unnamed(address) else {
            return Err(refuse(Refusal::of(Cause::UnnamedCalls, Error::Overloaded("address"))));
        };
        (Payer::Address(address), UNNAMED_MESSAGE_BYTES, Held::Unnamed { _place: unnamed }, None)
    } else {
        let standing = presented(service, connection, issuer, &parts.headers);
        let standing = match standing {
            Ok((presented, until)) => {
                name(service, presented, until, &parts.headers).await.map_err(&refuse)?
            }
            Err(refusal) => return Err(refuse(refusal)),
        };
        let caller = standing.caller.clone();
        let payer = Payer::Caller(caller.principal.clone());
        if !connection.name_caller(&caller.principal) {
            let refusal = Refusal::of(Cause::CallerConnections, Error::Overloaded("caller"));
            return Err(refuse(Refusal { payer: Some(payer), ..refusal }));
        }
        let organisations: BTreeSet<&str> =
            caller.roles.iter().filter_map(Role::organisation).map(OrganisationId::as_str).collect();
        let flying = match edge.begin(parts.uri.path(), &caller.principal, organisations.into_iter()) {
            Ok(flying) => flying,
            Err((cause, error)) => {
                return Err(refuse(Refusal { payer: Some(payer), ..Refusal::of(cause, error) }));
            }
        };
        parts.extensions.insert(caller);
        (payer, edge.limits().message_bytes, Held::Named { _place: flying }, Some(standing))
    };
    let body = Body::new(WholeMessages::new(body, most, edge, payer, connection));
    Ok(Admitted { request: Request::from_parts(parts, body), held, standing })
}

/// An answer that refuses a request, with what is counted. A failure of the service itself has no cause.
struct Refusal {
    cause: Option<Cause>,
    payer: Option<Payer>,
    answer: Response<Body>,
}

impl Refusal {
    fn of(cause: Cause, error: Error) -> Self {
        Self { cause: Some(cause), payer: None, answer: Status::from(error).into_http() }
    }
}

/// The issuer whose JWTs name callers, with its present keys.
pub type Trusted = watch::Receiver<Arc<Issuer>>;

/// The one credential of a request, and the moment at which it ends by itself, if it tells.
fn presented(
    service: &Service,
    connection: &Connection,
    issuer: Option<&Trusted>,
    headers: &HeaderMap,
) -> Result<(Presented, Option<Timestamp>), Refusal> {
    let unknown = || Refusal::of(Cause::Credential, Error::Unauthenticated);
    let mut credentials = headers.get_all(header::AUTHORIZATION).iter();
    let Some(credential) = credentials.next() else {
        let fingerprint = connection.certificate().ok_or_else(unknown)?.to_owned();
        return Ok((Presented::Certificate { fingerprint }, None));
    };
    if credentials.next().is_some() {
        return Err(Refusal::of(Cause::SeveralCredentials, Error::SeveralCredentials));
    }
    let bearer = credential
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, bearer)| bearer.trim())
        .ok_or_else(unknown)?;
    // A JWT has dots, and a token has none.
    if !bearer.contains('.') {
        return Ok((Presented::Token(bearer.to_owned()), None));
    }
    let issuer = issuer.ok_or_else(unknown)?.borrow();
    let verified = issuer.verify(bearer, service.clock().now()).map_err(|why| {
        tracing::debug!(why, "a JWT was refused");
        unknown()
    })?;
    let jwt = Presented::Jwt { issuer: issuer.name().to_owned(), subject: verified.subject };
    Ok((jwt, Some(verified.until)))
}

/// The caller of a credential.
async fn name(
    service: &Service,
    presented: Presented,
    until: Option<Timestamp>,
    headers: &HeaderMap,
) -> Result<Standing, Refusal> {
    let caller = service.authenticate(&presented).await.and_then(|caller| narrowed(caller, headers));
    let caller = caller.map_err(|error| {
        let cause = (error.reason() == Reason::Unauthenticated).then_some(Cause::Credential);
        Refusal { cause, payer: None, answer: Status::from(error).into_http() }
    })?;
    Ok(Standing { service: service.clone(), presented, until, caller })
}

/// `Ok` if a request is a gRPC call in the one message encoding of this service.
///
/// The protocol demands HTTP errors for what is no gRPC call at all: 405 for another method than POST, and 415 for another
/// content type. `te: trailers` shows that no proxy on the way drops the trailers, which have the status.
fn is_grpc(parts: &request::Parts) -> Result<(), Response<Body>> {
    if parts.method != Method::POST {
        return Err(in_words(StatusCode::METHOD_NOT_ALLOWED, "send a gRPC call, which is a POST request\n"));
    }
    let value = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = value(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    if !["application/grpc", "application/grpc+proto"].iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        let words = "send a gRPC call with the content type application/grpc and protobuf messages\n";
        return Err(in_words(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    }
    let trailers = parts.headers.get_all(header::TE).iter().filter_map(|value| value.to_str().ok());
    let mut codings = trailers.flat_map(|value| value.split(','));
    if !codings.any(|coding| coding.trim().eq_ignore_ascii_case("trailers")) {
        return Err(Status::from(Error::NotGrpc).into_http());
    }
    Ok(())
}

/// An HTTP error for a peer that does not speak gRPC.
fn in_words(status: StatusCode, words: &str) -> Response<Body> {
    let mut response = Response::new(Body::new(words.to_owned()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, kind: &str, te: &str) -> Option<StatusCode> {
        let request = Request::builder().method(method).uri("/a.B/C").header("content-type", kind);
        let (parts, ()) = request.header("te", te).body(()).expect("a request").into_parts();
        is_grpc(&parts).err().map(|answer| answer.status())
    }

    #[test]
    fn only_what_is_a_grpc_call_is_admitted() {
        for kind in ["application/grpc", "application/grpc+proto", "Application/gRPC; charset=utf-8"] {
            assert_eq!(answer("POST", kind, "trailers"), None, "{kind}");
        }
        assert_eq!(answer("POST", "application/grpc", "gzip, Trailers"), None);
        for method in ["GET", "PUT", "OPTIONS", "CONNECT"] {
            assert_eq!(
                answer(method, "application/grpc", "trailers"),
                Some(StatusCode::METHOD_NOT_ALLOWED),
                "{method}"
            );
        }
        for kind in ["", "application/json", "application/grpc+json", "application/grpc-web", "text/html"] {
            assert_eq!(answer("POST", kind, "trailers"), Some(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{kind}");
        }
        assert_eq!(answer("POST", "application/grpc", "deflate"), Some(StatusCode::OK));
    }
}
